"""The fast motions of the classical network with ±1 patterns in cyclic order, and the rule that chooses among them.

Both follow the trajectory of the general kernel bit for bit, so that a chain may change from one to the other:
`Fields` keeps the field of every site and adds a row of couplings at each flip, `Overlaps` keeps the overlaps and sums
the fields of 64 sites at a time.
"""

from collections.abc import Iterator
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
AT_ONCE = 2**22  # proposals: the kernels make their numbers as they go
_LARGEST_FIELD = 65533  # of |h|/e, so that c = (σh/e - odd)/2 stays inside 16 bits and both ends stay free as limits
_ROWS_AT_ONCE = 512
_SITES = np.arange(64, dtype=np.uint64)


def pack(negative: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """bool[N, ...] to uint64[⌈N/64⌉, ...]: bit i of word q is entry 64 q + i."""
    blocks = -(-len(negative) // 64)
    padded = np.zeros((64 * blocks, *negative.shape[1:]), dtype=np.bool_)
    padded[: len(negative)] = negative
    as_bytes = np.packbits(padded.reshape(blocks, 64, -1), axis=1, bitorder="little")
    words = np.ascontiguousarray(np.moveaxis(as_bytes, 1, 2)).view("<u8").astype(np.uint64)
    return words.reshape(blocks, *negative.shape[1:])


class PairwiseLayout:
    """One disorder sample laid out for the fast motions; see kernels/pairwise.py for e, odd and the weights."""

    def __init__(self, patterns: NDArray[np.int8]) -> None:
        if not (np.abs(patterns) == 1).all():
            raise Refused("the fast motions of the classical network need patterns of ±1, got other entries")
        self.patterns = patterns
        self.neurons, self.count = patterns.shape
        self.halvings = 1 - self.count % 2  # e = 2^halvings
        self.blocks = -(-self.neurons // 64)
        self.stride = -(-self.count // 8) * 8

    @cached_property
    def bits(self) -> NDArray[np.uint64]:
        """uint64[blocks * stride]: the signs ξ > 0 of 64 sites, pattern by pattern."""
        bits = aligned(self.blocks * self.stride, np.uint64)
        bits.reshape(self.blocks, self.stride)[:, : self.count] = pack(self.patterns > 0)
        return bits

    @cached_property
    def odd(self) -> NDArray[np.float32]:
        """float32[64 blocks]: h/e modulo 2, which no flip changes, taken with all spins up."""
        odd = aligned(64 * self.blocks, np.float32)
        total = self.patterns.sum(axis=0, dtype=np.int64)
        odd[: self.neurons] = ((self.patterns @ total - self.count) >> self.halvings) & 1
        return odd

    @cached_property
    def odd_bits(self) -> NDArray[np.uint64]:
        """`odd` as bits."""
        return pack(self.odd == 1)

    @cached_property
    def offsets(self) -> NDArray[np.int16]:
        """int16[64 blocks]: the part of the fields g that neither spins nor weights change."""
        offsets = aligned(64 * self.blocks, np.int16)
        twice = -self.odd.astype(np.int64)
        if self.halvings and self.neurons % 2:
            twice[: self.neurons] += (self.patterns > 0).sum(axis=1)
        offsets[:] = twice >> 1
        return offsets

    def _rows(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Rows of J' = J/e without diagonal, exact in float32 below 2^24 patterns."""
        real = self.patterns.astype(np.float32)
        for first in range(0, self.neurons, _ROWS_AT_ONCE):
            rows = real[first : first + _ROWS_AT_ONCE] @ real.T
            np.rint(rows, out=rows)
            rows[np.arange(len(rows)), first + np.arange(len(rows))] = 0
            rows /= 2**self.halvings
            yield first, rows

    @cached_property
    def _built(self) -> tuple[NDArray[Any] | None, NDArray[Any], int]:
        """Couplings (None if too large to keep), their diagonal blocks, and max_i Σ_j |J'_ij|."""
        side, bound, largest = 64 * self.blocks, 0, 0
        keep = side**2 <= COUPLING_BYTES
        couplings = aligned(side**2, np.int8).reshape(side, side) if keep else None
        diagonal = np.zeros((self.blocks, 64, 64), dtype=np.int16)
        for first, rows in self._rows():
            size = np.abs(rows)
            bound = max(bound, int(size.sum(axis=1, dtype=np.float64).max()))
            largest = max(largest, int(size.max()))
            for start in range(first, first + len(rows), 64):
                block = rows[start - first : start - first + 64, start : start + 64]
                diagonal[start // 64, : block.shape[0], : block.shape[1]] = block
            if couplings is not None:
                couplings = _room_for(couplings, largest)
            if couplings is not None:
                couplings[first : first + len(rows), : self.neurons] = rows
        narrow = aligned(diagonal.size, np.int8 if largest <= 127 else np.int16)
        narrow[:] = diagonal.reshape(-1)
        return None if couplings is None else couplings.reshape(-1), narrow, bound

    @property
    def couplings(self) -> NDArray[Any] | None:
        """int8 or int16[64 blocks * 64 blocks]: J'; None if it would take more than 1 GiB."""
        return self._built[0]

    @property
    def diagonal(self) -> NDArray[Any]:
        """int8 or int16[blocks * 64 * 64]: J' within each block."""
        return self._built[1]

    @cached_property
    def fits(self) -> bool:
        """Whether every field and overlap provably fits 16 bits."""
        most = (self.neurons - 1) * self.count >> self.halvings
        small = self.neurons < 2**15 and self.count >> self.halvings < 2**15
        return small and (most <= _LARGEST_FIELD or self._built[2] <= _LARGEST_FIELD)


def settle(layout: PairwiseLayout, spins: NDArray[np.int8], most_sweeps: int) -> tuple[NDArray[Any], ...]:
    """Spins, overlaps and sweeps of many starts int8[R, N] after T = 0 in cyclic order; see kernels/pairwise.py."""
    signs = np.ascontiguousarray(pack((spins < 0).T).T)
    settled = np.empty_like(spins)
    overlaps = np.empty((len(spins), layout.count), dtype=np.int32)
    sweeps = np.empty(len(spins), dtype=np.int32)
    matrices = (layout.couplings, layout.diagonal, layout.bits, layout.offsets, layout.odd, layout.odd_bits)
    sizes = (layout.stride, layout.halvings, _remainders(layout), most_sweeps)
    kernel.settle_all(signs, settled, overlaps, sweeps, *matrices, *sizes)
    return settled, overlaps, sweeps


def _room_for(couplings: NDArray[Any], largest: int) -> NDArray[Any] | None:
    if largest <= 127 or couplings.dtype == np.int16:
        return couplings
    if 2 * couplings.size > COUPLING_BYTES:
        return None
    wide = aligned(couplings.size, np.int16).reshape(couplings.shape)
    wide[:] = couplings
    return wide


class _Packed:
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
            raise Refused(f"{type(self).__name__} needs fields and overlaps of 16 bits, and their layout in memory")
        self._layout, self._spins, self._overlaps = layout, spins, overlaps
        self._signs = pack(spins < 0) if signs is None else signs

    @classmethod
    def fits(cls, layout: PairwiseLayout) -> bool:
        """Whether this motion is exact on the layout."""
        return layout.fits

    def _weights(self) -> NDArray[np.int16]:
        layout = self._layout
        overlaps = np.empty(layout.count, dtype=np.int32)
        kernel.count_overlaps(self._signs, layout.bits, layout.stride, layout.neurons, overlaps)
        weights = aligned(layout.stride, np.int16)
        weights[: layout.count] = overlaps >> layout.halvings
        return weights

    def close(self) -> None:
        """Write back spins and overlaps."""
        layout = self._layout
        kernel.unpack_signs(self._signs, self._spins)
        kernel.count_overlaps(self._signs, layout.bits, layout.stride, layout.neurons, self._overlaps)


def _numbers(draws: Draws) -> tuple[Any, ...]:
    return draws.keys.acceptance, np.int64(draws.first_sweep), draws.n_sweeps, draws.rule, np.float32(draws.scale)


class Fields(_Packed):
    """Cached fields in 16 bits: a proposal costs next to nothing, a flip one row of couplings."""

    @classmethod
    def fits(cls, layout: PairwiseLayout) -> bool:
        """Whether this motion is exact on the layout and its couplings fit the memory."""
        return layout.fits and layout.couplings is not None

    @cached_property
    def _fields(self) -> NDArray[np.int16]:
        layout, weights = self._layout, self._weights()
        fields = aligned(64 * layout.blocks, np.int16)
        total = (int(weights.sum(dtype=np.int64)) << layout.halvings) + _remainders(layout)
        terms = kernel.common_terms(total, layout.count, layout.halvings)
        kernel.sum_fields(fields, self._signs, layout.bits, layout.stride, weights, layout.offsets, *terms)
        return fields

    def resume(self) -> None:
        """Forget what followed from earlier signs."""
        self.__dict__.pop("_fields", None)

    def sweep(
        self, draws: Draws, every: int, since: int, spin_trace: NDArray[np.int8], overlap_trace: NDArray[np.int32]
    ) -> int:
        """Advance by the sweeps of the draws."""
        layout = self._layout
        sweeps: Any = kernel.field_sweeps
        matrices = (layout.couplings, layout.diagonal)
        arrays = (self._signs, self._fields, *matrices, layout.bits, layout.odd, layout.odd_bits)
        sizes = (layout.neurons, layout.stride, layout.halvings)
        trace = (every, since, spin_trace, overlap_trace)
        return int(sweeps(*arrays, *sizes, *_numbers(draws), *trace))


class Overlaps(_Packed):
    """Overlaps in 16 bits: a block of 64 proposals costs K vector sums, whatever flips."""

    @cached_property
    def _kept(self) -> NDArray[np.int16]:
        return self._weights()

    def resume(self) -> None:
        """Forget what followed from earlier signs."""
        self.__dict__.pop("_kept", None)

    def sweep(
        self, draws: Draws, every: int, since: int, spin_trace: NDArray[np.int8], overlap_trace: NDArray[np.int32]
    ) -> int:
        """Advance by the sweeps of the draws."""
        layout = self._layout
        sweeps: Any = kernel.overlap_sweeps
        arrays = (self._signs, self._kept, layout.diagonal, layout.offsets, layout.bits, layout.odd, layout.odd_bits)
        sizes = (layout.neurons, layout.count, layout.stride, layout.halvings)
        trace = (every, since, spin_trace, overlap_trace)
        return int(sweeps(*arrays, *sizes, *_numbers(draws), *trace))


def _remainders(layout: PairwiseLayout) -> int:
    """Σ_μ (M_μ - e weight_μ): what the weights of even K leave out of odd N."""
    return layout.count * (layout.neurons % 2) if layout.halvings else 0


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
        """Advance by the sweeps of the draws, in parts of 1, 2, 4, ... sweeps since the opening; choose after each."""
        flips = done = 0
        while done < draws.n_sweeps:
            part = min(self._part, draws.n_sweeps - done)
            some = replace(draws, first_sweep=draws.first_sweep + done, n_sweeps=part)
            new = self._now.sweep(some, every, since + done, spin_trace, overlap_trace)
            self._choose(new / (part * draws.neurons))
            flips, done, self._part = flips + new, done + part, 2 * self._part
        return flips

    def _choose(self, acceptance: float) -> None:
        cheap = cheaper(self._layout.neurons, self._layout.count, acceptance)
        best: Fields | Overlaps = self._fields if cheap is Fields else self._overlaps
        if best is not self._now:
            best.resume()
            self._now = best

    def close(self) -> None:
        """Write back spins and overlaps."""
        self._now.close()


def cheaper(neurons: int, patterns: int, acceptance: float) -> type[Fields | Overlaps]:
    """The rule of choice, from measured costs in ns per proposal at acceptance a.

    Fields 1.2 + a (N/25 + 5), Overlaps 1.2 + 0.017 K + 10 a: at equal cost neither is far from the best.
    """
    by_fields = acceptance * (neurons / 25 + 5)
    return Fields if by_fields <= 0.017 * patterns + 10 * acceptance else Overlaps


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
