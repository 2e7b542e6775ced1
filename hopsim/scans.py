"""Scans: a grid of points, each simulated on several disorder samples; `run` computes what is missing."""

import itertools
import math
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path

from . import executors, provenance
from .checkpoints import Checkpoint
from .errors import Refused, Stopped
from .executors import SchedulerLost, WorkerDied, Workers
from .interruption import uninterrupted
from .points import AnyPoint, AnyRun, Together
from .store import Outcome, Writer

Batch = list[AnyRun]  # of one disorder sample
Task = list[Batch]  # what a worker is given at a time
SECONDS_BETWEEN_WRITES = 2.0
SECONDS_OF_A_TASK = 1.0
MOST_BATCHES = 4096  # of a task
DEATHS = 3  # of workers on the same run, after which it counts as failed
_BYTES_PER_RUN = 3 * 1024  # in the file, in the new one that replaces it, and in the journal


@dataclass(frozen=True)
class Scan:
    """Points and how many disorder samples each gets; `text` is the scan file it was read from.

    shard = (I, N) is part I of N, 1 <= I <= N: every N-th disorder sample of a network, so that parts need about equal
    times and share no run.
    """

    name: str
    text: str
    points: tuple[AnyPoint, ...]
    samples: int
    shard: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        part, parts = self.shard
        if not 1 <= part <= parts:
            raise Refused(f"shard I/N needs 1 <= I <= N, got {part}/{parts}")

    @property
    def size(self) -> int:
        """Number of runs."""
        part, parts = self.shard
        alike = self._alike()
        return sum(len(points) * len(range((part - 1 - first) % parts, self.samples, parts)) for first, points in alike)

    def keys(self) -> set[str]:
        """Keys of all its runs."""
        return {provenance.key(run) for batch in self.batches(set()) for run in batch}

    def batches(self, completed: set[str]) -> Iterator[Batch]:
        """Missing runs, those with the same disorder together; every point gets its first sample before any its second,
        so that a scan cut short is a whole scan with larger errors."""
        for sample, points in self._disorders():
            runs = [point.run(sample) for point in points]
            missing = [run for run in runs if provenance.key(run) not in completed]
            if missing:
                yield missing

    def _disorders(self) -> Iterator[tuple[int, list[AnyPoint]]]:
        """Samples and the points that share the disorder of each, those of this shard."""
        part, parts = self.shard
        alike = self._alike()
        for sample in range(self.samples):
            yield from ((sample, points) for first, points in alike if (sample + first) % parts == part - 1)

    def _alike(self) -> list[tuple[int, list[AnyPoint]]]:
        """Points that share their disorder, network by network, and the part to which the first sample belongs.

        That is a hash of network and seed, so that a scan with more points has the same parts for the old ones.
        """
        alike: dict[tuple[object, int], list[AnyPoint]] = {}
        for point in self.points:
            alike.setdefault((point.network, point.seed), []).append(point)
        parts = self.shard[1]
        firsts = (provenance.number_of(network, seed) % parts if parts > 1 else 0 for network, seed in alike)
        return list(zip(firsts, alike.values(), strict=True))


@dataclass(frozen=True)
class Summary:
    """What a call of `run` did: runs finished before, finished now, and failed now."""

    before: int
    finished: int
    failures: tuple[Outcome, ...]


@dataclass(frozen=True)
class Checkpoints:
    """Where long runs keep how far they are, and after how many seconds again; a kill loses no more of them."""

    folder: Path
    seconds: float = 60.0

    def of(self, runs: Sequence[AnyRun]) -> Checkpoint:
        """The file of runs that are simulated together."""
        return Checkpoint(self.folder, tuple(map(provenance.key, runs)), self.seconds)


@dataclass(frozen=True)
class Done:
    """What a worker did: outcomes, some missing where it was asked to stop, processor time and duration in seconds, and
    the checkpoints that are of no use once the outcomes are stored."""

    outcomes: list[Outcome]
    cpu_seconds: float
    seconds: float
    checkpoints: list[Checkpoint]


def check_room(scan: Scan, path: Path, workers: int) -> None:
    """Refuse a scan that overflows the arithmetic or does not fit in memory or on disk, before anything runs."""
    largest = max(scan.points, key=lambda point: point.memory)
    needed, memory = workers * largest.memory, _installed_memory()
    if needed > memory:
        raise Refused(
            f"neurons = {largest.network.neurons} with {largest.network.patterns} patterns needs {_size(needed)} "
            f"for {workers} workers, this machine has {_size(memory)}; lower neurons, load, measure or --workers"
        )
    for point in {point.network: point for point in scan.points}.values():
        point.check_range()
    room, folder = scan.size * (_BYTES_PER_RUN + scan.points[0].series_bytes), path.absolute().parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if room > free:
        raise Refused(
            f"{scan.size} runs need {_size(room)} in {path}, the disk has {_size(free)} free; "
            "lower samples or the grid, or use another --out"
        )


def run(
    scan: Scan,
    store: Writer,
    executor: Workers,
    progress: Callable[[int, int], object] = lambda runs, updates: None,
    checkpoints: Checkpoints | None = None,
    grow: Callable[[Scan], Scan] = lambda scan: scan,
) -> Summary:
    """Compute the runs that the store does not have and append them; a failing run is recorded and the rest goes on.

    When all has been written, `grow` is asked for the scan that follows, until it gives the same scan again.

    The results do not depend on the executor. `progress` is told first how many runs were there before, then how many
    have just ended and with how many offered flips. On KeyboardInterrupt workers are asked to stop, and what has
    finished is written before it is raised again. A run on which workers died three times counts as failed. Raises
    executors.SchedulerLost where nothing more can be computed, and StoreFailed where nothing more can be written.
    """
    completed = store.completed()
    before = len(scan.keys() & completed) if completed else 0
    progress(before, 0)
    work = _Work(scan.batches(completed), executor, checkpoints)
    finished, failures, unwritten = 0, list[Outcome](), list[Done]()
    written = time.monotonic()
    try:
        while True:
            for done in work.done():
                unwritten.append(done)
                finished += sum(o.columns is not None for o in done.outcomes)
                failures += [o for o in done.outcomes if o.columns is None]
                if time.monotonic() - written > SECONDS_BETWEEN_WRITES:
                    batch, unwritten = unwritten, []
                    _write(store, batch)
                    written = time.monotonic()
                progress(len(done.outcomes), sum(o.run.updates for o in done.outcomes))
            batch, unwritten = unwritten, []
            _write(store, batch)
            if (further := grow(scan)) == scan:
                break
            scan = further
            work.add(scan.batches(store.completed()))
        if checkpoints and before + finished == scan.size:
            shutil.rmtree(checkpoints.folder, ignore_errors=True)
    except KeyboardInterrupt:
        executor.stop()
        raise
    finally:
        _write(store, unwritten + work.end())
    return Summary(before, finished, tuple(failures))


def _write(store: Writer, done: Sequence[Done]) -> None:
    """Store outcomes; a signal to stop waits until they are."""
    with uninterrupted():
        store.cpu_seconds += sum(each.cpu_seconds for each in done)
        if outcomes := [outcome for each in done for outcome in each.outcomes]:
            store.append(outcomes)
        for each in done:
            for checkpoint in each.checkpoints:
                checkpoint.remove()


class _Work:
    """What an executor is given: as many batches at a time as take a second, and those again on which a worker died."""

    def __init__(self, batches: Iterator[Batch], executor: Workers, checkpoints: Checkpoints | None) -> None:
        self._batches, self._executor, self._checkpoints = batches, executor, checkpoints
        self._again, self._size, self._deaths = list[Task](), 1, Counter[str]()
        self._under_way: dict[Future[Done], Task] = {}

    def done(self) -> Iterator[Done]:
        """What the workers did, as it comes; nothing every two seconds in which none ended."""
        while True:
            while self._room() and (task := self._next()):
                self._under_way[self._executor.submit(_simulate, task, self._checkpoints)] = task
            if not self._under_way:
                return
            ended = wait(self._under_way, SECONDS_BETWEEN_WRITES, FIRST_COMPLETED).done
            if not ended:
                yield _NOTHING  # time to write and to tell, however long the next task takes
            for future in ended:
                yield self._ended(future, self._under_way.pop(future))

    def add(self, batches: Iterator[Batch]) -> None:
        """More to do, when all else is done."""
        self._batches = batches

    def end(self) -> list[Done]:
        """Wait for the tasks that run, drop those that do not, and return what has been done."""
        self._executor.shutdown(wait=True, cancel_futures=True)
        return [f.result() for f in self._under_way if not f.cancelled() and f.exception() is None]

    def _room(self) -> bool:
        """Every worker has one task and one that waits; what has ended comes first."""
        return len(self._under_way) < 2 * self._executor.capacity and not any(f.done() for f in self._under_way)

    def _next(self) -> Task:
        return self._again.pop() if self._again else list(itertools.islice(self._batches, self._size))

    def _ended(self, future: Future[Done], task: Task) -> Done:
        error = future.exception()
        if error is None:
            done = future.result()
            wanted = round(len(task) * SECONDS_OF_A_TASK / max(done.seconds, 1e-6))
            self._size = max(1, min(wanted, 2 * self._size, MOST_BATCHES))
            return done
        if isinstance(error, SchedulerLost):
            raise error
        if isinstance(error, WorkerDied):
            return self._died(task, error.deaths)
        return _failed([run for batch in task for run in batch], _message(error))

    def _died(self, task: Task, deaths: int) -> Done:
        """The parts of the task are tried by themselves; a run that was too often alone when a worker died failed."""
        runs = [run for batch in task for run in batch]
        if len(runs) > 1:
            self._again += [[batch] for batch in task] if len(task) > 1 else [[[run]] for run in runs]
            return _failed([], "")
        key = provenance.key(runs[0])
        self._deaths[key] += deaths
        if self._deaths[key] < DEATHS:
            self._again.append(task)
            return _failed([], "")
        return _failed(runs, f"the worker process died {self._deaths[key]} times; memory may be short")


def _failed(runs: Sequence[AnyRun], message: str) -> Done:
    """Done, with a message for each run."""
    return Done([Outcome(run, None, message) for run in runs], 0.0, 0.0, [])


_NOTHING = _failed([], "")


def _simulate(task: Task, checkpoints: Checkpoints | None) -> Done:
    started, cpu = time.perf_counter(), time.thread_time()
    outcomes, used = list[Outcome](), list[Checkpoint]()
    for batch in itertools.takewhile(lambda _: not executors.stopping(), task):
        for part in _together(batch, outcomes):
            checkpoint = checkpoints.of(part.runs) if checkpoints else None
            found = _simulate_part(part, checkpoint)
            outcomes += found
            used += [checkpoint] if checkpoint and found else []
    return Done(outcomes, time.thread_time() - cpu, time.perf_counter() - started, used)


def _together(batch: Batch, outcomes: list[Outcome]) -> Sequence[Together]:
    """The parts of a batch that are simulated together; where its disorder cannot be drawn its runs all failed."""
    try:
        return type(batch[0]).together(batch)
    except Exception as error:
        outcomes += [Outcome(run, None, _message(error)) for run in batch]
        return []


def _simulate_part(part: Together, checkpoint: Checkpoint | None) -> list[Outcome]:
    try:
        found = part.columns(checkpoint, executors.stopping)
        return [Outcome(run, columns) for run, columns in zip(part.runs, found, strict=True)]
    except Stopped:
        return []
    except Exception as error:
        return [Outcome(run, None, _message(error)) for run in part.runs]


def _message(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _installed_memory() -> float:
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError):  # not a POSIX system: nothing to check against
        return math.inf


def _size(number: float) -> str:
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.1f} MiB"
