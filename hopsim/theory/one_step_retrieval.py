"""The retrieval branch with one step of replica symmetry breaking, followed through its fold as in retrieval.py.

Where the replica-symmetric branch is unstable at an overlap m, the saddle point there has a load α(m), which falls with
m on the stable branch; the fold is its maximum.
"""

import math
from functools import lru_cache

import numpy as np

from . import breaking, gaussian, retrieval, saddle
from .crosstalk import Noise
from .fixed_point import NotConverged, root
from .gaussian import Array
from .retrieval import Fold
from .saddle import LOAD, C, D, M, Y

STEP = 0.1  # of 1 - m, with which the branch is followed
TURNS = 200  # steps after which a fold is given up


def at_overlap(noise: Noise, m: float, temperature: float) -> Array | None:
    """The saddle point at an overlap; None where replica symmetry holds."""
    spread = retrieval.spread_at(noise, m, temperature)
    answer = gaussian.response(m ** (noise.degree - 1), spread, temperature)
    load = spread**2 / float(noise.variance(answer.q, answer.C))
    return breaking.broken(noise, load, temperature, m, spread, (LOAD, D, C), (0, 1, 2))


def followed(noise: Noise, point: Array, m: float, temperature: float, halvings: int = 6) -> Array:
    """The saddle point at another overlap, from one nearby; by way of the middle where that is too far."""
    start = point + tangent(noise, point, temperature) * (m - point[M])
    found = saddle.newton(noise, temperature, start, (LOAD, D, C, Y), (0, 1, 2, 3))
    if found is not None:
        return found
    if halvings == 0:
        raise NotConverged(f"the retrieval branch at T = {temperature:.6g} was lost at m = {m:.6g}", point)
    middle = followed(noise, point, (point[M] + m) / 2, temperature, halvings - 1)
    return followed(noise, middle, m, temperature, halvings - 1)


def tangent(noise: Noise, point: Array, temperature: float) -> Array:
    """d(point)/dm along the branch; its first entry, dα/dm, is negative where the state is stable."""
    jacobian = saddle.linearised(noise, temperature, point).jacobian
    along = np.zeros(5)
    along[M] = 1.0
    along[[LOAD, D, C, Y]] = -np.linalg.solve(jacobian[:, [LOAD, D, C, Y]], jacobian[:, M])
    return along


@lru_cache(maxsize=1024)
def end(noise: Noise, temperature: float) -> tuple[Fold, Array | None] | None:
    """The fold and the saddle point there, None in its place where replica symmetry holds; None without retrieval.

    The bracket uses that α(m) is concave at its maximum: secants to either side bound it from above.
    """
    symmetric = retrieval.fold(noise, temperature)
    if symmetric is None:
        return None
    start = at_overlap(noise, symmetric.m, temperature)
    if start is None:
        return symmetric, None
    near, far = _around(noise, start, temperature)

    def slope(m: float) -> float:
        return float(tangent(noise, followed(noise, near, m, temperature), temperature)[LOAD])

    m = root(slope, near[M], far[M])
    top = followed(noise, near, m, temperature)
    step = 1e-3 * (1 - m)
    load, *beside = (float(followed(noise, top, x, temperature)[LOAD]) for x in (m, m - step, m + step))
    return Fold(m, load, min(max(beside), load), max(load, *(2 * load - other for other in beside))), top


def state(noise: Noise, load: float, temperature: float) -> Array | None:
    """The saddle point of the stable branch at a load; None where replica symmetry holds.

    From the replica-symmetric state there, or else from the fold.
    """
    symmetric, lost = retrieval.fold(noise, temperature), None
    if symmetric is None or load <= symmetric.load:
        m, spread = retrieval.state(noise, load, temperature)
        try:
            point = breaking.broken(noise, load, temperature, m, spread, (M, D, C), (0, 1, 2))
        except NotConverged as error:
            lost = error
        else:
            if point is None or tangent(noise, point, temperature)[LOAD] < 0:
                return point
    fold, top = end(noise, temperature) or (None, None)
    if fold is not None and top is not None and load <= fold.load:
        return _down_from(noise, top, load, temperature)
    if lost is not None:
        raise lost
    where = "there is none at any load" if fold is None else f"the branch ends at load {fold.load:.6g}"
    raise NotConverged(f"no retrieval state at load {load:.6g}, T = {temperature:.6g}: {where}", fold)


def _around(noise: Noise, start: Array, temperature: float) -> tuple[Array, Array]:
    """Two points on the branch with the fold between them."""
    rising = tangent(noise, start, temperature)[LOAD] > 0
    point, step = start, STEP * (1 - start[M]) * (1 if rising else -1)
    for _ in range(TURNS):
        ahead = followed(noise, point, point[M] + step, temperature)
        if (tangent(noise, ahead, temperature)[LOAD] > 0) != rising:
            return point, ahead
        point = ahead
    raise NotConverged(f"no fold of the retrieval branch was found at T = {temperature:.6g}", point)


def _down_from(noise: Noise, top: Array, load: float, temperature: float) -> Array:
    """From the fold to a smaller load: up in m, where α(m) falls ever faster."""
    step = 1e-3 * (1 - top[M])
    ahead = followed(noise, top, top[M] + step, temperature)
    bend = (top[LOAD] - ahead[LOAD]) / step**2
    point = followed(
        noise, top, min(top[M] + math.sqrt((top[LOAD] - load) / bend), 1 - 0.5 * (1 - top[M])), temperature
    )
    for _ in range(TURNS):
        found = saddle.newton(noise, temperature, _at(point, load), (M, D, C, Y), (0, 1, 2, 3))
        if found is not None and found[M] >= top[M]:
            return found
        slope = tangent(noise, point, temperature)[LOAD]
        point = followed(noise, point, min(point[M] + (load - point[LOAD]) / slope, (1 + point[M]) / 2), temperature)
    raise NotConverged(f"the retrieval state at load {load:.6g}, T = {temperature:.6g} was not found", point)


def _at(point: Array, load: float) -> Array:
    moved = point.copy()
    moved[LOAD] = load
    return moved
