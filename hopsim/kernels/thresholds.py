"""Words, logarithms and thresholds of counters.py in vectors: the same numbers, bit by bit."""

from .counters import COEFFICIENTS, LN2_HIGH, LN2_LOW, MULTIPLIERS, WEYL
from .values import FLOAT, INT32, INT64

_LOW = 2**32 - 1
_ROOT = 0x3F3504F3  # the bits of 0.70710678 in float32


def philox(states, keys):
    """Philox4x32-10 on counters (c0, c1, c2, c3), several such states with the same two keys.

    The words live in lanes of 64 bits, where a product of 32 bits by 32 bits is one instruction; what is above the low
    half of a lane never matters.
    """
    for _ in range(10):
        products = [
            [(c & _LOW) * int(factor) for c, factor in zip(state[::2], MULTIPLIERS, strict=True)] for state in states
        ]
        states = [
            (p1.right(32) ^ c1 ^ keys[0], p1, p0.right(32) ^ c3 ^ keys[1], p0)
            for (_, c1, _, c3), (p0, p1) in zip(states, products, strict=True)
        ]
        keys = [key + int(weyl) for key, weyl in zip(keys, WEYL, strict=True)]
    return states


def words_of(emit, key, sweep, first):
    """The 64 words of the positions from `first`, as counters.fill_words places them."""
    c0 = emit.vector(INT64, range(16)) + first.right(2)
    c1, c2, *keys = (half.spread(16) for word in (sweep, key) for half in (word & _LOW, word.right(32)))
    ((w0, w1, w2, w3),) = philox([(c0, c1, c2, emit.constant(INT64, 0, 16))], keys)
    return w0.to(INT32).joined(w1.to(INT32)).joined(w2.to(INT32).joined(w3.to(INT32)))


def middle(words):
    """word + 1/2 in float32."""
    return words.to(FLOAT, signed=False) + 0.5


def _logarithm(words):
    """ln((word + 1/2)/2^32): the negative of counters.minus_log."""
    bits = middle(words).seen_as(INT32) - (_ROOT + (32 << 23))
    exponent = (bits >> 23).to(FLOAT)
    f = ((bits & 0x007FFFFF) + _ROOT).seen_as(FLOAT) - 1.0
    square = f * f
    y = f * COEFFICIENTS[0]
    for coefficient in COEFFICIENTS[1:-1]:
        y = (y + coefficient) * f
    y = (y + COEFFICIENTS[-1]) * f * square
    y = y - exponent * LN2_LOW
    y = y - square * 0.5
    return f + y + exponent * LN2_HIGH


def metropolis(words, scale):
    """-scale ln u, as counters.fill_thresholds has it."""
    return _logarithm(words).at_most(-(2.0**-33)) * -scale


def glauber(words, scale):
    """scale ln((1-u)/u), as counters.fill_thresholds has it."""
    return (_logarithm(~words) - _logarithm(words)) * scale


def limits_of(thresholds, base, least, most, shift):
    """(⌈t⌉ - base) >> shift, in int32, with thresholds t kept from `least` to `most`."""
    return (thresholds.at_least(least).at_most(most).ceil().to(INT32) - base) >> shift
