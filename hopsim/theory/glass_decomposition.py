"""The free energy of the m = 0 state as that of a hard glass of Ising spins and a soft glass of Gaussian spins.

p = 2, replica-symmetric. With C = β(1-q) the neurons are a Sherrington-Kirkpatrick glass of coupling J = √α/(1-C) at
the same temperature, and the same q solves both. Hidden Gaussian spins, one a pattern, are a soft glass of inverse
temperature β_s = 1-C. With the pressures -βf per spin at their saddle points

    A_hard(b)    = (b²/4)(1-q)² + ∫Dz ln 2cosh(b√q z),                   b = βJ,   q = ∫Dz tanh²(b√q z)
    A_soft(b, λ) = (b²/4) s² - ½ ln(1-λ+b²s) + ½ b²s/(1-λ+b²s),          s = (b-1+λ)/b²

of exp[(b/√N) Σ_{i<j} J_ij σ_i σ_j] and exp[(b/√2K) Σ_ij J_ij z_i z_j - (b²/4K)(Σ z²)² + (λ/2) Σ z²] with Gaussian
couplings J_ij and Gaussian measure of z, the free energy of the network is exactly

    -βf = A_hard(βJ) - (βJ)²/4 + α A_soft(1-C, β) - αβ/2

This is the sum of a hard and a soft glass of Barra, Genovese, Guerra & Tantari (2012; there for Gaussian patterns),
derived here from the p = 2 free energy. The terms (βJ)²/4 and αβ/2, which both glasses count, are put into the
soft part, so that both parts stay finite at T → 0. For p ≥ 3 the patterns do not respond: the hard glass of covariance
α ζ̂ is the whole free energy.
"""

import math
from dataclasses import dataclass

from ..networks import Law
from . import crosstalk
from .crosstalk import Mixed, Noise, Responding
from .replica_symmetric import REPLICA_SYMMETRIC, Order
from .solution import checked_load, checked_temperature

SHERRINGTON_KIRKPATRICK = Mixed(2, (0.0, 0.0, 0.5))


@dataclass(frozen=True)
class Parts:
    """f = hard + soft per neuron, and the temperatures of the two glasses in units of their couplings.

    hard_temperature is T/J with J² = 2αζ̂(1), for p = 2 T(1-C)/√α, 1 at the glass transition. soft_temperature is
    1/(1-C), None for p ≥ 3, where soft = 0.
    """

    hard: float
    soft: float
    hard_temperature: float
    soft_temperature: float | None

    @property
    def free_energy(self) -> float:
        """f of the network."""
        return self.hard + self.soft


def decompose(law: Law | Noise, *, load: float, temperature: float) -> Parts:
    """The parts of the replica-symmetric free energy of the dominating state with m = 0."""
    noise, load, temperature = crosstalk.noise(law), checked_load(load), checked_temperature(temperature)
    order = REPLICA_SYMMETRIC.dominant(noise, load, temperature)
    if isinstance(noise, Mixed):
        hard = REPLICA_SYMMETRIC.free_energy(order, noise, load, temperature)
        return Parts(hard, 0.0, temperature / math.sqrt(2 * load * float(noise.zeta(1.0))), None)
    return _parts(noise, order, load, temperature)


def _parts(noise: Responding, order: Order, load: float, temperature: float) -> Parts:
    q, C = order.q, order.susceptibility
    assert C is not None
    gap = 1 / math.sqrt(noise.stiffness(q, C))  # 1 - C
    coupling = math.sqrt(load) / gap
    state = Order(0.0, q, None, C)
    hard = REPLICA_SYMMETRIC.free_energy(state, SHERRINGTON_KIRKPATRICK, coupling**2, temperature)
    # α/2 + βJ²/4 - αT A_soft(1-C, β) without the differences of terms that diverge at T → 0
    soft = load * (1 + temperature * math.log(gap) - q / gap + C * (1 + q) / (2 * gap**2)) / 2
    return Parts(hard, soft, temperature / coupling, 1 / gap)
