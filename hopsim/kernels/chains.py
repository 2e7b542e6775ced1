"""What every chain does, whatever keeps its costs: it flips spins, and is read from time to time.

The last arguments of all kernels of sweeps are their trace: every, since, spins int8[rows, N], overlaps int32[rows, K].
After every `every` sweeps (0: never; `since` have passed already at the start) spins and overlaps are copied to the
next row.
"""

import numpy as np
from numba import njit


@njit(inline="always", error_model="numpy")
def rows_after(sweep, last, trace):
    """The rows for the state after a sweep, and, if it is the same, after all others below `last`."""
    every, since = trace[0], trace[1]
    return range((since + sweep) // every, (since + last) // every) if every > 0 else range(0, 0)


@njit(inline="always", error_model="numpy")
def record(sweep, spins, overlaps, trace):
    """Copy the state after a sweep."""
    for row in rows_after(sweep, sweep + 1, trace):
        trace[2][row] = spins
        trace[3][row] = overlaps


@njit(inline="always", error_model="numpy")
def flip(i, spins, overlaps, entries):
    """Turn spin i, with its entries ξ_i; returns the change of σ_i."""
    change = np.int32(-2 * spins[i])
    spins[i] = -spins[i]
    for mu in range(overlaps.size):
        overlaps[mu] += change * np.int32(entries[mu])
    return change
