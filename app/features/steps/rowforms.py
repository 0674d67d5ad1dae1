"""Forms of rooms: fields and lists of rows that can be filled in without script, and their content as plain data."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import Field, FieldList, Form, FormField, HiddenField, IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from app.domain.errors import FieldProblem
from app.features.plans.rooms import Content, Surroundings
from app.features.steps.parts import MOST_ROWS

# Fields of the form that are not content.
_BESIDE = frozenset({"csrf_token", "over"})
_FEWEST_ROWS = 3
_WHOLE = re.compile(r"-?[0-9]{1,6}")
# Some more than a content takes, so that too many are said to be; each row posted costs a form of its own.
_MOST_POSTED = MOST_ROWS + 20


@dataclass(frozen=True, slots=True)
class Part:
    """One screen of the guided way through a step: the fields it shows and takes, most often one.

    `title` stands above it (None: the first field's label); `template` draws it where the plain fields will not do;
    `tools` says that what the room's tools found is shown on it.
    """

    key: str
    fields: tuple[str, ...] = ()
    title: Any = None
    template: str | None = None
    tools: bool = False


class RowForm(Form):  # type: ignore[misc] # WTForms carries no types
    """One row of a list. A row of which only the id is filled in counts as empty and is dropped."""

    id = HiddenField()

    @classmethod
    def from_content(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row's data as the fields want it."""
        return {name: _as_day(value) if name.endswith("_on") else value for name, value in row.items()}

    def content(self) -> dict[str, Any]:
        """The row's content from the fields."""
        return {field.short_name: value_of(field) for field in self}

    def title(self) -> str:
        """What the row is called where it is folded: its first line, else what is chosen in it; empty for a new row."""
        chosen = ""
        for field in self:
            if isinstance(field, SelectField):
                labels = {str(choice.value): str(choice.label) for choice in field.choices if choice.value}
                chosen = chosen or labels.get(str(field.data), "")
            elif isinstance(field, StringField) and not isinstance(field, HiddenField) and field.data:
                return str(field.data)
        return chosen


class RoomForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """The form of one room. `over` names the version that is typed over."""

    # The screens of the guided way; none: one for each field (`app.features.steps.guided`).
    guided: ClassVar[tuple[Part, ...]] = ()
    # Lists with as many rows as the content has: nothing is added to them by hand.
    fixed: ClassVar[frozenset[str]] = frozenset()
    over = IntegerField(validators=[Optional()])
    # The content the form was made from.
    stored: Content = MappingProxyType({})

    @classmethod
    def make(cls, content: Content, around: Surroundings, version: int, *, extra: str = "") -> RoomForm:
        """The form filled from what was posted, else from the content; list `extra` gets more empty rows."""
        return cls.build(content, around, version, extra)

    @classmethod
    def build(cls, content: Content, around: Surroundings, version: int, extra: str) -> RoomForm:
        """What `make` does once the form's fields are known."""
        form = cls(data=cls.from_content(content) | {"over": version})
        if not form.is_submitted():
            for field in form:
                if isinstance(field, FieldList) and field.short_name not in cls.fixed:
                    filled = len(field.entries)
                    wanted = max(_FEWEST_ROWS, filled + (3 if field.short_name == extra else 1))
                    for _unused in range(wanted - filled):
                        field.append_entry({"id": secrets.token_hex(4)})
        form.stored = content
        form.choose(content, around)
        return form

    @classmethod
    def from_content(cls, content: Content) -> dict[str, Any]:
        """The content as the fields want it; rows go through their row form."""
        data: dict[str, Any] = {}
        for name, value in content.items():
            unbound = getattr(cls, name, None)
            row_form = unbound.args[0].args[0] if isinstance(value, list) and unbound is not None else None
            data[name] = [row_form.from_content(row) for row in value] if row_form else value
        return data

    def choose(self, content: Content, around: Surroundings) -> None:
        """Set the choices that depend on other content; rooms that have such fields override it."""

    def content_fields(self) -> list[str]:
        """The names of the fields that hold content, in their order."""
        return [field.short_name for field in self if field.short_name not in _BESIDE]

    def content(self) -> dict[str, Any]:
        """What was typed, as the room's schema reads it; empty rows are dropped."""
        found: dict[str, Any] = {}
        for field in self:
            if field.short_name in _BESIDE:
                continue
            if isinstance(field, FieldList):
                found[field.short_name] = [row for entry in field if _filled(row := entry.form.content())]
            else:
                found[field.short_name] = value_of(field)
        return found

    def take(self, problems: Iterable[FieldProblem]) -> None:
        """Show problems of the content at the form; a place inside a list is told at the list."""
        for problem in problems:
            name = problem.field.partition("[")[0]
            field = self._fields.get(name)
            if field is not None and not isinstance(field, FieldList):
                field.errors = (*field.errors, problem.sentence)
            else:
                self.form_errors.append(problem.sentence)


def value_of(field: Field) -> Any:
    """A field's value as plain JSON: no blanks around a line, a day as YYYY-MM-DD, nothing chosen as None."""
    value = field.data
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(field, HiddenField) and field.short_name == "id":
        return value or secrets.token_hex(4)
    if isinstance(field, StringField):
        return (value or "").replace("\r\n", "\n").strip()
    return None if value == "" else value


def rows(row_form: type[RowForm], label: str, description: str = "") -> FieldList:
    """A list of rows."""
    return FieldList(FormField(row_form), label, description=description, max_entries=_MOST_POSTED)


def choices(nothing: Any, options: Iterable[tuple[str, Any]]) -> list[SelectChoice]:
    """Options of a select as (value, label), after the one that chooses nothing."""
    return [SelectChoice("", nothing), *(SelectChoice(value, label) for value, label in options)]


def scale(label: str, low: int = 1, high: int = 5) -> SelectField:
    """A choice of a whole number; nothing chosen is None."""
    numbers = choices("–", ((str(n), str(n)) for n in range(low, high + 1)))
    return SelectField(label, choices=numbers, coerce=whole_or_none, validate_choice=False)


def pick(label: str, options: Iterable[tuple[str, Any]], description: str = "") -> SelectField:
    """A choice of one of the options, or none."""
    return SelectField(
        label,
        choices=choices(_("Choose"), options),
        coerce=text_or_none,
        description=description,
        validate_choice=False,
    )


def _filled(row: Mapping[str, Any]) -> bool:
    return any(value not in (None, "", False, {}, []) for name, value in row.items() if name != "id")


def whole_or_none(value: Any) -> int | None:
    """A chosen whole number; None where nothing is chosen, or no number of few digits."""
    return int(value) if _WHOLE.fullmatch(str(value)) else None


def text_or_none(value: Any) -> str | None:
    """A chosen value as text; None where nothing is chosen."""
    return str(value) if value not in (None, "", "None") else None


def _as_day(value: Any) -> Any:
    return date.fromisoformat(value) if isinstance(value, str) and value else None
