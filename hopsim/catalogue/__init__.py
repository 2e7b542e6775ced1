"""The catalogue: published figures, each redrawn from nothing by `hopsim reproduce NAME`.

An entry is a module with a docstring (first line: what it is; then the paper, what is drawn, which numbers are
compared, where it deviates and why), SECONDS = (full, quick) on two cores, and make(workshop) -> Reproduction.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from ..errors import Refused
from .entry import Comparison, Reproduction
from .workshop import Workshop

__all__ = ["NAMES", "Comparison", "Entry", "Reproduction", "Workshop", "entry"]

NAMES = (
    "ags-phase-diagram",
    "ags-retrieval",
    "rsb-capacity",
    "dense-phase-diagram",
    "dense-capacity",
    "dense-glass",
    "exponential-capacity",
    "basins",
    "multitasking-overlaps",
    "multitasking-phases",
    "parallel-learning",
    "cost-and-loss",
    "digits",
    "fixed-point-types",
    "one-step-retrieval",
    "softmax-capacity",
    "models-abc",
    "hierarchical-memory",
    "key-value-capacity",
)


@dataclass(frozen=True)
class Entry:
    """One entry: its name, docstring, expected seconds (full, quick) on two cores, and how it is made."""

    name: str
    text: str
    seconds: tuple[float, float]
    make: Callable[[Workshop], Reproduction]

    @property
    def title(self) -> str:
        """The first line of its docstring."""
        return self.text.splitlines()[0]


def entry(name: str) -> Entry:
    """The entry of a name; refused if there is none."""
    if name not in NAMES:
        raise Refused(f"no entry {name!r} in the catalogue; there are {', '.join(NAMES)}")
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    return Entry(name, cast(str, module.__doc__), module.SECONDS, module.make)
