"""What key-value memories recall: accuracy over the load at one size, and capacities over sizes."""

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
class Line:
    """Simulated values with standard errors over x, and theory over its own x (empty where there is none)."""

    name: str
    x: Floats
    y: Floats
    error: Floats
    theory: tuple[Floats, Floats]


@dataclass(frozen=True)
class Data:
    """Accuracies over stored/N, and capacities/N over N, by rule; the threshold; the classical capacity for N → ∞."""

    accuracies: Sequence[Line]
    capacities: Sequence[Line]
    threshold: float
    classical: float


def draw(data: Data) -> Figure:
    """Markers are simulations, lines theory; rules have the same look in both panels."""
    figure = Figure(figsize=(8.2, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1.0))
    _accuracies(left, data)
    _capacities(right, data)
    for ax, letter in ((left, "a"), (right, "b")):
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_title(f"({letter})", loc="left", fontsize="medium")
    return figure


def _accuracies(ax: Axes, data: Data) -> None:
    ax.axhline(data.threshold, color="0.5", linestyle=":", linewidth=1.0)
    for number, line in enumerate(data.accuracies):
        _line(ax, line, number)
    ax.set_xscale("log")
    ax.set_xticks([0.1, 0.2, 0.5, 1, 2, 3], ["0.1", "0.2", "0.5", "1", "2", "3"])
    ax.minorticks_off()
    ax.set_ylim(0.6, 1.01)
    ax.annotate(f"{data.threshold:g}", (1.0, data.threshold), (2, 0), xycoords=ax.get_yaxis_transform(),
                textcoords="offset points", va="center", fontsize="small")  # fmt: skip
    ax.set_xlabel("stored / $N$")
    ax.set_ylabel("accuracy")
    ax.legend(frameon=False, fontsize="small", loc="lower left")


def _capacities(ax: Axes, data: Data) -> None:
    for number, line in enumerate(data.capacities):
        _line(ax, line, number)
    ax.axhline(data.classical, color=style.COLOURS[2], linestyle=":", linewidth=1.0)
    ax.annotate(r"Hebb, $N \to \infty$", (0.02, data.classical), (0, -2), textcoords="offset points",
                xycoords=ax.get_yaxis_transform(), va="top", fontsize="x-small", color=style.COLOURS[2])  # fmt: skip
    ax.set_xscale("log")
    ax.set_yscale("log")
    sizes = sorted({int(size) for line in data.capacities for size in line.x})
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.set_xlim(sizes[0] / 1.15, sizes[-1] * 1.15)
    ax.set_yticks([0.1, 0.2, 0.5, 1.0], ["0.1", "0.2", "0.5", "1"])
    ax.minorticks_off()
    ax.set_ylim(0.07, 1.6)
    ax.set_xlabel("size $N$")
    ax.set_ylabel("capacity / $N$")
    ax.legend(frameon=False, fontsize="small", loc="center right", bbox_to_anchor=(1.0, 0.6))


def _line(ax: Axes, line: Line, number: int) -> None:
    colour: Any = style.COLOURS[number]
    ax.plot(*line.theory, color=colour, linestyle=style.DASHES[number], linewidth=1.2)
    ax.errorbar(
        line.x,
        line.y,
        line.error,
        label=line.name,
        color=colour,
        marker=style.MARKERS[number],
        markerfacecolor="white",
        markersize=4.5,
        linestyle="none",
        capsize=2,
    )
