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
from numba import njit, types
from numba.extending import intrinsic

from .chains import rows_after
from .emit import emitted, ones
from .thresholds import glauber, limits_of, metropolis, philox
from .values import BIT, FLOAT, INT8, INT16, INT32, INT64

LANES = 32
SITES = 64  # of a block
_WORD = 64  # patterns whose bits one word holds: their tables take 16 KB
_UNIT = 16  # patterns that are looked up together
_ENDS = {16: (-65533, 65534), 32: (-(2**29), 2**29 + 1)}  # of t/e, where no cost or every cost is below; by bits of g
_SOME = 8  # sites of a block whose fields are in registers at once

# --- limits: those of counters.fill_thresholds, for all lanes at once ---

_AT_ONCE = 4  # counters drawn together, which share the keys and hide each other's latency


@intrinsic
def _draw(typingctx, words, keys, low, high, first):
    """words[32 (4 q + n) + r]: word q of the counter first + n in the sweep low, high, for n, q < 4.

    keys[0:32] are the low words of the keys of the lanes, keys[32:64] the high words, as uint64.
    """

    def body(emit, words, keys, low, high, first):
        with emit.loop(LANES, step=8) as lane:
            states = [
                [(first + n).spread(8), low.spread(8), high.spread(8), emit.constant(INT64, 0, 8)]
                for n in range(_AT_ONCE)
            ]
            drawn = philox(states, [keys.load(lane, 8), keys.load(lane + LANES, 8)])
            for n, state in enumerate(drawn):
                for quarter, word in enumerate(state):
                    words.store(lane + LANES * (_AT_ONCE * quarter + n), word.to(INT32))

    return emitted(types.void(words, keys, types.uint64, types.uint64, types.uint64), body)


def _limits(mixed):
    """limits[32 k + r] for the words of four counters, k = first + 16 q + n and n, q < 4, two positions at a time.

    The largest c whose cost e (2c + odd) is below the threshold. `scales` and `glaubers` (0 or 1) are those of the
    lanes, twice; without `mixed` no lane is Glauber.
    """

    @intrinsic
    def limits(typingctx, limits, words, scales, glaubers, odds, sites, halvings, first):
        def body(emit, limits, words, scales, glaubers, odds, sites, halvings, first):
            scale, halvings = scales.load(0, 2 * LANES), halvings.to(INT32)
            unit = (1 << halvings).to(FLOAT)
            least, most = (unit * end for end in _ENDS[limits.entry.width])
            with emit.loop(4) as quarter, emit.loop(_AT_ONCE, step=2) as n:
                word = words.load((quarter * _AT_ONCE + n) * LANES, 2 * LANES)
                thresholds = metropolis(word, scale)
                if mixed:
                    thresholds = glaubers.load(0, 2 * LANES).to(BIT).pick(glauber(word, scale), thresholds)
                place = quarter * (SITES // 4) + (first + n)
                odd = [odds.load(sites.load(place + second)).to(INT32).spread(LANES) for second in range(2)]
                base = (odd[0].joined(odd[1]) << halvings) + 1
                found = limits_of(thresholds, base, least, most, halvings + 1)
                limits.store(place * LANES, found.to(limits.entry))

        return emitted(types.void(limits, words, scales, glaubers, odds, sites, types.int64, types.int64), body)

    return limits


_metropolis_limits = _limits(mixed=False)
_mixed_limits = _limits(mixed=True)

# --- fields ---


@intrinsic
def _start_fields(typingctx, fields, signs, offsets, sites, live, common):
    """fields of position k = offset of its site + common[0:32] or, for spin -1, common[32:64]."""

    def body(emit, fields, signs, offsets, sites, live, common):
        plus, minus = common.load(0, LANES), common.load(LANES, LANES)
        with emit.loop(live) as k:
            site = sites.load(k)
            negative = signs.load(site).seen_as(BIT)
            fields.store(k * LANES, offsets.load(site) + negative.pick(minus, plus))

    return emitted(types.void(fields, signs, offsets, sites, types.int64, common), body)


@intrinsic
def _tabulate(typingctx, tables, weights, first, groups, shift):
    """tables[32 (16 g + n):] = Σ_{bit b of n} (weights of pattern first + 4 g + b) << shift."""

    def body(emit, tables, weights, first, groups, shift):
        shift = shift.to(tables.entry)
        with emit.loop(groups) as group:
            sums = [emit.constant(tables.entry, 0, LANES)]
            for bit in range(4):
                weight = weights.load((first + ((group << 2) + bit)) * LANES, LANES) << shift
                sums += [weight, *(entry + weight for entry in sums[1:])]
            for n, entry in enumerate(sums):
                tables.store(group * (16 * LANES) + n * LANES, entry)

    return emitted(types.void(tables, weights, types.int64, types.int64, types.int64), body)


@intrinsic
def _look_up(typingctx, fields, tables, words, stride, column, units, sites, live):
    """Add to the fields of each position the entries of the tables that the bits words[site, column] of its site name.

    The tables are those of `units` times sixteen patterns, four units at most; each number of units has its own code.
    """

    def body(emit, fields, tables, words, stride, column, units, sites, live):
        def sum_entries(count):
            with emit.loop(live) as k:
                word, at = words.load(sites.load(k) * stride + column), k * LANES
                total = fields.load(at, LANES)
                for group in range(4 * count):
                    total += tables.load(_entry(word, group) + 16 * LANES * group, LANES)
                fields.store(at, total)

        for count in range(1, _WORD // _UNIT + 1):
            with emit.when(units == count):
                sum_entries(count)

    return emitted(types.void(fields, tables, words, types.int64, types.int64, types.int64, sites, types.int64), body)


def _entry(word, group):
    """32 times the four bits of a group in a word: where the entry of a table of sixteen begins."""
    places = 4 * group - 5
    return (word.right(places) if places > 0 else word << -places) & 15 * LANES


# --- flips ---


@intrinsic
def _settle(typingctx, fields, limits, signs, odds, couplings, sites, live, changes, counts):
    """Offer the flips of a block in turn; returns whether any lane took one.

    Position k flips in the lanes where c <= limits[32 k + r], c = g for spin 1 and -g - odd for spin -1. changes
    int8[64, 32] are the new spins where they flipped, else 0; counts int16[32] is raised by the flips.
    """

    def body(emit, fields, limits, signs, odds, couplings, sites, live, changes, counts):
        flipped, count = emit.variable(emit.constant(INT32, 0)), emit.variable(counts.load(0, LANES))

        def decide(k, field):
            """Lanes of spin -1, and lanes that flip as bits; -g - odd <= limit iff -g - 1 <= limit + odd - 1."""
            site = sites.load(k)
            old = signs.load(site)
            negative = old.seen_as(BIT)
            limit = limits.load(k * LANES, LANES) + negative.pick(odds.load(site).to(fields.entry) - 1, field.like(0))
            flips = (k < live).pick(((field ^ negative.to(fields.entry)) <= limit).seen_as(INT32), 0)
            signs.store(site, old ^ flips)
            return negative, flips

        def coupling(row, k):
            return couplings.load(row + k).to(fields.entry)

        with emit.loop(live, step=_SOME) as start:
            base, rows = start * LANES, start * (SITES + 1)
            block = [fields.load(base + LANES * k, LANES) for k in range(_SOME)]
            taken, any_here = [], emit.constant(INT32, 0)
            for k in range(_SOME):
                negative, flips = decide(start + k, block[k])
                flip = flips.seen_as(BIT)
                for later in range(k + 1, _SOME):
                    entry = coupling(rows, SITES * later + k)
                    block[later] = flip.pick(block[later] + negative.pick(entry, -entry), block[later])
                change = flip.pick(negative.pick(block[k].like(1), -1), 0)
                changes.store(base + LANES * k, change.to(INT8))
                count.value -= flip.to(INT16)
                taken.append(change)
                any_here |= flips
            flipped.value |= any_here
            with emit.when(any_here != 0), emit.loop(live, start=start + _SOME) as later:
                row, field = later * SITES + start, fields.load(later * LANES, LANES)
                for k, change in enumerate(taken):
                    field += change * coupling(row, k)
                fields.store(later * LANES, field)
        counts.store(0, count.value)
        return flipped.value != 0

    arrays = (fields, limits, signs, odds, couplings, sites)
    return emitted(types.boolean(*arrays, types.int64, changes, counts), body)


@intrinsic
def _move_weights(typingctx, weights, totals, columns, count, changes, tables):
    """Add the changes of a block to the weights of `count` patterns, and their sums to the totals.

    Bit k of columns[μ] is set where ξ^μ = 1 at position k; tables is int8 of 16 * 16 * 32.
    """

    def body(emit, weights, totals, columns, count, changes, tables):
        with emit.loop(SITES // 4) as group:
            sums = [emit.constant(INT8, 0, LANES)]
            for k in range(4):
                part = changes.load(group * (4 * LANES) + LANES * k, LANES)
                sums = [entry - part for entry in sums] + [entry + part for entry in sums]
            for n, entry in enumerate(sums):
                tables.store(group * (16 * LANES) + n * LANES, entry)
        total = emit.variable(totals.load(0, LANES))
        with emit.loop(count) as pattern:
            word, change = columns.load(pattern), emit.constant(INT8, 0, LANES)
            for group in range(SITES // 4):
                change += tables.load(_entry(word, group) + 16 * LANES * group, LANES)
            at = pattern * LANES
            weights.store(at, weights.load(at, LANES) + change.to(weights.entry))
            total.value += change.to(INT32)
        totals.store(0, total.value)

    return emitted(types.void(weights, totals, columns, types.int64, changes, tables), body)


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
                counts[j] += ones(others[j] ^ word)
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
    sizes,
    lanes,
    orders,
    first_sweep,
    sweeps,
    flips,
    *traces,
):
    """Advance thirty-two chains; flips int64[32] is raised by the flips of each.

    words uint64 holds the bits ξ > 0 of all sites; weights int16 or int32[K', 32] has rows for all bits of a word.
    Couplings and columns of all blocks are those of the cyclic order; if they are empty, each block gets its own. sizes
    are N and K; lanes are their keys, scales and whether they are Glauber. A lane at T = 0 has scale 0; without any
    other no random number is drawn. The traces are those of all lanes, int8[R, rows, N] and int32[R, rows, K].
    """
    neurons, patterns = sizes
    keys, scales, glauber = lanes
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
        for row in rows_after(sweep, sweep + 1, traces):
            for lane in range(traces[2].shape[0]):
                unpack(signs, lane, traces[2][lane, row])
                read_overlaps(weights, lane, odd, traces[3][lane, row])
