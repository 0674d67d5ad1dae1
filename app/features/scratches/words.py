"""Changes and what they do, in sentences of the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import format_date, gettext, ngettext

from app.domain.schedule import Why
from app.domain.steps import StepKey
from app.domain.what_if import Impossible, Kind, Late, Trouble
from app.features.occupations.words import EDUCATION
from app.features.steps.opportunities.words import kind_words
from app.features.steps.parts import paths_of

Contents = Mapping[StepKey, Mapping[str, Any]]
# The step in which a change would be made for good.
STEP_OF = {
    Kind.OCCUPATION: StepKey.CAREER_CHOICE,
    Kind.PATH: StepKey.CAREER_PATH,
    Kind.EDUCATION: StepKey.OPPORTUNITIES,
    Kind.FACTOR: StepKey.OPPORTUNITIES,
    Kind.GOAL_DAY: StepKey.GOALS,
    Kind.GOAL_DROPPED: StepKey.GOALS,
    Kind.ACTION_DAYS: StepKey.ACTION_PLAN,
    Kind.ACTION_DROPPED: StepKey.ACTION_PLAN,
    Kind.HOURS: StepKey.ACTION_PLAN,
}


def day(value: str | None) -> str:
    """A stored day in the reader's way; "no day" for none."""
    return str(format_date(date.fromisoformat(value), "long") if value else gettext("no day"))


def name_in(contents: Contents, step: StepKey, rows: str, row_id: str | None, key: str = "text") -> str:
    """What a row is called; a question mark for one that is gone."""
    found = next((row for row in contents.get(step, {}).get(rows) or () if row["id"] == row_id), None)
    return str((found or {}).get(key) or "?")


def change_sentence(change: Mapping[str, Any], contents: Contents) -> str:
    """A change in one sentence; names come from the copy."""
    kind = Kind(change["kind"])
    goal = name_in(contents, StepKey.GOALS, "goals", change.get("goal"))
    action = name_in(contents, StepKey.ACTION_PLAN, "actions", change.get("action"))
    if kind is Kind.OCCUPATION:
        named = change.get("name") or name_in(contents, StepKey.CAREER_CHOICE, "options", change.get("option"), "name")
        said = gettext("Another occupation: “%(name)s”", name=named)
    elif kind is Kind.PATH:
        said = gettext("Another way: “%(name)s”", name=paths_of(contents, gettext).get(change.get("path", ""), "?"))
    elif kind is Kind.EDUCATION:
        said = gettext("Education: %(level)s", level=EDUCATION[change["level"] - 1])
    elif kind is Kind.FACTOR:
        text = name_in(contents, StepKey.OPPORTUNITIES, "factors", change.get("factor"))
        turned = kind_words(gettext)[change["turned"]]
        said = gettext("The factor “%(text)s” turns into: %(kind)s", text=text, kind=turned)
    elif kind is Kind.GOAL_DAY:
        said = gettext("The goal “%(text)s” is due: %(day)s", text=goal, day=day(change.get("due_on")))
    elif kind is Kind.GOAL_DROPPED:
        said = gettext("The goal “%(text)s” is dropped", text=goal)
    elif kind is Kind.ACTION_DROPPED:
        said = gettext("The action “%(text)s” is dropped", text=action)
    elif kind is Kind.HOURS:
        number = change["hours_week"]
        said = ngettext("%(num)s hour a week for the plan", "%(num)s hours a week for the plan", number)
    elif change.get("start_on") and change.get("due_on"):
        days = {"start": day(change["start_on"]), "due": day(change["due_on"])}
        said = gettext("The action “%(text)s” runs from %(start)s to %(due)s", text=action, **days)
    elif change.get("start_on"):
        said = gettext("The action “%(text)s” starts on %(day)s", text=action, day=day(change["start_on"]))
    else:
        said = gettext("The action “%(text)s” is due on %(day)s", text=action, day=day(change["due_on"]))
    return str(said)


def late_sentence(late: Late) -> str:
    """Why an action is late or at risk."""
    risk, text, other = late.risk, late.text, late.other or "?"
    days = ngettext("%(num)s day", "%(num)s days", risk.days)
    if risk.why is Why.LATE:
        said = gettext("“%(text)s” is %(days)s late.", text=text, days=days)
    elif risk.why is Why.NOT_BEGUN:
        said = gettext("“%(text)s” should have begun %(days)s ago.", text=text, days=days)
    elif risk.why is Why.WAITS:
        said = gettext(
            "“%(text)s” waits for “%(other)s”, which ends %(days)s after its start.", text=text, other=other, days=days
        )
    elif risk.why is Why.TOO_LITTLE_TIME:
        said = gettext("“%(text)s” ends %(days)s after its due day.", text=text, days=days)
    elif risk.why is Why.DROPPED_BEFORE:
        said = gettext("“%(text)s” waits for “%(other)s”, which is dropped.", text=text, other=other)
    else:
        month = format_date(risk.month, "MMMM y") if risk.month else "?"
        said = gettext(
            "“%(text)s” falls into %(month)s, for which more hours are planned than there are.", text=text, month=month
        )
    return str(said)


def impossible_sentence(one: Impossible) -> str:
    """What cannot be, and why."""
    days = ngettext("%(num)s day", "%(num)s days", one.days)
    words = {"text": one.text, "other": one.other, "days": days}
    if one.what is Trouble.DUE_BEFORE_START:
        said = gettext("“%(text)s” is due %(days)s before it starts.", **words)
    elif one.what is Trouble.GOAL_AFTER_PARENT:
        said = gettext("The goal “%(text)s” is due %(days)s after “%(other)s”, which it serves.", **words)
    elif one.what is Trouble.ACTION_AFTER_GOAL:
        said = gettext("The action “%(text)s” is due %(days)s after its goal “%(other)s”.", **words)
    elif one.what is Trouble.CIRCLE:
        said = gettext("These actions wait for each other in a circle: %(text)s.", text=one.text)
    elif one.what is Trouble.NO_ROUTE:
        said = gettext("The catalogue has no route from “%(other)s” to “%(text)s” in six steps or fewer.", **words)
    else:
        said = gettext(
            "“%(text)s”: %(percent)s percent of its jobs ask for at most the education there is; the typical one asks "
            "for %(levels)s more.",
            text=one.text,
            percent=one.other,
            levels=ngettext("%(num)s level", "%(num)s levels", one.days),
        )
    return str(said)
