"""Step 6: goals at four horizons, nested, with a measure each, five questions and five levels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import fields, validate

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.goals import HORIZONS, SMART, check_smart, check_tree
from app.domain.saying import Say
from app.domain.steps import StepKey
from app.features.plans.rooms import Content, Settling, Surroundings
from app.features.steps.goals.figures import locked_since, node
from app.features.steps.parts import MOST_LINE, Row, StrictSchema, choice, day, line, live_goals, rows, whole, written

LEVELS = ("-2", "-1", "0", "1", "2")
STATUSES = ("open", "reached", "dropped")
# What Octant itself writes into a goal; what is typed there is replaced by what is stored.
_KEPT = ("levels_at", "locked_at", "changes", "ratings")
_MOST_KEPT = 500


class Answer(StrictSchema):
    """One of the five questions: yes or no, and why."""

    yes = fields.Boolean(load_default=None, allow_none=True, truthy={True}, falsy={False})
    why = line()


class Rating(StrictSchema):
    """How far the goal was on a day, and where that was said: in the plan or in a check-in."""

    on = fields.Date(required=True)
    level = fields.Integer(required=True, strict=True, validate=validate.Range(-2, 2))
    source = fields.String(required=True, validate=validate.OneOf(("plan", "check-in")))


class Change(StrictSchema):
    """A change of levels that were locked: when, why, and what they were before."""

    at = fields.String(required=True)
    why = line()
    before = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)


class Goal(Row):
    """One goal; `parent` is the id of the larger goal it serves, `path` that of the way of step 5 it belongs to.

    `levels` says in words what much less than expected (-2) to much more (+2) would look like, `level` where the goal
    is now. Octant keeps when the levels were written (`levels_at`), since when they are locked (`locked_at`), what
    they were before (`changes`) and every level that was said (`ratings`).
    """

    horizon = choice(*HORIZONS)
    text = line()
    measure = line()
    due_on = day()
    parent = fields.String(load_default=None, allow_none=True)
    path = fields.String(load_default=None, allow_none=True)
    weight = whole(1, 5)
    status = choice(*STATUSES)
    dropped_why = line()
    smart = fields.Dict(
        keys=fields.String(validate=validate.OneOf(SMART)), values=fields.Nested(Answer), load_default=dict
    )
    levels = fields.Dict(
        keys=fields.String(validate=validate.OneOf(LEVELS)),
        values=fields.String(validate=validate.Length(max=MOST_LINE)),
        load_default=dict,
    )
    level = whole(-2, 2)
    levels_at = fields.String(load_default=None, allow_none=True)
    locked_at = fields.String(load_default=None, allow_none=True)
    changes = fields.List(fields.Nested(Change), load_default=list, validate=validate.Length(max=_MOST_KEPT))
    ratings = fields.List(fields.Nested(Rating), load_default=list, validate=validate.Length(max=_MOST_KEPT))


class Goals(StrictSchema):
    """The content of the step."""

    goals = rows(Goal)


def missing(content: Content, around: Surroundings, _: Say) -> list[str]:
    """What is not yet there: enough goals and horizons, a measure and a day for each but life goals, whole answers."""
    said = []
    goals = live_goals({**around.contents, StepKey.GOALS: content})
    least = around.parameters.get("least_goals", 2)
    if len(goals) < least:
        said.append(_("Goals so far: %(found)s. Set at least %(least)s.", found=len(goals), least=least))
    horizons = len({row.get("horizon") for row in goals if row.get("horizon")})
    least = around.parameters.get("least_horizons", 2)
    if horizons < least:
        said.append(
            _(
                "Goals at different distances so far: %(found)s. Set some for at least %(least)s of: this year, five "
                "years, ten years, life.",
                found=horizons,
                least=least,
            )
        )
    for row in goals:
        said += _missing_of(row, _)
    names = {row["id"]: row["text"] for row in goals}
    said += [
        _("“%(text)s” lies further ahead than “%(parent)s”, which it serves. Change one of the two.",
          text=names[goal], parent=names[parent])
        for goal, parent in check_tree([node(row, around) for row in goals]).longer
    ]  # fmt: skip
    return said


def _missing_of(row: Mapping[str, Any], _: Say) -> list[str]:
    said, text = [], row["text"]
    if not row.get("horizon"):
        said.append(_("Say of “%(text)s” how far ahead it lies.", text=text))
    if not row.get("measure"):
        said.append(_("Say of “%(text)s” how you will know that you have reached it.", text=text))
    if not row.get("due_on") and row.get("horizon") not in ("life", None):
        said.append(_("Give “%(text)s” a day by which you want to reach it.", text=text))
    smart = row.get("smart") or {}
    begun = {key: answer for key, answer in smart.items() if answer.get("yes") is not None or answer.get("why")}
    unanswered = check_smart(
        {key: (answer.get("yes"), answer.get("why", "")) for key, answer in begun.items()}
    ).unanswered
    if begun and unanswered:
        said.append(_("Answer all five questions about “%(text)s” with yes or no and a reason.", text=text))
    if 0 < len(row.get("levels") or {}) < len(LEVELS):
        said.append(
            _("Describe all five levels of “%(text)s”, from much less to much more than you expect.", text=text)
        )
    return said


def settle(before: Content, after: dict[str, Any], settling: Settling) -> dict[str, Any]:
    """Keep the record of each goal: locks, moments, ratings. Refuses circles and locked levels that were typed over."""
    return settle_with(before, after, settling, {})


def settle_with(
    before: Content, after: dict[str, Any], settling: Settling, reasons: Mapping[str, str]
) -> dict[str, Any]:
    """As `settle`; `reasons` says of goals whose locked levels change (by id) why they do."""
    _refuse_circles(after, settling.say)
    old = {row["id"]: row for row in before.get("goals", ())}
    problems: list[FieldProblem] = []
    goals = []
    for place, row in enumerate(after["goals"]):
        stored = old.get(row["id"], {})
        goal = row | {name: stored.get(name, [] if name in ("changes", "ratings") else None) for name in _KEPT}
        goal["locked_at"] = locked_since(stored, settling.around)
        if goal["levels"] != (stored.get("levels") or {}):
            problems += _take_levels(goal, stored, settling, reasons.get(goal["id"], ""), place)
        if goal["level"] is not None and goal["level"] != stored.get("level"):
            goal["ratings"] = rated(goal["ratings"], settling.now.date().isoformat(), goal["level"], "plan")
        goals.append(goal)
    if problems:
        raise InvalidInput(problems)
    return after | {"goals": goals}


def _take_levels(
    goal: dict[str, Any], stored: Mapping[str, Any], settling: Settling, why: str, place: int
) -> list[FieldProblem]:
    """Note when levels were written, and what locked ones were before; a problem where the reason is missing."""
    moment = settling.now.isoformat(timespec="seconds")
    if goal["locked_at"]:
        if not why.strip():
            sentence = settling.say(
                "The levels of “%(text)s” are locked since %(day)s. Change them with “Change the levels”, and say why.",
                text=goal["text"],
                day=goal["locked_at"][:10],
            )
            return [FieldProblem(f"goals[{place}].levels", sentence)]
        goal["changes"] = [*goal["changes"], {"at": moment, "why": why.strip(), "before": stored.get("levels") or {}}]
    goal["levels_at"] = moment if goal["levels"] else None
    return []


def rated(ratings: list[dict[str, Any]], on: str, level: int, source: str) -> list[dict[str, Any]]:
    """The ratings with one more; a later one of the same day and place takes the earlier one's stead."""
    kept = [rating for rating in ratings if (rating["on"], rating["source"]) != (on, source)]
    return [*kept, {"on": on, "level": level, "source": source}][-_MOST_KEPT:]


def take_levels(content: Content, levels: Mapping[str, int], at: datetime) -> dict[str, Any]:
    """The content with what a check-in said of each goal (by id) as its level now; unknown goals are left out."""
    said = at.date().isoformat()
    goals = []
    for row in content.get("goals", ()):
        if (level := levels.get(row["id"])) is not None:
            goals.append(row | {"level": level, "ratings": rated(row.get("ratings") or [], said, level, "check-in")})
        else:
            goals.append(row)
    return dict(content) | {"goals": goals}


def _refuse_circles(content: Content, say: Say) -> None:
    goals = written(content, "goals", "text")
    names = {row["id"]: row["text"] for row in goals}
    found = check_tree([node(row, Surroundings()) for row in goals]).circles
    if found:
        raise InvalidInput(
            [
                FieldProblem(
                    "goals",
                    say(
                        "These goals serve each other in a circle: %(names)s. Choose another larger goal for one of "
                        "them.",
                        names=" → ".join(f"“{names[name]}”" for name in (*circle, circle[0])),
                    ),
                )
                for circle in found
            ]
        )
