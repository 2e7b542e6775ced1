"""Phases of a multitasking network at low load: the state of lowest free energy against dilution and temperature."""

import string
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from ..errors import whole
from ..theory.dilution_phases import dilution_line, low_load_phases, pure_stability
from ..theory.finite_patterns import MOST, State
from . import style

Floats = NDArray[np.float64]
TINTS = (
    "#f2f2f2",
    "#cfe5f3",
    "#f9dcc4",
    "#c9ebdf",
    "#f1d9e7",
    "#d9effb",
    "#fae6b8",
    "#dddddd",
    "#e3dcf3",
    "#cde7c5",
    "#ecdccb",
    "#c6d3ee",
    "#f7cfcf",
    "#e4ecb4",
    "#bfe3e8",
)
EDGE = "0.45"
COLDEST, WARMEST = 1e-3, 0.08  # temperatures of the spinodal and coexistence lines: they end below the larger one
FEW = 5  # patterns, of which a point takes milliseconds
JUMPING = 6  # patterns; with more, there is no jump at COLDEST and above
ROOM = 30  # a letter needs one in so many of the points along an axis, from its middle to the edge
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


def collect(*, patterns: int, points: int | None = None) -> Data:
    """The phases of K patterns on a grid of points x points, and the lines of the hierarchical and the pure state.

    Without `points` the grid is one that takes about a minute: 60 x 60 up to K = 5, else 30 x 30.
    """
    patterns = whole("patterns in a figure", patterns, 2, MOST)
    points = whole("points", (60 if patterns <= FEW else 30) if points is None else points, 2)
    dilutions, temperatures = ((np.arange(points) + 0.5) / points for _ in range(2))
    grid = low_load_phases(patterns=patterns, dilutions=dilutions.tolist(), temperatures=temperatures.tolist())
    found = [[_name(states[0]) if states else "" for states in row] for row in grid.stable]
    names = sorted({name for row in found for name in row if name}, key=_rank)
    numbers = {name: number for number, name in enumerate(names)} | {"": -1}
    phases = np.array([[numbers[name] for name in row] for row in found])
    lines = {"pure state unstable": pure_stability()}
    warm = np.geomspace(COLDEST, WARMEST, 2 + points // 3) if patterns <= JUMPING else np.empty(0)
    cold = np.concatenate([[0.0], warm])
    for line, label in LINES.items():
        rows = dilution_line(patterns=patterns, line=line, temperatures=cold.tolist())
        there = [(row.dilution, row.temperature) for row in rows if row.dilution is not None]
        lines[label] = (np.array([d for d, _ in there]), np.array([T for _, T in there]))
    return Data(patterns, dilutions, temperatures, phases, names, lines)


def draw(data: Data, ax: Axes | None = None) -> Figure:
    """Phases tinted, outlined and lettered, as in the legend; T = 1-d solid, other lines by dash."""
    ax = ax if ax is not None else style.axes(width=6.8, height=4.2)
    d, T, shown = _continued(data)
    tints = [TINTS[number % len(TINTS)] for number in range(len(data.names))]
    steps = Normalize(-0.5, len(tints) - 0.5)
    found = np.ma.masked_less(data.phases, 0)
    ax.pcolormesh(data.dilutions, data.temperatures, found, cmap=ListedColormap(tints), norm=steps, rasterized=True)
    handles: list[tuple[Artist, ...]] = []
    for number, (name, tint) in enumerate(zip(data.names, tints, strict=True)):
        letter, region = string.ascii_lowercase[number], shown == number
        if name == "paramagnet":
            ax.fill([0, 1, 1], [1, 1, 0], color=tint, linewidth=0, zorder=1.5)
            ax.text(0.7, 0.7, letter, ha="center", va="center", weight="bold")
        elif region.any():
            ax.contourf(d, T, region, levels=[0.5, 1.5], colors=[tint], zorder=1.1)
            ax.contour(d, T, region, levels=[0.5], colors=EDGE, linewidths=0.6, zorder=1.2)
            _letter(ax, data, number, letter)
        mark = Line2D(
            [], [], linestyle="", marker=f"$\\mathrm{{{letter}}}$", color="black", markersize=6, markeredgewidth=0.3
        )
        handles.append((Patch(facecolor=tint, edgecolor=EDGE, linewidth=0.6), mark))
    labels = list(data.names)
    lines = {"$T_c = 1-d$": (np.array([0.0, 1.0]), np.array([1.0, 0.0]))} | data.lines
    for number, (label, (d, T)) in enumerate(lines.items()):
        if len(d) == 0:
            continue
        colour = style.COLOURS[-1 if number == 0 else number - 1]
        (curve,) = ax.plot(d, T, linewidth=1.4, label=label, color=colour, linestyle=style.DASHES[number])
        if number > 1:
            curve.set(marker=style.MARKERS[number], markersize=4, markevery=[0], clip_on=False, zorder=3)
        handles.append((curve,))
        labels.append(label)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xlabel("dilution $d$")
    ax.set_ylabel("temperature $T$")
    ax.set_title(f"multitasking network, $K = {data.patterns}$, low load: lowest state", fontsize="medium")
    ax.legend(handles, labels, frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return style.figure_of(ax)


def _continued(data: Data) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Phases at T < 1-d continued upwards and to the axes, so that no region ends where the grid does."""
    shown = data.phases.copy()
    for row in range(1, len(shown)):
        above = data.temperatures[row] > 1 - data.dilutions - 1e-9  # what is on the line is not below it
        shown[row, above] = shown[row - 1, above]
    d, T = (np.concatenate([[0.0], axis, [1.0]]) for axis in (data.dilutions, data.temperatures))
    return d, T, np.pad(shown, 1, mode="edge")


def _letter(ax: Axes, data: Data, number: int, letter: str) -> None:
    """The letter of a phase where its region at T < 1-d is widest, if there is room for it."""
    inside = (data.phases == number) & (data.temperatures[:, None] < 1 - data.dilutions)
    depth = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    if depth[row, column] * ROOM >= len(data.dilutions):
        ax.text(data.dilutions[column], data.temperatures[row], letter, ha="center", va="center", weight="bold")


def _name(state: State) -> str:
    if state.kind in ("paramagnet", "pure"):
        return state.kind
    return f"{'equal' if state.kind == 'symmetric' else state.kind}, {state.retrieved} patterns"


def _rank(name: str) -> tuple[int, str]:
    order = ("paramagnet", "pure", "hierarchical", "mixed", "parallel", "equal")
    return order.index(name.split(",")[0]), name
