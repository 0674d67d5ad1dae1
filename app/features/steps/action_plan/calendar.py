"""The dates of a plan as an iCalendar (RFC 5545): open actions, goals, steps and the next review, each a whole day.

The same plan gives the same bytes: every event is stamped with when its source last changed, so that a calendar program
is told that nothing is new. All days are days without a time, so that no time zone moves them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from icalendar import Calendar, Event

from app.domain.saying import Say
from app.domain.steps import OPEN_STATUSES, StepKey
from app.features.plans.rooms import Content, Surroundings
from app.features.plans.words import step_names
from app.features.steps.action_plan.figures import counted
from app.features.steps.action_plan.words import kind_words
from app.features.steps.parts import action_status, aside, day_of, written

# How often calendar programs are asked to look again.
REFRESH = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Source:
    """What a calendar is made of: the plan, when it last changed, its contents with their versions and moments.

    `steps` are (number, status, due day). `home` is the address of the client's own pages.
    """

    plan_id: UUID
    name: str
    created_at: datetime
    updated_at: datetime
    next_review_on: date | None
    steps: tuple[tuple[int, str, date | None], ...]
    contents: Mapping[StepKey, Content]
    saved: Mapping[StepKey, tuple[int, datetime]]
    home: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One whole day: a name that stays, the day, the words, and when and how often its source changed."""

    uid: str
    day: date
    summary: str
    description: str
    category: str
    changed_at: datetime
    sequence: int
    href: str


def entries(source: Source, _: Say) -> Iterator[Entry]:
    """Every dated thing that is still ahead or open: actions, goals, steps, the next review."""
    around = Surroundings(contents=source.contents)
    yield from _actions(source, around, _)
    yield from _goals(source, around, _)
    # What is not saved in a content counts its changes in seconds of the plan's life: they only grow.
    beside = (source.updated_at, max(0, int((source.updated_at - source.created_at).total_seconds())))
    names = list(step_names(_).values())
    for number, status, due_on in source.steps:
        if due_on is not None and status in OPEN_STATUSES:
            yield Entry(
                f"step-{number}-{source.plan_id}@octant",
                due_on,
                _("Step %(n)s is due: %(name)s", n=number, name=names[number - 1]),
                "",
                _("step"),
                *beside,
                f"{source.home}/my-plan/steps/{number}",
            )
    if source.next_review_on is not None:
        summary = _("Look at your plan again")
        uid = f"review-{source.plan_id}@octant"
        yield Entry(uid, source.next_review_on, summary, "", _("review"), *beside, f"{source.home}/my-plan")


def dated_day(row: Mapping[str, Any]) -> date | None:
    """The day of an open action in a calendar: its due day, else its start day; None where it has neither."""
    if action_status(row) not in ("planned", "begun"):
        return None
    return day_of(row.get("due_on")) or day_of(row.get("start_on"))


def make_calendar(source: Source, _: Say, *, language: str) -> bytes:
    """The calendar as a file, in the client's language."""
    calendar = Calendar()
    calendar.add("PRODID", "-//Octant//Career plan//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    title = _("Career plan of %(name)s", name=source.name)
    calendar.add("NAME", title, parameters={"LANGUAGE": language})
    calendar.add("X-WR-CALNAME", title)
    calendar.add("REFRESH-INTERVAL", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", REFRESH)
    for entry in entries(source, _):
        calendar.add_component(_event(entry))
    return bytes(calendar.to_ical())


def _event(entry: Entry) -> Event:
    event = Event()
    event.add("UID", entry.uid)
    changed = entry.changed_at.astimezone(UTC).replace(microsecond=0)
    event.add("DTSTAMP", changed)
    event.add("LAST-MODIFIED", changed)
    event.add("SEQUENCE", entry.sequence)
    event.add("DTSTART", entry.day)
    if entry.day < date.max:
        event.add("DTEND", entry.day + timedelta(days=1))
    event.add("SUMMARY", entry.summary)
    if entry.description:
        event.add("DESCRIPTION", entry.description)
    event.add("CATEGORIES", [entry.category])
    event.add("URL", entry.href)
    # A day on which something is due does not make anybody busy.
    event.add("TRANSP", "TRANSPARENT")
    return event


def _actions(source: Source, around: Surroundings, _: Say) -> Iterator[Entry]:
    content = source.contents.get(StepKey.ACTION_PLAN, {})
    version, changed_at = source.saved.get(StepKey.ACTION_PLAN, (0, source.updated_at))
    kinds = kind_words(_)
    goals = {row["id"]: row["text"] for row in written(source.contents.get(StepKey.GOALS, {}), "goals", "text")}
    for row in counted(content, around):
        day = dated_day(row)
        if day is None:
            continue
        due = day_of(row.get("due_on"))
        said = [kinds[row["kind"]]] if row.get("kind") in kinds else []
        if row.get("start_on") and due:
            said.append(_("from %(day)s", day=row["start_on"]))
        if row.get("goal") in goals:
            said.append(_("for the goal “%(goal)s”", goal=goals[row["goal"]]))
        summary = _("Done by today: %(text)s", text=row["text"]) if due else _("Begin: %(text)s", text=row["text"])
        yield Entry(
            f"action-{row['id']}-{source.plan_id}@octant",
            day,
            summary,
            "\n".join(said),
            _("action"),
            changed_at,
            version,
            f"{source.home}/my-plan/actions/{row['id']}",
        )


def _goals(source: Source, around: Surroundings, _: Say) -> Iterator[Entry]:
    version, changed_at = source.saved.get(StepKey.GOALS, (0, source.updated_at))
    for row in written(source.contents.get(StepKey.GOALS, {}), "goals", "text"):
        day = day_of(row.get("due_on"))
        if day is None or (row.get("status") or "open") != "open" or aside(row, around.contents) is not None:
            continue
        yield Entry(
            f"goal-{row['id']}-{source.plan_id}@octant",
            day,
            _("Goal: %(text)s", text=row["text"]),
            row.get("measure") or "",
            _("goal"),
            changed_at,
            version,
            f"{source.home}/my-plan/steps/{StepKey.GOALS.number}",
        )
