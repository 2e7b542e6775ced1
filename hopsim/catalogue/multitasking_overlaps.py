"""Overlaps of 3, 4 and 5 patterns that are retrieved together, against dilution.

Agliari, Barra, Galluzzi, Guerra & Moauro, "Multitasking associative networks" (2012): patterns with a fraction d of
blank entries are retrieved together at T = 0, with overlaps (1-d) d^(k-1), k = 1, ..., K, up to the critical dilution
at which 1 - 2d + d^K = 0; beyond it they become parallel, and tend to 1-d as d -> 1.

Drawn: all overlaps ordered by size, simulated from the hierarchical state by sign updates, on the state that the
dynamics reach for N -> infinity.

Compared: the first three overlaps for d = 0.3 with the formula of the paper, within four standard errors and the
1/sqrt(N) by which ordering lifts a small overlap; the critical dilutions within the digits of the equation.

Deviates: N = 5000 in place of the limit.
"""

import math

import numpy as np

from .. import theory
from ..columns import stacked
from ..figures import multitasking
from ..figures.multitasking import Panel
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (60.0, 12.0)
PAPER = "Agliari et al. 2012"
DILUTION = 0.3


def make(workshop: Workshop) -> Reproduction:
    """Simulate, draw, compare."""
    rows = workshop.packaged("multitasking", samples=(40, 4))
    data = multitasking.collect(rows)
    size = rows[0].point.network.neurons
    table = stacked([_row(panel, k) for panel in data.panels for k in range(panel.dilutions.size)])
    comparisons = [found for panel in data.panels for found in _compared(panel, size)]
    return Reproduction(multitasking.draw(data), {"overlaps": table}, comparisons)


def _row(panel: Panel, k: int) -> dict[str, object]:
    row: dict[str, object] = {"patterns": panel.patterns, "dilution": panel.dilutions[k]}
    for rank in range(panel.patterns):
        row |= {f"overlap_{rank + 1}": panel.overlaps[rank, k], f"overlap_{rank + 1}_err": panel.errors[rank, k]}
    return row


def _compared(panel: Panel, size: int) -> list[Comparison]:
    K = panel.patterns
    place = int(np.abs(panel.dilutions - DILUTION).argmin())
    d = float(panel.dilutions[place])
    found = [
        Comparison(
            f"m_{k + 1} at K = {K}, d = {d:g}",
            (1 - d) * d**k,
            float(panel.overlaps[k, place]),
            4 * float(panel.errors[k, place]) + 1 / math.sqrt(size),
            PAPER,
        )
        for k in range(3)
    ]
    d_c = theory.critical_dilution(K)
    return [*found, Comparison(f"1 - 2d + d^{K} at our d_c = {d_c:.6f}", 0.0, 1 - 2 * d_c + d_c**K, 1e-12, PAPER)]
