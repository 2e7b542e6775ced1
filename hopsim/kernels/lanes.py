"""Sweeps of thirty-two chains of one sample of the classical network, ±1 patterns, side by side in vector lanes.

All chains are offered the same sites in the same order; lane r of a vector belongs to chain r, and bit r of `signs[i]`
is set where its spin i is -1. With p = N mod 2, a chain keeps m_μ = (M_μ - p)/2 (`weights`) and T = Σ_μ m_μ. With e = 2
for even K, else 1, and a fixed bit `odd` a site, its fields are h = e (2g + odd), and from a_i = Σ_{μ: ξ_i^μ = 1} m_μ,
n_i = Σ_{μ: ξ_i^μ = 1} 1 follows

    g_i = a_i - (T + (p + σ_i) K/2 + odd_i - p n_i)/2     even K
    g_i = 2 a_i + p n_i - T - ((p + σ_i) K + odd_i)/2     odd K

modulo 2^16, in int16 if the caller has checked all |h| <= 65533 e, so that -32768 <= g <= 32767; else in int32, for
which |h| < 2^29. The type of `weights` decides.

Sixty-four proposals make a block. Its fields come from tables of the sixteen partial sums of four weights each, so that
a site adds one vector for four patterns ("four Russians": Arlazarov, Dinic, Kronrod & Faradzev 1970). Within the block
a flip of site k adds J'_kl times its new spin to every later g_l, J' = J/e. The flips of the block reach the weights
together, by tables again: those of the signed sums of the flips of four sites.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 32
SITES = 64  # of a block
_WORD = 64  # patterns whose bits one word holds: their tables take 16 KB
_UNIT = 16  # patterns that are looked up together
_LARGEST = {16: 65533, 32: 2**29}  # |h|/e by bits of the fields
_SOME = 8  # sites of a block whose fields are in registers at once

# --- primitives: vector instructions of no particular processor ---

_BIT, _INT8, _INT16, _INT32, _INT64 = (ir.IntType(width) for width in (1, 8, 16, 32, 64))
_FLOAT = ir.FloatType()


def _lanes(kind, count=LANES):
    return ir.VectorType(kind, count)


def _constant(kind, value):
    if isinstance(kind, ir.VectorType):
        return ir.Constant(kind, [_constant(kind.element, value)] * kind.count)
    return ir.Constant(kind, float(np.float32(value)) if kind == _FLOAT else value)


def _index(value):
    return ir.Constant(_INT64, value)


class _Emit:
    """The arrays among the arguments of an intrinsic, read and written as vectors."""

    def __init__(self, context, builder, signature, arguments):
        self._builder, self._signature = builder, signature
        self._data = [
            context.make_array(kind)(context, builder, value=value).data if isinstance(kind, types.Array) else None
            for kind, value in zip(signature.args, arguments, strict=True)
        ]

    def vector(self, position, count=LANES):
        """The type of a vector of entries of an array."""
        return _lanes(ir.IntType(self._signature.args[position].dtype.bitwidth), count)

    def place(self, position, index, kind):
        builder = self._builder
        return builder.bitcast(builder.gep(self._data[position], [index]), kind.as_pointer())

    def load(self, position, index, kind):
        value = self._builder.load(self.place(position, index, kind))
        value.align = 1
        return value

    def store(self, value, position, index):
        self._builder.store(value, self.place(position, index, value.type)).align = 1

    def spread(self, scalar, kind):
        """A vector of one number in all lanes."""
        builder = self._builder
        first = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(_INT32, 0))
        return builder.shuffle_vector(first, first, _constant(_lanes(_INT32, kind.count), 0))

    def loop(self, start, stop, step=1):
        return cgutils.for_range_slice(self._builder, start, stop, _index(step))


# --- random numbers: those of counters.py, for all lanes at once ---

_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85
_AT_ONCE = 4  # counters drawn together, which share the keys and hide each other's latency
_COEFFICIENTS = (
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)


@intrinsic
def _draw(typingctx, words, keys, low, high, first):
    """words[32 (4 q + n) + r]: word q of the counter first + n in the sweep low, high, for n, q < 4.

    keys[0:32] are the low words of the keys of the lanes, keys[32:64] the high words, as uint64. The 32-bit words of
    Philox live in lanes of 64 bits, whose upper halves no multiplication reads.
    """

    def generate(context, builder, signature, arguments):
        emit, kind = _Emit(context, builder, signature, arguments), _lanes(_INT64, 8)
        _, _, low, high, first = arguments
        half, mask = _constant(kind, 32), _constant(kind, 2**32 - 1)
        factors = [_constant(kind, factor) for factor in _MULTIPLIERS]
        weyl = [_constant(kind, number) for number in _WEYL]

        def product(value, factor):
            return builder.mul(builder.and_(value, mask), factor)

        def mixed(number, word, key):
            return builder.xor(builder.xor(builder.lshr(number, half), word), key)

        with emit.loop(_index(0), _index(LANES), 8) as (lane, _):
            key0 = emit.load(1, lane, kind)
            key1 = emit.load(1, builder.add(lane, _index(LANES)), kind)
            states = []
            for number in range(_AT_ONCE):
                at = builder.add(first, _index(number))
                states.append([*(emit.spread(word, kind) for word in (at, low, high)), _constant(kind, 0)])
            for _ in range(10):
                products = [(product(c[0], factors[0]), product(c[2], factors[1])) for c in states]
                states = [
                    (mixed(p1, c[1], key0), p1, mixed(p0, c[3], key1), p0)
                    for c, (p0, p1) in zip(states, products, strict=True)
                ]
                key0, key1 = builder.add(key0, weyl[0]), builder.add(key1, weyl[1])
            for number, state in enumerate(states):
                for quarter, word in enumerate(state):
                    at = builder.add(lane, _index(LANES * (_AT_ONCE * quarter + number)))
                    emit.store(builder.trunc(word, _lanes(_INT32, 8)), 0, at)
        return context.get_dummy_value()

    return types.void(words, keys, types.uint64, types.uint64, types.uint64), generate


def _minus_logs(builder, words):
    """-ln((word + 1/2)/2^32) by the operations of counters._minus_log in their order."""
    kind, whole = _lanes(_FLOAT, words.type.count), words.type

    def number(value):
        return _constant(kind, value)

    def bits(value):
        return _constant(whole, value)

    shifted = builder.fadd(builder.uitofp(words, kind), number(0.5))
    pattern = builder.bitcast(builder.fmul(shifted, number(2.0**-32)), whole)
    exponent = builder.sitofp(builder.sub(builder.ashr(pattern, bits(23)), bits(126)), kind)
    fraction = builder.or_(builder.and_(pattern, bits(0x007FFFFF)), bits(0x3F000000))
    fraction = builder.bitcast(fraction, kind)
    small = builder.fcmp_ordered("<", fraction, number(0.70710678))
    e = builder.select(small, builder.fsub(exponent, number(1.0)), exponent)
    f = builder.fsub(builder.select(small, builder.fadd(fraction, fraction), fraction), number(1.0))
    square = builder.fmul(f, f)
    y = number(_COEFFICIENTS[0])
    for coefficient in _COEFFICIENTS[1:]:
        y = builder.fadd(builder.fmul(y, f), number(coefficient))
    y = builder.fmul(builder.fmul(y, f), square)
    y = builder.fadd(y, builder.fmul(number(-2.12194440e-4), e))
    y = builder.fsub(y, builder.fmul(number(0.5), square))
    return builder.fneg(builder.fadd(builder.fadd(f, y), builder.fmul(number(0.693359375), e)))


def _below(builder, emit, thresholds, odds, halvings, limits):
    """The largest c whose cost e (2c + odd) is below the threshold, ⌊(⌈t⌉ - 1 - e odd)/(2e)⌋, of the type `limits`.

    Thresholds are clamped where no cost or every cost is below; the integers fit 32 bits.
    """
    kind, whole, one = thresholds.type, odds.type, ir.Constant(_INT32, 1)
    unit = builder.sitofp(builder.shl(one, halvings), _FLOAT)
    largest = _LARGEST[limits.element.width]
    for order, end in ((">", -largest), ("<", largest + 1)):
        bound = emit.spread(builder.fmul(unit, _constant(_FLOAT, end)), kind)
        thresholds = builder.select(builder.fcmp_ordered(order, thresholds, bound), thresholds, bound)
    name = f"llvm.ceil.v{kind.count}f32"
    ceiling = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind]), name)
    whole_thresholds = builder.fptosi(builder.call(ceiling, [thresholds]), whole)
    scaled = builder.add(builder.shl(odds, emit.spread(halvings, whole)), _constant(whole, 1))
    twice = builder.sub(whole_thresholds, scaled)
    below = builder.ashr(twice, emit.spread(builder.add(halvings, one), whole))
    return builder.trunc(below, limits) if limits != whole else below


def _limits(mixed):
    """limits[32 k + r] for the words of four counters, k = first + 16 q + n and n, q < 4, two positions at a time.

    The thresholds are those of counters.fill_thresholds. `scales` and `glauber` (0 or 1) are those of the lanes, twice;
    without `mixed` no lane is Glauber.
    """

    @intrinsic
    def limits(typingctx, limits, words, scales, glauber, odds, sites, halvings, first):
        def generate(context, builder, signature, arguments):
            emit, wide = _Emit(context, builder, signature, arguments), 2 * LANES
            kind, whole, halvings = _lanes(_FLOAT, wide), _lanes(_INT32, wide), builder.trunc(arguments[6], _INT32)
            scale, least = emit.load(2, _index(0), kind), _constant(kind, 2.0**-33)
            with emit.loop(_index(0), _index(4 * _AT_ONCE), 2) as (k, _):
                word = emit.load(1, builder.mul(k, _index(LANES)), whole)
                logs = _minus_logs(builder, word)
                value = builder.select(builder.fcmp_ordered(">", logs, least), logs, least)
                if mixed:
                    others = _minus_logs(builder, builder.xor(word, _constant(whole, -1)))
                    chosen = builder.trunc(emit.load(3, _index(0), _lanes(_INT8, wide)), _lanes(_BIT, wide))
                    value = builder.select(chosen, builder.fsub(logs, others), value)
                quarter, number = builder.udiv(k, _index(_AT_ONCE)), builder.urem(k, _index(_AT_ONCE))
                place = builder.add(builder.mul(quarter, _index(SITES // 4)), builder.add(arguments[7], number))
                pair = ir.Constant(whole, ir.Undefined)
                for second in range(2):
                    odd = emit.load(4, emit.load(5, builder.add(place, _index(second)), _INT64), _INT16)
                    pair = builder.insert_element(pair, builder.sext(odd, _INT32), ir.Constant(_INT32, second))
                pair = builder.shuffle_vector(pair, pair, ir.Constant(whole, [0] * LANES + [1] * LANES))
                found = _below(builder, emit, builder.fmul(scale, value), pair, halvings, emit.vector(0, wide))
                emit.store(found, 0, builder.mul(place, _index(LANES)))
            return context.get_dummy_value()

        return types.void(limits, words, scales, glauber, odds, sites, types.int64, types.int64), generate

    return limits


_metropolis_limits = _limits(mixed=False)
_mixed_limits = _limits(mixed=True)

# --- fields ---


@intrinsic
def _start_fields(typingctx, fields, signs, offsets, sites, live, common):
    """fields of position k = offset of its site + common[0:32] or, for spin -1, common[32:64]."""

    def generate(context, builder, signature, arguments):
        emit = _Emit(context, builder, signature, arguments)
        kind = emit.vector(0)
        plus, minus = emit.load(5, _index(0), kind), emit.load(5, _index(LANES), kind)
        with emit.loop(_index(0), arguments[4]) as (k, _):
            site = emit.load(3, k, _INT64)
            negative = builder.bitcast(emit.load(1, site, _INT32), _lanes(_BIT))
            offset = emit.spread(emit.load(2, site, kind.element), kind)
            emit.store(builder.add(offset, builder.select(negative, minus, plus)), 0, builder.mul(k, _index(LANES)))
        return context.get_dummy_value()

    return types.void(fields, signs, offsets, sites, types.int64, common), generate


@intrinsic
def _tabulate(typingctx, tables, weights, first, groups, shift):
    """tables[32 (16 g + n):] = Σ_{bit b of n} (weights of pattern first + 4 g + b) << shift."""

    def generate(context, builder, signature, arguments):
        emit = _Emit(context, builder, signature, arguments)
        kind = emit.vector(0)
        _, _, first, groups, shift = arguments
        shifts = emit.spread(builder.trunc(shift, kind.element), kind)
        with emit.loop(_index(0), groups) as (group, _):
            sums = [_constant(kind, 0)]
            for bit in range(4):
                pattern = builder.add(first, builder.add(builder.shl(group, _index(2)), _index(bit)))
                weight = builder.shl(emit.load(1, builder.mul(pattern, _index(LANES)), kind), shifts)
                sums += [weight, *(builder.add(entry, weight) for entry in sums[1:])]
            begin = builder.mul(group, _index(16 * LANES))
            for n, entry in enumerate(sums):
                emit.store(entry, 0, builder.add(begin, _index(n * LANES)))
        return context.get_dummy_value()

    return types.void(tables, weights, types.int64, types.int64, types.int64), generate


@intrinsic
def _look_up(typingctx, fields, tables, words, stride, column, units, sites, live):
    """Add to the fields of each position the entries of the tables that the bits words[site, column] of its site name.

    The tables are those of `units` times sixteen patterns, four units at most; each number of units has its own code.
    """

    def generate(context, builder, signature, arguments):
        emit = _Emit(context, builder, signature, arguments)
        kind = emit.vector(0)
        _, _, _, stride, column, units, _, live = arguments

        def sum_entries(count):
            with emit.loop(_index(0), live) as (k, _):
                row = builder.mul(emit.load(6, k, _INT64), stride)
                word, at = emit.load(2, builder.add(row, column), _INT64), builder.mul(k, _index(LANES))
                total = emit.load(0, at, kind)
                for group in range(4 * count):
                    entry = builder.and_(_shifted(builder, word, 4 * group - 5), _index(15 * LANES))
                    place = builder.add(entry, _index(16 * LANES * group))
                    total = builder.add(total, emit.load(1, place, kind))
                emit.store(total, 0, at)

        for count in range(1, _WORD // _UNIT + 1):
            with builder.if_then(builder.icmp_signed("==", units, _index(count))):
                sum_entries(count)
        return context.get_dummy_value()

    return types.void(fields, tables, words, types.int64, types.int64, types.int64, sites, types.int64), generate


def _shifted(builder, word, places):
    """A word shifted right, to the left where places < 0."""
    return builder.lshr(word, _index(places)) if places > 0 else builder.shl(word, _index(-places))


# --- flips ---


@intrinsic
def _settle(typingctx, fields, limits, signs, odds, couplings, sites, live, changes, counts):
    """Offer the flips of a block in turn; returns whether any lane took one.

    Position k flips in the lanes where c <= limits[32 k + r], c = g for spin 1 and -g - odd for spin -1. changes
    int8[64, 32] are the new spins where they flipped, else 0; counts int16[32] is raised by the flips.
    """

    def generate(context, builder, signature, arguments):
        emit, mask = _Emit(context, builder, signature, arguments), _lanes(_BIT)
        kind, narrow = emit.vector(0), emit.vector(8)
        live = arguments[6]
        zero, one, minus = (_constant(kind, value) for value in (0, 1, -1))
        none = ir.Constant(_INT32, 0)
        flipped = cgutils.alloca_once_value(builder, none)
        count = cgutils.alloca_once_value(builder, emit.load(8, _index(0), narrow))

        def whole(number):
            return number if kind.element == _INT16 else builder.sext(number, kind.element)

        def decide(k, at, field):
            """Lanes of spin -1, lanes that flip, and these as bits; -g - odd <= limit iff -g - 1 <= limit + odd - 1."""
            site = emit.load(5, k, _INT64)
            signs = emit.load(2, site, _INT32)
            negative = builder.bitcast(signs, mask)
            back = builder.sub(emit.spread(whole(emit.load(3, site, _INT16)), kind), one)
            limit = builder.add(emit.load(1, at, kind), builder.select(negative, back, zero))
            cost = builder.xor(field, builder.sext(negative, kind))
            below = builder.bitcast(builder.icmp_signed("<=", cost, limit), _INT32)
            flips = builder.select(builder.icmp_signed("<", k, live), below, none)
            emit.store(builder.xor(signs, flips), 2, site)
            return negative, builder.bitcast(flips, mask), flips

        def coupling(row, k):
            return emit.spread(whole(emit.load(4, builder.add(row, _index(k)), _INT16)), kind)

        with emit.loop(_index(0), live, _SOME) as (start, _):
            base, rows = builder.mul(start, _index(LANES)), builder.mul(start, _index(SITES + 1))
            places = [builder.add(base, _index(LANES * k)) for k in range(_SOME)]
            fields = [emit.load(0, place, kind) for place in places]
            changes, any_here = [], none
            for k, place in enumerate(places):
                negative, taken, flips = decide(builder.add(start, _index(k)), place, fields[k])
                for later in range(k + 1, _SOME):
                    entry = coupling(rows, SITES * later + k)
                    change = builder.select(negative, entry, builder.sub(zero, entry))
                    fields[later] = builder.select(taken, builder.add(fields[later], change), fields[later])
                change = builder.select(taken, builder.select(negative, one, minus), zero)
                emit.store(builder.trunc(change, _lanes(_INT8)), 7, place)
                builder.store(builder.sub(builder.load(count), builder.sext(taken, narrow)), count)
                changes.append(change)
                any_here = builder.or_(any_here, flips)
            builder.store(builder.or_(builder.load(flipped), any_here), flipped)
            rest = builder.add(start, _index(_SOME))
            with builder.if_then(builder.icmp_unsigned("!=", any_here, none)), emit.loop(rest, live) as (later, _):
                at, row = builder.mul(later, _index(LANES)), builder.add(builder.mul(later, _index(SITES)), start)
                field = emit.load(0, at, kind)
                for k, change in enumerate(changes):
                    field = builder.add(field, builder.mul(change, coupling(row, k)))
                emit.store(field, 0, at)
        emit.store(builder.load(count), 8, _index(0))
        return builder.icmp_unsigned("!=", builder.load(flipped), none)

    arrays = (fields, limits, signs, odds, couplings, sites)
    return types.boolean(*arrays, types.int64, changes, counts), generate


@intrinsic
def _move_weights(typingctx, weights, totals, columns, count, changes, tables):
    """Add the changes of a block to the weights of `count` patterns, and their sums to the totals.

    Bit k of columns[μ] is set where ξ^μ = 1 at position k; tables is int8 of 16 * 16 * 32.
    """

    def generate(context, builder, signature, arguments):
        emit, kind, long = _Emit(context, builder, signature, arguments), _lanes(_INT8), _lanes(_INT32)
        with emit.loop(_index(0), _index(SITES // 4)) as (group, _):
            four = builder.mul(group, _index(4 * LANES))
            parts = [emit.load(4, builder.add(four, _index(LANES * k)), kind) for k in range(4)]
            sums = [_constant(kind, 0)]
            for part in parts:
                sums = [builder.sub(entry, part) for entry in sums] + [builder.add(entry, part) for entry in sums]
            table = builder.mul(group, _index(16 * LANES))
            for n, entry in enumerate(sums):
                emit.store(entry, 5, builder.add(table, _index(n * LANES)))
        total = cgutils.alloca_once_value(builder, emit.load(1, _index(0), long))
        with emit.loop(_index(0), arguments[3]) as (pattern, _):
            word = emit.load(2, pattern, _INT64)
            change = _constant(kind, 0)
            for group in range(SITES // 4):
                entry = builder.and_(_shifted(builder, word, 4 * group - 5), _index(15 * LANES))
                place = builder.add(entry, _index(16 * LANES * group))
                change = builder.add(change, emit.load(5, place, kind))
            at = builder.mul(pattern, _index(LANES))
            emit.store(builder.add(emit.load(0, at, emit.vector(0)), builder.sext(change, emit.vector(0))), 0, at)
            builder.store(builder.add(builder.load(total), builder.sext(change, long)), total)
        emit.store(builder.load(total), 1, _index(0))
        return context.get_dummy_value()

    return types.void(weights, totals, columns, types.int64, changes, tables), generate


@intrinsic
def _ones(typingctx, word):
    """Number of bits set in a uint64."""

    def generate(context, builder, signature, arguments):
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_INT64, [_INT64]), "llvm.ctpop.i64")
        return builder.call(function, [arguments[0]])

    return types.int64(types.uint64), generate


# --- blocks: what they need of the patterns ---


@njit(cache=True, nogil=True, error_model="numpy")
def lay_out_block(couplings, columns, words, patterns, halvings, sites):
    """Couplings and columns of a block of sites from the bits of all sites, uint64[sites, K'/64] in one row.

    couplings int16[64 * 64] are J' below the diagonal, 0 of a site with itself; bit k of columns[μ] is set where
    ξ^μ = 1 at position k.
    """
    stride = columns.size // _WORD
    for k in range(SITES):
        row = words[sites[k] * stride : sites[k] * stride + stride]
        for c in range(stride):
            columns[_WORD * c + k] = row[c]
    _couple(couplings, columns, patterns, halvings, sites)
    for c in range(stride):
        _transpose(columns[_WORD * c : _WORD * c + _WORD])


@njit(cache=True, nogil=True, error_model="numpy")
def _couple(couplings, words, patterns, halvings, sites):
    """J' = (K - 2 d)/e of two sites that differ in d patterns; words[64 c + k] is word c of position k."""
    differing = np.empty(SITES, dtype=np.int64)
    for k in range(SITES):
        length = k // 16 * 16 + 16
        counts, out = differing[:length], couplings[SITES * k : SITES * k + length]
        counts[:] = 0
        for first in range(0, words.size, _WORD):
            word, others = words[first + k], words[first : first + length]
            for j in range(length):
                counts[j] += _ones(others[j] ^ word)
        for j in range(length):
            out[j] = np.int16((patterns - 2 * counts[j]) >> halvings)
        for j in range(k):
            if sites[j] == sites[k]:
                out[j] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def _transpose(words):
    """Bit k of word j and bit j of word k change places, by squares of 32, 16, ..., 1 bits."""
    width, mask = 32, np.uint64(0x00000000FFFFFFFF)
    while width:
        shift = np.uint64(width)
        for first in range(0, 64, 2 * width):
            low, high = words[first : first + width], words[first + width : first + 2 * width]
            for j in range(width):
                swap = ((low[j] >> shift) ^ high[j]) & mask
                low[j] ^= swap << shift
                high[j] ^= swap
        width //= 2
        mask ^= mask << np.uint64(width)


# --- traces ---


@njit(cache=True, nogil=True, error_model="numpy")
def pack(spins, signs):
    """Signs uint32[N] of int8[32, N]."""
    signs[:] = 0
    for lane in range(LANES):
        row = spins[lane]
        for i in range(row.size):
            signs[i] |= np.uint32(row[i] < 0) << np.uint32(lane)


@njit(cache=True, nogil=True, error_model="numpy")
def unpack(signs, lane, spins):
    """Spins ±1 of one lane."""
    shift = np.uint32(lane)
    for i in range(spins.size):
        spins[i] = np.int8(1) - np.int8(2) * np.int8((signs[i] >> shift) & np.uint32(1))


@njit(cache=True, nogil=True, error_model="numpy")
def read_overlaps(weights, lane, odd, overlaps):
    """M_μ = 2 m_μ + p of one lane."""
    for mu in range(overlaps.size):
        overlaps[mu] = 2 * np.int32(weights[mu * LANES + lane]) + odd


# --- sweeps ---


@njit(inline="always", error_model="numpy")
def _scratch(width):
    """Zeros for entries of `width` bytes, one for each site and lane of a block, from the start of a cache line."""
    size = width * SITES * LANES
    raw = np.zeros(size + 64, dtype=np.uint8)
    first = -raw.ctypes.data % 64
    return raw[first : first + size]


@njit(inline="always", error_model="numpy")
def _common_terms(common, totals, odd, patterns, halvings):
    """The part of g that sites of one sign share: common[0:32] for spins 1, common[32:64] for spins -1.

    For even K the other part, an offset of the site, has been rounded down and this one is rounded up: both are halves
    of odd numbers or neither.
    """
    for start, spin in ((0, 1), (LANES, -1)):
        own = (patterns * (odd + spin) + (1 - odd if halvings == 0 else 2)) >> 1
        for lane in range(LANES):
            common[start + lane] = -((np.int64(totals[lane]) + own) >> halvings)


@njit(inline="always", error_model="numpy")
def _fill_limits(limits, words, keys, sweep, block, scales, glauber, mixed, odds, sites, halvings):
    low, high = sweep & np.uint64(0xFFFFFFFF), sweep >> np.uint64(32)
    for k in range(0, SITES // 4, _AT_ONCE):
        _draw(words, keys, low, high, np.uint64(SITES // 4 * block + k))
        if mixed:
            _mixed_limits(limits, words, scales, glauber, odds, sites, halvings, k)
        else:
            _metropolis_limits(limits, words, scales, glauber, odds, sites, halvings, k)


@njit(inline="always", error_model="numpy")
def _sum_fields(fields, tables, signs, weights, common, words, offsets, sites, live, patterns, halvings):
    stride = words.size // offsets.size
    _start_fields(fields, signs, offsets, sites, live, common)
    for column in range(stride):
        first = _WORD * column
        units = min(_WORD // _UNIT, (patterns - first + _UNIT - 1) // _UNIT)
        _tabulate(tables, weights, np.int64(first), np.int64(_UNIT // 4 * units), np.int64(1 - halvings))
        _look_up(fields, tables, words, np.int64(stride), np.int64(column), np.int64(units), sites, live)


@njit(cache=True, nogil=True, error_model="numpy")
def lane_sweeps(
    signs,
    weights,
    totals,
    words,
    offsets,
    odds,
    couplings,
    columns,
    neurons,
    patterns,
    keys,
    scales,
    glauber,
    orders,
    first_sweep,
    sweeps,
    every,
    since,
    spin_traces,
    overlap_traces,
    flips,
):
    """Advance thirty-two chains; flips int64[32] is raised by the flips of each.

    words uint64 holds the bits ξ > 0 of all sites; weights int16 or int32[K', 32] has rows for all bits of a word.
    Couplings and columns of all blocks are those of the cyclic order; if they are empty, each block gets its own. A
    lane at T = 0 has scale 0; without any other no random number is drawn.
    """
    odd, halvings, per_block = neurons & 1, 1 - (patterns & 1), _WORD * (words.size // offsets.size)
    cyclic, random, mixed = couplings.size > 0, scales.any(), glauber.any()
    kind, width = weights.dtype, weights.itemsize
    fields, limits, tables = _scratch(width).view(kind), _scratch(width).view(kind), _scratch(4 * width).view(kind)
    random_words, changes = _scratch(1).view(np.uint32), _scratch(1).view(np.int8)
    common, counts = np.empty(2 * LANES, dtype=kind), np.empty(LANES, dtype=np.int16)
    here, column = np.zeros(SITES * SITES, dtype=np.int16), np.empty(per_block, dtype=np.uint64)
    sites = np.zeros(SITES, dtype=np.int64)
    limits[:] = -1  # T = 0: only c < 0 is below
    for sweep in range(sweeps):
        number, order = np.uint64(first_sweep + sweep), orders[sweep % orders.shape[0]]
        counts[:] = 0
        for block in range(offsets.size // SITES):
            live = min(SITES, neurons - SITES * block)
            for k in range(live):
                sites[k] = order[SITES * block + k]
            if cyclic:
                here = couplings[SITES * SITES * block : SITES * SITES * (block + 1)]
                column = columns[per_block * block : per_block * (block + 1)]
            else:
                lay_out_block(here, column, words, patterns, halvings, sites)
            if random:
                _fill_limits(limits, random_words, keys, number, block, scales, glauber, mixed, odds, sites, halvings)
            _common_terms(common, totals, odd, patterns, halvings)
            _sum_fields(fields, tables, signs, weights, common, words, offsets, sites, live, patterns, halvings)
            changes[live * LANES :] = 0
            if _settle(fields, limits, signs, odds, here, sites, live, changes, counts):
                _move_weights(weights, totals, column, np.int64(patterns), changes, tables.view(np.int8))
        for lane in range(LANES):
            flips[lane] += counts[lane]
        if every > 0 and (since + sweep + 1) % every == 0:
            row = (since + sweep + 1) // every - 1
            for lane in range(spin_traces.shape[0]):
                unpack(signs, lane, spin_traces[lane, row])
                read_overlaps(weights, lane, odd, overlap_traces[lane, row])
