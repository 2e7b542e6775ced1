"""One disorder sample from start to end: `simulate(run) -> Record`, pure and picklable."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import observables, states
from .dynamics import Dynamics
from .errors import Refused
from .networks import Network, Quenched
from .rng import Purpose, keys, stream
from .statistics import autocorrelation_time, blocking

_TRACE_BYTES = 2**24
CUED = 0  # the pattern whose cue starts the run; patterns are exchangeable, so the first will do


@dataclass(frozen=True)
class Protocol:
    """How a run is started and read: a cue, `equilibrate` sweeps unread, `measure` sweeps read every `every` of them.

    replicas = 2 runs two chains on the same disorder and reads their Edwards-Anderson overlap q. A cue counts as
    retrieved while the cued pattern is the best one at overlap `success_overlap` or more.
    """

    cue_overlap: float
    equilibrate: int
    measure: int
    every: int = 1
    replicas: int = 1
    success_overlap: float = 0.9

    def __post_init__(self) -> None:
        if not -1 <= self.cue_overlap <= 1:
            raise Refused(f"cue_overlap must be between -1 and 1, got {self.cue_overlap!r}")
        if not 0 <= self.success_overlap <= 1:
            raise Refused(f"success_overlap must be between 0 and 1, got {self.success_overlap!r}")
        for name, least in (("equilibrate", 0), ("measure", 1), ("every", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise Refused(f"{name} must be an integer >= {least} (sweeps), got {value!r}")
        if self.every > self.measure:
            raise Refused(f"every must be at most measure = {self.measure} sweeps, got {self.every}")
        if self.replicas not in (1, 2):
            raise Refused(f"replicas must be 1 or 2, got {self.replicas!r}")


@dataclass(frozen=True)
class Point:
    """All that decides the numbers but the disorder sample."""

    network: Network
    dynamics: Dynamics
    protocol: Protocol
    seed: int

    def __post_init__(self) -> None:
        if not isinstance(self.seed, int) or isinstance(self.seed, bool) or self.seed < 0:
            raise Refused(f"seed must be an integer >= 0, got {self.seed!r}")
        self.dynamics.check(self.network.law)


@dataclass(frozen=True)
class Run(Point):
    """A point and one disorder sample of it: all that decides the numbers."""

    sample: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.sample, int) or isinstance(self.sample, bool) or not 0 <= self.sample < 2**32:
            raise Refused(f"sample must be an integer from 0 to 2^32 - 1, got {self.sample!r}")

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

    overlap, best_overlap, energy float64[R, T] and retrieved bool[R, T] are series; similarity float64[T] is the
    Edwards-Anderson q, empty for one replica; cue_overlap float64[R] is the realised start m = M/N of the cued pattern
    and acceptance float64[R] the fraction of offered flips taken over the whole run.
    """

    overlap: NDArray[np.float64]
    best_overlap: NDArray[np.float64]
    energy: NDArray[np.float64]
    retrieved: NDArray[np.bool_]
    similarity: NDArray[np.float64]
    cue_overlap: NDArray[np.float64]
    acceptance: NDArray[np.float64]

    def summary(self) -> dict[str, float | NDArray[np.int64]]:
        """Averages over replicas and time, the columns of a store; overlap_tau is in readings."""
        chains = [blocking(series) for series in self.overlap]
        summary: dict[str, float | NDArray[np.int64]] = {
            "cue_overlap": float(self.cue_overlap.mean()),
            "overlap": float(self.overlap.mean()),
            "overlap_blocking": float(np.sqrt(np.sum([c.error**2 for c in chains])) / len(chains)),
            "overlap_tau": float(np.mean([autocorrelation_time(series) for series in self.overlap])),
            "best_overlap": float(self.best_overlap.mean()),
            "retrieved": float(self.retrieved.mean()),
            "energy": float(self.energy.mean()),
            "acceptance": float(self.acceptance.mean()),
        }
        if self.similarity.size:
            q, q_abs, q2, q4 = observables.similarity_moments(self.similarity)
            summary |= {"q": q, "q_abs": q_abs, "q2": q2, "q4": q4}
            summary["q_histogram"] = observables.similarity_histogram(self.similarity)
        return summary


@dataclass
class _Chain:
    """One replica in motion and what has been read of it."""

    run: Run
    quenched: Quenched
    replica: int
    sweep: int = 0
    flips: int = 0
    readings: list[tuple[NDArray[Any], ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        run = self.run
        labels = (run.network.neurons, run.network.patterns, self.replica)
        start = stream(run.seed, run.sample, Purpose.INITIAL, *labels)
        self.state = states.cue(self.quenched, CUED, run.protocol.cue_overlap, start)
        self.cue_overlap = float(observables.overlap(self.state, CUED))
        self.keys = keys(run.seed, run.sample, temperature=run.dynamics.temperature, replica=self.replica)

    def advance(self, sweeps: int, every: int = 0) -> states.State:
        trace = self.run.dynamics.advance(self.state, self.quenched, self.keys, self.sweep, sweeps, every)
        self.sweep += sweeps
        self.flips += trace.flips
        return trace.states

    def measure(self, readings: int) -> states.State:
        protocol = self.run.protocol
        seen = self.advance(readings * protocol.every, protocol.every)
        self.readings.append(
            (
                observables.overlap(seen, CUED),
                observables.best_overlap(seen),
                observables.energy_density(seen, self.quenched),
                observables.retrieved(seen, CUED, protocol.success_overlap),
            )
        )
        return seen


def simulate(run: Run, quenched: Quenched | None = None) -> Record:
    """Run the protocol on one disorder sample; `quenched`, if given, must be run.quench(), shared between runs."""
    disorder = quenched if quenched is not None else run.quench()
    chains = [_Chain(run, disorder, replica) for replica in range(run.protocol.replicas)]
    for chain in chains:
        chain.advance(run.protocol.equilibrate)
    similarity = []
    for readings in _blocks(run):
        seen = [chain.measure(readings) for chain in chains]
        if len(seen) == 2:
            similarity.append(observables.similarity(*seen))
    overlap, best, energy, retrieved = (
        np.array([np.concatenate(parts) for parts in series])
        for series in zip(*(tuple(zip(*chain.readings, strict=True)) for chain in chains), strict=True)
    )
    offered = run.network.neurons * chains[0].sweep
    return Record(
        overlap=overlap,
        best_overlap=best,
        energy=energy,
        retrieved=retrieved,
        similarity=np.concatenate(similarity) if similarity else np.empty(0),
        cue_overlap=np.array([chain.cue_overlap for chain in chains]),
        acceptance=np.array([chain.flips / offered for chain in chains]),
    )


def _blocks(run: Run) -> list[int]:
    """Readings, split so that a trace stays small."""
    readings = run.protocol.measure // run.protocol.every
    at_once = max(1, _TRACE_BYTES // (run.network.neurons + 4 * run.network.patterns))
    return [min(at_once, readings - start) for start in range(0, readings, at_once)]
