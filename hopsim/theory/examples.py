"""Learning from examples: archetypes retrieved by a network that was shown M noisy examples of each.

Averaged examples in units of their spread are x = η̄/√R, R = (1 + ρ) r², of variance v = 1 - d. In both ways of
learning, with n̂_μ the overlap of the spins with x^μ and all examples of an archetype overlapping alike,

    h = Σ_μ n̂_μ^(p-1) x_μ + z √(α v̂),      n̂_μ = E[x_μ tanh βh],   m_μ = E[ξ_μ tanh βh],   q = E[tanh² βh]
    f = ((p-1)/p) Σ_μ n̂_μ^p + α φ - T E ln 2cosh βh

over the archetypes μ that are retrieved; E runs over their entries and z. At low load (α = 0) nothing else enters, so
that supervised and unsupervised learning agree. `average` says what E over x is:

    "exact"     the law of x at finite M: M η̄ is a sum of M signs of mean rξ
    "gaussian"  x = ξ (1 + √ρ z')/√(1 + ρ), its limit of large M at fixed ρ (Agliari, Alessandrelli, Barra &
                Ricci-Tersenghi 2023, who have ñ = n̂ √(1+ρ))

ρ = 0 gives the equations of the archetypes. At load α = K/N^(p-1) the noise v̂ of the other archetypes tells supervised
from unsupervised learning (learning_noise.py). The state of one archetype is found on its branch (learning_branch.py),
so that capacity, lines and the number of examples that a load needs (learning_lines.py) are of the same states.
Archetypes may have blanks (dilution d) at any load.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import root

from ..errors import Refused, real, whole
from ..networks import Law
from ..patterns import Examples
from .fixed_point import NotConverged
from .gaussian import Array
from .learning_branch import retrieved as retrieved_state
from .learning_branch import without_retrieval
from .learning_lines import capacity, line, needed
from .learning_noise import Groups, examples_of, noise
from .learning_site import Average, Site, entries
from .solution import BRANCHES, LARGEST_RESIDUAL, checked_load, checked_temperature

__all__ = [
    "Average",
    "Groups",
    "Order",
    "Solution",
    "capacity",
    "dataset_entropy",
    "line",
    "needed",
    "noise",
    "solve",
    "threshold",
]

STEPS, RAISES = 500, 6
LEAST = 1e-3  # an overlap below it is not retrieval


@dataclass(frozen=True)
class Order:
    """Overlaps m with the retrieved archetypes and n with their averaged examples η̄, and q; C = β(1-q)."""

    m: tuple[float, ...]
    n: tuple[float, ...]
    q: float
    susceptibility: float


@dataclass(frozen=True)
class Solution:
    """A converged state. Free energy f, energy e and entropy s = (e - f)/T per neuron.

    Where stability < 0 replica symmetry is unstable (de Almeida-Thouless), where symmetry < 0 the examples of one
    archetype overlap unequally instead, where alone < 0 another archetype joins, which takes the neurons that the
    examples leave undecided. All are None at T = 0.
    """

    load: float
    temperature: float
    order: Order
    free_energy: float
    energy: float
    entropy: float
    stability: float | None
    symmetry: float | None
    alone: float | None
    residual: float


def dataset_entropy(quality: float, examples: int) -> float:
    """ρ = (1-r²)/(M r²)."""
    return Examples(quality, examples, "supervised").entropy


def threshold(quality: float) -> float:
    """The M(r) = (1-r²)/r² above which ρ < 1: the signal of the averaged examples beats one standard deviation.

    At T = 0 and low load m = erf(1/√(2ρ)) in the Gaussian limit: 0.683 there. `needed` is the number at a load.

    >>> hs.theory.examples.threshold(0.5)
    3.0
    >>> law = hs.hopfield(neurons=2, patterns=1, ensemble=hs.Examples(0.5, 3, "supervised")).law
    >>> round(hs.theory.examples.solve(law, temperature=0.0, average="gaussian").order.m[0], 3)
    0.683
    """
    return dataset_entropy(quality, 1)


def solve(
    law: Law,
    *,
    temperature: float,
    load: float = 0.0,
    branch: str = "retrieval",
    retrieved: int = 1,
    average: Average = "exact",
    start: Sequence[float] | None = None,
) -> Solution:
    """The state of a network that learns from Examples(...), F = m²/2 or m^p/p, with some archetypes retrieved.

    load = 0 is the limit of finitely many archetypes. Several archetypes are found from `start`, their m_μ, by default
    (1-d) d^(μ-1): with dilution the hierarchy of Agliari et al. (2012). At load > 0 the branch may also be "glass"
    (m = 0, largest q) or "paramagnet". Raises NotConverged where there is no such state.
    """
    joint = entries(examples_of(law), whole("retrieved", retrieved, 1), average)
    site, alpha = Site(law, joint, checked_temperature(temperature)), checked_load(load) if load != 0 else 0.0
    if branch not in BRANCHES:
        raise Refused(f"branch must be one of {', '.join(BRANCHES)}, got {branch!r}")
    if branch != "retrieval":
        n, C = np.zeros(retrieved), without_retrieval(law, checked_load(load), site.temperature, branch)
    elif alpha and retrieved == 1 and start is None:
        found, C = retrieved_state(law, alpha, site.temperature, average)
        n = np.array([found])
    else:
        n, C = _fixed_point(site, alpha, _start(site.ensemble, retrieved, start))
    return _solution(site, n, C, alpha, branch)


def _solution(site: Site, n: Array, C: float, alpha: float, branch: str) -> Solution:
    answer = site.answer(n, C, alpha)
    residual = float(np.abs(np.append(answer.n - n, (answer.C - C) / max(1.0, C) if alpha else 0.0)).max())
    left = f"the {branch} state at load {alpha:.6g}, T = {site.temperature:.6g} from {site.ensemble}"
    if not residual < LARGEST_RESIDUAL:
        raise NotConverged(f"{left} was left with a residual of {residual:.1g}; try a load or temperature nearby", n)
    if alpha and branch == "retrieval" and len(n) > 1 and np.abs(n).max() < LEAST:
        raise NotConverged(f"{left} ended at overlap 0; lower load or temperature, or use more examples", n)
    C = C if alpha else answer.C
    return Solution(
        load=alpha,
        temperature=site.temperature,
        order=Order(
            m=tuple(np.where(n != 0, answer.m, 0.0).tolist()),
            n=tuple((n * math.sqrt(site.strength)).tolist()),
            q=site.q(C) if alpha else answer.q,
            susceptibility=C,
        ),
        free_energy=site.free_energy(n, C, alpha),
        energy=site.energy(n, C, alpha),
        entropy=site.entropy(n, C, alpha),
        stability=site.stability(n, C, alpha),
        symmetry=site.symmetry(n, C, alpha),
        alone=site.alone(C),
        residual=residual,
    )


def _fixed_point(site: Site, alpha: float, n: Array) -> tuple[Array, float]:
    """The state at a load that is raised from 0 in steps, so that the noise never overshoots."""
    n, C = _rest(site, 0.0, n, 0.0)
    for load in np.linspace(0, alpha, RAISES)[1:-1] if alpha else ():
        n, C = _rest(site, float(load), n, C, tolerance=1e-3)
    return _rest(site, alpha, n, C) if alpha else (n, C)


def _rest(site: Site, alpha: float, n: Array, C: float, tolerance: float = 1e-13) -> tuple[Array, float]:
    """The map iterated until it rests, or a root of it nearby; at low load it descends in f."""
    for _ in range(STEPS):
        answer = site.answer(n, C, alpha)
        step = np.append(answer.n - n, (answer.C - C) / 2 if alpha else 0.0)
        n, C = n + step[:-1], C + step[-1]
        if np.abs(step).max() < tolerance:
            return n, C
    if site.temperature == 0 and not alpha:
        return n, C

    def residual(point: Array) -> Array:
        again = site.answer(point[:-1], float(point[-1]), alpha)
        return np.append(again.n - point[:-1], (again.C - point[-1]) if alpha else point[-1])

    found = root(residual, np.append(n, C), tol=1e-14)
    return found.x[:-1], float(found.x[-1])


def _start(ensemble: Examples, retrieved: int, start: Sequence[float] | None) -> Array:
    d, scale = ensemble.dilution, 1 / math.sqrt(1 + ensemble.entropy)
    m = [(1 - d) * d**k for k in range(retrieved)] if start is None else [real("start", value) for value in start]
    if len(m) != retrieved:
        raise Refused(f"start must have one overlap for each of {retrieved} retrieved archetypes, got {len(m)}")
    return scale * np.array(m)
