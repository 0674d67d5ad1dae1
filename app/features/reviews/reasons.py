"""Why a client is asked before their day: what a trigger found, in kind words, for their mail and their pages.

The words for staff are the triggers' own; they name what was found as a check does. Here the client is spoken to. What
came by the calendar has no reason to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import text

from app.domain.saying import Say
from app.domain.triggers import Trigger
from app.features.plans.rooms import step_of
from app.features.plans.words import step_names
from app.infra.db.open import UnitOfWork

# Writes a day of the evidence (ISO, or nothing) in the reader's way.
DayWords = Callable[[str | None], str]

# By name, because triggers stand above reviews on the ladder. What an event that was withdrawn meant is left out.
_FOUND = """
    FROM trigger_findings f LEFT JOIN external_events e ON e.id = f.event_id
    {joined}
    WHERE e.withdrawn_at IS NULL AND {which}
    ORDER BY f.severity DESC, f.found_at, f.id
"""
_OF_REVIEW = text("SELECT f.kind, f.evidence" + _FOUND.format(joined="", which="f.review_id = :review"))
_OF_LINKS = text(
    "SELECT l.id AS link, f.kind, f.evidence"
    + _FOUND.format(joined="JOIN review_links l ON l.review_id = f.review_id", which="l.id = ANY(:links)")
)


@dataclass(frozen=True, slots=True)
class Reason:
    """A kind of trigger with what it saw, as plain JSON."""

    kind: str
    evidence: Mapping[str, Any]


def reasons_of_review(uow: UnitOfWork, review_id: UUID) -> list[Reason]:
    """Why a review the actor was shown to see was asked for, the most severe first; empty: by the calendar."""
    return [Reason(row.kind, row.evidence) for row in uow.session.execute(_OF_REVIEW, {"review": review_id})]


def reasons_of_links(uow: UnitOfWork, links: Collection[UUID]) -> dict[UUID, list[Reason]]:
    """The same for the reviews that links open; a link whose review came by the calendar is left out."""
    found: dict[UUID, list[Reason]] = {}
    for row in uow.session.execute(_OF_LINKS, {"links": list(links)}):
        found.setdefault(row.link, []).append(Reason(row.kind, row.evidence))
    return found


def reason_to_client(kind: str, evidence: Mapping[str, Any], _: Say, day: DayWords) -> str:
    """A reason as a sentence to the client."""
    try:
        return _SENTENCES[Trigger(kind)](evidence, _, day)
    except (KeyError, TypeError, ValueError):
        # Evidence of an older or newer Octant.
        return _("Something changed that your plan rests on.")


def why_lines(sentences: Sequence[str], _: Say) -> str:
    """The reasons as a part of a mail's text, with a heading; empty without any."""
    return "\n".join([_("Why we ask now:"), *(f"* {sentence}" for sentence in sentences)]) if sentences else ""


def why_list(sentences: Sequence[str], _: Say) -> Markup:
    """The same for the HTML of a mail."""
    if not sentences:
        return Markup()
    items = Markup("\n").join(Markup("<li>{}</li>").format(sentence) for sentence in sentences)
    return Markup("<p>{}</p>\n<ul>\n{}\n</ul>").format(_("Why we ask now:"), items)


def moved_words(_: Say) -> dict[str, str]:
    """What of an occupation moved."""
    return {
        "gone": _("it is not listed any more"),
        "zone": _("job zone"),
        "interests": _("interests"),
        "outlook": _("outlook"),
        "pay": _("pay"),
    }


def letters_words(letters: Mapping[str, str], _: Say) -> str:
    """Letters of interest with the direction each went, in one line."""
    directions = {"higher": _("higher"), "lower": _("lower")}
    return ", ".join(f"{letter} {directions[way]}" for letter, way in letters.items())


def _goal(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    return _(
        "The day you set for your goal “%(text)s” was %(day)s. Let us see what you make of it now.",
        text=seen["text"],
        day=day(seen["on"]),
    )


def _step(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    name = step_names(_)[step_of(seen["step"])]
    return _(
        "Step %(number)s, %(step)s, was planned for %(day)s. Perhaps another day fits you better.",
        number=seen["step"],
        step=name,
        day=day(seen["on"]),
    )


def _assessment(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    return _(
        "You answered “%(title)s” on %(day)s. You may see some of it differently today.",
        title=seen["title"],
        day=day(seen["on"]),
    )


def _interests(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    return _(
        "What interests you most has changed between %(since)s and %(day)s: %(letters)s.",
        since=day(seen["since"]),
        day=day(seen["on"]),
        letters=letters_words(seen["letters"], _),
    )


def _match(seen: Mapping[str, Any], _: Say, _day: DayWords) -> str:
    return _(
        "“%(title)s” was number %(before)s of your matches when you chose it, and is number %(after)s now.",
        title=seen["title"],
        before=seen["before"],
        after=seen["after"],
    )


def _attainment(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    return _(
        "Your goals have gone less well than hoped for some time, last on %(day)s. Other goals or other days may help.",
        day=day(seen["on"]),
    )


def _confidence(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    return _(
        "On %(day)s you were less sure of your plan than on %(since)s: %(after)s of 10 after %(before)s.",
        before=seen["before"],
        after=seen["after"],
        since=day(seen["since"]),
        day=day(seen["on"]),
    )


def _factor(seen: Mapping[str, Any], _: Say, _day: DayWords) -> str:
    return _("Something changed that your plan rests on and that is not in your hands: “%(text)s”.", text=seen["text"])


def _catalogue(seen: Mapping[str, Any], _: Say, _day: DayWords) -> str:
    words = moved_words(_)
    return _(
        "Something changed that your plan rests on: there are new figures for “%(title)s” (%(what)s).",
        title=seen["title"],
        what=", ".join(words[one] for one in seen["what"]),
    )


def _event(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    # Both are written for those the event touches, and its form says so.
    return _(
        "Something changed that your plan rests on: %(title)s (%(day)s). %(words)s",
        title=seen["title"],
        day=day(seen["on"]),
        words=seen["words"],
    )


_SENTENCES: Mapping[Trigger, Callable[[Mapping[str, Any], Say, DayWords], str]] = {
    Trigger.GOAL_MISSED: _goal,
    Trigger.STEP_OVERDUE: _step,
    Trigger.ASSESSMENT_OLD: _assessment,
    Trigger.INTERESTS_CHANGED: _interests,
    Trigger.MATCH_LEFT_BAND: _match,
    Trigger.ATTAINMENT_LOW: _attainment,
    Trigger.CONFIDENCE_DOWN: _confidence,
    Trigger.FACTOR_CHANGED: _factor,
    Trigger.CATALOGUE_MOVED: _catalogue,
    Trigger.EXTERNAL_EVENT: _event,
}
