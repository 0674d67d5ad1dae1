"""The words of step 7 in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from app.domain.saying import Month, Say
from app.domain.schedule import Risk, Why


def kind_words(_: Say) -> dict[str, str]:
    """The kinds of actions."""
    return {
        "work": _("work"),
        "training": _("training"),
        "education": _("education"),
        "job_rotation": _("trying another role"),
    }


def month_words(month: date, _: Say) -> str:
    """The month of a day, as the reader writes months."""
    return _("%(month)s", month=Month(month))


def status_words(_: Say) -> dict[str, str]:
    """Where an action stands."""
    return {"planned": _("planned"), "begun": _("begun"), "done": _("done"), "dropped": _("given up")}


def risk_words(risk: Risk, names: Mapping[str, str], _: Say) -> str:
    """One reason why an action is late or at risk, as the rest of a sentence that begins with its name."""
    other = names.get(risk.other or "", "?")
    month = Month(risk.month) if risk.month else ""
    sentences = {
        Why.LATE: _("late, its due day is past; days since: %(days)s", days=risk.days),
        Why.NOT_BEGUN: _("not begun, its start day is past; days since: %(days)s", days=risk.days),
        Why.WAITS: _(
            "it cannot begin on its day: it waits for “%(other)s”, which ends after that; days too late: %(days)s",
            other=other,
            days=risk.days,
        ),
        Why.TOO_LITTLE_TIME: _("as things stand it ends after its due day; days too late: %(days)s", days=risk.days),
        Why.DROPPED_BEFORE: _("it waits for “%(other)s”, which was given up", other=other),
        Why.OVERLOAD: _("in %(month)s more hours are planned than there are", month=month),
        Why.NO_DAY: _("it has no due day"),
    }
    return sentences[risk.why]
