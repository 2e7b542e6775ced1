"""Two-layer networks in time: SciPy's integrators, a compiled one of fixed step, and states at rest.

The energy of a network whose Lagrangians are convex never rises. All three see to it: from one reported state to the
next it rises by at most RISE (1 + |E|), and what cannot keep that is refused.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import solve_ivp

from ..errors import Refused, whole
from ..kernels import two_layer as kernels
from . import lagrangians
from .lagrangians import Lagrangian, positive
from .two_layer import TwoLayer

Floats = NDArray[np.float64]
Method = Literal["RK45", "DOP853", "LSODA", "BDF", "Radau"]
EXPLICIT, IMPLICIT = ("RK45", "DOP853"), ("LSODA", "BDF", "Radau")
ORDERS = (kernels.EULER, kernels.RUNGE_KUTTA)
RISE = 1e-9
MOST_STEPS = 2**31


@dataclass(frozen=True, eq=False)
class Trajectory:
    """States at times [T]: v [T, ..., N], h [T, ..., K] and the energy [T, ...]; in the adiabatic limit h = ξ g."""

    times: Floats
    v: Floats
    h: Floats
    energy: Floats

    @property
    def highest_rise(self) -> float:
        """The most by which the energy rises from one time to the next; 0 where it never does."""
        return float(np.diff(self.energy, axis=0).max(initial=0.0))


@dataclass(frozen=True, eq=False)
class Settled:
    """Where starts came to rest: v [..., N], h [..., K], energy [...], the time that it took [...] and whether it did.

    Where settled is false, `times` is the longest time allowed. highest_rise is that of the energy in any step.
    """

    v: Floats
    h: Floats
    energy: Floats
    times: Floats
    settled: NDArray[np.bool_]
    highest_rise: Floats


def integrate(
    network: TwoLayer,
    v: ArrayLike,
    h: ArrayLike | None = None,
    *,
    times: ArrayLike,
    method: Method,
    accuracy: float = 1e-9,
) -> Trajectory:
    """From v [..., N] and h [..., K] at times[0] by SciPy's solve_ivp, reported at times [T]; h = ξ g if not given.

    RK45 and DOP853 are explicit; LSODA, BDF and Radau are for stiff networks (τ_h ≪ τ_f) and are given the exact
    Jacobian. accuracy is the relative error of a step, its hundredth the absolute one. Every start is followed alone.
    """
    if method not in EXPLICIT + IMPLICIT:
        raise Refused(f"method must be one of {', '.join(EXPLICIT + IMPLICIT)}, got {method!r}")
    moments = _times(times)
    starts, shape = _starts(network, v, h)
    found = np.stack(
        [_follow(network, start, moments, method, positive("accuracy", accuracy)) for start in starts], axis=1
    )
    return _trajectory(network, moments, found, shape)


def march(
    network: TwoLayer,
    v: ArrayLike,
    h: ArrayLike | None = None,
    *,
    step: float,
    steps: int,
    every: int = 1,
    order: Literal[1, 4] = 4,
) -> Trajectory:
    """Compiled: `steps` steps of fixed length, Euler (order 1) or Runge-Kutta (4), reported after each `every`.

    In the adiabatic limit order 1 with step τ_f is TwoLayer.update. A step after which the energy would be higher is
    taken in as many parts as it needs.
    """
    if order not in ORDERS:
        raise Refused(f"order must be 1 (Euler) or 4 (Runge-Kutta), got {order!r}")
    count, spacing = whole("steps", steps, 0), whole("every", every, 1)
    if count % spacing:
        raise Refused(f"steps must be a multiple of every = {spacing}, got {count}")
    records = count // spacing + 1
    starts, shape = _starts(network, v, h)
    states = np.empty((records, *starts.shape))
    states[0] = starts
    length = positive("step", step)
    failed = kernels.march(*_constants(network), order, _tolerance(network), length, spacing, states)
    _check(network, failed)
    return _trajectory(network, length * spacing * np.arange(records, dtype=np.float64), states, shape)


def settle(
    network: TwoLayer,
    v: ArrayLike,
    h: ArrayLike | None = None,
    *,
    residual: float = 1e-9,
    longest: float = 1e3,
    step: float | None = None,
) -> Settled:
    """Compiled Runge-Kutta steps until the rates vanish: no |ξᵀ f + I - v| and no |ξ g - h| exceeds residual.

    longest is the most time, in units of τ_f, that a start is given, one step at least. step is a quarter of
    1/(1/τ_f + 1/τ_h) if not given, with which a network is stable near its minima.
    """
    starts, shape = _starts(network, v, h)
    slowest = network.feature_time
    fastest = slowest if network.adiabatic else 1 / (1 / slowest + 1 / network.hidden_time)
    length = fastest / 4 if step is None else positive("step", step)
    with np.errstate(over="ignore", divide="ignore"):
        wanted = np.float64(positive("longest", longest)) * slowest / length
    if not wanted < MOST_STEPS:
        raise Refused(
            f"longest = {longest:g} needs {wanted:.3g} steps of {length:.3g}; lower it, or give a longer step"
        )
    most = int(np.ceil(wanted))
    energies, rises = np.empty(len(starts)), np.empty(len(starts))
    steps = np.empty(len(starts), dtype=np.int64)
    controls = kernels.RUNGE_KUTTA, _tolerance(network), length, most, positive("residual", residual)
    failed = kernels.settle(*_constants(network), *controls, starts, energies, steps, rises)
    _check(network, failed)
    times = length * np.where(steps < 0, most, steps)
    at_rest, (features, hidden) = steps >= 0, _split(network, starts, shape)
    return Settled(
        features, hidden, energies.reshape(shape), times.reshape(shape), at_rest.reshape(shape), rises.reshape(shape)
    )


def _follow(network: TwoLayer, start: Floats, times: Floats, method: Method, accuracy: float) -> Floats:
    """[T, N + K] from one start."""
    neurons = network.neurons
    moving = slice(neurons if network.adiabatic else None)

    def halves(y: Floats) -> tuple[Floats, Floats | None]:
        return y[:neurons], None if network.adiabatic else y[neurons:]

    def rates(_: float, y: Floats) -> Floats:
        return np.concatenate(network.rates(*halves(y)))[moving]

    def jacobian(_: float, y: Floats) -> Floats:
        return network.jacobian(*halves(y))

    exact: dict[str, Any] = {"jac": jacobian} if method in IMPLICIT else {}
    with np.errstate(over="ignore", invalid="ignore"):
        found = solve_ivp(
            rates,
            (float(times[0]), float(times[-1])),
            start[moving],
            method=method,
            t_eval=times,
            rtol=accuracy,
            atol=accuracy / 100,
            **exact,
        )
    if not found.success or not np.isfinite(found.y).all():
        raise Refused(f"{method} gave up after time {found.t[-1] if found.t.size else times[0]:g}: {found.message}")
    states = np.empty((len(times), len(start)))
    states[:, moving] = found.y.T
    if network.adiabatic:
        states[:, neurons:] = network.followed(found.y.T)
    return states


def _starts(network: TwoLayer, v: ArrayLike, h: ArrayLike | None) -> tuple[Floats, tuple[int, ...]]:
    """States [R, N + K] and the shape of the batch."""
    features = network.features(v)
    if h is not None and network.adiabatic:
        raise Refused("hidden_time = 0 has h = ξ g at every moment: leave h out")
    hidden = network.followed(features) if h is None else network.hiddens(h)
    shape = np.broadcast_shapes(features.shape[:-1], hidden.shape[:-1])
    both = [np.broadcast_to(array, (*shape, array.shape[-1])) for array in (features, hidden)]
    states = np.concatenate(both, axis=-1).reshape(-1, network.neurons + network.memories)
    if not np.isfinite(states).all():
        raise Refused("a network must start from finite numbers")
    return states, shape


def _split(network: TwoLayer, states: Floats, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    both = states.reshape(*shape, states.shape[-1])
    return both[..., : network.neurons], both[..., network.neurons :]


def _trajectory(network: TwoLayer, times: Floats, states: Floats, shape: tuple[int, ...]) -> Trajectory:
    v, h = _split(network, states, (len(times), *shape))
    energy = network.energy(v, None if network.adiabatic else h)
    rises = np.diff(energy, axis=0) > RISE * (1 + np.abs(energy[1:]))
    if network.descent and rises.any():
        raise Refused("the energy rose, which it cannot: ask for a higher accuracy or a shorter step")
    return Trajectory(times, v, h, energy)


_CODES = {
    lagrangians.Identity: kernels.IDENTITY,
    lagrangians.Relu: kernels.RECTIFIED_POLYNOMIAL,
    lagrangians.RectifiedPolynomial: kernels.RECTIFIED_POLYNOMIAL,
    lagrangians.Power: kernels.POWER,
    lagrangians.Exponential: kernels.EXPONENTIAL,
    lagrangians.LogCosh: kernels.LOG_COSH,
    lagrangians.Absolute: kernels.ABSOLUTE,
    lagrangians.HardTanh: kernels.HARD_TANH,
    lagrangians.Sigmoid: kernels.SIGMOID,
    lagrangians.Softmax: kernels.SOFTMAX,
    lagrangians.Spherical: kernels.SPHERICAL,
    lagrangians.LayerNorm: kernels.LAYER_NORM,
}


def _constants(network: TwoLayer) -> tuple[Floats, Floats, tuple[tuple[int, float], ...], tuple[float, float]]:
    layers = (_coded(network.feature), _coded(network.hidden))
    return network.patterns, network.currents, layers, (network.feature_time, network.hidden_time)


def _coded(lagrangian: Lagrangian) -> tuple[int, float]:
    if type(lagrangian) not in _CODES:
        raise Refused(f"{lagrangian} is not compiled; use integrate")
    degree = 2 if isinstance(lagrangian, lagrangians.Relu) else 0
    named = (getattr(lagrangian, name, 0) for name in ("degree", "beta", "epsilon"))
    return _CODES[type(lagrangian)], float(max(degree, *named))


def _tolerance(network: TwoLayer) -> float:
    return RISE if network.descent else np.inf


def _check(network: TwoLayer, failed: int) -> None:
    if failed >= 0:
        raise Refused(
            f"start {failed} left the finite numbers, or its energy would not fall in any step: the energy of "
            f"{network.feature} features and {network.hidden} hidden neurons may have no lower bound"
        )


def _times(times: ArrayLike) -> Floats:
    moments = np.asarray(times, dtype=np.float64)
    if moments.ndim != 1 or len(moments) < 2 or not np.isfinite(moments).all() or (np.diff(moments) <= 0).any():
        raise Refused("times must be two or more finite numbers that increase")
    return moments
