"""A neuron of a network that learns from examples: the entries it averages over, what it answers, and its energies.

Averaged examples in units of their spread are x = η̄/√R, R = (1 + ρ) r², of variance v = 1 - d; n̂_μ is the overlap of
the spins with x^μ and h = Σ_μ n̂_μ^(p-1) x_μ + z √(α v̂) the field, over the archetypes μ that are retrieved. What the
average E over x is, examples.py says.
"""

import math
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from scipy.stats import binom

from ..errors import Refused
from ..interactions import Power, Quadratic
from ..networks import Law
from ..patterns import Examples
from . import gaussian
from .gaussian import Array
from .learning_noise import examples_of, noise

Average = Literal["exact", "gaussian"]

MOST_STATES = 2**20  # joint values of the entries of the retrieved archetypes
NEGLIGIBLE = 1e-18  # probability of a value of x
ROUNDING = 1e-15  # of q


class Entries(NamedTuple):
    """Joint law of the entries of n retrieved archetypes in S states: weights [S] and, [S, n] each, x as a mean and a
    variance around it, E[ξ | x], and the excess of one example over two different ones, E[η_a² - η_a η_b | x].

    A state stands for its mirror image too: the first x is never negative.
    """

    weights: Array
    mean: Array
    variance: Array
    archetype: Array
    excess: Array | None


class Answer(NamedTuple):
    """Overlaps m with the archetypes and n with their x, q and C = β E[sech² βh]."""

    m: Array
    n: Array
    q: float
    C: float


class Site:
    """A neuron of a law at a temperature; n are the overlaps with x, C = β(1-q)."""

    def __init__(self, law: Law, entries: Entries, temperature: float) -> None:
        self.ensemble, self.entries, self.temperature = examples_of(law), entries, temperature
        assert isinstance(law.interaction, Quadratic | Power)
        self.degree, self.noise = law.interaction.degree, noise(law)
        self.strength = (1 + self.ensemble.entropy) * self.ensemble.quality**2

    def q(self, C: float) -> float:
        """1 - TC, 0 where that is rounding."""
        q = 1 - self.temperature * C
        return q if q > ROUNDING else 0.0

    def variance(self, C: float, alpha: float) -> float:
        """That of the noise, αv̂."""
        return alpha * float(self.noise.variance(self.q(C), C)) if alpha else 0.0

    def answer(self, n: Array, C: float, alpha: float) -> Answer:
        """What neurons answer to overlaps n and the noise of C."""
        weights, mean, variance, archetype, _ = self.entries
        t, q, slope = _response(*self._fields(n, C, alpha), self.temperature)
        # E[x tanh] = mean · tanh + variance · n^(p-1) · ∂tanh/∂h, by parts in the Gaussian part of x
        own = variance * slope[:, None] if variance.any() else 0.0
        answered = weights @ (mean * t[:, None] + own * n ** (self.degree - 1))
        return Answer((weights * t) @ archetype, answered, float(weights @ q), float(weights @ slope))

    def free_energy(self, n: Array, C: float, alpha: float) -> float:
        """f as a function of n, and of C only through the saddle."""
        p, T = self.degree, self.temperature
        site = float(self.entries.weights @ _log_2cosh(*self._fields(n, C, alpha), T))
        other = self.noise.free_energy(self.q(C), C, self.variance(C, alpha) / alpha, T) if alpha else 0.0
        return (p - 1) / p * float((n**p).sum()) + alpha * other - site

    def energy(self, n: Array, C: float, alpha: float) -> float:
        """e = ∂(βf)/∂β at a solution."""
        other = self.noise.energy(self.q(C), C, self.temperature) if alpha else 0.0
        return alpha * other - float((n**self.degree).sum()) / self.degree

    def entropy(self, n: Array, C: float, alpha: float) -> float:
        """s = -∂f/∂T at a solution."""
        site = float(self.entries.weights @ gaussian.entropy(*self._fields(n, C, alpha), self.temperature))
        return site + (alpha * self.noise.entropy(self.q(C), C) if alpha else 0.0)

    def stability(self, n: Array, C: float, alpha: float) -> float | None:
        """1 - αβ² κ E sech⁴ βh, the replicon, negative where replica symmetry is unstable (de Almeida-Thouless).

        κ = Σ_k w_k λ_k²/(1-λ_k C)² for p = 2, ζ̂''(q) for p ≥ 3. 1 without load, None at T = 0.
        """
        if self.temperature == 0:
            return None
        if alpha == 0:
            return 1.0
        sech4 = float(self.entries.weights @ gaussian.sech4(*self._fields(n, C, alpha), self.temperature))
        return 1 - alpha * self.noise.stiffness(self.q(C), C) * (sech4 / self.temperature) / self.temperature

    def symmetry(self, n: Array, C: float, alpha: float) -> float | None:
        """1 - (p-1) n^(p-2) E[(η_a² - η_a η_b) β sech² βh]/(R M), the least over the archetypes: the eigenvalue of the
        Hessian of f towards unequal overlaps with the examples. None if supervised, for M = 1 and at T = 0."""
        if self.ensemble.supervised or self.entries.excess is None or self.temperature == 0:
            return None
        _, _, slope = _response(*self._fields(n, C, alpha), self.temperature)
        pull = (self.entries.weights * slope) @ self.entries.excess
        stiffness = (self.degree - 1) * n ** (self.degree - 2) / (self.strength * self.ensemble.examples)
        return float((1 - stiffness * pull).min())

    def alone(self, C: float) -> float | None:
        """1 - vC for p = 2 and 1 for p ≥ 3: the eigenvalue of the Hessian of f towards another archetype."""
        if self.temperature == 0:
            return None
        return 1 - (1 - self.ensemble.dilution) * C if self.degree == 2 else 1.0

    def _fields(self, n: Array, C: float, alpha: float) -> tuple[Array, Array]:
        """Mean and spread of the field in every state of the entries."""
        signal = n ** (self.degree - 1)
        spread = np.sqrt(self.variance(C, alpha) + self.entries.variance @ signal**2)
        return self.entries.mean @ signal, spread


@lru_cache(maxsize=1024)
def entries(ensemble: Examples, retrieved: int, average: Average) -> Entries:
    """The joint law of the entries of some archetypes."""
    if average not in ("exact", "gaussian"):
        raise Refused(f'average must be "exact" or "gaussian", got {average!r}')
    one = (_exact if average == "exact" else _gaussian)(ensemble)
    if one.weights.size**retrieved > MOST_STATES:
        raise Refused(
            f"the exact average over {retrieved} archetypes of {ensemble.examples} examples has "
            f'{one.weights.size}^{retrieved} states, at most {MOST_STATES} are summed; use average = "gaussian"'
        )
    places = np.indices((one.weights.size,) * retrieved).reshape(retrieved, -1).T
    first = one.mean[places[:, 0]]
    places, copies = places[first >= 0], np.where(first > 0, 2.0, 1.0)[first >= 0]
    joint = [None if column is None else column[places] for column in one[1:]]
    return Entries(copies * one.weights[places].prod(axis=1), *joint)  # type: ignore[arg-type]


def _exact(ensemble: Examples) -> Entries:
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
    return Entries(weights / weights.sum(), x, np.zeros_like(x), archetype, excess if M > 1 else None)


def _gaussian(ensemble: Examples) -> Entries:
    """x = ξ (1 + √ρ z')/√(1 + ρ) around each ξ."""
    d, rho = ensemble.dilution, ensemble.entropy
    xi, weights = np.array([-1.0, 1.0, 0.0]), np.array([(1 - d) / 2, (1 - d) / 2, d])
    return Entries(weights, xi / math.sqrt(1 + rho), xi**2 * rho / (1 + rho), xi, None)


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
