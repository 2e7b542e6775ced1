"""How much of a stream a key-value memory still recalls: what survives in the slots, and what the softmax makes of it.

No memory is built here. Slots hold independent uniform ±1 patterns, so that a query with n entries left has the score s
with any other pattern with the probability of n coin tosses; an entry of that pattern agrees with the query's with
probability (1 + s/n)/2 where the query is not blank, 1/2 elsewhere. The answer is the sign of

    S = A + Σ_j r_j e^(s_j) v_j,   A = r e^n for a pattern that survives, 0 for a lost one,

with M independent terms, r the share of its slots that a pattern still has (1 in sequential slots). With φ the
characteristic function of a term,

    E sign S = (2/π) ∫_0^∞ Im[e^(itA) φ(t)^M] dt/t   (Gil-Pelaez, Biometrika 38, 481 (1951)).
"""

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from ..errors import Refused, real, whole
from .key_value import KeyValue, Recall
from .plasticity import Random

Floats = NDArray[np.float64]
Shares = tuple[tuple[float, float], ...]  # r and its probability
BLUR = 0.02  # relative width given to every weight: it decides ties, and nothing else
STEPS = 512  # of the grid of ln t between scores, which are 2 apart
FIRST, LAST = -13.0, 5.7  # ln(t weight) where a weight begins to count, and where its blur has averaged it out
LEAST_SHARE = 1 / 32
UNLIKELY = 1e-7
IMPOSSIBLE = 1e-13  # of a score
LONGEST = 128  # patterns a slot that a capacity is looked for in
NODES = 32  # numbers of entries left that an average takes, or a few more


def survival(ages: ArrayLike, *, slots: int, probability: float | None = None) -> Floats:
    """The probability that a pattern is in some slot after `ages` later ones, float64[...].

    Sequential choice (probability None): 1 for fewer than N later ones, else 0. Random choice with p: each slot was
    written, and was not since, with p (1-p)^age, so 1 - (1 - p (1-p)^age)^N.
    """
    N, later = whole("slots", slots, 1), np.asarray(ages)
    if later.size and later.min() < 0:
        raise Refused(f"ages count later patterns and are at least 0, got {later.min()}")
    if probability is None:
        return np.asarray(later < N, dtype=float)
    p = Random(probability).probability
    return np.asarray(1 - (1 - p * (1 - p) ** later) ** N)


def accuracy_by_age(network: KeyValue, recall: Recall) -> Floats:
    """Expected accuracy of each stored pattern read by softmax, in the order stored: float64[K].

    Sequential slots: exact, but for ties of scores (blurred) and for values written while another key is close to the
    new one (left out). Random slots: moreover M is its mean, and every r is drawn by itself from the law of all.
    Auto and hetero tasks.
    """
    if network.rule == "hebbian" or network.task == "sequence":
        raise Refused(f"expected accuracies are of slots and single queries, got {network.rule}, {network.task}")
    kept = survival(np.arange(network.patterns)[::-1], slots=network.slots, probability=network.probability)
    others, shares = kept.sum() - kept, _shares(network)
    table = tuple(range(int(others.min()), int(np.ceil(others.max())) + 1))
    found = _accuracies(network.neurons, recall.blanked, table, shares, network.task)
    survives, lost = (np.interp(others, table, line) for line in found)
    return np.asarray(kept * survives + (1 - kept) * lost)


def accuracy(network: KeyValue, recall: Recall) -> float:
    """Its mean over all stored patterns."""
    return float(accuracy_by_age(network, recall).mean())


def capacity(network: KeyValue, recall: Recall, threshold: float) -> float:
    """The number of patterns at which the expected accuracy falls below a threshold, between whole numbers linearly.

    0 if a single pattern has less. `network.patterns` is not looked at.
    """
    if not 0.5 < real("threshold", threshold) < 1:
        raise Refused(f"threshold must be between 0.5 and 1, got {threshold!r}")

    @cache
    def excess(patterns: int) -> float:
        return accuracy(replace(network, patterns=patterns), recall) - threshold

    if excess(1) < 0:
        return 0.0
    low, high = 1, 2
    while excess(high) >= 0:
        low, high = high, 2 * high
        if high > LONGEST * network.slots:
            raise Refused(f"lost patterns alone have an accuracy near {threshold:g}: choose a higher threshold")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if excess(middle) >= 0 else (low, middle)
    return low + excess(low) / (excess(low) - excess(high))


def _shares(network: KeyValue) -> Shares:
    """The law of r = c/c', slots left over slots written, of the patterns that survive."""
    if network.probability is None:
        return ((1.0, 1.0),)
    p, chances = network.probability, dict[float, float]()
    counts = np.arange(1, network.slots + 1)
    kept = (1 - p) ** np.arange(network.patterns)[:, None]
    for written in counts[binom.pmf(counts, network.slots, p) > IMPOSSIBLE]:
        weights = binom.pmf(written, network.slots, p) * np.sum(binom.pmf(counts[:written], written, kept), axis=0)
        for left, weight in zip(counts[:written], weights, strict=True):
            share = max(float(left / written), LEAST_SHARE)
            chances[share] = chances.get(share, 0.0) + float(weight)
    total = sum(chances.values())
    return tuple((share, weight / total) for share, weight in chances.items() if weight > UNLIKELY * total)


@cache
def _accuracies(neurons: int, blanked: float, others: tuple[int, ...], shares: Shares, task: str) -> Floats:
    """Of a pattern that survives and of a lost one, float64[2, M], averaged over the entries left of a query."""
    weights = binom.pmf(np.arange(neurons + 1), neurons, 1 - blanked)
    likely = np.flatnonzero(weights > UNLIKELY)
    likely = likely[:: likely.size // NODES | 1]  # of both parities, which differ in ties
    wave, first = _wave(2 * int(likely[-1]), shares)
    found = np.zeros((2, len(others)))
    for n in likely:
        seen, unseen, lost = _agreements(int(n), others, wave, first)
        share = n / neurons if task == "auto" else 0.0
        found += weights[n] * np.array([share * seen + (1 - share) * unseen, share * lost])
    return np.asarray((1 + found / weights[likely].sum()) / 2)


def _agreements(n: int, others: tuple[int, ...], wave: NDArray[np.complex128], first: int) -> Floats:
    """E sign S of one that survives, where the query is not blank and where it is, and the first of a lost one, for
    consecutive numbers of others: float64[3, M].

    φ(t) where the query is not blank, on a grid of ln t with e^n as the unit of weights: a weight enters as t e^(s-n),
    a shift along ln t. Where the query is blank φ is its real part.
    """
    chances = binom.pmf(np.arange(n + 1), n, 0.5)
    levels = np.flatnonzero(chances > IMPOSSIBLE)
    size = int((LAST - FIRST - np.log(LEAST_SHARE)) * STEPS / 2) + int(levels[-1]) * STEPS
    target, phi = wave[first : first + size], np.zeros(size, dtype=complex)
    for k in levels:
        shifted = wave[first - k * STEPS :][:size]
        phi.real += chances[k] * shifted.real
        phi.imag += chances[k] * (1 - 2 * k / n if n else 0.0) * shifted.imag
    known, blank, found = phi ** others[0], phi.real ** others[0], []
    for _ in others:
        found.append([float(x.imag.sum()) for x in (target * known, target * blank, known)])
        known, blank = known * phi, blank * phi.real
    return 2 / STEPS * 2 / np.pi * np.array(found).T


def _wave(deepest: int, shares: Shares) -> tuple[NDArray[np.complex128], int]:
    """The mean of the blurred e^(itr) over r on the grid from FIRST - deepest, and the place of FIRST in it."""
    below, above = (deepest - np.log(LEAST_SHARE)) * STEPS / 2 - FIRST * STEPS / 2, (LAST + deepest) * STEPS / 2
    grid = np.arange(-int(below), int(above - np.log(LEAST_SHARE) * STEPS / 2) + 1) * 2 / STEPS
    t = np.exp(np.minimum(grid, LAST + 2))
    blurred = np.exp(1j * t - (BLUR * t) ** 2 / 2)
    mixed = np.zeros(grid.size, dtype=complex)
    for share, chance in shares:
        shift = round(-np.log(share) * STEPS / 2)
        mixed[shift:] += chance * blurred[: grid.size - shift]
        mixed[:shift] += chance
    return mixed, int(below) + int(FIRST * STEPS / 2)
