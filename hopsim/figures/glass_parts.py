"""Hard and soft glass of several degrees, one panel each, with simulated free energies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from . import style

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Panel:
    """Curves against T, all but the soft part less that of free spins, -T ln 2; `broken` with one step of breaking.

    `simulated` is the free energy with errors, `rest` it less the hard part; `transition` the end of the glass.
    """

    title: str
    temperatures: Floats
    hard: Floats
    soft: Floats
    broken: tuple[Floats, Floats]
    transition: float
    points: Floats
    simulated: Floats
    rest: Floats
    error: Floats


def draw(panels: Sequence[Panel]) -> Figure:
    """f solid, hard part broad and pale, soft part dashed, 1RSB dash-dotted; filled and open points for simulation."""
    figure = Figure(figsize=(5.2, 6.6), layout="constrained")
    axes = np.asarray(figure.subplots(len(panels), 1)).reshape(-1)
    for letter, panel, ax in zip("abcdef", panels, axes, strict=False):
        _panel(ax, panel)
        ax.set_title(f"({letter}) {panel.title}", fontsize="medium", loc="left")
    axes[-1].set_xlabel("temperature $T$")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize="small")
    return figure


def _panel(ax: Axes, panel: Panel) -> None:
    T, blue, red = panel.temperatures, style.COLOURS[0], style.COLOURS[1]
    ax.axvspan(0, panel.transition, color="0.93", linewidth=0, zorder=0)
    ax.axhline(0, color="0.6", linewidth=0.6, zorder=1)
    ax.plot(T, panel.hard, color=blue, linewidth=5, alpha=0.3, label="hard glass (RS)", zorder=2)
    ax.plot(T, panel.hard + panel.soft, color="black", linewidth=1.4, label="$f$ = hard + soft", zorder=3)
    ax.plot(T, panel.soft, color=red, linewidth=1.4, linestyle=style.DASHES[1], label="soft glass", zorder=3)
    ax.plot(*panel.broken, color=blue, linewidth=1.2, linestyle=style.DASHES[2], label="$f$, 1RSB", zorder=3)
    dots: dict[str, Any] = {"linestyle": "none", "markersize": 4.5, "linewidth": 0.9, "capsize": 2, "zorder": 5}
    ax.errorbar(panel.points, panel.simulated, panel.error, color="black", marker="o", label="$f$ simulated", **dots)
    ax.errorbar(
        panel.points,
        panel.rest,
        panel.error,
        color=red,
        marker="s",
        markerfacecolor="white",
        label="$f$ simulated less hard",
        **dots,
    )
    place: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "ha": "right", "fontsize": "small"}
    ax.text(0.97 * panel.transition, 0.05, "spin glass", **place)
    ax.set_xlim(0, T.max())
    ax.set_ylabel(r"$f + T\,\ln 2$, soft")
    ax.spines[["top", "right"]].set_visible(False)
