"""One update of a softmax memory: how far it ends from the pattern, and from the fixed point, with what is proven."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from . import style

Floats = NDArray[np.float64]
SHOWN = (1e-9, 30.0)


@dataclass(frozen=True)
class Line:
    """A bound, or exact where patterns have one overlap, at separations."""

    name: str
    separation: Floats
    value: Floats


@dataclass(frozen=True)
class Cloud:
    """Measured values, one a pattern."""

    name: str
    separation: Floats
    value: Floats


@dataclass(frozen=True)
class Panel:
    """Clouds and lines with the label of what they are; `stored`: separation from which patterns are proven stored."""

    label: str
    clouds: Sequence[Cloud]
    lines: Sequence[Line]
    stored: float


def draw(panels: Sequence[Panel], title: str) -> Figure:
    """A panel each, in logarithms: markers measured, lines bounds; dotted from where patterns are proven stored."""
    figure = Figure(figsize=(7.4, 3.9), layout="constrained")
    for ax, panel in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        _panel(ax, panel)
    figure.suptitle(title, fontsize="medium")
    return figure


def _panel(ax: Axes, panel: Panel) -> None:
    for place, cloud in enumerate(panel.clouds):
        ax.plot(cloud.separation, cloud.value, linestyle="none", marker=style.MARKERS[place], markersize=3,
                color=style.COLOURS[place], alpha=0.55, markeredgewidth=0, label=cloud.name)  # fmt: skip
    for place, line in enumerate(panel.lines):
        ax.plot(line.separation, line.value, color=("black", "black", "0.45")[place], linestyle=style.DASHES[place],
                linewidth=1.3, label=line.name)  # fmt: skip
    ax.axvline(panel.stored, color="0.4", linestyle=":", linewidth=1.2)
    ax.annotate("proven stored", (panel.stored, 1e-6), (3, 0), textcoords="offset points", fontsize="x-small",
                va="bottom", rotation=90, color="0.3")  # fmt: skip
    ax.set_yscale("log")
    ax.set_ylim(*SHOWN)
    ax.set_xlim(0, max(float(line.separation.max()) for line in panel.lines))
    ax.set_xlabel(r"separation $\Delta_i$")
    ax.set_ylabel(panel.label)
    ax.legend(fontsize="x-small", loc="lower left", framealpha=1.0, edgecolor="none")
    ax.spines[["top", "right"]].set_visible(False)
