"""The phase diagram of a network: every line in the plane of load and temperature, and the names of the phases."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
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
RESOLUTION = 160
NAME = (0.08, 0.32)  # height and width of a name, as parts of those of the axes
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
        ax.text(load, temperature, name, ha="center", va="center", fontsize="small", color="0.25")
    ax.set_xlim(0, data.largest[0])
    ax.set_ylim(0, data.largest[1])
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
    slope, at_zero = np.polyfit(np.sqrt(loads), temperatures, 1)
    del slope
    return np.concatenate([[0.0], loads]), np.concatenate([[max(float(at_zero), 0.0)], temperatures])


def _names(lines: dict[str, tuple[Floats, Floats]], largest: tuple[float, float]) -> list[tuple[str, float, float]]:
    load, temperature = (np.linspace(0, end, RESOLUTION + 2)[1:-1] for end in largest)
    phases = _phases(lines, *np.meshgrid(load, temperature))
    found = []
    for phase in np.unique(phases):
        room = distance_transform_edt(np.pad(phases == phase, 1), sampling=[1 / RESOLUTION / size for size in NAME])
        row, column = np.unravel_index(np.argmax(room), room.shape)
        if room[row, column] > ROOM:
            found.append((str(phase), float(load[column - 1]), float(temperature[row - 1])))
    return found


def _phases(lines: dict[str, tuple[Floats, Floats]], load: Floats, temperature: Floats) -> NDArray[np.str_]:
    """The name of the phase at every point."""

    def left_of(name: str) -> NDArray[np.bool_]:
        if name not in lines:
            return np.zeros(load.shape, dtype=np.bool_)
        loads, temperatures = lines[name]
        return load < np.interp(temperature, temperatures, loads, right=0.0)

    def below(name: str) -> NDArray[np.bool_]:
        return temperature < np.interp(load, *lines[name])

    phases = np.full(load.shape, "paramagnet" if any(name in lines for name in OF_GLASS) else "disordered", dtype="U24")
    if "dynamic" in lines:
        phases[below("dynamic")] = "dynamical glass"
    for name in ("static", "glass"):
        if name in lines:
            phases[below(name)] = "spin glass"
    phases[left_of("spinodal")] = "metastable\nretrieval"
    phases[left_of("coexistence")] = "retrieval"
    return phases
