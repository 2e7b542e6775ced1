"""The notation of kernels/emit.py means what NumPy means by it, and vectors of thresholds are those of counters.py."""

import numpy as np
import pytest
from numba import njit, types
from numba.extending import intrinsic

from hopsim.kernels import counters
from hopsim.kernels.emit import emitted, lowest_bit, ones
from hopsim.kernels.thresholds import glauber, metropolis, words_of
from hopsim.kernels.values import FLOAT, INT8, INT32, INT64

EDGES = [0, 1, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]


def stored(make, count):
    """A compiled function that writes make(emit, a, b) of `count` lanes each to a third array."""

    @intrinsic
    def store(typingctx, a, b, out):
        def body(emit, a, b, out):
            out.store(0, make(emit, a.load(0, count), b.load(0, count)))

        return emitted(types.void(a, b, out), body)

    @njit
    def run(a, b, out):
        store(a, b, out)

    return run


def drawn(kind, seed, count=16):
    limits = np.iinfo(kind)
    numbers = np.random.default_rng(seed).integers(limits.min, limits.max, count, dtype=kind, endpoint=True)
    numbers[:3] = limits.min, limits.max, 0
    return numbers


INTEGERS = {
    "a + b": lambda a, b: a + b,
    "a - b": lambda a, b: a - b,
    "a * b": lambda a, b: a * b,
    "a & b | a ^ b": lambda a, b: a & b | a ^ b,
    "a << 3": lambda a, b: a << 3,
    "a >> 3": lambda a, b: a >> 3,
    "-a": lambda a, b: -a,
    "~a": lambda a, b: ~a,
}


@pytest.mark.parametrize("operation", INTEGERS, ids=str)
def test_integers_are_signed_and_wrap(operation):
    apply = INTEGERS[operation]
    a, b, out = drawn(np.int16, 1), drawn(np.int16, 2), np.empty(16, dtype=np.int16)
    stored(lambda emit, a, b: apply(a, b), 16)(a, b, out)
    assert np.array_equal(out, apply(a, b))


def test_shift_without_sign_conversions_and_lanes():
    a, b, out = drawn(np.int16, 3), drawn(np.int16, 4), np.empty(32, dtype=np.int32)

    def make(emit, a, b):
        wide = a.right(5).to(INT32) + a.to(INT8).to(INT32, signed=False) * 3
        return wide.joined(b.part(range(15, -1, -1)).to(INT32) + b.lane(2).to(INT32))

    stored(make, 16)(a, b, out)
    shifted, cut = a.view(np.uint16) >> 5, a.astype(np.int8).view(np.uint8)
    assert np.array_equal(out[:16], shifted.astype(np.int32) + cut.astype(np.int32) * 3)
    assert np.array_equal(out[16:], b[::-1].astype(np.int32) + b[2])


def test_masks_pick_and_become_words():
    a, b = drawn(np.int16, 5, 64), drawn(np.int16, 6, 64)
    picked, word = np.empty(64, dtype=np.int16), np.empty(1, dtype=np.uint64)
    stored(lambda emit, a, b: (a < b).pick(a, 7), 64)(a, b, picked)
    stored(lambda emit, a, b: (a > b).seen_as(INT64), 64)(a, b, word)
    assert np.array_equal(picked, np.where(a < b, a, 7))
    assert np.array_equal(np.unpackbits(word.view(np.uint8), bitorder="little"), a > b)


def test_loops_branches_and_reals():
    """Σ_k (1.5 k or -k by parity) for k = 3, 5, ... below 20, times the bits of a word."""

    def make(emit, a, b):
        total, left = emit.variable(emit.constant(FLOAT, 0.0)), emit.variable(b)
        with emit.loop(20, start=3, step=2) as k:
            odd = (k.right(1) & 1) == 1
            total.value += emit.either(odd, lambda: k.to(FLOAT) * 1.5, lambda: -k.to(FLOAT))
        twice = emit.variable(emit.constant(FLOAT, 0.0))
        with emit.while_any(left):
            left.value &= left.value - 1
            with emit.when(a != 0):
                twice.value += total.value
        return twice.value

    out = np.empty(1, dtype=np.float32)
    stored(make, 1)(np.array([1]), np.array([0b1011]), out)
    assert out[0] == 3 * sum(1.5 * k if k // 2 % 2 else -k for k in range(3, 20, 2))


def test_bits_of_a_word():
    @njit
    def of(word):
        return ones(word), lowest_bit(word)

    for word in (1, 2**63, 0b101000, 2**64 - 1):
        assert of(np.uint64(word)) == (bin(word).count("1"), (word & -word).bit_length() - 1)


@pytest.mark.parametrize(("rule", "of"), [(counters.METROPOLIS, metropolis), (counters.GLAUBER, glauber)])
def test_thresholds_in_vectors_are_those_of_the_counters_bit_by_bit(rule, of):
    words = np.concatenate([EDGES, np.random.default_rng(1).integers(0, 2**32, 58)]).astype(np.uint32)
    scale, out = np.full(64, 3.7, dtype=np.float32), np.empty(64, dtype=np.float32)
    stored(lambda emit, words, scale: of(words, scale), 64)(words, scale, out)
    logs = np.array([[counters.minus_log(w), counters.minus_log(~w)] for w in words], dtype=np.float32)
    expected = np.maximum(logs[:, 0], 2.0**-33) if rule == counters.METROPOLIS else logs[:, 0] - logs[:, 1]
    assert out.tobytes() == (scale * expected.astype(np.float32)).tobytes()


def test_words_in_vectors_are_those_of_the_counters():
    key, sweep = np.uint64(0x0123456789ABCDEF), np.uint64(2**40 + 5)
    words, expected = np.empty(64, dtype=np.uint32), np.empty(192, dtype=np.uint32)

    def make(emit, key, sweep):
        return words_of(emit, key, sweep, emit.constant(INT64, 128))

    stored(make, 1)(np.array([key]), np.array([sweep]), words)
    counters.fill_words(expected, key, sweep)
    assert np.array_equal(words, expected[128:])
