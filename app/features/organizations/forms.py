"""Forms of people, settings, terms and tokens."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, EmailField, IntegerField, RadioField, SelectField, StringField
from wtforms.fields import SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ColorInput, ListWidget

from app.domain.access import SCOPES
from app.domain.wording import CLIENT_WORDS, COUNSELLOR_WORDS, first_large
from app.infra.locales import LANGUAGES
from app.infra.web.words import lazy_here, words_here

_MISSING = _l("Fill this in.")
# Roles one may be invited as.
ROLES = ("counsellor", "analyst", "admin")


def role_names() -> dict[str, str]:
    """What each role is called here: two of them by the organization's own words."""
    words = words_here()
    return {
        "admin": str(_("Administrator")),
        "counsellor": first_large(words["counsellor"]),
        "analyst": str(_("Analyst")),
        "client": first_large(words["client"]),
    }


def role_choices() -> list[SelectChoice]:
    """The roles one may be invited as, each with what it is for."""
    names = role_names()
    said = {
        "counsellor": _("%(role)s: plans of their own caseload", role=names["counsellor"]),
        "analyst": _("Analyst: aggregate figures only"),
        "admin": _("Administrator: everything of this organization"),
    }
    return [SelectChoice(role, said[role]) for role in ROLES]


SCOPE_NAMES = {
    "read": _l("Read people, plans, jobs and figures"),
    "plans": _l("Work on plans"),
    "assign": _l("Assign templates and steps"),
    "clients": _l("Change people, cohorts and imports"),
    "templates": _l("Change templates and instruments"),
    "reports": _l("Write reports"),
    "admin": _l("Change members and settings, read the audit log"),
}


class InviteForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Somebody to invite."""

    name = StringField(_l("Name"), validators=[InputRequired(_MISSING), Length(max=200)])
    email = EmailField(_l("E-mail"), validators=[InputRequired(_MISSING), Length(max=320)])
    role = RadioField(_l("Role"), choices=role_choices, default="counsellor", validators=[InputRequired(_MISSING)])


class SettingsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """How the organization is called and works; each hint says what the setting changes."""

    name = StringField(
        _l("Name"),
        description=_l("Stands at the top of every page, in mails and on reports."),
        validators=[InputRequired(_MISSING), Length(max=200)],
    )
    time_zone = SelectField(
        _l("Time zone"),
        description=_l("Decides when a day begins, and so when work is overdue and when prompts leave."),
    )
    locale = SelectField(
        _l("Language"),
        description=_l("Language of mails, reports and pages of people who chose none themselves."),
        choices=[SelectChoice(locale, name) for locale, name in LANGUAGES.items()],
    )
    client_word = SelectField(
        _l("Word for a client"),
        description=_l("How pages and mails call the people whose careers are planned."),
        choices=[SelectChoice(key, lazy_gettext(words[0])) for key, words in CLIENT_WORDS.items()],
    )
    counsellor_word = SelectField(
        _l("Word for a counsellor"),
        description=_l("How pages and mails call the people who look after them."),
        choices=[SelectChoice(key, lazy_gettext(words[0])) for key, words in COUNSELLOR_WORDS.items()],
    )
    own_accent = BooleanField(
        _l("Use our own colour"), description=_l("Without it, buttons and marks are in Octant's green.")
    )
    accent = StringField(
        _l("Colour"),
        description=_l("Colour of buttons, links and dials. It must be dark enough to be read on white."),
        widget=ColorInput(),
        validators=[Optional()],
    )
    shares_caseloads = BooleanField(
        lazy_here("Caseloads are open to all %(counsellors)s"),
        description=lazy_here("When off, each sees only the people of their own caseload."),
    )
    small_cell_threshold = IntegerField(
        _l("Smallest group shown in aggregates"),
        description=_l("Figures about fewer people than this, 5 to 30, are withheld so that nobody can be picked out."),
        validators=[InputRequired(_MISSING), NumberRange(5, 30, _l("Choose a number from 5 to 30."))],
    )
    contact_cap = IntegerField(
        lazy_here("Messages a %(client)s gets in a week"),
        description=_l(
            "From 1 to 20. What is more waits for the next week and leaves in one mail; what somebody asked for a"
            " moment ago is not counted."
        ),
        validators=[InputRequired(_MISSING), NumberRange(1, 20, _l("Choose a number from 1 to 20."))],
    )
    reports_kept_days = IntegerField(
        _l("Days that finished reports are kept"),
        description=_l(
            "From 1 to 3650, counted from the end of the job that wrote them. Then the reports, archives and workbooks"
            " are deleted; they can be written again at any time."
        ),
        validators=[InputRequired(_MISSING), NumberRange(1, 3650, _l("Choose a number from 1 to 3650."))],
    )


class TermForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A named range of days."""

    name = StringField(_l("Name of the term"), validators=[InputRequired(_MISSING), Length(max=80)])
    starts_on = DateField(_l("First day"), validators=[InputRequired(_l("Choose a day."))])
    ends_on = DateField(_l("Last day"), validators=[InputRequired(_l("Choose a day."))])


class TokenForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A personal token for programs."""

    name = StringField(_l("What it is for"), validators=[InputRequired(_MISSING), Length(max=80)])
    scopes = SelectMultipleField(
        _l("What it may do"),
        description=_l("Never more than you may do yourself."),
        choices=[SelectChoice(scope, SCOPE_NAMES.get(scope, scope)) for scope in SCOPES],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    days = SelectField(
        _l("Ends after"),
        choices=[
            SelectChoice("30", _l("30 days")),
            SelectChoice("90", _l("90 days")),
            SelectChoice("366", _l("One year")),
        ],
        default="90",
    )
