"""The main observable of a continuous network against what a scan varies most, with error bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..comparison import Row
from ..continuous import Experiment
from ..errors import Refused
from . import style

Floats = NDArray[np.float64]
DERIVED = ("load", "patterns")  # one follows from the other and the size; the load is drawn
MOST_LINES = 14


@dataclass(frozen=True)
class Line:
    """Averages and errors along what is drawn against, at fixed other parameters."""

    name: str
    x: Floats
    y: Floats
    error: Floats


@dataclass(frozen=True)
class Data:
    """Lines, and what they have in common."""

    xlabel: str
    ylabel: str
    title: str
    lines: list[Line]


def fits(rows: Sequence[Row]) -> bool:
    """Whether all rows are of continuous networks of one kind."""
    kinds = {row.point.kind.name if isinstance(row.point, Experiment) else "" for row in rows}
    return len(kinds) == 1 and "" not in kinds


def collect(rows: Sequence[Row]) -> Data:
    """Lines of a table."""
    if not fits(rows):
        raise Refused("nothing to draw: rows must be of continuous networks of one kind")
    point = rows[0].point
    assert isinstance(point, Experiment)
    given = [row.point.parameters for row in rows]
    varied = [name for name in given[0] if len({str(parameters[name]) for parameters in given}) > 1]
    numbers = [name for name in varied if not isinstance(given[0][name], str) and name != "patterns"]
    x = max(numbers or ["load"], key=lambda name: (len({p[name] for p in given}), name == "load"))
    others = [name for name in varied if name != x and name not in DERIVED]
    lines: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: [row.point.parameters[name] for name in others]):
        lines.setdefault(", ".join(_in_words(name, row.point.parameters[name]) for name in others), []).append(row)
    if len(lines) > MOST_LINES:
        raise Refused(f"nothing to draw: {len(lines)} lines over {x} would not be read; vary less of {others}")
    same = {name: value for name, value in given[0].items() if name not in (*varied, *DERIVED, "seed")}
    fixed = [_in_words(name, value) for name, value in same.items() if value == value]
    title = _wrapped([point.kind.name.replace("_", "-") + " network", *fixed[1:]])
    found = [_line(name, mine, x, point.kind.observable) for name, mine in lines.items()]
    return Data(x.replace("_", " "), point.kind.observable.replace("_", " "), title, found)


def draw(data: Data, ax: Axes | None = None) -> Figure:
    """One line, marker and dash for each set of other parameters."""
    ax = ax if ax is not None else style.axes()
    looks = zip(cycle(style.COLOURS), cycle(style.MARKERS), cycle(style.DASHES), strict=False)
    for line, (colour, marker, dash) in zip(data.lines, looks, strict=False):
        ax.errorbar(
            line.x,
            line.y,
            line.error,
            label=line.name,
            color=colour,
            marker=marker,
            linestyle=dash,
            markersize=4,
            linewidth=1.0,
            capsize=2,
        )
    ax.set(xlabel=data.xlabel, ylabel=data.ylabel)
    ax.set_title(data.title, fontsize="small")
    if len(data.lines) > 1:
        ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return style.figure_of(ax)


def _line(name: str, rows: Sequence[Row], x: str, observable: str) -> Line:
    at = np.array([row.point.parameters[x] for row in rows], dtype=float)
    value, error = np.array([row.averages[observable] for row in rows], dtype=float).T
    order = np.argsort(at)
    return Line(name, at[order], value[order], np.nan_to_num(error[order]))


def _in_words(name: str, value: object) -> str:
    return f"{name.replace('_', ' ')} {value:g}" if isinstance(value, float) else f"{name.replace('_', ' ')} {value}"


def _wrapped(words: Sequence[str]) -> str:
    """Four to a line."""
    return ",\n".join(", ".join(words[k : k + 4]) for k in range(0, len(words), 4))
