"""Weights of a softmax from scores, float64 or float32, in one pass.

exp is 2^k (1 + r + ...), the Taylor polynomial on |r| <= ln(2)/2 to the last digit of the type; below `_LEAST` it stays
near the smallest normal numbers.
"""

import numpy as np
from numba import njit, types
from numba.extending import overload

_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
_SHIFT = 6755399441055744.0  # 1.5 2^52: adding it rounds to an integer, which then stands in the lowest bits
_LEAST = -690.0

_LOG2_E_32 = np.float32(_LOG2_E)
_LN2_HIGH_32, _LN2_LOW_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
_SHIFT_32 = np.float32(12582912.0)  # 1.5 2^23
_LEAST_32 = np.float32(-86.0)
_TAYLOR_32 = tuple(np.float32(1 / f) for f in (5040, 720, 120, 24, 6, 2, 1, 1))


def _exponential(y):
    """exp(y), y <= 0, in the type of y."""


@overload(_exponential, jit_options={"error_model": "numpy", "fastmath": {"contract"}})
def _of_type(y):
    return _single if y == types.float32 else _double


def _double(y):
    y = max(y, _LEAST)
    shifted = y * _LOG2_E + _SHIFT
    k = shifted - _SHIFT
    r = (y - k * _LN2_HIGH) - k * _LN2_LOW
    p = 1 / 479001600.0
    p = p * r + 1 / 39916800.0
    p = p * r + 1 / 3628800.0
    p = p * r + 1 / 362880.0
    p = p * r + 1 / 40320.0
    p = p * r + 1 / 5040.0
    p = p * r + 1 / 720.0
    p = p * r + 1 / 120.0
    p = p * r + 1 / 24.0
    p = p * r + 1 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    exponent = np.int64(np.float64(shifted).view(np.int64) + np.int64(1023)) << np.int64(52)
    return np.int64(exponent).view(np.float64) * p


def _single(y):
    y = max(y, _LEAST_32)
    shifted = y * _LOG2_E_32 + _SHIFT_32
    k = shifted - _SHIFT_32
    r = (y - k * _LN2_HIGH_32) - k * _LN2_LOW_32
    p = _TAYLOR_32[0]
    p = p * r + _TAYLOR_32[1]
    p = p * r + _TAYLOR_32[2]
    p = p * r + _TAYLOR_32[3]
    p = p * r + _TAYLOR_32[4]
    p = p * r + _TAYLOR_32[5]
    p = p * r + _TAYLOR_32[6]
    p = p * r + _TAYLOR_32[7]
    exponent = np.int32(np.int32(np.float32(shifted).view(np.int32) + np.int32(127)) << np.int32(23))
    return np.int32(exponent).view(np.float32) * p


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def weigh(scores, highest, total):
    """Turn scores[q, b] into exp(score - highest[q]) in place, highest >= all of them; add the sums to total[q]."""
    for q in range(scores.shape[0]):
        row, top, added = scores[q], highest[q], 0.0
        for b in range(row.size):
            weight = _exponential(row[b] - top)
            row[b] = weight
            added += weight
        total[q] += added
