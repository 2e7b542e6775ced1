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

ρ = 0 gives the equations of the archetypes. At load α = K/N^(p-1) the noise v̂ of the other archetypes is that of K
patterns x in supervised learning, of K M examples in unsupervised learning. For p = 2 the covariance of the examples of
one archetype has one eigenvalue of their average and M - 1 of their differences, smaller by ε = ρ/(1+ρ):

    p = 2:  v̂ = v² q [1/(1-vC)² + (M-1) ε²/(1-εvC)²],  C = β(1-q);  supervised: without the second term
    p ≥ 3:  the k-th term of ζ̂ (crosstalk.py) times v^p [1 + (M-1) r^(2k)]/(M R^p);  supervised: times v^p

Derived here by the replica method, one determinant per eigenvalue, and by Hermite expansion; r = 1 gives back the noise
of the archetypes, and so does M → ∞.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root
from scipy.stats import binom

from ..errors import Refused, real, whole
from ..interactions import Power, Quadratic
from ..networks import Law, check_learning
from ..patterns import Examples
from . import crosstalk, gaussian
from .crosstalk import Mixed, Responding
from .fixed_point import NotConverged
from .solution import LARGEST_RESIDUAL, checked_load, checked_temperature

Array = NDArray[np.float64]
Average = Literal["exact", "gaussian"]

MOST_STATES = 2**20  # joint values of the entries of the retrieved archetypes
NEGLIGIBLE = 1e-18  # probability of a value of x
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
    """A converged state, per neuron.

    Where symmetry < 0 the examples of one archetype overlap unequally instead; where alone < 0 another archetype joins,
    which takes the neurons that the examples leave undecided. Both are None at T = 0.
    """

    load: float
    temperature: float
    order: Order
    free_energy: float
    energy: float
    entropy: float
    symmetry: float | None
    alone: float | None
    residual: float


def dataset_entropy(quality: float, examples: int) -> float:
    """ρ = (1-r²)/(M r²)."""
    return Examples(quality, examples, "supervised").entropy


def threshold(quality: float) -> float:
    """The M(r) = (1-r²)/r² above which ρ < 1: the signal of the averaged examples beats one standard deviation.

    At T = 0 and low load m = erf(1/√(2ρ)) in the Gaussian limit: 0.683 there.
    """
    return dataset_entropy(quality, 1)


def solve(
    law: Law,
    *,
    temperature: float,
    load: float = 0.0,
    retrieved: int = 1,
    average: Average = "exact",
    start: Sequence[float] | None = None,
) -> Solution:
    """The state of a network that learns from Examples(...), F = m²/2 or m^p/p, with some archetypes retrieved.

    load = 0 is the limit of finitely many archetypes. `start` are the m_μ to start from, by default (1-d) d^(μ-1): one
    archetype, or with dilution the hierarchy of Agliari et al. (2012). Raises NotConverged where nothing is retrieved.
    """
    site = _Site(law, _entries(law, whole("retrieved", retrieved, 1), average), checked_temperature(temperature))
    alpha = checked_load(load) if load != 0 else 0.0
    n, C = _fixed_point(site, alpha, _start(site.ensemble, retrieved, start))
    q = site.q(C) if alpha else float(site.answer(n, C, 0.0).q)
    answer = site.answer(n, C, alpha)
    residual = float(np.abs(np.append(answer.n - n, answer.C - C if alpha else 0.0)).max())
    if not residual < LARGEST_RESIDUAL or (alpha and np.abs(n).max() < LEAST):
        what = f"left a residual of {residual:.1g}" if residual >= LARGEST_RESIDUAL else "ended at overlap 0"
        raise NotConverged(
            f"retrieval at load {alpha:.6g}, T = {site.temperature:.6g} from {site.ensemble} {what}; "
            "lower load or temperature, or use more examples",
            n,
        )
    C = answer.C
    return Solution(
        load=alpha,
        temperature=site.temperature,
        order=Order(tuple(answer.m.tolist()), tuple((n * math.sqrt(site.strength)).tolist()), float(q), C),
        free_energy=site.free_energy(n, C, alpha),
        energy=site.energy(n, C, alpha),
        entropy=site.entropy(n, C, alpha),
        symmetry=site.symmetry(n, C, alpha),
        alone=site.alone(C),
        residual=residual,
    )


class Groups(NamedTuple):
    """The noise of p = 2: patterns whose covariance has eigenvalues λ_k, w_k times each, per unit load.

    A group of eigenvalue λ is a `Responding` noise at temperature T/λ whose energies count λ times.
    """

    eigenvalues: tuple[float, ...]
    multiplicities: tuple[float, ...]

    def variance(self, q: float, C: float) -> float:
        """Σ_k w_k λ_k² q/(1-λ_k C)²."""
        return math.fsum(w * a**2 * float(Responding().variance(q, a * C)) for a, w in self._groups())

    def free_energy(self, q: float, C: float, variance: float, temperature: float) -> float:
        """½ Σ_k w_k [λ_k + T ln(1-λ_k C) - λ_k q/(1-λ_k C)] + ½ vC."""
        parts = (w * a * Responding().free_energy(q, a * C, 0.0, temperature / a) for a, w in self._groups())
        return math.fsum(parts) + variance * C / 2

    def energy(self, q: float, C: float, temperature: float) -> float:
        """Σ_k w_k λ_k times the energy of Responding at λ_k C."""
        return math.fsum(w * a * Responding().energy(q, a * C, temperature / a) for a, w in self._groups())

    def entropy(self, q: float, C: float) -> float:
        """-½ Σ_k w_k [ln(1-λ_k C) + λ_k C/(1-λ_k C)]."""
        return math.fsum(w * Responding().entropy(q, a * C) for a, w in self._groups())

    def _groups(self) -> list[tuple[float, float]]:
        return [(a, w) for a, w in zip(self.eigenvalues, self.multiplicities, strict=True) if a * w > 0]


def noise(law: Law) -> Groups | Mixed:
    """What the archetypes that are not retrieved do to a neuron, per unit load."""
    ensemble = _examples(law)
    v, rho, M, r = 1 - ensemble.dilution, ensemble.entropy, ensemble.examples, ensemble.quality
    if isinstance(law.interaction, Quadratic):
        return Groups((v, v * rho / (1 + rho)), (1.0, 0.0 if ensemble.supervised else M - 1.0))
    assert isinstance(law.interaction, Power)
    plain, p = crosstalk.mixture(law.interaction), law.interaction.degree
    scale = v**p if ensemble.supervised else v**p / (M * ((1 + rho) * r**2) ** p)
    pairs = [1.0 if ensemble.supervised else 1 + (M - 1) * r ** (2 * k) for k in range(p + 1)]
    return Mixed(p, tuple(scale * pair * weight for pair, weight in zip(pairs, plain.weights, strict=True)))


class _Entries(NamedTuple):
    """Joint law of the entries of n retrieved archetypes in S states: weights [S] and, [S, n] each, x as a mean and a
    variance around it, E[ξ | x], and the excess of one example over two different ones, E[η_a² - η_a η_b | x]."""

    weights: Array
    mean: Array
    variance: Array
    archetype: Array
    excess: Array | None


class _Answer(NamedTuple):
    m: Array
    n: Array
    q: float
    C: float


class _Site:
    """A neuron of a law at a temperature; n are the overlaps with x, C = β(1-q)."""

    def __init__(self, law: Law, entries: _Entries, temperature: float) -> None:
        self.ensemble, self.entries, self.temperature = _examples(law), entries, temperature
        assert isinstance(law.interaction, Quadratic | Power)
        self.degree, self.noise = law.interaction.degree, noise(law)
        self.strength = (1 + self.ensemble.entropy) * self.ensemble.quality**2

    def q(self, C: float) -> float:
        return 1 - self.temperature * C

    def variance(self, C: float, alpha: float) -> float:
        return alpha * float(self.noise.variance(self.q(C), C)) if alpha else 0.0

    def fields(self, n: Array, C: float, alpha: float) -> tuple[Array, Array]:
        """Mean and spread of the field in every state of the entries."""
        signal = n ** (self.degree - 1)
        spread = np.sqrt(self.variance(C, alpha) + self.entries.variance @ signal**2)
        return self.entries.mean @ signal, spread

    def answer(self, n: Array, C: float, alpha: float) -> _Answer:
        weights, mean, variance, archetype, _ = self.entries
        t, q, slope = _response(*self.fields(n, C, alpha), self.temperature)
        # E[x tanh] = mean · tanh + variance · n^(p-1) · ∂tanh/∂h, by parts in the Gaussian part of x
        own = variance * slope[:, None] if variance.any() else 0.0
        answered = weights @ (mean * t[:, None] + own * n ** (self.degree - 1))
        return _Answer((weights * t) @ archetype, answered, float(weights @ q), float(weights @ slope))

    def free_energy(self, n: Array, C: float, alpha: float) -> float:
        """f as a function of n, and of C only through the saddle."""
        p, T = self.degree, self.temperature
        site = float(self.entries.weights @ _log_2cosh(*self.fields(n, C, alpha), T))
        other = self.noise.free_energy(self.q(C), C, self.variance(C, alpha) / alpha, T) if alpha else 0.0
        return (p - 1) / p * float((n**p).sum()) + alpha * other - site

    def energy(self, n: Array, C: float, alpha: float) -> float:
        other = self.noise.energy(self.q(C), C, self.temperature) if alpha else 0.0
        return alpha * other - float((n**self.degree).sum()) / self.degree

    def entropy(self, n: Array, C: float, alpha: float) -> float:
        site = float(self.entries.weights @ gaussian.entropy(*self.fields(n, C, alpha), self.temperature))
        return site + (alpha * self.noise.entropy(self.q(C), C) if alpha else 0.0)

    def symmetry(self, n: Array, C: float, alpha: float) -> float | None:
        """1 - (p-1) n^(p-2) E[(η_a² - η_a η_b) β sech² βh]/(R M), the least over the archetypes: the eigenvalue of the
        Hessian of f towards unequal overlaps with the examples. None if supervised, for M = 1 and at T = 0."""
        if self.ensemble.supervised or self.entries.excess is None or self.temperature == 0:
            return None
        _, _, slope = _response(*self.fields(n, C, alpha), self.temperature)
        pull = (self.entries.weights * slope) @ self.entries.excess
        stiffness = (self.degree - 1) * n ** (self.degree - 2) / (self.strength * self.ensemble.examples)
        return float((1 - stiffness * pull).min())

    def alone(self, C: float) -> float | None:
        """1 - vC for p = 2 and 1 for p ≥ 3: the eigenvalue of the Hessian of f towards another archetype."""
        if self.temperature == 0:
            return None
        return 1 - (1 - self.ensemble.dilution) * C if self.degree == 2 else 1.0


def _fixed_point(site: _Site, alpha: float, n: Array) -> tuple[Array, float]:
    """The state at a load that is raised from 0 in steps, so that the noise never overshoots."""
    n, C = _rest(site, 0.0, n, 0.0)
    for load in np.linspace(0, alpha, RAISES)[1:-1] if alpha else ():
        n, C = _rest(site, float(load), n, C, tolerance=1e-3)
    return _rest(site, alpha, n, C) if alpha else (n, C)


def _rest(site: _Site, alpha: float, n: Array, C: float, tolerance: float = 1e-13) -> tuple[Array, float]:
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


def _examples(law: Law) -> Examples:
    if not isinstance(law.ensemble, Examples):
        raise Refused(
            f"this theory needs a network that learns from Examples(...), got {law.ensemble}; use theory.solve"
        )
    check_learning(law.interaction, law.ensemble)
    return law.ensemble


def _entries(law: Law, retrieved: int, average: Average) -> _Entries:
    ensemble = _examples(law)
    if average not in ("exact", "gaussian"):
        raise Refused(f'average must be "exact" or "gaussian", got {average!r}')
    one = (_exact if average == "exact" else _gaussian)(ensemble)
    if one.weights.size**retrieved > MOST_STATES:
        raise Refused(
            f"the exact average over {retrieved} archetypes of {ensemble.examples} examples has "
            f'{one.weights.size}^{retrieved} states, at most {MOST_STATES} are summed; use average = "gaussian"'
        )
    places = np.indices((one.weights.size,) * retrieved).reshape(retrieved, -1).T
    joint = [None if column is None else column[places] for column in one[1:]]
    return _Entries(one.weights[places].prod(axis=1), *joint)  # type: ignore[arg-type]


def _exact(ensemble: Examples) -> _Entries:
    """Sums S = M η̄ from -M to M: binomial around ξ = ±1, and 0 on blanks."""
    M, r, d = ensemble.examples, ensemble.quality, ensemble.dilution
    up = binom.pmf(np.arange(M + 1), M, (1 + r) / 2) * (1 - d) / 2
    S, weights, odd = np.arange(-M, M + 1, 2.0), up + up[::-1], up - up[::-1]
    pairs = (M * M - S * S) / (M * (M - 1)) if M > 1 else np.full(S.size, np.nan)
    kept = weights > NEGLIGIBLE
    S, weights, archetype, excess = S[kept], weights[kept], (odd / np.where(kept, weights, 1))[kept], pairs[kept]
    if d > 0:
        S, weights, archetype, excess = (
            np.append(x, value) for x, value in ((S, 0.0), (weights, d), (archetype, 0.0), (excess, 0.0))
        )
    x = S / (M * math.sqrt((1 + ensemble.entropy) * r**2))
    return _Entries(weights / weights.sum(), x, np.zeros_like(x), archetype, excess if M > 1 else None)


def _gaussian(ensemble: Examples) -> _Entries:
    """x = ξ (1 + √ρ z')/√(1 + ρ) around each ξ."""
    d, rho = ensemble.dilution, ensemble.entropy
    xi, weights = np.array([-1.0, 1.0, 0.0]), np.array([(1 - d) / 2, (1 - d) / 2, d])
    return _Entries(weights, xi / math.sqrt(1 + rho), xi**2 * rho / (1 + rho), xi, None)


def _response(mean: Array, spread: Array, temperature: float) -> tuple[Array, Array, Array]:
    """∫Dz of tanh βh, tanh² βh and β sech² βh; without quadrature where no state has a spread."""
    if spread.any() or temperature == 0:
        answer = gaussian.response(mean, spread, temperature)
        return answer.m, answer.q, answer.C
    t = np.tanh(mean / temperature)
    return t, t * t, (1 - t * t) / temperature


def _log_2cosh(mean: Array, spread: Array, temperature: float) -> Array:
    if spread.any() or temperature == 0:
        return gaussian.log_2cosh(mean, spread, temperature)
    return np.asarray(np.abs(mean) + temperature * np.log1p(np.exp(-2 * np.abs(mean) / temperature)))
