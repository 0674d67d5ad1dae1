"""Picks items by their code from a pool of items, such as the International Personality Item Pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.errors import FieldProblem
from app.domain.instruments import DefinitionError
from app.domain.item_csv import KEYS
from app.domain.reading import short
from app.domain.saying import later

_NOTHING_CHOSEN = later(
    "This is a pool of items and no questionnaire yet. Say which items you take, one a line: code, scale and key, such "
    "as H34 E +."
)


def is_pool(raw: Any) -> bool:
    """Whether a JSON value is a pool: an object whose `data` lists objects with `question` and `code`."""
    listed = raw.get("data") if isinstance(raw, Mapping) else None
    return bool(
        isinstance(listed, list)
        and listed
        and all(isinstance(one, Mapping) and {"question", "code"} <= set(one) for one in listed)
    )


def texts_by_code(raw: Mapping[str, Any]) -> dict[str, str]:
    """The pool's item texts by each of their codes; an item of several questionnaires has several ("H34, X94")."""
    return {
        code.strip(): str(one["question"]).strip().removesuffix(".")
        for one in raw["data"]
        for code in str(one["code"]).split(",")
    }


def definition_from_pool(
    raw: Mapping[str, Any], chosen: str, details: Mapping[str, Any], *, scale_titles: Mapping[str, str]
) -> dict[str, Any]:
    """A definition for `parse_definition`: `details` (all fields but items and scales) plus the items `chosen`.

    `chosen` is one item a line: code, scale and key. Every scale is the sum of its items. Raises DefinitionError
    naming each line that cannot be read or names no item of the pool.
    """
    pool = texts_by_code(raw)
    lines = [(number, line.split()) for number, line in enumerate(chosen.splitlines(), 1) if line.strip()]
    if not lines:
        raise DefinitionError([FieldProblem("chosen", _NOTHING_CHOSEN)])
    problems = [problem for number, words in lines for problem in _problems(number, words, pool)]
    if problems:
        raise DefinitionError(problems)
    scales = dict.fromkeys(words[1] for _, words in lines)
    return {
        **details,
        "items": [
            {"id": words[0], "text": pool[words[0]], "scale": words[1], "key": KEYS[words[2]], "order": number}
            for number, (_, words) in enumerate(lines, 1)
        ],
        "scales": [{"id": scale, "title": scale_titles.get(scale, scale), "method": "sum"} for scale in scales],
    }


def _problems(number: int, words: Sequence[str], pool: Mapping[str, str]) -> list[FieldProblem]:
    place = f"chosen, line {number}"
    if len(words) != 3:
        return [FieldProblem(place, "Write the code, the scale and the key, such as H34 E +.")]
    found = []
    if words[0] not in pool:
        found.append(
            FieldProblem(place, later("The pool has no item %(value)s. Correct the code.", value=short(words[0], 20)))
        )
    if words[2] not in KEYS:
        found.append(FieldProblem(place, later("%(value)s is no key. Write + or -.", value=short(words[2], 20))))
    return found
