"""Splitting: the stationary point with k steps of replica symmetry breaking, from that with k - 1.

The unknowns are ratios, so that order cannot be lost: q_j = s_j q_{j+1}, y_j = u_j y_{j+1} with 0 < s, u < 1, besides
y_k, C with q_k = 1 - TC, and the load where m is given instead. For p ≥ 3 f is largest over all q and y at fixed m
(Parisi) and is climbed first. For p = 2 f is largest in q and y and smallest in C: only the equations are left.
"""

import math
from collections.abc import Iterator
from functools import partial
from itertools import islice, product
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize
from scipy.optimize import root as powell
from scipy.special import expit, logit

from . import hierarchy
from .crosstalk import Mixed, Noise, Responding
from .gaussian import Array
from .hierarchy import Averages

TIGHT = 1e-10  # of the residuals, relative to each unknown
NEGLIGIBLE = 1e-7  # of q or y: stands for 0
UNNOTICED = 1.5e-5  # of αζ̂''C², about twice the step of q at T → 0, which below leaves f alone to 1e-9
VANISHING = 1e-12  # stands for q_0 = 0 in a ratio
LOOSEST = 1e-3  # of the residuals so allowed
ROUNDING = 4e-15  # of f
UNRESOLVED = 1e-10  # gain of f by a step that may be left out when its equations cannot be solved
ROUGH = 1e-5  # as a part of y² ∂f/∂y, TIGHT is rounding
FAINT = 2e-6  # as a part of (q_j - q_{j-1})(r_j - r_{j-1}), likewise
FLAT = 1e-6  # y²αΔr below which an exponential average is a plain one to rounding
WIDTHS = (1e-16, 1e-8)  # squared relative steps of the Jacobian: fine, and above the rounding of small steps
SADDLE = 1e-5  # q_0/q_1
FARTHEST = 50.0  # logit or logarithm of an unknown
OUTSIDE = 10.0  # residual where there is no noise
NEARLY_STABLE, NEARLY_NO_STEP = -0.006, 2e-5  # of the replicon at T > 0, of q at T = 0
ATTEMPTS = 6
HEIGHTS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.4, 0.67, 0.9, 0.999)  # of a step, in q_k
SHRUNK, COOLED = (1.0, 0.35), (0.95, 0.8, 0.6, 0.3)  # C with a step over C without, at T = 0 and T > 0
ROUNDED = (4.0, 0.9, 0.2, 0.04, 0.008)  # y√(αΔr) of a step
SHALLOW = -3.0  # ratio, as its logit, from which q_0 = 0 is left
FAR = 0.5  # minus the replicon, beyond which the onset of steps is behind
ONSETS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6)  # breakpoints
SPACINGS = (1.0, 0.4)


class Steps(NamedTuple):
    """q_0 .. q_k, y_1 .. y_k, C and the load."""

    q: Array
    y: Array
    C: float
    load: float


class Point(NamedTuple):
    """Where a state is sought: the noise, T, m, and the load unless it is an unknown."""

    noise: Noise
    temperature: float
    m: float
    load: float | None


def gaps(q: Array, y: Array, C: float) -> Array:
    """D_0 .. D_k of p = 2: D_k = 1 - C, D_{j-1} = D_j - y_j (q_j - q_{j-1})."""
    falls = np.append(y * np.diff(q), 0.0)
    return np.asarray(1 - C - np.cumsum(falls[::-1])[::-1])


def variances(noise: Noise, q: Array, y: Array, C: float) -> Array:
    """r_0 .. r_k: r_0 = q_0/D_0² and r_j - r_{j-1} = (q_j - q_{j-1})/(D_j D_{j-1}), or ζ̂'(q_j)."""
    if isinstance(noise, Mixed):
        return np.asarray(noise.variance(q, C))
    D = gaps(q, y, C)
    return np.asarray(np.cumsum(np.append(q[0] / D[0] ** 2, np.diff(q) / (D[1:] * D[:-1]))))


def slopes(noise: Noise, q: Array, y: Array, C: float) -> Array:
    """∂/∂y_1 .. ∂/∂y_k of the noise part of f per unit load, at r = r(q, y)."""
    if isinstance(noise, Mixed):
        return np.asarray(np.diff(q * noise.variance(q, C) - noise.zeta(q)) / 2)
    D = gaps(q, y, C)
    u = y * np.diff(q) / D[1:]  # D_{j-1} = D_j (1 - u)
    return np.asarray((np.diff(q) * q[1:] / (D[1:] * D[:-1]) - (np.log1p(-u) + u / (1 - u)) / y**2) / 2)


def free_energy(noise: Noise, q: Array, y: Array, C: float, r: Array, temperature: float) -> float:
    """The noise part of f per unit load, r free (off the saddle too) for p = 2."""
    inner = noise.free_energy(float(q[-1]), C, float(r[-1]), temperature)
    if isinstance(noise, Mixed):
        return inner + float(y @ slopes(noise, q, y, C))
    D = gaps(q, y, C)
    steps = q[-1] / D[-1] - q[0] / D[0] + np.sum(np.log(D[:-1] / D[1:]) / y) + y @ np.diff(r * q)
    return inner + float(steps) / 2


def total(point: Point, steps: Steps) -> float:
    """f at r = r(q, y), but for the part of m alone."""
    q, y, C, load = steps
    r = variances(point.noise, q, y, C)
    return load * free_energy(point.noise, q, y, C, r, point.temperature) - _site(point, steps, r).potential


def split(point: Point, whole: Steps) -> Steps | None:
    """One step more than `whole`; without height where that gains nothing; None where none was found."""
    if _settled(point, whole):
        return repeated(whole, point.temperature)
    starts = list(islice(_starts(point, whole), ATTEMPTS))
    if _climbs(point):
        starts = sorted((_climb(point, start) for start in starts), key=lambda start: -total(point, start))
    for start in starts:
        steps = polish(point, start)
        if steps is not None and _gain(point, steps, whole) > -ROUNDING:
            return steps
    idle = _climbs(point) and _is_state(point, whole) and bool(_gain(point, starts[0], whole) < UNRESOLVED)
    return repeated(whole, point.temperature) if idle or _nearly_settled(point, whole) else None


def polish(point: Point, start: Steps) -> Steps | None:
    """The solution of the equations next to a start."""
    t = _encode(point, start)
    free = np.isfinite(t)

    def residuals(x: Array) -> Array:
        t[free] = x
        return _residuals(point, t)[free] if np.abs(x).max() < FARTHEST else np.full(len(x), OUTSIDE)

    for width in WIDTHS:
        with np.errstate(all="ignore"):
            x = powell(residuals, _encode(point, start)[free], options={"xtol": 1e-14, "eps": width}).x
            left = np.abs(residuals(x))
        steps = _decode(point, t)
        if _resolved(point, steps) and np.all(left < _rounding(point, steps)[free]):
            return steps
    return None


def _rounding(point: Point, steps: Steps) -> Array:
    """What may be left of each equation: small steps do not resolve ∂f/∂y better."""
    q, y, C, load = steps
    allowed = np.full(2 * len(y) + 1 + (point.load is None), TIGHT)
    area = np.diff(q) * np.diff(variances(point.noise, q, y, C))
    allowed[len(y) : 2 * len(y)] *= 1 + (FAINT + ROUGH / (load * y**2)) / area
    return np.asarray(np.minimum(allowed, LOOSEST))


def _resolved(point: Point, steps: Steps) -> bool:
    """Whether ∂f/∂y says anything: at y → 0 it is rounding. For p = 2 q_0 = 0 is a saddle, never the glass."""
    q, y, C, load = steps
    curved = np.all(load * np.diff(variances(point.noise, q, y, C)) * y**2 > FLAT)
    return bool(curved and (isinstance(point.noise, Mixed) or q[0] > SADDLE * q[1]))


def repeated(steps: Steps, temperature: float) -> Steps:
    """The same state with one more step, of no height."""
    y = steps.y[-1] if len(steps.y) else 1 / (temperature + steps.C)
    return steps._replace(q=np.append(steps.q, steps.q[-1]), y=np.append(steps.y, y))


def _site(point: Point, steps: Steps, r: Array) -> Averages:
    signal = point.m ** (point.noise.degree - 1)
    return hierarchy.averages(signal, steps.load * np.maximum(r, 0.0), steps.y, point.temperature)


def _settled(point: Point, whole: Steps) -> bool:
    """Whether a further step is known to gain nothing."""
    if len(whole.y) > 0:
        return bool(whole.q[-1] == whole.q[-2])
    if point.m > 0 and _stiffness(point, whole) * whole.C**2 < UNNOTICED:
        return True
    return point.temperature > 0 and not _climbs(point) and _replicon(point, whole) >= 0


def _nearly_settled(point: Point, whole: Steps) -> bool:
    """Whether the state is so close to stable that one more step, too small to resolve, gains < 1e-9."""
    if point.temperature > 0:
        return _is_state(point, whole) and _replicon(point, whole) > NEARLY_STABLE
    return len(whole.y) > 0 and bool(whole.q[-1] - whole.q[-2] < NEARLY_NO_STEP)


def _stiffness(point: Point, whole: Steps) -> float:
    return whole.load * point.noise.stiffness(float(whole.q[-1]), whole.C)


def _replicon(point: Point, whole: Steps) -> float:
    """1 - αβ² ζ̂''(q_k) ∫P_k sech⁴ βh: negative where q_k splits."""
    site = _site(point, whole, variances(point.noise, whole.q, whole.y, whole.C))
    return 1 - _stiffness(point, whole) * site.sech4 / point.temperature**2


def _climbs(point: Point) -> bool:
    return isinstance(point.noise, Mixed) and point.load is not None


def _gain(point: Point, steps: Steps, whole: Steps) -> float:
    """Of f; not defined, and not asked for, where the load is an unknown or `whole` is only a start."""
    return total(point, steps) - total(point, whole) if point.load is not None and _is_state(point, whole) else 0.0


def _is_state(point: Point, whole: Steps) -> bool:
    q = whole.q
    site = _site(point, whole, variances(point.noise, q, whole.y, whole.C))
    return bool(np.abs(site.q - q).max() < UNRESOLVED and abs(site.C - whole.C) < UNRESOLVED * whole.C)


def _encode(point: Point, steps: Steps) -> Array:
    q, y, C, load = steps
    T = point.temperature
    with np.errstate(divide="ignore"):
        ratios = logit(np.concatenate([q[:-1] / q[1:], y[:-1] / y[1:]]))
    rest = [np.log(y[-1] / (1 - T * y[-1])), np.log(C / q[-1])]
    return np.concatenate([ratios, rest if point.load is not None else [*rest, np.log(load)]])


def _decode(point: Point, t: Array) -> Steps:
    T = point.temperature
    load = math.exp(t[-1]) if point.load is None else point.load
    t = t[:-1] if point.load is None else t
    k = len(t) // 2
    y, C = (math.exp(v) / (1 + T * math.exp(v)) for v in t[-2:])
    ratios = expit(t[:-2])
    return Steps(_products(1 - T * C, ratios[:k]), _products(y, ratios[k:]), C, load)


def _products(last: float, ratios: Array) -> Array:
    """v_i with the given last and v_i = ratio_i v_{i+1}."""
    return np.cumprod(np.append(ratios, last)[::-1])[::-1]


def _residuals(point: Point, t: Array) -> Array:
    """What is left of the equations of q_0 .. q_{k-1}, y, C and, with the load unknown, m, each on its own scale."""
    steps = _decode(point, t)
    q, y, C, load = steps
    if isinstance(point.noise, Responding) and not gaps(q, y, C)[0] > 0:
        return np.full(len(t), OUTSIDE)
    r = variances(point.noise, q, y, C)
    site = _site(point, steps, r)
    rise, step = np.diff(q), np.diff(r)
    q_left = (q - site.q)[:-1] / (np.maximum(q[:-1], VANISHING) * rise / q[1:])
    y_left = (load * slopes(point.noise, q, y, C) - site.slopes) / (load * rise * step)
    C_left = [(C - site.C) / C]
    return np.concatenate([q_left, y_left, C_left if point.load is not None else [*C_left, point.m - site.m]])


def _climb(point: Point, start: Steps) -> Steps:
    """The maximum of f over q and y of a mixed p-spin glass, with q_0 = 0 where that is no worse."""
    t = _encode(point, start)
    with np.errstate(all="ignore"):
        found = minimize(partial(_descent, point), t, jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 200})
    steps = _decode(point, found.x)
    without = steps._replace(q=np.append(0.0, steps.q[1:]))
    fieldless = point.m == 0 and variances(point.noise, without.q, steps.y, steps.C)[0] == 0
    return without if fieldless and total(point, without) >= total(point, steps) - ROUNDING else steps


def _descent(point: Point, t: Array) -> tuple[float, Array]:
    """-f and its gradient in the unknowns."""
    if not np.abs(t).max() < FARTHEST:
        return np.inf, np.zeros_like(t)
    steps = _decode(point, t)
    (q, y, C, load), T, k = steps, point.temperature, len(t) // 2
    noise = point.noise
    r = variances(noise, q, y, C)
    site = _site(point, steps, r)
    f = load * free_energy(noise, q, y, C, r, T) - site.potential
    stiffness = np.array([noise.stiffness(v, C) for v in q])
    short = np.append((np.diff(np.append(0.0, y))) * (site.q - q)[:-1], (1 - T * y[-1]) * (C - site.C))
    q_slopes = q * load / 2 * stiffness * short
    y_slopes = y * (load * slopes(noise, q, y, C) - site.slopes)
    ratios = np.concatenate(
        [np.cumsum(q_slopes)[:-1] * (1 - expit(t[:k])), np.cumsum(y_slopes)[:-1] * (1 - expit(t[k:-2]))]
    )
    rest = [y_slopes.sum() * (1 - T * y[-1]), -T * C * q_slopes.sum()]
    return -f, -np.concatenate([ratios, rest])


def _starts(point: Point, whole: Steps) -> Iterator[Steps]:
    return _first(point, whole) if len(whole.y) == 0 else _further(point, whole)


def _first(point: Point, whole: Steps) -> Iterator[Steps]:
    """One step: at each C tried that of height and y next to a solution, the best first."""
    best = [
        min((_try(point, whole, *start) for start in product([C], HEIGHTS, ROUNDED)), key=itemgetter(0))
        for C in whole.C * np.array(SHRUNK if point.temperature == 0 else COOLED)
    ]
    yield from _onset(point, whole)
    yield from (start for _, start in sorted(best, key=itemgetter(0)))


def _onset(point: Point, whole: Steps) -> Iterator[Steps]:
    """One step where symmetry is hardly broken: its height and the fall of C follow from the replicon, or from C."""
    T, C = point.temperature, whole.C
    distance = FAR if T == 0 else -_replicon(point, whole)
    if distance >= FAR and point.m > 0:
        yield _with_step(point, whole, C / 4, min(_stiffness(point, whole) * C**2 / 2, 0.5), ROUNDED[1])
    elif 0 < distance < FAR and _is_state(point, whole):
        C *= 1 - 0.55 * distance
        start = _with_step(point, whole, C, min(1.4 * distance * T * C / (1 - T * C), 0.7), 1.0)
        yield min((start._replace(y=np.array([x / T])) for x in ONSETS), key=lambda start: _merit(point, start))


def _with_step(point: Point, whole: Steps, C: float, height: float, rounded: float) -> Steps:
    """A step of a height, as a part of q_1, with y√(αΔr) as given."""
    T = point.temperature
    q = (1 - T * C) * np.array([1 - height, 1.0])
    y = rounded / np.sqrt(whole.load * np.diff(variances(point.noise, q, np.array([NEGLIGIBLE]), C)))
    if isinstance(point.noise, Responding):
        y = np.minimum(y, (1 - C) / (2 * np.diff(q)))
    return whole._replace(q=q, y=y / (1 + T * y), C=C)


def _try(point: Point, whole: Steps, C: float, height: float, rounded: float) -> tuple[float, Steps]:
    start = _with_step(point, whole, C, height, rounded)
    return _merit(point, start), start


def _merit(point: Point, start: Steps) -> float:
    """What is small at a good start."""
    if _climbs(point):
        return -total(point, start)
    return float(np.abs(_residuals(point, _encode(point, start))).max())


def _further(point: Point, whole: Steps) -> Iterator[Steps]:
    """One step more: what varies smoothly along the steps does so from k to k + 1, or the last step splits alone."""
    t, k = np.maximum(_encode(point, whole), SHALLOW), len(whole.y)
    if isinstance(point.noise, Mixed):
        yield from _innermost(point, whole)
    for spacing in SPACINGS:
        q_ratios = (
            t[0] + spacing * np.array([-0.4, 1.5]) if k == 1 else _longer(t[:k]) + spacing * np.linspace(0, 1, k + 1)
        )
        if isinstance(point.noise, Responding):
            yield from _responding_start(point, whole, q_ratios)
        else:
            y_ratios = np.array([-0.4]) if k == 1 else _longer(t[k : 2 * k - 1]) + 0.3 * spacing * np.linspace(0, 1, k)
            rest = t[2 * k - 1 : 2 * k + 1] + np.array([spacing / k, -0.7 * spacing])
            yield _decode(point, np.concatenate([q_ratios, y_ratios, rest, t[2 * k + 1 :]]))


def _innermost(point: Point, whole: Steps) -> Iterator[Steps]:
    """q_k splits in two, the others stay: a glass of one step as it turns into one of many (Gardner 1985)."""
    T, C = point.temperature, 0.8 * whole.C
    before = np.append(np.maximum(whole.q[0], NEGLIGIBLE), whole.q[1:-1])
    tried = []
    for height in (0.1, 0.03, 0.01, 0.003):
        q = np.concatenate([before, (1 - T * C) * np.array([1 - height, 1.0])])
        rounded = ROUNDED[1] / np.sqrt(whole.load * np.diff(point.noise.variance(q[-2:], C)))
        y = np.append(whole.y, rounded / (1 + T * rounded))
        if q[-2] > q[-3] and y[-1] > y[-2]:
            tried.append(whole._replace(q=q, y=y, C=C))
    yield from sorted(tried, key=lambda start: -total(point, start))[:2]


def _responding_start(point: Point, whole: Steps, q_ratios: Array) -> Iterator[Steps]:
    """p = 2: D_0 hardly depends on k, and the ln D_j/D_{j-1} vary smoothly."""
    D, k = gaps(*whole[:3]), len(whole.y)
    falls = np.diff(np.log(D))
    for growth in (0.45, 0.12) if point.temperature == 0 else (0.12, 0.02):
        pattern = np.array([0.42, 0.58]) if k == 1 else np.maximum(_longer(falls), falls.min() / 2)
        more = D[0] * np.exp(np.cumsum(np.append(0.0, pattern / pattern.sum() * falls.sum() * (1 + growth / k**2))))
        C = 1 - float(more[-1])
        if C > 0:
            q = _products(1 - point.temperature * C, expit(q_ratios))
            yield whole._replace(q=q, y=np.diff(more) / np.diff(q), C=C)


def _longer(values: Array) -> Array:
    """The same curve through one point more."""
    k = len(values)
    old, new = (np.arange(k) + 0.5) / k, (np.arange(k + 1) + 0.5) / (k + 1)
    return np.asarray(CubicSpline(old, values)(new) if k > 2 else np.polyval(np.polyfit(old, values, k - 1), new))
