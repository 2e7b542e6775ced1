"""Sweeps of E = -(1/λ) ln Σ_μ exp(λ M_μ): shifted exponents, so that nothing overflows for any N.

Every weight is w_μ = exp(-λ (top - M_μ)) with top the largest overlap, from a table of the integer differences.
Flipping σ_i multiplies it by exp(-2λ) where ξσ = +1 and by exp(2λ) where ξσ = -1, so a proposal needs masked sums only:

    Z = A + B + C,   Z' = e^(-2λ) A + e^(2λ) B + C,   A, B, C = Σ_μ w_μ over ξ_i^μ σ_i = +1, -1, 0

and nothing cancels. Order of summation of each, the same on every processor: eight partial sums by μ mod 8, then
((0+1)+(2+3))+((4+5)+(6+7)).
"""

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from .sweeps import record

LANES = 8


@intrinsic
def masked_sums(typing_context, entries, weights, spin):
    """(Σ weights where entries == spin, Σ weights where entries == -spin); both arrays padded to a multiple of 8."""

    def generate(context, builder, signature, arguments):
        bytes_type, reals_type = ir.VectorType(ir.IntType(8), LANES), ir.VectorType(ir.DoubleType(), LANES)
        zero = ir.Constant(reals_type, [0.0] * LANES)
        entry_array = context.make_array(signature.args[0])(context, builder, value=arguments[0])
        weight_array = context.make_array(signature.args[1])(context, builder, value=arguments[1])
        same, opposite = _splat(builder, arguments[2]), _splat(builder, builder.neg(arguments[2]))
        rising = cgutils.alloca_once_value(builder, zero)
        falling = cgutils.alloca_once_value(builder, zero)
        size, start = weight_array.nitems, ir.Constant(ir.IntType(64), 0)
        with cgutils.for_range_slice(builder, start, size, ir.Constant(ir.IntType(64), LANES)) as (k, _):
            signs = _load(builder, builder.gep(entry_array.data, [k]), bytes_type)
            values = _load(builder, builder.gep(weight_array.data, [k]), reals_type)
            _add_where(builder, falling, builder.icmp_signed("==", signs, same), values)
            _add_where(builder, rising, builder.icmp_signed("==", signs, opposite), values)
        sums = [_tree(builder, builder.load(falling)), _tree(builder, builder.load(rising))]
        return context.make_tuple(builder, signature.return_type, sums)

    return types.UniTuple(types.float64, 2)(entries, weights, spin), generate


def _add_where(builder, total, mask, values):
    chosen = builder.select(mask, values, ir.Constant(values.type, [0.0] * LANES))
    builder.store(builder.fadd(builder.load(total), chosen), total)


def _splat(builder, number):
    vector = ir.Constant(ir.VectorType(number.type, LANES), ir.Undefined)
    for lane in range(LANES):
        vector = builder.insert_element(vector, number, ir.Constant(ir.IntType(32), lane))
    return vector


def _load(builder, pointer, vector_type):
    loaded = builder.load(builder.bitcast(pointer, vector_type.as_pointer()))
    loaded.align = 1
    return loaded


def _tree(builder, vector):
    sums = [builder.extract_element(vector, ir.Constant(ir.IntType(32), lane)) for lane in range(LANES)]
    while len(sums) > 1:
        sums = [builder.fadd(a, b) for a, b in zip(sums[::2], sums[1::2], strict=True)]
    return sums[0]


@njit(inline="always", error_model="numpy")
def _weigh(overlaps, table, weights):
    """Weights of all patterns, from the table exp(-λ k), k = 0, ..., 2N."""
    top = overlaps.max()
    for mu in range(overlaps.size):
        weights[mu] = table[top - overlaps[mu]]


@njit(inline="always", error_model="numpy")
def _cost(entries, weights, spin, blank, sharpness, patterns):
    """-(1/λ) ln(Z'/Z); a ratio within the rounding of the sums, K 2^-52, of 1 is a tie."""
    falling, rising = masked_sums(entries, weights, spin)
    staying = masked_sums(entries, weights, np.int8(0))[0] if blank else 0.0
    changed = falling * math.exp(-2.0 * sharpness) + rising * math.exp(2.0 * sharpness) + staying
    ratio = changed / (falling + rising + staying)
    return 0.0 if abs(ratio - 1.0) <= 2.0**-52 * patterns else -math.log(ratio) / sharpness


@njit(cache=True, nogil=True, error_model="numpy")
def exponential_sweeps(
    spins,
    overlaps,
    padded,
    table,
    sharpness,
    blank,
    orders,
    thresholds,
    synchronous,
    every,
    since,
    spin_trace,
    overlap_trace,
):
    """See the head of the file; padded int8[N, K up to a multiple of 8]; blank: whether entries 0 occur."""
    neurons, patterns = spins.size, overlaps.size
    weights = np.zeros(padded.shape[1], dtype=np.float64)
    _weigh(overlaps, table, weights)
    chosen = np.zeros(neurons, dtype=np.bool_)
    flips = 0
    for sweep in range(thresholds.shape[0]):
        order = orders[sweep % orders.shape[0]]
        if synchronous:
            for k in range(neurons):
                i = order[k]
                cost = _cost(padded[i], weights, spins[i], blank, sharpness, patterns)
                chosen[k] = cost < thresholds[sweep, k]
        for k in range(neurons):
            i = order[k]
            entries = padded[i]
            if synchronous:
                flip = chosen[k]
            else:
                flip = _cost(entries, weights, spins[i], blank, sharpness, patterns) < thresholds[sweep, k]
            if flip:
                flips += 1
                change = -2 * spins[i]
                spins[i] = -spins[i]
                for mu in range(patterns):
                    overlaps[mu] += change * entries[mu]
                _weigh(overlaps, table, weights)
        record(sweep, every, since, spins, overlaps, spin_trace, overlap_trace)
    return flips
