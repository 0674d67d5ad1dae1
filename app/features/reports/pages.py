"""Pages of reports: one client's file, a cohort's job, the organization's aggregates."""

from __future__ import annotations

import io
import tempfile
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton
from flask import Blueprint, flash, g, redirect, render_template, request, send_file, url_for
from flask_babel import get_locale, gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.features.audit.service import record
from app.features.reports import service
from app.features.reports.aggregate_files import aggregate_lines, write_aggregates
from app.features.reports.aggregates import count_all
from app.features.reports.commands import ReportCohort
from app.features.reports.shown import Shown, ShownTable, show
from app.infra.db.open import UnitOfWork
from app.infra.drawing.charts import HeatCell
from app.infra.sheets import write_csv
from app.infra.web.access import requires
from app.infra.web.context import actor, place, runtime, unit_of_work
from app.infra.web.words import words_here

blueprint = Blueprint("reports", __name__)


@blueprint.get("/clients/<uuid:client_id>/report.pdf")
@requires(Permission.REPORT_CLIENTS)
def client_pdf(client_id: UUID) -> Response:
    """A client's report, written now."""
    return send_client_report(client_id)


@blueprint.get("/my-plan/report.pdf")
@requires(Permission.OWN_PLAN)
def my_pdf() -> Response:
    """The client's own report."""
    client_id = actor().client_id
    if client_id is None:
        raise NotFound(gettext("You have no plan here yet."))
    return send_client_report(client_id)


def send_client_report(client_id: UUID) -> Response:
    """A client's report, written now, as a PDF to keep. Raises as `service.write_client_report`."""
    report = service.write_client_report(runtime(), actor(), client_id, request_id=g.request_id)
    return send_file(io.BytesIO(report.pdf), mimetype="application/pdf", as_attachment=True, download_name=report.name)


@blueprint.get("/clients/<uuid:client_id>/reports/<uuid:file_id>")
@requires(Permission.REPORT_CLIENTS)
def client_file(client_id: UUID, file_id: UUID) -> Response:
    """A report kept from a cohort's job."""
    return send_kept_report(client_id, file_id)


def send_kept_report(client_id: UUID, file_id: UUID) -> Response:
    """A kept report as a file; who took it is audited. Raises as `service.take_file`."""
    with unit_of_work() as uow:
        file = service.take_file(uow, client_id, file_id)
    path = runtime().storage.path(file.location)
    return send_file(path, mimetype=file.media_type, as_attachment=True, download_name=file.name)


@blueprint.get("/cohorts/<uuid:cohort_id>/reports")
@requires(Permission.REPORT_CLIENTS)
def cohort(cohort_id: UUID) -> str:
    """What writing the cohort's reports would do, in numbers."""
    with unit_of_work() as uow:
        numbers = service.preview_cohort(uow, cohort_id)
    return render_template("reports/cohort.html", numbers=numbers, key=uuid4().hex)


@blueprint.post("/cohorts/<uuid:cohort_id>/reports")
@requires(Permission.REPORT_CLIENTS)
def start_cohort(cohort_id: UUID) -> Response:
    """Start writing; sending the form twice starts one job."""
    key = request.form.get("key", "")[:64] or None
    with unit_of_work() as uow:
        job = service.report_cohort(uow, ReportCohort(cohort_id=cohort_id, idempotency_key=key))
    flash(gettext("The job has started."))
    return redirect(url_for("jobs.show", job_id=job.id))


@blueprint.get("/aggregates")
@requires(Permission.READ_AGGREGATES)
def aggregates() -> str:
    """The organization, or the reader's caseload, in figures."""
    with unit_of_work() as uow:
        shown, today = _shown(uow)
    return render_template(
        "reports/aggregates.html",
        shown=shown,
        charts=[_chart(table) for table in shown.tables],
        as_of=today,
        may_see_all=actor().may(Permission.READ_CLIENTS),
        withhold=_withhold(),
        whole=actor().may(Permission.READ_ALL_AGGREGATES),
        threshold=place().small_cell_threshold,
    )


@blueprint.get("/aggregates.<any(xlsx,csv):form>")
@requires(Permission.READ_AGGREGATES)
def export_aggregates(form: str) -> Response:
    """The same figures, with the same cells withheld, as a workbook or as text."""
    with unit_of_work() as uow:
        shown, today = _shown(uow)
        subject = actor().organization_id
        record(uow, "aggregates.exported", "organization", subject, form=form, withheld=_withhold())
        now = uow.now
    word = gettext("withheld")
    content = io.BytesIO()
    if form == "csv":
        write_csv(content, aggregate_lines(shown, word, gettext("Total")))
        media_type = "text/csv; charset=utf-8"
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "aggregates.xlsx"
            write_aggregates(path, shown, word, moment=now, title=place().name, total=gettext("Total"))
            content.write(path.read_bytes())
        media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    content.seek(0)
    name = f"{service.safe_name(place().name)} {today.isoformat()}.{form}"
    return send_file(content, mimetype=media_type, as_attachment=True, download_name=name)


def _withhold() -> bool:
    """Whether small groups are taken out: always for those who may not see the people, else when asked for."""
    return not actor().may(Permission.READ_CLIENTS) or request.args.get("small") == "withheld"


def _shown(uow: UnitOfWork) -> tuple[Shown, date]:
    today = uow.now.astimezone(ZoneInfo(place().time_zone)).date()
    return show(count_all(uow, today, withhold=_withhold()), gettext, words=words_here(), month=_month), today


def _month(written: str) -> str:
    """A month ("2026-09") as the reader writes it ("Sept 2026")."""
    return str(format_skeleton("yMMM", date.fromisoformat(f"{written}-01"), locale=get_locale()))


def _total_word(table: ShownTable) -> str:
    """What heads the last column: of shares it is the number of plans they are of."""
    return str(gettext("Plans") if table.key == "cohorts" else gettext("Total"))


def _chart(table: ShownTable) -> dict[str, Any]:
    """What the macro `chart` draws of a table: bars of counts where nothing is withheld, else a map of shades."""
    word = gettext("withheld")
    lines = table.plain(word)
    totals = [_total_word(table)] if table.has_total else []
    values: dict[str, Any] = {
        "table": table,
        "columns": [table.title, *table.columns, *totals],
        "rows": [[line[0], *(_figure(value) for value in line[1:])] for line in lines],
    }
    if table.withheld or table.key == "cohorts":  # a bar cannot be crossed out
        # The table below names the steps; in the picture their numbers have to do.
        values["short"] = [str(n + 1) for n in range(8)] if table.key == "cohorts" else table.columns
        values["heat"] = [
            (
                # First, because the end of a long name is cut in the drawing.
                f"{total.text or word} · {name}" if table.key == "cohorts" else name,
                [
                    HeatCell(cell.text or "", cell.share, f"{name}, {column}: {cell.text or word}")
                    for column, cell in zip(table.columns, cells, strict=True)
                ],
            )
            for name, cells, total in table.rows
        ]
    else:
        values["stacked"] = [(name, [int(cell.number or 0) for cell in cells]) for name, cells, _ in table.rows]
    return values


def _figure(value: str | float) -> str:
    return f"{value:,g}" if isinstance(value, float) else value
