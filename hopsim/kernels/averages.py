"""Gaussian averages of a neuron's answer to its field: the panels of theory/gaussian.py, compiled.

All numbers are float64. exp is 2^k (1 + p), p the Taylor polynomial of exp(r) - 1 on |r| <= ln(2)/2, so that tanh keeps
its relative precision at small fields.
"""

import numpy as np
from numba import njit

_REACH = 9.0
_TINY = 1e-60
_GRADES = (-20.0, -11.0, -6.0, -2.0, 0.0, 2.0, 6.0, 11.0, 20.0)
_PANELS = (-9.0, -4.5, 0.0, 4.5, 9.0)
_ABSCISSAE, _WEIGHTS = (np.ascontiguousarray(x) for x in np.polynomial.legendre.leggauss(16))
_DENSITY = 1 / np.sqrt(2 * np.pi)

_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
_SHIFT = 6755399441055744.0  # 1.5 2^52: adding it rounds to an integer, which then stands in the lowest bits
_LEAST = -690.0  # exp(-690) is still a normal number


@njit(error_model="numpy", fastmath={"contract"})
def _exponential(y):
    """(2^k, exp(r) - 1) with exp(y) = 2^k exp(r), y <= 0. Flags of its own, lest it reassociates as its callers do."""
    y = max(y, _LEAST)
    shifted = y * _LOG2_E + _SHIFT
    k = shifted - _SHIFT
    r = (y - k * _LN2_HIGH) - k * _LN2_LOW
    p = 1 / 6227020800.0
    p = p * r + 1 / 479001600.0
    p = p * r + 1 / 39916800.0
    p = p * r + 1 / 3628800.0
    p = p * r + 1 / 362880.0
    p = p * r + 1 / 40320.0
    p = p * r + 1 / 5040.0
    p = p * r + 1 / 720.0
    p = p * r + 1 / 120.0
    p = p * r + 1 / 24.0
    p = p * r + 1 / 6.0
    p = p * r + 0.5
    p = p * r * r + r
    exponent = np.int64(np.float64(shifted).view(np.int64) + np.int64(1023)) << np.int64(52)
    return np.int64(exponent).view(np.float64), p


@njit(error_model="numpy", fastmath={"contract"})
def _fill(h, z, weights, edges, mean, spread, temperature):
    """Fields, Gaussian variables and weights of the rule; returns how many. Panels of no width are left out."""
    kink, width = -mean / spread, temperature / spread
    origin = min(max(kink, -_REACH), _REACH)
    for j in range(9):
        edges[j] = min(max(kink - origin + width * _GRADES[j], -_REACH - origin), _REACH - origin)
    for j in range(5):
        cut = _PANELS[j] - origin
        k = 9 + j
        while k > 0 and edges[k - 1] > cut:
            edges[k] = edges[k - 1]
            k -= 1
        edges[k] = cut
    base = 0.0 if origin == kink else mean + spread * origin
    count = 0
    for panel in range(13):
        left, half = edges[panel], (edges[panel + 1] - edges[panel]) / 2
        if half <= 0:
            continue
        for j in range(16):
            offset = left + half * (1 + _ABSCISSAE[j])
            x = origin + offset
            scale, p = _exponential(-x * x / 2)
            h[count + j], z[count + j] = base + spread * offset, x
            weights[count + j] = half * _WEIGHTS[j] * _DENSITY * (scale * p + scale)
        count += 16
    return count


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def respond(mean, spread, temperature, out):
    """out[n] = (m, q, C, ∂m/∂v, ∂C/∂v) of fields of mean[n] and spread[n], temperature > 0."""
    h, z, weights, edges, beta = np.empty(208), np.empty(208), np.empty(208), np.empty(14), 1 / temperature
    for n in range(mean.size):
        sigma = max(spread[n], _TINY)
        count = _fill(h, z, weights, edges, mean[n], sigma, temperature)
        m = q = c = dm_cold = dm_warm = dc_cold = dc_warm = 0.0
        for j in range(count):
            scale, p = _exponential(-2 * abs(h[j]) * beta)
            inverse = 1 / (1 + (scale * p + scale))
            t = ((1 - scale) - scale * p) * inverse
            s = 4 * (scale * p + scale) * inverse * inverse
            ws = weights[j] * s
            wt = weights[j] * (t if h[j] >= 0 else -t)
            m += wt
            q += weights[j] * t * t
            c += ws
            dm_cold += ws * z[j]
            dm_warm += wt * s
            dc_cold += ws * (z[j] * z[j] - 1)
            dc_warm += ws * (3 * s - 2)
        out[n, 0], out[n, 1], out[n, 2] = m, q, c * beta
        # by parts: with the derivatives on the Gaussian they do not cancel at T << σ, with those on tanh not at T >> σ
        if spread[n] > temperature:
            out[n, 3], out[n, 4] = dm_cold * beta / (2 * sigma), dc_cold * beta / (2 * sigma * sigma)
        else:
            out[n, 3], out[n, 4] = -dm_warm * beta * beta, -dc_warm * beta * beta * beta


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def free(mean, spread, temperature, out):
    """out[n] = (T ∫Dz ln 2cosh βh, ∫Dz [ln 2cosh βh - βh tanh βh], ∫Dz sech⁴ βh), temperature > 0."""
    h, z, weights, edges, beta = np.empty(208), np.empty(208), np.empty(208), np.empty(14), 1 / temperature
    for n in range(mean.size):
        count = _fill(h, z, weights, edges, mean[n], max(spread[n], _TINY), temperature)
        size = entropy = sech4 = logarithms = 0.0
        for j in range(count):
            x = abs(h[j]) * beta
            scale, p = _exponential(-2 * x)
            e = scale * p + scale
            inverse = 1 / (1 + e)
            s = 4 * e * inverse * inverse
            size += weights[j] * abs(h[j])
            entropy += weights[j] * 2 * x * e * inverse
            sech4 += weights[j] * s * s
            h[j] = e
        for j in range(count):
            logarithms += weights[j] * np.log1p(h[j])  # ln 2cosh x = |x| + ln(1 + e^(-2|x|)) does not overflow
        out[n, 0], out[n, 1], out[n, 2] = size + temperature * logarithms, entropy + logarithms, sech4
