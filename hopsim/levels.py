"""Integer energy levels: the values of a polynomial interaction on every overlap that its patterns can have."""

import math
from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import Refused
from .interactions import Polynomial, Quadratic
from .patterns import Learned

INT64_LIMIT = 2**63


class Levels:
    """G(M) for the patterns of one disorder sample; E = -unit (Σ_μ G(M_μ) - mean).

    Patterns with the same number n of non-zero entries share a row; `rows` int32[K] names the row of each. `scale` is
    a factor of the whole energy.
    """

    def __init__(self, interaction: Polynomial, patterns: Learned, scale: float = 1.0) -> None:
        self.neurons = patterns.shape[0]
        self.unit = scale * interaction.unit(self.neurons)
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
            drop[row, first : first + 2 * size : 2] = np.diff(g)
        return drop

    @cached_property
    def _totals(self) -> NDArray[Any]:
        largest = max(int(np.abs(g).max()) for g in self._values.values())
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


class WeightedLevels(Levels):
    """G(M) for patterns S of any integer entries, such as sums of examples; M from -n to n, n = Σ_i |S_i|.

    Only F = m²/2, where G = (M² - n²)/4, and m^p/p with all indices, where G = M^p: there G is a function of M alone.
    """

    def __init__(self, interaction: Polynomial, patterns: NDArray[np.int16], scale: float = 1.0) -> None:
        (self.neurons, self._columns), self.degree = patterns.shape, interaction.degree
        self.unit = scale * interaction.unit(self.neurons)
        self._quadratic = isinstance(interaction, Quadratic)
        sizes = np.abs(patterns).sum(axis=0, dtype=np.int64)
        self.reach, self.largest = int(sizes.max()), int(np.abs(patterns).max())
        self._zero = int((sizes**2).sum()) if self._quadratic else 0
        total = _mean_power(patterns, self.degree)
        self._mean = Fraction(total - self._zero, 4) if self._quadratic else Fraction(total)

    @cached_property
    def most_cost(self) -> int:
        """What bounds M^p, and every sum of differences over the patterns: each is at most 2 max|S| · p reach^(p-1).

        Refused unless it is below 2^63.
        """
        slope = self.degree * self.reach ** (self.degree - 1)
        most: int = max(self.reach * slope, self._columns * 2 * self.largest * slope)
        _check_sum(most, self.neurons, self._columns, "lower neurons, load, degree or examples")
        return most

    @cached_property
    def values(self) -> NDArray[np.int64]:
        """values[M + reach] = M^p, or M²/4 rounded down: G but for a constant, which no energy difference sees.

        M and n have one parity, so that the rounding is such a constant too.
        """
        M = np.arange(-self.reach, self.reach + 1, dtype=np.int64)
        return M * M // 4 if self._quadratic else M**self.degree

    def total(self, overlaps: NDArray[np.int32]) -> NDArray[Any]:
        """Σ_μ G(M_μ), exact: int64 where it fits, else Python integers; overlaps [..., K]."""
        exact = np.int64 if self.reach**self.degree * overlaps.shape[-1] < INT64_LIMIT else object
        total = (overlaps.astype(exact) ** self.degree).sum(axis=-1)
        return np.asarray((total - self._zero) // 4 if self._quadratic else total, dtype=exact)


def of_patterns(interaction: Polynomial, patterns: Learned, scale: float) -> Levels:
    """The levels of patterns of entries -1, 0, +1, or of wider integers."""
    return (Levels if patterns.dtype == np.int8 else WeightedLevels)(interaction, patterns, scale)


def table_bytes(interaction: Polynomial, neurons: int, patterns: int) -> int:
    """What tables of G take where patterns have blanks: a row for each number of entries, about 4 √N for random ones.

    A table serves the energy; for degrees above 2, three more serve the motion.
    """
    tables = 1 if isinstance(interaction, Quadratic) else 4
    return 16 * tables * neurons * min(patterns, 4 * math.isqrt(neurons) + 1)


def check_range(interaction: Polynomial, neurons: int, patterns: int) -> None:
    """Refuse a network whose energy differences could exceed 64 bits (pattern sizes n ≤ N are bounded by n = N)."""
    _check_differences([_values(interaction, neurons)], neurons, patterns)


def _check_differences(values: Iterable[NDArray[Any]], neurons: int, patterns: int) -> None:
    largest = max((int(np.abs(np.diff(g)).max()) for g in values if g.size > 1), default=0)
    way_out = 'lower neurons, load or degree, or use indices = "distinct"'
    _check_sum(largest * patterns, neurons, patterns, way_out)


def _check_sum(most: int, neurons: int, patterns: int, way_out: str) -> None:
    if most >= INT64_LIMIT:
        raise Refused(
            f"neurons = {neurons} with {patterns} patterns overflows 64-bit energy differences "
            f"(up to {float(most):.1e}, the limit is 9.2e18); {way_out}"
        )


def _mean_power(patterns: NDArray[np.int16], degree: int) -> int:
    """Σ over the patterns of the exact mean of M^p over random spins, by the cumulants κ_k Σ_i S_i^k of M.

    κ_k is that of one random sign; E[M^k] = Σ_j C(k-1, j-1) κ_j Σ_i S_i^j E[M^(k-j)].
    """
    if degree % 2:
        return 0
    signs: list[int] = [0]
    means: list[Any] = [np.full(patterns.shape[1], 1, dtype=object)]
    exact = np.int64 if patterns.shape[0] * int(np.abs(patterns).max()) ** degree < INT64_LIMIT else object
    powers = [(patterns.astype(exact) ** k).sum(axis=0).astype(object) if k % 2 == 0 else 0 for k in range(degree + 1)]
    for k in range(1, degree + 1):
        below = sum(math.comb(k - 1, j - 1) * signs[j] for j in range(1, k) if (k - j) % 2 == 0)
        signs.append((k % 2 == 0) - below)
        means.append(sum(math.comb(k - 1, j - 1) * signs[j] * powers[j] * means[k - j] for j in range(1, k + 1)))
    return int(means[degree].sum())


@lru_cache(maxsize=1024)
def _values(interaction: Polynomial, size: int) -> NDArray[Any]:
    """G on the overlaps of a pattern of this size: int64 where its differences fit too, else Python integers."""
    exact = interaction.values(size)
    return np.array(exact, dtype=np.int64 if max(map(abs, exact)) < INT64_LIMIT // 2 else object)


@lru_cache(maxsize=4096)
def _mean(interaction: Polynomial, size: int) -> Fraction:
    return interaction.mean(size)
