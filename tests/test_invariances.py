"""Symmetries of the law are symmetries of the motion: same keys, equivalent trajectories, exactly."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hopsim.dynamics import Glauber, Metropolis, SignUpdate, Synchronous
from hopsim.interactions import Exponential, LogSumExp, Power, Quadratic, Rectified
from hopsim.rng import keys
from hopsim.states import of_spins

N, K, SWEEPS = 9, 4, 6
RULES = (SignUpdate(), Glauber(0.6), Metropolis(0.6, "random"), Synchronous(0.6), Synchronous(0))
EVEN = (Quadratic(), Power(4, "distinct"), Power(4, "all"), Power(6, "distinct"))
INTEGER = (*EVEN, Power(3, "distinct"), Power(5, "all"), Rectified(3))
signs = st.sampled_from([-1, 1])
spins_of = arrays.arrays(np.int8, N, elements=signs)
patterns_of = arrays.arrays(np.int8, (N, K), elements=st.sampled_from([-1, 0, 1]))
rules = st.sampled_from(RULES)
seeds = st.integers(0, 2**32)


def moved(interaction, patterns, spins, rule, seed):
    """The trajectory of the spins, sweep by sweep, and the number of flips."""
    quenched = naive.quenched(interaction, patterns)
    chain_keys = keys(seed, 0, temperature=rule.temperature, replica=0)
    trace = rule.advance(of_spins(quenched, spins), quenched, chain_keys, 0, SWEEPS, 1)
    np.testing.assert_array_equal(trace.states.overlaps, trace.states.spins.astype(int) @ patterns.astype(int))
    return trace.states.spins, trace.flips


def at_zero_where_it_must(interaction, rule):
    return SignUpdate() if isinstance(interaction, Exponential) else rule


@given(
    interaction=st.sampled_from([*INTEGER, Exponential(), LogSumExp(0.5)]),
    patterns=patterns_of,
    spins=spins_of,
    gauge=spins_of,
    rule=rules,
    seed=seeds,
)
def test_gauge(interaction, patterns, spins, gauge, rule, seed):
    """ξ_i -> η_i ξ_i with σ_i -> η_i σ_i changes no overlap."""
    rule = at_zero_where_it_must(interaction, rule)
    plain, flips = moved(interaction, patterns, spins, rule, seed)
    turned, turned_flips = moved(interaction, gauge[:, None] * patterns, gauge * spins, rule, seed)
    np.testing.assert_array_equal(turned, gauge * plain)
    assert turned_flips == flips


@given(
    interaction=st.sampled_from(INTEGER),
    patterns=patterns_of,
    spins=spins_of,
    order=st.permutations(range(K)),
    rule=rules,
    seed=seeds,
)
def test_order_of_the_patterns(interaction, patterns, spins, order, rule, seed):
    plain, flips = moved(interaction, patterns, spins, rule, seed)
    permuted, permuted_flips = moved(interaction, patterns[:, order], spins, rule, seed)
    np.testing.assert_array_equal(permuted, plain)
    assert permuted_flips == flips


@given(
    interaction=st.sampled_from(EVEN),
    patterns=patterns_of,
    spins=spins_of,
    turned=arrays.arrays(np.int8, K, elements=signs),
    rule=rules,
    seed=seeds,
)
def test_sign_of_whole_patterns_for_even_interactions(interaction, patterns, spins, turned, rule, seed):
    plain, _ = moved(interaction, patterns, spins, rule, seed)
    np.testing.assert_array_equal(moved(interaction, patterns * turned, spins, rule, seed)[0], plain)


@given(interaction=st.sampled_from(EVEN), patterns=patterns_of, spins=spins_of, rule=rules, seed=seeds)
def test_global_flip_for_even_interactions(interaction, patterns, spins, rule, seed):
    plain, _ = moved(interaction, patterns, spins, rule, seed)
    np.testing.assert_array_equal(moved(interaction, patterns, -spins, rule, seed)[0], -plain)


@given(patterns=patterns_of, spins=spins_of, rule=rules, seed=seeds)
def test_blank_patterns_change_nothing(patterns, spins, rule, seed):
    for interaction in (Quadratic(), Power(3, "distinct"), Rectified(2)):
        plain, _ = moved(interaction, patterns, spins, rule, seed)
        more = np.concatenate([patterns, np.zeros((N, 2), dtype=np.int8)], axis=1)
        np.testing.assert_array_equal(moved(interaction, more, spins, rule, seed)[0], plain)


@given(spins=spins_of, seed=seeds)
def test_energy_is_lowest_on_a_single_pattern(spins, seed):
    for interaction in (*INTEGER, Exponential(), LogSumExp(0.5)):
        quenched = naive.quenched(interaction, np.random.default_rng(seed).choice((-1, 1), (N, 1)))
        retrieved = quenched.energy_density(quenched.overlaps(quenched.patterns[:, 0]))
        assert retrieved <= quenched.energy_density(quenched.overlaps(spins))


@pytest.mark.parametrize("interaction", [Power(3, "all"), Power(3, "distinct"), Rectified(2), LogSumExp(0.5)], ids=repr)
def test_the_even_symmetry_is_absent_elsewhere(interaction):
    """These laws tell a pattern from its negative, so the tests above can fail."""
    patterns = np.random.default_rng(0).choice((-1, 1), (N, K)).astype(np.int8)
    plain, _ = moved(interaction, patterns, patterns[:, 0], SignUpdate(), 1)
    negative, _ = moved(interaction, patterns, -patterns[:, 0], SignUpdate(), 1)
    assert not np.array_equal(negative, -plain)
