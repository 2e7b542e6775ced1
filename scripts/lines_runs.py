"""Runs of scripts/verify_lines.py: chains or tempered ladders of one disorder sample."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sample_runs import Runs, Values

import hopsim as hs
from hopsim import dynamics, observables, rng, states
from hopsim.networks import Network, Quenched

SWEEPS_PER_SWAP = 4
RETRIEVED = 0.7  # the least |m| of the best pattern that counts as retrieval
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One law at one load: `pattern` chains start on a stored pattern, `random` at random, at every temperature.

    tempered = True makes each of them a ladder with replica exchange, times being rounds of SWEEPS_PER_SWAP sweeps.
    """

    name: str
    degree: int
    indices: Any
    load: float
    temperatures: tuple[float, ...]
    neurons: tuple[int, ...]
    pattern: int
    random: int
    equilibrate: int
    measure: int
    every: int
    tempered: bool = False
    times: int = 1

    def network(self, neurons: int) -> Network:
        """The network at one size."""
        return hs.dense(neurons=neurons, degree=self.degree, indices=self.indices, load=self.load)

    def compared(self, neurons: int) -> float:
        """The load of the theory that a size is held against."""
        return self.network(neurons).load

    def path(self, folder: Path, seed: int) -> Path:
        """Its result file."""
        return path(self.name, self, folder, seed)

    def values(self, neurons: int, sample: int, seed: int) -> Values:
        """What one disorder sample gives."""
        return values(self, neurons, sample, seed)


def path(name: str, case: Runs, folder: Path, seed: int) -> Path:
    """A result file for a case; another seed or protocol has another."""
    digest = hashlib.sha256(f"{case!r} {seed} {RETRIEVED} {SWEEPS_PER_SWAP}".encode()).hexdigest()[:8]
    return folder / f"{name}-{digest}.jsonl"


def values(case: Case, neurons: int, sample: int, seed: int) -> Values:
    """What one disorder sample gives, averaged over chains and time.

    energy, overlap, overlap2, retrieved [start][T] are all readings of the starts, first the pattern, then random;
    energy_in and overlap_in are those with m >= RETRIEVED, energy_out those where no pattern reaches it; q and q2 [T]
    are the overlaps of all pairs of chains and their squares; cue is E/N on the pattern minus its exact mean.
    """
    network = case.network(neurons)
    sizes = (neurons, network.patterns)
    quenched = network.quench(rng.stream(seed, sample, rng.Purpose.DISORDER, *sizes))
    starts = [_start(case, quenched, seed, sample, replica) for replica in range(case.pattern + case.random)]
    move = _ladders if case.tempered else _chains
    seen = move(case, quenched, starts, seed, sample)
    found: Values = {"cue": _cue(quenched)}
    found |= _by_start(case, quenched, seen)
    similar = [observables.similarities(replicas) for replicas in seen]
    found["q"] = [float(q.mean()) if q.size else None for q in similar]
    found["q2"] = [float((q**2).mean()) if q.size else None for q in similar]
    return found


def _start(case: Case, quenched: Quenched, seed: int, sample: int, replica: int) -> states.State:
    numbers = rng.stream(seed, sample, rng.Purpose.INITIAL, *quenched.patterns.shape, replica)
    return states.cue(quenched, 0, 1.0, numbers) if replica < case.pattern else states.random(quenched, numbers)


def _chains(
    case: Case, quenched: Quenched, starts: list[states.State], seed: int, sample: int
) -> list[list[states.State]]:
    """Traces [T][replica] of chains that stay at their temperature."""
    pairs = [(T, replica) for T in case.temperatures for replica in range(len(starts))]
    rules = [hs.Glauber(T) for T, _ in pairs]
    keys = [rng.keys(seed, sample, *quenched.patterns.shape, temperature=T, replica=r) for T, r in pairs]
    together = states.State(
        np.array([starts[r].spins for _, r in pairs]), np.array([starts[r].overlaps for _, r in pairs])
    )
    chains = dynamics.Chains(rules, together, quenched, keys)
    chains.advance(0, case.equilibrate)
    traces = chains.advance(case.equilibrate, case.measure, case.every)
    seen = [trace.states for trace in traces]
    return [seen[first : first + len(starts)] for first in range(0, len(seen), len(starts))]


def _ladders(
    case: Case, quenched: Quenched, starts: list[states.State], seed: int, sample: int
) -> list[list[states.State]]:
    """Traces [T][replica] of ladders all of whose slots begin in the same state."""
    tempering = hs.Tempering(case.temperatures, "glauber", SWEEPS_PER_SWAP)
    traces = []
    for replica, start in enumerate(starts):
        slots = [states.State(start.spins.copy(), start.overlaps.copy()) for _ in case.temperatures]
        keys = tempering.keys(seed, sample, *quenched.patterns.shape, replica=replica)
        warm = tempering.advance(slots, quenched, keys, 0, case.equilibrate)
        traces.append(
            tempering.advance(
                slots, quenched, keys, case.equilibrate, case.measure, case.every, walkers=warm.walkers[-1]
            ).states
        )
    return [
        [states.State(trace.spins[:, slot], trace.overlaps[:, slot]) for trace in traces]
        for slot in range(len(case.temperatures))
    ]


def _by_start(case: Case, quenched: Quenched, seen: list[list[states.State]]) -> Values:
    found: dict[str, list[list[float | None]]] = defaultdict(lambda: [[], []])
    for replicas in seen:
        for start, chosen in enumerate((replicas[: case.pattern], replicas[case.pattern :])):
            if not chosen:
                continue
            energy = np.array([observables.energy_density(s, quenched) for s in chosen])
            overlap = np.array([observables.overlap(s, 0) for s in chosen])
            best = np.array([observables.best_overlap(s) for s in chosen])
            inside, outside = overlap >= RETRIEVED, best < RETRIEVED
            read = {
                "energy": energy,
                "overlap": overlap,
                "overlap2": overlap**2,
                "retrieved": best >= RETRIEVED,
                "inside": inside,
                "energy_in": energy[inside],
                "overlap_in": overlap[inside],
                "energy_out": energy[outside],
            }
            for name, readings in read.items():
                found[name][start].append(float(readings.mean()) if readings.size else None)
    return dict(found)


def _cue(quenched: Quenched) -> float:
    """E/N on the first pattern minus its mean over the other patterns, exactly: they add nothing on average."""
    network = quenched.network
    alone = Quenched(Network(network.law, network.neurons, 1), np.ones((network.neurons, 1), dtype=np.int8))
    own = quenched.energy_density(quenched.overlaps(quenched.patterns[:, 0]))
    return float(own - alone.energy_density(np.array([network.neurons])))
