"""Schedules in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

from app.domain.recurrence import Recurrence
from app.domain.saying import Say, later
from app.features.figures.definitions import BY_KEY
from app.features.schedules.contents import AGGREGATES, BOTH, CLIENTS, COHORT, FIGURES, PDF, ZIP

_DAYS = (
    later("Monday"),
    later("Tuesday"),
    later("Wednesday"),
    later("Thursday"),
    later("Friday"),
    later("Saturday"),
    later("Sunday"),
)


def weekday_words(_: Say) -> list[str]:
    """The days of the week, Monday first."""
    return [_(day) for day in _DAYS]


def when_words(recurrence: Recurrence, _: Say) -> str:
    """How often and at what time: "every Monday at 08:00"."""
    at = clock(recurrence.at)
    match recurrence.cadence:
        case "daily":
            return _("every day at %(time)s", time=at)
        case "weekly":
            return _("every %(weekday)s at %(time)s", weekday=weekday_words(_)[recurrence.weekday], time=at)
        case "monthly" if recurrence.month_day == 31:
            return _("on the last day of every month at %(time)s", time=at)
        case "monthly":
            return _("on day %(day)s of every month at %(time)s", day=recurrence.month_day, time=at)
    if recurrence.edge == "end":
        return _("on the last day of every term at %(time)s", time=at)
    return _("on the first day of every term at %(time)s", time=at)


def content_words(what: str, question: Mapping[str, Any] | None, subject: str, _: Say) -> str:
    """What a schedule writes, by the name of what it is of; empty where that was deleted."""
    asked = question or {}
    if what == FIGURES:
        figure = BY_KEY.get(asked.get("figure", ""))
        name = _(figure.name) if figure else _("Figures")
        first, last = (asked.get(end, "").partition(":")[2] for end in ("since", "until"))
        return " · ".join(filter(None, (name, first if first == last else f"{first} – {last}")))
    if what == AGGREGATES:
        return _("Aggregates")
    if what == COHORT:
        return _("%(name)s in figures", name=subject)
    if what == CLIENTS and subject:
        short = asked.get("form") == "short"
        return _("Reports of one page: %(name)s", name=subject) if short else _("Reports: %(name)s", name=subject)
    return subject


def form_words(_: Say) -> dict[str, str]:
    """Each form a report may have."""
    return {
        PDF: "PDF",
        "csv": "CSV",
        "xlsx": "XLSX",
        "jsonl": "JSON lines",
        "parquet": "Parquet",
        BOTH: _("PDF and XLSX"),
        ZIP: _("ZIP and XLSX"),
    }


def clock(at: time) -> str:
    """A time of day as schedules show it."""
    return at.strftime("%H:%M")


def run_words(_: Say) -> dict[str, str]:
    """Each state of a run; of what was written for others who see other people no more than that."""
    return {
        "making": _("being written"),
        "sent": _("sent"),
        "silent": _("empty, not sent"),
        "written": _("written"),
        "refused": _("not sent"),
        "failed": _("failed"),
    }


def empty_words(_: Say) -> dict[str, str]:
    """What may happen when there is nothing in a report."""
    return {
        "say": _("Say in the mail that there is nothing in it"),
        "send": _("Send it all the same"),
        "silent": _("Send no mail"),
    }
