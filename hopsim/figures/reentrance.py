"""Where retrieval ends close to T = 0, step by step of replica symmetry breaking, and what each step leaves over."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, MaxNLocator
from numpy.typing import NDArray

from . import style

Floats = NDArray[np.float64]
TINT = "#cfe5f3"
ORIGIN = 0.138  # loads are drawn as distances to it
SHOWN, CLOSE = (0.1378, 0.1383), (0.138184, 0.1382005)
NAMES = ("RS", "1RSB", "2RSB", "3RSB")


@dataclass(frozen=True)
class Data:
    """Per number of steps k = 0, 1, ... temperatures and capacities; T_R; capacities at T = 0 with their limit.

    reentrance has the largest capacity at any T less that at T = 0 for k = 0, 1, ...; printed are capacities at T = 0
    of a paper for k = 0, 1, ...
    """

    lines: list[tuple[Floats, Floats]]
    stability: tuple[Floats, Floats]
    ladder: Floats
    limit: float
    reentrance: Floats
    printed: tuple[float, ...]


def draw(data: Data) -> Figure:
    """Above, all lines and the phases; below, the lines that nearly coincide, and the distances against k."""
    figure = Figure(figsize=(5.2, 5.6), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1.15, 1.0))
    whole, close, steps = figure.add_subplot(grid[0, :]), figure.add_subplot(grid[1, 0]), figure.add_subplot(grid[1, 1])
    _plane(whole, data)
    _close(close, data)
    _steps(steps, data)
    for letter, ax in zip("abc", (whole, close, steps), strict=True):
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_title(f"({letter})", loc="left", fontsize="medium")
    return figure


def _plane(ax: Axes, data: Data) -> None:
    temperatures, loads = data.lines[1]
    above, beyond = data.lines[0][0] > temperatures[-1], data.lines[0][1]
    T = np.concatenate([[0.0], temperatures[1:], data.lines[0][0][above]])
    edge = np.concatenate([[data.limit], loads[1:], beyond[above]])
    ax.fill_betweenx(T, _shifted(SHOWN[0]), _shifted(edge), color=TINT, linewidth=0)
    _lines(ax, data)
    ax.plot(
        _shifted(data.stability[1]), data.stability[0], color="0.35", linestyle=":", linewidth=1.2, label=r"$T_R$ of RS"
    )
    ax.set_xlim(_shifted(SHOWN[0]), _shifted(SHOWN[1]))
    ax.set_ylim(0, 0.05)
    _on_axis(ax, data)
    ax.annotate(r"$k \to \infty$", (_shifted(data.limit), 0.0), (8, 4), textcoords="offset points", fontsize="small")
    ax.text(_shifted(0.13788), 0.032, "retrieval", ha="center", fontsize="small")
    ax.text(_shifted(0.13823), 0.036, "no retrieval", ha="center", fontsize="small")
    _label(ax)
    ax.legend(frameon=False, fontsize="small", loc="lower left", labelspacing=0.25)


def _close(ax: Axes, data: Data) -> None:
    _lines(ax, data)
    ax.set_xlim(_shifted(CLOSE[0]), _shifted(CLOSE[1]))
    ax.set_ylim(0, 0.026)
    _on_axis(ax, data)
    ax.annotate("printed", (_shifted(data.printed[-1]), 0.0), (-22, 9), textcoords="offset points", fontsize="small")
    _label(ax)
    ax.xaxis.set_major_locator(MaxNLocator(4))


def _lines(ax: Axes, data: Data) -> None:
    for k, (temperatures, loads) in enumerate(data.lines):
        style_of: dict[str, Any] = {"color": style.COLOURS[k], "linestyle": style.DASHES[k], "linewidth": 1.5}
        ax.plot(_shifted(loads), temperatures, label=NAMES[k], **style_of)


def _on_axis(ax: Axes, data: Data) -> None:
    """At T = 0 what was printed, as crosses, and the limit, as a star, where they are within the axes."""
    shown = ax.get_xlim()
    points = [*((load, "x", 6, style.COLOURS[k]) for k, load in enumerate(data.printed)), (data.limit, "*", 9, "black")]
    for load, marker, size, colour in points:
        if shown[0] <= _shifted(load) <= shown[1]:
            mark: dict[str, Any] = {
                "marker": marker,
                "markersize": size,
                "markeredgewidth": 1.5,
                "color": colour,
                "linestyle": "",
            }
            ax.plot(_shifted(load), 0.0, clip_on=False, zorder=5, **mark)


def _steps(ax: Axes, data: Data) -> None:
    missing = data.limit - data.ladder
    k = np.arange(missing.size)
    ax.semilogy(k, missing, marker="o", color=style.COLOURS[0], linewidth=0.8, label=r"$\alpha_\infty - \alpha_k$")
    found = np.arange(data.reentrance.size)
    ax.semilogy(
        found,
        data.reentrance,
        marker="s",
        markerfacecolor="white",
        color=style.COLOURS[1],
        linestyle="--",
        linewidth=0.8,
        label="reentrance",
    )
    ax.set_xticks(k)
    ax.set_xlabel("steps $k$")
    ax.set_ylabel("difference of loads")
    ax.set_ylim(bottom=1e-7)
    ax.legend(frameon=False, fontsize="small")


def _label(ax: Axes) -> None:
    ax.set_xlabel(rf"$10^4\,(\alpha - {ORIGIN:g})$")
    ax.set_ylabel("temperature $T$")
    ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))


def _shifted(load: Any) -> Any:
    return (load - ORIGIN) * 1e4
