"""Pages of bulk work: what runs, how far it is, what was left out and why, and the files it made."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.features.audit.service import record
from app.features.jobs import queries, service
from app.features.jobs.kinds import JobKind
from app.features.jobs.models import Job
from app.features.jobs.runner import undo_job
from app.features.jobs.service import Progress
from app.infra.web.access import requires
from app.infra.web.context import actor, runtime, unit_of_work
from app.infra.web.given import whole_in_query

blueprint = Blueprint("jobs", __name__)
_ENDED = ("done", "failed", "cancelled", "undone")
_PAGE = 50


def job_kinds() -> dict[str, JobKind]:
    """Every kind of job this installation knows, by name; put there by the factory."""
    return current_app.extensions["octant.job_kinds"]  # type: ignore[no-any-return] # extensions are untyped


def progress_view(job: Job, progress: Progress) -> dict[str, Any]:
    """What the macro `progress` of macros/parts.html draws of a job."""
    kind = job_kinds().get(job.kind)
    seconds = progress.seconds_left
    remaining = None
    if seconds is not None:
        remaining = (
            ngettext("about %(num)s second left", "about %(num)s seconds left", seconds)
            if seconds < 90
            else ngettext("about %(num)s minute left", "about %(num)s minutes left", round(seconds / 60))
        )
    href = url_for("jobs.show", job_id=job.id)
    total, done, failed = job.total, progress.done, progress.failed
    if progress.people:
        # A reader counts people, not the parts of a file; those of a part that failed are what is missing at the end.
        total, done = progress.people, progress.people_done
        failed = total - done if failed and not progress.left else 0
    return {
        "id": job.id,
        "label": str(kind.label) if kind else job.kind,
        "total": total,
        "title": job.params.get("title", ""),
        "done": done,
        "failed": failed,
        "skipped": 0 if progress.people else progress.skipped + progress.cancelled,
        "remaining_text": remaining,
        "finished": job.state in _ENDED,
        "href": href,
        "poll_href": url_for("jobs.progress", job_id=job.id),
    }


@blueprint.get("/jobs")
@requires(Permission.READ_JOBS)
def index() -> str:
    """The actor's jobs, newest first."""
    before = _before(request.args.get("before", ""))
    with unit_of_work() as uow:
        jobs = queries.list_jobs(uow, limit=_PAGE + 1, before=before)
        shown, more = jobs[:_PAGE], jobs[_PAGE:]
        progress = service.progress(uow, shown)
    older = None
    if more:
        older = url_for("jobs.index", before=f"{shown[-1].created_at.isoformat()}_{shown[-1].id}")
    views = [(job, progress[job.id], progress_view(job, progress[job.id])) for job in shown]
    return render_template("jobs/index.html", jobs=views, older=older)


def _before(written: str) -> tuple[datetime, UUID] | None:
    moment, _, job_id = written.partition("_")
    try:
        found = datetime.fromisoformat(moment), UUID(job_id)
    except ValueError:
        return None
    # A moment without a zone, or so far off that another zone cannot hold it, is none that this page wrote.
    return found if found[0].tzinfo is not None and 2000 <= found[0].year < 2200 else None


@blueprint.get("/jobs/<uuid:job_id>")
@requires(Permission.READ_JOBS)
def show(job_id: UUID) -> str:
    """One job: progress, who was left out and why, files, and what can still be done."""
    offset = whole_in_query("from") or 0
    with unit_of_work() as uow:
        job = service.get_job(uow, job_id)
        counted = service.progress(uow, [job])[job.id]
        lines = queries.items_with_reason(uow, job.id, limit=_PAGE + 1, offset=offset)
        grouped = queries.reasons(uow, job.id)
        files = queries.files_of(uow, job.id)
    kind = job_kinds().get(job.kind)
    return render_template(
        "jobs/show.html",
        job=job,
        progress=counted,
        view=progress_view(job, counted),
        lines=lines[:_PAGE],
        next_from=offset + _PAGE if len(lines) > _PAGE else None,
        reasons=grouped,
        files=files,
        can_cancel=job.state in ("queued", "running"),
        can_undo=bool(kind and kind.undo_batch) and job.state in ("done", "failed", "cancelled") and counted.done,
    )


@blueprint.get("/jobs/<uuid:job_id>/progress")
@requires(Permission.READ_JOBS)
def progress(job_id: UUID) -> str:
    """The progress card alone, for the page that polls it."""
    with unit_of_work() as uow:
        job = service.get_job(uow, job_id)
        counted = service.progress(uow, [job])[job.id]
    return render_template("jobs/progress.html", view=progress_view(job, counted))


@blueprint.post("/jobs/<uuid:job_id>/cancel")
@requires(Permission.READ_JOBS)
def cancel(job_id: UUID) -> Response:
    """Stop a job; what is done stays."""
    with unit_of_work() as uow:
        service.cancel_job(uow, job_id)
    flash(gettext("The job was cancelled. What it had already done stays."))
    return redirect(url_for("jobs.show", job_id=job_id))


@blueprint.post("/jobs/<uuid:job_id>/undo")
@requires(Permission.READ_JOBS)
def undo(job_id: UUID) -> Response:
    """Take back what a job did, where nobody has touched it since."""
    undo_job(runtime(), actor(), job_kinds(), job_id)
    flash(gettext("The job is being undone. What was touched since stays and is listed below."))
    return redirect(url_for("jobs.show", job_id=job_id))


@blueprint.get("/files/<uuid:file_id>")
@requires(Permission.READ_JOBS)
def download(file_id: UUID) -> Response:
    """A file a job made; who took it is audited."""
    with unit_of_work() as uow:
        found = queries.get_file(uow, file_id)
        record(uow, "file.downloaded", "file", found.id, kind=found.kind)
    path = runtime().storage.path(found.location)
    return send_file(path, mimetype=found.media_type, as_attachment=True, download_name=found.name)
