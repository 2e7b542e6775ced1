"""Points of a scan whose network is continuous: they run, are stored and are tabulated like all others."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..checkpoints import Checkpoint
from ..errors import Refused, whole
from ..points import AnyPoint, AnyRun, Together
from ..rng import Purpose, stream
from .kinds import KINDS, Kind

ARRAYS = 4


@dataclass(frozen=True)
class Experiment(AnyPoint):
    """All that decides the numbers of a continuous network but the disorder sample."""

    network: Any
    dynamics: Any
    protocol: Any
    seed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", whole("seed", self.seed, 0, 2**63 - 1))
        kind, given = self.kind, (type(self.network), type(self.dynamics), type(self.protocol))
        if given != (kind.network, kind.dynamics, kind.protocol):
            wanted = f"{kind.network.__name__}, {kind.dynamics.__name__} and {kind.protocol.__name__}"
            got = ", ".join(part.__name__ for part in given)
            raise Refused(f"an experiment of kind {kind.name} is made of {wanted}, got {got}")
        kind.check(self.network, self.dynamics, self.protocol)

    @property
    def kind(self) -> Kind:
        """The kind of its network."""
        found = [kind for kind in KINDS.values() if kind.network is type(self.network)]
        if not found:
            names = ", ".join(kind.network.__name__ for kind in KINDS.values())
            raise Refused(f"an experiment needs a continuous network ({names}), got {type(self.network).__name__}")
        return found[0]

    def run(self, sample: int) -> "Trial":
        """One disorder sample of it."""
        return Trial(self.network, self.dynamics, self.protocol, self.seed, sample)

    @property
    def parameters(self) -> dict[str, Any]:
        """Flat columns: numbers and texts; blank where a parameter is not given."""
        parts = (self.network, self.dynamics, self.protocol)
        given = {f.name: getattr(part, f.name) for part in parts for f in dataclasses.fields(part) if f.compare}
        flat = {name: math.nan if value is None else value for name, value in given.items()}
        return {"interaction": self.kind.name} | flat | {"load": self.network.load, "seed": self.seed}

    @property
    def memory(self) -> int:
        """Bytes of one run, roughly: some arrays of patterns."""
        return int(ARRAYS * 8 * self.network.neurons * self.network.patterns)

    @property
    def updates(self) -> int:
        """One of every neuron."""
        return int(self.network.neurons)

    @property
    def order(self) -> tuple[str, int, int, float]:
        """By kind and other texts, size, load and the first number of the dynamics."""
        given = self.parameters
        texts = [self.kind.name, *(str(value) for value in given.values() if isinstance(value, str))]
        numbers = [value for value in vars(self.dynamics).values() if isinstance(value, float)]
        return " ".join(texts), self.network.neurons, self.network.patterns, (numbers or [0.0])[0]

    def check_range(self) -> None:
        """Nothing overflows."""

    def __str__(self) -> str:
        shown = [f"{name} = {value}" for name, value in self.parameters.items() if name not in ("interaction", "seed")]
        return f"{self.kind.name}, {', '.join(shown)}"


@dataclass(frozen=True)
class Trial(Experiment, AnyRun):
    """An experiment and one disorder sample of it: all that decides the numbers."""

    sample: int

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "sample", whole("sample", self.sample, 0, 2**32 - 1))

    @property
    def point(self) -> Experiment:
        """The run without its sample."""
        return Experiment(self.network, self.dynamics, self.protocol, self.seed)

    def measure(self) -> dict[str, float]:
        """The observables; dynamics and protocols at the same network share the disorder."""
        sizes = (self.network.neurons, self.network.patterns)
        rng = stream(self.seed, self.sample, Purpose.DISORDER, *sizes)
        return self.kind.measure(self.network, self.dynamics, self.protocol, rng)

    @classmethod
    def together(cls, batch: "Sequence[Trial]") -> "list[Alone]":
        """Each by itself."""
        return [Alone((run,)) for run in batch]


@dataclass(frozen=True)
class Alone(Together):
    """One trial."""

    runs: tuple[Trial]

    def columns(self, checkpoint: Checkpoint | None, stopping: Callable[[], bool]) -> list[dict[str, Any]]:
        """Its observables; a trial is short and starts anew after a kill."""
        return [dict(self.runs[0].measure())]
