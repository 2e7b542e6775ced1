"""Capacity of dense networks against the degree p, and how the number of patterns grows with N.

Krotov & Hopfield, "Dense associative memory for pattern recognition" (2016): with E = -Σ M^p (all indices) a bit of a
stored pattern is wrong after one update with probability P = ½ erfc(1/√(2αv)), v = (2p-3)!!, so that K = α N^(p-1)
patterns are stored at a tolerated P. Gardner, "Multiconnected neural network models" (1987): replica theory in the same
scaling, for distinct indices, v = (p-1)!.

Drawn: (a) α_c v at T = 0 for p = 2 to 8: replica-symmetric (the same for both index conventions), with one step of
replica symmetry breaking, and at P = 0.5 %; simulated: P = 0.5 % after one parallel update, and the load at which half
of the cues keep an overlap of 0.9 under sequential updates, both from a stored pattern at the largest N. (b) K at
P = 0.5 % after one parallel update against N, with N^(p-1) times the finite-size factor below.

Compared: the exponent b of K ~ N^b with p-1, p = 2, 3, 4, both conventions, by this one criterion and at sizes that
span a factor 4, within three standard errors plus 0.02 for the crosstalk of few patterns, whose tail is not
Gaussian. K is divided by its exact finite-size factor before: the plain slope, larger by up to 0.07 (p = 4), is in the
data. K at the largest size with the paper's α at P = 0.5 %, within three standard errors plus 2 %. The load at which
half of the cues are kept with the replica-symmetric capacity, from below only (3 % for the error of the
simulation): greedy dynamics from a pattern stay beyond the capacity, more so at small N, and no upper bound is
compared. Capacities at T = 0 with the closed form max m^(2p-2)/(2v erfinv(m)²), to 1e-9 of them.

Deviates: N <= 192 for p = 4, 384 for p = 3, 2000 for p = 2; quick: smaller sizes and a twentieth of the bits.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcinv

from .. import networks, theory
from ..columns import stacked
from ..comparison import Row
from ..figures import capacities
from ..figures.capacities import Series
from ..interactions import Polynomial
from ..networks import Law
from ..statistics import Average
from ..theory import signal_to_noise
from ..theory.one_step import OneStep
from . import one_update
from .closed_capacity import closed_capacity
from .entry import Comparison, Reproduction
from .one_update import Growth
from .workshop import Workshop

SECONDS = (300.0, 14.0)
Key = tuple[int, str]  # degree and index convention
DEGREES = range(2, 9)
SIMULATED: tuple[Key, ...] = ((2, "distinct"), (3, "distinct"), (3, "all"), (4, "distinct"), (4, "all"))
SIZES = {2: (500, 750, 1000, 1500, 2000), 3: (96, 128, 192, 256, 384), 4: (48, 64, 96, 128, 192)}
FEW = {2: (250, 400, 600, 1000), 3: (44, 70, 110, 176), 4: (30, 48, 75, 120)}
BITS = (60_000, 3_000)  # at each load and size
TAILS = 0.02
GREEDY = {2: (0.14, 0.15, 0.16, 0.17), 3: (0.25, 0.28, 0.31, 0.34), 4: (0.25, 0.28, 0.31, 0.34)}  # α v
GREEDY_SIZES = {2: (2000, 500), 3: (256, 96), 4: (128, 48)}
GREEDY_SAMPLES = (200, 30)
HOPFIELD = 0.137905  # printed with digits cut
PAPER, GARDNER = "Krotov & Hopfield 2016", "Gardner 1987"
SCAN = """
[network]
{network}
neurons = {neurons}
load = [{loads}]

[dynamics]
rule = "sign"

[protocol]
cue_overlap = 1.0
success_overlap = 0.9
equilibrate = 60
measure = 1

[scan]
samples = 1
seed = 17
"""


def make(workshop: Workshop) -> Reproduction:
    """Measure, solve, draw, compare."""
    laws = {key: _law(*key) for key in SIMULATED}
    growths = {key: _growth(workshop, law, key) for key, law in laws.items()}
    kept = {key: _kept(workshop, law, key) for key, law in laws.items()}
    table = [_capacities(degree, indices) for degree in DEGREES for indices in _conventions(degree)]
    figure = capacities.draw(capacities.Data(_panel(table, growths, kept), *_sizes(growths)))
    data = {
        "capacities": stacked(table),
        "patterns": stacked([row for key, found in growths.items() for row in _grown(key, found)]),
        "kept": stacked([_kept_row(key, *found) for key, found in kept.items()]),
    }
    return Reproduction(figure, data, [*_compared(growths, kept), *_closed(table)])


def _law(degree: int, indices: str) -> Law:
    if degree == 2:
        return networks.hopfield(neurons=10, patterns=1).law
    return networks.dense(neurons=10, degree=degree, indices=indices, patterns=1).law  # type: ignore[arg-type]


def _conventions(degree: int) -> tuple[str, ...]:
    return ("distinct",) if degree == 2 else ("distinct", "all")


def _network(degree: int, indices: str) -> str:
    """The lines of a scan file that name a network."""
    return 'kind = "hopfield"' if degree == 2 else f'kind = "dense"\ndegree = {degree}\nindices = "{indices}"'


def _growth(workshop: Workshop, law: Law, key: Key) -> Growth:
    sizes = (FEW if workshop.quick else SIZES)[key[0]]
    expected = signal_to_noise.capacity_at_error(law, error=one_update.ERROR)
    return one_update.growth(workshop, law, _network(*key), expected, sizes, BITS)


def _kept(workshop: Workshop, law: Law, key: Key) -> tuple[int, Average]:
    """The size, and α v at which half of the cues are kept."""
    degree, v = key[0], signal_to_noise.crosstalk_variance(law)
    neurons = workshop.pick(*GREEDY_SIZES[degree])
    loads = ", ".join(f"{strength / v:.8g}" for strength in GREEDY[degree])
    text = SCAN.format(network=_network(*key), neurons=neurons, loads=loads)
    half = _half(workshop.scan("sequential", text, GREEDY_SAMPLES))
    return neurons, Average(half.value * v, half.error * v)


def _half(rows: Sequence[Row]) -> Average:
    """Where the straight line through the fractions kept is one half."""
    x = np.array([row.point.network.load for row in rows])
    kept = [row.averages["retrieved"] for row in rows]
    error = [max(k.error, 1 / (row.samples + 2)) for k, row in zip(kept, rows, strict=True)]
    middle = float(x.mean())
    (slope, value), spread = np.polyfit(x - middle, [k.value for k in kept], 1, w=1 / np.array(error), cov="unscaled")
    shift = (0.5 - value) / slope
    return Average(middle + shift, math.sqrt(spread[1, 1] + shift**2 * spread[0, 0]) / abs(slope))


def _capacities(degree: int, indices: str) -> dict[str, object]:
    law = _law(degree, indices)
    return {
        "degree": degree,
        "indices": indices,
        "variance": signal_to_noise.crosstalk_variance(law),
        "rs": theory.capacity(law, temperature=0.0).load,
        "one_step": theory.capacity(law, temperature=0.0, ansatz=OneStep()).load,
        "at_error": signal_to_noise.capacity_at_error(law, error=one_update.ERROR),
    }


def _panel(
    table: list[dict[str, object]], growths: dict[Key, Growth], kept: dict[Key, tuple[int, Average]]
) -> list[Series]:
    columns = stacked(table)
    strength = {name: columns[name] * columns["variance"] for name in ("rs", "one_step", "at_error")}
    distinct = columns["indices"] == b"distinct"
    both = ~distinct | (columns["degree"] == 2)
    curves = [("RS", 0, "rs", distinct), ("1RSB, distinct indices", 1, "one_step", distinct)]
    curves += [("1RSB, all indices", 2, "one_step", both), ("0.5 % wrong bits, one update", 3, "at_error", distinct)]
    shown = [Series(label, k, columns["degree"][rows], strength[name][rows]) for label, k, name, rows in curves]
    for indices, side, mark in (("distinct", -0.07, 0), ("all", 0.07, 1)):
        keys = [key for key in SIMULATED if key[1] == indices]
        place = np.array([key[0] + side for key in keys])
        halves = [kept[key][1] for key in keys]
        updates = [_strength(growths[key]) for key in keys]
        shown.append(_points(f"half of cues kept, {indices}", 4 + mark, place, halves))
        shown.append(_points(f"one update, {indices}", 6 + mark, place, updates))
    return shown


def _points(label: str, place: int, x: NDArray[np.float64], y: list[Average]) -> Series:
    return Series(label, place, x, np.array([a.value for a in y]), np.array([a.error for a in y]))


def _strength(found: Growth) -> Average:
    """α v at the largest size, finite-size factor taken out."""
    v, last, N = signal_to_noise.crosstalk_variance(found.law), found.leading[-1], float(found.neurons[-1])
    scale = v / N ** (_degree(found.law) - 1)
    return Average(last.value * scale, last.error * scale)


def _sizes(growths: dict[Key, Growth]) -> tuple[list[Series], list[Series]]:
    points, laws = [], []
    for place, (key, found) in enumerate(growths.items()):
        x = np.array(found.neurons, dtype=float)
        name = f"$p = {key[0]}$" + (f", {key[1]} indices" if key[0] > 2 else "")
        label = f"{name}: $b = {found.exponent.value:.3f} \\pm {found.exponent.error:.3f}$"
        points.append(_points(label, place, x, list(found.patterns)))
        factor = np.array([one_update.finite_size(found.law, N) for N in found.neurons])
        expected = signal_to_noise.capacity_at_error(found.law, error=one_update.ERROR)
        laws.append(Series(name, place, x, expected * factor * x ** (key[0] - 1)))
    return points, laws


def _grown(key: Key, found: Growth) -> list[dict[str, object]]:
    return [
        {
            "degree": key[0],
            "indices": key[1],
            "neurons": neurons,
            "patterns": patterns.value,
            "patterns_err": patterns.error,
            "factor": one_update.finite_size(found.law, neurons),
            "exponent": found.exponent.value,
            "exponent_err": found.exponent.error,
            "plain_exponent": found.plain.value,
            "plain_exponent_err": found.plain.error,
        }
        for neurons, patterns in zip(found.neurons, found.patterns, strict=True)
    ]


def _kept_row(key: Key, neurons: int, half: Average) -> dict[str, object]:
    strength = {"strength": half.value, "strength_err": half.error}
    return {"degree": key[0], "indices": key[1], "neurons": neurons, **strength}


def _compared(growths: dict[Key, Growth], kept: dict[Key, tuple[int, Average]]) -> list[Comparison]:
    found = []
    for key, grown in growths.items():
        name = f"p = {key[0]}" + (f", {key[1]}" if key[0] > 2 else "")
        b, prefactor, half = grown.exponent, _strength(grown), kept[key][1]
        found.append(Comparison(f"exponent of K ~ N^b, {name}", key[0] - 1, b.value, 3 * b.error + TAILS, PAPER))
        one = 1 / (2 * float(erfcinv(2 * one_update.ERROR)) ** 2)
        close = 3 * prefactor.error + 0.02 * one
        found.append(Comparison(f"α v at 0.5 % wrong bits, {name}", one, prefactor.value, close, PAPER))
        least = 3 * half.error + 0.03 * half.value
        closed = closed_capacity(key[0]) if key[0] > 2 else HOPFIELD
        source = GARDNER if key[0] > 2 else "Steffan & Kühn 1994"
        found.append(Comparison(f"α v, half of cues kept, {name} (at least)", closed, half.value, least, source, True))
    return found


def _closed(table: list[dict[str, object]]) -> list[Comparison]:
    """Replica-symmetric capacities."""
    found = []
    for row in table:
        degree, rs, v = int(str(row["degree"])), float(str(row["rs"])), float(str(row["variance"]))
        if degree == 2:
            found.append(Comparison("α_c at T = 0, p = 2, RS", HOPFIELD, rs, 1e-6, "Steffan & Kühn 1994"))
            one_step = float(str(row["one_step"]))
            found.append(Comparison("α_c at T = 0, p = 2, 1RSB", 0.138186, one_step, 1e-6, "Steffan & Kühn 1994"))
        elif degree <= 4:
            closed, quantity = closed_capacity(degree), f"α_c v at T = 0, p = {degree}, {row['indices']}, RS"
            found.append(Comparison(quantity, closed, rs * v, 1e-9, GARDNER))
    return found


def _degree(law: Law) -> int:
    interaction = law.interaction
    assert isinstance(interaction, Polynomial)
    return interaction.degree
