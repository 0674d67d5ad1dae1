"""The forms of bulk edits, one for each kind, and what can be chosen in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import DateField, IntegerField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.domain.pauses import PERSONAL_KINDS
from app.features.clients.labels import visible_labels
from app.features.clients.queries import attributes
from app.features.cohorts.models import Cohort
from app.features.outcomes.forms import GraduationForm
from app.features.plans.queries import terms_of
from app.features.plans.words import step_names
from app.infra.db.open import UnitOfWork
from app.infra.web.words import say_here

_STEPS = range(1, 9)


class DueForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Which steps, and where their days go."""

    steps = SelectMultipleField(
        _("Steps"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_("Steps that are completed or skipped keep their day."),
    )
    mode = RadioField(
        _("Where the days go"),
        choices=[
            SelectChoice("set", _("To this day")),
            SelectChoice("shift", _("By this many working days")),
            SelectChoice("align", _("To a term")),
        ],
        default="set",
    )
    day = DateField(_("Day"), validators=[Optional()])
    by = IntegerField(
        _("Working days"),
        validators=[Optional()],
        description=_("Later; with a minus sign earlier. Weekends and your organization's holidays do not count."),
    )
    term = SelectField(_("Term"), validators=[Optional()])
    edge = SelectField(
        _("Its"), choices=[SelectChoice("start", _("first day")), SelectChoice("end", _("last day"))], default="start"
    )
    offset = IntegerField(
        _("Days after it"), validators=[Optional()], description=_("With a minus sign, days before it.")
    )


def _offer_due(uow: UnitOfWork, form: FlaskForm) -> None:
    names = list(step_names(say_here).values())
    form.steps.choices = [SelectChoice(str(number), f"{number} {names[number - 1]}") for number in _STEPS]
    if form.steps.raw_data is None:
        form.steps.data = [str(number) for number in _STEPS]
    form.term.choices = [SelectChoice(term.name, term.name) for term in terms_of(uow)]


class CohortForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Which cohort, and whether people come or go."""

    cohort_id = SelectField(_("Cohort"), description=_("Cohorts that fill themselves by a rule are not listed."))
    act = RadioField(
        _("What happens"),
        choices=[SelectChoice("add", _("Put them in")), SelectChoice("remove", _("Take them out"))],
        default="add",
    )


def _offer_cohorts(uow: UnitOfWork, form: FlaskForm) -> None:
    rows = uow.session.execute(
        select(Cohort.id, Cohort.name)
        .where(Cohort.kind == "fixed", Cohort.archived_at.is_(None))
        .order_by(Cohort.name, Cohort.id)
    )
    form.cohort_id.choices = [SelectChoice(str(row.id), row.name) for row in rows]


class LabelForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Which label, and whether it is put on or taken off."""

    label_id = SelectField(_("Label"))
    act = RadioField(
        _("What happens"),
        choices=[SelectChoice("add", _("Put it on")), SelectChoice("remove", _("Take it off"))],
        default="add",
    )


def _offer_labels(uow: UnitOfWork, form: FlaskForm) -> None:
    form.label_id.choices = [SelectChoice(str(label.id), label.name) for label in visible_labels(uow)]


class AttributeEditForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Which attribute, and its value for all of them."""

    key = SelectField(_("Attribute"))
    act = RadioField(
        _("What happens"),
        choices=[
            SelectChoice("set", _("All get this value")),
            SelectChoice("clear", _("Their value is taken off")),
        ],
        default="set",
    )
    value = StringField(
        _("Value"),
        description=_("As it is written for one person: a day as 2026-10-01, yes or no, a choice by its name."),
    )


def _offer_attributes(uow: UnitOfWork, form: FlaskForm) -> None:
    form.key.choices = [SelectChoice(attribute.key, attribute.label) for attribute in attributes(uow)]


class PauseForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Why, and from when until when."""

    kind = SelectField(_("Why"))
    starts_on = DateField(_("First day"), validators=[Optional()])
    ends_on = DateField(
        _("Last day"), validators=[Optional()], description=_("Without one it goes on until somebody ends it.")
    )


class ResumeForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Nothing is asked: the pauses that are on today end."""


def _offer_pauses(_uow: UnitOfWork, form: FlaskForm) -> None:
    words = {
        "leave": gettext("Leave of absence"),
        "exchange": gettext("Exchange term"),
        "graduation": gettext("Graduation"),
        "other": gettext("Something else"),
    }
    form.kind.choices = [SelectChoice(kind, words[kind]) for kind in PERSONAL_KINDS]


class LetterToManyForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """One mail for all of them."""

    subject = StringField(_("Subject"), validators=[InputRequired(_("Fill this in."))])
    text = TextAreaField(
        _("Text"),
        description=_("Your name and your organization are put below it. An answer comes to your address."),
        validators=[InputRequired(_("Fill this in."))],
    )


class AskOutcomeForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Nothing is asked: the mail and its link are the same for all."""


FORMS: Mapping[str, type[FlaskForm]] = {
    "due": DueForm,
    "label": LabelForm,
    "cohort": CohortForm,
    "attribute": AttributeEditForm,
    "pause": PauseForm,
    "resume": ResumeForm,
    "message": LetterToManyForm,
    "graduation": GraduationForm,
    "ask_outcome": AskOutcomeForm,
}
# Puts what can be chosen into a form.
OFFERS: Mapping[str, Callable[[UnitOfWork, FlaskForm], None]] = {
    "due": _offer_due,
    "label": _offer_labels,
    "cohort": _offer_cohorts,
    "attribute": _offer_attributes,
    "pause": _offer_pauses,
}
