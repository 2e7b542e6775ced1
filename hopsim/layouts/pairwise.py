"""The fast motions of the classical network, and the rule that chooses among them.

Both follow the trajectory of the general kernel bit for bit, so that a chain may change from one to the other:
`Fields` keeps the field of every site and adds a row of couplings at each flip, `Overlaps` keeps the overlaps and sums
fields, of 64 sites at a time in cyclic order. Fields and overlaps have 16 bits where they provably fit, else 32: all
|h| <= (N - 1) K < 2^31, so that costs, and the thresholds that matter to them, fit as well. The couplings take N² bytes
(1 GiB at N = 32,768; twice that where one of them leaves 8 bits); beyond 1 GiB the overlaps do without them. For up to
64 patterns a proposal costs but 1 to 5 ns more on overlaps than on fields, and couplings are made up to 16 MiB only
(N = 4096): larger ones would pay after thousands of sweeps.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..draws import Draws
from ..errors import Refused
from ..kernels import pairwise as kernel
from .alignment import aligned

COUPLING_BYTES = 2**30
FEW_PATTERNS, FEW_BYTES = 64, 2**24  # of patterns, and what their couplings may take
AT_ONCE = 2**22  # proposals: the kernels make their numbers as they go
_NARROW = 65533  # of |h|/e in 16 bits, below the largest threshold of the kernels
_WIDE = 2**31 - 129  # of |h| in 32 bits, below theirs
_ENTRIES = (np.int8, np.int16, np.int32)


def pack(negative: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """bool[N, ...] to uint64[⌈N/64⌉, ...]: bit i of word q is entry 64 q + i."""
    blocks = -(-len(negative) // 64)
    padded = np.zeros((64 * blocks, *negative.shape[1:]), dtype=np.bool_)
    padded[: len(negative)] = negative
    as_bytes = np.packbits(padded.reshape(blocks, 64, -1), axis=1, bitorder="little")
    words = np.ascontiguousarray(np.moveaxis(as_bytes, 1, 2)).view("<u8").astype(np.uint64)
    return words.reshape(blocks, *negative.shape[1:])


def coupling_bytes(neurons: int, patterns: int, kind: Any) -> int:
    """What couplings of a kind take; 0 if they are not made."""
    taken = int((64 * -(-neurons // 64)) ** 2 * np.dtype(kind).itemsize)
    return taken if taken <= (FEW_BYTES if patterns <= FEW_PATTERNS else COUPLING_BYTES) else 0


class PairwiseLayout:
    """One disorder sample laid out for the fast motions; see kernels/pairwise.py for e, odd, base and the weights."""

    def __init__(self, patterns: NDArray[np.int8]) -> None:
        if (np.abs(patterns) > 1).any():
            raise Refused("the fast motions of the classical network need entries -1, 0 and +1, got others")
        self.patterns = patterns
        self.neurons, self.count = patterns.shape
        self.blanks = not patterns.all()
        self.halvings = 0 if self.blanks else 1 - self.count % 2  # e = 2^halvings
        self.blocks = -(-self.neurons // 64)
        self.side = 64 * self.blocks
        self.stride = -(-self.count // 8) * 8
        self.sizes = (self.neurons, self.count, self.stride, self.halvings)

    @property
    def _planes(self) -> list[NDArray[np.bool_]]:
        """bool[N, K] each: where the entries are 1 and, if there are blanks, where they are -1."""
        return [self.patterns > 0, self.patterns < 0] if self.blanks else [self.patterns > 0]

    @cached_property
    def bits(self) -> NDArray[np.uint64]:
        """uint64[planes * blocks * stride]: the planes of 64 sites, pattern by pattern."""
        planes = self._planes
        bits = aligned(len(planes) * self.blocks * self.stride, np.uint64)
        for out, plane in zip(bits.reshape(-1, self.blocks, self.stride), planes, strict=True):
            out[:, : self.count] = pack(plane)
        return bits

    @cached_property
    def columns(self) -> NDArray[np.uint64]:
        """uint64[planes, ⌈K/64⌉, 64 blocks]: the planes of 64 patterns, site by site."""
        words = np.stack([pack(plane.T) for plane in self._planes])
        shape = (*words.shape[:2], self.side)
        columns = aligned(math.prod(shape), np.uint64).reshape(shape)
        columns[:, :, : self.neurons] = words
        return columns

    @cached_property
    def rows(self) -> NDArray[np.uint64]:
        """uint64[64 blocks * planes * ⌈K/64⌉]: the same, all words of a site together."""
        rows = aligned(self.columns.size, np.uint64)
        columns = self.columns.reshape(-1, self.side)
        rows.reshape(columns.T.shape)[:] = columns.T
        return rows

    @cached_property
    def _entries(self) -> NDArray[np.int64]:
        """int64[N]: in how many patterns a site is not blank."""
        entries: NDArray[np.int64] = np.count_nonzero(self.patterns, axis=1)
        return entries

    @cached_property
    def _common(self) -> NDArray[np.int64]:
        """int64[N]: Σ_μ ξ_i^μ n_μ with n_μ the entries of pattern μ that are not blank."""
        common: NDArray[np.int64] = self.patterns @ np.count_nonzero(self.patterns, axis=0)
        return common

    @cached_property
    def _positive(self) -> NDArray[np.int64]:
        """int64[N]: in how many patterns a site is up."""
        positive: NDArray[np.int64] = np.count_nonzero(self.patterns > 0, axis=1)
        return positive

    @cached_property
    def odd(self) -> NDArray[np.int32]:
        """int32[64 blocks]: h/e modulo 2, which no flip changes, taken with all spins up.

        h_i = Σ_{j≠i} (K - 2 d_ij) with d_ij the patterns in which i and j differ, and the sum of the d_ij over j has
        the parity of Σ_j p_j + N p_i, p the patterns in which a site is up. With blanks, h_i = Σ_μ ξ_i^μ M_μ - σ_i Σ_μ
        (ξ_i^μ)² where M_μ has the parity of n_μ.
        """
        odd = aligned(self.side, np.int32)
        if self.blanks:
            odd[: self.neurons] = self._common + self._entries & 1
            return odd
        differing = self._positive.sum() + self.neurons * self._positive
        odd[: self.neurons] = ((self.neurons - 1) * self.count - 2 * differing) >> self.halvings & 1
        return odd

    @cached_property
    def base(self) -> NDArray[np.int32]:
        """int32[64 blocks]: 1 + e odd."""
        base = aligned(self.side, np.int32)
        base[:] = 1 + (self.odd << self.halvings)
        return base

    @cached_property
    def odd_bits(self) -> NDArray[np.uint64]:
        """uint64[blocks]: odd as bits."""
        return pack(self.odd == 1)

    @cached_property
    def offsets(self) -> NDArray[Any]:
        """int16 or int32[64 blocks]: the part of the fields g that neither spins nor weights change.

        With blanks twice as many, the second half for spins -1: g = Σ_μ ξ_i^μ (M_μ + n_μ)/2 - (Σ_μ ξ_i^μ n_μ + odd +
        σ_i Σ_μ (ξ_i^μ)²)/2.
        """
        if self.blanks:
            offsets = aligned(2 * self.side, self.number)
            offsets[: self.neurons] = -(self._common + self._entries + self.odd[: self.neurons]) >> 1
            offsets[self.side : self.side + self.neurons] = self._entries
            return offsets
        offsets = aligned(self.side, self.number)
        twice = -self.odd.astype(np.int64)
        if self.halvings and self.neurons % 2:
            twice[: self.neurons] += self._positive
        offsets[:] = twice >> 1
        return offsets

    @cached_property
    def _coupled(self) -> tuple[NDArray[Any] | None, int]:
        """Couplings, None if too large to keep, and max_i Σ_j |J'_ij|."""
        for kind in _ENTRIES:
            if coupling_bytes(self.neurons, self.count, kind) == 0:
                break
            couplings = aligned(self.side**2, kind)
            largest, bound = kernel.couple(couplings, self.columns, self.neurons, self.count, self.halvings)
            if largest <= np.iinfo(kind).max:
                return couplings, int(bound)
        return None, (self.neurons - 1) * self.count

    @property
    def couplings(self) -> NDArray[Any] | None:
        """int8, int16 or int32[64 blocks * 64 blocks]: J'; None if it would take too much memory."""
        return self._coupled[0]

    @cached_property
    def diagonal(self) -> NDArray[Any]:
        """int8, int16 or int32[blocks * 64 * 64]: J' within each block."""
        for kind in _ENTRIES:
            diagonal = aligned(64 * self.side, kind)
            largest = kernel.couple_blocks(diagonal, self.columns, self.neurons, self.count, self.halvings)
            if largest <= np.iinfo(kind).max:
                break
        return diagonal

    @cached_property
    def number(self) -> type[np.int16 | np.int32]:
        """Fields and weights: 16 bits where every field and overlap provably fits, else 32."""
        small = self.neurons < 2**15 and self.count >> self.halvings < 2**15
        most = (self.neurons - 1) * self.count >> self.halvings
        return np.int16 if small and (most <= _NARROW or self._coupled[1] <= _NARROW) else np.int32

    @property
    def fits(self) -> bool:
        """Whether every field fits 32 bits."""
        return bool(self.neurons * self.count <= _WIDE)


def settle(layout: PairwiseLayout, spins: NDArray[np.int8], most_sweeps: int) -> tuple[NDArray[Any], ...]:
    """Spins, overlaps and sweeps of many starts int8[R, N] after T = 0 in cyclic order; see kernels/pairwise.py."""
    signs = np.ascontiguousarray(pack((spins < 0).T).T)
    settled = np.empty_like(spins)
    overlaps = np.empty((len(spins), layout.count), dtype=np.int32)
    sweeps = np.empty(len(spins), dtype=np.int32)
    room = aligned(layout.side, layout.number), aligned(layout.stride, layout.number)
    matrices = (layout.couplings, layout.diagonal, layout.bits, layout.offsets, layout.base, layout.odd_bits)
    kernel.settle_all(signs, settled, overlaps, sweeps, *room, *matrices, layout.sizes, most_sweeps)
    return settled, overlaps, sweeps


class _Packed(ABC):
    """Common part of the motions: spins as sign bits, overlaps only when asked for."""

    at_once = AT_ONCE

    def __init__(
        self,
        layout: PairwiseLayout,
        spins: NDArray[np.int8],
        overlaps: NDArray[np.int32],
        signs: NDArray[np.uint64] | None = None,
    ) -> None:
        if not self.fits(layout):
            raise Refused(f"{type(self).__name__} needs fields and overlaps of 32 bits, and their layout in memory")
        self._layout, self._spins, self._overlaps = layout, spins, overlaps
        self._signs = pack(spins < 0) if signs is None else signs

    @classmethod
    def fits(cls, layout: PairwiseLayout) -> bool:
        """Whether this motion is exact on the layout."""
        return layout.fits

    def _weights(self) -> NDArray[Any]:
        layout = self._layout
        overlaps = np.empty(layout.count, dtype=np.int32)
        kernel.count_overlaps(self._signs, layout.bits, layout.stride, layout.neurons, overlaps)
        weights = aligned(64 * -(-layout.count // 64), layout.number)
        kernel.weigh(overlaps, weights, layout.bits, layout.blocks, layout.sizes)
        return weights

    @cached_property
    def _kept(self) -> NDArray[Any]:
        """What the kernel keeps beside the signs."""
        return self._weights()

    def resume(self) -> None:
        """Forget what followed from earlier signs."""
        self.__dict__.pop("_kept", None)

    @abstractmethod
    def _kernel(self, cyclic: bool) -> tuple[Any, ...]:
        """The kernel of an order, and its arrays after the signs and what is kept."""

    def sweep(
        self, draws: Draws, every: int, since: int, spin_trace: NDArray[np.int8], overlap_trace: NDArray[np.int32]
    ) -> int:
        """Advance by the sweeps of the draws."""
        cyclic, first = draws.order == "cyclic", np.int64(draws.first_sweep)
        sweeps, *arrays = self._kernel(cyclic)
        order = () if cyclic else ((draws.order == "permutation", draws.keys.order),)
        proposals = (draws.keys.acceptance, first, draws.n_sweeps, draws.rule, np.float32(draws.scale))
        trace = (every, since, spin_trace, overlap_trace)
        return int(sweeps(self._signs, self._kept, *arrays, self._layout.sizes, *order, proposals, *trace))

    def close(self) -> None:
        """Write back spins and overlaps."""
        layout = self._layout
        kernel.unpack_signs(self._signs, self._spins)
        kernel.count_overlaps(self._signs, layout.bits, layout.stride, layout.neurons, self._overlaps)


class Fields(_Packed):
    """Cached fields: a proposal costs next to nothing, a flip one row of couplings."""

    @classmethod
    def fits(cls, layout: PairwiseLayout) -> bool:
        """Whether this motion is exact on the layout and its couplings fit the memory."""
        return layout.fits and layout.couplings is not None

    @cached_property
    def _kept(self) -> NDArray[Any]:
        layout, fields = self._layout, aligned(self._layout.side, self._layout.number)
        kernel.all_fields(fields, self._signs, layout.bits, self._weights(), layout.offsets, layout.sizes)
        return fields

    def _kernel(self, cyclic: bool) -> tuple[Any, ...]:
        layout = self._layout
        if cyclic:
            return kernel.field_sweeps, layout.couplings, layout.diagonal, layout.bits, layout.base, layout.odd_bits
        return kernel.ordered_field_sweeps, layout.couplings, layout.bits, layout.base


class Overlaps(_Packed):
    """Overlaps: a block of 64 proposals in cyclic order, or one in any other, costs K sums, whatever flips."""

    def _kernel(self, cyclic: bool) -> tuple[Any, ...]:
        layout = self._layout
        shared = (layout.offsets, layout.bits, layout.base)
        if cyclic:
            return kernel.overlap_sweeps, layout.diagonal, *shared, layout.odd_bits
        return kernel.ordered_overlap_sweeps, layout.rows, *shared


class Switching:
    """`Fields` or `Overlaps`, whichever is cheaper at the acceptance of the sweeps before."""

    at_once = AT_ONCE

    def __init__(self, layout: PairwiseLayout, spins: NDArray[np.int8], overlaps: NDArray[np.int32]) -> None:
        self._layout, signs = layout, pack(spins < 0)
        self._fields = Fields(layout, spins, overlaps, signs)
        self._overlaps = Overlaps(layout, spins, overlaps, signs)
        self._now: Fields | Overlaps = self._fields
        self._part = 1

    @classmethod
    def fits(cls, layout: PairwiseLayout) -> bool:
        """Whether both motions are exact on the layout."""
        return Fields.fits(layout)

    def sweep(
        self, draws: Draws, every: int, since: int, spin_trace: NDArray[np.int8], overlap_trace: NDArray[np.int32]
    ) -> int:
        """Advance by the sweeps of the draws, in parts of 1, 4, 16, ... sweeps since the opening; choose after each."""
        flips = done = 0
        while done < draws.n_sweeps:
            part = min(self._part, draws.n_sweeps - done)
            some = replace(draws, first_sweep=draws.first_sweep + done, n_sweeps=part)
            new = self._now.sweep(some, every, since + done, spin_trace, overlap_trace)
            self._choose(draws.order, new / (part * draws.neurons))
            flips, done, self._part = flips + new, done + part, 4 * self._part
        return flips

    def _choose(self, order: str, acceptance: float) -> None:
        by_fields, by_overlaps = costs(self._layout, order, acceptance)
        best: Fields | Overlaps = self._fields if by_fields <= by_overlaps else self._overlaps
        if best is not self._now:
            best.resume()
            self._now = best

    def close(self) -> None:
        """Write back spins and overlaps."""
        self._now.close()


def costs(layout: PairwiseLayout, order: str, acceptance: float) -> tuple[float, float]:
    """Measured costs of `Fields` and `Overlaps` at acceptance a, in ns per proposal; w = 1 for 16 bits, 2 for 32.

    Cyclic order: 0.7 + a (w N/36 + 8) and 1.4 + 0.008 w K + 12 a. Any other: 2.5 + a (w N/36 + 14) and
    3.9 + 0.018 w K + 33 a, both 1.0 more for a fresh permutation; with blanks 2 K instead of K. At equal cost neither
    is far from the best.
    """
    width = np.dtype(layout.number).itemsize // 2
    row, patterns = width * layout.neurons / 36, width * layout.count * (2 if layout.blanks else 1)
    if order == "cyclic":
        return 0.7 + acceptance * (row + 8), 1.4 + 0.008 * patterns + 12 * acceptance
    sites = 3.5 if order == "permutation" else 2.5
    return sites + acceptance * (row + 14), sites + 1.4 + 0.018 * patterns + 33 * acceptance


def motion(
    layout: PairwiseLayout,
    spins: NDArray[np.int8],
    overlaps: NDArray[np.int32],
    kind: type[Fields | Overlaps | Switching] | None = None,
) -> Fields | Overlaps | Switching:
    """A chain on the layout: of the kind asked for, else switching, or on overlaps alone if J takes too much memory."""
    if kind is None:
        kind = Switching if Switching.fits(layout) else Overlaps
    return kind(layout, spins, overlaps)
