"""The saddle point of one step of replica symmetry breaking: its equations, their Jacobian and Newton's method on them.

A point is (load α, m, d, C, y) with d = q1 - q0, C = β(1-q1), y = βx, which stay finite at T → 0. Fields
h = m^(p-1) + √v0 z0 + √w z1 have v0 = α v̂0 and w = α ŵ:

    p = 2:  D1 = 1-C, D2 = D1 - yd,  v̂0 = r0 = q0/D2²,  ŵ = r1 - r0 = d/(D1 D2),
            P = ½ [-ln(D2/D1)/y² - d/(yD2) + q1 d/(D1 D2)]
    p ≥ 3:  v̂0 = ζ̂'(q0),  ŵ = ζ̂'(q1) - ζ̂'(q0),  P = ½ [θ(q1) - θ(q0)],  θ(q) = q ζ̂'(q) - ζ̂(q)

and the four equations are m, d and C = those of one_step_gaussian.response, and ∂f/∂y = αP - ∂G/∂y = 0.
"""

import math
from typing import NamedTuple

import numpy as np

from . import one_step_gaussian
from .crosstalk import ROUNDING, Mixed, Noise, Responding
from .gaussian import Array
from .one_step_gaussian import Response

LOAD, M, D, C, Y = range(5)
FALLEN, SETTLED = 1e-13, 1e-9  # residuals with nothing more to win; small enough for only full steps and to be a root
ITERATIONS = 20
HALVINGS = tuple(0.5**k for k in range(7))


class Levels(NamedTuple):
    """v̂0, ŵ and P per unit load; jacobian[i, j]: their derivatives with respect to (d, C, y)."""

    v0: float
    w: float
    P: float
    jacobian: Array


class Linearised(NamedTuple):
    """Residuals [4], their Jacobian [4, 5] and the answer of a neuron.

    The residuals are those of the undamped map in m, d (relative) and C, and ∂f/∂y over wd². None of the last three
    vanishes as d → 0, so that Newton's method does not end at the replica-symmetric solution.
    """

    residual: Array
    jacobian: Array
    response: Response


def levels(noise: Noise, d: float, susceptibility: float, y: float, temperature: float) -> Levels:
    """The noise between and within states."""
    if isinstance(noise, Responding):
        return _responding(d, susceptibility, y, temperature)
    return _mixed(noise, d, susceptibility, temperature)


def linearised(noise: Noise, temperature: float, point: Array) -> Linearised:
    """The equations at a point."""
    load, m, d, susceptibility, y = point.tolist()
    p, T = noise.degree, temperature
    noisy = levels(noise, d, susceptibility, y, T)
    answer = one_step_gaussian.response(m ** (p - 1), load * noisy.v0, load * noisy.w, y, T)
    slopes = answer.jacobian
    # columns of (a, v0, w, y), by the chain rule to (load, m, d, C, y)
    chain = np.zeros((4, 5))
    chain[0, M] = (p - 1) * m ** (p - 2)
    chain[1, LOAD], chain[2, LOAD] = noisy.v0, noisy.w
    chain[1:3, D:] = load * noisy.jacobian[:2]
    chain[3, Y] = 1.0
    jacobian = slopes @ chain
    gap = load * noisy.P - answer.slope
    w, by_w = load * noisy.w, load * noisy.jacobian[1]
    scale = 1 / (w * d * d)  # ∂f/∂y is of this order
    last = -scale * jacobian[3]
    last[LOAD] += scale * (noisy.P - gap / load)
    last[D:] += scale * (load * noisy.jacobian[2] - gap / w * by_w)
    last[D] -= 2 * scale * gap / d
    jacobian = np.array([jacobian[0], -T * jacobian[2] - jacobian[1], jacobian[2], last])
    jacobian[0, M] -= 1
    jacobian[1, D] -= 1
    jacobian[2, C] -= 1
    residual = np.array([answer.m - m, answer.spread / d - 1, answer.C - susceptibility, scale * gap])
    jacobian[1] /= d
    jacobian[1, D] -= residual[1] / d
    return Linearised(residual, jacobian, answer)


def allowed(noise: Noise, temperature: float, point: Array) -> bool:
    """Whether the equations exist at a point."""
    load, m, d, susceptibility, y = point.tolist()
    q1 = 1 - temperature * susceptibility
    fits = load > 0 and 0 <= m <= 1 and 0 < d <= q1 and susceptibility >= 0 and y > 0 and y * temperature <= 1.5
    return fits and (isinstance(noise, Mixed) or 1 - susceptibility - y * d > 0)


def newton(
    noise: Noise,
    temperature: float,
    start: Array,
    unknowns: tuple[int, ...],
    equations: tuple[int, ...],
    *,
    pinned: bool = False,
) -> Array | None:
    """The point where some of the equations hold, as many of its coordinates being unknown; None if it is not found.

    pinned: q0 = 0, so that d = q1 = 1 - TC follows C. Steps are halved until the residuals fall.
    """
    rows, columns = list(equations), list(unknowns)
    point, size, state = _at(noise, temperature, start, rows, pinned)
    for _ in range(ITERATIONS):
        if state is None or size < FALLEN:
            break
        jacobian = state.jacobian
        if pinned:
            jacobian = jacobian.copy()
            jacobian[:, C] -= temperature * jacobian[:, D]
        try:
            step = np.linalg.solve(jacobian[np.ix_(rows, columns)], state.residual[rows])
        except np.linalg.LinAlgError:
            break
        for shrink in (1.0,) if size < SETTLED else HALVINGS:
            trial = point.copy()
            trial[columns] -= shrink * step
            moved = _at(noise, temperature, trial, rows, pinned)
            if moved[1] < size:
                break
        if not moved[1] < size:
            break
        point, size, state = moved
    return point if size < SETTLED else None


def _at(
    noise: Noise, temperature: float, point: Array, rows: list[int], pinned: bool
) -> tuple[Array, float, Linearised | None]:
    """The point, the largest residual above rounding, and the equations there; infinite where they do not exist."""
    q1 = 1 - temperature * float(point[C])
    if pinned or point[D] > q1:  # a step beyond q0 = 0 ends there
        point = point.copy()
        point[D] = q1
    if not (np.all(np.isfinite(point)) and allowed(noise, temperature, point)):
        return point, math.inf, None
    state = linearised(noise, temperature, point)
    size = np.abs(state.residual)
    size[1] = max(size[1] - 4 * ROUNDING / point[D], 0.0)
    size[3] = max(size[3] - rounding(noise, temperature, point), 0.0)
    return point, float(size[rows].max()), state


def rounding(noise: Noise, temperature: float, point: Array) -> float:
    """What rounding leaves of the fourth residual, a small difference of terms of order 1/y, and for p = 2 of 1-C."""
    load, _, d, susceptibility, y = point.tolist()
    w = load * levels(noise, d, susceptibility, y, temperature).w
    size = math.sqrt(w) if one_step_gaussian.narrow(w, temperature) else 1.0
    error = 4 * ROUNDING * size / (y * w * d * d)
    return float(error + (16 * ROUNDING / ((1 - susceptibility) * d * d) if isinstance(noise, Responding) else 0.0))


def known(
    noise: Noise, temperature: float, point: Array, unknowns: tuple[int, ...], equations: tuple[int, ...]
) -> bool:
    """Whether rounding leaves y at a saddle point known to a percent."""
    jacobian = linearised(noise, temperature, point).jacobian[np.ix_(equations, unknowns)]
    try:
        shift = np.linalg.solve(jacobian, np.where(np.array(equations) == 3, rounding(noise, temperature, point), 0.0))
    except np.linalg.LinAlgError:
        return False
    return bool(abs(shift[unknowns.index(Y)]) < 0.01 * point[Y])


def _responding(d: float, susceptibility: float, y: float, T: float) -> Levels:
    D1 = 1 - susceptibility
    D2 = D1 - y * d
    q1 = 1 - T * susceptibility
    q0 = q1 - d
    v0, w = q0 / D2**2, d / (D1 * D2)
    P = (_second(y * d / D1) / y**2 + q1 * w) / 2
    jacobian = np.array(
        [
            [-1 / D2**2 + 2 * q0 * y / D2**3, -T / D2**2 + 2 * q0 / D2**3, 2 * q0 * d / D2**3],
            [1 / (D1 * D2) + w * y / D2, w * (1 / D1 + 1 / D2), w * d / D2],
            [0.0, 0.0, 0.0],
        ]
    )
    # P by D1, D2, d, q1 and y
    by_D1 = (1 / (y * y * D1) - q1 * w / D1) / 2
    by_D2 = (-1 / (y * y * D2) + d / (y * D2**2) - q1 * w / D2) / 2
    by_d = (-1 / (y * D2) + q1 / (D1 * D2)) / 2
    by_y = (2 * math.log(D2 / D1) / y**3 + d / (y * y * D2)) / 2
    jacobian[2] = by_d - y * by_D2, -by_D1 - by_D2 - T * w / 2, by_y - d * by_D2
    return Levels(v0, w, P, jacobian)


def _second(e: float) -> float:
    """-ln(1-e) - e/(1-e) = -e²/2 - 2e³/3 - ..."""
    if e > 0.05:
        return -math.log1p(-e) - e / (1 - e)
    return -sum(((n - 1) / n * e**n for n in range(2, 14)), 0.0)


def _mixed(noise: Mixed, d: float, susceptibility: float, T: float) -> Levels:
    q1 = 1 - T * susceptibility
    q0 = max(q1 - d, 0.0)
    w, theta, growth = noise.increments(q0, q1 - q0)
    bend, steep = noise.derivative(2, q0), noise.derivative(2, q1)
    jacobian = np.array(
        [
            [-bend, -T * bend, 0.0],
            [bend, -T * (steep - bend), 0.0],
            [q0 * bend / 2, -T * growth / 2, 0.0],
        ]
    )
    return Levels(noise.derivative(1, q0), w, theta / 2, jacobian)
