"""Stationary laws: visited states against exact enumeration.

Each chi-squared test has false-alarm rate 1e-4 (its seed is fixed, so it never flickers) and must reject the same
visits at a temperature wrong by a tenth, p < 1e-8. Chains are thinned until the exact transition matrix of one sample
step has no eigenvalue but 1 above 1e-3 in modulus: correlated visits inflate chi-squared by up to (1 + ρ)/(1 - ρ).
"""

import itertools
import math

import naive
import numpy as np
import pytest
from scipy import stats

from hopsim.dynamics import Glauber, Metropolis, Synchronous
from hopsim.interactions import LogSumExp, Power, Quadratic
from hopsim.rng import keys
from hopsim.states import of_spins

SAMPLES = 40_000
FALSE_ALARM = 1e-4
WRONG = 1e-8
NETWORKS = ((Quadratic(), 5, 3, 0.8), (Power(3, "distinct"), 5, 3, 0.6), (LogSumExp(0.5), 4, 3, 1.5))


def frozen(interaction, N, K):
    return naive.quenched(interaction, np.random.default_rng(N * K).choice((-1, 1), (N, K)))


def energies(interaction, quenched):
    """E of all 2^N states from all pattern entries."""
    patterns, N = quenched.patterns.tolist(), len(quenched.patterns)
    states = naive.all_states(N).tolist()
    if isinstance(interaction, LogSumExp):
        λ = interaction.sharpness
        Z = [math.fsum(math.exp(λ * M) for M in naive.overlaps(patterns, spins)) for spins in states]
        return -np.log(Z) / λ
    return -interaction.unit(N) * np.array([float(naive.total(interaction, patterns, spins)) for spins in states])


def boltzmann(E, T):
    weights = np.exp(-(E - E.min()) / T)
    return weights / weights.sum()


def acceptance(rule, x):
    """The rate at cost x = ΔE/T as the textbook has it."""
    return np.minimum(1, np.exp(-x)) if isinstance(rule, Metropolis) else 1 / (1 + np.exp(x))


def one_site(rule, E, site):
    """Transition matrix [from, to] of offering one spin."""
    states = np.arange(E.size)
    rate = acceptance(rule, (E[states ^ (1 << site)] - E) / rule.temperature)
    matrix = np.diag(1 - rate)
    matrix[states, states ^ (1 << site)] = rate
    return matrix


def one_sweep(rule, E):
    """Transition matrix of a sweep, averaged over the site orders."""
    N = E.size.bit_length() - 1
    offers = [one_site(rule, E, site) for site in range(N)]
    if rule.order == "random":
        return np.linalg.matrix_power(sum(offers) / N, N)
    orders = [range(N)] if rule.order == "cyclic" else list(itertools.permutations(range(N)))
    return sum(np.linalg.multi_dot([offers[site] for site in order]) for order in orders) / len(orders)


def one_synchronous_sweep(E, N, T):
    states = np.arange(E.size)
    flip = 1 / (1 + np.exp((E[states[:, None] ^ (1 << np.arange(N))] - E[:, None]) / T))
    differ = ((states[:, None] ^ states)[:, :, None] >> np.arange(N)) & 1
    return np.where(differ == 1, flip[:, None], 1 - flip[:, None]).prod(axis=2)


def stationary(matrix):
    values, vectors = np.linalg.eig(matrix.T)
    law = vectors[:, np.argmin(abs(values - 1))].real
    return law / law.sum()


def thinning(matrix):
    """Sweeps after which every mode of the chain but the stationary one has decayed below 1e-3."""
    slowest = np.sort(np.abs(np.linalg.eigvals(matrix)))[-2]
    assert slowest < 0.97
    return max(1, math.ceil(math.log(1e-3) / math.log(slowest)))


def visits(rule, quenched, every):
    """How often each state was seen in SAMPLES looks, the first hundred left out."""
    N = len(quenched.patterns)
    state = of_spins(quenched, np.ones(N, dtype=np.int8))
    chain_keys = keys(7, 1, temperature=rule.temperature, replica=0)
    trace = rule.advance(state, quenched, chain_keys, 0, (SAMPLES + 100) * every, every)
    labels = (trace.states.spins[100:] > 0) @ (1 << np.arange(N))
    return np.bincount(labels, minlength=2**N)


def p_value(counts, law):
    """Chi-squared, states expected less than ten times put together."""
    expected = law * counts.sum()
    rare = expected < 10
    pooled = lambda x: np.append(x[~rare], x[rare].sum()) if rare.any() else x  # noqa: E731
    return stats.chisquare(pooled(counts), pooled(expected)).pvalue


RULES = [(rule, order) for rule in (Glauber, Metropolis) for order in ("permutation", "random", "cyclic")]


@pytest.mark.parametrize(("interaction", "N", "K", "T"), NETWORKS, ids=repr)
@pytest.mark.parametrize(("make", "order"), RULES)
def test_visits_follow_boltzmann(make, order, interaction, N, K, T):
    quenched, rule = frozen(interaction, N, K), make(T, order)
    E = energies(interaction, quenched)
    matrix, law = one_sweep(rule, E), boltzmann(E, T)
    np.testing.assert_allclose(law @ matrix, law, atol=1e-14)
    counts = visits(rule, quenched, thinning(matrix))
    assert p_value(counts, law) > FALSE_ALARM
    assert p_value(counts, boltzmann(E, 1.1 * T)) < WRONG
    assert p_value(counts, boltzmann(E, 0.9 * T)) < WRONG


@pytest.mark.parametrize(("interaction", "N", "K", "T"), NETWORKS, ids=repr)
def test_synchronous_visits_follow_the_stationary_law_of_the_transition_matrix(interaction, N, K, T):
    quenched = frozen(interaction, N, K)
    E = energies(interaction, quenched)
    matrix = one_synchronous_sweep(E, N, T)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-14)
    counts = visits(Synchronous(T), quenched, thinning(matrix))
    assert p_value(counts, stationary(matrix)) > FALSE_ALARM
    assert p_value(counts, stationary(one_synchronous_sweep(E, N, 1.1 * T))) < WRONG
    assert p_value(counts, boltzmann(E, T)) < WRONG


@pytest.mark.parametrize("order", ["permutation", "cyclic"])
def test_metropolis_by_whole_sweeps_is_periodic_where_a_spin_feels_no_field(order):
    """A flip of cost 0 is always accepted: a free spin turns in every sweep, an eigenvalue -1. Glauber has none."""
    E = energies(Quadratic(), naive.quenched(Quadratic(), np.array([[1], [1], [-1], [0]])))
    eigenvalues = np.linalg.eigvals(one_sweep(Metropolis(0.8, order), E))
    assert np.abs(eigenvalues + 1).min() < 1e-12
    assert np.sort(np.abs(np.linalg.eigvals(one_sweep(Glauber(0.8, order), E))))[-2] < 0.999
    assert np.sort(np.abs(np.linalg.eigvals(one_sweep(Metropolis(0.8, "random"), E))))[-2] < 0.999


def test_synchronous_quadratic_network_has_the_law_of_peretto():
    """Σ_i ln 2cosh(β h_i) in place of -βE (Peretto 1984): the transition matrix itself, exactly."""
    N, K, T = 5, 3, 0.8
    quenched = frozen(Quadratic(), N, K)
    patterns, spins = quenched.patterns.astype(int), naive.all_states(N).astype(int)
    J = patterns @ patterns.T
    np.fill_diagonal(J, 0)
    law = np.prod(2 * np.cosh(spins @ J / (N * T)), axis=1)
    matrix = one_synchronous_sweep(energies(Quadratic(), quenched), N, T)
    np.testing.assert_allclose(stationary(matrix), law / law.sum(), atol=1e-13)
