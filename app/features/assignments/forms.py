"""The forms of an assignment: one for each kind of thing to give."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, DateTimeLocalField, IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange, Optional

from app.features.assignments.days import MOST_DAYS
from app.features.steps.parts import MOST_LINE


class AssignForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """What all kinds share: for later members, for those who leave, when it starts, and whether a mail tells of it."""

    standing = BooleanField(
        _("Also for people who join this cohort later"), description=_("They get it within a minute of joining.")
    )
    on_leaving = SelectField(
        _("Who leaves the cohort later"),
        choices=[
            SelectChoice("keep", _("keeps it")),
            SelectChoice("pause", _("keeps it, and is not asked to check in until they are back")),
            SelectChoice("withdraw", _("loses it, as long as nobody has worked on it")),
        ],
        default="keep",
        description=_("Counts only together with the tick above."),
    )
    starts_at = DateTimeLocalField(
        _("Start at"),
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        validators=[Optional()],
        description=_("Leave it empty to start now."),
    )
    tell = BooleanField(
        _("Tell each by mail"), description=_("One mail each. It counts among the mails a person may get in a week.")
    )
    # Names this form, so that sending it twice starts one job.
    key = StringField()


class TemplateGift(AssignForm):
    """A template, from which day."""

    template = SelectField(_("Template"), validators=[InputRequired(_("Choose a template."))])
    started_on = DateField(
        _("First day"),
        validators=[InputRequired(_("Enter the day the plan starts, such as 2026-09-07."))],
        description=_("Due dates of the steps count from this day, or from a term's start or end."),
    )
    from_joining = BooleanField(
        _("Later members start on the day they join"), description=_("Otherwise the first day stays as above.")
    )


class DueGift(AssignForm):
    """Something with a due day: a day, or so many days after each is given it."""

    due_on = DateField(_("Due on"), validators=[Optional()])
    due_in_days = IntegerField(
        _("Or due after so many days"),
        validators=[Optional(), NumberRange(0, MOST_DAYS)],
        description=_("Counted from the day each is given it, so that later members have as long."),
    )


class StepGift(DueGift):
    """One of the eight steps."""

    step = SelectField(_("Step"), validators=[InputRequired(_("Choose one of the eight steps."))])


class InstrumentGift(DueGift):
    """A questionnaire."""

    instrument = SelectField(_("Questionnaire"), validators=[InputRequired(_("Choose a questionnaire."))])


class ActionGift(DueGift):
    """An action."""

    action_kind = SelectField(_("Kind"), validators=[InputRequired(_("Choose what kind of action it is."))])
    action_text = StringField(
        _("What is to be done"),
        validators=[InputRequired(_("Say what is to be done."))],
        render_kw={"maxlength": MOST_LINE},
    )
    action_hours = IntegerField(_("Effort in hours"), validators=[Optional(), NumberRange(1, 10_000)])


FORMS: dict[str, type[AssignForm]] = {
    "template": TemplateGift,
    "step": StepGift,
    "due": StepGift,
    "instrument": InstrumentGift,
    "action": ActionGift,
}
