"""Motions: chains on their way over a representation. Which one is taken never changes a result."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .draws import Draws


class Motion(Protocol):
    """A chain in the layout of a kernel: opened on spins and overlaps, moved by sweeps, closed by writing them back.

    at_once: how many proposals it likes to be given in one call.
    """

    at_once: int

    def sweep(
        self, draws: Draws, every: int, since: int, spin_trace: NDArray[np.int8], overlap_trace: NDArray[np.int32]
    ) -> int:
        """Advance by the sweeps of the draws; copy every `every` sweeps to the traces. Returns the number of flips."""
        ...

    def close(self) -> None:
        """Write spins and overlaps back to the arrays that the motion was opened on."""
        ...


class Motions(Protocol):
    """Chains of one disorder sample on their way together: opened on spins int8[R, N] and overlaps int32[R, K]."""

    at_once: int

    def sweep(
        self,
        draws: Sequence[Draws],
        every: int,
        since: int,
        spin_traces: NDArray[np.int8],
        overlap_traces: NDArray[np.int32],
    ) -> NDArray[np.int64]:
        """Advance chain r by the sweeps of draws[r], the same sweeps of all. Returns the number of flips of each."""
        ...

    def close(self) -> None:
        """Write spins and overlaps back to the arrays that the motions were opened on."""
        ...


class Apart:
    """Chains that move one after the other."""

    def __init__(self, motions: Sequence[Motion]) -> None:
        self._motions, self.at_once = motions, motions[0].at_once

    def sweep(
        self,
        draws: Sequence[Draws],
        every: int,
        since: int,
        spin_traces: NDArray[np.int8],
        overlap_traces: NDArray[np.int32],
    ) -> NDArray[np.int64]:
        """Advance each chain on its own motion."""
        chains = zip(self._motions, draws, spin_traces, overlap_traces, strict=True)
        flips = [motion.sweep(its, every, since, spins, overlaps) for motion, its, spins, overlaps in chains]
        return np.array(flips, dtype=np.int64)

    def close(self) -> None:
        """Close every motion."""
        for motion in self._motions:
            motion.close()


class InPlace:
    """The motion of the general kernels: spins and overlaps are moved where they are, in any site order."""

    at_once = 2**17  # thresholds and site orders are arrays of this size

    def __init__(
        self, kernel: Any, spins: NDArray[np.int8], overlaps: NDArray[np.int32], *layout: Any, synchronous: bool
    ) -> None:
        self._kernel, self._arrays, self._synchronous = kernel, (spins, overlaps, *layout), synchronous

    def sweep(
        self, draws: Draws, every: int, since: int, spin_trace: NDArray[np.int8], overlap_trace: NDArray[np.int32]
    ) -> int:
        """Advance in place."""
        traces = (every, since, spin_trace, overlap_trace)
        return int(self._kernel(*self._arrays, draws.orders, draws.thresholds, self._synchronous, *traces))

    def close(self) -> None:
        """Nothing to write back."""
