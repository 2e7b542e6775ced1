"""Ensembles of stored patterns: int8[N, K] arrays with entries -1, 0, +1, site by site; and noisy examples of them."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .errors import Refused, real, whole

Patterns = NDArray[np.int8]
Learned = NDArray[Any]  # int8 patterns or examples, or int16 sums of them
Learning = Literal["supervised", "unsupervised"]
MOST_EXAMPLES = 2**15 - 1  # their sums are 16-bit
REALS = 2**16  # random numbers at a time


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
        for block in _blocks(signs, patterns) if self.dilution > 0 else ():
            block *= rng.random(block.shape) >= self.dilution
        return signs


@dataclass(frozen=True)
class Stored:
    """The user's own patterns, an array [N, K_all] of -1, 0, +1; equal when their contents are.

    A network with K < K_all patterns stores K of them, another random choice in each disorder sample.

    >>> letters = hs.Stored(np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]))
    >>> hs.hopfield(neurons=4, patterns=2, ensemble=letters).quench(np.random.default_rng(1)).patterns.shape
    (4, 2)
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


@dataclass(frozen=True)
class Examples:
    """Archetypes ξ seen only through M noisy examples each (Agliari, Alessandrelli, Barra & Ricci-Tersenghi 2023).

    The examples are η^a_i = ξ_i χ^a_i, a = 1, ..., M, with P(χ = ±1) = (1 ± quality)/2; archetypes are those of
    Diluted(dilution). With R = (1 + ρ) r², r the quality and ρ the dataset entropy, the energy is

        supervised      E = -N R^(-p/2) Σ_μ F(n_μ),               n_μ = (1/N) Σ_i η̄^μ_i σ_i,  η̄ = (1/M) Σ_a η^a
        unsupervised    E = -N R^(-p/2) (1/M) Σ_μ Σ_a F(n_μ,a),   n_μ,a = (1/N) Σ_i η^{μ,a}_i σ_i

    for F = m^p/p. r = 1 stores the archetypes themselves. That paper has R = (1-d)(1+ρ) r², so T there is T/(1-d).
    One disorder sample has the same archetypes at every quality and M, and the same examples in both ways of learning.
    """

    quality: float
    examples: int
    learning: Learning
    dilution: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "quality", real("quality", self.quality))
        object.__setattr__(self, "examples", whole("examples", self.examples, 1, MOST_EXAMPLES))
        object.__setattr__(self, "dilution", Diluted(self.dilution).dilution)
        if not 0 < self.quality <= 1:
            raise Refused(
                f"Examples needs 0 < quality <= 1, got {self.quality!r}; at 0 nothing is left of the archetype"
            )
        if self.learning not in ("supervised", "unsupervised"):
            raise Refused(f'learning must be "supervised" or "unsupervised", got {self.learning!r}')

    @property
    def supervised(self) -> bool:
        """Whether the network is told which examples belong together, and stores their averages."""
        return self.learning == "supervised"

    @property
    def entropy(self) -> float:
        """Dataset entropy ρ = (1-r²)/(M r²), the variance of η̄/r around ξ; 0 where examples are archetypes."""
        return (1 - self.quality**2) / (self.examples * self.quality**2)

    def columns(self, patterns: int) -> int:
        """How many columns `learn` gives for so many archetypes."""
        return patterns if self.supervised else patterns * self.examples

    def scale(self, degree: int) -> float:
        """The factor of Σ F over the columns of `learn`: R^(-p/2), over M^p (sums for averages) or over M."""
        strength = (1 + self.entropy) * self.quality**2
        return float(strength ** (-degree / 2) / float(self.examples) ** (degree if self.supervised else 1))

    def draw(self, neurons: int, patterns: int, rng: np.random.Generator) -> Patterns:
        """int8[N, K]: the archetypes."""
        return Diluted(self.dilution).draw(neurons, patterns, rng)

    def learn(self, archetypes: Patterns, rng: np.random.Generator) -> Learned:
        """What the energy is made of, site by site: int16[N, K] of Σ_a η^a, or int8[N, K M] of examples μ M + a."""
        neurons, patterns = archetypes.shape
        learned = np.empty((neurons, self.columns(patterns)), dtype=np.int16 if self.supervised else np.int8)
        reals = patterns * self.examples
        for entries, block in zip(_blocks(archetypes, reals), _blocks(learned, reals), strict=True):
            kept = rng.random((*entries.shape, self.examples)) < (1 + self.quality) / 2
            if self.supervised:
                block[:] = entries * (2 * kept.sum(axis=2) - self.examples)
            else:
                block[:] = np.where(kept, entries[..., None], -entries[..., None]).reshape(block.shape)
        return learned


Ensemble = Rademacher | Biased | Diluted | Stored | Examples
CATALOGUE = (Rademacher, Biased, Diluted, Stored, Examples)


def _blocks(array: Learned, reals: int) -> list[Learned]:
    """Views of some sites each, `reals` real numbers a site, so that these take little memory at a time."""
    sites = max(1, REALS // reals)
    return [array[first : first + sites] for first in range(0, len(array), sites)]


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
