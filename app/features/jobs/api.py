"""JSON of bulk work: jobs with progress, their items, cancel and undo, and the files they made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, url_for
from sqlalchemy import select

from app.domain.access import Permission
from app.domain.errors import Forbidden
from app.features.jobs import queries, service
from app.features.jobs.file_pages import pass_for, take
from app.features.jobs.kinds import kind_to_act_on
from app.features.jobs.models import Job, StoredFile
from app.features.jobs.pages import job_kinds
from app.features.jobs.policy import visible_files, visible_jobs
from app.features.jobs.runner import retry_job as retry
from app.features.jobs.runner import undo_job as undo
from app.features.jobs.schemas import (
    FileLinkSchema,
    FileQuery,
    FileSchema,
    JobItemQuery,
    JobItemSchema,
    JobQuery,
    JobSchema,
)
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.paging import cut, page, read_cursor
from app.infra.web.api.schemas import page_of
from app.infra.web.context import actor, runtime, unit_of_work

blueprint = ApiBlueprint("Jobs", __name__, description="Bulk work: progress, results, cancel and undo.")
_SHOWN = (
    "id",
    "kind",
    "state",
    "error",
    "request_id",
    "result",
    "scheduled",
    "created_by",
    "created_at",
    "started_at",
    "finished_at",
)


def job_json(uow: UnitOfWork, jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Jobs with their progress as JobSchema writes them, in one query."""
    counted = service.progress(uow, jobs)
    return [
        {name: getattr(job, name) for name in _SHOWN} | {"starts_at": job.not_before, "progress": counted[job.id]}
        for job in jobs
    ]


@blueprint.get("/jobs")
@requires(Permission.READ_JOBS)
@blueprint.arguments(JobQuery, location="query")
@blueprint.response(200, page_of(JobSchema))
def list_jobs(query: dict[str, Any]) -> dict[str, Any]:
    """Jobs you may see, newest first."""
    with unit_of_work() as uow:
        jobs = select(Job).where(visible_jobs(uow.actor))
        if "state" in query:
            jobs = jobs.where(Job.state == query["state"])
        if "scheduled" in query:
            jobs = jobs.where(Job.scheduled if query["scheduled"] else ~Job.scheduled)
        found = page(uow, jobs, (Job.created_at, Job.id), query, descending=True)
        return found | {"items": job_json(uow, found["items"])}


@blueprint.get("/jobs/<uuid:job_id>")
@requires(Permission.READ_JOBS)
@blueprint.response(200, JobSchema)
def read_job(job_id: UUID) -> dict[str, Any]:
    """One job with its progress."""
    with unit_of_work() as uow:
        return job_json(uow, [service.get_job(uow, job_id)])[0]


@blueprint.get("/jobs/<uuid:job_id>/items")
@requires(Permission.READ_JOBS)
@blueprint.arguments(JobItemQuery, location="query")
@blueprint.response(200, page_of(JobItemSchema))
def list_job_items(query: dict[str, Any], job_id: UUID) -> dict[str, Any]:
    """What became of each subject of a job, in the order they are worked on."""
    with unit_of_work() as uow:
        service.get_job(uow, job_id)
        limit = query["limit"]
        after = read_cursor(query["cursor"], 2) if query.get("cursor") else None
        found = queries.items_in_turn(uow, job_id, state=query.get("state"), after=after, limit=limit + 1)
        return cut(found, limit, lambda item: (item.position, item.subject_id))


@blueprint.post("/jobs/<uuid:job_id>/cancel")
@requires(Permission.READ_JOBS)
@blueprint.response(200, JobSchema)
def cancel_job(job_id: UUID) -> dict[str, Any]:
    """Stop a job; what is done stays."""
    with unit_of_work() as uow:
        kind_to_act_on(uow, job_kinds(), job_id)
        return job_json(uow, [service.cancel_job(uow, job_id)])[0]


@blueprint.post("/jobs/<uuid:job_id>/pause")
@requires(Permission.READ_JOBS)
@blueprint.response(200, JobSchema)
def pause_job(job_id: UUID) -> dict[str, Any]:
    """Let a job rest after the batch under way."""
    with unit_of_work() as uow:
        kind_to_act_on(uow, job_kinds(), job_id)
        return job_json(uow, [service.pause_job(uow, job_id)])[0]


@blueprint.post("/jobs/<uuid:job_id>/resume")
@requires(Permission.READ_JOBS)
@blueprint.response(200, JobSchema)
def resume_job(job_id: UUID) -> dict[str, Any]:
    """Let a resting job go on, or start one now that was put off."""
    with unit_of_work() as uow:
        kind_to_act_on(uow, job_kinds(), job_id)
        return job_json(uow, [service.resume_job(uow, job_id)])[0]


@blueprint.post("/jobs/<uuid:job_id>/retry")
@requires(Permission.READ_JOBS)
@blueprint.response(202, JobSchema)
def retry_job(job_id: UUID) -> dict[str, Any]:
    """Try again what failed in an ended job, and nothing else; answers with the job that does it."""
    again = retry(runtime(), actor(), job_kinds(), job_id)
    with unit_of_work() as uow:
        return job_json(uow, [service.get_job(uow, again)])[0]


@blueprint.post("/jobs/<uuid:job_id>/undo")
@requires(Permission.READ_JOBS)
@blueprint.response(202, JobSchema)
def undo_job(job_id: UUID) -> dict[str, Any]:
    """Take back what an ended job did, where nobody has touched it since."""
    undo(runtime(), actor(), job_kinds(), job_id)
    with unit_of_work() as uow:
        return job_json(uow, [service.get_job(uow, job_id)])[0]


@blueprint.get("/files")
@requires(Permission.READ_JOBS)
@blueprint.arguments(FileQuery, location="query")
@blueprint.response(200, page_of(FileSchema))
def list_files(query: dict[str, Any]) -> dict[str, Any]:
    """Files you may download, newest first."""
    with unit_of_work() as uow:
        files = select(StoredFile).where(visible_files(uow.actor))
        if "job" in query:
            files = files.where(StoredFile.job_id == query["job"])
        return page(uow, files, (StoredFile.created_at, StoredFile.id), query, descending=True)


@blueprint.get("/files/<uuid:file_id>")
@requires(Permission.READ_JOBS)
@blueprint.response(200, FileSchema)
def read_file(file_id: UUID) -> StoredFile:
    """What is known of a file."""
    with unit_of_work() as uow:
        return queries.get_file(uow, file_id)


@blueprint.get("/files/<uuid:file_id>/content")
@requires(Permission.READ_JOBS)
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
def download_file(file_id: UUID) -> Response:
    """The file itself; who took it is audited."""
    return take(file_id)  # type: ignore[return-value] # Werkzeug's response is what Flask sends


@blueprint.post("/files/<uuid:file_id>/link")
@requires(Permission.READ_JOBS)
@blueprint.response(200, FileLinkSchema)
def link_file(file_id: UUID) -> dict[str, Any]:
    """A link to the file for you alone: it is signed, ends in an hour, and asks for your signing in."""
    with unit_of_work() as uow:
        queries.get_file(uow, file_id)
    given = pass_for(file_id)
    if given is None:
        raise Forbidden("Only a member can be given a link.")
    token, said = given
    return {"href": url_for("jobs.take_file", token=token, _external=True), "expires_at": said.until}
