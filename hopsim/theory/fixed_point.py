"""Fixed points: what a solver raises when there is none, and the root finders that it uses."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import brentq

TIGHT = 4 * np.finfo(float).eps


class NotConverged(RuntimeError):
    """No solution was found: the message says what was sought and where it exists; `last` is the last iterate."""

    def __init__(self, message: str, last: Any = None) -> None:
        super().__init__(message)
        self.last = last


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """The root of a function that changes sign between low and high, to machine precision."""
    return float(brentq(function, low, high, xtol=1e-300, rtol=TIGHT))


def bracket(
    function: Callable[[float], float], low: float, high: float, *, tolerance: float
) -> tuple[float, float, float]:
    """(root, low, high): a root and an interval around it over which the function was seen to change sign.

    The interval is `tolerance` wide, relative to the root, where the function allows it.
    """
    centre = float(brentq(function, low, high, xtol=1e-300, rtol=max(tolerance / 4, TIGHT)))
    sign = np.sign(function(high))
    width = tolerance * abs(centre) / 2
    while width < abs(high - low):
        below, above = max(low, centre - width), min(high, centre + width)
        if np.sign(function(below)) != sign and np.sign(function(above)) == sign:
            return centre, below, above
        width *= 4
    return centre, low, high


def first_change(function: Callable[[float], float], points: Sequence[float]) -> tuple[float, float] | None:
    """The first two neighbouring points between which a function changes sign; None if it does not."""
    before = function(points[0])
    for left, right in pairwise(points):
        after = function(right)
        if before * after <= 0:
            return left, right
        before = after
    return None
