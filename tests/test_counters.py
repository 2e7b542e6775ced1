"""Random words, thresholds and site orders: published answers, the twin bit by bit, exact acceptance rates."""

import math

import naive
import numpy as np
import pytest
from scipy import stats

from hopsim.kernels import counters

KEY = np.uint64(0x9E3779B97F4A7C15)
SWEEPS = (0, 7, 2**32 - 2, 2**32 + 3, 5 * 2**40)
SIZES = (2, 15, 63, 64, 65, 130)
RULES = {
    counters.SIGN: naive.sign_threshold,
    counters.METROPOLIS: naive.metropolis_threshold,
    counters.GLAUBER: naive.glauber_threshold,
}
ONES = 0xFFFFFFFF
RANDOM123 = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), RANDOM123)
def test_philox_gives_the_known_answers_of_random123(counter, key, answer):
    compiled = counters.philox(*map(np.uint32, counter), *map(np.uint32, key))
    assert tuple(map(int, compiled)) == answer
    assert naive.philox(counter, key) == answer


@pytest.mark.parametrize("sweep", SWEEPS)
def test_words_equal_the_twin(sweep):
    words = np.empty(192, dtype=np.uint32)
    counters.fill_words(words, KEY, np.uint64(sweep))
    assert words.tolist() == [naive.word(KEY, sweep, k) for k in range(192)]


def compiled_thresholds(shape, first_sweep, rule, scale):
    thresholds = np.full(shape, np.nan, dtype=np.float32)
    counters.fill_thresholds(thresholds, KEY, first_sweep, rule, np.float32(scale))
    return thresholds


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("N", SIZES)
@pytest.mark.parametrize("first_sweep", SWEEPS)
def test_thresholds_equal_the_twin_bit_by_bit(rule, N, first_sweep):
    scale = 0.37 * N
    twin = [[RULES[rule](naive.word(KEY, first_sweep + s, k), scale) for k in range(N)] for s in range(2)]
    compiled = compiled_thresholds((2, N), first_sweep, rule, scale)
    assert compiled.tobytes() == np.array(twin, dtype=np.float32).tobytes()


@pytest.mark.parametrize("N", SIZES)
@pytest.mark.parametrize("first_sweep", SWEEPS)
@pytest.mark.parametrize(
    ("fill", "twin"), [(counters.fill_permutations, naive.permutation), (counters.fill_random_sites, naive.random)]
)
def test_orders_equal_the_twin(fill, twin, N, first_sweep):
    orders = np.full((2, N), -1, dtype=np.int32)
    fill(orders, KEY, first_sweep)
    assert orders.tolist() == [twin(KEY, first_sweep + s, N) for s in range(2)]


@pytest.mark.parametrize("first_sweep", [0, 2**32 - 5])
def test_a_sweep_depends_on_its_number_only_not_on_the_chunk_it_is_drawn_in(first_sweep):
    whole = compiled_thresholds((9, 70), first_sweep, counters.GLAUBER, 2.0)
    parts = [compiled_thresholds((n, 70), first_sweep + s, counters.GLAUBER, 2.0) for s, n in ((0, 2), (2, 6), (8, 1))]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    for fill in (counters.fill_permutations, counters.fill_random_sites):
        orders, pieces = np.empty((9, 70), np.int32), np.empty((9, 70), np.int32)
        fill(orders, KEY, first_sweep)
        for start, stop in ((0, 4), (4, 9)):
            fill(pieces[start:stop], KEY, first_sweep + start)
        np.testing.assert_array_equal(orders, pieces)


def test_thresholds_of_a_smaller_network_are_the_first_ones_of_a_larger():
    small = compiled_thresholds((3, 65), 4, counters.METROPOLIS, 1.0)
    np.testing.assert_array_equal(small, compiled_thresholds((3, 200), 4, counters.METROPOLIS, 1.0)[:, :65])


def test_different_keys_share_no_threshold_sequence():
    first, second = np.empty((2, 1, 64), dtype=np.float32)
    counters.fill_thresholds(first, KEY, 0, counters.METROPOLIS, np.float32(1))
    counters.fill_thresholds(second, KEY ^ np.uint64(2**40), 0, counters.METROPOLIS, np.float32(1))
    assert (first == second).mean() < 0.1


def edge_and_random_words():
    edges = [0, 1, 2, 2**23, 2**24 - 1, 2**24, 2**24 + 1, 2**31 - 1, 2**31, 2**32 - 129, 2**32 - 2, 2**32 - 1]
    near_kinks = [int(2**e * 0.70710678) + d for e in range(2, 33) for d in (-1, 0, 1)]
    return edges + near_kinks + np.random.default_rng(1).integers(0, 2**32, 3000).tolist()


def test_minus_log_is_accurate_to_single_precision():
    # two roundings of the argument move ln u by at most 2 · 2^-24; the evaluation itself is good to 2 ulp = 4 · 2^-24
    for w in edge_and_random_words():
        exact = -math.log((w + 0.5) / 2**32)
        assert abs(float(naive.minus_log(w)) - exact) <= 2**-24 * (2 + 4 * exact)


def test_compiled_minus_log_equals_the_twin_where_float32_is_at_its_edges():
    words = edge_and_random_words()
    compiled = np.array([counters.minus_log(np.uint32(w)) for w in words], dtype=np.float32)
    assert compiled.tobytes() == np.array([naive.minus_log(w) for w in words], dtype=np.float32).tobytes()


def rate(rule, x):
    """The exact probability that x < t(word), by bisection and an exact count of 2^11 words about the boundary.

    t falls with the word up to rounding, so the count makes the result exact where it is not strictly monotone.
    """
    accepts = lambda w: x < float(RULES[rule](w, 1.0))  # noqa: E731
    low, high = 0, 2**32  # all words below `low` accept, none from `high` on
    while high > low:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if accepts(middle) else (low, middle)
    first, last = max(low - 2**10, 0), min(low + 2**10, 2**32)
    return (first + sum(map(accepts, range(first, last)))) / 2**32


COSTS = (1e-3, 0.1, 0.5, math.log(2), 1.0, 2.5, 6.0, 12.0, 17.0)


def rate_error(x, rate):
    """2^-24 (2 + 4 |x|) of the rate: errors of minus_log above; 2^-32 of one word."""
    return rate * 2**-24 * (4 + 8 * abs(x)) + 2**-31


@pytest.mark.parametrize("x", [0.0, *COSTS])
def test_metropolis_rate_is_the_exponential(x):
    exact = math.exp(-x)
    assert abs(rate(counters.METROPOLIS, x) - exact) <= rate_error(x, exact)


def test_metropolis_accepts_every_word_at_cost_zero_and_below():
    assert all(naive.metropolis_threshold(w, 1e-3) > 0 for w in edge_and_random_words())
    assert [rate(counters.METROPOLIS, x) for x in (0.0, -1e-9, -1.0)] == [1.0, 1.0, 1.0]


def test_compiled_metropolis_threshold_is_positive_where_single_precision_rounds_the_word_to_one():
    sweep, k = 61653, 26  # found by search: one word in 2^25 is this high
    assert naive.word(KEY, sweep, k) >= 2**32 - 128
    threshold = compiled_thresholds((1, 64), sweep, counters.METROPOLIS, 3.0)[0, k]
    assert threshold == np.float32(3 * 2**-33)


@pytest.mark.parametrize("x", [0.0, *COSTS, *(-x for x in COSTS)])
def test_glauber_rate_is_the_heat_bath(x):
    exact = 1 / (1 + math.exp(x))
    assert abs(rate(counters.GLAUBER, x) - exact) <= rate_error(x, exact)


@pytest.mark.parametrize("x", COSTS)
def test_rates_obey_detailed_balance(x):
    for rule in (counters.METROPOLIS, counters.GLAUBER):
        there, back = rate(rule, x), rate(rule, -x)
        assert abs(there - math.exp(-x) * back) <= 2 * rate_error(x, there)


@pytest.mark.parametrize("x", COSTS)
def test_glauber_rates_of_opposite_costs_add_to_one(x):
    # t(~w) = -t(w) exactly; only words with t = ±x, at most 2^8 by rounding of the word each, are in neither count
    assert abs(rate(counters.GLAUBER, x) + rate(counters.GLAUBER, -x) - 1) <= 2 * 2**8 / 2**32 + rate_error(x, 0)


def test_glauber_thresholds_are_odd_under_complement_of_the_word():
    for w in edge_and_random_words():
        assert naive.glauber_threshold(w, 1.5) == -naive.glauber_threshold(2**32 - 1 - w, 1.5)


def test_permutations_are_permutations():
    orders = np.empty((200, 67), dtype=np.int32)
    counters.fill_permutations(orders, KEY, 11)
    np.testing.assert_array_equal(np.sort(orders, axis=1), np.broadcast_to(np.arange(67), orders.shape))


def p_uniform(labels, cells, constraints=1):
    return stats.chisquare(np.bincount(labels, minlength=cells), ddof=constraints - 1).pvalue


def test_permutations_are_uniform():
    """False-alarm rate 1e-4; fails when a twelfth of the sweeps have their first two entries sorted."""
    orders = np.empty((24_000, 4), dtype=np.int32)
    counters.fill_permutations(orders, KEY, 0)
    code = lambda orders: np.unique(orders @ 4 ** np.arange(4), return_inverse=True)[1]  # noqa: E731
    assert p_uniform(code(orders), 24) > 1e-4
    orders[:2000, :2].sort(axis=1)
    assert p_uniform(code(orders), 24) < 1e-12


def test_random_sites_are_uniform_and_independent_of_position():
    """False-alarm rate 2e-4: all pairs (position, site), the total of each position fixed, and the first two sites."""
    orders = np.empty((20_000, 7), dtype=np.int32)
    counters.fill_random_sites(orders, KEY, 0)
    assert p_uniform((orders + 7 * np.arange(7)).ravel(), 49, constraints=7) > 1e-4
    assert p_uniform(orders[:, 0] * 7 + orders[:, 1], 49) > 1e-4
