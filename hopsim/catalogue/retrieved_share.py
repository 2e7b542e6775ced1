"""Which state dominates in equilibrium at finite N: the share of retrieval by parallel tempering, and its theory."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from .. import observables, rng, states, theory
from ..networks import Law, Network
from ..statistics import Average, jackknife
from ..tempering import Tempering
from .one_update import finite_size
from .workshop import Workshop

RETRIEVED = 0.7  # least |m| of the best pattern
SEED, SWEEPS_PER_SWAP, EVERY = 5, 2, 4
COOLEST, STEP, SMALLEST_STEP = 0.25, 0.04, 1e-4
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shares:
    """The share of readings with some |m| >= RETRIEVED: [samples, starts, T], from a pattern and from random states."""

    network: Network
    temperatures: tuple[float, ...]
    shares: Floats

    @property
    def half(self) -> Average:
        """The temperature at which the share falls through one half, over both starts; nan outside the ladder."""
        return jackknife(self._crossing, self.shares)

    def _crossing(self, shares: Floats) -> float:
        mean = shares.mean(axis=(0, 1))
        below = np.flatnonzero(mean < 0.5)
        if not below.size or below[0] == 0:
            return math.nan
        place = [int(below[0]), int(below[0]) - 1]
        return float(np.interp(0.5, mean[place], np.array(self.temperatures)[place]))


def measured(
    workshop: Workshop, network: Network, temperatures: Sequence[float], *, samples: int, warm: int, rounds: int
) -> Shares:
    """Temper disorder samples, each from a stored pattern and from a random state, and read after `warm` rounds."""
    tempering = Tempering(tuple(temperatures), "glauber", SWEEPS_PER_SWAP)
    told = ("shares", network, tempering, warm, rounds, SEED, EVERY, RETRIEVED)
    found = workshop.sampled(told, samples, lambda sample: _sample(network, tempering, sample, warm, rounds))
    return Shares(network, tempering.temperatures, found)


def _sample(network: Network, tempering: Tempering, sample: int, warm: int, rounds: int) -> Floats:
    sizes = (network.neurons, network.patterns)
    quenched = network.quench(rng.stream(SEED, sample, rng.Purpose.DISORDER, *sizes))
    shares = []
    for start in range(2):
        numbers = rng.stream(SEED, sample, rng.Purpose.INITIAL, *sizes, start)
        slots = [
            states.random(quenched, numbers) if start else states.cue(quenched, 0, 1.0, numbers)
            for _ in tempering.temperatures
        ]
        keys = tempering.keys(SEED, sample, *sizes, replica=start)
        walkers = tempering.advance(slots, quenched, keys, 0, warm).walkers[-1]
        trace = tempering.advance(slots, quenched, keys, warm, rounds, EVERY, walkers=walkers)
        shares.append((observables.best_overlap(trace.states) >= RETRIEVED).mean(axis=0))
    return np.array(shares)


def expected(law: Law, *, load: float, neurons: int, patterns: int) -> float | None:
    """T at which 2K retrieval states (p even) weigh as much as the paramagnet: f_R - f_P = (T/N) ln 2K, f of RS.

    Distinct indices have s N^p/p! terms instead of N^p/p!, s = (1-1/N)...(1-(p-1)/N), so that energies and the variance
    of those of the other patterns are s times what they are at large N: f = s f_∞(α/s, T/s). None where the retrieval
    state ends before; N → ∞ at fixed load is T_c above T_d.
    """
    s = finite_size(law, neurons)

    def excess(T: float) -> float:
        f, rival = (
            theory.solve(law, load=load / s, temperature=T, branch=branch).free_energy
            for branch in ("retrieval", "paramagnet")
        )
        return f - rival - T / neurons * math.log(2 * patterns)

    low, step = COOLEST, STEP
    while step > SMALLEST_STEP:
        try:
            if excess(low + step) > 0:
                return float(s * brentq(excess, low, low + step, xtol=1e-6))
            low += step
        except theory.NotConverged:
            step /= 2
    return None
