"""The texts of an instrument in further languages: read whole, so that nobody meets half a translation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.reading import Reader
from app.domain.saying import later

MOST_LANGUAGES = 100
_FIELDS = (
    *("title", "instructions", "attribution", "citation", "allowed_uses"),
    *("options", "items", "others", "scales", "poles"),
)


@dataclass(frozen=True, slots=True)
class Translation:
    """Every text a person meets while answering and reading results, in one language.

    `options` are in the order of the answers; `items` and `scales` go by id; `poles` names a scale's low and high
    end; `others` are the second statements of a ranking's items. An empty `instructions`, `attribution`, `citation`
    or `allowed_uses` leaves the definition's own.
    """

    title: str
    instructions: str
    attribution: str
    citation: str
    allowed_uses: tuple[str, ...]
    options: tuple[str, ...]
    items: Mapping[str, str]
    others: Mapping[str, str]
    scales: Mapping[str, str]
    poles: Mapping[str, tuple[str, str]]


def read_translations(
    reader: Reader,
    *,
    options: int,
    items: Sequence[str],
    others: Sequence[str],
    scales: Sequence[str],
    poles: Sequence[str],
) -> dict[str, Translation]:
    """The translations below `translations`, by language; every missing or unknown text is noted with its place."""
    if "translations" not in reader.raw:
        return {}
    outer = reader.inner("translations")
    if len(outer.raw) > MOST_LANGUAGES:
        number, most = len(outer.raw), MOST_LANGUAGES
        outer.note("", later("There are %(number)s. Give at most %(most)s.", number=number, most=most))
        return {}
    found = {}
    for language in outer.raw:
        inner = outer.inner(str(language))
        inner.only(_FIELDS)
        labels = inner.texts("options")
        if len(labels) != options:
            inner.note(
                "options",
                later(
                    "There are %(number)s answers here and %(options)s in the definition. Match them.",
                    number=len(labels),
                    options=options,
                ),
            )
        found[str(language)] = Translation(
            title=inner.text("title"),
            instructions=inner.text("instructions") if "instructions" in inner.raw else "",
            attribution=inner.text("attribution") if "attribution" in inner.raw else "",
            citation=inner.text("citation") if "citation" in inner.raw else "",
            allowed_uses=inner.texts("allowed_uses", ()),
            options=labels,
            items=_texts_by_id(inner, "items", items),
            others=_texts_by_id(inner, "others", others) if others or "others" in inner.raw else {},
            scales=_texts_by_id(inner, "scales", scales),
            poles=_poles(inner, poles),
        )
    return found


def translations_as_json(translations: Mapping[str, Translation]) -> dict[str, Any]:
    """A plain object from which `read_translations` makes the same again."""
    written = {}
    for language, texts in sorted(translations.items()):
        plain: dict[str, Any] = {
            "title": texts.title,
            "options": list(texts.options),
            "items": dict(texts.items),
            "scales": dict(texts.scales),
        }
        if texts.instructions:
            plain["instructions"] = texts.instructions
        if texts.attribution:
            plain["attribution"] = texts.attribution
        if texts.citation:
            plain["citation"] = texts.citation
        if texts.allowed_uses:
            plain["allowed_uses"] = list(texts.allowed_uses)
        if texts.others:
            plain["others"] = dict(texts.others)
        if texts.poles:
            plain["poles"] = {scale: list(names) for scale, names in texts.poles.items()}
        written[language] = plain
    return written


def best_language(own: str, others: Sequence[str], wanted: str) -> str:
    """Which language to show a reader of `wanted` (a tag or a locale such as zh_Hans_CN): the closest, else `own`.

    The closest is the longest tag that `wanted` begins with, else one of the same first part.
    """
    parts = wanted.replace("_", "-").lower().split("-")
    fitting = [tag for tag in (own, *others) if parts[: len(split := tag.lower().split("-"))] == split]
    if fitting:
        return max(fitting, key=len)
    return next((tag for tag in (own, *others) if tag.lower().split("-")[0] == parts[0]), own)


def _texts_by_id(reader: Reader, key: str, ids: Sequence[str]) -> dict[str, str]:
    inner = reader.inner(key)
    known = set(ids)
    for name in inner.raw:
        if name not in known:
            inner.note(str(name), "The definition has nothing of this id. Remove it or correct the id.")
    return {name: inner.text(name) for name in ids}


def _poles(reader: Reader, scales: Sequence[str]) -> dict[str, tuple[str, str]]:
    if not scales:
        return {}
    inner = reader.inner("poles")
    found = {}
    for scale in scales:
        names = inner.texts(scale)
        if len(names) != 2:
            inner.note(scale, "Give the names of the low and the high pole.")
        else:
            found[scale] = (names[0], names[1])
    return found
