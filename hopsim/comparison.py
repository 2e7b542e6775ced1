"""Simulation held against theory: one row per point, with what replica theory predicts for it."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import theory
from .columns import Columns
from .continuous import Experiment
from .dynamics import Synchronous
from .errors import Refused
from .interactions import Quadratic
from .patterns import Diluted, Examples
from .points import AnyPoint
from .simulation import Point
from .statistics import Average, disorder_average
from .store import Store

FEW_PATTERNS = 8  # as many as theory.low_load takes
_AVERAGED = (
    "overlap",
    "energy",
    "example_overlap",
    "retrieved",
    "best_overlap",
    "acceptance",
    "overlap_tau",
    "overlap_blocking",
    "q",
    "q_abs",
    "q2",
    "q4",
)


@dataclass(frozen=True)
class Row:
    """One point: disorder averages over its samples and the replica-symmetric overlap (nan where there is none).

    ranked has the averages of all overlaps, the largest first, where the protocol kept them.
    """

    point: AnyPoint
    samples: int
    averages: dict[str, Average]
    predicted: float
    ranked: tuple[Average, ...] = ()

    @property
    def z(self) -> float:
        """(overlap - predicted)/error; nan without a prediction or an error."""
        overlap = self.averages.get("overlap", Average(math.nan, math.nan))
        return (overlap.value - self.predicted) / overlap.error if overlap.error > 0 else math.nan


def tabulate(store: Store, points: Collection[AnyPoint] | None = None) -> list[Row]:
    """One row per point that has results, in the order of size, load and temperature.

    Where points are given, of those, and none that another version of the package computed with other numbers.
    """
    columns, current = store.columns(), store.current()
    rows = []
    for point, mine, chosen in zip(store.points(), current, _rows_of_points(columns, len(current)), strict=True):
        if chosen.size and (points is None or (mine and point in points)):
            averages = {n: disorder_average(columns[n][chosen]) for n in _averaged(point, columns, chosen)}
            ranked = _ranked(columns["ranked_overlaps"][chosen], point) if "ranked_overlaps" in columns else ()
            rows.append(Row(point, chosen.size, averages, predicted_overlap(point), ranked))
    return sorted(rows, key=lambda row: row.point.order)


def predicted_overlap(point: AnyPoint) -> float:
    """The replica-symmetric overlap at the realised load, on the retrieval branch that a positive cue starts on.

    Where a network learns from examples, that with the archetype. A few diluted patterns, which are retrieved together,
    are followed from the hierarchical start. Of continuous networks, what their kind expects. nan where no theory is
    known (ensemble, interaction, synchronous update, a few archetypes with blanks), where the start chooses no branch
    and where the branch does not exist.
    """
    if isinstance(point, Experiment):
        return point.kind.predicted(point.network, point.dynamics, point.protocol)
    if not isinstance(point, Point) or isinstance(point.dynamics, Synchronous) or point.protocol.cue_overlap <= 0:
        return math.nan
    hierarchical = point.protocol.start == "hierarchical"
    try:
        if retrieves_together(point):
            return relaxed_overlaps(point)[0] if hierarchical else math.nan
        return math.nan if hierarchical else _alone(point)
    except (theory.NotConverged, Refused):
        return math.nan


def retrieves_together(point: AnyPoint) -> bool:
    """Whether its patterns are a few, with blanks, of a quadratic network: several have an overlap at once."""
    law, patterns = point.network.law, point.network.patterns
    diluted = isinstance(law.ensemble, Diluted) and law.ensemble.dilution > 0
    return diluted and isinstance(law.interaction, Quadratic) and 1 < patterns <= FEW_PATTERNS


def relaxed_overlaps(point: AnyPoint) -> tuple[float, ...]:
    """All overlaps of a few diluted patterns at low load, from the hierarchical start (theory.relaxed)."""
    ensemble = point.network.law.ensemble
    assert isinstance(ensemble, Diluted)
    return theory.relaxed(
        patterns=point.network.patterns,
        dilution=ensemble.dilution,
        temperature=point.dynamics.temperature,
        overlap=point.protocol.cue_overlap,
    )


def _alone(point: Point) -> float:
    """The overlap of one pattern that is retrieved alone."""
    law, load, temperature = point.network.law, point.network.load, point.dynamics.temperature
    if isinstance(law.ensemble, Examples) and (law.ensemble.dilution == 0 or point.network.patterns > FEW_PATTERNS):
        return theory.examples.solve(law, load=load, temperature=temperature).order.m[0]
    return float(theory.solve(law, load=load, temperature=temperature).order.m) if theory.supports(law) else math.nan


def _rows_of_points(columns: Columns, points: int) -> list[NDArray[np.int64]]:
    """The rows of every point, in their order."""
    if not columns:
        return [np.empty(0, dtype=np.int64)] * points
    order = np.argsort(columns["point"], kind="stable")
    return np.split(order, np.searchsorted(columns["point"][order], np.arange(1, points)))


def _ranked(overlaps: NDArray[np.float64], point: AnyPoint) -> tuple[Average, ...]:
    return tuple(disorder_average(of_rank) for of_rank in overlaps[:, : point.network.patterns].T)


def to_array(rows: list[Row]) -> NDArray[np.void]:
    """The rows as a NumPy structured array: parameters, samples, averages with `_err`, predicted, z."""
    if not rows:
        return np.empty(0, dtype=[("samples", int)])
    longest = _record(max(rows, key=lambda row: len(row.ranked)))
    absent = dict.fromkeys(longest, math.nan)
    records = [absent | _record(row) for row in rows]
    kinds = [(n, np.array([r[n] for r in records]).dtype) for n in longest]
    return np.array([tuple(record[n] for n in longest) for record in records], dtype=kinds)


def _record(row: Row) -> dict[str, object]:
    record = row.point.parameters | {"samples": row.samples}
    for name, average in row.averages.items():
        record |= {name: average.value, f"{name}_err": average.error}
    for rank, average in enumerate(row.ranked, 1):
        record |= {f"overlap_{rank}": average.value, f"overlap_{rank}_err": average.error}
    return record | {"predicted": row.predicted, "z": row.z}


def _averaged(point: AnyPoint, columns: Columns, chosen: NDArray[np.int64]) -> Sequence[str]:
    """The columns of a point that are averaged over its samples."""
    if isinstance(point, Point):
        return [name for name in _AVERAGED if name in columns]
    floats = [name for name, column in columns.items() if column.dtype == np.float64 and column.ndim == 1]
    return [name for name in floats if not np.isnan(columns[name][chosen]).all()]
