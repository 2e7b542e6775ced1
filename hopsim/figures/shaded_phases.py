"""A phase diagram with its phases shaded and named in place, and simulated points marked by the phase they are in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from . import style

Floats = NDArray[np.float64]
TINTS = {
    "paramagnet": "#f5f5f5",
    "glass": "#e6e6e6",
    "spinodal": "#d9effb",
    "coexistence": "#a9d3ee",
}
SYMBOLS = {"glass": "$T_g$", "spinodal": "$T_M$", "coexistence": "$T_c$", "stability": "$T_R$"}
MARKS: dict[str, dict[str, Any]] = {
    "retrieval": {"marker": "o", "markerfacecolor": "black"},
    "metastable retrieval": {"marker": "o", "fillstyle": "left", "markerfacecoloralt": "white"},
    "spin glass": {"marker": "^", "markerfacecolor": "0.6"},
    "paramagnet": {"marker": "s", "markerfacecolor": "white"},
}


@dataclass(frozen=True)
class Label:
    """A text in the plane."""

    text: str
    load: float
    temperature: float


def draw(
    ax: Axes,
    lines: Mapping[str, tuple[Floats, Floats]],
    labels: Sequence[Label],
    points: Mapping[str, tuple[Floats, Floats]],
    largest: tuple[float, float],
) -> None:
    """Lines (loads, temperatures) by name, shaded below T_g and left of T_M and T_c; points by the name of a phase."""
    ax.set_facecolor(TINTS["paramagnet"])
    loads, temperatures = lines["glass"]
    ax.fill_between(loads, 0, temperatures, color=TINTS["glass"], linewidth=0, zorder=0.5)
    for name in ("spinodal", "coexistence"):
        loads, temperatures = lines[name]
        ax.fill_betweenx(temperatures, 0, loads, color=TINTS[name], linewidth=0, zorder=0.6)
    for number, (name, (loads, temperatures)) in enumerate(lines.items()):
        colour, dashes = style.COLOURS[number], style.DASHES[number]
        ax.plot(loads, temperatures, color=colour, linestyle=dashes, linewidth=1.5, label=SYMBOLS[name], zorder=2)
    for label in labels:
        place = (label.load, label.temperature)
        ax.text(*place, label.text, ha="center", va="center", fontsize="small", zorder=3)
    for phase, (loads, temperatures) in points.items():
        ax.plot(loads, temperatures, color="black", markersize=5, linestyle="none", zorder=4, **MARKS[phase])
    ax.set_xlim(0, largest[0])
    ax.set_ylim(0, largest[1])
    ax.set_xlabel(r"load $\alpha = K/N$")
    ax.set_ylabel("temperature $T$")


def marks() -> list[Line2D]:
    """Handles of a legend for the points."""
    black: dict[str, Any] = {"color": "black", "markersize": 5, "linestyle": "none"}
    return [Line2D([], [], label=phase, **black, **mark) for phase, mark in MARKS.items()]
