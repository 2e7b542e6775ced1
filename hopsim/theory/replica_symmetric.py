"""The replica-symmetric ansatz, p = 2 (Amit, Gutfreund & Sompolinsky 1985, 1987) and p ≥ 3 (Gardner 1987).

With h = m^(p-1) + z √v, v = αr for p = 2 and αζ̂'(q) for p ≥ 3, C = β(1-q) and φ the noise part of crosstalk.py:

    m = ∫Dz tanh βh,  q = ∫Dz tanh² βh,  r = q/(1-C)² (p = 2)
    f = ((p-1)/p) m^p + α φ - T ∫Dz ln 2cosh βh

In a symmetric mixture n patterns have the overlap m (mixtures.py): h = m^(p-1) S + z √v, averages run over S too, the
first equation becomes m = <S ∫Dz tanh βh>/n and n m^p replaces m^p.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from ..networks import Law
from . import crosstalk, gaussian, glass, mixtures, retrieval
from .crosstalk import Noise, Responding
from .retrieval import Fold


@dataclass(frozen=True)
class Order:
    """Overlap m, Edwards-Anderson parameter q, for p = 2 the noise r (None for p ≥ 3).

    susceptibility is C = β(1-q). Solutions carry it, because q is 1 to rounding at low T and exactly at T = 0;
    left out, it follows from q at T > 0 and from r at T = 0 (for p ≥ 3 from the fields).
    """

    m: float
    q: float
    r: float | None = None
    susceptibility: float | None = None


@dataclass(frozen=True)
class ReplicaSymmetric:
    """One overlap q between all replicas. Every method takes a law (or its noise), a load α > 0 and T >= 0.

    patterns = 3, 5, ... makes the retrieval branch, its fold and its lines those of the mixtures of so many patterns.
    """

    lines: ClassVar[tuple[str, ...]] = ("spinodal", "coexistence", "glass", "stability")
    patterns: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "patterns", mixtures.checked_patterns(self.patterns))

    def order(self, law: Law | Noise, load: float, temperature: float, branch: str) -> Order:
        """The order on the "retrieval", "glass" or "paramagnet" branch. Raises NotConverged where it does not exist."""
        noise = crosstalk.noise(law)
        if branch == "retrieval":
            m, spread = retrieval.state(noise, load, temperature, self.patterns)
        else:
            m, spread = 0.0, glass.spread(noise, load, temperature, branch)
        return self._order(noise, temperature, m, spread)

    def fold(self, law: Law | Noise, temperature: float) -> Fold | None:
        """The end of the retrieval branch at a temperature; None where there is no retrieval."""
        return retrieval.fold(crosstalk.noise(law), temperature, self.patterns)

    def dominant(self, law: Law | Noise, load: float, temperature: float) -> Order:
        """The state with m = 0 that dominates: that of the largest free energy, the rule for n → 0 replicas."""
        noise = crosstalk.noise(law)
        spreads = glass.spreads(noise, load, temperature)
        orders = [self._order(noise, temperature, 0.0, spread) for spread in spreads]
        return max(orders, key=lambda order: self.free_energy(order, noise, load, temperature))

    def free_energy(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """f, a function of m, q and r off the saddle too; -T ln 2 at T → ∞."""
        noise = crosstalk.noise(law)
        a, spread = _field(noise, order, load, temperature)
        C = self._susceptibility(noise, order, load, temperature)
        crosstalk_part = noise.free_energy(order.q, C, spread**2 / load, temperature)
        p = noise.degree
        site = mixtures.average(self.patterns, gaussian.log_2cosh, a, spread, temperature)
        return (p - 1) / p * self.patterns * order.m**p + load * crosstalk_part - site

    def self_consistency(
        self, order: Order, law: Law | Noise, load: float, temperature: float
    ) -> tuple[float, float] | tuple[float, float, float]:
        """Residuals of the undamped map: ∫Dz tanh - m, ∫Dz tanh² - q and, for p = 2, q/(1-C)² - r.

        They make the gradient of f: n (p-1) m^(p-2) (-first), and αβ/2 times second and third in r and q for p = 2,
        αβζ̂''(q)/2 times second in q for p ≥ 3.
        """
        noise = crosstalk.noise(law)
        a, spread = _field(noise, order, load, temperature)
        answer = mixtures.response(self.patterns, a, spread, temperature)
        first, second = float(answer.m) - order.m, float(answer.q) - order.q
        if order.r is None:
            return first, second
        C = self._susceptibility(noise, order, load, temperature)
        return first, second, float(noise.variance(order.q, C)) - order.r

    def residual(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """The largest |residual| of the undamped map, with that of C = ∂m/∂a, which q does not resolve at low T."""
        noise = crosstalk.noise(law)
        a, spread = _field(noise, order, load, temperature)
        C = self._susceptibility(noise, order, load, temperature)
        answer = mixtures.response(self.patterns, a, spread, temperature)
        residuals: tuple[float, ...] = (*self.self_consistency(order, noise, load, temperature), float(answer.C) - C)
        return max(abs(residual) for residual in residuals)

    def energy(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """e = ∂(βf)/∂β at a solution, zero at T → ∞: -n m^p/p plus the crosstalk."""
        noise = crosstalk.noise(law)
        C = self._susceptibility(noise, order, load, temperature)
        signal = -self.patterns * order.m**noise.degree / noise.degree
        return signal + load * noise.energy(order.q, C, temperature)

    def entropy(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """s = -∂f/∂T at a solution. Negative at low T, where replica symmetry fails."""
        noise = crosstalk.noise(law)
        C = self._susceptibility(noise, order, load, temperature)
        site = mixtures.average(self.patterns, gaussian.entropy, *_field(noise, order, load, temperature), temperature)
        return site + load * noise.entropy(order.q, C)

    def stability(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float | None:
        """1 - αβ² ζ̂''(q) ∫Dz sech⁴ βh (p = 2: 1/(1-C)² for ζ̂''), negative where unstable (de Almeida-Thouless).

        It tends to -∞ at T → 0, at fixed load; None at T = 0.
        """
        if temperature == 0:
            return None
        noise = crosstalk.noise(law)
        C = self._susceptibility(noise, order, load, temperature)
        a, spread = _field(noise, order, load, temperature)
        sech4 = mixtures.average(self.patterns, gaussian.sech4, a, spread, temperature)
        return 1 - load * noise.stiffness(order.q, C) * (sech4 / temperature) / temperature

    def symmetry(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """1 - (p-1) m^(p-2) (C + βQ), Q = <ξ_1 ξ_2 tanh² βh>: negative where a mixture decays to unequal overlaps.

        The (n-1)-fold eigenvalue of the Hessian of f in m_1, ..., m_n, over (p-1) m^(p-2): λ_2 = 1 - C - βQ for p = 2
        (AGS 1985). Differences of overlaps do not couple to q. Defined at T = 0 too; at n = 1 it is 1 - C for p = 2.
        """
        noise = crosstalk.noise(law)
        a, spread = _field(noise, order, load, temperature)
        stiffness = (noise.degree - 1) * order.m ** (noise.degree - 2)
        return 1 - stiffness * mixtures.anisotropy(self.patterns, a, spread, temperature)

    def _order(self, noise: Noise, temperature: float, m: float, spread: float) -> Order:
        answer = mixtures.response(self.patterns, m ** (noise.degree - 1), spread, temperature)
        q, C = (float(answer.q) if spread > 0 else 0.0), float(answer.C)
        return Order(m, q, float(noise.variance(q, C)) if isinstance(noise, Responding) else None, C)

    def _susceptibility(self, noise: Noise, order: Order, load: float, temperature: float) -> float:
        if order.susceptibility is not None:
            return order.susceptibility
        if temperature > 0:
            return (1 - order.q) / temperature
        if order.r is not None:
            return 1 - 1 / math.sqrt(order.r)
        return float(mixtures.response(self.patterns, *_field(noise, order, load, temperature), temperature).C)


REPLICA_SYMMETRIC = ReplicaSymmetric()


def _field(noise: Noise, order: Order, load: float, temperature: float) -> tuple[float, float]:
    """Mean m^(p-1) and spread √v of the field."""
    variance = float(noise.variance(order.q, 0.0)) if order.r is None else order.r
    return order.m ** (noise.degree - 1), math.sqrt(load * variance)
