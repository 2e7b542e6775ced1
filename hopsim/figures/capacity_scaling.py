"""Errors of retrieval at T = 0 against load at several sizes, and the capacity that they have for N → ∞."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from . import style

Floats = NDArray[np.float64]
HOLLOW = 3  # sizes; markers of the larger ones are filled


@dataclass(frozen=True)
class Size:
    """Simulated at one size: (1-m)/2 at `loads`, fractions retrieved at `near`, α_half; each with standard errors."""

    neurons: int
    loads: Floats
    errors: tuple[Floats, Floats]
    near: Floats
    retrieved: tuple[Floats, Floats]
    half: tuple[float, float]


@dataclass(frozen=True)
class Data:
    """What is drawn; branch has loads and errors of theory, extrapolated is α_half = first + second N^(-1/2)."""

    sizes: list[Size]
    branch: tuple[Floats, Floats]
    extrapolated: tuple[float, float]
    error: float


def draw(data: Data) -> Figure:
    """Above the errors; below the fractions retrieved and the extrapolation. Sizes by marker and shade."""
    figure = Figure(figsize=(5.2, 5.6), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1.25, 1.0))
    axes = [figure.add_subplot(place) for place in (grid[0, :], grid[1, 0], grid[1, 1])]
    for panel, letter, ax in zip((_errors, _fractions, _extrapolation), "abc", axes, strict=True):
        panel(ax, data)
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_title(f"({letter})", loc="left", fontsize="medium")
    return figure


def _errors(ax: Axes, data: Data) -> None:
    loads, errors = data.branch
    ax.semilogy(loads, errors, color="black", linewidth=1.4, label="RS theory")
    ax.vlines(loads[-1], errors[-1], 0.5, color="black", linestyle=":", linewidth=1.0)
    ax.axhline(0.5, color="0.5", linewidth=0.8)
    ax.text(0.02, 0.5, "no overlap", va="bottom", fontsize="small", transform=ax.get_yaxis_transform())
    ax.text(loads[-1], 0.08, "capacity ", ha="right", va="center", fontsize="small")
    for number, size in enumerate(data.sizes):
        ax.errorbar(size.loads, *size.errors, label=f"$N = {size.neurons}$", **_mark(number))
    ax.annotate("remanence", (0.25, 0.11), ha="center", fontsize="small")
    ax.set_ylim(3e-5, 0.9)
    ax.set_xlabel(r"load $\alpha = K/N$")
    ax.set_ylabel("fraction of errors $(1-m)/2$")
    ax.legend(frameon=False, fontsize="small", loc="lower right")


def _fractions(ax: Axes, data: Data) -> None:
    ax.axhline(0.5, color="0.6", linewidth=0.7)
    for number, size in enumerate(data.sizes):
        ax.errorbar(size.near, *size.retrieved, **_mark(number) | {"linestyle": "-", "linewidth": 0.7})
    ax.axvline(float(data.branch[0][-1]), color="black", linestyle=":", linewidth=1.0)
    ax.set_ylim(-0.03, 1.03)
    ax.locator_params(axis="x", nbins=4)
    ax.set_xlabel(r"load $\alpha$")
    ax.set_ylabel("fraction retrieved")


def _extrapolation(ax: Axes, data: Data) -> None:
    first, slope = data.extrapolated
    for number, size in enumerate(data.sizes):
        ax.errorbar([size.neurons**-0.5], [size.half[0]], [size.half[1]], **_mark(number))
    x = np.array([0.0, 1.05 * data.sizes[0].neurons ** -0.5])
    ax.plot(x, first + slope * x, color=style.COLOURS[0], linewidth=1.0, linestyle="--")
    star: dict[str, Any] = {"marker": "*", "markersize": 9, "color": style.COLOURS[0], "capsize": 2, "clip_on": False}
    ax.errorbar([0.0], [first], [data.error], linestyle="none", **star)
    capacity = float(data.branch[0][-1])
    ax.axhline(capacity, color="black", linestyle=":", linewidth=1.0)
    ax.text(x[1], capacity, "RS theory", ha="right", va="bottom", fontsize="small")
    ax.set_xlim(0, x[1])
    ax.set_xlabel("$N^{-1/2}$")
    ax.set_ylabel(r"$\alpha$ where half retrieve")


def _mark(number: int) -> dict[str, Any]:
    """How a size is marked."""
    return {
        "marker": style.MARKERS[number],
        "color": style.COLOURS[number],
        "markerfacecolor": "white" if number < HOLLOW else style.COLOURS[number],
        "markersize": 4.5,
        "linestyle": "none",
        "linewidth": 0.9,
        "capsize": 2,
    }
