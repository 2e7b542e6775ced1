"""States without retrieval, m = 0, of the replica-symmetric equations: the spin glass q > 0 and the paramagnet.

With h = σz both q(σ) = ∫Dz tanh² βσz and the load α(σ) = σ²/v̂ are explicit, so the states at a load are the roots of
α(σ) = α: one for p = 2, two or more or none for p ≥ 3.
"""

import math

import numpy as np
from scipy.optimize import minimize_scalar

from . import gaussian
from .crosstalk import Mixed, Noise, Responding
from .fixed_point import NotConverged, root
from .gaussian import HALF_NORMAL, Array

GRID = 96


def spread(noise: Noise, load: float, temperature: float, branch: str) -> float:
    """σ of the "glass" (largest q > 0) or the "paramagnet" (q = 0, or the smallest q where there is no q = 0)."""
    if branch == "paramagnet":
        found = _paramagnet(noise, load, temperature)
        where = "the paramagnet needs " + ("T > 1" if isinstance(noise, Responding) else "T > 0")
    else:
        found = _glass(noise, load, temperature)
        where = _glass_range(noise, load, temperature) if found is None else ""
    if found is None:
        raise NotConverged(f"no {branch} state at load {load:.6g}, T = {temperature:.6g}: {where}")
    return found


def spreads(noise: Noise, load: float, temperature: float) -> list[float]:
    """σ of every state with m = 0 found here: at least one at any load and temperature."""
    found = (_paramagnet(noise, load, temperature), _glass(noise, load, temperature))
    return [sigma for sigma in found if sigma is not None]


def _paramagnet(noise: Noise, load: float, temperature: float) -> float | None:
    if isinstance(noise, Responding):
        return 0.0 if temperature > 1 else None
    if temperature == 0:
        return _glass(noise, load, temperature) if noise.derivative(1, 0.0) > 0 else None
    if noise.derivative(1, 0.0) == 0:
        return 0.0
    return _first_root(noise, load, temperature, _grid(noise, load))


def _glass(noise: Noise, load: float, temperature: float) -> float | None:
    if isinstance(noise, Responding):
        return _responding_glass(noise, load, temperature)
    if temperature == 0:
        return math.sqrt(load * noise.derivative(1, 1.0))
    return _first_root(noise, load, temperature, _grid(noise, load)[::-1])


def _grid(noise: Mixed, load: float) -> Array:
    """Spreads from that of q = 0 (or nearly) to that of q = 1, both included in spite of rounding."""
    floor, ceiling = (math.sqrt(load * noise.derivative(1, q)) for q in (0.0, 1.0))
    return np.geomspace(max(floor * (1 - 1e-12), 1e-6 * ceiling), ceiling * (1 + 1e-12), GRID)


def _responding_glass(noise: Responding, load: float, temperature: float) -> float | None:
    """p = 2: the root of 1 - C = √(αq)/σ, below T_g = 1 + √α. σ <= √α + √(2/π), with equality at T = 0."""
    ceiling = math.sqrt(load) + HALF_NORMAL
    if temperature == 0 or temperature >= 1 + math.sqrt(load):
        return ceiling if temperature == 0 else None

    def excess(sigma: float) -> float:
        answer = gaussian.response(0.0, sigma, temperature)
        return float(1 - answer.C - np.sqrt(load * answer.q) / sigma)

    floor = 1e-7 * ceiling  # there the left side is 1 - T_g/T to rounding
    return root(excess, floor, ceiling * (1 + 1e-12)) if excess(floor) < 0 else None


def _mismatch(noise: Mixed, load: float, temperature: float, sigma: Array | float) -> Array:
    """1 - α v̂/σ²: the sign of α(σ) - α."""
    answer = gaussian.response(0.0, sigma, temperature)
    return np.asarray(1 - load * noise.variance(answer.q, answer.C) / np.square(sigma))


def _first_root(noise: Mixed, load: float, temperature: float, grid: Array) -> float | None:
    """The first root met along the grid, a close pair of roots between grid points included."""
    values = _mismatch(noise, load, temperature, grid)
    sign = 1.0 if values[0] >= 0 else -1.0
    values = sign * values

    def towards(sigma: float) -> float:
        return sign * float(_mismatch(noise, load, temperature, sigma))

    for k in range(1, len(grid)):
        if values[k] <= 0:
            return root(towards, grid[k - 1], grid[k])
        if k > 1 and values[k - 1] < min(values[k], values[k - 2]):
            low, high = sorted((float(grid[k - 2]), float(grid[k])))
            dip = minimize_scalar(towards, bounds=(low, high), method="bounded", options={"xatol": 1e-9 * high})
            if dip.fun <= 0:
                return root(towards, grid[k - 2], float(dip.x))
    return None


def _glass_range(noise: Noise, load: float, temperature: float) -> str:
    if isinstance(noise, Responding):
        return f"the glass needs T < 1 + √load = {1 + math.sqrt(load):.6g}"
    return "the glass needs a lower temperature or a larger load"
