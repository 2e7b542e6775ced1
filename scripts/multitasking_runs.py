"""Runs of scripts/verify_multitasking.py: one chain a disorder sample, and its overlaps with the archetypes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sample_runs import Values

import hopsim as hs
from hopsim import observables, rng, states
from hopsim.interactions import Indices
from hopsim.networks import Network, Quenched

READ = 8  # patterns whose overlaps are kept
Samples = dict[int, Values]
Data = dict[int, Samples]


@dataclass(frozen=True)
class Storage:
    """How many patterns are stored, and how they are learned: K = `patterns`, `log_load` ln N or `load` N."""

    patterns: int | None = None
    log_load: float | None = None
    load: float | None = None
    degree: int = 2
    indices: Indices = "all"
    examples: hs.Examples | None = None

    def number(self, neurons: int) -> int:
        """K at one size."""
        if self.load is not None:
            return round(self.load * neurons)
        return self.patterns or round((self.log_load or 0) * np.log(neurons))


@dataclass(frozen=True)
class Case:
    """One point (d, T) of a network at several sizes.

    start: "pattern" is the first pattern with random spins on its blanks; "hierarchy" follows the first pattern that is
    not blank at a neuron; "random" is T = ∞.
    """

    dilution: float
    temperature: float
    start: Literal["pattern", "hierarchy", "random"]
    storage: Storage
    neurons: tuple[int, ...]
    equilibrate: int
    measure: int
    every: int

    def network(self, neurons: int) -> Network:
        """The network at one size."""
        kept = self.storage
        ensemble = kept.examples or hs.Diluted(self.dilution)
        return hs.dense(
            neurons=neurons,
            degree=kept.degree,
            indices=kept.indices,
            patterns=kept.number(neurons),
            ensemble=ensemble,
        )

    @property
    def times(self) -> float:
        """Disorder samples, in units of what the command line asks for."""
        return 1.0

    def path(self, folder: Path, seed: int) -> Path:
        """Its result file; another seed or protocol has another."""
        return folder / f"multitasking-{self.digest(seed)[:12]}.jsonl"

    def digest(self, seed: int) -> str:
        """The name of its disorder: no two cases share any."""
        return hashlib.sha256(f"{self!r} {seed}".encode()).hexdigest()

    def values(self, neurons: int, sample: int, seed: int) -> Values:
        """Overlaps m of one disorder sample with its first READ archetypes: the mean over the first and over the second
        half of the readings, and that of m²."""
        network, stream = self.network(neurons), int(self.digest(seed)[:15], 16)
        sizes = (neurons, network.patterns)
        quenched = network.quench(rng.stream(stream, sample, rng.Purpose.DISORDER, *sizes))
        state = _start(self, quenched, rng.stream(stream, sample, rng.Purpose.INITIAL, *sizes))
        rule = hs.Glauber(self.temperature) if self.temperature else hs.SignUpdate()
        keys = rng.keys(stream, sample, *sizes, temperature=self.temperature, replica=0)
        rule.advance(state, quenched, keys, 0, self.equilibrate)
        trace = rule.advance(state, quenched, keys, self.equilibrate, self.measure, self.every)
        m = observables.on_patterns(trace.states, quenched).overlaps[:, :READ] / neurons
        early, late = np.split(m, [len(m) // 2])
        return {"early": _mean(early), "late": _mean(late), "square": _mean(m**2)}


def _mean(m: NDArray[np.float64]) -> list[float]:
    return [float(x) for x in m.mean(axis=0)]


def _start(case: Case, quenched: Quenched, numbers: np.random.Generator) -> states.State:
    if case.start == "random":
        return states.random(quenched, numbers)
    if case.start == "hierarchy":
        return states.hierarchical(quenched, 1.0, numbers)
    return states.cue(quenched, 0, 1.0, numbers)
