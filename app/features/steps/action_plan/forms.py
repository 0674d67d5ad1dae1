"""Step 7 as a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import DateField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.features.plans.rooms import Content, Surroundings
from app.features.steps.action_plan.report import goal_names
from app.features.steps.action_plan.words import kind_words, status_words
from app.features.steps.parts import action_status, aside, paths_of, written
from app.features.steps.rowforms import Part, RoomForm, RowForm, choices, pick, rows, text_or_none

_KEPT = ("begun_at", "done_on", "done")


def whole_number(label: str, description: str = "") -> StringField:
    """A whole number typed as text, so that what is no number comes back with a sentence; nothing typed is None."""
    return StringField(label, description=description, render_kw={"inputmode": "numeric"})


def read_whole(typed: str) -> int | str | None:
    """A number of few digits, or what was typed as it stands, which the room refuses; None for nothing."""
    plain = typed.strip()
    if not plain:
        return None
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 7 else plain


class ActionRow(RowForm):
    """One action; effort, order and what shows it are folded away."""

    text = StringField(_("What will I do?"))
    kind = pick(_("Kind"), kind_words(_).items())
    goal = pick(_("For the goal"), ())
    start_on = DateField(_("Start"), validators=[Optional()])
    due_on = DateField(_("Done by"), validators=[Optional()])
    after = SelectMultipleField(
        _("It can begin only after"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validate_choice=False,
    )
    path = pick(_("It belongs to the way"), ())
    hours = whole_number(_("Hours in all"))
    hours_week = whole_number(_("Or hours in each week"))
    status = SelectField(
        _("How does it stand?"),
        choices=[SelectChoice("" if status == "planned" else status, word) for status, word in status_words(_).items()],
        coerce=text_or_none,
        validate_choice=False,
    )
    dropped_why = StringField(_("If given up: why?"))
    evidence = StringField(_("What shows that it is done?"))
    evidence_link = StringField(
        _("A link that shows it"),
        description=_("The whole address, beginning with https://"),
        render_kw={"inputmode": "url"},
    )

    @classmethod
    def from_content(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """What Octant keeps is no field; an action that is planned has nothing chosen."""
        status = action_status(row)
        plain = super().from_content({name: value for name, value in row.items() if name not in _KEPT})
        numbers = {name: "" if row.get(name) is None else str(row[name]) for name in ("hours", "hours_week")}
        return plain | numbers | {"status": "" if status == "planned" else status}

    def content(self) -> dict[str, Any]:
        """The row as the room reads it."""
        plain = super().content()
        numbers = {name: read_whole(plain[name]) for name in ("hours", "hours_week")}
        return plain | numbers | {"after": plain["after"] or []}


class ActionPlanForm(RoomForm):
    """The actions, and how many hours there are for them."""

    guided = (
        Part("actions", ("actions",), template="steps/action_plan_rows.html", tools=True),
        Part("hours_a_week", ("hours_a_week",)),
    )
    actions = rows(ActionRow, _("What I will do"), _("One action in each box. Empty a box to remove it."))
    hours_a_week = whole_number(
        _("How many hours a week have I for all of this?"),
        _("Octant then says in which months too much is planned. Leave it empty if you do not know."),
    )

    @classmethod
    def from_content(cls, content: Content) -> dict[str, Any]:
        """Numbers become text."""
        hours = content.get("hours_a_week")
        return super().from_content(content) | {"hours_a_week": "" if hours is None else str(hours)}

    def content(self) -> dict[str, Any]:
        """Text becomes numbers."""
        plain = super().content()
        return plain | {"hours_a_week": read_whole(plain["hours_a_week"])}

    def choose(self, content: Content, around: Surroundings) -> None:
        """An action may serve any goal of step 6 and wait for any other stored action."""
        goals = choices(gettext("none"), goal_names(around).items())
        paths = choices(gettext("whichever way I take"), paths_of(around.contents, gettext).items())
        stored = written(content, "actions", "text")
        known = {row["id"]: row for row in stored}
        for entry in self.actions:
            form = entry.form
            form.goal.choices = goals
            form.path.choices = paths
            form.after.choices = [SelectChoice(row["id"], row["text"]) for row in stored if row["id"] != form.id.data]
            form.aside = aside(known.get(form.id.data, {}), around.contents)
            form.stored = form.id.data in known
