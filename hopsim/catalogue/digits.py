"""Handwritten digits stored in a classical and in a dense network, with the images retrieved.

Krotov & Hopfield, "Dense associative memory for pattern recognition" (2016): a higher degree of the interaction stores
far more correlated patterns. K digits of 64 pixels (UCI optical recognition of handwritten digits) are stored and
retrieved at T = 0 from cues with 6 pixels flipped.

Drawn: the fraction of cues retrieved against K at degrees 2 and 4, and the cue and the image retrieved for three stored
digits at K = 12.

Compared: that paper has no number for these patterns; compared is what it claims, more patterns at the higher degree:
the K at which half of the cues are retrieved is at least twice as large at degree 4.
"""

import math

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .. import networks, rng, states
from ..columns import stacked
from ..comparison import Row
from ..dynamics import SignUpdate
from ..figures import retrieval, style
from ..networks import Network
from ..patterns import Stored
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (15.0, 8.0)
SHOWN, STORED, SIDE, SWEEPS = 3, 12, 8, 30
DEGREES = (2, 4)
CUE = 0.8125  # 6 of 64 pixels flipped


def make(workshop: Workshop) -> Reproduction:
    """Simulate, draw, compare."""
    rows = workshop.packaged("digits", samples=(400, 40))
    figure = Figure(figsize=(8.2, 3.9), layout="constrained")
    left, right = np.asarray(figure.subfigures(1, 2, width_ratios=(1.3, 1.0)))
    retrieval.draw(retrieval.collect(rows), left.subplots())
    _images(right, rows[0].point.network.law.ensemble)
    half = {degree: _half(rows, degree) for degree in DEGREES}
    quantity = "K at which half of the cues are retrieved, degree 4 over 2 (at least)"
    claim = Comparison(quantity, 2.0, half[4] / half[2], 0.0, "Krotov & Hopfield 2016", least=True)
    return Reproduction(figure, {"retrieved": stacked([_row(row) for row in rows])}, [claim])


def _row(row: Row) -> dict[str, object]:
    retrieved = row.averages["retrieved"]
    return {
        "degree": row.point.network.law.interaction.degree,
        "patterns": row.point.network.patterns,
        "retrieved": retrieved.value,
        "retrieved_err": retrieved.error,
    }


def _half(rows: list[Row], degree: int) -> float:
    """Where the line through the points falls below one half."""
    table = stacked([_row(row) for row in rows])
    chosen = table["degree"] == degree
    order = np.argsort(table["patterns"][chosen])
    K, fraction = table["patterns"][chosen][order], table["retrieved"][chosen][order]
    below = np.flatnonzero(fraction < 0.5)
    if not below.size or below[0] == 0:
        return math.nan
    k = below[0]
    return float(np.interp(0.5, fraction[[k, k - 1]], K[[k, k - 1]]))


def _images(figure: Figure, stored: object) -> None:
    """Columns: cue, degree 2, degree 4, stored digit."""
    assert isinstance(stored, Stored)
    axes = figure.subplots(SHOWN, 4)
    for name, ax in zip(("cue", "degree 2", "degree 4", "stored"), axes[0], strict=True):
        ax.set_title(name, fontsize="small")
    for line, pattern in zip(axes, range(SHOWN), strict=True):
        start, entries = _cue(_network(2, stored), pattern)
        images = [start, *(_retrieved(_network(degree, stored), pattern) for degree in DEGREES), entries]
        for ax, image in zip(line, images, strict=True):
            ax.imshow(-image.reshape(SIDE, SIDE), cmap="gray", interpolation="nearest")
            ax.set_xticks([])
            ax.set_yticks([])
    figure.supxlabel(f"$K = {STORED}$ digits stored", fontsize="small", color=style.COLOURS[-1])


def _network(degree: int, stored: Stored) -> Network:
    return networks.dense(
        neurons=stored.array.shape[0], degree=degree, indices="distinct", patterns=STORED, ensemble=stored
    )


def _start(network: Network, pattern: int) -> tuple[states.State, networks.Quenched]:
    sizes = (network.neurons, network.patterns)
    quenched = network.quench(rng.stream(0, 0, rng.Purpose.DISORDER, *sizes))
    return states.cue(quenched, pattern, CUE, rng.stream(0, pattern, rng.Purpose.INITIAL, *sizes)), quenched


def _cue(network: Network, pattern: int) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    state, quenched = _start(network, pattern)
    return state.spins, quenched.patterns[:, pattern]


def _retrieved(network: Network, pattern: int) -> NDArray[np.int8]:
    state, quenched = _start(network, pattern)
    keys = rng.keys(0, pattern, network.neurons, network.patterns, temperature=0.0, replica=0)
    SignUpdate().advance(state, quenched, keys, 0, SWEEPS)
    return state.spins
