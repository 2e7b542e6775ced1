"""Counter-based random numbers for the motion: thresholds and site orders, a pure function of (key, sweep, position).

Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC 2011) with counter (64-bit sweep, block of positions): no state, so the
same numbers come from every kernel, chunking, worker and resume point. Position k of a sweep reads word (k // 16) % 4
of the counter 16 (k // 64) + k % 16, which lets sixteen counters fill sixty-four neighbouring positions.
"""

import numpy as np
from numba import njit

SIGN, METROPOLIS, GLAUBER = 0, 1, 2

MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
COEFFICIENTS = (  # of Cephes `logf` (Moshier)
    np.float32(7.0376836292e-2),
    np.float32(-1.1514610310e-1),
    np.float32(1.1676998740e-1),
    np.float32(-1.2420140846e-1),
    np.float32(1.4249322787e-1),
    np.float32(-1.6668057665e-1),
    np.float32(2.0000714765e-1),
    np.float32(-2.4999993993e-1),
    np.float32(3.3333331174e-1),
)
LN2_HIGH, LN2_LOW = np.float32(0.693359375), np.float32(2.12194440e-4)  # ln 2 is the first less the second
_HIGH = np.uint64(32)


@njit(inline="always", error_model="numpy")
def philox(c0, c1, c2, c3, k0, k1):
    """One Philox4x32-10 block: four counter words and two key words to four random words, all uint32."""
    for _ in range(10):
        p0 = MULTIPLIERS[0] * np.uint64(c0)
        p1 = MULTIPLIERS[1] * np.uint64(c2)
        c0, c2 = np.uint32(p1 >> _HIGH) ^ c1 ^ k0, np.uint32(p0 >> _HIGH) ^ c3 ^ k1
        c1, c3 = np.uint32(p1), np.uint32(p0)
        k0 = np.uint32(k0 + WEYL[0])
        k1 = np.uint32(k1 + WEYL[1])
    return c0, c1, c2, c3


@njit(cache=True, nogil=True, error_model="numpy")
def fill_words(words, key, sweep):
    """uint32 words of one sweep; words.size is a multiple of 64."""
    key0, key1 = np.uint32(key), np.uint32(key >> _HIGH)
    sweep0, sweep1 = np.uint32(sweep), np.uint32(sweep >> _HIGH)
    for block in range(words.size // 64):
        out = words[64 * block : 64 * block + 64]
        for lane in range(16):
            w0, w1, w2, w3 = philox(np.uint32(16 * block + lane), sweep0, sweep1, np.uint32(0), key0, key1)
            out[lane], out[lane + 16], out[lane + 32], out[lane + 48] = w0, w1, w2, w3


@njit(inline="always", error_model="numpy")
def minus_log(word):
    """-ln((word + 1/2)/2^32) in float32, by exponent and a degree-8 polynomial for ln(1+f), 1/√2 < 1+f < √2.

    Only float32 sums and products in this order, so that every processor gives the same bits.
    """
    bits = np.float32((np.float32(word) + np.float32(0.5)) * np.float32(2.0**-32)).view(np.int32)
    exponent = np.float32(np.int32(bits >> 23) - np.int32(126))
    fraction = np.int32((bits & np.int32(0x007FFFFF)) | np.int32(0x3F000000)).view(np.float32)
    small = fraction < np.float32(0.70710678)
    e = exponent - np.float32(1.0) if small else exponent
    f = (fraction + fraction if small else fraction) - np.float32(1.0)
    square = f * f
    y = COEFFICIENTS[0]
    y = y * f + COEFFICIENTS[1]
    y = y * f + COEFFICIENTS[2]
    y = y * f + COEFFICIENTS[3]
    y = y * f + COEFFICIENTS[4]
    y = y * f + COEFFICIENTS[5]
    y = y * f + COEFFICIENTS[6]
    y = y * f + COEFFICIENTS[7]
    y = y * f + COEFFICIENTS[8]
    y = y * f * square
    y = y - LN2_LOW * e
    y = y - np.float32(0.5) * square
    return -(f + y + LN2_HIGH * e)


@njit(cache=True, nogil=True, error_model="numpy")
def fill_thresholds(thresholds, key, first_sweep, rule, scale):
    """float32[sweeps, N] thresholds t: proposal k of a sweep flips iff its cost is below t.

    With u = (word + 1/2)/2^32:  sign update t = 0;  Metropolis t = -scale ln u;  Glauber t = scale ln((1-u)/u).
    """
    sweeps, neurons = thresholds.shape
    words = np.empty((neurons + 63) // 64 * 64, dtype=np.uint32)
    for sweep in range(sweeps):
        out = thresholds[sweep]
        if rule == SIGN:
            out[:] = np.float32(0.0)
            continue
        fill_words(words, key, np.uint64(first_sweep + sweep))
        if rule == METROPOLIS:
            for k in range(neurons):
                # the true value at the last word, where float32 has rounded u to 1: free flips are always accepted
                out[k] = scale * max(minus_log(words[k]), np.float32(2.0**-33))
        else:
            for k in range(neurons):
                out[k] = scale * (minus_log(words[k]) - minus_log(~words[k]))


@njit(cache=True, nogil=True, error_model="numpy")
def fill_random_sites(sites, key, first_sweep):
    """int32[sweeps, N]: sites drawn uniformly with replacement."""
    sweeps, neurons = sites.shape
    words = np.empty((neurons + 63) // 64 * 64, dtype=np.uint32)
    for sweep in range(sweeps):
        fill_words(words, key, np.uint64(first_sweep + sweep))
        for k in range(neurons):
            sites[sweep, k] = np.int32(np.uint64(words[k]) * np.uint64(neurons) >> _HIGH)


@njit(cache=True, nogil=True, error_model="numpy")
def fill_permutations(sites, key, first_sweep):
    """int32[sweeps, N]: a fresh uniform permutation each sweep (Fisher-Yates, word k choosing among k + 1)."""
    sweeps, neurons = sites.shape
    words = np.empty((neurons + 63) // 64 * 64, dtype=np.uint32)
    for sweep in range(sweeps):
        fill_words(words, key, np.uint64(first_sweep + sweep))
        out = sites[sweep]
        for k in range(neurons):
            out[k] = k
        for k in range(neurons - 1, 0, -1):
            i = np.uint64(k)  # indices that cannot be negative need no wrapping
            j = np.uint64(words[i]) * np.uint64(k + 1) >> _HIGH
            out[i], out[j] = out[j], out[i]
