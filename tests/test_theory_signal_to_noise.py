"""Signal-to-noise estimates against exact sums of finite networks, counted flips and the replica equation."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import quad

import hopsim as hs
from hopsim.errors import Refused
from hopsim.interactions import Power, Quadratic
from hopsim.networks import Law
from hopsim.patterns import Diluted, Rademacher
from hopsim.theory import gaussian, signal_to_noise
from hopsim.theory.signal_to_noise import no_error_capacity, no_error_capacity_leading

INTERACTIONS = [Quadratic(), Power(3, "all"), Power(3, "distinct"), Power(4, "all"), Power(4, "distinct")]
LAWS = [Law(interaction, Rademacher()) for interaction in INTERACTIONS]
CLASSICAL, CUBIC = LAWS[0], LAWS[1]


def field_moments(interaction, N):
    """Exact aligned field at a stored pattern: signal, and variance per unit load by a sum over M' of N-1 spins."""
    unit, G = Fraction(interaction.unit(N)).limit_denominator(10**15), interaction.value
    signal = unit * Fraction(G(N, N) - G(N - 2, N), 2)
    total = sum(
        math.comb(N - 1, k) * Fraction(G(2 * k - N + 2, N) - G(2 * k - N, N), 2) ** 2 for k in range(N)
    ) / Fraction(2 ** (N - 1))
    return float(signal), float(unit**2 * total) * float(N) ** (interaction.degree - 1)


@pytest.mark.parametrize("law", LAWS)
def test_exact_networks_approach_the_variance_and_a_signal_of_one(law):
    (small, v_small), (large, v_large) = (field_moments(law.interaction, N) for N in (100, 200))
    assert 2 * large - small == pytest.approx(1, abs=2e-3)
    assert 2 * v_large - v_small == pytest.approx(signal_to_noise.crosstalk_variance(law), rel=3e-3)
    assert v_large == pytest.approx(v_small, rel=0.15)


@pytest.mark.parametrize("p", [3, 4, 5])
def test_variance_of_both_conventions(p):
    double_factorial = math.prod(range(2 * p - 3, 0, -2))
    both = [signal_to_noise.crosstalk_variance(Law(Power(p, i), Rademacher())) for i in ("all", "distinct")]
    assert both == pytest.approx([double_factorial, math.factorial(p - 1)], rel=1e-12)


@pytest.mark.parametrize("load", [0.01, 0.2, 3.0])
def test_error_probability_is_the_gaussian_integral(load):
    noise = load * 3  # (2p-3)!! = 3
    tail = quad(lambda x: math.exp(-x * x / (2 * noise)) / math.sqrt(2 * math.pi * noise), 1, 1 + 40 * noise**0.5)[0]
    assert signal_to_noise.error_probability(CUBIC, load=load) == pytest.approx(tail, rel=1e-7)


def flipped(law, neurons, patterns, seed):
    """The fraction of bits of stored patterns that differ after one synchronous sign update, from energies alone."""
    interaction = law.interaction
    xi = hs.Network(law, neurons, patterns).quench(np.random.default_rng(seed)).patterns.astype(np.int64)
    levels = np.array([interaction.value(M, neurons) for M in range(-neurons, neurons + 1, 2)], dtype=float)
    cued = xi[:, :100]
    overlaps = (cued.T.astype(float) @ xi).astype(np.int64)
    wrong = 0
    for here, site in zip(cued, xi, strict=True):
        after = overlaps - 2 * np.outer(here, site)
        wrong += ((levels[(after + neurons) // 2] - levels[(overlaps + neurons) // 2]).sum(axis=1) > 0).sum()
    return wrong / cued.size


@pytest.mark.parametrize(("law", "load"), [(LAWS[0], 0.5), (LAWS[1], 0.15), (LAWS[2], 0.3)])
def test_flips_that_were_counted(law, load):
    """6000 bits a sample, 6 samples, P ~ 0.07: a standard error of 0.001-0.002 and the 1/N of the fields."""
    N = 60
    K = law.interaction.patterns(N, load)
    counted = np.mean([flipped(law, N, K, seed) for seed in range(6)])
    signal, variance = field_moments(law.interaction, N)
    finite = math.erfc(signal / math.sqrt(2 * variance * (K - 1) / N ** (law.interaction.degree - 1))) / 2
    assert counted == pytest.approx(finite, abs=0.006)
    assert counted == pytest.approx(signal_to_noise.error_probability(law, load=load), abs=0.012)
    assert abs(counted - signal_to_noise.error_probability(law, load=1.3 * load)) > 0.02


@pytest.mark.parametrize("law", LAWS[1:])
def test_one_step_of_the_replica_equation_at_zero_temperature(law):
    load = 0.03
    spread = math.sqrt(load * signal_to_noise.crosstalk_variance(law))
    first = float(gaussian.response(1.0, spread, 0.0).m)
    assert 1 - 2 * signal_to_noise.error_probability(law, load=load) == pytest.approx(first, rel=1e-12)
    assert hs.theory.solve(law, load=load / 10, temperature=0).order.m == pytest.approx(
        1 - 2 * signal_to_noise.error_probability(law, load=load / 10), abs=1e-3
    )


def test_the_tail_is_the_tail_and_only_that():
    for load in (1e-3, 1e-2, 3e-2):
        exact = signal_to_noise.error_probability(CUBIC, load=load)
        excess = signal_to_noise.error_probability_tail(CUBIC, load=load) / exact - 1
        assert 0.75 * 3 * load < excess < 3 * load
    assert (
        signal_to_noise.error_probability_tail(CUBIC, load=10.0)
        > 1
        > signal_to_noise.error_probability(CUBIC, load=10.0)
    )


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("error", [1e-12, 0.005, 0.3])
def test_capacity_at_an_error_inverts_the_error(law, error):
    load = signal_to_noise.capacity_at_error(law, error=error)
    assert signal_to_noise.error_probability(law, load=load) == pytest.approx(error, rel=1e-8)


def test_a_tolerated_error_is_not_a_capacity():
    """The estimate passes the replica capacity without notice: p = 2 at 0.5 % gives 0.151."""
    assert signal_to_noise.capacity_at_error(CLASSICAL, error=0.005) == pytest.approx(1 / 2.5758293**2, rel=1e-6)
    assert hs.theory.capacity(CLASSICAL, temperature=0).load < signal_to_noise.capacity_at_error(CLASSICAL, error=0.005)
    assert signal_to_noise.error_probability(CLASSICAL, load=10.0) < 0.5


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("recalled", ["one", "all"])
def test_no_error_capacity_expects_one_wrong_bit(law, recalled):
    for N in (20, 10**3, 10**6):
        load = no_error_capacity(law, neurons=N, recalled=recalled)
        bits = N * (load * N ** (law.interaction.degree - 1) if recalled == "all" else 1)
        assert bits * signal_to_noise.error_probability(law, load=load) == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("recalled", ["one", "all"])
def test_no_error_capacity_tends_to_its_leading_order(law, recalled):
    ratios = [
        no_error_capacity(law, neurons=N, recalled=recalled)
        / no_error_capacity_leading(law, neurons=N, recalled=recalled)
        for N in (10**2, 10**6, 10**20)
    ]
    assert ratios[0] > ratios[1] > ratios[2] > 1
    assert ratios[2] < 1.15


def test_leading_orders_of_the_papers():
    N = 1000
    assert no_error_capacity_leading(CLASSICAL, neurons=N, recalled="one") == pytest.approx(1 / (2 * math.log(N)))
    assert no_error_capacity_leading(CLASSICAL, neurons=N, recalled="all") == pytest.approx(1 / (4 * math.log(N)))
    assert no_error_capacity_leading(LAWS[3], neurons=N, recalled="one") == pytest.approx(1 / (30 * math.log(N)))


def test_refusals():
    with pytest.raises(Refused, match="error must be a fraction of bits above 0 and below 0.5, got 0.5"):
        signal_to_noise.capacity_at_error(CUBIC, error=0.5)
    with pytest.raises(Refused, match='recalled must be "one" or "all"'):
        no_error_capacity(CUBIC, neurons=10, recalled="most")
    with pytest.raises(Refused, match="neurons must be an integer >= 3"):
        no_error_capacity(CUBIC, neurons=2, recalled="one")
    with pytest.raises(Refused, match="needs Rademacher"):
        signal_to_noise.error_probability(Law(Quadratic(), Diluted(0.3)), load=0.1)
