"""What a scan asks of its points and runs, whatever kind of network they are about."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self

from .checkpoints import Checkpoint

Stopping = Callable[[], bool]


class AnyPoint(ABC):
    """All that decides the numbers but the disorder sample: a frozen dataclass of network, dynamics, protocol, seed.

    The network says its neurons, its patterns and its load.
    """

    network: Any
    dynamics: Any
    protocol: Any
    seed: int

    @abstractmethod
    def run(self, sample: int) -> "AnyRun":
        """One disorder sample of it."""

    @property
    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """Flat columns: numbers and texts."""

    @property
    @abstractmethod
    def memory(self) -> int:
        """Bytes of one run, roughly."""

    @property
    @abstractmethod
    def updates(self) -> int:
        """Offered updates of one neuron in one run."""

    @property
    def series_bytes(self) -> int:
        """Bytes of the time series of one run in a store."""
        return 0

    @property
    @abstractmethod
    def order(self) -> tuple[str, int, int, float]:
        """Where its row of a table stands."""

    @abstractmethod
    def check_range(self) -> None:
        """Refuse what would overflow the arithmetic."""

    @abstractmethod
    def __str__(self) -> str:
        """The point in words."""


class Together(ABC):
    """Runs of one disorder sample that are simulated together."""

    runs: Sequence["AnyRun"]

    @abstractmethod
    def columns(self, checkpoint: Checkpoint | None, stopping: Stopping) -> list[dict[str, Any]]:
        """What a store keeps of each run; raises Stopped where `stopping` says so."""


class AnyRun(AnyPoint):
    """A point and one disorder sample of it: all that decides the numbers."""

    sample: int

    @property
    @abstractmethod
    def point(self) -> AnyPoint:
        """The run without its sample."""

    @classmethod
    @abstractmethod
    def together(cls, batch: Sequence[Self]) -> Sequence[Together]:
        """Runs of one disorder sample, those in one part that are simulated faster together."""
