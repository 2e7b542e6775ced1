"""Patterns with blank entries: every motion follows the readable twin and the general kernels, whatever it skips."""

import naive
import numpy as np
import pytest
from test_pairwise import KINDS, RULES, Wide, assert_all_kinds_follow_the_general_kernel

import hopsim as hs
from hopsim import representations
from hopsim.draws import Draws
from hopsim.dynamics import ORDERS, Glauber, Metropolis, SignUpdate, Synchronous
from hopsim.errors import Refused
from hopsim.interactions import Power, Quadratic, Rectified
from hopsim.kernels import counters
from hopsim.layouts import pairwise
from hopsim.layouts.lanes import LaneLayout
from hopsim.layouts.pairwise import Fields, Overlaps, PairwiseLayout, Switching
from hopsim.levels import WeightedLevels
from hopsim.motions import InPlace
from hopsim.retrieval import retrieve
from hopsim.rng import keys
from hopsim.states import of_spins

KEYS = keys(3, 1, temperature=0.5, replica=0)
DILUTIONS = (0.0, 0.1, 0.5, 0.95)
LAWS = (Quadratic(), *(Power(p, indices) for p in (3, 4, 5) for indices in ("distinct", "all")), Rectified(3))


def sample(N, K, d, seed=6):
    """Patterns of dilution d, from d = 0.1 on with one blank neuron and, among several, one blank pattern."""
    rng = np.random.default_rng((seed, N, K, int(100 * d)))
    patterns = hs.Diluted(d).draw(N, K, rng)
    if d > 0:
        patterns[N // 3] = 0
        patterns[:, 1:2] = 0
    return patterns, rng.choice(np.array([-1, 1], dtype=np.int8), N)


def rules(T):
    """Every rule in every order, cold and warm."""
    made = [Synchronous(0), Synchronous(T), *(SignUpdate(order) for order in ORDERS)]
    return made + [rule(T, order) for rule in (Glauber, Metropolis) for order in ORDERS]


# --- the same trajectory ---


@pytest.mark.parametrize("d", DILUTIONS)
@pytest.mark.parametrize("interaction", LAWS, ids=repr)
def test_motion_is_that_of_the_twin_for_every_rule_order_and_degree(interaction, d):
    patterns, start = sample(13, 6, d)
    quenched, flips = naive.quenched(interaction, patterns), 0
    for rule in rules(0.6):
        expected = naive.advance(interaction, patterns, start, rule, KEYS, 5, 4, 2)
        state = of_spins(quenched, start.copy())
        trace = rule.advance(state, quenched, KEYS, 5, 4, 2)
        assert (state.spins.tolist(), trace.flips, trace.states.spins.tolist()) == expected
        np.testing.assert_array_equal(trace.states.overlaps, trace.states.spins.astype(int) @ patterns.astype(int))
        flips += trace.flips
    assert flips > 0


@pytest.mark.parametrize("d", DILUTIONS[1:])
@pytest.mark.parametrize("order", ORDERS)
def test_every_motion_of_degree_two_is_that_of_the_general_kernel(order, d):
    flips = 0
    for rule, T in RULES:
        for N, K in ((2, 1), (64, 8), (100, 9), (129, 33), (200, 65), (70, 130)):
            layouts = (PairwiseLayout, Wide) if N in (100, 129) else (PairwiseLayout,)
            numbers = (*sample(N, K, d), rule, T * N * (1 - d), 3)
            flips += assert_all_kinds_follow_the_general_kernel(*numbers, order=order, layouts=layouts)
    assert flips > 0


@pytest.mark.parametrize("interaction", [Power(3, "all"), Power(4, "distinct"), Rectified(3)], ids=repr)
@pytest.mark.parametrize("K", [63, 64, 65, 130])
def test_tables_of_several_words_keep_exact_overlaps_and_fall_to_rest_where_no_flip_gains(interaction, K):
    patterns, start = sample(40, K, 0.6)
    quenched = naive.quenched(interaction, patterns)
    hot = of_spins(quenched, start)
    assert Metropolis(1e3).advance(hot, quenched, KEYS, 0, 30).flips > 100
    np.testing.assert_array_equal(hot.overlaps, hot.spins.astype(int) @ patterns.astype(int))
    SignUpdate().advance(hot, quenched, KEYS, 30, 40)
    total = naive.total(interaction, patterns.tolist(), hot.spins.tolist())
    for site in range(40):
        after = naive.flipped(hot.spins.tolist(), site)
        assert naive.total(interaction, patterns.tolist(), after) <= total


@pytest.mark.parametrize("K", [129, 301])
def test_couplings_beyond_eight_bits(K):
    patterns, spins = sample(70, K, 0.05)
    patterns[2] = patterns[0] = np.where(np.arange(K) % 50 == 0, 0, 1)  # J_02 = 98 %  of K
    patterns[69] = -patterns[0]
    layout = PairwiseLayout(patterns)
    assert layout.couplings.dtype == layout.diagonal.dtype == (np.int8 if K == 129 else np.int16)
    for order in ORDERS:
        assert assert_all_kinds_follow_the_general_kernel(patterns, spins, counters.METROPOLIS, 300.0, 3, order=order)


@pytest.mark.parametrize(("K", "narrow"), [(253, True), (254, False)])
def test_fields_at_the_end_of_sixteen_bits(K, narrow):
    """One blank: Σ_j |J_ij| is still 259 K, of at most 65533, for all but one pair."""
    patterns = np.ones((260, K), dtype=np.int8)
    patterns[100, 7] = 0
    layout = PairwiseLayout(patterns)
    assert layout.number is (np.int16 if narrow else np.int32)
    for scale in (0.7, 3e4):
        for order in ORDERS:
            numbers = (patterns, -patterns[:, 0] | 1, counters.GLAUBER, scale, 1)
            assert_all_kinds_follow_the_general_kernel(*numbers, order=order, layouts=(PairwiseLayout,))


@pytest.mark.parametrize(("N", "K", "d"), [(2, 1, 0.5), (65, 9, 0.1), (200, 130, 0.5), (1100, 7, 0.95)])
def test_couplings_are_those_of_hebb(N, K, d):
    patterns, _ = sample(N, K, d)
    real, layout = patterns.astype(int), PairwiseLayout(patterns)
    exact = np.zeros((layout.side, layout.side), dtype=int)
    exact[:N, :N] = real @ real.T
    np.fill_diagonal(exact, 0)
    np.testing.assert_array_equal(layout.couplings.reshape(exact.shape), exact)
    for block, ours in enumerate(layout.diagonal.reshape(-1, 64, 64)):
        here = slice(64 * block, 64 * block + 64)
        np.testing.assert_array_equal(ours, exact[here, here])
    assert layout._coupled[1] == np.abs(exact).sum(axis=1).max()


@pytest.mark.parametrize("make", [PairwiseLayout, Wide])
def test_many_cues_settle_where_each_settles_alone(make):
    patterns, _ = sample(150, 12, 0.4)
    starts = np.random.default_rng(3).choice(np.array([-1, 1], dtype=np.int8), (20, 150))
    quenched = naive.quenched(Quadratic(), patterns)
    quenched.representation.__dict__["layout"] = make(patterns)
    found = retrieve(quenched, starts)
    for start, end, overlaps, sweeps in zip(
        starts, found.states.spins, found.states.overlaps, found.sweeps, strict=True
    ):
        slow = naive.quenched(Quadratic(), patterns)
        slow.representation = representations.table(slow.levels, patterns)
        state = of_spins(slow, start)
        assert SignUpdate("cyclic").advance(state, slow, KEYS, 0, int(sweeps)).flips > 0
        np.testing.assert_array_equal(end, state.spins)
        np.testing.assert_array_equal(overlaps, state.overlaps)


# --- neurons without a field ---


@pytest.mark.parametrize("interaction", LAWS, ids=repr)
@pytest.mark.parametrize("order", ORDERS)
def test_a_neuron_without_entries_stays_flips_always_or_is_tossed(interaction, order):
    """ΔE = 0: kept by sign updates; turned by Metropolis at every offer; by Glauber iff u < 1/2, half the time."""
    patterns, start = sample(200, 4, 0.5)
    patterns[::2] = 0
    quenched, blank = naive.quenched(interaction, patterns), np.arange(0, 200, 2)
    offers = Draws(200, KEYS, order, counters.GLAUBER, np.float32(1), 0, 1)
    times = np.bincount(offers.orders[0], minlength=200)
    tossed = np.bincount(offers.orders[0], weights=offers.thresholds[0] > 0, minlength=200)
    for rule, turned in (
        (SignUpdate(order), 0 * times),
        (Metropolis(0.3, order), times),
        (Glauber(0.3, order), tossed),
    ):
        state = of_spins(quenched, start)
        rule.advance(state, quenched, KEYS, 0, 1)
        np.testing.assert_array_equal(state.spins[blank], (start * (-1) ** turned.astype(int))[blank])
    assert 60 < tossed.sum() < 140  # 200 fair coins, 5.6 standard deviations


def test_synchronous_updates_keep_a_neuron_without_entries_when_cold_and_toss_it_when_warm():
    patterns, start = sample(200, 4, 0.5)
    patterns[::2] = 0
    quenched = naive.quenched(Quadratic(), patterns)
    for T in (0, 0.3):
        state = of_spins(quenched, start)
        Synchronous(T).advance(state, quenched, KEYS, 0, 1)
        turned = (state.spins != start)[::2].sum()
        assert turned == 0 if T == 0 else 20 < turned < 80


# --- what is chosen ---


def test_few_patterns_move_without_a_matrix():
    """N = 10^4, K = 5: nothing of order N² is made, or counted in the memory."""
    network = hs.multitasking(neurons=10_000, dilution=0.3, patterns=5)
    assert network.memory < 2**21
    quenched = network.quench(np.random.default_rng(1))
    representation = quenched.representation
    assert isinstance(representation, representations.Pairwise)
    assert representation.layout.couplings is None
    state = of_spins(quenched, quenched.patterns[:, 0] | 1)
    for order in ORDERS:
        assert isinstance(representation.motion(state.spins, state.overlaps, order, False), Overlaps)
        Glauber(0.1, order).advance(state, quenched, KEYS, 0, 2)
    synchronous = representation.motion(state.spins, state.overlaps, "cyclic", True)
    assert isinstance(synchronous, InPlace)
    assert isinstance(representation.general, representations.Table)


@pytest.mark.parametrize(
    ("N", "K", "made"), [(4096, 64, True), (4097, 64, False), (4097, 65, True), (40_000, 65, False)]
)
def test_couplings_are_made_where_they_pay_and_fit(N, K, made):
    assert (pairwise.coupling_bytes(N, K, np.int8) > 0) == made
    matrix = representations.coupling_bytes(Quadratic(), N, K) >= N * N
    assert matrix == made


def test_both_motions_are_taken_in_turn():
    patterns, spins = sample(1500, 10, 0.3)
    overlaps = (spins @ patterns.astype(np.int32)).astype(np.int32)
    motion, used = Switching(PairwiseLayout(patterns), spins, overlaps), []
    trace = np.empty((0, 1500), np.int8), np.empty((0, 10), np.int32)
    for start, scale in ((0, 3000.0), (21, 0.1), (42, 3000.0)):
        for first, sweeps in ((start, 20), (start + 20, 1)):
            motion.sweep(Draws(1500, KEYS, "cyclic", counters.GLAUBER, np.float32(scale), first, sweeps), 0, 0, *trace)
        used.append(type(motion._now))
    assert used == [Overlaps, Fields, Overlaps]
    assert set(KINDS) == {Fields, Overlaps, Switching}


def test_chains_with_blanks_move_apart():
    patterns, _ = sample(100, 10, 0.3)
    quenched = naive.quenched(Quadratic(), patterns)
    assert not representations.in_lanes(quenched.representation, 32, "cyclic", False)
    with pytest.raises(Refused, match="entries ±1.*with blanks; move these chains one by one"):
        LaneLayout(quenched.representation.layout)


# --- sums of examples ---


@pytest.mark.parametrize("examples", [3, 20_000])
@pytest.mark.parametrize("order", [*ORDERS, "synchronous"])
def test_sums_of_examples_move_alike_on_products_and_on_couplings(examples, order):
    """20,000 examples take the products to 64 bits."""
    ensemble = hs.Examples(0.5, examples, "supervised", dilution=0.3)
    network = hs.multitasking(neurons=90, dilution=0.3, patterns=11, ensemble=ensemble)
    quenched = network.quench(np.random.default_rng(2))
    sums = representations.Weighted(quenched.levels, quenched.learned)
    assert sums._layout[1].dtype == (np.int32 if examples == 3 else np.int64)
    ends = []
    for layout in (sums, representations.couplings(quenched.levels, quenched.learned)):
        quenched.representation = layout
        state = of_spins(quenched, sample(90, 11, 0.3)[1])
        rule = Synchronous(0.3) if order == "synchronous" else Glauber(0.3, order)
        trace = rule.advance(state, quenched, KEYS, 0, 20, 1)
        ends.append(trace.states.spins)
        np.testing.assert_array_equal(state.overlaps, state.spins.astype(int) @ quenched.learned.astype(int))
        assert trace.flips > 100
    np.testing.assert_array_equal(*ends)


def test_products_of_examples_beyond_64_bits_are_refused():
    sums = np.full((2, 2**18), 2**14, dtype=np.int16)
    levels = WeightedLevels(Quadratic(), sums)
    levels.reach = 2**31  # of as many neurons as would take gigabytes
    with pytest.raises(Refused, match="overflows 64-bit energy differences"):
        representations.Weighted(levels, sums)
