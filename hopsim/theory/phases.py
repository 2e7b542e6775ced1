"""Phase diagrams: every line of a network in the plane of load and temperature."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..errors import whole
from ..networks import Law
from . import boundaries, diluted, retrieval
from .boundaries import Boundary
from .crosstalk import Noise, Responding
from .fixed_point import NotConverged
from .gaussian import Array
from .replica_symmetric import REPLICA_SYMMETRIC
from .solution import Ansatz

OF_RETRIEVAL = ("spinodal", "coexistence", "stability")
MARGIN = 1.3  # loads shown, in units of the largest one with retrieval
_COARSER, _HALVINGS = 4, 10  # in the search for the end of a line


@dataclass(frozen=True)
class PhaseDiagram:
    """The lines that exist, by name, each by increasing temperature; see boundaries.line for what they are."""

    lines: dict[str, list[Boundary]]

    @property
    def largest_load(self) -> float:
        """The end of the loads shown."""
        return MARGIN * max(float(point.load or 0.0) for point in self.lines["spinodal"])


def phase_diagram(law: Law | Noise, *, ansatz: Ansatz = REPLICA_SYMMETRIC, points: int = 40) -> PhaseDiagram:
    """Every line of the ansatz at `points` temperatures.

    Those of retrieval run from T = 0 to the temperature where they end, those of the m = 0 states up to the
    temperature that they have at the largest load shown. A point that cannot be resolved is left out.
    """
    noise, ansatz = diluted.specialised(law, ansatz)
    points = whole("points", points, 3)
    lines = {name: _of_retrieval(noise, name, points, ansatz) for name in OF_RETRIEVAL}
    load = PhaseDiagram(lines).largest_load
    for name in ansatz.lines:
        if name not in OF_RETRIEVAL:
            lines[name] = _existing(noise, name, _temperatures(noise, name, load, points, ansatz), ansatz)
    return PhaseDiagram({name: found for name, found in lines.items() if found})


def _of_retrieval(noise: Noise, name: str, points: int, ansatz: Ansatz) -> list[Boundary]:
    """A line up to its end, dense at both ends, where lines bend."""
    hottest = retrieval.hottest(noise) * diluted.unit(ansatz)
    if name == "spinodal":
        return _existing(noise, name, hottest * _bending(points), ansatz)
    coarse = hottest * _bending(max(points // _COARSER, 3))
    found = _existing(noise, name, coarse, ansatz)
    low = found[-1].temperature if found else 0.0
    high = min(coarse[coarse > low].tolist(), default=hottest)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _existing(noise, name, [middle], ansatz) else (low, middle)
    return _existing(noise, name, [*(low * _bending(points)), low], ansatz) if low > 0 else []


def _bending(points: int) -> Array:
    """Points in [0, 1), dense at both ends."""
    return np.asarray((1 - np.cos(np.linspace(0, math.pi, points + 1)[:-1])) / 2)


def _temperatures(noise: Noise, name: str, load: float, points: int, ansatz: Ansatz) -> Array:
    """Temperatures at which a line of the m = 0 states has loads from 0 to about `load`.

    At m = 0 the mixed p-spin glass has no scale but √α, so that one point gives all temperatures of its lines.
    """
    if isinstance(noise, Responding):
        return np.asarray(diluted.unit(ansatz) * (1 + math.sqrt(load) * np.linspace(0, 1, points + 1)[1:]))
    at_one = boundaries.line(noise, line=name, temperatures=[1.0], ansatz=ansatz)[0].load
    return np.empty(0) if at_one is None else np.asarray(math.sqrt(load / at_one) * np.linspace(0, 1, points + 1)[1:])


def _existing(noise: Noise, name: str, temperatures: Iterable[float], ansatz: Ansatz) -> list[Boundary]:
    found = (_point(noise, name, float(temperature), ansatz) for temperature in temperatures)
    return [point for point in found if point is not None and point.load is not None]


def _point(noise: Noise, name: str, temperature: float, ansatz: Ansatz) -> Boundary | None:
    try:
        return boundaries.line(noise, line=name, temperatures=[temperature], ansatz=ansatz)[0]
    except NotConverged:  # close to where a line begins its two states are too much alike to be told apart
        return None
