"""Interactions F(m): how the overlap with one stored pattern enters the energy E(σ) = -N Σ_μ F(m_μ).

Polynomial interactions are kept as integers: E = -unit · Σ_μ G(M_μ) + const with G integer on the possible overlaps
M = -n, -n+2, ..., n of a pattern with n non-zero entries, so that every energy difference is an exact integer.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from .errors import Refused, real, whole

Indices = Literal["distinct", "all"]
SHARPNESS_RANGE = (1e-6, 300.0)  # below, ΔE drowns in rounding; above, exp(2λ) leaves the floats


class Polynomial(ABC):
    """An interaction of finite degree p: load α = K/N^(p-1)."""

    degree: int

    @abstractmethod
    def unit(self, neurons: int) -> float:
        """Energy of one unit of G in a network of N neurons."""

    @abstractmethod
    def value(self, overlap: int, size: int) -> int:
        """G(M) for a pattern with `size` non-zero entries; M and size have the same parity."""

    def values(self, size: int) -> list[int]:
        """G at M = -size, -size + 2, ..., size."""
        return [self.value(overlap, size) for overlap in range(-size, size + 1, 2)]

    @abstractmethod
    def mean(self, size: int) -> Fraction:
        """Exact mean of G over uniformly random spins: the zero of the reported energy."""

    def load(self, neurons: int, patterns: int) -> float:
        """α = K/N^(p-1)."""
        return patterns / float(neurons) ** (self.degree - 1)

    def patterns(self, neurons: int, load: float) -> int:
        """The number of patterns nearest to a load: K = α N^(p-1)."""
        return round(load * float(neurons) ** (self.degree - 1))


@dataclass(frozen=True)
class Quadratic(Polynomial):
    """F(m) = m²/2, the classical Hopfield network (Hopfield 1982), with Hebbian couplings and no self-coupling.

    G(M) = (M² - n²)/4 and unit = 2/N, so that the cost of flipping σ_i is (2/N) (σ_i Σ_μ ξ_i^μ M_μ - Σ_μ (ξ_i^μ)²).
    """

    degree: int = field(default=2, init=False, repr=False)

    def unit(self, neurons: int) -> float:
        return 2 / neurons

    def value(self, overlap: int, size: int) -> int:
        return (overlap**2 - size**2) // 4

    def mean(self, size: int) -> Fraction:
        return Fraction(size - size**2, 4)


@dataclass(frozen=True)
class Power(Polynomial):
    """F(m) = m^p/p with degree p ≥ 3.

    indices = "all" keeps the terms with repeated indices: G(M) = M^p, unit = 1/(p N^(p-1)) (Krotov & Hopfield 2016).
    indices = "distinct" sums over i1 < ... < ip only (Gardner 1987; the p-spin literature): G(M) = e_p, the elementary
    symmetric polynomial of the n products ξ_i σ_i, the coefficient of t^p in (1+t)^((n+M)/2) (1-t)^((n-M)/2), and
    unit = (p-1)!/N^(p-1). Both agree as N → ∞ on the retrieved pattern and differ in the noise of the others.
    """

    degree: int
    indices: Indices

    def __post_init__(self) -> None:
        degree = _degree("Power", self.degree, 3, "for degree 2 use Quadratic()")
        object.__setattr__(self, "degree", degree)
        check_indices(self.indices)

    def unit(self, neurons: int) -> float:
        scale = 1 / self.degree if self.indices == "all" else math.factorial(self.degree - 1)
        return float(scale / float(neurons) ** (self.degree - 1))

    def value(self, overlap: int, size: int) -> int:
        if self.indices == "all":
            return int(overlap**self.degree)
        agree, differ = (size + overlap) // 2, (size - overlap) // 2
        return sum((-1) ** k * math.comb(differ, k) * math.comb(agree, self.degree - k) for k in range(self.degree + 1))

    def mean(self, size: int) -> Fraction:
        return Fraction(_moment(self.degree, size) if self.indices == "all" else 0)


@dataclass(frozen=True)
class Rectified(Polynomial):
    """F(m) = [m]₊^p/p, the rectified polynomial of Krotov & Hopfield (2016): G = max(M, 0)^p, unit = 1/(p N^(p-1)).

    On a retrieved pattern it equals x^p; patterns of negative overlap contribute nothing.
    """

    degree: int

    def __post_init__(self) -> None:
        degree = _degree("Rectified", self.degree, 2, "degree 2 is the smallest that stores patterns")
        object.__setattr__(self, "degree", degree)

    def unit(self, neurons: int) -> float:
        return 1 / (self.degree * float(neurons) ** (self.degree - 1))

    def value(self, overlap: int, size: int) -> int:
        return int(max(overlap, 0) ** self.degree)

    def mean(self, size: int) -> Fraction:
        total, states = 0, 1  # states: how many of the 2^n configurations have this overlap, from M = n downwards
        for differ in range((size + 1) // 2):
            total += states * (size - 2 * differ) ** self.degree
            states = states * (size - differ) // (differ + 1)
        return Fraction(total, 2**size)


class Exponentiated(ABC):
    """An interaction through Σ_μ exp(λ M_μ): load α = ln K / N."""

    sharpness: float

    def load(self, neurons: int, patterns: int) -> float:
        """α = ln K / N."""
        return math.log(patterns) / neurons

    def patterns(self, neurons: int, load: float) -> int:
        """The number of patterns nearest to a load: K = exp(αN)."""
        return round(math.exp(min(load * neurons, 700.0)))


@dataclass(frozen=True)
class Exponential(Exponentiated):
    """E = -Σ_μ exp(M_μ), sign updates only (Demircigil et al. 2017).

    Its energy exceeds any float for N > 709 and a temperature has no meaning there; the reported energy per neuron is
    -(1/N) ln Σ_μ exp(M_μ), that of LogSumExp(sharpness=1), whose sign updates are the same; differences below the
    rounding of the sum, a fraction K 2^-52 of it, count as ties.
    """

    sharpness: float = field(default=1.0, init=False, repr=False)


@dataclass(frozen=True)
class LogSumExp(Exponentiated):
    """E = -(1/λ) ln Σ_μ exp(λ M_μ) with sharpness λ > 0 (Ramsauer et al. 2020, on binary neurons); any temperature.

    λ → ∞ gives E = -max_μ M_μ. The mean over random spins has no closed form, so the reported energy is E/N itself.
    Energy differences below the rounding of the sum, K 2^-52 / λ, count as ties.
    """

    sharpness: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "sharpness", real("sharpness", self.sharpness))
        least, most = SHARPNESS_RANGE
        if not least <= self.sharpness <= most:
            raise Refused(f"LogSumExp needs a sharpness from {least:g} to {most:g}, got {self.sharpness!r}")


Interaction = Quadratic | Power | Rectified | Exponential | LogSumExp
CATALOGUE = (Quadratic, Power, Rectified, Exponential, LogSumExp)


def _moment(degree: int, size: int) -> int:
    """E[M^p] for a sum M of n random signs, by E[M^p] = n E[ε (ε + M')^(p-1)] with M' the sum of the other n - 1."""
    if degree == 0 or size == 0:
        return int(degree == 0)
    odd = range(1, degree, 2)
    return size * sum(math.comb(degree - 1, k) * _moment(degree - 1 - k, size - 1) for k in odd)


def check_indices(indices: str) -> None:
    """Refuse a convention for repeated indices that does not exist."""
    if indices not in ("distinct", "all"):
        raise Refused(f'indices must be "distinct" or "all", got {indices!r}')


def _degree(name: str, degree: int, least: int, way_out: str) -> int:
    try:
        return whole(f"{name}: degree", degree, least, 100)
    except Refused as error:
        raise Refused(f"{error}; {way_out}") from None
