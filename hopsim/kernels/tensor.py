"""Monte Carlo sweeps of degree 3 with ±1 patterns on cached costs: a proposal is one comparison, a flip N² products.

With T_ijk = Σ_μ ξ_i ξ_j ξ_k the flip of site j adds to the cost c_i of flipping site i

    factor [σ_i Σ_μ ξ_i + σ_j Σ_μ ξ_j - σ_i σ_j Σ_k T_ijk σ_k]   (i ≠ j; spins before the flip)

and turns c_j into -c_j; the factor is that of `cubic_sweeps`. Costs are integers, kept as float64: exact below 2^53.

The tensor holds u with T = scale u - shift in bytes (0 to 255) or int16. It is laid out for its one use: 32 sites i by
`group` neighbours k, 4 bytes or 2 int16, which meet the spins of k in one instruction. u_ijk is entry
group (32 (G (B j + i // 32) + k // group) + i % 32) + k % group, for B blocks of sites and an even number of groups G.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from .dense import (
    _SUMS,
    _WORD32,
    _WORD64,
    _Arrays,
    _call,
    _constant,
    _dot_32_shorts,
    _dot_bytes,
    _lowest_bit,
    _record,
    _spread,
)

SITES = 32
_ALL = np.uint64(2**64 - 1)


@intrinsic
def _sum_couplings(typing, tensor, start, spins, groups, out, first):
    """out[first:first+32] = Σ_k u_k σ_k of 32 sites from tensor[start], two groups of k at a time."""
    width = tensor.dtype.bitwidth // 8
    kind = ir.VectorType(ir.IntType(8 * width), 64 // width)

    def dot(context, builder, sums, entries, spins):
        product = _dot_bytes if width == 1 else _dot_32_shorts
        return product(context, builder, sums, entries, builder.bitcast(spins, kind))

    def emit(context, builder, signature, arguments):
        arrays = _Arrays(context, builder, signature, arguments)
        _, start, _, groups, _, first = arguments
        totals = [cgutils.alloca_once_value(builder, _constant(_SUMS, 0)) for _ in range(4)]
        for total in totals:
            builder.store(_constant(_SUMS, 0), total)
        with cgutils.for_range_slice(builder, _WORD64(0), groups, _WORD64(2)) as (pair, _):
            for k in range(2):
                group = builder.add(pair, _WORD64(k))
                index = builder.mul(group, _WORD64(4 // width))
                spins = _spread(builder, arrays.read(2, index, _WORD32), _SUMS)
                for half in range(2):
                    at = builder.add(builder.mul(group, _WORD64(128 // width)), _WORD64(64 // width * half))
                    entries = arrays.read(0, builder.add(start, at), kind)
                    total = totals[2 * k + half]
                    builder.store(dot(context, builder, builder.load(total), entries, spins), total)
        for half in range(2):
            both = builder.add(builder.load(totals[half]), builder.load(totals[half + 2]))
            arrays.write(4, builder.add(first, _WORD64(16 * half)), both)
        return context.get_dummy_value()

    return types.void(tensor, types.int64, spins, types.int64, out, types.int64), emit


@intrinsic
def _below(typing, costs, first, thresholds):
    """Bits of the 64 costs from `first` that are below their thresholds."""
    reals, singles = ir.VectorType(ir.DoubleType(), 64), ir.VectorType(ir.FloatType(), 64)

    def emit(context, builder, signature, arguments):
        arrays = _Arrays(context, builder, signature, arguments)
        limits = builder.fpext(arrays.read(2, _WORD64(0), singles), reals)
        return builder.bitcast(builder.fcmp_ordered("<", arrays.read(0, arguments[1], reals), limits), _WORD64)

    return types.uint64(costs, types.int64, thresholds), emit


@intrinsic
def _ones(typing, word):
    """Number of bits set."""

    def emit(context, builder, signature, arguments):
        return _call(builder, "llvm.ctpop.i64", _WORD64, *arguments)

    return types.int64(types.uint64), emit


@njit(cache=True, nogil=True, error_model="numpy")
def fill_tensor(tensor, bits, neurons, patterns, group, scale, shift, least, most):
    """u_ijk = (T_ijk + shift)/scale; stops and returns False at the first that is not from `least` to `most`.

    T_ijk = 2 n_ijk - K with n_ijk the patterns of positive product: those whose three bits have odd parity.
    """
    words, blocks = bits.size // neurons, (neurons + SITES - 1) // SITES
    groups = tensor.size // (neurons * blocks * SITES * group)
    product, values = np.empty(words, dtype=np.uint64), np.empty(neurons, dtype=np.int64)
    for j in range(neurons):
        for k in range(j + 1):
            for w in range(words):
                product[w] = bits[j * words + w] ^ bits[k * words + w]
            for i in range(neurons):
                row = bits[i * words : (i + 1) * words]
                positive = np.int64(0)
                for w in range(words):
                    positive += _ones(row[w] ^ product[w])
                values[i] = (2 * positive - patterns + shift) // scale
            if values.min() < least or values.max() > most:
                return False
            for one, other in ((j, k), (k, j)):
                for i in range(neurons):
                    block = (one * blocks + i // SITES) * groups + other // group
                    tensor[group * (SITES * block + i % SITES) + other % group] = values[i]
    return True


@njit(inline="always", error_model="numpy")
def _accepted(costs, sites, first, cyclic, offered, limits):
    """Bits of the offered sites that flip."""
    if cyclic:
        return _below(costs, first, limits)
    for k in range(sites.size):
        offered[k] = costs[np.uint64(sites[k])]
    return _below(offered, 0, limits)


@njit(error_model="numpy", nogil=True)
def _flip(j, spins, narrow, halves, costs, entries, sums, tensor, numbers, dots, total):
    """Turn spin j: spins, halves and costs; `total` is Σ_k σ_k."""
    factor, group, scale, shift = numbers
    for block in range(dots.size // SITES):
        start = SITES * narrow.size * (dots.size // SITES * j + block)
        _sum_couplings(tensor, start, narrow, narrow.size // group, dots, SITES * block)
    spin, cost, common = np.int32(spins[j]), costs[j], np.int32(shift * total)
    own = np.int32(spin * sums[j])
    for i in range(spins.size):
        coupled = np.int32(np.int32(scale * dots[i]) - common)
        field = np.int32(sums[i] - np.int32(spin * coupled))
        costs[i] += factor * np.float64(np.int32(np.int32(np.int32(spins[i]) * field) + own))
    costs[j] = -cost
    for mu in range(entries.size):
        halves[mu] -= spins[j] * entries[mu]
    spins[j] = narrow[j] = -spins[j]


@njit(cache=True, nogil=True, error_model="numpy")
def tensor_sweeps(
    spins,
    narrow,
    halves,
    odd,
    costs,
    patterns,
    sums,
    tensor,
    numbers,
    cyclic,
    orders,
    thresholds,
    settles,
    every,
    since,
    spin_trace,
    overlap_trace,
):
    """Degree 3 on the costs float64[64 ⌈N/64⌉] of all sites, kept from call to call.

    numbers are float64 factor, group, int32 scale and shift; narrow holds the spins in the width of the tensor, then
    zeros; sums int32[N] are Σ_μ ξ_i. The rest as for `cubic_sweeps`.
    """
    neurons = spins.size
    dots = np.empty((neurons + SITES - 1) // SITES * SITES, dtype=np.int32)
    total = np.int32(spins.astype(np.int64).sum())
    offered, limits = np.zeros(64), np.empty(64, dtype=np.float32)
    flips, settled = 0, False
    for sweep in range(thresholds.shape[0]):
        order = orders[sweep % orders.shape[0]]
        before = flips
        for first in range(0, 0 if settled else neurons, 64):
            sites = order[first : first + 64]
            limits[:] = np.float32(-np.inf)
            limits[: sites.size] = thresholds[sweep, first : first + 64]
            later = _ALL
            while True:
                accepted = _accepted(costs, sites, first, cyclic, offered, limits) & later
                if not accepted:
                    break
                k = _lowest_bit(accepted)
                j = np.int64(sites[k])
                _flip(j, spins, narrow, halves, costs, patterns[j], sums, tensor, numbers, dots, total)
                total += np.int32(2 * spins[j])
                flips += 1
                later = (_ALL << k) << np.uint64(1)
        settled = settles and flips == before
        _record(sweep, every, since, odd, spins, halves, spin_trace, overlap_trace)
    return flips
