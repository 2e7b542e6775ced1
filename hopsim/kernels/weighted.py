"""Monte Carlo sweeps on patterns of any integer entries, such as sums of examples; conventions as in sweeps.py."""

import numpy as np
from numba import njit

from .chains import flip, record


@njit(inline="always", error_model="numpy")
def _weighted_cost(spin, entries, overlaps, values):
    cost, reach = np.int64(0), values.size // 2
    for mu in range(overlaps.size):
        here = overlaps[mu] + reach
        cost += values[here] - values[here - 2 * np.int64(entries[mu]) * spin]
    return cost


@njit(cache=True, nogil=True, error_model="numpy")
def weighted_sweeps(spins, overlaps, patterns, values, orders, thresholds, synchronous, *trace):
    """Any F, patterns of any integer entries S: a flip costs Σ_μ G(M_μ) - G(M_μ - 2 S_i σ_i), G = values[M + reach]."""
    neurons = spins.size
    chosen = np.zeros(neurons, dtype=np.bool_)
    flips = 0
    for sweep in range(thresholds.shape[0]):
        order = orders[sweep % orders.shape[0]]
        if synchronous:
            for k in range(neurons):
                i = order[k]
                chosen[k] = _weighted_cost(spins[i], patterns[i], overlaps, values) < thresholds[sweep, k]
        for k in range(neurons):
            i = order[k]
            entries = patterns[i]
            if chosen[k] if synchronous else _weighted_cost(spins[i], entries, overlaps, values) < thresholds[sweep, k]:
                flips += 1
                flip(i, spins, overlaps, entries)
        record(sweep, spins, overlaps, trace)
    return flips


@njit(inline="always", error_model="numpy")
def _product_cost(i, spin, entries, overlaps, squares):
    kind = squares.dtype.type
    total = kind(0)
    for mu in range(overlaps.size):
        total = kind(total + kind(kind(entries[mu]) * kind(overlaps[mu])))
    return kind(kind(kind(spin) * total) - squares[i])


@njit(cache=True, nogil=True, error_model="numpy")
def product_sweeps(spins, overlaps, patterns, squares, orders, thresholds, synchronous, *trace):
    """F = m²/2, patterns of any integer entries S: a flip costs σ_i Σ_μ S_i^μ M_μ - squares[i], squares = Σ_μ (S_i^μ)².

    The sums are in the type of the squares.
    """
    neurons = spins.size
    chosen = np.zeros(neurons, dtype=np.bool_)
    flips = 0
    for sweep in range(thresholds.shape[0]):
        order = orders[sweep % orders.shape[0]]
        if synchronous:
            for k in range(neurons):
                i = order[k]
                chosen[k] = _product_cost(i, spins[i], patterns[i], overlaps, squares) < thresholds[sweep, k]
        for k in range(neurons):
            i = order[k]
            if synchronous:
                accepted = chosen[k]
            else:
                accepted = _product_cost(i, spins[i], patterns[i], overlaps, squares) < thresholds[sweep, k]
            if accepted:
                flips += 1
                flip(i, spins, overlaps, patterns[i])
        record(sweep, spins, overlaps, trace)
    return flips
