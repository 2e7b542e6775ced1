"""Monte Carlo sweeps: one call advances one chain by many sweeps and writes its trace.

In every kernel proposal k of a sweep offers site orders[sweep % len(orders), k], and the spin flips iff the cost of
the flip, in the units of the kernel's table, is below thresholds[sweep, k]. `synchronous` decides all sites on the old
state before any flips. After every `every` sweeps (0: never; `since` have passed already at the start) spins and
overlaps are copied to the next row of the traces. Both are updated in place; the return value counts the flips.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic


@njit(inline="always", error_model="numpy")
def record(sweep, every, since, spins, overlaps, spin_trace, overlap_trace):
    if every > 0 and (since + sweep + 1) % every == 0:
        row = (since + sweep + 1) // every - 1
        spin_trace[row] = spins
        overlap_trace[row] = overlaps


@njit(cache=True, nogil=True, error_model="numpy")
def coupling_sweeps(
    spins, overlaps, patterns, couplings, orders, thresholds, synchronous, every, since, spin_trace, overlap_trace
):
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
            flip = chosen[k] if synchronous else spins[i] * fields[i] < thresholds[sweep, k]
            if flip:
                flips += 1
                change = -2 * spins[i]
                spins[i] = -spins[i]
                row = couplings[i]
                for j in range(neurons):
                    fields[j] += change * row[j]
                entries = patterns[i]
                for mu in range(overlaps.size):
                    overlaps[mu] += change * entries[mu]
        record(sweep, every, since, spins, overlaps, spin_trace, overlap_trace)
    return flips


@intrinsic
def _masked_sum(typing, bits, row, values):
    """Σ of the values whose bit is set, modulo 2^width; words of 64 values, their bits from bits[row]."""
    lanes, width = 32, values.dtype.bitwidth
    kind, long = ir.VectorType(ir.IntType(width), lanes), ir.IntType(64)

    def generate(context, builder, signature, arguments):
        data = [context.make_array(signature.args[k])(context, builder, value=arguments[k]) for k in (0, 2)]
        nothing = ir.Constant(kind, [0] * lanes)
        total = cgutils.alloca_once_value(builder, nothing)
        builder.store(nothing, total)
        with cgutils.for_range_slice(builder, long(0), data[1].nitems, long(64)) as (first, _):
            word = builder.load(builder.gep(data[0].data, [builder.add(arguments[1], builder.lshr(first, long(6)))]))
            mask = builder.bitcast(word, ir.VectorType(ir.IntType(1), 64))
            for start in range(0, 64, lanes):
                place = builder.gep(data[1].data, [builder.add(first, long(start))])
                some = builder.load(builder.bitcast(place, kind.as_pointer()))
                some.align = width // 8
                part = ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(start, start + lanes)))
                chosen = builder.select(builder.shuffle_vector(mask, mask, part), some, nothing)
                builder.store(builder.add(builder.load(total), chosen), total)
        name, reduction = f"llvm.vector.reduce.add.v{lanes}i{width}", ir.FunctionType(kind.element, [kind])
        return builder.call(cgutils.get_or_insert_function(builder.module, reduction, name), [builder.load(total)])

    return values.dtype(bits, types.int64, values), generate


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


@njit(cache=True, nogil=True, error_model="numpy")
def table_sweeps(
    spins,
    overlaps,
    patterns,
    bits,
    offsets,
    fall,
    rise,
    blanks,
    orders,
    thresholds,
    synchronous,
    every,
    since,
    spin_trace,
    overlap_trace,
):
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
                flip = chosen[k]
            else:
                flip = _table_cost(i, spins[i], bits, falls, rises, total, blanks) < thresholds[sweep, k]
            if flip:
                flips += 1
                change = np.int32(-2 * spins[i])
                spins[i] = -spins[i]
                entries = patterns[i]
                for mu in range(overlaps.size):
                    overlaps[mu] += change * np.int32(entries[mu])
                total = _look_up(overlaps, offsets, fall, rise, falls, rises, blanks)
        record(sweep, every, since, spins, overlaps, spin_trace, overlap_trace)
    return flips
