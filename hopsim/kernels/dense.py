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
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

LARGEST_MAGNITUDE = 126
_MAGNITUDE_WORDS = 2048
_WEIGHT_WORDS = 1024

_BIT, _BYTE, _SHORT, _WORD32, _WORD64 = (ir.IntType(width) for width in (1, 8, 16, 32, 64))
_SUMS = ir.VectorType(_WORD32, 16)


# --- vector instructions: `lanes` are 64 neighbouring patterns ---


def _lanes(kind):
    return ir.VectorType(kind, 64)


def _constant(kind, value):
    return ir.Constant(kind, [value] * kind.count)


def _spread(builder, value, kind):
    """The same value in all lanes."""
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, _WORD32(0))
    return builder.shuffle_vector(single, single, _constant(ir.VectorType(_WORD32, kind.count), 0))


def _part(builder, vector, indices):
    return builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(_WORD32, len(indices)), list(indices)))


class _Arrays:
    """The array arguments of an intrinsic, read and written a vector at a time."""

    def __init__(self, context, builder, signature, arguments):
        self._context, self._builder = context, builder
        self._kinds, self._arguments = signature.args, arguments

    def pointer(self, number, index, kind):
        array = self._context.make_array(self._kinds[number])
        data = array(self._context, self._builder, value=self._arguments[number]).data
        return self._builder.bitcast(self._builder.gep(data, [index]), kind.as_pointer())

    def read(self, number, index, kind):
        value = self._builder.load(self.pointer(number, index, kind))
        value.align = 1 if isinstance(kind, ir.VectorType) else 8
        return value

    def write(self, number, index, value):
        self._builder.store(value, self.pointer(number, index, value.type)).align = 1

    def mask(self, number, index):
        """The bits of a word as 64 truth values."""
        return self._builder.bitcast(self.read(number, index, _WORD64), _lanes(_BIT))


def _has(context, feature):
    """Whether the processor that is compiled for has a feature of x86."""
    return f"+{feature}" in context.codegen().magic_tuple()[2].split(",")


def _call(builder, name, result, *arguments):
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


def _add_neighbours(builder, vector):
    count = vector.type.count
    return builder.add(_part(builder, vector, range(0, count, 2)), _part(builder, vector, range(1, count, 2)))


def _dot_32_bytes(builder, unsigned, signed, first):
    """Eight sums of four products; those of two fit in 16 bits."""
    pair, quad = ir.VectorType(_SHORT, 16), ir.VectorType(_WORD32, 8)
    parts = (_part(builder, vector, range(first, first + 32)) for vector in (unsigned, signed))
    pairs = _call(builder, "llvm.x86.avx2.pmadd.ub.sw", pair, *parts)
    return _call(builder, "llvm.x86.avx2.pmadd.wd", quad, pairs, _constant(pair, 1))


def _dot_bytes(context, builder, sums, unsigned, signed):
    """sums + unsigned · signed, int8 lanes whose products stay below 2^14, four to a sum."""
    if _has(context, "avx512vnni"):
        packed = (builder.bitcast(vector, _SUMS) for vector in (unsigned, signed))
        return _call(builder, "llvm.x86.avx512.vpdpbusd.512", _SUMS, sums, *packed)
    if _has(context, "avx2"):
        quads = [_dot_32_bytes(builder, unsigned, signed, first) for first in (0, 32)]
        return builder.add(sums, builder.shuffle_vector(*quads, ir.Constant(_SUMS, list(range(16)))))
    wide = _lanes(_WORD32)
    products = builder.mul(builder.zext(unsigned, wide), builder.sext(signed, wide))
    return builder.add(sums, _add_neighbours(builder, _add_neighbours(builder, products)))


def _dot_32_shorts(context, builder, sums, left, right):
    """sums + left · right, int16 lanes, two products to a sum."""
    if _has(context, "avx512vnni"):
        packed = (builder.bitcast(vector, _SUMS) for vector in (left, right))
        return _call(builder, "llvm.x86.avx512.vpdpwssd.512", _SUMS, sums, *packed)
    if _has(context, "avx2"):
        quad = ir.VectorType(_WORD32, 8)
        parts = ([_part(builder, vector, range(k, k + 16)) for vector in (left, right)] for k in (0, 16))
        pairs = [_call(builder, "llvm.x86.avx2.pmadd.wd", quad, *part) for part in parts]
        return builder.add(sums, builder.shuffle_vector(*pairs, ir.Constant(_SUMS, list(range(16)))))
    wide = ir.VectorType(_WORD32, 32)
    products = builder.mul(builder.sext(left, wide), builder.sext(right, wide))
    return builder.add(sums, _add_neighbours(builder, products))


def _dot_shorts(context, builder, sums, left, right):
    """sums + left · right, int16 lanes, four products to a sum."""
    for first in (0, 32):
        parts = (_part(builder, vector, range(first, first + 32)) for vector in (left, right))
        sums = _dot_32_shorts(context, builder, sums, *parts)
    return sums


def _total(builder, sums):
    return _call(builder, "llvm.vector.reduce.add.v16i32", _WORD32, sums)


def _sum_over_words(builder, words, term, chains=4):
    """Fold sums = term(sums, word) over the words in independent chains; returns the int32 total."""
    sums = [cgutils.alloca_once_value(builder, _constant(_SUMS, 0)) for _ in range(chains)]
    for chain in sums:
        builder.store(_constant(_SUMS, 0), chain)
    whole = builder.and_(words, _WORD64(-chains))
    with cgutils.for_range_slice(builder, _WORD64(0), whole, _WORD64(chains)) as (word, _):
        for k, chain in enumerate(sums):
            builder.store(term(builder.load(chain), builder.add(word, _WORD64(k))), chain)
    with cgutils.for_range_slice(builder, whole, words, _WORD64(1)) as (word, _):
        builder.store(term(builder.load(sums[0]), word), sums[0])
    ends = [builder.load(chain) for chain in sums]
    while len(ends) > 1:
        ends = [builder.add(a, b) for a, b in zip(ends[::2], ends[1::2], strict=True)]
    return _total(builder, ends[0])


def _signed_squares(odd):
    """The intrinsic int32 Σ ξ a (a + odd) over words start, ..., start + words - 1; bits begin at word `row`."""

    @intrinsic
    def signed_squares(typing, bits, row, magnitudes, start, words):
        def emit(context, builder, signature, arguments):
            arrays = _Arrays(context, builder, signature, arguments)
            _, row, _, start, words = arguments

            def term(sums, word):
                word = builder.add(start, word)
                a = arrays.read(2, builder.shl(word, _WORD64(6)), _lanes(_BYTE))
                raised = builder.add(a, _constant(a.type, 1)) if odd else a
                # with the sign reversed, negation under the mask is a single instruction
                reversed_sign = builder.select(arrays.mask(0, builder.add(row, word)), builder.neg(raised), raised)
                return _dot_bytes(context, builder, sums, a, reversed_sign)

            return builder.neg(_sum_over_words(builder, words, term))

        return types.int32(bits, types.int64, magnitudes, types.int64, types.int64), emit

    return signed_squares


_signed_even_squares = _signed_squares(odd=0)
_signed_odd_squares = _signed_squares(odd=1)


def _short_signs(context, builder, arrays, number, index):
    """The bits of a word as int16 lanes: 1 where set, else -1."""
    one = _constant(_lanes(_SHORT), 1)
    if _has(context, "avx512bw"):
        return builder.select(arrays.mask(number, index), one, builder.neg(one))
    # four copies of the word, so that a shuffle of bytes within 128 bits brings to each lane the byte of its bit
    copies = _spread(builder, arrays.read(number, index, _WORD64), ir.VectorType(_WORD64, 4))
    octets = builder.bitcast(copies, ir.VectorType(_BYTE, 32))
    bits = ir.Constant(ir.VectorType(_SHORT, 16), [1 << lane % 8 for lane in range(16)])
    signs = []
    for first in (0, 2, 4, 6):
        bytes_of_lanes = [16 * (lane // 16) + first + lane // 16 for lane in range(32)]
        tested = builder.and_(builder.bitcast(_part(builder, octets, bytes_of_lanes), bits.type), bits)
        unset = builder.sext(builder.icmp_signed("==", tested, _constant(bits.type, 0)), bits.type)
        signs.append(builder.or_(unset, _constant(bits.type, 1)))
    while len(signs) > 1:
        count = 2 * signs[0].type.count
        both = ir.Constant(ir.VectorType(_WORD32, count), list(range(count)))
        signs = [builder.shuffle_vector(low, high, both) for low, high in zip(signs[::2], signs[1::2], strict=True)]
    return signs[0]


@intrinsic
def _signed_weights(typing, bits, row, weights, start, words):
    """int32 Σ ξ w over words start, ..., start + words - 1 of the patterns; bits begin at word `row`."""

    def emit(context, builder, signature, arguments):
        arrays = _Arrays(context, builder, signature, arguments)
        _, row, _, start, words = arguments

        def term(sums, word):
            word = builder.add(start, word)
            w = arrays.read(2, builder.shl(word, _WORD64(6)), _lanes(_SHORT))
            return _dot_shorts(
                context, builder, sums, w, _short_signs(context, builder, arrays, 0, builder.add(row, word))
            )

        return _sum_over_words(builder, words, term)

    return types.int32(bits, types.int64, weights, types.int64, types.int64), emit


def _shifted(builder, arrays, lanes, word, row, spin):
    """m - ξσ of 64 patterns, stored and returned: array 0 holds m, array 1 the bits."""
    index = builder.shl(word, _WORD64(6))
    signs = builder.select(arrays.mask(1, builder.add(row, word)), spin, builder.neg(spin))
    m = builder.sub(arrays.read(0, index, lanes), signs)
    arrays.write(0, index, m)
    return m


def _only_present(builder, vector, word, final, last):
    """Zero the lanes of the final word that have no pattern."""
    present = builder.select(builder.icmp_signed("==", word, final), last, _WORD64(-1))
    return builder.select(builder.bitcast(present, _lanes(_BIT)), vector, _constant(vector.type, 0))


class _Flags:
    """Bits of the exceptional patterns, word by word, and the union of all words."""

    def __init__(self, builder, arrays, number):
        self._builder, self._arrays, self._number = builder, arrays, number
        self._union = cgutils.alloca_once_value(builder, _WORD64(0))
        builder.store(_WORD64(0), self._union)

    def note(self, word, exceptional):
        """Write the bits of a word."""
        bits = self._builder.bitcast(exceptional, _WORD64)
        self._arrays.write(self._number, word, bits)
        self._builder.store(self._builder.or_(self._builder.load(self._union), bits), self._union)

    def union(self):
        """Not 0 if any pattern is exceptional."""
        return self._builder.load(self._union)


@intrinsic
def _shift_magnitudes(typing, halves, bits, magnitudes, flags, row, spin, odd, last, words):
    """m -= ξσ and a = max(m, -m - odd), or 0 beyond the largest magnitude; uint64: not 0 if any pattern is beyond.

    Such patterns are named by the bits of `flags`, unless m is int8, which never leaves the range.
    """
    narrow = halves.dtype == types.int8
    lanes = _lanes(_BYTE if narrow else _SHORT)

    def emit(context, builder, signature, arguments):
        arrays = _Arrays(context, builder, signature, arguments)
        row, spin, odd, last, words = arguments[4:]
        resized = (spin, odd) if narrow else (builder.sext(spin, _SHORT), builder.sext(odd, _SHORT))
        spin, odd = (_spread(builder, value, lanes) for value in resized)
        even, nothing = builder.sub(odd, _constant(lanes, 1)), _constant(lanes, 0)
        final = builder.sub(words, _WORD64(1))
        union = _Flags(builder, arrays, 3)
        with cgutils.for_range_slice(builder, _WORD64(0), words, _WORD64(1)) as (word, _):
            m = _shifted(builder, arrays, lanes, word, row, spin)
            sign = builder.ashr(m, _constant(lanes, lanes.element.width - 1))
            a = builder.sub(builder.xor(m, sign), builder.and_(sign, even))
            a = _only_present(builder, a, word, final, last)
            if not narrow:
                beyond = builder.icmp_signed(">", a, _constant(lanes, LARGEST_MAGNITUDE))
                union.note(word, beyond)
                a = builder.trunc(builder.select(beyond, nothing, a), _lanes(_BYTE))
            arrays.write(2, builder.shl(word, _WORD64(6)), a)
        return union.union()

    scalars = (types.int64, types.int8, types.int8, types.uint64, types.int64)
    return types.uint64(halves, bits, magnitudes, flags, *scalars), emit


@intrinsic
def _shift_weights(typing, halves, bits, weights, flags, row, spin, odd, last, final, start, words, c1, c2, c3, limit):
    """m -= ξσ and w = c1 m + c2 m² + c3 m³ modulo 2^16, or 0 where |m| > limit, in words start, ..., start + words - 1.

    Returns the int32 sum of m (m + odd) within the limit, and uint64: not 0 if any pattern is beyond.
    """
    result = types.Tuple((types.int32, types.uint64))

    def emit(context, builder, signature, arguments):
        arrays, lanes = _Arrays(context, builder, signature, arguments), _lanes(_SHORT)
        row, spin, odd, last, final, start, words, *numbers = arguments[4:]
        numbers += (builder.sext(value, _SHORT) for value in (spin, odd))
        c1, c2, c3, limit, spin, odd = (_spread(builder, value, lanes) for value in numbers)
        minus_limit, nothing = builder.neg(limit), _constant(lanes, 0)
        union = _Flags(builder, arrays, 3)

        def term(sums, word):
            word = builder.add(start, word)
            m = _only_present(builder, _shifted(builder, arrays, lanes, word, row, spin), word, final, last)
            beyond = builder.or_(builder.icmp_signed(">", m, limit), builder.icmp_signed("<", m, minus_limit))
            union.note(word, beyond)
            m = builder.select(beyond, nothing, m)
            w = builder.add(builder.mul(builder.add(builder.mul(c3, m), c2), m), c1)
            arrays.write(2, builder.shl(word, _WORD64(6)), builder.mul(w, m))
            return _dot_shorts(context, builder, sums, m, builder.add(m, odd))

        total = _sum_over_words(builder, words, term, chains=1)
        return context.make_tuple(builder, result, (total, union.union()))

    scalars = (types.int64, types.int8, types.int8, types.uint64, *[types.int64] * 3, *[types.int16] * 4)
    return result(halves, bits, weights, flags, *scalars), emit


@intrinsic
def _lowest_bit(typing, word):
    """The number of the lowest bit that is set in a word that is not 0."""

    def emit(context, builder, signature, arguments):
        return builder.cttz(arguments[0], _BIT(1))

    return types.uint64(types.uint64), emit


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
            exceptions[count] = 64 * word + np.int64(_lowest_bit(left))
            left &= left - np.uint64(1)
            count += 1
    return count


@njit(inline="always", error_model="numpy")
def _record(sweep, every, since, odd, spins, halves, spin_trace, overlap_trace):
    if every > 0 and (since + sweep + 1) % every == 0:
        row = (since + sweep + 1) // every - 1
        spin_trace[row] = spins
        out = overlap_trace[row]
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
def cubic_sweeps(
    spins, halves, odd, last, bits, sums, numbers, orders, thresholds, settles, every, since, spin_trace, overlap_trace
):
    """Degree 3: cost of site i is σ_i [factor Σ_μ ξ_i^μ a_μ (a_μ + odd) + bias Σ_μ ξ_i^μ] - (factor/2) Σ_μ M_μ.

    numbers are factor and bias; halves int8 or int16[64 W] holds m, bits uint64[N W] the signs, sums int64[N] their
    sums, last the bits of the patterns that exist in a last word. settles: stop moving after a sweep without any flip.
    """
    factor, bias = numbers
    words = halves.size // 64
    magnitudes, flags, exceptions, extra, count, common = _open_magnitudes(
        halves, bits, odd, last, factor, overlap_trace.shape[1]
    )
    flips, settled = 0, False
    for sweep in range(thresholds.shape[0]):
        order = orders[sweep % orders.shape[0]]
        before = flips
        for k in range(0 if settled else spins.size):
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
        _record(sweep, every, since, odd, spins, halves, spin_trace, overlap_trace)
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
def quartic_sweeps(
    spins, halves, odd, last, bits, sums, numbers, orders, thresholds, settles, every, since, spin_trace, overlap_trace
):
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
    flips, settled = 0, False
    for sweep in range(thresholds.shape[0]):
        order = orders[sweep % orders.shape[0]]
        before = flips
        for k in range(0 if settled else spins.size):
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
        _record(sweep, every, since, odd, spins, halves, spin_trace, overlap_trace)
    return flips
