"""The form of a change to try; each kind of change shows and reads its own fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import DateField, Field, IntegerField, SelectField, StringField, ValidationError
from wtforms.validators import Length, Optional

from app.domain.reading import FIRST_DAY, LAST_DAY
from app.domain.steps import StepKey
from app.domain.what_if import Kind
from app.features.occupations.words import EDUCATION
from app.features.scratches.service import MOST_TITLE
from app.features.steps.opportunities.words import kind_words
from app.features.steps.parts import path_name, written
from app.features.steps.rowforms import choices

_MOST_NAME = 300


def _pick(label: Any) -> SelectField:
    return SelectField(label, choices=[], validate_choice=False)


def _between(low: Any, high: Any, sentence: Any) -> Callable[[FlaskForm, Field], None]:
    """A validator that refuses what lies outside, days and numbers of any length alike."""

    def check(_form: FlaskForm, field: Field) -> None:
        if field.data is not None and not low <= field.data <= high:
            raise ValidationError(sentence)

    return check


def _day(label: Any, description: Any = "") -> DateField:
    bounds = _between(FIRST_DAY, LAST_DAY, _("Give a day between 1900 and 2200."))
    return DateField(label, validators=[Optional(), bounds], description=description)


class BeginForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A new copy; its title is for oneself."""

    title = StringField(_("What do you want to try?"), validators=[Length(max=MOST_TITLE)])


class ChangeForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """All that can be tried. Which fields are read is decided by the kind."""

    option = _pick(_("One of the options"))
    name = StringField(
        _("Or any other"),
        validators=[Length(max=_MOST_NAME)],
        description=_("A title or a code of the catalogue, or a name of your own."),
    )
    path = _pick(_("The way"))
    level = _pick(_("The level of education"))
    factor = _pick(_("The factor"))
    turned = _pick(_("What it turns into"))
    goal = _pick(_("The goal"))
    goal_due_on = _day(_("Due on"), _("Leave it empty for no day."))
    dropped_goal = _pick(_("The goal to drop"))
    action = _pick(_("The action"))
    action_start_on = _day(_("Starts on"), _("Leave it empty to keep its day."))
    action_due_on = _day(_("Done by"), _("Leave it empty to keep its day."))
    dropped_action = _pick(_("The action to drop"))
    hours_week = IntegerField(
        _("Hours a week"),
        validators=[Optional(), _between(0, 168, _("Give a whole number from 0 to 168."))],
    )

    def offer(self, contents: Mapping[StepKey, Mapping[str, Any]]) -> None:
        """Set the choices from the copy's contents."""

        def rows(step: StepKey, name: str, key: str = "text") -> list[tuple[str, str]]:
            return [(row["id"], row[key]) for row in written(contents.get(step, {}), name, key)]

        goals, actions = rows(StepKey.GOALS, "goals"), rows(StepKey.ACTION_PLAN, "actions")
        paths = written(contents.get(StepKey.CAREER_PATH, {}), "paths", "kind")
        offered = {
            "option": rows(StepKey.CAREER_CHOICE, "options", "name"),
            "path": [(row["id"], path_name(row, gettext)) for row in paths],
            "level": [(str(number), str(words)) for number, words in enumerate(EDUCATION, start=1)],
            "factor": rows(StepKey.OPPORTUNITIES, "factors"),
            "turned": list(kind_words(gettext).items()),
            "goal": goals,
            "dropped_goal": goals,
            "action": actions,
            "dropped_action": actions,
        }
        for name, options in offered.items():
            self[name].choices = choices(gettext("Choose"), options)

    def change(self, kind: Kind) -> dict[str, Any]:
        """The change as typed; what is not chosen is left out."""
        read: dict[Kind, dict[str, Any]] = {
            Kind.OCCUPATION: {"option": self.option.data},
            Kind.PATH: {"path": self.path.data},
            Kind.EDUCATION: {"level": _whole(self.level.data)},
            Kind.FACTOR: {"factor": self.factor.data, "turned": self.turned.data},
            Kind.GOAL_DAY: {"goal": self.goal.data, "due_on": _iso(self.goal_due_on.data)},
            Kind.GOAL_DROPPED: {"goal": self.dropped_goal.data},
            Kind.ACTION_DAYS: {
                "action": self.action.data,
                "start_on": _iso(self.action_start_on.data),
                "due_on": _iso(self.action_due_on.data),
            },
            Kind.ACTION_DROPPED: {"action": self.dropped_action.data},
            Kind.HOURS: {"hours_week": self.hours_week.data},
        }
        return {"kind": kind.value} | {name: value for name, value in read[kind].items() if value not in ("", None)}


# The fields of each kind, in the order a page shows them; the first takes what is wrong with the change as a whole.
SHOWN: Mapping[Kind, tuple[str, ...]] = {
    Kind.OCCUPATION: ("option", "name"),
    Kind.PATH: ("path",),
    Kind.ACTION_DAYS: ("action", "action_start_on", "action_due_on"),
    Kind.ACTION_DROPPED: ("dropped_action",),
    Kind.GOAL_DAY: ("goal", "goal_due_on"),
    Kind.GOAL_DROPPED: ("dropped_goal",),
    Kind.HOURS: ("hours_week",),
    Kind.FACTOR: ("factor", "turned"),
    Kind.EDUCATION: ("level",),
}


def kind_titles() -> dict[Kind, str]:
    """What each kind of change is called, in the reader's language."""
    return {
        Kind.OCCUPATION: gettext("Another occupation"),
        Kind.PATH: gettext("Another way"),
        Kind.ACTION_DAYS: gettext("Other days for an action"),
        Kind.ACTION_DROPPED: gettext("Without an action"),
        Kind.GOAL_DAY: gettext("Another day for a goal"),
        Kind.GOAL_DROPPED: gettext("Without a goal"),
        Kind.HOURS: gettext("Other hours a week"),
        Kind.FACTOR: gettext("A factor turns"),
        Kind.EDUCATION: gettext("Another level of education"),
    }


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _whole(value: Any) -> int | None:
    text = str(value or "")
    return int(text) if len(text) <= 2 and text.isdecimal() else None
