"""Vector instructions of no particular processor, as LLVM: what the sweeps of kernels/pairwise.py do to 64 lanes.

Fields, limits and weights are 16 or 32 bits wide, as their arrays are, and their sums are modulo 2^16 or 2^32.
Couplings may be narrower than the fields.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .counters import METROPOLIS, SIGN

_BIT, _INT32, _INT64, _FLOAT = ir.IntType(1), ir.IntType(32), ir.IntType(64), ir.FloatType()
_EIGHT = ir.VectorType(_INT64, 8)
_ZERO = ir.Constant(_INT64, 0)
_ROOT = 0x3F3504F3  # the bits of 0.70710678 in float32
_COEFFICIENTS = (  # of Cephes `logf` (Moshier), as in counters.py
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
_index, _word, _real = types.int64, types.uint64, types.float32


# --- words of the language ---


def _constant(kind, value):
    return ir.Constant(kind, [value] * kind.count if isinstance(kind, ir.VectorType) else value)


def _spread(builder, scalar, kind):
    """A vector of one number in all lanes."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(_INT32, 0))
    return builder.shuffle_vector(first, first, _constant(ir.VectorType(_INT32, kind.count), 0))


def _of_bits(builder, word):
    return builder.bitcast(word, ir.VectorType(_BIT, word.type.width))


def _function(builder, name, kind, *more, result=None):
    """An operation of LLVM, by its full name; the result is of the kind of the first argument unless told."""
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result or kind, [kind, *more]), name)


def _first(builder, word):
    """The place of the lowest bit of a word that is not zero."""
    return builder.call(_function(builder, "llvm.cttz.i64", _INT64, _BIT), [word, ir.Constant(_BIT, 1)])


def _plus(builder, number, constant):
    return builder.add(number, ir.Constant(number.type, constant))


def _steps(builder, count, step):
    """A loop over 0, step, 2 step, ... below count."""
    return cgutils.for_range_slice(builder, ir.Constant(_INT64, 0), count, ir.Constant(_INT64, step))


class _WhileBits:
    """A loop as long as a word in memory is not zero."""

    def __init__(self, builder, word):
        self._builder, self._word = builder, word

    def __enter__(self):
        builder = self._builder
        self._test, body, self._end = (builder.append_basic_block(f"bits.{part}") for part in ("test", "body", "end"))
        builder.branch(self._test)
        builder.position_at_end(self._test)
        builder.cbranch(builder.icmp_unsigned("!=", builder.load(self._word), _ZERO), body, self._end)
        builder.position_at_end(body)

    def __exit__(self, *exception):
        self._builder.branch(self._test)
        self._builder.position_at_end(self._end)


class _Arrays:
    """The arguments of an instruction that are arrays, by position; loads and stores need no alignment."""

    def __init__(self, context, builder, signature, arguments):
        self._context, self._builder, self._signature, self._arguments = context, builder, signature, arguments

    def entry(self, position):
        """The integer that an array holds."""
        return ir.IntType(self._signature.args[position].dtype.bitwidth)

    def lanes(self, position, count=64):
        """`count` entries of an array side by side."""
        return ir.VectorType(self.entry(position), count)

    def _pointer(self, position, index, kind):
        array = self._context.make_array(self._signature.args[position])
        data = array(self._context, self._builder, value=self._arguments[position]).data
        return self._builder.bitcast(self._builder.gep(data, [index]), kind.as_pointer())

    def load(self, position, index, kind):
        """What stands at an index of an array, seen as `kind`."""
        loaded = self._builder.load(self._pointer(position, index, kind))
        loaded.align = 1
        return loaded

    def store(self, value, position, index):
        """Write lanes to an array from an index on."""
        self._builder.store(value, self._pointer(position, index, value.type)).align = 1


@intrinsic
def ones(typingctx, word):
    """Number of bits set in a uint64."""

    def generate(context, builder, signature, arguments):
        return builder.call(_function(builder, "llvm.ctpop.i64", _INT64), arguments)

    return types.int64(types.uint64), generate


# --- limits ---


class _Lanes:
    """Arithmetic of many lanes in Python notation; a Python number is the same in all of them."""

    def __init__(self, builder, value):
        self._builder, self.value = builder, value

    def _with(self, whole, real, other):
        kind = self.value.type
        operation = real if kind.element == _FLOAT else whole
        same = other.value if isinstance(other, _Lanes) else _constant(kind, other)
        return _Lanes(self._builder, operation(self.value, same))

    def __add__(self, other):
        return self._with(self._builder.add, self._builder.fadd, other)

    def __sub__(self, other):
        return self._with(self._builder.sub, self._builder.fsub, other)

    def __mul__(self, other):
        return self._with(self._builder.mul, self._builder.fmul, other)

    def __and__(self, other):
        return self._with(self._builder.and_, None, other)

    def __rshift__(self, other):
        return self._with(self._builder.ashr, None, other)

    def _pick(self, relation, other):
        builder = self._builder
        return self._with(None, lambda a, b: builder.select(builder.fcmp_ordered(relation, a, b), a, b), other)

    def at_most(self, other):
        """The smaller of two reals; of a NaN the other."""
        return self._pick("<", other)

    def at_least(self, other):
        """The larger of two reals; of a NaN the other."""
        return self._pick(">", other)

    def _as(self, operation, entry):
        return _Lanes(self._builder, operation(self.value, ir.VectorType(entry, self.value.type.count)))

    def seen_as(self, entry):
        """The same bits as another kind of number of the same width."""
        return self._as(self._builder.bitcast, entry)

    def real(self):
        """Signed integers to float32."""
        return self._as(self._builder.sitofp, _FLOAT)

    def whole(self):
        """Reals to int32, towards zero."""
        return self._as(self._builder.fptosi, _INT32)

    def ceiling(self):
        """Reals rounded up."""
        function = _function(self._builder, f"llvm.ceil.v{self.value.type.count}f32", self.value.type)
        return _Lanes(self._builder, self._builder.call(function, [self.value]))

    def narrowed(self, entry):
        """int32 that fit to integers of another width."""
        return self if entry == _INT32 else self._as(self._builder.trunc, entry)


def _words(builder, key, sweep, first):
    """The 64 words of the positions from `first`, as counters.fill_words places them, in lanes of 64 bits till the end.

    A product of 32 bits by 32 bits is one instruction there, and what is above the low half of a lane never matters.
    """
    wide, low = ir.VectorType(_INT64, 16), ir.Constant(_INT64, 2**32 - 1)

    def halves(word):
        return builder.and_(word, low), builder.lshr(word, ir.Constant(_INT64, 32))

    def multiplied(lanes, multiplier):
        return builder.mul(builder.and_(lanes, _constant(wide, 2**32 - 1)), _constant(wide, multiplier))

    def mixed(product, lanes, key):
        high = builder.lshr(product, _constant(wide, 32))
        return builder.xor(builder.xor(high, lanes), _spread(builder, key, wide))

    lanes = ir.Constant(wide, list(range(16)))
    c0 = builder.add(_spread(builder, builder.lshr(first, ir.Constant(_INT64, 2)), wide), lanes)
    c1, c2 = (_spread(builder, half, wide) for half in halves(sweep))
    c3, (k0, k1) = _constant(wide, 0), halves(key)
    for _ in range(10):
        p0, p1 = multiplied(c0, 0xD2511F53), multiplied(c2, 0xCD9E8D57)
        c0, c1, c2, c3 = mixed(p1, c1, k0), p1, mixed(p0, c3, k1), p0
        k0, k1 = (builder.and_(_plus(builder, k, weyl), low) for k, weyl in ((k0, 0x9E3779B9), (k1, 0xBB67AE85)))
    parts = [builder.trunc(c, ir.VectorType(_INT32, 16)) for c in (c0, c1, c2, c3)]
    return _joined(builder, _joined(builder, *parts[:2]), _joined(builder, *parts[2:]))


def _joined(builder, one, other):
    count = 2 * one.type.count
    return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(_INT32, count), list(range(count))))


def _middle(builder, words):
    """word + 1/2 in float32."""
    return _Lanes(builder, builder.uitofp(words, ir.VectorType(_FLOAT, words.type.count))) + 0.5


def _logarithm(builder, words):
    """ln((word + 1/2)/2^32): the negative of `_minus_log` of counters.py, bit by bit."""
    bits = _middle(builder, words).seen_as(_INT32) - (_ROOT + (32 << 23))
    exponent = (bits >> 23).real()
    f = ((bits & 0x007FFFFF) + _ROOT).seen_as(_FLOAT) - 1.0
    square = f * f
    y = f * _COEFFICIENTS[0]
    for coefficient in _COEFFICIENTS[1:-1]:
        y = (y + coefficient) * f
    y = (y + _COEFFICIENTS[-1]) * f * square
    y = y + exponent * -2.12194440e-4
    y = y - square * 0.5
    return f + y + exponent * 0.693359375


def _metropolis(builder, words, scale):
    return _logarithm(builder, words).at_most(-(2.0**-33)) * (scale * -1.0)


def _glauber(builder, words, scale):
    return (_logarithm(builder, builder.not_(words)) - _logarithm(builder, words)) * scale


def _limits(builder, words, base, rule, scale, most, shift, entry):
    """(⌈t⌉ - base) >> shift, with the thresholds t of the words kept within ±most."""
    reals = ir.VectorType(_FLOAT, words.type.count)
    scale, most = (_Lanes(builder, _spread(builder, number, reals)) for number in (scale, most))
    threshold = cgutils.alloca_once(builder, reals)
    with builder.if_else(builder.icmp_signed("==", rule, ir.Constant(rule.type, METROPOLIS))) as (then, otherwise):
        with then:
            builder.store(_metropolis(builder, words, scale).value, threshold)
        with otherwise:
            builder.store(_glauber(builder, words, scale).value, threshold)
    t = _Lanes(builder, builder.load(threshold)).at_least(most * -1.0).at_most(most)
    shift = _Lanes(builder, _spread(builder, shift, base.type))
    return ((t.ceiling().whole() - _Lanes(builder, base)) >> shift).narrowed(entry).value


@intrinsic
def fill_limits(typingctx, limits, first, words, base, rule, scale, most, shift):
    """limits[first:first+64] = (⌈t⌉ - base) >> shift, with t of the words of the same places kept within ±most."""

    def generate(context, builder, signature, arguments):
        arrays = _Arrays(context, builder, signature, arguments)
        first, numbers = arguments[1], arguments[4:]
        words, base = (arrays.load(position, first, arrays.lanes(position)) for position in (2, 3))
        arrays.store(_limits(builder, words, base, *numbers, arrays.entry(0)), 0, first)
        return context.get_dummy_value()

    return types.void(limits, _index, words, base, _index, _real, _real, types.int32), generate


# --- tests ---


def _costs(builder, fields, odd, signs):
    """c: the field g of a spin +1, -odd - g of a spin -1."""
    kind = fields.type
    opposite = builder.select(_of_bits(builder, odd), _constant(kind, -1), _constant(kind, 0))
    return builder.select(_of_bits(builder, signs), builder.sub(opposite, fields), fields)


def _passing(builder, costs, limits):
    return builder.bitcast(builder.icmp_signed("<=", costs, limits), _INT64)


def _bounds(builder, words, step, entry):
    """What no limit exceeds, without a logarithm.

    The bits of a float 2^e (1 + f) are 2^23 (e + 127 + f) <= 2^23 (log2 + 127), so those of 2^32 less those of word +
    1/2, with 2^13 for all that was rounded, bound 2^23 log2(1/u) from above, and times step the limit.
    """
    bits = _middle(builder, words).seen_as(_INT32)
    far = (_Lanes(builder, _constant(words.type, (159 << 23) + 2**13)) - bits).real()
    step = _Lanes(builder, _spread(builder, step, far.value.type))
    return (far * step).whole().narrowed(entry).value


@intrinsic
def fill_bounds(typingctx, bounds, first, words, step):
    """bounds[first:first+64], at or above the limits of the words of the same places; see `offer`."""

    def generate(context, builder, signature, arguments):
        arrays = _Arrays(context, builder, signature, arguments)
        _, first, _, step = arguments
        bounds = _bounds(builder, arrays.load(2, first, arrays.lanes(2)), step, arrays.entry(0))
        arrays.store(bounds, 0, first)
        return context.get_dummy_value()

    return types.void(bounds, _index, words, _real), generate


@intrinsic
def offer(typingctx, fields, first, diagonal, base, odd, live, signs, key, sweep, rule, scale, most, shift, step):
    """Offer the flips of the 64 sites from `first` in turn and return the bits of those that flip.

    No logarithm is taken where no cost is within the bound of its limit; step = 0 spares the search. The costs, of
    fields[first:first+64], live in registers: a flip of local site l takes the 64 couplings of row first + l of
    `diagonal` from the costs of spins like its own and adds them to the others, and the sites after l are tested again.
    """

    def generate(context, builder, signature, arguments):
        arrays = _Arrays(context, builder, signature, arguments)
        _, first, _, _, odd, live, signs, key, sweep, rule, scale, most, shift, step = arguments
        kind, one = arrays.lanes(0), ir.Constant(_INT64, 1)
        start = _costs(builder, arrays.load(0, first, kind), odd, signs)
        limits = cgutils.alloca_once_value(builder, _constant(kind, -1))
        offered = cgutils.alloca_once_value(builder, live)
        with builder.if_then(builder.icmp_signed("!=", rule, ir.Constant(rule.type, SIGN))):
            words = _words(builder, key, sweep, first)
            with builder.if_then(builder.fcmp_ordered(">", step, ir.Constant(_FLOAT, 0.0))):
                near = builder.and_(_passing(builder, start, _bounds(builder, words, step, kind.element)), live)
                nowhere = builder.icmp_unsigned("==", near, _ZERO)
                builder.store(builder.select(nowhere, _ZERO, live), offered)
            with builder.if_then(builder.icmp_unsigned("!=", builder.load(offered), _ZERO)):
                of = arrays.load(3, first, arrays.lanes(3))
                builder.store(_limits(builder, words, of, rule, scale, most, shift, kind.element), limits)
        limit, live = builder.load(limits), builder.load(offered)
        costs = cgutils.alloca_once_value(builder, start)
        flipped = cgutils.alloca_once_value(builder, _ZERO)
        pending = cgutils.alloca_once_value(builder, builder.and_(_passing(builder, start, limit), live))
        with _WhileBits(builder, pending):
            site = _first(builder, builder.load(pending))
            down = builder.and_(builder.lshr(signs, site), one)
            unlike = builder.xor(signs, builder.neg(down))
            begin = builder.mul(builder.add(first, site), ir.Constant(_INT64, 64))
            change, old = _wide(builder, arrays.load(2, begin, arrays.lanes(2)), kind), builder.load(costs)
            new = builder.select(_of_bits(builder, unlike), builder.add(old, change), builder.sub(old, change))
            later = builder.and_(live, builder.shl(ir.Constant(_INT64, -2), site))
            builder.store(new, costs)
            builder.store(builder.or_(builder.load(flipped), builder.shl(one, site)), flipped)
            builder.store(builder.and_(_passing(builder, new, limit), later), pending)
        return builder.load(flipped)

    places, law = (fields, _index, diagonal, base, _word, _word, _word), (_word, _word, _index, _real, _real)
    return types.uint64(*places, *law, types.int32, _real), generate


def _wide(builder, lanes, kind):
    return lanes if lanes.type.element == kind.element else builder.sext(lanes, kind)


# --- sums ---


@intrinsic
def add_rows(typingctx, fields, couplings, first, length, flipped, signs):
    """fields[0:length] += σ_l (row first + l of `couplings`) over the flipped sites l of a block, by their new signs.

    Rows are `length` wide, a multiple of 64; a row is subtracted as the sum of its complement and 1, so that no branch
    depends on a sign.
    """

    def generate(context, builder, signature, arguments):
        arrays = _Arrays(context, builder, signature, arguments)
        _, _, first, length, flipped, signs = arguments
        kind, narrow = arrays.lanes(0, 32), arrays.lanes(1, 32)
        left = cgutils.alloca_once_value(builder, flipped)
        with _WhileBits(builder, left):
            word = builder.load(left)
            site = _first(builder, word)
            builder.store(builder.and_(word, _plus(builder, word, -1)), left)
            down = builder.and_(builder.lshr(signs, site), ir.Constant(_INT64, 1))
            carry = _spread(builder, builder.trunc(down, kind.element), kind)
            mask = _spread(builder, builder.trunc(builder.neg(down), narrow.element), narrow)
            begin = builder.mul(builder.add(first, site), length)
            with _steps(builder, length, 64) as (k, _):
                for place in (k, _plus(builder, k, 32)):
                    row = builder.xor(arrays.load(1, builder.add(begin, place), narrow), mask)
                    change = builder.add(_wide(builder, row, kind), carry)
                    arrays.store(builder.add(arrays.load(0, place, kind), change), 0, place)
        return context.get_dummy_value()

    return types.void(fields, couplings, _index, _index, _word, _word), generate


@intrinsic
def sum_fields(typingctx, out, first, bits, begin, weights, count, offsets, plus, minus, signs):
    """out[first:first+64] = Σ_{k<count, bit k} weights[k] + offsets[first:first+64] + (plus or minus by sign).

    Bits from bits[begin]; count is a multiple of 4.
    """

    def generate(context, builder, signature, arguments):
        arrays = _Arrays(context, builder, signature, arguments)
        _, first, _, begin, _, count, _, plus, minus, signs = arguments
        kind = arrays.lanes(0)
        sums = [cgutils.alloca_once_value(builder, _constant(kind, 0)) for _ in range(4)]
        with _steps(builder, count, 4) as (k, _):
            for lane, total in enumerate(sums):
                index = _plus(builder, k, lane)
                word = arrays.load(2, builder.add(begin, index), _INT64)
                weight = _spread(builder, arrays.load(4, index, kind.element), kind)
                old = builder.load(total)
                builder.store(builder.select(_of_bits(builder, word), builder.add(old, weight), old), total)
        a, b, c, d = (builder.load(total) for total in sums)
        total = builder.add(builder.add(a, b), builder.add(c, d))
        by_sign = [_spread(builder, builder.trunc(number, kind.element), kind) for number in (minus, plus)]
        total = builder.add(total, arrays.load(6, first, kind))
        arrays.store(builder.add(total, builder.select(_of_bits(builder, signs), *by_sign)), 0, first)
        return context.get_dummy_value()

    arguments = (out, _index, bits, _index, weights, _index, offsets, _index, _index, _word)
    return types.void(*arguments), generate


@intrinsic
def move_weights(typingctx, weights, bits, begin, count, flipped, signs, shift):
    """weights[k] += (2 n_k - n) << shift, n_k the flipped sites that now agree with pattern k, of n; returns Σ n_k."""

    def generate(context, builder, signature, arguments):
        arrays = _Arrays(context, builder, signature, arguments)
        _, _, begin, count, flipped, signs, shift = arguments
        narrow = arrays.lanes(0, 8)
        counts = _function(builder, "llvm.ctpop.v8i64", _EIGHT)
        total = cgutils.alloca_once_value(builder, _constant(_EIGHT, 0))
        chosen, spins = _spread(builder, flipped, _EIGHT), _spread(builder, signs, _EIGHT)
        all_flipped = builder.trunc(builder.call(counts, [chosen]), narrow)
        shifts = _spread(builder, builder.trunc(shift, narrow.element), narrow)
        with _steps(builder, count, 8) as (k, _):
            words = arrays.load(1, builder.add(begin, k), _EIGHT)
            agree = builder.call(counts, [builder.and_(chosen, builder.xor(words, spins))])
            builder.store(builder.add(builder.load(total), agree), total)
            few = builder.trunc(agree, narrow)
            change = builder.shl(builder.sub(builder.add(few, few), all_flipped), shifts)
            arrays.store(builder.add(arrays.load(0, k, narrow), change), 0, k)
        reduce = _function(builder, "llvm.vector.reduce.add.v8i64", _EIGHT, result=_INT64)
        return builder.call(reduce, [builder.load(total)])

    return types.int64(weights, bits, _index, _index, _word, _word, _index), generate


@intrinsic
def sum_weights(typingctx, weights, bits, begin, words, more):
    """Σ weights[k] over the bits k that are set in `words` words of bits[begin:], and more."""

    def generate(context, builder, signature, arguments):
        arrays = _Arrays(context, builder, signature, arguments)
        _, _, begin, words, more = arguments
        kind = arrays.lanes(0)
        total = cgutils.alloca_once_value(builder, _constant(kind, 0))
        with _steps(builder, words, 1) as (k, _):
            word = arrays.load(1, builder.add(begin, k), _INT64)
            weight = arrays.load(0, builder.shl(k, ir.Constant(_INT64, 6)), kind)
            old = builder.load(total)
            builder.store(builder.select(_of_bits(builder, word), builder.add(old, weight), old), total)
        name = f"llvm.vector.reduce.add.v64i{kind.element.width}"
        whole = builder.call(_function(builder, name, kind, result=kind.element), [builder.load(total)])
        return builder.add(whole, builder.trunc(more, kind.element))

    return weights.dtype(weights, bits, _index, _index, _index), generate


@intrinsic
def turn_weights(typingctx, weights, bits, begin, words, change):
    """weights[k] += change where bit k is set in `words` words of bits[begin:], -= change where it is not."""

    def generate(context, builder, signature, arguments):
        arrays = _Arrays(context, builder, signature, arguments)
        _, _, begin, words, change = arguments
        kind = arrays.lanes(0)
        change = builder.trunc(change, kind.element)
        up, down = _spread(builder, change, kind), _spread(builder, builder.neg(change), kind)
        with _steps(builder, words, 1) as (k, _):
            word = arrays.load(1, builder.add(begin, k), _INT64)
            index = builder.shl(k, ir.Constant(_INT64, 6))
            moved = builder.select(_of_bits(builder, word), up, down)
            arrays.store(builder.add(arrays.load(0, index, kind), moved), 0, index)
        return context.get_dummy_value()

    return types.void(weights, bits, _index, _index, _index), generate
