"""Monte Carlo sweeps: one call advances one chain by many sweeps and writes its trace.

In every kernel proposal k of a sweep offers site orders[sweep % len(orders), k], and the spin flips iff the cost of
the flip, in the units of the kernel's table, is below thresholds[sweep, k]. `synchronous` decides all sites on the old
state before any flips. After every `every` sweeps (0: never; `since` have passed already at the start) spins and
overlaps are copied to the next row of the traces. Both are updated in place; the return value counts the flips.
"""

import numpy as np
from numba import njit


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


@njit(inline="always", error_model="numpy")
def _table_cost(spin, entries, fall, rise):
    nothing = fall.dtype.type(0)
    opposite = np.int8(-spin)
    cost = nothing
    for mu in range(fall.size):
        falling, rising = fall[mu], rise[mu]
        cost += falling if entries[mu] == spin else nothing
        cost += rising if entries[mu] == opposite else nothing
    return cost


@njit(cache=True, nogil=True, error_model="numpy")
def table_sweeps(
    spins, overlaps, patterns, drop, rows, orders, thresholds, synchronous, every, since, spin_trace, overlap_trace
):
    """Any F: drop[rows[μ], M + N] = G(M) - G(M - 2) for pattern μ, and cost Σ_μ [G(M_μ) - G(M_μ - 2 ξ_i^μ σ_i)].

    For each pattern the cost of its overlap falling or rising by 2 is kept, so that a proposal only sums; the sum runs
    in the order of μ.
    """
    neurons = spins.size
    fall = np.empty(overlaps.size, dtype=drop.dtype)
    rise = np.empty(overlaps.size, dtype=drop.dtype)
    for mu in range(overlaps.size):
        fall[mu] = drop[rows[mu], overlaps[mu] + neurons]
        rise[mu] = -drop[rows[mu], overlaps[mu] + neurons + 2]
    chosen = np.zeros(neurons, dtype=np.bool_)
    flips = 0
    for sweep in range(thresholds.shape[0]):
        order = orders[sweep % orders.shape[0]]
        if synchronous:
            for k in range(neurons):
                cost = _table_cost(spins[order[k]], patterns[order[k]], fall, rise)
                chosen[k] = cost < thresholds[sweep, k]
        for k in range(neurons):
            i = order[k]
            entries = patterns[i]
            flip = chosen[k] if synchronous else _table_cost(spins[i], entries, fall, rise) < thresholds[sweep, k]
            if flip:
                flips += 1
                change = -2 * spins[i]
                spins[i] = -spins[i]
                for mu in range(overlaps.size):
                    if entries[mu] != 0:
                        overlaps[mu] += change * entries[mu]
                        fall[mu] = drop[rows[mu], overlaps[mu] + neurons]
                        rise[mu] = -drop[rows[mu], overlaps[mu] + neurons + 2]
        record(sweep, every, since, spins, overlaps, spin_trace, overlap_trace)
    return flips
