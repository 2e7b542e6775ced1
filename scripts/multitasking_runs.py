"""Runs of scripts/verify_multitasking.py: one chain a disorder sample, and its overlaps with the archetypes."""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

import hopsim as hs
from hopsim import observables, rng, states
from hopsim.interactions import Indices
from hopsim.networks import Network, Quenched

READ = 8  # patterns whose overlaps are kept
Values = dict[str, list[float]]
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

    def path(self, folder: Path, seed: int) -> Path:
        """Its result file; another seed or protocol has another."""
        return folder / f"multitasking-{self.digest(seed)[:12]}.jsonl"

    def digest(self, seed: int) -> str:
        """The name of its disorder: no two cases share any."""
        return hashlib.sha256(f"{self!r} {seed}".encode()).hexdigest()


def values(case: Case, neurons: int, sample: int, seed: int) -> Values:
    """Overlaps m of one disorder sample with its first READ archetypes: the mean over the first and over the second
    half of the readings, and that of m²."""
    network, stream = case.network(neurons), int(case.digest(seed)[:15], 16)
    sizes = (neurons, network.patterns)
    quenched = network.quench(rng.stream(stream, sample, rng.Purpose.DISORDER, *sizes))
    state = _start(case, quenched, rng.stream(stream, sample, rng.Purpose.INITIAL, *sizes))
    rule = hs.Glauber(case.temperature) if case.temperature else hs.SignUpdate()
    keys = rng.keys(stream, sample, *sizes, temperature=case.temperature, replica=0)
    rule.advance(state, quenched, keys, 0, case.equilibrate)
    trace = rule.advance(state, quenched, keys, case.equilibrate, case.measure, case.every)
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


def _batch(case: Case, neurons: int, samples: Sequence[int], seed: int) -> list[str]:
    return [json.dumps({"neurons": neurons, "sample": s, "values": values(case, neurons, s, seed)}) for s in samples]


def read(case: Case, folder: Path, seed: int) -> Data:
    """Values by size and sample that the result file has."""
    found: Data = {neurons: {} for neurons in case.neurons}
    path = case.path(folder, seed)
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:  # an interrupted write
            continue
        found[record["neurons"]][record["sample"]] = record["values"]
    return found


def run(
    cases: Sequence[Case],
    samples: int,
    seed: int,
    folder: Path,
    executor: Executor,
    progress: Callable[[int], object],
    batch: int = 10,
) -> None:
    """Compute what the result files do not have, all cases' first samples before any's last; progress counts runs."""
    folder.mkdir(parents=True, exist_ok=True)
    there = {case: read(case, folder, seed) for case in cases}
    under_way: dict[Future[list[str]], Case] = {}
    for first in range(0, samples, batch):
        for case in cases:
            for neurons in case.neurons:
                block = range(first, min(first + batch, samples))
                missing = [s for s in block if s not in there[case][neurons]]
                progress(len(block) - len(missing))
                if missing:
                    under_way[executor.submit(_batch, case, neurons, missing, seed)] = case
    try:
        for future in as_completed(under_way):
            lines = future.result()
            with under_way[future].path(folder, seed).open("a", encoding="utf-8") as file:
                file.write("".join(f"\n{line}" for line in lines))
            progress(len(lines))
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
