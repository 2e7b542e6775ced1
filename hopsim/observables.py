"""What is read off states: pure functions of spins, overlaps and quenched disorder; leading axes (time) are kept."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .networks import Quenched
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
