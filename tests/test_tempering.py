"""Parallel tempering: trajectories against a readable twin, visits against exact enumeration, walkers by hand.

Statistical tests have fixed seeds, false-alarm rate 1e-4 and must reject what is wrong with p < 1e-8. Rounds are taken
in pairs, which end on the same parity of swaps, with enough sweeps that the exact transition operator of a pair, on all
slots together, has no eigenvalue but 1 above 1e-3 in modulus.
"""

import math

import naive
import numpy as np
import pytest
from scipy import stats
from scipy.sparse.linalg import LinearOperator, eigs
from test_equilibrium import FALSE_ALARM, WRONG, boltzmann, energies, frozen, one_sweep, p_value

from hopsim import tempering as module
from hopsim.dynamics import Glauber, Metropolis
from hopsim.errors import Refused
from hopsim.interactions import Exponential, LogSumExp, Power, Quadratic
from hopsim.observables import energy_density, overlap
from hopsim.rng import keys
from hopsim.states import of_spins
from hopsim.tempering import Tempering, round_trips, swap_probability

LOOKS = 13_000
RULES = {"glauber": Glauber, "metropolis": Metropolis}
# interaction, N, K, ladder, rule, sweeps per swap
LADDERS = (
    (Quadratic(), 5, 3, (0.6, 0.8, 1.0), "glauber", 20),
    (Power(3, "distinct"), 5, 3, (0.27, 0.32, 0.38), "metropolis", 24),
    (LogSumExp(0.5), 4, 3, (0.6, 0.7, 0.8), "glauber", 4),
)


# --- exact: laws of all slots together, one axis a slot ---


def product_law(E, temperatures):
    laws = [boltzmann(E, T) for T in temperatures]
    return np.einsum("a,b,c->abc", *laws)


def chances(E, T_a, T_b):
    """The swap probability of every pair of states."""
    return np.array([[swap_probability(T_a, T_b, x - y) for y in E] for x in E])


def mean_chance(E, T_a, T_b):
    """The swap rate in equilibrium."""
    return boltzmann(E, T_a) @ chances(E, T_a, T_b) @ boltzmann(E, T_b)


def offered_swap(law, E, temperatures, a):
    """The law after an offer to swap slots a and a + 1 of three."""
    chance = chances(E, *temperatures[a : a + 2])
    chance = chance[..., None] if a == 0 else chance[None]
    return law * (1 - chance) + np.swapaxes(law * chance, a, a + 1)


def one_round(law, E, temperatures, steps, parity):
    for slot, step in enumerate(steps):
        law = np.moveaxis(np.tensordot(law, step, (slot, 0)), -1, slot)
    return offered_swap(law, E, temperatures, parity)


def slowest(E, temperatures, rule, sweeps):
    """The second largest modulus among the eigenvalues of two rounds."""
    steps = [np.linalg.matrix_power(one_sweep(RULES[rule](T, "cyclic"), E), sweeps) for T in temperatures]
    shape, size = (E.size,) * 3, E.size**3

    def two_rounds(law):
        even = one_round(law.reshape(shape), E, temperatures, steps, 0)
        return one_round(even, E, temperatures, steps, 1).ravel()

    operator, start = LinearOperator((size, size), matvec=two_rounds), np.random.default_rng(0).random(size)
    return np.sort(abs(eigs(operator, k=2, v0=start, tol=1e-6, return_eigenvectors=False)))[0]


@pytest.mark.parametrize(("interaction", "N", "K", "temperatures", "rule", "sweeps"), LADDERS, ids=repr)
def test_product_of_boltzmann_laws_is_stationary(interaction, N, K, temperatures, rule, sweeps):
    E = energies(interaction, frozen(interaction, N, K))
    law = product_law(E, temperatures)
    for a in (0, 1):
        np.testing.assert_allclose(offered_swap(law, E, temperatures, a), law, rtol=1e-12)
    off = offered_swap(law, E, (temperatures[0] * 1.1, *temperatures[1:]), 0)
    assert abs(off - law).sum() > 1e-3


def test_swap_probability_is_in_detailed_balance_and_never_overflows():
    for T_a, T_b, E_a, E_b in np.random.default_rng(0).normal(size=(100, 4)):
        T_a, T_b = abs(T_a) + 0.1, abs(T_b) + 0.1
        forward = math.exp(-E_a / T_a - E_b / T_b) * swap_probability(T_a, T_b, E_a - E_b)
        backward = math.exp(-E_b / T_a - E_a / T_b) * swap_probability(T_a, T_b, E_b - E_a)
        assert forward == pytest.approx(backward, rel=1e-12)
    assert swap_probability(0.1, 1.0, 1e9) == 1
    assert swap_probability(0.1, 1.0, -1e9) == 0


# --- visits ---


def start(quenched, slots):
    """Random states, the same in every call."""
    spins = np.random.default_rng(8).choice((-1, 1), (slots, len(quenched.patterns)))
    return [of_spins(quenched, s.astype(np.int8)) for s in spins]


def visited(interaction, N, K, temperatures, rule, sweeps, looks=LOOKS):
    """Quenched, trace of pairs of rounds and the number of the state in each slot [pair, round of the pair, slot]."""
    quenched, ladder = frozen(interaction, N, K), Tempering(temperatures, rule, sweeps, "cyclic")
    states, ladder_keys = start(quenched, len(temperatures)), ladder.keys(3, 0, N, K, replica=0)
    ladder.advance(states, quenched, ladder_keys, 0, 20)
    trace = ladder.advance(states, quenched, ladder_keys, 20, 2 * looks, 1)
    labels = (trace.states.spins > 0) @ (1 << np.arange(N))
    return quenched, trace, labels.reshape(looks, 2, -1)


def joint_p_value(labels, E, temperatures, slots):
    counts = np.bincount(labels[:, slots] @ (1, E.size), minlength=E.size**2)
    law = np.outer(*(boltzmann(E, temperatures[slot]) for slot in reversed(slots)))
    return p_value(counts, law.ravel())


@pytest.mark.parametrize(("interaction", "N", "K", "temperatures", "rule", "sweeps"), LADDERS, ids=repr)
def test_visits_of_every_slot_follow_boltzmann(interaction, N, K, temperatures, rule, sweeps):
    quenched, trace, labels = visited(interaction, N, K, temperatures, rule, sweeps)
    E = energies(interaction, quenched)
    assert slowest(E, temperatures, rule, sweeps) < 1e-3
    for parity in (0, 1):  # slots 0 and 1 come from a swap in the first round of a pair, 1 and 2 in the second
        for slot, T in enumerate(temperatures):
            counts = np.bincount(labels[:, parity, slot], minlength=E.size)
            assert p_value(counts, boltzmann(E, T)) > FALSE_ALARM
            assert p_value(counts, boltzmann(E, 1.1 * T)) < WRONG
            assert p_value(counts, boltzmann(E, 0.9 * T)) < WRONG
        for slots in ([0, 1], [1, 2], [0, 2]):
            assert joint_p_value(labels[:, parity], E, temperatures, slots) > FALSE_ALARM
    for a in (0, 1):  # each slot offered once in a pair of rounds: independent tries
        T_a, T_b = temperatures[a : a + 2]
        expected, wrong = mean_chance(E, T_a, T_b), mean_chance(E, 1.1 * T_a, T_b)
        error = math.sqrt(expected * (1 - expected) / LOOKS)
        assert trace.offered[a] == LOOKS
        assert abs(trace.swap_rate[a] - expected) < stats.norm.isf(FALSE_ALARM / 2) * error
        assert abs(trace.swap_rate[a] - wrong) > stats.norm.isf(WRONG / 2) * error


def test_visits_expose_a_swap_rule_out_of_balance(monkeypatch):
    monkeypatch.setattr(module, "swap_probability", lambda *_: 0.9)
    quenched, _, labels = visited(*LADDERS[0], looks=4000)
    E, temperatures = energies(LADDERS[0][0], quenched), LADDERS[0][3]
    for parity, slot in ((0, 0), (0, 1), (1, 1), (1, 2)):
        counts = np.bincount(labels[:, parity, slot], minlength=E.size)
        assert p_value(counts, boltzmann(E, temperatures[slot])) < WRONG


def test_joint_visits_expose_slots_that_are_not_independent():
    interaction, N, K, temperatures, _, _ = LADDERS[2]
    E = energies(interaction, frozen(interaction, N, K))
    same = np.random.default_rng(0).choice(E.size, LOOKS, p=boltzmann(E, temperatures[1]))
    assert joint_p_value(np.stack([same, same], axis=1), E, (temperatures[1],) * 2, [0, 1]) < WRONG


# --- trajectories ---


def twin(interaction, patterns, states, ladder, ladder_keys, rounds):
    """Rounds in plain loops, slots and pairs visited backwards; yields spins, walkers and energies of each round."""
    T, spins, walkers = ladder.temperatures, [s.spins.tolist() for s in states], list(range(len(states)))
    unit = naive.unit(interaction, len(patterns))
    for number in range(rounds):
        for slot in reversed(range(len(T))):
            rule = RULES[ladder.rule](T[slot], ladder.order)
            first, count = number * ladder.sweeps_per_swap, ladder.sweeps_per_swap
            spins[slot] = naive.advance(
                interaction, patterns, spins[slot], rule, ladder_keys.chains[slot], first, count
            )[0]
        E = [-unit * naive.total(interaction, patterns.tolist(), s) for s in spins]
        for a in reversed(range(number % 2, len(T) - 1, 2)):
            u = (naive.word(ladder_keys.swaps, number, a) + 0.5) / 2**32
            if u < math.exp(min(0, (1 / T[a] - 1 / T[a + 1]) * (E[a] - E[a + 1]))):
                for slots in (spins, walkers, E):
                    slots[a], slots[a + 1] = slots[a + 1], slots[a]
        yield [list(s) for s in spins], list(walkers), list(E)


@pytest.mark.parametrize("order", ["permutation", "random", "cyclic"])
@pytest.mark.parametrize("interaction", [Quadratic(), Power(3, "distinct"), Power(4, "all")], ids=repr)
@pytest.mark.parametrize("rule", ["glauber", "metropolis"])
def test_rounds_equal_the_twin_that_visits_slots_backwards(rule, interaction, order):
    quenched = frozen(interaction, 9, 4)
    ladder = Tempering((0.2, 0.3, 0.5, 0.8), rule, 2, order)
    states, ladder_keys = start(quenched, 4), ladder.keys(1, 2, 9, 4, replica=1)
    rounds = list(twin(interaction, quenched.patterns, states, ladder, ladder_keys, 30))
    trace = ladder.advance(states, quenched, ladder_keys, 0, 30, 1, cued=1)
    spins, walkers, E = (np.array(column) for column in zip(*rounds, strict=True))
    np.testing.assert_array_equal(trace.states.spins, spins)
    np.testing.assert_array_equal(trace.states.overlaps, spins @ quenched.patterns.astype(int))
    np.testing.assert_array_equal(trace.walkers, walkers)
    np.testing.assert_array_equal([s.spins for s in states], spins[-1])
    np.testing.assert_array_equal([s.overlaps for s in states], trace.states.overlaps[-1])
    np.testing.assert_array_equal(trace.energy, energy_density(trace.states, quenched))
    np.testing.assert_array_equal(trace.overlap, overlap(trace.states, 1))
    np.testing.assert_allclose(np.diff(9 * trace.energy, axis=1), np.diff(E, axis=1), atol=1e-12)
    assert trace.accepted.sum() > 5
    assert (trace.accepted < trace.offered).any()
    assert trace.offered.tolist() == [15, 15, 15]


def test_a_ladder_longer_than_a_block_of_words_equals_the_twin():
    quenched, ladder = frozen(Quadratic(), 5, 2), Tempering(tuple(np.linspace(0.2, 1.2, 70)), "glauber", 1)
    states, ladder_keys = start(quenched, 70), ladder.keys(0, 0, 5, 2, replica=0)
    walkers = [row for _, row, _ in twin(Quadratic(), quenched.patterns, states, ladder, ladder_keys, 4)]
    trace = ladder.advance(states, quenched, ladder_keys, 0, 4)
    np.testing.assert_array_equal(trace.walkers, walkers)
    assert (trace.accepted[64:] > 0).any()


@pytest.mark.parametrize("interaction", [Quadratic(), LogSumExp(0.5)], ids=repr)
def test_two_calls_equal_one_call(interaction):
    quenched, ladder = frozen(interaction, 8, 3), Tempering((0.3, 0.5, 0.9), "glauber", 3)
    ladder_keys = ladder.keys(0, 0, 8, 3, replica=0)
    together, apart = start(quenched, 3), start(quenched, 3)
    whole = ladder.advance(together, quenched, ladder_keys, 0, 31, 1)
    first = ladder.advance(apart, quenched, ladder_keys, 0, 13, 1)
    second = ladder.advance(apart, quenched, ladder_keys, 13, 18, 1, walkers=first.walkers[-1])
    for name in ("walkers", "energy", "overlap"):
        np.testing.assert_array_equal(
            getattr(whole, name), np.concatenate([getattr(first, name), getattr(second, name)])
        )
    for name in ("offered", "accepted", "flips"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(first, name) + getattr(second, name))
    np.testing.assert_array_equal([s.spins for s in together], [s.spins for s in apart])
    assert len(ladder.advance(apart, quenched, ladder_keys, 31, 5, 2).states.spins) == 2


def test_sweeps_before_the_first_swap_are_those_of_single_chains():
    quenched, ladder = frozen(Quadratic(), 12, 3), Tempering((0.4, 0.8), "glauber", 7)
    states = start(quenched, 2)
    trace = ladder.advance(states, quenched, ladder.keys(5, 6, 12, 3, replica=2), 0, 1, 1)
    for T, single in zip(ladder.temperatures, start(quenched, 2), strict=True):
        flips = Glauber(T).advance(single, quenched, keys(5, 6, 12, 3, temperature=T, replica=2), 0, 7).flips
        slot = next(i for i, state in enumerate(states) if (state.spins == single.spins).all())
        assert flips in trace.flips
        assert trace.walkers[0, slot] == ladder.temperatures.index(T)


def test_swaps_have_numbers_of_their_own():
    ladder, other = Tempering((0.3, 0.5), "glauber", 1), Tempering((0.3, 0.6), "glauber", 1)
    names = [ladder.keys(0, s, 9, 4, replica=r) for s in (0, 1) for r in (0, 1)] + [other.keys(0, 0, 9, 4, replica=0)]
    assert len({name.swaps for name in names}) == 5
    assert not {name.swaps for name in names} & {chain.acceptance for name in names for chain in name.chains}
    assert ladder.keys(0, 0, 9, 4, replica=0) == names[0]


# --- walkers ---


def test_round_trips_of_a_history_by_hand():
    slots_of = {  # by round
        0: [0, 1, 2, 1, 0, 0, 1, 2],  # bottom, top, bottom, top: one
        1: [1, 0, 0, 2, 2, 1, 0, 0],  # bottom, top, bottom: one
        2: [2, 2, 1, 0, 1, 2, 2, 1],  # starts at the top, then bottom, top: none
    }
    walkers = np.zeros((8, 3), dtype=np.int32)
    for walker, slots in slots_of.items():
        walkers[np.arange(8), slots] = walker
    assert round_trips(walkers).tolist() == [1, 1, 0]
    assert round_trips(walkers[:4]).tolist() == [0, 0, 0]
    assert round_trips(np.tile(walkers, (2, 1))).tolist() == [3, 2, 1]
    assert round_trips(walkers[:0]).tolist() == [0, 0, 0]
    two = np.array([[0, 1], [1, 0], [0, 1], [1, 0]])
    assert round_trips(two).tolist() == [1, 1]


def test_tempering_leaves_the_valley_in_which_a_cold_chain_is_stuck():
    """E(σ) = E(-σ), so that both signs of the cued overlap have weight one half; at T = 0.2 a chain sees only one."""
    N, K, temperatures = 48, 2, (0.2, 0.3, 0.42, 0.55, 0.7, 0.85, 1.0, 1.2)
    quenched, ladder = frozen(Quadratic(), N, K), Tempering(temperatures, "glauber", 2)
    cue = quenched.patterns[:, 0]
    single = of_spins(quenched, cue)
    chain = Glauber(0.2).advance(single, quenched, keys(0, 0, N, K, temperature=0.2, replica=0), 0, 32_000, 2)
    assert chain.states.overlaps[:, 0].min() > 0.7 * N
    states = [of_spins(quenched, cue) for _ in temperatures]
    trace = ladder.advance(states, quenched, ladder.keys(0, 0, N, K, replica=0), 0, 2000)
    cold, trips = trace.overlap[:, 0], trace.round_trips.sum()
    assert trips > 30
    assert 0.35 < (abs(cold) > 0.7).mean() < 0.65  # the other pattern has the other half
    assert 0.3 < (cold[abs(cold) > 0.7] > 0).mean() < 0.7
    assert trace.swap_rate.min() > 0.1
    assert trace.states.spins.shape == (0, 8, N)


# --- refusals ---


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0.5,), "glauber", 1), "two or more increasing temperatures > 0, got (0.5,)"),
        (((0.5, 0.4), "glauber", 1), "increasing"),
        (((0.5, 0.5), "glauber", 1), "increasing"),
        (((0.0, 0.5), "glauber", 1), "temperatures > 0"),
        (((0.1, math.inf), "glauber", 1), "must be a finite number, got inf"),
        (((0.1, 0.2), "sign", 1), "rule must be glauber or metropolis, got 'sign'"),
        (((0.1, 0.2), "glauber", 0), "sweeps_per_swap must be an integer >= 1, got 0"),
        (((0.1, 0.2), "glauber", 1, "alphabetic"), "order must be one of permutation, random, cyclic"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(Refused) as refused:
        Tempering(*arguments)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_refusals_on_advance():
    quenched, ladder = frozen(Quadratic(), 6, 2), Tempering((0.3, 0.5), "glauber", 1)
    ladder_keys = ladder.keys(0, 0, 6, 2, replica=0)
    (state,) = start(quenched, 1)
    for states in ([state], [state, state]):
        with pytest.raises(Refused, match=f"needs 2 states, .* none twice, got {len(states)}"):
            ladder.advance(states, quenched, ladder_keys, 0, 1)
    with pytest.raises(Refused, match="walkers must be a permutation of 0 to 1"):
        ladder.advance(start(quenched, 2), quenched, ladder_keys, 0, 1, walkers=[1, 1])
    with pytest.raises(Refused, match="no temperature"):
        ladder.check(frozen(Exponential(), 6, 2).network.law)


def test_equal_ladders_are_equal():
    assert Tempering([np.float64(0.3), 1], "glauber", np.int64(2)) == Tempering((0.3, 1.0), "glauber", 2)
    assert hash(Tempering([0.3, 1], "glauber", 2)) == hash(Tempering((0.3, 1.0), "glauber", 2))
