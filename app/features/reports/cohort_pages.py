"""The page of a cohort in figures, and its files."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import get_locale, gettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import later
from app.features.figures.counting import last_term
from app.features.figures.definitions import FIGURES
from app.features.figures.groups import cohorts_told_of
from app.features.figures.layer import withholds
from app.features.figures.words import small_groups_words
from app.features.jobs.file_pages import send_checked
from app.features.organizations.queries import today_here
from app.features.reports import cohort_service as service
from app.features.reports.cohort_picture import ORGANIZATION, TERM, CohortPicture, read_picture
from app.features.reports.cohort_words import Section, Speaker
from app.features.reports.commands import CohortQuestion, ReportFigures
from app.features.reports.keeping import kept_until
from app.infra.drawing.jinja import drawn
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work
from app.infra.web.words import say_here, words_here

blueprint = Blueprint("cohort_figures", __name__)
_PLACE = "figures.aggregates"


@blueprint.get("/cohort-figures")
@requires(Permission.READ_AGGREGATES)
def index() -> str:
    """A cohort in figures, beside what the reader chose; without one, what there is to choose."""
    g.nav_endpoint = _PLACE
    withhold = request.args.get("small") == "withheld"
    with unit_of_work() as uow:
        offered = cohorts_told_of(uow, withhold=withhold)
        picture = read_picture(uow, _question(request.args)) if request.args.get("cohort") else None
        term = last_term(uow, today_here(uow))
        jobs = service.list_reports(uow)
        withheld = withholds(uow, withhold)
    speaker = Speaker(say_here, words_here())
    return render_template(
        "reports/cohort_figures.html",
        picture=picture,
        beside=speaker.beside(picture) if picture else "",
        about=speaker.about(picture, "", "") if picture else (),
        people=speaker.definition_of_people(FIGURES),
        rule=small_groups_words(picture.threshold, say_here) if picture else "",
        charts=[_chart(speaker, picture, one) for one in speaker.sections(picture)] if picture else (),
        cohorts=[(str(cohort_id), name) for cohort_id, name in offered],
        comparisons=_comparisons(offered, term.name if term else None),
        asked={key: request.args[key] for key in ("cohort", "against", "small") if request.args.get(key)},
        jobs=jobs,
        withheld=withheld,
        may_see_all=actor().may(Permission.READ_CLIENTS),
        whole=actor().may(Permission.READ_ALL_AGGREGATES),
        key=uuid4().hex,
    )


@blueprint.post("/cohort-figures/files")
@requires(Permission.READ_AGGREGATES)
def start() -> Response:
    """Have the PDF and the workbook written; sending the form twice starts one job."""
    key = request.form.get("key", "")[:64] or None
    command = ReportFigures(_question(request.form), str(get_locale()), key)
    with unit_of_work() as uow:
        job = service.report_figures(uow, command)
    flash(gettext("The job has started."))
    return redirect(url_for("cohort_figures.show", job_id=job.id))


@blueprint.get("/cohort-figures/files/<uuid:job_id>")
@requires(Permission.READ_AGGREGATES)
def show(job_id: UUID) -> str:
    """A report that was asked for: once it is there its moment, its files and their checksums."""
    g.nav_endpoint = _PLACE
    with unit_of_work() as uow:
        report = service.find_report(uow, job_id)
        until = kept_until(uow, report.job)
    return render_template("reports/cohort_figures_file.html", report=report, job=report.job, until=until)


@blueprint.get("/cohort-figures/files/<uuid:job_id>/<any(pdf,xlsx):form>")
@requires(Permission.READ_AGGREGATES)
def take(job_id: UUID, form: str) -> Response:
    """The file; who took it is audited."""
    return send_figures(job_id, form)


def send_figures(job_id: UUID, form: str) -> Response:
    """A report's file as a download. Raises as `cohort_service.take_figures`."""
    with unit_of_work() as uow:
        file = service.take_figures(uow, job_id, form)
    return send_checked(file)


def _question(given: Any) -> CohortQuestion:
    try:
        cohort = UUID(given.get("cohort", ""))
    except ValueError:
        raise InvalidInput([FieldProblem("cohort", later("Choose a cohort from the list."))]) from None
    return CohortQuestion(cohort, given.get("against", ""), given.get("small") == "withheld")


def _comparisons(offered: list[tuple[UUID, str]], term: str | None) -> list[tuple[str, str]]:
    whole = actor().may(Permission.READ_ALL_AGGREGATES)
    found = [(ORGANIZATION, gettext("the organization") if whole else gettext("your caseload"))]
    if term is not None:
        found.append((TERM, gettext("the same people, %(term)s", term=term)))
    return [*found, *((str(cohort_id), name) for cohort_id, name in offered)]


def _chart(speaker: Speaker, picture: CohortPicture, section: Section) -> dict[str, Any]:
    drawings = [speaker.drawing(picture, section, narrow=narrow)[0] for narrow in (False, True)]
    return {
        "title": section.title,
        "text": section.text,
        "svg": Markup('<div class="chart-both">{}{}</div>').format(*map(drawn, drawings)),
        "columns": speaker.columns(section),
        "rows": [
            [_with_meaning(row[0], section.meanings[n]) if section.meanings else row[0], *row[1:]]
            for n, row in enumerate(speaker.rows(section))
        ],
    }


def _with_meaning(name: str, meaning: str) -> Markup:
    return Markup('{}<br><span class="sub">{}</span>').format(name, meaning)
