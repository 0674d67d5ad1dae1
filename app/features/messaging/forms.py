"""Forms of the settings of messages: an organization's own words for a mail, and its webhook."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from app.features.messaging.wordings import MOST_BODY, MOST_SUBJECT

_MISSING = _l("Fill this in.")


class WordsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Subject and text of a mail, with places."""

    subject = StringField(_l("Subject"), validators=[InputRequired(_MISSING), Length(max=MOST_SUBJECT)])
    body = TextAreaField(
        _l("Text"),
        description=_l("An empty line begins a new paragraph. The line that ends such mail is added by itself."),
        validators=[InputRequired(_MISSING), Length(max=MOST_BODY)],
    )


class WebhookForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Where an organization's own systems are told."""

    url = StringField(
        _l("Address"),
        description=_l("It begins with https:// and lies in the public network."),
        validators=[InputRequired(_MISSING), Length(max=2000)],
    )
    active = BooleanField(_l("Tell this address"), default=True)
