"""Forms of templates that go further: a file to take, and the terms of next year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from app.domain.template_files import MOST_NAME


class TemplateFileForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A template's file, and another name for it here."""

    file = FileField(
        _("File"),
        validators=[FileRequired(_("Choose the file."))],
        description=_("As it was saved from a template's page, here or in another organization."),
    )
    name = StringField(
        _("Name here"), validators=[Length(max=MOST_NAME)], description=_("Empty: the name in the file.")
    )


class NextYearForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """The name of the copy; `next_year_form` adds a choice for each term."""

    name = StringField(_("Name of the copy"), validators=[InputRequired(_("Give the copy a name."))])

    def chosen(self, terms: Sequence[str]) -> dict[str, str]:
        """The term chosen for each of the terms named."""
        return {name: self[f"term-{number}"].data for number, name in enumerate(terms) if self[f"term-{number}"].data}


def next_year_form(guesses: Mapping[str, str | None], choices: Sequence[str], name: str) -> NextYearForm:
    """The form with a choice of `choices` for each term, the guessed one chosen first."""
    options = [SelectChoice("", gettext("Choose a term")), *(SelectChoice(term, term) for term in choices)]
    fields = {
        f"term-{number}": SelectField(
            gettext("Instead of %(term)s", term=term),
            choices=options,
            default=guess or "",
            validators=[InputRequired(gettext("Choose a term."))],
        )
        for number, (term, guess) in enumerate(guesses.items())
    }
    form: NextYearForm = type("NextYearFormOfTemplate", (NextYearForm,), fields)(data={"name": name})
    return form
