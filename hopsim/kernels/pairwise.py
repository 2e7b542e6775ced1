"""Fast sweeps of the classical network with ±1 patterns: sixty-four proposals tested at once, in cyclic site order.

Layout. Sites come in blocks of 64; of a block, `signs` holds one bit a site (1: spin -1) and `bits[K' q + μ]` the bits
ξ > 0 of pattern μ in block q (K' = K rounded up to 8). With e = 2 for even K, else 1, every coupling is a multiple of
e and J' = J/e; a field h = Σ_{j≠i} J_ij σ_j never changes h/e modulo 2, so h = e (2g + odd) with a fixed bit `odd` a
site, and the kernels keep only g, in 16 bits. A flip of site i moves g_j by -σ_i J'_ij. The cost of a flip is
σ h = e (2c + odd) with c = g for spin +1, -g - odd for spin -1; it is below a threshold t iff c <= limit,
limit = ⌊(⌈t⌉ - 1 - e odd)/(2e)⌋, in exact integers. The caller checks all |h| <= 65533 e, so that -32768 < c < 32767.

`weights` are the overlaps in 16 bits: M for odd K, (M - N mod 2)/2 for even K. What follows the same bits is the
trajectory of the general kernels: same words, same float32 thresholds, same comparisons.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from .counters import METROPOLIS, SIGN, _minus_log, fill_words, philox

_ONE = np.uint64(1)
_HIGH = np.uint64(32)
_ALL = np.uint64(2**64 - 1)

# --- primitives: vector instructions of no particular processor ---

_BIT, _INT16, _INT32, _INT64 = ir.IntType(1), ir.IntType(16), ir.IntType(32), ir.IntType(64)
_LANES = ir.VectorType(_INT16, 64)
_EIGHT = ir.VectorType(_INT64, 8)


def _constant(kind, value):
    return ir.Constant(kind, [value] * kind.count if isinstance(kind, ir.VectorType) else value)


def _pointer(context, builder, signature, arguments, position, index, kind):
    """Address of element `index` of an array argument, seen as `kind`."""
    array = context.make_array(signature.args[position])(context, builder, value=arguments[position])
    return builder.bitcast(builder.gep(array.data, [index]), kind.as_pointer())


def _load(builder, pointer):
    instruction = builder.load(pointer)
    instruction.align = 1
    return instruction


def _store(builder, value, pointer):
    builder.store(value, pointer).align = 1


def _spread(builder, scalar, kind):
    """A vector of one number in all lanes."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(_INT32, 0))
    return builder.shuffle_vector(first, first, _constant(ir.VectorType(_INT32, kind.count), 0))


def _of_bits(builder, word):
    return builder.bitcast(word, ir.VectorType(_BIT, 64))


def _passing(builder, fields, limits, opposite, live, signs):
    """Bits of the sites whose spin flips: c <= limit. `opposite` is -odd, so that c of a spin -1 is opposite - g."""
    costs = builder.select(_of_bits(builder, signs), builder.sub(opposite, fields), fields)
    return builder.and_(builder.bitcast(builder.icmp_signed("<=", costs, limits), _INT64), live)


def _opposite(builder, odd):
    return builder.select(_of_bits(builder, odd), _constant(_LANES, -1), _constant(_LANES, 0))


def _function(builder, name, kind, *more, result=None):
    """An operation of LLVM, by its full name; the result is of the kind of the first argument unless told."""
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result or kind, [kind, *more]), name)


@intrinsic
def _leading_zeros(typingctx, word):
    """Leading zeros of a uint32; 32 of zero."""

    def generate(context, builder, signature, arguments):
        return builder.call(_function(builder, "llvm.ctlz.i32", _INT32, _BIT), [arguments[0], ir.Constant(_BIT, 0)])

    return types.int32(types.uint32), generate


@intrinsic
def _floor(typingctx, number):
    """float32 rounded down, as a float32 (that of the library gives an int64, which spoils vector loops)."""

    def generate(context, builder, signature, arguments):
        return builder.call(_function(builder, "llvm.floor.f32", ir.FloatType()), [arguments[0]])

    return types.float32(types.float32), generate


@intrinsic
def _ones(typingctx, word):
    """Number of bits set in a uint64."""

    def generate(context, builder, signature, arguments):
        return builder.call(_function(builder, "llvm.ctpop.i64", _INT64), [arguments[0]])

    return types.int64(types.uint64), generate


@intrinsic
def _any_passing(typingctx, fields, first, limits, odd, live, signs):
    """Bits of the 64 sites from `first` that pass limits[0:64]."""

    def generate(context, builder, signature, arguments):
        g = _load(builder, _pointer(context, builder, signature, arguments, 0, arguments[1], _LANES))
        limit = _load(builder, _pointer(context, builder, signature, arguments, 2, ir.Constant(_INT64, 0), _LANES))
        _, _, _, odd, live, signs = arguments
        return _passing(builder, g, limit, _opposite(builder, odd), live, signs)

    return types.uint64(fields, types.int64, limits, types.uint64, types.uint64, types.uint64), generate


@intrinsic
def _settle(typingctx, fields, first, diagonal, row, couplings, length, limits, odd, live, signs):
    """Offer the 64 flips of a block in turn and return its new signs.

    The fields of the block, fields[first:first+64], live in registers; a flip of local site l adds the 64 couplings of
    row + l of `diagonal` (64 wide, so that they come from a small array read in order) and retests the sites after l.
    The whole row + l of `couplings`, `length` wide, is added to fields[0:length] in memory, off the chain of dependent
    instructions (length 0: fields are not kept in memory).
    """

    def generate(context, builder, signature, arguments):
        _, first, _, row, _, length, _, odd, live, signs = arguments
        zero, width = ir.Constant(_INT64, 0), ir.Constant(_INT64, 64)

        def moved(fields, position, index, negative):
            entry = ir.IntType(signature.args[position].dtype.bitwidth)
            place = _pointer(context, builder, signature, arguments, position, index, ir.VectorType(entry, 64))
            loaded = _load(builder, place)
            change = loaded if entry == _INT16 else builder.sext(loaded, _LANES)
            return builder.add(fields, builder.sub(builder.xor(change, negative), negative))

        limit = _load(builder, _pointer(context, builder, signature, arguments, 6, zero, _LANES))
        opposite = _opposite(builder, odd)
        start = _load(builder, _pointer(context, builder, signature, arguments, 0, first, _LANES))
        block = cgutils.alloca_once_value(builder, start)
        spins = cgutils.alloca_once_value(builder, signs)
        flips = cgutils.alloca_once_value(builder, _passing(builder, start, limit, opposite, live, signs))
        with _WhileBits(builder, flips):
            pending, old = builder.load(flips), builder.load(spins)
            lowest = _function(builder, "llvm.cttz.i64", _INT64, _BIT)
            site = builder.call(lowest, [pending, ir.Constant(_BIT, 1)])
            bit = builder.shl(ir.Constant(_INT64, 1), site)
            up = builder.icmp_unsigned("==", builder.and_(old, bit), zero)
            negative = _spread(builder, builder.sext(up, _INT16), _LANES)
            site_row = builder.add(row, site)
            now = moved(builder.load(block), 2, builder.mul(site_row, width), negative)
            new = builder.xor(old, bit)
            later = builder.shl(ir.Constant(_INT64, -2), site)
            builder.store(now, block)
            builder.store(new, spins)
            builder.store(builder.and_(_passing(builder, now, limit, opposite, live, new), later), flips)
            begin = builder.mul(site_row, length)
            with cgutils.for_range_slice(builder, zero, length, width) as (k, _):
                place = _pointer(context, builder, signature, arguments, 0, k, _LANES)
                _store(builder, moved(_load(builder, place), 4, builder.add(begin, k), negative), place)
        return builder.load(spins)

    index, word = types.int64, types.uint64
    arrays = (fields, index, diagonal, index, couplings, index, limits)
    return types.uint64(*arrays, word, word, word), generate


@intrinsic
def _sum_fields(typingctx, out, first, bits, begin, weights, count, offsets, plus, minus, signs):
    """out[first:first+64] = Σ_{k<count, bit k} weights[k] + offsets[first:first+64] + (plus or minus by sign).

    All modulo 2^16; bits from bits[begin]; count is a multiple of 4.
    """

    def generate(context, builder, signature, arguments):
        _, first, _, begin, _, count, _, plus, minus, signs = arguments
        sums = [cgutils.alloca_once_value(builder, _constant(_LANES, 0)) for _ in range(4)]
        with cgutils.for_range_slice(builder, ir.Constant(_INT64, 0), count, ir.Constant(_INT64, 4)) as (k, _):
            for lane, total in enumerate(sums):
                index = builder.add(k, ir.Constant(_INT64, lane))
                at = builder.add(begin, index)
                word = _load(builder, _pointer(context, builder, signature, arguments, 2, at, _INT64))
                weight = _load(builder, _pointer(context, builder, signature, arguments, 4, index, _INT16))
                old = builder.load(total)
                new = builder.add(old, _spread(builder, weight, _LANES))
                builder.store(builder.select(_of_bits(builder, word), new, old), total)
        a, b, c, d = (builder.load(total) for total in sums)
        total = builder.add(builder.add(a, b), builder.add(c, d))
        by_sign = [_spread(builder, builder.trunc(number, _INT16), _LANES) for number in (minus, plus)]
        offset = _load(builder, _pointer(context, builder, signature, arguments, 6, first, _LANES))
        total = builder.add(builder.add(total, offset), builder.select(_of_bits(builder, signs), *by_sign))
        _store(builder, total, _pointer(context, builder, signature, arguments, 0, first, _LANES))
        return context.get_dummy_value()

    index, word = types.int64, types.uint64
    return types.void(out, index, bits, index, weights, index, offsets, index, index, word), generate


@intrinsic
def _move_weights(typingctx, weights, bits, begin, count, flipped, signs, shift):
    """weights[k] += (2 n_k - n) << shift, n_k the flipped sites that now agree with pattern k, of n; returns Σ n_k."""

    def generate(context, builder, signature, arguments):
        _, _, begin, count, flipped, signs, shift = arguments
        narrow = ir.VectorType(_INT16, 8)
        ones = _function(builder, "llvm.ctpop.v8i64", _EIGHT)
        total = cgutils.alloca_once_value(builder, _constant(_EIGHT, 0))
        chosen, spins = _spread(builder, flipped, _EIGHT), _spread(builder, signs, _EIGHT)
        all_flipped = builder.trunc(builder.call(ones, [chosen]), narrow)
        shifts = _spread(builder, builder.trunc(shift, _INT16), narrow)
        with cgutils.for_range_slice(builder, ir.Constant(_INT64, 0), count, ir.Constant(_INT64, 8)) as (k, _):
            at = builder.add(begin, k)
            words = _load(builder, _pointer(context, builder, signature, arguments, 1, at, _EIGHT))
            agree = builder.call(ones, [builder.and_(chosen, builder.xor(words, spins))])
            builder.store(builder.add(builder.load(total), agree), total)
            few = builder.trunc(agree, narrow)
            change = builder.shl(builder.sub(builder.add(few, few), all_flipped), shifts)
            place = _pointer(context, builder, signature, arguments, 0, k, narrow)
            _store(builder, builder.add(_load(builder, place), change), place)
        reduce = _function(builder, "llvm.vector.reduce.add.v8i64", _EIGHT, result=_INT64)
        return builder.call(reduce, [builder.load(total)])

    index, word = types.int64, types.uint64
    return types.int64(weights, bits, index, index, word, word, index), generate


class _WhileBits:
    """A loop as long as a word in memory is not zero."""

    def __init__(self, builder, word):
        self._builder, self._word = builder, word

    def __enter__(self):
        builder = self._builder
        self._test = builder.append_basic_block("bits.test")
        body = builder.append_basic_block("bits.body")
        self._end = builder.append_basic_block("bits.end")
        builder.branch(self._test)
        builder.position_at_end(self._test)
        left = builder.icmp_unsigned("!=", builder.load(self._word), ir.Constant(_INT64, 0))
        builder.cbranch(left, body, self._end)
        builder.position_at_end(body)

    def __exit__(self, *exception):
        self._builder.branch(self._test)
        self._builder.position_at_end(self._end)


# --- limits ---


@njit(cache=True, nogil=True, error_model="numpy")
def _draw_words(words, key, sweep, block):
    """The 64 words of a block of positions, as counters.fill_words places them."""
    key0, key1 = np.uint32(key), np.uint32(key >> _HIGH)
    sweep0, sweep1 = np.uint32(sweep), np.uint32(sweep >> _HIGH)
    first = np.uint32(16 * block)
    for lane in range(16):
        counter = np.uint32(first + np.uint32(lane))
        w0, w1, w2, w3 = philox(counter, sweep0, sweep1, np.uint32(0), key0, key1)
        words[lane], words[lane + 16], words[lane + 32], words[lane + 48] = w0, w1, w2, w3


@njit(inline="always", error_model="numpy")
def _limit(threshold, odd, unit):
    """The largest c whose cost e (2c + odd) is below the threshold, with unit = 2e; never (-32768) for a NaN.

    Clamped to where nothing or all is below; from there on exact in float32: integers below 2^18 and their quarters.
    """
    low, high = np.float32(-32767) * unit, np.float32(32768) * unit
    clamped = threshold if threshold > low else low
    clamped = clamped if clamped < high else high
    below = -_floor(-clamped) - np.float32(1.0)
    return np.int16(np.int32(_floor(below * (np.float32(1.0) / unit) - np.float32(0.5) * odd)))


@njit(cache=True, nogil=True, error_model="numpy")
def _exact_limits(limits, words, odd, rule, scale, unit):
    """Limits of whole blocks from the thresholds of counters.fill_thresholds."""
    if rule == METROPOLIS:
        for k in range(limits.size):
            threshold = scale * max(_minus_log(words[k]), np.float32(2.0**-33))
            limits[k] = _limit(threshold, odd[k], unit)
    else:
        for k in range(limits.size):
            limits[k] = _limit(scale * (_minus_log(words[k]) - _minus_log(~words[k])), odd[k], unit)


@njit(inline="always", error_model="numpy")
def _reach(scale, unit):
    """(step, shift) such that ((leading zeros of a word + 1) step) >> shift is at or above its limit; step 0: no bound.

    u >= 2^-(z+1) for a word of z leading zeros, so a threshold is at most scale (z + 1) ln 2 and c at most that over
    2e. The factor 1 + 2^-12 covers the rounding of float32, relative 2^-20 at most. 33 step fits 15 bits.
    """
    step = np.float64(scale) * (0.6931471805599453 * (1.0 + 2.0**-12)) / unit
    if not step < 991.0:
        return np.int16(0), np.int16(0)
    shift = 0
    while shift < 15 and step < 495.0:
        step *= 2.0
        shift += 1
    return np.int16(np.int64(step) + 1), np.int16(shift)


@njit(inline="always", error_model="numpy")
def _coarse_limits(limits, words, step, shift):
    for k in range(64):
        zeros = np.int16(np.int16(_leading_zeros(words[k])) + np.int16(1))
        limits[k] = np.int16(np.int16(zeros * step) >> shift)


@njit(cache=True, nogil=True, error_model="numpy")
def limits_of(words, odd, rule, scale, halvings, exact, coarse):
    """Exact and coarse limits of 64 words; returns whether there is a coarse bound at this scale. For tests."""
    unit = np.float32(2 << halvings)
    step, shift = _reach(scale, unit)
    _exact_limits(exact, words, odd, rule, scale, unit)
    _coarse_limits(coarse, words, step, shift)
    return step > 0


@njit(inline="always", error_model="numpy")
def _is_busy(flips, blocks, step):
    """Whether to take the logarithms of a whole sweep at once: if about one block in five flips a spin, most need them.

    The flips of the sweep before decide; either way gives the same limits wherever they matter.
    """
    return step == 0 or 5 * flips > blocks


@njit(inline="always", error_model="numpy")
def _start_sweep(limits, words, odd, key, sweep, rule, scale, unit):
    fill_words(words, key, sweep)
    _exact_limits(limits, words, odd, rule, scale, unit)


@njit(inline="always", error_model="numpy")
def _may_flip(
    limits, words, odd, fields, first, odd_bits, live, signs, block, key, sweep, rule, scale, unit, step, shift
):
    """Whether any of the 64 sites of a block may flip; then their limits are exact, else no logarithm was taken."""
    _draw_words(words, key, sweep, block)
    _coarse_limits(limits, words, step, shift)
    if _any_passing(fields, first, limits, odd_bits, live, signs) == np.uint64(0):
        return False
    _exact_limits(limits, words, odd, rule, scale, unit)
    return True


# --- traces ---


@njit(cache=True, nogil=True, error_model="numpy")
def unpack_signs(signs, spins):
    """Spins ±1 of their sign bits."""
    for i in range(spins.size):
        spins[i] = np.int8(1) - np.int8(2) * np.int8((signs[i >> 6] >> np.uint64(i & 63)) & _ONE)


@njit(cache=True, nogil=True, error_model="numpy")
def count_overlaps(signs, bits, stride, neurons, overlaps):
    """M_μ = 2 (number of sites where pattern μ agrees) - N, by popcount: N K / 64 word operations."""
    overlaps[:] = -neurons
    for block in range(signs.size):
        left = neurons - 64 * block
        live = _ALL if left >= 64 else np.uint64((_ONE << np.uint64(left)) - _ONE)
        row = bits[block * stride : block * stride + overlaps.size]
        for mu in range(overlaps.size):
            overlaps[mu] += np.int32(2 * _ones((row[mu] ^ signs[block]) & live))


@njit(inline="always", error_model="numpy")
def _record(row, signs, bits, stride, spin_trace, overlap_trace):
    unpack_signs(signs, spin_trace[row])
    count_overlaps(signs, bits, stride, spin_trace.shape[1], overlap_trace[row])


# --- sweeps ---


@njit(cache=True, nogil=True, error_model="numpy")
def sum_fields(fields, signs, bits, stride, weights, offsets, plus, minus):
    """Fields g of all sites from the weights; `plus` and `minus` are the terms common to spins of one sign."""
    for block in range(signs.size):
        first, begin = np.int64(64 * block), np.int64(block * stride)
        _sum_fields(fields, first, bits, begin, weights, np.int64(stride), offsets, plus, minus, signs[block])


@njit(cache=True, nogil=True, error_model="numpy")
def field_sweeps(
    signs,
    fields,
    couplings,
    diagonal,
    bits,
    odd,
    odd_bits,
    neurons,
    stride,
    halvings,
    key,
    first_sweep,
    sweeps,
    rule,
    scale,
    every,
    since,
    spin_trace,
    overlap_trace,
):
    """Cached fields: a proposal costs 1/64 of a vector test, a flip one row of J', int8 or int16[64 blocks, 64 blocks].

    At T = 0 a sweep without a flip is the last one done. Returns the number of flips.
    """
    words, limits = np.empty(fields.size, dtype=np.uint32), np.full(fields.size, -1, dtype=np.int16)
    unit, length = np.float32(2 << halvings), fields.size
    step, shift = _reach(scale, unit)
    flips, before = 0, -signs.size
    for sweep in range(sweeps):
        number, busy = np.uint64(first_sweep + sweep), rule == SIGN or _is_busy(flips - before, signs.size, step)
        before = flips
        if busy and rule != SIGN:
            _start_sweep(limits, words, odd, key, number, rule, scale, unit)
        for block in range(signs.size):
            first = np.int64(64 * block)
            left = neurons - first
            live = _ALL if left >= 64 else np.uint64((_ONE << np.uint64(left)) - _ONE)
            old, bit, end = signs[block], odd_bits[block], first + 64
            limit, word, odds = limits[first:end], words[first:end], odd[first:end]
            if busy or _may_flip(
                limit, word, odds, fields, first, bit, live, old, block, key, number, rule, scale, unit, step, shift
            ):
                new = _settle(fields, first, diagonal, first, couplings, length, limit, bit, live, old)
                signs[block] = new
                flips += _ones(old ^ new)
        if every > 0 and (since + sweep + 1) % every == 0:
            _record((since + sweep + 1) // every - 1, signs, bits, stride, spin_trace, overlap_trace)
        if rule == SIGN and flips == before:
            if every > 0:
                for row in range((since + sweep + 1) // every, (since + sweeps) // every):
                    _record(row, signs, bits, stride, spin_trace, overlap_trace)
            break
    return flips


@njit(cache=True, nogil=True, error_model="numpy")
def overlap_sweeps(
    signs,
    weights,
    diagonal,
    offsets,
    bits,
    odd,
    odd_bits,
    neurons,
    patterns,
    stride,
    halvings,
    key,
    first_sweep,
    sweeps,
    rule,
    scale,
    every,
    since,
    spin_trace,
    overlap_trace,
):
    """Blocked overlaps: fields of 64 sites from the weights, corrected in the block by J'[64, 64] of the block.

    A block costs K vector sums, and K popcounts once if any of its spins flipped; no matrix of all couplings. At T = 0
    a sweep without a flip is the last one done. Returns the number of flips.
    """
    words, limits = np.empty(odd.size, dtype=np.uint32), np.full(odd.size, -1, dtype=np.int16)
    fields, unit, zero = np.empty(64, dtype=np.int16), np.float32(2 << halvings), np.int64(0)
    step, shift = _reach(scale, unit)
    total = np.int64(0)  # Σ_μ M_μ
    for mu in range(patterns):
        total += (np.int64(weights[mu]) << halvings) + (neurons & 1 if halvings else 0)
    flips, before = 0, -signs.size
    for sweep in range(sweeps):
        number, busy = np.uint64(first_sweep + sweep), rule == SIGN or _is_busy(flips - before, signs.size, step)
        before = flips
        if busy and rule != SIGN:
            _start_sweep(limits, words, odd, key, number, rule, scale, unit)
        for block in range(signs.size):
            first = np.int64(64 * block)
            left = neurons - first
            live = _ALL if left >= 64 else np.uint64((_ONE << np.uint64(left)) - _ONE)
            old, bit, end, begin = signs[block], odd_bits[block], first + 64, np.int64(block * stride)
            plus, minus = common_terms(total, patterns, halvings)
            here = offsets[first:end]
            _sum_fields(fields, zero, bits, begin, weights, np.int64(stride), here, plus, minus, old)
            limit, word, odds = limits[first:end], words[first:end], odd[first:end]
            if busy or _may_flip(
                limit, word, odds, fields, zero, bit, live, old, block, key, number, rule, scale, unit, step, shift
            ):
                new = _settle(fields, zero, diagonal, first, diagonal, zero, limit, bit, live, old)
                flipped = old ^ new
                if flipped != np.uint64(0):
                    signs[block] = new
                    count = _ones(flipped)
                    flips += count
                    agreeing = _move_weights(
                        weights, bits, begin, np.int64(stride), flipped, new, np.int64(1 - halvings)
                    )
                    agreeing -= (stride - patterns) * _ones(flipped & new)  # the columns that only fill up
                    total += 4 * agreeing - 2 * count * patterns
        if every > 0 and (since + sweep + 1) % every == 0:
            _record((since + sweep + 1) // every - 1, signs, bits, stride, spin_trace, overlap_trace)
        if rule == SIGN and flips == before:
            if every > 0:
                for row in range((since + sweep + 1) // every, (since + sweeps) // every):
                    _record(row, signs, bits, stride, spin_trace, overlap_trace)
            break
    return flips


@njit(inline="always", error_model="numpy")
def common_terms(total, patterns, halvings):
    """What -(Σ_μ M_μ + K σ)/(2e) adds to the fields g of spins +1 and of spins -1."""
    return -(((total + patterns) >> halvings) >> 1), -(((total - patterns) >> halvings) >> 1)


@njit(cache=True, nogil=True, error_model="numpy")
def settle_all(
    signs,
    spins,
    overlaps,
    sweeps,
    couplings,
    diagonal,
    bits,
    offsets,
    odd,
    odd_bits,
    stride,
    halvings,
    remainder,
    most_sweeps,
):
    """T = 0 in cyclic order from many starts, signs uint64[R, blocks], each until a sweep without a flip.

    Writes spins int8[R, N], overlaps int32[R, K] and the sweeps that flipped something, -1 where `most_sweeps` all did.
    """
    neurons, patterns = spins.shape[1], overlaps.shape[1]
    fields, weights = np.zeros(odd.size, dtype=np.int16), np.zeros(stride, dtype=np.int16)
    no_spins, no_overlaps = np.empty((0, neurons), dtype=np.int8), np.empty((0, patterns), dtype=np.int32)
    for start in range(signs.shape[0]):
        row, total = signs[start], 0
        count_overlaps(row, bits, stride, neurons, overlaps[start])
        for mu in range(patterns):
            weights[mu] = np.int16(overlaps[start, mu] >> halvings)
            total += np.int64(weights[mu])
        plus, minus = common_terms((total << halvings) + remainder, patterns, halvings)
        sum_fields(fields, row, bits, stride, weights, offsets, plus, minus)
        matrices = (couplings, diagonal, bits, odd, odd_bits, neurons, stride, halvings)
        sweeps[start] = -1
        for sweep in range(most_sweeps + 1):
            numbers = (np.uint64(0), np.int64(0), 1, SIGN, np.float32(0.0), 0, 0)
            if field_sweeps(row, fields, *matrices, *numbers, no_spins, no_overlaps) == 0:
                sweeps[start] = sweep
                break
        unpack_signs(row, spins[start])
        count_overlaps(row, bits, stride, neurons, overlaps[start])
