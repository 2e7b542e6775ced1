"""Softmax memories of K = exp(αN) patterns: the weight of the cued one against the load, and thresholds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..statistics import Average
from . import style

Floats = NDArray[np.float64]
SHARPEST = 1.2


@dataclass(frozen=True)
class Curve:
    """Mean weight of the cued pattern at loads α = ln K / N, for one size."""

    ensemble: str
    neurons: int
    load: Floats
    weight: Sequence[Average]


@dataclass(frozen=True)
class Law:
    """One ensemble: its name, its threshold α_1(β), and what simulated ones tend to, by β."""

    ensemble: str
    threshold: Callable[[float], float]
    found: dict[float, Average]


def draw(curves: Sequence[Curve], laws: Sequence[Law], beta: float) -> Figure:
    """Above a panel an ensemble at one β, dotted where N → ∞ has its step; below all thresholds against β."""
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    above, below = np.asarray(figure.subfigures(2, 1, height_ratios=(1.0, 1.25)))
    axes = np.atleast_1d(above.subplots(1, len(laws), sharey=True))
    for ax, law in zip(axes, laws, strict=True):
        _weights(ax, [curve for curve in curves if curve.ensemble == law.ensemble], law, beta)
    axes[0].set_ylabel("weight of the cued pattern")
    axes[0].legend(frameon=False, fontsize="x-small", loc="lower left", handlelength=2.4)
    above.supxlabel(r"load $\alpha = \ln K / N$", fontsize="medium")
    _thresholds(below.subplots(), laws)
    return figure


def _weights(ax: Axes, curves: Sequence[Curve], law: Law, beta: float) -> None:
    for place, curve in enumerate(curves):
        value, error = np.array(curve.weight, dtype=float).T
        ax.errorbar(curve.load, value, error, color=style.COLOURS[place], marker=style.MARKERS[place],
                    linestyle=style.DASHES[place], markersize=3.5, linewidth=1.0, capsize=2,
                    label=f"$N = {curve.neurons}$")  # fmt: skip
    ax.axvline(law.threshold(beta), color="0.2", linestyle=":", linewidth=1.2)
    ax.set_title(rf"{law.ensemble.capitalize()}, $\beta = {beta:g}$", fontsize="medium")
    ax.set_ylim(-0.03, 1.03)
    ax.spines[["top", "right"]].set_visible(False)


def _thresholds(ax: Axes, laws: Sequence[Law]) -> None:
    betas = np.linspace(0.005, SHARPEST, 200)
    for place, law in enumerate(laws):
        name, along = law.ensemble.capitalize(), [law.threshold(float(b)) for b in betas]
        ax.plot(betas, along, color=style.COLOURS[place], linestyle=style.DASHES[place], linewidth=1.5,
                label=rf"{name}, $\alpha_1$")  # fmt: skip
        value, error = np.array([*law.found.values()], dtype=float).T
        ax.errorbar([*law.found], value, error, color=style.COLOURS[place], marker=style.MARKERS[place],
                    markerfacecolor="white", markersize=5, linestyle="none", capsize=2, zorder=4,
                    label=r"simulated, $N \to \infty$")  # fmt: skip
    ax.text(0.95, 0.12, "all weight on one pattern", fontsize="small", ha="right", transform=ax.transAxes)
    ax.text(0.08, 0.8, "many share it", fontsize="small", transform=ax.transAxes)
    ax.set_xlabel(r"inverse temperature $\beta$")
    ax.set_ylabel(r"load $\alpha = \ln K / N$")
    ax.set_xlim(0, SHARPEST)
    ax.set_ylim(0, None)
    ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.spines[["top", "right"]].set_visible(False)
