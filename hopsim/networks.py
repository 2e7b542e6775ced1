"""Networks: a law (interaction and ensemble), its realisation at finite size, and one draw of its disorder."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import representations
from .errors import Refused, real, whole
from .interactions import (
    Exponential,
    Exponentiated,
    Indices,
    Interaction,
    LogSumExp,
    Polynomial,
    Power,
    Quadratic,
    Rectified,
    check_indices,
)
from .levels import Levels, of_patterns, table_bytes
from .patterns import Diluted, Ensemble, Examples, Learned, Rademacher, Stored

OVERLAP_BLOCK = 2**14  # patterns at a time when overlaps are computed, so that the real-valued copy stays small
MOST = 2**31 - 1  # neurons and patterns: overlaps and row numbers are 32-bit


@dataclass(frozen=True)
class Law:
    """What a network is in the thermodynamic limit: interaction F and ensemble of the patterns ξ."""

    interaction: Interaction
    ensemble: Ensemble


@dataclass(frozen=True)
class Network:
    """A law with N neurons and K patterns: E(σ) = -N Σ_μ F(M_μ/N), M_μ = Σ_i ξ_i^μ σ_i."""

    law: Law
    neurons: int
    patterns: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", whole("neurons", self.neurons, 2, MOST))
        object.__setattr__(self, "patterns", whole("patterns", self.patterns, 1, MOST))
        _check_scale(self.law.interaction, self.neurons)
        ensemble = self.law.ensemble
        if isinstance(ensemble, Stored):
            entries, stored = ensemble.array.shape
            if self.neurons != entries:
                raise Refused(f"the stored patterns have {entries} entries each, got neurons = {self.neurons}")
            if self.patterns > stored:
                raise Refused(f"{stored} patterns are stored in the array given, got patterns = {self.patterns}")
        if isinstance(ensemble, Examples):
            check_learning(self.law.interaction, ensemble)
            most = max(self.neurons, self.patterns) * ensemble.examples
            if most > MOST:  # columns are counted, and overlaps of sums held, in 32 bits
                raise Refused(f"neurons and patterns times examples must be at most {MOST}, got {most}; lower examples")

    @property
    def load(self) -> float:
        """The realised load α: K/N^(p-1), or ln K / N for exponential interactions."""
        return self.law.interaction.load(self.neurons, self.patterns)

    @property
    def memory(self) -> int:
        """Bytes that one disorder sample and one chain of it take, roughly, without the trace."""
        columns = self.columns
        entries, blocks = self.neurons * columns, 4 * self.neurons * min(columns, OVERLAP_BLOCK)
        interaction, ensemble = self.law.interaction, self.law.ensemble
        couplings = representations.coupling_bytes(interaction, self.neurons, columns)
        blanks = isinstance(ensemble, Stored) or getattr(ensemble, "dilution", 0) > 0
        tables = 0
        if blanks and isinstance(interaction, Polynomial):
            tables = table_bytes(interaction, self.neurons, columns)
        return 2 * entries + 64 * columns + blocks + couplings + tables

    @property
    def columns(self) -> int:
        """How many patterns the energy is made of: K, or K M examples."""
        ensemble = self.law.ensemble
        return ensemble.columns(self.patterns) if isinstance(ensemble, Examples) else self.patterns

    def quench(self, rng: np.random.Generator) -> "Quenched":
        """Draw the disorder."""
        ensemble = self.law.ensemble
        patterns = ensemble.draw(self.neurons, self.patterns, rng)
        return Quenched(self, patterns, ensemble.learn(patterns, rng) if isinstance(ensemble, Examples) else None)


class Quenched:
    """One draw of the disorder: patterns int8[N, K] and what follows from them, shared by replicas and temperatures.

    `learned` is what the energy is made of: the patterns, or where they are archetypes their examples, int8[N, K M], or
    the sums of those, int16[N, K].
    """

    def __init__(self, network: Network, patterns: NDArray[np.int8], learned: Learned | None = None) -> None:
        if patterns.shape != (network.neurons, network.patterns):
            raise Refused(f"patterns must have shape {(network.neurons, network.patterns)}, got {patterns.shape}")
        self.network = network
        self.patterns = np.ascontiguousarray(patterns, dtype=np.int8)
        self.learned = self.patterns if learned is None else learned
        if self.learned.shape != (network.neurons, network.columns):
            shape = (network.neurons, network.columns)
            raise Refused(f"a network that learns from examples needs them, shape {shape}, got {self.learned.shape}")
        self.patterns.flags.writeable = self.learned.flags.writeable = False

    @cached_property
    def levels(self) -> Levels | None:
        """Integer energy levels; None for exponential interactions."""
        interaction, ensemble = self.network.law.interaction, self.network.law.ensemble
        if not isinstance(interaction, Polynomial):
            return None
        scale = ensemble.scale(interaction.degree) if isinstance(ensemble, Examples) else 1.0
        return of_patterns(interaction, self.learned, scale)

    @cached_property
    def representation(self) -> representations.Representation:
        """The layout that the kernels move on."""
        return representations.chosen(self.network.law.interaction, self.levels, self.learned)

    def overlaps(self, spins: NDArray[np.int8]) -> NDArray[np.int32]:
        """M_μ = Σ_i ξ_i^μ σ_i with what the energy is made of, for spins [..., N]: int32[..., K], exact."""
        return _overlaps(spins, self.learned)

    def pattern_overlaps(self, spins: NDArray[np.int8], overlaps: NDArray[np.int32]) -> NDArray[np.int32]:
        """Those with the patterns, int32[..., K]: the overlaps themselves unless the patterns are archetypes."""
        return overlaps if self.learned is self.patterns else _overlaps(spins, self.patterns)

    def energy_density(self, overlaps: NDArray[np.int32]) -> NDArray[np.float64]:
        """E/N on the zero of energy of its interaction, for overlaps [..., K]."""
        if self.levels is not None:
            return self.levels.energy_density(overlaps)
        interaction = self.network.law.interaction
        assert isinstance(interaction, Exponentiated)
        top = overlaps.max(axis=-1)
        weights = np.exp(interaction.sharpness * (overlaps - top[..., None]))
        return np.asarray(-(top + np.log(weights.sum(axis=-1)) / interaction.sharpness) / self.network.neurons)


def hopfield(
    *, neurons: int, load: float | None = None, patterns: int | None = None, ensemble: Ensemble | None = None
) -> Network:
    """The classical Hopfield network, F = m²/2, α = K/N.

    >>> hs.hopfield(neurons=1000, load=0.05).patterns
    50
    """
    return _network(Quadratic(), ensemble, neurons, load, patterns)


def dense(
    *,
    neurons: int,
    degree: int,
    indices: Indices,
    load: float | None = None,
    patterns: int | None = None,
    ensemble: Ensemble | None = None,
) -> Network:
    """Dense associative memory, F = m^p/p, α = K/N^(p-1); degree 2 is the classical network in both conventions.

    >>> hs.dense(neurons=100, degree=3, indices="distinct", load=0.02).patterns
    200
    """
    check_indices(indices)
    interaction = Quadratic() if degree == 2 else Power(degree, indices)
    return _network(interaction, ensemble, neurons, load, patterns)


def rectified(
    *,
    neurons: int,
    degree: int,
    load: float | None = None,
    patterns: int | None = None,
    ensemble: Ensemble | None = None,
) -> Network:
    """Dense associative memory with F = [m]₊^p/p, α = K/N^(p-1)."""
    return _network(Rectified(degree), ensemble, neurons, load, patterns)


def exponential(
    *, neurons: int, load: float | None = None, patterns: int | None = None, ensemble: Ensemble | None = None
) -> Network:
    """E = -Σ_μ exp(M_μ), α = ln K / N; sign updates only.

    K = exp(αN):

    >>> hs.exponential(neurons=50, load=0.2).patterns == round(np.exp(10))
    True
    """
    return _network(Exponential(), ensemble, neurons, load, patterns)


def log_sum_exp(
    *,
    neurons: int,
    sharpness: float,
    load: float | None = None,
    patterns: int | None = None,
    ensemble: Ensemble | None = None,
) -> Network:
    """E = -(1/λ) ln Σ_μ exp(λ M_μ), α = ln K / N; any temperature.

    A single pattern is -M whatever the sharpness:

    >>> quenched = hs.log_sum_exp(neurons=100, sharpness=0.3, patterns=1).quench(np.random.default_rng(1))
    >>> quenched.energy_density(quenched.overlaps(quenched.patterns.T)).tolist()
    [-1.0]
    """
    return _network(LogSumExp(sharpness), ensemble, neurons, load, patterns)


def multitasking(
    *,
    neurons: int,
    dilution: float,
    load: float | None = None,
    patterns: int | None = None,
    ensemble: Examples | None = None,
) -> Network:
    """F = m²/2 on patterns with a fraction d of blank entries (Agliari et al. 2012); d = 0 is the classical network.

    Given an ensemble of examples, the patterns are its archetypes, of this dilution. A neuron that is blank in all
    patterns, or whose field vanishes, is free: sign updates leave it as it is, Glauber turns it half of the time,
    Metropolis at every offer. Patterns with blanks of other networks: `ensemble=Diluted(d)`.

    >>> network = hs.multitasking(neurons=100_000, dilution=0.3, patterns=3)
    >>> blank = network.quench(np.random.default_rng(1)).patterns == 0
    >>> round(float(blank.mean()), 2)
    0.3
    """
    diluted = Diluted(dilution) if ensemble is None else replace(ensemble, dilution=dilution)
    return _network(Quadratic(), diluted, neurons, load, patterns)


def _overlaps(spins: NDArray[np.int8], patterns: Learned) -> NDArray[np.int32]:
    real: type[np.floating[Any]] = np.float32 if patterns.dtype == np.int8 else np.float64
    spins_as_real: NDArray[Any] = spins.astype(real)
    overlaps = np.empty((*spins.shape[:-1], patterns.shape[1]), dtype=np.int32)
    for first in range(0, patterns.shape[1], OVERLAP_BLOCK):
        block = patterns[:, first : first + OVERLAP_BLOCK].astype(real)
        overlaps[..., first : first + OVERLAP_BLOCK] = np.rint(spins_as_real @ block)
    return overlaps


def _network(
    interaction: Interaction, ensemble: Ensemble | None, neurons: int, load: float | None, patterns: int | None
) -> Network:
    if (load is None) == (patterns is None):
        raise Refused("a network needs either load or patterns, got " + ("neither" if load is None else "both"))
    neurons = whole("neurons", neurons, 2, MOST)
    _check_scale(interaction, neurons)
    if load is not None:
        patterns = _patterns_at(interaction, neurons, load)
    assert patterns is not None
    return Network(Law(interaction, ensemble or Rademacher()), neurons, patterns)


def check_learning(interaction: Interaction, ensemble: Examples) -> None:
    """Refuse what has no energy in the overlaps with (averaged) examples."""
    if not isinstance(interaction, Quadratic | Power):
        raise Refused(f"learning from examples needs F = m²/2 or m^p/p, got {interaction}; use hopfield or dense")
    if ensemble.supervised and isinstance(interaction, Power) and interaction.indices == "distinct":
        raise Refused(
            f'supervised learning with degree {interaction.degree} needs indices = "all": averaged examples are not '
            '±1, their sum over distinct indices is no function of the overlap; or use learning = "unsupervised"'
        )


def _check_scale(interaction: Interaction, neurons: int) -> None:
    """Refuse sizes at which N^(p-1) is not a float any more."""
    if isinstance(interaction, Polynomial) and (interaction.degree - 1) * math.log10(neurons) > 300:
        raise Refused(f"degree {interaction.degree} at neurons = {neurons} leaves the floats; lower one of them")


def _patterns_at(interaction: Interaction, neurons: int, load: float) -> int:
    if not 0 < real("load", load) <= 1e6:
        raise Refused(f"load must be a number > 0 and at most 1e6, got {load!r}")
    patterns = interaction.patterns(neurons, load)
    if patterns > MOST:
        raise Refused(f"load {load!r} gives more than {MOST} patterns at N = {neurons}; lower it")
    if patterns < 1:
        least = interaction.load(neurons, 1)
        raise Refused(f"load {load!r} gives no pattern at N = {neurons}; one pattern is load {least:.3g}")
    return patterns
