"""Where a few diluted patterns lead from a start on the hierarchical state, N → ∞ at finite K.

Asynchronous updates at random sites move the overlaps along

    dm_μ/dt = E[ξ_μ tanh(ξ·m/T)] - m_μ,     sign at T = 0,

t in sweeps, without noise at N → ∞. f of landscape.py falls all the way, and the end is one of the states of
finite_patterns.py.
"""

import numpy as np

from ..errors import Refused, real
from .finite_patterns import checked_dilution, checked_patterns, hierarchical_overlaps
from .fixed_point import NotConverged
from .landscape import Landscape
from .solution import checked_temperature

STEP = 0.1  # sweeps
LONGEST = 1000  # sweeps
ARRIVED = 1e-10  # |dm/dt|


def relaxed(*, patterns: int, dilution: float, temperature: float, overlap: float = 1.0) -> tuple[float, ...]:
    """The overlaps that a start at `overlap` · (1-d) d^(k-1), k = 1, ..., K, is led to, the largest first.

    It is the start `states.hierarchical`. At T = 0, overlap > 0 and below the critical dilution it is the hierarchical
    state itself. Raises NotConverged where the flow takes over a thousand sweeps: close to where states merge.
    """
    K, d, T = checked_patterns(patterns), checked_dilution(dilution), checked_temperature(temperature)
    if not -1 <= real("overlap", overlap) <= 1:
        raise Refused(f"a start needs an overlap between -1 and 1, got {overlap!r}")
    surface = Landscape(K, d, T)
    m = overlap * np.array(hierarchical_overlaps(patterns=K, dilution=d))
    for _ in range(round(LONGEST / STEP)):
        velocity = surface.answer(m) - m
        if np.abs(velocity).max() < ARRIVED:
            return tuple((-np.sort(-np.abs(m))).tolist())
        m = m + STEP * velocity
    raise NotConverged(
        f"{K} patterns at dilution {d:g}, T = {T:g} are still moving after {LONGEST} sweeps: states merge here", m
    )
