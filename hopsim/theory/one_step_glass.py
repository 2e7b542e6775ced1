"""States without retrieval, m = 0, with one step of replica symmetry breaking.

Where the glass appears continuously (p = 2, and p ≥ 3 if ζ̂ is dominated by low degrees) breaking starts from the
unstable replica-symmetric glass. Where it appears by a jump of q1 (random first order), it is found from x = 1, where
q0 is replica-symmetric: below T_d states with q1 > q0 exist in number exp(NΣ) (dynamical transition), below T_K, where
Σ = 0, fewer than that dominate and x < 1 (static transition).

For p ≥ 3 the load only sets the unit of energy, √α: everything is computed at load 1 and temperature T/√α.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import minimize_scalar

from . import breaking, gaussian, glass, saddle
from .crosstalk import Mixed, Noise, Responding
from .fixed_point import NotConverged, root
from .gaussian import Array
from .saddle import LOAD, C, D, Y

GRID = np.linspace(0.02, 0.98, 33)  # of (q1 - q0)/(1 - q0)
COOLING = 0.93
FEW = 1e-5  # load below which the glass of p = 2 is found by scaling


@dataclass(frozen=True)
class Transition:
    """A jump of q1 at load 1: T_d, T_K, and the saddle points at T_K and T = 0."""

    dynamic: float
    static: float
    at_static: Array
    at_zero: Array


def symmetric_branch(noise: Noise, load: float, temperature: float) -> str:
    """The replica-symmetric branch of smallest q that is no unstable paramagnet."""
    if isinstance(noise, Responding):
        frozen = temperature < 1 + math.sqrt(load)
    else:
        frozen = noise.derivative(1, 0.0) == 0 and load * noise.derivative(2, 0.0) > temperature**2
    return "glass" if frozen or temperature == 0 else "paramagnet"


def symmetric_spread(noise: Noise, load: float, temperature: float) -> float:
    """σ on that branch."""
    return glass.spread(noise, load, temperature, symmetric_branch(noise, load, temperature))


def state(noise: Noise, load: float, temperature: float) -> Array | None:
    """The saddle point with q1 > q0; x = 1 between T_K and T_d; None where replica symmetry holds."""
    if isinstance(noise, Responding):
        return _broken(noise, load, temperature)
    unit = math.sqrt(load)
    point = _at_unit_load(noise, temperature / unit)
    return None if point is None else point * np.array([load, 1, 1, 1 / unit, 1 / unit])


@cache
def transition(noise: Noise) -> Transition | None:
    """The jump of q1 at load 1; None where the glass appears continuously."""
    if isinstance(noise, Responding):
        return None
    T = 3 * math.sqrt(2 * float(noise.zeta(1.0)))
    while (smooth := _instability(noise, T) <= 0) and _most(noise, T)[0] <= 0:
        T *= COOLING
    if not smooth:
        T = root(lambda T: _instability(noise, T), T, T / COOLING)
        if _most(noise, T)[0] <= 0:
            return None
    dynamic = root(lambda T: _most(noise, T)[0], T, T / COOLING)
    cold = dynamic * COOLING
    while _slope(noise, cold) > 0:
        cold *= COOLING
    static = root(lambda T: _slope(noise, T), cold, min(cold / COOLING, dynamic * (1 - 1e-9)))
    return Transition(dynamic, static, _at_one(noise, static), _at_zero(noise))


def pinned(noise: Noise) -> bool:
    """Whether q0 = 0 without retrieval: no random field and no part of degree 2."""
    return isinstance(noise, Mixed) and noise.derivative(1, 0.0) == 0 and noise.derivative(2, 0.0) == 0


def _at_unit_load(noise: Mixed, T: float) -> Array | None:
    jump = transition(noise)
    if jump is None:
        return _broken(noise, 1.0, T)
    if jump.dynamic <= T:
        return None
    if jump.static <= T:
        return _at_one(noise, T)
    if T == 0:
        return jump.at_zero
    start = jump.at_zero + T / jump.static * (jump.at_static - jump.at_zero)
    point = _settled(noise, T, start)
    if point is None:
        raise NotConverged(f"the glass at T/√load = {T:.6g} was not found from those at T = 0 and T_K", start)
    return point


def _broken(noise: Noise, load: float, temperature: float) -> Array | None:
    if isinstance(noise, Responding) and temperature >= 1 + math.sqrt(load):
        return None
    if isinstance(noise, Responding) and load < FEW:
        return _broken_at_few(noise, load, temperature)
    spread = symmetric_spread(noise, load, temperature)
    return breaking.broken(noise, load, temperature, 0.0, spread, (D, C), (1, 2)) if spread > 0 else None


def _broken_at_few(noise: Responding, load: float, temperature: float) -> Array | None:
    """p = 2, load → 0: 1-C and y fall as √load, from their values at a load that is small."""
    start = _broken(noise, FEW, temperature)
    if start is None:
        return None
    unit = math.sqrt(load / FEW)
    start[LOAD], start[C], start[Y] = load, 1 - unit * (1 - start[C]), unit * start[Y]
    point = breaking.settled(noise, temperature, start, (D, C, Y), (1, 2, 3))
    if point is None:
        raise NotConverged(
            f"the glass at load {load:.6g}, T = {temperature:.6g} was not found; take a larger load", start
        )
    return point


def _settled(noise: Noise, T: float, start: Array) -> Array | None:
    if pinned(noise):
        return saddle.newton(noise, T, start, (C, Y), (2, 3), pinned=True)
    return breaking.settled(noise, T, start, (D, C, Y), (1, 2, 3))


def _at_zero(noise: Mixed) -> Array:
    if not pinned(noise):
        point = _broken(noise, 1.0, 0.0)
        if point is None:
            raise NotConverged("the glass at T = 0 was not found")
        return point
    w = noise.derivative(1, 1.0)
    y = 1 / math.sqrt(w)
    for scale in (1.0, 2.0, 4.0, 8.0, 0.5, 0.25):
        start = np.array([1.0, 0.0, 1.0, 0.0, scale * y])
        start[C] = _C(noise, 0.0, start)
        point = _settled(noise, 0.0, start)
        if point is not None:
            return point
    raise NotConverged("the glass at T = 0 was not found")


def _C(noise: Noise, T: float, point: Array) -> float:
    return float(saddle.linearised(noise, T, point).response.C)


# --- x = 1 ---


def _q0(noise: Mixed, T: float) -> float:
    spread = symmetric_spread(noise, 1.0, T)
    return float(gaussian.response(0.0, spread, T).q) if spread > 0 else 0.0


def _excess(noise: Mixed, T: float, q0: float, share: float) -> float:
    """(d' - d)/d at x = 1, d' being what d = (1 - q0) share answers."""
    d = (1 - q0) * share
    point = np.array([1.0, 0.0, d, (1 - q0 - d) / T, 1 / T])
    return float(saddle.linearised(noise, T, point).residual[1])


def _most(noise: Mixed, T: float) -> tuple[float, float]:
    """The largest excess at x = 1 and where it is; it is positive below T_d."""
    q0 = _q0(noise, T)
    values = [_excess(noise, T, q0, share) for share in GRID]
    k = int(np.clip(np.argmax(values), 1, len(GRID) - 2))
    best = minimize_scalar(
        lambda share: -_excess(noise, T, q0, share),
        bounds=(GRID[k - 1], GRID[k + 1]),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return -float(best.fun), float(best.x)


def _at_one(noise: Mixed, T: float) -> Array:
    """The saddle point with x = 1 and the largest q1, T < T_d."""
    q0 = _q0(noise, T)
    share = root(lambda share: _excess(noise, T, q0, share), _most(noise, T)[1], 1 - 1e-15)
    d = (1 - q0) * share
    return np.array([1.0, 0.0, d, (1 - q0 - d) / T, 1 / T])


def _slope(noise: Mixed, T: float) -> float:
    """∂f/∂y at x = 1, over wd²: positive between T_K and T_d."""
    return float(saddle.linearised(noise, T, _at_one(noise, T)).residual[3])


def _instability(noise: Mixed, T: float) -> float:
    spread = symmetric_spread(noise, 1.0, T)
    q = float(gaussian.response(0.0, spread, T).q) if spread > 0 else 0.0
    return noise.stiffness(q, 0.0) * float(gaussian.sech4(0.0, spread, T)) - T * T
