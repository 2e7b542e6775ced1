"""Readings: the series of chains on their way, filled in as the chains move."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import observables
from .networks import Quenched
from .patterns import Examples
from .states import State

CUED = 0  # the pattern whose cue starts a run; patterns are exchangeable, so the first will do


class Readings:
    """What is read off the chains of one disorder sample, in the shape (runs, replicas, readings); `taken` so far.

    Overlaps with all patterns are summed if `every_overlap` asks for them; success_overlap is explained at
    simulation.Protocol, the series at simulation.Record.
    """

    def __init__(
        self, quenched: Quenched, shape: tuple[int, int, int], success_overlap: float, every_overlap: bool
    ) -> None:
        runs, self._replicas, self.readings = shape
        self._quenched, self.taken = quenched, 0
        self._least = success_overlap * int(np.count_nonzero(quenched.patterns[:, CUED]))
        names = ["overlap", "best_overlap", "energy"]
        if isinstance(quenched.network.law.ensemble, Examples):
            names.append("example_overlap")
        self._series: dict[str, NDArray[Any]] = {name: np.empty(shape) for name in names}
        self._series["retrieved"] = np.empty(shape, dtype=np.bool_)
        pairs = self._replicas * (self._replicas - 1) // 2
        self._series["similarity"] = np.empty((runs, pairs, self.readings))
        columns = quenched.patterns.shape[1] if every_overlap else 0
        self._totals = np.zeros((runs, self._replicas, columns), dtype=np.int64)

    def add(self, seen: Sequence[State]) -> None:
        """Read the traces of all chains, run after run."""
        new = slice(self.taken, self.taken + len(seen[0].spins))
        for chain, states in enumerate(seen):
            run, replica = divmod(chain, self._replicas)
            for name, series in self._read(states, self._totals[run, replica]).items():
                self._series[name][run, replica, new] = series
        for run, similarity in enumerate(self._series["similarity"]):
            similarity[:, new] = observables.similarities(seen[run * self._replicas : (run + 1) * self._replicas])
        self.taken = new.stop

    def _read(self, states: State, total: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        on_patterns = observables.on_patterns(states, self._quenched)
        total += on_patterns.overlaps[:, : total.size].sum(axis=0)
        series: dict[str, NDArray[Any]] = {
            "overlap": observables.overlap(on_patterns, CUED),
            "best_overlap": observables.best_overlap(on_patterns),
            "energy": observables.energy_density(states, self._quenched),
            "retrieved": observables.retrieved(on_patterns, CUED, self._least),
        }
        if "example_overlap" in self._series:
            series["example_overlap"] = observables.example_overlap(states, self._quenched, CUED)
        return series

    def of(self, run: int) -> dict[str, NDArray[Any]]:
        """Series of one run once all readings are taken, by their names in simulation.Record."""
        averages = self._totals[run] / (self._quenched.network.neurons * self.readings)
        series = {name: series[run] for name, series in self._series.items()}
        return series | ({"overlaps": averages} if averages.size else {})

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was read so far."""
        return {"totals": self._totals} | {name: series[..., : self.taken] for name, series in self._series.items()}

    def resume(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from the state of earlier readings."""
        self._totals[:] = state["totals"]
        for name, series in self._series.items():
            self.taken = state[name].shape[-1]
            series[..., : self.taken] = state[name]
