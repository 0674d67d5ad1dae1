"""The form of handing over: who takes them, for good or for a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import DateField, RadioField, SelectField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.features.moves.commands import PlanMove
from app.features.moves.queries import Holding
from app.features.selections.commands import Target


class MoveForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Who takes the people, as what, and until when."""

    receiver_ids = SelectMultipleField(
        _("Who takes them"),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_("Several share them by the minutes a week they have, and by the work they have already."),
        validators=[InputRequired(_("Choose at least one person."))],
    )
    lasting = RadioField(
        _("For how long"),
        choices=[
            SelectChoice("good", _("For good")),
            SelectChoice("time", _("For a time, as cover: they support, and nobody loses anybody")),
        ],
        default="good",
    )
    first_on = DateField(_("First day of the cover"), validators=[Optional()])
    last_on = DateField(
        _("Last day of the cover"),
        validators=[Optional()],
        description=_("The cover ends by itself after this day. It can be ended sooner, or go on longer."),
    )
    supporting = SelectField(_("As"), choices=[], default="")

    def offer(self, people: Sequence[Holding], source_id: UUID | None) -> None:
        """Put in who can be chosen; what somebody leaves is taken over as they had it, so there is no choice then."""
        self.receiver_ids.choices = [
            SelectChoice(str(person.id), _described(person)) for person in people if person.id != source_id
        ]
        if source_id is not None:
            del self.supporting
        else:
            self.supporting.choices = [
                SelectChoice("", gettext("primary, in place of whoever is now")),
                SelectChoice("y", gettext("supporting, beside the primary one")),
            ]

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        """Whether everything needed was chosen: for a time that is both days, else it would be for good."""
        valid = bool(super().validate(extra_validators))
        for field in (self.first_on, self.last_on) if self.lasting.data == "time" else ():
            if field.data is None and not field.errors:
                field.errors = [gettext("Choose a day.")]
                valid = False
        return valid

    def command(self, target: Target, source_id: UUID | None) -> PlanMove:
        """What was chosen."""
        cover = self.lasting.data == "time"
        return PlanMove(
            receiver_ids=tuple(UUID(chosen) for chosen in self.receiver_ids.data or ()),
            source_id=source_id,
            target=target,
            supporting=self.supporting is not None and self.supporting.data == "y",
            first_on=self.first_on.data if cover else None,
            last_on=self.last_on.data if cover else None,
        )


class ExtendForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Another last day of a cover."""

    last_on = DateField(_("Last day"), validators=[InputRequired(_("Choose a day."))])


def _described(person: Holding) -> str:
    has = ngettext("%(num)s person", "%(num)s people", person.clients)
    if person.minutes is None:
        return f"{person.name} · {has}"
    minutes = ngettext("%(num)s minute a week", "%(num)s minutes a week", person.minutes)
    return f"{person.name} · {has} · {minutes}"
