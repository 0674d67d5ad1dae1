"""What pages say of marks, of the map behind them, and of what points at nothing, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import format_date, gettext

from app.domain.orphans import Lost, Orphan, orphans
from app.domain.staleness import HOME, RESULTS, Aspect, steps_reached
from app.domain.steps import StepKey
from app.features.occupations.words import EDUCATION
from app.features.plans.marks import marks_of, seen_token
from app.features.plans.models import StepMark
from app.features.plans.queries import PlanView
from app.features.plans.rooms import step_of
from app.features.plans.words import aspect_words, step_names
from app.features.steps.ambition.values import value_name
from app.features.steps.parts import path_name
from app.infra.db.open import UnitOfWork

_RESULTS = frozenset(RESULTS.values())
_LISTS = frozenset({Aspect.VALUES, Aspect.FACTORS, Aspect.MILESTONES, Aspect.GOALS})
# What a page shows of a long list that changed.
_MOST_LINES = 5
# Where a mark matters to nobody: nothing is begun, or the step is out of the plan.
_QUIET = ("not_started", "skipped")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a step is worth another look: a sentence, when it changed, and the lines that went and came."""

    text: str
    at: datetime | None
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LookAgain:
    """A step with open marks: its reasons, and what the act of confirming must name."""

    number: int
    name: str
    status: str
    href: str
    confirm_href: str
    seen: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class LooseEnd:
    """Something that points at what is gone: said with what to do, and the step to do it in."""

    text: str
    number: int
    name: str
    href: str


@dataclass(frozen=True, slots=True)
class MapLine:
    """One line of the map: a thing that may change, where it is said, and the steps that rest on it."""

    what: str
    place: str
    steps: str


def look_again(
    uow: UnitOfWork,
    view: PlanView,
    href: Callable[[int], str],
    confirm_href: Callable[[int], str],
    only: StepKey | None = None,
) -> list[LookAgain]:
    """The steps of a plan (or one) with open marks, in order; one query, and none where nothing is stale."""
    stale = {
        row.step: row
        for row in view.steps
        if row.stale and row.status not in _QUIET and (only is None or row.step == only.number)
    }
    if not stale:
        return []
    found: dict[int, list[StepMark]] = {}
    for mark in marks_of(uow, view.plan.id, only):
        found.setdefault(mark.step, []).append(mark)
    names = step_names(gettext)
    return [
        LookAgain(
            number=number,
            name=names[step_of(number)],
            status=stale[number].status,
            href=href(number),
            confirm_href=confirm_href(number),
            seen=seen_token(marks),
            reasons=tuple(
                reason_of(Aspect(mark.aspect), mark.detail.get("before"), mark.detail.get("after"), mark.changed_at)
                for mark in marks
            ),
        )
        for number, marks in found.items()
        if number in stale
    ]


def reason_of(aspect: Aspect, before: Any, after: Any, at: datetime | None = None) -> Reason:
    """A change in words; a list is told by what went and what came."""
    what = aspect_words(gettext)[aspect.value]
    if aspect in _LISTS:
        old, new = (list(map(_line, side or ())) for side in (before, after))
        gone, came = tuple(_without(old, new)), tuple(_without(new, old))
        if gone or came:
            text = gettext("It rests on %(what)s, where this changed:", what=what)
        else:
            text = gettext("It rests on %(what)s, where order or details changed.", what=what)
        return Reason(text, at, gone[:_MOST_LINES], came[:_MOST_LINES])
    if before is None and after is None:
        return Reason(gettext("It rests on %(what)s, which changed.", what=what), at)
    said = {"what": what, "before": _told(aspect, before), "after": _told(aspect, after)}
    return Reason(gettext("It rests on %(what)s, which was %(before)s and is now %(after)s.", **said), at)


def _line(row: Any) -> str:
    return value_name(row, gettext) if isinstance(row, Mapping) else str(row)


def _without(these: list[str], those: list[str]) -> list[str]:
    left = list(those)
    found = []
    for line in these:
        if line in left:
            left.remove(line)
        else:
            found.append(line)
    return found


def _told(aspect: Aspect, value: Any) -> str:
    if value is None:
        return str(gettext("none"))
    if aspect in _RESULTS:
        day = format_date(date.fromisoformat(value["on"]), "long")
        return str(gettext("that of “%(title)s” on %(day)s", title=value["title"], day=day))
    if aspect is Aspect.EDUCATION:
        return f"“{EDUCATION[value - 1]}”" if 1 <= value <= len(EDUCATION) else str(value)
    if aspect is Aspect.PATH:
        return f"“{path_name(value, gettext)}”"
    return f"“{value}”"


def loose_ends(contents: Mapping[StepKey, Mapping[str, Any]], href: Callable[[int], str]) -> list[LooseEnd]:
    """Everything in these contents that points at what is gone; lines that would read the same stand once."""
    names = step_names(gettext)
    found = {}
    for orphan in orphans(contents):
        text = orphan_words(orphan)
        number = orphan.step.number
        found[number, text] = LooseEnd(text, number, names[orphan.step], href(number))
    return list(found.values())


def orphan_words(orphan: Orphan) -> str:
    """What points at nothing, and what to do."""
    words = {
        Lost.FACTOR_OCCUPATION: gettext(
            "The factor “%(text)s” belongs to an occupation that is not among the options any more. Link it anew, "
            "or remove the link."
        ),
        Lost.RATED_CRITERION: gettext(
            "“%(text)s” has a rating on a criterion that is gone. It no longer counts; saving the step drops it."
        ),
        Lost.CHOSEN_OPTION: gettext("The option that was chosen is gone. Choose another."),
        Lost.RUNNER_UP: gettext("The runner-up is gone. Choose another."),
        Lost.CHOSEN_PATH: gettext("The way that was chosen is gone. Choose another."),
        Lost.MILESTONE_PATH: gettext(
            "The milestone “%(text)s” belongs to a way that is gone. Remove it, or move it to another way."
        ),
        Lost.GOAL_PARENT: gettext("The goal “%(text)s” serves a larger goal that is gone. Choose another, or none."),
        Lost.GOAL_PATH: gettext("The goal “%(text)s” belongs to a way that is gone. Choose another way, or none."),
        Lost.ACTION_GOAL: gettext("The action “%(text)s” serves a goal that is gone. Choose another, or none."),
        Lost.ACTION_DROPPED_GOAL: gettext(
            "The action “%(text)s” serves a goal that was dropped. Drop it too, or choose another goal."
        ),
        Lost.ACTION_PATH: gettext("The action “%(text)s” belongs to a way that is gone. Choose another way, or none."),
        Lost.ACTION_AFTER: gettext("The action “%(text)s” waits for an action that is gone. Choose another, or none."),
    }
    said = words[orphan.what]
    return str(said % {"text": orphan.text} if orphan.text else said)


def map_lines() -> list[MapLine]:
    """The map as a table: what may change, in which step it is said, and which steps rest on it."""
    words, names = aspect_words(gettext), step_names(gettext)

    def place(step: StepKey | None) -> str:
        return f"{step.number} {names[step]}" if step else str(gettext("outside the plan"))

    return [
        MapLine(words[aspect.value], place(HOME[aspect]), ", ".join(place(step) for step in steps))
        for aspect in Aspect
        if (steps := steps_reached(aspect))
    ]
