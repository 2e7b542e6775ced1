"""Monte Carlo sweeps of dense networks of degree 3 and 4 with ±1 patterns: a proposal is one signed sum over patterns.

For x = ξσ = ±1 the cost of one pattern, G(M) - G(M - 2x), equals S(M) + x O(M) with O = [G(M+2) - G(M-2)]/2 and
S = [2G(M) - G(M+2) - G(M-2)]/2, so that a flip of σ costs Σ_μ S(M_μ) + σ Σ_μ ξ^μ O(M_μ); S and O change only when a
spin flips. M has the parity of N and is kept as m: M = 2m + odd. Up to factors, and constants that multiply Σ_μ ξ^μ,
O is a (a + odd) for degree 3, with the magnitude a = max(m, -m - odd), and a cubic polynomial in m for degree 4.

The signs ξ^μ of one site are bits, 64 patterns to a word; the inner loops are vector instructions on one word at a
time. Narrow integers hold all but the overlaps out of their range, the exceptions, which are summed apart. Patterns
that fill up the last word are masked out by `last`.

Sums of int32 are taken over at most 2048 words: 2^17 126·127 < 2^31 and, over 1024 words, 2^16 32767 < 2^31. Those of
int64 are exact modulo 2^64, so that they may wrap on the way to a cost below 2^63.
"""

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from .chains import rows_after
from .emit import emitted, lowest_bit
from .products import SUMS, add_byte_products, add_more_short_products
from .values import BIT, INT8, INT16, INT32, INT64

LARGEST_MAGNITUDE = 126
_MAGNITUDE_WORDS = 2048
_WEIGHT_WORDS = 1024

# --- vector instructions: 64 neighbouring patterns at a time ---


def _sum_over_words(emit, words, term, chains=4):
    """Fold sums = term(sums, word) over the words in independent chains; returns the int32 total."""
    sums = [emit.variable(emit.constant(INT32, 0, SUMS)) for _ in range(chains)]
    whole = words & -chains
    with emit.loop(whole, step=chains) as word:
        for k, chain in enumerate(sums):
            chain.value = term(chain.value, word + k)
    with emit.loop(words, start=whole) as word:
        sums[0].value = term(sums[0].value, word)
    ends = [chain.value for chain in sums]
    while len(ends) > 1:
        ends = [a + b for a, b in zip(ends[::2], ends[1::2], strict=True)]
    return ends[0].sum()


def _signed_squares(odd):
    """The intrinsic int32 Σ ξ a (a + odd) over words start, ..., start + words - 1; bits begin at word `row`."""

    @intrinsic
    def signed_squares(typingctx, bits, row, magnitudes, start, words):
        def body(emit, bits, row, magnitudes, start, words):
            def term(sums, word):
                a = magnitudes.load(start + word << 6, 64)
                raised = a + 1 if odd else a
                # with the sign reversed, negation under the mask is a single instruction
                reversed_sign = bits.load(row + start + word).seen_as(BIT).pick(-raised, raised)
                return add_byte_products(emit, sums, a, reversed_sign)

            return -_sum_over_words(emit, words, term)

        return emitted(types.int32(bits, types.int64, magnitudes, types.int64, types.int64), body)

    return signed_squares


_signed_even_squares = _signed_squares(odd=0)
_signed_odd_squares = _signed_squares(odd=1)


def _short_signs(emit, word):
    """The bits of a word as int16 lanes: 1 where set, else -1."""
    if emit.has("avx512bw"):
        return word.seen_as(BIT).pick(emit.constant(INT16, 1, 64), -1)
    # four copies of the word, so that a shuffle of bytes within 128 bits brings to each lane the byte of its bit
    octets = word.spread(4).seen_as(INT8)
    bits = emit.vector(INT16, [1 << lane % 8 for lane in range(16)])
    signs = []
    for first in (0, 2, 4, 6):
        tested = octets.part([16 * (lane // 16) + first + lane // 16 for lane in range(32)]).seen_as(INT16) & bits
        signs.append((tested == 0).to(INT16) | 1)
    return signs[0].joined(signs[1]).joined(signs[2].joined(signs[3]))


@intrinsic
def _signed_weights(typingctx, bits, row, weights, start, words):
    """int32 Σ ξ w over words start, ..., start + words - 1 of the patterns; bits begin at word `row`."""

    def body(emit, bits, row, weights, start, words):
        def term(sums, word):
            signs = _short_signs(emit, bits.load(row + start + word))
            return add_more_short_products(emit, sums, weights.load(start + word << 6, 64), signs)

        return _sum_over_words(emit, words, term)

    return emitted(types.int32(bits, types.int64, weights, types.int64, types.int64), body)


def _shifted(halves, bits, word, row, spin):
    """m - ξσ of 64 patterns, stored and returned."""
    signs = bits.load(row + word).seen_as(BIT).pick(spin, -spin)
    m = halves.load(word << 6, 64) - signs
    halves.store(word << 6, m)
    return m


def _only_present(vector, word, final, last):
    """Zero the lanes of the final word that have no pattern."""
    return (word == final).pick(last, -1).seen_as(BIT).pick(vector, 0)


class _Flags:
    """Bits of the exceptional patterns, word by word, and the union of all words."""

    def __init__(self, emit, flags):
        self._flags, self._union = flags, emit.variable(emit.constant(INT64, 0))

    def note(self, word, exceptional):
        """Write the bits of a word."""
        bits = exceptional.seen_as(INT64)
        self._flags.store(word, bits)
        self._union.value |= bits

    def union(self):
        """Not 0 if any pattern is exceptional."""
        return self._union.value


@intrinsic
def _shift_magnitudes(typingctx, halves, bits, magnitudes, flags, row, spin, odd, last, words):
    """m -= ξσ and a = max(m, -m - odd), or 0 beyond the largest magnitude; uint64: not 0 if any pattern is beyond.

    Such patterns are named by the bits of `flags`, unless m is int8, which never leaves the range.
    """

    def body(emit, halves, bits, magnitudes, flags, row, spin, odd, last, words):
        spin, even = spin.to(halves.entry), odd.to(halves.entry) - 1
        union = _Flags(emit, flags)
        with emit.loop(words) as word:
            m = _shifted(halves, bits, word, row, spin)
            sign = m >> halves.entry.width - 1
            a = _only_present((m ^ sign) - (sign & even), word, words - 1, last)
            if halves.entry != INT8:
                beyond = a > LARGEST_MAGNITUDE
                union.note(word, beyond)
                a = beyond.pick(0, a).to(INT8)
            magnitudes.store(word << 6, a)
        return union.union()

    scalars = (types.int64, types.int8, types.int8, types.uint64, types.int64)
    return emitted(types.uint64(halves, bits, magnitudes, flags, *scalars), body)


@intrinsic
def _shift_weights(
    typingctx, halves, bits, weights, flags, row, spin, odd, last, final, start, words, c1, c2, c3, limit
):
    """m -= ξσ and w = c1 m + c2 m² + c3 m³ modulo 2^16, or 0 where |m| > limit, in words start, ..., start + words - 1.

    Returns the int32 sum of m (m + odd) within the limit, and uint64: not 0 if any pattern is beyond.
    """

    def body(emit, halves, bits, weights, flags, row, spin, odd, last, final, start, words, c1, c2, c3, limit):
        spin, odd, union = spin.to(INT16), odd.to(INT16), _Flags(emit, flags)

        def term(sums, word):
            word = start + word
            m = _only_present(_shifted(halves, bits, word, row, spin), word, final, last)
            beyond = (m > limit) | (m < -limit)
            union.note(word, beyond)
            m = beyond.pick(0, m)
            weights.store(word << 6, ((c3 * m + c2) * m + c1) * m)
            return add_more_short_products(emit, sums, m, m + odd)

        return _sum_over_words(emit, words, term, chains=1), union.union()

    scalars = (types.int64, types.int8, types.int8, types.uint64, *[types.int64] * 3, *[types.int16] * 4)
    return emitted(types.Tuple((types.int32, types.uint64))(halves, bits, weights, flags, *scalars), body)


# --- sweeps ---


@njit(inline="always", error_model="numpy")
def _sum_squares(bits, row, magnitudes, odd, words):
    total = np.int64(0)
    start = np.int64(0)
    while True:
        chunk = min(_MAGNITUDE_WORDS, words - start)
        if odd:
            total += np.int64(_signed_odd_squares(bits, row, magnitudes, start, chunk))
        else:
            total += np.int64(_signed_even_squares(bits, row, magnitudes, start, chunk))
        start += _MAGNITUDE_WORDS
        if start >= words:
            return total


@njit(inline="always", error_model="numpy")
def _sum_weights(bits, row, weights):
    words = weights.size // 64
    total = np.int64(0)
    for start in range(0, words, _WEIGHT_WORDS):
        total += np.int64(_signed_weights(bits, row, weights, start, min(_WEIGHT_WORDS, words - start)))
    return total


@njit(inline="always", error_model="numpy")
def _sum_exceptions(bits, row, exceptions, extra, count):
    total = np.int64(0)
    for e in range(count):
        mu = np.uint64(exceptions[e])
        positive = bits[np.uint64(row) + (mu >> np.uint64(6))] >> (mu & np.uint64(63)) & np.uint64(1)
        total += extra[e] if positive else -extra[e]
    return total


@njit(error_model="numpy", nogil=True)
def _list_exceptions(flags, exceptions):
    count = 0
    for word in range(flags.size):
        left = flags[word]
        while left:
            exceptions[count] = 64 * word + np.int64(lowest_bit(left))
            left &= left - np.uint64(1)
            count += 1
    return count


@njit(inline="always", error_model="numpy")
def record_halves(sweep, last, odd, spins, halves, trace):
    """Copy spins and M = 2 m + odd after a sweep, or, if they stay, after all below `last`."""
    for row in rows_after(sweep, last, trace):
        trace[2][row] = spins
        out = trace[3][row]
        for mu in range(out.size):
            out[mu] = 2 * np.int32(halves[mu]) + np.int32(odd)


@njit(error_model="numpy", nogil=True)
def _move_magnitudes(halves, bits, magnitudes, flags, row, spin, odd, last, exceptions, extra):
    """One flip of `spin` (0: none): halves, magnitudes and the list of exceptions, whose length is returned."""
    beyond = _shift_magnitudes(halves, bits, magnitudes, flags, row, spin, odd, last, magnitudes.size // 64)
    count = _list_exceptions(flags, exceptions) if beyond else 0
    for e in range(count):
        m = np.int64(halves[exceptions[e]])
        extra[e] = m * (m + odd)
    return count


@njit(error_model="numpy", nogil=True)
def _open_magnitudes(halves, bits, odd, last, factor, patterns):
    """Magnitudes, their flags, the exceptions and their number, and -(factor/2) Σ_μ M_μ."""
    words = halves.size // 64
    magnitudes, flags = np.empty(64 * words, dtype=np.int8), np.zeros(words, dtype=np.uint64)
    exceptions, extra = np.empty(halves.size, dtype=np.int64), np.empty(halves.size, dtype=np.int64)
    count = _move_magnitudes(halves, bits, magnitudes, flags, 0, np.int8(0), odd, last, exceptions, extra)
    common = np.int64(0)
    for mu in range(patterns):
        common -= factor // 2 * (2 * np.int64(halves[mu]) + odd)
    return magnitudes, flags, exceptions, extra, count, common


@njit(cache=True, nogil=True, error_model="numpy")
def cubic_costs(costs, spins, halves, odd, last, bits, sums, numbers, patterns):
    """The cost of every site, as in `cubic_sweeps`."""
    factor, bias = numbers
    words = halves.size // 64
    magnitudes, _, exceptions, extra, count, common = _open_magnitudes(halves, bits, odd, last, factor, patterns)
    for i in range(spins.size):
        total = _sum_squares(bits, words * i, magnitudes, odd, words)
        total += _sum_exceptions(bits, words * i, exceptions, extra, count)
        costs[i] = common + spins[i] * (factor * total + bias * sums[i])


@njit(cache=True, nogil=True, error_model="numpy")
def cubic_sweeps(spins, halves, odd, last, bits, sums, numbers, orders, thresholds, settles, *trace):
    """Degree 3: cost of site i is σ_i [factor Σ_μ ξ_i^μ a_μ (a_μ + odd) + bias Σ_μ ξ_i^μ] - (factor/2) Σ_μ M_μ.

    numbers are factor and bias; halves int8 or int16[64 W] holds m, bits uint64[N W] the signs, sums int64[N] their
    sums, last the bits of the patterns that exist in a last word. settles: stop moving after a sweep without any flip.
    """
    factor, bias = numbers
    words = halves.size // 64
    magnitudes, flags, exceptions, extra, count, common = _open_magnitudes(
        halves, bits, odd, last, factor, trace[3].shape[1]
    )
    flips = 0
    for sweep in range(thresholds.shape[0]):
        order = orders[sweep % orders.shape[0]]
        before = flips
        for k in range(spins.size):
            i = np.uint64(order[k])
            row = words * np.int64(i)
            total = _sum_squares(bits, row, magnitudes, odd, words)
            total += _sum_exceptions(bits, row, exceptions, extra, count)
            if common + spins[i] * (factor * total + bias * sums[i]) < thresholds[sweep, k]:
                flips += 1
                common += factor * spins[i] * sums[i]
                count = _move_magnitudes(halves, bits, magnitudes, flags, row, spins[i], odd, last, exceptions, extra)
                spins[i] = -spins[i]
        settled = settles and flips == before
        record_halves(sweep, thresholds.shape[0] if settled else sweep + 1, odd, spins, halves, trace)
        if settled:
            break
    return flips


@njit(error_model="numpy", nogil=True)
def _move_weights(halves, bits, weights, flags, row, spin, odd, last, numbers, exceptions, extra):
    """One flip of `spin` (0: none). Returns Σ_μ m (m + odd) and the number of exceptions."""
    c1, c2, c3, limit, values = numbers[4:]
    words = weights.size // 64
    squares, beyond = np.int64(0), np.uint64(0)
    for start in range(0, words, _MAGNITUDE_WORDS):
        end = min(start + _MAGNITUDE_WORDS, words)
        part, some = _shift_weights(
            halves, bits, weights, flags, row, spin, odd, last, words - 1, start, end - start, c1, c2, c3, limit
        )
        squares += np.int64(part)
        beyond |= some
    count = _list_exceptions(flags, exceptions) if beyond else 0
    for e in range(count):
        m = np.int64(halves[exceptions[e]])
        extra[e] = values[m + values.size // 2]
        squares += m * (m + odd)
    return squares, count


@njit(cache=True, nogil=True, error_model="numpy")
def quartic_sweeps(spins, halves, odd, last, bits, sums, numbers, orders, thresholds, settles, *trace):
    """Degree 4: cost of site i is σ_i [factor Σ_μ ξ_i^μ w_μ + bias Σ_μ ξ_i^μ] - slope Σ_μ m_μ (m_μ + odd) - offset.

    numbers are factor, bias, slope, offset, c1, c2, c3, limit and values: w = values[m + values.size // 2], which fits
    in 16 bits and is c1 m + c2 m² + c3 m³ modulo 2^16 where |m| <= limit. The rest as for degree 3.
    """
    factor, bias, slope, offset = numbers[:4]
    words = halves.size // 64
    weights, flags = np.empty(64 * words, dtype=np.int16), np.zeros(words, dtype=np.uint64)
    exceptions, extra = np.empty(halves.size, dtype=np.int64), np.empty(halves.size, dtype=np.int64)
    nobody = np.int8(0)
    squares, count = _move_weights(halves, bits, weights, flags, 0, nobody, odd, last, numbers, exceptions, extra)
    flips = 0
    for sweep in range(thresholds.shape[0]):
        order = orders[sweep % orders.shape[0]]
        before = flips
        for k in range(spins.size):
            i = np.uint64(order[k])
            row = words * np.int64(i)
            total = _sum_weights(bits, row, weights) + _sum_exceptions(bits, row, exceptions, extra, count)
            if spins[i] * (factor * total + bias * sums[i]) - slope * squares - offset < thresholds[sweep, k]:
                flips += 1
                squares, count = _move_weights(
                    halves, bits, weights, flags, row, spins[i], odd, last, numbers, exceptions, extra
                )
                spins[i] = -spins[i]
        settled = settles and flips == before
        record_halves(sweep, thresholds.shape[0] if settled else sweep + 1, odd, spins, halves, trace)
        if settled:
            break
    return flips
