"""Random-energy thresholds against brute-force maxima, moment generating functions, and sums that were really drawn."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln, logsumexp
from scipy.stats import beta, norm

from hopsim.errors import Refused
from hopsim.theory import random_energy
from hopsim.theory.random_energy import BINARY, GAUSSIAN, SPHERICAL

ENSEMBLES = [GAUSSIAN, SPHERICAL, BINARY]
LOADS = [0.02, 0.2, 0.45, 0.65]
SHARPNESSES = [0.1, 0.6, 1.0, 3.0]
MOST = {GAUSSIAN: 12.0, SPHERICAL: 1 - 1e-9, BINARY: 1.0}


def written_out(patterns, a):
    """I(a) from its definition, for arrays 0 <= a < 1 (Gaussian: any a)."""
    if patterns is GAUSSIAN:
        return a**2 / 2
    if patterns is SPHERICAL:
        return -np.log(1 - a**2) / 2
    return ((1 + a) * np.log(1 + a) + (1 - a) * np.log(1 - a)) / 2


def grid(patterns):
    return np.linspace(0, MOST[patterns], 400_001)[:-1]


@pytest.mark.parametrize("patterns", ENSEMBLES)
@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("sharpness", SHARPNESSES)
def test_noise_exponent_is_the_maximum_over_overlaps_that_occur(patterns, load, sharpness):
    a = grid(patterns)
    rate = written_out(patterns, a)
    brute = np.max((load - rate + sharpness * a)[rate <= load])
    assert random_energy.noise_exponent(patterns, load=load, sharpness=sharpness) == pytest.approx(brute, abs=2e-4)


@pytest.mark.parametrize("patterns", ENSEMBLES)
@pytest.mark.parametrize("sharpness", SHARPNESSES)
def test_rate_and_cumulant_are_legendre_transforms(patterns, sharpness):
    a = grid(patterns)
    values = sharpness * a - written_out(patterns, a)
    best = int(np.argmax(values))
    assert patterns.cumulant(sharpness) == pytest.approx(values[best], abs=1e-8)
    assert patterns.tilted(sharpness) == pytest.approx(a[best], abs=1e-3)
    assert patterns.slope(patterns.tilted(sharpness)) == pytest.approx(sharpness, rel=1e-10)


@pytest.mark.parametrize("patterns", ENSEMBLES)
@pytest.mark.parametrize("load", [1e-12, 1e-3, 0.3, 0.69])
def test_the_largest_overlap_has_the_rate_of_the_load(patterns, load):
    assert patterns.rate(patterns.largest(load)) == pytest.approx(load, rel=1e-9)
    if load > 1e-6:
        assert written_out(patterns, patterns.largest(load)) == pytest.approx(load, rel=1e-9)


def test_the_cumulant_of_the_sphere_is_that_of_one_coordinate():
    """E exp(λ ξ·σ) at |ξ|² = |σ|² = N, by the density (1-a²)^((N-3)/2) of one coordinate of a random direction."""

    def exponent(N, sharpness):
        peak = SPHERICAL.cumulant(sharpness) * N
        integral = quad(
            lambda a: math.exp(N * sharpness * a + (N - 3) / 2 * math.log1p(-a * a) - peak), -1, 1, points=[0, 0.5, 0.8]
        )[0]
        norm = math.lgamma(N / 2) - math.lgamma((N - 1) / 2) - math.log(math.pi) / 2
        return (peak + math.log(integral) + norm) / N

    for sharpness in (0.3, 2.0):
        small, large = exponent(100, sharpness), exponent(200, sharpness)
        assert 2 * large - small == pytest.approx(SPHERICAL.cumulant(sharpness), abs=2e-5)


def drawn_binary(N, load, sharpness, rng):
    """(1/N) ln Σ exp(λM) of e^(αN) binary patterns, level by level: Poisson numbers, or their mean where it is huge."""
    k = np.arange(N + 1)
    mean = load * N + gammaln(N + 1) - gammaln(k + 1) - gammaln(N - k + 1) - N * math.log(2)
    number = np.where(mean < 30, rng.poisson(np.exp(np.minimum(mean, 30))), 1)
    exponents = np.where(mean < 30, 0.0, mean) + sharpness * (2 * k - N)
    return logsumexp(exponents[number > 0], b=number[number > 0]) / N


@pytest.mark.parametrize(("load", "sharpness"), [(0.1, 0.2), (0.1, 1.5), (0.4, 0.5), (0.4, 3.0)])
def test_sums_over_binary_patterns_that_were_drawn(load, sharpness):
    """Condensed sums fluctuate by a few ln N/N; without condensation α + κ(λ) the second and last would be far off."""
    N, rng = 2000, np.random.default_rng(1)
    mean = np.mean([drawn_binary(N, load, sharpness, rng) for _ in range(20)])
    exponent = random_energy.noise_exponent(BINARY, load=load, sharpness=sharpness)
    assert mean == pytest.approx(exponent, abs=2 * math.log(N) / N)
    if load < random_energy.condensation_load(BINARY, sharpness=sharpness):
        assert load + BINARY.cumulant(sharpness) > exponent + 8 * math.log(N) / N


def drawn_real(patterns, N, K, rng):
    """Overlaps with one configuration: of Gaussian patterns, or of directions through their first coordinate."""
    first = rng.standard_normal(K)
    if patterns is GAUSSIAN:
        return first / math.sqrt(N)
    return first / np.sqrt(first**2 + rng.chisquare(N - 1, K))


@pytest.mark.parametrize("patterns", [GAUSSIAN, SPHERICAL])
def test_sums_over_real_patterns_that_were_drawn(patterns):
    N, rng = 60, np.random.default_rng(2)
    sums = [logsumexp(0.3 * N * drawn_real(patterns, N, round(math.exp(0.2 * N)), rng)) / N for _ in range(12)]
    assert np.mean(sums) == pytest.approx(random_energy.noise_exponent(patterns, load=0.2, sharpness=0.3), abs=1e-3)


def drawn_extremes(patterns, N, load, rng):
    """The 1000 largest of e^(αN) overlaps: where the tail probability is Γ_j/K, Γ_j the times of a Poisson process."""
    tail = np.cumsum(rng.exponential(size=1000)) * math.exp(-load * N)
    if patterns is GAUSSIAN:
        return norm.isf(tail) / math.sqrt(N)
    return np.sqrt(beta.isf(2 * tail, 0.5, (N - 1) / 2))


@pytest.mark.parametrize("patterns", [GAUSSIAN, SPHERICAL])
@pytest.mark.parametrize("load", [0.2, 0.4])
def test_condensed_sums_over_real_patterns_that_were_drawn(patterns, load):
    N, rng, sharpness = 1500, np.random.default_rng(2), 3.0
    assert load < 0.9 * random_energy.condensation_load(patterns, sharpness=sharpness)
    drawn = [logsumexp(sharpness * N * drawn_extremes(patterns, N, load, rng)) / N for _ in range(12)]
    exponent = random_energy.noise_exponent(patterns, load=load, sharpness=sharpness)
    assert np.mean(drawn) == pytest.approx(exponent, abs=4 * math.log(N) / N)
    assert load + patterns.cumulant(sharpness) > exponent + 8 * math.log(N) / N


@pytest.mark.parametrize("patterns", ENSEMBLES)
@pytest.mark.parametrize("sharpness", SHARPNESSES)
@pytest.mark.parametrize("overlap", [0.2, 0.7, 1.0])
def test_at_the_retrieval_threshold_noise_equals_signal(patterns, sharpness, overlap):
    load = random_energy.retrieval_threshold(patterns, sharpness=sharpness, overlap=overlap)
    noise = random_energy.noise_exponent(patterns, load=load, sharpness=sharpness)
    assert noise == pytest.approx(sharpness * overlap, rel=1e-9)
    above = random_energy.noise_exponent(patterns, load=1.01 * load, sharpness=sharpness)
    binary_is_full = patterns is BINARY and load > 0.99 * math.log(2)
    assert above > noise or binary_is_full


def test_condensation_is_continuous_and_has_two_descriptions():
    for patterns in ENSEMBLES:
        load = random_energy.condensation_load(patterns, sharpness=0.8)
        assert random_energy.condensation_sharpness(patterns, load=load) == pytest.approx(0.8, rel=1e-9)
        below, above = (
            random_energy.noise_exponent(patterns, load=load * s, sharpness=0.8) for s in (1 - 1e-9, 1 + 1e-9)
        )
        assert below == pytest.approx(above, rel=1e-8)
    assert random_energy.condensation_sharpness(BINARY, load=0.7) == math.inf


def test_limits_of_the_retrieval_threshold():
    def threshold(patterns, sharpness):
        return random_energy.retrieval_threshold(patterns, sharpness=sharpness, overlap=1.0)

    assert threshold(GAUSSIAN, 0.5) == pytest.approx(0.375)
    assert [threshold(GAUSSIAN, s) for s in (1.0, 4.0, math.inf)] == [0.5, 0.5, 0.5]
    assert threshold(BINARY, math.inf) == math.log(2) == pytest.approx(threshold(BINARY, 15.0), abs=1e-9)
    assert threshold(SPHERICAL, math.inf) == math.inf
    assert threshold(SPHERICAL, 1e5) == pytest.approx((1 + math.log(1e5)) / 2, abs=1e-5)
    for patterns in ENSEMBLES:  # a vanishing sharpness: the signal λ against α alone
        assert threshold(patterns, 1e-6) == pytest.approx(1e-6, rel=1e-5)


def worst_excess(load, sharpness):
    """The largest of noise - signal over the norms of exp(αN) Gaussian patterns and their closest partners."""
    rho = np.linspace(1e-4, 1, 20001)
    rate = (rho - 1 - np.log(rho)) / 2
    rho, rate = rho[rate <= load], rate[rate <= load]
    a = np.sqrt(rho) * np.linspace(0, 3, 301)[:, None]
    cost = a**2 / (2 * rho)
    typical = np.where(cost <= load, load - cost + sharpness * a, -np.inf).max(axis=0)
    pair = np.where(cost <= 2 * load - rate, sharpness * a, -np.inf).max(axis=0)
    return float((np.maximum(typical, pair) - sharpness * rho).max())


@pytest.mark.parametrize("sharpness", [0.1, 0.4, 2.0])
def test_all_gaussian_patterns_by_brute_force_over_norms_and_overlaps(sharpness):
    load = random_energy.all_patterns_threshold(GAUSSIAN, sharpness=sharpness)
    assert worst_excess(0.97 * load, sharpness) < 0 < worst_excess(1.03 * load, sharpness)


def test_all_patterns_against_one():
    for sharpness in (0.1, 1.0, math.inf):
        one, both = (
            [f(p, sharpness=sharpness) for p in ENSEMBLES]
            for f in (
                lambda p, sharpness: random_energy.retrieval_threshold(p, sharpness=sharpness, overlap=1.0),
                random_energy.all_patterns_threshold,
            )
        )
        assert both[0] < one[0]
        assert both[1] == one[1]
        assert both[2] == min(one[2], math.log(2) / 2)
    assert random_energy.all_patterns_threshold(GAUSSIAN, sharpness=math.inf) == math.log(2) / 4


@pytest.mark.parametrize("sharpness", [0, -1.0, math.nan, 1e7, True, "2"])
def test_a_sharpness_that_cannot_be_is_refused(sharpness):
    with pytest.raises(Refused, match="sharpness must be"):
        random_energy.retrieval_threshold(BINARY, sharpness=sharpness, overlap=1.0)


def test_other_refusals():
    with pytest.raises(Refused, match="overlap must be > 0 and at most 1, got 1.2"):
        random_energy.retrieval_threshold(BINARY, sharpness=1.0, overlap=1.2)
    with pytest.raises(Refused, match="sharpness must be a finite number, got inf"):
        random_energy.noise_exponent(BINARY, load=0.1, sharpness=math.inf)
    with pytest.raises(Refused, match="load must be a finite number > 0"):
        random_energy.noise_exponent(BINARY, load=0.0, sharpness=1.0)
