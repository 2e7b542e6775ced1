"""Scans: a grid of points, each simulated on several disorder samples; `run` computes what is missing."""

import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import provenance
from .errors import Refused
from .interactions import Polynomial
from .levels import check_range
from .networks import Network, Quenched
from .simulation import TRACE_BYTES, Point, Record, Run, groups, simulate_together
from .store import Outcome, Store

Batch = list[Run]
_SECONDS_BETWEEN_WRITES = 2.0
_BYTES_PER_RUN = 1024
_BYTES_PER_READING = 64


@dataclass(frozen=True)
class Scan:
    """Points and how many disorder samples each gets; `text` is the scan file it was read from."""

    name: str
    text: str
    points: tuple[Point, ...]
    samples: int

    @property
    def size(self) -> int:
        """Number of runs."""
        return len(self.points) * self.samples

    def keys(self) -> set[str]:
        """Keys of all its runs."""
        return {provenance.key(run) for batch in self.batches(set()) for run in batch}

    def batches(self, completed: set[str]) -> Iterator[Batch]:
        """Missing runs, those with the same disorder together; every point gets its first sample before any its second,
        so that a scan cut short is a whole scan with larger errors."""
        groups: dict[tuple[Network, int], list[Point]] = {}
        for point in self.points:
            groups.setdefault((point.network, point.seed), []).append(point)
        for sample in range(self.samples):
            for points in groups.values():
                runs = [Run(p.network, p.dynamics, p.protocol, p.seed, sample) for p in points]
                missing = [run for run in runs if provenance.key(run) not in completed]
                if missing:
                    yield missing


@dataclass(frozen=True)
class Summary:
    """What a call of `run` did: runs finished before, finished now, and failed now."""

    before: int
    finished: int
    failures: tuple[Outcome, ...]


def check_room(scan: Scan, path: Path, workers: int) -> None:
    """Refuse a scan that overflows the arithmetic or does not fit in memory or on disk, before anything runs."""
    largest = max(scan.points, key=_memory)
    needed, memory = workers * _memory(largest), _installed_memory()
    if needed > memory:
        raise Refused(
            f"neurons = {largest.network.neurons} with {largest.network.patterns} patterns needs {_size(needed)} "
            f"for {workers} workers, this machine has {_size(memory)}; lower neurons, load, measure or --workers"
        )
    for network in {point.network for point in scan.points}:
        if isinstance(network.law.interaction, Polynomial):
            check_range(network.law.interaction, network.neurons, network.columns)
    room, folder = scan.size * _bytes_per_run(scan), path.absolute().parent
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
    store: Store,
    executor: Executor,
    progress: Callable[[int], object] = lambda runs: None,
    in_flight: int = 16,
) -> Summary:
    """Compute the runs that the store does not have and append them; a failing run is recorded and the rest goes on.

    The results do not depend on the executor. `progress` is told first how many runs were there before, then how many
    have just ended. `in_flight` batches are given to the executor at a time. On KeyboardInterrupt what has finished is
    written before it is raised again.
    """
    protocol = scan.points[0].protocol
    if protocol.series:
        store.check_series((protocol.replicas, protocol.readings))
    completed = store.completed()
    before = len(scan.keys() & completed) if completed else 0
    progress(before)
    under_way: dict[Future[list[Outcome]], Batch] = {}
    finished, failures, unwritten = 0, list[Outcome](), list[Outcome]()
    written = time.monotonic()
    try:
        for outcomes in _computed(scan.batches(completed), executor, under_way, in_flight):
            unwritten += outcomes
            finished += sum(o.columns is not None for o in outcomes)
            failures += [o for o in outcomes if o.columns is None]
            if time.monotonic() - written > _SECONDS_BETWEEN_WRITES:
                batch, unwritten = unwritten, []  # an interrupt in the middle of a write must not write it twice
                store.append(batch)
                written = time.monotonic()
            progress(len(outcomes))
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        ended = [(future, batch) for future, batch in under_way.items() if not future.cancelled()]
        unwritten += [outcome for future, batch in ended for outcome in _outcomes(future, batch)]
        if unwritten:
            store.append(unwritten)
    return Summary(before, finished, tuple(failures))


def _computed(
    batches: Iterator[Batch], executor: Executor, under_way: dict[Future[list[Outcome]], Batch], in_flight: int
) -> Iterator[list[Outcome]]:
    """Outcomes of the batches as they come; a bounded number is under way."""
    for batch in batches:
        under_way[executor.submit(_simulate_batch, batch)] = batch
        yield from _ended(under_way, patience=None if len(under_way) >= in_flight else 0.0)
    while under_way:
        yield from _ended(under_way, patience=None)


def _ended(under_way: dict[Future[list[Outcome]], Batch], patience: float | None) -> Iterator[list[Outcome]]:
    for future in wait(under_way, timeout=patience, return_when=FIRST_COMPLETED).done:
        yield _outcomes(future, under_way.pop(future))


def _outcomes(future: Future[list[Outcome]], batch: Batch) -> list[Outcome]:
    error = future.exception()
    return future.result() if error is None else [Outcome(run, None, _message(error)) for run in batch]


def _simulate_batch(batch: Batch) -> list[Outcome]:
    quenched = batch[0].quench()
    return [outcome for runs in groups(batch, quenched) for outcome in _simulate_group(runs, quenched)]


def _simulate_group(runs: Batch, quenched: Quenched) -> list[Outcome]:
    try:
        records = simulate_together(runs, quenched)
        return [Outcome(run, _columns(run, record)) for run, record in zip(runs, records, strict=True)]
    except Exception as error:
        return [Outcome(run, None, _message(error)) for run in runs]


def _columns(run: Run, record: Record) -> dict[str, Any]:
    columns: dict[str, Any] = dict(record.summary())
    if run.protocol.series:
        columns |= {"overlap_series": record.overlap, "energy_series": record.energy}
    return columns


def _message(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _bytes_per_run(scan: Scan) -> int:
    protocol = scan.points[0].protocol
    return _BYTES_PER_RUN + (16 * protocol.replicas * protocol.readings if protocol.series else 0)


def _memory(point: Point) -> int:
    """Bytes of one run: the network, its trace and its readings."""
    protocol = point.protocol
    return point.network.memory + TRACE_BYTES + _BYTES_PER_READING * protocol.replicas * protocol.readings


def _installed_memory() -> float:
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError):  # not a POSIX system: nothing to check against
        return math.inf


def _size(number: float) -> str:
    return f"{number / 2**30:.1f} GiB" if number >= 2**30 else f"{number / 2**20:.1f} MiB"
