"""JSON of bulk work: jobs with progress, their items, cancel and undo, and the files they made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, current_app, send_file
from sqlalchemy import select

from app.domain.access import Permission
from app.features.audit.service import record
from app.features.jobs import queries, service
from app.features.jobs.models import Job, JobItem, StoredFile
from app.features.jobs.policy import visible_files, visible_jobs
from app.features.jobs.runner import undo_job as undo
from app.features.jobs.schemas import FileQuery, FileSchema, JobItemQuery, JobItemSchema, JobQuery, JobSchema
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.paging import page
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
    "created_by",
    "created_at",
    "started_at",
    "finished_at",
)


def job_json(uow: UnitOfWork, jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Jobs with their progress as JobSchema writes them, in one query."""
    counted = service.progress(uow, jobs)
    return [{name: getattr(job, name) for name in _SHOWN} | {"progress": counted[job.id]} for job in jobs]


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
        items = select(JobItem).where(JobItem.job_id == job_id)
        if "state" in query:
            items = items.where(JobItem.state == query["state"])
        return page(uow, items, (JobItem.position, JobItem.subject_id), query)


@blueprint.post("/jobs/<uuid:job_id>/cancel")
@requires(Permission.READ_JOBS)
@blueprint.response(200, JobSchema)
def cancel_job(job_id: UUID) -> dict[str, Any]:
    """Stop a job; what is done stays."""
    with unit_of_work() as uow:
        return job_json(uow, [service.cancel_job(uow, job_id)])[0]


@blueprint.post("/jobs/<uuid:job_id>/undo")
@requires(Permission.READ_JOBS)
@blueprint.response(202, JobSchema)
def undo_job(job_id: UUID) -> dict[str, Any]:
    """Take back what an ended job did, where nobody has touched it since."""
    undo(runtime(), actor(), current_app.extensions["octant.job_kinds"], job_id)
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
    with unit_of_work() as uow:
        found = queries.get_file(uow, file_id)
        record(uow, "file.downloaded", "file", found.id, kind=found.kind)
    return send_file(
        runtime().storage.path(found.location),
        mimetype=found.media_type,
        as_attachment=True,
        download_name=found.name,
    )
