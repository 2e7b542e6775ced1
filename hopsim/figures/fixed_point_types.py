"""Fixed points of softmax memories: their types over separation and β, and two branches that coexist."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..continuous.fixed_points import TYPES, simplex_fold, simplex_weight
from . import style

Floats = NDArray[np.float64]
SHADES = ("#9ecae1", "#fdd0a2", "0.88")  # single, metastable, global


@dataclass(frozen=True)
class Map:
    """Types, places in TYPES, int[betas, separations], and where theory changes from one to the next, by its name."""

    separations: Floats
    betas: Floats
    types: NDArray[np.int64]
    lines: dict[str, tuple[Floats, Floats]]


@dataclass(frozen=True)
class Branch:
    """K patterns of one norm and overlap: the weight of one at βΔ, from that pattern and from the mean of all."""

    patterns: int
    products: Floats
    from_pattern: Floats
    from_mean: Floats


def draw(found: Map, branches: Sequence[Branch], title: str) -> Figure:
    """Left the map, simulated shades and lines of theory; right weights, simulated markers and lines of theory."""
    figure = Figure(figsize=(7.4, 3.7), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1.0))
    _map(left, found, title)
    _branches(right, branches)
    return figure


def _map(ax: Axes, found: Map, title: str) -> None:
    ax.pcolormesh(found.separations, found.betas, found.types, cmap=ListedColormap(SHADES), vmin=-0.5, vmax=2.5,
                  shading="nearest", rasterized=True)  # fmt: skip
    for place, (name, (separations, betas)) in enumerate(found.lines.items()):
        ax.plot(separations, betas, color="black", linestyle=style.DASHES[place], linewidth=1.4, label=name)
    for place, name in enumerate(TYPES):
        rows, columns = np.nonzero(found.types == place)
        if rows.size:
            middle = np.exp(np.log(found.betas[rows]).mean())
            ax.text(float(found.separations[columns].mean()), float(middle), name, ha="center", va="center",
                    fontsize="small")  # fmt: skip
    ax.set_yscale("log")
    ax.set_xlim(found.separations[0], found.separations[-1])
    ax.set_ylim(found.betas[0], found.betas[-1])
    ax.set_title(title, fontsize="medium")
    ax.set_xlabel(r"separation $\Delta$ within a cluster")
    ax.set_ylabel(r"inverse temperature $\beta$")
    ax.legend(fontsize="x-small", loc="lower left", framealpha=0.9, title="theory", title_fontsize="x-small")


def _branches(ax: Axes, branches: Sequence[Branch]) -> None:
    for place, branch in enumerate(branches):
        K, colour = branch.patterns, style.COLOURS[place]
        odds = np.linspace(1e-3, 12, 2000)
        shares = 1 / (1 + (K - 1) * np.exp(-odds))
        products = np.array([simplex_weight(float(share), K) for share in shares])
        turn = int(products.argmin())
        ax.plot(products[turn:], shares[turn:], color=colour, linewidth=1.4)
        ax.plot(products[: turn + 1], shares[: turn + 1], color=colour, linewidth=1.0, linestyle=":")
        ax.plot([0, K], [1 / K, 1 / K], color=colour, linewidth=1.4)
        ax.plot(branch.products, branch.from_pattern, linestyle="none", marker=style.MARKERS[place], markersize=4.5,
                color=colour, label=f"$K = {K}$, from a pattern")  # fmt: skip
        ax.plot(branch.products, branch.from_mean, linestyle="none", marker=style.MARKERS[place], markersize=6.5,
                markerfacecolor="none", color=colour, label=f"$K = {K}$, from the mean")  # fmt: skip
        ax.plot([simplex_fold(K)] * 2, [-0.03, 0.0], color=colour, linewidth=2)
    ax.set_xlim(0, max(float(branch.products[-1]) for branch in branches) * 1.03)
    ax.set_ylim(-0.03, 1.03)
    ax.set_title("patterns of one overlap", fontsize="medium")
    ax.set_xlabel(r"$\beta\Delta$")
    ax.set_ylabel("weight of one pattern")
    ax.legend(frameon=False, fontsize="x-small", loc="center right", bbox_to_anchor=(1.0, 0.62))
    ax.spines[["top", "right"]].set_visible(False)
