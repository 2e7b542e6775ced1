"""The load at which half of the runs succeed, with its error."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ..errors import Refused
from ..statistics import Average

Floats = NDArray[np.float64]
ROUNDS, SMALL = 100, 1e-12


def half(loads: Floats, fractions: Floats, samples: Floats) -> Average:
    """α of P(α) = Φ((α_half - α)/w), fitted to success fractions by maximum likelihood; its standard error.

    The fractions are means over `samples` independent runs, each a success or not. Iterated weighted least squares
    for the line η = Φ⁻¹(P). Refused where the fractions do not fall from above to below one half.
    """
    if not (fractions.max() > 0.5 > fractions.min()):
        raise Refused(f"success fractions must pass one half, got {fractions.min():g} to {fractions.max():g}")
    design = np.stack([np.ones_like(loads), loads - loads.mean()], axis=1)
    line = np.array([0.0, -1 / np.ptp(loads)])
    for _ in range(ROUNDS):
        eta = np.clip(design @ line, -6, 6)
        P, slope = ndtr(eta), np.exp(-eta * eta / 2) / math.sqrt(2 * math.pi)
        weights = samples * slope**2 / (P * (1 - P))
        covariance = np.linalg.inv(design.T @ (weights[:, None] * design))
        change = covariance @ (design.T @ (weights * (fractions - P) / slope))
        line = line + change
        if np.abs(change).max() < SMALL * np.abs(line).max():
            break
    if not line[1] < 0:
        raise Refused("success fractions must fall with the load; add samples")
    at = -line[0] / line[1]
    slopes = np.array([-1 / line[1], line[0] / line[1] ** 2])
    return Average(float(loads.mean() + at), float(math.sqrt(slopes @ covariance @ slopes)))
