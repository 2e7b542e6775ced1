"""Crosstalk: the noise that the K - 1 other patterns put on a neuron, as a function of the order of the network.

The field of a neuron in the retrieval of one pattern is h = m^(p-1) + z √v with v = α v̂, v̂ the noise per unit load:

    p = 2:  v̂ = q/(1-C)², C = β(1-q): the couplings share patterns and respond (Amit, Gutfreund & Sompolinsky 1987)
    p ≥ 3:  v̂ = ζ̂'(q): the couplings are independent at leading order, a mixed p-spin glass of covariance N α ζ̂(q)

Everything is written in q and C, so that T → 0, where q → 1 and C stays finite, needs no separate formula.
"""

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial as Series

from ..errors import Refused
from ..interactions import Power, Quadratic
from ..networks import Law
from ..patterns import Biased, Diluted, Rademacher

ROUNDING = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Responding:
    """The noise of p = 2: v̂ = r = q/(1-C)²."""

    degree: int = 2

    def variance(self, q: Any, C: Any) -> Any:
        """v̂ = q/(1-C)²; arrays or numbers."""
        return q / np.maximum(1 - C, ROUNDING) ** 2

    def slope(self, q: float, C: float, temperature: float) -> float:
        """dv̂/dC along q = 1 - TC."""
        gap = self._gap(C)
        return 2 * q / gap**3 - temperature / gap**2

    def stiffness(self, q: float, C: float) -> float:
        """1/(1-C)², which stands where ζ̂'' does for p ≥ 3 in the de Almeida-Thouless condition."""
        return 1 / self._gap(C) ** 2

    def free_energy(self, q: float, C: float, variance: float, temperature: float) -> float:
        """½ [1 + T ln(1-C) - q/(1-C) + rC] per unit load, r = `variance` free (off the saddle too)."""
        gap = self._gap(C)
        return (1 + temperature * math.log(gap) - q / gap + variance * C) / 2

    def energy(self, q: float, C: float, temperature: float) -> float:
        """½ [1 - (1-q)/(1-C) - r] per unit load."""
        gap = self._gap(C)
        return (1 - temperature * C / gap - q / gap**2) / 2

    def entropy(self, q: float, C: float) -> float:
        """-½ [ln(1-C) + C/(1-C)] per unit load."""
        gap = self._gap(C)
        return -(math.log(gap) + C / gap) / 2

    @staticmethod
    def _gap(C: float) -> float:
        return max(1 - C, ROUNDING)  # C < 1 in every state, but the glass at load → 0 has 1 - C ~ √α


@dataclass(frozen=True)
class Mixed:
    """The noise of p ≥ 3: ζ̂(q) = Σ_k weights[k] q^k, the covariance of a mixed p-spin glass per unit load.

    degree is that of the signal m^(p-1); weights = (0, 0, ½) is the Sherrington-Kirkpatrick glass.
    """

    degree: int
    weights: tuple[float, ...]

    @cached_property
    def zeta(self) -> Series:
        """ζ̂."""
        return Series(self.weights)

    def derivative(self, order: int, q: float) -> float:
        """The first or second derivative of ζ̂ at q."""
        return float(self._derivatives[order - 1](q))

    def variance(self, q: Any, C: Any) -> Any:
        """v̂ = ζ̂'(q); arrays or numbers."""
        return self._derivatives[0](q)

    def slope(self, q: float, C: float, temperature: float) -> float:
        """dv̂/dC along q = 1 - TC."""
        return -temperature * self.derivative(2, q)

    def stiffness(self, q: float, C: float) -> float:
        """ζ̂''(q)."""
        return self.derivative(2, q)

    def free_energy(self, q: float, C: float, variance: float, temperature: float) -> float:
        """-(β/2) [ζ̂(1) - ζ̂(q) - (1-q) ζ̂'(q)] per unit load."""
        return -temperature * C**2 * float(self._quotients[1](q)) / 2

    def energy(self, q: float, C: float, temperature: float) -> float:
        """-β [ζ̂(1) - ζ̂(q)] per unit load."""
        return -C * float(self._quotients[0](q))

    def entropy(self, q: float, C: float) -> float:
        """-(β²/2) [ζ̂(1) - ζ̂(q) - (1-q) ζ̂'(q)] per unit load; -C² ζ̂''(1)/4 at T = 0."""
        return -(C**2) * float(self._quotients[1](q)) / 2

    @cached_property
    def _derivatives(self) -> tuple[Series, Series]:
        return self.zeta.deriv(), self.zeta.deriv(2)

    @cached_property
    def _quotients(self) -> tuple[Series, Series]:
        # [ζ̂(1) - ζ̂(q)]/(1-q) and [ζ̂(1) - ζ̂(q) - (1-q) ζ̂'(q)]/(1-q)², which do not cancel at q → 1:
        # 1 - q^k = (1-q) Σ_{j<k} q^j  and  1 - q^k - k (1-q) q^(k-1) = (1-q)² Σ_{0<j<k} j q^(j-1)
        first, second = np.zeros(len(self.weights)), np.zeros(len(self.weights))
        for k, weight in enumerate(self.weights):
            first[:k] += weight
            second[: max(k - 1, 0)] += weight * np.arange(1, k)
        return Series(first), Series(second)


Noise = Responding | Mixed


def supports(law: Law) -> bool:
    """Whether the replica theory of a law is known here: F = m²/2 or m^p/p, patterns of independent fair signs."""
    return _reason(law) is None


def noise(law: Law | Noise) -> Noise:
    """The noise of a law, or the noise itself if it is one. Refuses laws without a theory."""
    if isinstance(law, Responding | Mixed):
        return law
    reason = _reason(law)
    if reason is not None:
        raise Refused(reason)
    interaction = law.interaction
    return mixture(interaction) if isinstance(interaction, Power) else Responding()


@cache
def mixture(interaction: Power) -> Mixed:
    """ζ̂ of F = m^p/p: (1/p²) Σ_k c_k² k! q^k, x^p = Σ_k c_k He_k(x); with distinct indices only k = p, ((p-1)!/p) q^p.

    c_k = p!/(2^j j! k!), j = (p-k)/2; k = 0 only shifts the energy zero and is left out. ζ̂'(1) = (2p-3)!! or (p-1)!.
    """
    p = interaction.degree
    weights = [0.0] * (p + 1)
    lowest = p if interaction.indices == "distinct" else 2 - p % 2
    for k in range(lowest, p + 1, 2):
        j = (p - k) // 2
        c = math.factorial(p) // (2**j * math.factorial(j) * math.factorial(k))
        weights[k] = c * c * math.factorial(k) / p**2
    return Mixed(p, tuple(weights))


def _reason(law: Law) -> str | None:
    """Why there is no theory for a law, in one line; None if there is one."""
    interaction, ensemble = law.interaction, law.ensemble
    if not isinstance(interaction, Quadratic | Power):
        return f"replica theory is known for Quadratic and Power interactions, got {interaction}; simulate this one"
    fair = isinstance(ensemble, Rademacher) or ensemble in (Diluted(0), Biased(0))
    return None if fair else f"replica theory here needs Rademacher() patterns, got {ensemble}; simulate this ensemble"
