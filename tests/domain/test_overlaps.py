"""Groups that share people are listed together only where nothing that follows from them tells of a few."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.overlaps import tell_of_no_few


@given(
    st.lists(st.tuples(st.frozensets(st.integers(0, 3)), st.integers(1, 14)), min_size=1, max_size=9),
    st.sampled_from((5, 10)),
)
def test_p5_no_few_follow_from_groups_that_share_people(people: list[tuple[frozenset[int], int]], least: int) -> None:
    """Whatever sums and differences of the groups shown give a group of people, it is nobody or enough of them."""
    counts = np.array([number for _, number in people])
    # Of fewer in all nothing is shown.
    assume(counts.sum() >= least)
    masks = np.array([sum(1 << group for group in known) for known, _ in people])
    listed = tell_of_no_few(masks, counts, range(4), least, most_parts=16)
    groups = [(masks >> group) & 1 == 1 for group in listed]
    everybody = np.ones(len(people), dtype=bool)
    others = ~np.logical_or.reduce([*groups, ~everybody])
    shown = [*groups, others, everybody]
    for signs in itertools.product((-1, 0, 1), repeat=len(shown)):
        found = sum((sign * group.astype(int) for sign, group in zip(signs, shown, strict=True)), 0 * counts)
        if set(found.tolist()) <= {0, 1}:
            follows = int((found * counts).sum())
            assert follows == 0 or follows >= least


def test_groups_that_would_make_too_many_parts_are_left_out() -> None:
    masks, counts = np.arange(8), np.full(8, 20)
    assert tell_of_no_few(masks, counts, range(3), 10, most_parts=8) == [0, 1, 2]
    assert tell_of_no_few(masks, counts, range(3), 10, most_parts=5) == [0, 1]
