"""What a change would do to a plan: which steps it makes worth another look, what becomes late, what cannot be.

Changes are tried on a copy of the contents; nothing here writes anything. What needs more than the contents (whether
the catalogue knows a way to an occupation, what it asks for in education) the caller finds out and passes in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from app.domain.orphans import Orphan, orphans, waits_for
from app.domain.outlook import CODE
from app.domain.reading import FIRST_DAY, LAST_DAY
from app.domain.schedule import Action, Risk, ScheduleCircle, State, Why, check_circles, find_risks
from app.domain.staleness import Change, stale_steps
from app.domain.steps import StepKey

Content = Mapping[str, Any]
Contents = Mapping[StepKey, Content]
TRIED = "tried"


class Kind(StrEnum):
    """What can be tried."""

    OCCUPATION = "occupation"
    PATH = "path"
    EDUCATION = "education"
    FACTOR = "factor"
    GOAL_DAY = "goal_day"
    GOAL_DROPPED = "goal_dropped"
    ACTION_DAYS = "action_days"
    ACTION_DROPPED = "action_dropped"
    HOURS = "hours"


# What each kind of change names beside its kind; all others are refused.
FIELDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.OCCUPATION: ("option", "code", "name", "release"),
    Kind.PATH: ("path",),
    Kind.EDUCATION: ("level",),
    Kind.FACTOR: ("factor", "turned"),
    Kind.GOAL_DAY: ("goal", "due_on"),
    Kind.GOAL_DROPPED: ("goal",),
    Kind.ACTION_DAYS: ("action", "start_on", "due_on"),
    Kind.ACTION_DROPPED: ("action",),
    Kind.HOURS: ("hours_week",),
}
_FACTOR_KINDS = ("opportunity", "threat", "strength", "weakness")
_MOST_HOURS = 168
_LONGEST_NAME, _LONGEST_RELEASE = 300, 100


def fits(change: Mapping[str, Any], contents: Contents) -> bool:
    """Whether a change is well formed and names what these contents have.

    Days are YYYY-MM-DD texts from 1900 to 2200, or None.
    """
    kind = change.get("kind")
    if kind not in list(Kind) or set(change) - {"kind", *FIELDS[Kind(kind)]} or not _days(change):
        return False
    return _CHECKS[Kind(kind)](change, contents)


def _occupation_fits(change: Mapping[str, Any], contents: Contents) -> bool:
    if change.get("option"):
        # An option says all there is to say; what stood beside it would be kept and shown unread.
        alone = set(change) == {"kind", "option"}
        return alone and _names(change, "option", contents, StepKey.CAREER_CHOICE, "options")
    name, code, release = (change.get(field) for field in ("name", "code", "release"))
    return (
        isinstance(name, str)
        and 0 < len(name.strip()) <= _LONGEST_NAME
        and (code is None or (isinstance(code, str) and bool(CODE.fullmatch(code))))
        and (release is None or (isinstance(release, str) and len(release) <= _LONGEST_RELEASE))
    )


def _factor_fits(change: Mapping[str, Any], contents: Contents) -> bool:
    known = _names(change, "factor", contents, StepKey.OPPORTUNITIES, "factors")
    return known and change.get("turned") in _FACTOR_KINDS


def _goal_fits(change: Mapping[str, Any], contents: Contents) -> bool:
    return _names(change, "goal", contents, StepKey.GOALS, "goals")


def _action_fits(change: Mapping[str, Any], contents: Contents) -> bool:
    return _names(change, "action", contents, StepKey.ACTION_PLAN, "actions")


def _names(change: Mapping[str, Any], name: str, contents: Contents, step: StepKey, rows: str) -> bool:
    """Whether the change's field names a row of the contents; whatever else it holds names none."""
    value = change.get(name)
    return isinstance(value, str) and value in _ids(contents, step, rows)


_CHECKS: Final[Mapping[Kind, Callable[[Mapping[str, Any], Contents], bool]]] = {
    Kind.OCCUPATION: _occupation_fits,
    Kind.PATH: lambda change, contents: _names(change, "path", contents, StepKey.CAREER_PATH, "paths"),
    Kind.EDUCATION: lambda change, _: _whole(change.get("level"), 1, 12),
    Kind.FACTOR: _factor_fits,
    Kind.GOAL_DAY: _goal_fits,
    Kind.GOAL_DROPPED: _goal_fits,
    Kind.ACTION_DAYS: lambda change, contents: (
        _action_fits(change, contents) and bool(change.get("start_on") or change.get("due_on"))
    ),
    Kind.ACTION_DROPPED: _action_fits,
    Kind.HOURS: lambda change, _: _whole(change.get("hours_week"), 0, _MOST_HOURS),
}


def _ids(contents: Contents, step: StepKey, name: str) -> set[str]:
    return {row["id"] for row in contents.get(step, {}).get(name) or ()}


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _days(change: Mapping[str, Any]) -> bool:
    return all(_day(change[name]) is not None for name in ("start_on", "due_on") if change.get(name) is not None)


def _day(value: Any) -> date | None:
    """A day of the contents; None for none, and for one no plan can mean, with which nothing can be reckoned."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return day if day and FIRST_DAY <= day <= LAST_DAY else None


def apply(contents: Contents, change: Mapping[str, Any]) -> dict[StepKey, Content]:
    """A copy of the contents with one change; one that names what is not there any more changes nothing."""
    found = dict(contents)
    kind = Kind(change["kind"])
    if kind is Kind.OCCUPATION:
        found[StepKey.CAREER_CHOICE] = _with_occupation(contents.get(StepKey.CAREER_CHOICE, {}), change)
    elif kind is Kind.PATH:
        if change["path"] in _ids(contents, StepKey.CAREER_PATH, "paths"):
            found[StepKey.CAREER_PATH] = {**contents[StepKey.CAREER_PATH], "chosen": change["path"]}
    elif kind is Kind.EDUCATION:
        found[StepKey.OPPORTUNITIES] = {**contents.get(StepKey.OPPORTUNITIES, {}), "education": change["level"]}
    elif kind is Kind.FACTOR:
        _alter(found, StepKey.OPPORTUNITIES, "factors", change["factor"], {"kind": change["turned"]})
    elif kind is Kind.GOAL_DAY:
        _alter(found, StepKey.GOALS, "goals", change["goal"], {"due_on": change.get("due_on")})
    elif kind is Kind.GOAL_DROPPED:
        _alter(found, StepKey.GOALS, "goals", change["goal"], {"status": "dropped"})
    elif kind is Kind.ACTION_DAYS:
        days = {name: change[name] for name in ("start_on", "due_on") if change.get(name)}
        _alter(found, StepKey.ACTION_PLAN, "actions", change["action"], days)
    elif kind is Kind.ACTION_DROPPED:
        _alter(found, StepKey.ACTION_PLAN, "actions", change["action"], {"status": "dropped"})
    return found


def _with_occupation(choice: Content, change: Mapping[str, Any]) -> Content:
    if change.get("option"):
        known = {row["id"] for row in choice.get("options") or ()}
        return {**choice, "chosen": change["option"]} if change["option"] in known else choice
    row = {"id": TRIED, "ratings": {}} | {name: change.get(name) for name in ("name", "code", "release")}
    others = [one for one in choice.get("options") or () if one["id"] != TRIED]
    return {**choice, "options": [*others, row], "chosen": TRIED}


def _alter(found: dict[StepKey, Content], step: StepKey, name: str, row: str, values: Mapping[str, Any]) -> None:
    content = found.get(step, {})
    rows = [one | values if one["id"] == row else one for one in content.get(name) or ()]
    found[step] = {**content, name: rows}


def apply_all(contents: Contents, changes: Sequence[Mapping[str, Any]]) -> dict[StepKey, Content]:
    """A copy of the contents with the changes, one after the other."""
    found = dict(contents)
    for change in changes:
        found = apply(found, change)
    return found


def hours_of(changes: Sequence[Mapping[str, Any]]) -> float | None:
    """The hours a week of the last change that names them; None: none does."""
    said = [change["hours_week"] for change in changes if change["kind"] == Kind.HOURS]
    return float(said[-1]) if said else None


def counts(row: Content, contents: Contents) -> bool:
    """Whether a goal or action counts: it belongs to no way, or to the one chosen."""
    path, chosen = row.get("path"), contents.get(StepKey.CAREER_PATH, {}).get("chosen")
    return not path or not chosen or path == chosen


def actions_of(contents: Contents) -> list[Action]:
    """The actions of step 7 that count, as the schedule reads them.

    Content of before has a flag `done` and neither status, hours nor what an action waits for.
    """
    found = []
    for row in contents.get(StepKey.ACTION_PLAN, {}).get("actions") or ():
        if not row.get("text") or not counts(row, contents):
            continue
        status = row.get("status") or ("done" if row.get("done") else "planned")
        found.append(
            Action(
                id=row["id"],
                start_on=_day(row.get("start_on")),
                due_on=_day(row.get("due_on")),
                after=tuple(waits_for(row)),
                state=State(status) if status in list(State) else State.PLANNED,
                done_on=_day((row.get("done_on") or row.get("done_at") or "")[:10]),
                hours=_number(row.get("hours")),
                hours_week=_number(row.get("hours_week")),
            )
        )
    return found


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


class Trouble(StrEnum):
    """What cannot be."""

    DUE_BEFORE_START = "due_before_start"
    GOAL_AFTER_PARENT = "goal_after_parent"
    ACTION_AFTER_GOAL = "action_after_goal"
    CIRCLE = "circle"
    NO_ROUTE = "no_route"
    EDUCATION_GAP = "education_gap"


@dataclass(frozen=True, slots=True)
class Impossible:
    """Something that cannot be: the row it is about (`text`, empty for the plan itself), the other side, and days."""

    what: Trouble
    step: StepKey
    text: str = ""
    other: str = ""
    days: int = 0


@dataclass(frozen=True, slots=True)
class Late:
    """An action that is late or at risk, or more so than without the change, and why; `other` and `text` are words."""

    text: str
    risk: Risk
    other: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change does. `aside` are goals and actions that no longer count, `back` those that count again."""

    stale: Mapping[StepKey, Sequence[Change]]
    late: Sequence[Late]
    impossible: Sequence[Impossible]
    loose: Sequence[Orphan]
    aside: Sequence[str]
    back: Sequence[str]

    @property
    def nothing(self) -> bool:
        """Whether the change does nothing that Octant can see."""
        return not (self.stale or self.late or self.impossible or self.loose or self.aside or self.back)


def outcome(
    before: Contents,
    after: Contents,
    today: date,
    hours_week: float | None = None,
    impossible: Sequence[Impossible] = (),
) -> Outcome:
    """What is otherwise in `after` than in `before`: only what the change brings, not what was so already.

    `hours_week` are the hours a week there are under the change (None: those that step 7 says), `impossible` what the
    caller found beside the contents.
    """
    known = set(orphans(before))
    was, now = _counting(before), _counting(after)
    return Outcome(
        stale=stale_steps(before, after),
        late=_late(before, after, today, hours_week),
        impossible=[*impossible, *(one for one in clashes(after) if one not in set(clashes(before)))],
        loose=[orphan for orphan in orphans(after) if orphan not in known],
        aside=[text for key, text in was.items() if key not in now],
        back=[text for key, text in now.items() if key not in was],
    )


def _counting(contents: Contents) -> dict[tuple[StepKey, str], str]:
    return {
        (step, row["id"]): row["text"]
        for step, name in ((StepKey.GOALS, "goals"), (StepKey.ACTION_PLAN, "actions"))
        for row in contents.get(step, {}).get(name) or ()
        if row.get("text") and counts(row, contents)
    }


def _late(before: Contents, after: Contents, today: date, hours_week: float | None) -> list[Late]:
    names = {row["id"]: row.get("text") or "?" for row in after.get(StepKey.ACTION_PLAN, {}).get("actions") or ()}
    old = _risks(before, today, _hours(before))
    new = _risks(after, today, _hours(after) if hours_week is None else hours_week)
    return [
        Late(names[action], risk, names.get(risk.other or "", ""))
        for action, risks in new.items()
        for risk in risks
        if risk.why is not Why.NO_DAY and not _so_already(risk, old.get(action, ()))
    ]


def _hours(contents: Contents) -> float | None:
    """The hours a week that step 7 says there are; None: it does not."""
    return _number(contents.get(StepKey.ACTION_PLAN, {}).get("hours_a_week"))


def _risks(contents: Contents, today: date, hours_week: float | None) -> Mapping[str, Sequence[Risk]]:
    try:
        return find_risks(actions_of(contents), today, hours_week)
    except ScheduleCircle:
        # Told as what cannot be; no day means anything then.
        return {}


def _so_already(risk: Risk, known: Sequence[Risk]) -> bool:
    return any(
        (one.why, one.other, one.month) == (risk.why, risk.other, risk.month) and one.days >= risk.days for one in known
    )


def clashes(contents: Contents) -> list[Impossible]:
    """What in these contents cannot be, by the days and the order written in them."""
    found = []
    rows = [row for row in contents.get(StepKey.GOALS, {}).get("goals") or () if row.get("text")]
    live = {row["id"]: row for row in rows if row.get("status") != "dropped" and counts(row, contents)}
    for row in live.values():
        parent = live.get(row.get("parent") or "")
        if parent and (days := _past(row, parent)) > 0:
            found.append(Impossible(Trouble.GOAL_AFTER_PARENT, StepKey.GOALS, row["text"], parent["text"], days))
    planned = contents.get(StepKey.ACTION_PLAN, {}).get("actions") or ()
    actions = actions_of(contents)
    opened = {action.id: action for action in actions if action.open}
    for row in planned:
        action = opened.get(row["id"])
        if action is None:
            continue
        if action.start_on and action.due_on and action.due_on < action.start_on:
            days = (action.start_on - action.due_on).days
            found.append(Impossible(Trouble.DUE_BEFORE_START, StepKey.ACTION_PLAN, row["text"], "", days))
        goal = live.get(row.get("goal") or "")
        if goal and (days := _past(row, goal)) > 0:
            found.append(Impossible(Trouble.ACTION_AFTER_GOAL, StepKey.ACTION_PLAN, row["text"], goal["text"], days))
    try:
        check_circles(actions)
    except ScheduleCircle as circle:
        names = {row["id"]: row["text"] for row in planned if row.get("text")}
        found += [
            Impossible(Trouble.CIRCLE, StepKey.ACTION_PLAN, " → ".join(names.get(name, "?") for name in one))
            for one in circle.circles
        ]
    return found


def _past(row: Content, other: Content) -> int:
    """By how many days the one is due after the other; 0 where a day is not said."""
    mine, theirs = _day(row.get("due_on")), _day(other.get("due_on"))
    return (mine - theirs).days if mine and theirs else 0
