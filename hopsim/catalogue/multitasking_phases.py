"""Phases of 3, 4 and 5 diluted patterns in dilution and temperature, with Monte Carlo points.

Agliari, Barra, Galluzzi, Guerra & Moauro, "Multitasking associative networks" (2012): a network of few patterns with a
fraction d of blank entries is ergodic above T = 1-d; below, it retrieves one pattern, a hierarchy of them, or all in
parallel, and the hierarchy of T = 0 ends where 1 - 2d + d^K = 0.

Drawn: the state of lowest free energy at every (d, T), the lines of the hierarchical and the pure state, and Monte
Carlo points (Glauber, from the hierarchical state), filled if the state of theory nearest to all their overlaps is the
lowest one.

Compared: d_c(K), of the paper's equation, with the jump that ends the state followed at T = 1e-4, within
1e-3, as far as such a temperature moves it; T = 1-d with the overlap m of d = 0.3, whose m² is extrapolated to 0 from
two temperatures, within 1e-3; derived here and compared within 1e-6: coexistence at T = 0, K = 3, at (1 + 2√2)/7, where
m = (1-d)(1, d, d²) and the state in which neurons with ξ = ±(1, -1, -1) have turned have equal energies, and the end of
the line of the pure state, at (2/3, 1/3), where the terms of fourth order in m of one and two patterns are equal.
Simulated overlaps are compared with theory in the middle of four phases, within four standard errors and 1/sqrt(N), by
which ordering lifts small overlaps.

Deviates: N = 5000 in place of the limit; `--quick` has K = 3 only, on a coarser grid.
"""

import math
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from .. import theory
from ..columns import Columns, stacked
from ..comparison import Row
from ..errors import Refused
from ..figures import dilution_phases
from ..figures.dilution_phases import Data
from ..patterns import Diluted
from ..theory.dilution_phases import dilution_line, pure_stability
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (90.0, 15.0)
PAPER, DERIVED, LIMIT = "Agliari et al. 2012", "derived in this entry", "theory, N → ∞"
NEURONS = 5000
COLD = 1e-4
END = {3: (math.sqrt(5) - 1) / 2, 4: 0.543689, 5: 0.518790}  # 1 - 2d + d^K = 0: six digits
MIDDLES = {"hierarchical": (0.38, 0.05), "pure": (0.15, 0.55), "parallel": (0.65, 0.05), "paramagnet": (0.8, 0.42)}
SCAN = """
[network]
kind = "multitasking"
neurons = {neurons}
patterns = [{patterns}]
dilution = [0.15, 0.38, 0.5, 0.65, 0.8]
[dynamics]
rule = "glauber"
temperature = [0.05, 0.15, 0.27, 0.42, 0.55]
[protocol]
start = "hierarchical"
cue_overlap = 1.0
equilibrate = 60
measure = 40
every = 4
overlaps = true
[scan]
samples = 1
seed = 1
"""


class Spot(NamedTuple):
    """A simulated point: K, d, T, the ordered overlaps and their errors, and the states of theory there."""

    patterns: int
    dilution: float
    temperature: float
    overlaps: NDArray[np.float64]
    errors: NDArray[np.float64]
    states: list[theory.State]

    @property
    def nearest(self) -> theory.State:
        """The state of theory nearest to the simulated overlaps."""
        return min(self.states, key=lambda state: float(np.abs(np.array(state.overlaps) - self.overlaps).max()))


def make(workshop: Workshop) -> Reproduction:
    """Solve, simulate, draw, compare."""
    numbers = (3,) if workshop.quick else (3, 4, 5)
    text = SCAN.format(neurons=NEURONS, patterns=", ".join(map(str, numbers)))
    spots = [_spot(row) for row in workshop.scan("multitasking-phases", text, samples=(20, 4))]
    planes = [dilution_phases.collect(patterns=K, points=workshop.pick(60, 30)) for K in numbers]
    figure = Figure(figsize=(5.2, 3.1 * len(planes)), layout="constrained")
    for ax, plane in zip(figure.subplots(len(planes), squeeze=False)[:, 0], planes, strict=True):
        _draw(ax, plane, [spot for spot in spots if spot.patterns == plane.patterns])
    tables = {f"phases_{plane.patterns}": _table(plane) for plane in planes}
    return Reproduction(figure, tables | {"simulated": stacked([_row(spot) for spot in spots])}, [
        *(_end(K) for K in numbers),
        *_lines(),
        *(found for K in numbers for found in _middles(spots, K)),
    ])  # fmt: skip


def _spot(row: Row) -> Spot:
    network, T = row.point.network, row.point.dynamics.temperature
    assert isinstance(network.law.ensemble, Diluted)
    d, (overlaps, errors) = network.law.ensemble.dilution, np.array(row.ranked, dtype=float).T
    states = theory.stable_states(patterns=network.patterns, dilution=d, temperature=T)
    return Spot(network.patterns, d, T, overlaps, np.nan_to_num(errors), states)


def _draw(ax: Axes, plane: Data, spots: list[Spot]) -> None:
    dilution_phases.draw(plane, ax)
    ax.set_title(f"$K = {plane.patterns}$", fontsize="medium")
    ax.spines[["top", "right"]].set_visible(False)
    marks = []
    for lowest, face in ((True, "black"), (False, "white")):
        here = [(spot.dilution, spot.temperature) for spot in spots if spot.nearest.dominant == lowest]
        if here:
            mark = Line2D(*np.transpose(here), linestyle="none", color="black", zorder=4, marker="o", markersize=3.5)
            mark.set(markerfacecolor=face, label="Monte Carlo" if lowest else "Monte Carlo, not the lowest")
            marks.append(ax.add_line(mark))
    legend = Legend(ax, marks, [str(mark.get_label()) for mark in marks], fontsize="small", frameon=False, loc=1)
    ax.add_artist(legend)


def _table(plane: Data) -> Columns:
    T, d = np.meshgrid(plane.temperatures, plane.dilutions, indexing="ij")
    return {
        "dilution": d.ravel(),
        "temperature": T.ravel(),
        "phase": np.array([*plane.names, ""])[plane.phases.ravel()],
    }


def _row(spot: Spot) -> dict[str, object]:
    row: dict[str, object] = {"patterns": spot.patterns, "dilution": spot.dilution, "temperature": spot.temperature}
    for k, (overlap, error) in enumerate(zip(spot.overlaps, spot.errors, strict=True), 1):
        row |= {f"overlap_{k}": overlap, f"overlap_{k}_err": error}
    return row | {"nearest": spot.nearest.kind, "lowest": spot.nearest.dominant}


def _end(patterns: int) -> Comparison:
    (found,) = dilution_line(patterns=patterns, line="spinodal", temperatures=[COLD])
    ours = math.nan if found.dilution is None else found.dilution
    return Comparison(f"d_c, K = {patterns}, ours at T = {COLD:g}", END[patterns], ours, 1e-3, PAPER)


def _lines() -> list[Comparison]:
    (coexistence,) = dilution_line(patterns=3, line="coexistence", temperatures=[0.0])
    assert coexistence.dilution is not None
    d, T = (float(axis[-1]) for axis in pure_stability())
    at_zero = "coexistence, K = 3, T = 0"
    return [
        Comparison("T_c at K = 3, d = 0.3", 0.7, _ergodic(0.3), 1e-3, PAPER),
        Comparison(at_zero, (1 + 2 * math.sqrt(2)) / 7, coexistence.dilution, 1e-6, DERIVED),
        Comparison("end of the pure state's line: d", 2 / 3, d, 1e-6, DERIVED),
        Comparison("end of the pure state's line: T", 1 / 3, T, 1e-6, DERIVED),
    ]


def _ergodic(dilution: float) -> float:
    """The temperature at which the line through m² at two temperatures below 1-d is 0."""
    T = np.array([0.990, 0.995]) * (1 - dilution)
    low, high = (
        theory.stable_states(patterns=3, dilution=dilution, temperature=float(t))[0].overlaps[0] ** 2 for t in T
    )
    return float(T[1] + high * (T[1] - T[0]) / (low - high)) if low > high else math.nan


def _middles(spots: list[Spot], patterns: int) -> list[Comparison]:
    places = {(spot.patterns, spot.dilution, spot.temperature): spot for spot in spots}
    found = []
    for name, (d, T) in MIDDLES.items():
        spot = places[patterns, d, T]
        (lowest,) = (state for state in spot.states if state.dominant)
        if lowest.kind != name:
            raise Refused(f"the lowest of {patterns} patterns at d = {d:g}, T = {T:g} is {lowest.kind}, not {name}")
        for k in range(2 if name in ("hierarchical", "parallel") else 1):
            tolerance = 4 * float(spot.errors[k]) + 1 / math.sqrt(NEURONS)
            quantity = f"m_{k + 1}, K = {patterns}, {name} at d = {d:g}, T = {T:g}"
            found.append(Comparison(quantity, lowest.overlaps[k], float(spot.overlaps[k]), tolerance, LIMIT))
    return found
