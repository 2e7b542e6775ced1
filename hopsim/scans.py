"""Scans: a grid of points, each simulated on several disorder samples; `run` computes what is missing."""

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from os import sysconf
from pathlib import Path
from typing import Any

from . import provenance
from .errors import Refused
from .interactions import Polynomial
from .levels import check_range
from .networks import Network
from .simulation import Point, Run, simulate
from .store import Outcome, Store

Batch = list[Run]
_IN_FLIGHT = 16
_SECONDS_BETWEEN_WRITES = 2.0
_BYTES_PER_RUN = 1024


@dataclass(frozen=True)
class Scan:
    """Points and how many disorder samples each gets; `text` is the scan file it was read from."""

    name: str
    text: str
    points: tuple[Point, ...]
    samples: int
    series: bool = False

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
    for network in {point.network for point in scan.points}:
        if isinstance(network.law.interaction, Polynomial):
            check_range(network.law.interaction, network.neurons, network.patterns)
    largest = max((point.network for point in scan.points), key=lambda network: network.memory)
    needed, memory = workers * largest.memory, sysconf("SC_PAGE_SIZE") * sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise Refused(
            f"neurons = {largest.neurons} with {largest.patterns} patterns needs {needed / 2**30:.1f} GiB "
            f"for {workers} workers, this machine has {memory / 2**30:.1f}; lower neurons, load or --workers"
        )
    room, free = scan.size * _bytes_per_run(scan), shutil.disk_usage(path.absolute().parent).free
    if room > free:
        raise Refused(
            f"{scan.size} runs need {room / 2**30:.1f} GiB in {path}, the disk has {free / 2**30:.1f} free; "
            "lower samples or the grid, or use another --out"
        )


def run(scan: Scan, store: Store, executor: Executor, progress: Callable[[int], object] = lambda runs: None) -> Summary:
    """Compute the runs that the store does not have and append them; a failing run is recorded and the rest goes on.

    The results do not depend on the executor. `progress` is told how many runs have just ended. On KeyboardInterrupt
    what has finished is written before it is raised again.
    """
    completed = store.completed()
    under_way: dict[Future[list[Outcome]], Batch] = {}
    finished, failures, unwritten = 0, list[Outcome](), list[Outcome]()
    written = time.monotonic()
    try:
        for outcomes in _computed(scan, completed, executor, under_way):
            unwritten += outcomes
            finished += sum(o.columns is not None for o in outcomes)
            failures += [o for o in outcomes if o.columns is None]
            if time.monotonic() - written > _SECONDS_BETWEEN_WRITES:
                store.append(unwritten)
                unwritten, written = [], time.monotonic()
            progress(len(outcomes))
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        ended = [(future, batch) for future, batch in under_way.items() if not future.cancelled()]
        unwritten += [outcome for future, batch in ended for outcome in _outcomes(future, batch)]
        if unwritten:
            store.append(unwritten)
    return Summary(len(scan.keys() & completed), finished, tuple(failures))


def _computed(
    scan: Scan, completed: set[str], executor: Executor, under_way: dict[Future[list[Outcome]], Batch]
) -> Iterator[list[Outcome]]:
    """Outcomes of the missing batches as they come; a bounded number is under way."""
    for batch in scan.batches(completed):
        under_way[executor.submit(_simulate_batch, batch, scan.series)] = batch
        yield from _ended(under_way, patience=None if len(under_way) >= _IN_FLIGHT else 0.0)
    while under_way:
        yield from _ended(under_way, patience=None)


def _ended(under_way: dict[Future[list[Outcome]], Batch], patience: float | None) -> Iterator[list[Outcome]]:
    for future in wait(under_way, timeout=patience, return_when=FIRST_COMPLETED).done:
        yield _outcomes(future, under_way.pop(future))


def _outcomes(future: Future[list[Outcome]], batch: Batch) -> list[Outcome]:
    error = future.exception()
    return future.result() if error is None else [Outcome(run, None, _message(error)) for run in batch]


def _simulate_batch(batch: Batch, series: bool) -> list[Outcome]:
    quenched = batch[0].quench()
    outcomes = []
    for one in batch:
        try:
            record = simulate(one, quenched)
            columns: dict[str, Any] = dict(record.summary())
            if series:
                columns |= {"overlap_series": record.overlap, "energy_series": record.energy}
            outcomes.append(Outcome(one, columns))
        except Exception as error:
            outcomes.append(Outcome(one, None, _message(error)))
    return outcomes


def _message(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _bytes_per_run(scan: Scan) -> int:
    protocol = scan.points[0].protocol
    series = 16 * protocol.replicas * (protocol.measure // protocol.every) if scan.series else 0
    return _BYTES_PER_RUN + series
