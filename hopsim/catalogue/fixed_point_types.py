"""Softmax memories: averages of all patterns, metastable averages of some, and single patterns.

Ramsauer et al., "Hopfield Networks is All You Need" (2020): fixed points of the update ξ -> X^T softmax(β X ξ) are of
three types, told here by the number of patterns that carry 90 % of the softmax: 1, up to half of them, or more.

Drawn: left, for clusters of similar patterns, the type that a start at a pattern settles on, over β and the separation
Δ = x·x - x·x' within a cluster (norms 1, no overlap between clusters, in random directions), and where theory goes
from one to the next; right, for K patterns of one overlap, the weight of one pattern from a start there and from one
near the mean of all, with the branches of theory, unstable ones dotted. Near the fold a pattern keeps less than 90 %:
a narrow strip counts as metastable even where patterns are far apart.

Compared: that paper has no number for these; compared is with theory that does not iterate patterns. The share of the
map where types agree: at least 0.98, for grid points on a line. The least β at which a start at a pattern stays in its
cluster, by bisection to 1e-4 of itself, with the fold of n patterns of one overlap: all K at Δ = 1; at small Δ the C
means of clusters, whose separation is 1 - Δ + Δ/n. Two patterns: the β at which the mean becomes unstable with 4/D²,
more of one overlap: K/Δ. Fixed points found from many starts: the number that theory says, below the fold, between, and
above.

Deviates: nothing is random but the rotation and the starts.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from ..columns import stacked
from ..continuous.fixed_points import (
    TYPES,
    cluster_weights,
    clusters,
    fixed_points,
    largest_eigenvalue,
    simplex_count,
    simplex_fold,
    support,
    types,
)
from ..continuous.softmax import Memory
from ..figures import fixed_point_types as figure
from ..figures.fixed_point_types import Branch, Map
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (15.0, 5.0)
NEURONS, NUMBER, SIZE = 40, 6, 4
PATTERNS = NUMBER * SIZE
BETAS, SEPARATIONS = (1.0, 100.0), (0.03, 1.0)
PRECISION, STILL = 1e-4, 1e-9
SIMPLICES = (3, 10)
RAMSAUER = "theory, after Ramsauer et al. 2020"


def make(workshop: Workshop) -> Reproduction:
    """Simulate, draw, compare."""
    found = _map(workshop)
    branches = [_branch(K) for K in SIMPLICES]
    title = f"{NUMBER} clusters of {SIZE} patterns"
    comparisons = [_agreement(found), *_folds(), *_means(), *_counts()]
    rows = [
        {"beta": beta, "separation": separation, "type": TYPES[kind]}
        for beta, along in zip(found.betas, found.types, strict=True)
        for separation, kind in zip(found.separations, along, strict=True)
    ]
    weights = [
        {"patterns": b.patterns, "beta_separation": x, "from_pattern": p, "from_mean": m}
        for b in branches
        for x, p, m in zip(b.products, b.from_pattern, b.from_mean, strict=True)
    ]
    data = {"types": stacked(rows), "weights": stacked(weights)}
    return Reproduction(figure.draw(found, branches, title), data, comparisons)


def _map(workshop: Workshop) -> Map:
    points = workshop.pick(full=60, quick=16)
    betas, separations = np.geomspace(*BETAS, points), np.linspace(*SEPARATIONS, points)
    kinds = np.array([[_settled(float(beta), float(separation)) for separation in separations] for beta in betas])
    fine = np.linspace(*SEPARATIONS, workshop.pick(full=80, quick=24))
    lines = {
        "not global above": (fine, _line(fine, ("single", "metastable"))),
        "single above": (fine, _line(fine, ("single",))),
    }
    return Map(separations, betas, kinds, lines)


def _settled(beta: float, separation: float) -> int:
    """The place in TYPES of what a start at a pattern settles on."""
    memory = Memory(_patterns(separation), beta)
    end = memory.settle(memory.patterns[5], tolerance=STILL, most=100_000).states
    return TYPES.index(str(types(support(memory, end), PATTERNS)))


def _patterns(separation: float) -> figure.Floats:
    return clusters(NEURONS, number=NUMBER, size=SIZE, separation=separation, rng=np.random.default_rng(17))


def _predicted(beta: float, separation: float) -> str:
    """The type by the three weights that symmetry leaves."""
    own, mate, other = cluster_weights(beta, number=NUMBER, size=SIZE, separation=separation, tolerance=STILL)
    weights = np.sort([own, *[mate] * (SIZE - 1), *[other] * (PATTERNS - SIZE)])[::-1]
    return str(types(1 + (np.cumsum(weights) < 0.9).sum(), PATTERNS))


def _line(separations: figure.Floats, kinds: tuple[str, ...]) -> figure.Floats:
    """The least β at which the predicted type is one of these."""

    def least(separation: float) -> float:
        return _least(lambda beta: _predicted(beta, separation) in kinds, *BETAS)

    return np.array([least(float(separation)) for separation in separations])


def _least(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where it begins to hold between two β, by bisection; nan if it does not hold at the upper one."""
    if not holds(high):
        return math.nan
    while high / low > 1 + PRECISION:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if holds(middle) else (middle, high)
    return math.sqrt(low * high)


def _agreement(found: Map) -> Comparison:
    same = [
        TYPES[kind] == _predicted(float(beta), float(separation))
        for beta, along in zip(found.betas, found.types, strict=True)
        for separation, kind in zip(found.separations, along, strict=True)
    ]
    return Comparison("share of the map with the type of theory (at least)", 1.0, float(np.mean(same)), 0.02, RAMSAUER,
                      least=True)  # fmt: skip


def _branch(K: int) -> Branch:
    """Weights from a start at a pattern and from one near the mean, at Δ = 1."""
    patterns = clusters(NEURONS, number=1, size=K, separation=1.0, rng=np.random.default_rng(3))
    near = patterns.mean(axis=0) + 1e-3 * patterns[0]
    products = np.linspace(0.5, 13.0, 26)
    ends = [
        Memory(patterns, float(b)).settle(np.stack([patterns[0], near]), tolerance=STILL, most=100_000).states
        for b in products
    ]
    weights = [Memory(patterns, float(b)).weights(end)[:, 0] for b, end in zip(products, ends, strict=True)]
    from_pattern, from_mean = np.array(weights).T
    return Branch(K, products, from_pattern, from_mean)


def _folds() -> list[Comparison]:
    """Starts at a pattern stay in its cluster: K single patterns, C clusters."""
    found = []
    for separation, states, name in ((1.0, PATTERNS, f"K = {PATTERNS} patterns, Δ = 1"),
                                     (0.03, NUMBER, f"C = {NUMBER} clusters, Δ = 0.03")):  # fmt: skip
        theory = simplex_fold(states) / (1 - separation + separation / SIZE if states == NUMBER else separation)
        ours = _least(partial(_stays, separation), theory / 2, 2 * theory)
        found.append(Comparison(f"fold, {name}: β", theory, ours, 2 * PRECISION * theory, RAMSAUER))
    return found


def _stays(separation: float, beta: float) -> bool:
    """Whether the cluster of the pattern keeps more than half of the weight."""
    memory = Memory(_patterns(separation), beta)
    weights = memory.weights(memory.settle(memory.patterns[0], tolerance=STILL, most=100_000).states)
    return bool(weights[:SIZE].sum() > 0.5)


def _means() -> list[Comparison]:
    """Where the mean becomes unstable."""
    found = []
    for K in (2, 7):
        patterns = 1.7 * clusters(NEURONS, number=1, size=K, separation=0.4, rng=np.random.default_rng(K))
        apart = float(((patterns[0] - patterns[1]) ** 2).sum())
        theory = 4 / apart if K == 2 else 2 * K / apart
        ours = _least(partial(_leaves_the_mean, patterns), theory / 2, 2 * theory)
        name = "two patterns, pitchfork at 4/D²" if K == 2 else f"K = {K} patterns, mean unstable at K/Δ"
        found.append(Comparison(f"{name}: β", theory, ours, 2 * PRECISION * theory, RAMSAUER))
    return found


def _leaves_the_mean(patterns: figure.Floats, beta: float) -> bool:
    return largest_eigenvalue(Memory(patterns, beta), patterns.mean(axis=0)) > 1


def _counts() -> list[Comparison]:
    """Distinct fixed points from many starts."""
    K, rng = 6, np.random.default_rng(6)
    patterns = clusters(NEURONS, number=1, size=K, separation=1.0, rng=rng)
    starts = np.concatenate([patterns, patterns.mean(axis=0)[None], rng.standard_normal((100, NEURONS))])
    products = (0.9 * simplex_fold(K), (simplex_fold(K) + K) / 2, 1.2 * K)
    return [
        Comparison(f"distinct fixed points, K = {K}, βΔ = {product:.2f}", simplex_count(product, K),
                   len(_stable(Memory(patterns, product), starts)), 0.0, RAMSAUER)
        for product in products
    ]  # fmt: skip


def _stable(memory: Memory, starts: figure.Floats) -> figure.Floats:
    """States of the stable fixed points found."""
    found = fixed_points(memory, starts)
    return np.asarray(found.states[found.stable])
