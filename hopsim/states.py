"""States: spins σ = ±1 and the integer overlaps M = ξᵀσ that belong to them. The only mutable objects."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import Refused
from .networks import Quenched


@dataclass
class State:
    """spins int8[..., N] and overlaps int32[..., K]; a chain has no leading axis, a trace has time."""

    spins: NDArray[np.int8]
    overlaps: NDArray[np.int32]


def of_spins(quenched: Quenched, spins: NDArray[np.int8]) -> State:
    """The state with these spins."""
    if not (np.abs(spins) == 1).all() or spins.shape[-1:] != (quenched.network.neurons,):
        raise Refused(f"spins must be {quenched.network.neurons} entries of -1 or +1, got shape {spins.shape}")
    return State(np.array(spins, dtype=np.int8), quenched.overlaps(spins))


def cue(quenched: Quenched, pattern: int, overlap: float, rng: np.random.Generator) -> State:
    """A start with overlap M = overlap · n on the n non-blank sites of one pattern (nearest possible), blanks random.

    The sites that differ are a uniformly random choice; the realised value is state.overlaps[pattern].

    >>> quenched = hs.hopfield(neurons=100, patterns=1).quench(np.random.default_rng(1))
    >>> hs.states.cue(quenched, 0, 0.8, np.random.default_rng(2)).overlaps.tolist()
    [80]
    """
    return _near(quenched, quenched.patterns[:, pattern], overlap, rng)


def hierarchical(quenched: Quenched, overlap: float, rng: np.random.Generator) -> State:
    """A start near the hierarchical state of diluted patterns: every neuron follows its first pattern without a blank.

    With overlap = 1 and dilution d the overlaps are m_k = (1-d) d^(k-1), k = 1, ..., K, N → ∞ (Agliari et al. 2012);
    else the nearest possible fraction (1-overlap)/2 of the neurons that have an entry, a random choice, is turned.
    Neurons that are blank in all patterns are random.
    """
    first = (quenched.patterns != 0).argmax(axis=1)
    return _near(quenched, np.take_along_axis(quenched.patterns, first[:, None], axis=1)[:, 0], overlap, rng)


def _near(quenched: Quenched, entries: NDArray[np.int8], overlap: float, rng: np.random.Generator) -> State:
    """Spins that agree with non-blank entries but for a random choice of them; random where they are blank."""
    if not -1 <= overlap <= 1:
        raise Refused(f"a cue needs an overlap between -1 and 1, got {overlap!r}")
    sites = np.flatnonzero(entries)
    spins = _random_spins(entries.size, rng)
    spins[sites] = entries[sites]
    differ = rng.permutation(sites)[: round((1 - overlap) / 2 * sites.size)]
    spins[differ] *= -1
    return of_spins(quenched, spins)


def cues(
    quenched: Quenched, patterns: Sequence[int] | NDArray[np.integer], overlap: float, rng: np.random.Generator
) -> NDArray[np.int8]:
    """Many starts at once, int8[R, N]: row k a cue on patterns[k] as `cue` draws them, from other random numbers."""
    entries = quenched.patterns.T[list(patterns)]
    sites = entries != 0
    sizes = sites.sum(axis=1)
    place = np.where(sites, rng.random(entries.shape, dtype=np.float32), np.float32(2)).argsort(axis=1).argsort(axis=1)
    differ = place < np.rint((1 - overlap) / 2 * sizes)[:, None]
    blanks = rng.integers(0, 2, entries.shape, dtype=np.int8) * np.int8(2) - np.int8(1)
    return np.where(sites, np.where(differ, -entries, entries), blanks).astype(np.int8)


def mixture(quenched: Quenched, patterns: Sequence[int], rng: np.random.Generator) -> State:
    """The majority sign of several patterns, site by site; ties random."""
    total = quenched.patterns[:, list(patterns)].sum(axis=1, dtype=np.int64)
    return of_spins(quenched, np.where(total == 0, _random_spins(total.size, rng), np.sign(total)).astype(np.int8))


def random(quenched: Quenched, rng: np.random.Generator) -> State:
    """Independent uniform spins: T = ∞."""
    return of_spins(quenched, _random_spins(quenched.network.neurons, rng))


def _random_spins(neurons: int, rng: np.random.Generator) -> NDArray[np.int8]:
    spins: NDArray[np.int8] = rng.integers(0, 2, neurons, dtype=np.int8) * np.int8(2) - np.int8(1)
    return spins
