"""Entries of dense networks: exact factors, free energies by integration, and tables that fail for wrong physics."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

import hopsim as hs
from hopsim import catalogue, theory
from hopsim.catalogue import dense_glass, dense_phase_diagram, free_energies, one_update, retrieved_share
from hopsim.catalogue.closed_capacity import closed_capacity
from hopsim.comparison import Row
from hopsim.simulation import Point, Protocol
from hopsim.statistics import Average


def law(degree, indices="distinct"):
    return hs.dense(neurons=10, degree=degree, indices=indices, patterns=1).law


@pytest.mark.parametrize(("degree", "indices", "v"), [(3, "distinct", 2), (3, "all", 3), (4, "all", 15)])
def test_the_finite_size_factor_is_that_of_all_configurations(degree, indices, v):
    N, interaction = 9, law(degree, indices).interaction
    sums = [sum(signs) for signs in itertools.product((-1, 1), repeat=N - 1)]
    h = np.array([interaction.value(M + 1, N) - interaction.value(M - 1, N) for M in sums], dtype=float)
    signal = interaction.value(N, N) - interaction.value(N - 2, N)
    expected = signal**2 / (h**2).mean() * v / N ** (degree - 1)
    assert one_update.finite_size(law(degree, indices), N) == pytest.approx(expected, rel=1e-12)


def test_the_factor_of_distinct_indices_counts_terms():
    assert one_update.finite_size(law(4), 20) == pytest.approx(19 * 18 * 17 / 20**3, rel=1e-12)


def test_patterns_at_error_of_gaussian_crosstalk():
    def row(patterns):
        network = hs.hopfield(neurons=1000, patterns=patterns)
        P = math.erfc(math.sqrt(999 / (patterns - 1) / 2)) / 2
        point = Point(network, hs.SignUpdate(), Protocol(1.0, 0, 1), 1)
        return Row(point, 10, {"overlap": Average(1 - 2 * P, 0.001)}, math.nan)

    found = one_update.at_error([row(140), row(170)])
    assert 0.5 * math.erfc(math.sqrt(999 / (found.value - 1) / 2)) == pytest.approx(one_update.ERROR, rel=1e-9)
    assert found.error > 0


def test_slope_of_a_power_law():
    sizes = (32, 48, 80, 128)
    patterns = tuple(Average(0.02 * N**3 * one_update.finite_size(law(4), N), 1.0) for N in sizes)
    grown = one_update.Growth(law(4), sizes, patterns)
    assert grown.exponent.value == pytest.approx(3, abs=1e-9)
    assert grown.plain.value > 3.05


@pytest.mark.parametrize("degree", [3, 5])
def test_closed_capacity_is_that_of_the_branch(degree):
    load = theory.capacity(law(degree), temperature=0.0).load
    assert load * math.factorial(degree - 1) == pytest.approx(closed_capacity(degree), rel=1e-9)


def test_free_energy_of_a_free_spin_in_a_field_and_of_the_annealed_glass():
    T = tuple(np.geomspace(0.8, 40, 60).tolist())
    f = free_energies.integrated(np.array([[-math.tanh(1 / t) for t in T], [-0.5 / t for t in T]]), T)
    assert np.allclose(f[0], [-t * math.log(2 * math.cosh(1 / t)) for t in T], atol=2e-4)
    assert np.allclose(f[1], [-t * math.log(2) - 0.25 / t for t in T], atol=1e-12)


def test_expected_half_is_the_coexistence_line_at_large_sizes():
    (line,) = theory.line(law(4), line="coexistence", temperatures=[0.33])
    found = retrieved_share.expected(law(4), load=line.load, neurons=10**4, patterns=1)
    assert found == pytest.approx(0.33, abs=5e-4)


def test_shares_that_never_fall_have_no_half():
    network = hs.dense(neurons=20, degree=4, indices="distinct", patterns=3)
    assert math.isnan(retrieved_share.Shares(network, (0.3, 0.4), np.ones((4, 2, 2))).half.value)
    steps = np.tile([1.0, 0.75, 0.25], (4, 2, 1))
    assert retrieved_share.Shares(network, (0.2, 0.3, 0.4), steps).half.value == pytest.approx(0.35)


def small_glass(monkeypatch, tmp_path):
    monkeypatch.setattr(dense_glass, "LADDERS", {p: dense_glass.LADDERS[p] for p in (2, 3)})
    monkeypatch.setattr(dense_glass, "SIZES", {2: (96, 96), 3: (32, 32)})
    return {c.quantity: c for c in dense_glass.make(catalogue.Workshop(tmp_path, True, 1)).comparisons}


def test_the_glass_agrees_and_a_wrong_hard_glass_does_not(monkeypatch, tmp_path):
    good = small_glass(monkeypatch, tmp_path)
    assert all(found.agrees for found in good.values()), good
    decompose = dense_glass.decompose

    def wrong(law, *, load, temperature):
        return decompose(law, load=1.5 * load, temperature=temperature)

    monkeypatch.setattr(dense_glass, "decompose", wrong)
    bad = small_glass(monkeypatch, tmp_path)
    assert not bad["f less hard glass, p = 3, T = 2"].agrees
    assert not bad["T at which the hard glass of p = 2 freezes"].agrees


def test_half_retrieved_agrees_and_wrong_energies_do_not(monkeypatch, tmp_path):
    workshop = catalogue.Workshop(tmp_path, True, 1)
    row = dense_phase_diagram._row(dense_phase_diagram._measured(workshop, 0.002, 48))
    table = {name: np.array([value]) for name, value in row.items()}
    (found,) = dense_phase_diagram._compared(table)
    assert found.agrees
    assert not dataclasses.replace(found, paper=1.1 * found.paper).agrees
    monkeypatch.setattr(retrieved_share, "finite_size", lambda law, neurons: 1.1)
    network = hs.dense(neurons=48, degree=4, indices="distinct", load=0.002)
    wrong = retrieved_share.expected(network.law, load=network.load, neurons=48, patterns=network.patterns)
    assert wrong is not None
    assert not dataclasses.replace(found, paper=wrong).agrees
