"""Motion: the compiled chain is that of the readable twin, spin by spin, for every rule, order, law and ensemble."""

import naive
import numpy as np
import pytest

from hopsim import representations
from hopsim.dynamics import CATALOGUE, ORDERS, Glauber, Metropolis, SignUpdate, Synchronous
from hopsim.errors import Refused
from hopsim.interactions import CATALOGUE as INTERACTIONS
from hopsim.interactions import Exponential, LogSumExp, Power, Quadratic, Rectified
from hopsim.layouts.dense import DenseMotion
from hopsim.layouts.pairwise import Fields, Overlaps, Switching
from hopsim.motions import InPlace
from hopsim.networks import Law
from hopsim.patterns import Biased, Diluted, Rademacher, Stored
from hopsim.rng import Keys, keys
from hopsim.states import of_spins

KEYS = keys(20, 3, temperature=0.5, replica=1)
CASES = (
    Quadratic(),
    Power(3, "distinct"),
    Power(4, "distinct"),
    Power(7, "distinct"),
    Power(3, "all"),
    Power(4, "all"),
    Power(8, "all"),
    Rectified(2),
    Rectified(3),
    Exponential(),
    LogSumExp(0.5),
    LogSumExp(1.3),
)
BLANKS = np.array([[1, 0, 0], [-1, 0, 1], [0, 0, 1], [1, 0, 0], [0, 0, 0], [-1, 0, -1]])
DISORDER = ((Rademacher(), 7, 5), (Biased(0.3), 6, 3), (Diluted(0.4), 9, 6), (Stored(BLANKS), 6, 3))


def rules(temperature):
    """Every rule of the catalogue in every order at this temperature."""
    made = [Synchronous(temperature=temperature)]
    if temperature == 0:
        return made + [SignUpdate(order=order) for order in ORDERS]
    return made + [rule(temperature=temperature, order=order) for rule in (Glauber, Metropolis) for order in ORDERS]


RULES = (*rules(0), *rules(0.4), *rules(3.0))


def has_a_meaning(rule, interaction):
    return rule.temperature == 0 or not isinstance(interaction, Exponential)


def start(interaction, ensemble, N, K, seed=5):
    rng = np.random.default_rng(seed)
    quenched = naive.quenched(interaction, ensemble.draw(N, K, rng))
    return quenched, of_spins(quenched, rng.choice((-1, 1), N))


def assert_follows_the_twin(rule, interaction, disorder, first_sweep, n_sweeps, every):
    quenched, state = start(interaction, *disorder)
    spins, flips, seen = naive.advance(
        interaction, quenched.patterns, state.spins, rule, KEYS, first_sweep, n_sweeps, every
    )
    trace = rule.advance(state, quenched, KEYS, first_sweep, n_sweeps, every)
    assert (state.spins.tolist(), trace.flips, trace.states.spins.tolist()) == (spins, flips, seen)
    patterns = quenched.patterns.tolist()
    assert state.overlaps.tolist() == naive.overlaps(patterns, spins)
    assert trace.states.overlaps.tolist() == [naive.overlaps(patterns, row) for row in seen]
    if quenched.levels is not None:
        totals = [naive.total(interaction, patterns, row) for row in seen]
        assert quenched.levels.total(trace.states.overlaps).tolist() == totals
    return flips


def test_every_rule_and_interaction_is_in_the_cases():
    assert {type(rule) for rule in RULES} == set(CATALOGUE)
    assert {type(case) for case in CASES} == set(INTERACTIONS)


@pytest.mark.parametrize("interaction", CASES, ids=repr)
@pytest.mark.parametrize("disorder", DISORDER, ids=repr)
def test_compiled_trajectory_is_that_of_the_twin(interaction, disorder):
    flips = 0
    for rule in filter(lambda rule: has_a_meaning(rule, interaction), RULES):
        flips += assert_follows_the_twin(rule, interaction, disorder, first_sweep=2, n_sweeps=7, every=2)
    assert flips > 0


@pytest.mark.parametrize("interaction", [Quadratic(), Power(3, "distinct"), LogSumExp(0.5)], ids=repr)
@pytest.mark.parametrize("rule", [SignUpdate("random"), Glauber(0.7), Metropolis(0.7, "random"), Synchronous(0.7)])
def test_compiled_trajectory_is_that_of_the_twin_beyond_one_block_and_beyond_32_bits(interaction, rule):
    disorder = (Diluted(0.2), 67, 4)
    assert assert_follows_the_twin(rule, interaction, disorder, first_sweep=2**32 - 2, n_sweeps=3, every=1) > 0


@pytest.mark.parametrize("interaction", CASES, ids=repr)
def test_overlaps_stay_exact_over_many_sweeps(interaction):
    quenched, state = start(interaction, Diluted(0.3), 60, 40)
    rule = SignUpdate() if isinstance(interaction, Exponential) else Metropolis(temperature=5.0)
    trace = rule.advance(state, quenched, KEYS, 0, 300, 100)
    for spins, overlaps in ((state.spins, state.overlaps), (trace.states.spins, trace.states.overlaps)):
        np.testing.assert_array_equal(overlaps, spins.astype(int) @ quenched.patterns.astype(int))
    np.testing.assert_array_equal(trace.states.spins[-1], state.spins)
    assert trace.flips > 0


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("interaction", [Quadratic(), Power(3, "all"), LogSumExp(0.5)], ids=repr)
def test_advancing_in_parts_is_advancing_at_once(rule, interaction, monkeypatch):
    quenched, whole = start(interaction, Rademacher(), 21, 9)
    _, parts = start(interaction, Rademacher(), 21, 9)
    together = rule.advance(whole, quenched, KEYS, 4, 12, 3)
    separate = [rule.advance(parts, quenched, KEYS, 4 + done, 3, 3) for done in range(0, 12, 3)]
    np.testing.assert_array_equal(whole.spins, parts.spins)
    np.testing.assert_array_equal(whole.overlaps, parts.overlaps)
    np.testing.assert_array_equal(together.states.spins, np.concatenate([one.states.spins for one in separate]))
    np.testing.assert_array_equal(together.states.overlaps, np.concatenate([one.states.overlaps for one in separate]))
    assert together.flips == sum(one.flips for one in separate)
    for kind in (InPlace, DenseMotion, Fields, Overlaps, Switching):
        monkeypatch.setattr(kind, "at_once", 5 * 21)
    _, chunked = start(interaction, Rademacher(), 21, 9)
    again = rule.advance(chunked, quenched, KEYS, 4, 12, 3)
    np.testing.assert_array_equal(again.states.spins, together.states.spins)
    assert again.flips == together.flips


def test_snapshots_are_taken_every_so_many_sweeps_from_the_start_of_the_call():
    quenched, state = start(Quadratic(), Rademacher(), 20, 4)
    rule = Glauber(temperature=1.0)
    trace = rule.advance(state, quenched, KEYS, 5, 7, 3)
    assert trace.states.spins.shape == (2, 20)
    assert trace.states.overlaps.shape == (2, 4)
    for row, sweeps in enumerate((3, 6)):
        _, fresh = start(Quadratic(), Rademacher(), 20, 4)
        assert rule.advance(fresh, quenched, KEYS, 5, sweeps).states.spins.shape == (0, 20)
        np.testing.assert_array_equal(trace.states.spins[row], fresh.spins)


def test_no_sweep_moves_nothing():
    quenched, state = start(Quadratic(), Rademacher(), 20, 4)
    before = state.spins.copy()
    assert Glauber(temperature=1.0).advance(state, quenched, KEYS, 0, 0, 1).flips == 0
    np.testing.assert_array_equal(state.spins, before)


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("ensemble", [Rademacher(), Diluted(0.5)], ids=repr)
def test_every_representation_of_the_quadratic_network_moves_alike(rule, ensemble):
    quenched, state = start(Quadratic(), ensemble, 40, 12)
    assert isinstance(quenched.representation, representations.Pairwise)
    first = rule.advance(state, quenched, KEYS, 0, 20, 4)
    for make in (representations.couplings, representations.table):
        other, same = start(Quadratic(), ensemble, 40, 12)
        other.representation = make(other.levels, other.patterns)
        second = rule.advance(same, other, KEYS, 0, 20, 4)
        np.testing.assert_array_equal(first.states.spins, second.states.spins)
        np.testing.assert_array_equal(state.overlaps, same.overlaps)
        assert first.flips == second.flips


def test_exponential_moves_like_log_sum_exp_of_sharpness_one_at_zero_temperature():
    for interaction in (Exponential(), LogSumExp(1.0)):
        quenched, state = start(interaction, Rademacher(), 30, 200)
        SignUpdate().advance(state, quenched, KEYS, 0, 5)
        if isinstance(interaction, Exponential):
            expected = state.spins
    np.testing.assert_array_equal(state.spins, expected)


@pytest.mark.parametrize("interaction", CASES, ids=repr)
def test_sign_update_never_raises_the_energy_and_ends_in_a_fixed_point(interaction):
    quenched, state = start(interaction, Diluted(0.2), 40, 12)
    trace = SignUpdate().advance(state, quenched, KEYS, 0, 60, 1)
    energies = quenched.energy_density(trace.states.overlaps)
    assert (np.diff(energies) <= 1e-12).all()
    assert SignUpdate("cyclic").advance(state, quenched, KEYS, 60, 1).flips == 0


def test_ties_keep_the_spin_under_sign_updates_and_always_flip_under_metropolis():
    quenched = naive.quenched(Quadratic(), np.array([[1], [-1], [0], [0]]))  # blank neurons feel no field
    for rule, expected in ((SignUpdate(), [1, -1, 1, -1]), (Metropolis(temperature=1e-3), [1, -1, -1, 1])):
        state = of_spins(quenched, np.array([1, -1, 1, -1]))
        rule.advance(state, quenched, KEYS, 0, 1)
        assert state.spins.tolist() == expected


def test_site_order_is_shared_between_temperatures_and_replicas_thresholds_are_not():
    base = keys(1, 2, temperature=0.5, replica=0)
    others = [keys(1, 2, temperature=0.5, replica=1), keys(1, 2, temperature=0.6, replica=0)]
    assert {other.order for other in others} == {base.order}
    assert len({base.acceptance, *(other.acceptance for other in others)}) == 3
    samples = [keys(seed, sample, temperature=0.5, replica=0) for seed, sample in ((1, 2), (1, 3), (2, 2))]
    assert len({key for pair in samples for key in pair}) == 6
    assert isinstance(base, Keys)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Glauber(0), r"Glauber needs a temperature > 0, got 0; at T = 0 use SignUpdate\(\)"),
        (lambda: Metropolis(-1), r"Metropolis needs a temperature > 0, got -1; at T = 0 use SignUpdate\(\)"),
        (lambda: Glauber(float("nan")), "temperature must be a finite number, got nan"),
        (lambda: Metropolis(float("inf")), "temperature must be a finite number, got inf"),
        (lambda: Synchronous(-0.5), r"Synchronous needs a temperature >= 0, got -0\.5"),
        (lambda: Synchronous(float("nan")), "temperature must be a finite number, got nan"),
        (lambda: SignUpdate("typewriter"), "one of permutation, random, cyclic, got 'typewriter'"),
        (lambda: Glauber(1.0, "sorted"), "one of permutation, random, cyclic, got 'sorted'"),
        (lambda: Metropolis(1.0, ""), "one of permutation, random, cyclic, got ''"),
    ],
)
def test_rules_refuse_what_has_no_meaning(make, message):
    with pytest.raises(Refused, match=message):
        make()


@pytest.mark.parametrize("rule", [Glauber(0.3), Metropolis(0.3), Synchronous(0.3)], ids=repr)
def test_the_exponential_network_has_no_temperature(rule):
    quenched, state = start(Exponential(), Rademacher(), 10, 3)
    before = state.spins.copy()
    with pytest.raises(Refused, match=r"no temperature .* got 0\.3; use SignUpdate\(\), or log_sum_exp"):
        rule.advance(state, quenched, KEYS, 0, 1)
    np.testing.assert_array_equal(state.spins, before)
    for allowed in (SignUpdate(), Synchronous(0)):
        assert allowed.check(Law(Exponential(), Rademacher())) is None
