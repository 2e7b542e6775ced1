"""Basins of attraction: the fraction of cues that retrieve, over load and overlap of the cue."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ..statistics import Average
from . import style

Floats = NDArray[np.float64]
GREYS = ("0.93", "0.82", "0.68")  # of fractions from 10, 50, 90 % on


@dataclass(frozen=True)
class Basin:
    """One size: fractions float64[loads, cues] that retrieve, and the cue from which half do, where there is one."""

    neurons: int
    ratios: Floats
    cues: Floats
    fractions: Floats
    half: Sequence[Average | None]


@dataclass(frozen=True)
class Panel:
    """One degree, sizes ascending, and its theory: loads over capacity and overlaps of the cue."""

    degree: int
    basins: Sequence[Basin]
    ratio: Floats
    cue: Floats


def draw(panels: Sequence[Panel]) -> Figure:
    """A panel a degree: shades for the largest size, markers with error bars where half of the cues retrieve."""
    figure = Figure(figsize=(5.2, 3.9), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(panels), sharey=True))
    for ax, panel in zip(axes, panels, strict=True):
        _panel(ax, panel)
    axes[0].set_ylabel("overlap of the cue $m_0$")
    figure.supxlabel(r"load / capacity $\alpha/\alpha_c$", fontsize="medium")
    figure.legend(handles=_handles(), frameon=False, fontsize="small", loc="outside upper center", ncols=3)
    return figure


def _panel(ax: Axes, panel: Panel) -> None:
    largest = panel.basins[-1]
    ax.contourf(largest.ratios, largest.cues, largest.fractions.T, levels=(0.1, 0.5, 0.9, 1.01), colors=GREYS)
    ax.plot(panel.ratio, panel.cue, color=style.COLOURS[1], linewidth=1.5, linestyle=style.DASHES[1], zorder=3)
    for place, basin in enumerate(panel.basins):
        known = [(ratio, half) for ratio, half in zip(basin.ratios, basin.half, strict=True) if half is not None]
        ax.errorbar(
            [ratio for ratio, _ in known],
            [half.value for _, half in known],
            [half.error for _, half in known],
            color=style.COLOURS[0],
            marker=style.MARKERS[place],
            markerfacecolor=None if basin is largest else "white",
            markersize=4,
            linestyle="none",
            capsize=2,
            label=f"$N = {basin.neurons}$",
            zorder=4,
        )
    ax.text(0.15, 0.95, "retrieved", fontsize="small", va="top")
    ax.text(0.8, 0.35 if panel.degree > 2 else 0.13, "lost", fontsize="small", va="top")
    ax.set_title(f"$p = {panel.degree}$", fontsize="medium")
    ax.set_xlim(panel.basins[-1].ratios[0], 1.22)
    ax.set_ylim(0, 1.02)
    ax.legend(frameon=False, fontsize="x-small", loc="upper center", bbox_to_anchor=(0.5, -0.09), handletextpad=0.1)


def _handles() -> list[Line2D | Patch]:
    return [
        *(Patch(color=grey, label=f"> {share} % retrieve") for grey, share in zip(GREYS, (10, 50, 90), strict=True)),
        Line2D([], [], color=style.COLOURS[1], linestyle=style.DASHES[1], label="theory"),
        Line2D([], [], color=style.COLOURS[0], marker="o", linestyle="none", markersize=4, label="half retrieve"),
    ]
