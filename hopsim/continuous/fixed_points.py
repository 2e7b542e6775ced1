"""Fixed points of softmax memories: the average of all patterns, metastable averages of some, single patterns.

A fixed point is told by its support, the smallest number of patterns that carry 90 % of the softmax (the measure by
which Ramsauer et al. (2020) sort the heads of transformers):

    single: 1        global: more than half of the patterns        metastable: between

Theory, from the update ξ -> X^T softmax(β X ξ), whose Jacobian is β Cov_p(x):

 - one pattern has a fixed point only, and so has any memory while β D² < 4, D the largest distance between patterns: no
   direction has a variance beyond D²/4, so the update contracts;
 - two patterns of the same norm at distance D: with weights (1 ± m)/2, m = tanh(β D² m/4), the mean-field magnet. One
   fixed point up to β_c = 4/D², a pitchfork there, beyond it two stable ones: the bound is sharp;
 - K patterns of one norm and one overlap, x_μ·x_ν = x_μ·x_μ - Δ (Potts): the mean is stable for βΔ < K. A pattern with
   weight s, the others sharing the rest, is a fixed point at

       βΔ(s) = ln[s (K-1)/(1-s)] / [s - (1-s)/(K-1)]

   so that fixed points near patterns exist from the least βΔ(s) on: at K = 2 this is the pitchfork again, βΔ = 2; for
   K >= 3 they appear by a fold below K, and up to βΔ = K there are K + 1 stable fixed points with the mean, K beyond.
   (States with several patterns of equal weight are fixed points too, and unstable.)
 - C clusters of n patterns of norm 1, overlaps 1 - Δ within and 0 between: `cluster_weights`. At Δ = 1 they are one
   simplex of K = Cn patterns, at Δ = 0 one of C.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from ..errors import Refused, real, whole
from .softmax import Floats, Memory, checked_beta

Type = Literal["single", "metastable", "global"]
TYPES: tuple[Type, ...] = ("single", "metastable", "global")
SHARE = 0.9
SAME = 1e-5
WEIGHTS = 2**22


@dataclass(frozen=True, eq=False)
class FixedPoints:
    """Distinct fixed points [F, N], the starts that led to each, their supports, and whether they are stable."""

    states: Floats
    starts: NDArray[np.int64]
    supports: NDArray[np.int64]
    stable: NDArray[np.bool_]


def support(memory: Memory, states: ArrayLike, *, share: float = SHARE) -> NDArray[np.int64]:
    """The smallest number of patterns that carry a share of the softmax: [..., N] -> [...]."""
    if not 0 < real("share", share) < 1:
        raise Refused(f"share must be between 0 and 1, got {share!r}")
    array = np.asarray(states)
    rows, K = array.reshape(-1, array.shape[-1]), len(memory.patterns)
    many, found = max(1, WEIGHTS // K), []
    for first in range(0, len(rows), many):
        weights = -np.sort(-memory.weights(rows[first : first + many]), axis=1)
        found.append(1 + (np.cumsum(weights, axis=1) < share).sum(axis=1))
    return np.asarray(np.minimum(np.concatenate(found), K).reshape(array.shape[:-1]))


def types(supports: ArrayLike, patterns: int) -> NDArray[np.str_]:
    """The type that each support means among K patterns."""
    sizes = np.asarray(supports)
    return np.where(sizes == 1, "single", np.where(2 * sizes > patterns, "global", "metastable"))


def fixed_points(memory: Memory, starts: ArrayLike, *, most: int = 100_000) -> FixedPoints:
    """What the starts [..., N] settle on; two within 1e-5 M are one. Refused if one does not settle."""
    ends = memory.settle(starts, most=most)
    if not ends.settled.all():
        raise Refused(f"{(~ends.settled).sum()} states still move after {most} updates: near a bifurcation; raise most")
    rows = ends.states.reshape(-1, ends.states.shape[-1])
    chosen: list[int] = []
    counts: list[int] = []
    left = np.arange(len(rows))
    while left.size:
        near = np.linalg.norm(rows[left] - rows[left[0]], axis=1) <= SAME * memory.radius
        chosen.append(int(left[0]))
        counts.append(int(near.sum()))
        left = left[~near]
    states = rows[chosen]
    stable = np.array([largest_eigenvalue(memory, state) < 1 for state in states])
    return FixedPoints(states, np.array(counts), support(memory, states), stable)


def jacobian(memory: Memory, state: ArrayLike) -> Floats:
    """β Σ_μ p_μ (x_μ - x̄)(x_μ - x̄)^T, the derivative of an update at a state [N]: [N, N]."""
    p = memory.weights(state)
    centred = memory.patterns - p @ memory.patterns
    return np.asarray(memory.beta * (centred * p[:, None]).T @ centred)


def largest_eigenvalue(memory: Memory, state: ArrayLike) -> float:
    """Of the Jacobian, which is symmetric and positive semidefinite: a fixed point is stable where it is below 1."""
    p = memory.weights(state)
    spread = np.sqrt(memory.beta * p)[:, None] * (memory.patterns - p @ memory.patterns)
    return float(np.linalg.norm(spread, 2)) ** 2


def single_until(memory: Memory) -> float:
    """4/D², D the largest distance between patterns: below this β the fixed point is unique."""
    x = np.asarray(memory.patterns, dtype=np.float64)
    x = x - x.mean(axis=0)
    squares, widest = (x * x).sum(axis=1), 0.0
    for first in range(0, len(x), 1024):
        part = slice(first, first + 1024)
        widest = max(widest, float((squares[part, None] + squares - 2 * (x[part] @ x.T)).max()))
    return 4 / widest if widest > 0 else math.inf


def simplex_weight(share: float, patterns: int) -> float:
    """βΔ at which a pattern with this weight, the others sharing the rest, is a fixed point of K such patterns."""
    others = whole("patterns", patterns, 2) - 1
    if not 1 / patterns < real("share", share) < 1:
        raise Refused(f"share must be between 1/{patterns} and 1, got {share!r}")
    return math.log(share * others / (1 - share)) / (share - (1 - share) / others)


def simplex_fold(patterns: int) -> float:
    """The least βΔ at which fixed points near single patterns exist: 2 at K = 2, ~ ln K for large K."""
    if whole("patterns", patterns, 2) == 2:
        return 2.0
    least = minimize_scalar(
        lambda odds: simplex_weight(1 / (1 + (patterns - 1) * math.exp(-odds)), patterns),
        bounds=(1e-3, 4 * math.log(patterns) + 10),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(least.fun)


def simplex_count(beta_separation: float, patterns: int) -> int:
    """How many stable fixed points K patterns of one norm and one overlap have at βΔ."""
    found = checked_beta(beta_separation)
    near_patterns = patterns if found > simplex_fold(patterns) else 0
    return near_patterns + (1 if found < patterns else 0)


def clusters(neurons: int, *, number: int, size: int, separation: float, rng: np.random.Generator) -> Floats:
    """C clusters of n patterns of norm 1, rows: overlaps 1 - Δ within a cluster, 0 between, in random directions.

    They need C (n + 1) neurons.
    """
    number, size = whole("number", number, 1), whole("size", size, 1)
    least = number * (size + 1)
    if whole("neurons", neurons, 1) < least:
        raise Refused(f"{number} clusters of {size} patterns need at least {least} neurons, got {neurons}")
    separation = _separation(separation)
    axes, _ = np.linalg.qr(rng.standard_normal((neurons, least)))
    centres, own = axes.T[:number], axes.T[number:]
    return math.sqrt(1 - separation) * np.repeat(centres, size, axis=0) + math.sqrt(separation) * own


def cluster_weights(
    beta: float, *, number: int, size: int, separation: float, tolerance: float = 1e-14, most: int = 1_000_000
) -> tuple[float, float, float]:
    """Where such a memory settles from a stored pattern: its weight, that of each mate, that of each other pattern.

    The three are all that the symmetry leaves of the update, so this is exact for C clusters of n patterns. Where a
    weight belongs to no pattern it is 0.
    """
    beta, mates, others = checked_beta(beta), whole("size", size, 1) - 1, (whole("number", number, 1) - 1) * size
    overlap = 1 - _separation(separation)
    own, mate, other = 1.0, 0.0, 0.0
    for _ in range(whole("most", most, 1)):
        scores = (
            own + overlap * mates * mate,
            overlap * own + (1 + overlap * (mates - 1)) * mate,
            (1 + overlap * mates) * other,
        )
        top = max(scores)
        a, b, c = (math.exp(beta * (score - top)) for score in scores)
        total = a + mates * b + others * c
        before, (own, mate, other) = own, (a / total, b / total if mates else 0.0, c / total if others else 0.0)
        if abs(own - before) <= tolerance:
            return own, mate, other
    raise Refused(f"beta = {beta:g}, separation = {separation:g} still moves after {most} updates: near a bifurcation")


def _separation(separation: float) -> float:
    if not 0 <= real("separation", separation) <= 1:
        raise Refused(f"separation must be from 0 to 1, got {separation!r}")
    return separation
