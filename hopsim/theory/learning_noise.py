"""The noise of archetypes that are not retrieved, learned from examples, per unit load.

It is that of K averages of examples in supervised learning and of K M examples in unsupervised learning, averages and
examples in units of √R. For p = 2 the covariance of the examples of one archetype has one eigenvalue v = 1 - d of their
average and M - 1 of their differences, smaller by ε = ρ/(1+ρ); for p ≥ 3 two examples of an archetype are correlated
by r², so that the terms of ζ̂ (crosstalk.py) count differently:

    p = 2:  v̂ = v² q [1/(1-vC)² + (M-1) ε²/(1-εvC)²],  C = β(1-q);  supervised: without the second term
    p ≥ 3:  the k-th term of ζ̂ times v^p [1 + (M-1) r^(2k)]/(M R^p);  supervised: times v^p

Derived here by the replica method, one determinant per eigenvalue, and by Hermite expansion; r = 1 gives back the noise
of the archetypes, and so does M → ∞; r → 0 in unsupervised learning that of K M independent patterns.
"""

import math
from typing import NamedTuple

import numpy as np

from ..errors import Refused
from ..interactions import Power, Quadratic
from ..networks import Law, check_learning
from ..patterns import Examples
from . import crosstalk
from .crosstalk import Mixed, Responding
from .gaussian import Array


class Groups(NamedTuple):
    """The noise of p = 2: patterns whose covariance has eigenvalues λ_k, w_k times each, the largest first.

    A group of eigenvalue λ is a `Responding` noise at temperature T/λ whose energies count λ times.
    """

    eigenvalues: tuple[float, ...]
    multiplicities: tuple[float, ...]

    def variance(self, q: float, C: float) -> float:
        """v̂ = Σ_k w_k λ_k² q/(1-λ_k C)²."""
        return math.fsum(w * a**2 * float(Responding().variance(q, a * C)) for a, w in self._groups())

    def stiffness(self, q: float, C: float) -> float:
        """Σ_k w_k λ_k²/(1-λ_k C)², which stands where ζ̂'' does for p ≥ 3 in the de Almeida-Thouless condition."""
        return math.fsum(w * a**2 * Responding().stiffness(q, a * C) for a, w in self._groups())

    def root_load(self, q: Array, C: Array, variance: Array) -> Array:
        """√α at which the noise has a variance; negative where λC > 1 for the largest λ, and there is no state."""
        gap = 1 - self.eigenvalues[0] * C
        (a, w), *others = self._groups()
        shape = w * a**2 + sum(w * (a * gap / np.where(gap > 0, 1 - a * C, 1.0)) ** 2 for a, w in others)
        return np.asarray(gap * np.sqrt(variance / (q * shape)))

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

    def glass_load(self, temperature: float) -> float:
        """The load above which q > 0 without retrieval: 1/α = Σ_k w_k λ_k²/(T-λ_k)², 0 for T <= λ_1.

        There q = αv̂ β² to first order in q, with C = β. One eigenvalue λ: T_g = λ(1 + √α).
        """
        if temperature <= self.eigenvalues[0]:
            return 0.0
        return temperature**2 / self.stiffness(0.0, 1 / temperature)

    def _groups(self) -> list[tuple[float, float]]:
        return [(a, w) for a, w in zip(self.eigenvalues, self.multiplicities, strict=True) if a * w > 0]


def noise(law: Law) -> Groups | Mixed:
    """What the archetypes that are not retrieved do to a neuron, per unit load."""
    ensemble = examples_of(law)
    v, rho, M, r = 1 - ensemble.dilution, ensemble.entropy, ensemble.examples, ensemble.quality
    if isinstance(law.interaction, Quadratic):
        return Groups((v, v * rho / (1 + rho)), (1.0, 0.0 if ensemble.supervised else M - 1.0))
    assert isinstance(law.interaction, Power)
    plain, p = crosstalk.mixture(law.interaction), law.interaction.degree
    scale = v**p if ensemble.supervised else v**p / (M * ((1 + rho) * r**2) ** p)
    pairs = [1.0 if ensemble.supervised else 1 + (M - 1) * r ** (2 * k) for k in range(p + 1)]
    return Mixed(p, tuple(scale * pair * weight for pair, weight in zip(pairs, plain.weights, strict=True)))


def examples_of(law: Law) -> Examples:
    """The ensemble of a law that learns from examples; refused if it does not, or if it has no energy."""
    if not isinstance(law.ensemble, Examples):
        raise Refused(
            f"this theory needs a network that learns from Examples(...), got {law.ensemble}; use theory.solve"
        )
    check_learning(law.interaction, law.ensemble)
    return law.ensemble
