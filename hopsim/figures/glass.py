"""The m = 0 free energy against temperature, split into its hard (Ising) and soft (Gaussian) glass."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ..errors import Refused
from ..interactions import Power
from ..networks import Law
from ..theory import crosstalk
from ..theory.glass_decomposition import decompose
from . import style

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """The free energy of one law and its parts."""

    series: str
    temperature: Floats
    free_energy: Floats
    hard: Floats
    soft: Floats


@dataclass(frozen=True)
class Data:
    """What is drawn: the curves of several laws at one load."""

    title: str
    curves: list[Curves]


def collect(laws: Sequence[Law], *, load: float, temperatures: Sequence[float]) -> Data:
    """The parts of each law at a load α, each in its own scaling K = α N^(p-1)."""
    if len(laws) == 0 or len(temperatures) == 0:
        raise Refused("nothing to draw: give at least one law and one temperature")
    return Data(
        rf"spin glass and paramagnet, $\alpha = {load:g}$ (RS)", [_curves(law, load, temperatures) for law in laws]
    )


def draw(data: Data, ax: Axes | None = None) -> Figure:
    """Colour by law; thin solid f, dashed soft part, broad pale hard part, so that one that is all of f shows."""
    ax = ax if ax is not None else style.axes()
    colours = dict(zip((c.series for c in data.curves), cycle(style.COLOURS), strict=False))
    for curves in data.curves:
        colour = colours[curves.series]
        ax.plot(curves.temperature, curves.hard, color=colour, linewidth=5, alpha=0.3, solid_capstyle="butt", zorder=1)
        ax.plot(curves.temperature, curves.soft, color=colour, linestyle=style.DASHES[1], linewidth=1.2, zorder=2)
        ax.plot(curves.temperature, curves.free_energy, color=colour, linewidth=1.4, zorder=3)
    ax.set_xlabel("temperature $T$")
    ax.set_ylabel("free energy per neuron")
    ax.set_xlim(left=0)
    ax.set_title(data.title, fontsize="medium")
    _legend(ax, colours)
    return style.figure_of(ax)


def _legend(ax: Axes, colours: dict[str, str]) -> None:
    shown = [Line2D([], [], color=colour, label=series) for series, colour in colours.items()]
    shown += [
        Line2D([], [], color="0.3", linewidth=1.4, label="$f$ = hard + soft"),
        Line2D([], [], color="0.3", linewidth=5, alpha=0.3, label="hard glass"),
        Line2D([], [], color="0.3", linewidth=1.2, linestyle=style.DASHES[1], label="soft glass"),
    ]
    ax.legend(handles=shown, frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))


def _curves(law: Law, load: float, temperatures: Sequence[float]) -> Curves:
    parts = [decompose(law, load=load, temperature=temperature) for temperature in temperatures]
    hard, soft = np.array([part.hard for part in parts]), np.array([part.soft for part in parts])
    return Curves(_series(law), np.array(temperatures, dtype=float), hard + soft, hard, soft)


def _series(law: Law) -> str:
    interaction = law.interaction
    indices = f", {interaction.indices} indices" if isinstance(interaction, Power) else ""
    return f"$p = {crosstalk.noise(law).degree}${indices}"
