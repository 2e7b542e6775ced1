"""Basins of attraction against load for degrees 2, 3 and 4, under synchronous sign updates.

Amari & Maginu, "Statistical neurodynamics of associative memory" (1988): the overlap of the classical network (p = 2)
along synchronous updates at T = 0, a capacity of 0.16 and the cue overlap m0 from which a pattern is retrieved.
Krotov & Hopfield (2016): the signal-to-noise ratio of one update for p ≥ 3.

Drawn: the fraction of cues that retrieve (overlap of at least 0.7 after 60 sweeps, the largest of all patterns) over
load and m0; where it is one half; and theory: Amari & Maginu for p = 2, for p = 3, 4 the overlap that the first sweep
does not change. Loads are in units of the replica-symmetric capacity; distinct indices.

Compared: the capacity of the equations of Amari & Maginu with the 0.16 printed, within its last digit. For p = 2 the
overlap after one and two sweeps with their equations, exact so far for N → ∞, within three standard errors and 0.01 for
the size. For p = 3, 4 the overlap of a pattern after one sweep with erf(√(S/2)), S = C(N-1, p-1)/(K-1) signal over
noise at this size, within three standard errors and 0.01 for what is not Gaussian in the noise. For p = 2 the m0 of one
half, which is at least theirs at every load: correlations that they leave out make basins smaller.

Deviates: no number for a basin is printed in these papers as far as we know, so m0 itself is compared one-sidedly;
sizes fall with the degree because K ~ N^(p-1).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import networks, scan_file, theory
from ..columns import Columns, stacked
from ..comparison import Row
from ..figures import basins as figure
from ..figures.basins import Basin, Panel
from ..networks import Law
from ..statistics import Average
from ..theory import parallel_updates
from .crossings import crossing
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (150.0, 12.0)
SIZES = {2: ((500, 1000, 2000), (500,)), 3: ((64, 96, 128), (64,)), 4: ((32, 48, 64), (32,))}  # full, quick
RATIOS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.2)
CUES = {2: (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0), 3: (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0)}
CUES[4] = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
STEP_RATIO, STEP_CUE = 0.5, 0.4
AMARI, KROTOV = "Amari & Maginu 1988", "Krotov & Hopfield 2016"
SCAN = """
[network]
kind = "dense"
degree = {degree}
indices = "distinct"
neurons = {sizes}
load = {loads}

[dynamics]
rule = "synchronous"
temperature = 0.0

[protocol]
cue_overlap = {cue}
equilibrate = {before}
measure = 1
replicas = 8
success_overlap = 0.7

[scan]
samples = 1
seed = 1
"""


def make(workshop: Workshop) -> Reproduction:
    """Simulate, draw, compare."""
    panels = [_panel(workshop, degree) for degree in SIZES]
    comparisons = [
        Comparison("p = 2, capacity of the equations", 0.16, parallel_updates.capacity(), 0.005, AMARI),
        *_steps(workshop),
        *(_first_sweep(workshop, degree) for degree in (3, 4)),
        *_bounds(panels[0].basins[-1]),
    ]
    return Reproduction(figure.draw(panels), {"basins": _table(panels)}, comparisons)


def _law(degree: int) -> Law:
    return networks.dense(neurons=64, degree=degree, indices="distinct", patterns=1).law


def _capacity(degree: int) -> float:
    found = theory.capacity(_law(degree), temperature=0.0).load
    assert found is not None
    return found


def _scan(workshop: Workshop, degree: int, sizes: Sequence[int], ratios: Sequence[float], cues: Sequence[float],
          before: int, samples: tuple[int, int]) -> list[Row]:  # fmt: skip
    """Rows of all cues in one go; a scan file has one cue."""
    loads = [ratio * _capacity(degree) for ratio in ratios]
    scans = [
        scan_file.parse(
            SCAN.format(degree=degree, sizes=list(sizes), loads=loads, cue=cue, before=before),
            name="basins",
            folder=Path(),
        )
        for cue in cues
    ]
    points = tuple(point for scan in scans for point in scan.points)
    return workshop.rows(replace(scans[0], points=points, samples=workshop.pick(*samples)))


def _panel(workshop: Workshop, degree: int) -> Panel:
    sizes, cues = SIZES[degree][workshop.quick], np.array(CUES[degree])
    found = _scan(workshop, degree, sizes, RATIOS, CUES[degree], 59, samples=(20, 8))
    basins = []
    for neurons in sizes:
        mine = [row for row in found if row.point.network.neurons == neurons]
        rows = [[row for row in mine if row.point.protocol.cue_overlap == cue] for cue in CUES[degree]]
        basins.append(_basin(neurons, degree, cues, rows))
    return Panel(degree, basins, *_theory(degree))


def _basin(neurons: int, degree: int, cues: figure.Floats, rows: Sequence[Sequence[Row]]) -> Basin:
    """rows[cue][load]."""
    ratios = np.array([row.point.network.load for row in rows[0]]) / _capacity(degree)
    averages = [[row.averages["retrieved"] for row in column] for column in zip(*rows, strict=True)]
    fractions = np.array([[average.value for average in line] for line in averages])
    return Basin(neurons, ratios, cues, fractions, [_half(cues, line) for line in averages])


def _half(cues: figure.Floats, fractions: Sequence[Average]) -> Average | None:
    """The cue from which half retrieve, None unless more than half of the patterns clearly keep themselves."""
    kept = fractions[-1]
    return crossing(cues, fractions, 0.5) if kept.value - 2 * kept.error > 0.5 else None


def _theory(degree: int) -> tuple[figure.Floats, figure.Floats]:
    """Loads over capacity and overlaps of the cue."""
    if degree > 2:
        overlap = np.linspace(0.02, 0.999, 400)
        load = parallel_updates.first_step_load(_law(degree), overlap)
        unstable = slice(load.argmax() + 1)  # above it the overlap at which the network comes to rest
        return load[unstable] / _capacity(degree), overlap[unstable]
    ratios = np.linspace(0.01, 1.15, 40)
    cues = [parallel_updates.critical_cue(load=ratio * _capacity(2)) for ratio in ratios]
    return ratios, np.array([math.nan if cue is None else cue for cue in cues])


def _steps(workshop: Workshop) -> list[Comparison]:
    """p = 2: the overlap after one and two sweeps."""
    neurons, found = workshop.pick(full=2000, quick=1000), []
    for step in (1, 2):
        (row,) = _scan(workshop, 2, [neurons], [STEP_RATIO], [STEP_CUE], step - 1, samples=(200, 30))
        ours, load = row.averages["overlap"], row.point.network.load
        paper = float(parallel_updates.overlaps(load=load, cue=STEP_CUE, steps=2)[step - 1])
        quantity = f"p = 2, overlap after sweep {step} from m0 = {STEP_CUE}, α = {load:.3f}"
        found.append(Comparison(quantity, paper, ours.value, 3 * ours.error + 0.01, AMARI))
    return found


def _first_sweep(workshop: Workshop, degree: int) -> Comparison:
    """p ≥ 3: the overlap after one sweep from a pattern at its capacity."""
    neurons = SIZES[degree][workshop.quick][-1]
    (row,) = _scan(workshop, degree, [neurons], [1.0], [1.0], 0, samples=(600, 150))
    signal_to_noise = math.comb(neurons - 1, degree - 1) / (row.point.network.patterns - 1)
    ours = row.averages["overlap"]
    quantity = f"p = {degree}, overlap after one sweep from a pattern, N = {neurons}"
    return Comparison(quantity, math.erf(math.sqrt(signal_to_noise / 2)), ours.value, 3 * ours.error + 0.01, KROTOV)


def _bounds(basin: Basin) -> list[Comparison]:
    found = []
    for ratio, half in zip(basin.ratios, basin.half, strict=True):
        bound = parallel_updates.critical_cue(load=float(ratio) * _capacity(2))
        if half is not None and bound is not None:
            quantity = f"p = 2, m0 of one half at {ratio:.2f} of capacity (at least)"
            found.append(Comparison(quantity, bound, half.value, 3 * half.error, AMARI, least=True))
    return found


def _table(panels: Sequence[Panel]) -> Columns:
    return stacked(
        [
            {
                "degree": panel.degree,
                "neurons": basin.neurons,
                "load_over_capacity": ratio,
                "cue_overlap": cue,
                "retrieved": basin.fractions[k, j],
            }
            for panel in panels
            for basin in panel.basins
            for k, ratio in enumerate(basin.ratios)
            for j, cue in enumerate(basin.cues)
        ]
    )
