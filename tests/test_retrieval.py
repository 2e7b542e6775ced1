"""Many cues at once end where each ends alone."""

import naive
import numpy as np
import pytest

import hopsim as hs
from hopsim import states
from hopsim.networks import Quenched
from hopsim.rng import keys

KEYS = keys(1, 0, temperature=0.0, replica=0)
NETWORKS = [
    hs.hopfield(neurons=100, patterns=9),
    hs.hopfield(neurons=130, patterns=24),
    hs.multitasking(neurons=60, dilution=0.3, patterns=5),
    hs.dense(neurons=40, degree=3, indices="distinct", patterns=60),
    hs.exponential(neurons=30, patterns=50),
]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: f"{type(n.law.interaction).__name__}-{n.neurons}")
def test_every_cue_ends_where_it_ends_alone(network):
    quenched = network.quench(np.random.default_rng(0))
    starts = states.cues(quenched, np.arange(20) % network.patterns, 0.5, np.random.default_rng(1))
    found = hs.retrieve(quenched, starts)
    rule = hs.SignUpdate(order="cyclic")
    for k, start in enumerate(starts):
        alone = states.of_spins(quenched, start)
        sweeps = 0
        while rule.advance(alone, quenched, KEYS, sweeps, 1).flips:
            sweeps += 1
        np.testing.assert_array_equal(found.states.spins[k], alone.spins)
        np.testing.assert_array_equal(found.states.overlaps[k], alone.overlaps)
        assert found.sweeps[k] == sweeps
    assert found.sweeps.max() > 1


def test_ends_are_fixed_points_of_the_twin():
    network = NETWORKS[0]
    quenched = network.quench(np.random.default_rng(0))
    starts = states.cues(quenched, [0, 1, 2], 0.6, np.random.default_rng(1))
    for spins in hs.retrieve(quenched, starts).states.spins:
        row = [int(s) for s in spins]
        costs = [
            naive.cost(network.law.interaction, quenched.patterns.tolist(), row, site) for site in range(0, 100, 9)
        ]
        assert min(costs) >= 0


def test_starts_that_do_not_stop_in_time_say_so():
    quenched = NETWORKS[1].quench(np.random.default_rng(0))
    starts = states.cues(quenched, np.zeros(50, dtype=int), 0.0, np.random.default_rng(1))
    whole = hs.retrieve(quenched, starts).sweeps
    cut = hs.retrieve(quenched, starts, most_sweeps=2).sweeps
    assert (whole > 2).any()
    np.testing.assert_array_equal(cut, np.where(whole > 2, -1, whole))


def test_cues_have_the_overlap_asked_for_on_the_sites_that_are_not_blank():
    patterns = np.array([[1, 1], [1, -1], [0, 1], [-1, 1], [1, 1], [-1, 0], [1, 1], [0, 1]], dtype=np.int8)
    quenched = Quenched(hs.hopfield(neurons=8, patterns=2), patterns)
    starts = states.cues(quenched, [0] * 300 + [1] * 300, 1 / 3, np.random.default_rng(0))
    own = quenched.overlaps(starts)
    assert set(own[:300, 0]) == {2}  # n = 6, M = 6/3
    assert set(own[300:, 1]) == {3}  # n = 7, M = 7 - 2 round(7/3)
    assert abs(starts[:300, 2].mean()) < 4.5 / np.sqrt(300)  # blanks are random: 4.5 standard errors
    flipped = (starts[:300] != patterns[:, 0])[:, patterns[:, 0] != 0].mean(axis=0)
    assert abs(flipped - 1 / 3).max() < 4.5 * np.sqrt(2 / 9 / 300)


def test_shapes_are_checked():
    quenched = NETWORKS[0].quench(np.random.default_rng(0))
    with pytest.raises(hs.Refused, match=r"needs spins \[starts, neurons\], got shape \(100,\)"):
        hs.retrieve(quenched, np.ones(100, dtype=np.int8))
