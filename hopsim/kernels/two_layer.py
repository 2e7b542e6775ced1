"""Two-layer networks of continuous neurons in time: many starts, steps of fixed length, guarded by the energy.

A state is y = (v, h), float64[N + K]; ξ is float64[K, N]. A layer is a pair (code, parameter) of one of the Lagrangians
below; the parameter is the degree, β or ε. `times` are τ_f and τ_h; τ_h = 0 is the adiabatic limit, h = ξ g at every
moment. The products with ξ give the rates and, at no further cost, the energy, so that every step is checked: one that
ends higher than it began by more than tolerance (1 + |E|), or not at a finite energy, is cut in two.
"""

import numpy as np
from numba import njit

(
    IDENTITY,
    RECTIFIED_POLYNOMIAL,
    POWER,
    EXPONENTIAL,
    LOG_COSH,
    ABSOLUTE,
    HARD_TANH,
    SIGMOID,
    SOFTMAX,
    SPHERICAL,
    LAYER_NORM,
) = range(11)
EULER, RUNGE_KUTTA = 1, 4
SMALLEST_PART = 2.0**-30


@njit(cache=True, nogil=True, error_model="numpy")
def activate(code, parameter, x, out):
    """Fill out with f = ∂L/∂x; returns the Legendre transform x·f - L."""
    n, total = len(x), 0.0
    if code == SOFTMAX:
        highest, weight = x[0], 0.0
        for i in range(n):
            highest = max(highest, x[i])
        for i in range(n):
            out[i] = np.exp(parameter * (x[i] - highest))
            weight += out[i]
        for i in range(n):
            out[i] /= weight
            total += out[i] * (x[i] - highest)
        return total - np.log(weight) / parameter
    if code in (SPHERICAL, LAYER_NORM):
        mean, largest = 0.0, 0.0
        for i in range(n):
            mean += x[i] / n
            largest = max(largest, abs(x[i]))
        if code == SPHERICAL:
            mean = 0.0
        scale = largest if largest > 0 else 1.0
        for i in range(n):
            out[i] = (x[i] - mean) / scale
            total += out[i] ** 2
        spread = np.sqrt(total) if code == SPHERICAL else np.sqrt(total / n + parameter / scale / scale)
        for i in range(n):
            out[i] = out[i] / spread if spread > 0 else 0.0
        return 0.0 if code == SPHERICAL else -n * parameter / (scale * spread)
    for i in range(n):
        a = x[i]
        if code == IDENTITY:
            out[i] = a
            total += a * a / 2
        elif code in (RECTIFIED_POLYNOMIAL, POWER):
            if code == RECTIFIED_POLYNOMIAL:
                a = max(a, 0.0)
            out[i] = a ** (int(parameter) - 1)
            total += (1 - 1 / parameter) * out[i] * a
        elif code == EXPONENTIAL:
            out[i] = np.exp(a)
            total += out[i] * (a - 1)
        elif code == LOG_COSH:
            out[i] = np.tanh(parameter * a)
            total += out[i] * a - abs(a) - (np.log1p(np.exp(-2 * parameter * abs(a))) - np.log(2.0)) / parameter
        elif code == ABSOLUTE:
            out[i] = np.sign(a)
        elif code == HARD_TANH:
            out[i] = min(max(parameter * a, -1.0), 1.0)
            total += out[i] ** 2 / (2 * parameter)
        else:
            small = np.exp(-parameter * abs(a))
            out[i] = 1 / (1 + small) if a >= 0 else small / (1 + small)
            total += out[i] * a - max(a, 0.0) - np.log1p(small) / parameter
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _dot(a, b):
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _copy(a, b):
    for i in range(len(a)):
        b[i] = a[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _rates(patterns, inputs, layers, times, y, rates, outputs):
    """Fill rates dy/dt and outputs (g, f), and h of y where it follows v; returns the energy."""
    neurons = patterns.shape[1]
    v, h, g, f = y[:neurons], y[neurons:], outputs[:neurons], outputs[neurons:]
    to_v, to_h = rates[:neurons], rates[neurons:]
    energy = activate(layers[0][0], layers[0][1], v, g)
    energy -= _dot(inputs, g)
    for k in range(len(h)):
        to_h[k] = _dot(patterns[k], g)
    if times[1] == 0:
        _copy(to_h, h)
    energy += activate(layers[1][0], layers[1][1], h, f)
    energy -= _dot(f, to_h)
    for i in range(neurons):
        to_v[i] = inputs[i] - v[i]
    for k in range(len(h)):
        if f[k] != 0:
            for i in range(neurons):
                to_v[i] += f[k] * patterns[k, i]
        to_h[k] = 0.0 if times[1] == 0 else (to_h[k] - h[k]) / times[1]
    for i in range(neurons):
        to_v[i] /= times[0]
    return energy


@njit(cache=True, nogil=True, error_model="numpy")
def _propose(patterns, inputs, layers, times, order, step, y, work):
    """One step from y with rates work[0] to work[1]; the others are scratch."""
    rates, trial, slope, outputs, total = work
    size = len(y)
    _copy(rates, total)
    _copy(rates, slope)
    if order == RUNGE_KUTTA:
        for share, weight in ((0.5, 2.0), (0.5, 2.0), (1.0, 1.0)):
            for i in range(size):
                trial[i] = y[i] + share * step * slope[i]
            _rates(patterns, inputs, layers, times, trial, slope, outputs)
            for i in range(size):
                total[i] += weight * slope[i]
        step /= 6
    for i in range(size):
        trial[i] = y[i] + step * total[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _advance(patterns, inputs, layers, times, order, tolerance, step, y, energy, work):
    """Move y by one step in as many parts as it takes; returns the energy, nan if none of them would do."""
    rates, trial, slope, outputs, _ = work
    left = part = step
    while left > 0:
        _propose(patterns, inputs, layers, times, order, part, y, work)
        after = _rates(patterns, inputs, layers, times, trial, slope, outputs)
        if np.isfinite(after) and after <= energy + tolerance * (1 + abs(energy)):
            _copy(trial, y)
            _copy(slope, rates)
            energy = after
            left -= part
            part = min(2 * part, left)
        else:
            part /= 2
            if part < SMALLEST_PART * step:
                return np.nan
    return energy


@njit(cache=True, nogil=True, error_model="numpy")
def _pull(y, rates, times, neurons):
    """The largest |τ dy/dt|."""
    pull = 0.0
    for i in range(len(y)):
        pull = max(pull, abs(times[0 if i < neurons else 1] * rates[i]))
    return pull


@njit(cache=True, nogil=True, error_model="numpy")
def _scratch(size):
    return np.empty(size), np.empty(size), np.empty(size), np.empty(size), np.empty(size)


@njit(cache=True, nogil=True, error_model="numpy")
def march(patterns, inputs, layers, times, order, tolerance, step, every, states):
    """states[0, r] is start r; fill states[t, r] after t times `every` steps.

    Returns the first start that could not be followed, -1 if there is none.
    """
    records, starts, size = states.shape
    work = _scratch(size)
    y = np.empty(size)
    for r in range(starts):
        _copy(states[0, r], y)
        energy = _rates(patterns, inputs, layers, times, y, work[0], work[3])
        _copy(y, states[0, r])
        for t in range(1, records):
            for _ in range(every):
                energy = _advance(patterns, inputs, layers, times, order, tolerance, step, y, energy, work)
                if np.isnan(energy):
                    return r
            _copy(y, states[t, r])
    return -1


@njit(cache=True, nogil=True, error_model="numpy")
def settle(patterns, inputs, layers, times, order, tolerance, step, most, residual, states, energies, steps, rises):
    """Move states[r] until no |τ dy/dt| exceeds residual.

    Fills the energies at the end, the numbers of steps, -1 where `most` were not enough, and the highest rise of the
    energy in a step. Returns the first start that could not be followed, -1 if there is none.
    """
    neurons, size = patterns.shape[1], states.shape[1]
    work = _scratch(size)
    for r in range(len(states)):
        y = states[r]
        energy = _rates(patterns, inputs, layers, times, y, work[0], work[3])
        steps[r], rises[r] = -1, 0.0
        for t in range(most + 1):
            if _pull(y, work[0], times, neurons) <= residual:
                steps[r] = t
                break
            if t == most:
                break
            after = _advance(patterns, inputs, layers, times, order, tolerance, step, y, energy, work)
            if np.isnan(after):
                return r
            rises[r] = max(rises[r], after - energy)
            energy = after
        energies[r] = energy
    return -1
