"""Retrieval errors of the classical network against load at T = 0, and its simulated capacity.

Amit, Gutfreund & Sompolinsky, Ann. Phys. 173, 30 (1987): at T = 0 the overlap is m = erf(y) with the largest y of
√(2α) = erf(y)/y - (2/√π) exp(-y²), up to the capacity 0.14, where it falls from 0.97 to what remains of the start.
Steffan & Kühn (1994), abstract: simulations give 0.145 ± 0.009.

Drawn: (a) the fraction of errors (1-m)/2 of the fixed point that sign updates reach from the pattern, averaged over all
samples, with the line of theory and, above the capacity, the remanence; (b) the fraction of samples that keep m >= 0.9;
(c) the load at which half of them do, against 1/√N, and its limit for N → ∞.

Compared: the capacity of theory within the digits of 0.14; that of the simulation, extrapolated, within the error of
the published one, 0.009, and two of its own; errors at three loads at the largest size with the equation of the paper,
within four standard errors and a tenth, because sign updates stop at the first of many fixed points around the pattern,
of which theory knows the average. The error of the limit is that of a straight line in 1/√N; the data have one in
N^(-2/3) too, which lies higher.

Deviates: sizes from 500 to 10,000 with 400 to 24 samples a load, the cue is the pattern itself. Quick: 500 to 2000.
"""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import erf, erfc

from .. import networks, theory
from ..columns import stacked
from ..comparison import Row
from ..figures import capacity_scaling
from ..figures.capacity_scaling import Data, Floats, Size
from .entry import Comparison, Reproduction
from .half import half
from .workshop import Workshop

SECONDS = (300.0, 14.0)
AGS, STEFFAN = "Amit, Gutfreund & Sompolinsky 1987", "Steffan & Kühn 1994, abstract: simulations"
SAMPLES = {500: (400, 64), 1000: (400, 48), 2000: (100, 12), 5000: (32, 0), 10_000: (24, 0)}  # full, quick
FEWER = (16, 12)  # samples where errors average over neurons
LOADS = (0.08, 0.09, 0.1, 0.11, 0.12, 0.2, 0.25, 0.3)
COMPARED = (0.1, 0.11, 0.12)
EXPONENTS = (1 / 2, 2 / 3)
START, END, WIDER = 0.13, 0.14, 1.6  # loads of (b): from START to END + WIDER/sqrt(N)
SCAN = """[network]
kind = "hopfield"
neurons = {neurons}
load = {loads}

[dynamics]
rule = "sign"

[protocol]
cue_overlap = 1.0
equilibrate = 300
measure = 1

[scan]
samples = 1
seed = 7
"""


def make(workshop: Workshop) -> Reproduction:
    """Simulate, draw, compare."""
    sizes = [_size(workshop, neurons) for neurons, samples in SAMPLES.items() if workshop.pick(*samples)]
    fits = [_extrapolated(sizes, exponent) for exponent in EXPONENTS]
    law = networks.hopfield(neurons=2, patterns=1).law
    loads, overlaps = theory.retrieval_curve(law, temperature=0.0)
    shown = loads > 0.9 * LOADS[0]
    data = Data(sizes, (loads[shown], (1 - overlaps[shown]) / 2), fits[0][:2], fits[0][2])
    tables = {
        "errors": stacked([row for size in sizes for row in _rows(size, "errors", size.loads, size.errors)]),
        "retrieved": stacked([row for size in sizes for row in _rows(size, "retrieved", size.near, size.retrieved)]),
        "half": stacked([{"neurons": s.neurons, "half": s.half[0], "half_err": s.half[1]} for s in sizes]),
        "theory": {"load": data.branch[0], "errors": data.branch[1]},
        "limits": stacked(
            [
                {"exponent": exponent, "limit": fit[0], "slope": fit[1], "limit_err": fit[2], "chi2": fit[3]}
                for exponent, fit in zip(EXPONENTS, fits, strict=True)
            ]
        ),
    }
    capacity = Comparison("capacity of theory", 0.14, float(loads[-1]), 0.005, AGS)
    tolerance = 0.009 + 2 * data.error
    simulated = Comparison("capacity simulated, N to infinity", 0.145, data.extrapolated[0], tolerance, STEFFAN)
    return Reproduction(capacity_scaling.draw(data), tables, [capacity, simulated, *_compared(sizes[-1])])


def errors_of(load: float) -> float:
    """(1-m)/2 by the equation of the paper at T = 0, below the capacity."""

    def excess(y: float) -> float:
        return float(erf(y) / y - 2 / math.sqrt(math.pi) * math.exp(-y * y)) - math.sqrt(2 * load)

    return float(erfc(brentq(excess, 1.513, 20.0))) / 2  # the largest load is at y = 1.5126


def _size(workshop: Workshop, neurons: int) -> Size:
    stop = END + WIDER / math.sqrt(neurons)
    near = SCAN.format(neurons=neurons, loads=f"{{start = {START}, stop = {stop:.4f}, num = 9}}")
    rows = workshop.scan(f"transition-{neurons}", near, SAMPLES[neurons])
    loads, retrieved = _loads(rows), _average(rows, "retrieved")
    samples = np.array([row.samples for row in rows], dtype=float)
    far = workshop.scan(f"errors-{neurons}", SCAN.format(neurons=neurons, loads=list(LOADS)), FEWER)
    both = sorted([*rows, *far], key=lambda row: row.point.network.load)
    overlap = _average(both, "overlap")
    errors = ((1 - overlap[0]) / 2, overlap[1] / 2)
    return Size(neurons, _loads(both), errors, loads, retrieved, half(loads, retrieved[0], samples))


def _loads(rows: list[Row]) -> Floats:
    return np.array([row.point.network.load for row in rows])


def _average(rows: list[Row], name: str) -> tuple[Floats, Floats]:
    value, error = np.array([row.averages[name] for row in rows], dtype=float).T
    return value, error


def _extrapolated(sizes: list[Size], exponent: float) -> tuple[float, float, float, float]:
    """Limit and slope of α_half in N^-exponent, the standard error of the limit and χ²."""
    x = np.array([size.neurons**-exponent for size in sizes])
    value, error = np.array([size.half for size in sizes]).T
    (slope, limit), covariance = np.polyfit(x, value, 1, w=1 / error, cov="unscaled")
    chi2 = float((((value - limit - slope * x) / error) ** 2).sum())
    return float(limit), float(slope), math.sqrt(covariance[1, 1]), chi2


def _rows(size: Size, name: str, loads: Floats, average: tuple[Floats, Floats]) -> list[dict[str, object]]:
    return [
        {"neurons": size.neurons, "load": load, name: value, f"{name}_err": error}
        for load, value, error in zip(loads, *average, strict=True)
    ]


def _compared(size: Size) -> list[Comparison]:
    found = []
    for load in COMPARED:
        place = int(np.abs(size.loads - load).argmin())
        paper, (ours, error) = errors_of(float(size.loads[place])), (values[place] for values in size.errors)
        quantity = f"errors at load {size.loads[place]:g}, N = {size.neurons}"
        found.append(Comparison(quantity, paper, float(ours), 4 * float(error) + paper / 10, AGS))
    return found
