"""Where scripts/verify_lines.py looks: loads, temperatures and sizes at the lines of every network."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from lines_runs import Case, Floats

import hopsim as hs
from hopsim.networks import Law

COLD = 0.05
RETRIEVAL_NODES, OTHER_NODES = 8, 6


def retrieval_nodes(hot: float) -> tuple[Floats, Floats]:
    """Gauss-Legendre temperatures and weights between COLD and `hot`."""
    x, w = np.polynomial.legendre.leggauss(RETRIEVAL_NODES)
    return COLD + (hot - COLD) * (x + 1) / 2, w * (hot - COLD) / 2


def other_nodes(hot: float) -> tuple[Floats, Floats]:
    """Gauss-Legendre inverse temperatures and weights between 0 and 1/hot."""
    x, w = np.polynomial.legendre.leggauss(OTHER_NODES)
    return (x + 1) / 2 / hot, w / 2 / hot


@dataclass(frozen=True)
class Subject:
    """What is simulated of one network: loads, temperatures and sizes at each of its lines."""

    degree: int
    indices: Any
    spinodal: tuple[float, float, float]  # load, T below and T above the line
    spinodal_sizes: tuple[int, ...]
    crossing: float  # T_c of the integration and of the ladder; its load is that of the line
    crossing_sizes: tuple[int, ...]
    ladder: tuple[float, ...]  # the first is read below T_c, the last above it
    ladder_sizes: tuple[int, ...]
    glass: tuple[float, float, float]  # load and two T above the line
    glass_sizes: tuple[int, ...]
    glass_times: int = 1
    frozen: tuple[float, ...] = ()  # a ladder whose first T is read below the glass line
    frozen_sizes: tuple[int, ...] = ()

    @property
    def law(self) -> Law:
        """The law, whatever the size."""
        return hs.dense(neurons=64, degree=self.degree, indices=self.indices, patterns=1).law

    @property
    def crossing_load(self) -> float:
        """The load of T_c."""
        return float(hs.theory.line(self.law, line="coexistence", temperatures=[self.crossing])[0].load or 0.0)

    def case(self, line: str, load: float, temperatures: Iterable[float], sizes: tuple[int, ...], **more: Any) -> Case:
        """A case of this network."""
        name = f"p{self.degree}-{self.indices}-{line}"
        return Case(name, self.degree, self.indices, load, tuple(map(float, temperatures)), sizes, **more)

    def cases(self) -> dict[str, Case]:
        """What to run, by what it is for."""
        load, cold, hot = self.spinodal
        long, slow = (LONG, SLOW) if self.degree == 2 else ({}, {})
        found = {
            "below": self.case("below", load, [cold], self.spinodal_sizes, **FROM_PATTERN | long),
            "above": self.case("above", load, [hot], self.spinodal_sizes, **FROM_BOTH | long),
        }
        cross = self.crossing_load
        if self.degree > 2:
            hot = self.crossing
            nodes = [COLD, *retrieval_nodes(hot)[0]]
            found["retrieval"] = self.case("retrieval", cross, nodes, self.crossing_sizes, **FROM_PATTERN)
            warm = 1 / other_nodes(hot)[0]
            found["other"] = self.case("other", cross, warm, self.crossing_sizes, **FROM_RANDOM)
        found["ladder"] = self.case("ladder", cross, self.ladder, self.ladder_sizes, **LADDERS | slow)
        load, *above = self.glass
        found["glass"] = self.case("glass", load, above, self.glass_sizes, times=self.glass_times, **REPLICAS | long)
        if self.frozen:
            found["frozen"] = self.case("frozen", load, self.frozen, self.frozen_sizes, **LADDERS)
        return found


FROM_PATTERN = {"pattern": 1, "random": 0, "equilibrate": 60, "measure": 120, "every": 4}
FROM_RANDOM = {"pattern": 0, "random": 1, "equilibrate": 60, "measure": 120, "every": 4}
FROM_BOTH = {"pattern": 1, "random": 1, "equilibrate": 100, "measure": 200, "every": 5, "times": 2}
REPLICAS = {"pattern": 3, "random": 3, "equilibrate": 60, "measure": 200, "every": 5}
LADDERS = {"pattern": 1, "random": 1, "equilibrate": 120, "measure": 150, "every": 2, "tempered": True}
SLOW = {"equilibrate": 480, "measure": 240}  # degree 2, whose patterns are exchanged slowly
LONG = {"equilibrate": 1000, "measure": 2000, "every": 10}  # degree 2, whose chains are cheap

SUBJECTS = (
    Subject(
        2, "distinct", (0.05, 0.4, 0.9), (256, 512, 1024, 2048),
        0.5, (), (0.4, 0.44, 0.48, 0.52, 0.56, 0.62, 0.68, 0.76, 0.85), (128, 256, 512),
        (1.0, 3.0, 2.5), (64, 128, 256, 512), 1, (1.5, 1.7, 1.9, 2.2, 2.6), (64, 96, 144, 216),
    ),
    Subject(
        3, "distinct", (0.07, 0.35, 0.8), (128, 192, 256, 384),
        0.46, (288, 352, 424), (0.38, 0.42, 0.46, 0.5, 0.54, 0.6), (64, 96, 128),
        (1.0, 1.5, 1.25), (48, 64, 96, 128),
    ),
    Subject(
        3, "all", (0.04, 0.3, 0.8), (128, 192, 256, 384),
        0.43, (288, 352, 424), (0.35, 0.39, 0.43, 0.48, 0.54, 0.6), (64, 96, 128),
        (1.0, 2.0, 1.2), (48, 64, 96, 128), 1, (0.6, 0.68, 0.77, 0.88, 1.0, 1.2), (40, 48, 64, 80),
    ),
    Subject(
        4, "distinct", (0.012, 0.25, 0.8), (64, 80, 104, 128),
        0.35, (136, 160, 184), (0.26, 0.29, 0.33, 0.38, 0.44, 0.5), (48, 64, 80),
        (0.1, 1.2, 0.9), (40, 48, 60, 76),
    ),
    Subject(
        4, "all", (0.005, 0.25, 0.8), (64, 80, 104, 144),
        0.34, (144, 176, 208), (0.26, 0.29, 0.33, 0.38, 0.44, 0.5), (48, 64, 80),
        (0.2, 2.0, 1.7), (24, 32, 40, 52), 2,
    ),
)  # fmt: skip
