"""Pages of reports: one client's file, and the job of many."""

from __future__ import annotations

import io
from uuid import UUID, uuid4

from flask import Blueprint, flash, g, redirect, render_template, request, send_file, url_for
from flask_babel import get_locale, gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.features.jobs.file_pages import send_checked
from app.features.reports import service
from app.features.reports.commands import ReportCohort, ReportSelected
from app.features.reports.parts import WHOLE, Parts, part_words, parts_given
from app.features.selections.forms import target_of
from app.features.selections.service import choose
from app.features.steps.views import own_plan
from app.infra.web.access import requires
from app.infra.web.context import actor, runtime, unit_of_work
from app.infra.web.given import whole_in_query

blueprint = Blueprint("reports", __name__)


@blueprint.get("/clients/<uuid:client_id>/report.pdf")
@requires(Permission.REPORT_CLIENTS)
def client_pdf(client_id: UUID) -> Response:
    """A client's report, written now, with the parts the address names."""
    return send_client_report(client_id, parts_given(request.args))


@blueprint.get("/my-plan/report.pdf")
@requires(Permission.OWN_PLAN)
def my_pdf() -> Response:
    """The client's own report."""
    client_id = actor().client_id
    if client_id is None:
        raise NotFound(gettext("You have no plan here yet."))
    return send_client_report(client_id, parts_given(request.args))


@blueprint.get("/plans/<uuid:plan_id>/compare.pdf")
@requires(Permission.REPORT_CLIENTS)
def comparison_pdf(plan_id: UUID) -> Response:
    """Two revisions field by field, written now."""
    return send_comparison(plan_id, _asked_revisions())


@blueprint.get("/my-plan/compare.pdf")
@requires(Permission.OWN_PLAN)
def my_comparison_pdf() -> Response:
    """The same of the client's own plan."""
    with unit_of_work() as uow:
        plan_id = own_plan(uow).plan.id
    return send_comparison(plan_id, _asked_revisions())


def _asked_revisions() -> tuple[int, int]:
    before, after = whole_in_query("before"), whole_in_query("after")
    if before is None or after is None:
        raise NotFound(gettext("Say which two revisions to compare."))
    return before, after


def send_comparison(plan_id: UUID, revisions: tuple[int, int]) -> Response:
    """Two revisions field by field, written now, as a PDF to keep. Raises as `service.write_comparison`."""
    locale = str(get_locale() or "en")
    report = service.write_comparison(runtime(), actor(), plan_id, revisions, locale, request_id=g.request_id)
    return send_file(io.BytesIO(report.pdf), mimetype="application/pdf", as_attachment=True, download_name=report.name)


def send_client_report(client_id: UUID, parts: Parts = WHOLE) -> Response:
    """A client's report, written now, as a PDF to keep. Raises as `service.write_client_report`."""
    report = service.write_client_report(runtime(), actor(), client_id, parts, request_id=g.request_id)
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
    return send_checked(file)


@blueprint.get("/cohorts/<uuid:cohort_id>/reports")
@requires(Permission.REPORT_CLIENTS)
def cohort(cohort_id: UUID) -> str:
    """What writing the cohort's reports would do, in numbers."""
    with unit_of_work() as uow:
        numbers = service.preview_cohort(uow, cohort_id)
    return render_template("reports/cohort.html", numbers=numbers, parts=part_words(gettext), key=uuid4().hex)


@blueprint.post("/cohorts/<uuid:cohort_id>/reports")
@requires(Permission.REPORT_CLIENTS)
def start_cohort(cohort_id: UUID) -> Response:
    """Start writing; sending the form twice starts one job."""
    key = request.form.get("key", "")[:64] or None
    parts = parts_given(request.form)
    with unit_of_work() as uow:
        job = service.report_cohort(uow, ReportCohort(cohort_id=cohort_id, parts=parts, idempotency_key=key))
    flash(gettext("The job has started."))
    return redirect(url_for("jobs.show", job_id=job.id))


@blueprint.route("/reports/selected", methods=["GET", "POST"])
@requires(Permission.REPORT_CLIENTS)
def selected() -> str:
    """What writing the reports of the chosen people would do, in numbers."""
    with unit_of_work() as uow:
        numbers = service.preview_selected(uow, target_of(request.values))
    return render_template("reports/selected.html", numbers=numbers, parts=part_words(gettext), key=uuid4().hex)


@blueprint.post("/reports/selected/start")
@requires(Permission.REPORT_CLIENTS)
def start_selected() -> Response:
    """Start writing; sending the form twice starts one job."""
    key = request.form.get("key", "")[:64] or None
    parts = parts_given(request.form)
    with unit_of_work() as uow:
        selection = choose(uow, target_of(request.form))
        job = service.report_selected(uow, ReportSelected(selection_id=selection.id, parts=parts, idempotency_key=key))
    flash(gettext("The job has started."))
    return redirect(url_for("jobs.show", job_id=job.id))
