"""Phases of multitasking networks at low load in the plane of dilution d and temperature T, and the lines in it.

At a fixed temperature the pure state of d = 0 is followed as d grows. At the stability line

    T = a (1 - a t²),   a = 1-d,   t = tanh(m/T) = m/a,   m the overlap of the pure state

a second pattern is retrieved with the first, then a third, each continuously: the hierarchical state. The spinodal is
where this state ends with a jump, d_c(K) at T = 0. The jump comes from neurons with ξ = (1, -1, ..., -1), who change
sides; of them there are 2((1-d)/2)^K, so that there is one only up to temperatures of about K times that (0.07 for
K = 3, 0.02 for K = 4, 2·10⁻⁴ for K = 8). At higher ones the overlaps become parallel, m_1 < m_2 + ... + m_K,
continuously. The hierarchical state is the global minimum of f up to the coexistence line. Among parallel states there
are further transitions, a cascade of weakly discontinuous ones for many patterns, which stable_states shows.
"""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..errors import Refused
from . import landscape, minima
from .finite_patterns import (
    State,
    checked_dilution,
    checked_patterns,
    critical_dilution,
    described,
    hierarchical_overlaps,
)
from .fixed_point import root
from .gaussian import Array
from .landscape import Landscape
from .solution import checked_temperature

LINES = ("spinodal", "coexistence", "stability")
STEP = 0.01  # of the dilution, the longest in which the state is followed
SLOWER, FINEST = 8, 0.25  # a step is a part of the smallest field that can change sign, and at least a part of T
HEAVY = 0.1  # T times a part of the neurons large enough to turn over together
STEEP, SHORTEST = 2.0, 0.005  # a fall of the first overlap with d that asks for shorter steps, down to a part of T
SMALLEST = 1e-3  # m/T at which the end of the stability line is reached to 1e-6
HALVINGS = 30  # of a bracket
RETURN = 1e-6  # change of the first overlap that is a jump
ROUNDING = 1e-13  # of f
ASIDE = 1e-5  # of the dilution, from where a state ends
WORK = 2**22  # of minima.frozen, at one of many points
RIVALS = 30  # other minima, the lowest, at the end of the hierarchical state
LEVEL = 2  # of the lattice of starts on a grid


@dataclass(frozen=True)
class DilutionBoundary:
    """The dilution of a line at a temperature, a bracket low <= dilution <= high, and the largest overlap m there.

    Where the line does not exist dilution, low, high and m are None and converged is False.
    """

    temperature: float
    dilution: float | None = None
    low: float | None = None
    high: float | None = None
    m: float | None = None
    converged: bool = False


class Path(NamedTuple):
    """The state followed from d = 0, at growing dilutions, and the bracket of the jump that ends it, if any."""

    dilutions: list[float]
    states: list[Array]
    jump: tuple[float, float] | None


@dataclass(frozen=True)
class LowLoadPhases:
    """The stable states, the dominant one first, at every point: stable[i][j] at temperatures[i] and dilutions[j].

    A point at which states merge may be empty.
    """

    patterns: int
    dilutions: Array
    temperatures: Array
    stable: list[list[tuple[State, ...]]]


def low_load_phases(*, patterns: int, dilutions: Sequence[float], temperatures: Sequence[float]) -> LowLoadPhases:
    """Which states are stable, and which is the global minimum, on a grid of dilutions and temperatures."""
    d, T = (
        [check(x) for x in axis] for check, axis in ((checked_dilution, dilutions), (checked_temperature, temperatures))
    )
    columns = [_column(checked_patterns(patterns), x, T) for x in d]
    return LowLoadPhases(patterns, np.array(d), np.array(T), [list(row) for row in zip(*columns, strict=True)])


def dilution_line(*, patterns: int, line: str, temperatures: Sequence[float]) -> list[DilutionBoundary]:
    """The dilution of a line at each temperature, K = `patterns` >= 2.

    "spinodal": the hierarchical state, followed from the pure one at d = 0, ends with a jump. "coexistence": another
    state has the same free energy; below, the hierarchical one is the global minimum. "stability": the pure state
    becomes unstable against a second pattern, for T < 1/3. Coexistence holds against the states that a search finds
    (minima.py); it is there also where the followed state becomes parallel without a jump.
    """
    if line not in LINES:
        raise Refused(f"at low load line must be one of {', '.join(LINES)}, got {line!r}")
    if checked_patterns(patterns) < 2:
        raise Refused(f"lines need at least 2 patterns, got {patterns!r}")
    checked, coldest = [checked_temperature(T) for T in temperatures], _coldest(patterns)
    if line != "stability" and any(0 < T < coldest for T in checked):
        raise Refused(
            f"the {line} line of {patterns} patterns needs T = 0 or at least {coldest:g}, got {min(checked)!r}"
        )
    found = {"spinodal": _spinodal, "coexistence": _coexistence, "stability": _stability}[line]
    return [found(patterns, T) for T in checked]


def _coldest(patterns: int) -> float:
    """The temperature from which states can be followed: below, neurons that turn over together make other jumps."""
    return 2e-5 if patterns < 5 else 5e-5 if patterns == 5 else 2e-4


def pure_stability(points: int = 200) -> tuple[Array, Array]:
    """(dilutions, temperatures) of the stability line from (0, 0) to its end (2/3, 1/3) on T = 1-d, for any K >= 2."""
    marginal = [_marginal(float(y)) for y in np.geomspace(1000, SMALLEST, points)]
    d, T = np.array([(1 - a, T) for a, T in marginal]).T
    return d, T


def _column(patterns: int, dilution: float, temperatures: list[float]) -> list[tuple[State, ...]]:
    """The stable states at one dilution, followed from T = 0 to higher temperatures, and others that appear there."""
    stable: dict[float, tuple[State, ...]] = {}
    found = minima.frozen(patterns, dilution, WORK)
    for T in sorted(set(temperatures)):
        surface = Landscape(patterns, dilution, T)
        if 1 - dilution <= T:
            found = np.zeros((1, patterns))
        elif T > 0:
            rays = surface.on_rays(landscape.directions(patterns, LEVEL))
            found = minima.below(surface, np.concatenate([found[: minima.DESCENDED], rays]))
        stable[T] = tuple(described(surface, found))
    return [stable[T] for T in temperatures]


def _marginal(y: float) -> tuple[float, float]:
    """(a, T) of the marginal pure state with m = Ty."""
    t = math.tanh(y)
    a = (1 - t / y) / t**2
    return a, a * t / y


def _stability(patterns: int, temperature: float) -> DilutionBoundary:
    del patterns  # the pure state puts the same field on all others
    if temperature == 0:
        return DilutionBoundary(0.0, 0.0, 0.0, 0.0, 1.0, converged=True)
    if temperature >= _marginal(SMALLEST)[1]:
        return DilutionBoundary(temperature)
    y = root(lambda y: _marginal(y)[1] - temperature, SMALLEST, 2 / temperature)
    d = 1 - _marginal(y)[0]
    return DilutionBoundary(temperature, d, d * (1 - 1e-9), d * (1 + 1e-9), temperature * y, converged=True)


def _spinodal(patterns: int, temperature: float) -> DilutionBoundary:
    if temperature == 0:
        d = critical_dilution(patterns)
        if d == 1:
            return DilutionBoundary(0.0)
        return DilutionBoundary(0.0, d, math.nextafter(d, 0), math.nextafter(d, 1), 1 - d, converged=True)
    path = _path(patterns, temperature)
    if path.jump is None:
        return DilutionBoundary(temperature)
    low, high = path.jump
    return DilutionBoundary(temperature, (low + high) / 2, low, high, float(path.states[-1][0]), converged=True)


def _coexistence(patterns: int, temperature: float) -> DilutionBoundary:
    end = _end(patterns, temperature)
    if end <= 0:
        return DilutionBoundary(temperature)
    others = _minima(patterns, end, temperature)
    if _dominates(patterns, end, temperature, others):
        return DilutionBoundary(temperature)
    while True:
        low, high = 0.0, end
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if _dominates(patterns, middle, temperature, others) else (low, middle)
        more = _minima(patterns, low, temperature)
        if _dominates(patterns, low, temperature, more):
            break
        others = np.concatenate([others, more])
    m = float(_followed(patterns, low, temperature)[0])
    return DilutionBoundary(temperature, (low + high) / 2, low, high, m, converged=True)


def _end(patterns: int, temperature: float) -> float:
    """The dilution up to which the hierarchical state is followed, just before its states merge with others."""
    if temperature == 0:
        return critical_dilution(patterns) - ASIDE
    return _path(patterns, temperature).dilutions[-1] - ASIDE


def _dominates(patterns: int, dilution: float, temperature: float, others: Array) -> bool:
    """Whether the followed state is lower than what the others have become at this dilution."""
    surface = Landscape(patterns, dilution, temperature)
    others = surface.settle(others) if temperature == 0 else surface.descend(others)
    followed = _followed(patterns, dilution, temperature)
    return bool(surface.free_energy(followed) <= surface.free_energy(others).min() + ROUNDING)


def _minima(patterns: int, dilution: float, temperature: float) -> Array:
    return minima.minima(Landscape(patterns, dilution, temperature), WORK)[:RIVALS]


def _followed(patterns: int, dilution: float, temperature: float) -> Array:
    """The overlaps of the state followed from d = 0."""
    if temperature == 0:
        return np.array(hierarchical_overlaps(patterns=patterns, dilution=dilution))
    path = _path(patterns, temperature)
    before = max(bisect.bisect_right(path.dilutions, dilution) - 1, 0)
    return _descended(patterns, dilution, temperature, path.states[before])


@lru_cache(maxsize=256)
def _path(patterns: int, temperature: float) -> Path:
    """The state followed from d = 0 until it jumps, becomes parallel, or ends at T = 1-d.

    A step has a jump when the way back does not lead to where it started. Where the first overlap, which falls like
    1-d in the pure state, is steep there may be one, and steps are short; a hysteresis narrower than T/200 is not told
    from a continuous transition.
    """
    dilution, state = 0.0, _descended(patterns, 0.0, temperature, np.eye(patterns)[0])
    dilutions, states = [dilution], [state]
    while dilution < 1 - temperature - STEP and 2 * state[0] > state.sum():
        high = dilution + _step(Landscape(patterns, dilution, temperature), state)
        after = _descended(patterns, high, temperature, state)
        while state[0] - after[0] > STEEP * (high - dilution) > STEEP * SHORTEST * temperature:
            high = (dilution + high) / 2
            after = _descended(patterns, high, temperature, state)
        if not _returns(patterns, dilution, temperature, state, after):
            low, high, state = _halved(patterns, temperature, (dilution, high), state)
            hierarchical = 2 * state[0] > state.sum()
            return Path([*dilutions, low], [*states, state], (low, high) if hierarchical else None)
        dilution, state = high, after
        dilutions.append(dilution)
        states.append(state)
    return Path(dilutions, states, None)


def _step(surface: Landscape, state: Array) -> float:
    """A step of the dilution in which no field of many neurons gets far beyond zero."""
    xi = landscape.entries(surface.patterns)
    turned = (np.cumsum(xi, axis=1) < 0).any(axis=1)  # the others keep their sign as long as m_1 ≥ ... ≥ m_K ≥ 0
    heavy = surface.weights * (xi * xi).sum(axis=1) > HEAVY * surface.temperature
    fields = np.abs(surface.fields(state)[turned & heavy])
    smallest = float(fields[fields > landscape.NUDGE].min(initial=1.0))
    return float(np.clip(smallest / SLOWER, min(FINEST * surface.temperature, STEP), STEP))


def _returns(patterns: int, dilution: float, temperature: float, state: Array, after: Array) -> bool:
    """Whether the way back ends in the same state, by its first overlap: small ones are soft where they set in."""
    return abs(float(_descended(patterns, dilution, temperature, after)[0] - state[0])) < RETURN


def _halved(
    patterns: int, temperature: float, bracket: tuple[float, float], state: Array
) -> tuple[float, float, Array]:
    """The bracket around a jump, halved, and the state before it."""
    low, high = bracket
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        after = _descended(patterns, middle, temperature, state)
        if _returns(patterns, low, temperature, state, after):
            low, state = middle, after
        else:
            high = middle
    return low, high, state


def _descended(patterns: int, dilution: float, temperature: float, state: Array) -> Array:
    """The minimum below a state."""
    return np.asarray(Landscape(patterns, dilution, temperature).descend(state[None])[0])
