"""Capacities at T = 0 by a second route: the closed equation m = erf(m^(p-1)/√(2αv)) of p >= 3 (Gardner 1987)."""

from scipy.optimize import minimize_scalar
from scipy.special import erfinv


def closed_capacity(degree: int) -> float:
    """α_c v = max over m of m^(2p-2)/(2 erfinv(m)²), v the variance of the crosstalk per unit load."""
    best = minimize_scalar(
        lambda m: -(m ** (2 * degree - 2)) / (2 * erfinv(m) ** 2),
        bounds=(0.5, 1 - 1e-9),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(-best.fun)
