"""Integer energy levels: the values of a polynomial interaction on every overlap that its patterns can have."""

import itertools
import math
from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import Refused
from .interactions import Polynomial

INT64_LIMIT = 2**63


class Levels:
    """G(M) for the patterns of one disorder sample; E = -unit (Σ_μ G(M_μ) - mean).

    Patterns with the same number n of non-zero entries share a row; `rows` int32[K] names the row of each.
    """

    def __init__(self, interaction: Polynomial, patterns: NDArray[np.int8]) -> None:
        self.neurons = patterns.shape[0]
        self.unit = interaction.unit(self.neurons)
        sizes, rows, counts = np.unique(np.count_nonzero(patterns, axis=0), return_inverse=True, return_counts=True)
        self.rows = rows.reshape(-1).astype(np.int32)
        self._values = {int(n): _values(interaction, int(n)) for n in sizes}
        self._mean = sum((int(c) * _mean(interaction, int(n)) for n, c in zip(sizes, counts, strict=True)), Fraction(0))

    @cached_property
    def drop(self) -> NDArray[np.int64]:
        """drop[row, M + N] = G(M) - G(M - 2), 0 where M or M - 2 cannot occur; M from -N to N + 2.

        Refused unless every sum over the patterns is below 2^63, so that the kernels cannot overflow.
        """
        drop = np.zeros((len(self._values), 2 * self.neurons + 3), dtype=np.int64)
        _check_differences(self._values.values(), self.neurons, self.rows.size)
        for row, (size, g) in enumerate(self._values.items()):
            first = self.neurons - size + 2
            drop[row, first : first + 2 * size : 2] = [b - a for a, b in itertools.pairwise(g)]
        return drop

    @cached_property
    def _totals(self) -> NDArray[Any]:
        largest = max(abs(value) for g in self._values.values() for value in g)
        exact = np.int64 if largest * self.rows.size < INT64_LIMIT else object
        totals = np.zeros((len(self._values), 2 * self.neurons + 1), dtype=exact)
        for row, (size, g) in enumerate(self._values.items()):
            totals[row, self.neurons - size : self.neurons + size + 1 : 2] = g
        return totals

    def total(self, overlaps: NDArray[np.int32]) -> NDArray[Any]:
        """Σ_μ G(M_μ), exact: int64 where it fits, else Python integers; overlaps [..., K]."""
        total = self._totals[self.rows, overlaps + self.neurons].sum(axis=-1)
        return np.asarray(total, dtype=self._totals.dtype)

    def energy_density(self, overlaps: NDArray[np.int32]) -> NDArray[np.float64]:
        """(E - its mean over random spins)/N for overlaps [..., K]."""
        whole = math.floor(self._mean)
        excess = np.asarray(self.total(overlaps) - whole, dtype=np.float64) - float(self._mean - whole)
        return np.asarray(-self.unit / self.neurons * excess)


def check_range(interaction: Polynomial, neurons: int, patterns: int) -> None:
    """Refuse a network whose energy differences could exceed 64 bits (pattern sizes n ≤ N are bounded by n = N)."""
    _check_differences([_values(interaction, neurons)], neurons, patterns)


def _check_differences(values: Iterable[tuple[int, ...]], neurons: int, patterns: int) -> None:
    largest = max((abs(b - a) for g in values for a, b in itertools.pairwise(g)), default=0)
    if largest * patterns >= INT64_LIMIT:
        raise Refused(
            f"neurons = {neurons} with {patterns} patterns overflows 64-bit energy differences "
            f"(up to {float(largest * patterns):.1e}, the limit is 9.2e18); "
            'lower neurons, load or degree, or use indices = "distinct"'
        )


@lru_cache(maxsize=4096)
def _values(interaction: Polynomial, size: int) -> tuple[int, ...]:
    return tuple(interaction.values(size))


@lru_cache(maxsize=4096)
def _mean(interaction: Polynomial, size: int) -> Fraction:
    return interaction.mean(size)
