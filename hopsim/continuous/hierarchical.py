"""Hierarchical associative memory: any number of layers of continuous neurons, coupled to their neighbours.

Krotov, "Hierarchical Associative Memory" (2021). Layer A = 0, 1, ... has potentials x_A, a Lagrangian L_A with
activities g_A = ∂L_A/∂x_A, and a time constant τ_A; P_A is the synapse from layer A to layer A + 1 (synapses.py):

    τ_A dx_A/dt = P_{A-1}(g_{A-1}) + (∂P_A/∂g_A)ᵀ g_{A+1} + I_A - x_A,

    E = Σ_A [(x_A - I_A)·g_A - L_A(x_A)] - Σ_A g_{A+1}·P_A(g_A),     dE/dt = -Σ_A τ_A ẋ_Aᵀ H_A ẋ_A,

H_A the Hessian of L_A: the energy never rises where all L_A are convex. Two layers are the network of two_layer.py;
with a linear visible layer and softmax above, one sweep of `settle` is softmax attention.

A state is a tuple of potentials float64[samples, *shape of the layer], one array a layer; samples do not interact.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import solve_ivp

from ..errors import Refused, numbers, real, whole
from .lagrangians import Lagrangian
from .synapses import Floats, Plastic, Shape, Synapse

State = tuple[Floats, ...]
Scipy = Literal["RK45", "DOP853", "LSODA", "BDF", "Radau"]
HALVINGS = 40  # of a step that would raise the energy
ROUNDING = 1e-13  # of the size of the terms of the energy


@dataclass(frozen=True)
class Layer:
    """Neurons of one kind: shape, Lagrangian and time constant τ > 0.

    A Lagrangian that is no sum over neurons (softmax, norms) is one of the whole layer, or with per_site = True one
    of the channels (the first axis) at every site of an image.
    """

    shape: Shape
    lagrangian: Lagrangian
    tau: float = 1.0
    per_site: bool = False

    def __post_init__(self) -> None:
        shape = self.shape if isinstance(self.shape, Sequence) else (self.shape,)
        object.__setattr__(self, "shape", tuple(whole("Layer: shape", size, 1) for size in shape))
        object.__setattr__(self, "tau", real("Layer: tau", self.tau))
        if self.tau <= 0:
            raise Refused(f"Layer: tau must be > 0, got {self.tau!r}; the limit 0 is what settle() takes")

    def value(self, x: Floats) -> Floats:
        """L(x): [..., *shape] -> [...]."""
        values = self.lagrangian.value(self._vectors(x))
        return values.sum(axis=-1) if self.per_site else values

    def activation(self, x: Floats) -> Floats:
        """∂L/∂x: [..., *shape] -> [..., *shape]."""
        return self._shaped(self.lagrangian.activation(self._vectors(x)))

    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        """H v: [..., *shape], [..., *shape] -> [..., *shape]."""
        return self._shaped(self.lagrangian.hessian_product(self._vectors(x), self._vectors(v)))

    def _vectors(self, x: Floats) -> Floats:
        """[..., neurons], or [..., sites, channels]."""
        batch = x.shape[: x.ndim - len(self.shape)]
        if not self.per_site:
            return x.reshape(*batch, -1)
        return np.swapaxes(x.reshape(*batch, self.shape[0], -1), -1, -2)

    def _shaped(self, vectors: Floats) -> Floats:
        if not self.per_site:
            return vectors.reshape(*vectors.shape[:-1], *self.shape)
        return np.swapaxes(vectors, -1, -2).reshape(*vectors.shape[:-2], *self.shape)


@dataclass(frozen=True, eq=False)
class Conditions:
    """What is imposed on a network, made by its `conditions`: for every layer an input and a mask of what is held.

    Both are [samples or 1, *shape], or None where there is nothing.
    """

    inputs: tuple[Floats | None, ...]
    clamped: tuple[NDArray[np.bool_] | None, ...]


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """A state and, for every sample, its residual: the largest |drive - potential| of a free neuron."""

    state: State
    residual: Floats
    sweeps: int


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Energies float64[times, samples] at the times of a motion, and the state at its end."""

    times: Floats
    energies: Floats
    state: State


@dataclass(frozen=True, eq=False)
class Hierarchical:
    """Layers, and the synapses between each and the next."""

    layers: tuple[Layer, ...]
    synapses: tuple[Synapse, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "synapses", tuple(self.synapses))
        if len(self.layers) < 2 or len(self.synapses) != len(self.layers) - 1:
            found = f"{len(self.layers)} layers and {len(self.synapses)} synapses"
            raise Refused(f"Hierarchical needs at least two layers and one synapse fewer than layers, got {found}")
        for a, synapse in enumerate(self.synapses):
            shapes, needed = (self.layers[a].shape, self.layers[a + 1].shape), (synapse.lower, synapse.upper)
            if shapes != needed:
                raise Refused(f"synapse {a} joins layers of shapes {needed}, but layers {a} and {a + 1} have {shapes}")

    @property
    def convex(self) -> bool:
        """Whether every Lagrangian is convex, so that the energy never rises."""
        return all(layer.lagrangian.convex for layer in self.layers)

    @property
    def linear(self) -> bool:
        """Whether every synapse is linear."""
        return all(synapse.linear for synapse in self.synapses)

    @property
    def weights(self) -> tuple[Floats | None, ...]:
        """The weights of every synapse, None where it has none."""
        return tuple(synapse.weights if isinstance(synapse, Plastic) else None for synapse in self.synapses)

    def with_weights(self, weights: Sequence[Floats | None]) -> "Hierarchical":
        """The same network with other weights; None keeps those of a synapse."""
        synapses = zip(self.synapses, weights, strict=True)
        return replace(
            self,
            synapses=tuple(s.with_weights(w) if isinstance(s, Plastic) and w is not None else s for s, w in synapses),
        )

    def start(self, samples: int, given: Mapping[int, Floats] | None = None) -> State:
        """Potentials 0 but for those of the layers given."""
        shapes = [(whole("samples", samples, 1), *layer.shape) for layer in self.layers]
        arrays = self._by_layer("potentials", given)
        return tuple(
            np.zeros(shape) if array is None else np.array(np.broadcast_to(array, shape))
            for shape, array in zip(shapes, arrays, strict=True)
        )

    def conditions(
        self, inputs: Mapping[int, Floats] | None = None, clamped: Mapping[int, NDArray[np.bool_]] | None = None
    ) -> Conditions:
        """Inputs I_A and masks of clamped neurons by layer, of shapes that broadcast to [samples, *shape].

        A layer whose Lagrangian is no sum over neurons is clamped as a whole or not at all: its energy could rise.
        """
        masks = tuple(None if m is None else m != 0 for m in self._by_layer("clamped", clamped))
        for a, (layer, mask) in enumerate(zip(self.layers, masks, strict=True)):
            if mask is not None and not layer.lagrangian.additive:
                flat = np.broadcast_to(mask, (len(mask), *layer.shape)).reshape(len(mask), -1)
                if (flat.any(axis=1) & ~flat.all(axis=1)).any():
                    name = type(layer.lagrangian).__name__
                    raise Refused(
                        f"layer {a} cannot be clamped in part: {name} is no sum over neurons; clamp all of it"
                    )
        return Conditions(self._by_layer("inputs", inputs), masks)

    def _by_layer(self, name: str, given: Mapping[int, ArrayLike] | None) -> tuple[Floats | None, ...]:
        found: list[Floats | None] = [None] * len(self.layers)
        given = given or {}
        for a, value in given.items():
            if a not in range(len(self.layers)):
                raise Refused(f"{name}: there is no layer {a!r}; layers are numbered 0 to {len(self.layers) - 1}")
            shape, array = self.layers[a].shape, numbers(name, value)
            array = array[None] if array.ndim == len(shape) else array
            if array.ndim != len(shape) + 1 or not _broadcasts(array.shape[1:], shape):
                raise Refused(f"{name} of layer {a} must have shape [samples, *{shape}], got {np.shape(given[a])}")
            if not np.isfinite(array).all():
                raise Refused(f"{name} of layer {a} must be finite numbers")
            found[a] = array
        return tuple(found)

    def activations(self, state: State) -> State:
        """The activities g of all layers."""
        return tuple(layer.activation(x) for layer, x in zip(self.layers, state, strict=True))

    def drive(self, a: int, activities: Sequence[Floats], conditions: Conditions) -> Floats:
        """What layer a is driven to: the right-hand side without -x."""
        parts = [] if a == 0 else [self.synapses[a - 1].forward(activities[a - 1])]
        if a < len(self.synapses):
            parts.append(self.synapses[a].backward(activities[a + 1], activities[a]))
        given = conditions.inputs[a]
        return np.asarray(sum(parts) if given is None else sum(parts) + given)

    def velocity(self, state: State, conditions: Conditions) -> State:
        """dx/dt; 0 where clamped."""
        activities = self.activations(state)
        moves = []
        for a, (layer, x) in enumerate(zip(self.layers, state, strict=True)):
            move = (self.drive(a, activities, conditions) - x) / layer.tau
            moves.append(free(move, conditions.clamped[a]))
        return tuple(moves)

    def energy(self, state: State, conditions: Conditions) -> Floats:
        """E of every sample."""
        return np.asarray(sum(self.energy_terms(state, conditions)))

    def energy_rate(self, state: State, conditions: Conditions) -> Floats:
        """dE/dt = -Σ_A τ_A ẋ_Aᵀ H_A ẋ_A of every sample."""
        moves = self.velocity(state, conditions)
        parts = zip(self.layers, state, moves, strict=True)
        return -np.asarray(sum(layer.tau * _inner(v, layer.hessian_product(x, v)) for layer, x, v in parts))

    def energy_terms(self, state: State, conditions: Conditions) -> list[Floats]:
        """(x_A - I_A)·g_A and -L_A of every layer, then the energy of every synapse."""
        activities = self.activations(state)
        terms = []
        for layer, x, g, given in zip(self.layers, state, activities, conditions.inputs, strict=True):
            terms += [_inner(x if given is None else x - given, g), -layer.value(x)]
        pairs = zip(self.synapses, activities[1:], activities[:-1], strict=True)
        return terms + [synapse.energy(u, g) for synapse, u, g in pairs]


def settle(
    network: Hierarchical, state: State, conditions: Conditions, *, tolerance: float = 1e-10, sweeps: int = 10_000
) -> FixedPoint:
    """Go down in energy to a fixed point, by giving odd and even layers in turn the potentials they are driven to.

    A layer that goes to its drive minimises the energy over its activities, the others being kept, if its Lagrangian is
    convex and its synapses are linear: so every sweep lowers the energy, without a step size. It is the motion with
    τ → 0 for the odd layers, then for the even ones. Other networks are moved along dx/dt with a step that shrinks
    where the energy would rise. Ends when no free potential of any sample is further than `tolerance` from its drive,
    or after so many sweeps; then `residual` tells.
    """
    _check(network, state, conditions)
    way = _alternate if network.convex and network.linear else _descend
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused
        return way(network, state, conditions, real("tolerance", tolerance), whole("sweeps", sweeps, 1))


def _alternate(
    network: Hierarchical, state: State, conditions: Conditions, tolerance: float, sweeps: int
) -> FixedPoint:
    potentials, activities = list(state), list(network.activations(state))
    order = [*range(1, len(potentials), 2), *range(0, len(potentials), 2)]
    taken, moved = 0, np.full(len(state[0]), np.inf)
    while taken < sweeps and (moved > tolerance).any():
        taken, moved = taken + 1, np.zeros(len(state[0]))
        for a in order:
            move = free(network.drive(a, activities, conditions) - potentials[a], conditions.clamped[a])
            moved = np.maximum(moved, _largest(move))
            potentials[a] = potentials[a] + move
            activities[a] = network.layers[a].activation(potentials[a])
        _check_finite(moved)
    return FixedPoint(tuple(potentials), _residual(network, tuple(potentials), conditions), taken)


def _descend(network: Hierarchical, state: State, conditions: Conditions, tolerance: float, sweeps: int) -> FixedPoint:
    step = min(layer.tau for layer in network.layers)
    taken, residual = 0, np.full(len(state[0]), np.inf)
    while taken < sweeps and (residual > tolerance).any():
        taken += 1
        state = _advanced(network, state, conditions, step)
        residual = _residual(network, state, conditions)
        _check_finite(residual)
    return FixedPoint(state, residual, taken)


def _residual(network: Hierarchical, state: State, conditions: Conditions) -> Floats:
    """The largest distance of a free potential of each sample from its drive."""
    moves = network.velocity(state, conditions)
    return np.asarray(np.max([layer.tau * _largest(v) for layer, v in zip(network.layers, moves, strict=True)], axis=0))


def integrate(
    network: Hierarchical,
    state: State,
    conditions: Conditions,
    *,
    duration: float,
    step: float,
    method: Scipy | Literal["euler"] = "euler",
) -> Trajectory:
    """Move for a time `duration` and note the energy after every `step`.

    "euler" takes the steps as they are, but halves them, for each sample on its own, where the energy would rise by
    more than rounding: so it never does. Any method of scipy.integrate.solve_ivp ("RK45", "DOP853", "LSODA", "Radau",
    ...) follows the equations to a relative 1e-9 instead.
    """
    count = max(1, math.ceil(real("duration", duration) / real("step", step) - 1e-9)) if step > 0 < duration else 0
    if not count:
        raise Refused(f"duration and step must be > 0, got {duration!r} and {step!r}")
    _check(network, state, conditions)
    times = np.linspace(0.0, duration, count + 1)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused
        states = (
            _euler(network, state, conditions, times)
            if method == "euler"
            else _scipy(network, state, conditions, times, method)
        )
        energies = np.array([network.energy(each, conditions) for each in states])
    _check_finite(energies)
    return Trajectory(times, energies, states[-1])


def _euler(network: Hierarchical, state: State, conditions: Conditions, times: Floats) -> list[State]:
    states = [state]
    for dt in np.diff(times):
        states.append(_advanced(network, states[-1], conditions, float(dt)))
    return states


def _advanced(network: Hierarchical, state: State, conditions: Conditions, dt: float, depth: int = 0) -> State:
    """One step, in halves where the energy rises."""
    moves = network.velocity(state, conditions)
    moved = tuple(x + dt * v for x, v in zip(state, moves, strict=True))
    terms = np.array(network.energy_terms(state, conditions))
    allowed = terms.sum(axis=0) + ROUNDING * np.abs(terms).sum(axis=0)
    rises = np.flatnonzero(~(network.energy(moved, conditions) <= allowed))
    if not rises.size:
        return moved
    if depth == HALVINGS:
        raise Refused("the energy rises however small the step; use Lagrangians that are convex where the state is")
    part, there = tuple(x[rises] for x in state), _of_samples(conditions, rises)
    for _ in range(2):
        part = _advanced(network, part, there, dt / 2, depth + 1)
    for x, mended in zip(moved, part, strict=True):
        x[rises] = mended
    return moved


def _scipy(network: Hierarchical, state: State, conditions: Conditions, times: Floats, method: Scipy) -> list[State]:
    shapes = [x.shape for x in state]

    def slope(_: float, y: Floats) -> Floats:
        return _joined(network.velocity(_split(y, shapes), conditions))

    found = solve_ivp(slope, (0.0, float(times[-1])), _joined(state), method, times, rtol=1e-9, atol=1e-12)
    if not found.success:
        raise Refused(f"integrate: {method} stopped at time {found.t[-1]:.4g}: {found.message}")
    return [_split(y, shapes) for y in found.y.T]


def free(x: Floats, clamped: NDArray[np.bool_] | None) -> Floats:
    """The same with 0 where clamped."""
    return x if clamped is None else np.where(clamped, 0.0, x)


def _of_samples(conditions: Conditions, chosen: NDArray[np.intp]) -> Conditions:
    def rows(arrays: Sequence[NDArray | None]) -> tuple:  # type: ignore[type-arg]
        return tuple(a if a is None or len(a) == 1 else a[chosen] for a in arrays)

    return Conditions(rows(conditions.inputs), rows(conditions.clamped))


def _inner(x: Floats, y: Floats) -> Floats:
    return np.asarray(np.einsum("ki,ki->k", x.reshape(len(x), -1), y.reshape(len(y), -1)))


def _largest(x: Floats) -> Floats:
    return np.asarray(np.abs(x).reshape(len(x), -1).max(axis=1))


def _joined(state: State) -> Floats:
    return np.concatenate([x.ravel() for x in state])


def _split(y: Floats, shapes: Sequence[Shape]) -> State:
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    return tuple(part.reshape(shape) for part, shape in zip(np.split(y, ends), shapes, strict=True))


def _broadcasts(shape: Shape, wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(n in (1, m) for n, m in zip(shape, wanted, strict=True))


def _check(network: Hierarchical, state: State, conditions: Conditions) -> None:
    wanted = [(len(state[0]), *layer.shape) for layer in network.layers]
    if [x.shape for x in state] != wanted:
        raise Refused(f"a state needs arrays of shapes {wanted}, got {[x.shape for x in state]}")
    for name, arrays in (("inputs", conditions.inputs), ("clamped", conditions.clamped)):
        if any(array is not None and len(array) not in (1, len(state[0])) for array in arrays):
            raise Refused(f"{name} must be for one or for all {len(state[0])} samples of the state")


def _check_finite(values: Floats) -> None:
    if not np.isfinite(values).all():
        raise Refused("the potentials grow without bound: use weaker synapses or layers with bounded activities")
