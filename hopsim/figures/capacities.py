"""Capacity against degree in units of the crosstalk, and the number of patterns against size on logarithmic axes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter, ScalarFormatter
from numpy.typing import NDArray

from . import style

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """A curve of theory (no error) or simulated points; `place` chooses its colour, dashes and marker."""

    label: str
    place: int
    x: Floats
    y: Floats
    error: Floats | None = None


@dataclass(frozen=True)
class Data:
    """What is drawn: α_c v against p, and K against N with the power law of each series by its label."""

    capacities: Sequence[Series]
    patterns: Sequence[Series]
    laws: Sequence[Series]


def draw(data: Data) -> Figure:
    """Lines for theory, markers with error bars for simulation, one panel above the other."""
    figure = Figure(figsize=(5.2, 6.6), layout="constrained")
    above, below = np.asarray(figure.subplots(2, 1))
    for ax, letter in ((above, "a"), (below, "b")):
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_title(f"({letter})", fontsize="medium", loc="left")
    _capacities(above, data.capacities)
    _sizes(below, data)
    return figure


def _capacities(ax: Axes, capacities: Sequence[Series]) -> None:
    for series in capacities:
        _one(ax, series)
    ax.set_xlabel("degree $p$")
    ax.set_ylabel(r"capacity $\alpha_c v$, $\alpha = K/N^{p-1}$")
    ax.set_ylim(0.1, None)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(frameon=False, fontsize="x-small", ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.2))


def _sizes(ax: Axes, data: Data) -> None:
    for law in data.laws:
        ax.plot(law.x, law.y, color=style.COLOURS[law.place], linewidth=1.1, linestyle=style.DASHES[1], zorder=2)
    for series in data.patterns:
        _one(ax, series)
    ax.set_xscale("log")
    ax.set_yscale("log")
    sizes = sorted({float(n) for series in data.patterns for n in series.x})
    ax.set_xticks([n for n in (32, 64, 128, 256, 512, 1024, 2048) if sizes[0] <= n <= sizes[-1]])
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("neurons $N$")
    ax.set_ylabel("patterns $K$ at 0.5 % wrong bits")
    ax.legend(frameon=False, fontsize="x-small")


def _one(ax: Axes, series: Series) -> None:
    colour = style.COLOURS[series.place % len(style.COLOURS)]
    if series.error is None:
        dashes = style.DASHES[series.place % len(style.DASHES)]
        ax.plot(
            series.x, series.y, color=colour, linestyle=dashes, linewidth=1.4, marker=".", label=series.label, zorder=2
        )
        return
    ax.errorbar(
        series.x,
        series.y,
        series.error,
        color=colour,
        marker=style.MARKERS[series.place % len(style.MARKERS)],
        markersize=4.5,
        markerfacecolor="white" if series.place % 2 else colour,
        linestyle="none",
        linewidth=0.9,
        capsize=2,
        label=series.label,
        zorder=4,
    )
