"""Phases of a multitasking network at low load: the state of lowest free energy against dilution and temperature."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ..errors import whole
from ..theory.dilution_phases import FOLLOWED, dilution_line, low_load_phases, pure_stability
from ..theory.finite_patterns import FROZEN, State
from . import style

Floats = NDArray[np.float64]
TINTS = ("#f2f2f2", "#cfe5f3", "#f9dcc4", "#c9ebdf", "#f1d9e7", "#d9effb", "#fae6b8", "#dddddd", "#e3dcf3", "#cde7c5")
LEAST, MOST = 1e-3, 0.08  # temperatures of the spinodal and coexistence lines: they end below the larger one
LINES = {"spinodal": "hierarchical state ends", "coexistence": "it is the lowest up to here"}


@dataclass(frozen=True)
class Data:
    """What is drawn: the number of a phase in `names` at every point (-1 where none was found), and lines."""

    patterns: int
    dilutions: Floats
    temperatures: Floats
    phases: NDArray[np.int64]
    names: list[str]
    lines: dict[str, tuple[Floats, Floats]]


def collect(*, patterns: int, points: int = 60) -> Data:
    """The phases of K patterns on a grid of points x points, and the lines of the hierarchical and the pure state."""
    patterns, points = whole("patterns in a figure", patterns, 2, FROZEN), whole("points", points, 2)
    dilutions, temperatures = ((np.arange(points) + 0.5) / points for _ in range(2))
    grid = low_load_phases(patterns=patterns, dilutions=dilutions.tolist(), temperatures=temperatures.tolist())
    found = [[_name(states[0]) if states else "" for states in row] for row in grid.stable]
    names = sorted({name for row in found for name in row if name}, key=_rank)
    numbers = {name: number for number, name in enumerate(names)} | {"": -1}
    phases = np.array([[numbers[name] for name in row] for row in found])
    lines = {"pure state unstable": pure_stability()}
    cold = np.geomspace(LEAST, MOST, 2 + points // 3) if patterns <= FOLLOWED else np.empty(0)
    cold = np.concatenate([[0.0], cold])
    for line, label in LINES.items():
        rows = dilution_line(patterns=patterns, line=line, temperatures=cold.tolist())
        there = [(row.dilution, row.temperature) for row in rows if row.dilution is not None]
        lines[label] = (np.array([d for d, _ in there]), np.array([T for _, T in there]))
    return Data(patterns, dilutions, temperatures, phases, names, lines)


def draw(data: Data, ax: Axes | None = None) -> Figure:
    """Tint by phase; T = 1-d solid, other lines by dash."""
    ax = ax if ax is not None else style.axes(width=6.4)
    shown = np.ma.masked_less(data.phases, 0)
    colours = ListedColormap(TINTS[: len(data.names)])
    steps = Normalize(-0.5, len(data.names) - 0.5)
    ax.pcolormesh(data.dilutions, data.temperatures, shown, cmap=colours, norm=steps, rasterized=True)
    handles: list[Patch | Line2D] = [
        Patch(color=tint, label=name) for tint, name in zip(TINTS, data.names, strict=False)
    ]
    lines = {"$T_c = 1-d$": (np.array([0.0, 1.0]), np.array([1.0, 0.0]))} | data.lines
    for number, (label, (d, T)) in enumerate(lines.items()):
        colour = style.COLOURS[-1 if number == 0 else number - 1]
        (curve,) = ax.plot(d, T, linewidth=1.4, label=label, color=colour, linestyle=style.DASHES[number])
        if len(d) == 1:
            curve.set(marker=style.MARKERS[number], clip_on=False, zorder=3)
        handles.append(curve)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xlabel("dilution $d$")
    ax.set_ylabel("temperature $T$")
    ax.set_title(f"multitasking network, $K = {data.patterns}$, low load", fontsize="medium")
    ax.legend(handles=handles, frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return style.figure_of(ax)


def _name(state: State) -> str:
    if state.kind in ("paramagnet", "pure"):
        return state.kind
    return f"{'equal' if state.kind == 'symmetric' else state.kind}, {state.retrieved} patterns"


def _rank(name: str) -> tuple[int, str]:
    order = ("paramagnet", "pure", "hierarchical", "mixed", "parallel", "equal")
    return order.index(name.split(",")[0]), name
