"""One disorder sample from start to end: `simulate(run) -> Record`, pure and picklable."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import observables, states
from .dynamics import Dynamics
from .errors import Refused, real, whole
from .networks import Network, Quenched
from .rng import Purpose, keys, stream
from .statistics import autocorrelation_time, blocking

TRACE_BYTES = 2**24
CUED = 0  # the pattern whose cue starts the run; patterns are exchangeable, so the first will do


@dataclass(frozen=True)
class Protocol:
    """How a run is started and read: a cue, `equilibrate` sweeps unread, `measure` sweeps read every `every` of them.

    replicas = 2 runs two chains on the same disorder and reads their Edwards-Anderson overlap q. A cue counts as
    retrieved while the cued pattern is the best one and M >= success_overlap · n on its n non-blank sites.
    series = True keeps the time series of overlap and energy in a store.
    """

    cue_overlap: float
    equilibrate: int
    measure: int
    every: int = 1
    replicas: int = 1
    success_overlap: float = 0.9
    series: bool = False

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
            ("replicas", 1, 2),
        ):
            object.__setattr__(self, name, whole(name, getattr(self, name), least, most))
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

    overlap, best_overlap, energy float64[R, T] and retrieved bool[R, T] are series; similarity float64[T] is the
    Edwards-Anderson q, empty for one replica; cue_overlap float64[R] is the realised start M/n on the cued pattern
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
        sizes, temperature = (run.network.neurons, run.network.patterns), run.dynamics.temperature
        start = stream(run.seed, run.sample, Purpose.INITIAL, *sizes, self.replica)
        self.state = states.cue(self.quenched, CUED, run.protocol.cue_overlap, start)
        self.size = int(np.count_nonzero(self.quenched.patterns[:, CUED]))
        self.cue_overlap = float(self.state.overlaps[CUED] / max(self.size, 1))
        self.keys = keys(run.seed, run.sample, *sizes, temperature=temperature, replica=self.replica)

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
                observables.retrieved(seen, CUED, protocol.success_overlap * self.size),
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
    readings = run.protocol.readings
    at_once = max(1, TRACE_BYTES // (run.network.neurons + 4 * run.network.patterns))
    return [min(at_once, readings - start) for start in range(0, readings, at_once)]
