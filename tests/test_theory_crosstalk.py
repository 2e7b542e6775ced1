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


FINITE = [Power(3, "all"), Power(3, "distinct"), Power(4, "all"), Power(4, "distinct"), Rectified(3), Rectified(4)]


@pytest.mark.parametrize("interaction", FINITE)
def test_finite_networks_approach_the_noise_as_one_over_size(interaction):
    zeta = float(crosstalk.mixture(interaction).zeta(0.5))
    small, medium, large = (exact_covariance(interaction, N, 3 * N // 4) for N in (16, 32, 64))
    assert 2 * large - medium == pytest.approx(zeta, rel=0.06)
    assert (small - medium) / (medium - large) == pytest.approx(2, rel=0.25)


@pytest.mark.parametrize("interaction", [Power(4, "all"), Rectified(3), Rectified(4)])
@pytest.mark.parametrize("q", [0.3, 0.999])
def test_quotients_are_the_differences_they_replace(interaction, q):
    mixture, C, T = crosstalk.mixture(interaction), 0.8, (1 - q) / 0.8
    zeta, slope = mixture.zeta, mixture.derivative(1, q)
    gap = float(zeta(1.0) - zeta(q))
    assert mixture.energy(q, C, T) == pytest.approx(-gap / T, rel=1e-9)
    assert mixture.free_energy(q, C, slope, T) == pytest.approx(-(gap - (1 - q) * slope) / (2 * T), rel=1e-6)


@pytest.mark.parametrize("interaction", [Power(3, "all"), Power(5, "distinct"), Rectified(3), Rectified(4)])
@pytest.mark.parametrize(("q", "d"), [(0.2, 0.5), (0.6, 0.4), (0.9999, 1e-5), (0.4, 0.0)])
def test_increments_are_differences(interaction, q, d):
    noise = crosstalk.mixture(interaction)

    def terms(q):
        slope, bend = noise.derivative(1, q), noise.derivative(2, q)
        return np.array([slope, q * slope - float(noise.zeta(q)), q * bend])

    assert noise.increments(q, d) == pytest.approx(terms(q + d) - terms(q), rel=1e-12, abs=1e-12)
    small = 1e-7
    slopes = (terms(0.5 + 1e-4) - terms(0.5 - 1e-4)) / 2e-4
    assert np.array(noise.increments(0.5 - small / 2, small)) / small == pytest.approx(slopes, rel=1e-6)


def half_line(p, q):
    """E[[x]₊^p [y]₊^p] in polar coordinates: (2^p p!/2π) ∫ cos^p φ cos^p(φ-θ) dφ over both positive, q = cos θ."""
    theta = math.acos(q)
    nodes, weights = np.polynomial.legendre.leggauss(60)
    phi = theta / 2 + (math.pi - theta) / 2 * nodes
    integral = (math.pi - theta) / 2 * (weights * np.cos(phi) ** p * np.cos(phi - theta) ** p).sum()
    return 2**p * math.factorial(p) / (2 * math.pi) * integral


@pytest.mark.parametrize("p", [3, 4, 7])
@pytest.mark.parametrize("ratio", [0.0, 1.0, -1.0, 0.3])
@pytest.mark.parametrize("q", [-0.4, 0.0, 0.6, 0.9999, 1.0])
def test_homogeneous_interactions_by_an_integral_over_angles(p, ratio, q):
    """All four quadrants: the same sign twice, opposite signs twice."""
    noise, scale = crosstalk.Homogeneous(p, ratio), math.factorial(p) ** 2
    mean = (1 + ratio) * math.sqrt(half_line(p, 0.0))
    covariance = (1 + ratio**2) * half_line(p, q) + 2 * ratio * half_line(p, -q) - mean**2
    assert noise.zeta(q) == pytest.approx(covariance / p**2, abs=1e-14 * scale)
    slope = (1 + ratio**2) * half_line(p - 1, q) - 2 * ratio * half_line(p - 1, -q)
    assert noise.derivative(1, q) == pytest.approx(slope, rel=1e-12, abs=1e-14 * scale)
    curvature = (1 + ratio**2) * half_line(p - 2, q) + 2 * ratio * half_line(p - 2, -q)
    assert noise.derivative(2, q) == pytest.approx((p - 1) ** 2 * curvature, rel=1e-12)


@pytest.mark.parametrize("p", [3, 4, 5])
def test_homogeneous_powers_are_powers(p):
    closed, finite = crosstalk.homogeneous(lambda x: x**p, p), crosstalk.mixture(Power(p, "all"))
    q = np.linspace(-1, 1, 9)
    assert closed.zeta(q) == pytest.approx(finite.zeta(q), abs=1e-12)
    assert closed.variance(q, 0.0) == pytest.approx(finite.variance(q, 0.0), abs=1e-12)
    assert closed.weights[: p + 1] == pytest.approx(finite.weights, abs=1e-12)
    state = {"load": 0.5 * theory.capacity(finite, temperature=0).load, "temperature": 0.2}
    assert theory.solve(closed, **state).free_energy == pytest.approx(
        theory.solve(finite, **state).free_energy, abs=1e-13
    )


@pytest.mark.parametrize(("function", "p"), [(lambda x: max(x, 0.0) ** 3, 3), (lambda x: abs(x) ** 3, 3)])
def test_hermite_series_of_kinked_interactions(function, p):
    """Coefficients by quadrature on both half-lines; the series meets the closed form, slowly towards q = 1."""
    noise = crosstalk.homogeneous(function, p)
    nodes, weights = np.polynomial.legendre.leggauss(400)
    x = np.concatenate([-12 * (1 + nodes) / 2, 12 * (1 + nodes) / 2])
    measure = np.tile(6 * weights, 2) * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    G = np.array([function(value) for value in x])
    for k in (1, 2, 3, 6, 9):
        hermite = np.polynomial.hermite_e.hermeval(x, [0.0] * k + [1.0]) / math.sqrt(math.factorial(k))
        assert noise.weights[k] == pytest.approx(((measure * G * hermite).sum() / p) ** 2, abs=1e-13)
    series = np.polynomial.Polynomial(noise.weights)
    assert noise.zeta(0.6) == pytest.approx(series(0.6), abs=1e-14)
    assert 1e-9 < noise.zeta(1.0) - series(1.0) < 1e-6


def test_rectified_capacity_is_twice_that_of_the_power():
    """At T = 0 only ζ̂'(1) enters, (2p-3)!!/2 for [x]₊^p."""
    for p in (3, 4, 5):
        rectified, power = (
            theory.capacity(Law(i, Rademacher()), temperature=0) for i in (Rectified(p), Power(p, "all"))
        )
        assert rectified.load == pytest.approx(2 * power.load, rel=1e-13)
        assert rectified.m == pytest.approx(power.m, abs=1e-9)


def test_polynomials():
    """He_p is the interaction of distinct indices; lower terms join the noise, here by quadrature."""
    assert crosstalk.polynomial([0, -3, 0, 1]).weights == pytest.approx(crosstalk.mixture(Power(3, "distinct")).weights)
    coefficients, q = [0.7, -1.0, 2.0, 0.5, 1], 0.4
    x, weights = np.polynomial.hermite_e.hermegauss(10)
    weights = weights / weights.sum()
    G = np.polynomial.Polynomial(coefficients)
    product = (weights[:, None] * weights * G(x)[:, None] * G(q * x[:, None] + math.sqrt(1 - q * q) * x)).sum()
    covariance = (product - (weights * G(x)).sum() ** 2) / 16
    assert crosstalk.polynomial(coefficients).zeta(q) == pytest.approx(covariance, rel=1e-12)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: crosstalk.polynomial([0, 0, 0, 2]), "must be 1, got 2; divide"),
        (lambda: crosstalk.polynomial([0, 0, 1]), "degree of a polynomial interaction must be an integer >= 3, got 2"),
        (lambda: crosstalk.homogeneous(lambda x: x**3 + x, 3), "homogeneous of degree 3"),
        (lambda: crosstalk.homogeneous(lambda x: 2 * abs(x) ** 3, 3), "value 1 at 1"),
    ],
)
def test_other_functions_are_refused(build, says):
    with pytest.raises(Refused, match=says):
        build()


UNKNOWN = [
    Law(Rectified(2), Rademacher()),
    Law(Rectified(3), Diluted(0.2)),
    Law(Exponential(), Rademacher()),
    Law(LogSumExp(1.0), Rademacher()),
    Law(Power(3, "all"), Diluted(0.2)),
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
