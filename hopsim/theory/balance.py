"""Every state of K diluted patterns at T > 0: Newton's method in each subspace until the indices balance in all.

f grows like m²/2 far away, in the space of all overlaps and in each subspace in which groups of them are equal or zero
(strata.py). By Morse's theorem Σ (-1)^index = 1 over the stationary points in each of the subspaces, where index is the
number of descending directions within it. The smallest come first; what is found there is known in the larger ones.
The balance does not notice two states that are missed together when one has an even index and the other an odd one.
"""

import math
from collections import Counter
from collections.abc import Iterator
from functools import cache

import numpy as np
from scipy.spatial import cKDTree

from . import zero_temperature
from .fixed_point import NotConverged
from .gaussian import Array
from .landscape import Landscape
from .strata import Stratum, compositions, partitions, stratum

FIRST, ROUNDS = 50, 8  # random starts a dimension, and rounds in each of which they are doubled
COLD = 0.1  # T/(1-d) below which states of T = 0 are starts as well
FROZEN, STEPS = 50, 5_000_000  # of them a dimension, those that T moves least, and steps of the search for them
AWAY = (-1.0, 3.0)  # ln of distances from states, in units of T
SAME = 1e-7  # overlaps closer than this, in units of the largest, are equal
ROUNDING = 1e-13  # of the eigenvalues of the Hessian

Sizes = tuple[int, ...]
Levels = tuple[int, ...]


def solutions(surface: Landscape) -> Array:
    """Every solution m[S, K], m_1 ≥ ... ≥ m_K ≥ 0; NotConverged, with those found, if the indices do not balance."""
    K = surface.patterns
    known = np.zeros((1, K))
    for sizes in sorted((sizes for total in range(1, K + 1) for sizes in partitions(total)), key=len):
        here = stratum(sizes, surface.dilution, surface.temperature)
        rng = np.random.default_rng([len(sizes), sum(sizes)])
        found = _newton(here, np.concatenate([np.zeros((1, len(sizes))), _cold(here)]))
        for attempt in range(ROUNDS):
            number = FIRST * len(sizes) << attempt
            starts = np.concatenate([_rays(here, number, rng), _near(here, found, number, rng)])
            found = _unlike(np.concatenate([found, _newton(here, starts)]))
            before, known = len(known), _joined(known, here.overlaps(found, K))
            if (len(known) == before or len(sizes) == 1) and total_index(here, known) == 1:
                break
        else:
            raise NotConverged(
                f"the states of {K} patterns at dilution {surface.dilution:g}, T = {surface.temperature:g} are not "
                f"complete: {len(known)} were found, and their indices do not balance; try a higher temperature, or "
                "another dilution if states merge here; stable_states lists minima",
                known,
            )
    return known


def indices(surface: Landscape, m: Array) -> Array:
    """The number of descending directions of f at each m[S, K]."""
    parts = [np.linalg.eigvalsh(surface.hessian(part)) for part in surface.parts(m)]
    return np.asarray((np.concatenate(parts) < -ROUNDING).sum(axis=-1))


def total_index(here: Stratum, states: Array) -> int:
    """Σ (-1)^index over the states m[S, K] in a subspace, permutations and signs included."""
    points, images = [], []
    for state in states:
        values, levels = _levels(state)
        levels = (*levels[:-1], levels[-1] - (len(state) - sum(here.sizes)))
        for chosen, number in _placements(here.sizes, levels):
            points.append(values[list(chosen)] * np.sqrt(here.sizes))
            images.append(number << int(np.count_nonzero(values[list(chosen)])))
    signs = 1 - 2 * (indices(here, np.array(points)) % 2)
    return sum(int(sign) * number for sign, number in zip(signs, images, strict=True))


def _levels(state: Array) -> tuple[Array, Levels]:
    """The different overlaps of a state, 0 the last of them, and how many patterns have each."""
    retrieved = state[state > 0]
    ends = (
        np.flatnonzero(np.append(-np.diff(retrieved) > SAME * state[0], True)) if len(retrieved) else np.array([], int)
    )
    counts = np.diff(ends, prepend=-1)
    values = np.append(retrieved[ends], 0.0)
    return values, (*(int(n) for n in counts), len(state) - len(retrieved))


@cache
def _placements(sizes: Sizes, levels: Levels) -> list[tuple[Sizes, int]]:
    """Ways to fill levels with groups: the level of each group, and in how many ways groups of one size swap theirs.

    sizes fall, as in `partitions`.
    """
    if min(levels) < 0:
        return []
    groups = Counter(sizes)

    def filled(level: int, left: "Counter[int]") -> Iterator[list["Counter[int]"]]:
        if level == len(levels):
            if not +left:
                yield []
            return
        for part in _subsets(left, levels[level]):
            for rest in filled(level + 1, left - part):
                yield [part, *rest]

    ways = []
    for parts in filled(0, groups):
        queues = {size: [k for k, part in enumerate(parts) for _ in range(part[size])] for size in groups}
        number = 1
        for size, total in groups.items():
            number *= math.factorial(total) // math.prod(math.factorial(part[size]) for part in parts)
        ways.append((tuple(queues[size].pop(0) for size in sizes), number))
    return ways


def _subsets(groups: "Counter[int]", total: int) -> Iterator["Counter[int]"]:
    """The multisets of sizes that add up to a number."""
    for part in partitions(total):
        chosen = Counter(part)
        if all(groups[size] >= number for size, number in chosen.items()):
            yield chosen


def _cold(here: Stratum) -> Array:
    """States of T = 0 in a subspace, those that are the nearest to states at T."""
    found = np.empty((0, here.patterns))
    if here.temperature > COLD * (1 - here.dilution):
        return found
    for sizes in {order for order in compositions(sum(here.sizes)) if tuple(sorted(order, reverse=True)) == here.sizes}:
        y = zero_temperature.ordered(stratum(sizes, here.dilution, 0.0), 3, STEPS).y
        found = np.concatenate([found, y[:, np.argsort([-size for size in sizes], kind="stable")]])
        moved = np.concatenate([np.abs(here.answer(part) - part).max(axis=1) for part in here.parts(found)])
        found = found[np.argsort(moved, kind="stable")[: FROZEN * len(sizes)]]
    return found


def _rays(here: Stratum, number: int, rng: np.random.Generator) -> Array:
    """Starts in random directions, from nearly equal overlaps to steeply falling ones."""
    drawn = rng.exponential(size=(number, here.patterns)) ** rng.uniform(0.2, 4, size=(number, 1))
    return np.concatenate([here.on_rays(part) for part in here.parts(drawn)])


def _near(here: Stratum, found: Array, number: int, rng: np.random.Generator) -> Array:
    """Starts a few T away from states, where f bends."""
    away = here.temperature * np.exp(rng.uniform(*AWAY, size=(number, 1)))
    return np.asarray(rng.choice(found, number) + away * rng.normal(size=(number, here.patterns)))


def _newton(here: Stratum, starts: Array) -> Array:
    """The stationary points that Newton's method finds."""
    return _unlike(np.concatenate([here.newton(part) for part in here.parts(starts)]))


def _unlike(found: Array) -> Array:
    """Points up to signs, most of the copies left out."""
    return np.asarray(np.abs(found)[np.unique(np.round(np.abs(found), 9), axis=0, return_index=True)[1]])


def _joined(known: Array, more: Array) -> Array:
    """The known states and those of some others that are new, each once."""
    size = max(known.max(), more.max(initial=0.0))
    more = np.where(more < SAME * size, 0.0, more)
    more = more[cKDTree(known).query(more, p=np.inf)[0] > SAME * size] if len(more) else more
    while len(more):
        known = np.concatenate([known, more[:1]])
        more = more[np.abs(more - more[0]).max(axis=1) > SAME * size]
    return known
