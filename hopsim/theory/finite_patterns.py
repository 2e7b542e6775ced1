"""Multitasking networks at low load: every state of K diluted patterns, K finite and N → ∞ (Agliari et al. 2012).

    m_μ = E[ξ_μ tanh(ξ·m/T)],     f of landscape.py

E is the exact average over the 3^K entries of a neuron. At T = 0, where sign(0) = 0, neurons follow the strongest
pattern that is not blank at them as long as 1 - 2d + d^K > 0: the hierarchical state m_k = (1-d) d^(k-1). d = 0 is the
classical network; at T ≥ 1-d all overlaps vanish. States are stable where the Hessian of f is positive. Just below
T = 1-d that is the pure state for d < 2/3 and the state with all K overlaps equal for d > 2/3: f gains there
(1-3(1-d)) Σ m_μ⁴ over what Σ m_μ² decides.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..errors import Refused, real, whole
from . import landscape, minima
from .fixed_point import NotConverged, root
from .gaussian import Array
from .landscape import Landscape
from .solution import checked_temperature

MOST = 8  # patterns: the average has 3^K terms
COARSEST, FINEST = 2, 30  # levels of the lattice of starts
STARTS = 7000  # the most in one level, T > 0
FROZEN = 5  # patterns at T = 0: the lattice resolves the 516 orders of their subset sums, of 6 there are 124187
AT_ONCE = 2**21  # fields that Newton's method keeps
SAME = 1e-7  # overlaps closer than this, in units of the largest, are equal
ROUNDING = 1e-13  # of the eigenvalues of the Hessian
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

    T > 0: Newton's method runs from ever finer lattices of starts until a level adds nothing and the indices balance as
    Morse's theorem asks: Σ (-1)^index over all solutions, images included, is 1. Raises NotConverged if they do not:
    at a bifurcation, where states merge and have no index, and at low T for many patterns, whose states are hundreds.

    T = 0, K <= 5: all stable states, and the unstable ones in which neurons without a field are undecided, sign(0) = 0;
    unstable limits T → 0 in which such neurons lean to one side are left out. A state is stable iff only neurons with
    all patterns blank have no field: f has a descending kink at any other. T = 0, K > 5: what stable_states finds.
    """
    K, d = checked_patterns(patterns), checked_dilution(dilution)
    T = checked_temperature(temperature)
    if 0 < T < COLDEST * (1 - d):
        raise Refused(f"temperature must be 0 or at least {COLDEST * (1 - d):.3g} at dilution {d:g}, got {T!r}")
    surface = Landscape(K, d, T)
    if T == 0:
        return described(surface, _frozen(surface) if K <= FROZEN else minima.minima(surface))
    return described(surface, _balanced(surface) if 1 - d > T else np.zeros((1, K)))


def stable_states(*, patterns: int, dilution: float, temperature: float) -> list[State]:
    """The stable solutions at K <= 8, dilution d and T, up to permutations and signs, by increasing f: a search.

    It takes seconds at any T >= 0, also where low_load cannot prove its list complete. At T > 0 it finds the minima of
    low_load wherever that converges in the tests, and 10⁴ random descents find no other at low T for K = 6, 7 and 8.
    At T = 0 there are about 700 states at K = 6 and more than 10⁴ at K = 7, nearly all in tiny basins: the list is
    complete for K <= 5, all but a percent of what random starts reach for K = 6, and only a part for K = 7 and 8, in
    which the search went down from the lowest it knew (minima.py; docs/verification_states.md).
    """
    surface = Landscape(checked_patterns(patterns), checked_dilution(dilution), checked_temperature(temperature))
    warm = surface.temperature >= 1 - surface.dilution
    return described(surface, np.zeros((1, surface.patterns)) if warm else minima.minima(surface))


def hierarchical_overlaps(*, patterns: int, dilution: float) -> tuple[float, ...]:
    """m_k = (1-d) d^(k-1), k = 1, ..., K: the hierarchical solution at T = 0, for d below `critical_dilution`."""
    d = checked_dilution(dilution)
    return tuple((1 - d) * d**k for k in range(checked_patterns(patterns)))


def critical_dilution(patterns: int) -> float:
    """d_c(K), where the hierarchical state of T = 0 ends: 1 - 2d + d^K = 0, d < 1. K = 2: 1; 3: 0.618; K → ∞: 1/2."""
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


def _frozen(surface: Landscape) -> Array:
    """The solutions at T = 0."""
    settled = surface.settle(landscape.directions(surface.patterns, FINEST))
    return _distinct(np.concatenate([np.zeros((1, surface.patterns)), settled]))


def _balanced(surface: Landscape) -> Array:
    """The solutions at T > 0: those that all levels reach, until one adds none and the indices balance."""
    states = np.zeros((1, surface.patterns))
    for level in range(COARSEST, FINEST + 1):
        rays = landscape.directions(surface.patterns, level)
        if len(rays) > STARTS:
            break
        before, states = len(states), _distinct(np.concatenate([states, _climbed(surface, rays)]))
        if len(states) == before and _balance(surface, states) == 1:
            return states
    raise NotConverged(
        f"the states of {surface.patterns} patterns at dilution {surface.dilution:g}, T = {surface.temperature:g} are "
        f"not complete: {len(states)} were found, and their indices do not balance; try a higher temperature, or "
        "another dilution if states merge here; stable_states lists the minima",
        states,
    )


def _climbed(surface: Landscape, rays: Array) -> Array:
    """The stationary points that Newton's method finds from some directions."""
    parts = np.array_split(rays, 1 + rays.shape[0] * len(surface.weights) // AT_ONCE)
    return np.concatenate([surface.newton(surface.on_rays(part)) for part in parts])


def _balance(surface: Landscape, states: Array) -> int:
    """Σ (-1)^index over the states and their images; 1 for all stationary points of an f that is +∞ far away."""
    indices = _indices(surface, states)
    return sum((-1) ** int(index) * _images(state) for index, state in zip(indices, states, strict=True))


def _indices(surface: Landscape, states: Array) -> Array:
    return np.asarray((np.linalg.eigvalsh(surface.hessian(states)) < -ROUNDING).sum(axis=-1))


def _images(state: Array) -> int:
    """The number of different vectors that permutations and signs make of a state."""
    repeats = np.unique(_ranks(state), return_counts=True)[1]
    signs = 1 << int(np.count_nonzero(state))
    return signs * math.factorial(len(state)) // math.prod(math.factorial(int(n)) for n in repeats)


def _ranks(state: Array) -> Array:
    """0 for the first group of equal overlaps, 1 for the next, ..."""
    return np.concatenate([[0], np.cumsum(-np.diff(state) > SAME * state[0])])


def _distinct(states: Array) -> Array:
    """States in the order m_1 ≥ ... ≥ m_K ≥ 0, each once."""
    states = -np.sort(-np.abs(states), axis=1)
    size = states[:, 0].max()
    states[states < SAME * size] = 0
    kept = np.empty_like(states)
    number = 0
    for state in states:
        if not (np.abs(kept[:number] - state).max(axis=1) < SAME * size).any():
            kept[number] = state
            number += 1
    return kept[:number]


def described(surface: Landscape, states: Array) -> list[State]:
    """States by increasing free energy, the first of them dominant."""
    energies = surface.free_energy(states)
    indices: list[int | None]
    if surface.temperature > 0:
        indices = [int(index) for index in _indices(surface, states)]
    else:
        indices = [0 if free == 0 else None for free in surface.free_neurons(states)]
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
