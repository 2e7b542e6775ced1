"""Archetypes learned from noisy examples: overlap against examples and dataset entropy.

Agliari, Alessandrelli, Barra & Ricci-Tersenghi, "Parallel learning by multitasking neural networks" (2023): archetypes
that are seen only through M examples each, of quality r, are retrieved once the dataset entropy ρ = (1-r²)/(M r²) is
below 1, that is for M > (1-r²)/r²; then r and M enter through ρ only.

Drawn: the overlap with the archetype against M and against ρ, without blanks, by Glauber updates from the archetype,
on the exact average over examples at finite M and on its Gaussian limit. Where the noise of the few other archetypes,
α/(1-C)² at load α = K/N, ends retrieval in theory (r = 0.2, M = 4 to 22, unsupervised 24), thick lines stop, thin ones
of N → ∞ go on, and simulated overlaps scatter between samples.

Compared: simulated overlaps at stated r and M with the theory, within four standard errors, none taken below that of N
independent neurons, sqrt((1-m²)/(N samples)), as few samples understate theirs; the threshold M(r), where at T = 0 the
signal is one standard deviation of the noise, with the M at which the solved Gaussian overlap is the part erf(1/√2) of
a normal law within it, to 1e-6.

Deviates: K = 5, N = 2000, and T = 0.3 in place of the limits; `--quick` has 4 samples of five M.
"""

import dataclasses
import math

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import brentq

from .. import theory
from ..columns import stacked
from ..comparison import Row
from ..figures import learning
from ..figures.learning import Curve
from ..interactions import Quadratic
from ..networks import Law
from ..patterns import Examples
from ..scans import Scan
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (30.0, 12.0)
SAMPLES = (16, 4)
SHOWN = (1, 3, 8, 20, 50)  # examples of the quick version
COMPARED = ((0.6, 3), (0.6, 8), (0.6, 20), (0.4, 1), (0.4, 20), (0.4, 50), (0.2, 50))  # (r, M)
PAPER, LIMIT = "Agliari et al. 2023", "theory at finite M"


def make(workshop: Workshop) -> Reproduction:
    """Simulate, draw, compare."""
    rows = workshop.packaged("learning", SAMPLES, _fewer if workshop.quick else lambda scan: scan)
    data = learning.collect(rows)
    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    learning.draw(data, "examples", left)
    learning.draw(data, "entropy", right)
    for ax in (left, right):
        ax.set_title("")
        ax.spines[["top", "right"]].set_visible(False)
    _one_legend(figure, left, right)
    right.set_ylabel("")
    figure.suptitle(data.title, fontsize="medium")
    tables = {"simulated": data.points, "theory": data.curves, "gaussian": [data.limit]}
    if data.few_limit is not None:
        tables |= {"theory_few": data.few_curves, "gaussian_few": [data.few_limit]}
    samples = rows[0].point.network.neurons * workshop.pick(*SAMPLES)
    comparisons = [_compared(row, samples) for row in rows if _place(row) in COMPARED]
    found = {name: stacked([line for curve in curves for line in _lines(curve)]) for name, curves in tables.items()}
    return Reproduction(figure, found, [*comparisons, *(_threshold(r) for r in (0.6, 0.4, 0.2))])


def _one_legend(figure: Figure, left: Axes, right: Axes) -> None:
    """That of the left panel, with what only the right one has, beside both."""
    shown: dict[str, Artist] = {}
    for ax in (left, right):
        legend = ax.get_legend()
        assert legend is not None
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
            if handle is not None:
                shown.setdefault(text.get_text(), handle)
        legend.remove()
    figure.legend(list(shown.values()), list(shown), frameon=False, fontsize="small", loc="outside right center")


def _fewer(scan: Scan) -> Scan:
    points = tuple(point for point in scan.points if _examples(point.network.law).examples in SHOWN)
    return dataclasses.replace(scan, points=points)


def _examples(law: Law) -> Examples:
    assert isinstance(law.ensemble, Examples)
    return law.ensemble


def _place(row: Row) -> tuple[float, int]:
    ensemble = _examples(row.point.network.law)
    return ensemble.quality, ensemble.examples


def _compared(row: Row, neurons: int) -> Comparison:
    """The overlap of a row, the mean over so many neurons in all samples."""
    network, ensemble = row.point.network, _examples(row.point.network.law)
    load = network.law.interaction.load(network.neurons, network.patterns - 1)
    m = theory.examples.solve(network.law, load=load, temperature=row.point.dynamics.temperature).order.m[0]
    measured = row.averages["overlap"]
    error = max(measured.error, math.sqrt((1 - m * m) / neurons))
    quantity = f"m, r = {ensemble.quality:g}, M = {ensemble.examples}, {ensemble.learning}"
    return Comparison(quantity, m, measured.value, 4 * error, LIMIT)


def _threshold(quality: float) -> Comparison:
    """M(r) from the states of T = 0, by the ρ at which their overlap is erf(1/√2)."""

    def excess(entropy: float) -> float:
        law = Law(Quadratic(), Examples(1 / math.sqrt(1 + entropy), 1, "supervised"))  # of this ρ
        return theory.examples.solve(law, temperature=0.0, average="gaussian").order.m[0] - math.erf(math.sqrt(0.5))

    odds = (1 - quality**2) / quality**2
    ours = odds / brentq(excess, 0.5, 1.5, xtol=1e-12)
    return Comparison(f"threshold M at r = {quality:g}", odds, ours, 1e-6, PAPER)


def _lines(curve: Curve) -> list[dict[str, object]]:
    errors = np.full(curve.overlap.shape, np.nan) if curve.error is None else curve.error
    columns = zip(curve.examples, curve.entropy, curve.overlap, errors, strict=True)
    kind = {"quality": curve.quality, "learning": curve.learning}
    return [kind | {"examples": M, "entropy": rho, "overlap": m, "overlap_err": error} for M, rho, m, error in columns]
