"""Gradients of a loss on the fixed point of a hierarchical memory with respect to its synapses and inputs.

At rest the potentials are x = S(g) + I, S the drives that come through the synapses. A loss with slopes c = ∂ℓ/∂g
changes with the inputs by λ = dℓ/dI = H μ, where μ = R H μ + c, H = ∂g/∂x block by block (zero where clamped) and
R = ∂S/∂g, which is symmetric. A weight enters S, so dℓ/dW = ∂<λ, S(g)>/∂W, which is local: for a linear synapse, of the
activities and λ of the two layers that it joins.

`implicit` solves for μ, by conjugate gradients. `equilibrium_propagation` gets the same from two more fixed points,
with inputs I ∓ βc (Scellier & Bengio, "Equilibrium Propagation", 2017): dℓ/dW = [∂E/∂W(β) - ∂E/∂W(-β)]/2β, up to
O(β²) in this symmetric form.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import Refused, real
from .hierarchical import Conditions, FixedPoint, Hierarchical, State, free, settle
from .synapses import Floats, Plastic

AT_REST = 1e-4  # the largest residual of a state that is taken for a fixed point


@dataclass(frozen=True, eq=False)
class Gradient:
    """dℓ/dW of every synapse, None where it has no weights, summed over samples; dℓ/dI[samples, ...] of every layer."""

    weights: tuple[Floats | None, ...]
    inputs: State


def implicit(
    network: Hierarchical,
    point: FixedPoint,
    conditions: Conditions,
    slopes: Mapping[int, Floats],
    *,
    tolerance: float = 1e-10,
    iterations: int = 1000,
) -> Gradient:
    """By conjugate gradients in the metric H, for which 1 - R H is symmetric, and positive at a minimum of the energy.

    slopes: ∂ℓ/∂g_A of some layers, float64[samples, *shape], at the fixed point. Ends when the residual of μ has
    fallen by `tolerance` in every sample. Refused where the state is not at rest or no minimum of the energy.
    """
    if (point.residual > AT_REST).any():
        raise Refused(f"the state is not at rest, residual {point.residual.max():.2g}; allow settle() more sweeps")
    rates = _rates(network, point, conditions, slopes, tolerance, iterations)
    if (rates.falling > 0).any():
        raise Refused("implicit: the state is no minimum of the energy; settle it from a state with some noise")
    if (rates.residual > tolerance).any():
        raise Refused(f"implicit: no solution after {iterations} iterations; settle further, or allow more iterations")
    return _gradient(network, point, rates.inputs)


def bounded(
    network: Hierarchical,
    point: FixedPoint,
    conditions: Conditions,
    slopes: Mapping[int, Floats],
    *,
    bound: float,
    tolerance: float = 1e-2,
    iterations: int = 50,
) -> Gradient:
    """The implicit gradient for training: rough, and robust where a fixed point is soft.

    Near a bifurcation λ diverges, and a few samples would decide everything. Here |λ| of a sample is at most `bound`
    times √(cᵀ H c); a sample at a saddle is left out, and one that is not at rest or not solved within the iterations
    counts as it is.
    """
    rates = _rates(network, point, conditions, slopes, tolerance, iterations)
    size = np.sqrt(_dot(rates.inputs, rates.inputs))
    kept = np.minimum(1.0, _ratio(bound * rates.scale, size)) * (rates.falling == 0)
    nothing = tuple(np.zeros_like(x) for x in rates.inputs)
    return _gradient(network, point, _minus(nothing, rates.inputs, -kept))


@dataclass(frozen=True, eq=False)
class _Rates:
    """λ of every layer; and of every sample √(cᵀ H c), the residual as a part of it, and > 0 where the energy falls."""

    inputs: State
    scale: Floats
    residual: Floats
    falling: Floats


def _rates(network: Hierarchical, point: FixedPoint, conditions: Conditions, slopes: Mapping[int, Floats],
           tolerance: float, iterations: int) -> _Rates:  # fmt: skip
    """Conjugate gradients for all samples; one stops when it has converged or meets a direction of falling energy."""
    _check(network)
    activities, c = network.activations(point.state), network.start(len(point.state[0]), slopes)

    def metric(v: State) -> State:
        parts = zip(network.layers, point.state, v, conditions.clamped, strict=True)
        return tuple(free(layer.hessian_product(x, each), held) for layer, x, each, held in parts)

    residual = direction = c
    pushed = metric(c)
    found = tuple(np.zeros_like(x) for x in c)
    size = first = _dot(residual, pushed)
    falling = np.zeros(len(first))
    for _ in range(iterations):
        moving = (size > tolerance**2 * first) & (falling == 0)
        if not moving.any():
            break
        turned = _minus(direction, _response(network, activities, pushed), 1.0)
        curvature = _dot(pushed, turned)
        falling = np.where(moving & (curvature <= 0), 1.0, falling)
        step = np.where(moving, _ratio(size, curvature), 0.0)
        found = _minus(found, pushed, -step)
        residual = _minus(residual, turned, step)
        raised = metric(residual)
        size, before = _dot(residual, raised), size
        share = _ratio(size, before)
        direction, pushed = _minus(residual, direction, -share), _minus(raised, pushed, -share)
    return _Rates(found, np.sqrt(first), np.sqrt(_ratio(size, first)), falling)


def equilibrium_propagation(
    network: Hierarchical,
    point: FixedPoint,
    conditions: Conditions,
    slopes: Mapping[int, Floats],
    *,
    nudge: float,
    tolerance: float = 1e-10,
    sweeps: int = 10_000,
) -> Gradient:
    """By two fixed points that are nudged towards smaller and larger loss, inputs I ∓ nudge · slopes.

    With the slopes kept at their values of the free fixed point the nudge is linear in g, and the nudged network is
    the same network with other inputs.
    """
    if real("nudge", nudge) <= 0:
        raise Refused(f"nudge must be > 0, got {nudge!r}; about 1e-3 of the potentials balances its two errors")
    _check(network)
    c = network.start(len(point.state[0]), slopes)
    lower, higher = (
        network.activations(_nudged(network, point, conditions, c, sign * nudge, tolerance, sweeps)) for sign in (-1, 1)
    )
    rises = [
        None if high is None or low is None else (high - low) / (2 * nudge)
        for low, high in zip(_products(network, lower), _products(network, higher), strict=True)
    ]
    return Gradient(tuple(rises), tuple((b - a) / (2 * nudge) for a, b in zip(lower, higher, strict=True)))


def _nudged(network: Hierarchical, point: FixedPoint, conditions: Conditions, c: State, nudge: float,
            tolerance: float, sweeps: int) -> State:  # fmt: skip
    pairs = zip(conditions.inputs, c, strict=True)
    inputs = tuple(nudge * each if given is None else given + nudge * each for given, each in pairs)
    found = settle(network, point.state, Conditions(inputs, conditions.clamped), tolerance=tolerance, sweeps=sweeps)
    if (found.residual > tolerance).any():
        raise Refused(f"equilibrium_propagation: no fixed point after {sweeps} sweeps; allow more, or nudge less")
    return found.state


def _products(network: Hierarchical, activities: State) -> list[Floats | None]:
    """-∂E/∂W of every synapse."""
    pairs = zip(network.synapses, activities[1:], activities[:-1], strict=True)
    return [synapse.gradient(u, g) if isinstance(synapse, Plastic) else None for synapse, u, g in pairs]


def _gradient(network: Hierarchical, point: FixedPoint, rates: State) -> Gradient:
    """dℓ/dW from the rates λ = dℓ/dI."""
    activities = network.activations(point.state)
    weights: list[Floats | None] = []
    for a, synapse in enumerate(network.synapses):
        if isinstance(synapse, Plastic):
            up = synapse.gradient(rates[a + 1], activities[a])
            weights.append(up + synapse.gradient(activities[a + 1], rates[a]))
        else:
            weights.append(None)
    return Gradient(tuple(weights), rates)


def _response(network: Hierarchical, activities: State, changes: State) -> State:
    """Changes R dg of the drives when the activities change by dg."""
    found = [np.zeros_like(x) for x in changes]
    for a, synapse in enumerate(network.synapses):
        down, up = synapse.response(activities[a + 1], activities[a], changes[a + 1], changes[a])
        found[a] += down
        found[a + 1] += up
    return tuple(found)


def _check(network: Hierarchical) -> None:
    if not network.convex:
        raise Refused("the gradient of a fixed point needs convex Lagrangians in all layers")


def _minus(x: State, y: State, factor: Floats | float) -> State:
    """x - factor y, a factor for each sample."""
    factors = np.asarray(factor)
    return tuple(a - factors.reshape(-1, *(1,) * (a.ndim - 1)) * b for a, b in zip(x, y, strict=True))


def _dot(x: State, y: State) -> Floats:
    pairs = zip(x, y, strict=True)
    return np.asarray(sum(np.einsum("ki,ki->k", a.reshape(len(a), -1), b.reshape(len(b), -1)) for a, b in pairs))


def _ratio(above: Floats, below: Floats) -> Floats:
    """above/below, 0 where both have vanished."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
