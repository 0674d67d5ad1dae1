"""The parts of an instrument definition: answers, items, scales, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from app.domain.profiles import AREAS

Status = Literal["published_unaltered", "published_adapted", "original_under_study", "reflection_only"]
Method = Literal["sum", "mean"]
STATUSES: tuple[Status, ...] = (
    "published_unaltered",
    "published_adapted",
    "original_under_study",
    "reflection_only",
)
Measures = Literal["interests", "values", "adaptability", "paths", "skills", "personality", "other"]
# What later steps may read an instrument as.
MEASURES: tuple[Measures, ...] = ("other", "interests", "values", "adaptability", "paths", "skills", "personality")
# In this order a values instrument names its six, which is the order of the catalogue.
WORK_VALUES = ("achievement", "conditions", "recognition", "relationships", "support", "independence")
# The keys of the six scales of these instruments, in the order in which `interpretation` names the scales.
FIXED: Final[Mapping[str, tuple[str, ...]]] = {"interests": tuple(AREAS), "values": WORK_VALUES}


@dataclass(frozen=True, slots=True)
class ResponseOption:
    """One possible answer: a whole number of at least 1 (0 means missed) and its label.

    `short` is a figure or two letters for a screen on which the labels do not fit beside each other; often empty.
    """

    value: int
    label: str
    short: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One question: its scale, its key (-1 when agreeing means less of the scale) and its place in order.

    In a ranking it is a choice between two statements: `text` speaks for `scale`, `other` for the scale `against`.
    """

    id: str
    text: str
    scale: str
    key: Literal[1, -1]
    order: int
    against: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """How items become one score.

    `offset` is added to each answer after turning reversed ones (-1 makes 1..5 count 0..4); `low` and `high`
    bound the score; below the fraction `min_answered` of answered items the score is undefined. A scale `of` others
    takes their items together and has none of its own.
    """

    id: str
    title: str
    method: Method
    offset: float
    low: float
    high: float
    min_answered: float
    of: tuple[str, ...] = ()

    def takes(self, item: Item) -> bool:
        """Whether an answer to the item bears on this scale's score."""
        return self.id in (item.scale, item.against) or item.scale in self.of


@dataclass(frozen=True, slots=True)
class Reliability:
    """A published or own reliability of a scale, between 0 and 1, with the sample it was found in."""

    scale: str
    kind: str
    value: float
    n: int
    population: str
    source: str


@dataclass(frozen=True, slots=True)
class Norm:
    """Mean and standard deviation of a scale in a named group."""

    scale: str
    group: str
    mean: float
    sd: float
    n: int
    source: str
    year: int


@dataclass(frozen=True, slots=True)
class Interpretation:
    """How results are shown: the order of the scales and, for scales with two poles, their names."""

    order: tuple[str, ...]
    poles: tuple[tuple[str, str, str], ...]
