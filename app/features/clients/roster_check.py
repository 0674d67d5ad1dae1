"""Checks the rows of a roster and brings them into the form they are stored in. Pure: no database, no file.

Works column by column: a check that most values pass costs one call for all of them, and values that
repeat (programmes, years, counsellors) are looked at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import compress
from uuid import UUID
from zoneinfo import available_timezones

from app.domain.attributes import Attribute, BadValue, read_value
from app.domain.folding import fold
from app.domain.saying import later
from app.features.clients.roster_fields import ATTRIBUTE
from app.infra.locales import is_locale

SEPARATOR = "\x1f"
# The packed columns, in the order they are joined for a row's digest.
PACKED = (
    "lines",
    "external_ids",
    "external_folded",
    "given_names",
    "given_folded",
    "family_names",
    "family_folded",
    "emails",
    "emails_folded",
    "time_zones",
    "locales",
    "actives",
    "counsellors",
    "attributes",
)
LONGEST_ID, LONGEST_NAME, LONGEST_EMAIL, LONGEST_VALUE = 100, 200, 254, 500
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\ud800-\udfff]")
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@.<>()\[\],;:\\\"]+(?:\.[^\s@.<>()\[\],;:\\\"]+)+").fullmatch
_LOCALE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?").fullmatch
_YES = frozenset(
    ("yes", "y", "true", "1", "active", "enrolled", "current", "ja", "oui", "si", "是", "在读", "有效", "启用")
)
_NO = frozenset(
    ("no", "n", "false", "0", "inactive", "withdrawn", "left", "graduated", "nein", "non", "否", "离校", "停用", "无效")
)
_HAN = re.compile(r"[\u3400-\u9fff]{2,4}").fullmatch


@dataclass(frozen=True, slots=True)
class Reading:
    """What checking needs to know: the headings, which column feeds what, and what the organization has."""

    headers: Sequence[str]
    mapping: Mapping[str, int]
    attributes: Sequence[Attribute]
    # Membership id by folded e-mail of those who may look after clients.
    counsellors: Mapping[str, UUID]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be taken: its line, the id as written, and [column, sentence, value] for each fault."""

    line: int
    external_id: str
    problems: list[list[str]]


@dataclass(slots=True)
class Cleaned:
    """The good rows of a piece, packed by column, and the bad ones."""

    packed: dict[str, str]
    good: int
    bad: list[BadRow] = field(default_factory=list)


Flag = Callable[[int, str, str], None]


def clean(lines: Sequence[int], rows: list[list[str]], reading: Reading) -> Cleaned:
    """Check rows; `lines[i]` is the line `rows[i]` begins on. Never raises for what a cell holds."""
    faults: dict[int, list[list[str]]] = {}
    width = len(reading.headers)
    _even(rows, width, faults)
    columns: list[tuple[str, ...]] = list(zip(*rows, strict=True)) if rows else [()] * width
    mapped = {name: list(columns[index]) for name, index in reading.mapping.items()}
    for name, values in mapped.items():
        _refuse_unprintable(values, _flagger(faults, reading.headers[reading.mapping[name]]))

    def column(name: str, how: Callable[[list[str], Flag], list[str]]) -> list[str]:
        if name not in mapped:
            return [""] * len(rows)
        return how(mapped[name], _flagger(faults, reading.headers[reading.mapping[name]]))

    external = column("external_id", _external_ids)
    given, family = _names(column, mapped, len(rows))
    _refuse_nameless(given, family, _flagger(faults, _name_header(reading)))
    emails = column("email", _emails)
    result = {
        "lines": list(map(str, lines)),
        "external_ids": external,
        "external_folded": _folded(external),
        "given_names": given,
        "given_folded": _folded(given),
        "family_names": family,
        "family_folded": _folded(family),
        "emails": emails,
        "emails_folded": _folded(emails),
        "time_zones": column("time_zone", _each(_time_zone)),
        "locales": column("locale", _each(_locale)),
        "actives": column("active", _each(_active)),
        "counsellors": column("counsellor", _each(lambda value: _counsellor(value, reading.counsellors))),
        "attributes": _attributes(mapped, reading, faults, len(rows)),
    }
    bad = [BadRow(lines[i], external[i][:LONGEST_ID], faults[i]) for i in sorted(faults)]
    if faults:
        keep = [i not in faults for i in range(len(rows))]
        result = {name: list(compress(values, keep)) for name, values in result.items()}
    # Each value is followed by the separator, so that one empty value and no value differ.
    packed = {name: SEPARATOR.join(values) + SEPARATOR if values else "" for name, values in result.items()}
    return Cleaned(packed, len(rows) - len(bad), bad)


def _even(rows: list[list[str]], width: int, faults: dict[int, list[list[str]]]) -> None:
    for index, row in enumerate(rows):
        if len(row) == width:
            continue
        if any(cell.strip() for cell in row[width:]):
            sentence = later(
                "This row has %(cells)s cells, but there are %(headings)s headings. "
                "Check its separators and quotation marks.",
                cells=len(row),
                headings=width,
            )
            faults.setdefault(index, []).append(["", sentence, _shown(row[width])])
        rows[index] = (row + [""] * (width - len(row)))[:width]


def _flagger(faults: dict[int, list[list[str]]], header: str) -> Flag:
    def flag(index: int, sentence: str, value: str) -> None:
        faults.setdefault(index, []).append([header, sentence, _shown(value)])

    return flag


def _shown(value: str) -> str:
    value = _UNPRINTABLE.sub("�", value)
    return value if len(value) <= 80 else value[:79] + "…"


def _refuse_unprintable(values: list[str], flag: Flag) -> None:
    if not _UNPRINTABLE.search("\n".join(values)):
        return
    for index, value in enumerate(values):
        if _UNPRINTABLE.search(value):
            flag(
                index,
                "This cell contains characters that cannot be read. Type it again, or save the file as UTF-8.",
                value,
            )
            values[index] = _UNPRINTABLE.sub("", value)


def _external_ids(values: list[str], flag: Flag) -> list[str]:
    values = [value if value.isalnum() else " ".join(value.split()) for value in values]
    if not all(values):
        for index, value in enumerate(values):
            if not value:
                flag(index, "The number is missing. Each row needs one, because rows are matched by it.", "")
    _refuse_long(values, LONGEST_ID, flag)
    return values


def _refuse_long(values: list[str], limit: int, flag: Flag) -> None:
    if values and max(map(len, values)) > limit:
        for index, value in enumerate(values):
            if len(value) > limit:
                flag(index, later("This is longer than %(most)s characters. Shorten it.", most=limit), value)


def _tidy(values: list[str], flag: Flag) -> list[str]:
    values = [" ".join(value.split()) for value in values]
    _refuse_long(values, LONGEST_NAME, flag)
    return values


def _names(
    column: Callable[[str, Callable[[list[str], Flag], list[str]]], list[str]],
    mapped: Mapping[str, list[str]],
    rows: int,
) -> tuple[list[str], list[str]]:
    if "full_name" not in mapped:
        return column("given_name", _tidy), column("family_name", _tidy)
    split = [split_name(name) for name in column("full_name", _tidy)]
    return ([g for g, _ in split], [f for _, f in split]) if rows else ([], [])


def split_name(name: str) -> tuple[str, str]:
    """Given and family name of a full name: "Family, Given", else the last word is the family name.

    A name of two to four Han characters begins with the family name.
    """
    if "," in name:
        family, _, given = name.partition(",")
        return given.strip(), family.strip()
    if _HAN(name):
        return name[1:], name[0]
    given, _, family = name.rpartition(" ")
    return given, family


def _refuse_nameless(given: list[str], family: list[str], flag: Flag) -> None:
    for index, (first, last) in enumerate(zip(given, family, strict=True)):
        if not first and not last:
            flag(index, "The name is missing. Fill in at least one of given and family name.", "")


def _name_header(reading: Reading) -> str:
    names = ("full_name", "family_name", "given_name")
    return next((reading.headers[reading.mapping[n]] for n in names if n in reading.mapping), "")


def _emails(values: list[str], flag: Flag) -> list[str]:
    values = list(map(str.strip, values))
    for index, value in enumerate(values):
        if value and not _EMAIL(value):
            flag(index, "This is not an e-mail address. It needs one @ and a domain, like name@example.org.", value)
    _refuse_long(values, LONGEST_EMAIL, flag)
    return values


def _folded(values: list[str]) -> list[str]:
    # For ASCII without double spaces folding is lower-casing, at a fiftieth of the cost.
    joined = "\n".join(values)
    if values and joined.isascii() and "  " not in joined and joined.count("\n") == len(values) - 1:
        return joined.lower().split("\n")
    return [value.lower() if value.isascii() and "  " not in value else fold(value) for value in values]


def _each(read: Callable[[str], str]) -> Callable[[list[str], Flag], list[str]]:
    """Read each distinct value once; a BadValue flags every row that has it."""

    def how(values: list[str], flag: Flag) -> list[str]:
        known: dict[str, str] = {}
        wrong: dict[str, str] = {}
        for value in set(values):
            try:
                known[value] = read(value.strip()) if value else read("")
            except BadValue as bad:
                known[value], wrong[value] = "", str(bad)
        if wrong:
            for index, value in enumerate(values):
                if value in wrong:
                    flag(index, wrong[value], value)
        return [known[value] for value in values]

    return how


@cache
def _zones() -> Mapping[str, str]:
    return {name.lower(): name for name in available_timezones()}


def _time_zone(value: str) -> str:
    if not value:
        return ""
    found = _zones().get(value.lower().replace(" ", "_"))
    if found is None:
        raise BadValue(
            later("“%(value)s” is not a time zone. Write it like Europe/Dublin or Asia/Shanghai.", value=_shown(value))
        )
    return found


def _locale(value: str) -> str:
    if not value:
        return ""
    found = _LOCALE(value)
    language, script, region = found.groups() if found else ("", "", "")
    parts = [language.lower(), script.title() if script else "", region.upper() if region else ""]
    name = "_".join(part for part in parts if part)
    if not name or not is_locale(name):
        raise BadValue(
            later("“%(value)s” is not a language code. Write it like en, de or zh-Hans.", value=_shown(value))
        )
    return name


def _active(value: str) -> str:
    word = fold(value)
    if not word or word in _YES:
        return "t"
    if word in _NO:
        return "f"
    raise BadValue(
        later("“%(value)s” is neither yes nor no. Write yes for active people and no for others.", value=_shown(value))
    )


def _counsellor(value: str, known: Mapping[str, UUID]) -> str:
    if not value:
        return ""
    found = known.get(fold(value))
    if found is None:
        raise BadValue(
            later(
                "Nobody here with the e-mail “%(value)s” looks after %(clients)s. Check it, or invite them first.",
                value=_shown(value),
            )
        )
    return str(found)


def _attributes(
    mapped: Mapping[str, list[str]], reading: Reading, faults: dict[int, list[list[str]]], rows: int
) -> list[str]:
    fragments: list[list[str]] = []
    for attribute in sorted(reading.attributes, key=lambda a: a.key):
        name = ATTRIBUTE + attribute.key
        if name in mapped:
            flag = _flagger(faults, reading.headers[reading.mapping[name]])
            fragments.append(_each(_reader_of(attribute))(mapped[name], flag))
    if not fragments:
        return ["{}"] * rows
    # Each fragment is '"key":value,' or nothing; the comma after the last is cut.
    return ["{" + "".join(parts)[:-1] + "}" for parts in zip(*fragments, strict=True)]


def _reader_of(attribute: Attribute) -> Callable[[str], str]:
    key = json.dumps(attribute.key)

    def read(value: str) -> str:
        found = read_value(attribute, value)
        return "" if found is None else f"{key}:{json.dumps(found, ensure_ascii=False)},"

    return read


def unpack(packed: str) -> Iterable[str]:
    """The values of a packed column."""
    return packed.split(SEPARATOR)[:-1]
