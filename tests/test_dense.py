"""Dense kernels: the chain is that of the general kernel, and of the readable twin, whatever the host processor."""

import os
import platform
import subprocess
import sys

import naive
import numpy as np
import pytest

from hopsim import representations
from hopsim.draws import Draws
from hopsim.interactions import Power, Quadratic, Rectified
from hopsim.kernels import counters
from hopsim.layouts.dense import DenseLayout
from hopsim.layouts.tensor import TensorLayout, TensorMotion
from hopsim.levels import Levels
from hopsim.rng import keys

KEYS = keys(7, 1, temperature=0.5, replica=2)
INTERACTIONS = [Power(degree, indices) for degree in (3, 4) for indices in ("all", "distinct")]
RULES = ((counters.SIGN, 0.0), (counters.METROPOLIS, 0.1), (counters.GLAUBER, 0.1), (counters.GLAUBER, 1.0))
SIZES = ((32, 1), (50, 130), (64, 205), (33, 70), (96, 64), (251, 40), (252, 300), (300, 515), (301, 100))


def draw(N, K, seed=3):
    return np.random.default_rng(seed).choice(np.array([-1, 1], dtype=np.int8), (N, K))


def both(interaction, patterns):
    """The dense layout and the general table."""
    general = representations.table(Levels(interaction, patterns), patterns)
    return DenseLayout.of(interaction, patterns), general


def scale(interaction, patterns, temperature):
    """Temperature in units of the typical cost of a flip from a random state."""
    N = patterns.shape[0]
    table = np.array(interaction.values(N), dtype=float)
    near = slice(max(N // 2 - 4, 0), N // 2 + 4)
    return np.float32(temperature * np.abs(np.diff(table[near])).max() * np.sqrt(patterns.shape[1]))


def chunks(order, rule, scaled, N, lengths, first=5):
    for length in lengths:
        yield Draws(N, KEYS, order, rule, scaled, first, length)
        first += length


def chain(representation, patterns, start, draws, every):
    """Final spins and overlaps, flips, and traces."""
    spins, total = start.copy(), sum(one.n_sweeps for one in draws)
    overlaps = (spins.astype(np.int32) @ patterns).astype(np.int32)
    rows = total // every if every else 0
    spin_trace = np.empty((rows, spins.size), dtype=np.int8)
    overlap_trace = np.empty((rows, overlaps.size), dtype=np.int32)
    motion = representation.motion(spins, overlaps, draws[0].order, False)
    flips = since = 0
    for one in draws:
        flips += motion.sweep(one, every, since, spin_trace, overlap_trace)
        since += one.n_sweeps
    motion.close()
    return flips, spins, overlaps, spin_trace, overlap_trace


class KeptCosts:
    """The representation of degree 3 that never leaves the costs kept."""

    def __init__(self, layout):
        self.layout, self.unit = layout, layout.unit

    def motion(self, spins, overlaps, order, synchronous):
        return TensorMotion(self.layout, spins, overlaps)


def starts(patterns):
    """A random state, and the first pattern with a few errors."""
    random = np.random.default_rng(8).choice(np.array([-1, 1], dtype=np.int8), patterns.shape[0])
    near = patterns[:, 0].copy()
    near[::17] *= -1
    return random, near


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=repr)
@pytest.mark.parametrize("size", SIZES, ids=repr)
def test_dense_kernels_follow_the_general_kernel(interaction, size):
    patterns = draw(*size)
    assert DenseLayout.fits(interaction, patterns)
    fast, general = both(interaction, patterns)
    assert fast.unit == general.unit
    flips = 0
    for rule, temperature in RULES:
        scaled = scale(interaction, patterns, temperature)
        for order, every, lengths in (("cyclic", 1, (2, 5)), ("permutation", 3, (4, 4)), ("random", 0, (3,))):
            for start in starts(patterns):
                draws = list(chunks(order, rule, scaled, size[0], lengths))
                expected = chain(general, patterns, start, draws, every)
                for mine, theirs in zip(chain(fast, patterns, start, draws, every), expected, strict=True):
                    np.testing.assert_array_equal(mine, theirs)
                flips += expected[0]
    assert flips > 0


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=repr)
@pytest.mark.parametrize("N", [2, 3, 4, 5, 8, 9])
def test_every_cost_is_the_exact_energy_difference(interaction, N):
    patterns = draw(N, 5)
    layout = DenseLayout.of(interaction, patterns)
    order = np.arange(N, dtype=np.int32)[None]
    for start in naive.all_states(N)[:: 1 + 2**N // 40]:
        for site in range(N):
            exact = naive.cost(interaction, patterns.tolist(), start.tolist(), site)
            for threshold, flips in ((exact, False), (exact + 1, True)):
                thresholds = np.full((1, N), -np.inf, dtype=np.float32)
                thresholds[0, site] = threshold
                draws = Given(order, thresholds)
                spins = start.copy()
                overlaps = (spins.astype(np.int32) @ patterns).astype(np.int32)
                motion = layout.motion(spins, overlaps, "random", False)
                assert motion.sweep(draws, 0, 0, *no_trace(N, 5)) == flips
                motion.close()
                assert (spins[site] != start[site]) == flips
                assert overlaps.tolist() == naive.overlaps(patterns.tolist(), spins.tolist())


class Given:
    """Draws with the thresholds of a test."""

    rule, order = counters.METROPOLIS, "random"

    def __init__(self, orders, thresholds):
        self.orders, self.thresholds = orders, thresholds


def no_trace(N, K):
    return np.empty((0, N), dtype=np.int8), np.empty((0, K), dtype=np.int32)


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=repr)
def test_costs_are_exact_far_beyond_the_narrow_integers(interaction):
    N, K = 2000, 200
    patterns = draw(N, K)
    patterns[:1500, :100] = patterns[:1500, :1]  # half of the overlaps are as large as the first
    fast, general = both(interaction, patterns)
    start = starts(patterns)[1]
    draws = list(chunks("permutation", counters.GLAUBER, scale(interaction, patterns, 1e4), N, (1,)))
    expected = chain(general, patterns, start, draws, 1)
    assert expected[0] > 0
    for mine, theirs in zip(chain(fast, patterns, start, draws, 1), expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=repr)
def test_sums_over_more_patterns_than_one_chunk(interaction):
    N, K = 10, 140_000
    patterns = np.repeat(draw(N, 8), K // 8, axis=1)
    fast, general = both(interaction, patterns)
    draws = list(chunks("cyclic", counters.GLAUBER, scale(interaction, patterns, 1.0), N, (2,)))
    for mine, theirs in zip(*(chain(one, patterns, patterns[:, 0], draws, 1) for one in (fast, general)), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("order", ["cyclic", "permutation"])
def test_a_settled_chain_repeats_its_state_in_the_trace(order):
    patterns = draw(64, 20)
    fast = DenseLayout.of(Power(3, "all"), patterns)
    _, spins, overlaps, spin_trace, overlap_trace = chain(
        fast, patterns, starts(patterns)[1], list(chunks(order, counters.SIGN, 0.0, 64, (30, 3))), 1
    )
    assert (spin_trace[-20:] == spins).all()
    assert (overlap_trace[-20:] == overlaps).all()


def test_what_does_not_fit_is_left_to_the_general_kernel():
    patterns = draw(20, 6)
    blanks = patterns.copy()
    blanks[3, 2] = 0
    assert all(DenseLayout.fits(interaction, patterns) for interaction in INTERACTIONS)
    for interaction in INTERACTIONS:
        assert not DenseLayout.fits(interaction, blanks)
        assert not DenseLayout.fits(interaction, patterns[:, :0])
        assert not DenseLayout.fits(interaction, np.ones((2**14 + 1, 1), dtype=np.int8))
    for interaction in (Quadratic(), Power(5, "all"), Power(6, "distinct"), Rectified(3), Rectified(4)):
        assert not DenseLayout.fits(interaction, patterns)
    largest = 16384**4 - 16382**4
    many = np.broadcast_to(np.ones((2**14, 1), dtype=np.int8), (2**14, 2**63 // largest + 1))
    assert not DenseLayout.fits(Power(4, "all"), many)
    assert DenseLayout.fits(Power(4, "all"), many[:, :2])


@pytest.mark.parametrize("count", [1638, 1639])
def test_the_general_table_is_exact_on_both_sides_of_32_bits(count):
    largest = 20**5 - 18**5  # the cost of every site for all patterns equal to the state
    assert (largest * count < 2**31) == (count == 1638)
    patterns = np.tile(draw(20, 1), count)
    general = representations.table(Levels(Power(5, "all"), patterns), patterns)
    order = np.arange(20, dtype=np.int32)[None]
    for site in (0, 19):
        for threshold, flips in ((largest * count - 256, False), (largest * count + 256, True)):
            thresholds = np.full((1, 20), -np.inf, dtype=np.float32)
            thresholds[0, site] = threshold
            spins, overlaps = patterns[:, 0].copy(), np.full(count, 20, dtype=np.int32)
            assert naive.move(general, spins, overlaps, order, thresholds, False, 0, 0, *no_trace(20, count)) == flips
            assert (overlaps == 20 - 2 * flips).all()


WALK = """
import test_dense
print(test_dense.walk())
"""


def walk():
    """Where short chains of every kernel end, as text."""
    ends = []
    for interaction in INTERACTIONS:
        for N in (50, 300, 301):
            patterns = draw(N, 330)
            draws = list(chunks("cyclic", counters.GLAUBER, scale(interaction, patterns, 1.0), N, (3,)))
            layout = DenseLayout.of(interaction, patterns)
            general = representations.table(Levels(interaction, patterns), patterns)
            kept = [KeptCosts(TensorLayout(layout))] if TensorLayout.fits(layout) else []
            for representation in (layout, general, *kept):
                flips, *arrays = chain(representation, patterns, patterns[:, 0], draws, 0)
                ends.append((flips, *(array.tobytes().hex() for array in arrays)))
    return repr(ends)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names an x86 processor")
def test_the_trajectory_does_not_depend_on_the_vector_instructions_of_the_processor():
    processor = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2"}
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    command = [sys.executable, "-c", WALK]
    ended = subprocess.run(
        command, env={**os.environ, **processor, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == walk()
