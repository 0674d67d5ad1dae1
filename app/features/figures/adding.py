"""Published numbers of several groups that share nobody, added up: what is withheld of one is withheld of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.domain.means import mean_interval, student


def add_up(lines: Sequence[Any]) -> Any:
    """The sum of numbers, or of lists of numbers place by place; None where one of them is withheld."""
    if isinstance(lines[0], list):
        return [add_up(column) for column in zip(*lines, strict=True)]
    return None if any(number is None for number in lines) else sum(lines)


def mean_of(means: Sequence[Any], people: Sequence[Any]) -> Any:
    """The mean of all with its interval, from each group's and how many people it has; None where one is withheld."""
    if isinstance(people[0], list):
        return [mean_of(*columns) for columns in zip(zip(*means, strict=True), zip(*people, strict=True), strict=True)]
    if any(n is None for n in people) or not sum(people):
        return None
    total = squares = 0.0
    for n, told in zip(people, means, strict=True):
        if n:
            mean, low, high = told
            total += n * mean
            # The interval is mean ± t × s / √n.
            spread = 0.0 if n == 1 else ((high - low) / 2 / student(n - 1)) ** 2 * n * (n - 1)
            squares += spread + n * mean**2
    found = [float(end[0]) for end in mean_interval(*(np.array([one], float) for one in (sum(people), total, squares)))]
    return [None if end != end else end for end in found]  # noqa: PLR0124 # not a number where there is one person
