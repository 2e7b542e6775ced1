"""What an entry of the catalogue gives: a figure, its data, and numbers of the paper next to ours."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from ..columns import Columns


@dataclass(frozen=True)
class Comparison:
    """A number of a paper and ours, which comes from the run; they agree where |difference| <= tolerance.

    least = True is for what the paper says to be at least so large: ours >= paper - tolerance. The tolerance is stated
    by the entry before it runs: digits printed in the paper, or standard errors of a simulation. known = True is for a
    number with which we are known to disagree, for reasons that the entry tells: shown, and no failure.
    """

    quantity: str
    paper: float
    ours: float
    tolerance: float
    source: str
    least: bool = False
    known: bool = False

    @property
    def difference(self) -> float:
        """Ours less the paper's."""
        return self.ours - self.paper

    @property
    def agrees(self) -> bool:
        """Whether the difference is within the tolerance; nan never is."""
        return self.difference >= -self.tolerance if self.least else abs(self.difference) <= self.tolerance

    @property
    def verdict(self) -> str:
        """In one word or two."""
        return "agrees" if self.agrees else "DIFFERS (known)" if self.known else "DIFFERS"


@dataclass(frozen=True)
class Reproduction:
    """A figure, tables of all that is drawn in it by name, and the comparisons."""

    figure: Figure
    data: dict[str, Columns]
    comparisons: Sequence[Comparison] = field(default_factory=tuple)
