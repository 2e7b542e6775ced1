"""Simulation held against theory: one row per point, with what replica theory predicts for it."""

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import theory
from .dynamics import Synchronous
from .errors import Refused
from .patterns import Diluted, Examples
from .simulation import Point
from .statistics import Average, disorder_average
from .store import Store, parameters

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
    """One point: disorder averages over its samples and the replica-symmetric overlap (nan where there is none)."""

    point: Point
    samples: int
    averages: dict[str, Average]
    predicted: float

    @property
    def z(self) -> float:
        """(overlap - predicted)/error; nan without a prediction or an error."""
        overlap = self.averages["overlap"]
        return (overlap.value - self.predicted) / overlap.error if overlap.error > 0 else math.nan


def tabulate(store: Store, points: Collection[Point] | None = None) -> list[Row]:
    """One row per point that has results (of those given), in the order of size, load and temperature."""
    columns = store.columns()
    rows = []
    for index, point in enumerate(store.points()):
        chosen = columns["point"] == index if columns else np.zeros(0, dtype=bool)
        if chosen.any() and (points is None or point in points):
            averages = {n: disorder_average(columns[n][chosen]) for n in _AVERAGED if n in columns}
            rows.append(Row(point, int(chosen.sum()), averages, predicted_overlap(point)))
    return sorted(rows, key=_order)


def predicted_overlap(point: Point) -> float:
    """The replica-symmetric overlap at the realised load, on the retrieval branch that a positive cue starts on.

    Where a network learns from examples of patterns without blanks, that with the archetype. nan where no theory is
    known (ensemble, interaction, synchronous update), where the cue chooses no branch, where the branch does not
    exist, and for a few diluted patterns, which are retrieved together (theory.low_load).
    """
    law, load, temperature = point.network.law, point.network.load, point.dynamics.temperature
    learns = isinstance(law.ensemble, Examples) and law.ensemble.dilution == 0
    diluted = isinstance(law.ensemble, Diluted) and law.ensemble.dilution > 0
    known = learns or (theory.supports(law) and not (diluted and 1 < point.network.patterns <= FEW_PATTERNS))
    if not known or isinstance(point.dynamics, Synchronous) or point.protocol.cue_overlap <= 0:
        return math.nan
    try:
        if learns:
            return theory.examples.solve(law, load=load, temperature=temperature).order.m[0]
        return float(theory.solve(law, load=load, temperature=temperature).order.m)
    except (theory.NotConverged, Refused):
        return math.nan


def to_array(rows: list[Row]) -> NDArray[np.void]:
    """The rows as a NumPy structured array: parameters, samples, averages with `_err`, predicted, z."""
    records = [_record(row) for row in rows]
    if not records:
        return np.empty(0, dtype=[("samples", int)])
    kinds = [(n, np.array([r[n] for r in records]).dtype) for n in records[0]]
    return np.array([tuple(record.values()) for record in records], dtype=kinds)


def _record(row: Row) -> dict[str, object]:
    record = parameters(row.point) | {"samples": row.samples}
    for name, average in row.averages.items():
        record |= {name: average.value, f"{name}_err": average.error}
    return record | {"predicted": row.predicted, "z": row.z}


def _order(row: Row) -> tuple[str, int, int, float]:
    network = row.point.network
    return repr(network.law), network.neurons, network.patterns, row.point.dynamics.temperature
