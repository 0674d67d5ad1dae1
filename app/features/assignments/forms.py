"""The form of an assignment."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, SelectField, StringField
from wtforms.validators import InputRequired


class AssignForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Which template, from which day, and whether later members of the cohort get it too."""

    template = SelectField(_("Template"), validators=[InputRequired(_("Choose a template."))])
    started_on = DateField(
        _("First day"),
        validators=[InputRequired(_("Enter the day the plan starts, such as 2026-09-07."))],
        description=_("Due dates of the steps count from this day, or from a term's start or end."),
    )
    standing = BooleanField(
        _("Also for people who join this cohort later"),
        description=_("They get the plan within a minute of joining; the first day stays as above."),
    )
    cohort = StringField(validators=[])
    # Names this form, so that sending it twice starts one job.
    key = StringField()
