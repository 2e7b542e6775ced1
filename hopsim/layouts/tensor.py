"""Degree 3 at low acceptance: the costs of all flips are kept, and a flip updates them with the couplings T_ijk.

The motion changes between these and the bit-packed sums by the acceptance of the sweeps before; both follow the same
trajectory. The couplings cost time to make, so that they are made only when they would have saved as much.
"""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..draws import Draws
from ..kernels import dense, tensor
from ..motions import Motion
from .alignment import aligned
from .dense import DenseLayout, DenseMotion

MOST_BYTES = 2**26
_MOST_PATTERNS = 2**15 - 1  # |T| ≤ K fits in 16 bits
_PATTERNS_IN_BYTES = 1500  # the bytes hold |T| ≤ 255, six standard deviations of random patterns


class Couplings(NamedTuple):
    """T_ijk = scale u - shift, see kernels/tensor.py."""

    entries: NDArray[Any]
    group: int
    scale: np.int32
    shift: np.int32


class TensorLayout:
    """A dense layout of degree 3 with its couplings, which are made when they are first asked for."""

    def __init__(self, layout: DenseLayout) -> None:
        self.dense, self.unit = layout, layout.unit
        self.neurons, self.count = layout.patterns.shape
        self.sums = layout.sums.astype(np.int32)
        self._width = 1 if self.count <= _PATTERNS_IN_BYTES else 2
        self._missed = 0.0

    @classmethod
    def fits(cls, layout: DenseLayout) -> bool:
        """Whether the couplings fit in 16 bits and 64 MiB, and so all costs in 53 bits and their changes in 32."""
        neurons, count = layout.patterns.shape
        degree_three = layout.kernel is dense.cubic_sweeps
        return degree_three and count <= _MOST_PATTERNS and _entries(neurons, 2) * 2 <= MOST_BYTES

    @cached_property
    def couplings(self) -> Couplings:
        """In bytes if all of them fit, else in 16 bits."""
        narrow = self._fill(np.uint8, 4, 2, 256 - self.count % 2) if self._width == 1 else None
        couplings = narrow or self._fill(np.int16, 2, 1, 0)
        assert couplings is not None
        return couplings

    def _fill(self, kind: Any, group: int, scale: int, shift: int) -> Couplings | None:
        entries, limits = aligned(_entries(self.neurons, group), kind), np.iinfo(kind)
        sizes = (self.neurons, self.count, group, scale, shift, limits.min, limits.max)
        filled = tensor.fill_tensor(entries, self.dense.bits, *sizes)
        return Couplings(entries, group, np.int32(scale), np.int32(shift)) if filled else None

    def gain(self, acceptance: float) -> float:
        """What the couplings save, in ns per proposal, from measured costs at acceptance a.

        Bit-packed sums 7 + K/120 + a (25 + K/20), costs kept 2 + a (100 + K/40 + w N²/80) with entries of w bytes.
        """
        sums = 7 + self.count / 120 + acceptance * (25 + self.count / 20)
        kept = 2 + acceptance * (100 + self.count / 40 + self._width * self.neurons**2 / 80)
        return float(sums - kept)

    def pays(self, missed: float) -> bool:
        """Note what was missed, in ns, without the couplings; whether all of it was worth making them, or they exist.

        To make them takes N³/2 (7 + K/160) ns.
        """
        self._missed += missed
        return "couplings" in self.__dict__ or self._missed > self.neurons**3 / 2 * (7 + self.count / 160)

    def motion(self, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool) -> Motion:
        """A chain on this layout, for all rules that are not synchronous."""
        assert not synchronous
        return Switching(self, spins, overlaps)


class TensorMotion(DenseMotion):
    """A chain with the costs of all flips kept."""

    def __init__(self, layout: TensorLayout, spins: NDArray[np.int8], overlaps: NDArray[np.int32]) -> None:
        super().__init__(layout.dense, spins, overlaps)
        self._tensor = layout

    @cached_property
    def _costs(self) -> NDArray[np.float64]:
        layout, costs = self._layout, aligned(-(-self._tensor.neurons // 64) * 64, np.float64)
        state = (self._moved, self._halves, self._odd, layout.last, layout.bits, layout.sums)
        dense.cubic_costs(costs, *state, layout.numbers, self._tensor.count)
        return costs

    def sweep(
        self, draws: Draws, every: int, since: int, spin_trace: NDArray[np.int8], overlap_trace: NDArray[np.int32]
    ) -> int:
        """Advance."""
        entries, group, scale, shift = self._tensor.couplings
        neurons = self._tensor.neurons
        narrow = np.zeros(_padded(neurons, 2 * group), dtype=np.int8 if group == 4 else np.int16)
        narrow[:neurons] = self._moved
        state = (self._moved, narrow, self._halves, self._odd, self._costs)
        couplings = (self._layout.patterns, self._tensor.sums, entries)
        numbers = (np.float64(self._layout.numbers[0]), group, scale, shift)
        motion = (draws.order == "cyclic", draws.orders, draws.thresholds, self._settles(draws))
        return int(tensor.tensor_sweeps(*state, *couplings, numbers, *motion, every, since, spin_trace, overlap_trace))


class Switching(TensorMotion):
    """Costs kept or bit-packed sums, whichever is cheaper at the acceptance of the sweeps before."""

    def __init__(self, layout: TensorLayout, spins: NDArray[np.int8], overlaps: NDArray[np.int32]) -> None:
        super().__init__(layout, spins, overlaps)
        self.keeps_costs = False
        self._part, self._missed = 1, 0.0

    def sweep(
        self, draws: Draws, every: int, since: int, spin_trace: NDArray[np.int8], overlap_trace: NDArray[np.int32]
    ) -> int:
        """Advance, in parts of 1, 2, 4, ... sweeps since the opening; choose after each."""
        flips, done = 0, 0
        while done < len(draws.thresholds):
            some: Any = _part(draws, done, done + self._part)
            kind = TensorMotion if self.keeps_costs else DenseMotion
            new = kind.sweep(self, some, every, since + done, spin_trace, overlap_trace)
            if new or not self._settles(draws):
                self._choose(new / some.thresholds.size, some.thresholds.size)
            flips, done, self._part = flips + new, done + self._part, 2 * self._part
        return flips

    def _choose(self, acceptance: float, proposals: int) -> None:
        """Keep the costs once not to have done so has cost more than to start it, about a sweep of sums."""
        gain = self._tensor.gain(acceptance)
        if gain <= 0:
            self.keeps_costs, self._missed = False, 0.0
            self.__dict__.pop("_costs", None)
        elif not self.keeps_costs:
            missed = gain * proposals
            self._missed += missed
            start = self._tensor.neurons * self._tensor.gain(0.0)
            self.keeps_costs = self._tensor.pays(missed) and self._missed > start


class _Part(NamedTuple):
    """Some sweeps of Draws."""

    order: str
    rule: int
    orders: NDArray[np.int32]
    thresholds: NDArray[np.float32]


def _part(draws: Draws, first: int, stop: int) -> _Part:
    orders = draws.orders if len(draws.orders) == 1 else draws.orders[first:stop]
    return _Part(draws.order, draws.rule, orders, draws.thresholds[first:stop])


def _padded(size: int, step: int) -> int:
    return -(-size // step) * step


def _entries(neurons: int, group: int) -> int:
    return neurons * _padded(neurons, tensor.SITES) * _padded(neurons, 2 * group)
