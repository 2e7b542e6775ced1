"""Retrieval against load: simulated points with error bars on the replica-symmetric branch and its capacity."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from .. import theory
from ..comparison import Row
from ..dynamics import Synchronous
from ..errors import Refused
from ..networks import Law
from ..patterns import Stored
from . import style
from .names import law_name, load_label

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """Simulated averages of one law, temperature and size."""

    series: str
    neurons: int
    x: Floats
    y: Floats
    error: Floats


@dataclass(frozen=True)
class Branch:
    """The stable replica-symmetric branch of one law and temperature, up to its capacity."""

    series: str
    load: Floats
    overlap: Floats


@dataclass(frozen=True)
class Data:
    """What is drawn: overlap against load, or, where networks are compared on the same patterns, the fraction of cues
    retrieved against the number of patterns."""

    xlabel: str
    ylabel: str
    title: str
    points: list[Points]
    branches: list[Branch]


def collect(rows: list[Row]) -> Data:
    """Points of a table and the branches that theory has for them."""
    if not rows:
        raise Refused("nothing to draw: no point has results yet")
    laws = sorted({row.point.network.law for row in rows}, key=_rank)
    temperatures = sorted({row.point.dynamics.temperature for row in rows})
    count = any(isinstance(law.ensemble, Stored) for law in laws)
    points, branches = list[Points](), list[Branch]()
    for law in laws:
        for temperature in temperatures:
            found = [r for r in rows if (r.point.network.law, r.point.dynamics.temperature) == (law, temperature)]
            series = _series(law, temperature, len(laws) > 1, len(temperatures) > 1)
            points += [_points(series, neurons, found, count) for neurons in _sizes(found)]
            if found and not count:
                branches += _branch(series, found[0])
    title = _title(laws, temperatures) + ("\npoints simulated, lines RS theory" if branches else "")
    ylabel = "fraction of cues retrieved" if count else "overlap with the cued pattern $m$"
    return Data("stored patterns $K$" if count else load_label(laws), ylabel, title.strip(), points, branches)


def draw(data: Data, ax: Axes | None = None) -> Figure:
    """Points by marker (size) and colour (temperature or law), lines for theory, a dotted drop at each capacity."""
    ax = ax if ax is not None else style.axes()
    names = list(dict.fromkeys(p.series for p in data.points))
    sizes = sorted({p.neurons for p in data.points})
    colours = dict(zip(names, cycle(style.COLOURS), strict=False))
    dashes = dict(zip(names, cycle(style.DASHES), strict=False))
    markers = dict(zip(sizes, cycle(style.MARKERS), strict=False))
    for branch in data.branches:
        colour = colours[branch.series]
        ax.plot(branch.load, branch.overlap, color=colour, linestyle=dashes[branch.series], linewidth=1.4, zorder=2)
        ax.vlines(branch.load[-1], 0, branch.overlap[-1], color=colour, linestyle=":", linewidth=1.0, zorder=1)
    for points in data.points:
        face = colours[points.series] if points.neurons == sizes[-1] else "white"
        ax.errorbar(
            points.x,
            points.y,
            points.error,
            color=colours[points.series],
            marker=markers[points.neurons],
            markersize=4.5,
            markerfacecolor=face,
            linestyle="none" if data.branches else dashes[points.series],
            linewidth=0.9,
            capsize=2,
            zorder=4,
        )
    ax.set_xlabel(data.xlabel)
    ax.set_ylabel(data.ylabel)
    ax.set_ylim(min(-0.03, ax.get_ylim()[0]), 1.04)
    ax.set_xlim(left=0)
    ax.set_title(data.title, fontsize="medium")
    _legend(ax, data, names, sizes, colours, dashes, markers)
    return style.figure_of(ax)


def _legend(
    ax: Axes,
    data: Data,
    names: list[str],
    sizes: list[int],
    colours: dict[str, str],
    dashes: Mapping[str, object],
    markers: dict[int, str],
) -> None:
    shown = [Line2D([], [], color=colours[n], linestyle=dashes[n], label=n) for n in names]  # type: ignore[arg-type]
    faces = {n: "0.3" if n == sizes[-1] else "white" for n in sizes}
    shown += [
        Line2D([], [], color="0.3", marker=markers[n], markerfacecolor=faces[n], linestyle="none", label=f"$N = {n}$")
        for n in sizes
    ]
    if data.branches:
        shown.append(Line2D([], [], color="0.3", linestyle=":", label="capacity (RS)"))
    place: dict[str, Any] = {"loc": "best"}
    if data.branches:
        place = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
    if len(max(names, key=len)) > 20 and data.branches:
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "ncols": 2}
    ax.legend(handles=shown, frameon=False, fontsize="small", **place)


def _sizes(rows: list[Row]) -> list[int]:
    return sorted({row.point.network.neurons for row in rows})


def _points(series: str, neurons: int, rows: list[Row], count: bool) -> Points:
    rows = [row for row in rows if row.point.network.neurons == neurons]
    x = [row.point.network.patterns if count else row.point.network.load for row in rows]
    y = [row.averages["retrieved" if count else "overlap"] for row in rows]
    order = np.argsort(x)
    value, error = np.array(y, dtype=float)[order].T
    return Points(series, neurons, np.array(x, dtype=float)[order], value, np.nan_to_num(error))


def _branch(series: str, row: Row) -> list[Branch]:
    law, rule = row.point.network.law, row.point.dynamics
    if not theory.supports(law) or isinstance(rule, Synchronous):
        return []
    loads, overlaps = theory.retrieval_curve(law, temperature=rule.temperature)
    return [Branch(series, loads, overlaps)] if loads.size else []


def _series(law: Law, temperature: float, many_laws: bool, many_temperatures: bool) -> str:
    words = [law_name(law)] if many_laws else []
    if many_temperatures or not many_laws:
        words.append(f"$T = {temperature:g}$")
    return ", ".join(words)


def _title(laws: list[Law], temperatures: list[float]) -> str:
    """What all series have in common."""
    words = [law_name(laws[0])] if len(laws) == 1 else []
    if len(laws) > 1 and len(temperatures) == 1:
        words.append(f"$T = {temperatures[0]:g}$")
    if all(isinstance(law.ensemble, Stored) for law in laws):
        words.append("patterns of a file")
    return ", ".join(words)


def _rank(law: Law) -> tuple[float, float, float]:
    interaction, ensemble = law.interaction, law.ensemble
    size = getattr(interaction, "degree", 0) or getattr(interaction, "sharpness", 0.0)
    return size, getattr(ensemble, "dilution", 0.0), getattr(ensemble, "bias", 0.0)
