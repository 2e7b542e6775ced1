"""Gaussian averages ∫Dz f(h) over local fields h = a + σz, for functions f with a kink of width ~T at h = 0.

A fixed Gauss-Hermite rule misses the kink when T << σ. Here the z axis is cut at the kink z* = -a/σ and at multiples of
its width T/σ, graded like the distance to the poles h = ±iπT/2 of tanh(h/T), with one Gauss-Legendre rule per panel.
The averages that every solver needs are compiled (kernels/averages.py); `average` takes any other function.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf

from ..kernels import averages

Array = NDArray[np.float64]

REACH = 9.0  # the Gaussian weight beyond |z| = 9 is below 1e-18
PANELS = np.array([-REACH, -REACH / 2, 0.0, REACH / 2, REACH])
GRADES = np.array([-20.0, -11.0, -6.0, -2.0, 0.0, 2.0, 6.0, 11.0, 20.0])  # tanh is ±1 to rounding beyond 20 widths
ABSCISSAE, WEIGHTS = np.polynomial.legendre.leggauss(16)
TINY = 1e-60  # stands for σ = 0, where a/σ still has a square
HALF_NORMAL = np.sqrt(2 / np.pi)  # ∫Dz |z|


class Nodes(NamedTuple):
    """A quadrature rule: fields h, Gaussian variables z and weights, each [..., n]."""

    h: Array
    z: Array
    weights: Array


class Response(NamedTuple):
    """What a neuron answers to a field a + σz, each [...], with v = σ².

    m = ∫Dz tanh βh, q = ∫Dz tanh² βh, C = ∂m/∂a = β(1-q), and the slopes ∂m/∂v and ∂C/∂v (∂C/∂a = 2 ∂m/∂v).
    """

    m: Array
    q: Array
    C: Array
    dm_dv: Array
    dc_dv: Array


def nodes(mean: ArrayLike, spread: ArrayLike, temperature: float) -> Nodes:
    """A rule for ∫Dz f(a + σz), T > 0; mean a and spread σ broadcast to [...], n = 208 nodes.

    Machine precision for f analytic within |Im h| < πT/2 and of at most polynomial growth. z is measured from the kink,
    so that a kink narrower than the rounding of z is still resolved.
    """
    a, sigma = np.asarray(mean, dtype=float)[..., None], np.maximum(spread, TINY)[..., None]
    kink, width = -a / sigma, temperature / sigma
    origin = np.minimum(np.maximum(kink, -REACH), REACH)
    cuts = np.minimum(np.maximum(kink - origin + width * GRADES, -REACH - origin), REACH - origin)
    edges = np.sort(np.concatenate([cuts, np.broadcast_to(PANELS, (*cuts.shape[:-1], 5)) - origin], axis=-1), axis=-1)
    half = (edges[..., 1:, None] - edges[..., :-1, None]) / 2
    offset = (edges[..., :-1, None] + half * (1 + ABSCISSAE)).reshape(*cuts.shape[:-1], -1)
    z = origin + offset
    weights = (half * WEIGHTS).reshape(offset.shape) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    return Nodes(np.where(origin == kink, 0.0, a + sigma * origin) + sigma * offset, z, weights)


def average(function: Callable[[Array], Array], mean: ArrayLike, spread: ArrayLike, temperature: float) -> Array:
    """∫Dz f(a + σz) for T > 0; a and σ broadcast to [...]."""
    rule = nodes(mean, spread, temperature)
    return np.asarray((function(rule.h) * rule.weights).sum(axis=-1))


def magnetisation(mean: ArrayLike, spread: ArrayLike, temperature: float) -> Array:
    """∫Dz tanh(h/T), T > 0."""
    return response(mean, spread, temperature).m


def response(mean: ArrayLike, spread: ArrayLike, temperature: float) -> Response:
    """The answer of a neuron at temperature T >= 0; a and σ broadcast to [...]. At T = 0 by error functions."""
    if temperature == 0:
        return _response_at_zero(np.asarray(mean, dtype=float), np.maximum(spread, TINY))
    return Response(*_compiled(averages.respond, 5, mean, spread, temperature))


def _compiled(kernel: Callable[..., None], columns: int, mean: ArrayLike, spread: ArrayLike, T: float) -> Array:
    """[columns, ...]: what a kernel writes for every pair (a, σ)."""
    a, sigma = np.asarray(mean, dtype=float), np.asarray(spread, dtype=float)
    if a.shape != sigma.shape:
        a, sigma = (np.array(x) for x in np.broadcast_arrays(a, sigma))
    out = np.empty((a.size, columns))
    kernel(np.ascontiguousarray(a).reshape(-1), np.ascontiguousarray(sigma).reshape(-1), float(T), out)
    return np.asarray(out.T.reshape(columns, *a.shape))


def _response_at_zero(a: Array, sigma: Array) -> Response:
    x = a / sigma
    C = HALF_NORMAL / sigma * np.exp(-x * x / 2)
    return Response(erf(x / np.sqrt(2)), np.ones_like(C), C, -x / (2 * sigma) * C, (x * x - 1) / (2 * sigma**2) * C)


def log_2cosh(mean: ArrayLike, spread: ArrayLike, temperature: float) -> Array:
    """T ∫Dz ln 2cosh(h/T); at T = 0 its limit ∫Dz |h| = a erf(a/√2σ) + σ √(2/π) exp(-a²/2σ²)."""
    if temperature == 0:
        a, sigma = np.asarray(mean, dtype=float), np.maximum(spread, TINY)
        x = a / sigma
        return np.asarray(a * erf(x / np.sqrt(2)) + sigma * HALF_NORMAL * np.exp(-x * x / 2))
    return np.asarray(_free(mean, spread, temperature)[0])


def entropy(mean: ArrayLike, spread: ArrayLike, temperature: float) -> Array:
    """∫Dz [ln 2cosh x - x tanh x], x = h/T: the entropy of a free neuron in its field, 0 at T = 0."""
    if temperature == 0:
        return np.zeros(np.broadcast(mean, spread).shape)
    return np.asarray(_free(mean, spread, temperature)[1])


def sech4(mean: ArrayLike, spread: ArrayLike, temperature: float) -> Array:
    """∫Dz sech⁴(h/T), T > 0."""
    return np.asarray(_free(mean, spread, temperature)[2])


def _free(mean: ArrayLike, spread: ArrayLike, temperature: float) -> Array:
    return _compiled(averages.free, 3, mean, spread, temperature)
