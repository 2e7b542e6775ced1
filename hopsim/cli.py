"""The command line: `hopsim run / status / table / plot / theory`. Thin: it parses, calls and prints."""

import argparse
import dataclasses
import json
import math
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from . import comparison, executors, merging, networks, scan_file, scans, tables, theory
from .errors import Refused
from .interruption import Interrupted, interruptible
from .networks import Law
from .patterns import Stored
from .progress import Progress
from .scans import Scan
from .store import Store, StoreFailed
from .version import __version__

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
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
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code: 0 done, 1 the work failed, 2 the request was wrong."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.command(chosen))
    except Refused as error:
        return _complain(error, REFUSED, chosen.debug)
    except KeyboardInterrupt as signal:
        print("hopsim: stopped; what has finished is stored, run the same command again to continue", file=sys.stderr)
        return signal.code if isinstance(signal, Interrupted) else INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        return _complain(error, FAILED, chosen.debug)


def _complain(error: Exception, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    kind = (
        ""
        if isinstance(error, Refused | theory.NotConverged | StoreFailed | executors.SchedulerLost)
        else f"{type(error).__name__}: "
    )
    print(f"hopsim: {kind}{error}", file=sys.stderr)
    return code


# run, status, table, plot


def _run(chosen: argparse.Namespace) -> int:
    scan, out = _scan_and_store(chosen)
    workers = chosen.workers or os.cpu_count() or 1
    scans.check_room(scan, out, 1 if chosen.executor == "serial" else workers)
    executor = _executor(chosen, workers)
    given, shard = _given_patterns(scan), "/".join(map(str, scan.shard))
    with (
        interruptible(),
        Store.append_to(out, scan_name=scan.name, scan_text=scan.text, patterns=given, shard=shard) as store,
        Progress(scan.name, scan.size, chosen.quiet) as progress,
    ):
        _tell_of_other_versions(store)
        summary = scans.run(scan, store, executor, progress, _checkpoints(chosen, out))
    _say(
        chosen, f"{out}: {summary.finished} runs computed, {summary.before} were there, {len(summary.failures)} failed"
    )
    for line in tables.failures(summary.failures):
        print(f"hopsim: failed: {line}", file=sys.stderr)
    if summary.before + summary.finished:
        picture = out.with_suffix(".png")
        _draw(out, picture)
        _say(chosen, f"{picture}: the figure")
    return FAILED if summary.failures else DONE


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


def _given_patterns(scan: Scan) -> Stored | None:
    ensemble = scan.points[0].network.law.ensemble
    return ensemble if isinstance(ensemble, Stored) else None


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
    from .figures import learning, multitasking, retrieval, style

    style.check_suffix(out)
    with Store.open(results) as store:
        rows = comparison.tabulate(store, set(scan_file.of_store(store).points))
    if learning.fits(rows):
        style.save(learning.draw(learning.collect(rows)), out)
    elif multitasking.fits(rows):
        style.save(multitasking.draw(multitasking.collect(rows)), out)
    else:
        style.save(retrieval.draw(retrieval.collect(rows)), out)


def _say(chosen: argparse.Namespace, line: str) -> None:
    if not chosen.quiet:
        print(line)


# theory


def _theory_point(chosen: argparse.Namespace) -> int:
    if _at_low_load(chosen):
        return _low_load_point(chosen)
    if chosen.load is None:
        raise Refused("a point needs --load A, or --patterns K with --network multitasking")
    solution = theory.solve(
        _law(chosen),
        load=chosen.load,
        temperature=chosen.temperature,
        ansatz=_ansatz(chosen),
        branch=chosen.branch,
    )
    order = {name: value for name, value in _fields(solution.order).items() if value is not None}
    found = {**order, "free_energy": solution.free_energy, "energy": solution.energy}
    found |= {"entropy": solution.entropy, "stability": solution.stability}
    _print(found | {"converged": solution.converged, "residual": solution.residual}, chosen.json)
    return DONE


def _theory_capacity(chosen: argparse.Namespace) -> int:
    boundary = theory.capacity(_law(chosen), temperature=chosen.temperature, ansatz=_ansatz(chosen))
    found = _fields(boundary)
    del found["temperature"]
    _print(found, chosen.json)
    return DONE if boundary.converged else FAILED


def _theory_line(chosen: argparse.Namespace) -> int:
    if _at_low_load(chosen):
        asked = {"patterns": chosen.patterns, "line": chosen.line, "temperatures": chosen.temperatures}
        rows = [_fields(boundary) for boundary in theory.dilution_line(**asked)]
    else:
        found = theory.line(_law(chosen), line=chosen.line, temperatures=chosen.temperatures, ansatz=_ansatz(chosen))
        rows = [_fields(boundary) for boundary in found]
    if chosen.json:
        print(json.dumps(rows))
    else:
        print(tables.aligned(list(rows[0]), [list(row.values()) for row in rows]))
    return DONE


def _theory_diagram(chosen: argparse.Namespace) -> int:
    from .figures import dilution_phases, phase_diagram, style

    style.check_suffix(chosen.out)
    if _at_low_load(chosen):
        style.save(dilution_phases.draw(dilution_phases.collect(patterns=chosen.patterns)), chosen.out)
        _print({"figure": str(chosen.out)}, chosen.json)
        return DONE
    law = _law(chosen)
    diagram = theory.phase_diagram(law, ansatz=_ansatz(chosen))
    style.save(phase_diagram.draw(phase_diagram.collect(law, diagram, chosen.ansatz.upper())), chosen.out)
    lines = {name: [_fields(point) for point in points] for name, points in diagram.lines.items()}
    if chosen.json:
        print(json.dumps({"ansatz": chosen.ansatz, "lines": lines, "figure": str(chosen.out)}))
    else:
        rows = [
            [name, *(shown[key] for key in ("temperature", "load", "m"))] for name in lines for shown in lines[name]
        ]
        print(tables.aligned(["line", "temperature", "load", "m"], rows))
        print(f"{chosen.out}: the figure")
    return DONE


def _at_low_load(chosen: argparse.Namespace) -> bool:
    """Whether the number of patterns is given in place of the load."""
    if chosen.patterns is None:
        return False
    if chosen.network != "multitasking" or getattr(chosen, "load", None) is not None:
        raise Refused("--patterns K is for --network multitasking at low load, in place of --load")
    return True


def _low_load_point(chosen: argparse.Namespace) -> int:
    if chosen.dilution is None:
        raise Refused("--network multitasking needs --dilution D")
    states = theory.low_load(patterns=chosen.patterns, dilution=chosen.dilution, temperature=chosen.temperature)
    rows: list[dict[str, Any]] = [_fields(state) | {"stable": state.stable} for state in states]
    if chosen.json:
        print(json.dumps({"m": rows[0]["overlaps"], "free_energy": rows[0]["free_energy"], "states": rows}))
    else:
        for row in rows:
            row["overlaps"] = " ".join(tables.shown(m) for m in row["overlaps"])
        print(tables.aligned(list(rows[0]), [list(row.values()) for row in rows]))
    return DONE


def _law(chosen: argparse.Namespace) -> Law:
    if chosen.network == "multitasking":
        if chosen.dilution is None:
            raise Refused("--network multitasking needs --dilution D")
        return networks.multitasking(neurons=2, patterns=1, dilution=chosen.dilution).law
    if chosen.dilution is not None:
        raise Refused(f"--dilution is for --network multitasking, got --network {chosen.network}")
    if chosen.network == "hopfield":
        if chosen.degree is not None or chosen.indices is not None:
            raise Refused("--degree and --indices are for --network dense and rectified; hopfield is degree 2")
        return networks.hopfield(neurons=2, patterns=1).law
    if chosen.degree is None:
        needs = "--degree P and --indices distinct|all" if chosen.network == "dense" else "--degree P"
        raise Refused(f"--network {chosen.network} needs {needs}")
    if chosen.network == "rectified":
        if chosen.indices is not None:
            raise Refused("--indices is for --network dense; rectified keeps all indices")
        return networks.rectified(neurons=2, patterns=1, degree=chosen.degree).law
    if chosen.indices is None and chosen.degree != 2:
        raise Refused("--network dense needs --degree P and --indices distinct|all")
    return networks.dense(neurons=2, patterns=1, degree=chosen.degree, indices=chosen.indices or "distinct").law


def _ansatz(chosen: argparse.Namespace) -> theory.ReplicaSymmetric | theory.OneStep:
    if chosen.ansatz == "rs":
        return theory.ReplicaSymmetric(patterns=chosen.mixture)
    if chosen.mixture != 1:
        raise Refused(f"--mixture {chosen.mixture} needs --ansatz rs, got 1rsb")
    return theory.OneStep()


def _fields(thing: Any) -> dict[str, object]:
    """Fields of a frozen record by name, those that are None kept."""
    return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}


def _print(found: dict[str, object], as_json: bool) -> None:
    print(json.dumps(found) if as_json else "\n".join(f"{n:12s} {tables.shown(v)}" for n, v in found.items()))


# arguments


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"hopsim: {message}; see `{self.prog} --help`", file=sys.stderr)
        sys.exit(REFUSED)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="hopsim", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    run = _command(commands, "run", _run, "simulate a scan, store it, draw it; again to continue", _SCAN_EXAMPLE)
    run.add_argument("scan", metavar="SCAN", help="a .toml scan file, the name of a packaged one, or a .h5 result file")
    run.add_argument("--out", type=Path, metavar="RESULTS.h5", help="default: NAME.h5 here")
    run.add_argument("--workers", type=_positive, metavar="N", help="default: the number of processors")
    run.add_argument("--executor", choices=("serial", "threads", "processes", "dask"), default="threads")
    run.add_argument("--scheduler", metavar="ADDRESS", help="of a running Dask cluster; default: one on this machine")
    run.add_argument("--shard", type=_shard, metavar="I/N", help="part I of N of the scan, for job arrays; then merge")
    run.add_argument(
        "--checkpoint",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="between two checkpoints of a long run, all that a kill can lose; 0 for none (default: 60)",
    )
    run.add_argument("--restart", action="store_true", help="start anew, into a new file; default: continue")
    run.add_argument("--quiet", action="store_true", help="print only errors")

    example = "example:\n  hopsim status hopfield.h5"
    status = _command(commands, "status", _status, "points done, missing and failed, and what wrote them", example)
    status.add_argument("results", type=Path, metavar="RESULTS.h5")

    example = "example:\n  hopsim merge hopfield-1of2.h5 hopfield-2of2.h5 --out hopfield.h5"
    merge = _command(commands, "merge", _merge, "one result file from several parts of a scan", example)
    merge.add_argument("results", type=Path, nargs="+", metavar="RESULTS.h5")
    merge.add_argument("--out", type=Path, required=True, metavar="ALL.h5")

    example = "example:\n  hopsim table hopfield.h5 --csv > hopfield.csv"
    table = _command(commands, "table", _table, "one row per point: averages, errors, theory, z", example)
    table.add_argument("results", type=Path, metavar="RESULTS.h5")
    table.add_argument("--csv", action="store_true")
    table.add_argument("--all", action="store_true", help="also points of scans that were run here before")

    example = "example:\n  hopsim plot hopfield.h5 --out hopfield.pdf"
    plot = _command(commands, "plot", _plot, "draw a result file on top of theory", example)
    plot.add_argument("results", type=Path, metavar="RESULTS.h5")
    plot.add_argument("--out", type=Path, required=True, metavar="FIGURE", help=".png, .pdf or .svg")

    _theory(commands)
    return parser


def _theory(commands: "argparse._SubParsersAction[_Parser]") -> None:
    parser = commands.add_parser("theory", help="replica theory without simulation", description="Replica theory.")
    kinds = parser.add_subparsers(required=True, metavar="WHAT", parser_class=_Parser)

    example = "example:\n  hopsim theory point --network hopfield --load 0.05 --temperature 0.2 --ansatz rs --json"
    point = _command(kinds, "point", _theory_point, "order parameters and free energy of one state", example)
    point.add_argument("--load", type=float, metavar="A")
    point.add_argument("--temperature", type=float, required=True, metavar="T")
    point.add_argument("--branch", choices=("retrieval", "glass", "paramagnet"), default="retrieval")

    example = "example:\n  hopsim theory capacity --network dense --degree 3 --indices all --temperature 0 --ansatz rs"
    capacity = _command(kinds, "capacity", _theory_capacity, "the largest load with a retrieval state", example)
    capacity.add_argument("--temperature", type=float, required=True, metavar="T")

    example = "example:\n  hopsim theory line --network hopfield --line spinodal --temperatures 0 0.2 0.4 --ansatz rs"
    line = _command(kinds, "line", _theory_line, "a line of the phase diagram, a load for each temperature", example)
    line.add_argument("--line", choices=theory.OneStep.lines, required=True)
    line.add_argument("--temperatures", type=float, nargs="+", required=True, metavar="T")

    example = (
        "example:\n  hopsim theory diagram --network dense --degree 3 --indices distinct --ansatz 1rsb --out p3.png"
    )
    what = "every line of the plane of load and temperature, with the names of the phases"
    diagram = _command(kinds, "diagram", _theory_diagram, what, example)
    diagram.add_argument("--out", type=Path, required=True, metavar="FIGURE", help=".png, .pdf or .svg")

    for one in (point, line, diagram):
        one.add_argument("--patterns", type=int, metavar="K", help="multitasking at low load, in place of a load")
    capacity.set_defaults(patterns=None)
    for one in (point, capacity, line, diagram):
        one.add_argument("--network", choices=("hopfield", "dense", "rectified", "multitasking"), required=True)
        one.add_argument("--degree", type=int, metavar="P", help="dense and rectified")
        one.add_argument("--dilution", type=float, metavar="D", help="multitasking")
        one.add_argument("--indices", choices=("distinct", "all"), help="dense only")
        one.add_argument(
            "--ansatz", choices=("rs", "1rsb"), default="rs", help="replica symmetry, or one step of breaking"
        )
        one.add_argument("--mixture", type=int, default=1, metavar="N", help="patterns retrieved at once, odd: rs only")
        one.add_argument("--json", action="store_true")


def _command(
    commands: "argparse._SubParsersAction[_Parser]", name: str, function: object, what: str, example: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=what,
        description=what.capitalize() + ".",
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=function)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _shard(text: str) -> tuple[int, int]:
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal()):
        raise argparse.ArgumentTypeError(f"must be I/N with 1 <= I <= N, got {text}")
    return int(part), int(parts)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of seconds >= 0, got {text}")
    return seconds


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number >= 1, got {text}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
