"""Phase diagrams of dense networks, replica-symmetric and with one step of breaking, with simulated points."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from . import style

Floats = NDArray[np.float64]
Line = tuple[Floats, Floats]  # loads and temperatures
RETRIEVAL, METASTABLE, GLASS, DYNAMIC = "#bfdcee", "#e4f0f8", "#d9d9d9", "#eeeeee"
SYMBOLS = {"spinodal": "$T_M$", "coexistence": "$T_c$", "stability": "$T_R$", "dynamic": "$T_d$", "static": "$T_K$"}
PLACES = {name: place for place, name in enumerate(SYMBOLS)}


@dataclass(frozen=True)
class Crossings:
    """Where half of the states at one size are retrieved, simulated, and what theory expects there at this size."""

    neurons: int
    loads: Floats
    temperatures: Floats
    errors: Floats
    expected: Line


@dataclass(frozen=True)
class Panel:
    """The lines of one degree by ansatz and name, names of phases at (load, T), and simulated points."""

    degree: int
    symmetric: dict[str, Line]
    broken: dict[str, Line]
    names: Sequence[tuple[str, float, float]] = ()
    crossings: Sequence[Crossings] = ()


def draw(panels: Sequence[Panel]) -> Figure:
    """The first panel large, the others below it: RS dashed, 1RSB solid, phases of 1RSB shaded."""
    figure = Figure(figsize=(5.2, 6.4), layout="constrained")
    grid = figure.add_gridspec(2, len(panels) - 1, height_ratios=(1.7, 1.0))
    places = [grid[0, :], *(grid[1, column] for column in range(len(panels) - 1))]
    for letter, panel, place in zip("abcdef", panels, places, strict=False):
        ax = figure.add_subplot(place)
        _panel(ax, panel)
        ax.set_title(f"({letter}) $p = {panel.degree}$", fontsize="medium", loc="left")
    _legend(figure, panels)
    return figure


def _panel(ax: Axes, panel: Panel) -> None:
    _shade(ax, panel.broken)
    for lines, dashes, width in ((panel.symmetric, style.DASHES[1], 1.1), (panel.broken, "-", 1.5)):
        for name, (loads, temperatures) in lines.items():
            shown = ":" if name == "stability" else dashes
            ax.plot(loads, temperatures, color=_colour(name), linestyle=shown, linewidth=width, zorder=3)
    for number, found in enumerate(panel.crossings):
        ax.plot(*found.expected, color="0.35", linewidth=0.7, zorder=4)
        ax.errorbar(
            found.loads,
            found.temperatures,
            found.errors,
            color="black",
            marker=style.MARKERS[number],
            markersize=4,
            markerfacecolor="white" if number % 2 else "black",
            linestyle="none",
            linewidth=0.9,
            capsize=2,
            zorder=5,
        )
    halo = [withStroke(linewidth=2.5, foreground="white")]
    for name, load, temperature in panel.names:
        ax.text(load, temperature, name, ha="center", va="center", fontsize="small", path_effects=halo, zorder=6)
    loads, temperatures = panel.broken["spinodal"]
    ax.set_xlim(0, 1.3 * loads.max())
    ax.set_ylim(0, 1.08 * temperatures.max())
    ax.locator_params(nbins=5)
    ax.ticklabel_format(axis="x", style="sci", scilimits=(-2, 2))
    ax.set_xlabel(f"load $\\alpha = K/N^{panel.degree - 1}$")
    ax.set_ylabel("temperature $T$")
    ax.spines[["top", "right"]].set_visible(False)


def _shade(ax: Axes, lines: dict[str, Line]) -> None:
    for order, (name, tint) in enumerate((("dynamic", DYNAMIC), ("static", GLASS))):
        loads, temperatures = lines[name]
        ax.fill_between(loads, 0, temperatures, color=tint, linewidth=0, zorder=order)
    for order, (name, tint) in enumerate((("spinodal", METASTABLE), ("coexistence", RETRIEVAL)), 2):
        loads, temperatures = lines[name]
        ax.fill_betweenx(temperatures, 0, loads, color=tint, linewidth=0, zorder=order / 2)


def _colour(name: str) -> str:
    return style.COLOURS[PLACES[name]]


def _legend(figure: Figure, panels: Sequence[Panel]) -> None:
    handles = [Line2D([], [], color=_colour(name), label=symbol) for name, symbol in SYMBOLS.items()]
    handles[PLACES["stability"]].set_linestyle(":")
    handles += [
        Line2D([], [], color="0.3", linestyle="-", label="1RSB"),
        Line2D([], [], color="0.3", linestyle=style.DASHES[1], linewidth=1.1, label="RS"),
    ]
    for number, found in enumerate(panels[0].crossings):
        face = "white" if number % 2 else "black"
        mark: dict[str, Any] = {
            "marker": style.MARKERS[number],
            "markerfacecolor": face,
            "markersize": 4.0,
            "linewidth": 0.7,
        }
        handles.append(Line2D([], [], color="black", label=f"$N = {found.neurons}$", **mark))
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False, fontsize="small")
