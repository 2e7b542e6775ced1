"""Models A, B and C: energy and overlap along trajectories, and retrieval against load."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..statistics import Average
from . import style

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    """One cue along times [T]: energy per neuron and overlap; adiabatic or with hidden neurons as slow as features."""

    adiabatic: bool
    cue: float
    times: Floats
    energy: Floats
    overlap: Floats


@dataclass(frozen=True)
class Curve:
    """Fractions of cues retrieved at loads, what they are of, and the load at which theory loses the pattern."""

    label: str
    load: Floats
    retrieved: Sequence[Average]
    lost_at: float | None = None


@dataclass(frozen=True)
class Panel:
    """One model: its title, its parameters along the paths, what its load is, paths and curves."""

    title: str
    parameters: str
    load: str
    paths: Sequence[Path]
    curves: Sequence[Curve]
    legend: Literal["upper right", "lower left"] = "upper right"


def draw(panels: Sequence[Panel]) -> Figure:
    """A column for each model."""
    figure = Figure(figsize=(8.6, 7.0), layout="constrained")
    rows = np.asarray(figure.subplots(3, len(panels)))
    for column, panel in zip(rows.T, panels, strict=True):
        _draw_paths(column[0], panel.paths, [path.energy for path in panel.paths])
        _draw_paths(column[1], panel.paths, [path.overlap for path in panel.paths])
        _draw_curves(column[2], panel)
        column[0].set_title(panel.title, fontsize="medium")
        column[0].text(0.97, 0.93, panel.parameters, fontsize="small", ha="right", va="top",
                       transform=column[0].transAxes)  # fmt: skip
        column[1].set_ylim(None, 1.04)
        column[1].set_xlabel(r"time $t/\tau_f$")
        column[0].tick_params(labelbottom=False)
        for ax in column:
            ax.spines[["top", "right"]].set_visible(False)
    names = "energy", "overlap with the pattern", "fraction retrieved"
    for ax, name in zip(rows[:, 0], names, strict=True):
        ax.set_ylabel(name)
    figure.legend(handles=_handles(panels), loc="outside upper center", ncols=5, frameon=False, fontsize="small")
    return figure


def _draw_paths(ax: Axes, paths: Sequence[Path], values: Sequence[Floats]) -> None:
    cues = sorted({path.cue for path in paths})
    for path, value in zip(paths, values, strict=True):
        colour = style.COLOURS[cues.index(path.cue)]
        ax.plot(path.times, value, color=colour, linestyle=style.DASHES[path.adiabatic], linewidth=1.3)


def _draw_curves(ax: Axes, panel: Panel) -> None:
    for k, curve in enumerate(panel.curves):
        value, error = np.array(curve.retrieved, dtype=float).T
        ax.errorbar(
            curve.load,
            value,
            np.nan_to_num(error),
            color=style.COLOURS[k],
            marker=style.MARKERS[k],
            linestyle=style.DASHES[k],
            markersize=4,
            linewidth=1,
            capsize=2,
            label=curve.label,
        )
        if curve.lost_at is not None:
            ax.axvline(curve.lost_at, color=style.COLOURS[k], linestyle=":", linewidth=1.1)
    ax.set_xlabel(panel.load)
    ax.set_ylim(-0.03, 1.05)
    ax.set_xlim(0, None)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.legend(frameon=False, fontsize="x-small", loc=panel.legend)


def _handles(panels: Sequence[Panel]) -> list[Line2D]:
    cues = sorted({path.cue for path in panels[0].paths})
    return [
        *(Line2D([], [], color=style.COLOURS[k], label=f"cue {cue:g}") for k, cue in enumerate(cues)),
        Line2D([], [], color="0.3", linestyle="-", label=r"$\tau_h = \tau_f$"),
        Line2D([], [], color="0.3", linestyle=style.DASHES[1], label=r"$\tau_h \to 0$"),
    ]
