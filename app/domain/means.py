"""A mean with the interval that holds it in 95 of 100 groups like this one (Student 1908)."""

from __future__ import annotations

from functools import lru_cache
from math import atan, cos, pi, sin, sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# From so many degrees of freedom on the expansion for large ones is right to six places.
_MANY = 30


def mean_interval(n: Floats, total: Floats, squares: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, and lower and upper end of its interval, of groups of which the sum and the sum of squares are known.

    mean ± t × s / √n, s the standard deviation with n - 1 and t the 97.5 % point of Student's distribution for n - 1.
    NaN where there is nobody; the ends where there is one person only.
    """
    n, total, squares = (np.asarray(given, dtype=np.float64) for given in (n, total, squares))
    nothing = np.full(n.shape, np.nan)
    mean = np.divide(total, n, out=nothing.copy(), where=n > 0)
    # A variance of equal numbers can come out a hair below nothing.
    spread = np.maximum(squares - total * np.where(n > 0, mean, 0.0), 0.0)
    variance = np.divide(spread, n - 1, out=nothing.copy(), where=n > 1)
    t = np.array([student(int(one) - 1) for one in n.ravel()]).reshape(n.shape)
    half = t * np.sqrt(np.divide(variance, n, out=nothing.copy(), where=n > 1))
    return mean, mean - half, mean + half


@lru_cache(maxsize=10_000)
def student(freedom: int) -> float:
    """The point below which 97.5 % of Student's distribution lies; NaN without a degree of freedom."""
    if freedom < 1:
        return float("nan")
    if freedom >= _MANY:
        z = 1.959963984540054
        first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
        third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
        return z + first / freedom + second / freedom**2 + third / freedom**3
    low, high = 1.9, 13.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 0.95 else (low, middle)
    return (low + high) / 2


def _within(t: float, freedom: int) -> float:
    """The share of Student's distribution from -t to t: the finite sums of Abramowitz & Stegun 26.7.3 and 26.7.4."""
    angle, odd = atan(t / sqrt(freedom)), freedom % 2
    if freedom == 1:
        return 2 * angle / pi
    term = whole = cos(angle) if odd else 1.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= (k - 1) / k * cos(angle) ** 2
        whole += term
    return 2 * (angle + sin(angle) * whole) / pi if odd else sin(angle) * whole
