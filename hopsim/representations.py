"""Representations: the couplings of one disorder sample, laid out for a kernel. The choice never changes a result."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .interactions import Exponentiated, Polynomial, Power, Quadratic
from .kernels import exponential, sweeps, weighted
from .layouts import lanes, pairwise
from .layouts.dense import DenseLayout
from .layouts.tensor import TensorLayout
from .levels import Levels, WeightedLevels
from .motions import Apart, InPlace, Motion, Motions
from .patterns import Learned

HOT = 0.5  # acceptance


@dataclass(frozen=True, eq=False)
class Couplings:
    """J = Σ_μ ξ^μ ξ^μ without diagonal, int32[N, N]: a proposal costs O(1), a flip O(N + K).

    Patterns of wider integers have J in 64 bits where its fields need them.
    """

    patterns: Learned
    couplings: NDArray[np.int32] | NDArray[np.int64]
    unit: float

    def motion(self, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool) -> Motion:
        """A chain on this representation."""
        layout = (self.patterns, self.couplings)
        return InPlace(sweeps.coupling_sweeps, spins, overlaps, *layout, synchronous=synchronous)


class Table:
    """Tabulated energy differences of any polynomial F: a proposal and a flip cost O(K).

    In 32 bits where every cost provably fits, else in 64.
    """

    def __init__(self, levels: Levels, patterns: NDArray[np.int8]) -> None:
        self.patterns, self.drop, self.unit = patterns, levels.drop, levels.unit
        neurons, count = patterns.shape
        words = -(-count // 64)
        bits = np.zeros((2, neurons, 8 * words), dtype=np.uint8)
        for half, sign in zip(bits, (1, -1), strict=True):
            packed = np.packbits(patterns == sign, axis=1, bitorder="little")
            half[:, : packed.shape[1]] = packed
        blanks = not patterns.all()
        kind = np.int32 if np.abs(self.drop).max(initial=0) * count < 2**31 else np.int64
        fall, rise = self.drop.ravel(), -np.roll(self.drop.ravel(), -2)
        offsets = (levels.rows * self.drop.shape[1] + neurons).astype(np.int32)
        tables = ((fall if blanks else fall - rise).astype(kind), rise.astype(kind))
        self._layout = (patterns, bits.view(np.uint64).ravel(), offsets, *tables, blanks)

    def motion(self, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool) -> Motion:
        """A chain on this representation."""
        return InPlace(sweeps.table_sweeps, spins, overlaps, *self._layout, synchronous=synchronous)


class Weighted:
    """Patterns of any integer entries, such as sums of examples: a proposal and a flip cost O(K).

    Products of entries and overlaps in degree 2, in 32 bits where all sums fit; tabulated G in others.
    """

    def __init__(self, levels: WeightedLevels, patterns: NDArray[np.int16]) -> None:
        kind, self.unit = np.int32 if levels.most_cost < 2**31 else np.int64, levels.unit
        if levels.degree == 2:
            squares = (patterns.astype(kind) ** 2).sum(axis=1, dtype=kind)
            self._kernel, self._layout = weighted.product_sweeps, (patterns, squares)
        else:
            self._kernel, self._layout = weighted.weighted_sweeps, (patterns, levels.values)

    def motion(self, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool) -> Motion:
        """A chain on this representation."""
        return InPlace(self._kernel, spins, overlaps, *self._layout, synchronous=synchronous)


@dataclass(frozen=True, eq=False)
class Exponents:
    """Shifted exponentials table[k] = exp(-λ k), patterns padded to lanes: a proposal and a flip cost O(K)."""

    padded: NDArray[np.int8]
    table: NDArray[np.float64]
    sharpness: float
    blank: bool
    unit: float = 1.0

    def motion(self, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool) -> Motion:
        """A chain on this representation."""
        layout = (self.padded, self.table, self.sharpness, self.blank)
        return InPlace(exponential.exponential_sweeps, spins, overlaps, *layout, synchronous=synchronous)


class Pairwise:
    """Quadratic interaction: the fast motions in any order while N K < 2^31.

    Else, and for synchronous updates, the general kernels.
    """

    def __init__(self, levels: Levels, patterns: NDArray[np.int8]) -> None:
        self._levels, self._patterns, self.unit = levels, patterns, levels.unit

    @cached_property
    def layout(self) -> pairwise.PairwiseLayout:
        """Fields and overlaps in 16 or 32 bits."""
        return pairwise.PairwiseLayout(self._patterns)

    @cached_property
    def lanes(self) -> lanes.LaneLayout:
        """What many chains need beside it."""
        return lanes.LaneLayout(self.layout)

    @cached_property
    def general(self) -> "Couplings | Table":
        """The representation for synchronous updates, and for sizes that leave 32 bits."""
        coupled = has_couplings(Quadratic(), *self._patterns.shape)
        return (couplings if coupled else table)(self._levels, self._patterns)

    def motion(self, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool) -> Motion:
        """A chain on this representation."""
        if not synchronous and self.layout.fits:
            return pairwise.motion(self.layout, spins, overlaps)
        return self.general.motion(spins, overlaps, order, synchronous)


class Dense:
    """Degree 3 or 4, ±1 patterns: bit-packed signed sums, in degree 3 also costs kept with the tensor of its couplings;
    the general table for synchronous updates."""

    def __init__(self, interaction: Power, levels: Levels, patterns: NDArray[np.int8]) -> None:
        self._levels, self._patterns, self.unit = levels, patterns, levels.unit
        layout = DenseLayout.of(interaction, patterns)
        self.layout = TensorLayout(layout) if TensorLayout.fits(layout) else layout

    @cached_property
    def general(self) -> Table:
        """The representation for synchronous updates."""
        return table(self._levels, self._patterns)

    def motion(self, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool) -> Motion:
        """A chain on this representation."""
        chosen = self.general if synchronous else self.layout
        return chosen.motion(spins, overlaps, order, synchronous)


Representation = Couplings | Table | Weighted | Exponents | Pairwise | Dense


def in_lanes(representation: Representation, chains: int, order: str, synchronous: bool) -> bool:
    """Whether that many chains are moved faster side by side, at least when they are hot."""
    if synchronous or not isinstance(representation, Pairwise) or not lanes.LaneLayout.fits(representation.layout):
        return False
    return lanes.worthwhile(representation.layout, chains, order, HOT)


def motions(
    representation: Representation, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool
) -> Motions:
    """Chains int8[R, N], int32[R, K] of one disorder sample: in lanes where that is faster, else apart."""
    if isinstance(representation, Pairwise) and in_lanes(representation, len(spins), order, synchronous):
        return lanes.Together(representation.lanes, spins, overlaps)
    return Apart([representation.motion(s, m, order, synchronous) for s, m in zip(spins, overlaps, strict=True)])


def couplings(levels: Levels, patterns: Learned) -> Couplings:
    """Hebbian couplings as exact integers: float32 sums of ±1 are exact below 2^24 terms, float64 ones of int16 too."""
    real: NDArray[Any] = patterns.astype(np.float32 if patterns.dtype == np.int8 else np.float64)
    matrix = np.rint(real @ real.T)
    np.fill_diagonal(matrix, 0)
    narrow = patterns.dtype == np.int8 or np.abs(matrix).sum(axis=1).max() < 2**31
    whole: NDArray[Any] = matrix.astype(np.int32 if narrow else np.int64)
    return Couplings(patterns, whole, levels.unit)


def table(levels: Levels, patterns: NDArray[np.int8]) -> Table:
    """The general table of a polynomial interaction."""
    return Table(levels, patterns)


def exponents(interaction: Exponentiated, patterns: NDArray[np.int8]) -> Exponents:
    """Weights for every difference between the largest overlap and another, 0 to 2N."""
    table = np.array([math.exp(-interaction.sharpness * k) for k in range(2 * patterns.shape[0] + 1)])
    padding = -patterns.shape[1] % exponential.LANES
    padded = np.pad(patterns, ((0, 0), (0, padding))) if padding else patterns
    return Exponents(padded, table, interaction.sharpness, bool((patterns == 0).any()))


def chosen(interaction: Polynomial | Exponentiated, levels: Levels | None, patterns: Learned) -> Representation:
    """The fast layouts for degree 2, and for 3 and 4 where patterns are ±1; the table for any other polynomial.

    Sums of examples in degree 2 have couplings where `has_couplings`.
    """
    if isinstance(interaction, Exponentiated):
        return exponents(interaction, patterns)
    assert levels is not None
    if isinstance(levels, WeightedLevels):
        coupled = has_couplings(interaction, *patterns.shape)
        return couplings(levels, patterns) if coupled else Weighted(levels, patterns)
    if isinstance(interaction, Quadratic):
        return Pairwise(levels, patterns)
    if isinstance(interaction, Power) and DenseLayout.fits(interaction, patterns):
        return Dense(interaction, levels, patterns)
    return table(levels, patterns)


def has_couplings(interaction: Polynomial | Exponentiated, neurons: int, patterns: int) -> bool:
    """Whether the general kernel for the network is that of couplings: where they fit, and cost less than overlaps.

    They fit while J takes at most 1 GiB and, for -1, 0, +1, its fields 32 bits. In measured ns per proposal at
    acceptance a, couplings cost 5 + a N/3, sums of products 10 + K/8 + a (30 + K/2): at 1 % equal at K = N/40, at 10 %
    at N/6; below K = N/20 couplings gain little and take memory.
    """
    fits = 4 * neurons**2 <= pairwise.COUPLING_BYTES and neurons * patterns < 2**31 and patterns < 2**24
    return isinstance(interaction, Quadratic) and fits and 20 * patterns > neurons


def coupling_bytes(interaction: Polynomial | Exponentiated, neurons: int, patterns: int) -> int:
    """What the couplings of a network take, roughly, while they are made; 0 where it is moved without."""
    if has_couplings(interaction, neurons, patterns):
        return 4 * neurons * patterns + 8 * neurons**2
    quadratic = isinstance(interaction, Quadratic)
    return 3 * pairwise.coupling_bytes(neurons, patterns, np.int8) if quadratic else 0
