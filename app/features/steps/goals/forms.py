"""Step 6 as a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import DateField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from app.features.plans.rooms import Content, Surroundings
from app.features.steps.goals.figures import locked_since
from app.features.steps.goals.words import horizon_words, smart_words, status_words
from app.features.steps.parts import aside, day_of, paths_of, written
from app.features.steps.rowforms import Part, RoomForm, RowForm, choices, pick, rows, scale, whole_or_none

LEVEL_FIELDS = {"level_a": "-2", "level_b": "-1", "level_c": "0", "level_d": "1", "level_e": "2"}
LEVEL_LABELS = {
    "level_a": _("Much less than I expect (−2)"),
    "level_b": _("Less than I expect (−1)"),
    "level_c": _("What I expect (0)"),
    "level_d": _("More than I expect (+1)"),
    "level_e": _("Much more than I expect (+2)"),
}
_QUESTIONS = smart_words(_)
_NO_CHOICE = ("", "None", None)
_YES_NO: dict[bool | None, str] = {True: "yes", False: "no"}


def _yes_no(label: str) -> SelectField:
    return SelectField(
        label,
        choices=[SelectChoice("", "–"), SelectChoice("yes", _("yes")), SelectChoice("no", _("no"))],
        validate_choice=False,
    )


class GoalRow(RowForm):
    """One goal; the five questions, the five levels and where it is now are folded away."""

    text = StringField(_("Goal"))
    horizon = pick(_("How far ahead?"), horizon_words(_).items())
    measure = StringField(_("How will I know that I reached it?"))
    due_on = DateField(_("By"), validators=[Optional()])
    parent = pick(_("It serves the larger goal"), ())
    path = pick(_("It belongs to the way"), ())
    weight = scale(_("How much does it weigh? (1 to 5)"))
    level_a = StringField(LEVEL_LABELS["level_a"])
    level_b = StringField(LEVEL_LABELS["level_b"])
    level_c = StringField(LEVEL_LABELS["level_c"])
    level_d = StringField(LEVEL_LABELS["level_d"])
    level_e = StringField(LEVEL_LABELS["level_e"])
    level = SelectField(_("Where is it now?"), validate_choice=False)
    status = pick(_("How does it stand?"), status_words(_).items())
    dropped_why = StringField(_("If given up: why?"))
    specific_yes = _yes_no(_QUESTIONS["specific"])
    specific_why = StringField(_("Why?"))
    measurable_yes = _yes_no(_QUESTIONS["measurable"])
    measurable_why = StringField(_("Why?"))
    attainable_yes = _yes_no(_QUESTIONS["attainable"])
    attainable_why = StringField(_("Why?"))
    relevant_yes = _yes_no(_QUESTIONS["relevant"])
    relevant_why = StringField(_("Why?"))
    timed_yes = _yes_no(_QUESTIONS["timed"])
    timed_why = StringField(_("Why?"))

    @classmethod
    def from_content(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """Levels and answers become one field each."""
        plain = super().from_content(row)
        levels, smart = plain.pop("levels", None) or {}, plain.pop("smart", None) or {}
        for name in _QUESTIONS:
            answer = smart.get(name) or {}
            plain[f"{name}_yes"] = _YES_NO.get(answer.get("yes"), "")
            plain[f"{name}_why"] = answer.get("why", "")
        plain["level"] = "" if row.get("level") is None else str(row["level"])
        return plain | {name: levels.get(level, "") for name, level in LEVEL_FIELDS.items()}

    def content(self) -> dict[str, Any]:
        """One field each becomes levels and answers; what is not described is left out."""
        plain = super().content()
        levels = {level: said for name, level in LEVEL_FIELDS.items() if (said := plain.pop(name))}
        smart = {}
        for name in _QUESTIONS:
            yes, why = plain.pop(f"{name}_yes"), plain.pop(f"{name}_why")
            if yes or why:
                smart[name] = {"yes": {"yes": True, "no": False}.get(yes or ""), "why": why}
        level = plain.pop("level")
        # What is no number stays as it is, and the room refuses it.
        plain["level"] = None if level in _NO_CHOICE else level if (number := whole_or_none(level)) is None else number
        return plain | {"levels": levels, "smart": smart}


class GoalsForm(RoomForm):
    """The goals."""

    guided = (Part("goals", ("goals",), template="steps/goals.html", tools=True),)
    goals = rows(GoalRow, _("My goals"), _("One goal in each box. Empty a box to remove it."))

    def choose(self, content: Content, around: Surroundings) -> None:
        """A goal may serve any other stored goal; levels that are locked are shown and not typed over."""
        written_goals = written(content, "goals", "text")
        known = {row["id"]: row for row in written_goals}
        paths = choices(gettext("whichever way I take"), paths_of(around.contents, gettext).items())
        for entry in self.goals:
            form = entry.form
            stored = known.get(form.id.data, {})
            others = [(row["id"], row["text"]) for row in written_goals if row["id"] != form.id.data]
            form.parent.choices = choices(gettext("none"), others)
            form.path.choices = paths
            form.level.choices = [SelectChoice("", gettext("not said yet")), *_level_choices(form)]
            form.locked_on = day_of((locked_since(stored, around) or "")[:10])
            form.aside = aside(stored, around.contents)
            for name in LEVEL_FIELDS if form.locked_on else ():
                form[name].render_kw = {"readonly": True}


def _level_choices(form: RowForm) -> list[SelectChoice]:
    labels = []
    for name, level in LEVEL_FIELDS.items():
        said = form[name].data
        labels.append(SelectChoice(level, f"{form[name].label.text}: {said}" if said else form[name].label.text))
    return labels
