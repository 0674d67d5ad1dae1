"""The fields a roster may fill, what their columns are usually called, and the guess made from that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext

from app.domain.attributes import Attribute
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.folding import fold
from app.domain.saying import later
from app.infra.web.words import lazy_here

ATTRIBUTE = "attribute:"
# field: (label, headings it is recognized by; folded, without spaces and signs)
_FIELDS: dict[str, tuple[str, str]] = {
    "external_id": (
        lazy_gettext("Number or id"),
        "externalid id studentid studentnumber studentno number no clientid clientnumber matriculationnumber "
        "matrikelnummer personid userid sisid universityid 学号 编号 学生编号 学生号",
    ),
    "given_name": (
        lazy_gettext("Given name"),
        "givenname given firstname first forename forenames preferredname vorname prenom nombre 名 名字",
    ),
    "family_name": (
        lazy_gettext("Family name"),
        "familyname family lastname last surname secondname nachname nom apellido apellidos 姓 姓氏",
    ),
    "full_name": (
        lazy_gettext("Full name (is split)"),
        "fullname name studentname clientname displayname 姓名 学生姓名",
    ),
    "email": (
        lazy_gettext("E-mail"),
        "email emailaddress mail studentemail clientemail 邮箱 电子邮箱 电子邮件 邮件 邮箱地址",
    ),
    "time_zone": (lazy_gettext("Time zone"), "timezone tz zone 时区"),
    "locale": (lazy_gettext("Language"), "locale language lang preferredlanguage 语言"),
    "active": (
        lazy_gettext("Active (yes or no)"),
        "active isactive status enrolled enabled current 是否在读 在读 启用 有效 状态",
    ),
    "counsellor": (
        lazy_here("E-mail of the %(counsellor)s"),
        "counsellor counselloremail counsellorsemail counselor counseloremail counselorsemail "
        "adviser adviseremail advisersemail "
        "advisor advisoremail coach coachemail caseworker 辅导员 辅导员邮箱 顾问 顾问邮箱 导师邮箱",
    ),
}
_SYNONYMS = {word: name for name, (_, words) in _FIELDS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Field:
    """Something a column may feed: its name in a mapping, and its label on the page."""

    name: str
    label: str


def all_fields(attributes: Iterable[Attribute]) -> list[Field]:
    """Every field a roster of this organization may fill, the person's first."""
    fixed = [Field(name, str(label)) for name, (label, _) in _FIELDS.items()]
    return fixed + [Field(ATTRIBUTE + a.key, a.label) for a in attributes]


def guess(headers: Sequence[str], attributes: Iterable[Attribute]) -> dict[str, int]:
    """Guess which column (from 0) feeds which field; the first column that fits wins."""
    wanted = {_plain(a.label): ATTRIBUTE + a.key for a in attributes} | {
        _plain(a.key): ATTRIBUTE + a.key for a in attributes
    }
    mapping: dict[str, int] = {}
    for index, header in enumerate(headers):
        word = _plain(header)
        # What the organization defined itself is meant before what we know.
        name = wanted.get(word) or _SYNONYMS.get(word)
        if name is not None and name not in mapping:
            mapping[name] = index
    if "given_name" in mapping and "family_name" in mapping:
        mapping.pop("full_name", None)
    return mapping


def check_mapping(mapping: dict[str, int], headers: Sequence[str], attributes: Iterable[Attribute]) -> None:
    """Raise InvalidInput naming what is missing or chosen twice; a mapping that passes can be read with."""
    known = {f.name for f in all_fields(attributes)}
    problems = [FieldProblem(name, "There is no such field.") for name in mapping if name not in known]
    problems += [
        FieldProblem(name, "There is no such column in the file.")
        for name, index in mapping.items()
        if not 0 <= index < len(headers)
    ]
    if "external_id" not in mapping:
        problems.append(
            FieldProblem("external_id", "Choose the column that holds each person’s number; rows are matched by it.")
        )
    if not {"given_name", "family_name", "full_name"} & mapping.keys():
        problems.append(FieldProblem("given_name", "Choose the column or columns that hold the name."))
    if "full_name" in mapping and {"given_name", "family_name"} & mapping.keys():
        problems.append(FieldProblem("full_name", "Take either the full name or given and family name, not both."))
    problems += [
        FieldProblem(name, later("Column “%(column)s” is already chosen for another field.", column=headers[index]))
        for name, index in mapping.items()
        if 0 <= index < len(headers) and next(n for n, i in mapping.items() if i == index) != name
    ]
    if problems:
        raise InvalidInput(problems)


def warnings_of(mapping: dict[str, int], headers: Sequence[str]) -> list[str]:
    """Sentences about a guess that a person should look at."""
    found = []
    if "full_name" in mapping:
        found.append(
            later("Full names are split at the comma, or else before the last word. Look at the names after the check.")
        )
    words = [_plain(header) for header in headers]
    twice = sorted({headers[i] for i, word in enumerate(words) if word and words.index(word) != i})
    if twice:
        found.append(
            later(
                "Some headings occur more than once: %(headings)s. Check which column is meant.",
                headings=", ".join(twice),
            )
        )
    if "" in words:
        found.append(later("A column has no heading. It is left out unless you choose it."))
    return found


def _plain(text: str) -> str:
    return "".join(sign for sign in fold(text) if sign.isalnum())
