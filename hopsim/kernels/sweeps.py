"""Monte Carlo sweeps: one call advances one chain by many sweeps and writes its trace.

In every kernel proposal k of a sweep offers site orders[sweep % len(orders), k], and the spin flips iff the cost of
the flip, in the units of the kernel's table, is below thresholds[sweep, k]. `synchronous` decides all sites on the old
state before any flips. Spins and overlaps are updated in place; the return value counts the flips.
"""

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from .chains import flip, record
from .emit import emitted, lowest_bit
from .values import BIT


@njit(cache=True, nogil=True, error_model="numpy")
def coupling_sweeps(spins, overlaps, patterns, couplings, orders, thresholds, synchronous, *trace):
    """Quadratic interaction with couplings J = Σ_μ ξ^μ ξ^μ (zero diagonal) and cached fields h = Jσ: cost σ_i h_i."""
    neurons = spins.size
    fields = np.zeros(neurons, dtype=couplings.dtype)
    for i in range(neurons):
        entries = patterns[i]
        for mu in range(overlaps.size):
            fields[i] += entries[mu] * (overlaps[mu] - entries[mu] * spins[i])
    chosen = np.zeros(neurons, dtype=np.bool_)
    flips = 0
    for sweep in range(thresholds.shape[0]):
        order = orders[sweep % orders.shape[0]]
        if synchronous:
            for k in range(neurons):
                chosen[k] = spins[order[k]] * fields[order[k]] < thresholds[sweep, k]
        for k in range(neurons):
            i = order[k]
            if chosen[k] if synchronous else spins[i] * fields[i] < thresholds[sweep, k]:
                flips += 1
                change, row = flip(i, spins, overlaps, patterns[i]), couplings[i]
                for j in range(neurons):
                    fields[j] += change * row[j]
        record(sweep, spins, overlaps, trace)
    return flips


@intrinsic
def _masked_sum(typingctx, bits, row, values):
    """Σ of the values whose bit is set, modulo 2^width; words of 64 values, their bits from bits[row]."""

    def body(emit, bits, row, values):
        total = emit.variable(emit.constant(values.entry, 0, 32))
        with emit.loop(values.size, step=64) as first:
            mask = bits.load(row + first.right(6)).seen_as(BIT)
            for start in (0, 32):
                total.value += mask.part(range(start, start + 32)).pick(values.load(first + start, 32), 0)
        return total.value.sum()

    return emitted(values.dtype(bits, types.int64, values), body)


@njit(inline="always", error_model="numpy")
def _table_cost(i, spin, bits, falls, rises, total, blanks):
    row, other = np.int64(i) * (falls.size // 64), bits.size // 2
    agreeing, differing = (row, other + row) if spin > 0 else (other + row, row)
    rest = _masked_sum(bits, differing, rises) if blanks else total
    return falls.dtype.type(_masked_sum(bits, agreeing, falls) + rest)


@njit(error_model="numpy", nogil=True)
def _look_up(overlaps, offsets, fall, rise, falls, rises, blanks):
    """The costs of all overlaps falling and, where there are blanks, rising; returns the sum of the second."""
    total = rise.dtype.type(0)
    if blanks:
        for mu in range(overlaps.size):
            place = np.uint64(offsets[mu] + overlaps[mu])
            falls[mu], rises[mu] = fall[place], rise[place]
    else:
        for mu in range(overlaps.size):
            place = np.uint64(offsets[mu] + overlaps[mu])
            falls[mu] = fall[place]
            total = rise.dtype.type(total + rise[place])
    return total


@njit(error_model="numpy", nogil=True)
def _turn(i, spins, overlaps, bits, offsets, fall, rise, falls, rises):
    """Turn spin i and look up the costs of the patterns that it is part of: one after the other, blanks are skipped."""
    words, change = falls.size // 64, np.int32(-2 * spins[i])
    row = np.int64(i) * words
    spins[i] = -spins[i]
    for w in range(words):
        plus = bits[row + w]
        left = plus | bits[bits.size // 2 + row + w]
        while left != np.uint64(0):
            k = lowest_bit(left)
            left &= left - np.uint64(1)
            mu = np.uint64(64 * w) + k
            overlaps[mu] += change * (np.int32(2) * np.int32(plus >> k & np.uint64(1)) - np.int32(1))
            place = np.uint64(offsets[mu] + overlaps[mu])
            falls[mu], rises[mu] = fall[place], rise[place]


@njit(cache=True, nogil=True, error_model="numpy")
def table_sweeps(spins, overlaps, patterns, bits, offsets, fall, rise, blanks, orders, thresholds, synchronous, *trace):
    """Any F, by a table of G(M) - G(M - 2) = fall and G(M) - G(M + 2) = rise at offsets[μ] + M for pattern μ.

    A flip costs Σ fall over the patterns with ξσ = 1 and Σ rise over those with ξσ = -1: bits uint64[2 N W] name the
    entries 1 and, in the second half, -1, of 64 patterns in a word. Without blanks that is Σ_μ rise + Σ (fall - rise)
    over ξσ = 1, and `fall` holds the difference. The integers may wrap on the way to a cost that fits them.
    """
    neurons = spins.size
    padded = bits.size // (2 * neurons) * 64
    falls, rises = np.zeros(padded, dtype=fall.dtype), np.zeros(padded, dtype=rise.dtype)
    total = _look_up(overlaps, offsets, fall, rise, falls, rises, blanks)
    chosen = np.zeros(neurons, dtype=np.bool_)
    flips = 0
    for sweep in range(thresholds.shape[0]):
        order = orders[sweep % orders.shape[0]]
        if synchronous:
            for k in range(neurons):
                cost = _table_cost(order[k], spins[order[k]], bits, falls, rises, total, blanks)
                chosen[k] = cost < thresholds[sweep, k]
        for k in range(neurons):
            i = order[k]
            if synchronous:
                accepted = chosen[k]
            else:
                accepted = _table_cost(i, spins[i], bits, falls, rises, total, blanks) < thresholds[sweep, k]
            if accepted:
                flips += 1
                if blanks:
                    _turn(i, spins, overlaps, bits, offsets, fall, rise, falls, rises)
                else:
                    flip(i, spins, overlaps, patterns[i])
                    total = _look_up(overlaps, offsets, fall, rise, falls, rises, blanks)
        record(sweep, spins, overlaps, trace)
    return flips
