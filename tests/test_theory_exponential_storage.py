"""Storage of the exponential network: exponents by brute force and by drawn crosstalk, and small networks."""

import math

import numpy as np
import pytest
from scipy.special import gammaln

import hopsim as hs
from hopsim.errors import Refused
from hopsim.theory import exponential_storage as storage
from hopsim.theory import random_energy
from hopsim.theory.random_energy import BINARY


def rate(a):
    return ((1 + a) * np.log1p(a) + (1 - a) * np.log1p(-a)) / 2


GRID = np.linspace(0, 1, 400_001)[:-1]


@pytest.mark.parametrize("load", [0.05, 0.3, 0.6, 0.65])
@pytest.mark.parametrize("sharpness", [0.2, 1.0])
def test_crosstalk_exponent_is_the_maximum_over_overlaps_that_occur(load, sharpness):
    brute = np.max(((load - rate(GRID)) / 2 + sharpness * GRID)[rate(GRID) <= load])
    assert storage.crosstalk_exponent(load=load, sharpness=sharpness) == pytest.approx(brute, abs=1e-5)


def drawn_crosstalk(N, load, sharpness, rng):
    """(1/N) ln |Σ_μ ξ_i^μ exp(λ M_μ)| over e^(αN) patterns: at every level of M a signed Poisson number."""
    k = np.arange(N)
    mean = load * N + gammaln(N) - gammaln(k + 1) - gammaln(N - k) - (N - 1) * math.log(2)
    few = np.exp(np.minimum(mean, 30)) / 2
    signed = rng.poisson(few).astype(float) - rng.poisson(few)
    many = mean >= 30  # a sum of n signs is √n times a Gaussian
    signed[many] = rng.standard_normal(many.sum())
    exponents = np.where(many, mean / 2, 0.0) + sharpness * (2 * k - N + 1)
    exponents = exponents[signed != 0]
    top = exponents.max()
    return (top + math.log(abs((signed[signed != 0] * np.exp(exponents - top)).sum()))) / N


@pytest.mark.parametrize(("load", "sharpness"), [(0.2, 1.0), (0.5, 1.0), (0.65, 1.0), (0.3, 0.2)])
def test_crosstalk_that_was_drawn(load, sharpness):
    N, rng = 2000, np.random.default_rng(3)
    mean = np.mean([drawn_crosstalk(N, load, sharpness, rng) for _ in range(30)])
    exponent = storage.crosstalk_exponent(load=load, sharpness=sharpness)
    assert mean == pytest.approx(exponent, abs=2 * math.log(N) / N)


@pytest.mark.parametrize("errors", [0.0, 0.005, 0.02, 0.1, 0.3])
def test_the_typical_threshold_is_where_crosstalk_reaches_the_signal(errors):
    x = 1 - 2 * errors

    def margin(load):
        return x - np.max(((load - rate(GRID)) / 2 + GRID)[rate(GRID) <= load])

    load = storage.typical_threshold(errors=errors, sharpness=1.0)
    assert margin(load - 1e-3) > 0 > margin(load + 1e-3)


def test_published_thresholds_and_which_form_holds_where():
    assert storage.all_patterns_threshold(errors=0.0, sharpness=1.0) == pytest.approx(math.log(2) / 2)
    assert storage.typical_threshold(errors=0.0, sharpness=1.0) == pytest.approx(2 - math.log(math.cosh(2)))
    corner = (1 - math.tanh(2)) / 2
    for errors in (0.001, corner, 0.03, 0.2, 0.45):
        x = 1 - 2 * errors
        far, near = 2 * x - math.log(math.cosh(2)), rate(x)
        assert far <= near + 1e-12  # the smaller of the two is always the first, and below zero at many errors
        expected = far if errors < corner else near
        assert storage.typical_threshold(errors=errors, sharpness=1.0) == pytest.approx(expected, rel=1e-9)
        assert storage.all_patterns_threshold(errors=errors, sharpness=1.0) == pytest.approx(near / 2, rel=1e-9)


def test_basins_invert_the_thresholds():
    for sharpness in (0.3, 1.0, 4.0):
        for errors in (0.001, 0.1, 0.4):
            load = storage.typical_threshold(errors=errors, sharpness=sharpness)
            assert storage.typical_basin(load=load, sharpness=sharpness) == pytest.approx(errors, abs=1e-9)
            load = storage.all_patterns_threshold(errors=errors, sharpness=sharpness)
            assert storage.all_patterns_basin(load=load, sharpness=sharpness) == pytest.approx(errors, abs=1e-9)
    assert storage.typical_basin(load=0.676, sharpness=1.0) is None
    assert storage.all_patterns_basin(load=0.35, sharpness=1.0) is None
    assert storage.all_patterns_basin(load=0.2, sharpness=0.1) is None


def stable(load, N, seed, sharpness=1.0, shown=400):
    """Which of the first patterns of a sample are fixed points, and the weight of each at its own place."""
    quenched = hs.exponential(neurons=N, load=load).quench(np.random.default_rng(seed))
    patterns = quenched.patterns.astype(np.float32)
    first = patterns[:, :shown]
    weights = np.exp(sharpness * (first.T @ patterns - N))
    kept = np.ones(first.shape[1], dtype=bool)
    for here, site in zip(first, patterns, strict=True):
        aligned = np.outer(here, site)
        kept &= (aligned * np.exp(-sharpness * aligned) * weights).sum(axis=1) > 0
    return kept, 1 / weights.sum(axis=1)


def test_between_the_thresholds_a_typical_pattern_is_kept_but_not_all():
    """α = 0.5 lies between 0.347 and 0.675: ever more patterns are fixed points, but never all. At 0.15 all are."""
    fractions = [np.mean([stable(0.5, N, seed, shown=32)[0].mean() for seed in range(10)]) for N in (12, 20)]
    assert fractions[0] < 0.6
    assert fractions[1] > 0.75
    assert not any(stable(0.5, 12, seed, shown=403)[0].all() for seed in range(10))
    assert all(stable(0.15, 20, seed)[0].all() for seed in range(10))


def test_sign_updates_hold_patterns_that_have_lost_their_weight():
    """λ = 0.3, α = 0.3: above the 0.256 of the weight, below the 0.430 of sign updates."""
    load = 0.3
    assert random_energy.retrieval_threshold(BINARY, sharpness=0.3, overlap=1.0) < load
    assert storage.typical_threshold(errors=0.0, sharpness=0.3) > load
    small, large = (
        np.mean([[row.mean() for row in stable(load, N, seed, sharpness=0.3)] for seed in range(5)], axis=0)
        for N in (12, 24)
    )
    assert small[0] < 0.8 < 0.95 < large[0]
    assert large[1] < small[1] < 0.5


@pytest.mark.parametrize("errors", [-0.1, 0.5, math.nan, True])
def test_a_fraction_of_errors_that_cannot_be_is_refused(errors):
    with pytest.raises(Refused, match="errors"):
        storage.typical_threshold(errors=errors, sharpness=1.0)


def test_other_refusals():
    with pytest.raises(Refused, match="sharpness must be > 0 and at most 500000"):
        storage.typical_basin(load=0.1, sharpness=6e5)
    with pytest.raises(Refused, match="load must be a finite number > 0"):
        storage.all_patterns_basin(load=-0.1, sharpness=1.0)
