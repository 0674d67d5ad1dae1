"""Forms of clients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import available_timezones

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired
from wtforms.widgets import DateInput

from app.domain.attributes import KINDS, Attribute
from app.domain.errors import FieldProblem, InvalidInput
from app.features.clients.commands import ClientDetails
from app.features.clients.models import Client


class ClientForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Who a client is. The organization's attributes are added by `client_form`."""

    given_name = StringField(_("Given name"), validators=[InputRequired(_("Write the given name."))])
    family_name = StringField(_("Family name"), validators=[InputRequired(_("Write the family name."))])
    external_id = StringField(
        _("Id"),
        validators=[InputRequired(_("Give the id your organization knows this person by."))],
        description=_("The number or code your organization knows this person by; each is given once."),
    )
    email = EmailField(_("E-mail"), description=_("Without one, no prompt can reach them."))
    # The use case checks it, as it does for the API.
    time_zone = SelectField(_("Time zone"), validate_choice=False)
    active = BooleanField(
        _("Active"), default=True, description=_("Somebody who left is kept, but not prompted, assigned or counted.")
    )

    def details(self, attributes: Iterable[Attribute]) -> ClientDetails:
        """What was typed, as the use case takes it."""
        return ClientDetails(
            external_id=self.external_id.data or "",
            given_name=self.given_name.data or "",
            family_name=self.family_name.data or "",
            email=self.email.data,
            time_zone=self.time_zone.data or None,
            attributes={a.key: self[_name(a.key)].data for a in attributes},
            active=bool(self.active.data),
        )


class LetterForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A mail to one person."""

    subject = StringField(_("Subject"), validators=[InputRequired(_("Fill this in."))])
    text = TextAreaField(
        _("Text"),
        description=_("Your name and your organization are put below it. An answer comes to your address."),
        validators=[InputRequired(_("Fill this in."))],
    )
    urgent = BooleanField(
        _("It cannot wait"),
        description=_("It leaves now, although enough was sent this week. Without this it leaves next week."),
    )


class AttributeForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A new attribute."""

    label = StringField(_("Name"), validators=[InputRequired(_("Give the attribute a name."))])
    kind = SelectField(_("Kind"), choices=[SelectChoice(kind, kind) for kind in KINDS])
    choices = TextAreaField(_("Choices"), description=_("One a line; only for the kind “choice”."))

    def name_kinds(self) -> None:
        """Say the kinds in the reader's language."""
        self.kind.choices = [
            SelectChoice("text", gettext("text")),
            SelectChoice("number", gettext("number")),
            SelectChoice("date", gettext("date")),
            SelectChoice("choice", gettext("choice from a list")),
            SelectChoice("boolean", gettext("yes or no")),
        ]


def client_form(attributes: Sequence[Attribute], client: Client | None = None) -> ClientForm:
    """The form with a field for each attribute, filled with the client's values unless something was posted."""
    fields = {_name(a.key): _field(a) for a in attributes}
    shown: type[ClientForm] = type("ClientFormWithAttributes", (ClientForm,), fields)
    values: dict[str, Any] = {}
    if client is not None:
        values = {_name(a.key): _typed(client.attributes.get(a.key)) for a in attributes}
        values |= {name: getattr(client, name) for name in ("given_name", "family_name", "external_id", "email")}
        values |= {"time_zone": client.time_zone or "", "active": client.active}
    form = shown(data=values)
    zones = [SelectChoice(zone, zone) for zone in sorted(available_timezones()) if "/" in zone]
    form.time_zone.choices = [SelectChoice("", gettext("as the organization")), *zones]
    return form


def renamed(error: InvalidInput) -> InvalidInput:
    """The same problems, under the names the form's fields have."""
    return InvalidInput(
        FieldProblem(p.field.replace("attributes.", "attribute_", 1), p.sentence) for p in error.problems
    )


def _name(key: str) -> str:
    return f"attribute_{key}"


def _typed(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _field(attribute: Attribute) -> Any:
    if attribute.kind == "choice":
        offered = [SelectChoice("", "–"), *(SelectChoice(choice, choice) for choice in attribute.choices)]
        return SelectField(attribute.label, choices=offered, validate_choice=False)
    if attribute.kind == "boolean":
        choices = [SelectChoice("", "–"), SelectChoice("yes", _("yes")), SelectChoice("no", _("no"))]
        return SelectField(attribute.label, choices=choices, validate_choice=False)
    if attribute.kind == "date":
        return StringField(attribute.label, widget=DateInput())
    return StringField(attribute.label)
