"""The two glasses of the m = 0 state, each solved on its own, against the free energy of the network."""

import math

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.optimize import brentq

import hopsim as hs
from hopsim.errors import Refused
from hopsim.figures import glass
from hopsim.theory import ReplicaSymmetric
from hopsim.theory.crosstalk import Mixed, Responding
from hopsim.theory.glass_decomposition import decompose

mpl.use("Agg")
ANSATZ = ReplicaSymmetric()
CLASSICAL = Responding()
DENSE = [hs.dense(neurons=9, degree=p, indices=i, patterns=2).law for p in (3, 4) for i in ("all", "distinct")]
Z = np.linspace(-10, 10, 4001)  # the trapezoidal rule converges exponentially for these integrands
WEIGHTS = np.exp(-(Z**2) / 2) / np.exp(-(Z**2) / 2).sum()


def hard_glass(b):
    """(pressure, q) of the Sherrington-Kirkpatrick glass at inverse temperature b, solved here."""

    def excess(q):
        return WEIGHTS @ np.tanh(b * math.sqrt(q) * Z) ** 2 - q

    q = brentq(excess, 1e-9, 1, xtol=1e-15) if b > 1 else 0.0
    return b**2 / 4 * (1 - q) ** 2 + WEIGHTS @ np.log(2 * np.cosh(b * math.sqrt(q) * Z)), q


def soft_glass(b, weight):
    """(pressure, s) of the Gaussian glass, its gap 1 - λ + b²s a zero of the numerical derivative of its pressure."""

    def pressure(gap):
        s = (gap - 1 + weight) / b**2
        return b**2 * s**2 / 4 - math.log(gap) / 2 + b**2 * s / (2 * gap)

    def slope(gap):
        h = 1e-3 * gap
        return (pressure(gap - 2 * h) - 8 * pressure(gap - h) + 8 * pressure(gap + h) - pressure(gap + 2 * h)) / (
            12 * h
        )

    frozen = weight > 1 - b + 1e-12
    gap = brentq(slope, max(1 - weight, 0) * 1.001 + 1e-4, 1e3, xtol=1e-15) if frozen else 1 - weight
    return pressure(gap), (gap - 1 + weight) / b**2


@pytest.mark.parametrize("load", [0.02, 0.138, 0.5, 2.0])
@pytest.mark.parametrize("temperature", [0.5, 0.8, 1.05, 1.3, 2.0, 4.0])
def test_both_glasses_solved_alone_make_the_network(load, temperature):
    """-βf = A_hard(βJ) - (βJ)²/4 + α A_soft(1-C, β) - αβ/2, at the effective temperatures."""
    parts = decompose(CLASSICAL, load=load, temperature=temperature)
    order = ANSATZ.dominant(CLASSICAL, load, temperature)
    f = ANSATZ.free_energy(order, CLASSICAL, load, temperature)
    b, beta = 1 / parts.hard_temperature, 1 / temperature
    hard, q = hard_glass(b)
    soft, s = soft_glass(1 / parts.soft_temperature, beta)
    assert -beta * f == pytest.approx(hard - b**2 / 4 + load * soft - load * beta / 2, abs=1e-9)
    assert parts.hard == pytest.approx(-temperature * hard, abs=1e-9)
    assert q == pytest.approx(order.q, abs=1e-7)
    assert s == pytest.approx(beta * order.r, abs=1e-6)


def test_the_parts_add_up_to_the_free_energy():
    """To 1e-12, over loads and temperatures from 0 up; for p ≥ 3 the hard part alone."""
    for load in (1e-6, 1e-3, 0.05, 0.138, 1.0, 10.0):
        for temperature in (0.0, 1e-6, 0.01, 0.2, 0.7, 0.999, 1.001, 1 + math.sqrt(load), 1.5, 3.0, 100.0):
            parts = decompose(CLASSICAL, load=load, temperature=temperature)
            f = ANSATZ.free_energy(ANSATZ.dominant(CLASSICAL, load, temperature), CLASSICAL, load, temperature)
            assert parts.free_energy == pytest.approx(f, rel=1e-12, abs=1e-12)
            for law in DENSE:
                parts = decompose(law, load=load, temperature=temperature)
                f = ANSATZ.free_energy(ANSATZ.dominant(law, load, temperature), law, load, temperature)
                assert (parts.hard, parts.soft, parts.soft_temperature) == (f, 0.0, None)


@pytest.mark.parametrize("load", [0.05, 1.0])
def test_the_hard_glass_freezes_where_the_network_does(load):
    at = decompose(CLASSICAL, load=load, temperature=1 + math.sqrt(load))
    assert at.hard_temperature == pytest.approx(1, rel=1e-6)
    below, above = (decompose(CLASSICAL, load=load, temperature=s + math.sqrt(load)) for s in (0.99, 1.01))
    assert below.hard_temperature < 1 < above.hard_temperature


@pytest.mark.parametrize("load", [0.01, 0.138, 3.0])
def test_zero_temperature(load):
    """The hard part is J times the replica-symmetric ground state -√(2/π) of SK, the soft part 1/π at any load."""
    parts, cold = (decompose(CLASSICAL, load=load, temperature=T) for T in (0.0, 1e-4))
    C = 1 - 1 / parts.soft_temperature
    assert parts.hard == pytest.approx(-math.sqrt(2 / math.pi) * math.sqrt(load) / (1 - C), rel=1e-12)
    assert parts.soft == pytest.approx(1 / math.pi, rel=1e-12)
    assert (cold.hard, cold.soft) == pytest.approx((parts.hard, parts.soft), rel=1e-3)


def test_paramagnet():
    """Above T_g the hard part is an annealed SK glass, and the whole is -T ln 2 + α/2 + (αT/2) ln(1-β)."""
    load, T = 0.3, 2.0
    parts = decompose(CLASSICAL, load=load, temperature=T)
    J = math.sqrt(load) / (1 - 1 / T)
    assert parts.hard == pytest.approx(-T * math.log(2) - J**2 / (4 * T), rel=1e-12)
    whole = -T * math.log(2) + load / 2 + load * T / 2 * math.log(1 - 1 / T)
    assert parts.free_energy == pytest.approx(whole, rel=1e-12)


def test_the_hard_temperature_of_a_pure_p_spin_glass_is_that_of_its_coupling():
    load, T = 0.2, 0.3
    law = hs.dense(neurons=9, degree=3, indices="distinct", patterns=2).law
    unit = decompose(Mixed(3, (0.0, 0.0, 0.0, 0.5)), load=1.0, temperature=T)
    assert unit.hard_temperature == pytest.approx(T)
    J = math.sqrt(2 * load * 2 / 3)  # J² = 2α (p-1)!/p
    assert decompose(law, load=load, temperature=T * J).hard == pytest.approx(J * unit.hard, rel=1e-10)


def test_the_figure_shows_the_parts():
    temperatures = [0.1, 0.8, 1.6]
    laws = [hs.hopfield(neurons=9, patterns=2).law, DENSE[1]]
    data = glass.collect(laws, load=0.2, temperatures=temperatures)
    assert [curves.series for curves in data.curves] == ["$p = 2$", "$p = 3$, distinct indices"]
    expected = decompose(CLASSICAL, load=0.2, temperature=0.8)
    assert data.curves[0].soft[1] == expected.soft
    assert data.curves[0].free_energy[1] == expected.free_energy
    ax = Figure().add_subplot()
    assert glass.draw(data, ax=ax) is ax.figure
    drawn = [line.get_ydata() for line in ax.get_lines()]
    for curves in data.curves:
        assert all(
            any(np.array_equal(y, part) for y in drawn) for part in (curves.hard, curves.soft, curves.free_energy)
        )
    with pytest.raises(Refused, match="nothing to draw"):
        glass.collect([], load=0.2, temperatures=temperatures)
