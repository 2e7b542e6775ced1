"""Phases of multitasking networks at low load in the plane of dilution d and temperature T, and the lines in it.

At a fixed temperature the pure state of d = 0 is followed as d grows. At the stability line

    T = a (1 - a t²),   a = 1-d,   t = tanh(m/T) = m/a,   m the overlap of the pure state

a second pattern is retrieved with the first, then a third, each continuously: the hierarchical state. The spinodal is
where this state ends with a jump, d_c(K) at T = 0; it is the global minimum of f up to the coexistence line. At higher
temperatures there is no jump: the overlaps become parallel continuously. Among parallel states, of one, two or more
different overlaps, there are further transitions, some of them weakly discontinuous, which low_load shows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..errors import Refused
from . import landscape
from .finite_patterns import (
    State,
    checked_dilution,
    checked_patterns,
    critical_dilution,
    hierarchical_overlaps,
    low_load,
)
from .fixed_point import NotConverged, root
from .gaussian import Array
from .landscape import Landscape
from .solution import checked_temperature

LINES = ("spinodal", "coexistence", "stability")
FOLLOWED = 3  # patterns at T > 0: with more, minima lie too close to each other at the end of the hierarchical one
STEP = 0.01  # of the dilution, in which the state is followed
SMALLEST = 1e-3  # m/T at which the end of the stability line is reached to 1e-6
HALVINGS = 30  # of a bracket
FINER = 7  # halvings of a step that may hold a jump
SUSPECT = 0.012  # change of an overlap within STEP from where there may be a jump
RETURN = 1e-5  # change of an overlap that is one
NUDGE, TINIEST = 0.1, 1e-6  # break the symmetry of a state that has become unstable: in the hierarchical order, at all
DESCENT, STRIDE = 500, 0.02  # steps down to a minimum, and the longest of them
STARTS = 6  # level of the lattice from where the global minimum is looked for
ROUNDING = 1e-14  # of f
FLATTEST, TIGHTEST = 1e-7, 1e-11


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


class Bracket(NamedTuple):
    """Dilutions before and after the end of a state, and the state before."""

    low: float
    high: float
    state: Array


@dataclass(frozen=True)
class LowLoadPhases:
    """The stable states, the dominant one first, at every point: stable[i][j] at temperatures[i] and dilutions[j].

    A point at which states merge and low_load raises NotConverged is empty.
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
    stable = [[_stable(patterns, x, y) for x in d] for y in T]
    return LowLoadPhases(checked_patterns(patterns), np.array(d), np.array(T), stable)


def dilution_line(*, patterns: int, line: str, temperatures: Sequence[float]) -> list[DilutionBoundary]:
    """The dilution of a line at each temperature, K = `patterns` >= 2.

    "spinodal": the hierarchical state, followed from the pure one at d = 0, ends with a jump. "coexistence": another
    state has the same free energy; below, the hierarchical one is the global minimum. "stability": the pure state
    becomes unstable against a second pattern, for T < 1/3. The first two need T = 0 or K <= 3, and
    coexistence K <= 5.
    """
    if line not in LINES:
        raise Refused(f"at low load line must be one of {', '.join(LINES)}, got {line!r}")
    if checked_patterns(patterns) < 2:
        raise Refused(f"lines need at least 2 patterns, got {patterns!r}")
    if line != "stability" and patterns > FOLLOWED and any(T != 0 for T in temperatures):
        raise Refused(f"the {line} line at T > 0 is known for up to {FOLLOWED} patterns, got {patterns}; ask at T = 0")
    found = {"spinodal": _spinodal, "coexistence": _coexistence, "stability": _stability}[line]
    return [found(patterns, checked_temperature(T)) for T in temperatures]


def pure_stability(points: int = 200) -> tuple[Array, Array]:
    """(dilutions, temperatures) of the stability line from (0, 0) to its end (2/3, 1/3) on T = 1-d, for any K >= 2."""
    marginal = [_marginal(float(y)) for y in np.geomspace(1000, SMALLEST, points)]
    d, T = np.array([(1 - a, T) for a, T in marginal]).T
    return d, T


def _stable(patterns: int, dilution: float, temperature: float) -> tuple[State, ...]:
    try:
        states = low_load(patterns=patterns, dilution=dilution, temperature=temperature)
    except NotConverged:
        return ()
    return tuple(state for state in states if state.stable)


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
    end = _end(patterns, temperature)
    if end is None:
        return DilutionBoundary(temperature)
    low, high, state = end
    return DilutionBoundary(temperature, (low + high) / 2, low, high, float(state[0]), converged=True)


def _coexistence(patterns: int, temperature: float) -> DilutionBoundary:
    spinodal = _spinodal(patterns, temperature)
    if spinodal.low is None:
        return DilutionBoundary(temperature)
    low, high = 0.0, spinodal.low - STEP / 100  # where its states have not merged yet
    if _dominates(patterns, high, temperature):
        return DilutionBoundary(temperature)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _dominates(patterns, middle, temperature) else (low, middle)
    d = (low + high) / 2
    m = _followed(patterns, d, temperature)[0]
    return DilutionBoundary(temperature, d, low, high, m, converged=True)


def _dominates(patterns: int, dilution: float, temperature: float) -> bool:
    """Whether the state followed from d = 0 is the global minimum."""
    surface = Landscape(patterns, dilution, temperature)
    if temperature == 0:
        lowest = low_load(patterns=patterns, dilution=dilution, temperature=0)[0]
        found = np.array([lowest.overlaps])
    else:
        found = surface.on_rays(landscape.directions(patterns, STARTS))
        for _ in range(DESCENT):
            found = surface.answer(found)
    state = np.array(_followed(patterns, dilution, temperature))
    return bool(surface.free_energy(state) <= surface.free_energy(found).min() + ROUNDING)


def _followed(patterns: int, dilution: float, temperature: float) -> tuple[float, ...]:
    """The overlaps of the state followed from d = 0."""
    if temperature == 0:
        return hierarchical_overlaps(patterns=patterns, dilution=dilution)
    before = _following(patterns, temperature)[0][int(dilution / STEP)]
    return tuple(_descended(Landscape(patterns, dilution, temperature), before).tolist())


def _end(patterns: int, temperature: float) -> Bracket | None:
    """Where the followed state jumps; None if it never does."""
    return _following(patterns, temperature)[1]


@lru_cache(maxsize=256)
def _following(patterns: int, temperature: float) -> tuple[list[Array], Bracket | None]:
    """The followed state at d = 0, STEP, 2 STEP, ..., and its jump.

    It ends at T = 1-d, or where the first overlap no longer outweighs all others: the state is parallel then.
    """
    state = np.zeros(patterns)
    state[0] = 1.0
    states: list[Array] = []
    while STEP * len(states) < 1 - temperature and 2 * state[0] > (1 + RETURN) * state.sum():
        jump = _jump(patterns, temperature, states) if states else None
        if jump is not None:
            return states, jump
        state = _descended(Landscape(patterns, STEP * len(states), temperature), state)
        states.append(state)
    return states, None


def _jump(patterns: int, temperature: float, states: list[Array]) -> Bracket | None:
    """Where the last state is left for good on the way to the next step, so that it does not come back on the way back.

    A hysteresis narrower than STEP/2^FINER is not told from a continuous transition.
    """
    low, high, state = STEP * (len(states) - 1), STEP * len(states), states[-1]
    for _ in range(FINER):
        after = _descended(Landscape(patterns, high, temperature), state)
        if _change(_descended(Landscape(patterns, low, temperature), after), state) > RETURN:
            return _fold(patterns, temperature, Bracket(low, high, state))
        if _change(after, state) < SUSPECT * (high - low) / STEP:
            return None
        middle = (low + high) / 2
        between = _descended(Landscape(patterns, middle, temperature), state)
        earlier = _change(state, between) > _change(between, after)
        low, high, state = (low, middle, state) if earlier else (middle, high, between)
    return None


def _fold(patterns: int, temperature: float, bracket: Bracket) -> Bracket | None:
    """The bracket around the end of a minimum, halved; None if it does not end.

    A long step of Newton's method may fail though the minimum goes on, so the end is tried again from close by.
    """
    low, high, state = bracket
    while low < bracket.high:
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            after = _continued(Landscape(patterns, middle, temperature), state, middle - low)
            low, high, state = (low, middle, state) if after is None else (middle, high, after)
        beyond = _continued(Landscape(patterns, high, temperature), state, high - low)
        if beyond is None:
            return Bracket(low, high, state)
        low, high, state = high, bracket.high, beyond
    return None


def _change(before: Array, after: Array) -> float:
    return float(np.abs(after - before).max())


def _continued(surface: Landscape, state: Array, moved: float) -> Array | None:
    """The minimum next to that of a dilution smaller by `moved`, by Newton's method; None if there is none."""
    found = surface.newton(state[None])
    # towards its end at d* a minimum moves like √(d* - d)
    if len(found) and _change(state, found[0]) < SUSPECT * math.sqrt(moved / STEP) and _is_minimum(surface, found[0]):
        return np.asarray(found[0])
    return None


def _descended(surface: Landscape, state: Array) -> Array:
    """The minimum below a state: Newton's method with the sizes of the eigenvalues, f falling at every step."""
    hierarchical = np.array(hierarchical_overlaps(patterns=surface.patterns, dilution=surface.dilution))
    m = np.maximum(state, NUDGE * hierarchical) + TINIEST * np.arange(surface.patterns, 0, -1)
    height = surface.free_energy(m)
    for _ in range(DESCENT):
        values, vectors = np.linalg.eigh(surface.hessian(m))
        step = vectors @ (vectors.T @ (surface.answer(m) - m) / np.maximum(np.abs(values), FLATTEST))
        step *= min(1.0, STRIDE / max(float(np.abs(step).max()), STRIDE))
        while surface.free_energy(m + step) > height and np.abs(step).max() > TIGHTEST:
            step /= 2
        m, height = m + step, surface.free_energy(m + step)
        if np.abs(step).max() <= TIGHTEST:
            break
    return np.asarray(-np.sort(-np.abs(m)))


def _is_minimum(surface: Landscape, state: Array) -> bool:
    return bool((np.linalg.eigvalsh(surface.hessian(state)) > 0).all())
