"""Retrieval at T = 0: many cues, each to the fixed point that it flows into."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .dynamics import SignUpdate
from .errors import Refused, whole
from .layouts import pairwise
from .networks import Quenched
from .representations import Pairwise
from .rng import Keys
from .states import State, of_spins

_NO_KEYS = Keys(np.uint64(0), np.uint64(0))  # sign updates in cyclic order draw nothing


@dataclass(frozen=True, eq=False)
class Retrieved:
    """Where R cues ended: states with leading axis R, and how many sweeps flipped a spin, -1 where not at rest."""

    states: State
    sweeps: NDArray[np.int32]


def retrieve(quenched: Quenched, spins: NDArray[np.int8], most_sweeps: int = 1000) -> Retrieved:
    """Sign updates in cyclic order from each row of spins int8[R, N] until a sweep flips nothing.

    Equal to SignUpdate(order="cyclic") from each start alone; one call of a kernel for degree 2 and ±1 patterns.

    Far below the capacity every stored pattern is at rest but for few bits:

    >>> quenched = hs.hopfield(neurons=2000, patterns=20).quench(np.random.default_rng(1))
    >>> found = hs.retrieve(quenched, quenched.patterns.T)
    >>> round(float(found.states.overlaps.diagonal().mean()) / 2000, 3)
    1.0
    """
    if spins.ndim != 2:
        raise Refused(f"retrieve needs spins [starts, neurons], got shape {spins.shape}")
    starts, most = of_spins(quenched, spins), whole("most_sweeps", most_sweeps, 1)
    representation = quenched.representation
    if isinstance(representation, Pairwise) and pairwise.Fields.fits(representation.layout):
        settled, overlaps, sweeps = pairwise.settle(representation.layout, starts.spins, most)
        return Retrieved(State(settled, overlaps), sweeps)
    ends = [_settle(quenched, State(s, m), most) for s, m in zip(starts.spins, starts.overlaps, strict=True)]
    return Retrieved(starts, np.array(ends, dtype=np.int32))


def _settle(quenched: Quenched, state: State, most_sweeps: int) -> int:
    rule = SignUpdate(order="cyclic")
    for sweep in range(most_sweeps + 1):
        if rule.advance(state, quenched, _NO_KEYS, sweep, 1).flips == 0:
            return sweep
    return -1
