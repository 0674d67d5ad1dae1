"""The words of a list row: reasons as tags, spans of time, days. Each distinct one is made once a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton
from flask_babel import get_locale, gettext, ngettext
from markupsafe import Markup, escape

from app.features.overview.commands import Why
from app.features.overview.queries import CaseloadRow


def reason_labels() -> dict[Why, str]:
    """Each reason in the reader's language, as a filter names it, most pressing first."""
    return {
        Why.WAITING: gettext("Waiting for you"),
        Why.ANSWERED: gettext("Check-in answered"),
        Why.ESCALATED: gettext("Prompt unanswered"),
        Why.OVERDUE: gettext("Overdue"),
        Why.STALE: gettext("Look again"),
        Why.NEVER_MET: gettext("Never met"),
        Why.SILENT: gettext("Silent"),
    }


def span(days: int) -> str:
    """How long ago, in words: today, 3 days, 5 weeks, 4 months."""
    if days <= 0:
        return str(gettext("today"))
    if days < 14:
        return str(ngettext("%(num)s day", "%(num)s days", days))
    if days < 90:
        return str(ngettext("%(num)s week", "%(num)s weeks", days // 7))
    return str(ngettext("%(num)s month", "%(num)s months", days // 30))


def row_words(now: datetime, zone: ZoneInfo) -> RowWords:
    """The words of rows for this request's reader; readers of one day, zone and language share what was made."""
    return _shared_words(now.astimezone(zone).date(), zone, str(get_locale() or "en"))


@lru_cache(maxsize=16)
def _shared_words(today: date, zone: ZoneInfo, locale: str) -> RowWords:
    return RowWords(today, zone, locale)


class RowWords:
    """Makes the cells of rows for readers of one day, zone and language, remembering what it made.

    What is remembered holds reasons, days and numbers, never anything of an organization or a person.
    """

    def __init__(self, today: date, zone: ZoneInfo, locale: str) -> None:
        """Take the reader's day, zone and language."""
        self._today = today
        self._zone = zone
        self._locale = locale
        self._made: dict[object, Markup] = {}

    def reasons(self, row: CaseloadRow) -> Markup:
        """The row's tags as list items, most pressing first; "On course" or "No plan yet" where nothing presses."""
        numbers = tuple(number(row, self._today) for why, number in _NUMBERS if row.why & why)
        return self._once((row.why, numbers, row.plan_id is None), lambda: self._reasons(row))

    def _reasons(self, row: CaseloadRow) -> Markup:
        parts = [
            self._tag(why, kind, number(row, self._today), words)
            for why, (kind, number, words) in _TAGS.items()
            if row.why & int(why)
        ]
        if row.plan_id is None:
            parts.append(self._once("no plan", lambda: _item("", gettext("No plan yet"))))
        elif not parts:
            parts.append(self._once("fine", lambda: _item(" tag-ok", gettext("On course"))))
        return Markup("").join(parts)

    def _tag(self, why: Why, kind: str, number: int, words: Callable[[int], str]) -> Markup:
        return self._once((why, number), lambda: _item(f" tag-{kind}", words(number)))

    def ago(self, moment: datetime | None) -> Markup:
        """How long ago a moment was, with the day and minute on hover; "never" for none."""
        if moment is None:
            return self._once("never", lambda: escape(gettext("never")))
        local = moment.astimezone(self._zone)
        # Minutes would make every row's words its own; a page of 600 is formatted by its days.
        return self._once((local.date(), "ago"), lambda: self._ago(local))

    def _ago(self, local: datetime) -> Markup:
        said = span((self._today - local.date()).days)
        exact = _long(local.date(), self._locale)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(local.date().isoformat(), exact, said)

    def day(self, day: date | None) -> Markup:
        """A day in the reader's way of writing, with the year only where it is another; a dash for none."""
        if day is None:
            return self._once("no day", lambda: Markup("–"))
        return self._once(day, lambda: self._day(day))

    def _day(self, day: date) -> Markup:
        form = "MMMd" if day.year == self._today.year else "yMMMd"
        said, exact = _short(day, form, self._locale), _long(day, self._locale)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(day.isoformat(), exact, said)

    def _once(self, key: object, make: Callable[[], Markup]) -> Markup:
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = make()
        return made


def _item(kind: str, words: str) -> Markup:
    return Markup('<li><span class="tag{}">{}</span></li>').format(kind, words)


# Babel takes tens of microseconds for a day, a page has a few hundred of them, and they are the same tomorrow.
@lru_cache(maxsize=4096)
def _long(day: date, locale: str) -> str:
    return format_date(day, "long", locale=locale)


@lru_cache(maxsize=4096)
def _short(day: date, form: str, locale: str) -> str:
    return format_skeleton(form, day, locale=locale)


def _nothing(_row: CaseloadRow, _today: date) -> int:
    return 0


def _days_over(row: CaseloadRow, today: date) -> int:
    return (today - row.overdue_since).days if row.overdue_since else 0


def _weeks_silent(row: CaseloadRow, today: date) -> int:
    return (today - row.heard_at.date()).days // 7 if row.heard_at else 0


def _overdue_words(days: int) -> str:
    return str(ngettext("Overdue %(num)s day", "Overdue %(num)s days", days))


# Kind of tag, the number its words depend on, and the words.
_TAGS: Mapping[Why, tuple[str, Callable[[CaseloadRow, date], int], Callable[[int], str]]] = {
    Why.WAITING: ("wait", lambda row, _: row.waiting_step or 0, lambda n: gettext("Waiting for you: step %(n)s", n=n)),
    Why.ANSWERED: ("wait", _nothing, lambda _: gettext("Check-in answered")),
    Why.ESCALATED: ("bad", _nothing, lambda _: gettext("Prompt unanswered")),
    Why.OVERDUE: ("bad", _days_over, _overdue_words),
    Why.STALE: ("brass", lambda row, _: row.stale_step or 0, lambda n: gettext("Look again at step %(n)s", n=n)),
    Why.NEVER_MET: ("bad", _nothing, lambda _: gettext("Never met")),
    Why.SILENT: ("brass", _weeks_silent, lambda n: ngettext("Silent %(num)s week", "Silent %(num)s weeks", n)),
}
# Plain numbers for the one place that runs for every row: an IntFlag's `&` makes an object each time.
_NUMBERS = [(int(why), number) for why, (_, number, _) in _TAGS.items() if number is not _nothing]
