"""Phase diagrams: the replica-symmetric retrieval state on a whole grid of loads and temperatures at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..networks import Law
from . import crosstalk, mixtures, retrieval
from .crosstalk import Noise
from .gaussian import Array
from .solution import checked_load, checked_temperature

Masked = np.ma.MaskedArray[Any, Any]


@dataclass(frozen=True)
class Grid:
    """m, q and the susceptibility C = β(1-q) as masked arrays [temperature, load]; masked where there is no state."""

    loads: Array
    temperatures: Array
    m: Masked
    q: Masked
    susceptibility: Masked


def retrieval_grid(
    law: Law | Noise, *, loads: Sequence[float], temperatures: Sequence[float], patterns: int = 1
) -> Grid:
    """The stable retrieval state, or mixture of n patterns, at every pair of a load > 0 and a temperature >= 0.

    What `solve` finds one by one, to rounding: all loads of a temperature take part in one Newton iteration.
    """
    noise, patterns = crosstalk.noise(law), mixtures.checked_patterns(patterns)
    columns = np.array([checked_load(load) for load in loads])
    rows = np.array([checked_temperature(temperature) for temperature in temperatures])
    order, exists = np.zeros((3, rows.size, columns.size)), np.zeros((rows.size, columns.size), dtype=bool)
    for k, temperature in enumerate(rows.tolist()):
        m, v, exists[k] = retrieval.states(noise, columns, temperature, patterns)
        answer = mixtures.response(patterns, m ** (noise.degree - 1), np.sqrt(v), temperature)
        order[:, k] = np.where(exists[k], (m, answer.q, answer.C), 0.0)
    return Grid(columns, rows, *(np.ma.MaskedArray(values, mask=~exists) for values in order))
