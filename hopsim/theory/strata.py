"""Overlaps with equal ones among them, and zeros: where f of K diluted patterns has fewer variables.

n_1 patterns share the overlap x_1, n_2 others x_2, ..., and the rest have none. f keeps such overlaps: its slope there
points along them. With the sums η_k of the entries of each group, y_k = √n_k x_k and forms η_k/√n_k in place of ξ,

    f(y) = ½ Σ_k y_k² - T E ln 2cosh(Σ_k η_k y_k/(√n_k T)),

that of landscape.py with other weights. Blank or not, patterns without an overlap make no difference.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from .gaussian import Array
from .landscape import Landscape


@dataclass(frozen=True)
class Stratum(Landscape):
    """f and its derivatives for y[..., r], r = `patterns` the number of groups and `sizes` their sizes."""

    sizes: tuple[int, ...] = ()

    @cached_property
    def sums(self) -> NDArray[np.int64]:
        """The values of η but 0, one of each pair ±η, int64[n, r]; those without weight are left out."""
        return self._counted[0]

    @cached_property
    def forms(self) -> Array:
        """η_k/√n_k."""
        return np.asarray(self.sums / np.sqrt(self.sizes))

    @cached_property
    def weights(self) -> Array:
        """The probabilities of the pairs ±η."""
        return self._counted[1]

    def overlaps(self, y: Array, patterns: int) -> Array:
        """The overlaps m[..., patterns] of y[..., r], m_1 ≥ m_2 ≥ ... ≥ 0."""
        shared = np.repeat(y / np.sqrt(self.sizes), self.sizes, axis=-1)
        rest = np.zeros((*y.shape[:-1], patterns - sum(self.sizes)))
        return np.asarray(-np.sort(-np.abs(np.concatenate([shared, rest], axis=-1)), axis=-1))

    @cached_property
    def _counted(self) -> tuple[NDArray[np.int64], Array]:
        share = (1 - self.dilution) / 2
        laws = [np.ones(1) for _ in self.sizes]
        for k, size in enumerate(self.sizes):
            for _ in range(size):
                laws[k] = np.convolve(laws[k], (share, self.dilution, share))
        values = np.indices([2 * size + 1 for size in self.sizes]).reshape(self.patterns, -1).T - self.sizes
        values = values[len(values) // 2 + 1 :]
        weights = 2 * prod(law[values[:, k] + size] for k, (law, size) in enumerate(zip(laws, self.sizes, strict=True)))
        return values[weights > 0], weights[weights > 0]


def stratum(sizes: tuple[int, ...], dilution: float, temperature: float) -> Stratum:
    """The stratum of groups of some sizes."""
    return Stratum(len(sizes), dilution, temperature, sizes)


def compositions(total: int) -> Iterator[tuple[int, ...]]:
    """Every way to write a number as an ordered sum: the sizes of groups of overlaps that fall."""
    if total == 0:
        yield ()
    for first in range(1, total + 1):
        for rest in compositions(total - first):
            yield (first, *rest)


def partitions(total: int, largest: int | None = None) -> Iterator[tuple[int, ...]]:
    """Every way to write a number as a falling sum: the sizes of groups whatever their order."""
    if total == 0:
        yield ()
    for first in range(min(total, largest or total), 0, -1):
        for rest in partitions(total - first, first):
            yield (first, *rest)
