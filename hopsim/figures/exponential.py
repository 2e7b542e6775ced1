"""Exponentially many patterns: fractions retrieved against load, and thresholds against sharpness."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ..statistics import Average
from ..theory import exponential_storage as storage
from ..theory import random_energy
from . import style

Floats = NDArray[np.float64]
SHARPEST = 1.2
HIGHEST = 0.75


@dataclass(frozen=True)
class Curve:
    """Fractions retrieved at loads α = ln K / N: of cues of one pattern, or of samples in which all patterns are."""

    which: Literal["one", "all"]
    neurons: int
    load: Floats
    fraction: Sequence[Average]


def draw_retrieval(ax: Axes, curves: Sequence[Curve], errors: float) -> None:
    """Filled: all patterns at once, open: a typical one; markers by size; dotted where N → ∞ has its steps."""
    sizes = sorted({curve.neurons for curve in curves})
    for curve in curves:
        place, every = sizes.index(curve.neurons), curve.which == "all"
        value, error = np.array(curve.fraction, dtype=float).T
        ax.errorbar(
            curve.load,
            value,
            np.nan_to_num(error),
            color=style.COLOURS[0 if every else 1],
            marker=style.MARKERS[place],
            linestyle=style.DASHES[place],
            markerfacecolor=None if every else "white",
            markersize=4.5,
            linewidth=0.9,
            capsize=2,
        )
    thresholds = (storage.all_patterns_threshold, "$I/2$"), (storage.typical_threshold, "$I$")
    for (threshold, name), colour in zip(thresholds, style.COLOURS, strict=False):
        load = threshold(errors=errors, sharpness=1.0)
        ax.axvline(load, color=colour, linestyle=":", linewidth=1.2)
        ax.annotate(name, (load, 1.08), (3, 0), textcoords="offset points", color=colour, fontsize="small", va="center")
    for k, N in enumerate(sizes):
        ax.plot(
            [], [], color="0.3", marker=style.MARKERS[k], linestyle=style.DASHES[k], linewidth=0.9, label=f"$N = {N}$"
        )
    ax.plot([], [], "o", color=style.COLOURS[0], markersize=4.5, label="all at once")
    ax.plot([], [], "o", color=style.COLOURS[1], markersize=4.5, markerfacecolor="white", label="a typical one")
    ax.legend(frameon=False, fontsize="small", loc="lower left")
    ax.set_title(rf"exponential network, $\rho = {errors:g}$ of the bits wrong", fontsize="medium")
    ax.set_xlabel(r"load $\alpha = \ln K / N$")
    ax.set_ylabel("fraction retrieved")
    ax.set_xlim(0, 0.42)
    ax.set_ylim(-0.03, 1.14)
    ax.spines[["top", "right"]].set_visible(False)


def draw_thresholds(ax: Axes, sharpnesses: Sequence[float], kept: Sequence[Average], label: str) -> None:
    """Sign updates: where all patterns, and where a typical one are fixed points; dashed where the weights fail."""
    lam = np.linspace(0.01, SHARPEST, 240)
    typical = _along(lam, lambda s: storage.typical_threshold(errors=0.0, sharpness=s))
    every = _along(lam, lambda s: storage.all_patterns_threshold(errors=0.0, sharpness=s))
    weight = _along(lam, lambda s: random_energy.retrieval_threshold(random_energy.BINARY, sharpness=s, overlap=1.0))
    ax.fill_between(lam, every, color=style.COLOURS[0], alpha=0.16, linewidth=0)
    ax.fill_between(lam, every, typical, color=style.COLOURS[1], alpha=0.13, linewidth=0)
    ax.plot(lam, every, color=style.COLOURS[0], linewidth=1.6, label="all patterns, sign updates")
    ax.plot(
        lam, typical, color=style.COLOURS[1], linewidth=1.6, linestyle=style.DASHES[2], label="typical, sign updates"
    )
    ax.plot(
        lam, weight, color="0.25", linewidth=1.3, linestyle=style.DASHES[1], label=r"$\alpha_1$, weight on one pattern"
    )
    value, error = np.array(kept, dtype=float).T
    ax.errorbar(sharpnesses, value, error, color="black", marker="D", markersize=4.5, linestyle="none", capsize=2,
                label=label, zorder=4)  # fmt: skip
    ax.text(0.78, 0.17, "all patterns held", ha="center", fontsize="small")
    ax.text(0.93, 0.46, "a typical one held", ha="center", fontsize="small")
    ax.text(0.19, 0.6, "no pattern held", ha="center", fontsize="small")
    ax.set_title(r"log-sum-exp network, $T = 0$, $\rho \to 0$", fontsize="medium")
    ax.set_xlabel(r"sharpness $\lambda$")
    ax.set_ylabel(r"load $\alpha = \ln K / N$")
    ax.set_xlim(0, SHARPEST)
    ax.set_ylim(0, HIGHEST)
    ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(-0.12, -0.2), ncols=2,
              columnspacing=1.0)  # fmt: skip
    ax.spines[["top", "right"]].set_visible(False)


def _along(sharpness: Floats, threshold: Callable[[float], float]) -> Floats:
    return np.array([threshold(float(value)) for value in sharpness])
