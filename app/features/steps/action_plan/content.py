"""Step 7: what the client will do for each goal: dated, in an order, with where it stands and what shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, post_load, pre_load, validate

from app.domain.circles import circles
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import Say, later
from app.domain.schedule import plan_schedule
from app.domain.steps import StepKey
from app.features.plans.rooms import Content, Settling, Surroundings
from app.features.steps.action_plan.figures import node
from app.features.steps.parts import (
    MOST_ROWS,
    Row,
    StrictSchema,
    action_status,
    choice,
    line,
    live_actions,
    rows,
    whole,
    written,
)

KINDS = ("work", "training", "education", "job_rotation")
STATUSES = ("planned", "begun", "done", "dropped")
# Days beyond these are typing errors, and no plan of a person reaches them.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)
MOST_LINK = 2000
# Whoever mends these meets the next; all that a hundred actions can have would be thousands.
_MOST_CIRCLES = 5


def _day() -> fields.Date:
    between = validate.Range(
        min=FIRST_DAY,
        max=LAST_DAY,
        error=later(
            "Give a day between %(first)s and %(last)s.", first=FIRST_DAY.isoformat(), last=LAST_DAY.isoformat()
        ),
    )
    return fields.Date(load_default=None, allow_none=True, validate=between)


class Action(Row):
    """One action; `goal` is the id of a goal of step 6, `path` that of the way of step 5 it belongs to.

    `after` are the ids of the actions it waits for. `hours` is its whole effort, `hours_week` the effort in each week
    from start to due day. Octant keeps since when it is begun (`begun_at`, a moment) and on which day it was done
    (`done_on`); both are unknown for what was done before Octant kept them.
    """

    kind = choice(*KINDS)
    text = line()
    goal = fields.String(load_default=None, allow_none=True)
    path = fields.String(load_default=None, allow_none=True)
    start_on = _day()
    due_on = _day()
    after = fields.List(fields.String(), load_default=list, validate=validate.Length(max=MOST_ROWS))
    status = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(STATUSES))
    dropped_why = line()
    hours = whole(1, 10_000)
    hours_week = whole(1, 100)
    evidence = line()
    evidence_link = fields.String(load_default="", validate=validate.Length(max=MOST_LINK))
    begun_at = fields.String(load_default=None, allow_none=True)
    done_on = fields.Date(load_default=None, allow_none=True)

    @pre_load
    def _take_over(self, data: Any, **_: Any) -> Any:
        """Older content has a tick, `done`, in place of `status`; what is ticked counts as done on an unknown day."""
        if not isinstance(data, Mapping) or "done" not in data:
            return data
        kept = {name: value for name, value in data.items() if name != "done"}
        if not isinstance(data["done"], bool):
            raise ValidationError({"done": ["Not a valid boolean."]})
        return {"status": "done" if data["done"] else "planned"} | kept

    @post_load
    def _planned(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data | {"status": data["status"] or "planned"}


class ActionPlan(StrictSchema):
    """The content of the step; `hours_a_week` is how many hours the client has for all of it."""

    hours_a_week = whole(1, 100)
    actions = rows(Action)


def missing(content: Content, around: Surroundings, _: Say) -> list[str]:
    """What is not yet there: enough actions, each with a kind and days in order, and why one is given up."""
    said = []
    actions = live_actions({**around.contents, StepKey.ACTION_PLAN: content})
    least = around.parameters.get("least_actions", 2)
    if len(actions) < least:
        said.append(_("Actions so far: %(found)s. Plan at least %(least)s.", found=len(actions), least=least))
    for row in actions:
        if not row.get("kind"):
            said.append(_("Say of “%(text)s” what kind of action it is.", text=row["text"]))
        if not row.get("due_on"):
            said.append(_("Give “%(text)s” a day by which it is done.", text=row["text"]))
        elif row.get("start_on") and row["start_on"] > row["due_on"]:
            said.append(_("“%(text)s” is due before it starts. Change one of the two days.", text=row["text"]))
    said += [
        _("Say why you gave up “%(text)s”.", text=row["text"])
        for row in written(content, "actions", "text")
        if action_status(row) == "dropped" and not row.get("dropped_why")
    ]
    return said


def settle(before: Content, after: dict[str, Any], settling: Settling) -> dict[str, Any]:
    """Keep since when each action is begun and when it was done; refuse circles, wrong links and endless chains.

    What an action waits for is kept while it is there: an action that was removed is waited for no more.
    """
    _refuse_doubles(after, settling.say)
    known = {row["id"] for row in after["actions"] if row["text"]}
    actions = [
        row | {"after": [name for name in dict.fromkeys(row["after"]) if name in known]} for row in after["actions"]
    ]
    settled = after | {"actions": actions}
    _refuse_circles(settled, settling.say)
    _refuse_endless(settled, settling)
    old = {row["id"]: row for row in before.get("actions", ())}
    problems: list[FieldProblem] = []
    for place, row in enumerate(actions):
        if row["evidence_link"] and not is_link(row["evidence_link"]):
            sentence = settling.say(
                "Write the whole address of what shows “%(text)s”, beginning with https:// or http://.",
                text=row["text"],
            )
            problems.append(FieldProblem(f"actions[{place}].evidence_link", sentence))
    if problems:
        raise InvalidInput(problems)
    return settled | {"actions": [_with_moments(row, old.get(row["id"], {}), settling) for row in actions]}


def is_link(address: str) -> bool:
    """Whether an address is a whole web address that a browser may open: http or https, with a host, on one line."""
    if any(sign.isspace() or not sign.isprintable() for sign in address):
        return False
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def _with_moments(row: dict[str, Any], stored: Mapping[str, Any], settling: Settling) -> dict[str, Any]:
    """The action with its moments: kept while its status is, written when it changes, taken back with it."""
    status = row["status"]
    same = bool(stored) and action_status(stored) == status
    moment = settling.now.isoformat(timespec="seconds")
    begun_at, done_on = stored.get("begun_at"), stored.get("done_on")
    if status == "planned":
        begun_at = None
    elif status in ("begun", "done") and not same:
        begun_at = begun_at or moment
    if status != "done":
        done_on = None
    elif not same:
        done_on = (settling.around.today or settling.now.date()).isoformat()
    return row | {"begun_at": begun_at, "done_on": done_on}


def _refuse_doubles(content: Content, say: Say) -> None:
    ids = [row["id"] for row in content["actions"]]
    if len(set(ids)) < len(ids):
        raise InvalidInput([FieldProblem("actions", say("Two actions have the same id. Load the page again."))])


def _refuse_circles(content: Content, say: Say) -> None:
    actions = written(content, "actions", "text")
    names = {row["id"]: row["text"] for row in actions}
    found = circles({row["id"]: row["after"] for row in actions})
    if found:
        raise InvalidInput(
            [
                FieldProblem(
                    "actions",
                    say(
                        "These actions wait for each other in a circle: %(names)s. Let one of them wait for less.",
                        names=" → ".join(f"“{names[name]}”" for name in (*circle, circle[0])),
                    ),
                )
                for circle in found[:_MOST_CIRCLES]
            ]
        )


def _refuse_endless(content: Content, settling: Settling) -> None:
    today = settling.around.today or settling.now.date()
    end = plan_schedule([node(row) for row in written(content, "actions", "text")], today).end
    if end is not None and end > LAST_DAY:
        sentence = settling.say(
            "One after the other these actions last beyond the year %(year)s. Give them less time, or let fewer wait "
            "for each other.",
            year=LAST_DAY.year,
        )
        raise InvalidInput([FieldProblem("actions", sentence)])
