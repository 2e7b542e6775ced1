"""What a scan costs beyond its physics: docs/scaling.md has the table.

    python scripts/scaling.py                 about five minutes on 2 quiet cores
    python scripts/scaling.py --points 20000  a rehearsal

Points of trivial work (N = 10 to 209, one sweep): processor time of the process and its workers per point, and wall
time per point, for threads and processes; size of the file, time to open it, to make its points, and to continue it
when nothing is missing. Points of about a second each: how much faster two workers are than one, for threads,
processes and Dask. Trivial scans are run at two sizes, so that slopes can be told from constants.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hopsim import executors, scan_file, scans
from hopsim.executors import Workers
from hopsim.scans import Scan
from hopsim.store import Store

TRIVIAL = """
[network]
kind = "hopfield"
neurons = {{start = 10, stop = 209, num = 200}}
patterns = [1, 2, 3, 4, 5]
[dynamics]
rule = "glauber"
temperature = {{start = 0.1, stop = 1, num = {temperatures}}}
[protocol]
cue_overlap = 1.0
equilibrate = 0
measure = 1
[scan]
samples = 1
seed = 1
"""
SECONDS = """
[network]
kind = "hopfield"
neurons = 2000
load = 0.1
[dynamics]
rule = "metropolis"
order = "random"
temperature = 0.5
[protocol]
cue_overlap = 1.0
equilibrate = 100
measure = {sweeps}
every = 100
[scan]
samples = {samples}
seed = 1
"""


def cpu() -> float:
    """Processor seconds of this process and of children that have ended."""
    return sum(
        u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def run(scan: Scan, path: Path, workers: Workers) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, used = time.perf_counter(), cpu()
    with Store.append_to(path, scan_name=scan.name, scan_text=scan.text) as store:
        summary = scans.run(scan, store, workers)
    assert summary.before + summary.finished == scan.size
    return time.perf_counter() - wall, cpu() - used


def timed(work: Callable[[], object]) -> float:
    """Wall seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def trivial(points: int, folder: Path) -> list[str]:
    """A line for threads and one for processes."""
    scan = scan_file.parse(TRIVIAL.format(temperatures=points // 1000), name="trivial", folder=folder)
    lines = []
    for name, make in (("threads", executors.threads), ("processes", executors.processes)):
        path = folder / f"{name}-{points}.h5"
        wall, used = run(scan, path, make(2))
        size, opened = path.stat().st_size, timed(partial(Store.open, path))
        parsed = timed(Store.open(path).points)
        again = run(scan, path, executors.serial())[0]
        unit = 1e3 / scan.size
        sizes = f"{size / 2**20:.1f} | {size / scan.size:.0f}"
        times = f"{wall * unit:.2f} | {used * unit:.2f}"
        lines.append(f"| {name} | {scan.size} | {times} | {sizes} | {opened:.2f} | {parsed:.2f} | {again:.2f} |")
        print(lines[-1], file=sys.stderr, flush=True)
    return lines


def speedups(samples: int, sweeps: int, folder: Path) -> list[str]:
    """A line for each executor: two workers against serial, alternating."""
    scan = scan_file.parse(SECONDS.format(samples=samples, sweeps=sweeps), name="seconds", folder=folder)
    backends: dict[str, Callable[[int], Workers]] = {
        "threads": executors.threads,
        "processes": executors.processes,
        "dask": executors.dask,
    }
    lines = []
    for name, make in backends.items():
        walls = {}
        for workers in (1, 2):
            backend = executors.serial() if workers == 1 else make(2)
            walls[workers] = run(scan, folder / f"{name}-{workers}.h5", backend)[0]
        lines.append(
            f"| {name} | {walls[1] / scan.size:.2f} | {walls[1]:.1f} | {walls[2]:.1f} | {walls[1] / walls[2]:.2f} |"
        )
        print(lines[-1], file=sys.stderr, flush=True)
    return lines


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=24, help="of points of a second")
    parser.add_argument("--sweeps", type=int, default=40_000, help="of points of a second")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(
            scan_file.parse(TRIVIAL.format(temperatures=1), name="warm", folder=folder),
            folder / "warm.h5",
            executors.serial(),
        )
        lines = ["| executor | points | wall ms a point | CPU ms | MiB | bytes a point | open s | points s | again s |"]
        lines += ["| --- " * 9 + "|"]
        for points in (chosen.points // 10, chosen.points):
            lines += trivial(points, folder)
        lines += ["", "| executor | s a point | serial s | two workers s | ratio |", "| --- " * 5 + "|"]
        lines += speedups(chosen.samples, chosen.sweeps, folder)
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
