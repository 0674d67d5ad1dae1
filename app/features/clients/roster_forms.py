"""Forms of the roster import: the upload, and which column feeds which field."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, SelectField
from wtforms.fields.choices import SelectChoice

from app.features.clients.roster_fields import Field


class UploadForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A roster to take in."""

    file = FileField(
        _l("Roster file"),
        validators=[FileRequired(_l("Choose the file."))],
        description=_l(
            "CSV or XLSX with a heading row, one row for each person, and a column with their number or id."
        ),
    )


class ConfirmForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """The yes to an import that hits a guard rail."""

    yes = BooleanField(_l("Yes, I looked at these numbers and they are right"))


class ColumnsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Made by `columns_form`, which adds a select for each field."""

    deactivate_missing = BooleanField(
        _l("Deactivate people who are not in this file"),
        description=_l("Choose this only for a complete roster. Nobody is deleted, and it can be undone."),
    )


def columns_form(
    fields: Sequence[Field], headers: Sequence[str], samples: Sequence[Sequence[str]]
) -> type[ColumnsForm]:
    """A form with a select for each field; the choices name each column with its first value."""
    choices = [SelectChoice("", gettext("not in this file"))]
    for index, header in enumerate(headers):
        first = next((row[index] for row in samples if index < len(row) and row[index]), "")
        label = header or gettext("column %(n)s without heading", n=index + 1)
        choices.append(SelectChoice(str(index), f"{label} ({first[:30]})" if first else label))
    selects = {html_name(f.name): SelectField(f.label, choices=choices, default="") for f in fields}
    return type("_ColumnsForm", (ColumnsForm,), selects)


def html_name(field: str) -> str:
    """The name of a field's control in the page."""
    return "column-" + field.replace(":", "-")
