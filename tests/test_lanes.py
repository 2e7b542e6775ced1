"""Chains in lanes follow, bit by bit, the trajectories that they have alone."""

import itertools
from types import SimpleNamespace

import naive
import numpy as np
import pytest

from hopsim import representations
from hopsim.draws import Draws
from hopsim.dynamics import ORDERS, Glauber, Metropolis, SignUpdate
from hopsim.errors import Refused
from hopsim.interactions import Quadratic
from hopsim.kernels import counters
from hopsim.layouts.lanes import LaneLayout, Lanes, Together, worthwhile
from hopsim.layouts.pairwise import PairwiseLayout
from hopsim.rng import keys

LATE = 2**32 - 3  # the number of the sweep leaves 32 bits on the way
CHUNKS = (0, 2, 3, 7)
SIZES = ((2, 1), (64, 8), (100, 7), (129, 33), (130, 40), (200, 1), (201, 64), (77, 130), (129, 2))
# costs are of order N: at these scales over N chains move rarely, often and freely
KINDS = (
    *((rule, T) for rule in (counters.METROPOLIS, counters.GLAUBER) for T in (0.05, 0.5, 9.0)),
    (counters.SIGN, 0.0),
)


def sample(N, K, R, seed=4):
    rng = np.random.default_rng((seed, N, K, R))
    signs = np.array([-1, 1], dtype=np.int8)
    return rng.choice(signs, (N, K)), rng.choice(signs, (R, N))


def draws_of(kinds, N, order, first, sweeps):
    """One Draws a chain: chain r is replica r, with rule and scale kinds[r]."""
    return [
        Draws(N, keys(8, 1, N, temperature=scale, replica=r), order, rule, np.float32(scale), LATE + first, sweeps)
        for r, (rule, scale) in enumerate(kinds)
    ]


def empty_traces(R, N, K, every, chunks):
    rows = chunks[-1] // every if every else 0
    return np.zeros((R, rows, N), dtype=np.int8), np.zeros((R, rows, K), dtype=np.int32)


def overlaps_of(spins, patterns):
    return (spins @ patterns.astype(np.int32)).astype(np.int32)


def in_lanes(patterns, spins, kinds, order, every, chunks=CHUNKS):
    """Spins, overlaps, flips and traces of all chains after the chunks of sweeps."""
    spins = spins.copy()
    overlaps = overlaps_of(spins, patterns)
    traces, flips = empty_traces(*spins.shape, patterns.shape[1], every, chunks), 0
    lanes = Lanes(LaneLayout(PairwiseLayout(patterns)), spins, overlaps)
    for start, end in itertools.pairwise(chunks):
        flips += lanes.sweep(draws_of(kinds, spins.shape[1], order, start, end - start), every, start, *traces)
    lanes.close()
    return spins, overlaps, flips, *traces


def alone(patterns, spins, kinds, order, every, chunks=CHUNKS):
    """The same by the general kernel, chain after chain, in one piece."""
    spins, K = spins.copy(), patterns.shape[1]
    overlaps, flips = overlaps_of(spins, patterns), np.zeros(len(spins), dtype=np.int64)
    traces = empty_traces(*spins.shape, K, every, chunks)
    levels = naive.quenched(Quadratic(), patterns).levels
    representation = representations.couplings(levels, patterns)
    for r, draws in enumerate(draws_of(kinds, spins.shape[1], order, 0, chunks[-1])):
        motion = representation.motion(spins[r], overlaps[r], order, False)
        flips[r] = motion.sweep(draws, every, 0, traces[0][r], traces[1][r])
    return spins, overlaps, flips, *traces


def assert_same_as_alone(patterns, spins, kinds, order="cyclic", every=0):
    expected = alone(patterns, spins, kinds, order, every)
    found = in_lanes(patterns, spins, kinds, order, every)
    for name, ours, theirs in zip(("spins", "overlaps", "flips", "spins", "overlaps"), found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
    return expected[2]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("R", "every"), [(1, 1), (5, 0), (32, 3), (33, 2)])
def test_every_chain_moves_as_it_does_alone(order, R, every):
    rng, flips = np.random.default_rng(R), 0
    for N, K in SIZES:
        kinds = [(rule, T * N) for rule, T in (KINDS[n] for n in rng.integers(0, len(KINDS), R))]
        flips += assert_same_as_alone(*sample(N, K, R), kinds, order, every).sum()
    assert flips > 0


@pytest.mark.parametrize(("rule", "T"), KINDS)
def test_lanes_of_one_rule_and_temperature(rule, T):
    for N, K in ((130, 31), (150, 30)):
        flips = assert_same_as_alone(*sample(N, K, 8), [(rule, T * N)] * 8)
        assert flips.all()
        assert len(set(flips.tolist())) > 1  # other keys and starts


def test_replicas_of_one_start_differ_by_their_keys_alone():
    patterns, spins = sample(150, 20, 1)
    flips = assert_same_as_alone(patterns, np.repeat(spins, 32, axis=0), [(counters.METROPOLIS, 100.0)] * 32)
    assert len(set(flips.tolist())) > 10


@pytest.mark.parametrize("order", ORDERS)
def test_lanes_follow_the_readable_twin(order):
    N, K, R = 70, 9, 3
    patterns, spins = sample(N, K, R)
    unit, scales = Quadratic().unit(N), (20.0, 11.0, 0.0)
    rules = Metropolis(scales[0] * unit, order=order), Glauber(scales[1] * unit, order=order), SignUpdate(order=order)
    kinds = [(rule.code, scale) for rule, scale in zip(rules, scales, strict=True)]
    found = in_lanes(patterns, spins, kinds, order, 2, (0, 3, 4))
    for r, (rule, draws) in enumerate(zip(rules, draws_of(kinds, N, order, 0, 4), strict=True)):
        expected, flips, trace = naive.advance(Quadratic(), patterns, spins[r], rule, draws.keys, LATE, 4, 2)
        assert found[0][r].tolist() == expected
        assert found[2][r] == flips > 0
        assert found[3][r].tolist() == trace


def test_lanes_pause_and_go_on_at_other_temperatures():
    patterns, spins = sample(140, 12, 4)
    overlaps, none = overlaps_of(spins, patterns), (np.empty((4, 0, 140), np.int8), np.empty((4, 0, 12), np.int32))
    expected = spins.copy(), overlaps.copy()
    lanes = Lanes(LaneLayout(PairwiseLayout(patterns)), spins, overlaps)
    for start, kinds in enumerate(([(counters.GLAUBER, 90.0)] * 4, [(counters.SIGN, 0.0), *KINDS[:3]], [KINDS[6]] * 4)):
        draws = draws_of(kinds, 140, "cyclic", 5 * start, 5)
        lanes.sweep(draws, 0, 0, *none)
        for r, draw in enumerate(draws):
            motion = general(patterns).motion(expected[0][r], expected[1][r], "cyclic", False)
            motion.sweep(draw, 0, 0, none[0][r], none[1][r])
    lanes.close()
    np.testing.assert_array_equal(spins, expected[0])
    np.testing.assert_array_equal(overlaps, expected[1])


def general(patterns):
    return representations.couplings(naive.quenched(Quadratic(), patterns).levels, patterns)


@pytest.mark.parametrize("scale", [0.0, 1e-42, 1e-3, 0.7, 2e3, 2e5, 3e38])
@pytest.mark.parametrize(
    ("N", "K", "kind"),
    [(N, K, np.int16) for N, K in ((260, 506), (260, 253), (259, 506), (259, 253), (259, 254))]
    + [(N, K, np.int32) for N, K in ((260, 508), (260, 255), (259, 510), (259, 255))],
)
def test_extreme_temperatures_and_fields_at_the_end_of_their_range(N, K, kind, scale):
    patterns = np.repeat(sample(N, 1, 1)[0], K, axis=1)  # |h| = K (N - 1) along the pattern; 16 bits hold 65533 e
    assert LaneLayout(PairwiseLayout(patterns)).kind is kind
    spins = np.repeat(patterns.T[:1], 6, axis=0)
    spins[3:] *= -1
    spins[1::3, 7] *= -1
    spins[2::3, N // 2 :] *= -1
    assert_same_as_alone(patterns, spins, [(counters.METROPOLIS, scale), (counters.GLAUBER, scale)] * 3, every=1)


@pytest.mark.parametrize("order", ORDERS)
def test_wide_lanes(order):
    patterns, spins = sample(300, 301, 33)
    patterns[:, 1:280] = patterns[:, :1]  # couplings near K = 301: fields beyond 16 bits when aligned
    assert LaneLayout(PairwiseLayout(patterns)).kind is np.int32
    kinds = [KINDS[r % len(KINDS)] for r in range(33)]
    assert assert_same_as_alone(patterns, spins, [(rule, 300 * T) for rule, T in kinds], order, 2).all()


@pytest.mark.parametrize("shape", [(2**15, 1), (1, 2**15), (2**15 - 1, 2**14 + 1)])
def test_samples_whose_sums_could_leave_their_range_are_refused(shape):
    layout = SimpleNamespace(patterns=np.broadcast_to(np.int8(1), shape), blanks=False)
    assert not LaneLayout.fits(layout)
    with pytest.raises(Refused, match="one by one"):
        LaneLayout(layout)


@pytest.mark.parametrize("change", ["order", "first", "sweeps"])
def test_lanes_of_different_sweeps_are_refused(change):
    patterns, spins = sample(10, 3, 2)
    lanes = Lanes(LaneLayout(PairwiseLayout(patterns)), spins, overlaps_of(spins, patterns))
    one, other = {"order": "cyclic", "first": 0, "sweeps": 4}, {"order": "random", "first": 1, "sweeps": 5}
    draws = draws_of([KINDS[0]], 10, **one) + draws_of([KINDS[0]], 10, **(one | {change: other[change]}))
    with pytest.raises(Refused, match="same sweeps and site order"):
        lanes.sweep(draws, 0, 0, *empty_traces(2, 10, 3, 0, (0,)))
    with pytest.raises(Refused, match="2 chains, got 1 draws"):
        lanes.sweep(draws[:1], 0, 0, *empty_traces(1, 10, 3, 0, (0,)))


@pytest.mark.parametrize("order", ORDERS)
def test_lanes_pay_for_many_mobile_chains(order):
    small, large = (PairwiseLayout(sample(N, K, 1)[0]) for N, K in ((1000, 100), (2000, 200)))
    assert worthwhile(small, 32, order, 0.1)
    assert worthwhile(large, 64, order, 0.4)
    assert not worthwhile(small, 1, order, 0.4)
    least = [min(R for R in range(1, 33) if worthwhile(small, R, order, a)) for a in (0.1, 0.3, 0.5)]
    assert least == sorted(least, reverse=True)


def test_a_small_last_group_does_not_pay():
    layout = PairwiseLayout(sample(1000, 100, 1)[0])
    assert worthwhile(layout, 32, "cyclic", 0.06)
    assert not worthwhile(layout, 33, "cyclic", 0.06)


def test_chains_change_between_lanes_and_their_own_motions_without_a_trace():
    """From hot to cold and back: every chain goes where it goes alone."""
    patterns, spins = sample(130, 12, 32)
    layout, overlaps = LaneLayout(PairwiseLayout(patterns)), overlaps_of(spins, patterns)
    kinds = [(counters.GLAUBER, 1e3), (counters.SIGN, 0.0), (counters.GLAUBER, 1e3)]
    moved, kinds_seen = (spins.copy(), overlaps.copy()), []
    together = Together(layout, *moved)
    for number, kind in enumerate(kinds):
        draws = draws_of([kind] * 32, 130, order="cyclic", first=12 * number, sweeps=12)
        together.sweep(draws, 0, 0, *empty_traces(32, 130, 12, 0, (0,)))
        kinds_seen.append(type(together._now).__name__)
    together.close()
    assert kinds_seen == ["Lanes", "Apart", "Lanes"]
    lanes = Lanes(layout, spins, overlaps)
    for number, kind in enumerate(kinds):
        draws = draws_of([kind] * 32, 130, order="cyclic", first=12 * number, sweeps=12)
        lanes.sweep(draws, 0, 0, *empty_traces(32, 130, 12, 0, (0,)))
    lanes.close()
    assert np.array_equal(moved[0], spins)
    assert np.array_equal(moved[1], overlaps)
