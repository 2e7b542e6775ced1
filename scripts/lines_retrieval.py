"""Correlations inside a retrieval state: what diverges at T_R."""

from dataclasses import dataclass

import numpy as np
from lines_runs import RETRIEVED, Floats
from lines_studies import Study
from sample_runs import Values

import hopsim as hs
from hopsim import dynamics, observables, rng, states
from hopsim.networks import Quenched

CUES = (1.0, 0.95)  # overlaps that the two halves of the chains start with
CHUNK = 40  # sweeps


@dataclass(frozen=True, kw_only=True)
class Retrieval(Study):
    """Chains at one temperature, `replicas` from each of CUES."""

    equilibrate: int
    measure: int
    every: int
    replicas: int

    def values(self, neurons: int, sample: int, seed: int) -> Values:
        """chi = (1/N) Σ_ij c_ij² and its diagonal part; energy and overlap [start]; inside: whether all stayed.

        c = <σσ> - <σ><σ> over readings and replicas of one start, times that of the other, whose noise is independent.
        """
        (T,) = self.temperatures
        quenched = self.quench(neurons, sample, seed)
        sizes = quenched.patterns.shape
        numbers = rng.stream(seed, sample, rng.Purpose.INITIAL, *sizes)
        starts = [states.cue(quenched, 0, overlap, numbers) for overlap in CUES for _ in range(self.replicas)]
        keys = [rng.keys(seed, sample, *sizes, temperature=T, replica=r) for r in range(len(starts))]
        together = states.State(np.array([s.spins for s in starts]), np.array([s.overlaps for s in starts]))
        chains = dynamics.Chains([hs.Glauber(T)] * len(starts), together, quenched, keys)
        chains.advance(0, self.equilibrate)
        spins: list[list[Floats]] = [[], []]
        energy: list[list[Floats]] = [[], []]
        for begin in range(self.equilibrate, self.equilibrate + self.measure, CHUNK):
            for replica, trace in enumerate(chains.advance(begin, CHUNK, self.every)):
                spins[replica // self.replicas].append(trace.states.spins.astype(np.float32))
                energy[replica // self.replicas].append(observables.energy_density(trace.states, quenched))
        chains.close()
        overlaps = [_overlaps(of_start, quenched) for of_start in spins]
        first, second = (_correlations(np.concatenate(of_start)) for of_start in spins)
        return {
            "chi": float((first * second).sum() / neurons),
            "diagonal": float(np.diag(first) @ np.diag(second) / neurons),
            "energy": [float(np.mean(of_start)) for of_start in energy],
            "overlap": [float(m.mean()) for m in overlaps],
            "inside": bool(min(m.min() for m in overlaps) >= RETRIEVED),
        }


def _overlaps(spins: list[Floats], quenched: Quenched) -> Floats:
    return np.asarray(np.concatenate(spins) @ quenched.patterns[:, 0] / quenched.network.neurons)


def _correlations(spins: Floats) -> Floats:
    mean = spins.mean(axis=0)
    return np.asarray(spins.T @ spins / len(spins) - np.outer(mean, mean), dtype=float)
