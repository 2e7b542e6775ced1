"""Monte Carlo sweeps of degree 3 with ±1 patterns on cached costs: a proposal is one comparison, a flip N² products.

With T_ijk = Σ_μ ξ_i ξ_j ξ_k the flip of site j adds to the cost c_i of flipping site i

    factor [σ_i Σ_μ ξ_i + σ_j Σ_μ ξ_j - σ_i σ_j Σ_k T_ijk σ_k]   (i ≠ j; spins before the flip)

and turns c_j into -c_j; the factor is that of `cubic_sweeps`. Costs are integers, kept as float64: exact below 2^53.

The tensor holds u with T = scale u - shift in bytes (0 to 255) or int16. It is laid out for its one use: 32 sites i by
`group` neighbours k, 4 bytes or 2 int16, which meet the spins of k in one instruction. u_ijk is entry
group (32 (G (B j + i // 32) + k // group) + i % 32) + k % group, for B blocks of sites and an even number of groups G.
"""

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from .dense import record_halves
from .emit import emitted, lowest_bit, ones
from .products import SUMS, add_byte_products, add_short_products
from .values import DOUBLE, INT32, INT64

SITES = 32
_ALL = np.uint64(2**64 - 1)


@intrinsic
def _sum_couplings(typingctx, tensor, start, spins, groups, out, first):
    """out[first:first+32] = Σ_k u_k σ_k of 32 sites from tensor[start], two groups of k at a time."""
    width = tensor.dtype.bitwidth // 8
    add_products = add_byte_products if width == 1 else add_short_products

    def body(emit, tensor, start, spins, groups, out, first):
        totals = [emit.variable(emit.constant(INT32, 0, SUMS)) for _ in range(4)]
        with emit.loop(groups, step=2) as pair:
            for k in range(2):
                group = pair + k
                some = spins.load(group * (4 // width), 4 // width).seen_as(INT32).spread(SUMS).seen_as(tensor.entry)
                for half, total in enumerate(totals[2 * k : 2 * k + 2]):
                    entries = tensor.load(start + (group * (128 // width) + 64 // width * half), 64 // width)
                    total.value = add_products(emit, total.value, entries, some)
        for half in range(2):
            out.store(first + 16 * half, totals[half].value + totals[half + 2].value)

    return emitted(types.void(tensor, types.int64, spins, types.int64, out, types.int64), body)


@intrinsic
def _below(typingctx, costs, first, thresholds):
    """Bits of the 64 costs from `first` that are below their thresholds."""

    def body(emit, costs, first, thresholds):
        return (costs.load(first, 64) < thresholds.load(0, 64).to(DOUBLE)).seen_as(INT64)

    return emitted(types.uint64(costs, types.int64, thresholds), body)


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
                    positive += ones(row[w] ^ product[w])
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
    spins, narrow, halves, odd, costs, patterns, sums, tensor, numbers, cyclic, orders, thresholds, settles, *trace
):
    """Degree 3 on the costs float64[64 ⌈N/64⌉] of all sites, kept from call to call.

    numbers are float64 factor, group, int32 scale and shift; narrow holds the spins in the width of the tensor, then
    zeros; sums int32[N] are Σ_μ ξ_i. The rest as for `cubic_sweeps`.
    """
    neurons = spins.size
    dots = np.empty((neurons + SITES - 1) // SITES * SITES, dtype=np.int32)
    total = np.int32(spins.astype(np.int64).sum())
    offered, limits = np.zeros(64), np.empty(64, dtype=np.float32)
    flips = 0
    for sweep in range(thresholds.shape[0]):
        order = orders[sweep % orders.shape[0]]
        before = flips
        for first in range(0, neurons, 64):
            sites = order[first : first + 64]
            limits[:] = np.float32(-np.inf)
            limits[: sites.size] = thresholds[sweep, first : first + 64]
            later = _ALL
            while True:
                accepted = _accepted(costs, sites, first, cyclic, offered, limits) & later
                if not accepted:
                    break
                k = lowest_bit(accepted)
                j = np.int64(sites[k])
                _flip(j, spins, narrow, halves, costs, patterns[j], sums, tensor, numbers, dots, total)
                total += np.int32(2 * spins[j])
                flips += 1
                later = (_ALL << k) << np.uint64(1)
        settled = settles and flips == before
        record_halves(sweep, thresholds.shape[0] if settled else sweep + 1, odd, spins, halves, trace)
        if settled:
            break
    return flips
