"""Boundaries in load and temperature of networks that learn from examples, and how many examples a load needs."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..errors import Refused
from ..networks import Law
from ..patterns import MOST_EXAMPLES
from . import boundaries
from .boundaries import SCANNED, TOLERANCE, Boundary
from .crosstalk import Mixed
from .fixed_point import NotConverged, bracket, first_change
from .gaussian import Array
from .learning_branch import all_without_retrieval, branch
from .learning_noise import examples_of, noise
from .learning_site import Average, Site
from .replica_symmetric import REPLICA_SYMMETRIC
from .solution import checked_load, checked_temperature

FEW = 16  # numbers of examples tried one by one, where even and odd ones differ


def capacity(law: Law, *, temperature: float, average: Average = "exact") -> Boundary:
    """The largest load α = K/N^(p-1) with a state that retrieves one archetype, and the overlap m with it there.

    One example, and infinitely many, give the capacity of the archetypes themselves: p = 2, T = 0: 0.1379, m = 0.967
    times r or 1. In between it is smaller: two examples in supervised learning are dilution (1-r²)/2, and with Gaussian
    x it tends to 0 for ρ → ∞. All examples of an archetype overlap alike; `Solution.symmetry` tells if that is stable.
    """
    return _spinodal(_checked(law), checked_temperature(temperature), average)


def line(law: Law, *, line: str, temperatures: Sequence[float], average: Average = "exact") -> list[Boundary]:
    """The load of a line at each temperature, as theory.line.

    "spinodal": retrieval ends. "coexistence": retrieval and the dominating m = 0 state have equal free energy. "glass":
    q grows continuously from 0 without retrieval; p = 2: 1/α = v²/(T-v)² + (M-1) ε²v²/(T-εv)², v = 1-d,
    ε = ρ/(1+ρ), the second term in unsupervised learning only. "stability": replica symmetry of the retrieval state,
    stable at small loads, fails (de Almeida-Thouless).
    """
    if line not in LINES:
        raise Refused(f"line must be one of {', '.join(LINES)}, got {line!r}")
    law = _checked(law)
    return [LINES[line](law, checked_temperature(temperature), average) for temperature in temperatures]


def needed(law: Law, *, load: float, temperature: float) -> int:
    """The least M from which on every number of examples retrieves an archetype at a load: capacity(M) >= load.

    The number of examples of the law itself is left aside. A single example is a pattern like any other, so that a
    small M may do where a larger one does not: all M up to 16 are tried, then the capacity taken to grow with M, for
    even and odd M each. At low load retrieval starts with the first example, at every T < 1 - d.
    """
    law, load, temperature = _checked(law), checked_load(load), checked_temperature(temperature)
    end = _spinodal(_of(law, 1), temperature, "exact").load  # one example is an archetype
    if end is None or load >= end:
        where = "nothing at any load" if end is None else f"less than load {end:.6g}"
        raise NotConverged(
            f"no number of examples is enough at load {load:.6g}, T = {temperature:.6g}: archetypes retrieve {where}"
        )

    def enough(M: int) -> bool:
        """Whether M and M + 1 examples are, so that even and odd numbers are both asked."""
        return all((_spinodal(_of(law, m), temperature, "exact").load or 0.0) >= load for m in (M, M + 1))

    high = FEW
    while not enough(high):
        low, high = high, 2 * high
        if high >= MOST_EXAMPLES:
            raise NotConverged(
                f"more than {MOST_EXAMPLES} examples are needed at load {load:.6g}, T = {temperature:.6g}; lower load"
            )
    if high == FEW:
        return max((M + 1 for M in range(1, FEW) if not enough(M)), default=1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _checked(law: Law) -> Law:
    examples_of(law)
    return law


def _of(law: Law, examples: int) -> Law:
    return replace(law, ensemble=replace(examples_of(law), examples=examples))


def _spinodal(law: Law, temperature: float, average: Average) -> Boundary:
    _, fold = branch(law, temperature, average)
    if fold is None:
        return Boundary(temperature)
    return Boundary(temperature, fold.load, fold.low, fold.high, fold.m, converged=True)


def _coexistence(law: Law, temperature: float, average: Average) -> Boundary:
    def lead(site: Site, n: Array, C: float, load: float) -> float:
        rivals = all_without_retrieval(law, load, temperature)
        best = max(site.free_energy(np.zeros(1), other, load) for other in rivals)
        return best - site.free_energy(n, C, load)

    return _on_branch(lead, law, temperature, average)


def _stability(law: Law, temperature: float, average: Average) -> Boundary:
    def stability(site: Site, n: Array, C: float, load: float) -> float:
        return float(site.stability(n, C, load) or 0.0)

    return Boundary(temperature) if temperature == 0 else _on_branch(stability, law, temperature, average)


def _glass(law: Law, temperature: float, average: Average) -> Boundary:
    known = noise(law)
    if isinstance(known, Mixed):
        return boundaries.LINES["glass"](known, temperature, REPLICA_SYMMETRIC)
    load = known.glass_load(temperature)
    if load == 0:
        return Boundary(temperature)
    return Boundary(temperature, load, math.nextafter(load, 0), math.nextafter(load, math.inf), 0.0, converged=True)


def _on_branch(
    function: Callable[[Site, Array, float, float], float], law: Law, temperature: float, average: Average
) -> Boundary:
    """Where a function of the state, positive at small loads, first becomes negative on the retrieval branch."""
    found, fold = branch(law, temperature, average)
    if fold is None:
        return Boundary(temperature)

    def at(load: float) -> float:
        n, C = found.state(load, fold)
        return function(found.site, np.array([n]), C, load)

    loads = [fold.load * share for share in (1e-4, 1e-3, 0.03, *SCANNED)]
    change = first_change(at, loads) if at(loads[0]) > 0 else None
    if change is None:
        return Boundary(temperature)
    load, low, high = bracket(at, *change, tolerance=TOLERANCE)
    n, C = found.state(load, fold)
    m = float(found.site.answer(np.array([n]), C, load).m[0])
    return Boundary(temperature, load, low, high, m, converged=True)


LINES = {"spinodal": _spinodal, "coexistence": _coexistence, "glass": _glass, "stability": _stability}
