"""JSON of figures: which there are, and one of them by up to two attributes."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext

from app.domain.access import Permission
from app.features.figures.class_schemas import ClassesSchema, ClassQuery
from app.features.figures.classes import tell_classes
from app.features.figures.definitions import FIGURES, WHOLES, whole_of
from app.features.figures.layer import Number, Question, ask, ask_offered, parts_of, question_of
from app.features.figures.schemas import FigureQuery, FigureSchema, FiguresSchema
from app.features.figures.words import attribute_words
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.context import unit_of_work
from app.infra.web.words import said, say_here, words_here

blueprint = ApiBlueprint("Figures", __name__, description="Figures of people by attributes, safe to show.")


@blueprint.get("/figures")
@requires(Permission.READ_AGGREGATES)
@blueprint.response(200, FiguresSchema)
def list_figures() -> dict[str, Any]:
    """Which figures there are, what each means, and by which attributes they can be asked."""
    with unit_of_work() as uow:
        answers = ask_offered(uow, [Question(whole) for whole in WHOLES])
    answer = answers[0]
    return {
        "as_of": answer.moment,
        "threshold": answer.threshold,
        "figures": [
            {
                "key": one.key,
                "name": said(one.name),
                "definition": said(one.definition),
                "whole": whole_of(one),
                "out_of": None if one.key in WHOLES else one.of,
                "mean": one.mean,
                "parts": list(parts_of(one, answer.scales, answer.verdicts)),
            }
            for one in FIGURES
        ],
        "attributes": [
            {
                "whole": whole,
                "key": one.key,
                "name": attribute_words(one, say_here, words_here()["counsellor"]),
                "values": one.values,
            }
            for whole, found in zip(WHOLES, answers, strict=True)
            for one in found.offered
        ],
    }


@blueprint.get("/figures/<string:key>")
@requires(Permission.READ_AGGREGATES)
@blueprint.arguments(FigureQuery, location="query")
@blueprint.response(200, FigureSchema)
def read_figure(query: dict[str, Any], key: str) -> dict[str, Any]:
    """A figure by no, one or two attributes; who may not see the people is not shown small groups."""
    question = question_of({**query, "figure": key})
    with unit_of_work() as uow:
        answer = ask(uow, question)
    return {
        "key": answer.figure.key,
        "name": said(answer.figure.name),
        "definition": said(answer.figure.definition),
        "counted": gettext("people"),
        "as_of": answer.moment,
        "threshold": answer.threshold,
        "withheld": answer.withheld,
        "out_of": None if answer.figure.key in WHOLES else answer.figure.of,
        "by": answer.first.key if answer.first else None,
        "and_by": answer.second.key if answer.second else None,
        "since": answer.since or None,
        "until": answer.until or None,
        "numbers": [
            {"part": one.part, "by": one.first, "and_by": one.second, **number_json(one)} for one in answer.numbers
        ],
    }


def number_json(number: Number) -> dict[str, Any]:
    """A number as JSON, whichever group it is of."""
    kept = ("people", "number", "percent", "mean", "low", "high")
    return {name: getattr(number, name) for name in kept} | {"bound": number.bound or None}


@blueprint.get("/outcomes/classes")
@requires(Permission.READ_AGGREGATES)
@blueprint.arguments(ClassQuery, location="query")
@blueprint.response(200, ClassesSchema)
def read_classes(query: dict[str, Any]) -> dict[str, Any]:
    """Every class with its knowledge rate and career outcomes rate; small groups are withheld as on the page."""
    with unit_of_work() as uow:
        return {"classes": tell_classes(uow, withhold=query["withheld"])}
