"""Groups that share people: which of them can be shown beside each other, and their numbers from parts that do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]


def tell_of_no_few(masks: Whole, counts: Whole, order: Sequence[int], least: int, *, most_parts: int) -> list[int]:
    """Which groups can be listed together, taken in this `order` and returned in their own.

    Those who are in the same ones of the groups listed must be at least `least` people: whatever sums and differences
    of the groups shown single out is made of such parts, of which there are at most `most_parts`. `masks` has a bit
    for each group, `counts` how many people are so.
    """
    inside = {one: masks >> one & 1 for one in order}
    return list_together(inside, counts, order, least, most_parts=most_parts)[0]


def list_together(
    inside: Mapping[int, Whole], counts: Whole, order: Sequence[int], least: int, *, most_parts: int
) -> tuple[list[int], Whole]:
    """The same where `inside` says for each group which kinds of people are in it (1, else 0); and each kind's part."""
    listed: list[int] = []
    part = np.zeros(len(counts), dtype=np.int64)
    for one in order:
        finer = np.unique(part * 2 + inside[one], return_inverse=True)[1].astype(np.int64)
        sizes = np.bincount(finer, weights=counts)
        if (sizes >= least).all() and len(sizes) <= most_parts:
            listed.append(one)
            part = finer
    return sorted(listed), part
