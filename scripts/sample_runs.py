"""Runs of the slow checks: values of disorder samples, in files that can be continued."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, as_completed
from pathlib import Path
from typing import Any, Protocol, TypeVar

Values = dict[str, Any]


class Runs(Protocol):
    """What can be simulated or enumerated, sample by sample, and kept in a file."""

    @property
    def neurons(self) -> tuple[int, ...]: ...

    @property
    def times(self) -> float:
        """Disorder samples, in units of what the command line asks for."""

    def path(self, folder: Path, seed: int) -> Path: ...

    def values(self, neurons: int, sample: int, seed: int) -> Values: ...


R = TypeVar("R", bound=Runs)


def _batch(case: Runs, neurons: int, samples: Sequence[int], seed: int) -> list[str]:
    return [json.dumps({"neurons": neurons, "sample": s, "values": case.values(neurons, s, seed)}) for s in samples]


def read(case: Runs, folder: Path, seed: int) -> dict[int, dict[int, Values]]:
    """Values by size and sample that the result file has."""
    found: dict[int, dict[int, Values]] = {neurons: {} for neurons in case.neurons}
    path = case.path(folder, seed)
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:  # an interrupted write
            continue
        found[record["neurons"]][record["sample"]] = record["values"]
    return found


def run(
    cases: Sequence[R],
    samples: int,
    seed: int,
    folder: Path,
    executor: Executor,
    progress: Callable[[int], object],
    batch: int = 8,
) -> None:
    """Compute what the result files do not have, all cases' first samples before any's last; progress counts runs."""
    folder.mkdir(parents=True, exist_ok=True)
    there = {case: read(case, folder, seed) for case in cases}
    under_way: dict[Future[list[str]], R] = {}
    for first in range(0, samples, batch):
        for case in cases:
            for neurons in case.neurons:
                block = range(round(first * case.times), round(min(first + batch, samples) * case.times))
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
