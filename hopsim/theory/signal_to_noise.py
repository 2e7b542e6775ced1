"""Signal-to-noise estimates of storage (Krotov & Hopfield 2016): one update from a stored pattern, no feedback.

At σ = ξ^1 the aligned field of a neuron is 1 + z √(αv), z Gaussian and v = ζ̂'(1): (2p-3)!! for x^p, (p-1)! for
distinct indices, 1 for p = 2. At T = 0 a bit flips in the first update with probability

    P = ½ erfc(1/√(2αv))  ≈  √(αv/2π) exp(-1/(2αv))     for small αv

These are not capacities in the sense of the replica theory of boundaries.py: what the flipped bits do to the others is
left out, so that an error rate comes out at any load, also where retrieval is lost, and the load at a tolerated rate
is as arbitrary as the rate. They are right where errors are rare: m = 1 - 2P is the first iterate from m = 1 of the
replica-symmetric equation m = erf(m^(p-1)/√(2αv)) of p ≥ 3 at T = 0.
"""

import math
from collections.abc import Callable
from typing import Literal

from scipy.special import erfc, erfcinv, log_ndtr

from ..errors import Refused, real, whole
from ..networks import Law
from . import crosstalk
from .fixed_point import root
from .solution import checked_load

Recalled = Literal["one", "all"]


def crosstalk_variance(law: Law) -> float:
    """v = ζ̂'(1), the variance per unit load of the field that the other patterns make at a stored pattern.

    (2p-3)!! of all indices, (p-1)! of distinct ones:

    >>> [hs.theory.signal_to_noise.crosstalk_variance(hs.dense(neurons=4, degree=4, indices=i, patterns=1).law)
    ...  for i in ("all", "distinct")]
    [15.0, 6.0]
    """
    return float(crosstalk.noise(law).variance(1.0, 0.0))


def error_probability(law: Law, *, load: float) -> float:
    """P = ½ erfc(1/√(2αv)): the fraction of bits of a stored pattern that flip in one synchronous update."""
    return float(erfc(1 / math.sqrt(2 * checked_load(load) * crosstalk_variance(law))) / 2)


def error_probability_tail(law: Law, *, load: float) -> float:
    """√(αv/2π) exp(-1/(2αv)), the form that Krotov & Hopfield (2016) give: the tail of P at small load.

    It exceeds P by a fraction of about αv; above αv ~ 1 it is meaningless and can exceed 1.
    """
    variance = checked_load(load) * crosstalk_variance(law)
    return math.sqrt(variance / (2 * math.pi)) * math.exp(-1 / (2 * variance))


def capacity_at_error(law: Law, *, error: float) -> float:
    """The load at which a fraction `error` of the bits flips: α = 1/(2v erfcinv(2P)²). p = 2 at 0.5 %: 0.151."""
    error = real("error", error)
    if not 0 < error < 0.5:
        raise Refused(f"error must be a fraction of bits above 0 and below 0.5, got {error!r}")
    return float(1 / (2 * crosstalk_variance(law) * erfcinv(2 * error) ** 2))


def no_error_capacity(law: Law, *, neurons: int, recalled: Recalled) -> float:
    """The load at which one wrong bit is expected, with the full erfc: N P = 1 in "one" pattern, N K P = 1 in "all"."""
    degree, neurons = _checked(law, neurons, recalled)
    variance = crosstalk_variance(law)

    def excess(ratio: float) -> float:
        """ln of the expected number of wrong bits at signal over noise 1/√(αv)."""
        others = (degree - 1) * math.log(neurons) - math.log(ratio**2 * variance)
        bits = math.log(neurons) + (others if recalled == "all" else 0.0)
        return bits + float(log_ndtr(-ratio))

    return 1 / (variance * root(excess, *_ends(excess)) ** 2)


def no_error_capacity_leading(law: Law, *, neurons: int, recalled: Recalled) -> float:
    """Its leading order at large N: α = 1/(2v ln N) in "one" pattern, 1/(2vp ln N) in "all".

    For x^p and "one": K = N^(p-1)/(2 (2p-3)!! ln N) of Krotov & Hopfield (2016); p = 2: N/(2 ln N) and N/(4 ln N), the
    capacities of McEliece et al. (1987). Corrections fall like ln ln N / ln N: the full erfc gives more at any real N.
    """
    degree, neurons = _checked(law, neurons, recalled)
    return 1 / (2 * crosstalk_variance(law) * (degree if recalled == "all" else 1) * math.log(neurons))


def _ends(excess: Callable[[float], float]) -> tuple[float, float]:
    """Ratios between which the expected number of wrong bits falls through 1."""
    high = 1.0
    while excess(high) > 0:
        high *= 2
    return 1e-3, high


def _checked(law: Law, neurons: int, recalled: str) -> tuple[int, int]:
    if recalled not in ("one", "all"):
        raise Refused(f'recalled must be "one" or "all" patterns, got {recalled!r}')
    return crosstalk.noise(law).degree, whole("neurons", neurons, 3)
