"""Answers to scale scores, and what error and change mean for them.

Scores of thousands of people are computed at once: rows are people, columns are an instrument's items in the
order asked, 0 is a missed answer. Undefined scores are NaN, never 0.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, sqrt
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.instruments import Instrument
from app.domain.saying import later

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.integer[Any]]
Z_95 = 1.96


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTable:
    """Scores of many people: arrays of people x scales, scales as in `scales`.

    `scores` is NaN where too few items were answered; `answered` counts a scale's answered items and
    `items` how many it has; a score with some items missed is prorated from the answered ones.
    """

    scales: tuple[str, ...]
    scores: Floats
    answered: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]

    @property
    def prorated(self) -> npt.NDArray[np.bool_]:
        """Where a score exists although items were missed."""
        return (self.answered < self.items) & ~np.isnan(self.scores)

    def column(self, scale: str) -> Floats:
        """One scale's scores, one a person. Raises ValueError for an unknown scale."""
        return self.scores[:, self.scales.index(scale)]


def score(instrument: Instrument, responses: Integers) -> ScoreTable:
    """Score the answers of many people (people x items; 0 or masked = missed) on every scale.

    A scale's score is the sum or mean of its items after turning reversed ones (lowest + highest - answer)
    and adding the offset. With missed items but at least the scale's fraction answered, a sum is the mean of
    the answered items times the number of items. In a ranking each choice counts one for the scale preferred, so
    that scores add up to the number of choices. Raises `InvalidInput` for a wrong shape or an answer that is no
    option.
    """
    answers = _checked(instrument, responses)
    answered = answers > 0
    # One matrix product instead of a loop over scales: a column of `belongs` picks a scale's items.
    belongs = np.array([[scale.takes(item) for scale in instrument.scales] for item in instrument.items])
    counts = answered.astype(np.float64) @ belongs.astype(np.float64)
    sums = _sums(instrument, answers, belongs)
    items = belongs.sum(axis=0)
    offsets = np.array([scale.offset for scale in instrument.scales])
    fractions = np.array([scale.min_answered for scale in instrument.scales])
    # The tiny allowance keeps 14 of 25 acceptable at 0.56, since 25 x 0.56 comes out just above 14.
    enough = (counts > 0) & (counts >= items * fractions - 1e-9)
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=enough) + offsets
    # Complete sums are taken as they are, so that whole numbers stay exact.
    totals = np.where(counts == items, sums + items * offsets, means * items)
    is_sum = np.array([scale.method == "sum" for scale in instrument.scales])
    return ScoreTable(
        scales=tuple(scale.id for scale in instrument.scales),
        scores=np.where(enough, np.where(is_sum, totals, means), np.nan),
        answered=counts.astype(np.int64),
        items=items,
    )


def _sums(instrument: Instrument, answers: Integers, belongs: npt.NDArray[np.bool_]) -> Floats:
    if instrument.ranking:
        first = np.array([[item.scale == scale.id for scale in instrument.scales] for item in instrument.items])
        chosen, refused = answers == instrument.lowest, answers == instrument.highest
        found: Floats = chosen @ first.astype(np.float64) + refused @ (belongs & ~first).astype(np.float64)
        return found
    keys = np.array([item.key for item in instrument.items])
    turned = np.where(keys > 0, answers, instrument.lowest + instrument.highest - answers)
    sums: Floats = np.where(answers > 0, turned, 0).astype(np.float64) @ belongs.astype(np.float64)
    return sums


def keyed_answers(instrument: Instrument, responses: Integers, scale: str) -> Floats:
    """One scale's answers with reversed ones turned: people x items of the scale; NaN where missed.

    Raises ValueError for a ranking, whose answers depend on each other, and for an unknown scale.
    """
    if instrument.ranking:
        raise ValueError("the answers of a ranking are choices between scales, not ratings of one")
    answers = _checked(instrument, responses)
    whole = next((known for known in instrument.scales if known.id == scale), None)
    if whole is None:
        raise ValueError(f"there is no scale {scale!r}")
    columns = [index for index, item in enumerate(instrument.items) if whole.takes(item)]
    keys = np.array([instrument.items[index].key for index in columns])
    own = answers[:, columns]
    turned = np.where(keys > 0, own, instrument.lowest + instrument.highest - own)
    return np.where(own > 0, turned, np.nan).astype(np.float64)


def cronbach_alpha(keyed: Floats) -> float | None:
    """Internal consistency of a scale from keyed answers (people x items, incomplete rows left out).

    alpha = k / (k - 1) x (1 - sum of item variances / variance of totals) (Cronbach 1951); may be negative.
    None below two items or two complete people, or when totals do not vary.
    """
    complete = keyed[~np.isnan(keyed).any(axis=1)]
    people, items = complete.shape
    if people < 2 or items < 2:
        return None
    total_variance = complete.sum(axis=1).var(ddof=1)
    if total_variance <= 0:
        return None
    return float(items / (items - 1) * (1 - complete.var(axis=0, ddof=1).sum() / total_variance))


def standard_error(sd: float, reliability: float) -> float | None:
    """Standard error of measurement, sd x sqrt(1 - reliability), in the score's units.

    None when it is undefined: a reliability outside 0..1, or a standard deviation that is not positive.
    """
    if not (isfinite(sd) and sd > 0 and 0 <= reliability <= 1):
        return None
    return sd * sqrt(1 - reliability)


def band(value: float, error: float, z: float = Z_95) -> tuple[float, float]:
    """The error band value -/+ z x standard error (1.96 for 95 percent, 1.00 for 68)."""
    return (value - z * error, value + z * error)


class Direction(StrEnum):
    """What can be said about a difference between two takings."""

    HIGHER = "higher"
    LOWER = "lower"
    NO_CHANGE = "no_change"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """The same for a scale on which one direction is better."""

    IMPROVEMENT = "reliable_improvement"
    DETERIORATION = "reliable_deterioration"
    NO_CHANGE = "no_reliable_change"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ReliableChange:
    """A difference against its error: the index, the smallest raw change that counts, the direction.

    `index` and `least_change` are None, and the direction unknown, where the error is not known.
    """

    index: float | None
    least_change: float | None
    direction: Direction

    def verdict(self, better: Literal["higher", "lower"]) -> Verdict:
        """Whether the change is an improvement, given which direction is better."""
        if self.direction is Direction.UNKNOWN:
            return Verdict.UNKNOWN
        if self.direction is Direction.NO_CHANGE:
            return Verdict.NO_CHANGE
        return Verdict.IMPROVEMENT if self.direction.value == better else Verdict.DETERIORATION


def reliable_change(before: float, after: float, sd: float, reliability: float, z: float = Z_95) -> ReliableChange:
    """The reliable change index: (after - before) / (sqrt(2) x standard error), reliable from |z| on.

    Jacobson & Truax 1991 in the form of Christensen & Mendoza 1986. `sd` and `reliability` come from the
    definition file or from at least 100 complete answers; a missing score (NaN) or an undefined or zero
    error leaves the change unknown.
    """
    error = standard_error(sd, reliability)
    if not error or not isfinite(before) or not isfinite(after):
        return ReliableChange(None, None, Direction.UNKNOWN)
    difference_error = sqrt(2) * error
    index = (after - before) / difference_error
    direction = Direction.NO_CHANGE
    if abs(index) >= z:
        direction = Direction.HIGHER if index > 0 else Direction.LOWER
    return ReliableChange(index, z * difference_error, direction)


def straight_lining(responses: Integers, share: float = 0.5, least: int = 8) -> npt.NDArray[np.bool_]:
    """One flag a person (people x items, in the order asked): the same answer many times in a row.

    Many is at least `share` of all items and at least `least` (own rule); a missed answer ends a run. A flag
    is for the counsellor to look at; it never changes a score.
    """
    answers = _plain(responses)
    people, items = answers.shape
    run = np.zeros(people, dtype=np.int64)
    longest = np.zeros(people, dtype=np.int64)
    previous = np.zeros(people, dtype=answers.dtype)
    for column in answers.T:
        run = np.where(column == 0, 0, np.where(column == previous, run + 1, 1))
        longest = np.maximum(longest, run)
        previous = column
    flagged: npt.NDArray[np.bool_] = longest >= max(least, items * share)
    return flagged


def _plain(responses: Integers) -> Integers:
    """Masked answers become 0."""
    if isinstance(responses, np.ma.MaskedArray):
        return np.asarray(responses.filled(0))
    return np.asarray(responses)


def _checked(instrument: Instrument, responses: Integers) -> Integers:
    answers = _plain(responses)
    wanted = len(instrument.items)
    if answers.ndim != 2 or answers.shape[1] != wanted:
        raise InvalidInput(
            [FieldProblem("responses", later("Give one row a person with %(wanted)s answers each.", wanted=wanted))]
        )
    if not np.issubdtype(answers.dtype, np.integer):
        raise InvalidInput([FieldProblem("responses", "Give answers as whole numbers, 0 for missed.")])
    answers = answers.astype(np.int64, copy=False)
    low, high = instrument.lowest, instrument.highest
    wrong = (answers != 0) & ((answers < low) | (answers > high))
    if wrong.any():
        problems = [
            FieldProblem(
                f"responses[{person}].{instrument.items[item].id}",
                later(
                    "%(answer)s is no answer. Give %(low)s to %(high)s, or 0 for missed.",
                    answer=answers[person, item],
                    low=low,
                    high=high,
                ),
            )
            # A wholly wrong file would otherwise report millions of cells.
            for person, item in np.argwhere(wrong)[:100]
        ]
        raise InvalidInput(problems)
    return answers
