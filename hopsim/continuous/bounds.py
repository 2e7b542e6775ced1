"""What is proven about softmax memories: when patterns are stored, and how far one update ends from them.

Ramsauer et al., "Hopfield Networks is All You Need" (2020), Theorems 3 to 5, for K patterns of norms up to M. The
separation of a pattern is Δ_i = x_i·x_i - max_{j≠i} x_j·x_i. For a state within r of x_i all other scores are lower by
at least Δ_i - 2rM, so that

    1 - p_i <= ε/(1 + ε) < ε = (K-1) exp[-β (Δ_i - 2 r M)]

from which all below follow. Theorems 4 and 5 take r as the larger of the distances of the state and of the fixed point
x_i* from x_i; the fixed point itself enters Theorem 4 only. In the paper K is N and the number of neurons N is d.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import lambertw

from ..errors import Refused, numbers, real, whole
from .softmax import checked_beta, matrix

Floats = NDArray[Any]
BLOCK = 1024


def separations(patterns: ArrayLike) -> Floats:
    """Δ_i of each row of [K, N], K >= 2; where it is <= 0, another pattern scores as much at x_i as x_i itself."""
    x = matrix("patterns", patterns).astype(np.float64)
    if len(x) < 2:
        raise Refused("separations need at least 2 patterns, got 1")
    found = np.empty(len(x))
    for first in range(0, len(x), BLOCK):
        rows = np.arange(first, min(first + BLOCK, len(x)))
        scores = x[rows] @ x.T
        own = scores[rows - first, rows].copy()
        scores[rows - first, rows] = -np.inf
        found[rows] = own - scores.max(axis=1)
    return found


def weight_outside(separation: ArrayLike, *, beta: float, patterns: int, radius: float, distance: ArrayLike) -> Floats:
    """ε/(1 + ε) >= 1 - p_i, the weight not on x_i, for a state at most `distance` from it; derived here."""
    epsilon = _epsilon(separation, beta, patterns, radius, distance)
    with np.errstate(divide="ignore"):  # all weight is on x_i
        return np.asarray(1 / (1 + 1 / epsilon))


def error_after_update(
    separation: ArrayLike, *, beta: float, patterns: int, radius: float, distance: ArrayLike
) -> Floats:
    """2Mε >= |f(ξ) - x_i|, Theorem 5, first part; it holds with the distance of the state alone (Lemma A4)."""
    return 2 * radius * _epsilon(separation, beta, patterns, radius, distance)


def error_of_fixed_point(separation: ArrayLike, *, beta: float, patterns: int, radius: float) -> Floats:
    """2e (K-1) M exp(-βΔ_i) >= |x_i* - x_i|, Theorem 5, second part; needs |x_i* - x_i| <= 1/(2βM)."""
    beta, M = checked_beta(beta), _radius(radius)
    return error_after_update(separation, beta=beta, patterns=patterns, radius=M, distance=1 / (2 * beta * M))


def contraction(separation: ArrayLike, *, beta: float, patterns: int, radius: float, distance: ArrayLike) -> Floats:
    """2βKM²ε >= |f(ξ) - x_i*| / |ξ - x_i*|, Theorem 4; distance: the larger of |ξ - x_i| and |x_i* - x_i|."""
    factor = 2 * checked_beta(beta) * patterns * radius**2
    return factor * _epsilon(separation, beta, patterns, radius, distance)


def contraction_by_variance(
    separation: ArrayLike, *, beta: float, patterns: int, radius: float, distance: ArrayLike
) -> Floats:
    """4βM²ε/(1 + ε), the same without the factor K/2; derived here.

    The Jacobian is β Cov_p(x), and no direction has a variance beyond E|x - x_i|² <= (1 - p_i) (2M)².
    """
    outside = weight_outside(separation, beta=beta, patterns=patterns, radius=radius, distance=distance)
    return 4 * checked_beta(beta) * radius**2 * outside


def least_separation(*, beta: float, patterns: int, radius: float) -> float:
    """2/(βK) + ln(2 (K-1) K β M²)/β: a pattern at least so separated is stored (Lemmas A5 to A7).

    Then f maps the ball of radius `ball` around x_i into itself and contracts there, so that it holds one fixed point,
    to which all states in it converge.
    """
    beta, K = checked_beta(beta), whole("patterns", patterns, 2)
    return (2 / K + math.log(2 * (K - 1) * K * beta * _radius(radius) ** 2)) / beta


def ball(*, beta: float, patterns: int, radius: float) -> float:
    """1/(βKM), the radius around a stored pattern of `least_separation` (Definition 3)."""
    return 1 / (checked_beta(beta) * whole("patterns", patterns, 2) * _radius(radius))


def sphere_base(*, neurons: int, beta: float, scale: float, failure: float) -> float:
    """c of Theorem 3, about patterns drawn at random on the sphere of radius M = scale √(N-1).

    a = 2/(N-1) [1 + ln(2β scale² p (N-1))], b = 2 scale² β/5, c = b/W_0(exp(a + ln b)), p the failure probability.
    """
    N, beta = whole("neurons", neurons, 2), checked_beta(beta)
    scale, p = _radius(scale), real("failure", failure)
    if not 0 < p <= 1:
        raise Refused(f"failure, a probability, must be > 0 and at most 1, got {failure!r}")
    a = 2 / (N - 1) * (1 + math.log(2 * beta * scale**2 * p * (N - 1)))
    b = 2 * scale**2 * beta / 5
    return float(b / lambertw(math.exp(a + math.log(b))).real)


def sphere_capacity(*, neurons: int, beta: float, scale: float, failure: float) -> float:
    """√p c^((N-1)/4): with probability 1 - p so many random patterns are stored (Theorem 3).

    Refused where its condition c >= (2/√p)^(4/(N-1)) fails and it says nothing.
    """
    c = sphere_base(neurons=neurons, beta=beta, scale=scale, failure=failure)
    least = (2 / math.sqrt(failure)) ** (4 / (neurons - 1))
    if c < least:
        raise Refused(f"the theorem needs c >= {least:.4g}, got c = {c:.4g}; raise neurons, beta, scale or failure")
    return float(math.sqrt(failure) * c ** ((neurons - 1) / 4))


def _epsilon(separation: ArrayLike, beta: float, patterns: int, radius: float, distance: ArrayLike) -> Floats:
    """(K-1) exp[-β (Δ - 2rM)], inf where it exceeds the floats."""
    away, apart = numbers("distance", distance), numbers("separation", separation)
    if not (away >= 0).all():
        raise Refused(f"distance must be >= 0, got {away.min()!r}")
    if np.isnan(apart).any():
        raise Refused("separation must be numbers, got nan")
    gap = apart - 2 * away * _radius(radius)
    with np.errstate(over="ignore"):
        return np.asarray((whole("patterns", patterns, 2) - 1) * np.exp(-checked_beta(beta) * gap))


def _radius(radius: float) -> float:
    found = real("radius", radius)
    if not found > 0:
        raise Refused(f"radius must be > 0, got {radius!r}")
    return found
