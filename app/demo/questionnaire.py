"""Made-up answers to a questionnaire, leaning where a person's programme leads; no answer is anybody's."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from app.domain.instrument_parts import Item
from app.domain.instruments import Instrument

Leanings = Mapping[str, float]

# By programme: the two interests and the two work values that most people there put first, and the way up they lean to.
_LEANS: Final[Mapping[str, tuple[str, str, str, str, str]]] = {
    "Business": ("E", "C", "recognition", "conditions", "management"),
    "Computing": ("I", "C", "independence", "achievement", "technical"),
    "Engineering": ("R", "I", "achievement", "conditions", "technical"),
    "Languages": ("A", "S", "relationships", "independence", "service"),
    "Nursing": ("S", "I", "relationships", "support", "service"),
    "Design": ("A", "R", "achievement", "independence", "entrepreneurship"),
    "Biology": ("I", "R", "achievement", "support", "technical"),
}
_STRENGTHS: Final = (1.3, 0.8, 1.2, 0.7, 0.9)
_MISSED: Final = 0.01


def leanings_of(programme: str) -> Leanings:
    """How far people of a programme lean to each scale, in standard deviations; none for an unknown programme."""
    return dict(zip(_LEANS.get(programme, ()), _STRENGTHS, strict=False))


def write_answers(
    path: Path,
    definition: Instrument,
    people: Sequence[str],
    *,
    seed: int,
    leaning: Callable[[str], Leanings] = lambda _person: {},
) -> int:
    """Write one row a person, with a missed answer here and there; returns the rows.

    The same seed, questionnaire and people always give the same answers.
    """
    chance = random.Random(f"{seed} {definition.id}")  # noqa: S311 - made-up answers need no secret randomness
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", *(item.id for item in definition.items)])
        for person in people:
            lean = leaning(person)
            own = {scale.id: lean.get(scale.id, 0.0) + chance.gauss(0.1, 0.7) for scale in definition.scales}
            answers = [_answer(definition, item, own, chance) for item in definition.items]
            writer.writerow([person, *("" if chance.random() < _MISSED else answer for answer in answers)])
    return len(people)


def _answer(definition: Instrument, item: Item, own: Leanings, chance: random.Random) -> int:
    if item.against:
        first = own[item.scale] + chance.gauss(0, 0.4) >= own[item.against]
        return definition.lowest if first else definition.highest
    low, high = definition.lowest, definition.highest
    meant = (low + high) / 2 + (high - low) / 4 * (item.key * own[item.scale] + chance.gauss(0, 0.6))
    return min(high, max(low, round(meant)))
