"""Step 3: factors around the client that help or hinder the plan, and the occupations looked up beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import fields, validate

from app.domain.environment import AREAS, CONTROL, KINDS, STATES
from app.domain.saying import Say
from app.features.plans.rooms import Content, Settling, Surroundings
from app.features.steps.parts import (
    Row,
    StrictSchema,
    choice,
    day,
    line,
    occupation_code,
    release_key,
    rows,
    whole,
    written,
)

# What a factor's history keeps of each moment; a check-in may change these and nothing else.
FIGURES = ("likelihood", "impact", "controllable", "state")
MOST_OCCUPATIONS = 8
_MOST_KEPT = 200


class Link(StrictSchema):
    """The occupation a factor concerns: its code and the key of the release it was taken from."""

    code = occupation_code(required=True)
    release = release_key()


class LookedUp(Row):
    """An occupation of the catalogue that the client looked up, with its name as it was then."""

    code = occupation_code(required=True)
    release = release_key()
    name = line()


class Noted(StrictSchema):
    """What was said of a factor on a day, in the plan or in a check-in; a day of None: before days were kept."""

    on = fields.Date(required=True, allow_none=True)
    likelihood = whole(1, 5)
    impact = whole(1, 5)
    controllable = choice(*CONTROL)
    state = choice(*STATES)
    source = fields.String(required=True, validate=validate.OneOf(("plan", "check-in")))


class Factor(Row):
    """One factor: what it is, what it does to the plan, how sure and how large it is (1 to 5 each), what is done.

    `area` is the part of the environment it comes from, `state` whether it still holds (None: it does), `occupation`
    the looked-up occupation it concerns. Octant keeps every change of the figures in `history`.
    """

    text = line()
    kind = choice(*KINDS)
    area = choice(*AREAS)
    controllable = choice(*CONTROL)
    likelihood = whole(1, 5)
    impact = whole(1, 5)
    state = choice(*STATES)
    what_i_do = line()
    occupation = fields.Nested(Link, load_default=None, allow_none=True)
    source = line()
    noted_on = day()
    history = fields.List(fields.Nested(Noted), load_default=list, validate=validate.Length(max=_MOST_KEPT))


class Opportunities(StrictSchema):
    """The content of the step; `education` is the client's highest level, 1 to 12 as the catalogue counts them."""

    factors = rows(Factor)
    occupations = fields.List(
        fields.Nested(LookedUp), load_default=list, validate=validate.Length(max=MOST_OCCUPATIONS)
    )
    education = whole(1, 12)


def factors_of(content: Content) -> list[Mapping[str, Any]]:
    """The factors that still hold, in the client's order: what a check-in asks about, each by its lasting id."""
    return [row for row in written(content, "factors", "text") if row.get("state") != "gone"]


def missing(content: Content, around: Surroundings, _: Say) -> list[str]:
    """What is not yet there: enough factors, a threat, one beyond control, and each described."""
    said = []
    factors = factors_of(content)
    least = around.parameters.get("least_factors", 4)
    if len(factors) < least:
        said.append(_("Factors so far: %(found)s. Name at least %(least)s.", found=len(factors), least=least))
    threats = sum(row.get("kind") == "threat" for row in factors)
    least = around.parameters.get("least_threats", 1)
    if threats < least:
        said.append(_("Name something that could get in the way: a threat (at least %(least)s).", least=least))
    beyond = sum(row.get("controllable") == "no" for row in factors)
    least = around.parameters.get("least_uncontrollable", 1)
    if beyond < least:
        said.append(_("Name something you cannot control (at least %(least)s).", least=least))
    said += [
        _("Say of “%(text)s” what it does to your plan and whether you can control it.", text=row["text"])
        for row in factors
        if not (row.get("kind") and row.get("controllable"))
    ]
    return said


def settle(before: Content, after: dict[str, Any], settling: Settling) -> dict[str, Any]:
    """Keep what was said of each factor over time; a history that was typed is replaced by the stored one."""
    stored = {row["id"]: row for row in before.get("factors", ())}
    today = settling.now.date().isoformat()
    return after | {
        "factors": [
            row | {"history": _history(stored.get(row["id"]), row, today, "plan", asked=False)}
            for row in after["factors"]
        ]
    }


def take_changes(content: Content, changes: Mapping[str, Mapping[str, Any]], at: datetime) -> dict[str, Any]:
    """The content with what a check-in said of factors, by id: any of `FIGURES`; an empty mapping says “the same”.

    Every factor asked about gets a note of the day in its history, also where nothing changed: it was looked at.
    Unknown factors and other fields are left out. Raises nothing: the room's schema refuses figures out of range.
    """
    on = at.date().isoformat()
    factors = []
    for row in content.get("factors", ()):
        said = changes.get(row["id"])
        if said is not None:
            now = row | {name: said[name] for name in FIGURES if name in said}
            row = now | {"history": _history(row, now, on, "check-in", asked=True)}  # noqa: PLW2901 # the row, changed
        factors.append(row)
    return dict(content) | {"factors": factors}


def _history(
    stored: Mapping[str, Any] | None, row: Mapping[str, Any], on: str, source: str, *, asked: bool
) -> list[dict[str, Any]]:
    """The history with today's figures where they changed, or where they were `asked` for.

    A later note of the same day and place takes the earlier one's stead. What was stored before histories were kept
    becomes their first note, on the day the factor was seen.
    """
    kept = list((stored or {}).get("history") or ())
    now, then = _figures(row), _figures(stored or {})
    if not asked and now == then:
        return kept
    if not kept and any(then.values()):
        kept = [{"on": (stored or {}).get("noted_on")} | then | {"source": "plan"}]
    others = [note for note in kept if (note["on"], note["source"]) != (on, source)]
    return [*others, {"on": on} | now | {"source": source}][-_MOST_KEPT:]


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in FIGURES}
