"""Degree 3 with costs kept: the chain is that of the general kernel, and of the bit-packed sums it changes over to."""

import naive
import numpy as np
import pytest
from test_dense import KEYS, RULES, Given, KeptCosts, chain, chunks, draw, no_trace, scale, starts

from hopsim import representations
from hopsim.draws import Draws
from hopsim.interactions import Power
from hopsim.kernels import counters
from hopsim.layouts.dense import DenseLayout
from hopsim.layouts.tensor import Switching, TensorLayout
from hopsim.levels import Levels

CUBIC = [Power(3, "all"), Power(3, "distinct")]
SIZES = ((3, 4), (31, 1), (32, 20), (50, 130), (64, 205), (65, 70), (101, 64), (128, 819))


def tensor_of(interaction, patterns):
    layout = DenseLayout.of(interaction, patterns)
    assert TensorLayout.fits(layout)
    return TensorLayout(layout)


def assert_alike(mine, theirs):
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("interaction", CUBIC, ids=repr)
@pytest.mark.parametrize("size", SIZES, ids=repr)
def test_costs_kept_follow_the_general_kernel(interaction, size):
    patterns = draw(*size)
    kept, general = (
        KeptCosts(tensor_of(interaction, patterns)),
        representations.table(Levels(interaction, patterns), patterns),
    )
    flips = 0
    for rule, temperature in RULES:
        scaled = scale(interaction, patterns, temperature)
        for order, every, lengths in (("cyclic", 1, (2, 5)), ("permutation", 3, (4, 4)), ("random", 0, (3,))):
            for start in starts(patterns):
                draws = list(chunks(order, rule, scaled, size[0], lengths))
                expected = chain(general, patterns, start, draws, every)
                assert_alike(chain(kept, patterns, start, draws, every), expected)
                flips += expected[0]
    assert flips > 0


@pytest.mark.parametrize("interaction", CUBIC, ids=repr)
@pytest.mark.parametrize("N", [2, 3, 5, 8, 9])
def test_every_cost_is_the_exact_energy_difference_before_and_after_a_flip(interaction, N):
    patterns = draw(N, 5)
    kept, order = KeptCosts(tensor_of(interaction, patterns)), np.arange(N, dtype=np.int32)[None]
    for start in naive.all_states(N)[:: 1 + 2**N // 10]:
        for turned in range(N):
            spins = start.copy()
            overlaps = (spins.astype(np.int32) @ patterns).astype(np.int32)
            motion = kept.motion(spins, overlaps, "random", False)
            assert motion.sweep(Given(order, only(turned, np.inf, N)), 0, 0, *no_trace(N, 5)) == 1
            after = naive.flipped(start.tolist(), turned)
            for site in range(N):
                exact = naive.cost(interaction, patterns.tolist(), after, site)
                assert motion.sweep(Given(order, only(site, exact, N)), 0, 0, *no_trace(N, 5)) == 0
                for cost in (exact, -exact):
                    assert motion.sweep(Given(order, only(site, cost + 1, N)), 0, 0, *no_trace(N, 5)) == 1
            motion.close()
            assert spins.tolist() == after


def only(site, threshold, N):
    thresholds = np.full((1, N), -np.inf, dtype=np.float32)
    thresholds[0, site] = threshold
    return thresholds


def fields(couplings, neurons, i, j, k):
    """T_ijk out of the layout that the head of the kernel's file describes."""
    entries, group, factor, shift = couplings
    blocks = -(-neurons // 32)
    groups = entries.size // (neurons * blocks * 32 * group)
    place = group * (32 * (groups * (blocks * j + i // 32) + k // group) + i % 32) + k % group
    return factor * entries[place].astype(np.int64) - shift


@pytest.mark.parametrize(
    ("patterns", "kind"),
    [
        (draw(40, 100), np.uint8),
        (draw(33, 255), np.uint8),
        (np.ones((34, 255), dtype=np.int8), np.uint8),
        (np.ones((34, 256), dtype=np.int8), np.int16),
        (-np.ones((7, 256), dtype=np.int8), np.uint8),
        (-np.ones((7, 257), dtype=np.int8), np.int16),
        (np.ones((3, 2**15 - 1), dtype=np.int8), np.int16),
    ],
    ids=["random", "odd", "255", "256", "-256", "-257", "largest"],
)
def test_couplings_are_the_sums_of_three_entries_in_the_narrowest_integers(patterns, kind):
    couplings = tensor_of(Power(3, "all"), patterns).couplings
    assert couplings.entries.dtype == kind
    N = len(patterns)
    i, j, k = np.indices((N, N, N))
    wide = patterns.astype(np.float64)
    expected = np.stack([(wide * row) @ wide.T for row in wide], axis=1)
    np.testing.assert_array_equal(fields(couplings, N, i, j, k), expected)


@pytest.mark.parametrize("patterns", [draw(40, 1600), np.repeat(draw(40, 8), 40, axis=1)], ids=["many", "repeated"])
def test_costs_kept_with_couplings_of_16_bits(patterns):
    kept, general = (
        KeptCosts(tensor_of(CUBIC[0], patterns)),
        representations.table(Levels(CUBIC[0], patterns), patterns),
    )
    assert kept.layout.couplings.entries.dtype == np.int16
    draws = list(chunks("cyclic", counters.GLAUBER, scale(CUBIC[0], patterns, 1.0), 40, (3, 4)))
    expected = chain(general, patterns, starts(patterns)[0], draws, 1)
    assert expected[0] > 0
    assert_alike(chain(kept, patterns, starts(patterns)[0], draws, 1), expected)


@pytest.mark.parametrize("order", ["cyclic", "permutation", "random"])
@pytest.mark.parametrize("neurons", [64, 65])
def test_a_chain_changes_over_as_acceptance_falls_and_rises_and_stays_the_same(order, neurons):
    patterns = draw(neurons, 400)
    layout = tensor_of(CUBIC[0], patterns)
    cold, hot = (scale(CUBIC[0], patterns, temperature) for temperature in (0.02, 2.0))
    schedule = ((cold, 3000), (hot, 50), (cold, 1500), (hot, 5))
    ends, kept = [], []
    for representation in (layout, layout.dense):
        spins = patterns[:, 0].copy()
        overlaps = (spins.astype(np.int32) @ patterns).astype(np.int32)
        motion, first, seen = representation.motion(spins, overlaps, order, False), 0, []
        for temperature, sweeps in schedule:
            draws = Draws(neurons, KEYS, order, counters.METROPOLIS, temperature, first, sweeps)
            seen.append(motion.sweep(draws, 0, first, *no_trace(neurons, 400)))
            first += sweeps
            if isinstance(motion, Switching):
                kept.append(motion.keeps_costs)
        motion.close()
        ends.append((seen, spins, overlaps))
    assert kept == [True, False, True, False]
    assert_alike(*ends)


def test_couplings_are_made_when_they_would_have_saved_what_they_cost():
    layout = tensor_of(CUBIC[0], draw(64, 400))
    missed = 0.0
    while not layout.pays(1e5):
        missed += 1e5
    assert missed > 64**3
    assert "couplings" not in layout.__dict__
    assert layout.gain(0.0) > 0 > layout.gain(0.5)


def test_what_does_not_fit_is_left_to_the_sums():
    assert not TensorLayout.fits(DenseLayout.of(Power(4, "all"), draw(20, 6)))
    assert not TensorLayout.fits(DenseLayout.of(Power(3, "all"), np.ones((3, 2**15), dtype=np.int8)))
    assert not TensorLayout.fits(DenseLayout.of(Power(3, "all"), draw(330, 6)))
    chosen = representations.Dense(CUBIC[0], Levels(CUBIC[0], draw(20, 6)), draw(20, 6))
    assert isinstance(chosen.layout, TensorLayout)
