"""One step of replica symmetry breaking, p = 2 and p ≥ 3: states of overlap q1, in clusters of overlap q0 <= q1.

With y = βx, C = β(1-q1), h = m^(p-1) + √v0 z0 + √w z1 (saddle.py has v0, w) and averages <·> over z1 with weight
(2cosh βh)^x, the saddle point is

    m = ∫Dz0 <tanh βh>,  q0 = ∫Dz0 <tanh βh>²,  q1 = ∫Dz0 <tanh² βh>,  ∂f/∂x = 0
    p = 2:  f = m²/2 + (α/2) [1 + T ln D1 + ln(D2/D1)/y - q0/D2 + r1 C + y (r1 q1 - r0 q0)] - G
    p ≥ 3:  f = ((p-1)/p) m^p - (αβ/2) [ζ̂(1) - ζ̂(q1) - (1-q1) ζ̂'(q1)] + (αy/2) [θ(q1) - θ(q0)] - G
    G = (1/y) ∫Dz0 ln ∫Dz1 (2cosh βh)^x

with p = 2 as in Steffan & Kühn (1994). f is largest in x at the saddle point. x → 0 gives the replica-symmetric f of
q1, x → 1 that of q0, q0 = q1 that of both.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from ..errors import Refused
from ..networks import Law
from . import crosstalk, one_step_gaussian, one_step_glass, one_step_retrieval, replica_symmetric, saddle
from .crosstalk import Noise, Responding
from .fixed_point import NotConverged
from .gaussian import Array
from .one_step_gaussian import Response
from .replica_symmetric import REPLICA_SYMMETRIC
from .retrieval import Fold


@dataclass(frozen=True)
class Order:
    """Overlap m, q0 between and q1 within clusters of states, x the weight of q0, for p = 2 the noises r0 and r1.

    Where replica symmetry holds q0 = q1 and x = 1. x = 1 with q1 > q0 is the phase between T_K and T_d, where the
    number of states is exponential. y = βx stays finite at T = 0, where x = 0; left out, it is x/T. susceptibility is
    C = β(1-q1); left out, it follows from q1 at T > 0.
    """

    m: float
    q0: float
    q1: float
    x: float
    y: float | None = None
    r0: float | None = None
    r1: float | None = None
    susceptibility: float | None = None

    @property
    def symmetric(self) -> bool:
        """Whether replica symmetry holds."""
        return self.q0 == self.q1


@dataclass(frozen=True)
class OneStep:
    """Two overlaps between replicas. Every method takes a law (or its noise), a load α > 0 and T >= 0.

    Where replica symmetry is stable, or broken by less than rounding lets see (p = 2 at small load and low T, and a
    thousandth around T_g), order returns the replica-symmetric solution.
    """

    lines: ClassVar[tuple[str, ...]] = (*REPLICA_SYMMETRIC.lines, "dynamic", "static")

    def order(self, law: Law | Noise, load: float, temperature: float, branch: str) -> Order:
        """The order on the "retrieval", "glass" or "paramagnet" branch. Raises NotConverged where it does not exist."""
        noise = crosstalk.noise(law)
        point = None
        if branch == "retrieval":
            point = one_step_retrieval.state(noise, load, temperature)
        elif branch == "glass":
            point = one_step_glass.state(noise, load, temperature)
            if point is None and one_step_glass.pinned(noise):
                raise NotConverged(f"no glass state at load {load:.6g}, T = {temperature:.6g}: it needs T < T_d")
            if point is None and not isinstance(noise, Responding) and noise.derivative(1, 0.0) > 0:
                branch = "paramagnet"  # a random field: above T_d the state of smallest q is the only stable one
        if point is None:
            return _unbroken(REPLICA_SYMMETRIC.order(noise, load, temperature, branch))
        return _order(noise, point, temperature)

    def fold(self, law: Law | Noise, temperature: float) -> Fold | None:
        """The end of the retrieval branch at a temperature; None where there is no retrieval."""
        end = one_step_retrieval.end(crosstalk.noise(law), temperature)
        return None if end is None else end[0]

    def dominant(self, law: Law | Noise, load: float, temperature: float) -> Order:
        """The state with m = 0 that dominates: the glass below T_K or T_g, else the paramagnet."""
        noise = crosstalk.noise(law)
        point = one_step_glass.state(noise, load, temperature)
        if point is not None:
            return _order(noise, point, temperature)
        branch = one_step_glass.symmetric_branch(noise, load, temperature)
        return _unbroken(REPLICA_SYMMETRIC.order(noise, load, temperature, branch))

    def transition(self, law: Law | Noise) -> tuple[float, float] | None:
        """(T_d, T_K)/√load, the dynamic and the static transition of the glass; None where it appears continuously.

        At T_d states with q1 > q0 appear, exponentially many; at T_K their complexity vanishes. p = 3 with distinct
        indices: the Ising p-spin glass, 0.682 and 0.651 times √(2(p-1)!/p).
        """
        jump = one_step_glass.transition(crosstalk.noise(law))
        return None if jump is None else (jump.dynamic, jump.static)

    def free_energy(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """f, a function of m, q0, q1, x, r0 and r1 off the saddle too."""
        noise = crosstalk.noise(law)
        if order.symmetric:
            return REPLICA_SYMMETRIC.free_energy(_symmetric(order), noise, load, temperature)
        p, q0, q1 = noise.degree, order.q0, order.q1
        C, y = _susceptibility(order, temperature), _y(order, temperature)
        if isinstance(noise, Responding):
            r0, r1 = _noises(order)
            D1 = 1 - C
            D2 = D1 - y * (q1 - q0)
            part = temperature * math.log(D1) + math.log(D2 / D1) / y - q0 / D2 + r1 * C + y * (r1 * q1 - r0 * q0)
            rest = (1 + part) / 2
        else:
            P = saddle.levels(noise, q1 - q0, C, y, temperature).P
            rest = noise.free_energy(q1, C, 0.0, temperature) + y * P
        return (p - 1) / p * order.m**p + load * rest - _response(noise, order, load, temperature).G

    def self_consistency(self, order: Order, law: Law | Noise, load: float, temperature: float) -> tuple[float, ...]:
        """Residuals: those of m, q0 and q1 of the undamped map, ∂f/∂y and, for p = 2, those of r0 and r1.

        They make the gradient of f: in m, (p-1) m^(p-2) (-first); in x, β times the fourth. For p = 2 (αy/2) and
        α(β-y)/2 times the second and third in r0 and r1, times the last two in q0 and q1; for p ≥ 3 (αy/2) ζ̂''(q0) and
        (α(β-y)/2) ζ̂''(q1) times the second and third in q0 and q1.
        """
        noise = crosstalk.noise(law)
        if order.symmetric:
            first, second, *last = REPLICA_SYMMETRIC.self_consistency(_symmetric(order), noise, load, temperature)
            return first, second, second, 0.0, *last, *last
        answer = _response(noise, order, load, temperature)
        C, y, d = _susceptibility(order, temperature), _y(order, temperature), order.q1 - order.q0
        levels = saddle.levels(noise, d, C, y, temperature)
        first = answer.m - order.m
        second, third = answer.q0 - order.q0, 1 - temperature * answer.C - order.q1
        if not isinstance(noise, Responding):
            return first, second, third, load * levels.P - answer.slope
        r0, r1 = _noises(order)
        P = levels.P + ((r1 - levels.v0 - levels.w) * order.q1 - (r0 - levels.v0) * order.q0) / 2
        return first, second, third, load * P - answer.slope, levels.v0 - r0, levels.v0 + levels.w - r1

    def residual(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """The largest |residual| of the undamped map in m, q0, q1, C and, relative to r1, r0 and r1.

        With them that of ∂f/∂y over v0 + w, unless x = 1.
        """
        noise = crosstalk.noise(law)
        if order.symmetric:
            return REPLICA_SYMMETRIC.residual(_symmetric(order), noise, load, temperature)
        m, q0, q1, slope, *noises = self.self_consistency(order, noise, load, temperature)
        relative = [r / order.r1 for r in noises if order.r1]
        answer = _response(noise, order, load, temperature)
        slope = 0.0 if order.x == 1 else slope / sum(_variances(noise, order, load, temperature))
        C = answer.C - _susceptibility(order, temperature)
        return max(abs(residual) for residual in (m, q0, q1, C, slope, *relative))

    def energy(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """e = f + Ts at a solution, zero at T → ∞."""
        state = (order, law, load, temperature)
        return self.free_energy(*state) + temperature * self.entropy(*state)

    def entropy(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """s = -∂f/∂T at a solution: that of one state, and the complexity where x = 1."""
        noise = crosstalk.noise(law)
        if order.symmetric:
            return REPLICA_SYMMETRIC.entropy(_symmetric(order), noise, load, temperature)
        inside = _response(noise, order, load, temperature).entropy
        inside += load * noise.entropy(order.q1, _susceptibility(order, temperature))
        return inside + (self.complexity(order, noise, load, temperature) if order.x == 1 else 0.0)

    def complexity(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """Σ = βx² ∂f/∂x = y² ∂f/∂y: exp(NΣ) states; 0 below T_K and where replica symmetry holds."""
        if order.symmetric:
            return 0.0
        return _y(order, temperature) ** 2 * self.self_consistency(order, law, load, temperature)[3]

    def stability(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float | None:
        """Within a state: 1 - αβ² ζ̂''(q1) ∫Dz0 <sech⁴ βh> (p = 2: 1/D1² for ζ̂''), negative beyond the Gardner line.

        None at T = 0.
        """
        if temperature == 0:
            return None
        noise = crosstalk.noise(law)
        if order.symmetric:
            return REPLICA_SYMMETRIC.stability(_symmetric(order), noise, load, temperature)
        stiffness = noise.stiffness(order.q1, _susceptibility(order, temperature))
        return 1 - load * stiffness * _response(noise, order, load, temperature).cc

    def stability_between(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float | None:
        """Between states: 1 - α ζ̂''(q0) ∫Dz0 (∂<tanh βh>/∂h)² (p = 2: 1/D2² for ζ̂''); T = 0 included."""
        noise = crosstalk.noise(law)
        if order.symmetric:
            return self.stability(order, noise, load, temperature)
        C, y = _susceptibility(order, temperature), _y(order, temperature)
        stiffness = noise.stiffness(order.q0, C + y * (order.q1 - order.q0))  # for p = 2 this is 1/D2²
        return 1 - load * stiffness * _response(noise, order, load, temperature).kk


ONE_STEP = OneStep()


def _order(noise: Noise, point: Array, temperature: float) -> Order:
    _, m, d, C, y = point.tolist()
    q1 = 1 - temperature * C
    r0 = r1 = None
    if isinstance(noise, Responding):
        levels = saddle.levels(noise, d, C, y, temperature)
        r0, r1 = levels.v0, levels.v0 + levels.w
    x = y * temperature
    return Order(m, max(q1 - d, 0.0), q1, 1.0 if abs(x - 1) < 1e-14 else x, y, r0, r1, C)


def _unbroken(order: replica_symmetric.Order) -> Order:
    return Order(order.m, order.q, order.q, 1.0, None, order.r, order.r, order.susceptibility)


def _symmetric(order: Order) -> replica_symmetric.Order:
    return replica_symmetric.Order(order.m, order.q1, order.r1, order.susceptibility)


def _noises(order: Order) -> tuple[float, float]:
    if order.r0 is None or order.r1 is None:
        raise Refused("an order for p = 2 needs r0 and r1, got None")
    return order.r0, order.r1


def _y(order: Order, temperature: float) -> float:
    return order.x / temperature if order.y is None else order.y


def _susceptibility(order: Order, temperature: float) -> float:
    return (1 - order.q1) / temperature if order.susceptibility is None else order.susceptibility


def _variances(noise: Noise, order: Order, load: float, temperature: float) -> tuple[float, float]:
    """v0 and w."""
    if isinstance(noise, Responding):
        r0, r1 = _noises(order)
        return load * r0, load * (r1 - r0)
    C, y = _susceptibility(order, temperature), _y(order, temperature)
    levels = saddle.levels(noise, order.q1 - order.q0, C, y, temperature)
    return load * levels.v0, load * levels.w


def _response(noise: Noise, order: Order, load: float, temperature: float) -> Response:
    v0, w = _variances(noise, order, load, temperature)
    return one_step_gaussian.response(order.m ** (noise.degree - 1), v0, w, _y(order, temperature), temperature)
