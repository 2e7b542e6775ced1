"""Gradients of a loss on the fixed point of a hierarchical memory with respect to its synapses and inputs.

At rest the potentials are x = S(g) + I, S the drives that come through the synapses. A loss with slopes c = ∂ℓ/∂g changes with the
inputs by λ = dℓ/dI = H μ, where μ = R H μ + c, H = ∂g/∂x block by block and R = ∂S/∂g, which is symmetric (zero where
clamped). A weight enters S, so dℓ/dW = ∂<λ, S(g)>/∂W, which is local: for a linear synapse, of the activities and λ of
the two layers that it joins.

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
    """dℓ/dW of every synapse, None where it has no weights, summed over samples; and dℓ/dI[samples, ...] of every layer."""

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
    fallen by `tolerance` in every sample. Refused where the state is no minimum.
    """
    _check(network, point, conditions)
    activities, c = network.activations(point.state), network.start(len(point.state[0]), slopes)

    def metric(v: State) -> State:
        parts = zip(network.layers, point.state, v, conditions.clamped, strict=True)
        return tuple(free(layer.hessian_product(x, each), held) for layer, x, each, held in parts)

    residual = direction = c
    pushed = metric(c)
    found = tuple(np.zeros_like(x) for x in c)
    size = first = _dot(residual, pushed)
    for _ in range(iterations):
        if (size <= tolerance**2 * first).all():
            return _gradient(network, activities, found)
        turned = _minus(direction, _response(network, activities, pushed), 1.0)
        curvature = _dot(pushed, turned)
        if (curvature[size > 0] <= 0).any():
            raise Refused("implicit: the state is no minimum of the energy; settle it from a state with some noise")
        step = _ratio(size, curvature)
        found = _minus(found, pushed, -step)
        residual = _minus(residual, turned, step)
        raised = metric(residual)
        size, before = _dot(residual, raised), size
        direction = _minus(residual, direction, -_ratio(size, before))
        pushed = _minus(raised, pushed, -_ratio(size, before))
    raise Refused(f"implicit: no solution after {iterations} iterations; settle further, or allow more iterations")


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
    _check(network, point, conditions)
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
    found = settle(
        network, point.state, Conditions(inputs, conditions.clamped), tolerance=tolerance, sweeps=sweeps
    )
    if (found.residual > tolerance).any():
        raise Refused(f"equilibrium_propagation: no fixed point after {sweeps} sweeps; allow more, or nudge less")
    return found.state


def _products(network: Hierarchical, activities: State) -> list[Floats | None]:
    """-∂E/∂W of every synapse."""
    pairs = zip(network.synapses, activities[1:], activities[:-1], strict=True)
    return [synapse.gradient(u, g) if isinstance(synapse, Plastic) else None for synapse, u, g in pairs]


def _gradient(network: Hierarchical, activities: State, rates: State) -> Gradient:
    """dℓ/dW from the rates λ = dℓ/dI."""
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


def _check(network: Hierarchical, point: FixedPoint, conditions: Conditions) -> None:
    if not network.convex:
        raise Refused("the gradient of a fixed point needs convex Lagrangians in all layers")
    for a, (layer, mask) in enumerate(zip(network.layers, conditions.clamped, strict=True)):
        if mask is not None and mask.any() and not mask.all() and not layer.lagrangian.additive:
            raise Refused(f"layer {a} is clamped in part: the gradient then needs a Lagrangian that is a sum over neurons")
    if (point.residual > AT_REST).any():
        raise Refused(f"the state is not at rest, residual {point.residual.max():.2g}; allow settle() more sweeps")


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
