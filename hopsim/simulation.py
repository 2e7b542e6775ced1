"""One disorder sample from start to end: `simulate(run) -> Record`, pure and picklable."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from . import observables, states
from .dynamics import Chains, Dynamics
from .errors import Refused, real, whole
from .networks import Network, Quenched
from .observables import Series
from .patterns import Examples
from .representations import in_lanes
from .rng import Keys, Purpose, keys, stream
from .statistics import autocorrelation_time, blocking

TRACE_BYTES = 2**24
MOST_REPLICAS = 1024
LATER = {"later": True}  # a field added later: at its default it is left out of the keys, which stay as they were
STARTS = ("pattern", "hierarchical", "random")
CUED = 0  # the pattern whose cue starts the run; patterns are exchangeable, so the first will do


@dataclass(frozen=True)
class Protocol:
    """How a run is started and read: a cue, `equilibrate` sweeps unread, `measure` sweeps read every `every` of them.

    replicas chains run on the same disorder, and the Edwards-Anderson overlap q of every two is read. A cue counts as
    retrieved while the cued pattern is the best one and M >= success_overlap · n on its n non-blank sites.
    series = True keeps the time series of overlap and energy in a store, overlaps = True the averages of all overlaps.

    start "pattern" is a cue on the first pattern, "hierarchical" one on the state in which every neuron follows its
    first pattern without a blank, with cue_overlap between start and state; "random" needs cue_overlap = 0.
    """

    cue_overlap: float
    equilibrate: int
    measure: int
    every: int = 1
    replicas: int = 1
    success_overlap: float = 0.9
    series: bool = False
    start: Literal["pattern", "hierarchical", "random"] = field(default="pattern", metadata=LATER)
    overlaps: bool = field(default=False, metadata=LATER)

    def __post_init__(self) -> None:
        for name, least in (("cue_overlap", -1), ("success_overlap", 0)):
            value = real(name, getattr(self, name))
            if not least <= value <= 1:
                raise Refused(f"{name} must be between {least} and 1, got {value!r}")
            object.__setattr__(self, name, value)
        for name, least, most in (
            ("equilibrate", 0, None),
            ("measure", 1, None),
            ("every", 1, None),
            ("replicas", 1, MOST_REPLICAS),
        ):
            object.__setattr__(self, name, whole(name, getattr(self, name), least, most))
        if self.start not in STARTS:
            raise Refused(f"start must be one of {', '.join(STARTS)}, got {self.start!r}")
        if self.start == "random" and self.cue_overlap != 0:
            raise Refused(f'start = "random" has no cue: cue_overlap must be 0, got {self.cue_overlap!r}')
        if self.every > self.measure:
            raise Refused(f"every must be at most measure = {self.measure} sweeps, got {self.every}")

    @property
    def readings(self) -> int:
        """Readings per replica."""
        return self.measure // self.every


@dataclass(frozen=True)
class Point:
    """All that decides the numbers but the disorder sample."""

    network: Network
    dynamics: Dynamics
    protocol: Protocol
    seed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", whole("seed", self.seed, 0, 2**63 - 1))
        self.dynamics.check(self.network.law)


@dataclass(frozen=True)
class Run(Point):
    """A point and one disorder sample of it: all that decides the numbers."""

    sample: int

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "sample", whole("sample", self.sample, 0, 2**32 - 1))

    @property
    def point(self) -> Point:
        """The run without its sample."""
        return Point(self.network, self.dynamics, self.protocol, self.seed)

    def quench(self) -> Quenched:
        """The disorder of this run, shared by all temperatures and rules at the same network, seed and sample."""
        sizes = (self.network.neurons, self.network.patterns)
        return self.network.quench(stream(self.seed, self.sample, Purpose.DISORDER, *sizes))


@dataclass(frozen=True, eq=False)
class Record:
    """What a run saw. R replicas, T readings.

    overlap, best_overlap, energy float64[R, T] and retrieved bool[R, T] are series; overlaps float64[R, K] are those
    with all patterns, averaged over the readings, if the protocol asks for them; similarity float64[R(R-1)/2, T] is the
    Edwards-Anderson q of the replicas (0, 1), (0, 2), ..., (1, 2), ...; cue_overlap float64[R] is the realised start
    M/n on the cued pattern and acceptance float64[R] the fraction of offered flips taken over the whole run. Where the
    patterns are archetypes, example_overlap float64[R, T] is n = (1/N) Σ_i η̄_i σ_i of the cued one.
    """

    overlap: NDArray[np.float64]
    best_overlap: NDArray[np.float64]
    energy: NDArray[np.float64]
    retrieved: NDArray[np.bool_]
    similarity: NDArray[np.float64]
    cue_overlap: NDArray[np.float64]
    acceptance: NDArray[np.float64]
    example_overlap: NDArray[np.float64] | None = None
    overlaps: NDArray[np.float64] | None = None

    def summary(self) -> dict[str, float | NDArray[Any]]:
        """Averages over replicas and time, the columns of a store; overlap_tau is in readings.

        Several patterns that are retrieved at once change places and signs from chain to chain: ranked_overlaps are
        the magnitudes of the time averages of each chain, the largest first, before chains are averaged.
        """
        chains = [blocking(series) for series in self.overlap]
        summary: dict[str, float | NDArray[Any]] = {
            "cue_overlap": float(self.cue_overlap.mean()),
            "overlap": float(self.overlap.mean()),
            "overlap_blocking": float(np.sqrt(np.sum([c.error**2 for c in chains])) / len(chains)),
            "overlap_tau": float(np.mean([autocorrelation_time(series) for series in self.overlap])),
            "best_overlap": float(self.best_overlap.mean()),
            "retrieved": float(self.retrieved.mean()),
            "energy": float(self.energy.mean()),
            "acceptance": float(self.acceptance.mean()),
        }
        if self.example_overlap is not None:
            summary["example_overlap"] = float(self.example_overlap.mean())
        if self.overlaps is not None:
            ranked = -np.sort(-np.abs(self.overlaps), axis=1)
            summary |= {"overlaps": self.overlaps.mean(axis=0), "ranked_overlaps": ranked.mean(axis=0)}
        if self.similarity.size:
            q, q_abs, q2, q4 = observables.similarity_moments(self.similarity)
            summary |= {"q": q, "q_abs": q_abs, "q2": q2, "q4": q4}
            summary["q_histogram"] = observables.similarity_histogram(self.similarity)
        return summary


Reading = tuple[NDArray[Any], ...]  # overlap, best overlap, energy, retrieved and example overlap of one chain


class _Reader:
    """The replicas of some runs in motion, run after run, and how they are read."""

    def __init__(self, runs: Sequence[Run], quenched: Quenched) -> None:
        self.quenched, self.protocol = quenched, runs[0].protocol
        self.neurons, self.patterns = quenched.patterns.shape
        replicas = range(self.protocol.replicas)
        starts = [self._start(runs[0], replica) for replica in replicas] * len(runs)
        start = states.State(np.array([s.spins for s in starts]), np.array([s.overlaps for s in starts]))
        self.size = int(np.count_nonzero(quenched.patterns[:, CUED]))
        self.cue_overlaps = observables.on_patterns(start, quenched).overlaps[:, CUED] / max(self.size, 1)
        rules = [run.dynamics for run in runs for _ in replicas]
        self.chains = Chains(rules, start, quenched, [self._keys(run, replica) for run in runs for replica in replicas])
        self.sweep = 0
        self.flips = np.zeros(len(starts), dtype=np.int64)
        self.totals = np.zeros((len(starts), self.patterns if self.protocol.overlaps else 0), dtype=np.int64)

    def _start(self, run: Run, replica: int) -> states.State:
        start = stream(run.seed, run.sample, Purpose.INITIAL, self.neurons, self.patterns, replica)
        if self.protocol.start == "random":
            return states.random(self.quenched, start)
        if self.protocol.start == "hierarchical":
            return states.hierarchical(self.quenched, self.protocol.cue_overlap, start)
        return states.cue(self.quenched, CUED, self.protocol.cue_overlap, start)

    def _keys(self, run: Run, replica: int) -> Keys:
        sizes = (self.neurons, self.patterns)
        return keys(run.seed, run.sample, *sizes, temperature=run.dynamics.temperature, replica=replica)

    def advance(self, sweeps: int, every: int = 0) -> list[states.State]:
        traces = self.chains.advance(self.sweep, sweeps, every)
        self.sweep += sweeps
        self.flips += [trace.flips for trace in traces]
        return [trace.states for trace in traces]

    def measure(self, readings: int) -> tuple[list[Reading], list[Series]]:
        """Readings of every chain, and similarities of the replicas of every run."""
        seen = self.advance(readings * self.protocol.every, self.protocol.every)
        replicas = self.protocol.replicas
        of_runs = [seen[first : first + replicas] for first in range(0, len(seen), replicas)]
        readings_of_chains = [self._read(states, total) for states, total in zip(seen, self.totals, strict=True)]
        return readings_of_chains, [observables.similarities(states) for states in of_runs]

    def _read(self, seen: states.State, total: NDArray[np.int64]) -> Reading:
        on_patterns = observables.on_patterns(seen, self.quenched)
        total += on_patterns.overlaps[:, : total.size].sum(axis=0)
        reading: Reading = (
            observables.overlap(on_patterns, CUED),
            observables.best_overlap(on_patterns),
            observables.energy_density(seen, self.quenched),
            observables.retrieved(on_patterns, CUED, self.protocol.success_overlap * self.size),
        )
        if isinstance(self.quenched.network.law.ensemble, Examples):
            reading += (observables.example_overlap(seen, self.quenched, CUED),)
        return reading


def simulate(run: Run, quenched: Quenched | None = None) -> Record:
    """Run the protocol on one disorder sample; `quenched`, if given, must be run.quench(), shared between runs."""
    return simulate_together([run], quenched)[0]


def simulate_together(runs: Sequence[Run], quenched: Quenched | None = None) -> list[Record]:
    """`simulate` each of some runs that differ in temperature only, all their chains moving together."""
    first = runs[0]
    if not all(_alike(run, first) for run in runs):
        raise Refused("runs simulated together must share all but their temperature")
    reader = _Reader(runs, quenched if quenched is not None else first.quench())
    reader.advance(first.protocol.equilibrate)
    blocks = [reader.measure(readings) for readings in _blocks(first, reader.flips.size)]
    replicas, offered = first.protocol.replicas, first.network.neurons * reader.sweep
    overlaps = reader.totals / (first.network.neurons * first.protocol.readings)
    records = []
    for k in range(len(runs)):
        own = slice(k * replicas, (k + 1) * replicas)
        series = zip(*(zip(*readings[own], strict=True) for readings, _ in blocks), strict=True)
        overlap, best, energy, retrieved, *of_examples = (np.concatenate(each, axis=1) for each in series)
        records.append(
            Record(
                overlap=overlap,
                best_overlap=best,
                energy=energy,
                retrieved=retrieved,
                similarity=np.concatenate([similar[k] for _, similar in blocks], axis=1),
                cue_overlap=reader.cue_overlaps[own],
                acceptance=reader.flips[own] / offered,
                example_overlap=of_examples[0] if of_examples else None,
                overlaps=overlaps[own] if first.protocol.overlaps else None,
            )
        )
    return records


def groups(runs: Sequence[Run], quenched: Quenched) -> list[list[Run]]:
    """Runs of one disorder sample, those in one list that are simulated faster together."""
    alike: list[list[Run]] = []
    for run in runs:
        own = next((others for others in alike if _alike(run, others[0])), [])
        if not own:
            alike.append(own)
        own.append(run)
    return [part for found in alike for part in ([found] if _faster(found, quenched) else [[run] for run in found])]


def _alike(run: Run, other: Run) -> bool:
    return replace(run, dynamics=other.dynamics) == other and run.dynamics.moves_with(other.dynamics)


def _faster(runs: list[Run], quenched: Quenched) -> bool:
    rule, chains = runs[0].dynamics, len(runs) * runs[0].protocol.replicas
    return in_lanes(quenched.representation, chains, rule.order, rule.synchronous)


def _blocks(run: Run, chains: int) -> list[int]:
    """Readings, split so that the traces stay small."""
    readings = run.protocol.readings
    at_once = max(1, TRACE_BYTES // (chains * (run.network.neurons + 4 * run.network.columns)))
    return [min(at_once, readings - start) for start in range(0, readings, at_once)]
