"""Forms of sign-in and the profile. What was typed stays, passwords excepted."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from app.features.identity.passwords import LONGEST, SHORTEST
from app.infra.locales import LANGUAGES

_MISSING = _l("Fill this in.")
_EMAIL = {"autocomplete": "username", "inputmode": "email", "spellcheck": "false", "autocapitalize": "none"}


class SignInForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """E-mail and password."""

    email = EmailField(_l("E-mail"), validators=[InputRequired(_MISSING), Length(max=320)], render_kw=_EMAIL)
    password = PasswordField(
        _l("Password"),
        validators=[InputRequired(_MISSING), Length(max=LONGEST)],
        render_kw={"autocomplete": "current-password"},
    )


_NEW = {"autocomplete": "new-password", "minlength": SHORTEST, "maxlength": LONGEST}
_NEW_HINT = _l("At least 15 characters. A few words in a row are good; you may paste it from a password manager.")


class ForgottenForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """The address a link to a new password goes to."""

    email = EmailField(_l("E-mail"), validators=[InputRequired(_MISSING), Length(max=320)], render_kw=_EMAIL)


class NewPasswordForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A new password."""

    password = PasswordField(
        _l("New password"), description=_NEW_HINT, validators=[InputRequired(_MISSING)], render_kw=_NEW
    )


class WelcomeForm(NewPasswordForm):
    """A new user's name and password."""

    name = StringField(
        _l("Your name"), validators=[InputRequired(_MISSING), Length(max=200)], render_kw={"autocomplete": "name"}
    )


class ChangePasswordForm(NewPasswordForm):
    """A new password, and the old one to prove who asks."""

    old = PasswordField(
        _l("Password so far"),
        validators=[InputRequired(_MISSING), Length(max=LONGEST)],
        render_kw={"autocomplete": "current-password"},
    )


class ProfileForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """What a user sets for themselves, in every organization."""

    name = StringField(
        _l("Name"), validators=[InputRequired(_MISSING), Length(max=200)], render_kw={"autocomplete": "name"}
    )
    locale = SelectField(
        _l("Language"),
        choices=[
            SelectChoice("", _l("As the organization")),
            *(SelectChoice(locale, name) for locale, name in LANGUAGES.items()),
        ],
    )
    time_zone = SelectField(_l("Time zone"), description=_l("Dates and times are shown in it."))
    theme = RadioField(
        _l("Appearance"),
        choices=[
            SelectChoice("system", _l("As my device")),
            SelectChoice("light", _l("Light")),
            SelectChoice("dark", _l("Dark")),
        ],
    )
