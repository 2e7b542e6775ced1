"""The minima of the free energy of K diluted patterns, in seconds even where all states are too many to be listed.

At T = 0 there are tens at K = 5, hundreds at K = 6, thousands at K = 7 and often millions at K = 8, most in tiny
basins. Where branch and bound takes too long to list them (zero_temperature.py), a search goes on from the lowest it
knows: each is moved across the planes ξ·m = 0 next to it, where some neurons change their minds, and settles anew. It
ends when no start leads to a new state, or with the starts it is given. At T > 0 it descends from the states of T = 0
and from symmetric and random directions.
"""

from functools import lru_cache

import numpy as np

from . import landscape, zero_temperature
from .fixed_point import NotConverged
from .gaussian import Array
from .landscape import Landscape

WORK = 2**25  # starts at T = 0, times the (3^K - 1)/2 fields of each: 10^4 starts at K = 8
SCATTERED = 8  # one in so many starts is a random direction
EXPANDED = 50  # states in one round, the lowest
CROSSED = 24  # planes next to each of them
OVERSHOOT = (1.05, 2.0)  # times the distance to a plane
CELLS = 1e10 / np.pi  # overlaps at T = 0 are told apart; at decimal d they are decimal, and far from the edges of cells
DESCENDED = 300  # states of T = 0 from which minima at T > 0 are looked for, the lowest
LEVEL = 3  # of the lattice of symmetric directions
ARRIVED = 1e-10  # of m - E[ξ tanh(ξ·m/T)]
SAME = 1e-7  # in units of the largest overlap
STEPS = 8  # of branch and bound, for each field of a start


def minima(surface: Landscape, work: int = WORK) -> Array:
    """The minima that are found, float64[S, K], m_1 ≥ ... ≥ m_K ≥ 0, by increasing f; T < 1-d."""
    settled = frozen(surface.patterns, surface.dilution, work)
    if surface.temperature == 0:
        return settled
    rays = np.concatenate([landscape.directions(surface.patterns, LEVEL), _scattered(surface.patterns, 100)])
    return below(surface, np.concatenate([settled[:DESCENDED], surface.on_rays(rays)]))


def below(surface: Landscape, starts: Array) -> Array:
    """The minima under some starts, each once, by increasing f; 0 < T < 1-d."""
    found = np.concatenate([surface.descend(part) for part in surface.parts(starts)])
    arrived = np.abs(surface.answer(found) - found).max(axis=-1) < ARRIVED
    found = found[arrived & (np.linalg.eigvalsh(surface.hessian(found)) > 0).all(axis=-1)]
    found = found[np.argsort(surface.free_energy(found), kind="stable")]
    found[found < SAME * found[:, :1]] = 0
    kept = [k for k, m in enumerate(found) if not (np.abs(found[:k] - m).max(axis=1) < SAME * m[0]).any()]
    return np.asarray(found[kept])


@lru_cache(maxsize=128)
def frozen(patterns: int, dilution: float, work: int = WORK) -> Array:
    """The states of T = 0 in which only neurons with all patterns blank have no field, by increasing f."""
    surface = Landscape(patterns, dilution, 0.0)
    known = _enumerated(surface, work * STEPS)
    if known is None:
        known = searched(surface, work)
    known.flags.writeable = False
    return known


def _enumerated(surface: Landscape, steps: int) -> Array | None:
    """All of them, None if that takes too many steps."""
    try:
        found = zero_temperature.solutions(surface.patterns, surface.dilution, steps, stable=True)
    except NotConverged:
        return None
    return _lowest_first(found)


def searched(surface: Landscape, work: int) -> Array:
    """Those of T = 0 that a search finds, by increasing f."""
    left = work // len(surface.weights)
    known = _settled(surface, _scattered(surface.patterns, left // SCATTERED))
    expanded: set[bytes] = set()
    while left > 0:
        waiting = [m for m in known if _key(m) not in expanded][:EXPANDED]
        if not waiting:
            break
        expanded.update(_key(m) for m in waiting)
        starts = _across(surface, np.array(waiting))
        known = _lowest_first(np.concatenate([known, _settled(surface, starts)]))
        left -= len(starts)
    return known


def _settled(surface: Landscape, starts: Array) -> Array:
    found = np.concatenate([surface.settle(part) for part in surface.parts(starts)])
    return _lowest_first(found[surface.free_neurons(found) == 0])


def _across(surface: Landscape, states: Array) -> Array:
    """Points on the other side of the planes ξ·m = 0 that are next to each state."""
    xi = landscape.entries(surface.patterns)
    h = surface.fields(states)
    distance = np.where(surface.weights > 0, np.abs(h) / np.sqrt((xi * xi).sum(axis=1)), np.inf)
    nearest = np.argsort(distance, axis=1)[:, :CROSSED]
    steps = (np.take_along_axis(h, nearest, axis=1) / (xi * xi).sum(axis=1)[nearest])[..., None] * xi[nearest]
    moved = states[:, None, None] - np.array(OVERSHOOT)[:, None] * steps[:, :, None]
    return np.asarray(moved.reshape(-1, surface.patterns))


def _scattered(patterns: int, number: int) -> Array:
    """Random directions, from nearly equal overlaps to steeply falling ones."""
    rng = np.random.default_rng(0)
    return np.asarray(rng.exponential(size=(number, patterns)) ** rng.uniform(0.2, 4, size=(number, 1)))


def _lowest_first(states: Array) -> Array:
    """Each state once, by increasing f = -Σ m²/2, T = 0."""
    states = states[np.unique(np.round(states * CELLS), axis=0, return_index=True)[1]]
    return np.asarray(states[np.argsort(-np.square(states).sum(axis=1), kind="stable")])


def _key(state: Array) -> bytes:
    return np.round(state * CELLS).tobytes()
