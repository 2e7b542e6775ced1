"""Representations: the couplings of one disorder sample, laid out for a kernel. The choice never changes a result."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .interactions import Exponentiated, Polynomial, Power, Quadratic
from .kernels import exponential, sweeps
from .layouts import pairwise
from .layouts.dense import DenseLayout
from .levels import Levels
from .motions import Apart, InPlace, Motion, Motions


@dataclass(frozen=True, eq=False)
class Couplings:
    """J = Σ_μ ξ^μ ξ^μ without diagonal, int32[N, N]: a proposal costs O(1), a flip O(N + K)."""

    patterns: NDArray[np.int8]
    couplings: NDArray[np.int32]
    unit: float

    def motion(self, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool) -> Motion:
        """A chain on this representation."""
        layout = (self.patterns, self.couplings)
        return InPlace(sweeps.coupling_sweeps, spins, overlaps, *layout, synchronous=synchronous)


@dataclass(frozen=True, eq=False)
class Table:
    """Tabulated energy differences of any polynomial F: a proposal and a flip cost O(K)."""

    patterns: NDArray[np.int8]
    drop: NDArray[np.int64]
    rows: NDArray[np.int32]
    unit: float

    def motion(self, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool) -> Motion:
        """A chain on this representation."""
        layout = (self.patterns, self.drop, self.rows)
        return InPlace(sweeps.table_sweeps, spins, overlaps, *layout, synchronous=synchronous)


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
    """Quadratic interaction, ±1 patterns: the fast motions in cyclic order, the general kernels in every other."""

    def __init__(self, levels: Levels, patterns: NDArray[np.int8]) -> None:
        self._levels, self._patterns, self.unit = levels, patterns, levels.unit

    @cached_property
    def layout(self) -> pairwise.PairwiseLayout:
        """Fields and overlaps in 16 bits."""
        return pairwise.PairwiseLayout(self._patterns)

    @cached_property
    def general(self) -> "Couplings | Table":
        """The representation for any order."""
        coupled = has_couplings(Quadratic(), *self._patterns.shape)
        return (couplings if coupled else table)(self._levels, self._patterns)

    def motion(self, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool) -> Motion:
        """A chain on this representation."""
        if order == "cyclic" and not synchronous and self.layout.fits:
            return pairwise.motion(self.layout, spins, overlaps)
        return self.general.motion(spins, overlaps, order, synchronous)


class Dense:
    """Degree 3 or 4, ±1 patterns: bit-packed signed sums, the general table for synchronous updates."""

    def __init__(self, interaction: Power, levels: Levels, patterns: NDArray[np.int8]) -> None:
        self._levels, self._patterns, self.unit = levels, patterns, levels.unit
        self.layout = DenseLayout.of(interaction, patterns)

    @cached_property
    def general(self) -> Table:
        """The representation for synchronous updates."""
        return table(self._levels, self._patterns)

    def motion(self, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool) -> Motion:
        """A chain on this representation."""
        chosen = self.general if synchronous else self.layout
        return chosen.motion(spins, overlaps, order, synchronous)


Representation = Couplings | Table | Exponents | Pairwise | Dense


def motions(
    representation: Representation, spins: NDArray[np.int8], overlaps: NDArray[np.int32], order: str, synchronous: bool
) -> Motions:
    """Chains int8[R, N], int32[R, K] of one disorder sample."""
    return Apart([representation.motion(s, m, order, synchronous) for s, m in zip(spins, overlaps, strict=True)])


def couplings(levels: Levels, patterns: NDArray[np.int8]) -> Couplings:
    """Hebbian couplings as exact integers (float32 sums of ±1 are exact below 2^24 terms)."""
    real = patterns.astype(np.float32)
    matrix = np.rint(real @ real.T).astype(np.int32)
    np.fill_diagonal(matrix, 0)
    return Couplings(patterns, matrix, levels.unit)


def table(levels: Levels, patterns: NDArray[np.int8]) -> Table:
    """The general table of a polynomial interaction."""
    return Table(patterns, levels.drop, levels.rows, levels.unit)


def exponents(interaction: Exponentiated, patterns: NDArray[np.int8]) -> Exponents:
    """Weights for every difference between the largest overlap and another, 0 to 2N."""
    table = np.array([math.exp(-interaction.sharpness * k) for k in range(2 * patterns.shape[0] + 1)])
    padding = -patterns.shape[1] % exponential.LANES
    padded = np.pad(patterns, ((0, 0), (0, padding))) if padding else patterns
    return Exponents(padded, table, interaction.sharpness, bool((patterns == 0).any()))


def chosen(
    interaction: Polynomial | Exponentiated, levels: Levels | None, patterns: NDArray[np.int8]
) -> Representation:
    """The fast layouts where patterns are ±1 and the degree is 2, 3 or 4; else couplings for the quadratic interaction
    while J fits in 1 GiB and its fields in 32 bits; else the table."""
    if isinstance(interaction, Exponentiated):
        return exponents(interaction, patterns)
    assert levels is not None
    if isinstance(interaction, Quadratic) and patterns.all():
        return Pairwise(levels, patterns)
    if isinstance(interaction, Power) and DenseLayout.fits(interaction, patterns):
        return Dense(interaction, levels, patterns)
    return couplings(levels, patterns) if has_couplings(interaction, *patterns.shape) else table(levels, patterns)


def has_couplings(interaction: Polynomial | Exponentiated, neurons: int, patterns: int) -> bool:
    """Whether a network is moved on its couplings: the rule of `chosen`."""
    fits = 4 * neurons**2 <= pairwise.COUPLING_BYTES and neurons * patterns < 2**31 and patterns < 2**24
    return isinstance(interaction, Quadratic) and fits
