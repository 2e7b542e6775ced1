"""The phase diagram of a network: every line in the plane of load and temperature, and the names of the phases."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from ..networks import Law
from ..theory.boundaries import Boundary
from ..theory.phases import PhaseDiagram
from . import style
from .names import law_name, load_label

Floats = NDArray[np.float64]
SYMBOLS = {
    "spinodal": r"$T_M$ retrieval appears",
    "coexistence": r"$T_c$ retrieval dominates",
    "stability": r"$T_R$ replica symmetry of retrieval",
    "glass": r"$T_g$ spin glass",
    "dynamic": r"$T_d$ dynamical glass",
    "static": r"$T_K$ static glass",
}
OF_GLASS = ("glass", "dynamic", "static")
# beyond a line; what comes later hides what comes before
PHASES = {
    "dynamic": "dynamical glass",
    "static": "spin glass",
    "glass": "spin glass",
    "spinodal": "metastable\nretrieval",
    "coexistence": "retrieval",
}
RESOLUTION = 160
NAME = (0.12, 0.32)  # height and width of a name, as parts of those of the axes
ROOM = 0.4  # distance to other phases that a name needs, in sizes of the name


@dataclass(frozen=True)
class Data:
    """What is drawn: loads and temperatures of each line, and where each phase has its name."""

    title: str
    xlabel: str
    lines: dict[str, tuple[Floats, Floats]]
    names: list[tuple[str, float, float]]
    largest: tuple[float, float]


def collect(law: Law, diagram: PhaseDiagram, ansatz: str) -> Data:
    """The lines of a diagram and the places of the names, each the point of its phase farthest from all others."""
    lines = {name: _curve(name, points) for name, points in diagram.lines.items()}
    largest = (diagram.largest_load, 1.08 * max(float(temperatures.max()) for _, temperatures in lines.values()))
    return Data(f"{law_name(law)} ({ansatz})", load_label([law]), lines, _names(lines, largest), largest)


def draw(data: Data, ax: Axes | None = None) -> Figure:
    """Lines by colour and dash, phases by name."""
    ax = ax if ax is not None else style.axes()
    for number, (name, (loads, temperatures)) in enumerate(data.lines.items()):
        colour, dashes = style.COLOURS[number], style.DASHES[number % len(style.DASHES)]
        ax.plot(loads, temperatures, linewidth=1.5, label=SYMBOLS[name], color=colour, linestyle=dashes)
    for name, load, temperature in data.names:
        halo = [withStroke(linewidth=3, foreground="white")]
        ax.text(load, temperature, name, ha="center", va="center", fontsize="small", color="0.25", path_effects=halo)
    ax.set_xlim(0, data.largest[0])
    ax.set_ylim(0, data.largest[1])
    ax.locator_params(axis="x", nbins=5)
    ax.ticklabel_format(axis="x", style="sci", scilimits=(-3, 3))
    ax.set_xlabel(data.xlabel)
    ax.set_ylabel("temperature $T$")
    ax.set_title(data.title, fontsize="medium")
    ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return style.figure_of(ax)


def _curve(name: str, points: list[Boundary]) -> tuple[Floats, Floats]:
    loads = np.array([point.load for point in points])
    temperatures = np.array([point.temperature for point in points])
    if name in OF_GLASS and len(points) > 1:
        return _to_zero(loads, temperatures)
    return loads, temperatures


def _to_zero(loads: Floats, temperatures: Floats) -> tuple[Floats, Floats]:
    """A line of the m = 0 states with its end at zero load: T - T(0) grows like √α."""
    at_zero = np.polyfit(np.sqrt(loads), temperatures, 1)[1]
    return np.concatenate([[0.0], loads]), np.concatenate([[max(float(at_zero), 0.0)], temperatures])


def _names(lines: dict[str, tuple[Floats, Floats]], largest: tuple[float, float]) -> list[tuple[str, float, float]]:
    """Where each phase has most room between the lines."""
    load, temperature = (np.linspace(0, end, RESOLUTION + 2)[1:-1] for end in largest)
    plane = tuple(np.meshgrid(load, temperature))
    phases, cells = _phases(lines, *plane), sum(2**k * _beyond(name, lines, *plane) for k, name in enumerate(lines))
    found: dict[str, tuple[float, float, float]] = {}
    for cell in np.unique(cells):
        room = distance_transform_edt(np.pad(cells == cell, 1), sampling=[1 / RESOLUTION / size for size in NAME])
        row, column = np.unravel_index(np.argmax(room), room.shape)
        place = (float(room[row, column]), float(load[column - 1]), float(temperature[row - 1]))
        name = str(phases[row - 1, column - 1])
        found[name] = max(found.get(name, (ROOM, 0.0, 0.0)), place)
    return [(name, load, temperature) for name, (room, load, temperature) in found.items() if room > ROOM]


def _beyond(name: str, lines: dict[str, tuple[Floats, Floats]], load: Floats, temperature: Floats) -> NDArray[np.bool_]:
    """The side of a line that a point is on: below those of the glass, at smaller load than those of retrieval."""
    loads, temperatures = lines[name]
    if name in OF_GLASS:
        return np.asarray(temperature < np.interp(load, loads, temperatures))
    return np.asarray(load < np.interp(temperature, temperatures, loads, right=0.0))


def _phases(lines: dict[str, tuple[Floats, Floats]], load: Floats, temperature: Floats) -> NDArray[np.str_]:
    """The name of the phase at every point."""
    phases = np.full(load.shape, "paramagnet" if any(name in lines for name in OF_GLASS) else "disordered", dtype="U24")
    for name, phase in PHASES.items():
        if name in lines:
            phases[_beyond(name, lines, load, temperature)] = phase
    return phases
