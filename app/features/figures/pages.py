"""The pages of aggregates and of figures by attributes, and their files."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, render_template, request, send_file, url_for
from flask_babel import get_locale, gettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.features.audit.service import record
from app.features.figures.aggregates import read_aggregates
from app.features.figures.charts import cell_of, charts_of, shown_of
from app.features.figures.definitions import FIGURES
from app.features.figures.exports import (
    MEDIA_TYPES,
    Reader,
    as_detail,
    exports_of,
    get_export,
    keep_export,
    made_of,
    name_of,
    take_export,
    write_answers,
)
from app.features.figures.kinds import APART, OVERLAPPING
from app.features.figures.layer import FIRST, Answer, Question, ask, question_of
from app.features.figures.paper import Print, print_aggregates, print_figure
from app.features.figures.words import (
    attribute_words,
    headings,
    lines,
    part_words,
    period_words,
    title_words,
    whose_words,
)
from app.features.jobs.file_pages import send_checked
from app.infra.db.open import UnitOfWork
from app.infra.drawing.charts import heat_svg
from app.infra.drawing.jinja import drawn
from app.infra.drawing.paired_bars import ShareBar, paired_bars_svg
from app.infra.locales import regional
from app.infra.web.access import requires
from app.infra.web.context import actor, place, unit_of_work
from app.infra.web.words import said, say_here, words_here

blueprint = Blueprint("figures", __name__)
_PLACE = "figures.aggregates"


@blueprint.get("/aggregates")
@requires(Permission.READ_AGGREGATES)
def aggregates() -> str:
    """The organization, or the reader's caseload, on one screen."""
    with unit_of_work() as uow:
        found = read_aggregates(uow, withhold=_withholds())
    people = found.numbers[0]
    kept = {"small": "withheld"} if _withholds() else {}
    return render_template(
        "figures/aggregates.html",
        people=people,
        name=_whose(),
        tiles_of=[_tile(answer, kept) for answer in found.numbers],
        charts=[_chart(answer, kept) for answer in found.groups],
        withheld=any(answer.withheld for answer in (*found.numbers, *found.groups)),
        kept=kept,
        may_see_all=actor().may(Permission.READ_CLIENTS),
    )


@blueprint.get("/aggregates.<any(xlsx,csv,pdf):form>")
@requires(Permission.READ_AGGREGATES)
def export_aggregates(form: str) -> Response:
    """The same figures, with the same numbers withheld, as a workbook, as text or to print."""
    with unit_of_work() as uow:
        found = read_aggregates(uow, withhold=_withholds())
        answers, reader = [*found.numbers, *found.groups], _reader()
        if form == "pdf":
            content = print_aggregates(found, reader, _print(), name=_whose())
        else:
            content = _content(form, answers, reader, title=place().name)
        _keep(uow, None, answers, form, content)
        record(
            uow, "aggregates.exported", "organization", actor().organization_id,
            form=form, withheld=answers[0].threshold is not None,
        )  # fmt: skip
    return _download(content, form, name_of(answers, form))


@blueprint.get("/figures")
@requires(Permission.READ_AGGREGATES)
def index() -> str:
    """One figure, by up to two attributes."""
    g.nav_endpoint = _PLACE
    question = question_of(request.args, by=FIRST)
    with unit_of_work() as uow:
        try:
            answer = ask(uow, question)
        except NotFound as error:
            # Another figure may have been chosen, of people who cannot be asked by the same. None stays none.
            answer = ask(uow, replace(question, first=FIRST, second="", since="", until=""))
            flash(said(error.sentence), "warning")
    return render_template(
        "figures/index.html",
        answer=answer,
        name=said(answer.figure.name),
        definition=said(answer.figure.definition),
        figures=[(one.key, said(one.name)) for one in FIGURES],
        attributes=[(one.key, attribute_words(one, say_here, words_here()["counsellor"])) for one in answer.offered],
        asked=_asked(answer, withhold=question.withhold),
        periods=[
            (f"{one.key}:{value}", f"{attribute_words(one, say_here, '')}: {value}")
            for one in answer.offered
            if one.kind in {APART, OVERLAPPING}
            for value in one.values
            if value is not None
        ],
        period=period_words(answer, gettext),
        charts=charts_of(answer, gettext),
        steps=list(part_words(answer, gettext).values()),
        empty=answer.people == 0,
        columns=headings(answer, say_here, words_here()["counsellor"]),
        rows=_rows(answer),
        may_see_all=actor().may(Permission.READ_CLIENTS),
        whole=actor().may(Permission.READ_ALL_AGGREGATES),
    )


@blueprint.get("/figures.<any(xlsx,csv,pdf):form>")
@requires(Permission.READ_AGGREGATES)
def export(form: str) -> Response:
    """The same figure, with the same numbers withheld, as a workbook, as text or to print."""
    question = question_of(request.args)
    with unit_of_work() as uow:
        answer = ask(uow, question)
        reader = _reader()
        content = print_figure(answer, reader, _print()) if form == "pdf" else _content(form, [answer], reader)
        _keep(uow, question, [answer], form, content)
        record(
            uow, "figures.exported", "organization", actor().organization_id,
            form=form, withheld=answer.threshold is not None, **as_detail(question),
        )  # fmt: skip
    return _download(content, form, name_of([answer], form))


def _whose() -> str:
    return whose_words(gettext, whole=actor().may(Permission.READ_ALL_AGGREGATES))


def _reader() -> Reader:
    locale, zone = str(get_locale()), place().time_zone
    return Reader(say_here, locale, regional(locale, zone), zone, words_here()["counsellor"])


def _print() -> Print:
    return Print(place().name, place().accent)


def _content(form: str, answers: Sequence[Answer], reader: Reader, title: str = "") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"figures.{form}"
        write_answers(path, form, answers, reader, title)
        return path.read_bytes()


def _keep(uow: UnitOfWork, question: Question | None, answers: Sequence[Answer], form: str, content: bytes) -> None:
    """Keep what is known of the file for the reader, if that is a member."""
    owner = actor().membership_id
    if owner is not None:
        keep_export(uow, owner, question, made_of(answers, form, str(get_locale()), content))


def _download(content: bytes, form: str, name: str) -> Response:
    return send_file(io.BytesIO(content), mimetype=MEDIA_TYPES[form], as_attachment=True, download_name=name)


@blueprint.get("/figures/files")
@requires(Permission.READ_AGGREGATES)
def exports() -> str:
    """The files of figures that were made for the reader."""
    g.nav_endpoint = _PLACE
    with unit_of_work() as uow:
        found = exports_of(uow)
    return render_template("figures/exports.html", exports=found, names=_names())


@blueprint.get("/figures/files/<uuid:export_id>")
@requires(Permission.READ_AGGREGATES)
def show_export(export_id: UUID) -> str:
    """One file of figures: what was asked, of which moment it is, and its checksum."""
    g.nav_endpoint = _PLACE
    with unit_of_work() as uow:
        export, file = get_export(uow, export_id)
    return render_template("figures/export.html", export=export, file=file, names=_names())


@blueprint.get("/figures/files/<uuid:export_id>/file")
@requires(Permission.READ_AGGREGATES)
def take_kept(export_id: UUID) -> Response:
    """The file itself, where it is kept; who took it is audited."""
    return send_export(export_id)


def send_export(export_id: UUID) -> Response:
    """A kept file of figures as a download. Raises as `take_export`."""
    with unit_of_work() as uow:
        file = take_export(uow, export_id)
    return send_checked(file)


def _names() -> dict[str, str]:
    """What files are of, by the figure that was asked for; none of them is all of the aggregates."""
    return {one.key: said(one.name) for one in FIGURES} | {"": gettext("Aggregates")}


def _withholds() -> bool:
    """Whether the reader asks for small groups to be withheld."""
    return request.args.get("small") == "withheld"


def _asked(answer: Answer, *, withhold: bool) -> dict[str, str]:
    """What was answered as the address carries it; an empty `by` asks for none."""
    first, second = (one.key if one else "" for one in (answer.first, answer.second))
    question = Question(answer.figure.key, first, second, withhold, answer.since, answer.until)
    return {"figure": answer.figure.key, "by": ""} | question.as_asked()


def _rows(answer: Answer) -> list[list[str | float]]:
    """The lines of an answer as the table below its drawing has them."""
    return [[f"{cell:,}" if isinstance(cell, int) else cell for cell in line] for line in lines(answer, gettext)]


def _tile(answer: Answer, kept: dict[str, Any]) -> dict[str, str]:
    """The one number of an answer, which opens its figure."""
    href = url_for("figures.index", figure=answer.figure.key, **kept)
    return {"figure": shown_of(answer, gettext), "label": said(answer.figure.name), "href": href}


def _chart(answer: Answer, kept: dict[str, Any]) -> dict[str, Any]:
    """What the macro `chart` shows of an answer by at most one attribute: bars of its parts, or a map of groups."""
    counsellor = words_here()["counsellor"]
    title, definition = title_words(answer, say_here, counsellor), said(answer.figure.definition)
    if answer.first is None:
        parts, word = part_words(answer, gettext), gettext("withheld")
        cells = [(parts[one.part], cell_of(answer, one, gettext)) for one in answer.numbers]
        bars = [(name, [ShareBar(cell.share, cell.shown or word)]) for name, cell in cells]
        drawings = [
            paired_bars_svg(bars, [gettext("All")], title=title, description=definition, narrow=narrow)
            for narrow in (False, True)
        ]
    else:
        found = charts_of(answer, gettext)[0]
        drawings = [
            heat_svg(found["columns"], found["rows"], title=title, description=definition, narrow=narrow)
            for narrow in (False, True)
        ]
    key, by = answer.figure.key, answer.first.key if answer.first else ""
    link = url_for("figures.index", figure=key, by=by, **kept)
    return {
        "title": title,
        "svg": Markup('<div class="chart-both">{}{}</div>').format(*map(drawn, drawings)),
        "columns": headings(answer, say_here, counsellor),
        "rows": _rows(answer),
        "texts": 1 if answer.first is None else 2,
        "text": Markup('{} <a href="{}">{}</a>').format(definition, link, gettext("By other attributes")),
    }
