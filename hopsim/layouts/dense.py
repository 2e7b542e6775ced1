"""Dense networks of degree 3 and 4 with ±1 patterns, laid out for their own kernels: one signed sum per proposal."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..draws import Draws
from ..interactions import Polynomial, Power
from ..kernels import counters, dense
from ..motions import Motion
from .alignment import aligned

MOST_NEURONS = 2**14
_NEURONS_IN_BYTES = 2 * dense.LARGEST_MAGNITUDE
_THIRD = pow(3, -1, 2**16)


@dataclass(frozen=True, eq=False)
class DenseLayout:
    """Signs of the patterns as bits, 64 to a word: bit μ % 64 of bits[i W + μ // 64] is set where ξ_i^μ = 1.

    The cost of a flip is that of `Power.value`, written with M = 2m + odd; see kernels/dense.py for the formulas.
    """

    patterns: NDArray[np.int8]
    unit: float
    bits: NDArray[np.uint64]
    sums: NDArray[np.int64]
    last: np.uint64
    kernel: Any
    numbers: tuple[Any, ...]

    @classmethod
    def fits(cls, interaction: Polynomial, patterns: NDArray[np.int8]) -> bool:
        """Whether the kernels move this network: degree 3 or 4, entries ±1, N ≤ 2^14, all costs below 2^63.

        Then |m| ≤ 2^13 + 1 fits in 16 bits, and sums of int64, exact modulo 2^64, end in the exact cost.
        """
        neurons, count = patterns.shape
        if not isinstance(interaction, Power) or interaction.degree not in (3, 4) or neurons > MOST_NEURONS:
            return False
        largest = int(np.abs(np.diff(np.array(interaction.values(neurons), dtype=np.int64))).max(initial=0))
        return count > 0 and largest * count < 2**63 and bool((np.abs(patterns) == 1).all())

    @classmethod
    def of(cls, interaction: Power, patterns: NDArray[np.int8]) -> "DenseLayout":
        """The layout of one disorder sample that fits."""
        neurons, count = patterns.shape
        bits = aligned(neurons * _words(count), np.uint64)
        rows = bits.view(np.uint8).reshape(neurons, -1)
        packed = np.packbits(patterns > 0, axis=1, bitorder="little")
        rows[:, : packed.shape[1]] = packed
        last = np.uint64(2 ** ((count - 1) % 64 + 1) - 1)
        kernel = dense.cubic_sweeps if interaction.degree == 3 else dense.quartic_sweeps
        numbers = _cubic(interaction, neurons) if interaction.degree == 3 else _quartic(interaction, neurons, count)
        sums = patterns.sum(axis=1, dtype=np.int64)
        return cls(patterns, interaction.unit(neurons), bits, sums, last, kernel, numbers)

    def motion(self, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool) -> Motion:
        """A chain on this layout, for all rules that are not synchronous."""
        assert not synchronous
        return DenseMotion(self, spins, overlaps)


class DenseMotion:
    """A chain on a dense layout, which keeps m = (M - odd)/2 until it is closed."""

    at_once = 2**17

    def __init__(self, layout: DenseLayout, spins: NDArray[np.int8], overlaps: NDArray[np.int32]) -> None:
        self._layout, self._spins, self._overlaps = layout, spins, overlaps
        self._odd = np.int8(spins.size % 2)
        degree_three = layout.kernel is dense.cubic_sweeps
        kind = np.int8 if degree_three and spins.size <= _NEURONS_IN_BYTES else np.int16
        self._halves = aligned(64 * _words(overlaps.size), kind)
        self._halves[: overlaps.size] = (overlaps - self._odd) // 2
        self._moved = np.ascontiguousarray(spins).copy()

    def sweep(
        self, draws: Draws, every: int, since: int, spin_trace: NDArray[np.int8], overlap_trace: NDArray[np.int32]
    ) -> int:
        """Advance; at T = 0 in an order that offers every site, nothing moves after a sweep without a flip."""
        layout, settles = self._layout, self._settles(draws)
        state = (self._moved, self._halves, self._odd, layout.last, layout.bits, layout.sums)
        motion = (draws.orders, draws.thresholds, settles, every, since, spin_trace, overlap_trace)
        return int(layout.kernel(*state, layout.numbers, *motion))

    @staticmethod
    def _settles(draws: Draws) -> bool:
        return draws.rule == counters.SIGN and draws.order != "random"

    def close(self) -> None:
        """Write spins and overlaps back."""
        self._spins[:] = self._moved
        self._overlaps[:] = 2 * self._halves[: self._overlaps.size].astype(np.int32) + self._odd


def _cubic(interaction: Power, neurons: int) -> tuple[np.int64, np.int64]:
    """factor and bias of degree 3.

    "all": O = 6 M² + 8 and S = -12 M.  "distinct": O = M² + 2 - N and S = -2 M.  M² = 4 a (a + odd) + odd.
    """
    odd = neurons % 2
    factor, bias = (24, 8 + 6 * odd) if interaction.indices == "all" else (4, 2 - neurons + odd)
    return np.int64(factor), np.int64(bias)


def _quartic(interaction: Power, neurons: int, patterns: int) -> tuple[Any, ...]:
    """factor, bias, slope, offset, three coefficients, limit and values of degree 4.

    "all": O = 8 M³ + 32 M and S = -24 M² - 16.  "distinct": O = (M³ + (8 - 3N) M)/3 and S = N - 2 - M².
    """
    odd, every_index = neurons % 2, interaction.indices == "all"
    slope, offset = (96, 24 * odd + 16) if every_index else (4, odd + 2 - neurons)
    if every_index:
        factor, bias, numerators, denominator = (16, 40, (7, 6, 4), 1) if odd else (64, 0, (1, 0, 1), 1)
    else:
        linear = (11 - 3 * neurons) // 2 if odd else 4 - 3 * neurons // 2
        factor, bias, numerators, denominator = 4, odd * (3 - neurons), (linear, 3 * odd, 2), 3
    most = neurons // 2 + 1
    m = np.arange(-most, most + 1)
    values = (numerators[0] * m + numerators[1] * m**2 + numerators[2] * m**3) // denominator
    inverse = _THIRD if denominator == 3 else 1
    coefficients = np.array([number * inverse % 2**16 for number in numerators], dtype=np.uint16).view(np.int16)
    too_large = np.abs(m)[np.abs(values) >= 2**15]
    limit = min(int(too_large.min(initial=m.size)) - 1, dense.LARGEST_MAGNITUDE)
    numbers = (np.int64(number) for number in (factor, bias, slope, offset * patterns))
    return (*numbers, *coefficients, np.int16(limit), values)


def _words(patterns: int) -> int:
    return -(-patterns // 64)
