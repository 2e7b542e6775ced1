"""The retrieval branch of the replica-symmetric equations at fixed temperature, followed through its fold.

At fixed overlap m the signal is a = m^(p-1), and ∫Dz tanh β(a + σz) falls with σ from tanh βa: there is one σ(m) at
which it is m, and then the load is explicit, α(m) = σ²/v̂. The stable branch runs from the m of zero load down to the
fold, the first maximum of α(m): the spinodal. No iteration has to die to find it. The same holds for mixtures of n
patterns, whose neurons answer as in mixtures.py; n = 1 throughout unless it is said otherwise.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfinv

from . import mixtures
from .crosstalk import Noise
from .equations import Equations
from .fixed_point import TIGHT, NotConverged, root
from .gaussian import HALF_NORMAL, Array

Mask = NDArray[np.bool_]

HALVINGS = 100  # at most; Newton's method takes about six steps


@dataclass(frozen=True)
class Fold:
    """The end of the retrieval branch: overlap, load and a bracket low <= load <= high."""

    m: float
    load: float
    low: float
    high: float


@lru_cache(maxsize=1024)
def overlap_range(noise: Noise, temperature: float, patterns: int = 1) -> tuple[float, float] | None:
    """The m between which noiseless neurons answer with more than m, zero load at the upper end; None if nowhere.

    With y = β m^(p-1) and m = M(y) = <S tanh yS>/n: T = M(y)^(p-1)/y, which is largest where M = (p-1) y M'.
    """
    p = noise.degree
    if temperature == 0:
        return 0.0, _noiseless(patterns, math.inf)[0]

    def excess(y: float) -> float:
        return _temperature_at(noise, y, patterns) - temperature

    crest = _crest(noise, patterns)
    if excess(crest) <= 0:
        return None
    top = _noiseless(patterns, root(excess, crest, 2 / temperature))[0]
    return (0.0 if p == 2 else _lower_end(excess, crest, patterns)), top


@lru_cache(maxsize=1024)
def hottest(noise: Noise, patterns: int = 1) -> float:
    """The temperature above which there is no retrieval at any load: 1 for p = 2."""
    return _temperature_at(noise, _crest(noise, patterns), patterns)


def _temperature_at(noise: Noise, y: float, patterns: int) -> float:
    return _noiseless(patterns, y)[0] ** (noise.degree - 1) / y


def _crest(noise: Noise, patterns: int) -> float:
    """The y of the largest T."""
    p = noise.degree

    def rise(y: float) -> float:
        m, slope = _noiseless(patterns, y)
        return m - (p - 1) * y * slope

    return 1e-9 if p == 2 else root(rise, 1e-3, 3 + math.log(p))


def _noiseless(patterns: int, y: float) -> tuple[float, float]:
    """M(y) = <S tanh yS>/n and its slope."""
    values, weights = mixtures.sums(patterns)
    t = np.tanh(y * values)
    return float(values * weights @ t) / patterns, float(values**2 * weights @ (1 - t * t)) / patterns


def _lower_end(excess: Callable[[float], float], crest: float, patterns: int) -> float:
    low = crest / 2
    while excess(low) > 0 and low > 1e-200:
        low /= 2
    return _noiseless(patterns, root(excess, low, crest))[0] if excess(low) < 0 else 0.0


def spread_at(noise: Noise, m: float, temperature: float, patterns: int = 1) -> float:
    """σ(m): the spread of the noise at which the neurons answer with m; 0 where even without noise they do not."""
    return math.sqrt(_variances(noise, np.array([m]), temperature, patterns)[0])


def _variances(noise: Noise, overlaps: Array, temperature: float, patterns: int) -> Array:
    """σ²(m) at some overlaps by Newton's method from above, halving the bracket where it would leave it."""
    m, a = overlaps, overlaps ** (noise.degree - 1)
    if patterns == 1:
        high = (a / erfinv(m)) ** 2 / 2  # exact at T = 0, and a temperature only adds noise
        if temperature == 0:
            return high
    else:
        high = (a * HALF_NORMAL / m) ** 2  # ∫Dz tanh βh <= erf(a|S|/√2σ) <= √(2/π) a|S|/σ and <S²> = n
    low, v = np.zeros_like(m), high
    reached = mixtures.response(patterns, a, 0.0, temperature).m > m
    for _ in range(HALVINGS):
        answer = mixtures.response(patterns, a, np.sqrt(v), temperature)
        low, high = np.where(answer.m > m, v, low), np.where(answer.m < m, v, high)
        trial = v - (answer.m - m) / np.where(answer.dm_dv < 0, answer.dm_dv, -np.inf)
        trial = np.where((trial >= low) & (trial <= high), trial, (low + high) / 2)
        settled = (np.abs(trial - v) <= TIGHT * v) | (np.abs(answer.m - m) <= TIGHT * m)
        v = trial
        if np.all(settled | ~reached):
            break
    return np.where(reached, v, 0.0)


def load_at(noise: Noise, m: float, temperature: float, patterns: int = 1) -> float:
    """α(m) = σ²/v̂ on the branch; 0 at its upper end, where σ = 0."""
    sigma = spread_at(noise, m, temperature, patterns)
    if sigma == 0:
        return 0.0
    answer = mixtures.response(patterns, m ** (noise.degree - 1), sigma, temperature)
    return sigma**2 / float(noise.variance(answer.q, answer.C))


@lru_cache(maxsize=1024)
def fold(noise: Noise, temperature: float, patterns: int = 1) -> Fold | None:
    """The end of the stable branch, where the Jacobian of the equations is singular; None if there is no branch.

    The bracket uses that α(m) is concave at its maximum: secants to either side bound it from above.
    """
    ends = overlap_range(noise, temperature, patterns)
    if ends is None:
        return None
    low, top = ends

    overlaps = top - (top - low) * np.geomspace(1e-6, 0.999, 24)
    unstable = _determinants(noise, overlaps, temperature, patterns) >= 0
    first = int(unstable.argmax())
    if first == 0:
        return None
    m = root(
        lambda m: float(_determinants(noise, np.array([m]), temperature, patterns)[0]),
        *overlaps[first - 1 : first + 1].tolist(),
    )
    step = 1e-4 * min(m - low, top - m)
    load, *beside = (load_at(noise, x, temperature, patterns) for x in (m, m - step, m + step))
    return Fold(m, load, min(max(beside), load), max(load, *(2 * load - other for other in beside)))


def state(noise: Noise, load: float, temperature: float, patterns: int = 1) -> tuple[float, float]:
    """(m, σ) of the stable retrieval state, to machine precision. Raises NotConverged beyond the end of the branch."""
    m, v, exists = states(noise, np.array([load]), temperature, patterns)
    if exists[0]:
        return float(m[0]), math.sqrt(v[0])
    sought = "no retrieval state" if patterns == 1 else f"no mixture of {patterns} patterns"
    end = fold(noise, temperature, patterns)
    where = f"the branch ends at load {end.load:.6g}" if end else "there is none at any load"
    if overlap_range(noise, temperature, patterns) is None:
        where = "at this temperature there is none at any load; lower it"
    raise NotConverged(f"{sought} at load {load:.6g}, T = {temperature:.6g}: {where}", end)


def states(noise: Noise, loads: Array, temperature: float, patterns: int = 1) -> tuple[Array, Array, Mask]:
    """(m, v = σ², exists) of the stable retrieval states at some loads and one temperature; m = v = 0 where none is."""
    found, exists = np.zeros((2, loads.size)), np.zeros(loads.size, dtype=bool)
    ends = overlap_range(noise, temperature, patterns)
    if ends is None:
        return *found, exists
    m, v = Equations(noise, loads, temperature, patterns).descend(ends[1])
    high = np.flatnonzero(m > ends[1] / 2)
    best = Equations(noise, loads[high], temperature, patterns).newton(m[high], v[high])
    # a solution far up, on the side of the fold where the determinant is negative, is the stable one
    stable = (best.residual < 1e-13 * np.maximum(1.0, loads[high])) & (best.determinant < 0) & (best.m > ends[1] / 2)
    exists[high] = stable
    found[:, exists] = best.m[stable], best.v[stable]
    end = None if exists.all() else fold(noise, temperature, patterns)
    if end is not None:
        near = np.flatnonzero(~exists & (loads <= end.load))
        equations = Equations(noise, loads[near], temperature, patterns)
        found[:, near] = equations.newton(*_follow(equations, end, ends[1]))[:2]
        exists[near] = True
    return *found, exists


def _follow(equations: Equations, end: Fold, top: float) -> tuple[Array, Array]:
    """(m, v) where the branch has the given loads, found between its fold and its upper end."""
    noise, temperature, patterns = equations.noise, equations.temperature, equations.patterns
    overlaps = []
    for load in equations.loads.tolist():

        def excess(m: float, load: float = load) -> float:
            return load_at(noise, m, temperature, patterns) - load

        overlaps.append(root(excess, end.m, top) if load < end.load else end.m)
    return np.array(overlaps), np.array([spread_at(noise, m, temperature, patterns) ** 2 for m in overlaps])


def _determinants(noise: Noise, overlaps: Array, temperature: float, patterns: int) -> Array:
    """Determinants of the Jacobian at some overlaps of the branch, whatever the loads there."""
    v = _variances(noise, overlaps, temperature, patterns)
    answer = mixtures.response(patterns, overlaps ** (noise.degree - 1), np.sqrt(v), temperature)
    loads = v / noise.variance(answer.q, answer.C)
    return Equations(noise, loads, temperature, patterns).jacobian(overlaps, answer).determinant
