"""Simulated annealing: a chain whose temperature is a stated function of the sweep number."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Literal

from .draws import Draws
from .dynamics import Dynamics, Glauber, Metropolis, Order
from .errors import Refused, real, whole
from .networks import Law
from .rng import Keys

Schedule = Literal["linear", "geometric"]
SCHEDULES: tuple[Schedule, ...] = ("linear", "geometric")
_RULES = {"glauber": Glauber, "metropolis": Metropolis}


@dataclass(frozen=True)
class Annealing(Dynamics):
    """Cooling (or heating) from `start` to `stop` in `sweeps` sweeps (Kirkpatrick, Gelatt & Vecchi 1983).

    Sweep s = 0, 1, ... has the temperature

        linear:     T_s = start + (stop - start) s/sweeps
        geometric:  T_s = start (stop/start)^(s/sweeps)

    while s < sweeps and T_s = stop from then on: equilibrate for `sweeps` sweeps and measure at `temperature`, which is
    `stop`. start == stop follows the trajectory of Glauber or Metropolis with the same keys. The linear schedule may
    stop at T = 0, where a sweep is one of SignUpdate. Source: Science 220, 671 (1983).

    From a random state, cooled past T = 1, a single pattern or its mirror image is found:

    >>> cooling = hs.Annealing(1.5, 0.0, 100, "linear", "glauber")
    >>> network = hs.hopfield(neurons=1000, patterns=1)
    >>> run = hs.Run(network, cooling, hs.Protocol(0.0, 100, 1, start="random"), seed=1, sample=0)
    >>> abs(hs.simulate(run).overlap).tolist()
    [[1.0]]
    """

    start: float
    stop: float
    sweeps: int
    schedule: Schedule
    rule: Literal["glauber", "metropolis"]
    order: Order = "permutation"
    temperature: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.rule not in _RULES:
            raise Refused(f"Annealing: rule must be glauber or metropolis, got {self.rule!r}")
        if self.schedule not in SCHEDULES:
            raise Refused(f"Annealing: schedule must be one of {', '.join(SCHEDULES)}, got {self.schedule!r}")
        for name in ("start", "stop"):
            object.__setattr__(self, name, real(f"Annealing: {name}", getattr(self, name)))
        object.__setattr__(self, "sweeps", whole("Annealing: sweeps", self.sweeps, 1))
        object.__setattr__(self, "temperature", self.stop)
        object.__setattr__(self, "code", _RULES[self.rule].code)
        self._check_temperatures()
        self._at_start()

    def check(self, law: Law) -> None:
        """Refuse a law on which temperature has no meaning."""
        self._at_start().check(law)

    def moves_with(self, other: Dynamics) -> bool:
        """Whether chains under both schedules can be advanced together: only under the same one."""
        return self == other

    def temperature_at(self, sweep: int) -> float:
        """T of one sweep, a pure function of its number."""
        if sweep >= self.sweeps:
            return self.stop
        passed = sweep / self.sweeps
        if self.schedule == "linear":
            return self.start + (self.stop - self.start) * passed
        return float(self.start * (self.stop / self.start) ** passed)

    def _pieces(
        self, neurons: int, keys: Keys, unit: float, first_sweep: int, n_sweeps: int, at_once: int
    ) -> Iterator[Draws]:
        step = max(1, at_once // neurons)
        for temperature, same in groupby(range(first_sweep, first_sweep + n_sweeps), self.temperature_at):
            while sweeps := tuple(islice(same, step)):
                yield self._draws(neurons, keys, unit, temperature, sweeps[0], len(sweeps))

    def _check_temperatures(self) -> None:
        if self.start <= 0:
            raise Refused(f"Annealing needs a start > 0, got {self.start!r}; at T = 0 use SignUpdate()")
        if self.stop < 0:
            raise Refused(f"Annealing needs a stop >= 0, got {self.stop!r}")
        if self.stop == 0 and self.schedule == "geometric":
            raise Refused("Annealing: a geometric schedule never reaches stop = 0; use linear, or stop above 0")

    def _at_start(self) -> Dynamics:
        return _RULES[self.rule](self.start, self.order)
