"""The field of a neuron when replicas form a hierarchy: nested Gaussian averages, each level with its own tilt.

With variances w_0 <= ... <= w_k of the field, Δ_j = w_j - w_{j-1} and y_j = βx_j (Parisi 1980, in units of energy)

    φ_k(h) = T ln 2cosh(h/T),   φ_{j-1}(h) = (1/y_j) ln ∫Dz exp[y_j φ_j(h + z√Δ_j)],   Φ = ∫Dz φ_0(a + z√w_0)

and P_j is the tilted law of the field at level j: P_0 the Gaussian of mean a, P_j the law of h + z√Δ_j with h from
P_{j-1} and z weighted by exp(y_j φ_j). Then

    ∂Φ/∂a = ∫P_0 φ_0',   q_j = ∫P_j φ_j'²,   C = ∫P_k φ_k'',   y_j ∂Φ/∂y_j = ∫P_j φ_j - ∫P_{j-1} φ_{j-1}
    ∂Φ/∂w_j = (y_j - y_{j+1}) q_j / 2 for j < k, y_0 = 0;   ∂Φ/∂w_k = (C + y_k q_k)/2

φ_j is even and is |h| + Σ_{i>j} y_i Δ_i/2 far from h = 0, so only the difference lives on a grid, h >= 0. The tilt
exp(y|h|) moves the Gaussian by yΔ and never appears as a large number. The grid is uniform: there the trapezoidal rule
for smooth functions converges faster than any power of the spacing. The innermost integral, whose kink at h = 0 may be
sharp, is done off the grid: with error functions at T = 0, with panels of width ~T besides at small T.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.special import erf, ndtr

from . import gaussian
from .gaussian import Array

REACH = 8.5  # standard deviations
RIM = 18.0  # temperatures: 1 - tanh(18) is zero to rounding
CELLS_PER_SPREAD, CELLS_PER_TILT, CELLS_PER_TEMPERATURE = 3.5, 6.0, 7.0
MOST_CELLS = 8_000
SMALLEST = 1e-15  # steps of variance below this part of the whole are none
COARSE = 1.5  # in cells: a sampled Gaussian at least this wide integrates exactly to rounding
TAPER = 6.0  # in cells: width of the Gaussian taper of the sinc that stands for narrower ones
FREQUENCIES = np.linspace(0, np.pi + REACH / TAPER, 400)
PASSBAND = (erf((np.pi + FREQUENCIES) * TAPER / np.sqrt(2)) + erf((np.pi - FREQUENCIES) * TAPER / np.sqrt(2))) / 2
PANELS = np.array([0.0, 1.0, 2.0, 3.5, 5.0, 7.0, 10.0, RIM])
NODES = (PANELS[:-1, None] + np.diff(PANELS)[:, None] * (1 + gaussian.ABSCISSAE) / 2).ravel()
NODE_WEIGHTS = (np.diff(PANELS)[:, None] * gaussian.WEIGHTS / 2).ravel()


class Averages(NamedTuple):
    """Φ, m = ∂Φ/∂a, overlaps q_0 .. q_k, C, ∂Φ/∂y_1 .. ∂Φ/∂y_k; ∫P_k of the binary entropy and of sech⁴ βh."""

    potential: float
    m: float
    q: Array
    C: float
    slopes: Array
    entropy: float
    sech4: float


class _Level(NamedTuple):
    """On the grid: δ = φ - |h| - its limit, φ', and from one level in ∫φ_{j+1} - φ_j and the norm ∫exp(y δ_{j+1})."""

    delta: Array
    magnetisation: Array
    gain: Array
    norm: Array


class _Inner(NamedTuple):
    """Averages over the innermost field, given the field one level out: φ'', entropy, sech⁴."""

    curvature: Array
    entropy: Array
    sech4: Array


def averages(mean: float, variances: Array, tilts: Array, temperature: float) -> Averages:
    """All averages at mean a >= 0, variances w_0 <= ... <= w_k and tilts y_1 <= ... <= y_k > 0, T >= 0."""
    kept = np.diff(variances) > SMALLEST * variances[-1]
    if not kept.all():
        return _without_idle_steps(mean, variances, tilts, temperature, kept)
    if len(tilts) == 0:
        return _single(mean, float(np.sqrt(variances[0])), temperature)
    grid = _Grid(np.diff(variances), float(tilts[-1]), temperature)
    steps = [_Step(grid, step, tilt) for step, tilt in zip(np.diff(variances), tilts, strict=True)]
    level, inner = _innermost(steps[-1], temperature)
    levels = [level]
    for step in steps[-2::-1]:
        levels.append(_outwards(step, levels[-1].delta, levels[-1].magnetisation))
    return _collect(grid, steps, levels[::-1], inner, mean, float(variances[0]), temperature)


def _without_idle_steps(mean: float, variances: Array, tilts: Array, temperature: float, kept: Array) -> Averages:
    """Steps of no variance change nothing, but a grid would have to resolve them."""
    answer = averages(mean, variances[np.append(True, kept)], tilts[kept], temperature)
    slopes = np.zeros(len(tilts))
    slopes[kept] = answer.slopes
    return answer._replace(q=answer.q[np.cumsum(np.append(0, kept))], slopes=slopes)


class _Grid:
    """h = 0, dh, 2dh, ...: fine enough for φ_{k-1}, long enough for δ to vanish to rounding at its end."""

    def __init__(self, steps: Array, tilt: float, temperature: float) -> None:
        self.spread = float(np.sqrt(steps.sum()))
        fine = min(float(np.sqrt(steps[-1])) / CELLS_PER_SPREAD, 1 / (CELLS_PER_TILT * tilt))
        self.panels = fine > temperature / CELLS_PER_TEMPERATURE
        length = REACH * self.spread + RIM * temperature
        self.cell = max(fine, temperature / CELLS_PER_TEMPERATURE, length / MOST_CELLS)
        self.h = np.arange(int(np.ceil(length / self.cell)) + 1) * self.cell
        self.weights = np.ones_like(self.h)
        self.weights[0] = 0.5


class _Step:
    """The average over h + z√Δ with weight exp(y|·|), for even (sign 1) and odd (sign -1) functions on h >= 0."""

    def __init__(self, grid: _Grid, step: float, tilt: float) -> None:
        self.grid, self.step, self.tilt = grid, float(step), float(tilt)
        self.mirror = np.exp(-2 * tilt * grid.h)

    @cached_property
    def kernel(self) -> tuple[int, Array]:
        """The Gaussian of variance Δ moved by yΔ, on the cells from the returned one on."""
        width, shift = float(np.sqrt(self.step)) / self.grid.cell, self.tilt * self.step / self.grid.cell
        if width >= COARSE:
            low, high = int(np.floor(shift - REACH * width)), int(np.ceil(shift + REACH * width))
            z: Array = (np.arange(low, high + 1.0) - shift) / width
            return low, np.asarray(np.exp(-z * z / 2) / (width * np.sqrt(2 * np.pi)))
        reach = int(REACH * np.hypot(TAPER, width))
        cells = np.arange(-reach, reach + 1.0)
        tilted = np.exp(self.tilt * (self.grid.cell * cells - self.tilt * self.step / 2))
        return -reach, _narrow(cells, width) * tilted

    @cached_property
    def h(self) -> Array:
        """The fields that the kernel reaches from the grid, beyond its end."""
        low, kernel = self.kernel
        return np.asarray(np.arange(len(self.grid.h) + low + len(kernel) - 1) * self.grid.cell)

    def widened(self, values: Array, limit: float) -> Array:
        """Values on the grid as values on self.h."""
        return np.concatenate([values, np.full(len(self.h) - len(values), limit)])

    def outwards(self, values: Array, sign: int) -> Array:
        """The average of values on self.h, as a function on the grid."""
        low, kernel = self.kernel
        n = len(self.grid.h)
        first = 1 - n + low
        line = np.concatenate([np.zeros(max(-first, 0)), values[max(first, 0) :]])
        if first <= 0:
            line[-first] /= 2  # h = 0 belongs to either side
        both: Array = np.correlate(line, kernel, mode="valid")
        return np.asarray(both[n - 1 :] + sign * self.mirror * both[n - 1 :: -1])

    def inwards(self, law: Array) -> Array:
        """The transpose on even functions: a law on the grid moved one level in, before the weight exp(yδ)."""
        low, kernel = self.kernel
        n = len(law)
        both = np.convolve(np.concatenate([(self.mirror * law)[:0:-1], 2 * law[:1], law[1:]]), kernel)
        start = n - 1 - low
        moved = both[start:] if start >= 0 else np.concatenate([np.zeros(-start), both])
        return np.asarray(moved[:n] * self.grid.weights)


def _narrow(cells: Array, width: float) -> Array:
    """A Gaussian of any width as a tapered sinc, in cells: exact on functions that the grid resolves."""
    spectrum = np.exp(-((width * FREQUENCIES) ** 2) / 2) * PASSBAND
    spectrum[0] /= 2
    return np.asarray(np.cos(np.multiply.outer(cells, FREQUENCIES)) @ spectrum * (FREQUENCIES[1] / np.pi))


def _level(step: _Step, norm: Array, magnetisation: Array, inside: Array) -> _Level:
    delta = np.log(norm) / step.tilt
    gain = inside / norm - (step.grid.h + step.tilt * step.step / 2 + delta)
    return _Level(delta, magnetisation / norm, gain, norm)


def _outwards(step: _Step, delta: Array, magnetisation: Array) -> _Level:
    delta = step.widened(delta, 0.0)
    weight = np.exp(step.tilt * delta)
    return _level(
        step,
        step.outwards(weight, 1),
        step.outwards(weight * step.widened(magnetisation, 1.0), -1),
        step.outwards(weight * (step.h + delta), 1),
    )


def _innermost(step: _Step, temperature: float) -> tuple[_Level, _Inner]:
    if not step.grid.panels:
        return _innermost_on_grid(step, temperature)
    h, width, tilt = step.grid.h, np.sqrt(step.step), step.tilt
    drift = tilt * step.step
    above, below = ndtr((h + drift) / width), step.mirror * ndtr((drift - h) / width)
    density = np.exp(-(((h + drift) / width) ** 2) / 2) / (width * np.sqrt(2 * np.pi))
    norm, magnetisation = above + below, above - below
    inside = (h + drift) * above + (drift - h) * below + 2 * step.step * density
    if temperature == 0:
        nothing = np.zeros_like(h)
        return _level(step, norm, magnetisation, inside), _Inner(2 * density / norm, nothing, nothing)
    x, weights = NODES, temperature * NODE_WEIGHTS / (width * np.sqrt(2 * np.pi))
    right = np.exp(-(((temperature * x - h[:, None] - drift) / width) ** 2) / 2) * weights
    left = np.exp(-(((temperature * x + h[:, None] - drift) / width) ** 2) / 2) * weights * step.mirror[:, None]
    even = right + left
    t, delta, entropy = _neuron(x)
    weight = np.exp(tilt * temperature * delta)
    norm = norm + even @ (weight - 1)
    sech2 = weight * (1 - t * t)
    level = _level(
        step,
        norm,
        magnetisation + (right - left) @ (weight * t - 1),
        inside + temperature * (even @ (weight * (x + delta) - x)),
    )
    curvature, entropy, sech4 = (
        even @ values / norm for values in (sech2 / temperature, weight * entropy, sech2 * (1 - t * t))
    )
    return level, _Inner(curvature, entropy, sech4)


def _innermost_on_grid(step: _Step, temperature: float) -> tuple[_Level, _Inner]:
    t, delta, entropy = _neuron(step.h / temperature)
    n = len(step.grid.h)
    level = _outwards(step, temperature * delta[:n], t[:n])
    weight, sech2 = np.exp(step.tilt * temperature * delta), 1 - t * t
    curvature, entropy, sech4 = (
        step.outwards(weight * values, 1) / level.norm for values in (sech2 / temperature, entropy, sech2 * sech2)
    )
    return level, _Inner(curvature, entropy, sech4)


def _neuron(x: Array) -> tuple[Array, Array, Array]:
    """tanh x, ln 2cosh x - x and the entropy ln 2cosh x - x tanh x at x >= 0."""
    decay = np.exp(-2 * x)
    delta = np.log1p(decay)
    return np.tanh(x), delta, delta + 2 * x * decay / (1 + decay)


def _collect(
    grid: _Grid,
    steps: list[_Step],
    levels: list[_Level],
    inner: _Inner,
    mean: float,
    variance: float,
    temperature: float,
) -> Averages:
    even, odd = _outermost(grid, mean, variance)
    smooth = max(grid.spread, temperature)
    reference = gaussian.log_2cosh(grid.h, smooth, 0.0)
    slope = erf(grid.h / (np.sqrt(2) * smooth))
    total = np.hypot(np.sqrt(variance), smooth)
    limit = sum(step.tilt * step.step for step in steps) / 2
    outer = levels[0]
    potential = limit + float(gaussian.log_2cosh(mean, total, 0.0)) + even @ (grid.h + outer.delta - reference)
    m = float(erf(mean / (np.sqrt(2) * total))) + odd @ (outer.magnetisation - slope)
    q: list[float] = []
    slopes: list[float] = []
    for j, (step, level) in enumerate(zip(steps, levels, strict=True)):
        q.append(1 - float(even @ (1 - level.magnetisation**2)))
        drift = step.tilt * step.step / 2
        slopes.append((drift + float(even @ (level.gain - drift))) / step.tilt)
        if j < len(steps) - 1:
            even = step.inwards(even / level.norm) * np.exp(step.tilt * levels[j + 1].delta)
    curvature, entropy, sech4 = (float(even @ values) for values in inner)
    q.append(1 - temperature * curvature)
    return Averages(float(potential), float(m), np.array(q), curvature, np.array(slopes), entropy, sech4)


def _outermost(grid: _Grid, mean: float, variance: float) -> tuple[Array, Array]:
    """Weights of the averages of even and of odd functions over P_0."""
    width = float(np.sqrt(variance)) / grid.cell
    ahead, behind = grid.h / grid.cell - mean / grid.cell, grid.h / grid.cell + mean / grid.cell
    if width >= COARSE:
        right, left = (np.exp(-((z / width) ** 2) / 2) / (width * np.sqrt(2 * np.pi)) for z in (ahead, behind))
    else:
        near = REACH * np.hypot(TAPER, width)
        right, left = (
            np.where(np.abs(z) < near, _narrow(np.clip(z, -near, near), width), 0.0) for z in (ahead, behind)
        )
    return (right + left) * grid.weights, (right - left) * grid.weights


def _single(mean: float, spread: float, temperature: float) -> Averages:
    answer = gaussian.response(mean, spread, temperature)
    return Averages(
        float(gaussian.log_2cosh(mean, spread, temperature)),
        float(answer.m),
        np.array([float(answer.q)]),
        float(answer.C),
        np.empty(0),
        float(gaussian.entropy(mean, spread, temperature)),
        float(gaussian.sech4(mean, spread, temperature)) if temperature > 0 else 0.0,
    )
