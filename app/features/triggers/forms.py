"""The forms of a rule, of the day's number, and of an event."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.domain.errors import InvalidInput
from app.domain.saying import Say
from app.domain.triggers import NUMBERS, Reach, Rule, Trigger
from app.features.occupations.families import FAMILIES
from app.features.steps.action_plan.words import kind_words as action_words
from app.features.steps.parts import way_words
from app.features.triggers.commands import RecordEvent

_REACHES = (("any", _("any that a plan names")), ("chosen", _("only the one that is chosen or aimed at")))


class RuleForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A rule: on or off, its number, which references count."""

    active = BooleanField(_("Open reviews for this"))
    number = IntegerField(validators=[Optional()])
    reach = SelectField(_("Occupations that count"), choices=[SelectChoice(*pair) for pair in _REACHES])

    def keep_fields_of(self, kind: Trigger) -> None:
        """Take out the fields that a rule of this kind does not have."""
        if kind not in NUMBERS:
            del self.number
        if kind is not Trigger.CATALOGUE_MOVED:
            del self.reach

    def fill(self, rule: Rule) -> None:
        """Show a rule."""
        self.active.data = rule.active
        for field, value in ((self.number, rule.number), (self.reach, rule.reach)):
            if field is not None:
                field.data = value

    def rule(self, before: Rule) -> Rule:
        """The rule typed in; what the kind does not have stays as it was."""
        number = before.number if self.number is None else self.number.data
        reach = before.reach if self.reach is None else _reach(self.reach.data)
        return Rule(before.kind, bool(self.active.data), number, reach)


class LimitForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """How many reviews may open in a day."""

    a_day = IntegerField(
        _("Reviews opened in a day, at most"), validators=[InputRequired(_("Enter a number of reviews."))]
    )


def _many(label: object) -> SelectMultipleField:
    return SelectMultipleField(label, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput())


class EventForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """What happened, and what of plans it touches."""

    title = StringField(
        _("What happened"),
        validators=[InputRequired(_("Say in a line what happened."))],
        description=_("Those it touches read this line, with the day and the sentence below it."),
    )
    words = TextAreaField(
        _("What it means for those it touches"),
        validators=[InputRequired(_("Write what those it touches should know."))],
        description=_("They read this sentence when a review of their plan opens."),
    )
    happened_on = DateField(_("Day"), validators=[InputRequired(_("Enter the day, such as 2026-10-01."))])
    occupations = StringField(
        _("Occupations"),
        description=_("Codes of the catalogue with commas between them, such as 15-2051.00, 15-1252.00."),
    )
    reach = SelectField(_("Occupations that count"), choices=[SelectChoice(*pair) for pair in _REACHES])
    families = _many(_("Job families"))
    paths = _many(_("Ways that are chosen"))
    actions = _many(_("Kinds of actions that are not done"))
    cohort = SelectField(
        _("Only members of"),
        validators=[Optional()],
        description=_("With a cohort and nothing else all its members' plans are touched."),
    )

    def offer(self, cohorts: Sequence[tuple[UUID, str]], say: Say) -> None:
        """Put in what can be chosen."""
        self.families.choices = [SelectChoice(code, name) for code, name in FAMILIES.items()]
        self.paths.choices = [SelectChoice(*pair) for pair in way_words(say).items()]
        self.actions.choices = [SelectChoice(*pair) for pair in action_words(say).items()]
        self.cohort.choices = [SelectChoice("", _("everybody")), *(SelectChoice(str(i), name) for i, name in cohorts)]

    def command(self) -> RecordEvent:
        """The event typed in."""
        return RecordEvent(
            title=self.title.data or "",
            words=self.words.data or "",
            happened_on=self.happened_on.data,
            occupations=tuple(re.split(r"[\s,;]+", (self.occupations.data or "").strip(" \t\r\n,;")))
            if (self.occupations.data or "").strip(" \t\r\n,;")
            else (),
            families=tuple(self.families.data or ()),
            paths=tuple(self.paths.data or ()),
            actions=tuple(self.actions.data or ()),
            cohort_id=UUID(self.cohort.data) if self.cohort.data else None,
            reach=_reach(self.reach.data),
        )


def put_problems(form: FlaskForm, error: InvalidInput) -> None:
    """Say each problem beside its field."""
    for problem in error.problems:
        name = problem.field if problem.field in form else next(iter(form)).name
        form[name].errors = [*form[name].errors, problem.sentence]


def _reach(written: str | None) -> Reach:
    return "chosen" if written == "chosen" else "any"
