"""Annealing: every sweep at its temperature, by trajectories and by products of transition matrices.

The final states of many chains from one start are independent; each chi-squared test has false-alarm rate 1e-4 (fixed
seeds) and must reject laws of other schedules with p < 1e-8.
"""

from dataclasses import replace

import numpy as np
import pytest
from naive import ORDERS, all_states
from naive import advance as naive_advance
from naive import quenched as naive_quenched
from test_equilibrium import FALSE_ALARM, WRONG, boltzmann, energies, frozen, one_sweep, p_value

from hopsim.annealing import Annealing
from hopsim.dynamics import Glauber, Metropolis, SignUpdate
from hopsim.errors import Refused
from hopsim.interactions import Exponential, LogSumExp, Power, Quadratic, Rectified
from hopsim.layouts.pairwise import Fields, Overlaps, Switching
from hopsim.motions import InPlace
from hopsim.networks import hopfield
from hopsim.rng import keys
from hopsim.simulation import Protocol, Run, simulate
from hopsim.states import State, of_spins

CHAINS = 16_000
RULES = {"glauber": Glauber, "metropolis": Metropolis}
INTERACTIONS = (Quadratic(), Power(3, "distinct"), Power(4, "all"), Rectified(3), LogSumExp(0.5))


def start(quenched):
    spins = np.random.default_rng(4).choice((-1, 1), len(quenched.patterns))
    return of_spins(quenched, spins.astype(np.int8))


# --- trajectories ---


@pytest.mark.parametrize(("schedule", "halfway"), [("linear", 1.25), ("geometric", 1.0)])
def test_temperatures_of_a_schedule(schedule, halfway):
    cooling = Annealing(2.0, 0.5, 4, schedule, "glauber")
    assert cooling.temperature_at(0) == 2
    assert cooling.temperature_at(2) == pytest.approx(halfway, rel=1e-15)
    assert [cooling.temperature_at(s) for s in (4, 5, 10**12)] == [0.5] * 3
    assert cooling.temperature == 0.5
    fixed = Annealing(0.3, 0.3, 7, schedule, "glauber")
    assert {fixed.temperature_at(s) for s in range(9)} == {0.3}


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=repr)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("rule", RULES)
def test_start_equal_to_stop_is_the_rule_itself(rule, order, interaction):
    quenched, chain_keys = frozen(interaction, 12, 5), keys(1, 0, temperature=0.7, replica=0)
    ours, theirs = start(quenched), start(quenched)
    fixed = Annealing(0.7, 0.7, 9, "geometric", rule, order).advance(ours, quenched, chain_keys, 3, 20, 1)
    plain = RULES[rule](0.7, order).advance(theirs, quenched, chain_keys, 3, 20, 1)
    np.testing.assert_array_equal(fixed.states.spins, plain.states.spins)
    np.testing.assert_array_equal(fixed.states.overlaps, plain.states.overlaps)
    np.testing.assert_array_equal(ours.spins, theirs.spins)
    assert fixed.flips == plain.flips


@pytest.mark.parametrize("schedule", ["linear", "geometric"])
@pytest.mark.parametrize("interaction", [Quadratic(), Power(3, "distinct"), LogSumExp(0.5)], ids=repr)
@pytest.mark.parametrize("rule", RULES)
def test_every_sweep_equals_the_twin_at_its_temperature(rule, interaction, schedule):
    quenched, chain_keys = frozen(interaction, 9, 4), keys(2, 0, temperature=0.1, replica=0)
    cooling = Annealing(1.5, 0.1, 8, schedule, rule)
    state = start(quenched)
    spins, flips, seen = state.spins.tolist(), 0, []
    for sweep in range(12):
        at = RULES[rule](cooling.temperature_at(sweep))
        spins, more, _ = naive_advance(interaction, quenched.patterns, spins, at, chain_keys, sweep, 1)
        flips, seen = flips + more, [*seen, spins]
    trace = cooling.advance(state, quenched, chain_keys, 0, 12, 1)
    np.testing.assert_array_equal(trace.states.spins, seen)
    np.testing.assert_array_equal(trace.states.overlaps, np.array(seen) @ quenched.patterns.astype(int))
    assert trace.flips == flips


def test_two_calls_equal_one_call():
    quenched, chain_keys = frozen(Power(3, "distinct"), 20, 6), keys(3, 0, temperature=0.1, replica=0)
    cooling = Annealing(1.0, 0.1, 15, "linear", "glauber")
    together, apart = start(quenched), start(quenched)
    whole = cooling.advance(together, quenched, chain_keys, 0, 24, 1)
    parts = [cooling.advance(apart, quenched, chain_keys, first, sweeps, 1) for first, sweeps in ((0, 7), (7, 17))]
    np.testing.assert_array_equal(whole.states.spins, np.concatenate([part.states.spins for part in parts]))
    assert whole.flips == sum(part.flips for part in parts)


def test_many_sweeps_are_drawn_in_blocks(monkeypatch):
    quenched, chain_keys = frozen(Quadratic(), 20, 6), keys(3, 0, temperature=0.1, replica=0)
    cooling = Annealing(1.0, 0.1, 15, "linear", "glauber")
    at_once, in_blocks = start(quenched), start(quenched)
    whole = cooling.advance(at_once, quenched, chain_keys, 0, 30, 4)
    for kind in (InPlace, Fields, Overlaps, Switching):
        monkeypatch.setattr(kind, "at_once", 60)
    blocks = cooling.advance(in_blocks, quenched, chain_keys, 0, 30, 4)
    np.testing.assert_array_equal(whole.states.spins, blocks.states.spins)
    assert whole.states.spins.shape == (7, 20)
    assert whole.flips == blocks.flips


@pytest.mark.parametrize("rule", RULES)
def test_a_stop_at_zero_ends_in_sign_updates(rule):
    quenched, chain_keys = frozen(Quadratic(), 30, 4), keys(5, 0, temperature=0.0, replica=0)
    state = start(quenched)
    cooling = Annealing(1.0, 0.0, 5, "linear", rule)
    cooling.advance(state, quenched, chain_keys, 0, 5)
    greedy = of_spins(quenched, state.spins)
    ours = cooling.advance(state, quenched, chain_keys, 5, 6, 1)
    plain = SignUpdate().advance(greedy, quenched, chain_keys, 5, 6, 1)
    np.testing.assert_array_equal(ours.states.spins, plain.states.spins)


# --- laws ---


def final_law(cooling, E, first, sweeps):
    """Law after these sweeps from the state with label 0: a row of the product of their transition matrices."""
    law = np.eye(E.size)[0]
    for sweep in range(first, first + sweeps):
        law = law @ one_sweep(RULES[cooling.rule](cooling.temperature_at(sweep), cooling.order), E)
    return law


def final_visits(cooling, quenched, sweeps):
    N = len(quenched.patterns)
    counts, down = np.zeros(2**N, dtype=int), of_spins(quenched, -np.ones(N, dtype=np.int8))
    for replica in range(CHAINS):
        state = State(down.spins.copy(), down.overlaps.copy())
        cooling.advance(state, quenched, keys(6, 0, temperature=cooling.stop, replica=replica), 0, sweeps)
        counts[(state.spins > 0) @ (1 << np.arange(N))] += 1
    return counts


@pytest.mark.parametrize(
    ("cooling", "interaction"),
    [
        (Annealing(1.2, 0.12, 3, "linear", "glauber", "cyclic"), Power(3, "distinct")),
        (Annealing(2.0, 0.3, 3, "geometric", "glauber", "cyclic"), Quadratic()),
    ],
    ids=repr,
)
def test_final_states_follow_the_product_of_transition_matrices(cooling, interaction):
    quenched, sweeps = frozen(interaction, 5, 3), 5
    E = energies(interaction, quenched)
    counts = final_visits(cooling, quenched, sweeps)
    assert p_value(counts, final_law(cooling, E, 0, sweeps)) > FALSE_ALARM
    other = "linear" if cooling.schedule == "geometric" else "geometric"
    wrong = (
        replace(cooling, schedule=other),
        replace(cooling, start=1.2 * cooling.start, stop=1.2 * cooling.stop),
        replace(cooling, start=cooling.stop),
    )
    for schedule in wrong:
        assert p_value(counts, final_law(schedule, E, 0, sweeps)) < WRONG
    assert p_value(counts, final_law(cooling, E, 1, sweeps)) < WRONG
    assert p_value(counts, boltzmann(E, cooling.stop)) < WRONG


@pytest.mark.parametrize(("interaction", "N", "K"), [(Quadratic(), 12, 40), (Power(3, "distinct"), 8, 4)], ids=repr)
def test_slow_cooling_ends_in_a_ground_state_and_a_quench_does_not(interaction, N, K):
    """Patterns of a seed whose ground state is well below the next level, so that 5,000 sweeps are slow."""
    quenched = naive_quenched(interaction, np.random.default_rng(2).choice((-1, 1), (N, K)))
    ground = quenched.energy_density(quenched.overlaps(all_states(N))).min()
    slow, fast = Annealing(1.5, 0.05, 5000, "geometric", "glauber"), SignUpdate()
    ends = {slow: [], fast: []}
    for replica in range(20):
        spins = np.random.default_rng(replica).choice((-1, 1), N).astype(np.int8)
        for rule, seen in ends.items():
            state = of_spins(quenched, spins)
            rule.advance(state, quenched, keys(0, 0, N, K, temperature=rule.temperature, replica=replica), 0, 5100)
            seen.append(quenched.energy_density(state.overlaps) == ground)
    assert all(ends[slow])
    assert sum(ends[fast]) < 10


def test_a_run_cools_while_it_equilibrates():
    cooling = Annealing(1.5, 0.1, 50, "linear", "glauber")
    run = Run(hopfield(neurons=100, patterns=2), cooling, Protocol(0.3, 50, 20), seed=1, sample=0)
    record = simulate(run)
    assert record.best_overlap.min() > 0.9
    np.testing.assert_array_equal(record.energy, simulate(run).energy)


# --- refusals ---


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 0.0, 5, "linear", "glauber"), "needs a start > 0, got 0.0; at T = 0 use SignUpdate()"),
        ((1.0, -0.1, 5, "linear", "glauber"), "needs a stop >= 0, got -0.1"),
        ((1.0, 0.0, 5, "geometric", "glauber"), "never reaches stop = 0; use linear"),
        ((1.0, 0.1, 0, "linear", "glauber"), "sweeps must be an integer >= 1, got 0"),
        ((1.0, 0.1, 5, "cubic", "glauber"), "schedule must be one of linear, geometric, got 'cubic'"),
        ((1.0, 0.1, 5, "linear", "sign"), "rule must be glauber or metropolis, got 'sign'"),
        ((1.0, 0.1, 5, "linear", "glauber", "sorted"), "order must be one of permutation, random, cyclic"),
        ((1.0, float("nan"), 5, "linear", "glauber"), "stop must be a finite number, got nan"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(Refused) as refused:
        Annealing(*arguments)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_exponential_networks_are_refused_even_when_the_stop_is_zero():
    law = frozen(Exponential(), 6, 2).network.law
    with pytest.raises(Refused, match="no temperature"):
        Annealing(1.0, 0.0, 5, "linear", "glauber").check(law)
