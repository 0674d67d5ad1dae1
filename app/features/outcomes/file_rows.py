"""Reads the rows of a file of outcomes: which column feeds what, and what each row says. Pure: no database, no file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import lazy_gettext

from app.domain import outcomes as domain
from app.domain.attributes import Attribute, BadValue, read_value
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.folding import fold
from app.domain.outcomes import Destination, problems_of
from app.domain.reading import check_day, parse_day
from app.domain.saying import later

# field: (label, headings it is recognized by; folded, without spaces and signs)
_FIELDS: dict[str, tuple[Any, str]] = {
    "external_id": (
        lazy_gettext("Number or id"),
        "externalid id studentid studentnumber studentno number clientid clientnumber universityid 学号 编号",
    ),
    "graduated_on": (
        lazy_gettext("Day of graduation"),
        "graduatedon graduationdate dateofgraduation graduated dayofgraduation degreedate 毕业日期 毕业时间",
    ),
    "status": (
        lazy_gettext("What became of them"),
        "status outcome destination firstdestination outcomestatus whatbecameofthem 去向 毕业去向",
    ),
    "employment": (
        lazy_gettext("If employed, how"),
        "employment employmenttype kindofemployment employmentkind 就业类型",
    ),
    "employer": (
        lazy_gettext("Employer, school or organization"),
        "employer company organization organisation employername institution school 单位 工作单位 雇主",
    ),
    "title": (lazy_gettext("Job title or programme"), "title jobtitle position role programme program 职位 岗位"),
    "occupation": (lazy_gettext("Occupation of the catalogue"), "occupation occupationcode soc soccode onetcode 职业"),
    "place": (lazy_gettext("Town and country"), "place location city town country 地点 城市"),
    "salary": (lazy_gettext("Salary a year"), "salary annualsalary pay basesalary startingsalary 年薪 薪资"),
    "currency": (lazy_gettext("Currency of the salary"), "currency salarycurrency 币种"),
    "known_on": (
        lazy_gettext("Known on"),
        "knownon date asof dateknown surveydate responsedate collectedon 获知日期 填写日期",
    ),
    "source": (lazy_gettext("Known from"), "source datasource knownfrom informationsource 来源"),
}
_SYNONYMS = {word: name for name, (_, words) in _FIELDS.items() for word in words.split()}
LONGEST_ID = 100
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\ud800-\udfff]")
# Thousands apart by comma, point, space or apostrophe, and cents that are nothing.
_AMOUNT = re.compile(r"(\d{1,3}(?:[,.' \u00a0\u202f’]\d{3})+|\d{1,10})(?:[.,]0{1,2})?", re.ASCII)
_DAY = Attribute("day", "day", "date", ())


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading takes: the headings, the column of each field, today, and release and code by title or code."""

    headers: Sequence[str]
    mapping: Mapping[str, int]
    today: date
    occupations: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it was read: what it gives to an outcome, or what is wrong as [column, sentence, value]."""

    line: int
    external_id: str
    given: dict[str, Any] = field(default_factory=dict)
    problems: list[list[str]] = field(default_factory=list)


def labels() -> dict[str, str]:
    """The fields a file may fill, with their labels."""
    return {name: str(label) for name, (label, _) in _FIELDS.items()}


def guess(headers: Sequence[str]) -> dict[str, int]:
    """Which column (from 0) likely feeds which field; the first that fits wins."""
    mapping: dict[str, int] = {}
    for index, header in enumerate(headers):
        name = _SYNONYMS.get("".join(sign for sign in fold(header) if sign.isalnum()))
        if name is not None and name not in mapping:
            mapping[name] = index
    return mapping


def check_mapping(mapping: Mapping[str, int], headers: Sequence[str]) -> None:
    """Raise InvalidInput naming each field whose column is missing, not there, or chosen twice."""
    problems = [FieldProblem(name, "There is no such field.") for name in mapping if name not in _FIELDS]
    problems += [
        FieldProblem(name, "There is no such column in the file.")
        for name, index in mapping.items()
        if not 0 <= index < len(headers)
    ]
    if "external_id" not in mapping:
        problems.append(
            FieldProblem("external_id", "Choose the column that holds each person’s number; rows are matched by it.")
        )
    if "status" not in mapping:
        problems.append(FieldProblem("status", later("Choose the column that says what became of them.")))
    problems += [
        FieldProblem(name, later("Column “%(column)s” is already chosen for another field.", column=headers[index]))
        for name, index in mapping.items()
        if 0 <= index < len(headers) and next(n for n, i in mapping.items() if i == index) != name
    ]
    if problems:
        raise InvalidInput(problems)


def read_row(line: int, cells: Sequence[str], reading: Reading) -> Row:
    """What one row says, with everything that is wrong with it; never raises for what a cell holds."""
    width = len(reading.headers)
    if any(cell.strip() for cell in cells[width:]):
        sentence = later(
            "This row has %(cells)s cells, but there are %(headings)s headings. "
            "Check its separators and quotation marks.",
            cells=len(cells),
            headings=width,
        )
        return Row(line, "", problems=[["", sentence, _shown(cells[width])]])
    texts = {
        name: " ".join(cells[index].split()) if index < len(cells) else "" for name, index in reading.mapping.items()
    }
    return _Reader(line, texts, reading).row()


class _Reader:
    """One row being read."""

    def __init__(self, line: int, texts: Mapping[str, str], reading: Reading) -> None:
        self.line, self.texts, self.reading = line, texts, reading
        self.problems: list[list[str]] = []

    def flag(self, name: str, sentence: str) -> None:
        """Note a problem with the column of a field; a field without one is blamed on the row."""
        index = self.reading.mapping.get(name)
        header = self.reading.headers[index] if index is not None else ""
        self.problems.append([header, sentence, _shown(self.texts.get(name, ""))])

    def row(self) -> Row:
        for name, value in self.texts.items():
            if _UNPRINTABLE.search(value):
                self.flag(
                    name, "This cell contains characters that cannot be read. Type it again, or save the file as UTF-8."
                )
        external_id = self.texts.get("external_id", "")
        if not external_id:
            self.flag("external_id", "The number is missing. Each row needs one, because rows are matched by it.")
        elif len(external_id) > LONGEST_ID:
            self.flag("external_id", later("This is longer than %(most)s characters. Shorten it.", most=LONGEST_ID))
        given = self._given() if not self.problems else {}
        shown = _UNPRINTABLE.sub("�", external_id)[:LONGEST_ID]
        return Row(self.line, shown, {} if self.problems else given, self.problems)

    def _given(self) -> dict[str, Any]:
        status = self._called("status", domain.status_called, "")
        employment = self._called("employment", domain.employment_called, None)
        source = self._called("source", domain.source_called, "survey")
        graduated_on, known_on = self._day("graduated_on"), self._day("known_on") or self.reading.today
        if graduated_on is not None and (found := check_day("graduated_on", graduated_on)):
            self.flag("graduated_on", found[0].sentence)
        salary, currency = self._amount(), self.texts.get("currency", "").upper() or None
        occupation = self.reading.occupations.get(self.texts.get("occupation", "").casefold())
        if self.texts.get("occupation") and occupation is None:
            self.flag("occupation", later("The catalogue has no occupation of this title or code."))
        if self.problems:
            return {}
        given = Destination(
            status=status or "",
            known_on=known_on,
            source=source or "",
            employment=employment,
            salary=salary,
            # A column of currencies says nothing where there is no salary.
            currency=currency if salary is not None else None,
            **{name: self.texts.get(name, "") for name in ("employer", "title", "place")},
        )
        for problem in problems_of(given, self.reading.today):
            self.flag(problem.field, problem.sentence)
        return {
            "status": given.status,
            "employment": given.employment,
            "employer": given.employer,
            "title": given.title,
            "place": given.place,
            "salary": given.salary,
            "currency": given.currency,
            "known_on": given.known_on.isoformat(),
            "source": given.source,
            "occupation_release": occupation[0] if occupation else None,
            "occupation_code": occupation[1] if occupation else None,
            "graduated_on": graduated_on.isoformat() if graduated_on else None,
            "class_year": domain.class_of(graduated_on) if graduated_on else None,
        }

    def _called(self, name: str, called: Any, default: str | None) -> str | None:
        written = self.texts.get(name, "")
        if not written and name != "status":
            return default
        found: str | None = called(written)
        if found is None and name == "status":
            sentence = later(
                "This is no outcome that can be recorded. Leave out whoever nothing is known of, or write one of: "
                "%(kinds)s.",
                kinds=", ".join(domain.STATUSES),
            )
            self.flag(name, sentence)
        elif found is None:
            words = domain.EMPLOYMENTS if name == "employment" else domain.SOURCES
            self.flag(name, later("Choose one of: %(kinds)s.", kinds=", ".join(words)))
        return found

    def _day(self, name: str) -> date | None:
        try:
            return parse_day(read_value(_DAY, self.texts.get(name, "")))
        except BadValue as bad:
            self.flag(name, str(bad))
            return None

    def _amount(self) -> int | None:
        written = self.texts.get("salary", "")
        if not written:
            return None
        found = _AMOUNT.fullmatch(written)
        if found is None:
            self.flag("salary", later("This is not an amount. Write a year's salary in whole numbers: 30000."))
            return None
        return int("".join(sign for sign in found[1] if sign.isdigit()))


def _shown(value: str) -> str:
    value = _UNPRINTABLE.sub("�", value)
    return value if len(value) <= 80 else value[:79] + "…"
