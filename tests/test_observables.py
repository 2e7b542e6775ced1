"""Observables on states small enough to check by eye."""

import numpy as np
import pytest

from hopsim import observables
from hopsim.states import State

SPINS = np.array([[1, 1, 1, 1], [1, -1, 1, -1]], dtype=np.int8)
STATES = State(SPINS, np.array([[4, -2], [2, -4]], dtype=np.int32))


def test_overlaps():
    assert observables.overlap(STATES, 0).tolist() == [1.0, 0.5]
    assert observables.best_overlap(STATES).tolist() == [1.0, 1.0]


def test_retrieved_needs_the_best_pattern_and_enough_overlap():
    assert observables.retrieved(STATES, 0, 2.0).tolist() == [True, False]
    assert observables.retrieved(STATES, 1, 2.0).tolist() == [False, False]
    assert observables.retrieved(STATES, 0, 4.5).tolist() == [False, False]


def test_similarity_of_two_replicas():
    assert observables.similarity(STATES, State(SPINS[::-1], STATES.overlaps)).tolist() == [0.0, 0.0]
    assert observables.similarity(STATES, STATES).tolist() == [1.0, 1.0]


def test_similarities_are_those_of_every_two():
    spins = np.random.default_rng(0).choice(np.array([-1, 1], dtype=np.int8), (3, 5, 101))
    traces = [State(s, STATES.overlaps) for s in spins]
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = [observables.similarity(traces[a], traces[b]) for a, b in pairs]
    assert np.array_equal(observables.similarities(traces), expected)
    assert observables.similarities(traces[:1]).shape == (0, 5)


def test_similarity_does_not_overflow_small_integers():
    spins = np.ones((1, 1000), dtype=np.int8)
    assert observables.similarity(State(spins, STATES.overlaps), State(spins, STATES.overlaps)).tolist() == [1.0]


def test_histogram_and_moments():
    q = np.array([-1.0, 0.0, 0.0, 0.5, 1.0])
    counts = observables.similarity_histogram(q)
    assert counts.sum() == q.size
    assert (counts[0], counts[20], counts[-1]) == (1, 2, 1)
    assert observables.similarity_moments(q) == pytest.approx((0.1, 0.5, 0.45, 2.0625 / 5))
