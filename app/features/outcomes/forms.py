"""Forms of outcomes: when somebody graduated, and what became of them; staff's, and the short one of graduates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, IntegerField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional

from app.domain.outcomes import EMPLOYED, LONGEST, Destination
from app.domain.saying import Say
from app.features.outcomes.words import employment_words, source_words, status_words


class GraduationForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """The day somebody graduated."""

    graduated_on = DateField(
        _("Day of graduation"),
        validators=[InputRequired(_("Choose a day."))],
        description=_("A class goes from 1 July to 30 June and is named by the year it ends in."),
    )


class TellForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """What a graduate says of themselves."""

    status = RadioField(_("What are you doing now?"), validators=[InputRequired(_("Choose one."))])
    employment = SelectField(_("If you are employed, how?"), validators=[Optional()])
    employer = StringField(_("Employer, school or organization"))
    title = StringField(_("Job title or programme"))
    place = StringField(_("Town and country"))
    salary = IntegerField(
        _("Salary a year"), validators=[Optional()], description=_("Before tax, without bonuses; in whole numbers.")
    )
    currency = StringField(_("Currency of the salary"), description=_("Three letters, such as EUR."))

    def offer(self, say: Say) -> None:
        """Put the words of the statuses and kinds in."""
        self.status.choices = [SelectChoice(key, word) for key, word in status_words(say).items()]
        self.employment.choices = [
            SelectChoice("", "–"),
            *(SelectChoice(key, word) for key, word in employment_words(say).items()),
        ]

    def destination(self, *, known_on: date, source: str, occupation: str = "") -> Destination:
        """What was typed. What belongs to employment is left out for who is not employed."""
        employed = self.status.data in EMPLOYED
        currency = (self.currency.data or "").strip().upper() or None
        return Destination(
            status=self.status.data or "",
            known_on=known_on,
            source=source,
            employment=(self.employment.data or None) if employed else None,
            occupation=occupation,
            salary=self.salary.data if employed else None,
            currency=currency if employed and (self.salary.data is not None or currency) else None,
            **{name: (self[name].data or "").strip() for name in LONGEST if name != "occupation"},
        )


class OutcomeForm(TellForm):
    """What became of somebody, as staff record it."""

    status = RadioField(_("What became of them"), validators=[InputRequired(_("Choose one."))])
    employment = SelectField(_("If employed, how"), validators=[Optional()])
    occupation = StringField(
        _("Occupation of the catalogue"), description=_("Its title or code as the catalogue has it, where one fits.")
    )
    known_on = DateField(_("Known on"), validators=[InputRequired(_("Choose a day."))])
    source = SelectField(_("Known from"), validators=[InputRequired(_("Choose one."))])

    def offer(self, say: Say) -> None:
        """Put the words in, of the sources too."""
        super().offer(say)
        self.source.choices = [SelectChoice(key, word) for key, word in source_words(say).items()]


class FileForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A file of outcomes to take in."""

    file = FileField(
        _("File of outcomes"),
        validators=[FileRequired(_("Choose the file."))],
        description=_(
            "CSV or XLSX with a heading row, one row for each graduate: their number or id, the day they graduated, "
            "and what became of them."
        ),
    )


class ColumnsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Made by `columns_form`, which adds a select for each field."""


def columns_form(
    fields: Mapping[str, str], headers: Sequence[str], samples: Sequence[Sequence[str]]
) -> type[ColumnsForm]:
    """A form with a select for each field; the choices name each column with its first value."""
    choices = [SelectChoice("", gettext("not in this file"))]
    for index, header in enumerate(headers):
        first = next((row[index] for row in samples if index < len(row) and row[index]), "")
        label = header or gettext("column %(n)s without heading", n=index + 1)
        choices.append(SelectChoice(str(index), f"{label} ({first[:30]})" if first else label))
    selects = {control_of(name): SelectField(label, choices=choices, default="") for name, label in fields.items()}
    return type("_ColumnsForm", (ColumnsForm,), selects)


def control_of(field: str) -> str:
    """The name of a field's control in the page."""
    return f"column-{field}"
