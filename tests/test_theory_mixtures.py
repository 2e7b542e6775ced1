"""Symmetric mixtures against explicit sums over the signs of the patterns, closed limits and published values."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.special import erf

from hopsim import theory
from hopsim.errors import Refused
from hopsim.interactions import Power, Quadratic
from hopsim.networks import Law
from hopsim.patterns import Rademacher
from hopsim.theory import NotConverged, Order, ReplicaSymmetric, crosstalk, gaussian, mixtures

HOPFIELD = Law(Quadratic(), Rademacher())
CUBIC = Law(Power(3, "all"), Rademacher())
THREE = ReplicaSymmetric(patterns=3)
POINTS = [(HOPFIELD, 0.01, 0.1), (HOPFIELD, 0.001, 0.4), (CUBIC, 0.002, 0.05)]


def free_energy(law, load, T, overlaps, q, r=None):
    """f with an overlap for each pattern, every choice of their signs summed."""
    noise, p, beta = crosstalk.noise(law), law.interaction.degree, 1 / T
    if p == 2:
        C = beta * (1 - q)
        part = load / 2 + load / (2 * beta) * (math.log(1 - C) - beta * q / (1 - C)) + load * beta / 2 * r * (1 - q)
        spread = math.sqrt(load * r)
    else:
        zeta = noise.zeta
        part = -beta * load / 2 * (zeta(1.0) - zeta(q) - (1 - q) * noise.derivative(1, q))
        spread = math.sqrt(load * noise.derivative(1, q))
    fields = [np.dot(xi, np.power(overlaps, p - 1)) for xi in itertools.product((-1, 1), repeat=len(overlaps))]
    return (p - 1) / p * np.power(overlaps, p).sum() + part - gaussian.log_2cosh(fields, spread, T).mean()


@pytest.mark.parametrize(("law", "load", "T"), POINTS)
@pytest.mark.parametrize("patterns", [3, 5])
def test_mixtures_are_stationary_points_of_the_free_energy(law, load, T, patterns):
    ansatz = ReplicaSymmetric(patterns)
    load *= 3 / patterns**2
    s = theory.solve(law, load=load, temperature=T, ansatz=ansatz)
    x = np.array([s.order.m] * patterns + [s.order.q] + ([s.order.r] if s.order.r is not None else []))

    def f(x):
        return free_energy(law, load, T, x[:patterns], *x[patterns:])

    assert s.free_energy == pytest.approx(f(x), abs=1e-13)
    assert s.free_energy == pytest.approx(s.energy - T * s.entropy, abs=1e-12)
    for direction in np.eye(len(x)):
        step = 1e-5 * direction
        assert (f(x + step) - f(x - step)) / 2e-5 == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(("law", "load", "T"), POINTS)
def test_symmetry_is_the_curvature_against_unequal_overlaps(law, load, T):
    s, p = theory.solve(law, load=load, temperature=T, ansatz=THREE), law.interaction.degree
    x = np.array([s.order.m] * 3)
    rest = (s.order.q,) if s.order.r is None else (s.order.q, s.order.r)
    step = 1e-4 * np.array([1, -1, 0]) / math.sqrt(2)
    curvature = sum(w * free_energy(law, load, T, x + k * step, *rest) for k, w in ((-1, 1), (0, -2), (1, 1))) / 1e-8
    symmetry = THREE.symmetry(s.order, law, load, T)
    assert curvature == pytest.approx((p - 1) * s.order.m ** (p - 2) * symmetry, abs=1e-5)


@pytest.mark.parametrize("law", [HOPFIELD, CUBIC])
def test_self_consistency_is_the_gradient_of_the_free_energy(law):
    p, load, T = law.interaction.degree, 0.02, 0.5
    order = {"m": 0.4, "q": 0.7} | ({"r": 1.5} if p == 2 else {})

    def slope(name):
        higher, lower = (
            THREE.free_energy(Order(**order | {name: order[name] + s}), law, load, T) for s in (1e-5, -1e-5)
        )
        return (higher - lower) / 2e-5

    first, second, *third = THREE.self_consistency(Order(**order), law, load, T)
    assert slope("m") == pytest.approx(-3 * (p - 1) * order["m"] ** (p - 2) * first, abs=1e-8)
    noise = crosstalk.noise(law)
    in_q = third[0] if third else noise.derivative(2, order["q"]) * second
    assert slope("q") == pytest.approx(load / (2 * T) * in_q, abs=1e-8)


def test_one_pattern_is_retrieval():
    single = gaussian.response(0.7, 0.4, 0.2)
    values, weights = mixtures.sums(1)
    assert (values.tolist(), weights.tolist()) == ([1.0], [1.0])
    assert mixtures.response(1, 0.7, 0.4, 0.2).m == single.m
    assert ReplicaSymmetric() == ReplicaSymmetric(patterns=1)


@pytest.mark.parametrize(("patterns", "overlap"), [(3, 1 / 2), (5, 3 / 8), (7, 5 / 16)])
def test_ground_states_at_no_load(patterns, overlap):
    """m = <|S|>/n and E = -n m²/2 (AGS 1985): -0.375, -0.352, -0.342 against -1/2 of retrieval."""
    s = theory.solve(HOPFIELD, load=1e-12, temperature=0, ansatz=ReplicaSymmetric(patterns))
    assert s.order.m == pytest.approx(overlap, abs=1e-11)
    assert s.energy == pytest.approx(-patterns * overlap**2 / 2, abs=1e-11)


def test_three_patterns_at_zero_temperature():
    """m = [erf(3x) + erf(x)]/4 in a noise of σ = m/√2x; the branch ends at α = 0.03 (AGS 1987)."""

    def load(x):
        m = (erf(3 * x) + erf(x)) / 4
        sigma = m / (math.sqrt(2) * x)
        C = math.sqrt(2 / math.pi) / sigma * (math.exp(-9 * x * x) + 3 * math.exp(-x * x)) / 4
        return sigma**2 * (1 - C) ** 2

    best = minimize_scalar(lambda x: -load(x), bounds=(1, 4), method="bounded", options={"xatol": 1e-10})
    capacity = theory.capacity(HOPFIELD, temperature=0, ansatz=THREE)
    assert capacity.load == pytest.approx(-best.fun, abs=1e-12)
    assert capacity.load == pytest.approx(0.03, abs=1e-3)
    assert THREE.symmetry(THREE.order(HOPFIELD, capacity.low, 0.0, "retrieval"), HOPFIELD, capacity.low, 0.0) > 0
    with pytest.raises(NotConverged, match="no mixture of 3 patterns .* the branch ends at load 0.02994"):
        theory.solve(HOPFIELD, load=0.031, temperature=0, ansatz=THREE)


def small_load(T, patterns):
    """(m, λ_2) without noise, over all signs; λ_2 = 1 - C - βQ."""
    signs = np.array(list(itertools.product((-1, 1), repeat=patterns)))
    S = signs.sum(axis=1)
    m = brentq(lambda m: (S * np.tanh(S * m / T)).mean() / patterns - m, 1e-3, 1)
    t2 = np.tanh(S * m / T) ** 2
    return m, 1 - (1 - t2.mean()) / T - (signs[:, 0] * signs[:, 1] * t2).mean() / T


def test_three_patterns_are_stable_below_046():
    """AGS 1985 give T = 0.461; the equations at no load have λ_2 = 0 at 0.4598."""

    def symmetry(T):
        return THREE.symmetry(THREE.order(HOPFIELD, 1e-10, T, "retrieval"), HOPFIELD, 1e-10, T)

    T = brentq(symmetry, 0.3, 0.6)
    assert brentq(lambda T: small_load(T, 3)[1], 0.3, 0.6) == pytest.approx(T, abs=1e-7)
    assert pytest.approx(0.461, abs=2e-3) == T


@pytest.mark.parametrize("patterns", [2, 4, 6])
def test_even_mixtures_are_unstable_and_refused(patterns):
    assert all(small_load(T, patterns)[1] < 0 for T in (0.1, 0.4, 0.7, 0.9))
    with pytest.raises(Refused, match=f"needs an odd number of patterns, got {patterns}"):
        ReplicaSymmetric(patterns)


def test_more_patterns_hold_less():
    loads = [theory.capacity(HOPFIELD, temperature=0, ansatz=ReplicaSymmetric(n)).load for n in (1, 3, 5, 7)]
    assert loads == sorted(loads, reverse=True)
