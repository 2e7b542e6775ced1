"""Normalisations: there and back, and Boltzmann weights of both Hamiltonians over all states of a small network."""

import itertools
import math

import numpy as np
import pytest

import hopsim as hs
from hopsim.errors import Refused
from hopsim.theory import crosstalk, normalisations

N, K = 8, 5
STATES = np.array(list(itertools.product((-1, 1), repeat=N)), dtype=np.int8)
PAPERS = {
    "gardner": (normalisations.gardner, lambda m, p: -(N / 2) * (m**p).sum(axis=-1)),
    "krotov_hopfield": (
        lambda p: normalisations.krotov_hopfield(p, neurons=N),
        lambda m, p: -((N * m) ** p).sum(axis=-1),
    ),
    "theriault_tantari": (normalisations.theriault_tantari, lambda m, p: -N * (m**p).sum(axis=-1)),
}
PATTERNS_OF = {  # K as the papers count it from their load
    "gardner": lambda load, p: 2 * load * N ** (p - 1) / math.factorial(p),
    "krotov_hopfield": lambda load, p: load * N ** (p - 1),
    "theriault_tantari": lambda load, p: load * N ** (p - 1) / math.factorial(p),
}


def weights(exponents):
    w = np.exp(exponents - exponents.max())
    return w / w.sum()


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("degree", [2, 3, 4, 5])
def test_boltzmann_weights_and_numbers_of_patterns_are_equal(paper, degree):
    quenched = hs.dense(neurons=N, degree=degree, indices="all", patterns=K).quench(np.random.default_rng(degree))
    overlaps = quenched.overlaps(STATES)
    normalisation, hamiltonian = PAPERS[paper][0](degree), PAPERS[paper][1]
    temperature = 0.7
    load, paper_temperature = normalisation.to_paper(quenched.network.load, temperature)
    ours = weights(-N * quenched.energy_density(overlaps) / temperature)
    theirs = weights(-hamiltonian(overlaps / N, degree) / paper_temperature)
    assert theirs == pytest.approx(ours, rel=1e-10)
    assert PATTERNS_OF[paper](load, degree) == pytest.approx(K, rel=1e-12)


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("degree", [2, 3, 6])
def test_there_and_back(paper, degree):
    normalisation = PAPERS[paper][0](degree)
    assert normalisation.from_paper(*normalisation.to_paper(0.13, 0.4)) == pytest.approx((0.13, 0.4), rel=1e-14)
    assert normalisation.to_paper(*normalisation.from_paper(0.13, 0.4)) == pytest.approx((0.13, 0.4), rel=1e-14)


@pytest.mark.parametrize("degree", [3, 4])
def test_noise_in_the_units_of_the_papers(degree):
    """β²αζ̂ with distinct indices is β²γ q^p/2 of Gardner's and β²α q^p of Thériault and Tantari's load."""
    load, temperature, q = 0.2, 0.9, 0.6
    ours = load * float(crosstalk.mixture(hs.Power(degree, "distinct")).zeta(q)) / temperature**2
    gamma, T = normalisations.gardner(degree).to_paper(load, temperature)
    assert gamma * q**degree / 2 / T**2 == pytest.approx(ours)
    alpha, T = normalisations.theriault_tantari(degree).to_paper(load, temperature)
    assert alpha * q**degree / T**2 == pytest.approx(ours)


@pytest.mark.parametrize("degree", [3, 4])
def test_p_spin_coupling_is_the_variance_of_the_couplings(degree):
    """Σ_μ ξ_i1..ξ_ip (p-1)!/N^(p-1) has variance α ((p-1)!)²/N^(p-1) = J² p!/(2N^(p-1)), counted over many patterns."""
    load, N = 0.4, 30
    J = normalisations.p_spin_coupling(degree, load=load)
    patterns = round(load * N ** (degree - 1))
    signs = np.random.default_rng(0).choice((-1.0, 1.0), (1000, patterns)).sum(axis=1)  # products of fair signs
    couplings = signs * math.factorial(degree - 1) / N ** (degree - 1)
    expected = J**2 * math.factorial(degree) / (2 * N ** (degree - 1))
    assert couplings.var() == pytest.approx(expected, rel=0.2)  # 4.5 standard errors
    q = 0.3
    zeta = load * float(crosstalk.mixture(hs.Power(degree, "distinct")).zeta(q))
    assert J**2 * q**degree / 2 == pytest.approx(zeta)


def test_refusals():
    with pytest.raises(Refused, match="degree must be an integer from 2 to 100, got 1"):
        normalisations.gardner(1)
    with pytest.raises(Refused, match="degree of a p-spin glass must be an integer from 3 to 100, got 2"):
        normalisations.p_spin_coupling(2, load=0.1)
    with pytest.raises(Refused, match="neurons must be an integer >= 1"):
        normalisations.krotov_hopfield(3, neurons=0)
