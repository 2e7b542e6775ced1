"""Replica symmetry breaking for the first time: from a replica-symmetric solution to the saddle point of one step.

At x → 0 the states have the replica-symmetric q1, and q0 < q1 solves q0 = ∫Dz0 (∫Dz1 tanh βh)². From there y = βx is
raised until ∂f/∂y, at first positive, vanishes.
"""

import math

import numpy as np
from scipy.optimize import brentq

from . import gaussian, saddle
from .crosstalk import Noise, Responding
from .fixed_point import NotConverged
from .gaussian import Array
from .saddle import D, Y

HIDDEN = 10.0  # ∂f/∂y over its rounding where breaking is not told from none
SMALLEST = 1e-13  # d, or change of f, that is not told from 0
POLARISED = (0.7, 0.6, 0.5, 0.85)  # of q1: tried as q1 - q0 where q0 = 0 is unstable
VANISHING = 1e-3  # y σ, or for p = 2 y/(1-C), that stands for x → 0


def unstable(noise: Noise, load: float, temperature: float, a: float, spread: float) -> bool:
    """Whether a replica-symmetric solution is beyond the de Almeida-Thouless line, as all are at T = 0."""
    if temperature == 0:
        return True
    answer = gaussian.response(a, spread, temperature)
    q = float(answer.q) if spread > 0 else math.tanh(a / temperature) ** 2
    sech4 = float(gaussian.sech4(a, spread, temperature))
    return load * noise.stiffness(q, float(answer.C)) * (sech4 / temperature) / temperature > 1


def broken(
    noise: Noise,
    load: float,
    temperature: float,
    m: float,
    spread: float,
    unknowns: tuple[int, ...],
    equations: tuple[int, ...],
) -> Array | None:
    """The saddle point that replaces a replica-symmetric solution (m, σ); None where that is stable to rounding.

    unknowns and equations are those at fixed y.
    """
    a = m ** (noise.degree - 1)
    if not unstable(noise, load, temperature, a, spread):
        return None
    susceptibility = float(gaussian.response(a, spread, temperature).C)
    y = VANISHING * min(1 / spread, 1 - susceptibility if isinstance(noise, Responding) else math.inf)
    point = np.array([load, m, 0.0, susceptibility, y])
    d = widest(noise, temperature, point)
    if d is None:
        return None
    point[D] = d
    return raised(noise, temperature, point, unknowns, equations)


def widest(noise: Noise, temperature: float, point: Array) -> float | None:
    """About the largest d = q1 - q0 > 0 at a point that is otherwise given; None if it is not told from 0."""

    def excess(log: float) -> float:
        trial = point.copy()
        trial[D] = math.exp(log)
        return float(saddle.linearised(noise, temperature, trial).residual[1])

    # q0 = 0, a solution without a field but perhaps an unstable one, is left out
    high = math.log(1 - temperature * point[saddle.C]) - 1e-6
    low = high - 0.5
    while excess(low) <= 0:
        high, low = low, low - 1.0
        if low < math.log(SMALLEST):
            return None
    return math.exp(float(brentq(excess, low, high, xtol=0.01))) if excess(high) < 0 else math.exp(high)


def settled(
    noise: Noise, temperature: float, start: Array, unknowns: tuple[int, ...], equations: tuple[int, ...]
) -> Array | None:
    """The saddle point near a start, with q0 > 0 where q0 = 0 is unstable; None if it is not found or x > 1."""
    for share in POLARISED if polarisable(noise, temperature, start) else (1.0, *POLARISED):
        trial = start.copy()
        trial[D] *= share
        point = saddle.newton(noise, temperature, trial, unknowns, equations)
        good = point is not None and point[Y] * temperature <= 1 and not polarisable(noise, temperature, point)
        if point is not None and good and saddle.known(noise, temperature, point, unknowns, equations):
            return point
        if start[saddle.M] > 0:
            break
    return None


def polarisable(noise: Noise, temperature: float, point: Array) -> bool:
    """Whether q0 = 0, a solution where nothing tells one sign from the other, is unstable to q0 > 0."""
    load, m, d, susceptibility, y = point.tolist()
    q0 = 1 - temperature * susceptibility - d
    if m > 0 or q0 > 1e-6:
        return False
    stiffness = 1 / (1 - susceptibility - y * d) ** 2 if isinstance(noise, Responding) else noise.derivative(2, 0.0)
    return bool(load * stiffness * saddle.linearised(noise, temperature, point).response.kk > 1)


def raised(
    noise: Noise, temperature: float, start: Array, unknowns: tuple[int, ...], equations: tuple[int, ...]
) -> Array | None:
    """From x → 0 up in y to where ∂f/∂y = 0; None where rounding hides it."""
    load, _, d, susceptibility, y = start.tolist()
    w = load * saddle.levels(noise, d, susceptibility, y, temperature).w
    ceiling = math.inf if temperature == 0 else 1 / temperature
    y = min(0.7 / math.sqrt(w), ceiling / 2)  # y √w is about 1 wherever T << √w
    if isinstance(noise, Responding):
        y = min(y, (1 - susceptibility) / (2 * d))
    point, factor, rose = start, 2.0, True
    while factor > 1.01 and y * math.sqrt(w) > VANISHING / 10:
        moved = point.copy()
        moved[Y] = min(y, ceiling)
        found = saddle.newton(noise, temperature, moved, unknowns, equations)
        if found is None:
            factor = math.sqrt(factor)
            y = math.sqrt(y * point[Y])
            continue
        full = settled(noise, temperature, found, (*unknowns, Y), (*equations, 3))
        if full is not None:
            return full
        slope = float(saddle.linearised(noise, temperature, found).residual[3])
        if abs(slope) < HIDDEN * saddle.rounding(noise, temperature, found):
            return None
        rises = slope > 0
        if rises and found[Y] >= ceiling:
            break
        if point is not start and rises != rose:
            factor = math.sqrt(factor)
        point, rose, y = found, rises, found[Y] * (factor if rises else 1 / factor)
    load, _, d, susceptibility, y = point.tolist()
    if load * saddle.levels(noise, d, susceptibility, y, temperature).w * d * d * y < SMALLEST:
        return None
    raise NotConverged(
        f"replica symmetry is broken at load {start[0]:.6g}, T = {temperature:.6g}, but one step of it was not found; "
        "try a load or temperature nearby",
        point,
    )
