"""What a recipe says, in sentences of the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import format_date, gettext, ngettext

from app.domain.cadence import AtTerm, EveryMonths, OnDates, ReviewPolicy
from app.domain.steps import AroundTerm, DaysAfterStart, DueRule, StepKey
from app.domain.template_content import Change, TemplateContent, difference
from app.domain.terms import TermEdge
from app.features.plans.template_forms import PARAMETER_WORDS
from app.features.plans.words import step_names
from app.infra.web.words import words_here


@dataclass(frozen=True, slots=True)
class ChangeWords:
    """One difference of two versions: what it is of (a step with its number, or the reviews), which field, both sides.

    `number` is empty for the reviews.
    """

    number: int | None
    heading: str
    field: str
    before: str
    after: str


def _edge(edge: TermEdge, offset: int) -> str:
    days = abs(offset)
    if offset == 0:
        said = gettext("at its start") if edge == "start" else gettext("at its end")
    elif offset < 0:
        start = ngettext("%(num)s day before its start", "%(num)s days before its start", days)
        said = start if edge == "start" else ngettext("%(num)s day before its end", "%(num)s days before its end", days)
    else:
        start = ngettext("%(num)s day after its start", "%(num)s days after its start", days)
        said = start if edge == "start" else ngettext("%(num)s day after its end", "%(num)s days after its end", days)
    return str(said)


def due_words(rule: DueRule | None) -> str:
    """When a step is due, in words."""
    match rule:
        case None:
            said = gettext("no due day")
        case DaysAfterStart(days):
            said = ngettext("%(num)s day after the start", "%(num)s days after the start", days)
        case AroundTerm(term, edge, offset):
            said = gettext("term %(term)s, %(when)s", term=term, when=_edge(edge, offset))
    return str(said)


def policy_words(policy: ReviewPolicy) -> list[str]:
    """When plans are reviewed and how prompts behave, in sentences."""
    match policy.cadence:
        case EveryMonths(months):
            said = [ngettext("Reviewed every month.", "Reviewed every %(num)s months.", months)]
        case OnDates(dates):
            said = [gettext("Reviewed on %(days)s.", days=", ".join(format_date(day, "medium") for day in dates))]
        case AtTerm(edge, offset):
            said = [gettext("Reviewed every term, %(when)s.", when=_edge(edge, offset))]
    days = ", ".join(str(day) for day in policy.reminder_days)
    said.append(gettext("Messages on day %(days)s after the review is due.", days=days))
    said.append(
        ngettext(
            "The %(counsellor)s is told after %(num)s day.",
            "The %(counsellor)s is told after %(num)s days.",
            policy.escalate_after_days,
            **words_here(),
        )
    )
    if (after := policy.escalate_admin_after_days) is not None:
        said.append(
            ngettext("Administrators are told after %(num)s day.", "Administrators are told after %(num)s days.", after)
        )
    if policy.quiet_hours is not None:
        start, end = (f"{moment:%H:%M}" for moment in (policy.quiet_hours.start, policy.quiet_hours.end))
        said.append(gettext("Nothing is sent between %(start)s and %(end)s.", start=start, end=end))
    return [str(sentence) for sentence in said]


def difference_words(before: TemplateContent, after: TemplateContent) -> list[ChangeWords]:
    """What differs between two versions, in the order of the steps, with places named as the editor names them."""
    said: dict[str, ChangeWords] = {}
    for change in difference(before, after):
        parts = change.place.split(".")
        if parts[0] == "steps" and parts[2] == "due":
            key = StepKey(parts[1])
            # A due day is one thing to a reader, whatever of its rule differs.
            was, becomes = (due_words(content.step(key).due) for content in (before, after))
            place = ".".join(parts[:3])
            said[place] = ChangeWords(key.number, step_names(gettext)[key], gettext("due"), was, becomes)
        else:
            said[change.place] = _change_words(change, parts)
    return list(said.values())


def _change_words(change: Change, parts: list[str]) -> ChangeWords:
    if parts[0] != "steps":
        return _words(None, gettext("Reviews"), " ".join(part.replace("_", " ") for part in parts[1:]), change)
    fields = {
        "enabled": gettext("part of the plan"),
        "guidance": gettext("guidance"),
        "instruments": gettext("questionnaires"),
    }
    key = StepKey(parts[1])
    field = str(PARAMETER_WORDS[parts[3]]) if parts[2] == "completion" else fields.get(parts[2], parts[2])
    return _words(key.number, step_names(gettext)[key], field, change)


def _words(number: int | None, heading: str, field: str, change: Change) -> ChangeWords:
    return ChangeWords(number, heading, field, _plain(change.before), _plain(change.after))


def _plain(value: Any) -> str:
    if value is None or value in ([], ""):
        return "–"
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')}: {_plain(inner)}" for name, inner in value.items())
    return str(value)
