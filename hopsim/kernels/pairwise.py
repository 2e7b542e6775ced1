"""Fast sweeps of the classical network: 64 proposals at once in cyclic order, one by one in others.

Layout. Sites come in blocks of 64; of a block, `signs` holds one bit a site (1: spin -1) and `bits[K' q + μ]` the bits
ξ > 0 of pattern μ in block q (K' = K rounded up to 8). With e = 2 for even K, else 1, every coupling is a multiple of
e and J' = J/e; a field h = Σ_{j≠i} J_ij σ_j never changes h/e modulo 2, so h = e (2g + odd) with a fixed bit `odd` a
site, and the kernels keep only g, in 16 or 32 bits: the type of the array of fields decides. A flip of site i moves g_j
by -σ_i J'_ij. The cost of a flip is σ h = e (2c + odd) with c = g for spin +1, -g - odd for spin -1.

Limits. The cost, an integer, is below a threshold t iff it is at most ⌈t⌉ - 1, that is iff c <= limit with
limit = ⌊(⌈t⌉ - base)/2e⌋ and base = 1 + e odd: a shift of an integer. Thresholds are first kept within ±most, which
changes no comparison where all |h| < most. With most = 65534 e, limits are at most 32766 and at least -32768; with
most = 2^31 - 128, the largest float32 below 2^31, ⌈t⌉ - base still fits 32 bits. The caller sees to |h| < most.

`weights` are the overlaps: M for odd K, (M - N mod 2)/2 for even K. What follows the same bits is the trajectory of the
general kernels: same words, same float32 thresholds, same comparisons.

Blanks. Patterns with entries 0 have a second plane of bits, those of ξ < 0, as long as the first and behind it; in
`rows`, behind the first of the same site. Then e = 1 for every K, and the weights are the numbers (M + n)/2 of sites
that agree with a pattern of n entries, so that g = Σ ξ (weight) + offset, with the offset of spin -1 larger by the
number of patterns that the site is part of: the second half of `offsets`.

In all kernels `sizes` are N, K, K' and log2 e; `proposals` are the key, the first sweep, their number, rule and scale.
"""

import numpy as np
from numba import njit

from .chains import rows_after
from .counters import METROPOLIS, SIGN, fill_permutations, fill_random_sites, fill_words, minus_log
from .emit import ones
from .vectors import (
    add_rows,
    fill_bounds,
    fill_limits,
    move_signed_weights,
    move_weights,
    offer,
    sum_fields,
    sum_signed_fields,
    sum_signed_weights,
    sum_weights,
    turn_signed_weights,
    turn_weights,
)

_ONE = np.uint64(1)
_ALL = np.uint64(2**64 - 1)


# --- layouts ---


@njit(cache=True, nogil=True, error_model="numpy")
def couple(couplings, columns, neurons, patterns, halvings):
    """J' between all sites but themselves, by popcount; couplings[side * side], columns uint64[planes, words, side].

    Returns the largest |J'| and max_i Σ_j |J'_ij|; entries that do not fit the array are then wrong.
    """
    planes, words, side = columns.shape
    products, sums = np.empty(side, dtype=np.int32), np.zeros(neurons, dtype=np.int64)
    largest = np.int64(0)
    for first in range(0, neurons, 1024):
        last = min(first + 1024, neurons)
        count = products[first:last]
        for i in range(neurons):
            count[:] = patterns if planes == 1 else 0
            for w in range(words):
                chosen, column = columns[0, w, i], columns[0, w, first:last]
                if planes == 1:
                    for j in range(count.size):
                        count[j] = np.int32(count[j] - np.int32(2 * ones(column[j] ^ chosen)))
                else:
                    entries, other = chosen | columns[1, w, i], columns[1, w, first:last]
                    for j in range(count.size):
                        common = entries & (column[j] | other[j])
                        differing = np.int32(2 * ones(common & (column[j] ^ chosen)))
                        count[j] = np.int32(count[j] + np.int32(np.int32(ones(common)) - differing))
            row, total, most = couplings[i * side + first : i * side + last], np.int32(0), np.int32(0)
            for j in range(count.size):
                coupling = np.int32(count[j]) >> halvings
                coupling = np.int32(coupling) if j + first != i else np.int32(0)
                row[j] = coupling
                size = np.int32(abs(coupling))
                total, most = np.int32(total + size), max(most, size)
            sums[i] += total
            largest = max(largest, np.int64(most))
    return largest, sums.max()


@njit(cache=True, nogil=True, error_model="numpy")
def couple_blocks(diagonal, columns, neurons, patterns, halvings):
    """J' between the 64 sites of each block, diagonal[64 * side]; returns the largest |J'|."""
    planes, words, _ = columns.shape
    largest = np.int64(0)
    for i in range(neurons):
        first = i & -64
        for j in range(first, min(first + 64, neurons)):
            product = np.int64(patterns if planes == 1 else 0)
            for w in range(words):
                differing = columns[0, w, i] ^ columns[0, w, j]
                if planes == 2:
                    common = (columns[0, w, i] | columns[1, w, i]) & (columns[0, w, j] | columns[1, w, j])
                    differing &= common
                    product += ones(common)
                product -= 2 * ones(differing)
            coupling = product >> halvings if i != j else np.int64(0)
            diagonal[64 * i + j - first] = coupling
            largest = max(largest, abs(coupling))
    return largest


# --- limits ---


@njit(inline="always", error_model="numpy")
def _most(fields, halvings):
    return np.float32(65534 << halvings) if fields.itemsize == 2 else np.float32(2**31 - 128)


@njit(inline="always", error_model="numpy")
def _step(scale, most, shift):
    """What bounds limits from above, times 2^23 log2(1/u); 0 if the bound could leave the range of limits.

    A threshold is at most scale ln(1/u), a limit at most that over 2^shift.
    """
    step = np.float64(scale) * 0.6931471805599453
    return np.float32(step * 2.0**-23 / (1 << shift)) if 34 * step < most else np.float32(0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def limits_of(words, base, rule, scale, halvings, exact, bounds):
    """Limits of 64 words, and what bounds them; returns whether there is a bound at this scale. For tests."""
    shift, most = np.int32(1 + halvings), _most(exact, halvings)
    step = _step(scale, most, shift)
    fill_limits(exact, np.int64(0), words, base, np.int64(rule), scale, most, shift)
    fill_bounds(bounds, np.int64(0), words, step)
    return step > 0


# --- traces ---


@njit(inline="always", error_model="numpy")
def _live(neurons, block):
    """Bits of the sites of a block that exist."""
    left = neurons - 64 * block
    return _ALL if left >= 64 else np.uint64((_ONE << np.uint64(left)) - _ONE)


@njit(cache=True, nogil=True, error_model="numpy")
def unpack_signs(signs, spins):
    """Spins ±1 of their sign bits."""
    for i in range(spins.size):
        spins[i] = np.int8(1) - np.int8(2) * np.int8((signs[i >> 6] >> np.uint64(i & 63)) & _ONE)


@njit(inline="always", error_model="numpy")
def _has_blanks(bits, blocks, stride):
    """Whether there is a second plane of bits."""
    return bits.size > blocks * stride


@njit(cache=True, nogil=True, error_model="numpy")
def count_overlaps(signs, bits, stride, neurons, overlaps):
    """M_μ, the sites where pattern μ agrees less those where it differs, by popcount: N K / 64 word operations."""
    if _has_blanks(bits, signs.size, stride):
        overlaps[:] = 0
        for block in range(signs.size):
            first = block * stride
            plus, minus = bits[first : first + overlaps.size], bits[bits.size // 2 + first :]
            for mu in range(overlaps.size):
                differing = (plus[mu] & signs[block]) | (minus[mu] & ~signs[block])
                overlaps[mu] += np.int32(ones(plus[mu] | minus[mu]) - 2 * ones(differing))
        return
    overlaps[:] = -neurons
    for block in range(signs.size):
        live, row = _live(neurons, block), bits[block * stride : block * stride + overlaps.size]
        for mu in range(overlaps.size):
            overlaps[mu] += np.int32(2 * ones((row[mu] ^ signs[block]) & live))


@njit(inline="always", error_model="numpy")
def _rests(sweep, still, signs, bits, sizes, proposals, trace):
    """Copy the state after a sweep; returns whether nothing will move any more, and then copies it after all others."""
    rests = still and proposals[3] == SIGN
    for row in rows_after(sweep, proposals[2] if rests else sweep + 1, trace):
        unpack_signs(signs, trace[2][row])
        count_overlaps(signs, bits, sizes[2], sizes[0], trace[3][row])
    return rests


# --- sweeps in cyclic order ---


@njit(inline="always", error_model="numpy")
def _numbers(sweep, few, most, halvings, proposals):
    """What `offer` has to know of a sweep; a bound is searched for where few flip."""
    key, first_sweep, _, rule, scale = proposals
    shift = np.int32(1 + halvings)
    step = _step(scale, most, shift) if few else np.float32(0.0)
    return key, np.uint64(first_sweep + sweep), np.int64(rule), scale, most, shift, step


@njit(cache=True, nogil=True, error_model="numpy")
def field_sweeps(signs, fields, couplings, diagonal, bits, base, odd_bits, sizes, proposals, *trace):
    """Cached fields: a proposal costs 1/64 of a vector test, a flip one row of J', [64 blocks, 64 blocks].

    At T = 0 a sweep without a flip is the last one done. Returns the number of flips.
    """
    neurons, _, _, halvings = sizes
    most, flips, before = _most(fields, halvings), 0, -signs.size
    for sweep in range(proposals[2]):
        numbers = _numbers(sweep, flips - before <= signs.size, most, halvings, proposals)
        before = flips
        for block in range(signs.size):
            first, old = np.int64(64 * block), signs[block]
            flipped = offer(fields, first, diagonal, base, odd_bits[block], _live(neurons, block), old, *numbers)
            if flipped != np.uint64(0):
                signs[block] = old ^ flipped
                flips += ones(flipped)
                add_rows(fields, couplings, first, fields.size, flipped, old ^ flipped)
        if _rests(sweep, flips == before, signs, bits, sizes, proposals, trace):
            break
    return flips


@njit(cache=True, nogil=True, error_model="numpy")
def overlap_sweeps(signs, weights, diagonal, offsets, bits, base, odd_bits, sizes, proposals, *trace):
    """Blocked overlaps: fields of 64 sites from the weights, corrected in the block by J'[64, 64] of the block.

    A block costs K vector sums, and K popcounts once if any of its spins flipped; no matrix of all couplings. At T = 0
    a sweep without a flip is the last one done. Returns the number of flips.
    """
    neurons, patterns, stride, halvings = sizes
    fields, total = np.empty(base.size, dtype=weights.dtype), total_overlap(weights, sizes)
    blanks = _has_blanks(bits, signs.size, stride)
    most, flips, before = _most(weights, halvings), 0, -signs.size
    for sweep in range(proposals[2]):
        numbers = _numbers(sweep, flips - before <= signs.size, most, halvings, proposals)
        before = flips
        for block in range(signs.size):
            first, begin, old = np.int64(64 * block), np.int64(block * stride), signs[block]
            if blanks:
                sum_signed_fields(fields, first, bits, begin, weights, np.int64(stride), offsets, old)
            else:
                plus, minus = common_terms(total, patterns, halvings)
                sum_fields(fields, first, bits, begin, weights, np.int64(stride), offsets, plus, minus, old)
            flipped = offer(fields, first, diagonal, base, odd_bits[block], _live(neurons, block), old, *numbers)
            if flipped != np.uint64(0):
                new, count = old ^ flipped, ones(flipped)
                signs[block] = new
                flips += count
                if blanks:
                    move_signed_weights(weights, bits, begin, np.int64(stride), flipped, new)
                    continue
                agreeing = move_weights(weights, bits, begin, np.int64(stride), flipped, new, np.int64(1 - halvings))
                agreeing -= (stride - patterns) * ones(flipped & new)  # the columns that only fill up
                total += 4 * agreeing - 2 * count * patterns
        if _rests(sweep, flips == before, signs, bits, sizes, proposals, trace):
            break
    return flips


@njit(cache=True, nogil=True, error_model="numpy")
def total_overlap(weights, sizes):
    """Σ_μ M_μ without blanks."""
    neurons, patterns, _, halvings = sizes
    total = np.int64(0)
    for mu in range(patterns):
        total += (np.int64(weights[mu]) << halvings) + (neurons & 1 if halvings else 0)
    return total


@njit(inline="always", error_model="numpy")
def common_terms(total, patterns, halvings):
    """What -(Σ_μ M_μ + K σ)/(2e) adds to the fields g of spins +1 and of spins -1."""
    return -(((total + patterns) >> halvings) >> 1), -(((total - patterns) >> halvings) >> 1)


@njit(cache=True, nogil=True, error_model="numpy")
def weigh(overlaps, weights, bits, blocks, sizes):
    """The weights of overlaps."""
    _, patterns, stride, halvings = sizes
    if not _has_blanks(bits, blocks, stride):
        for mu in range(patterns):
            weights[mu] = overlaps[mu] >> halvings
        return
    for mu in range(patterns):
        entries = np.int64(0)
        for first in range(mu, blocks * stride, stride):
            entries += ones(bits[first] | bits[bits.size // 2 + first])
        weights[mu] = (overlaps[mu] + entries) >> 1


@njit(cache=True, nogil=True, error_model="numpy")
def all_fields(fields, signs, bits, weights, offsets, sizes):
    """Fields g of all sites from the weights."""
    _, patterns, stride, halvings = sizes
    plus, minus = common_terms(total_overlap(weights, sizes), patterns, halvings)
    for block in range(signs.size):
        first, begin = np.int64(64 * block), np.int64(block * stride)
        if _has_blanks(bits, signs.size, stride):
            sum_signed_fields(fields, first, bits, begin, weights, np.int64(stride), offsets, signs[block])
            continue
        sum_fields(fields, first, bits, begin, weights, np.int64(stride), offsets, plus, minus, signs[block])


@njit(cache=True, nogil=True, error_model="numpy")
def settle_all(
    signs,
    spins,
    overlaps,
    sweeps,
    fields,
    weights,
    couplings,
    diagonal,
    bits,
    offsets,
    base,
    odd_bits,
    sizes,
    most_sweeps,
):
    """T = 0 in cyclic order from many starts, signs uint64[R, blocks], each until a sweep without a flip.

    Writes spins int8[R, N], overlaps int32[R, K] and the sweeps that flipped something, -1 where `most_sweeps` all did;
    fields and weights are room to work in.
    """
    neurons, patterns, stride, _ = sizes
    trace = 0, 0, np.empty((0, neurons), dtype=np.int8), np.empty((0, patterns), dtype=np.int32)
    proposals = np.uint64(0), np.int64(0), 1, SIGN, np.float32(0.0)
    for start in range(signs.shape[0]):
        row = signs[start]
        count_overlaps(row, bits, stride, neurons, overlaps[start])
        weigh(overlaps[start], weights, bits, row.size, sizes)
        all_fields(fields, row, bits, weights, offsets, sizes)
        sweeps[start] = -1
        for sweep in range(most_sweeps + 1):
            if field_sweeps(row, fields, couplings, diagonal, bits, base, odd_bits, sizes, proposals, *trace) == 0:
                sweeps[start] = sweep
                break
        unpack_signs(row, spins[start])
        count_overlaps(row, bits, stride, neurons, overlaps[start])


# --- sweeps in any other order ---


@njit(inline="always", error_model="numpy")
def _room(signs, base, neurons, halvings):
    """Arrays for the sites, words and limits of a sweep and a base of 1; the spins and the odd parts of the fields."""
    sites, words = np.empty((1, neurons), np.int32), np.empty(base.size, dtype=np.uint32)
    below, spins = np.full(base.size, -1, dtype=np.int32), np.empty(neurons, np.int8)
    unpack_signs(signs, spins)
    return sites, words, below, np.ones_like(below), spins, (base - 1) >> halvings


@njit(cache=True, nogil=True, error_model="numpy")
def _start_sweep(sites, words, below, units, flips, order, proposals, sweep, halvings):
    """Sites of a sweep, and what σh/e must not exceed for a flip: exactly, or a bound if few will flip (then True).

    order: whether sites are permuted, else drawn with replacement, and the key.
    """
    key, first_sweep, _, rule, scale = proposals
    number, most = first_sweep + sweep, np.float32(2**31 - 128)
    if order[0]:
        fill_permutations(sites, order[1], number)
    else:
        fill_random_sites(sites, order[1], number)
    if rule == SIGN:
        return False
    fill_words(words, key, np.uint64(number))
    step = _step(scale, most, np.int32(halvings))
    rough = step > 0 and 16 * flips < sites.size
    for first in range(0, words.size, 64):
        if rough:
            fill_bounds(below, np.int64(first), words, step)
        else:
            fill_limits(below, np.int64(first), words, units, np.int64(rule), scale, most, np.int32(halvings))
    return rough


@njit(inline="always", error_model="numpy")
def _passes(cost, word, proposals):
    """Whether a cost that passed the bound is below its threshold."""
    _, _, _, rule, scale = proposals
    if rule == METROPOLIS:
        threshold = scale * max(minus_log(word), np.float32(2.0**-33))
    else:
        threshold = scale * (minus_log(word) - minus_log(~word))
    return np.float64(cost) < np.float64(threshold)


@njit(inline="always", error_model="numpy")
def _accepted(field, spin, odd, below, word, rough, halvings, proposals):
    cost = np.int64(spin) * np.int64(2 * np.int64(field) + np.int64(odd))
    return cost <= below and (not rough or _passes(cost << halvings, word, proposals))


@njit(cache=True, nogil=True, error_model="numpy")
def ordered_field_sweeps(signs, fields, couplings, bits, base, sizes, order, proposals, *trace):
    """Cached fields, each sweep a fresh permutation or sites drawn with replacement: proposals one by one.

    At T = 0 a permutation without a flip is the last one done. Returns the number of flips.
    """
    neurons, _, _, halvings = sizes
    sites, words, below, units, spins, odd = _room(signs, base, neurons, halvings)
    flips, before = 0, -neurons
    for sweep in range(proposals[2]):
        rough = _start_sweep(sites, words, below, units, flips - before, order, proposals, sweep, halvings)
        before = flips
        for k in range(neurons):
            i = np.uint64(sites[0, k])
            if _accepted(fields[i], spins[i], odd[i], below[k], words[k], rough, halvings, proposals):
                block, bit = np.int64(i) >> 6, _ONE << (i & np.uint64(63))
                spins[i] = -spins[i]
                signs[block] ^= bit
                flips += 1
                add_rows(fields, couplings, np.int64(block << 6), fields.size, bit, signs[block])
        if _rests(sweep, order[0] and flips == before, signs, bits, sizes, proposals, trace):
            break
    return flips


@njit(cache=True, nogil=True, error_model="numpy")
def ordered_overlap_sweeps(signs, weights, rows, offsets, bits, base, sizes, order, proposals, *trace):
    """Overlaps, each sweep a fresh permutation or sites drawn with replacement: every proposal sums K weights.

    rows uint64[64 blocks * planes * ⌈K/64⌉] are the bits site by site. At T = 0 a permutation without a flip is the
    last one done. Returns the number of flips.
    """
    neurons, patterns, _, halvings = sizes
    sites, words, below, units, spins, odd = _room(signs, base, neurons, halvings)
    blanks = _has_blanks(bits, signs.size, sizes[2])
    width = np.int64(rows.size // base.size)
    span = width // 2 if blanks else width
    total, side = total_overlap(weights, sizes), np.uint64(base.size)
    flips, before = 0, -neurons
    for sweep in range(proposals[2]):
        rough = _start_sweep(sites, words, below, units, flips - before, order, proposals, sweep, halvings)
        before = flips
        for k in range(neurons):
            i = np.uint64(sites[0, k])
            begin = np.int64(width * np.int64(i))
            if blanks:
                more = np.int64(offsets[i]) + (np.int64(offsets[i + side]) & np.int64(spins[i]) >> 1)  # no branch
                field = sum_signed_weights(weights, rows, begin, span, more)
            else:
                plus, minus = common_terms(total, patterns, halvings)
                field = sum_weights(weights, rows, begin, span, offsets[i] + (plus if spins[i] > 0 else minus))
            if _accepted(field, spins[i], odd[i], below[k], words[k], rough, halvings, proposals):
                spins[i] = -spins[i]
                signs[np.int64(i) >> 6] ^= _ONE << (i & np.uint64(63))
                flips += 1
                if blanks:
                    turn_signed_weights(weights, rows, begin, span, np.int64(spins[i]))
                    continue
                turn_weights(weights, rows, begin, span, np.int64(spins[i]) << (1 - halvings))
                agreeing = np.int64(0)
                for w in range(span):
                    agreeing += ones(rows[begin + w])
                total += 2 * np.int64(spins[i]) * (2 * agreeing - patterns)
        if _rests(sweep, order[0] and flips == before, signs, bits, sizes, proposals, trace):
            break
    return flips
