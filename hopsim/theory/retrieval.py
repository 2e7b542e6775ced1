"""The retrieval branch of the replica-symmetric equations at fixed temperature, followed through its fold.

At fixed overlap m the signal is a = m^(p-1), and ∫Dz tanh β(a + σz) falls with σ from tanh βa: there is one σ(m) at
which it is m, and then the load is explicit, α(m) = σ²/v̂. The stable branch runs from the m of zero load down to the
fold, the first maximum of α(m): the spinodal. No iteration has to die to find it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import erfinv

from . import gaussian
from .crosstalk import Noise
from .fixed_point import NotConverged, first_change, newton, root
from .gaussian import Array


@dataclass(frozen=True)
class Fold:
    """The end of the retrieval branch: overlap, load and a bracket low <= load <= high."""

    m: float
    load: float
    low: float
    high: float


def overlap_range(noise: Noise, temperature: float) -> tuple[float, float] | None:
    """The m between which tanh(β m^(p-1)) > m, zero load at the upper end; None at temperatures where there is none.

    With m = tanh y: T = tanh(y)^(p-1)/y, which is largest where sinh 2y = 2(p-1)y.
    """
    p = noise.degree
    if temperature == 0:
        return 0.0, 1.0

    def excess(y: float) -> float:
        return math.tanh(y) ** (p - 1) / y - temperature

    crest = 1e-9 if p == 2 else root(lambda y: math.sinh(2 * y) - 2 * (p - 1) * y, 1e-3, 3 + math.log(p))
    if excess(crest) <= 0:
        return None
    top = math.tanh(root(excess, crest, 2 / temperature))
    return (0.0 if p == 2 else _lower_end(excess, crest)), top


def _lower_end(excess: Callable[[float], float], crest: float) -> float:
    low = crest / 2
    while excess(low) > 0 and low > 1e-200:
        low /= 2
    return math.tanh(root(excess, low, crest)) if excess(low) < 0 else 0.0


def spread_at(noise: Noise, m: float, temperature: float) -> float:
    """σ(m): the spread of the noise at which ∫Dz tanh β(a + σz) = m; 0 where tanh βa <= m."""
    a = m ** (noise.degree - 1)
    ceiling = a / (math.sqrt(2) * float(erfinv(m)))  # exact at T = 0, and a temperature only adds noise
    if temperature == 0 or math.tanh(a / temperature) <= m:
        return ceiling if temperature == 0 else 0.0

    def excess(sigma: float) -> float:
        return float(gaussian.magnetisation(a, sigma, temperature)) - m

    return root(excess, 0.0, ceiling) if excess(ceiling) < 0 else ceiling


def load_at(noise: Noise, m: float, temperature: float) -> float:
    """α(m) = σ²/v̂ on the branch; 0 at its upper end, where σ = 0."""
    sigma = spread_at(noise, m, temperature)
    if sigma == 0:
        return 0.0
    answer = gaussian.response(m ** (noise.degree - 1), sigma, temperature)
    return sigma**2 / float(noise.variance(answer.q, answer.C))


@lru_cache(maxsize=1024)
def fold(noise: Noise, temperature: float) -> Fold | None:
    """The end of the stable branch, where the Jacobian of the equations is singular; None if there is no branch.

    The bracket uses that α(m) is concave at its maximum: secants to either side bound it from above.
    """
    ends = overlap_range(noise, temperature)
    if ends is None:
        return None
    low, top = ends
    change = first_change(
        lambda m: _determinant(noise, m, temperature), [top - (top - low) * s for s in np.geomspace(1e-6, 0.999, 24)]
    )
    if change is None:
        return None
    m = root(lambda m: _determinant(noise, m, temperature), *change)
    step = 1e-4 * min(m - low, top - m)
    load, *beside = (load_at(noise, x, temperature) for x in (m, m - step, m + step))
    return Fold(m, load, min(max(beside), load), max(load, *(2 * load - other for other in beside)))


def state(noise: Noise, load: float, temperature: float) -> tuple[float, float]:
    """(m, σ) of the stable retrieval state, to machine precision. Raises NotConverged beyond the end of the branch."""
    ends = overlap_range(noise, temperature)
    if ends is None:
        raise NotConverged(
            f"no retrieval state at load {load:.6g}, T = {temperature:.6g}: "
            "at this temperature there is none at any load; lower it"
        )
    found = _descend(noise, load, temperature, ends[1])
    if found is not None:
        return found
    end = fold(noise, temperature)
    if end is None or load > end.load:
        where = "there is none at any load" if end is None else f"the branch ends at load {end.load:.6g}"
        raise NotConverged(f"no retrieval state at load {load:.6g}, T = {temperature:.6g}: {where}", end)
    m = root(lambda m: load_at(noise, m, temperature) - load, end.m, ends[1]) if load < end.load else end.m
    start = np.array([m, spread_at(noise, m, temperature) ** 2])
    (m, v), _, _ = newton(lambda x: _equations(noise, load, temperature, *x), start)
    return float(m), math.sqrt(v)


def _descend(noise: Noise, load: float, temperature: float, top: float) -> tuple[float, float] | None:
    """A few iterations down from zero load, then Newton: the solution if that clearly is the stable branch."""
    m, v = top, 0.0
    for _ in range(5):
        answer = gaussian.response(m ** (noise.degree - 1), math.sqrt(v), temperature)
        if answer.C >= 1 and noise.degree == 2:
            return None
        m, v = float(answer.m), load * float(noise.variance(answer.q, answer.C))
        if m < top / 2:
            return None
    x, residual, jacobian = newton(lambda x: _equations(noise, load, temperature, *x), np.array([m, v]))
    settled = np.abs(residual).max() < 1e-13 * max(1.0, load) and np.linalg.det(jacobian) < 0
    return (float(x[0]), math.sqrt(x[1])) if settled and top / 2 < x[0] <= 1 else None


def _determinant(noise: Noise, m: float, temperature: float) -> float:
    """Determinant of the Jacobian on the branch: dm/dα = |∂m/∂v| v̂ / determinant, negative on the stable side."""
    sigma = spread_at(noise, m, temperature)
    _, jacobian = _equations(noise, None, temperature, m, sigma**2)
    return float(jacobian[0, 0] * jacobian[1, 1] - jacobian[0, 1] * jacobian[1, 0])


def _equations(noise: Noise, load: float | None, temperature: float, m: float, v: float) -> tuple[Array, Array]:
    """∫Dz tanh βh - m and v - α v̂, and their Jacobian in (m, v); without a load, at the one that solves the second."""
    p = noise.degree
    if not (0 < m <= 1 and v >= 0):
        return np.full(2, np.inf), np.eye(2)
    answer = gaussian.response(m ** (p - 1), math.sqrt(v), temperature)
    q, C = float(answer.q), float(answer.C)
    if p == 2 and C >= 1:
        return np.full(2, np.inf), np.eye(2)
    variance = float(noise.variance(q, C))
    load = v / variance if load is None else load
    slope = load * noise.slope(q, C, temperature)
    da = (p - 1) * m ** (p - 2)
    dm_dv, dc_dv = float(answer.dm_dv), float(answer.dc_dv)
    jacobian = np.array([[C * da - 1, dm_dv], [-slope * 2 * dm_dv * da, 1 - slope * dc_dv]])
    return np.array([answer.m - m, v - load * variance]), jacobian
