"""K at which a stated fraction of the bits of a stored pattern is wrong after one parallel update, measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import erfcinv
from scipy.stats import binom

from ..comparison import Row
from ..interactions import Polynomial
from ..networks import Law
from ..statistics import Average
from .workshop import Workshop

ERROR = 0.005  # wrong bits
FACTORS = (0.9, 1.1)  # loads measured, in units of the one expected
SCAN = """
[network]
{network}
neurons = {neurons}
load = [{loads}]

[dynamics]
rule = "synchronous"
temperature = 0

[protocol]
cue_overlap = 1.0
equilibrate = 0
measure = 1

[scan]
samples = 1
seed = 16
"""


@dataclass(frozen=True)
class Growth:
    """K ~ N^exponent: K measured at each size, fitted as it is (`plain`) and over its finite-size factor."""

    law: Law
    neurons: tuple[int, ...]
    patterns: tuple[Average, ...]

    @property
    def leading(self) -> list[Average]:
        """K over its finite-size factor."""
        factors = [finite_size(self.law, neurons) for neurons in self.neurons]
        return [Average(k.value / f, k.error / f) for k, f in zip(self.patterns, factors, strict=True)]

    @property
    def exponent(self) -> Average:
        """Of K over its finite-size factor."""
        return _slope(self.neurons, self.leading)

    @property
    def plain(self) -> Average:
        """Of K as it was measured."""
        return _slope(self.neurons, self.patterns)


def growth(
    workshop: Workshop, law: Law, network: str, load: float, neurons: Sequence[int], bits: tuple[int, int]
) -> Growth:
    """Measure K at every size, (full, quick) bits at each load, around the load expected at large N.

    `network` is what a scan file says of the law.
    """
    patterns = []
    for size in neurons:
        loads = ", ".join(f"{factor * load * finite_size(law, size):.8g}" for factor in FACTORS)
        full, quick = (math.ceil(number / size) for number in bits)
        text = SCAN.format(network=network, neurons=size, loads=loads)
        patterns.append(at_error(workshop.scan("one-update", text, (full, quick))))
    return Growth(law, tuple(neurons), tuple(patterns))


def at_error(rows: Sequence[Row]) -> Average:
    """K at which the fraction of wrong bits is ERROR: each load gives x = √2 erfcinv(2P), and x² (K-1) is constant.

    The mean over loads has no weights: those from errors found at few wrong bits would favour the loads with more.
    """
    wanted, found = _ratio(ERROR), []
    for row in rows:
        m = row.averages["overlap"]
        ratio, others = _ratio((1 - m.value) / 2), row.point.network.patterns - 1
        slope = math.exp(-(ratio**2) / 2) / math.sqrt(2 * math.pi)
        found.append((others * (ratio / wanted) ** 2 + 1, others * ratio / wanted**2 * m.error / slope))
    value, error = np.array(found).T
    return Average(float(value.mean()), float(np.sqrt((error**2).sum()) / len(found)))


def _ratio(probability: float) -> float:
    """Signal over noise at which a bit is wrong with this probability."""
    return float(math.sqrt(2) * erfcinv(2 * probability))


def _slope(neurons: Sequence[int], patterns: Sequence[Average]) -> Average:
    """Of ln K against ln N, all sizes alike: they have about as many bits each."""
    x, y = np.log(np.array(neurons, dtype=float)), np.log([k.value for k in patterns])
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    errors = np.array([k.error / k.value for k in patterns])
    return Average(float(weights @ y), float(np.sqrt(weights**2 @ errors**2)))


def finite_size(law: Law, neurons: int) -> float:
    """(S²/E[h²])/(N^(p-1)/v) → 1: the exact signal and crosstalk of one bit at N, over their leading order.

    One pattern acts on a neuron by ±h(M), h = G(M+1) - G(M-1), M the sum of the other N-1 products: S = h(N-1).
    """
    interaction = law.interaction
    assert isinstance(interaction, Polynomial)
    h = np.diff(np.array(interaction.values(neurons), dtype=float))
    h /= h[-1]
    noise = float(binom.pmf(np.arange(neurons), neurons - 1, 0.5) @ h**2)
    return _variance(law) / (noise * float(neurons) ** (interaction.degree - 1))


def _variance(law: Law) -> float:
    """v = (2p-3)!! of x^p, (p-1)! of distinct indices, 1 of p = 2."""
    interaction = law.interaction
    assert isinstance(interaction, Polynomial)
    p = interaction.degree
    if getattr(interaction, "indices", "distinct") == "all":
        return float(math.prod(range(1, 2 * p - 2, 2)))
    return float(math.factorial(p - 1))
