"""Capacity of key-value memories written by local rules, next to the classical Hopfield network.

Tyulmankov, Fang, Vadaparty & Yang, "Biological learning in key-value memory networks" (2021): N slots of d = N inputs
are written one after the other, or each with a probability p, and read by softmax; the classical network adds ξξᵀ and
settles by synchronous sign updates. Cues have 60 % of their entries blanked; the accuracy is the share of correct
entries over all that was stored; the capacity is the number stored at an accuracy of 0.98.

Drawn: (a) the accuracy at N = 40 over stored/N; (b) capacity/N over N, where the mean accuracy crosses 0.98. Lines are
our expectation for slots (survival in the slots, and the sign of the softmax of random scores), without a memory being
built; the classical limit is the replica-symmetric capacity.

Compared:
 - the slopes of capacity over N = 20, 40, 80, 160 that the paper prints with a ~, 1.0, 0.16 (p = 0.1) and 0.14, with
   ours, found as its public code finds them (doubling and halving on one fresh sample a step, a straight line through
   all): within one unit of the digit printed last and three standard errors;
 - simulated capacities at N = 40 with the expectation, within three standard errors and 0.3 patterns.

Deviates: the straight line for p = 0.1 describes these sizes only. A pattern survives a later ones with 1 - (1 - p
(1-p)^a)^N, so that the capacity at fixed p grows as ln(pN)/p and not as N; at N = 320 it is 0.10 N (known). With p =
4/N it stays of order N. The search lets lucky samples pass and so finds more than the mean accuracy allows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .. import networks, scan_file, theory
from ..columns import Columns, stacked
from ..comparison import Row
from ..continuous import forgetting
from ..continuous.key_value import KeyValue, Reading, Recall, measure, searched_capacity
from ..figures import key_value_capacity as figure
from ..figures.key_value_capacity import Line
from ..rng import Purpose, stream
from ..statistics import Average
from .crossings import crossing
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (150.0, 8.0)
PAPER, OURS = "Tyulmankov et al. 2021", "expectation"
RECALL, THRESHOLD, NEURONS = Recall(blanked=0.6), 0.98, 40
LOADS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
SEARCHED = (20, 40, 80, 160)
BETWEEN = (24, 28, 34, 48, 56, 68, 95, 113, 135, 190, 226, 269)  # sizes of expectation alone
GUESS = 0.15  # of capacity/N, where there is no expectation
SCAN = """
[network]
kind = "key_value"
slots = {size}
neurons = {size}
patterns = {patterns}
rule = "{rule}"
{probability}

[dynamics]
nonlinearity = "softmax"

[protocol]
blanked = 0.6

[scan]
samples = 1
seed = 1
"""


@dataclass(frozen=True)
class Rule:
    """What is compared: its name, how slots are chosen, (full, quick) sizes, and the slope printed with its unit."""

    name: str
    rule: str
    sizes: tuple[tuple[int, ...], tuple[int, ...]]
    slope: tuple[float, float] | None = None
    spikes: float | None = None  # p N
    probability: float | None = None

    def network(self, size: int, patterns: int = 1) -> KeyValue:
        """Of a size."""
        probability = self.probability if self.spikes is None else self.spikes / size
        return KeyValue(size, size, patterns, self.rule, probability=probability)


RULES = (
    Rule("sequential", "sequential", ((20, 40, 80, 160), (20, 40)), (1.0, 0.1)),
    Rule("random, p = 0.1", "random", ((40, 80, 160, 320), (40,)), (0.16, 0.01), probability=0.1),
    Rule("Hebb", "hebbian", ((20, 40, 80, 160, 320), (40, 80)), (0.14, 0.01)),
    Rule("random, p = 4/N", "random", ((20, 40, 80, 160), (20, 40)), spikes=4.0),
)


def make(workshop: Workshop) -> Reproduction:
    """Simulate, draw, compare."""
    accuracies = [_accuracies(workshop, rule) for rule in RULES[:3]]
    capacities = [_capacities(workshop, rule) for rule in RULES]
    classical = theory.capacity(networks.hopfield(neurons=64, patterns=1).law, temperature=0.0).load
    assert classical is not None
    drawn = figure.draw(figure.Data(accuracies, capacities, THRESHOLD, classical))
    comparisons = [
        *(_slope(workshop, rule) for rule in RULES if rule.slope),
        *(_expected(line) for line in (capacities[0], capacities[1])),
        *_bend(capacities[1]),
    ]
    return Reproduction(drawn, {"accuracy": _table(accuracies), "capacity": _table(capacities)}, comparisons)


def _rows(workshop: Workshop, rule: Rule, size: int, patterns: Sequence[int], samples: tuple[int, int]) -> list[Row]:
    """Of one rule and size, with ascending numbers of patterns."""
    p = rule.network(size).probability
    text = SCAN.format(
        size=size, patterns=list(patterns), rule=rule.rule, probability="" if p is None else f"probability = {p!r}"
    )
    scan = scan_file.parse(text, name="key-value-capacity", folder=Path())
    rows = workshop.rows(replace(scan, samples=workshop.pick(*samples)))
    return sorted(rows, key=lambda row: row.point.network.patterns)


def _accuracies(workshop: Workshop, rule: Rule) -> Line:
    patterns = [round(load * NEURONS) for load in LOADS]
    averages = [row.averages["accuracy"] for row in _rows(workshop, rule, NEURONS, patterns, (400, 60))]
    loads = np.array(patterns) / NEURONS
    expected = np.array([])
    if rule.rule != "hebbian":
        expected = np.array([forgetting.accuracy(rule.network(NEURONS, K), RECALL) for K in patterns])
    return _line(rule, loads, averages, (loads[: expected.size], expected))


def _capacities(workshop: Workshop, rule: Rule) -> Line:
    sizes, expected = rule.sizes[workshop.quick], dict[int, float]()
    if rule.rule != "hebbian":
        shown = [size for size in (*sizes, *BETWEEN) if size <= sizes[-1]]
        expected = {size: forgetting.capacity(rule.network(size), RECALL, THRESHOLD) / size for size in sorted(shown)}
    found = [_crossing(workshop, rule, size, expected.get(size, GUESS) * size) for size in sizes]
    some = np.array([(size, load) for size, load in expected.items() if load > 0]).reshape(-1, 2)
    return _line(rule, np.array(sizes, dtype=float), found, (some[:, 0], some[:, 1]))


def _crossing(workshop: Workshop, rule: Rule, size: int, guess: float) -> Average:
    """Capacity/N from accuracies around a guess."""
    around = (0.8, 0.9, 1.0, 1.05, 1.1, 1.2) if rule.rule == "sequential" else (0.5, 0.75, 1.0, 1.25, 1.6, 2.0)
    patterns = sorted({max(1, round(guess * factor)) for factor in around})
    rows = _rows(workshop, rule, size, patterns, (max(300, 80_000 // size), 200))
    found = crossing(np.array(patterns, dtype=float), [row.averages["accuracy"] for row in rows], THRESHOLD)
    return Average(found.value / size, found.error / size)


def _line(
    rule: Rule, x: figure.Floats, averages: Sequence[Average], expected: tuple[figure.Floats, figure.Floats]
) -> Line:
    values, errors = np.array(averages).T
    return Line(rule.name, x, values, errors, expected)


def _slope(workshop: Workshop, rule: Rule) -> Comparison:
    """Of a straight line through searched capacities, with its least-squares error."""
    assert rule.slope is not None
    repeats = workshop.pick(full=50, quick=3 if rule.rule == "sequential" else 20)
    sizes = np.repeat(SEARCHED, repeats)
    found = [_searched(rule, int(size), sample) for sample, size in enumerate(sizes)]
    (slope, _), covariance = np.polyfit(sizes, found, 1, cov=True)
    paper, unit = rule.slope
    tolerance = unit + 3 * float(np.sqrt(covariance[0, 0]))
    return Comparison(f"{rule.name}: slope of capacity over N", paper, float(slope), tolerance, PAPER)


def _searched(rule: Rule, size: int, sample: int) -> int:
    rng = stream(1, sample, Purpose.DISORDER, size)

    def accuracy(patterns: int) -> float:
        return measure(rule.network(size, patterns), Reading(), RECALL, rng)["accuracy"]

    return searched_capacity(accuracy, THRESHOLD)


def _expected(line: Line) -> Comparison:
    """At N = 40."""
    (place,) = np.flatnonzero(line.x == NEURONS)
    tolerance = NEURONS * 3 * float(line.error[place]) + 0.3
    ours, expected = NEURONS * float(line.y[place]), NEURONS * _at(line, NEURONS)
    return Comparison(f"{line.name}: stored at an accuracy of 0.98, N = {NEURONS}", expected, ours, tolerance, OURS)


def _bend(line: Line) -> list[Comparison]:
    """The line of the paper at a size beyond it, in the full version."""
    if line.x[-1] <= SEARCHED[-1]:
        return []
    quantity = f"{line.name}: capacity/N at N = {line.x[-1]:.0f}, if it grew with N"
    return [Comparison(quantity, 0.16, float(line.y[-1]), 0.01, PAPER, known=True)]


def _at(line: Line, x: float) -> float:
    """What is expected at x; nan where nothing is."""
    return next((float(y) for place, y in zip(*line.theory, strict=True) if place == x), np.nan)


def _table(lines: Sequence[Line]) -> Columns:
    rows = []
    for line in lines:
        for k, x in enumerate(line.x):
            row: dict[str, object] = {"rule": line.name, "x": x, "value": line.y[k], "error": line.error[k]}
            rows.append(row | {"expected": _at(line, float(x))})
    return stacked(rows)
