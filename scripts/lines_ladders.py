"""Long replica exchange of one disorder sample, from a pattern and at random, read in quarters of its time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from lines_runs import Floats
from lines_studies import Matched
from sample_runs import Values

import hopsim as hs
from hopsim import observables, rng, states
from hopsim.networks import Quenched

QUARTERS = 4
CHUNK = 100  # rounds
SWEEPS_PER_SWAP = 2


@dataclass(frozen=True, kw_only=True)
class Ladders(Matched):
    """Two ladders, from a stored pattern and from a random state; `rounds` rounds, replicas compared every `every`."""

    rounds: int
    every: int

    def values(self, neurons: int, sample: int, seed: int) -> Values:
        """Means over each quarter: energy [start][quarter][T], and q2 [quarter][T] between the starts.

        swap_rate [T] is of the pattern's ladder.
        """
        quenched = self.quench(neurons, sample, seed)
        tempering = hs.Tempering(self.temperatures, "glauber", SWEEPS_PER_SWAP)
        walks = [_Walk(tempering, quenched, seed, sample, replica) for replica in range(2)]
        energy: list[list[Floats]] = [[], []]
        squared = []
        for first in range(0, self.rounds, CHUNK):
            traces = [walk.advance(first, CHUNK, self.every) for walk in walks]
            for start, trace in enumerate(traces):
                energy[start].append(trace.energy)
            squared.append(observables.similarity(traces[0].states, traces[1].states) ** 2)
        return {
            "energy": [_quarters(np.concatenate(of_start)) for of_start in energy],
            "q2": _quarters(np.concatenate(squared)),
            "swap_rate": traces[0].swap_rate.tolist(),
        }


class _Walk:
    """One ladder on its way; replica 0 starts on a pattern, the others at random."""

    def __init__(self, tempering: hs.Tempering, quenched: Quenched, seed: int, sample: int, replica: int) -> None:
        sizes = quenched.patterns.shape
        numbers = rng.stream(seed, sample, rng.Purpose.INITIAL, *sizes, replica)
        self._slots = [
            states.random(quenched, numbers) if replica else states.cue(quenched, 0, 1.0, numbers)
            for _ in tempering.temperatures
        ]
        self._tempering, self._quenched = tempering, quenched
        self._keys = tempering.keys(seed, sample, *sizes, replica=replica)

    def advance(self, first: int, rounds: int, every: int) -> Any:
        """Some rounds more."""
        return self._tempering.advance(self._slots, self._quenched, self._keys, first, rounds, every)


def _quarters(series: Floats) -> list[list[float]]:
    """Means over the quarters of the leading axis."""
    return [part.mean(axis=0).tolist() for part in np.array_split(series, QUARTERS)]
