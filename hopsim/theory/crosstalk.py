"""Crosstalk: the noise that the K - 1 other patterns put on a neuron, as a function of the order of the network.

The field of a neuron in the retrieval of one pattern is h = m^(p-1) + z √v with v = α v̂, v̂ the noise per unit load:

    p = 2:  v̂ = q/(1-C)², C = β(1-q): the couplings share patterns and respond (Amit, Gutfreund & Sompolinsky 1987)
    p ≥ 3:  v̂ = ζ̂'(q): the couplings are independent at leading order, a mixed p-spin glass of covariance N α ζ̂(q)

A pattern that is not retrieved has M = x √N with x Gaussian, and F(m) = G(x)/(p N^(p/2)). So ζ̂ is the covariance of
G/p at correlation q, with Hermite coefficients c_k = E[G(x) He_k(x)]/k!:

    ζ̂(q) = (1/p²) Σ_{k≥1} c_k² k! q^k,     ζ̂'(q) = (1/p²) E[G'(x) G'(y)] at correlation q

The sum is finite for polynomials (`Mixed`); [x]₊^p and |x|^p have a closed form (`Homogeneous`).

Everything is written in q and C, so that T → 0, where q → 1 and C stays finite, needs no separate formula.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial as Series

from ..errors import Refused, whole
from ..interactions import Power, Quadratic, Rectified
from ..networks import Law
from ..patterns import Biased, Diluted, Examples, Rademacher

ROUNDING = float(np.finfo(float).eps)
ABSCISSAE, WEIGHTS = np.polynomial.legendre.leggauss(40)


@dataclass(frozen=True)
class Responding:
    """The noise of p = 2: v̂ = r = q/(1-C)²."""

    degree: int = 2

    def variance(self, q: Any, C: Any) -> Any:
        """v̂ = q/(1-C)²; arrays or numbers."""
        return q / self._gap(C) ** 2

    def slope(self, q: Any, C: Any, temperature: float) -> Any:
        """dv̂/dC along q = 1 - TC; arrays or numbers."""
        gap = self._gap(C)
        return 2 * q / gap**3 - temperature / gap**2

    def stiffness(self, q: float, C: float) -> float:
        """1/(1-C)², which stands where ζ̂'' does for p ≥ 3 in the de Almeida-Thouless condition."""
        return float(1 / self._gap(C) ** 2)

    def free_energy(self, q: float, C: float, variance: float, temperature: float) -> float:
        """½ [1 + T ln(1-C) - q/(1-C) + rC] per unit load, r = `variance` free (off the saddle too)."""
        gap = self._gap(C)
        return float(1 + temperature * math.log(gap) - q / gap + variance * C) / 2

    def energy(self, q: float, C: float, temperature: float) -> float:
        """½ [1 - (1-q)/(1-C) - r] per unit load."""
        gap = self._gap(C)
        return float(1 - temperature * C / gap - q / gap**2) / 2

    def entropy(self, q: float, C: float) -> float:
        """-½ [ln(1-C) + C/(1-C)] per unit load."""
        gap = self._gap(C)
        return -float(math.log(gap) + C / gap) / 2

    @staticmethod
    def _gap(C: Any) -> Any:
        return np.maximum(1 - C, ROUNDING)  # C < 1 in every state, but the glass at load → 0 has 1 - C ~ √α


@dataclass(frozen=True)
class Mixed:
    """The noise of p ≥ 3: ζ̂(q) = Σ_k weights[k] q^k, the covariance of a mixed p-spin glass per unit load.

    degree is that of the signal m^(p-1); weights = (0, 0, ½) is the Sherrington-Kirkpatrick glass.
    """

    degree: int
    weights: tuple[float, ...]

    @cached_property
    def zeta(self) -> Callable[[Any], Any]:
        """ζ̂."""
        return Series(self.weights)

    def derivative(self, order: int, q: float) -> float:
        """The first or second derivative of ζ̂ at q."""
        return float(self._derivative(order, q))

    def variance(self, q: Any, C: Any) -> Any:
        """v̂ = ζ̂'(q); arrays or numbers."""
        return self._derivative(1, q)

    def slope(self, q: Any, C: Any, temperature: float) -> Any:
        """dv̂/dC along q = 1 - TC; arrays or numbers."""
        return -temperature * self._derivative(2, q)

    def stiffness(self, q: float, C: float) -> float:
        """ζ̂''(q)."""
        return self.derivative(2, q)

    def free_energy(self, q: float, C: float, variance: float, temperature: float) -> float:
        """-(β/2) [ζ̂(1) - ζ̂(q) - (1-q) ζ̂'(q)] per unit load."""
        return -temperature * C**2 * self._sag(q) / 2

    def energy(self, q: float, C: float, temperature: float) -> float:
        """-β [ζ̂(1) - ζ̂(q)] per unit load."""
        return -C * self._chord(q)

    def entropy(self, q: float, C: float) -> float:
        """-(β²/2) [ζ̂(1) - ζ̂(q) - (1-q) ζ̂'(q)] per unit load; -C² ζ̂''(1)/4 at T = 0."""
        return -(C**2) * self._sag(q) / 2

    def increments(self, q: float, d: float) -> tuple[float, float, float]:
        """How ζ̂', θ̂ = qζ̂' - ζ̂ and qζ̂'' grow from q to q + d, without cancellation as d → 0."""
        slope = theta = bend = 0.0
        for k, weight in enumerate(self.weights):
            # (q+d)^k - q^k = d Σ_j (q+d)^j q^(k-1-j)
            below, here = (d * sum((q + d) ** j * q ** (n - 1 - j) for j in range(n)) for n in (k - 1, k))
            slope += k * weight * below
            theta += (k - 1) * weight * here
            bend += k * (k - 1) * weight * below
        return slope, theta, bend

    def _chord(self, q: float) -> float:
        """[ζ̂(1) - ζ̂(q)]/(1-q), which does not cancel at q → 1."""
        return float(self._quotients[0](q))

    def _sag(self, q: float) -> float:
        """[ζ̂(1) - ζ̂(q) - (1-q) ζ̂'(q)]/(1-q)², which does not cancel at q → 1."""
        return float(self._quotients[1](q))

    def _derivative(self, order: int, q: Any) -> Any:
        return self._derivatives[order - 1](q)

    @cached_property
    def _derivatives(self) -> tuple[Series, Series]:
        zeta = Series(self.weights)
        return zeta.deriv(), zeta.deriv(2)

    @cached_property
    def _quotients(self) -> tuple[Series, Series]:
        # 1 - q^k = (1-q) Σ_{j<k} q^j  and  1 - q^k - k (1-q) q^(k-1) = (1-q)² Σ_{0<j<k} j q^(j-1)
        first, second = np.zeros(len(self.weights)), np.zeros(len(self.weights))
        for k, weight in enumerate(self.weights):
            first[:k] += weight
            second[: max(k - 1, 0)] += weight * np.arange(1, k)
        return Series(first), Series(second)


@dataclass(frozen=True)
class Homogeneous(Mixed):
    """The noise of a homogeneous G of degree p ≥ 3: G(x) = x^p for x > 0 and ratio · |x|^p for x < 0.

    ratio = 0 is the rectified power [x]₊^p, ratio = 1 is |x|^p. With R_p(q) = E[[x]₊^p [y]₊^p] at correlation q,

        ζ̂(q) = (1/p²) [(1 + ratio²) R_p(q) + 2 ratio R_p(-q) - (1 + ratio)² R_p(0)]

    R_p is the arc-cosine kernel of Cho & Saul (2009) over 2π; R_p' = p² R_{p-1} (Price's theorem). Where ζ̂ is no
    polynomial it has a singular part (1-q)^(p+½) at q = 1: the series converges slowly there, the first two derivatives
    are finite. weights are the first terms of the series, for comparison only; every method uses the closed form.
    """

    ratio: float
    weights: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        whole("the degree of a homogeneous interaction", self.degree, 3)
        object.__setattr__(self, "weights", _half_line_weights(self.degree, self.ratio))

    @cached_property
    def zeta(self) -> Callable[[Any], Any]:
        """ζ̂."""
        mean_square = (1 + self.ratio) ** 2 * float(_arc_cosine(self.degree, 0.0))
        return lambda q: (self._covariance(0, q) - mean_square) / self.degree**2

    def _derivative(self, order: int, q: Any) -> Any:
        return self._covariance(order, q) / self.degree**2

    def increments(self, q: float, d: float) -> tuple[float, float, float]:
        """How ζ̂', θ̂ = qζ̂' - ζ̂ and qζ̂'' grow from q to q + d, without cancellation as d → 0."""
        far, near = math.sqrt(max(1 - q, 0.0)), math.sqrt(max(1 - q - d, 0.0))
        width = d / (far + near) if d > 0 else 0.0
        s = near + width * _NODES
        x, weights = 1 - s * s, width * 2 * s * _NODE_WEIGHTS
        second, third = self._derivative(2, x), self._derivative(3, x)
        return float(weights @ second), float(weights @ (x * second)), float(weights @ (second + x * third))

    def _covariance(self, order: int, q: Any) -> Any:
        """E[G^(order)(x) G^(order)(y)] at correlation q."""
        p, ratio = self.degree, self.ratio
        q = np.asarray(q, dtype=float)
        mirrored = 2 * (-1) ** order * ratio * _arc_cosine(p - order, -q) if ratio != 0 else 0.0
        return math.perm(p, order) ** 2 * ((1 + ratio**2) * _arc_cosine(p - order, q) + mirrored)

    def _chord(self, q: float) -> float:
        return float(2 * _NODES * _NODE_WEIGHTS @ self._derivative(1, 1 - (1 - q) * _NODES**2))

    def _sag(self, q: float) -> float:
        return float(2 * _NODES**3 * _NODE_WEIGHTS @ self._derivative(2, 1 - (1 - q) * _NODES**2))


# ∫₀¹ f(s) ds, for integrals over q with s ~ √(1-q): what is singular in 1-q is smooth in s
_NODES, _NODE_WEIGHTS = (1 + ABSCISSAE) / 2, WEIGHTS / 2


def _arc_cosine(degree: int, q: Any) -> Any:
    """R_n(q) = E[[x]₊^n [y]₊^n]: R_n = (2n-1) q R_{n-1} + (n-1)² (1-q²) R_{n-2} from R_0 = (π-θ)/2π, q = cos θ.

    The recursion follows from R_n' = n² R_{n-1} and the hypergeometric equation (1-q²) R_n'' + (2n-1) q R_n' = n² R_n.
    """
    q = np.clip(q, -1.0, 1.0)
    square = (1 - q) * (1 + q)
    before = np.arctan2(np.sqrt(square), -q) / (2 * np.pi)
    if degree == 0:
        return before
    here = np.sqrt(square) / (2 * np.pi) + q * before
    for n in range(2, degree + 1):
        before, here = here, (2 * n - 1) * q * here + (n - 1) ** 2 * square * before
    return here


def _half_line_weights(degree: int, ratio: float, terms: int = 64) -> tuple[float, ...]:
    """(1/p²) c_k² k! of a homogeneous G for k < terms."""
    sides = [1 + (-1) ** k * ratio for k in range(terms)]
    halves = [_half_line_coefficient(degree, k) for k in range(terms)]
    return (0.0, *((side * half / degree) ** 2 for side, half in zip(sides[1:], halves[1:], strict=True)))


def _half_line_coefficient(degree: int, k: int) -> float:
    """E[[x]₊^n He_k(x)]/√k!, by n E[[x]₊^(n-1) He_{k-1}] = ... down to a moment or to He_{k-n-1}(0)/√(2π)."""
    n, rest = degree, k - degree - 1
    if rest < 0:
        moment = 2 ** ((n - k) / 2 - 1) * math.gamma((n - k + 1) / 2) / math.sqrt(math.pi)
        return math.perm(n, k) * moment / math.sqrt(math.factorial(k))
    at_zero = 0 if rest % 2 else math.prod(range(rest - 1, 0, -2))  # |He_j(0)| = (j-1)!!
    return math.factorial(n) * at_zero / math.sqrt(2 * math.pi * math.factorial(k))


Noise = Responding | Mixed


def supports(law: Law) -> bool:
    """Whether the replica theory of a law is known here: F = m²/2, m^p/p or [m]₊^p/p with p ≥ 3, and fair signs."""
    return _reason(law) is None


def noise(law: Law | Noise) -> Noise:
    """The noise of a law, or the noise itself if it is one. Refuses laws without a theory."""
    if isinstance(law, Responding | Mixed):
        return law
    reason = _reason(law)
    if reason is not None:
        raise Refused(reason)
    interaction = law.interaction
    return mixture(interaction) if isinstance(interaction, Power | Rectified) else Responding()


@cache
def mixture(interaction: Power | Rectified) -> Mixed:
    """ζ̂ of F = m^p/p, with distinct indices only its term k = p, ((p-1)!/p) q^p; and of [m]₊^p/p.

    ζ̂'(1) = (2p-3)!!, (p-1)! and (2p-3)!!/2.
    """
    p = interaction.degree
    if isinstance(interaction, Rectified):
        return Homogeneous(p, 0.0)
    if interaction.indices == "distinct":
        return Mixed(p, (*[0.0] * p, math.factorial(p - 1) / p))
    return polynomial([0] * p + [1])


def polynomial(coefficients: Sequence[float]) -> Mixed:
    """ζ̂ of F(m) = G(m √N)/(p N^(p/2)), G(x) = Σ_j coefficients[j] x^j, the last coefficient 1 and p ≥ 3 its degree.

    x^j = Σ_k He_k(x) j!/(2^i i! k!), i = (j-k)/2. G = x^p keeps the self-interaction, G = He_p is that of distinct
    indices. Terms of lower degree act on the noise only: on the retrieved pattern they vanish as N → ∞.
    """
    p = whole("the degree of a polynomial interaction", len(coefficients) - 1, 3)
    if coefficients[p] != 1:
        raise Refused(f"the last coefficient of a polynomial must be 1, got {coefficients[p]!r}; divide all by it")
    weights = [0.0] * (p + 1)
    for k in range(1, p + 1):
        c = sum(
            coefficients[k + 2 * i] * (math.factorial(k + 2 * i) // (2**i * math.factorial(i) * math.factorial(k)))
            for i in range((p - k) // 2 + 1)
        )
        weights[k] = c * c * math.factorial(k) / p**2
    return Mixed(p, tuple(weights))


def homogeneous(function: Callable[[float], float], degree: int) -> Homogeneous:
    """ζ̂ of F(m) = G(m)/p with G a function that is homogeneous of degree p ≥ 3, G(x) = x^p for x > 0.

    Refused if G(1), G(±2) and G(-1) say otherwise.
    """
    noise = Homogeneous(degree, float(function(-1.0)))
    growth = 2.0**degree
    if not np.allclose(
        [function(x) for x in (1.0, 2.0, -2.0)], [1.0, growth, noise.ratio * growth], rtol=1e-12, atol=0
    ):
        raise Refused(
            f"the function must be homogeneous of degree {degree} with value 1 at 1; divide by its value at 1"
        )
    return noise


def _reason(law: Law) -> str | None:
    """Why there is no theory for a law, in one line; None if there is one."""
    interaction, ensemble = law.interaction, law.ensemble
    if not isinstance(interaction, Quadratic | Power | Rectified):
        return (
            "replica theory here is known for Quadratic, Power and Rectified interactions, "
            f"got {interaction}; simulate this one"
        )
    if interaction == Rectified(2):
        return "replica theory of Rectified needs degree >= 3, got 2 (at K = αN couplings respond); simulate this one"
    if isinstance(ensemble, Examples):
        return (
            f"learning from examples has its own theory, got {ensemble}; use theory.examples.solve, .capacity or .line"
        )
    fair = isinstance(ensemble, Rademacher) or ensemble in (Diluted(0), Biased(0))
    return None if fair else f"replica theory here needs Rademacher() patterns, got {ensemble}; simulate this ensemble"
