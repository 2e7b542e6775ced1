"""States: cues, mixtures, random starts. Statistical tests: false-alarm rate 1e-5 each, fixed seeds."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hopsim import states
from hopsim.errors import Refused
from hopsim.interactions import Quadratic
from hopsim.patterns import Diluted

FALSE_ALARM = 1e-5


def diluted(N, K, dilution, seed=0):
    return naive.quenched(Quadratic(), Diluted(dilution).draw(N, K, np.random.default_rng(seed)))


def rng(seed=6):
    return np.random.default_rng(seed)


@given(
    N=st.integers(2, 40),
    dilution=st.sampled_from([0, 0.4, 0.8]),
    overlap=st.one_of(st.floats(-1, 1), st.sampled_from([-1, 0, 1, 0.5])),
    pattern=st.integers(0, 2),
    seed=st.integers(0, 2**32),
)
def test_a_cue_has_the_nearest_possible_overlap(N, dilution, overlap, pattern, seed):
    quenched = diluted(N, 3, dilution, seed)
    state = states.cue(quenched, pattern, overlap, rng(seed))
    entries = quenched.patterns[:, pattern].astype(int)
    n, M = np.count_nonzero(entries), int(entries @ state.spins)
    possible = np.arange(-n, n + 1, 2)
    assert abs(M - overlap * n) <= np.abs(possible - overlap * n).min() + 1e-12
    assert state.overlaps[pattern] == M
    assert state.overlaps.tolist() == naive.overlaps(quenched.patterns.tolist(), state.spins.tolist())
    assert state.spins.dtype == np.int8
    assert state.overlaps.dtype == np.int32


def test_full_overlaps_are_the_pattern_and_its_negative():
    quenched = diluted(30, 2, 0)
    np.testing.assert_array_equal(states.cue(quenched, 1, 1, rng()).spins, quenched.patterns[:, 1])
    np.testing.assert_array_equal(states.cue(quenched, 1, -1, rng()).spins, -quenched.patterns[:, 1])


def test_the_sites_of_a_cue_that_differ_are_a_uniform_choice():
    """Chi-squared over the 15 choices of 2 sites out of 6."""
    quenched, generator = naive.quenched(Quadratic(), np.array([[1], [-1], [1], [0], [1], [-1], [-1]])), rng()
    cues = np.array([states.cue(quenched, 0, 1 / 3, generator).spins for _ in range(6000)])
    differ = cues[:, [0, 1, 2, 4, 5, 6]] != quenched.patterns[[0, 1, 2, 4, 5, 6], 0]
    assert (differ.sum(axis=1) == 2).all()
    counts = np.unique(differ @ (1 << np.arange(6)), return_counts=True)[1]
    assert counts.size == 15
    assert stats.chisquare(counts).pvalue > FALSE_ALARM
    assert stats.binomtest(int((cues[:, 3] > 0).sum()), 6000).pvalue > FALSE_ALARM


def test_blanks_of_a_cue_and_random_states_are_uniform():
    """Chi-squared over the 16 settings of 4 spins."""
    quenched, generator = naive.quenched(Quadratic(), np.array([[1], [0], [0], [0], [0]])), rng()
    for start in (lambda: states.cue(quenched, 0, 1.0, generator), lambda: states.random(quenched, generator)):
        spins = np.array([start().spins[1:] for _ in range(4000)])
        counts = np.bincount((spins > 0) @ (1 << np.arange(4)), minlength=16)
        assert stats.chisquare(counts).pvalue > FALSE_ALARM


def test_the_hierarchical_start_follows_the_first_entry_of_every_neuron():
    quenched = naive.quenched(Quadratic(), np.array([[1, -1, 1], [0, -1, 1], [0, 0, 1], [-1, 0, 1], [0, 1, 0]]))
    assert states.hierarchical(quenched, 1.0, rng()).spins.tolist() == [1, -1, 1, -1, 1]
    assert states.hierarchical(quenched, -1.0, rng()).spins.tolist() == [-1, 1, -1, 1, -1]


def test_the_hierarchical_start_has_the_overlaps_of_theory_and_free_neurons_are_random():
    """m_k = (1-d) d^(k-1); the standard error of each is below 1/√N, and 4.4 of them are 1e-5 two-sided."""
    N, d = 40_000, 0.4
    quenched = diluted(N, 4, d)
    m = states.hierarchical(quenched, 1.0, rng()).overlaps / N
    np.testing.assert_allclose(m, [(1 - d) * d**k for k in range(4)], rtol=0, atol=4.4 / np.sqrt(N))
    half = states.hierarchical(quenched, 0.5, rng()).overlaps / N
    np.testing.assert_allclose(half, m / 2, rtol=0, atol=4.4 / np.sqrt(N))
    free = ~quenched.patterns.any(axis=1)
    spins = states.hierarchical(quenched, 1.0, rng()).spins[free]
    assert stats.binomtest(int((spins > 0).sum()), int(free.sum())).pvalue > FALSE_ALARM


def test_a_mixture_is_the_majority_site_by_site():
    quenched = diluted(200, 5, 0.3)
    total = quenched.patterns[:, [0, 2, 3]].astype(int).sum(axis=1)
    state = states.mixture(quenched, [0, 2, 3], rng())
    np.testing.assert_array_equal(state.spins[total != 0], np.sign(total[total != 0]))
    np.testing.assert_array_equal(state.overlaps, state.spins.astype(int) @ quenched.patterns.astype(int))
    assert set(np.unique(state.spins)) == {-1, 1}


def test_ties_of_a_mixture_are_random():
    quenched, generator = naive.quenched(Quadratic(), np.array([[1, -1], [1, 1]])), rng()
    spins = np.array([states.mixture(quenched, [0, 1], generator).spins for _ in range(4000)])
    assert (spins[:, 1] == 1).all()
    assert stats.binomtest(int((spins[:, 0] > 0).sum()), 4000).pvalue > FALSE_ALARM


def test_three_pattern_mixture_overlaps_each_with_one_half():
    """m = 1/2 as N -> ∞; the standard error of each is √(3/4N), and 1e-5 two-sided is 4.4 of them."""
    N = 40_000
    state = states.mixture(diluted(N, 3, 0), [0, 1, 2], rng())
    assert np.abs(state.overlaps / N - 0.5).max() < stats.norm.isf(FALSE_ALARM / 6) * np.sqrt(0.75 / N)


def test_of_spins_copies_and_computes_the_overlaps():
    quenched, spins = diluted(10, 3, 0.2), np.ones(10, dtype=np.int64)
    state = states.of_spins(quenched, spins)
    state.spins[0] = -1
    assert spins[0] == 1
    assert state.spins.dtype == np.int8
    np.testing.assert_array_equal(state.overlaps, quenched.patterns.sum(axis=0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda q: states.cue(q, 0, 1.2, rng()), r"overlap between -1 and 1, got 1\.2"),
        (lambda q: states.cue(q, 0, float("nan"), rng()), "overlap between -1 and 1, got nan"),
        (lambda q: states.hierarchical(q, -1.1, rng()), r"overlap between -1 and 1, got -1\.1"),
        (lambda q: states.of_spins(q, np.ones(9, dtype=np.int8)), r"10 entries of -1 or \+1, got shape \(9,\)"),
        (lambda q: states.of_spins(q, np.zeros(10, dtype=np.int8)), r"10 entries of -1 or \+1"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(Refused, match=message):
        make(diluted(10, 3, 0.2))
