"""One law at one load and several sizes: what the runs of scripts/verify_lines.py are made of."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lines_runs
import numpy as np
from sample_runs import Values

import hopsim as hs
from hopsim import rng
from hopsim.interactions import Polynomial
from hopsim.networks import Law, Quenched


@dataclass(frozen=True)
class Study(ABC):
    """A network at one load; `times` disorder samples, in units of what the command line asks for."""

    name: str
    degree: int
    indices: Any
    load: float
    temperatures: tuple[float, ...]
    neurons: tuple[int, ...]
    times: float = 1

    @property
    def law(self) -> Law:
        """The law, whatever the size."""
        return self.network(self.neurons[0]).law

    def network(self, neurons: int) -> hs.Network:
        """The network at one size."""
        return hs.dense(neurons=neurons, degree=self.degree, indices=self.indices, load=self.load)

    def compared(self, neurons: int) -> float:
        """The load of the theory that a size is held against."""
        return self.network(neurons).load

    def quench(self, neurons: int, sample: int, seed: int) -> Quenched:
        """One draw of the disorder."""
        network = self.network(neurons)
        return network.quench(rng.stream(seed, sample, rng.Purpose.DISORDER, neurons, network.patterns))

    def path(self, folder: Path, seed: int) -> Path:
        """Its result file."""
        return lines_runs.path(self.name, self, folder, seed)

    @abstractmethod
    def values(self, neurons: int, sample: int, seed: int) -> Values:
        """What one disorder sample gives."""


class Matched(Study):
    """K at size N is such that Var(E)/N is that of N → ∞ at the load.

    The ratio of K/N^(p-1) to the load has corrections of order 1/N, without which T_K would be 10 % off at N = 20.
    """

    def network(self, neurons: int) -> hs.Network:
        """The network at one size."""
        one = hs.dense(neurons=neurons, degree=self.degree, indices=self.indices, patterns=1)
        patterns = round(self.load * variance(self.degree, self.indices) / _variance_of_one(one))
        return hs.dense(neurons=neurons, degree=self.degree, indices=self.indices, patterns=patterns)

    def compared(self, neurons: int) -> float:
        """The load, whatever the size."""
        return self.load


def variance(degree: int, indices: str) -> float:
    """Var(E)/N at α = 1 and N → ∞: that of x^p/p with x normal, or of its leading Hermite polynomial alone."""
    if degree == 2:
        return 0.5
    if indices == "distinct":
        return math.factorial(degree - 1) / degree
    return (_moment(2 * degree) - _moment(degree) ** 2) / degree**2


def _moment(k: int) -> int:
    """E[x^k] of a normal x."""
    return 0 if k % 2 else math.prod(range(1, k, 2))


def _variance_of_one(network: hs.Network) -> float:
    """Var(E)/N of one pattern."""
    N, interaction = network.neurons, network.law.interaction
    assert isinstance(interaction, Polynomial)
    g = np.array(interaction.values(N), dtype=float)
    chance = np.array([math.comb(N, k) / 2**N for k in range(N + 1)])
    return float(interaction.unit(N) ** 2 * (chance @ g**2 - (chance @ g) ** 2) / N)
