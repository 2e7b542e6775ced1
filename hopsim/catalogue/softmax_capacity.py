"""Softmax memories of exponentially many patterns: one update against the random energy model.

Ramsauer et al., "Hopfield Networks is All You Need" (2020): softmax retrieval stores K = exp(αN) patterns. Lucibello &
Mézard, "The exponential capacity of dense associative memories" (2024): the patterns that are not retrieved are a
random energy model, and a pattern has all the weight at its own place below the load α_1(β), for Gaussian, spherical
and binary patterns.

Drawn: above, the weight that the softmax gives to a pattern at its own place, against the load, for three sizes and
ensembles; below, α_1(β) and the simulated loads at weight one half as N → ∞.

Compared: those loads with α_1. At each size the load is where a line through the logits of the weights is zero: the
weight is 1/(1 + exp N(α - α_1)) where the sum fluctuates little. Lines in 1/N are fitted through the sizes; the
tolerance is three standard errors and 0.01 for what comes beyond 1/N. β stays below what condenses the sum at its
threshold (Gaussian patterns at β = 1), where corrections are of order ln N / N.

Deviates: K = exp(αN) keeps N at 32 and below. Ramsauer et al. prove a lower bound for the number of patterns; compared
is with the threshold itself.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .. import rng
from ..columns import Columns, stacked
from ..continuous.storage import Ensemble, SoftmaxCues, SoftmaxNetwork, SoftmaxUpdates, measure, patterns_at
from ..figures import softmax_capacity as figure
from ..figures.softmax_capacity import Curve, Law
from ..statistics import Average, disorder_average
from ..theory import random_energy
from .crossings import limit
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (90.0, 5.0)
PATTERNS: dict[Ensemble, random_energy.Overlaps] = {
    "gaussian": random_energy.GAUSSIAN,
    "spherical": random_energy.SPHERICAL,
    "binary": random_energy.BINARY,
}
SHOWN = 0.5
SIZES = {0.3: (16, 24, 32), 0.5: (12, 18, 24), 0.7: (12, 15, 18), 0.9: (10, 12, 15)}
QUICK = {0.5: (12, 16, 20)}
AROUND = (0.6, 0.75, 0.85, 0.92, 0.97, 1.03, 1.08, 1.15, 1.25)
CUES, SURE = 40, 0.88
LUCIBELLO = "Lucibello & Mézard 2024"


def make(workshop: Workshop) -> Reproduction:
    """Simulate, draw, compare."""
    sizes = QUICK if workshop.quick else SIZES
    curves = {
        (name, beta): [_curve(workshop, name, N, beta) for N in sizes[beta]] for name in PATTERNS for beta in sizes
    }
    laws = [Law(name, _threshold(name), {beta: _limit(curves[name, beta]) for beta in sizes}) for name in PATTERNS]
    shown = [curve for name in PATTERNS for curve in curves[name, SHOWN]]
    comparisons = [
        Comparison(f"α_1, {law.ensemble} patterns, β = {beta:g}", law.threshold(beta), ours.value,
                   3 * ours.error + 0.01, LUCIBELLO)
        for law in laws for beta, ours in law.found.items()
    ]  # fmt: skip
    data = {"weight": _table(curves), "thresholds": _thresholds(laws)}
    return Reproduction(figure.draw(shown, laws, SHOWN), data, comparisons)


def _threshold(name: Ensemble) -> Callable[[float], float]:
    return lambda beta: random_energy.retrieval_threshold(PATTERNS[name], sharpness=beta, overlap=1.0)


def _curve(workshop: Workshop, name: Ensemble, neurons: int, beta: float) -> Curve:
    """Weights at loads around the threshold, cued with the pattern itself."""
    loads, weights = [], []
    for ratio in AROUND[1:] if workshop.quick else AROUND:
        K = round(patterns_at(load=ratio * _threshold(name)(beta), neurons=neurons))
        network, cues = SoftmaxNetwork(neurons, K, name), SoftmaxCues(1.0, min(K, CUES))
        draws = range(workshop.pick(full=24, quick=6))
        streams = (rng.stream(17, sample, rng.Purpose.DISORDER, neurons, K) for sample in draws)
        found = [measure(network, SoftmaxUpdates(beta, 1), cues, stream)["weight"] for stream in streams]
        loads.append(network.load)
        weights.append(disorder_average(np.array(found)))
    return Curve(name, neurons, np.array(loads), weights)


def _half(curve: Curve) -> Average:
    """The load at weight one half: where a weighted line through the logits is zero."""
    value, error = np.array(curve.weight, dtype=float).T
    used = (value > 1 - SURE) & (value < SURE)
    load, slope = curve.load[used], value[used] * (1 - value[used])
    logit, weight = np.log(value[used] / (1 - value[used])), slope / error[used]
    design = np.stack([np.ones_like(load), load], axis=1) * weight[:, None]
    covariance = np.linalg.inv(design.T @ design)
    a, b = covariance @ design.T @ (logit * weight)
    change = np.array([-1 / b, a / b**2])
    return Average(float(-a / b), float(np.sqrt(change @ covariance @ change)))


def _limit(curves: Sequence[Curve]) -> Average:
    return limit([curve.neurons for curve in curves], [_half(curve) for curve in curves])


def _table(curves: Mapping[tuple[Ensemble, float], list[Curve]]) -> Columns:
    return stacked(
        [
            {
                "ensemble": name,
                "beta": beta,
                "neurons": c.neurons,
                "load": load,
                "weight": w.value,
                "weight_err": w.error,
            }
            for (name, beta), along in curves.items()
            for c in along
            for load, w in zip(c.load, c.weight, strict=True)
        ]
    )


def _thresholds(laws: Sequence[Law]) -> Columns:
    return stacked(
        [
            {
                "ensemble": law.ensemble,
                "beta": beta,
                "load": a.value,
                "load_err": a.error,
                "theory": law.threshold(beta),
            }
            for law in laws
            for beta, a in law.found.items()
        ]
    )
