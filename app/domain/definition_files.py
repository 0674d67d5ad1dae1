"""Turns the content of a file into a plain definition: a definition file, a table of items, or a pool of items.

What a table does not say comes from what its reader is told beside it, and for published questionnaires that Octant
knows from `known_tables`. The result still goes through `parse_definition`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.errors import FieldProblem
from app.domain.instruments import DefinitionError
from app.domain.item_csv import definition_from_item_csv
from app.domain.item_pool import definition_from_pool, is_pool
from app.domain.known_tables import IPIP_ATTRIBUTION, IPIP_LICENCE, KnownTable, fingerprint_of, recognized
from app.domain.saying import later

# Bytes of a file that is read at all: a definition of a thousand long items is below 1 MiB.
LARGEST_FILE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is told beside a file; empty: as the file or the source says.

    `options` are the answers, one a line, "1 Never"; `scale_titles` one a line, "E = Extraversion"; `chosen` the
    items taken from a pool, one a line: code, scale, key, such as "H34 E +".
    """

    key: str = ""
    version: str = ""
    language: str = ""
    title: str = ""
    status: str = ""
    licence: str = ""
    licence_text: str = ""
    attribution: str = ""
    citation: str = ""
    options: str = ""
    scale_titles: str = ""
    chosen: str = ""


def definition_of_file(name: str, content: bytes, beside: Beside) -> dict[str, Any]:
    """The plain definition in a file: JSON as it is, a table or a pool of items completed from what is told beside.

    Raises DefinitionError, with places and remedies, when it is none of the three.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _problem("file", later("This is not a UTF-8 text file. Save it as UTF-8 and upload it again.")) from None
    if text.lstrip().startswith("{"):
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _problem("file", later("This is not valid JSON (%(error)s).", error=error)) from None
        return _from_pool(raw, beside) if is_pool(raw) else dict(raw)
    if not name.lower().endswith((".csv", ".txt", ".tsv")):
        raise _problem("file", later("This is neither a definition file (.json) nor a table of items (.csv)."))
    heading, rows = _shape(text)
    known = recognized(heading, rows)
    if known is None:
        return definition_from_item_csv(text, _details(beside), scale_titles=_titles(beside.scale_titles))
    return _from_known(text, known, beside)


def _from_known(text: str, known: KnownTable, beside: Beside) -> dict[str, Any]:
    told = _details(beside)
    facts = {
        "id": known.id,
        "version": "1",
        "language": "en",
        "title": known.title,
        "measures": known.measures,
        "retest_days": known.retest_days,
        "instructions": known.instructions,
        "licence": dict(zip(("name", "text"), known.licence, strict=True)),
        "attribution": known.attribution,
        "citation": known.citation,
        "allowed_uses": list(known.allowed_uses),
        "options": [{"value": value, "label": label} for value, label in enumerate(known.options, 1)],
    }
    licence = told.pop("licence")
    titles = {**known.scale_titles, **_titles(beside.scale_titles)}
    raw = definition_from_item_csv(
        text,
        {**facts, **told, "licence": {**facts["licence"], **licence}},  # type: ignore[dict-item] # a dict just above
        columns=known.columns,
        rule=known.rule,
        scale_titles=titles,
    )
    wholes = [
        {"id": whole, "title": titles.get(whole, whole), "method": known.rule.method, "of": list(parts)}
        for whole, parts in known.wholes.items()
    ]
    scales = {scale["id"]: scale for scale in [*wholes, *raw["scales"]]}
    if set(scales) != set(known.order):
        raise _problem(
            "file",
            later("Its scales are not those of %(title)s. Get the table from its source again.", title=known.title),
        )
    raw["scales"] = [scales[scale] for scale in known.order]
    raw["interpretation"] = {"order": list(known.order)}
    raw["status"] = _status(raw, known, beside.status)
    return raw


def _status(raw: Mapping[str, Any], known: KnownTable, told: str) -> str:
    same_items = fingerprint_of(raw["items"]) == known.fingerprint
    same_answers = [option["label"] for option in raw["options"]] == list(known.options)
    if told == "published_unaltered" and not same_answers:
        raise _problem(
            "answers",
            later("%(title)s has other answers. Leave them out, or choose published, adapted.", title=known.title),
        )
    if told:
        return told
    if not same_answers:
        return "published_adapted"
    if not same_items:
        raise _problem(
            "status",
            later(
                "This looks like %(title)s, but its items are not word for word those that Octant knows. Compare it "
                "with its source, then choose yourself how far it can be trusted.",
                title=known.title,
            ),
        )
    return "published_unaltered"


def _from_pool(raw: Mapping[str, Any], beside: Beside) -> dict[str, Any]:
    if beside.status == "published_unaltered":
        raise _problem(
            "status", later("Items picked from a pool make a questionnaire of your own. Choose original, under study.")
        )
    details = _details(beside)
    name, words = IPIP_LICENCE
    details["licence"] = {"name": beside.licence or name, "text": beside.licence_text or words}
    details["attribution"] = beside.attribution or IPIP_ATTRIBUTION
    details["citation"] = beside.citation or "Items picked from the International Personality Item Pool; not studied."
    details["status"] = beside.status or "original_under_study"
    return definition_from_pool(raw, beside.chosen, details, scale_titles=_titles(beside.scale_titles))


def _details(beside: Beside) -> dict[str, Any]:
    told = {
        "id": beside.key,
        "version": beside.version or "1",
        "language": beside.language or "en",
        "title": beside.title,
        "status": beside.status,
        "attribution": beside.attribution,
        "citation": beside.citation,
        "options": _options(beside.options),
    }
    licence = {"name": beside.licence, "text": beside.licence_text}
    # What is left empty is missing, and is named as missing.
    return _filled(told) | {"licence": _filled(licence)}


def _filled(told: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if value}


def _shape(text: str) -> tuple[list[str], int]:
    try:
        rows = filter(None, csv.reader(io.StringIO(text)))
        return next(rows, []), sum(1 for _ in rows)
    except csv.Error:
        # The reader of tables says what is wrong and where.
        return [], 0


def _options(text: str) -> list[dict[str, Any]]:
    options = []
    for number, line in enumerate(filter(str.strip, text.splitlines()), start=1):
        value, _, label = line.strip().partition(" ")
        if not (value.isascii() and value.isdecimal()) or len(value) > 3 or not label.strip():
            raise _problem(
                f"answers, line {number}", later("Write the number, a blank and the words, such as 1 Never.")
            )
        options.append({"value": int(value), "label": label.strip()})
    return options


def _titles(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {scale.strip(): title.strip() for scale, _, title in pairs}


def _problem(place: str, sentence: str) -> DefinitionError:
    return DefinitionError([FieldProblem(place, sentence)])
