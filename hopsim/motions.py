"""Motions: one chain on its way over a representation. Which one is taken never changes a result."""

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
