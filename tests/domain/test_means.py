"""Means and their intervals are those of the textbook, as another program computes them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from app.domain.means import mean_interval, student


def test_points_of_students_distribution() -> None:
    for freedom in [*range(1, 200), 1_000, 50_000]:
        assert student(freedom) == pytest.approx(t.ppf(0.975, freedom), abs=1e-5), freedom
    assert np.isnan(student(0))


@pytest.mark.parametrize("people", [2, 3, 12, 31, 400])
def test_an_interval_from_sums_is_the_one_of_the_values(people: int) -> None:
    values = np.random.default_rng(people).normal(40, 9, people)
    given = (np.array([one]) for one in (people, values.sum(), (values**2).sum()))
    mean, low, high = (float(end[0]) for end in mean_interval(*given))
    least, most = t.interval(0.95, people - 1, values.mean(), values.std(ddof=1) / people**0.5)
    assert (mean, low, high) == pytest.approx((values.mean(), least, most), abs=1e-4)


def test_nobody_has_no_mean_and_one_person_no_interval() -> None:
    mean, low, high = mean_interval(np.array([0, 1, 2]), np.array([0, 7.5, 6.6]), np.array([0, 56.25, 21.78]))
    assert np.isnan(mean[0])
    assert np.isnan(low[:2]).all()
    assert mean[1:] == pytest.approx([7.5, 3.3])
    # Equal values differ by nothing, whatever rounding makes of their squares.
    assert (low[2], high[2]) == pytest.approx((3.3, 3.3))
