"""Many chains of one sample of the classical network, ±1 patterns, advanced side by side in any site order.

Every chain follows, bit for bit, the trajectory that it has alone. Thirty-two chains move together, whatever they are:
replicas, temperatures of a ladder, or both.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..draws import Draws
from ..errors import Refused
from ..kernels import counters
from ..kernels import lanes as kernel
from ..motions import Apart
from . import pairwise as single
from .alignment import aligned
from .pairwise import PairwiseLayout

AT_ONCE = 2**20  # proposals a chain: site orders are arrays of this size
_BEYOND = 2**29  # fields and sums that the wider of the two kinds of lanes does not hold


class LaneLayout:
    """What the lanes need of one disorder sample; see kernels/lanes.py.

    kind is int16 where every field provably fits that, else int32, at two thirds of the speed.
    """

    def __init__(self, pairwise: PairwiseLayout) -> None:
        self.neurons, self.count = pairwise.patterns.shape
        if not self.fits(pairwise):
            raise Refused(
                "lanes need entries ±1, fewer than 2^15 neurons, fewer than 2^15 patterns and N K < 2^29, got N = "
                f"{self.neurons}, K = {self.count}{' with blanks' * pairwise.blanks}; move these chains one by one"
            )
        self.pairwise, self.kind = pairwise, pairwise.number
        self._patterns, self.halvings = pairwise.patterns, pairwise.halvings
        self.blocks = -(-self.neurons // kernel.SITES)

    @classmethod
    def fits(cls, pairwise: PairwiseLayout) -> bool:
        """Whether lanes are exact on the sample."""
        return not pairwise.blanks and max(pairwise.patterns.shape) < 2**15 and pairwise.patterns.size < _BEYOND

    @cached_property
    def words(self) -> NDArray[np.uint64]:
        """uint64[64 blocks * ⌈K/64⌉]: the signs ξ > 0, site by site."""
        sites, stride = kernel.SITES * self.blocks, -(-self.count // 64)
        positive = np.zeros((sites, 64 * stride), dtype=np.bool_)
        positive[: self.neurons, : self.count] = self._patterns > 0
        words = aligned(sites * stride, np.uint64)
        words[:] = np.packbits(positive, axis=1, bitorder="little").view("<u8").reshape(-1)
        return words

    @cached_property
    def odds(self) -> NDArray[np.int16]:
        """int16[64 blocks]: h/e modulo 2, which no flip changes, taken with all spins up."""
        odds = np.zeros(kernel.SITES * self.blocks, dtype=np.int16)
        total = 2 * (self._patterns > 0).sum(axis=0, dtype=np.int64) - self.neurons
        odds[: self.neurons] = ((self._patterns @ total - self.count) >> self.halvings) & 1
        return odds

    @cached_property
    def offsets(self) -> NDArray[Any]:
        """int16 or int32[64 blocks]: the part of the fields g that only the site decides."""
        offsets = np.zeros(kernel.SITES * self.blocks, dtype=self.kind)
        plus = (self._patterns > 0).sum(axis=1, dtype=np.int64) * (self.neurons % 2)
        offsets[: self.neurons] = -((self.odds[: self.neurons] - plus) >> 1) if self.halvings else plus
        return offsets

    @cached_property
    def cyclic(self) -> tuple[NDArray[np.int16], NDArray[np.uint64]]:
        """Couplings int16[blocks * 64 * 64] and columns uint64[blocks * K'] of the blocks of the cyclic order."""
        size, width = kernel.SITES**2, 64 * (self.words.size // self.offsets.size)
        couplings, columns = aligned(self.blocks * size, np.int16), aligned(self.blocks * width, np.uint64)
        lay_out: Any = kernel.lay_out_block
        for block in range(self.blocks):
            sites = np.arange(kernel.SITES * block, kernel.SITES * (block + 1))
            out = couplings[size * block : size * (block + 1)], columns[width * block : width * (block + 1)]
            lay_out(*out, self.words, self.count, self.halvings, sites)
        return couplings, columns

    def overlaps(self, spins: NDArray[np.int8]) -> NDArray[np.int64]:
        """M of spins int8[R, N], exact in float32."""
        return np.rint(spins.astype(np.float32) @ self._patterns.astype(np.float32)).astype(np.int64)

    def blocks_of(self, order: str) -> tuple[NDArray[np.int16], NDArray[np.uint64]]:
        """Couplings and columns known before a sweep: none where every sweep has another order."""
        return self.cyclic if order == "cyclic" else (np.empty(0, np.int16), np.empty(0, np.uint64))


class Lanes:
    """R chains of one sample in motion: opened on spins int8[R, N] and overlaps int32[R, K].

    More than thirty-two are moved in groups. The last group costs as much as a full one: see `worthwhile`.
    """

    at_once = AT_ONCE

    def __init__(self, layout: LaneLayout, spins: NDArray[np.int8], overlaps: NDArray[np.int32]) -> None:
        self._chains = len(spins)
        self._parts = [slice(first, first + kernel.LANES) for first in range(0, len(spins), kernel.LANES)]
        self._groups = [_Group(layout, spins[part], overlaps[part]) for part in self._parts]

    def sweep(
        self,
        draws: Sequence[Draws],
        every: int,
        since: int,
        spin_traces: NDArray[np.int8],
        overlap_traces: NDArray[np.int32],
    ) -> NDArray[np.int64]:
        """Advance chain r by draws[r]: own acceptance key, rule and scale, but order and sweeps of all the others.

        Copies every `every` sweeps to the traces int8[R, rows, N] and int32[R, rows, K]. Returns the flips int64[R].
        """
        if len(draws) != self._chains:
            raise Refused(f"chains in lanes need draws each: there are {self._chains} chains, got {len(draws)} draws")
        if len({(d.neurons, d.keys.order, d.order, d.first_sweep, d.n_sweeps) for d in draws}) != 1:
            raise Refused("chains in lanes need draws of the same sweeps and site order, got several; move them alone")
        flips = np.empty(self._chains, dtype=np.int64)
        for group, part in zip(self._groups, self._parts, strict=True):
            traces = (every, since, spin_traces[part], overlap_traces[part])
            flips[part] = group.sweep(draws[part], draws[0].orders, *traces)
        return flips

    def close(self) -> None:
        """Write spins and overlaps back to the arrays that the lanes were opened on."""
        for group in self._groups:
            group.close()


def worthwhile(layout: PairwiseLayout, chains: int, order: str, acceptance: float) -> bool:
    """Whether chains of this acceptance are moved faster in lanes than one by one.

    The rule compares measured costs in ns per site: of a group of lanes, however few are taken, 52 + K/5 in cyclic
    order and 80 + K/3 in others, which lay out each block anew, 1.6 times that in 32 bits; of a chain alone those of
    `pairwise.costs`.
    """
    group = 52 + layout.count / 5 if order == "cyclic" else 80 + layout.count / 3
    width = 1.0 if layout.number == np.int16 else 1.6
    alone = min(single.costs(layout, order, acceptance))
    return bool(-(-chains // kernel.LANES) * group * width < chains * alone)


class Together:
    """Chains in lanes or one by one, whichever is cheaper at the acceptance of the sweeps before."""

    at_once = AT_ONCE

    def __init__(self, layout: LaneLayout, spins: NDArray[np.int8], overlaps: NDArray[np.int32]) -> None:
        self._layout, self._chains = layout, (spins, overlaps)
        self._now: Lanes | Apart = Lanes(layout, spins, overlaps)
        self._part = 1

    def sweep(
        self,
        draws: Sequence[Draws],
        every: int,
        since: int,
        spin_traces: NDArray[np.int8],
        overlap_traces: NDArray[np.int32],
    ) -> NDArray[np.int64]:
        """Advance by the sweeps of the draws, in parts of 1, 4, 16, ... sweeps since the opening; choose after each."""
        flips, done, first = np.zeros(len(draws), dtype=np.int64), 0, draws[0]
        while done < first.n_sweeps:
            part = min(self._part, first.n_sweeps - done)
            some = [replace(draw, first_sweep=draw.first_sweep + done, n_sweeps=part) for draw in draws]
            new = self._now.sweep(some, every, since + done, spin_traces, overlap_traces)
            self._choose(first.order, float(new.sum()) / (part * first.neurons * len(draws)))
            flips, done, self._part = flips + new, done + part, 4 * self._part
        return flips

    def _choose(self, order: str, acceptance: float) -> None:
        spins, overlaps = self._chains
        lanes = worthwhile(self._layout.pairwise, len(spins), order, acceptance)
        if lanes == isinstance(self._now, Lanes):
            return
        self._now.close()
        chains = zip(spins, overlaps, strict=True)
        self._now = (
            Lanes(self._layout, spins, overlaps)
            if lanes
            else Apart([single.motion(self._layout.pairwise, s, m) for s, m in chains])
        )

    def close(self) -> None:
        """Write spins and overlaps back."""
        self._now.close()


class _Group:
    """Up to thirty-two chains; lanes without a chain repeat the first one at T = 0."""

    def __init__(self, layout: LaneLayout, spins: NDArray[np.int8], overlaps: NDArray[np.int32]) -> None:
        self._layout, self._spins, self._overlaps = layout, spins, overlaps
        chains = np.concatenate([spins, np.repeat(spins[:1], kernel.LANES - len(spins), axis=0)])
        self._signs = np.zeros(layout.offsets.size, dtype=np.uint32)
        kernel.pack(chains, self._signs[: layout.neurons])
        weights = (layout.overlaps(chains) - layout.neurons % 2) // 2
        self._weights = aligned(64 * (layout.words.size // layout.offsets.size) * kernel.LANES, layout.kind)
        self._weights[: weights.size] = weights.T.reshape(-1)
        self._totals = weights.sum(axis=1).astype(np.int32)

    def sweep(
        self,
        draws: Sequence[Draws],
        orders: NDArray[np.int32],
        every: int,
        since: int,
        spin_traces: NDArray[np.int8],
        overlap_traces: NDArray[np.int32],
    ) -> NDArray[np.int64]:
        layout, first, flips = self._layout, draws[0], np.zeros(kernel.LANES, dtype=np.int64)
        state = (self._signs, self._weights, self._totals)
        sample = (layout.words, layout.offsets, layout.odds, *layout.blocks_of(first.order))
        numbers = ((layout.neurons, layout.count), _numbers(draws), orders, first.first_sweep, first.n_sweeps, flips)
        sweeps: Any = kernel.lane_sweeps
        sweeps(*state, *sample, *numbers, every, since, spin_traces, overlap_traces)
        return flips[: len(draws)]

    def close(self) -> None:
        for lane in range(len(self._spins)):
            kernel.unpack(self._signs, lane, self._spins[lane])
            kernel.read_overlaps(self._weights, lane, self._layout.neurons % 2, self._overlaps[lane])


def _numbers(draws: Sequence[Draws]) -> tuple[NDArray[Any], ...]:
    """Words of the keys uint64[64], scales float32[64] and Glauber or not uint8[64], the latter two repeated."""
    keys, scales, glauber = (np.zeros((2, kernel.LANES), dtype=kind) for kind in (np.uint64, np.float32, np.uint8))
    acceptance, taken = np.array([draw.keys.acceptance for draw in draws], dtype=np.uint64), slice(len(draws))
    keys[0, taken], keys[1, taken] = acceptance & np.uint64(2**32 - 1), acceptance >> np.uint64(32)
    scales[:, taken] = [draw.scale if draw.rule != counters.SIGN else 0 for draw in draws]
    glauber[:, taken] = [draw.rule == counters.GLAUBER for draw in draws]
    return keys.reshape(-1), scales.reshape(-1), glauber.reshape(-1)
