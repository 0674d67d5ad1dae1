"""Pages of bulk work: what runs, how far it is, what was left out and why, and the files it made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.csv_text import BYTE_ORDER_MARK, csv_line
from app.domain.saying import Told, recalled
from app.features.audit.service import record
from app.features.jobs import queries, service
from app.features.jobs.file_pages import pass_for, take, take_by_pass
from app.features.jobs.kinds import JobKind, kind_to_act_on
from app.features.jobs.models import Job
from app.features.jobs.runner import retry_job, undo_job
from app.features.jobs.service import Progress
from app.features.jobs.words import item_words
from app.infra.web.access import requires
from app.infra.web.context import actor, runtime, unit_of_work
from app.infra.web.given import whole_in_query
from app.infra.web.words import said

blueprint = Blueprint("jobs", __name__)
_ENDED = ("done", "failed", "cancelled", "undone")
_PAGE = 50
# Of a table of results, as many are read at a time.
_LINES = 5000
_ITEM_STATES = ("done", "skipped", "kept", "failed", "cancelled", "undone", "pending")


def job_kinds() -> dict[str, JobKind]:
    """Every kind of job this installation knows, by name; put there by the factory."""
    return current_app.extensions["octant.job_kinds"]  # type: ignore[no-any-return] # extensions are untyped


def progress_view(job: Job, progress: Progress) -> dict[str, Any]:
    """What the macro `progress` of macros/parts.html draws of a job."""
    kind = job_kinds().get(job.kind)
    title = recalled(job.params.get("title"))
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
        "title": said(title) if isinstance(title, Told) else title or "",
        "done": done,
        "failed": failed,
        "skipped": 0 if progress.people else progress.skipped,
        "untouched": 0 if progress.people else progress.cancelled,
        "remaining_text": remaining,
        "finished": job.state in _ENDED,
        "word": {"undone": gettext("undone"), "cancelled": gettext("cancelled")}.get(job.state),
        "rests": job.state == "paused",
        "href": href,
        "poll_href": url_for("jobs.progress", job_id=job.id),
    }


@blueprint.get("/jobs")
@requires(Permission.READ_JOBS)
def index() -> str:
    """The actor's jobs, newest first: those that people asked for, or those of schedules."""
    before = _before(request.args.get("before", ""))
    asked_by = "schedules" if request.args.get("by") == "schedules" else None
    with unit_of_work() as uow:
        jobs = queries.list_jobs(uow, scheduled=asked_by is not None, limit=_PAGE + 1, before=before)
        has_scheduled = asked_by is not None or queries.has_scheduled(uow)
        shown, more = jobs[:_PAGE], jobs[_PAGE:]
        progress = service.progress(uow, shown)
    older = None
    if more:
        older = url_for("jobs.index", by=asked_by, before=f"{shown[-1].created_at.isoformat()}_{shown[-1].id}")
    views = [(job, progress[job.id], progress_view(job, progress[job.id])) for job in shown]
    return render_template("jobs/index.html", jobs=views, older=older, by=asked_by, has_scheduled=has_scheduled)


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
        state = request.args.get("state") if request.args.get("state") in _ITEM_STATES else None
        lines = queries.items_of(uow, job.id, state=state, limit=_PAGE + 1, offset=offset)
        counts = queries.item_counts(uow, job.id)
        grouped = queries.reasons(uow, job.id)
        files = queries.files_of(uow, job.id)
        kind = job_kinds().get(job.kind)
        kept_until = kind.kept_until(uow, job) if kind is not None and kind.kept_until is not None and files else None
    may_act = kind is not None and actor().may(kind.permission)
    waits = job.state == "queued" and job.not_before > job.created_at and job.started_at is None and not job.attempts
    return render_template(
        "jobs/show.html",
        job=job,
        progress=counted,
        view=progress_view(job, counted),
        lines=lines[:_PAGE],
        next_from=offset + _PAGE if len(lines) > _PAGE else None,
        reasons=grouped,
        files=files,
        item_words=item_words(gettext),
        states=[(name, counts[name]) for name in _ITEM_STATES if counts.get(name)],
        state=state,
        waits=waits,
        can_resume=may_act and (job.state == "paused" or waits),
        can_cancel=may_act and job.state in ("queued", "running", "paused"),
        can_pause=may_act and job.state in ("queued", "running"),
        can_retry=may_act
        and kind
        and kind.retry
        and (job.state == "failed" or (job.state in ("done", "cancelled") and counted.failed > 0)),
        kept_until=kept_until,
        origin=_origin(job),
        can_undo=may_act and kind and kind.undo_batch and job.state in ("done", "failed", "cancelled") and counted.done,
    )


def _origin(job: Job) -> dict[str, Any] | None:
    """What the files of a job were made of, where its kind keeps that; moments as such."""
    kept: dict[str, Any] | None = job.result.get("origin")
    if not kept:
        return None
    return kept | {name: datetime.fromisoformat(kept[name]) for name in ("data_from", "data_until") if kept.get(name)}


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
        kind_to_act_on(uow, job_kinds(), job_id)
        service.cancel_job(uow, job_id)
    flash(gettext("The job was cancelled. What it had already done stays."))
    return redirect(url_for("jobs.show", job_id=job_id))


@blueprint.post("/jobs/<uuid:job_id>/<any(pause, resume):act>")
@requires(Permission.READ_JOBS)
def rest(job_id: UUID, act: str) -> Response:
    """Let a job rest, or go on; resuming starts one now that was put off."""
    with unit_of_work() as uow:
        kind_to_act_on(uow, job_kinds(), job_id)
        if act == "pause":
            service.pause_job(uow, job_id)
            flash(gettext("The job rests. What it has already done stays."))
        else:
            service.resume_job(uow, job_id)
            flash(gettext("The job goes on."))
    return redirect(url_for("jobs.show", job_id=job_id))


@blueprint.get("/jobs/<uuid:job_id>/results.csv")
@requires(Permission.READ_JOBS)
def results(job_id: UUID) -> Response:
    """What became of everybody, as a table to take along; rows are read as they are sent."""
    with unit_of_work() as uow:
        service.get_job(uow, job_id)
        record(uow, "job.results_downloaded", "job", job_id)
    words = [gettext("Name"), gettext("Id"), gettext("What happened"), gettext("Why")]
    return Response(
        stream_with_context(_lines(job_id, words)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="job-{job_id}.csv"'},
    )


def _lines(job_id: UUID, words: list[str]) -> Iterator[str]:
    yield BYTE_ORDER_MARK + csv_line(words)
    states = item_words(gettext)
    offset = 0
    while True:
        with unit_of_work() as uow:
            found = queries.items_of(uow, job_id, limit=_LINES, offset=offset)
        for line in found:
            yield csv_line([line.name, line.external_id, states[line.state], said(line.reason)])
        if len(found) < _LINES:
            return
        offset += _LINES


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
    """The way to a file a job made: a link that is signed for the reader and ends in an hour."""
    with unit_of_work() as uow:
        queries.get_file(uow, file_id)
    given = pass_for(file_id)
    return redirect(url_for("jobs.take_file", token=given[0])) if given else take(file_id)


@blueprint.get("/files/link/<token>")
@requires(Permission.READ_JOBS)
def take_file(token: str) -> Response:
    """A file by a link given to the reader; who took it is audited."""
    return take_by_pass(token)


@blueprint.post("/jobs/<uuid:job_id>/retry")
@requires(Permission.READ_JOBS)
def retry(job_id: UUID) -> Response:
    """Try again what failed, and nothing else."""
    again = retry_job(runtime(), actor(), job_kinds(), job_id)
    flash(gettext("What failed is being tried again."))
    return redirect(url_for("jobs.show", job_id=again))
