"""The overlap with a cued pattern along synchronous sign updates at T = 0, without the whole history.

With m_t the overlap and σ_t² the variance of the crosstalk, m_{t+1} = erf(m_t/(√2 σ_t)), and for p = 2 (Amari &
Maginu, "Statistical neurodynamics of associative memory", 1988), with u = m_t/σ_t and φ the normal density,

    σ_0² = α,   σ_{t+1}² = α + 4 φ(u)² + 4 α u m_{t+1} φ(u)

Here the updates of the last sweep are kept, the correlations with earlier ones not. The first two overlaps are exact
for N → ∞; the capacity that follows is 0.16, and the basins are too large.

For p ≥ 3 the first sweep from an overlap m gives erf(m^(p-1)/√(2αv)), v the crosstalk_variance of signal_to_noise.py.
It raises the overlap where α is below `first_step_load`, whose maximum is the replica-symmetric capacity at T = 0.
"""

import math
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfinv

from ..errors import Refused, real
from ..networks import Law
from .signal_to_noise import crosstalk_variance
from .solution import checked_load

Floats = NDArray[np.float64]
STEPS = 1000
AT_REST = 1e-10
WIDTH = 1e-6  # of the bracket of an edge
LOST = 0.5  # retrieved overlaps are above 0.9


def overlaps(*, load: float, cue: float, steps: int) -> Floats:
    """m_1, ..., m_steps of Amari & Maginu (1988) for p = 2, float64[steps]."""
    cue = real("cue", cue)
    if not 0 < cue <= 1:
        raise Refused(f"cue must be an overlap > 0 and at most 1, got {cue!r}")
    return np.fromiter(islice(_overlaps(checked_load(load), cue), steps), dtype=np.float64)


def _overlaps(load: float, m: float) -> Iterator[float]:
    variance = load
    while True:
        u = m / math.sqrt(variance)
        density = math.exp(-(u**2) / 2) / math.sqrt(2 * math.pi)
        m = math.erf(u / math.sqrt(2))
        variance = load + 4 * density**2 + 4 * load * u * m * density
        yield m


def capacity() -> float:
    """The largest load at which a pattern stays in these equations: 0.1596.

    >>> round(hs.theory.parallel_updates.capacity(), 2)
    0.16
    """
    return _edge(lambda load: not _retrieved(load, 1.0), 0.1, 0.2)


def critical_cue(*, load: float) -> float | None:
    """The smallest overlap of a cue from which the pattern is retrieved for p = 2; None above the capacity."""
    load = checked_load(load)
    return _edge(lambda cue: _retrieved(load, cue), 0.0, 1.0) if _retrieved(load, 1.0) else None


def _retrieved(load: float, cue: float) -> bool:
    """Whether the overlap is high where it comes to rest, or still is after STEPS."""
    last = cue
    for m in islice(_overlaps(load, cue), STEPS):
        if abs(m - last) < AT_REST:
            break
        last = m
    return m > LOST


def _edge(beyond: Callable[[float], bool], low: float, high: float) -> float:
    """Where a statement turns from false at low to true at high."""
    while high - low > WIDTH:
        middle = (low + high) / 2
        low, high = (low, middle) if beyond(middle) else (middle, high)
    return high


def first_step_load(law: Law, overlap: Floats) -> Floats:
    """α = m^(2p-2)/(2 v erfinv(m)²), p ≥ 3: below this load the first sweep raises an overlap 0 < m < 1."""
    degree = getattr(law.interaction, "degree", 0)
    if degree < 3:
        raise Refused(f"first_step_load needs a degree of at least 3, got {law.interaction}; use critical_cue")
    return np.asarray(overlap ** (2 * degree - 2) / (2 * crosstalk_variance(law) * erfinv(overlap) ** 2))
