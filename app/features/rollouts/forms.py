"""The forms of a roll-out: how to begin, and how to go on."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, IntegerField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange, Optional

from app.features.rollouts.service import MOST_CONFLICTS

_LIMIT = [Optional(), NumberRange(0, MOST_CONFLICTS, _("Choose a number of 0 or more, or leave it empty."))]
_STAGES = [
    SelectChoice("5", _("one plan in twenty")),
    SelectChoice("25", _("one plan in four")),
    SelectChoice("100", _("all plans at once")),
]


class StartForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """The first stage, the limit, and whether those who join later get the version too."""

    percent = RadioField(
        _("Begin with"),
        choices=_STAGES,
        default="5",
        description=_("The next stage begins when you say so, after looking at this one."),
    )
    most_conflicts = IntegerField(
        _("Stop when there are more conflicts than"),
        validators=_LIMIT,
        description=_("A conflict is a step in which a person's own change stays. Empty: never stop."),
    )
    standing = BooleanField(_("People who join later through a standing assignment get this version"), default=True)
    choice = HiddenField()
    # Names this form, so that sending it twice begins one.
    key = HiddenField()


class NextForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """The next stage: which it is, and how many conflicts are allowed from now on."""

    most_conflicts = IntegerField(_("Allow conflicts up to"), validators=_LIMIT)
    number = HiddenField()
