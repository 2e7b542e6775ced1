"""Exponentially many patterns: all retrieved at once, a typical one, and the log-sum-exp network.

Demircigil, Heusel, Löwe, Upgang & Vermet, "On a model of associative memory with huge storage capacity" (2017): sign
updates of E = -Σ_μ exp(M_μ) correct a fraction ρ of wrong bits in all K = exp(αN) patterns at once while α <
I(1-2ρ)/2, ½ ln 2 at ρ → 0. A typical pattern is lost to a single other one at I(1-2ρ), twice that. Lucibello &
Mézard, "The exponential capacity of dense associative memories" (2024): in E = -(1/λ) ln Σ_μ exp(λ M_μ) the other
patterns are a random energy model; a pattern has all the weight below α_1(λ). Sign updates at T = 0 hold it further,
because the others enter with random signs: up to 2λ - ln cosh 2λ (derived in theory.exponential_storage, not in the
paper).

Drawn: above, the fraction of cues with ρ = 1/8 whose bits are all right after one sweep, and the fraction of samples
in which this holds for every pattern. Below, thresholds against λ, and sign updates at three λ.

Compared: ½ ln 2 and both thresholds at ρ = 1/8 as the limit of the simulated loads at one half. K (or K²) other
overlaps come so close with a probability N^(-1/2) exp(-N I) times a constant, so that those loads are the threshold +
ln N/2N (or half of it) + c/N; the tolerance is three standard errors and 0.015 for what comes beyond 1/N. α_1 of
binary, spherical and Gaussian patterns with the maximum of their definition on a grid, within 1e-4, its spacing. The
load at which one synchronous sweep leaves an overlap 0.9, less the shift to N → ∞ for Gaussian crosstalk, α = (1 -
1/N) α_∞ - 2 ln(s)/N with 1-2Φ(-s) = 0.9, within three standard errors and 0.02: at these sizes the crosstalk is not
yet Gaussian.

Deviates: K = exp(αN) keeps N at 40 and below, so that all curves are far from steps.
"""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from scipy.special import ndtri

from .. import networks, rng, states
from ..columns import Columns, stacked
from ..comparison import Row
from ..dynamics import Chains, SignUpdate
from ..figures import exponential
from ..figures.exponential import Curve
from ..statistics import Average, disorder_average
from ..theory import exponential_storage as storage
from ..theory import random_energy
from .crossings import crossing, limit
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (150.0, 10.0)
DEMIRCIGIL, LUCIBELLO = "Demircigil et al. 2017", "Lucibello & Mézard 2024"
ERRORS, CUE = 1 / 8, 3 / 4
LEVEL = 0.9
SHARPNESSES = (0.2, 0.3, 0.4)
BLOCK = 64
TYPICAL = """
[network]
kind = "exponential"
neurons = {sizes}
load = {loads}

[dynamics]
rule = "sign"

[protocol]
cue_overlap = 0.75
equilibrate = 0
measure = 1
replicas = 8
success_overlap = 1.0

[scan]
samples = 1
seed = 1
"""
KEPT = """
[network]
kind = "log_sum_exp"
sharpness = {sharpness}
neurons = {neurons}
load = {{start = {start}, stop = {stop}, num = 6}}

[dynamics]
rule = "synchronous"
temperature = 0.0

[protocol]
cue_overlap = 1.0
equilibrate = 0
measure = 1

[scan]
samples = 1
seed = 1
"""


def make(workshop: Workshop) -> Reproduction:
    """Simulate, draw, compare."""
    curves = [*_typical(workshop), *_all(workshop)]
    kept = [_kept(workshop, sharpness) for sharpness in SHARPNESSES]
    figure = Figure(figsize=(4.8, 6.4), layout="constrained")
    above, below = figure.subplots(2, 1)
    exponential.draw_retrieval(above, curves, ERRORS)
    neurons = workshop.pick(full=24, quick=20)
    exponential.draw_thresholds(below, SHARPNESSES, kept, f"simulated ($N = {neurons}$, shifted)")
    data = {"retrieved": _table(curves), "kept": _kept_table(kept)}
    return Reproduction(figure, data, [*_one_half(curves), *_weights(), *_kept_compared(kept)])


def _typical(workshop: Workshop) -> list[Curve]:
    """Fraction of cues of one pattern that are corrected."""
    sizes, loads = [16, 24, 32], [0.12, 0.18, 0.24, 0.28, 0.32, 0.36, 0.4]
    if workshop.quick:
        sizes, loads = [16, 32], [0.18, 0.26, 0.34]
    rows = workshop.scan("typical", TYPICAL.format(sizes=sizes, loads=loads), samples=(400, 60))
    return [_typical_curve([row for row in rows if row.point.network.neurons == N]) for N in sizes]


def _typical_curve(rows: Sequence[Row]) -> Curve:
    loads = np.array([row.point.network.load for row in rows])
    return Curve("one", rows[0].point.network.neurons, loads, [row.averages["retrieved"] for row in rows])


def _all(workshop: Workshop) -> list[Curve]:
    """Fraction of samples in which all cues, one of every pattern, are corrected."""
    sizes, samples = ((16, 32), 80) if workshop.quick else ((16, 24, 32, 40), 300)
    found = []
    for N in sizes:
        chosen = [networks.exponential(neurons=N, load=load) for load in np.arange(0.08, 0.201, 0.02)]
        fractions = [disorder_average(np.array([_all_right(n, s) for s in range(samples)], float)) for n in chosen]
        found.append(Curve("all", N, np.array([n.load for n in chosen]), fractions))
    return found


def _all_right(network: networks.Network, sample: int) -> bool:
    """Whether one sweep of sign updates corrects a cue of every pattern."""
    N, K = network.neurons, network.patterns
    quenched = network.quench(rng.stream(1, sample, rng.Purpose.DISORDER, N, K))
    starts = states.cues(quenched, range(K), CUE, rng.stream(1, sample, rng.Purpose.INITIAL, N, K))
    keys = rng.keys(1, sample, N, K, temperature=0.0, replica=0)
    for first in range(0, K, BLOCK):
        cued = states.of_spins(quenched, starts[first : first + BLOCK])
        chains = Chains([SignUpdate()] * len(cued.spins), cued, quenched, [keys] * len(cued.spins))
        chains.advance(0, 1)
        chains.close()
        if not (cued.spins == quenched.patterns.T[first : first + BLOCK]).all():
            return False
    return True


def _one_half(curves: Sequence[Curve]) -> list[Comparison]:
    """The loads at one half for N → ∞ on both thresholds, and the theorem at ρ → 0."""
    half_log2 = storage.all_patterns_threshold(errors=0.0, sharpness=1.0)
    found = [Comparison("all patterns, few wrong bits: ½ ln 2", math.log(2) / 2, half_log2, 1e-12, DEMIRCIGIL)]
    rate = _rate(CUE)
    for which, share, name, source in (
        ("all", 2, "all patterns, ρ = 1/8: I/2", DEMIRCIGIL),
        ("one", 1, "a typical pattern, ρ = 1/8: I", "derived, twice that"),
    ):
        chosen = [curve for curve in curves if curve.which == which]
        sizes = [curve.neurons for curve in chosen]
        halves = [crossing(curve.load, curve.fraction, 0.5) for curve in chosen]
        shifted = [
            Average(a.value - math.log(N) / (2 * share * N), a.error) for a, N in zip(halves, sizes, strict=True)
        ]
        ours = limit(sizes, shifted)
        found.append(Comparison(name, rate / share, ours.value, 3 * ours.error + 0.015, source))
    return found


def _rate(a: float) -> float:
    """I(a) as Demircigil et al. print it."""
    return ((1 + a) * math.log(1 + a) + (1 - a) * math.log(1 - a)) / 2


def _weights() -> list[Comparison]:
    """α_1 of three ensembles against φ(α, λ) = λ with the maximum taken on a grid."""
    found = []
    for name, patterns in (
        ("binary", random_energy.BINARY),
        ("spherical", random_energy.SPHERICAL),
        ("Gaussian", random_energy.GAUSSIAN),
    ):
        for sharpness in (0.5, 2.0):
            ours = random_energy.retrieval_threshold(patterns, sharpness=sharpness, overlap=1.0)
            quantity = f"α_1, {name} patterns, λ = {sharpness:g}"
            found.append(Comparison(quantity, _brute(name, sharpness), ours, 1e-4, LUCIBELLO))
    return found


def _brute(name: str, sharpness: float) -> float:
    """The largest α with max_{I(a) <= α} [α - I(a) + λa] < λ: min_a [max(I(a), λ - λa + I(a))] over 0 <= a."""
    a = np.linspace(0, 4, 400_001)[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = {
            "binary": ((1 + a) * np.log1p(a) + (1 - a) * np.log1p(-a)) / 2,
            "spherical": -np.log1p(-(a**2)) / 2,
            "Gaussian": a**2 / 2,
        }[name]
    return float(np.nanmin(np.maximum(rate, sharpness * (1 - a) + rate)))


def _kept(workshop: Workshop, sharpness: float) -> Average:
    """The load at which one synchronous sweep leaves a typical pattern an overlap 0.9, shifted to N → ∞."""
    neurons, s = workshop.pick(full=24, quick=20), -float(ndtri((1 - LEVEL) / 2))
    threshold = storage.typical_threshold(errors=0.0, sharpness=sharpness)
    text = KEPT.format(sharpness=sharpness, neurons=neurons, start=0.6 * threshold, stop=threshold)
    rows = workshop.scan("kept", text, samples=(600, 100))
    loads = np.array([row.point.network.load for row in rows])
    found = crossing(loads, [row.averages["overlap"] for row in rows], LEVEL)
    return Average((found.value + 2 * math.log(s) / neurons) / (1 - 1 / neurons), found.error / (1 - 1 / neurons))


def _kept_compared(kept: Sequence[Average]) -> list[Comparison]:
    found = []
    for sharpness, ours in zip(SHARPNESSES, kept, strict=True):
        paper = 2 * sharpness - math.log(math.cosh(2 * sharpness))
        quantity = f"sign updates hold a pattern, λ = {sharpness:g}: 2λ - ln cosh 2λ"
        found.append(Comparison(quantity, paper, ours.value, 3 * ours.error + 0.02, "derived, after " + LUCIBELLO))
    return found


def _table(curves: Sequence[Curve]) -> Columns:
    return stacked(
        [
            {"patterns": c.which, "neurons": c.neurons, "load": load, "fraction": f.value, "fraction_err": f.error}
            for c in curves
            for load, f in zip(c.load, c.fraction, strict=True)
        ]
    )


def _kept_table(kept: Sequence[Average]) -> Columns:
    rows = zip(SHARPNESSES, kept, strict=True)
    return stacked([{"sharpness": lam, "load": a.value, "load_err": a.error} for lam, a in rows])
