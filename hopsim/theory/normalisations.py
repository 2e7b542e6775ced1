"""Normalisations of other papers: their load and temperature against ours, the same physics on rescaled axes.

Ours is E = -N Σ_μ m_μ^p/p at temperature T with K = α N^(p-1) patterns, for p = 2 as well. If a paper's H is c E, equal
Boltzmann weights need T_paper = c T; if it counts patterns as K = g α_paper N^(p-1), then α_paper = α/g.
"""

import math
from dataclasses import dataclass

from ..errors import whole
from .solution import checked_load


@dataclass(frozen=True)
class Normalisation:
    """Load and temperature of a paper in units of ours: α_paper = load · α and T_paper = temperature · T."""

    load: float
    temperature: float

    def to_paper(self, load: float, temperature: float) -> tuple[float, float]:
        """(α, T) of ours as the paper's."""
        return load * self.load, temperature * self.temperature

    def from_paper(self, load: float, temperature: float) -> tuple[float, float]:
        """The paper's (load, temperature) as our (α, T)."""
        return load / self.load, temperature / self.temperature


def gardner(degree: int) -> Normalisation:
    """H = -(N/2) Σ m^p and K = 2γ N^(p-1)/p!: γ = α p!/2, T_paper = (p/2) T. γ = α at p = 2.

    That of Gardner (1987) and of the plots of Albanese et al. (2022), as inferred from an author's code and from
    limits, not read in the papers. In it the noise of distinct indices is β²γ q^p/2, a p-spin glass with J² = γ.
    """
    p = _checked_degree(degree)
    return Normalisation(math.factorial(p) / 2, p / 2)


def krotov_hopfield(degree: int, *, neurons: int) -> Normalisation:
    """E = -Σ M^p of integer overlaps (Krotov & Hopfield 2016): K = α N^(p-1) as ours, T_paper = p N^(p-1) T."""
    p = _checked_degree(degree)
    return Normalisation(1.0, p * float(whole("neurons", neurons, 1)) ** (p - 1))


def theriault_tantari(degree: int) -> Normalisation:
    """H = -N Σ m^p and K = α_paper N^(p-1)/p! (Thériault & Tantari 2024): α_paper = α p!, T_paper = p T.

    In it the noise of distinct indices is β²α q^p.
    """
    p = _checked_degree(degree)
    return Normalisation(float(math.factorial(p)), float(p))


def p_spin_coupling(degree: int, *, load: float) -> float:
    """J of the p-spin glass that a network with distinct indices is at m = 0: J² = 2ζ(q)/q^p = 2α (p-1)!/p, p ≥ 3.

    H = -Σ J_{i1..ip} σ_i1..σ_ip over i1 < ... < ip with Var J_{i1..ip} = J² p!/(2N^(p-1)) (Gross & Mézard 1984); in
    units of J its temperature is T/J. With x^p, indices "all", lower degrees join and no single coupling describes it.
    """
    p = whole("degree of a p-spin glass", degree, 3, 100)
    return math.sqrt(2 * checked_load(load) * math.factorial(p - 1) / p)


def _checked_degree(degree: int) -> int:
    return whole("degree", degree, 2, 100)
