"""Entries of the classical network: their fits against closed forms, and comparisons that a wrong theory fails."""

import numpy as np
import pytest
from scipy.special import ndtr

import hopsim as hs
from hopsim import theory
from hopsim.catalogue import Workshop, ags_phase_diagram, ags_retrieval, rsb_capacity
from hopsim.catalogue.half import half
from hopsim.theory import retrieval
from hopsim.theory.crosstalk import Responding

LOADS = np.linspace(0.13, 0.17, 9)


def test_half_finds_the_midpoint_with_the_error_of_repeated_experiments():
    middle, width, samples = 0.148, 0.008, np.full(9, 200.0)
    P = ndtr((middle - LOADS) / width)
    found = half(LOADS, P, samples)
    assert found.value == pytest.approx(middle, abs=1e-9)
    draws = np.random.default_rng(1).binomial(200, P, size=(400, 9)) / 200
    spread = np.std([half(LOADS, drawn, samples).value for drawn in draws])
    assert found.error == pytest.approx(spread, rel=0.15)  # four standard errors of a spread over 400


def test_half_refuses_what_has_no_midpoint():
    with pytest.raises(hs.Refused, match="must pass one half"):
        half(LOADS, np.full(9, 0.8), np.full(9, 10.0))


def test_limit_of_a_known_ladder():
    ladder = 0.14 - 3e-4 / (np.arange(5) + 0.8) ** 4
    assert rsb_capacity.limit(ladder) == pytest.approx(0.14, abs=1e-12)


def test_errors_of_the_equation_are_those_of_the_branch():
    law = hs.hopfield(neurons=2, patterns=1).law
    for load in ags_retrieval.COMPARED:
        m = theory.solve(law, load=load, temperature=0.0).order.m
        assert ags_retrieval.errors_of(load) == pytest.approx((1 - m) / 2, abs=1e-12)


@pytest.fixture
def louder(monkeypatch):
    """A function that makes the noise of the other patterns a tenth larger; what the theory remembers is forgotten."""

    def forget():
        for remembered in (retrieval.fold, retrieval.overlap_range, retrieval.hottest):
            remembered.cache_clear()

    def change():
        variance = Responding.variance
        monkeypatch.setattr(Responding, "variance", lambda self, q, C: 1.1 * variance(self, q, C))
        forget()

    yield change
    forget()


def test_lines_agree_with_the_paper_until_the_noise_is_wrong(louder):
    assert all(found.agrees for found in (*ags_phase_diagram._of_lines(), *ags_phase_diagram._of_small_loads()))
    louder()
    assert not ags_phase_diagram._of_small_loads()[0].agrees
    assert rsb_capacity._capacity(0, 0.0) < 0.13  # about 0.1379/1.1


def test_capacities_agree_with_the_paper_but_for_two_steps():
    law = rsb_capacity.LAW
    agree = [abs(rsb_capacity._capacity(k, 0.0) - rsb_capacity.PRINTED[k]) <= rsb_capacity.LAST_DIGIT for k in range(3)]
    assert agree == [True, True, False]
    assert theory.KStep(2).order(law, 0.13819, 0.0, "retrieval").m == pytest.approx(0.967, abs=1e-3)  # beyond 0.138187


def test_parallel_tempering_retrieves_below_the_coexistence_line_only(tmp_path):
    studio = Workshop(tmp_path, quick=True, workers=1)
    cold = {point.temperature: point for point in ags_phase_diagram._equilibrium(studio, 0.02, 2, 150)}
    glass = {point.temperature: point for point in ags_phase_diagram._equilibrium(studio, 0.16, 2, 150)}
    assert cold[0.3].best.value == pytest.approx(0.996, abs=0.01)  # m of replica-symmetric theory at T = 0.3
    assert glass[0.3].best.value < ags_phase_diagram.RETRIEVED
    assert glass[0.6].q.value > ags_phase_diagram.GLASSY > glass[1.5].q.value


@pytest.fixture
def small(monkeypatch, tmp_path):
    """The entry at two small sizes."""
    monkeypatch.setattr(ags_retrieval, "SAMPLES", {500: (0, 48), 1000: (0, 48)})
    return Workshop(tmp_path, quick=True, workers=1)


def test_retrieval_agrees_with_the_paper(small):
    made = ags_retrieval.make(small)
    assert all(found.agrees for found in made.comparisons)
    assert set(made.data) == {"errors", "retrieved", "half", "theory", "limits"}


def test_a_hot_network_has_no_capacity_to_compare(small, monkeypatch):
    hot = ags_retrieval.SCAN.replace('rule = "sign"', 'rule = "glauber"\ntemperature = 0.3')
    monkeypatch.setattr(ags_retrieval, "SCAN", hot.replace("equilibrate = 300", "equilibrate = 30"))
    with pytest.raises(hs.Refused, match="must pass one half"):
        ags_retrieval.make(small)
