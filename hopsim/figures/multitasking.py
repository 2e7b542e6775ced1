"""Overlaps of all patterns against dilution: a few patterns retrieved together, simulated on top of theory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from .. import theory
from ..comparison import Row, retrieves_together
from ..errors import Refused
from ..patterns import Diluted
from ..points import AnyPoint
from . import style

Floats = NDArray[np.float64]
POINTS = 120  # of a line
LARGEST = 0.97  # dilution of theory
WIDTH, HEIGHT = 2.9, 2.9  # of a panel, in inches


@dataclass(frozen=True)
class Panel:
    """K patterns: overlaps float64[K, dilutions], the largest first, simulated with errors and of theory."""

    patterns: int
    dilutions: Floats
    overlaps: Floats
    errors: Floats
    theory: tuple[Floats, Floats]
    critical: float | None


@dataclass(frozen=True)
class Data:
    """Panels by the number of patterns, and what all have in common; critical is that of T = 0 and None above."""

    title: str
    panels: list[Panel]


def fits(rows: Sequence[Row]) -> bool:
    """Whether rows have all overlaps of a few patterns from the hierarchical start and differ in d and K only."""
    return bool(rows) and all(map(_shown, rows)) and len({_rest(row.point) for row in rows}) == 1


def collect(rows: Sequence[Row]) -> Data:
    """Panels of a table whose rows differ in dilution and the number of patterns only."""
    if not fits(rows):
        raise Refused(
            'nothing to draw: rows must be of 2 to 8 diluted patterns, have start = "hierarchical" and overlaps = true '
            "and differ in dilution and patterns only"
        )
    numbers = sorted({row.point.network.patterns for row in rows})
    panels = [_panel([row for row in rows if row.point.network.patterns == K]) for K in numbers]
    point = rows[0].point
    return Data(f"$T = {point.dynamics.temperature:g}$, $N = {point.network.neurons}$", panels)


def draw(data: Data) -> Figure:
    """Colour and marker by the rank of the overlap, lines theory, points simulation; dotted the critical dilution."""
    figure = Figure(figsize=(WIDTH * len(data.panels) + 0.8, HEIGHT), layout="constrained")
    axes = figure.subplots(1, len(data.panels), sharey=True, squeeze=False)[0]
    for ax, panel in zip(axes, data.panels, strict=True):
        _draw_panel(ax, panel)
    axes[0].set_ylabel(r"overlaps $m_1 \geq m_2 \geq \ldots$")
    figure.suptitle(data.title, fontsize="medium")
    _legend(axes[-1], data)
    return figure


def _draw_panel(ax: Axes, panel: Panel) -> None:
    for k in range(panel.patterns):
        colour, marker = style.COLOURS[k % len(style.COLOURS)], style.MARKERS[k % len(style.MARKERS)]
        ax.plot(panel.theory[0], panel.theory[1][k], color=colour, linewidth=1.3)
        points = (panel.dilutions, panel.overlaps[k], panel.errors[k])
        ax.errorbar(*points, color=colour, marker=marker, markersize=4, linestyle="none", capsize=2, linewidth=0.9)
    if panel.critical is not None:
        ax.axvline(panel.critical, color="0.4", linestyle=":", linewidth=1.0, zorder=0)
    ax.set_xlabel("dilution $d$")
    ax.set_xlim(0, 1)
    ax.set_ylim(-0.02, 1.03)
    ax.set_title(f"$K = {panel.patterns}$", fontsize="medium")


def _legend(ax: Axes, data: Data) -> None:
    most = max(panel.patterns for panel in data.panels)
    shown = [
        Line2D([], [], color=style.COLOURS[k % len(style.COLOURS)], marker=style.MARKERS[k % len(style.MARKERS)],
               linewidth=1.3, markersize=4, label=f"$m_{k + 1}$")
        for k in range(most)
    ]  # fmt: skip
    if any(panel.critical is not None for panel in data.panels):
        shown.append(Line2D([], [], color="0.4", linestyle=":", label="$d_c(K)$"))
    ax.legend(handles=shown, frameon=False, fontsize="small", loc="upper right")


def _shown(row: Row) -> bool:
    return retrieves_together(row.point) and row.point.protocol.start == "hierarchical" and bool(row.ranked)


def _rest(point: AnyPoint) -> tuple[object, ...]:
    return point.network.neurons, point.dynamics, point.protocol


def _panel(rows: list[Row]) -> Panel:
    rows = sorted(rows, key=lambda row: _dilution(row.point))
    point = rows[0].point
    measured = np.array([row.ranked for row in rows], dtype=float)
    K, temperature = point.network.patterns, point.dynamics.temperature
    critical = theory.critical_dilution(K) if temperature == 0 and K > 2 else None
    dilutions = np.array([_dilution(row.point) for row in rows])
    overlaps, errors = measured[:, :, 0].T, np.nan_to_num(measured[:, :, 1].T)
    return Panel(K, dilutions, overlaps, errors, _theory(point), critical)


def _theory(point: AnyPoint) -> tuple[Floats, Floats]:
    dilutions = np.linspace(0, LARGEST, POINTS)
    found = np.full((POINTS, point.network.patterns), np.nan)
    for k, dilution in enumerate(dilutions):
        try:
            found[k] = theory.relaxed(
                patterns=point.network.patterns,
                dilution=float(dilution),
                temperature=point.dynamics.temperature,
                overlap=point.protocol.cue_overlap,
            )
        except theory.NotConverged:
            continue
    return dilutions, found.T


def _dilution(point: AnyPoint) -> float:
    ensemble = point.network.law.ensemble
    assert isinstance(ensemble, Diluted)
    return ensemble.dilution
