"""Learning from examples: overlap with the archetype against the number of examples, or against the dataset entropy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from .. import theory
from ..comparison import Row
from ..errors import Refused
from ..networks import Law
from ..patterns import Examples, Learning, Rademacher
from . import style
from .names import law_name

Floats = NDArray[np.float64]
Against = Literal["examples", "entropy"]
LEARNING: tuple[Learning, ...] = ("supervised", "unsupervised")
FEW = 8  # archetypes: the limit of finitely many is near
FAINT = 0.7  # width of its lines


@dataclass(frozen=True)
class Curve:
    """Overlaps at one quality r and way of learning, at several M with dataset entropy ρ; error is None for theory."""

    quality: float
    learning: Learning
    examples: Floats
    entropy: Floats
    overlap: Floats
    error: Floats | None = None


@dataclass(frozen=True)
class Data:
    """What is drawn: simulated points, the theory at finite M, and its Gaussian limit, a function of ρ.

    few_curves and few_limit are the same for N → ∞ at fixed K: they go on where the load K/N ends retrieval. They are
    empty and None for more than FEW archetypes.
    """

    title: str
    points: list[Curve]
    curves: list[Curve]
    limit: Curve
    few_curves: list[Curve]
    few_limit: Curve | None


def fits(rows: Sequence[Row]) -> bool:
    """Whether rows learn from examples without blanks and differ in examples, quality and learning only."""
    ensembles = [row.point.network.law.ensemble for row in rows]
    learned = all(isinstance(ensemble, Examples) and ensemble.dilution == 0 for ensemble in ensembles)
    return learned and len({_rest(row) for row in rows}) == 1


def collect(rows: Sequence[Row]) -> Data:
    """Points of a table whose rows differ in examples, quality and learning only, and the theory of their overlaps."""
    found = [(row, row.point.network.law.ensemble) for row in rows]
    pairs = [(row, e) for row, e in found if isinstance(e, Examples) and e.dilution == 0]
    if not rows or len(pairs) != len(rows):
        raise Refused("nothing to draw: every row must be of a network that learns from Examples(...) without blanks")
    if len({_rest(row) for row in rows}) > 1:
        raise Refused("rows must differ in examples, quality and learning only; draw other differences apart")
    kinds = sorted({(e.quality, e.learning) for _, e in pairs}, reverse=True)
    most, entropies = max(e.examples for _, e in pairs), [e.entropy for _, e in pairs]
    numbers = np.unique(np.rint(np.geomspace(1, most, 40)).astype(int)).tolist()
    points = [_points([(row, e) for row, e in pairs if (e.quality, e.learning) == kind]) for kind in kinds]
    load = _load(rows[0])
    curves = [_theory(rows[0], [Examples(r, M, learning) for M in numbers], load, "exact") for r, learning in kinds]
    rho = np.geomspace(min(entropies) or 1e-3, max(entropies) or 1.0, 60)
    by_entropy = [Examples(1 / math.sqrt(1 + x), 1, "supervised") for x in rho]
    limit, few_curves, few_limit = _theory(rows[0], by_entropy, load, "gaussian"), [], None
    if rows[0].point.network.patterns <= FEW:
        qualities = sorted({quality for quality, _ in kinds}, reverse=True)
        few_curves = [
            _theory(rows[0], [Examples(r, M, "supervised") for M in numbers], 0.0, "exact") for r in qualities
        ]
        few_limit = _theory(rows[0], by_entropy, 0.0, "gaussian")
    return Data(_title(rows[0]), points, curves, limit, few_curves, few_limit)


def draw(data: Data, against: Against = "examples", ax: Axes | None = None) -> Figure:
    """Colour by quality, filled and solid for supervised, open and dashed for unsupervised learning, dotted at ρ = 1.

    Thin dash-dotted lines are for N → ∞ at fixed K, where both ways of learning agree.
    Against ρ all points fall on the Gaussian limit, but for the extra noise of unsupervised learning at high load.
    """
    ax = ax if ax is not None else style.axes()
    qualities = sorted({curve.quality for curve in data.points}, reverse=True)
    colours, markers = (dict(zip(qualities, cycle(look), strict=False)) for look in (style.COLOURS, style.MARKERS))
    for curve in data.curves if against == "examples" else ():
        dashes = style.DASHES[LEARNING.index(curve.learning)]
        ax.plot(curve.examples, curve.overlap, color=colours[curve.quality], linestyle=dashes, linewidth=1.2, zorder=2)
    for curve in data.few_curves if against == "examples" else ():
        look = {"color": colours[curve.quality], "linestyle": style.DASHES[2], "linewidth": FAINT}
        ax.plot(curve.examples, curve.overlap, zorder=1, **look)  # type: ignore[arg-type]
    if against == "entropy":
        ax.plot(data.limit.entropy, data.limit.overlap, color="0.3", linewidth=1.2, zorder=1)
        if data.few_limit is not None:
            curve = data.few_limit
            ax.plot(curve.entropy, curve.overlap, color="0.3", linewidth=FAINT, linestyle=style.DASHES[2], zorder=1)
        ax.axvline(1, color="0.3", linestyle=":", linewidth=1)
    most = max(points.examples.max() for points in data.points)
    for quality in qualities if against == "examples" else ():
        if 1 < theory.examples.threshold(quality) < most:
            ax.axvline(theory.examples.threshold(quality), color=colours[quality], linestyle=":", linewidth=1)
    for points in data.points:
        colour, supervised = colours[points.quality], points.learning == "supervised"
        ax.errorbar(
            getattr(points, against),
            points.overlap,
            points.error,
            color=colour,
            marker=markers[points.quality],
            markersize=4 if supervised else 7,
            markerfacecolor=colour if supervised else "none",
            linestyle="none",
            capsize=2,
            zorder=4 if supervised else 3,
        )
    ax.set_xscale("log")
    ax.set_xlabel(
        "examples per archetype $M$" if against == "examples" else r"dataset entropy $\rho = (1-r^2)/(M r^2)$"
    )
    ax.set_ylabel("overlap with the archetype $m$")
    ax.set_ylim(min(-0.03, ax.get_ylim()[0]), 1.04)
    ax.set_title(data.title, fontsize="medium")
    _legend(ax, data, against, colours, markers)
    return style.figure_of(ax)


def _legend(ax: Axes, data: Data, against: Against, colours: dict[float, str], markers: dict[float, str]) -> None:
    shown = [
        Line2D([], [], color=c, marker=markers[r], linestyle="none", label=f"$r = {r:g}$") for r, c in colours.items()
    ]
    for learning, face, dashes in zip(LEARNING, ("0.3", "none"), style.DASHES, strict=False):
        line = dashes if against == "examples" else "none"
        marker = {"marker": "o", "markerfacecolor": face}
        shown.append(Line2D([], [], color="0.3", linestyle=line, label=learning, **marker))  # type: ignore[arg-type]
    if against == "entropy":
        shown.append(Line2D([], [], color="0.3", linewidth=1.2, label="Gaussian limit"))
    if data.few_limit is not None:
        faint = {"linestyle": style.DASHES[2], "linewidth": FAINT, "label": r"$N \to \infty$, $K$ fixed"}
        shown.append(Line2D([], [], color="0.3", **faint))  # type: ignore[arg-type]
    shown.append(Line2D([], [], color="0.3", linestyle=":", label=r"$\rho = 1$"))
    ax.legend(handles=shown, frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))


def _rest(row: Row) -> tuple[object, ...]:
    network = row.point.network
    return network.law.interaction, network.neurons, network.patterns, row.point.dynamics


def _title(row: Row) -> str:
    network = row.point.network
    name = law_name(Law(network.law.interaction, Rademacher()))
    return f"{name}, $K = {network.patterns}$, $N = {network.neurons}$, $T = {row.point.dynamics.temperature:g}$"


def _points(pairs: list[tuple[Row, Examples]]) -> Curve:
    pairs = sorted(pairs, key=lambda pair: pair[1].examples)
    overlap, error = np.array([row.averages["overlap"] for row, _ in pairs], dtype=float).T
    return _curve([e for _, e in pairs], overlap, np.nan_to_num(error))


def _load(row: Row) -> float:
    """That of the archetypes besides the retrieved one."""
    network = row.point.network
    return float(network.law.interaction.load(network.neurons, network.patterns - 1))


def _theory(row: Row, ensembles: list[Examples], load: float, average: theory.examples.Average) -> Curve:
    """The overlap in place of the ensemble of a row; nan where one archetype is not retrieved alone."""
    overlaps = []
    for ensemble in ensembles:
        law, temperature = Law(row.point.network.law.interaction, ensemble), row.point.dynamics.temperature
        try:
            found = theory.examples.solve(law, load=load, temperature=temperature, average=average)
            overlaps.append(found.order.m[0] if found.alone is None or found.alone > 0 else math.nan)
        except theory.NotConverged:
            overlaps.append(math.nan)
    return _curve(ensembles, np.array(overlaps))


def _curve(ensembles: list[Examples], overlap: Floats, error: Floats | None = None) -> Curve:
    examples = np.array([e.examples for e in ensembles], dtype=float)
    entropy = np.array([e.entropy for e in ensembles])
    return Curve(ensembles[0].quality, ensembles[0].learning, examples, entropy, overlap, error)
