"""What is read off states: pure functions of spins, overlaps and quenched disorder; leading axes (time) are kept."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .errors import Refused
from .interactions import Quadratic
from .networks import Quenched
from .patterns import Examples
from .states import State

Series = NDArray[np.float64]


def overlap(states: State, pattern: int) -> Series:
    """m_μ = M_μ/N with one pattern."""
    return np.asarray(states.overlaps[..., pattern] / states.spins.shape[-1])


def best_overlap(states: State) -> Series:
    """The largest |M_μ|/N over all patterns."""
    return np.asarray(np.abs(states.overlaps).max(axis=-1) / states.spins.shape[-1])


def retrieved(states: State, pattern: int, least: float) -> NDArray[np.bool_]:
    """Whether the pattern is the one with the largest |M_μ| and has M_μ >= least."""
    own = states.overlaps[..., pattern]
    return np.asarray((own >= least) & (own == np.abs(states.overlaps).max(axis=-1)))


def energy_density(states: State, quenched: Quenched) -> Series:
    """E/N, zero at T = ∞ (see the interaction)."""
    return quenched.energy_density(states.overlaps)


def on_patterns(states: State, quenched: Quenched) -> State:
    """The states with their overlaps with the patterns, where those are archetypes of what the energy is made of."""
    return State(states.spins, quenched.pattern_overlaps(states.spins, states.overlaps))


def example_overlap(states: State, quenched: Quenched, pattern: int) -> Series:
    """n_μ = (1/N) Σ_i η̄_i^μ σ_i: the mean of the overlaps with the M examples of one archetype.

    In unsupervised learning states.overlaps[..., μ M + a] is that with one example.
    """
    ensemble, (neurons, patterns) = quenched.network.law.ensemble, quenched.patterns.shape
    if not isinstance(ensemble, Examples):
        raise Refused(f"overlaps with examples need a network that learns from Examples, got {ensemble}; use overlap")
    own = states.overlaps.reshape(*states.overlaps.shape[:-1], patterns, -1)[..., pattern, :]
    return np.asarray(own.sum(axis=-1) / (ensemble.examples * neurons))


def cost(states: State, quenched: Quenched) -> Series:
    """H/N = -(s/2) Σ_μ m_μ² of F = m²/2: the energy density with the self-couplings that E leaves out.

    The sum runs over what the energy is made of: patterns (s = 1), examples (s = 1/(RM)) or averages of them (s = 1/R).
    """
    levels, neurons = quenched.levels, quenched.network.neurons
    if levels is None or quenched.network.law.interaction != Quadratic():
        raise Refused(f"cost and losses need F = m²/2, got {quenched.network.law.interaction}; use energy_density")
    own = (quenched.learned.astype(np.int64) ** 2).sum()
    return np.asarray(energy_density(states, quenched) - levels.unit * own / (4 * neurons))


def losses(states: State, quenched: Quenched) -> tuple[Series, Series]:
    """L±_μ = |ξ^μ ± σ|²/2N = (n_μ/N + 1)/2 ± m_μ, n_μ = |ξ^μ|²: two float64[..., K], ξ what the energy is made of.

    With s of `cost`, -H/N = (s/2) Σ_μ [((1 + n_μ/N)/2)² - L+_μ L-_μ]: to lower the cost is to lower the squared-error
    losses of all patterns in parallel (Agliari, Alessandrelli, Barra & Ricci-Tersenghi 2023).
    """
    ensemble, neurons = quenched.network.law.ensemble, quenched.network.neurons
    copies = ensemble.examples if isinstance(ensemble, Examples) and ensemble.supervised else 1  # sums for averages
    size = (quenched.learned.astype(np.int64) ** 2).sum(axis=0) / (copies**2 * neurons)
    m = states.overlaps / (copies * neurons)
    return (size + 1) / 2 + m, (size + 1) / 2 - m


def similarity(first: State, second: State) -> Series:
    """Edwards-Anderson overlap q = (1/N) Σ_i σ_i¹ σ_i² of two replicas of the same disorder."""
    product = np.einsum("...i,...i->...", first.spins, second.spins, dtype=np.int64)
    return np.asarray(product / first.spins.shape[-1])


def similarities(replicas: Sequence[State]) -> Series:
    """q of every two of R traces with T states: float64[R(R-1)/2, T], in the order (0, 1), (0, 2), ..., (1, 2), ...

    Exact: sums of ±1 in float32 below 2^24 terms.
    """
    if len(replicas) == 1:
        return np.empty((0, len(replicas[0].spins)))
    spins = np.array([states.spins for states in replicas], dtype=np.float32).swapaxes(0, 1)
    products = np.rint(spins @ spins.swapaxes(1, 2))
    first, second = np.triu_indices(len(replicas), 1)
    return np.asarray(products[:, first, second].T.astype(np.float64) / spins.shape[-1])


SIMILARITY_EDGES = np.linspace(-1.0, 1.0, 42)


def similarity_histogram(q: Series) -> NDArray[np.int64]:
    """Counts of q in 41 equal bins of [-1, 1], the middle one around q = 0: P(q) up to its normalisation."""
    return np.histogram(q, SIMILARITY_EDGES)[0].astype(np.int64)


def similarity_moments(q: Series) -> tuple[float, float, float, float]:
    """⟨q⟩, ⟨|q|⟩, ⟨q²⟩, ⟨q⁴⟩."""
    return float(q.mean()), float(np.abs(q).mean()), float((q**2).mean()), float((q**4).mean())
