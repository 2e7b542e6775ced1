"""Boundaries in load and temperature: where retrieval ends, where it dominates, where glass and instability begin."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..errors import Refused
from ..networks import Law
from . import diluted
from .crosstalk import Mixed, Noise, Responding
from .diluted import DilutedSymmetric
from .fixed_point import bracket, first_change, root
from .gaussian import Array
from .one_step import OneStep
from .replica_symmetric import REPLICA_SYMMETRIC, ReplicaSymmetric
from .solution import Ansatz, checked_temperature

SCANNED = (0.1, 0.2, 0.3, 0.4, 0.55, 0.7, 0.85, 0.95, 1)  # of the largest load, for a change of sign
COOLER, COOLINGS = 0.97, 200  # steps down from where replica symmetry is stable
TOLERANCE = 1e-9  # width of the final bracket of a root, relative to the load


@dataclass(frozen=True)
class Boundary:
    """The load of a line at a temperature, a bracket low <= load <= high, and the overlap m there.

    Where the line does not exist load, low, high and m are None and converged is False.
    """

    temperature: float
    load: float | None = None
    low: float | None = None
    high: float | None = None
    m: float | None = None
    converged: bool = False


def capacity(law: Law | Noise, *, temperature: float, ansatz: Ansatz = REPLICA_SYMMETRIC) -> Boundary:
    """The largest load with a retrieval state at T: the fold of the branch. p = 2, T = 0: 0.1379 at m = 0.967.

    Amit, Gutfreund & Sompolinsky (1987), and with one step of breaking Steffan & Kühn (1994):

    >>> law = hs.hopfield(neurons=2, patterns=1).law
    >>> end = hs.theory.capacity(law, temperature=0.0)
    >>> round(end.load, 3), round(end.m, 3)
    (0.138, 0.967)
    >>> round(hs.theory.capacity(law, temperature=0.0, ansatz=hs.theory.OneStep()).load, 6)
    0.138186
    """
    noise, ansatz = diluted.specialised(law, ansatz)
    return _spinodal(noise, checked_temperature(temperature), ansatz)


def line(
    law: Law | Noise, *, line: str, temperatures: Sequence[float], ansatz: Ansatz = REPLICA_SYMMETRIC
) -> list[Boundary]:
    """The load of a line at each temperature.

    "spinodal": retrieval ends. "coexistence": retrieval and the dominating m = 0 state have equal free energy, below it
    retrieval is the global minimum. "glass": q grows continuously from 0 (T_g = 1 + √α for p = 2, times 1-d where a
    fraction d of the entries is blank, √ζ''(0) for p ≥ 3); where a random field keeps q > 0 at every temperature (x^p
    with odd p, rectified) replica symmetry fails there without retrieval.
    "stability": the replica-symmetric retrieval state becomes unstable (de Almeida-Thouless), whatever the ansatz.
    "dynamic" and "static", for OneStep: T_d and T_K, where q1 of the glass jumps (distinct indices; x^p from p = 5).

    >>> law = hs.hopfield(neurons=2, patterns=1).law
    >>> (glass,) = hs.theory.line(law, line="glass", temperatures=[1.2])
    >>> round(glass.load, 9)
    0.04
    >>> (minimum,) = hs.theory.line(law, line="coexistence", temperatures=[0.0])
    >>> round(minimum.load, 2)
    0.05
    """
    if line not in LINES:
        raise Refused(f"line must be one of {', '.join(LINES)}, got {line!r}")
    if line not in ansatz.lines:
        raise Refused(f"the {line} line needs ansatz=OneStep(), got {ansatz}; its lines are {', '.join(ansatz.lines)}")
    noise, ansatz = diluted.specialised(law, ansatz)
    return [LINES[line](noise, checked_temperature(temperature), ansatz) for temperature in temperatures]


def retrieval_curve(
    law: Law | Noise, *, temperature: float, ansatz: Ansatz = REPLICA_SYMMETRIC, points: int = 200
) -> tuple[Array, Array]:
    """(loads, overlaps) of the stable retrieval branch at T, from load ~ 0 to its fold; empty where there is none.

    Points are dense towards the fold, where m has a vertical tangent.

    >>> loads, overlaps = hs.theory.retrieval_curve(hs.hopfield(neurons=2, patterns=1).law, temperature=0.0, points=50)
    >>> overlaps[[0, -1]].round(3).tolist(), round(float(loads[-1]), 3)
    ([1.0, 0.967], 0.138)
    """
    if points < 2:
        raise Refused(f"a curve needs points >= 2, got {points!r}")
    noise, ansatz = diluted.specialised(law, ansatz)
    temperature = checked_temperature(temperature)
    fold = ansatz.fold(noise, temperature)
    if fold is None:
        return np.empty(0), np.empty(0)
    loads = fold.load * (1 - np.linspace(1, 0, points) ** 2)
    loads[0] = loads[1] / 100
    return loads, np.array([ansatz.order(noise, load, temperature, "retrieval").m for load in loads])


def _spinodal(noise: Noise, temperature: float, ansatz: Ansatz) -> Boundary:
    fold = ansatz.fold(noise, temperature)
    if fold is None:
        return Boundary(temperature)
    return Boundary(temperature, fold.load, fold.low, fold.high, fold.m, converged=True)


def _coexistence(noise: Noise, temperature: float, ansatz: Ansatz) -> Boundary:
    def excess(load: float) -> float:
        retrieved, other = (
            ansatz.order(noise, load, temperature, "retrieval"),
            ansatz.dominant(noise, load, temperature),
        )
        f, rival = (ansatz.free_energy(order, noise, load, temperature) for order in (retrieved, other))
        return f - rival

    return _on_branch(excess, noise, temperature, ansatz)


def _stability(noise: Noise, temperature: float, ansatz: Ansatz) -> Boundary:
    ansatz = ansatz if isinstance(ansatz, ReplicaSymmetric | DilutedSymmetric) else REPLICA_SYMMETRIC

    def stability(load: float) -> float:
        order = ansatz.order(noise, load, temperature, "retrieval")
        return float(ansatz.stability(order, noise, load, temperature) or 0.0)

    return Boundary(temperature) if temperature == 0 else _on_branch(stability, noise, temperature, ansatz)


def _dynamic(noise: Noise, temperature: float, ansatz: Ansatz) -> Boundary:
    return _jump(noise, temperature, ansatz, 0)


def _static(noise: Noise, temperature: float, ansatz: Ansatz) -> Boundary:
    return _jump(noise, temperature, ansatz, 1)


def _jump(noise: Noise, temperature: float, ansatz: Ansatz, which: int) -> Boundary:
    """Exact in the load: α = (T/T_d)² or (T/T_K)², with T_d and T_K those of load 1."""
    jump = ansatz.transition(noise) if isinstance(ansatz, OneStep) else None
    if jump is None or temperature == 0:
        return Boundary(temperature)
    load = (temperature / jump[which]) ** 2
    return Boundary(temperature, load, load * (1 - TOLERANCE), load * (1 + TOLERANCE), 0.0, converged=True)


def _on_branch(function: Callable[[float], float], noise: Noise, temperature: float, ansatz: Ansatz) -> Boundary:
    """The first load on the retrieval branch at which a function of the load changes sign."""
    fold = ansatz.fold(noise, temperature)
    if fold is None:
        return Boundary(temperature)
    scanned = (0.03, *SCANNED) if isinstance(noise, Responding) else (1e-4, 1e-3, 0.03, *SCANNED)
    change = first_change(function, [fold.load * s for s in scanned])
    if change is None:
        return Boundary(temperature)
    load, low, high = bracket(function, *change, tolerance=TOLERANCE)
    m = ansatz.order(noise, load, temperature, "retrieval").m
    return Boundary(temperature, load, low, high, m, converged=True)


def _glass(noise: Noise, temperature: float, ansatz: Ansatz) -> Boundary:
    """α = (T-1)² for p = 2, T²/ζ̂''(0) for p ≥ 3, and (T/T_1)² in a random field, T_1 being that of load 1."""
    if isinstance(noise, Responding):
        reduced = temperature / diluted.unit(ansatz)
        load = (reduced - 1) ** 2 if reduced > 1 else 0.0
    elif noise.derivative(1, 0.0) > 0:
        at_one = _almeida_thouless(noise)
        load = (temperature / at_one) ** 2 if at_one else 0.0
    else:
        curvature = noise.derivative(2, 0.0)
        load = temperature**2 / curvature if curvature > 0 else 0.0
    if load == 0:
        return Boundary(temperature)
    return Boundary(temperature, load, load * (1 - TOLERANCE), load * (1 + TOLERANCE), 0.0, converged=True)


@lru_cache(maxsize=256)
def _almeida_thouless(noise: Mixed) -> float | None:
    """The temperature at load 1 at which the only state without retrieval in a random field breaks replica symmetry."""

    def stability(T: float) -> float:
        order = REPLICA_SYMMETRIC.dominant(noise, 1.0, T)
        return float(REPLICA_SYMMETRIC.stability(order, noise, 1.0, T) or 0.0)

    high = math.sqrt(noise.derivative(2, 1.0))  # there it is stable
    for _ in range(COOLINGS):
        low = COOLER * high
        if stability(low) < 0:
            return root(stability, low, high)
        high = low
    return None


LINES = {
    "spinodal": _spinodal,
    "coexistence": _coexistence,
    "glass": _glass,
    "stability": _stability,
    "dynamic": _dynamic,
    "static": _static,
}
