"""The fast motions of the classical network follow the general kernel bit by bit."""

import itertools
from functools import cache

import naive
import numpy as np
import pytest

from hopsim import representations
from hopsim.draws import Draws
from hopsim.dynamics import ORDERS, Metropolis
from hopsim.errors import Refused
from hopsim.interactions import Quadratic
from hopsim.kernels import counters
from hopsim.kernels import pairwise as kernel
from hopsim.layouts import pairwise
from hopsim.layouts.pairwise import Fields, Overlaps, PairwiseLayout, Switching
from hopsim.motions import InPlace
from hopsim.rng import keys

KEYS = keys(8, 1, temperature=0.5, replica=2)
KINDS = (Fields, Overlaps, Switching)


class Wide(PairwiseLayout):
    """Fields and overlaps of 32 bits where 16 would do."""

    number = np.int32


# rule and temperature in units of N; costs are of order N, so that the first moves rarely and the last freely
RULES = (
    (counters.SIGN, 0.0),
    *((rule, T) for rule in (counters.METROPOLIS, counters.GLAUBER) for T in (0.05, 0.5, 9.0)),
)
LATE = 2**32 - 3  # the number of the sweep leaves 32 bits on the way
CHUNKS = (0, 5, 6, 13)


def sample(N, K, seed=4):
    rng = np.random.default_rng((seed, N, K))
    patterns = rng.choice(np.array([-1, 1], dtype=np.int8), (N, K))
    return patterns, rng.choice(np.array([-1, 1], dtype=np.int8), N)


@cache
def levels(N, K):
    return naive.quenched(Quadratic(), sample(N, K)[0]).levels


def general(patterns):
    return representations.couplings(levels(*patterns.shape), patterns)


def moved(open_motion, patterns, spins, rule, scale, every, order="cyclic", chunks=CHUNKS, first_sweep=LATE):
    """Spins, overlaps, flips and traces after the chunks of sweeps."""
    spins = spins.copy()
    overlaps = (spins @ patterns.astype(np.int32)).astype(np.int32)
    rows = chunks[-1] // every if every else 0
    trace = np.zeros((rows, spins.size), np.int8), np.zeros((rows, overlaps.size), np.int32)
    motion, flips = open_motion(spins, overlaps), 0
    for start, end in itertools.pairwise(chunks):
        draws = Draws(spins.size, KEYS, order, rule, np.float32(scale), first_sweep + start, end - start)
        flips += motion.sweep(draws, every, start, *trace)
    motion.close()
    return spins, overlaps, flips, *trace


def assert_all_kinds_follow_the_general_kernel(
    patterns, spins, rule, scale, every, kinds=KINDS, order="cyclic", layouts=(PairwiseLayout, Wide)
):
    slow, numbers = general(patterns), (patterns, spins, rule, scale, every, order)
    expected = moved(lambda *at: slow.motion(*at, order, False), *numbers)
    for layout in [make(patterns) for make in layouts]:
        for kind in kinds:
            found = moved(lambda *at, kind=kind, layout=layout: pairwise.motion(layout, *at, kind), *numbers)
            for ours, theirs in zip(found, expected, strict=True):
                np.testing.assert_array_equal(ours, theirs, err_msg=f"{kind.__name__} on {type(layout).__name__}")
    return expected[2]


@pytest.mark.parametrize(("rule", "T"), RULES)
@pytest.mark.parametrize(("order", "every"), [("cyclic", 0), ("cyclic", 3), ("permutation", 1), ("random", 3)])
def test_every_motion_is_that_of_the_general_kernel(rule, T, order, every):
    flips = 0
    for N in (2, 64, 100, 129, 200):
        for K in (1, 2, 8, 33, 40, 65):
            layouts = (PairwiseLayout, Wide) if N in (100, 129) else (PairwiseLayout,)
            numbers = (*sample(N, K), rule, T * N, every)
            flips += assert_all_kinds_follow_the_general_kernel(*numbers, order=order, layouts=layouts)
    assert flips > 0


@pytest.mark.parametrize("order", ORDERS)
def test_the_readable_twin_is_followed_too(order):
    patterns, spins = sample(70, 9)
    interaction, scale = Quadratic(), 20.0
    rule = Metropolis(scale * interaction.unit(70), order=order)
    expected, flips, trace = naive.advance(interaction, patterns, spins, rule, KEYS, LATE, 6, 2)
    layout = PairwiseLayout(patterns)
    for kind in KINDS:
        numbers = (patterns, spins, counters.METROPOLIS, scale, 2, order, (0, 4, 6))
        found = moved(lambda *at, kind=kind: kind(layout, *at), *numbers)
        assert found[0].tolist() == expected
        assert found[2] == flips > 0
        assert found[3].tolist() == trace


@pytest.mark.parametrize("K", [127, 128, 130, 254, 256, 258, 301])
@pytest.mark.parametrize("rule", [counters.SIGN, counters.METROPOLIS])
def test_couplings_at_and_beyond_eight_bits(K, rule):
    N = 70
    patterns, spins = sample(N, K)
    patterns[1] = patterns[0]  # J_01 = K, the largest there is
    patterns[69] = -patterns[0]
    layout = PairwiseLayout(patterns)
    beyond = K // (2 - K % 2) > 127
    assert layout.couplings.dtype == layout.diagonal.dtype == (np.int16 if beyond else np.int8)
    for order in ORDERS:
        assert assert_all_kinds_follow_the_general_kernel(patterns, spins, rule, 300.0, 3, order=order) > 0


@pytest.mark.parametrize(("N", "K"), [(2, 1), (64, 64), (65, 9), (200, 130), (1100, 7)])
def test_couplings_are_those_of_hebb(N, K):
    patterns, _ = sample(N, K)
    real, layout = patterns.astype(int), PairwiseLayout(patterns)
    exact = np.zeros((layout.side, layout.side), dtype=int)
    exact[:N, :N] = (real @ real.T - K * np.eye(N, dtype=int)) // (2 - K % 2)
    np.testing.assert_array_equal(layout.couplings.reshape(exact.shape), exact)
    for block, ours in enumerate(layout.diagonal.reshape(-1, 64, 64)):
        here = slice(64 * block, 64 * block + 64)
        np.testing.assert_array_equal(ours, exact[here, here])
    assert layout._coupled[1] == np.abs(exact).sum(axis=1).max()


@pytest.mark.parametrize("scale", [0.0, 1e-42, 1e-3, 0.7, 2e3, 2e5, 3e38])
@pytest.mark.parametrize("rule", [counters.METROPOLIS, counters.GLAUBER])
def test_extreme_temperatures_and_fields_near_the_end_of_their_range(rule, scale):
    patterns = np.ones((260, 500), dtype=np.int8)  # h = ±500 * 259 = ±129500 when aligned, of at most 131066
    assert PairwiseLayout(patterns).number is np.int16
    spins = np.ones(260, dtype=np.int8)
    spins[7] = -1
    for order in ORDERS:
        assert_all_kinds_follow_the_general_kernel(patterns, spins, rule, scale, 1, order=order)


@pytest.mark.parametrize(
    ("N", "K", "narrow"), [(260, 506, True), (260, 508, False), (260, 253, True), (260, 255, False)]
)
def test_fields_that_could_leave_sixteen_bits_get_more(N, K, narrow, monkeypatch):
    patterns = np.ones((N, K), dtype=np.int8)
    layout = PairwiseLayout(patterns)
    assert layout.number is (np.int16 if narrow else np.int32)
    assert_all_kinds_follow_the_general_kernel(
        patterns, -patterns[:, 0], counters.GLAUBER, 3e4, 1, layouts=(PairwiseLayout,)
    )
    spins, overlaps = np.ones(N, dtype=np.int8), np.full(K, N, dtype=np.int32)
    monkeypatch.setattr(pairwise, "_WIDE", N * K - 1)
    for kind in KINDS:
        assert not kind.fits(layout)
        with pytest.raises(Refused, match="32 bits"):
            kind(layout, spins, overlaps)


def test_a_size_whose_fields_leave_sixteen_bits():
    patterns, _ = sample(6000, 601)
    layout = PairwiseLayout(patterns)
    slow_motions = general(patterns)
    assert layout.number is np.int32
    for order in ORDERS:
        numbers = (patterns, patterns[:, 0].copy(), counters.METROPOLIS, 1800.0, 0, order, (0, 2))
        slow = moved(lambda *at, order=order: slow_motions.motion(*at, order, False), *numbers)
        assert 0 < slow[2] < 3000
        for kind in (Fields, Overlaps):
            found = moved(lambda *at, kind=kind: kind(layout, *at), *numbers)
            np.testing.assert_array_equal(found[0], slow[0])
            assert found[2] == slow[2]


@pytest.mark.parametrize("order", ORDERS)
def test_networks_of_degree_two_move_fast_in_every_order(order):
    patterns, spins = sample(90, 9)
    quenched = naive.quenched(Quadratic(), patterns)
    overlaps = quenched.overlaps(spins)
    assert isinstance(quenched.representation.motion(spins, overlaps, order, False), Switching)
    assert isinstance(quenched.representation.motion(spins, overlaps, order, True), InPlace)


@pytest.mark.parametrize("K", [12, 13])
def test_many_starts_settle_alike_in_both_widths(K):
    patterns, _ = sample(150, K)
    starts = np.random.default_rng(3).choice(np.array([-1, 1], dtype=np.int8), (20, 150))
    narrow, wide = (pairwise.settle(make(patterns), starts, 100) for make in (PairwiseLayout, Wide))
    for ours, theirs in zip(narrow, wide, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for start, end, overlaps, sweeps in zip(starts, *wide, strict=True):
        chunks = (0, int(sweeps))
        slow = moved(
            lambda *at: general(patterns).motion(*at, "cyclic", False),
            patterns,
            start,
            counters.SIGN,
            0,
            0,
            chunks=chunks,
        )
        np.testing.assert_array_equal(end, slow[0])
        np.testing.assert_array_equal(overlaps, slow[1])
        assert sweeps > 0


def test_other_entries_are_refused():
    with pytest.raises(Refused, match="entries -1, 0 and"):
        PairwiseLayout(np.full((10, 3), 2, dtype=np.int8))


def test_without_room_for_couplings_the_overlaps_move(monkeypatch):
    patterns, spins = sample(200, 301)
    patterns[1] = patterns[0]  # wide couplings, in the middle of their building
    for room in (256**2 - 1, 256**2):
        monkeypatch.setattr(pairwise, "COUPLING_BYTES", room)
        layout = PairwiseLayout(patterns)
        assert layout.couplings is None
        assert isinstance(pairwise.motion(layout, spins.copy(), spins @ patterns.astype(np.int32)), Overlaps)
        assert not Fields.fits(layout)
        assert_all_kinds_follow_the_general_kernel(patterns, spins, counters.METROPOLIS, 60.0, 3, (Overlaps,))


@pytest.mark.parametrize("order", ORDERS)
def test_switching_changes_over_both_ways(order):
    patterns, spins = sample(1500, 10)
    overlaps = (spins @ patterns.astype(np.int32)).astype(np.int32)
    layout = PairwiseLayout(patterns)
    motion, used = Switching(layout, spins, overlaps), []
    trace = np.empty((0, 1500), np.int8), np.empty((0, 10), np.int32)
    for start, scale in ((0, 3000.0), (20, 1.0), (40, 3000.0)):
        motion.sweep(Draws(1500, KEYS, order, counters.GLAUBER, np.float32(scale), start, 20), 0, 0, *trace)
        motion.sweep(Draws(1500, KEYS, order, counters.GLAUBER, np.float32(scale), start + 20, 1), 0, 0, *trace)
        used.append(type(motion._now))
    assert used == [Overlaps, Fields, Overlaps]


def test_packing():
    rng = np.random.default_rng(1)
    for shape in ((1,), (64,), (100, 3), (192, 5)):
        entries = rng.random(shape) < 0.5
        words = pairwise.pack(entries)
        assert words.dtype == np.uint64
        assert words.shape == (-(-shape[0] // 64), *shape[1:])
        for place in np.ndindex(shape):
            assert bool(int(words[(place[0] // 64, *place[1:])]) >> place[0] % 64 & 1) == entries[place]
    signs = pairwise.pack(np.arange(100) % 3 == 0)
    spins = np.zeros(100, dtype=np.int8)
    kernel.unpack_signs(signs, spins)
    assert spins.tolist() == [-1 if i % 3 == 0 else 1 for i in range(100)]


@cache
def words_to_try():
    """uint32[n, 64]: edges, powers of two and neighbours, t near 0, random; and float32 -ln u, -ln(1-u) of each."""
    around = {2**k + d for k in range(33) for d in (-2, -1, 0, 1)}
    edges = sorted(w for w in around if 0 <= w < 2**32)
    near_one = 2**32 - 1 - np.arange(300)
    random = np.random.default_rng(9).integers(0, 2**32, 3000)
    words = np.concatenate([edges, near_one, random, random >> 16])
    words = np.pad(words, (0, -words.size % 64)).astype(np.uint32)
    logarithms = [[naive.minus_log(w) for w in some] for some in (words.tolist(), (~words).tolist())]
    return words.reshape(-1, 64), *np.array(logarithms, dtype=np.float32).reshape(2, -1, 64)


@pytest.mark.parametrize("number", [np.int16, np.int32])
@pytest.mark.parametrize("rule", [counters.METROPOLIS, counters.GLAUBER])
@pytest.mark.parametrize("halvings", [0, 1])
@pytest.mark.parametrize("scale", [0.0, 1e-42, 1e-3, 0.3, 1.0, 17.3, 511.7, 2855.0, 6e3, 1e5, 6e7, 2e8, 3e38])
def test_limits_are_the_thresholds_and_the_bounds_hold(number, rule, halvings, scale):
    """c <= limit iff cost e (2c + odd) < t for every cost below `most` in size; bound >= limit for every word."""
    scale, e = np.float32(scale), 2**halvings
    most = 65534 * e if number is np.int16 else 2**31 - 128
    exact, bounds = np.empty(64, dtype=number), np.empty(64, dtype=number)
    for shift, (words, log, other) in enumerate(zip(*words_to_try(), strict=True)):
        odd = (np.arange(64) + shift) % 2
        bounded = kernel.limits_of(words, (1 + e * odd).astype(np.int32), rule, scale, halvings, exact, bounds)
        with np.errstate(over="ignore"):
            t = scale * (np.maximum(log, np.float32(2**-33)) if rule == counters.METROPOLIS else log - other)
        limit = exact.astype(np.int64)
        passing, failing = e * (2 * limit + odd), e * (2 * (limit + 1) + odd)
        assert ((passing < t) | (passing <= -most)).all()
        assert ((failing >= t) | (failing >= most)).all()
        if bounded:
            assert (bounds >= exact).all()
        if bounded and rule == counters.METROPOLIS:
            assert (bounds <= limit + 0.061 * scale / (2 * e) + 2).all()
    assert bounded == (scale > 1e-30 and 34 * float(scale) * np.log(2) < most)
