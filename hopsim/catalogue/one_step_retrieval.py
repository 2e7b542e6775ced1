"""One update of a softmax memory: how far it ends from the pattern, and what is proven of that.

Ramsauer et al., "Hopfield Networks is All You Need" (2020), Theorems 3 to 5: for a pattern of separation Δ_i, one
update from a state near it ends within 2(K-1)M exp[-β(Δ_i - 2rM)] of the pattern, r the distance of the state; the
distance to the fixed point shrinks by 2βKM²(K-1)exp[-β(Δ_i - 2rM)]; and exponentially many random patterns on a sphere
are stored.

Drawn: for random patterns on spheres of one radius, in from 6 to 60 neurons, so that separations differ: left, the
distance to the pattern after one update from the pattern itself and from states at a distance, with the bound of
Theorem 5 and the exact value for patterns of one overlap; right, by what the distance to the fixed point has shrunk,
with Theorem 4 and the bound by the variance (continuous/bounds.py, derived there). Dotted: the separation from which a
pattern is proven stored (Lemma A7).

Compared: c of Theorem 3 with the two values printed below it, cut to their digits, within 1e-4. The share of draws of
Theorem 3's K patterns that are all stored: at least 1 - p, with a tolerance of three standard errors. The smallest
bound over measured value, at least 1. Patterns of one overlap: the error after one update from a pattern with
√(ΔK/(K-1)) / (1 + e^{βΔ}/(K-1)), within 1e-9 of itself.

Deviates: the paper prints no measured errors.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ..columns import stacked
from ..continuous import bounds
from ..continuous.fixed_points import clusters
from ..continuous.softmax import Memory
from ..figures import one_step_retrieval as figure
from ..figures.one_step_retrieval import Cloud, Line, Panel
from .entry import Comparison, Reproduction
from .workshop import Workshop

Floats = NDArray[np.float64]
SECONDS = (3.0, 2.0)
K, M, BETA = 10, 4.0, 1.0
SIZES = (6, 8, 12, 20, 35, 60)
NEAR = 0.3  # distance of a state, times β M a factor e^{2.4} in the bounds
PRINTED = ((20, 3.0, 3.1546), (75, 1.0, 1.3718))  # neurons, scale, c: at β = 1, p = 0.001
FAILURE = 0.001
RAMSAUER = "Ramsauer et al. 2020"


def make(workshop: Workshop) -> Reproduction:
    """Measure, draw, compare."""
    rng, draws = np.random.default_rng(17), workshop.pick(full=15, quick=8)
    seen = {distance: _measured(rng, draws, distance) for distance in (0.0, NEAR)}
    gaps = np.linspace(0.3, 24, 200)
    title = f"$K = {K}$ patterns, $|x| = {M:g}$, $\\beta = {BETA:g}$"
    figured = figure.draw([_errors(seen, gaps), _shrinking(seen[NEAR], gaps)], title)
    rows = [
        {"distance": distance, "separation": gap, "error": error, "shrinking": shrunk}
        for distance, found in seen.items()
        for gap, error, shrunk in found
    ]
    comparisons = [*_printed(), _stored(rng, workshop.pick(full=4000, quick=500)), *_within(seen), *_exact()]
    return Reproduction(figured, {"measured": stacked(rows)}, comparisons)


def _measured(rng: np.random.Generator, draws: int, distance: float) -> Floats:
    """Rows: separation, distance to the pattern after one update, and that to the fixed point over what it was."""
    found = []
    for N in SIZES:
        for _ in range(draws):
            memory = Memory(_sphere(rng, N, M), BETA)
            states = memory.patterns + distance * _sphere(rng, N, 1.0)
            after, fixed = memory.update(states), memory.settle(memory.patterns).states
            error = np.linalg.norm(after - memory.patterns, axis=1)
            shrunk = np.linalg.norm(after - fixed, axis=1) / np.linalg.norm(states - fixed, axis=1)
            near = np.linalg.norm(fixed - memory.patterns, axis=1) <= NEAR
            found.append(np.stack([bounds.separations(memory.patterns), error, np.where(near, shrunk, np.nan)], axis=1))
    return np.concatenate(found)


def _sphere(rng: np.random.Generator, neurons: int, radius: float, patterns: int = K) -> Floats:
    points = rng.standard_normal((patterns, neurons))
    return np.asarray(radius * points / np.linalg.norm(points, axis=1, keepdims=True))


def _errors(seen: dict[float, Floats], gaps: Floats) -> Panel:
    clouds = [
        Cloud("from the pattern" if not r else f"from a distance {r:g}", found[:, 0], found[:, 1])
        for r, found in seen.items()
    ]
    lines = [Line("Theorem 5" if not r else f"Theorem 5, distance {r:g}", gaps, _error_bound(gaps, r)) for r in seen]
    lines.append(Line("exact, one overlap", gaps[gaps <= M**2], _one_overlap(gaps[gaps <= M**2])))
    return Panel("distance to the pattern", clouds, lines, _least())


def _shrinking(found: Floats, gaps: Floats) -> Panel:
    sizes = {"beta": BETA, "patterns": K, "radius": M, "distance": NEAR}
    return Panel(
        "distance to the fixed point: after / before",
        [Cloud(f"from a distance {NEAR:g}", found[:, 0], found[:, 2])],
        [
            Line("Theorem 4", gaps, bounds.contraction(gaps, **sizes)),  # type: ignore[arg-type]
            Line("by the variance", gaps, bounds.contraction_by_variance(gaps, **sizes)),  # type: ignore[arg-type]
        ],
        _least(),
    )


def _error_bound(gaps: Floats, distance: float) -> Floats:
    return bounds.error_after_update(gaps, beta=BETA, patterns=K, radius=M, distance=distance)


def _one_overlap(gaps: Floats) -> Floats:
    """From a pattern, all others at one overlap: what is not its weight times its distance to their mean."""
    return np.asarray(np.sqrt(gaps * K / (K - 1)) / (1 + np.exp(BETA * gaps) / (K - 1)))


def _least() -> float:
    return bounds.least_separation(beta=BETA, patterns=K, radius=M)


def _printed() -> list[Comparison]:
    found = []
    for N, scale, printed in PRINTED:
        ours = bounds.sphere_base(neurons=N, beta=1.0, scale=scale, failure=FAILURE)
        found.append(Comparison(f"c of Theorem 3, N = {N}, M = {scale:g}√(N-1)", printed, ours, 1e-4, RAMSAUER))
    return found


def _stored(rng: np.random.Generator, draws: int) -> Comparison:
    """Theorem 3 at its first printed setting: 7 patterns."""
    N, scale, _ = PRINTED[0]
    many = math.floor(bounds.sphere_capacity(neurons=N, beta=1.0, scale=scale, failure=FAILURE))
    radius = scale * math.sqrt(N - 1)
    least = bounds.least_separation(beta=1.0, patterns=many, radius=radius)
    held = [bounds.separations(_sphere(rng, N, radius, many)).min() >= least for _ in range(draws)]
    tolerance = 3 * math.sqrt(FAILURE / draws)
    return Comparison(f"share of draws in which {many} random patterns are stored (at least)", 1 - FAILURE,
                      float(np.mean(held)), tolerance, RAMSAUER, least=True)  # fmt: skip


def _within(seen: dict[float, Floats]) -> list[Comparison]:
    """The smallest bound over what was measured."""
    errors = min(float((_error_bound(found[:, 0], r) / found[:, 1]).min()) for r, found in seen.items())
    gaps, _, shrunk = seen[NEAR][np.isfinite(seen[NEAR][:, 2])].T
    slopes = bounds.contraction(gaps, beta=BETA, patterns=K, radius=M, distance=NEAR) / shrunk
    return [
        Comparison("bound of Theorem 5 over the error (at least)", 1.0, errors, 0.0, RAMSAUER, least=True),
        Comparison("bound of Theorem 4 over the ratio (at least)", 1.0, float(slopes.min()), 0.0, RAMSAUER, least=True),
    ]


def _exact() -> list[Comparison]:
    found = []
    for gap in (2.0, 8.0):
        patterns = M * clusters(30, number=1, size=K, separation=gap / M**2, rng=np.random.default_rng(1))
        ours = float(np.linalg.norm(Memory(patterns, BETA).update(patterns[0]) - patterns[0]))
        exact = float(_one_overlap(np.array([gap]))[0])
        found.append(Comparison(f"error at one overlap, Δ = {gap:g}", exact, ours, 1e-9 * exact, "exact"))
    return found
