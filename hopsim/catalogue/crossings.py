"""Where simulated points cross a level, and what such crossings tend to for N → ∞; with errors."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import Refused
from ..statistics import Average

Floats = NDArray[np.float64]


def crossing(x: Floats, y: Sequence[Average], level: float) -> Average:
    """Where straight lines through the points cross a level for the first time, with the error that y gives it.

    Refused where all points are on one side.
    """
    order = np.argsort(x)
    places, values = x[order], np.array([average.value for average in y])[order]
    errors = np.nan_to_num([average.error for average in y])[order]
    sides = values >= level
    changes = np.flatnonzero(sides[1:] != sides[:-1])
    if not changes.size:
        raise Refused(f"no crossing of {level:g}: all values are between {values.min():g} and {values.max():g}")
    pair = slice(changes[0], changes[0] + 2)
    (x1, x2), (y1, y2), (e1, e2) = places[pair], values[pair], errors[pair]
    slope = (y2 - y1) / (x2 - x1)
    share = (level - y1) / (y2 - y1)
    return Average(float(x1 + share * (x2 - x1)), float(np.hypot((1 - share) * e1, share * e2) / abs(slope)))


def limit(sizes: Sequence[int], values: Sequence[Average]) -> Average:
    """a of a + b/N by weighted least squares, with the error that those of the values give it."""
    weights = 1 / np.array([value.error for value in values])
    columns = np.stack([np.ones(len(sizes)), 1 / np.array(sizes, dtype=float)], axis=1) * weights[:, None]
    covariance = np.linalg.inv(columns.T @ columns)
    found = covariance @ columns.T @ (np.array([value.value for value in values]) * weights)
    return Average(float(found[0]), float(np.sqrt(covariance[0, 0])))
