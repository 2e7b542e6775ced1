"""Storage of K = exp(αN) binary patterns under sign updates at T = 0: two thresholds that mean different things.

For E = -Σ_μ exp(λ M_μ), or log-sum-exp, whose sign updates are the same, site i of a configuration of overlap
x = 1 - 2ρ with pattern 1 (a fraction ρ of wrong bits at random sites) follows the sign of

    ξ_i^1 exp(λNx) + Σ_{μ>1} ξ_i^μ exp(λ M_μ)     (sums without site i)

The signs ξ_i^μ are independent of M_μ: the exp N(α - I(a)) patterns at overlap a add up like a random walk, and the
crosstalk is exp(Nψ) with I(a) = ½[(1+a) ln(1+a) + (1-a) ln(1-a)] and

    ψ = max_{a: I(a) <= α} [(α - I(a))/2 + λa] = ½ φ(α, 2λ),  φ of random_energy.py for binary patterns

 - a typical pattern corrects its wrong bits in one sweep while ψ < λx: α < I(x) for x <= tanh 2λ, where at the
   threshold a single other pattern comes as close, and α < 2λx - ln cosh 2λ above, where many farther ones add up;
 - all patterns do while, also, no two of them are that close: there are exp N(2α - I(x)) such pairs, so α < I(x)/2.

λ = 1 is the network of Demircigil et al. (2017), who prove α < I(1-2ρ)/2; ρ = 0: ½ ln 2 = 0.347 for all patterns and
2 - ln cosh 2 = 0.675 for a typical one.
"""

import math

from ..errors import Refused, real
from .random_energy import BINARY, SHARPEST, checked_sharpness, noise_exponent, retrieval_threshold
from .solution import checked_load


def crosstalk_exponent(*, load: float, sharpness: float) -> float:
    """ψ(α, λ) = lim (1/N) ln |Σ_{μ>1} ξ_i^μ exp(λ M_μ)|."""
    return noise_exponent(BINARY, load=load, sharpness=_doubled(sharpness)) / 2


def typical_threshold(*, errors: float, sharpness: float) -> float:
    """The load below which a typical pattern corrects a fraction ρ of wrong bits in one sweep.

    2λ(1-2ρ) - ln cosh 2λ for 1-2ρ > tanh 2λ, otherwise I(1-2ρ), which is never the smaller of the two.
    """
    return retrieval_threshold(BINARY, sharpness=_doubled(sharpness), overlap=1 - 2 * _checked_errors(errors))


def all_patterns_threshold(*, errors: float, sharpness: float) -> float:
    """The load below which all K patterns at once correct a fraction ρ of wrong bits in one sweep.

    I(1-2ρ)/2 for λ >= 1 (Demircigil et al. 2017: λ = 1), less at λ so small that a typical pattern fails first.

    (ln 2)/2 where few bits are wrong:

    >>> storage = hs.theory.exponential_storage
    >>> round(storage.all_patterns_threshold(errors=0.0, sharpness=1.0), 4), round(float(np.log(2)) / 2, 4)
    (0.3466, 0.3466)
    """
    typical = typical_threshold(errors=errors, sharpness=sharpness)
    return min(typical, BINARY.rate(1 - 2 * errors) / 2)


def typical_basin(*, load: float, sharpness: float) -> float | None:
    """The largest fraction of wrong bits that a typical pattern corrects in one sweep; None if it is no fixed point."""
    return _errors_at(crosstalk_exponent(load=load, sharpness=sharpness) / sharpness)


def all_patterns_basin(*, load: float, sharpness: float) -> float | None:
    """The largest fraction of wrong bits that all patterns correct in one sweep; None if not all are fixed points."""
    if 2 * checked_load(load) > math.log(2):
        return None
    return _errors_at(max(BINARY.largest(2 * load), crosstalk_exponent(load=load, sharpness=sharpness) / sharpness))


def _errors_at(overlap: float) -> float | None:
    return (1 - overlap) / 2 if overlap <= 1 else None


def _doubled(sharpness: float) -> float:
    return 2 * checked_sharpness(sharpness, SHARPEST / 2)


def _checked_errors(errors: float) -> float:
    errors = real("errors", errors)
    if not 0 <= errors < 0.5:
        raise Refused(f"errors, the fraction of wrong bits, must be >= 0 and below 0.5, got {errors!r}")
    return errors
