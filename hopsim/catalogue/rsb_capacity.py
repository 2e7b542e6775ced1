"""Capacity of the classical network near T = 0 with k steps of replica symmetry breaking; reentrance.

Steffan & Kühn, "Replica symmetry breaking in attractor neural network models" (1994), abstract: the capacity at T = 0
is 0.137905 with no step, 0.138186 with one and 0.138187 with two; these values still lie within the reentrant phase,
where retrieval is lost on cooling, which is conjectured to disappear with infinitely many steps.

Drawn: (a, b) the load at which retrieval ends against T with 0 to 3 steps, the line T_R on which replica symmetry of
retrieval breaks, the printed capacities as crosses, the limit of infinitely many steps as a star; (c) what capacities
at T = 0 with k steps lack of the limit, and the reentrance: the largest capacity at any T less that at T = 0. The
limit is that of α_k = α - c/(k + s)^4 through the three largest k: full breaking is reached as a limit, not solved.

Compared: the three capacities within 1e-6, the last digit printed (the paper cuts digits where others round). The row
of two steps DIFFERS by nine units of that digit: ours is 0.138196. At load 0.13819, beyond the printed value, the
two-step free energy has a stationary point, which tests/test_theory_reference.py checks with plain sums written a
second time; we found no reading of the equations that gives 0.138187. For the reentrance: the capacity rises from T = 0
to T = 0.005 with 0, 1 and 2 steps; for the conjecture, no capacity drawn at any T exceeds the limit at T = 0, within
1e-8, which is what the folds are resolved to.

Deviates: four steps at most, because a fifth is below what the equations resolve. Quick: fewer temperatures, lines of 0
to 2 steps.
"""

import numpy as np
from scipy.optimize import brentq

from .. import networks, theory
from ..columns import Columns, stacked
from ..figures import reentrance
from ..figures.reentrance import Data, Floats
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (35.0, 12.0)
PAPER = "Steffan & Kühn 1994, abstract"
PRINTED = (0.137905, 0.138186, 0.138187)
LAST_DIGIT, RESOLVED = 1e-6, 1e-8
MOST_STEPS, RATE = 4, 4.0
WARM = 0.005  # the temperature at which a reentrant line has a larger load than at T = 0
TEMPERATURES = (0.05, 0.024, 0.015, 0.01)  # up to which the line of k steps is drawn, and differs from that of k - 1
LAW = networks.hopfield(neurons=2, patterns=1).law


def make(workshop: Workshop) -> Reproduction:
    """Solve, draw, compare."""
    numbers = (201, 41, 16, 6) if not workshop.quick else (201, 25, 4)
    lines = [_line(k, number) for k, number in enumerate(numbers)]
    rest = [_capacity(k, 0.0) for k in range(len(lines), MOST_STEPS + 1)]
    ladder = np.array([*(loads[0] for _, loads in lines), *rest])
    rise = np.array([loads.max() - loads[0] for _, loads in lines])
    data = Data(lines, _stability(), ladder, limit(ladder), rise, PRINTED)
    return Reproduction(reentrance.draw(data), _tables(data), _compared(data))


def limit(ladder: Floats) -> float:
    """α of α_k = α - c/(k + s)^4 through the last three of α_0, α_1, ..."""
    k, first, second = len(ladder) - 1, float(ladder[-2] - ladder[-3]), float(ladder[-1] - ladder[-2])

    def missing(k: int, s: float) -> float:
        return float((k + s) ** -RATE)

    def excess(s: float) -> float:
        return (missing(k - 1, s) - missing(k, s)) / (missing(k - 2, s) - missing(k - 1, s)) - second / first

    s = float(brentq(excess, 2.001 - k, 1e3))
    return float(ladder[-1] + second / (missing(k - 1, s) - missing(k, s)) * missing(k, s))


def _line(steps: int, number: int) -> tuple[Floats, Floats]:
    """Temperatures, with T = 0 and WARM among them, and the capacity with k steps there."""
    T = np.union1d(np.linspace(0, TEMPERATURES[steps], number), [WARM])
    return T, np.array([_capacity(steps, float(temperature)) for temperature in T])


def _capacity(steps: int, temperature: float) -> float:
    ansaetze = (theory.ReplicaSymmetric(), theory.OneStep())
    ansatz = ansaetze[steps] if steps < len(ansaetze) else theory.KStep(steps)
    return float(theory.capacity(LAW, temperature=temperature, ansatz=ansatz).load or np.nan)


def _stability() -> tuple[Floats, Floats]:
    found = theory.line(LAW, line="stability", temperatures=np.linspace(0.019, 0.0245, 23).tolist())
    there = [point for point in found if point.load is not None]
    return np.array([point.temperature for point in there]), np.array([point.load for point in there])


def _tables(data: Data) -> dict[str, Columns]:
    lines = [
        {"steps": k, "temperature": T, "capacity": load}
        for k, line in enumerate(data.lines)
        for T, load in zip(*line, strict=True)
    ]
    ladder = [{"steps": k, "capacity": load, "missing": data.limit - load} for k, load in enumerate(data.ladder)]
    for k, rise in enumerate(data.reentrance):
        ladder[k]["reentrance"] = rise
    stability = {"temperature": data.stability[0], "load": data.stability[1]}
    return {"lines": stacked(lines), "steps": stacked(ladder), "stability": stability}


def _compared(data: Data) -> list[Comparison]:
    capacities = [
        Comparison(f"capacity at T = 0, {k} steps", paper, float(data.ladder[k]), LAST_DIGIT, PAPER, known=k == 2)
        for k, paper in enumerate(PRINTED)
    ]
    rises = [
        Comparison(f"its rise up to T = {WARM:g}, {k} steps (at least)", 0.0, _rise(*line), 0.0, PAPER, least=True)
        for k, line in enumerate(data.lines[: len(PRINTED)])
    ]
    largest = max(float(loads.max()) for _, loads in data.lines)
    conjecture = "limit at T = 0 less the largest capacity at any T (at least)"
    return [*capacities, *rises, Comparison(conjecture, 0.0, data.limit - largest, RESOLVED, PAPER, least=True)]


def _rise(temperatures: Floats, loads: Floats) -> float:
    return float(loads[temperatures == WARM][0] - loads[0])
