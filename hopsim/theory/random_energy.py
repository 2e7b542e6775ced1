"""Log-sum-exp networks with K = exp(αN) patterns as random energy models: thresholds of retrieval and condensation.

E(σ) = -(1/λ) ln Σ_μ exp(λ M_μ), M_μ = N a_μ. The overlaps a_μ of the patterns that are not retrieved are independent
with probability exp(-N I(a)), so they occur where I(a) <= α (Lucibello & Mézard 2024, after Derrida's model), and

    φ(α, λ) = lim (1/N) ln Σ_{μ>1} exp(λ N a_μ) = max_{a: I(a) <= α} [α - I(a) + λa]

With κ(λ) = max_a [λa - I(a)] this is α + κ(λ) where I(κ'(λ)) <= α. At smaller loads the maximum sits at the largest
overlap that occurs, I(a) = α, and φ = λa: the sum has condensed on a few patterns.

Pattern 1 enters the sum by its overlap x as exp(λNx), against exp(Nφ): its weight tends to 1 where φ < λx and to 0
where φ > λx. This decides about attention updates, and whether retrieval is locally stable at T > 0, where binary
neurons in the unit field of a pattern have x = tanh(1/T). Their sign updates at T = 0 hold a pattern further, because
there the other patterns enter with random signs: see exponential_storage.py.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from ..errors import Refused, real
from .fixed_point import root
from .solution import checked_load

SHARPEST = 1e6  # above, λ - κ(λ) loses digits


class Overlaps(ABC):
    """The law of the overlap a = ξ·σ/N of a pattern with an independent configuration, exp(-N I(a)) for a >= 0."""

    @abstractmethod
    def rate(self, overlap: float) -> float:
        """I(a); math.inf where a cannot occur."""

    @abstractmethod
    def slope(self, overlap: float) -> float:
        """I'(a), the sharpness at which a dominates."""

    @abstractmethod
    def tilted(self, sharpness: float) -> float:
        """κ'(λ), the overlap that dominates at λ: the inverse of `slope`."""

    @abstractmethod
    def cumulant(self, sharpness: float) -> float:
        """κ(λ) = lim (1/N) ln E exp(λ N a)."""

    @abstractmethod
    def largest(self, load: float) -> float:
        """The largest overlap among exp(αN) patterns, I(a) = α."""


@dataclass(frozen=True)
class Gaussian(Overlaps):
    """Entries of variance 1 against a configuration with |σ|² = N: I = a²/2, κ = λ²/2. Unbounded."""

    def rate(self, overlap: float) -> float:
        return overlap**2 / 2

    def slope(self, overlap: float) -> float:
        return overlap

    def tilted(self, sharpness: float) -> float:
        return sharpness

    def cumulant(self, sharpness: float) -> float:
        return sharpness**2 / 2

    def largest(self, load: float) -> float:
        return math.sqrt(2 * load)


@dataclass(frozen=True)
class Spherical(Overlaps):
    """Patterns uniform on |ξ|² = N: I = -½ ln(1-a²), κ' = 2λ/(1 + √(1+4λ²)), κ = λκ' + ½ ln(1-κ'²)."""

    def rate(self, overlap: float) -> float:
        return -math.log1p(-(overlap**2)) / 2 if overlap < 1 else math.inf

    def slope(self, overlap: float) -> float:
        return overlap / (1 - overlap**2) if overlap < 1 else math.inf

    def tilted(self, sharpness: float) -> float:
        return 2 / (1 / sharpness + math.hypot(1 / sharpness, 2))

    def cumulant(self, sharpness: float) -> float:
        return sharpness * self.tilted(sharpness) - self.rate(self.tilted(sharpness))

    def largest(self, load: float) -> float:
        return math.sqrt(-math.expm1(-2 * load))


@dataclass(frozen=True)
class Binary(Overlaps):
    """Entries ±1, hopsim's Rademacher: I = ½[(1+a) ln(1+a) + (1-a) ln(1-a)], κ = ln cosh λ. I(1) = ln 2."""

    def rate(self, overlap: float) -> float:
        if overlap >= 1:
            return math.log(2) if overlap == 1 else math.inf
        return overlap * math.atanh(overlap) + math.log1p(-(overlap**2)) / 2

    def slope(self, overlap: float) -> float:
        return math.atanh(overlap) if overlap < 1 else math.inf

    def tilted(self, sharpness: float) -> float:
        return math.tanh(sharpness)

    def cumulant(self, sharpness: float) -> float:
        if sharpness < 1:
            return math.log1p(2 * math.sinh(sharpness / 2) ** 2)
        return sharpness + math.log1p(math.exp(-2 * sharpness)) - math.log(2)

    def largest(self, load: float) -> float:
        return root(lambda a: self.rate(a) - load, 0.0, 1.0) if load < math.log(2) else 1.0


GAUSSIAN, SPHERICAL, BINARY = Gaussian(), Spherical(), Binary()


def noise_exponent(patterns: Overlaps, *, load: float, sharpness: float) -> float:
    """φ(α, λ) = lim (1/N) ln Σ exp(λ N a) over the patterns that are not retrieved."""
    load, sharpness = checked_load(load), checked_sharpness(sharpness)
    if condensation_load(patterns, sharpness=sharpness) <= load:
        return load + patterns.cumulant(sharpness)
    return sharpness * patterns.largest(load)


def condensation_load(patterns: Overlaps, *, sharpness: float) -> float:
    """The load I(κ'(λ)) below which the noise is condensed on a few patterns; λ²/2 for Gaussian patterns."""
    return patterns.rate(patterns.tilted(_limit_or_checked(sharpness)))


def condensation_sharpness(patterns: Overlaps, *, load: float) -> float:
    """The sharpness λ_* = I'(a), I(a) = α, above which the noise is condensed; √(2α) for Gaussian patterns.

    math.inf for binary patterns at α >= ln 2, where every configuration is stored.

    >>> random_energy = hs.theory.random_energy
    >>> round(random_energy.condensation_sharpness(random_energy.GAUSSIAN, load=0.5), 9)
    1.0
    """
    return patterns.slope(patterns.largest(checked_load(load)))


def retrieval_threshold(patterns: Overlaps, *, sharpness: float, overlap: float) -> float:
    """α_1: below this load a configuration of overlap x with a typical pattern gives that pattern all the weight.

        φ(α_1, λ) = λx:   α_1 = λx - κ(λ) where x > κ'(λ);   I(x) where the noise at the threshold is condensed

    At x = 1, the pattern itself: λ - λ²/2 up to λ = 1 and 1/2 beyond (Gaussian, |ξ|² = N), λ - ln cosh λ → ln 2
    (binary), λ - κ(λ) ~ (1 + ln λ)/2 → ∞ (spherical). sharpness = math.inf gives the limit I(x).
    """
    sharpness, overlap = _limit_or_checked(sharpness), _checked_overlap(overlap)
    if overlap <= patterns.tilted(sharpness):
        return patterns.rate(overlap)
    return sharpness * overlap - patterns.cumulant(sharpness)


def all_patterns_threshold(patterns: Overlaps, *, sharpness: float) -> float:
    """α_c: below this load each of the exp(αN) patterns has all the weight at its own place.

    Two ways to fail besides the typical one, both by counting patterns (first moments, exact in the exponent):
    a pair that overlaps by more than the pattern with itself, of which there are exp N(2α - I); and, for Gaussian
    patterns, a pattern of small norm. For norm² Nρ with I_ρ = (ρ - 1 - ln ρ)/2 both thresholds scale,

        2α < I(1):                binary ½ ln 2, spherical none, so α_c = α_1
        2α < min_ρ [I_ρ + ρ/2] = ½ ln 2   and   α < ρ α_1(λ) at I_ρ = α:      Gaussian, ¼ ln 2 = 0.173 at large λ

    Lucibello & Mézard (2024) define α_1 and lower bounds for α_c; these formulas are derived here, not copied.
    """
    typical = retrieval_threshold(patterns, sharpness=sharpness, overlap=1.0)
    if not isinstance(patterns, Gaussian):
        return min(typical, patterns.rate(1.0) / 2)
    smallest = root(lambda rho: rho * (1 - 2 * typical) - 1 - math.log(rho), 1e-3, 1.0)
    return min(smallest * typical, math.log(2) / 4)


def checked_sharpness(sharpness: float, most: float = SHARPEST) -> float:
    """The sharpness as a float; refused unless it is a positive number, not so large that digits are lost."""
    sharpness = real("sharpness", sharpness)
    if not 0 < sharpness <= most:
        raise Refused(f"sharpness must be > 0 and at most {most:g}, got {sharpness!r}")
    return sharpness


def _limit_or_checked(sharpness: float) -> float:
    return sharpness if sharpness == math.inf else checked_sharpness(sharpness)


def _checked_overlap(overlap: float) -> float:
    overlap = real("overlap", overlap)
    if not 0 < overlap <= 1:
        raise Refused(f"overlap must be > 0 and at most 1, got {overlap!r}")
    return overlap
