"""The noise of the other patterns against Gaussian covariances and against exact finite networks."""

import math
from fractions import Fraction

import numpy as np
import pytest

from hopsim import theory
from hopsim.errors import Refused
from hopsim.interactions import Exponential, LogSumExp, Power, Quadratic, Rectified
from hopsim.networks import Law
from hopsim.patterns import Biased, Diluted, Rademacher, Stored
from hopsim.theory import crosstalk


@pytest.mark.parametrize("p", range(3, 9))
@pytest.mark.parametrize("q", [0.0, 0.2, 0.7, 1.0])
def test_hermite_weights_are_the_covariance_of_powers(p, q):
    """ζ̂(q) = cov(x^p, y^p)/p² for unit Gaussians of correlation q, by a quadrature exact for these polynomials."""
    x, weights = np.polynomial.hermite_e.hermegauss(2 * p)
    weights = weights / weights.sum()
    y = q * x[:, None] + math.sqrt(1 - q * q) * x
    product = (weights[:, None] * weights * x[:, None] ** p * y**p).sum()
    covariance = (product - (weights * x**p).sum() ** 2) / p**2
    assert crosstalk.mixture(Power(p, "all")).zeta(q) == pytest.approx(covariance, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("p", [3, 4, 5])
def test_noise_at_full_overlap(p):
    double_factorial = math.prod(range(2 * p - 3, 0, -2))
    assert crosstalk.mixture(Power(p, "all")).derivative(1, 1.0) == pytest.approx(double_factorial, rel=1e-14)
    assert crosstalk.mixture(Power(p, "distinct")).derivative(1, 1.0) == pytest.approx(math.factorial(p - 1), rel=1e-14)


def exact_covariance(interaction, N, agree):
    """N^(p-2) unit² cov(G(M), G(M')) of one random pattern in two configurations that agree on `agree` sites."""
    differ = N - agree
    total = Fraction(0)
    for up in range(agree + 1):
        for turned in range(differ + 1):
            same, other = 2 * up - agree, 2 * turned - differ
            count = math.comb(agree, up) * math.comb(differ, turned)
            total += count * interaction.value(same + other, N) * interaction.value(same - other, N)
    covariance = total / 2**N - interaction.mean(N) ** 2
    return float(covariance) * interaction.unit(N) ** 2 * float(N) ** (interaction.degree - 2)


@pytest.mark.parametrize("interaction", [Power(3, "all"), Power(3, "distinct"), Power(4, "all"), Power(4, "distinct")])
def test_finite_networks_approach_the_noise_as_one_over_size(interaction):
    zeta = float(crosstalk.mixture(interaction).zeta(0.5))
    small, medium, large = (exact_covariance(interaction, N, 3 * N // 4) for N in (16, 32, 64))
    assert 2 * large - medium == pytest.approx(zeta, rel=0.06)
    assert (small - medium) / (medium - large) == pytest.approx(2, rel=0.25)


@pytest.mark.parametrize("q", [0.3, 0.999])
def test_quotients_are_the_differences_they_replace(q):
    mixture, C, T = crosstalk.mixture(Power(4, "all")), 0.8, (1 - q) / 0.8
    zeta, slope = mixture.zeta, mixture.derivative(1, q)
    gap = float(zeta(1.0) - zeta(q))
    assert mixture.energy(q, C, T) == pytest.approx(-gap / T, rel=1e-9)
    assert mixture.free_energy(q, C, slope, T) == pytest.approx(-(gap - (1 - q) * slope) / (2 * T), rel=1e-6)


UNKNOWN = [
    Law(Rectified(3), Rademacher()),
    Law(Exponential(), Rademacher()),
    Law(LogSumExp(1.0), Rademacher()),
    Law(Quadratic(), Diluted(0.2)),
    Law(Power(3, "all"), Biased(0.1)),
    Law(Quadratic(), Stored(np.ones((4, 2), dtype=np.int8))),
]


@pytest.mark.parametrize("law", UNKNOWN)
def test_laws_without_a_theory_are_refused_in_one_line(law):
    assert not theory.supports(law)
    with pytest.raises(Refused, match="replica theory") as refusal:
        theory.solve(law, load=0.05, temperature=0.1)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("ensemble", [Diluted(0.0), Biased(0.0)])
def test_ensembles_that_are_fair_signs_have_the_same_theory(ensemble):
    law = Law(Quadratic(), ensemble)
    assert theory.supports(law)
    reference = theory.solve(Law(Quadratic(), Rademacher()), load=0.05, temperature=0.1)
    assert theory.solve(law, load=0.05, temperature=0.1) == reference
