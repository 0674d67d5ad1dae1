"""JSON of schedules: keep, change, pause, run, and what was sent to you."""

from __future__ import annotations

from datetime import time
from typing import Any
from uuid import UUID, uuid4

from flask import Response, url_for
from sqlalchemy import select

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.recurrence import Recurrence
from app.domain.saying import recalled
from app.features.figures.layer import question_of
from app.features.organizations.queries import today_here
from app.features.reports.commands import CohortQuestion
from app.features.reports.parts import choose_parts
from app.features.schedules import contents, queries, service
from app.features.schedules.commands import RunNow, SaveSchedule
from app.features.schedules.contents import Content, content_of
from app.features.schedules.models import Schedule, ScheduleRun
from app.features.schedules.pages import send_received
from app.features.schedules.received import Kept, KeptFile, kept_of
from app.features.schedules.schemas import (
    NewReportScheduleSchema,
    ReceivedReportFilesSchema,
    ReceivedReportSchema,
    ReportReadersSchema,
    ReportScheduleChangeSchema,
    ReportScheduleRunSchema,
    ReportScheduleSchema,
)
from app.features.schedules.words import clock
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import page, whole
from app.infra.web.api.schemas import PageQuery, page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Schedules", __name__, description="Reports by the calendar, each reader's own.")
_WHEN = ("cadence", "at", "starts_on", "ends_on", "weekday", "month_day", "edge")


@blueprint.get("/schedules")
@requires(Permission.OWN_REPORTS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(ReportScheduleSchema))
def list_schedules(query: dict[str, Any]) -> dict[str, Any]:
    """Your schedules, all of them for administrators, by name."""
    with unit_of_work() as uow:
        found = select(Schedule).where(queries.visible_schedules(uow.actor))
        answer = page(uow, found, (Schedule.name, Schedule.id), query)
        return answer | {"items": [_json(uow, one) for one in answer["items"]]}


@blueprint.post("/schedules")
@requires(Permission.OWN_REPORTS)
@once
@blueprint.arguments(NewReportScheduleSchema)
@blueprint.response(201, ReportScheduleSchema)
def create_schedule(uow: UnitOfWork, body: dict[str, Any]) -> dict[str, Any]:
    """Keep a schedule."""
    when = {name: body.pop(name) for name in _WHEN if name in body}
    content = _content(body)
    command = SaveSchedule(
        recurrence=_recurrence({"starts_on": today_here(uow), **when}),
        content=content,
        recipients=tuple(body["recipients"]),
        **{name: body[name] for name in ("name", "form", "when_empty")},
    )
    return _json(uow, service.create_schedule(uow, command))


@blueprint.get("/schedules/<uuid:schedule_id>")
@requires(Permission.OWN_REPORTS)
@blueprint.response(200, ReportScheduleSchema)
def read_report_schedule(schedule_id: UUID) -> dict[str, Any]:
    """One schedule."""
    with unit_of_work() as uow:
        return _json(uow, queries.get_schedule(uow, schedule_id))


@blueprint.patch("/schedules/<uuid:schedule_id>")
@requires(Permission.OWN_REPORTS)
@blueprint.arguments(ReportScheduleChangeSchema)
@blueprint.response(200, ReportScheduleSchema)
def change_schedule(body: dict[str, Any], schedule_id: UUID) -> dict[str, Any]:
    """Change a schedule; fields left out stay."""
    with unit_of_work() as uow:
        schedule = queries.get_schedule(uow, schedule_id)
        kept, content = _json(uow, schedule), content_of(schedule)
        # Who works here no more, or may not have it any more, is no reader to be chosen again.
        working = queries.members(uow, content.sort.needs)
        kept = kept | {"recipients": [one for one in kept["recipients"] if one in working]} | body
        command = SaveSchedule(
            recurrence=_recurrence({name: kept[name] for name in _WHEN}),
            content=content,
            recipients=tuple(kept["recipients"]),
            **{name: kept[name] for name in ("name", "form", "when_empty")},
        )
        return _json(uow, service.change_schedule(uow, schedule_id, command))


@blueprint.post("/schedules/<uuid:schedule_id>/pause")
@requires(Permission.OWN_REPORTS)
@blueprint.response(200, ReportScheduleSchema)
def pause_schedule(schedule_id: UUID) -> dict[str, Any]:
    """Let nothing come of it until it goes on."""
    with unit_of_work() as uow:
        return _json(uow, service.pause_schedule(uow, schedule_id))


@blueprint.post("/schedules/<uuid:schedule_id>/resume")
@requires(Permission.OWN_REPORTS)
@blueprint.response(200, ReportScheduleSchema)
def resume_schedule(schedule_id: UUID) -> dict[str, Any]:
    """Go on from now."""
    with unit_of_work() as uow:
        return _json(uow, service.resume_schedule(uow, schedule_id))


@blueprint.delete("/schedules/<uuid:schedule_id>")
@requires(Permission.OWN_REPORTS)
@blueprint.response(204)
def end_schedule(schedule_id: UUID) -> None:
    """End it for good; what it made stays."""
    with unit_of_work() as uow:
        service.end_schedule(uow, schedule_id)


@blueprint.post("/schedules/<uuid:schedule_id>/runs")
@requires(Permission.OWN_REPORTS)
@once
@blueprint.response(202, ReportReadersSchema)
def run_schedule(uow: UnitOfWork, schedule_id: UUID) -> dict[str, Any]:
    """Have it written now for each of its readers."""
    return {"readers": service.run_now(uow, RunNow(schedule_id=schedule_id, key=uuid4().hex))}


@blueprint.get("/schedules/<uuid:schedule_id>/runs")
@requires(Permission.OWN_REPORTS)
@blueprint.response(200, page_of(ReportScheduleRunSchema))
def list_schedule_runs(schedule_id: UUID) -> dict[str, Any]:
    """What became of it for each reader, newest first, a thousand at most."""
    with unit_of_work() as uow:
        queries.get_schedule(uow, schedule_id)
        return whole([_run_json(line) for line in queries.runs_of(uow, schedule_id, limit=1000)])


@blueprint.get("/received-reports")
@requires(Permission.READ_AGGREGATES)
@blueprint.response(200, page_of(ReceivedReportSchema))
def list_received() -> dict[str, Any]:
    """What schedules sent to you, newest first, a hundred at most."""
    with unit_of_work() as uow:
        found = queries.received(uow, limit=100)
    return whole([_received_json(run, name) for run, name in found])


@blueprint.get("/received-reports/<uuid:received_id>")
@requires(Permission.READ_AGGREGATES)
@blueprint.response(200, ReceivedReportFilesSchema)
def read_received(received_id: UUID) -> dict[str, Any]:
    """One report that was sent to you, with its files while you may take them."""
    with unit_of_work() as uow:
        run, schedule, _ = queries.get_received(uow, received_id)
        kept = kept_of(uow, run, schedule)
    return _received_json(run, schedule.name) | {
        "as_of": kept.data_at,
        "withheld": kept.withheld,
        "files": _files_json(run, schedule, kept),
    }


@blueprint.get("/received-reports/<uuid:received_id>/content")
@requires(Permission.READ_AGGREGATES)
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
def download_received(received_id: UUID) -> Response:
    """The file of a report that has one; who took it is audited."""
    return send_received(received_id)  # type: ignore[return-value] # Werkzeug's response is what Flask sends


def _recurrence(when: dict[str, Any]) -> Recurrence:
    try:
        at = time.fromisoformat(when["at"])
    except ValueError:
        raise InvalidInput([FieldProblem("at", "Give a whole minute without a zone, as HH:MM.")]) from None
    return Recurrence(**when | {"at": at})


def _content(body: dict[str, Any]) -> Content:
    """What is to be written. Raises InvalidInput unless exactly one kind is named."""
    found: list[Content] = []
    if "extract_id" in body:
        found.append(contents.extract(body["extract_id"]))
    if (asked := body.get("question")) is not None:
        found.append(contents.figures(question_of(asked)))
    if (asked := body.get("aggregates")) is not None:
        found.append(contents.aggregates(withhold="small" in asked))
    if (asked := body.get("cohort_figures")) is not None:
        question = CohortQuestion(asked["cohort_id"], asked.get("against", ""), "small" in asked)
        found.append(contents.cohort(question))
    if (asked := body.get("client_reports")) is not None:
        parts, ids = choose_parts(asked["parts"], asked["form"]), [asked.get("cohort_id"), asked.get("filter_id")]
        if len([one for one in ids if one]) != 1:
            raise InvalidInput([FieldProblem("client_reports", "Choose a cohort or a saved filter.")])
        found.append(contents.clients_of_cohort(ids[0], parts) if ids[0] else contents.clients_of_filter(ids[1], parts))
    if len(found) != 1:
        raise InvalidInput(
            [FieldProblem("extract_id", "Choose one report: an own one, figures, or reports of people.")]
        )
    return found[0]


def _received_json(run: ScheduleRun, name: str) -> dict[str, Any]:
    return {
        "id": run.id,
        "schedule_id": run.schedule_id,
        "name": name,
        "occurrence_on": run.occurrence_on,
        "rows": run.row_count,
        "created_at": run.created_at,
    }


def _files_json(run: ScheduleRun, schedule: Schedule, kept: Kept) -> list[dict[str, Any]]:
    def where(one: KeptFile) -> str | None:
        if one.file is None:
            return None
        if run.report_job_id is None:
            return url_for("api_schedules.download_received", received_id=run.id, _external=True)
        if schedule.what == contents.CLIENTS:
            return url_for("api_jobs.download_file", file_id=one.file.id, _external=True)
        form = "pdf" if one.name == "PDF" else "workbook"
        return url_for(f"api_cohort_reports.download_cohort_{form}", job_id=run.report_job_id, _external=True)

    return [
        {"name": one.name, "sha256": one.sha256, "size": one.file.size if one.file else None, "href": where(one)}
        for one in kept.files
    ]


def _json(uow: UnitOfWork, schedule: Schedule) -> dict[str, Any]:
    kept = (
        *("id", "owner_id", "name", "what", "extract_id", "cohort_id", "filter_id", "question", "form"),
        *("cadence", "weekday", "month_day", "edge", "starts_on", "ends_on"),
        *("when_empty", "state", "next_at", "created_at", "changed_at"),
    )
    return {name: getattr(schedule, name) for name in kept} | {
        "at": clock(schedule.at_time),
        "why": recalled(schedule.why),
        "recipients": list(queries.recipients_of(uow, schedule.id)),
    }


def _run_json(line: queries.RunLine) -> dict[str, Any]:
    kept = ("id", "schedule_id", "membership_id", "occurrence", "occurrence_on", "missed", "job_id")
    return {name: getattr(line.run, name) for name in (*kept, "created_at", "settled_at")} | {
        "state": line.state,
        "reason": recalled(line.reason),
        "rows": line.rows,
    }
