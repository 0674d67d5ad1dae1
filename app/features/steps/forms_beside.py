"""Forms beside a step's content: a reason, a due day, a comment."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import DateField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from app.features.plans.service import MOST_COMMENT


class ReasonForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Why something is done; whether it is needed is the use case's to say."""

    reason = TextAreaField(_("Reason"), validators=[Length(max=2000)])


class DueForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A due day, or none."""

    due_on = DateField(_("Due day"), validators=[Optional()], description=_("Leave it empty for no due day."))


class CommentForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A remark in the thread."""

    body = TextAreaField(_("Your comment"), validators=[DataRequired(_("Write a comment.")), Length(max=MOST_COMMENT)])
