"""Multitasking networks at low load: every state of K diluted patterns, K finite and N → ∞ (Agliari et al. 2012).

    m_μ = E[ξ_μ tanh(ξ·m/T)],     f of landscape.py

E is the exact average over the 3^K entries of a neuron. At T = 0, where sign(0) = 0, neurons follow the strongest
pattern that is not blank at them as long as 1 - 2d + d^K > 0: the hierarchical state m_k = (1-d) d^(k-1). d = 0 is the
classical network; at T ≥ 1-d all overlaps vanish. States are stable where the Hessian of f is positive. Just below
T = 1-d that is the pure state for d < 2/3 and the state with all K overlaps equal for d > 2/3: f gains there
(1-3(1-d)) Σ m_μ⁴ over what Σ m_μ² decides.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import Refused, real, whole
from . import balance, minima, zero_temperature
from .fixed_point import root
from .gaussian import Array
from .landscape import Landscape
from .solution import checked_temperature

MOST = 8  # patterns: the average has 3^K terms
SAME = 1e-7  # overlaps closer than this, in units of the largest, are equal
COLDEST = 1e-3  # in units of 1-d: below, neurons that hardly feel a field make the equations stiff


@dataclass(frozen=True)
class State:
    """A solution: overlaps m_1 ≥ ... ≥ m_K ≥ 0 (others by permutation and signs), f per neuron, and what it is.

    kind: "paramagnet", "pure" (one overlap), "symmetric" (n > 1 equal overlaps), "hierarchical" (each overlap outweighs
    the sum of all smaller ones), "parallel" (no overlap outweighs the sum of the others), or "mixed" (the rest).
    index is the number of descending directions of f (None at T = 0, unless it is 0), stable is index = 0; dominant is
    the global minimum of f.
    """

    overlaps: tuple[float, ...]
    free_energy: float
    index: int | None
    kind: str
    dominant: bool = False

    @property
    def stable(self) -> bool:
        """Whether f has a minimum here."""
        return self.index == 0

    @property
    def retrieved(self) -> int:
        """The number of patterns with an overlap."""
        return sum(m > 0 for m in self.overlaps)


def low_load(*, patterns: int, dilution: float, temperature: float) -> list[State]:
    """Every solution at K = `patterns` <= 8, dilution d and T, up to permutations and signs, by increasing f.

    T = 0: all solutions, by branch and bound (zero_temperature.py), those in which neurons without a field are
    undecided, sign(0) = 0, among them; unstable limits T → 0 in which such neurons lean to one side are left out. A
    state is stable iff only neurons with all patterns blank have no field: f has a descending kink at any other. K <= 6
    takes a second, K = 7 seconds to minutes. At K = 8 they are 16026 at d = 0.7, and millions at d = 0.6.

    T > 0: Newton's method, from starts in all subspaces of equal and of vanishing overlaps, until it adds nothing and
    the indices balance in each as Morse's theorem asks (balance.py): a check that a list of states passes if it is
    complete, but not a proof. It takes seconds to minutes.

    Raises NotConverged where states are too many for either, and at a bifurcation, where they merge and have no index.

    >>> lowest = hs.theory.low_load(patterns=3, dilution=0.3, temperature=0.0)[0]  # (1-d) d^(k-1)
    >>> np.round(lowest.overlaps, 3).tolist()
    [0.7, 0.21, 0.063]
    """
    K, d = checked_patterns(patterns), checked_dilution(dilution)
    T = checked_temperature(temperature)
    if 0 < T < COLDEST * (1 - d):
        raise Refused(f"temperature must be 0 or at least {COLDEST * (1 - d):.3g} at dilution {d:g}, got {T!r}")
    surface = Landscape(K, d, T)
    if T == 0:
        return described(surface, zero_temperature.solutions(K, d))
    return described(surface, balance.solutions(surface) if 1 - d > T else np.zeros((1, K)))


def stable_states(*, patterns: int, dilution: float, temperature: float) -> list[State]:
    """The stable solutions at K <= 8, dilution d and T, up to permutations and signs, by increasing f: a search.

    It takes seconds at any T >= 0, also where low_load has too many states to list. At T = 0 the list is complete where
    branch and bound ends in a few seconds: for K <= 6, at d = 0.5, 0.6 and 0.7 for K = 7, at d = 0.7 and 0.8 for K = 8.
    Elsewhere it is a part, in which the search went down from the lowest it knew (minima.py). At T > 0 it finds
    the minima of low_load wherever the tests compare them.
    """
    surface = Landscape(checked_patterns(patterns), checked_dilution(dilution), checked_temperature(temperature))
    warm = surface.temperature >= 1 - surface.dilution
    return described(surface, np.zeros((1, surface.patterns)) if warm else minima.minima(surface))


def hierarchical_overlaps(*, patterns: int, dilution: float) -> tuple[float, ...]:
    """m_k = (1-d) d^(k-1), k = 1, ..., K: the hierarchical solution at T = 0, for d below `critical_dilution`."""
    d = checked_dilution(dilution)
    return tuple((1 - d) * d**k for k in range(checked_patterns(patterns)))


def critical_dilution(patterns: int) -> float:
    """d_c(K), where the hierarchical state of T = 0 ends: 1 - 2d + d^K = 0, d < 1. K = 2: 1; K → ∞: 1/2.

    >>> round(hs.theory.critical_dilution(3), 3)  # (√5 - 1)/2
    0.618
    """
    K = whole("patterns", patterns, 2)
    if K == 2:
        return 1.0
    return root(lambda d: 2 * d - 1 - d**K, 0.5, 1 - 1 / K)


def checked_patterns(patterns: int) -> int:
    """The number of patterns; refused unless the average over their entries can be summed."""
    return whole("patterns at low load", patterns, 1, MOST)


def checked_dilution(dilution: float) -> float:
    """The dilution as a float; refused unless 0 <= d < 1."""
    value = real("dilution", dilution)
    if not 0 <= value < 1:
        raise Refused(f"dilution must be from 0 to below 1, got {dilution!r}")
    return value


def described(surface: Landscape, states: Array) -> list[State]:
    """States by increasing free energy, the first of them dominant."""
    energies = np.concatenate([surface.free_energy(part) for part in surface.parts(states)])
    indices: list[int | None]
    if surface.temperature > 0:
        indices = balance.indices(surface, states).tolist()
    else:
        indices = [0 if free == 0 else None for part in surface.parts(states) for free in surface.free_neurons(part)]
    order = np.argsort(energies, kind="stable")
    return [
        State(tuple(states[k].tolist()), float(energies[k]), indices[k], _kind(states[k]), bool(k == order[0]))
        for k in order
    ]


def _kind(state: Array) -> str:
    retrieved = state[state > 0]
    if len(retrieved) < 2:
        return "pure" if len(retrieved) else "paramagnet"
    if retrieved[0] - retrieved[-1] <= SAME * retrieved[0]:
        return "symmetric"
    lead = 2 * retrieved - np.cumsum(retrieved[::-1])[::-1]  # of each overlap over the sum of all smaller ones
    if (lead > 0).all():
        return "hierarchical"
    return "mixed" if lead[0] > 0 else "parallel"
