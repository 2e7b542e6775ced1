"""Nested averages (1/y) ∫Dz0 ln ∫Dz1 exp(y u(h)), u(h) = T ln 2cosh(h/T), h = a + √v0 z0 + √w z1, for 0 <= T and y > 0.

With y = βx this is (1/βx) ∫Dz0 ln ∫Dz1 (2cosh βh)^x. At T = 0, u = |h| and the inner average is two error functions.
At T > 0 what is left over that, (2cosh βh)^x - exp(y|h|), lives within |h| < 20 T: one matrix of Gaussian weights,
outer nodes by inner nodes, times the columns of functions of h/T. For √w < T/2, where u is smooth over the inner
Gaussian, Gauss-Hermite nodes do it. Both reach 1e-13.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import log_ndtr, ndtr

from . import gaussian
from .gaussian import Array

PANELS = np.array([0.0, 1.0, 2.5, 5.0, 9.0, 20.0])  # of s = |h|/T; (2cosh s)^x - e^(xs) falls as e^(-2s)
ABSCISSAE, WEIGHTS = np.polynomial.legendre.leggauss(12)
_HALF = np.diff(PANELS)[:, None] / 2
S = (PANELS[:-1, None] + _HALF * (1 + ABSCISSAE)).ravel()
S_WEIGHTS = (_HALF * WEIGHTS).ravel()
HERMITE, HERMITE_WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
HERMITE_WEIGHTS = HERMITE_WEIGHTS / HERMITE_WEIGHTS.sum()
NARROW = 0.5  # √w/T below which the inner nodes are those of Gauss and Hermite


class Inner(NamedTuple):
    """Averages <·> over z1 with weight exp(y u) at outer fields h0, each [n]; t = tanh βh and c = β sech² βh.

    log = ln ∫Dz1 exp(y u) - y base; u, tu, cu and uu have u - base for u, so that nothing cancels. first and second
    are d/dh0 and d²/dh0² of ∫Dz1 c exp(y u), over ∫Dz1 exp(y u).
    """

    base: Array
    log: Array
    t: Array
    c: Array
    first: Array
    second: Array
    u: Array
    tu: Array
    cu: Array
    uu: Array
    cc: Array
    entropy: Array


class Response(NamedTuple):
    """What a neuron answers: G, its derivatives and their Jacobian.

    G = (1/y) ∫Dz0 ln ∫Dz1 exp(y u); m = ∂G/∂a = ∫Dz0 <t>, q0 = ∫Dz0 <t>², C = ∫Dz0 <c> = β(1-q1), slope = ∂G/∂y.
    spread = q1 - q0. jacobian[i, j]: derivatives of (m, q0, C, slope) with respect to (a, v0, w, y).
    cc = ∫Dz0 <c²> (0 stands for its infinity at T = 0), kk = ∫Dz0 (d<t>/dh0)²,
    entropy = ∫Dz0 <ln 2cosh βh - βh tanh βh>.
    """

    G: float
    m: float
    q0: float
    C: float
    slope: float
    spread: float
    cc: float
    kk: float
    entropy: float
    jacobian: Array


def response(a: float, v0: float, w: float, y: float, temperature: float) -> Response:
    """The answer of a neuron to a field of mean a, variance v0 between states and w > 0 inside a state."""
    if v0 > 0:
        width = max(temperature, min(1 / y, np.sqrt(w)))
        rule = gaussian.nodes(a, np.sqrt(v0), width)
        h0, weights = rule.h, rule.weights
    else:
        h0, weights = np.array([a]), np.ones(1)
    s = inner(h0, w, y, temperature)
    t, c, T = s.t, s.c, temperature
    within = 1 - T * c - t * t
    k2 = c + y * within
    dc = s.first - y * t * c
    k3 = dc * (1 - y * T) - 2 * y * t * k2
    zz = y * c + y * y * (1 - T * c)
    d2c = s.second - 2 * y * t * s.first - c * zz + 2 * c * (y * t) ** 2
    dt_dw = k3 / 2 + y * t * k2
    dt_dy = s.tu - t * s.u
    columns = np.array(
        [
            s.base, s.log, t, t * t, c, s.u, within, s.cc, k2 * k2, s.entropy,
            k2, k3 / 2, dt_dw, dt_dy,
            2 * t * k2, k2 * k2 + t * k3, 2 * t * dt_dw, 2 * t * dt_dy,
            dc, d2c / 2, (s.second - c * zz) / 2, s.cu - c * s.u,
            s.uu - s.u**2,
        ]
    )  # fmt: skip
    base, log, m, q0, C, u, spread, cc, kk, entropy, *slopes, variance = (columns @ weights).tolist()
    dc_dy, dq_dy = slopes[11], slopes[7]
    bend = (1 - y * T) * dc_dy
    jacobian = np.array(
        [
            slopes[:4],
            slopes[4:8],
            slopes[8:12],
            [
                slopes[3],
                (bend + spread - y * dq_dy) / 2,
                (bend + 1 - T * C) / 2,
                variance / y - 2 * u / y**2 + 2 * log / y**3,
            ],
        ]
    )
    return Response(base + log / y, m, q0, C, u / y - log / y**2, spread, cc, kk, entropy, jacobian)


def inner(h0: Array, w: float, y: float, temperature: float) -> Inner:
    """The inner averages at outer fields h0 [n]."""
    if temperature == 0:
        return _inner_at_zero(h0, w, y)
    return (_inner_narrow if narrow(w, temperature) else _inner)(h0, w, y, temperature)


def narrow(w: float, temperature: float) -> bool:
    """Whether u is smooth over the inner Gaussian."""
    return w < (NARROW * temperature) ** 2


def _step(h0: Array, w: float, y: float) -> tuple[Array, Array]:
    """ln ∫Dz exp(y|h|) and <sign h>."""
    s = np.sqrt(w)
    up, down = y * h0 + log_ndtr(h0 / s + y * s), -y * h0 + log_ndtr(y * s - h0 / s)
    t = np.tanh((up - down) / 2)
    if y * (s + np.abs(h0).max()) > 0.5:
        return y * y * w / 2 + np.logaddexp(up, down), t
    # what little there is over 1, as Φ(b + ys) - Φ(b) = ∫ of the density
    b, reach = h0 / s, y * s * (1 + ABSCISSAE) / 2
    density = np.exp(-((b[:, None] + reach) ** 2) / 2) + np.exp(-((reach - b[:, None]) ** 2) / 2)
    more = density @ WEIGHTS * y * s / (2 * np.sqrt(2 * np.pi))
    for sign in (1, -1):
        more += np.expm1(y * y * w / 2 + sign * y * h0) * ndtr(sign * b + y * s)
    return np.log1p(more), t


def _inner_at_zero(h0: Array, w: float, y: float) -> Inner:
    log, t = _step(h0, w, y)
    c = 2 * np.exp(-h0 * h0 / (2 * w) - log) / np.sqrt(2 * np.pi * w)
    u, tu = h0 * t + w * (y + c), h0 + w * y * t
    zero = np.zeros_like(h0)
    return Inner(
        zero, log, t, c, -h0 / w * c, (h0 * h0 / w - 1) / w * c, u, tu, zero, h0 * tu + w * (1 + y * u), zero, zero
    )


def _inner(h0: Array, w: float, y: float, temperature: float) -> Inner:
    T, x, h = temperature, y * temperature, temperature * S
    log, t = _step(h0, w, y)
    c = 2 * np.exp(-h0 * h0 / (2 * w) - log) / np.sqrt(2 * np.pi * w)
    u, tu = h0 * t + w * (y + c), h0 + w * y * t
    uu = h0 * tu + w * (1 + y * u)
    decay = np.exp(-2 * S)
    soft = np.log1p(decay)
    more = np.expm1(x * soft)  # the weight over that at T = 0, less one
    weight = (1 + more) * S_WEIGHTS * T
    th = -np.expm1(-2 * S) / (1 + decay)
    lack = -2 * decay / (1 + decay)  # tanh - 1
    sech2 = 4 * decay / (1 + decay) ** 2
    v = T * (S + soft)
    excess = more * S_WEIGHTS * T
    even = np.stack(
        [
            excess,
            weight * sech2 / T,
            weight * sech2 / T * h * h,
            v * weight - h * S_WEIGHTS * T,
            weight * sech2 / T * v,
            v * v * weight - h * h * S_WEIGHTS * T,
            weight * (sech2 / T) ** 2,
            weight * (soft + S * -lack),
        ],
        axis=1,
    )
    odd = np.stack(
        [
            excess + lack * weight,
            weight * sech2 / T * h,
            v * th * weight - h * S_WEIGHTS * T,
        ],
        axis=1,
    )
    base = y * h - log[:, None] - np.log(2 * np.pi * w) / 2
    plus = np.exp(base - (h - h0[:, None]) ** 2 / (2 * w))
    minus = np.exp(base - (h + h0[:, None]) ** 2 / (2 * w))
    z, c, chh, du, cu, duu, cc, entropy = ((plus + minus) @ even).T
    dt, ch, dtu = ((plus - minus) @ odd).T
    norm = 1 / (1 + z)
    return Inner(
        np.zeros_like(h0),
        log + np.log1p(z),
        (t + dt) * norm,
        c * norm,
        (ch - h0 * c) / w * norm,
        ((chh - 2 * h0 * ch + h0 * h0 * c) / w - c) / w * norm,
        (u + du) * norm,
        (tu + dtu) * norm,
        cu * norm,
        (uu + duu) * norm,
        cc * norm,
        entropy * norm,
    )


def _inner_narrow(h0: Array, w: float, y: float, temperature: float) -> Inner:
    b = 1 / temperature
    h = h0[:, None] + np.sqrt(w) * HERMITE
    decay = np.exp(-2 * b * np.abs(h))
    soft = np.log1p(decay)
    base = np.abs(h0) + temperature * np.log1p(np.exp(-2 * b * np.abs(h0)))
    u = np.abs(h) + temperature * soft - base[:, None]
    t = np.sign(h) * (1 - decay) / (1 + decay)
    sech2 = 4 * decay / (1 + decay) ** 2
    more = np.expm1(y * u) @ HERMITE_WEIGHTS
    weight = np.exp(y * u) * HERMITE_WEIGHTS / (1 + more[:, None])

    def mean(values: Array) -> Array:
        return np.asarray((values * weight).sum(axis=1))

    c, cc, ct = b * mean(sech2), b * b * mean(sech2 * sech2), b * mean(sech2 * t)
    rest = b * c - cc  # β² <t² sech²>
    return Inner(
        base,
        np.log1p(more),
        mean(t),
        c,
        (y - 2 * b) * ct,
        4 * b * b * c - 6 * b * cc - 4 * y * rest + y * cc + y * y * rest * temperature,
        mean(u),
        mean(t * u),
        b * mean(sech2 * u),
        mean(u * u),
        cc,
        mean(soft + b * np.abs(h) * 2 * decay / (1 + decay)),
    )
