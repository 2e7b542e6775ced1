"""Errors of averages on series whose answer is known in closed form."""

import numpy as np
import pytest

from hopsim.statistics import autocorrelation_time, blocking, disorder_average, jackknife


def autoregressive(correlation, length, rng):
    """x_t = c x_(t-1) + √(1-c²) noise: unit variance, ρ(t) = c^t, τ = 1/2 + c/(1-c) = (1+c)/(2(1-c))."""
    noise = rng.standard_normal(length) * np.sqrt(1 - correlation**2)
    series = np.empty(length)
    series[0] = rng.standard_normal()
    for t in range(1, length):
        series[t] = correlation * series[t - 1] + noise[t]
    return series


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8, 0.9])
def test_autocorrelation_time_of_an_autoregressive_series(correlation):
    exact = (1 + correlation) / (2 * (1 - correlation))
    length = 2**14
    estimates = [autocorrelation_time(autoregressive(correlation, length, np.random.default_rng(s))) for s in range(20)]
    # Madras & Sokal: relative variance of one estimate about 2 (2 W + 1)/n with window W = 5 τ; 4 standard errors, and
    # the bias of cutting the sum at 5 τ, e^-5
    spread = exact * np.sqrt(2 * (10 * exact + 1) / length / 20)
    assert abs(np.mean(estimates) - exact) < 4 * spread + 0.01 * exact


def test_autocorrelation_time_of_a_constant_series_is_one_half():
    assert autocorrelation_time(np.full(100, 0.3)) == 0.5


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_blocking_finds_the_error_of_correlated_means(correlation):
    length, rng = 2**12, np.random.default_rng(3)
    found = [blocking(autoregressive(correlation, length, rng)) for _ in range(200)]
    true = np.sqrt((1 + correlation) / (1 - correlation) / length)
    assert np.std([b.value for b in found]) == pytest.approx(true, rel=0.2)  # 4 standard errors of a spread of 200
    # the largest of several noisy levels errs upwards: 16 blocks alone scatter by 1/√30 = 18 %
    assert 0.95 * true < np.mean([b.error for b in found]) < 1.3 * true
    if correlation:
        naive = np.mean([disorder_average(autoregressive(correlation, length, rng)).error for _ in range(50)])
        assert naive < 0.5 * true


def test_disorder_average_and_its_error():
    average = disorder_average(np.array([1.0, 2.0, 4.0]))
    assert average.value == pytest.approx(7 / 3)
    assert average.error == pytest.approx(np.sqrt(((1 - 7 / 3) ** 2 + (2 - 7 / 3) ** 2 + (4 - 7 / 3) ** 2) / 2 / 3))
    assert np.isnan(disorder_average(np.array([1.0])).error)


def test_jackknife_of_the_mean_is_the_standard_error():
    samples = np.random.default_rng(0).standard_normal(50)
    assert jackknife(lambda s: float(s.mean()), samples) == pytest.approx(disorder_average(samples))


def test_jackknife_removes_the_bias_of_a_square():
    """E[mean²] = μ² + σ²/n: the plain value is off by 1/n, the jackknife's is not; 4 standard errors, 4000 draws."""
    rng, n = np.random.default_rng(1), 10
    draws = 1.0 + rng.standard_normal((4000, n))
    plain = np.array([d.mean() ** 2 for d in draws])
    corrected = np.array([jackknife(lambda s: float(s.mean() ** 2), d).value for d in draws])
    assert abs(corrected.mean() - 1.0) < 4 * corrected.std() / np.sqrt(len(draws))
    assert abs(plain.mean() - 1.0) > 4 * plain.std() / np.sqrt(len(draws))
