"""Diluted patterns at high load: gradient of the free energy, the classical network, plain iteration, limits."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar
from scipy.special import erf

from hopsim import theory
from hopsim.errors import Refused
from hopsim.interactions import Power, Quadratic
from hopsim.networks import Law
from hopsim.patterns import Diluted, Rademacher
from hopsim.theory import NotConverged, Order, ReplicaSymmetric, diluted
from hopsim.theory.diluted import DilutedSymmetric

HOPFIELD = Law(Quadratic(), Rademacher())
POINTS = [(0.1, 0.05, 0.3), (0.3, 0.01, 0.2), (0.3, 0.02, 0.1), (0.5, 0.001, 0.2)]  # d, load, T


def gaussian(function):
    return quad(lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * function(z), -9, 9, limit=200, epsabs=1e-13)[
        0
    ]


def solve(d, load, T, branch="retrieval"):
    return theory.solve(HOPFIELD, load=load, temperature=T, ansatz=DilutedSymmetric(d), branch=branch)


def capacity(d, T):
    return theory.capacity(HOPFIELD, temperature=T, ansatz=DilutedSymmetric(d))


def free_energy(d, load, T, m, q, r):
    """As it comes out of the replica calculation, with β, every average by adaptive quadrature."""
    a, beta, C = 1 - d, 1 / T, (1 - q) / T
    part = load * a / 2 + load / (2 * beta) * (math.log(1 - a * C) - a * beta * q / (1 - a * C))

    def site(signal):
        def log_2cosh(z):
            x = abs(signal + z * math.sqrt(load * r)) / T
            return T * (x + math.log1p(math.exp(-2 * x)))

        return gaussian(log_2cosh)

    return m * m / 2 + part + load * beta / 2 * r * (1 - q) - a * site(m) - d * site(0.0)


@pytest.mark.parametrize(("d", "load", "T"), POINTS)
def test_free_energy_and_its_gradient(d, load, T):
    rng = np.random.default_rng(3)
    x = np.array([0.8 * (1 - d), 1 - 0.4 * T, rng.uniform(1, 2)])
    ansatz, law = DilutedSymmetric(d), HOPFIELD
    assert ansatz.free_energy(Order(*x), law, load, T) == pytest.approx(free_energy(d, load, T, *x), abs=1e-11)
    first, second, third = ansatz.self_consistency(Order(*x), law, load, T)
    expected = (-first, load / (2 * T) * third, load / (2 * T) * second)
    for step, slope in zip(1e-5 * np.eye(3), expected, strict=True):
        ends = [ansatz.free_energy(Order(*(x + s * step)), law, load, T) for s in (1, -1)]
        assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize(("d", "load", "T"), POINTS)
def test_states_are_fixed_points_of_a_plain_iteration(d, load, T):
    a, order = 1 - d, solve(d, load, T).order
    m, q, r = 0.95 * a, 0.95 * order.q, 0.95 * order.r
    for _ in range(400):
        s = math.sqrt(load * r)
        z = np.linspace(-8, 8, 4001)
        w = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()
        filled, blank = np.tanh((m + s * z) / T), np.tanh(s * z / T)
        m, q = a * (w @ filled), 0.5 * q + 0.5 * (a * (w @ filled**2) + d * (w @ blank**2))
        r = 0.5 * r + 0.5 * a * a * q / (1 - a * (1 - q) / T) ** 2
    assert (m, q, r) == pytest.approx((order.m, order.q, order.r), rel=1e-7)


def test_a_state_known_from_simulation():
    assert solve(0.3, 0.01, 0.2).order.m == pytest.approx(0.6907, abs=1e-4)


@pytest.mark.parametrize(("load", "T"), [(0.05, 0.3), (0.1379, 0.0), (1e-6, 0.2), (0.002, 0.9)])
def test_without_blanks_it_is_the_classical_network(load, T):
    ours, classical = solve(0.0, load, T), theory.solve(HOPFIELD, load=load, temperature=T)
    for name in ("free_energy", "energy", "entropy"):
        assert getattr(ours, name) == pytest.approx(getattr(classical, name), abs=1e-13)
    assert ours.stability == (None if T == 0 else pytest.approx(classical.stability, abs=1e-11))
    for name in ("m", "q", "r", "susceptibility"):
        assert getattr(ours.order, name) == pytest.approx(getattr(classical.order, name), abs=1e-11)
    assert capacity(0.0, T).load == pytest.approx(theory.capacity(HOPFIELD, temperature=T).load, rel=1e-12)


@pytest.mark.parametrize("d", [0.1, 0.3, 0.5])
def test_capacity_at_zero_temperature(d):
    """m = a erf(x), σ = m/√2x in error functions, no code of the package."""
    a = 1 - d

    def load(x):
        m = a * erf(x)
        sigma = m / (math.sqrt(2) * x)
        C = math.sqrt(2 / math.pi) / sigma * (a * math.exp(-x * x) + d)
        return (sigma / a * max(1 - a * C, 0)) ** 2

    best = minimize_scalar(lambda x: -load(x), bounds=(0.3, 3), method="bounded", options={"xatol": 1e-10})
    found = capacity(d, 0.0)
    assert found.load == pytest.approx(-best.fun, rel=1e-12)
    assert found.m == pytest.approx(a * erf(best.x), abs=1e-6)
    assert found.low <= found.load <= found.high
    with pytest.raises(NotConverged, match=f"dilution {d}: the branch ends at load"):
        solve(d, 1.001 * found.load, 0.0)
    assert solve(d, 0.999 * found.load, 0.0).order.m > found.m


def test_capacity_falls_with_dilution_and_ends_at_two_thirds():
    loads = [capacity(d, 0.1).load for d in (0, 0.2, 0.4, 0.6, 0.66)]
    assert loads == sorted(loads, reverse=True)
    assert 0 < loads[-1] < 1e-7
    assert capacity(0.67, 0.1).load is None
    with pytest.raises(NotConverged, match="there is none at any load"):
        solve(0.7, 0.001, 0.1)


def test_zero_temperature_is_the_limit():
    cold, frozen = solve(0.3, 0.02, 1e-6), solve(0.3, 0.02, 0.0)
    assert cold.order.m == pytest.approx(frozen.order.m, abs=1e-7)
    assert cold.free_energy == pytest.approx(frozen.free_energy, abs=1e-6)
    assert cold.order.r == pytest.approx(frozen.order.r, rel=1e-4)


@pytest.mark.parametrize("branch", ["retrieval", "glass"])
def test_thermodynamics(branch):
    d, load, T = 0.3, 0.015, 0.2
    s = solve(d, load, T, branch)
    assert s.free_energy == pytest.approx(s.energy - T * s.entropy, abs=1e-13)
    slope = (solve(d, load, T + 1e-4, branch).free_energy - solve(d, load, T - 1e-4, branch).free_energy) / 2e-4
    assert s.entropy == pytest.approx(-slope, abs=1e-7)


def test_without_retrieval_it_is_the_classical_network_at_a_higher_temperature():
    d, load = 0.4, 0.1
    edge = 0.6 * (1 + math.sqrt(load))
    ours = solve(d, load, 0.3, "glass")
    classical = theory.solve(HOPFIELD, load=load, temperature=0.5, branch="glass")
    assert ours.order.q == pytest.approx(classical.order.q, abs=1e-13)
    assert ours.free_energy == pytest.approx(0.6 * classical.free_energy, abs=1e-13)
    assert 0 < solve(d, load, edge - 1e-3, "glass").order.q < 0.02
    with pytest.raises(NotConverged, match="no glass state"):
        solve(d, load, edge + 1e-3, "glass")


def test_energy_of_free_spins_is_zero():
    s = solve(0.3, 0.1, 1e4, "paramagnet")
    assert s.free_energy == pytest.approx(-1e4 * math.log(2), abs=1e-4)
    assert s.energy == pytest.approx(0, abs=1e-4)


def test_stability_is_that_of_the_site_and_of_the_noise():
    d, load, T = 0.3, 0.02, 0.1
    s = solve(d, load, T)
    sech4 = [
        gaussian(lambda z, m=m: math.cosh((m + z * math.sqrt(load * s.order.r)) / T) ** -4) for m in (s.order.m, 0.0)
    ]
    C = (1 - s.order.q) / T
    expected = 1 - load * (0.7 / T / (1 - 0.7 * C)) ** 2 * (0.7 * sech4[0] + 0.3 * sech4[1])
    assert s.stability == pytest.approx(expected, abs=1e-7)


def test_coexistence_is_where_the_free_energies_cross():
    (point,) = theory.line(HOPFIELD, line="coexistence", temperatures=[0.1], ansatz=DilutedSymmetric(0.3))

    def excess(load):
        return solve(0.3, load, 0.1).free_energy - solve(0.3, load, 0.1, "glass").free_energy

    assert point.load == pytest.approx(brentq(excess, 0.005, 0.02, xtol=1e-14), rel=1e-8)


def test_laws_with_blanks_are_recognised():
    law = Law(Quadratic(), Diluted(0.3))
    assert diluted.supports(law)
    assert diluted.supports(HOPFIELD)
    assert not diluted.supports(Law(Power(3, "all"), Diluted(0.3)))
    assert (diluted.unit(DilutedSymmetric(0.3)), diluted.unit(ReplicaSymmetric())) == (0.7, 1.0)
    assert diluted.specialised(law, ReplicaSymmetric()) == (diluted.NOISE, DilutedSymmetric(0.3))
    for other in (HOPFIELD, Law(Quadratic(), Diluted(0)), diluted.NOISE):
        assert diluted.specialised(other, ReplicaSymmetric()) == (diluted.NOISE, ReplicaSymmetric())
    with pytest.raises(Refused, match="have the ansatz ReplicaSymmetric"):
        diluted.specialised(law, ReplicaSymmetric(3))


def test_refused():
    with pytest.raises(Refused, match="Diluted needs 0 <= dilution < 1, got 1"):
        DilutedSymmetric(1)
    with pytest.raises(Refused, match="is that of F = m²/2, got a noise of degree 3"):
        theory.solve(Law(Power(3, "all"), Rademacher()), load=0.01, temperature=0.1, ansatz=DilutedSymmetric(0.1))
    assert ReplicaSymmetric.lines == DilutedSymmetric.lines
