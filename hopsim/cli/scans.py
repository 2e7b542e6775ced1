"""`hopsim run | status | merge | table | plot`: scans and their result files."""

import argparse
import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path

from .. import adaptive, comparison, executors, merging, scan_file, scans, tables
from ..errors import Refused
from ..interruption import interruptible
from ..progress import Progress
from ..scans import Scan
from ..store import Store, stored_patterns
from .arguments import DONE, FAILED, Parser, add, positive, seconds, shard

STORES = (".h5", ".hdf5")

_SCAN_EXAMPLE = """\
example:
  hopsim run hopfield                       a scan that comes with the package; writes hopfield.h5 and hopfield.png
  hopsim run SCAN.toml --out RESULTS.h5     your own; run it again to continue
  hopsim run RESULTS.h5                     continue the scan stored there
  hopsim run SCAN.toml --shard 3/10         the third of ten parts; afterwards: hopsim merge PART.h5 ... --out ALL.h5

a scan file:
  [network]
  kind = "dense"                            # hopfield | dense | rectified | exponential | log_sum_exp | multitasking
  degree = 3
  indices = "distinct"                      # distinct | all
  neurons = [200, 400]                      # a number, a list, or {start, stop, num}
  load = {start = 0.02, stop = 0.16, num = 8}   # or patterns = [...], or log_load = γ: K = γ ln N
  # quality = 0.5, examples = [1, 10], learning = "both"    # or supervised, unsupervised
  # patterns_file = "my.npy"                # your own patterns; or bias = 0.2, sharpness = 1.0, dilution = 0.3
  [dynamics]
  rule = "glauber"                          # sign | glauber | metropolis | synchronous
  temperature = [0.1, 0.3]
  [protocol]
  cue_overlap = 1.0
  equilibrate = 100
  measure = 200
  # every = 1                               # sweeps between readings
  # replicas = 2                            # also reads the Edwards-Anderson overlap of two chains
  # success_overlap = 0.9                   # from where a cue counts as retrieved
  # series = true                           # store the time series
  # start = "hierarchical"                  # of diluted patterns; or "random", without cue_overlap
  # overlaps = true                         # store the averages of all overlaps
  [scan]
  samples = 32
  seed = 1
  # [refine]                                # add loads and samples where the curve falls
  # observable = "overlap"                  # or "retrieved"
  # level = 0.5                             # that it falls through
  # width = 0.002                           # of the bracket of loads at the end
  # error = 0.05                            # standard error at both ends of it
  # samples_most = 512                      # of a point
"""


def add_to(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the commands."""
    run = add(commands, "run", _run, "simulate a scan, store it, draw it; again to continue", _SCAN_EXAMPLE)
    run.add_argument("scan", metavar="SCAN", help="a .toml scan file, the name of a packaged one, or a .h5 result file")
    run.add_argument("--out", type=Path, metavar="RESULTS.h5", help="default: NAME.h5 here")
    run.add_argument("--workers", type=positive, metavar="N", help="default: the number of processors")
    run.add_argument("--executor", choices=("serial", "threads", "processes", "dask"), default="threads")
    run.add_argument("--scheduler", metavar="ADDRESS", help="of a running Dask cluster; default: one on this machine")
    run.add_argument("--shard", type=shard, metavar="I/N", help="part I of N of the scan, for job arrays; then merge")
    run.add_argument(
        "--checkpoint",
        type=seconds,
        default=60.0,
        metavar="SECONDS",
        help="between two checkpoints of a long run, all that a kill can lose; 0 for none (default: 60)",
    )
    run.add_argument("--restart", action="store_true", help="start anew, into a new file; default: continue")
    run.add_argument("--quiet", action="store_true", help="print only errors")

    example = "example:\n  hopsim status hopfield.h5"
    status = add(commands, "status", _status, "points done, missing and failed, and what wrote them", example)
    status.add_argument("results", type=Path, metavar="RESULTS.h5")

    example = "example:\n  hopsim merge hopfield-1of2.h5 hopfield-2of2.h5 --out hopfield.h5"
    merge = add(commands, "merge", _merge, "one result file from several parts of a scan", example)
    merge.add_argument("results", type=Path, nargs="+", metavar="RESULTS.h5")
    merge.add_argument("--out", type=Path, required=True, metavar="ALL.h5")

    example = "example:\n  hopsim table hopfield.h5 --csv > hopfield.csv"
    table = add(commands, "table", _table, "one row per point: averages, errors, theory, z", example)
    table.add_argument("results", type=Path, metavar="RESULTS.h5")
    table.add_argument("--csv", action="store_true")
    table.add_argument("--all", action="store_true", help="also points of scans that were run here before")

    example = "example:\n  hopsim plot hopfield.h5 --out hopfield.pdf"
    plot = add(commands, "plot", _plot, "draw a result file on top of theory", example)
    plot.add_argument("results", type=Path, metavar="RESULTS.h5")
    plot.add_argument("--out", type=Path, required=True, metavar="FIGURE", help=".png, .pdf or .svg")


def _run(chosen: argparse.Namespace) -> int:
    scan, out = _scan_and_store(chosen)
    workers = chosen.workers or os.cpu_count() or 1
    scans.check_room(scan, out, 1 if chosen.executor == "serial" else workers)
    executor = _executor(chosen, workers)
    given, shard = stored_patterns(scan.points[0]), "/".join(map(str, scan.shard))
    with (
        interruptible(),
        Store.append_to(out, scan_name=scan.name, scan_text=scan.text, patterns=given, shard=shard) as store,
        Progress(scan.name, scan.size, chosen.quiet) as progress,
    ):
        _tell_of_other_versions(store)
        grow = _growing(store, progress)
        scan = grow(scan)
        summary = scans.run(scan, store, executor, progress, _checkpoints(chosen, out), grow)
        brackets = adaptive.bracketed(scan, store)
    _say(
        chosen, f"{out}: {summary.finished} runs computed, {summary.before} were there, {len(summary.failures)} failed"
    )
    for bracket in brackets:
        _say(chosen, str(bracket))
    for line in tables.failures(summary.failures):
        print(f"hopsim: failed: {line}", file=sys.stderr)
    if summary.before + summary.finished:
        picture = out.with_suffix(".png")
        _draw(out, picture)
        _say(chosen, f"{picture}: the figure")
    return FAILED if summary.failures else DONE


def _growing(store: Store, progress: Progress) -> Callable[[Scan], Scan]:
    """What follows from the results, with the progress told of it."""

    def grow(scan: Scan) -> Scan:
        further = adaptive.grown(scan, store)
        progress.extend(further.size)
        return further

    return grow


def _checkpoints(chosen: argparse.Namespace, out: Path) -> scans.Checkpoints | None:
    if chosen.checkpoint == 0:
        return None
    return scans.Checkpoints(out.with_name(f"{out.name}.checkpoints").absolute(), chosen.checkpoint)


def _tell_of_other_versions(store: Store) -> None:
    foreign = int((~store.current()).sum())
    if foreign:
        print(
            f"hopsim: {foreign} points in {store.path} were computed by another version of hopsim, which gives other "
            "numbers; they are kept and not used, `hopsim table --all` shows them",
            file=sys.stderr,
        )


def _merge(chosen: argparse.Namespace) -> int:
    _check_store_name(chosen.out)
    store = merging.merge(chosen.results, chosen.out)
    print(f"{chosen.out}: {len(store.completed())} runs")
    return DONE


def _executor(chosen: argparse.Namespace, workers: int) -> executors.Workers:
    if chosen.scheduler is not None and chosen.executor != "dask":
        raise Refused(f"--scheduler is for --executor dask, got {chosen.executor}")
    if chosen.executor == "dask":
        return executors.dask(workers, chosen.scheduler)
    if chosen.executor == "serial":
        return executors.serial()
    return executors.threads(workers) if chosen.executor == "threads" else executors.processes(workers)


def _scan_and_store(chosen: argparse.Namespace) -> tuple[Scan, Path]:
    scan, out = _scan_and_default(Path(chosen.scan))
    if chosen.shard is not None:
        scan = dataclasses.replace(scan, shard=chosen.shard)
        out = out.with_name(f"{out.stem}-{scan.shard[0]}of{scan.shard[1]}.h5")
    if chosen.out is not None:
        _check_store_name(chosen.out)
        out = chosen.out
    if chosen.restart and out.exists():
        raise Refused(f"--restart starts anew into a new file, and {out} exists; give another --out or remove it")
    return scan, out


def _scan_and_default(path: Path) -> tuple[Scan, Path]:
    """The scan that was asked for and where its results go unless --out says otherwise."""
    if path.suffix in STORES:
        with Store.open(path) as store:
            return scan_file.of_store(store), path
    packaged = scan_file.packaged()
    if not path.is_file() and str(path) in packaged:
        path = packaged[str(path)]
    if not path.is_file():
        raise Refused(f"no scan file {path}; give a .toml or .h5 file, or one of {', '.join(packaged)}")
    scan = scan_file.read(path)
    return scan, Path(f"{scan.name}.h5")


def _check_store_name(out: Path) -> None:
    if out.suffix not in STORES:
        raise Refused(f"--out must end in {' or '.join(STORES)}, got {out}; the figure goes beside it")


def _status(chosen: argparse.Namespace) -> int:
    with Store.open(chosen.results) as store:
        print(tables.status(store, scan_file.of_store(store)))
    return DONE


def _table(chosen: argparse.Namespace) -> int:
    with Store.open(chosen.results) as store:
        rows = comparison.tabulate(store, None if chosen.all else set(scan_file.of_store(store).points))
    print(tables.as_csv(rows) if chosen.csv else tables.as_text(rows))
    return DONE


def _plot(chosen: argparse.Namespace) -> int:
    _draw(chosen.results, chosen.out)
    return DONE


def _draw(results: Path, out: Path) -> None:
    from ..figures import continuous, learning, multitasking, retrieval, style

    style.check_suffix(out)
    with Store.open(results) as store:
        rows = comparison.tabulate(store, set(scan_file.of_store(store).points))
    for kind in (continuous, learning, multitasking):
        if kind.fits(rows):
            return style.save(kind.draw(kind.collect(rows)), out)
    return style.save(retrieval.draw(retrieval.collect(rows)), out)


def _say(chosen: argparse.Namespace, line: str) -> None:
    if not chosen.quiet:
        print(line)
