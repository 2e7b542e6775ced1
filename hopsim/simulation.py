"""One disorder sample from start to end: `simulate(run) -> Record`, pure and picklable."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from . import observables, states
from .checkpoints import Checkpoint
from .dynamics import Chains, Dynamics
from .errors import Refused, Stopped, real, whole
from .interactions import Polynomial
from .levels import check_range
from .networks import Network, Quenched
from .points import AnyPoint, AnyRun, Together
from .readings import CUED, Readings
from .representations import in_lanes
from .rng import Keys, Purpose, keys, stream
from .statistics import autocorrelation_time, blocking

TRACE_BYTES = 2**24
SLICE = 1.0  # seconds between two looks at the clock
FIRST_SLICE, FASTER = 2**24, 16  # pattern entries of the first slice, some ms; how much longer the next one may be
READING_BYTES = 64
MOST_REPLICAS = 1024
LATER = {"later": True}  # a field added later: at its default it is left out of the keys, which stay as they were
STARTS = ("pattern", "hierarchical", "random")


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
class Point(AnyPoint):
    """All that decides the numbers but the disorder sample."""

    network: Network
    dynamics: Dynamics
    protocol: Protocol
    seed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", whole("seed", self.seed, 0, 2**63 - 1))
        self.dynamics.check(self.network.law)

    def run(self, sample: int) -> "Run":
        """One disorder sample of it."""
        return Run(self.network, self.dynamics, self.protocol, self.seed, sample)

    @property
    def parameters(self) -> dict[str, Any]:
        """Flat columns: numbers and texts."""
        interaction, ensemble = self.network.law.interaction, self.network.law.ensemble
        protocol = self.protocol
        return {
            "interaction": type(interaction).__name__,
            "degree": getattr(interaction, "degree", 0),
            "indices": getattr(interaction, "indices", ""),
            "sharpness": float(getattr(interaction, "sharpness", np.nan)),
            "ensemble": type(ensemble).__name__,
            "dilution": float(getattr(ensemble, "dilution", 0.0)),
            "bias": float(getattr(ensemble, "bias", 0.0)),
            "learning": getattr(ensemble, "learning", ""),
            "quality": float(getattr(ensemble, "quality", np.nan)),
            "examples": float(getattr(ensemble, "examples", np.nan)),
            "neurons": self.network.neurons,
            "patterns": self.network.patterns,
            "load": self.network.load,
            "rule": type(self.dynamics).__name__,
            "order": self.dynamics.order,
            "temperature": float(self.dynamics.temperature),
            "start": protocol.start,
            "start_overlap": float(protocol.cue_overlap),
            "equilibrate": protocol.equilibrate,
            "measure": protocol.measure,
            "every": protocol.every,
            "replicas": protocol.replicas,
            "success_overlap": float(protocol.success_overlap),
            "seed": self.seed,
        }

    @property
    def memory(self) -> int:
        """Bytes of one run: the network, its trace and its readings."""
        return self.network.memory + TRACE_BYTES + READING_BYTES * self.protocol.replicas * self.protocol.readings

    @property
    def updates(self) -> int:
        """Offered flips of one run."""
        sweeps = self.protocol.equilibrate + self.protocol.readings * self.protocol.every
        return self.network.neurons * self.protocol.replicas * sweeps

    @property
    def series_bytes(self) -> int:
        """Bytes of the time series of one run in a store."""
        return READING_BYTES * self.protocol.replicas * self.protocol.readings if self.protocol.series else 0

    @property
    def order(self) -> tuple[str, int, int, float]:
        """By law, size, load and temperature."""
        network = self.network
        return repr(network.law), network.neurons, network.patterns, self.dynamics.temperature

    def check_range(self) -> None:
        """Refuse a sum of energies that could leave 64 bits."""
        interaction = self.network.law.interaction
        if isinstance(interaction, Polynomial):
            check_range(interaction, self.network.neurons, self.network.columns)

    def __str__(self) -> str:
        p = self.parameters
        name = f"{p['interaction']} {p['degree'] or ''} {p['indices']}".strip()
        return f"{name}, N = {p['neurons']}, K = {p['patterns']}, T = {p['temperature']:g}"


@dataclass(frozen=True)
class Run(Point, AnyRun):
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

    @classmethod
    def together(cls, batch: "Sequence[Run]") -> "list[Chained]":
        """Runs of one disorder sample, those in one part that are simulated faster together."""
        quenched = batch[0].quench()
        return [Chained(runs, quenched) for runs in groups(batch, quenched)]


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


@dataclass(frozen=True, eq=False)
class Chained(Together):
    """Runs on one draw of the disorder, their chains moving together."""

    runs: "Sequence[Run]"
    quenched: Quenched

    def columns(self, checkpoint: Checkpoint | None, stopping: Callable[[], bool]) -> list[dict[str, Any]]:
        """The averages of each run, with its series if the protocol asks for them."""
        records = simulate_together(self.runs, self.quenched, checkpoint, stopping)
        series = self.runs[0].protocol.series
        return [
            record.summary() | ({"overlap_series": record.overlap, "energy_series": record.energy} if series else {})
            for record in records
        ]


class _Way:
    """Some runs on their way: the chains of their replicas, run after run, the sweeps done and what was read."""

    def __init__(self, runs: Sequence[Run], quenched: Quenched, saved: dict[str, NDArray[Any]] | None) -> None:
        self.run, self.quenched, self.protocol = runs[0], quenched, runs[0].protocol
        protocol, replicas = self.protocol, range(self.protocol.replicas)
        shape = (len(runs), protocol.replicas, protocol.readings)
        self.readings = Readings(quenched, shape, protocol.success_overlap, protocol.overlaps)
        self.last = protocol.equilibrate + protocol.readings * protocol.every
        state = self._start(len(runs)) if saved is None else self._resume(saved)
        rules = [run.dynamics for run in runs for _ in replicas]
        self.chains = Chains(rules, state, quenched, [_keys(run, replica) for run in runs for replica in replicas])
        self.pace = max(1, FIRST_SLICE // (len(rules) * self.run.network.neurons * self.run.network.columns))

    def _start(self, runs: int) -> states.State:
        starts = [self._start_of(replica) for replica in range(self.protocol.replicas)] * runs
        start = states.State(np.array([s.spins for s in starts]), np.array([s.overlaps for s in starts]))
        size = int(np.count_nonzero(self.quenched.patterns[:, CUED]))
        self.cue_overlaps = observables.on_patterns(start, self.quenched).overlaps[:, CUED] / max(size, 1)
        self.sweep, self.flips = 0, np.zeros(len(starts), dtype=np.int64)
        return start

    def _start_of(self, replica: int) -> states.State:
        run, (neurons, patterns) = self.run, self.quenched.patterns.shape
        start = stream(run.seed, run.sample, Purpose.INITIAL, neurons, patterns, replica)
        if self.protocol.start == "random":
            return states.random(self.quenched, start)
        if self.protocol.start == "hierarchical":
            return states.hierarchical(self.quenched, self.protocol.cue_overlap, start)
        return states.cue(self.quenched, CUED, self.protocol.cue_overlap, start)

    def _resume(self, saved: dict[str, NDArray[Any]]) -> states.State:
        self.sweep, self.flips, self.cue_overlaps = int(saved["sweep"]), saved["flips"], saved["cue_overlaps"]
        self.readings.resume(saved)
        up = np.unpackbits(saved["up"], axis=1, count=self.run.network.neurons).astype(np.int8)
        return states.of_spins(self.quenched, 2 * up - 1)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is needed to go on from here; the random numbers need the sweep only."""
        own = {"sweep": np.array(self.sweep), "flips": self.flips, "cue_overlaps": self.cue_overlaps, "up": self.up}
        return own | self.readings.state()

    def advance(self) -> None:
        """Go on for a slice of about SLICE seconds, by the pace of the slice before."""
        began = time.monotonic()
        sweeps, every = self._slice()
        traces = self.chains.advance(self.sweep, sweeps, every)
        self.sweep += sweeps
        self.flips += [trace.flips for trace in traces]
        self.up = np.packbits([trace.states.spins[-1] > 0 for trace in traces], axis=1)
        if self.sweep > self.protocol.equilibrate and not self._unread():
            self.readings.add([trace.states for trace in traces])
        took = max(time.monotonic() - began, 1e-6)
        self.pace = max(1, min(int(sweeps * SLICE / took), FASTER * self.pace))

    def _slice(self) -> tuple[int, int]:
        """Sweeps to do, and how many of them make a row of the trace; the last row is where the chains are then."""
        protocol, network = self.protocol, self.run.network
        if self.sweep < protocol.equilibrate:
            sweeps = min(self.pace, protocol.equilibrate - self.sweep)
            return sweeps, sweeps
        if self._unread() or self.pace < protocol.every:
            sweeps = min(self.pace, protocol.every - self._unread())
            return sweeps, sweeps
        row = self.flips.size * (network.neurons + 4 * network.columns)
        left = protocol.readings - self.readings.taken
        rows = min(self.pace // protocol.every, left, max(1, TRACE_BYTES // row))
        return rows * protocol.every, protocol.every

    def _unread(self) -> int:
        """Sweeps since the last reading."""
        return (self.sweep - self.protocol.equilibrate) % self.protocol.every


def simulate(run: Run, quenched: Quenched | None = None) -> Record:
    """Run the protocol on one disorder sample; `quenched`, if given, must be run.quench(), shared between runs.

    At load 0 the overlap is m = tanh(m/T), 0.9575 at T = 1/2:

    >>> network = hs.hopfield(neurons=20_000, patterns=1)
    >>> run = hs.Run(network, hs.Glauber(temperature=0.5), hs.Protocol(1.0, 20, 50), seed=1, sample=0)
    >>> round(float(hs.simulate(run).overlap.mean()), 2)
    0.96
    """
    return simulate_together([run], quenched)[0]


def simulate_together(
    runs: Sequence[Run],
    quenched: Quenched | None = None,
    checkpoint: Checkpoint | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> list[Record]:
    """`simulate` each of some runs that differ in temperature only, all their chains moving together.

    They go on from the checkpoint if it has them, to the same numbers as in one piece, and write to it: killed at any
    moment, they have lost at most checkpoint.seconds of work, the slice under way (about SLICE seconds; one sweep, if
    that takes longer) and the time to write the file; the disorder is drawn again. The file stays until
    checkpoint.remove(), which belongs after the records are stored. `stopping` is asked after every slice: if it says
    so the runs are saved and Stopped is raised.
    """
    first = runs[0]
    if not all(_alike(run, first) for run in runs):
        raise Refused("runs simulated together must share all but their temperature")
    saved = time.monotonic()
    way = _Way(runs, quenched if quenched is not None else first.quench(), checkpoint.load() if checkpoint else None)
    while way.sweep < way.last:
        way.advance()
        stopped = way.sweep < way.last and stopping()
        if checkpoint and (stopped or time.monotonic() - saved >= checkpoint.seconds):
            checkpoint.save(way.state())
            saved = time.monotonic()
        if stopped:
            raise Stopped(f"stopped at sweep {way.sweep} of {way.last}")
    replicas, offered = first.protocol.replicas, first.network.neurons * way.last
    cues, taken = way.cue_overlaps.reshape(-1, replicas), way.flips.reshape(-1, replicas) / offered
    return [Record(cue_overlap=cues[k], acceptance=taken[k], **way.readings.of(k)) for k in range(len(runs))]


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


def _keys(run: Run, replica: int) -> Keys:
    sizes = (run.network.neurons, run.network.patterns)
    return keys(run.seed, run.sample, *sizes, temperature=run.dynamics.temperature, replica=replica)
