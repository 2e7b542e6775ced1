"""Vector instructions of no particular processor: what the sweeps of kernels/pairwise.py do to 64 lanes.

Fields, limits and weights are 16 or 32 bits wide, as their arrays are, and their sums are modulo 2^16 or 2^32.
Couplings may be narrower than the fields.
"""

from numba import types
from numba.extending import intrinsic

from .counters import METROPOLIS, SIGN
from .emit import emitted
from .thresholds import glauber, limits_of, metropolis, middle, words_of
from .values import BIT, FLOAT, INT32, INT64

_index, _word, _real = types.int64, types.uint64, types.float32


# --- limits ---


def _limits(emit, words, base, rule, scale, most, shift):
    """Limits of words, with their thresholds kept within ±most."""
    thresholds = emit.either(rule == METROPOLIS, lambda: metropolis(words, scale), lambda: glauber(words, scale))
    return limits_of(thresholds, base, -most, most, shift)


@intrinsic
def fill_limits(typingctx, limits, first, words, base, rule, scale, most, shift):
    """limits[first:first+64] = (⌈t⌉ - base) >> shift, with t of the words of the same places kept within ±most."""

    def body(emit, limits, first, words, base, *numbers):
        limits.store(first, _limits(emit, words.load(first, 64), base.load(first, 64), *numbers).to(limits.entry))

    return emitted(types.void(limits, _index, words, base, _index, _real, _real, types.int32), body)


def _bounds(words, step):
    """What no limit exceeds, without a logarithm.

    The bits of a float 2^e (1 + f) are 2^23 (e + 127 + f) <= 2^23 (log2 + 127), so those of 2^32 less those of word +
    1/2, with 2^13 for all that was rounded, bound 2^23 log2(1/u) from above, and times step the limit.
    """
    bits = middle(words).seen_as(INT32)
    far = bits.like((159 << 23) + 2**13) - bits
    return (far.to(FLOAT) * step).to(INT32)


@intrinsic
def fill_bounds(typingctx, bounds, first, words, step):
    """bounds[first:first+64], at or above the limits of the words of the same places; see `offer`."""

    def body(emit, bounds, first, words, step):
        bounds.store(first, _bounds(words.load(first, 64), step).to(bounds.entry))

    return emitted(types.void(bounds, _index, words, _real), body)


# --- tests ---


def _costs(fields, odd, signs):
    """c: the field g of a spin +1, -odd - g of a spin -1."""
    opposite = odd.seen_as(BIT).pick(fields.like(-1), 0)
    return signs.seen_as(BIT).pick(opposite - fields, fields)


def _passing(costs, limits):
    return (costs <= limits).seen_as(INT64)


@intrinsic
def offer(typingctx, fields, first, diagonal, base, odd, live, signs, key, sweep, rule, scale, most, shift, step):
    """Offer the flips of the 64 sites from `first` in turn and return the bits of those that flip.

    No logarithm is taken where no cost is within the bound of its limit; step = 0 spares the search. The costs, of
    fields[first:first+64], live in registers: a flip of local site l takes the 64 couplings of row first + l of
    `diagonal` from the costs of spins like its own and adds them to the others, and the sites after l are tested again.
    """

    def body(emit, fields, first, diagonal, base, odd, live, signs, key, sweep, rule, scale, most, shift, step):
        costs = emit.variable(_costs(fields.load(first, 64), odd, signs))
        limits, offered = emit.variable(costs.value.like(-1)), emit.variable(live)
        with emit.when(rule != SIGN):
            words = words_of(emit, key, sweep, first)
            with emit.when(step > 0.0):
                near = _passing(costs.value, _bounds(words, step).to(fields.entry)) & live
                offered.value = (near == 0).pick(0, live)
            with emit.when(offered.value != 0):
                found = _limits(emit, words, base.load(first, 64), rule, scale, most, shift)
                limits.value = found.to(fields.entry)
        limit, live = limits.value, offered.value
        flipped = emit.variable(live.like(0))
        pending = emit.variable(_passing(costs.value, limit) & live)
        with emit.while_any(pending):
            site = pending.value.lowest()
            unlike = signs ^ -(signs.right(site) & 1)
            change, old = diagonal.load((first + site) * 64, 64).to(fields.entry), costs.value
            costs.value = unlike.seen_as(BIT).pick(old + change, old - change)
            flipped.value |= 1 << site
            pending.value = _passing(costs.value, limit) & live & (-2 << site)
        return flipped.value

    places, law = (fields, _index, diagonal, base, _word, _word, _word), (_word, _word, _index, _real, _real)
    return emitted(types.uint64(*places, *law, types.int32, _real), body)


# --- sums ---


@intrinsic
def add_rows(typingctx, fields, couplings, first, length, flipped, signs):
    """fields[0:length] += σ_l (row first + l of `couplings`) over the flipped sites l of a block, by their new signs.

    Rows are `length` wide, a multiple of 64; a row is subtracted as the sum of its complement and 1, so that no branch
    depends on a sign.
    """

    def body(emit, fields, couplings, first, length, flipped, signs):
        left = emit.variable(flipped)
        with emit.while_any(left):
            site = left.value.lowest()
            left.value &= left.value + -1
            down = signs.right(site) & 1
            carry, mask = down.to(fields.entry).spread(32), (-down).to(couplings.entry).spread(32)
            begin = (first + site) * length
            with emit.loop(length, step=64) as k:
                for place in (k, k + 32):
                    row = couplings.load(begin + place, 32) ^ mask
                    fields.store(place, fields.load(place, 32) + (row.to(fields.entry) + carry))

    return emitted(types.void(fields, couplings, _index, _index, _word, _word), body)


@intrinsic
def sum_fields(typingctx, out, first, bits, begin, weights, count, offsets, plus, minus, signs):
    """out[first:first+64] = Σ_{k<count, bit k} weights[k] + offsets[first:first+64] + (plus or minus by sign).

    Bits from bits[begin]; count is a multiple of 4.
    """

    def body(emit, out, first, bits, begin, weights, count, offsets, plus, minus, signs):
        sums = [emit.variable(emit.constant(out.entry, 0, 64)) for _ in range(4)]
        with emit.loop(count, step=4) as k:
            for lane, total in enumerate(sums):
                mask, old = bits.load(begin + (k + lane)).seen_as(BIT), total.value
                total.value = mask.pick(old + weights.load(k + lane), old)
        a, b, c, d = (total.value for total in sums)
        by_sign = signs.seen_as(BIT).pick(minus.to(out.entry), plus.to(out.entry))
        out.store(first, (a + b) + (c + d) + offsets.load(first, 64) + by_sign)

    arguments = (out, _index, bits, _index, weights, _index, offsets, _index, _index, _word)
    return emitted(types.void(*arguments), body)


@intrinsic
def sum_signed_fields(typingctx, out, first, bits, begin, weights, count, offsets, signs):
    """out[first:first+64] = Σ_{k<count} ±weights[k] + offsets[first:first+64], and more for spins -1.

    The sign is + where bit k is set from bits[begin], - where it is in the second half of bits, else the weight is left
    out; spins -1 add the second half of the offsets too. count is a multiple of 2.
    """

    def body(emit, out, first, bits, begin, weights, count, offsets, signs):
        sums = [emit.variable(emit.constant(out.entry, 0, 64)) for _ in range(4)]
        other = begin + bits.size.right(1)
        with emit.loop(count, step=2) as k:
            for lane in (0, 1):
                weight, (up, down) = weights.load(k + lane), sums[2 * lane : 2 * lane + 2]
                up.value = bits.load(begin + (k + lane)).seen_as(BIT).pick(up.value + weight, up.value)
                down.value = bits.load(other + (k + lane)).seen_as(BIT).pick(down.value + weight, down.value)
        a, b, c, d = (total.value for total in sums)
        by_sign = signs.seen_as(BIT).pick(offsets.load(first + offsets.size.right(1), 64), 0)
        out.store(first, (a + c) - (b + d) + offsets.load(first, 64) + by_sign)

    arguments = (out, _index, bits, _index, weights, _index, offsets, _word)
    return emitted(types.void(*arguments), body)


@intrinsic
def move_weights(typingctx, weights, bits, begin, count, flipped, signs, shift):
    """weights[k] += (2 n_k - n) << shift, n_k the flipped sites that now agree with pattern k, of n; returns Σ n_k."""

    def body(emit, weights, bits, begin, count, flipped, signs, shift):
        total = emit.variable(emit.constant(INT64, 0, 8))
        all_flipped, shifts = flipped.ones().to(weights.entry), shift.to(weights.entry)
        with emit.loop(count, step=8) as k:
            agree = ((bits.load(begin + k, 8) ^ signs) & flipped).ones()
            total.value += agree
            few = agree.to(weights.entry)
            weights.store(k, weights.load(k, 8) + ((few + few - all_flipped) << shifts))
        return total.value.sum()

    return emitted(types.int64(weights, bits, _index, _index, _word, _word, _index), body)


@intrinsic
def move_signed_weights(typingctx, weights, bits, begin, count, flipped, signs):
    """weights[k] += n_k - n'_k, of the flipped sites those that now agree with pattern k and those that do not.

    Entries +1 are bits from bits[begin], entries -1 in the second half of bits.
    """

    def body(emit, weights, bits, begin, count, flipped, signs):
        other, up, down = begin + bits.size.right(1), flipped & ~signs, flipped & signs
        with emit.loop(count, step=8) as k:
            plus, minus = bits.load(begin + k, 8), bits.load(other + k, 8)
            agree, differ = (plus & up) | (minus & down), (plus & down) | (minus & up)
            weights.store(k, weights.load(k, 8) + (agree.ones() - differ.ones()).to(weights.entry))

    return emitted(types.void(weights, bits, _index, _index, _word, _word), body)


@intrinsic
def sum_weights(typingctx, weights, bits, begin, words, more):
    """Σ weights[k] over the bits k that are set in `words` words of bits[begin:], and more."""

    def body(emit, weights, bits, begin, words, more):
        total = emit.variable(emit.constant(weights.entry, 0, 64))
        with emit.loop(words) as k:
            mask, old = bits.load(begin + k).seen_as(BIT), total.value
            total.value = mask.pick(old + weights.load(k << 6, 64), old)
        return total.value.sum() + more.to(weights.entry)

    return emitted(weights.dtype(weights, bits, _index, _index, _index), body)


@intrinsic
def turn_weights(typingctx, weights, bits, begin, words, change):
    """weights[k] += change where bit k is set in `words` words of bits[begin:], -= change where it is not."""

    def body(emit, weights, bits, begin, words, change):
        up = change.to(weights.entry)
        with emit.loop(words) as k:
            moved = bits.load(begin + k).seen_as(BIT).pick(up, -up)
            weights.store(k << 6, weights.load(k << 6, 64) + moved)

    return emitted(types.void(weights, bits, _index, _index, _index), body)


@intrinsic
def sum_signed_weights(typingctx, weights, bits, begin, words, more):
    """Σ ±weights[k] and more: + over the bits k set in `words` words of bits[begin:], - over those in the next."""

    def body(emit, weights, bits, begin, words, more):
        up, down = (emit.variable(emit.constant(weights.entry, 0, 64)) for _ in range(2))
        with emit.loop(words) as k:
            here = weights.load(k << 6, 64)
            up.value = bits.load(begin + k).seen_as(BIT).pick(up.value + here, up.value)
            down.value = bits.load(begin + words + k).seen_as(BIT).pick(down.value + here, down.value)
        return (up.value - down.value).sum() + more.to(weights.entry)

    return emitted(weights.dtype(weights, bits, _index, _index, _index), body)


@intrinsic
def turn_signed_weights(typingctx, weights, bits, begin, words, change):
    """weights[k] += change where bit k is set in `words` words of bits[begin:], -= change where it is in the next."""

    def body(emit, weights, bits, begin, words, change):
        up = change.to(weights.entry)
        with emit.loop(words) as k:
            plus = bits.load(begin + k).seen_as(BIT).pick(up, up.like(0).spread(64))
            minus = bits.load(begin + words + k).seen_as(BIT).pick(up, up.like(0).spread(64))
            weights.store(k << 6, weights.load(k << 6, 64) + (plus - minus))

    return emitted(types.void(weights, bits, _index, _index, _index), body)
