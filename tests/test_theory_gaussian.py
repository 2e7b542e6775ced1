"""Gaussian averages against adaptive quadrature that is told where the kink is, and against closed forms."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erf

from hopsim.theory import gaussian

RNG = np.random.default_rng(20)
FIELDS = [(float(a), float(s)) for a, s in zip(RNG.uniform(0, 1.2, 4), 10 ** RNG.uniform(-3, 0.5, 4), strict=True)]
TEMPERATURES = [1e-6, 1e-3, 0.05, 0.4, 3.0, 1e3]


def adaptive(function, a, sigma, T):
    """∫Dz f((a + σz)/T), piece by piece between cuts around the kink."""
    cuts = [-a / sigma + T / sigma * x for x in (-40, -15, -5, -2, -0.7, 0, 0.7, 2, 5, 15, 40)]
    cuts = sorted({min(9.5, max(-9.5, z)) for z in (-9.5, -6, -3, 0, 3, 6, 9.5, *cuts)})

    def integrand(z):
        return function((a + sigma * z) / T) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    pieces = pairwise(cuts)
    return sum(quad(integrand, low, high, epsabs=1e-13, epsrel=1e-12)[0] for low, high in pieces)


def sech(x):
    return 1 / math.cosh(min(abs(x), 300.0))


def log_2cosh(x):
    return abs(x) + math.log1p(math.exp(-2 * abs(x)))


@pytest.mark.parametrize("T", TEMPERATURES)
@pytest.mark.parametrize(("a", "sigma"), FIELDS)
def test_averages_are_those_of_adaptive_quadrature(a, sigma, T):
    answer = gaussian.response(a, sigma, T)
    assert answer.m == pytest.approx(adaptive(math.tanh, a, sigma, T), abs=1e-13)
    assert answer.q == pytest.approx(adaptive(lambda x: math.tanh(x) ** 2, a, sigma, T), abs=1e-13)
    assert pytest.approx(adaptive(lambda x: sech(x) ** 2, a, sigma, T), rel=1e-9, abs=1e-13) == answer.C * T
    assert gaussian.sech4(a, sigma, T) == pytest.approx(
        adaptive(lambda x: sech(x) ** 4, a, sigma, T), rel=1e-9, abs=1e-13
    )
    free = T * adaptive(log_2cosh, a, sigma, T)
    assert gaussian.log_2cosh(a, sigma, T) == pytest.approx(free, rel=1e-12)
    entropy = adaptive(lambda x: log_2cosh(x) - x * math.tanh(x), a, sigma, T) if T > 0.01 else None
    assert entropy is None or gaussian.entropy(a, sigma, T) == pytest.approx(entropy, abs=1e-12)


def test_a_fixed_rule_would_fail():
    """The test above can fail: 100 Gauss-Hermite nodes are off by more than a thousandth at low temperature."""
    z, weights = np.polynomial.hermite_e.hermegauss(100)
    fixed = (weights * np.tanh((0.3 + 0.5 * z) / 1e-3)).sum() / np.sqrt(2 * np.pi)
    assert abs(fixed - gaussian.response(0.3, 0.5, 1e-3).m) > 1e-3


@pytest.mark.parametrize("T", [0.0, 1e-4, 0.3, 5.0])
def test_slopes_are_those_of_differences(T):
    a, v, step = 0.7, 0.3, 1e-4
    higher, lower = (gaussian.response(a, math.sqrt(v + sign * step), T) for sign in (1, -1))
    answer = gaussian.response(a, math.sqrt(v), T)
    # central differences: error of third order derivatives, < 100 step²
    assert answer.dm_dv == pytest.approx((higher.m - lower.m) / (2 * step), abs=100 * step**2)
    assert answer.dc_dv == pytest.approx((higher.C - lower.C) / (2 * step), abs=100 * step**2)


def test_zero_temperature_is_the_limit():
    """Sommerfeld: corrections of order T²."""
    a, sigma = 0.4, 0.5
    exact = gaussian.response(a, sigma, 0.0)
    assert exact.m == pytest.approx(erf(a / sigma / math.sqrt(2)), abs=1e-15)
    errors = [
        max(
            abs(gaussian.response(a, sigma, T).C - exact.C),
            abs(gaussian.log_2cosh(a, sigma, T) - gaussian.log_2cosh(a, sigma, 0)),
        )
        for T in (0.02, 0.01)
    ]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.02)


def test_no_noise_gives_a_point_mass():
    answer = gaussian.response(0.6, 0.0, 0.5)
    assert answer.m == pytest.approx(math.tanh(1.2), abs=1e-15)
    assert pytest.approx((1 - math.tanh(1.2) ** 2) / 0.5, rel=1e-13) == answer.C


@pytest.mark.parametrize("spread", [1e-12, 1e-6, 1e-3])
def test_small_answers_keep_their_relative_precision(spread):
    """Without a mean, ∫Dz tanh² βσz = x² - 2x⁴ + O(x⁶), x = βσ; far from the kink C falls like the Gaussian tail."""
    x = spread / 0.5
    assert gaussian.response(0.0, spread, 0.5).q == pytest.approx(x**2 - 2 * x**4, rel=1e-13 + 20 * x**4)
    tail = gaussian.response(0.8, 0.1, 1e-4)
    exact = gaussian.response(0.8, 0.1, 0.0)
    assert pytest.approx(exact.C, rel=1e-4) == tail.C


def test_arrays_are_averaged_element_by_element():
    a, sigma = np.array([[0.0], [0.9]]), np.array([0.1, 0.5, 2.0])
    answer = gaussian.response(a, sigma, 0.2)
    assert answer.m.shape == (2, 3)
    assert answer.q[1, 2] == pytest.approx(float(gaussian.response(0.9, 2.0, 0.2).q), abs=1e-15)
