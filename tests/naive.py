"""The readable twin: everything that moves a state, in plain loops over Python integers, from published definitions.

Nothing here is shared with the compiled code: energies are recomputed from all pattern entries at every proposal,
random words from the counter at every use. Slow on purpose. The tests demand equality with `==`, never closeness.
"""

import math
from types import SimpleNamespace

import numpy as np

from hopsim.interactions import Exponential, LogSumExp, Power, Quadratic, Rectified
from hopsim.networks import Law, Network, Quenched
from hopsim.patterns import Stored
from hopsim.representations import Pairwise

WORD = 2**32
f32 = np.float32


# --- random words: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011) ---


def philox(counter, key):
    """Ten rounds on four 32-bit words with a key of two."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        a, b = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (b >> 32) ^ c1 ^ k0, b % WORD, (a >> 32) ^ c3 ^ k1, a % WORD
        k0, k1 = (k0 + 0x9E3779B9) % WORD, (k1 + 0xBB67AE85) % WORD
    return c0, c1, c2, c3


def word(key, sweep, k):
    """The random word of position k in a sweep: sixteen blocks of four words serve 64 positions."""
    key = int(key)
    counter = (16 * (k // 64) + k % 16, sweep % WORD, sweep // WORD, 0)
    return philox(counter, (key % WORD, key // WORD))[(k // 16) % 4]


# --- thresholds ---

COEFFICIENTS = (
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)


def minus_log(w):
    """-ln((w + 1/2) / 2^32), every operation rounded to single precision (Cephes logf)."""
    x = (f32(w) + f32(0.5)) * f32(2**-32)
    fraction, exponent = math.frexp(float(x))
    if fraction < f32(0.70710678):
        fraction, exponent = 2 * fraction, exponent - 1
    f, e = f32(fraction) - f32(1), f32(exponent)
    z = f * f
    y = f32(COEFFICIENTS[0])
    for coefficient in COEFFICIENTS[1:]:
        y = y * f + f32(coefficient)
    y = (y * f) * z
    y = y + f32(-2.12194440e-4) * e
    y = y - f32(0.5) * z
    return -((f + y) + f32(0.693359375) * e)


def sign_threshold(w, scale):
    return f32(0)


def metropolis_threshold(w, scale):
    return f32(scale) * max(minus_log(w), f32(2**-33))


def glauber_threshold(w, scale):
    return f32(scale) * (minus_log(w) - minus_log(WORD - 1 - w))


def threshold_of(dynamics):
    """The threshold (word, scale) -> t of an update rule."""
    if dynamics.temperature == 0:
        return sign_threshold
    return metropolis_threshold if type(dynamics).__name__ == "Metropolis" else glauber_threshold


# --- site orders ---


def cyclic(key, sweep, N):
    return list(range(N))


def random(key, sweep, N):
    return [word(key, sweep, k) * N // WORD for k in range(N)]


def permutation(key, sweep, N):
    """Fisher & Yates from the top."""
    sites = list(range(N))
    for k in range(N - 1, 0, -1):
        j = word(key, sweep, k) * (k + 1) // WORD
        sites[k], sites[j] = sites[j], sites[k]
    return sites


ORDERS = {"cyclic": cyclic, "random": random, "permutation": permutation}


# --- energies, from all entries ---


def elementary(values, degree):
    """Σ over i1 < ... < ip of the products: the coefficient of t^p in Π_i (1 + t x_i), multiplied out."""
    coefficients = [1] + [0] * degree
    for x in values:
        for power in range(degree, 0, -1):
            coefficients[power] += x * coefficients[power - 1]
    return coefficients[degree]


def gain(interaction, products):
    """G of one pattern from its products ξ_i σ_i = ±1 on the sites that are not blank."""
    match interaction:
        case Quadratic():  # minus the number of pairs that disagree
            return -products.count(1) * products.count(-1)
        case Power(degree=p, indices="distinct"):
            return elementary(products, p)
        case Power(degree=p):
            return sum(products) ** p
        case Rectified(degree=p):
            return max(sum(products), 0) ** p
    raise TypeError(interaction)


def overlaps(patterns, spins):
    """M_μ = Σ_i ξ_i^μ σ_i."""
    K = len(patterns[0])
    return [sum(entries[mu] * spin for entries, spin in zip(patterns, spins, strict=True)) for mu in range(K)]


def total(interaction, patterns, spins):
    """Σ_μ G: E = -unit times this."""
    K = len(patterns[0])
    products = ([x[mu] * s for x, s in zip(patterns, spins, strict=True) if x[mu] != 0] for mu in range(K))
    return sum(gain(interaction, of_pattern) for of_pattern in products)


def flipped(spins, site):
    return [-s if i == site else s for i, s in enumerate(spins)]


def cost(interaction, patterns, spins, site):
    """Energy of flipping one spin, in integer units; in units of energy for exponential interactions."""
    after = flipped(spins, site)
    if isinstance(interaction, Exponential | LogSumExp):
        return _exponential_cost(interaction.sharpness, overlaps(patterns, spins), overlaps(patterns, after))
    return total(interaction, patterns, spins) - total(interaction, patterns, after)


def _exponential_cost(sharpness, before, after):
    """-(1/λ) ln(Z'/Z) from the sums of the weights of the patterns whose overlap falls, rises and stays."""
    top = max(before)
    lanes = {-2: [0.0] * 8, 2: [0.0] * 8, 0: [0.0] * 8}
    for mu, (M_before, M_after) in enumerate(zip(before, after, strict=True)):
        lanes[M_after - M_before][mu % 8] += math.exp(-sharpness * (top - M_before))
    falling, rising, staying = (
        ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7])) for x in lanes.values()
    )
    changed = falling * math.exp(-2 * sharpness) + rising * math.exp(2 * sharpness) + staying
    ratio = changed / (falling + rising + staying)
    tie = abs(ratio - 1) <= len(before) * 2**-52
    return 0.0 if tie else -math.log(ratio) / sharpness


def unit(interaction, N):
    return 1.0 if isinstance(interaction, Exponential | LogSumExp) else interaction.unit(N)


# --- motion ---


def sweep(interaction, patterns, spins, dynamics, keys, number):
    """One sweep in place; returns the number of flips."""
    N = len(spins)
    scale = f32(dynamics.temperature / unit(interaction, N))
    threshold = threshold_of(dynamics)
    thresholds = [float(threshold(word(keys.acceptance, number, k), scale)) for k in range(N)]
    if dynamics.synchronous:
        chosen = [site for site in range(N) if cost(interaction, patterns, spins, site) < thresholds[site]]
        spins[:] = [-s if site in chosen else s for site, s in enumerate(spins)]
        return len(chosen)
    flips = 0
    for site, t in zip(ORDERS[dynamics.order](keys.order, number, N), thresholds, strict=True):
        if cost(interaction, patterns, spins, site) < t:
            spins[site] *= -1
            flips += 1
    return flips


def advance(interaction, patterns, spins, dynamics, keys, first_sweep, n_sweeps, every=0):
    """Final spins, number of flips, and the spins after every `every` sweeps."""
    patterns, spins, trace, flips = np.asarray(patterns).tolist(), list(map(int, spins)), [], 0
    for done in range(1, n_sweeps + 1):
        flips += sweep(interaction, patterns, spins, dynamics, keys, first_sweep + done - 1)
        if every and done % every == 0:
            trace.append(list(spins))
    return spins, flips, trace


# --- what the tests run on ---

POLYNOMIALS = (
    Quadratic(),
    *(Power(p, indices) for indices in ("distinct", "all") for p in range(3, 9)),
    *(Rectified(p) for p in (2, 3, 4)),
)
EXPONENTIALS = (Exponential(), LogSumExp(0.5), LogSumExp(1.3))


def quenched(interaction, patterns):
    """These very patterns, in this order, as one draw of the disorder."""
    patterns = np.asarray(patterns, dtype=np.int8)
    return Quenched(Network(Law(interaction, Stored(patterns)), *patterns.shape), patterns)


def all_states(N):
    """int8[2^N, N]; bit i of the row number is the sign of spin i."""
    return (((np.arange(2**N)[:, None] >> np.arange(N)) & 1) * 2 - 1).astype(np.int8)


def move(representation, spins, overlaps, orders, thresholds, synchronous, *tracing):
    """Move a representation's general kernel in place with given orders and thresholds; returns the number of flips."""
    if isinstance(representation, Pairwise):
        representation = representation.general
    motion = representation.motion(spins, overlaps, "permutation", synchronous)
    flips = motion.sweep(
        SimpleNamespace(orders=orders, thresholds=thresholds, order="permutation", rule=None), *tracing
    )
    motion.close()
    return flips
