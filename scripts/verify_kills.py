"""Kill scans at random moments and in the middle of writes, continue them, and compare with an unbroken run.

    python scripts/verify_kills.py                          250 kills, about 30 minutes on 2 cores
    python scripts/verify_kills.py --kills 10 --dask 0      what the tests run

A scan with worker processes (or Dask workers) is killed by SIGKILL: at a random moment of its life, or, for every fifth
kill, by itself inside a write: when half of a block of the journal is on the disk, when the new file is written but
not yet in place, or when it is in place and the journal not yet removed. Then the same command is given again, until
the scan is complete. The result columns must then be those of an unbroken serial run, byte for byte; every kill must
leave a file that opens and still has the runs that were there before. Runs computed more than once are counted by what
the workers did.
"""

import argparse
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from hopsim import hdf5, journal, scan_file, scans, simulation
from hopsim.store import Store

SCAN = """
[network]
kind = "hopfield"
neurons = [200, 300]
load = [0.02, 0.05, 0.1, 0.14]
[dynamics]
rule = "glauber"
temperature = [0.2, 0.4]
[protocol]
cue_overlap = 1.0
equilibrate = 100
measure = 1500
every = 5
[scan]
samples = 12
seed = 3
"""
LOG, INSIDE = "HOPSIM_KILLS_LOG", "HOPSIM_KILLS_INSIDE"
PLACES = ("journal", "before", "after")
EARLY, LONGEST = (
    0.2,
    2.5,
)  # the part of kills before anything is written; the seconds after the first write of the others


def counted(simulate: Any) -> Any:
    """Simulation that leaves one byte for every run in the log."""

    def simulate_and_tell(runs: Any, *more: Any) -> Any:
        found = simulate(runs, *more)
        with Path(os.environ[LOG]).open("ab") as log:
            log.write(b"." * len(runs))
        return found

    return simulate_and_tell


def die() -> NoReturn:
    """What no handler sees."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def die_inside(place: str, call: int) -> None:
    """Make the call-th write of the given kind the last thing that this process does."""
    calls = itertools.count(1)
    append, replace = journal.Journal.append, os.replace

    def half_append(written: journal.Journal, records: Any) -> None:
        if next(calls) < call:
            return append(written, records)
        before = written.path.stat().st_size
        append(written, records)
        os.truncate(written.path, (before + written.path.stat().st_size) // 2)
        die()

    def interrupted_replace(old: Any, new: Any) -> None:
        if next(calls) < call:
            return replace(old, new)
        if place == "after":
            replace(old, new)
        die()

    if place == "journal":
        journal.Journal.append = half_append  # type: ignore[method-assign, assignment]
    else:
        hdf5.os.replace = interrupted_replace  # type: ignore[attr-defined]


if LOG in os.environ:  # also in the worker processes, which import this file again
    simulation.simulate_together = counted(simulation.simulate_together)
    scans.SECONDS_BETWEEN_WRITES = 0.3


def child(arguments: list[str]) -> int:
    """`hopsim` with the changes above."""
    from hopsim.cli import main as hopsim

    if INSIDE in os.environ:
        place, call = os.environ[INSIDE].split()
        die_inside(place, int(call))
    return hopsim(arguments)


class Trial:
    """One result file: killed and continued until it is complete."""

    def __init__(self, folder: Path, executor: str, dice: random.Random) -> None:
        self.path, self.log, self.executor, self.dice = folder / "killed.h5", folder / "log", executor, dice
        self.stored, self.kills, self.inside = 0, 0, 0
        for old in folder.glob("killed.h5*"):
            old.unlink()
        self.log.write_bytes(b"")

    def start(self, inside: str) -> "subprocess.Popen[bytes]":
        """Give the command."""
        environment = os.environ | {LOG: str(self.log)} | ({INSIDE: inside} if inside else {})
        command = [sys.executable, __file__, "--child", "run", "scan.toml", "--out", self.path.name]
        command += ["--executor", self.executor, "--workers", "2"]
        return subprocess.Popen(command, cwd=self.path.parent, env=environment, stdout=subprocess.DEVNULL)

    def kill(self, inside: bool) -> bool:
        """One life; whether it ended by a kill. The file must open and have lost nothing."""
        place = self.dice.choice(PLACES)
        call = self.dice.randint(1, 3) if place == "journal" else self.dice.randint(1, 2)
        process = self.start(f"{place} {call}" if inside else "")
        if not inside:
            self.wait(process)
            process.kill()
        killed = process.wait() == -signal.SIGKILL
        self.kills += killed
        self.inside += killed and inside
        self.check()
        return killed

    def wait(self, process: "subprocess.Popen[bytes]") -> None:
        """Some seconds of a life."""
        early = self.dice.random() < EARLY
        journal = self.path.with_name(f"{self.path.name}.journal")
        while not early and process.poll() is None and not journal.exists():
            time.sleep(0.02)
        with suppress(subprocess.TimeoutExpired):
            process.wait(self.dice.uniform(0.0, LONGEST))

    def check(self) -> None:
        """The file opens, with at least what was there before."""
        if self.path.exists():
            completed = len(Store.open(self.path).completed())
            assert completed >= self.stored, f"{completed} runs of {self.stored} are left"
            self.stored = completed

    def finish(self) -> None:
        """Continue without a kill."""
        assert self.start("").wait() == 0
        self.check()

    @property
    def computed(self) -> int:
        """Runs that workers computed, in all lives."""
        return self.log.stat().st_size


def columns(path: Path) -> dict[str, bytes]:
    """All result columns and the points that they refer to, as bytes."""
    store = Store.open(path)
    found = {name: column.tobytes() for name, column in store.columns().items()}
    return found | {"points": repr(store.points()).encode()}


def main() -> int:
    """Kill, continue, compare, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="of scans with processes")
    parser.add_argument("--dask", type=int, default=50, help="kills of scans with Dask")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("verification/kills"))
    parser.add_argument("--out", type=Path, help="write the table there too")
    chosen = parser.parse_args()
    folder, dice = chosen.folder.absolute(), random.Random(chosen.seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scan.toml").write_text(SCAN)
    (folder / "log").write_bytes(b"")
    (folder / "whole.h5").unlink(missing_ok=True)
    size = scan_file.parse(SCAN, name="scan", folder=folder).size
    command = [sys.executable, __file__, "--child", "run", "scan.toml", "--out", "whole.h5", "--executor", "serial"]
    subprocess.run(
        command, cwd=folder, env=os.environ | {LOG: str(folder / "log")}, check=True, stdout=subprocess.DEVNULL
    )
    expected = columns(folder / "whole.h5")

    lines = [
        "| executor | kills | inside a write | scans completed | runs | computed again | a kill |",
        "| --- " * 7 + "|",
    ]
    for executor, wanted in (("processes", chosen.kills), ("dask", chosen.dask)):
        kills = inside = trials = again = 0
        began = time.monotonic()
        while kills < wanted:
            trial = Trial(folder, executor, dice)
            while kills + trial.kills < wanted and trial.kill((kills + trial.kills) % 5 == 4):
                pass
            trial.finish()
            assert columns(trial.path) == expected, "the columns differ from those of the unbroken run"
            kills, inside, trials = kills + trial.kills, inside + trial.inside, trials + 1
            again += trial.computed - size
            print(
                f"{executor}: {kills} of {wanted} kills, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True
            )
        if wanted:
            lines.append(
                f"| {executor} | {kills} | {inside} | {trials} | {trials * size} | {again} | {again / kills:.1f} |"
            )
    table = "\n".join(lines)
    print(table)
    if chosen.out:
        chosen.out.write_text(
            f"{table}\n\nMade on {datetime.now(UTC):%Y-%m-%d}, seed {chosen.seed}.\n", encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(child(sys.argv[2:]) if sys.argv[1:2] == ["--child"] else main())
