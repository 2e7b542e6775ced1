"""Sweeps of E = -(1/λ) ln Σ_μ exp(λ M_μ): shifted exponents, so that nothing overflows for any N.

Every weight is w_μ = exp(-λ (top - M_μ)) with top the largest overlap, from a table of the integer differences.
Flipping σ_i multiplies it by exp(-2λ) where ξσ = +1 and by exp(2λ) where ξσ = -1, so a proposal needs masked sums only:

    Z = A + B + C,   Z' = e^(-2λ) A + e^(2λ) B + C,   A, B, C = Σ_μ w_μ over ξ_i^μ σ_i = +1, -1, 0

and nothing cancels. Order of summation of each, the same on every processor: eight partial sums by μ mod 8, then
((0+1)+(2+3))+((4+5)+(6+7)).
"""

import math

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from .chains import flip, record
from .emit import emitted
from .values import DOUBLE

LANES = 8


@intrinsic
def masked_sums(typingctx, entries, weights, spin):
    """(Σ weights where entries == spin, Σ weights where entries == -spin); both arrays padded to a multiple of 8."""

    def body(emit, entries, weights, spin):
        falling, rising = (emit.variable(emit.constant(DOUBLE, 0.0, LANES)) for _ in range(2))
        with emit.loop(weights.size, step=LANES) as k:
            signs, some = entries.load(k, LANES), weights.load(k, LANES)
            falling.value += (signs == spin).pick(some, 0.0)
            rising.value += (signs == -spin).pick(some, 0.0)
        return _tree(falling.value), _tree(rising.value)

    return emitted(types.UniTuple(types.float64, 2)(entries, weights, spin), body)


def _tree(vector):
    sums = [vector.lane(k) for k in range(LANES)]
    while len(sums) > 1:
        sums = [a + b for a, b in zip(sums[::2], sums[1::2], strict=True)]
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
def exponential_sweeps(spins, overlaps, padded, table, sharpness, blank, orders, thresholds, synchronous, *trace):
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
            if synchronous:
                accepted = chosen[k]
            else:
                accepted = _cost(padded[i], weights, spins[i], blank, sharpness, patterns) < thresholds[sweep, k]
            if accepted:
                flips += 1
                flip(i, spins, overlaps, padded[i])
                _weigh(overlaps, table, weights)
        record(sweep, spins, overlaps, trace)
    return flips
