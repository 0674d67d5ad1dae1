"""Forms of instruments: load a definition, upload answers."""

from __future__ import annotations

from dataclasses import fields

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from app.domain.definition_files import Beside
from app.features.instruments.words import trust_words


class DefinitionForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A definition file; the other fields complete a table or a pool of items, and are not read for a definition file.

    What is left empty is as the source says, for the published tables that Octant knows.
    """

    file = FileField(
        _l("File"),
        validators=[FileRequired(_l("Choose the file."))],
        description=_l(
            "A definition file (.json), a table of items (.csv) with index, text, domain and key, or a pool of items."
        ),
    )
    key = StringField(
        _l("Short name"), validators=[Length(max=64)], description=_l("Letters, digits and hyphens, such as ipip-50.")
    )
    version = StringField(_l("Edition"), validators=[Length(max=64)], description=_l("Left empty it is 1."))
    title = StringField(_l("Title"), validators=[Length(max=200)])
    language = StringField(
        _l("Language"), validators=[Length(max=20)], description=_l("A tag such as zh-Hans. Left empty it is en.")
    )
    status = SelectField(
        _l("How far it can be trusted"),
        choices=[
            SelectChoice("", _l("as the source says")),
            *(SelectChoice(value, label) for value, label in trust_words(_l).items()),
        ],
        default="",
    )
    licence = StringField(_l("Licence"), validators=[Length(max=200)])
    licence_text = TextAreaField(_l("What the licence says"), validators=[Length(max=20_000)])
    attribution = StringField(_l("Whom to name"), validators=[Length(max=2000)])
    citation = StringField(_l("Source"), validators=[Length(max=2000)])
    options = TextAreaField(
        _l("Answers"),
        validators=[Length(max=5000)],
        description=_l("One a line, the number first, the lowest first, such as 1 Never."),
    )
    scale_titles = TextAreaField(
        _l("Names of the scales"),
        validators=[Length(max=5000)],
        description=_l(
            "One a line: the letter or word used in the table, then = and the name, such as E = Extraversion."
        ),
    )
    chosen = TextAreaField(
        _l("Items taken from a pool"),
        validators=[Length(max=20_000)],
        description=_l("Only for a pool of items. One a line: code, scale and key, such as H34 E +."),
    )

    def beside(self) -> Beside:
        """What is told beside the file; fields left empty stay empty."""
        return Beside(**{field.name: self[field.name].data or "" for field in fields(Beside)})


class AnswersForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A file of answers."""

    file = FileField(
        _l("File of answers"),
        validators=[FileRequired(_l("Choose the file."))],
        description=_l("CSV in UTF-8 with one row for each person: their id, then one column for each item."),
    )
