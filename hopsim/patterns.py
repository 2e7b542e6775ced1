"""Ensembles of stored patterns: int8[N, K] arrays with entries -1, 0, +1, site by site."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .errors import Refused, real

Patterns = NDArray[np.int8]


@dataclass(frozen=True)
class Rademacher:
    """Independent entries ±1 with probability 1/2 each: the classical ensemble."""

    def draw(self, neurons: int, patterns: int, rng: np.random.Generator) -> Patterns:
        """int8[N, K] of ±1."""
        return _signs(rng, (neurons, patterns))


@dataclass(frozen=True)
class Biased:
    """Independent entries ±1 with mean `bias`: P(ξ = ±1) = (1 ± bias)/2. bias = 0 is Rademacher in law."""

    bias: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "bias", real("bias", self.bias))
        if not -1 < self.bias < 1:
            raise Refused(f"Biased needs -1 < bias < 1, got {self.bias!r}")

    def draw(self, neurons: int, patterns: int, rng: np.random.Generator) -> Patterns:
        """int8[N, K] of ±1."""
        signs = np.empty((neurons, patterns), dtype=np.int8)
        for site in range(neurons):  # site by site, so that the real numbers take little memory
            signs[site] = np.where(rng.random(patterns) < (1 + self.bias) / 2, 1, -1)
        return signs


@dataclass(frozen=True)
class Diluted:
    """Independent entries 0 with probability d and ±1 with (1-d)/2 each (Agliari et al. 2012). d = 0 is Rademacher."""

    dilution: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "dilution", real("dilution", self.dilution))
        if not 0 <= self.dilution < 1:
            raise Refused(f"Diluted needs 0 <= dilution < 1, got {self.dilution!r}")

    def draw(self, neurons: int, patterns: int, rng: np.random.Generator) -> Patterns:
        """int8[N, K] of -1, 0, +1."""
        signs = _signs(rng, (neurons, patterns))
        for site in range(neurons if self.dilution > 0 else 0):
            signs[site] *= rng.random(patterns) >= self.dilution
        return signs


@dataclass(frozen=True)
class Stored:
    """The user's own patterns, an array [N, K_all] of -1, 0, +1; equal when their contents are.

    A network with K < K_all patterns stores K of them, another random choice in each disorder sample.
    """

    array: Patterns = field(repr=False, compare=False)
    sha256: str = field(default="", init=False)

    def __post_init__(self) -> None:
        array = _checked(np.asarray(self.array))
        array.flags.writeable = False
        object.__setattr__(self, "array", array)
        object.__setattr__(self, "sha256", _digest(array))

    def draw(self, neurons: int, patterns: int, rng: np.random.Generator) -> Patterns:
        """int8[N, K]: K of the stored patterns in random order."""
        if neurons != self.array.shape[0]:
            raise Refused(f"these stored patterns have {self.array.shape[0]} entries each, got neurons = {neurons}")
        if patterns > self.array.shape[1]:
            raise Refused(f"{patterns} patterns asked for, but only {self.array.shape[1]} are stored; store fewer")
        chosen = rng.permutation(self.array.shape[1])[:patterns]
        return np.ascontiguousarray(self.array[:, chosen])


Ensemble = Rademacher | Biased | Diluted | Stored
CATALOGUE = (Rademacher, Biased, Diluted, Stored)


def _signs(rng: np.random.Generator, shape: tuple[int, int]) -> Patterns:
    signs = rng.integers(0, 2, shape, dtype=np.int8)
    signs *= 2
    signs -= 1
    return signs


def _checked(array: NDArray[np.generic]) -> Patterns:
    if array.ndim != 2 or 0 in array.shape:
        raise Refused(f"stored patterns must be an array [neurons, patterns], got shape {array.shape}")
    if array.dtype.kind not in "iuf":
        raise Refused(f"stored patterns must be numbers -1, 0 or +1, got an array of dtype {array.dtype}")
    wrong = ~np.isin(array, (-1, 0, 1))
    if wrong.any():
        site, pattern = np.argwhere(wrong)[0]
        raise Refused(
            f"stored patterns must be -1, 0 or +1, got {array[site, pattern]} at neuron {site} of pattern {pattern} "
            f"({wrong.sum()} such entries); map them first, e.g. np.where(x > threshold, 1, -1)"
        )
    return np.array(array, dtype=np.int8, order="C")


def _digest(array: Patterns) -> str:
    return hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()
