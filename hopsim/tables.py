"""Tables and sentences for a terminal, and CSV."""

import csv
import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .columns import Columns
from .comparison import Row, to_array
from .continuous import Experiment
from .points import AnyPoint
from .scans import Scan
from .store import Outcome, Store

_ALWAYS = ("neurons", "patterns", "load", "temperature", "samples", "overlap", "overlap_err", "energy", "energy_err")
_LAST = ("predicted", "z")


def as_csv(rows: list[Row]) -> str:
    """Every column with full digits; an empty field where there is no number."""
    array, text = to_array(rows), io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(array.dtype.names or ())
    writer.writerows([_field(value) for value in record.tolist()] for record in array)
    return text.getvalue().rstrip("\n")


def as_text(rows: list[Row]) -> str:
    """Aligned columns; parameters that are the same in every row stand once, above."""
    array = to_array(rows)
    if not rows:
        return "no results yet"
    names = rows[0].point.parameters
    same = [n for n in names if n not in _ALWAYS and len({str(value) for value in array[n]}) == 1]
    point = rows[0].point
    wanted = _measured(array, point.kind.observable) if isinstance(point, Experiment) else (*_ALWAYS, *_LAST)
    shown_names = [n for n in array.dtype.names or () if n not in same and (n in names or n in wanted)]
    header = "in every row: " + ", ".join(f"{n} = {shown(array[n][0].item())}" for n in same if shown(names[n]))
    body = aligned(shown_names, [[record[n].item() for n in shown_names] for record in array])
    return f"{header}\n\n{body}"


def _measured(array: NDArray[np.void], observable: str) -> list[str]:
    """The columns that are not blank in every row, without the errors of all but the main observable."""
    filled = [name for name in array.dtype.names or () if any(shown(value) for value in array[name].tolist())]
    return [name for name in filled if not name.endswith("_err") or name == f"{observable}_err"]


def columns_as_csv(columns: Columns) -> str:
    """Named columns with full digits; an empty field where there is no number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    writer.writerows([_field(value) for value in row] for row in rows)
    return text.getvalue()


def aligned(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table with right-aligned columns."""
    cells = [list(names), *([shown(value) for value in row] for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(names))]
    return "\n".join("  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in cells)


def shown(value: object) -> str:
    """A value in few characters; blank for what does not exist."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return "" if value is None else str(value)


def status(store: Store, scan: Scan) -> str:
    """Points done, missing and failed, samples, size and provenance in words."""
    wanted, completed, failures = scan.keys(), store.completed(), store.failures()
    done = len(wanted & completed)
    env = store.environment
    points = store.points()
    part = "" if scan.shard == (1, 1) else f", part {scan.shard[0]} of {scan.shard[1]}"
    part += " or more where it is refined" if scan.size > len(scan.points) * scan.samples else ""
    lines = [
        f"{store.path}: scan {scan.name}, {len(scan.points)} points x {scan.samples} samples{part}",
        f"{done} runs done, {len(wanted) - done} missing, {len(failures)} failed, {len(completed - wanted)} of others",
        f"{store.path.stat().st_size / 2**20:.2f} MiB; last written by hopsim {env['hopsim']} (numba {env['numba']}, "
        f"numpy {env['numpy']}, python {env['python']}) on {env['host']}, {env['machine']}, {env['started']}",
    ]
    if store.writer:
        lines.append(f"being written by {store.writer}")
    seconds = sum(session.get("cpu_seconds", 0.0) for session in store.sessions)
    cut_short = sum("ended" not in session for session in store.sessions) - bool(store.writer)
    lines.append(
        f"{len(store.sessions)} sessions, {cut_short} cut short; {seconds:.4g} s of processor time in the others"
    )
    lines += [f"failed: {points[row]}, sample {n}: {message}" for row, n, message in failures]
    return "\n".join(lines)


def failures(outcomes: Sequence[Outcome]) -> list[str]:
    """A line for each point and message, with the samples it concerns."""
    samples: dict[tuple[AnyPoint, str], list[int]] = {}
    for outcome in outcomes:
        samples.setdefault((outcome.run.point, outcome.message), []).append(outcome.run.sample)
    return [f"{point}, {_samples(found)}: {message}" for (point, message), found in samples.items()]


def _samples(found: list[int]) -> str:
    return f"sample {found[0]}" if len(found) == 1 else f"{len(found)} samples from {min(found)} to {max(found)}"


def _field(value: object) -> object:
    if isinstance(value, float) and math.isnan(value):
        return ""
    return value.decode() if isinstance(value, bytes) else value
