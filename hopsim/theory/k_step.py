"""k steps of replica symmetry breaking, for p = 2 and any mixed p-spin glass with the signal as field (Parisi 1980).

Overlaps q_0 <= ... <= q_k and breakpoints x_1 <= ... <= x_k, carried as y_j = βx_j and C = β(1 - q_k), which stay
finite at T → 0. With Φ the nested Gaussian average of hierarchy.py at mean m^(p-1) and variances αr_j

    f = ((p-1)/p) m^p + (α/2) [ noise + r_k C + Σ_j y_j (r_j q_j - r_{j-1} q_{j-1}) ] - Φ

    p = 2:  D_k = 1 - C,  D_{j-1} = D_j - y_j (q_j - q_{j-1})
            r_0 = q_0/D_0²,  r_j - r_{j-1} = (q_j - q_{j-1})/(D_j D_{j-1})
            noise = 1 + T ln D_k + Σ_j (1/y_j) ln(D_{j-1}/D_j) - q_0/D_0
    p ≥ 3:  r_j = ζ̂'(q_j)
            noise = -[ζ̂(1) - ζ̂(q_k)]/T - Σ_j y_j [ζ̂(q_j) - ζ̂(q_{j-1})]

f is stationary in all of them. k = 0 is the replica-symmetric ansatz. Where replica symmetry, or k - 1 steps, are
exact, the last step has no height: q_k = q_{k-1}, and y_k has no meaning.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from ..errors import Refused
from ..networks import Law
from . import crosstalk, gaussian, glass, hierarchy, retrieval, splitting
from .crosstalk import Mixed, Noise, Responding
from .fixed_point import NotConverged, root
from .gaussian import Array
from .hierarchy import Averages
from .replica_symmetric import REPLICA_SYMMETRIC, Order
from .retrieval import Fold
from .splitting import Point, Steps

MOST_STEPS = 10
MOST_ITERATIONS, LOST = 2000, 1e-3  # of the map of q, which has no glass once q falls below
REACH, NEARBY = 0.02, 0.3  # in m: of a first search for the fold; of a start for the next state, as a part of 1 - m


@dataclass(frozen=True)
class StepOrder:
    """Overlap m, q = (q_0 .. q_k), y = (y_1 .. y_k) with x_j = T y_j, for p = 2 r = (r_0 .. r_k), else None.

    susceptibility is C = β(1 - q_k); left out, it follows from q_k, at T > 0.
    """

    m: float
    q: tuple[float, ...]
    y: tuple[float, ...]
    r: tuple[float, ...] | None = None
    susceptibility: float | None = None

    def breakpoints(self, temperature: float) -> tuple[float, ...]:
        """x_1 .. x_k."""
        return tuple(temperature * y for y in self.y)


class Residuals(NamedTuple):
    """What is left of the equations of m, q, r, y and C."""

    m: float
    q: Array
    r: Array
    y: Array
    C: float


@dataclass(frozen=True)
class KStep:
    """k = `steps` breakpoints between k + 1 overlaps. Every method takes a law (or its noise), α > 0 and T >= 0."""

    lines: ClassVar[tuple[str, ...]] = REPLICA_SYMMETRIC.lines
    steps: int

    def __post_init__(self) -> None:
        if not isinstance(self.steps, int) or isinstance(self.steps, bool) or not 0 <= self.steps <= MOST_STEPS:
            raise Refused(f"steps must be an integer from 0 to {MOST_STEPS}, got {self.steps!r}; for more use parisi")

    def order(self, law: Law | Noise, load: float, temperature: float, branch: str) -> StepOrder:
        """The order on the "retrieval", "glass" or "paramagnet" branch. Raises NotConverged where it does not exist.

        The paramagnet is replica-symmetric: its steps have no height.
        """
        noise = crosstalk.noise(law)
        if branch == "retrieval":
            return _retrieval(noise, load, temperature, self.steps)
        if branch == "glass":
            return _glass(noise, load, temperature, self.steps)
        return _unbroken(REPLICA_SYMMETRIC.order(noise, load, temperature, branch), temperature, self.steps)

    def fold(self, law: Law | Noise, temperature: float) -> Fold | None:
        """The end of the retrieval branch at a temperature; None where there is no retrieval."""
        return _fold(crosstalk.noise(law), temperature, self.steps)

    def dominant(self, law: Law | Noise, load: float, temperature: float) -> StepOrder:
        """The state with m = 0 that dominates: that of the largest free energy."""
        noise = crosstalk.noise(law)
        orders = [_unbroken(REPLICA_SYMMETRIC.dominant(noise, load, temperature), temperature, self.steps)]
        try:
            orders.append(_glass(noise, load, temperature, self.steps))
        except NotConverged as absent:
            if orders[0].q[0] > 0:
                raise absent
        return max(orders, key=lambda order: self.free_energy(order, noise, load, temperature))

    def free_energy(self, order: StepOrder, law: Law | Noise, load: float, temperature: float) -> float:
        """f, a function of m, q, y and r off the saddle too; -T ln 2 at T → ∞."""
        noise = crosstalk.noise(law)
        q, y, C, r = _arrays(order, noise, temperature)
        crosstalk_part = splitting.free_energy(noise, q, y, C, r, temperature)
        p = noise.degree
        site = _averages(order, noise, load, temperature)
        return (p - 1) / p * order.m**p + load * crosstalk_part - site.potential

    def self_consistency(self, order: StepOrder, law: Law | Noise, load: float, temperature: float) -> Residuals:
        """∫P_0 φ_0' - m, ∫P_j φ_j'² - q_j, r_j(q, y) - r_j, ∂f/∂y_j and ∫P_k φ_k'' - C.

        They make the gradient of f: (p-1) m^(p-2) (-first), the fourth, and, with y_0 = 0 and y_{k+1} = β,
        (α/2)(y_{j+1} - y_j) times the second and third in r_j and q_j for p = 2, times ζ̂''(q_j) and the second in q_j
        for p ≥ 3.
        """
        noise = crosstalk.noise(law)
        q, y, C, r = _arrays(order, noise, temperature)
        site = _averages(order, noise, load, temperature)
        own = splitting.variances(noise, q, y, C)
        slopes = load * (splitting.slopes(noise, q, y, C) + np.diff((r - own) * q) / 2) - site.slopes
        return Residuals(site.m - order.m, site.q - q, own - r, slopes, float(site.C) - C)

    def residual(self, order: StepOrder, law: Law | Noise, load: float, temperature: float) -> float:
        """The largest |residual|."""
        residuals = self.self_consistency(order, law, load, temperature)
        return max(float(np.max(np.abs(part), initial=0.0)) for part in residuals)

    def energy(self, order: StepOrder, law: Law | Noise, load: float, temperature: float) -> float:
        """e = f + Ts at a solution, zero at T → ∞."""
        state = (order, law, load, temperature)
        return self.free_energy(*state) + temperature * self.entropy(*state)

    def entropy(self, order: StepOrder, law: Law | Noise, load: float, temperature: float) -> float:
        """s = -∂f/∂T at a solution. Negative at low T, less so with every step."""
        noise = crosstalk.noise(law)
        q, _, C, _ = _arrays(order, noise, temperature)
        return _averages(order, noise, load, temperature).entropy + load * noise.entropy(float(q[-1]), C)

    def stability(self, order: StepOrder, law: Law | Noise, load: float, temperature: float) -> float | None:
        """1 - αβ² ζ̂''(q_k) ∫P_k sech⁴ βh (p = 2: 1/D_k² for ζ̂''), negative where q_k splits further. None at T = 0."""
        if temperature == 0:
            return None
        noise = crosstalk.noise(law)
        q, _, C, _ = _arrays(order, noise, temperature)
        sech4 = _averages(order, noise, load, temperature).sech4
        return 1 - load * noise.stiffness(float(q[-1]), C) * (sech4 / temperature) / temperature


def _arrays(order: StepOrder, noise: Noise, temperature: float) -> tuple[Array, Array, float, Array]:
    q, y, C = np.array(order.q), np.array(order.y), order.susceptibility
    if C is None:
        if temperature == 0:
            raise Refused("an order at temperature 0 needs its susceptibility C: q_k = 1 does not tell it")
        C = (1 - order.q[-1]) / temperature
    return q, y, C, splitting.variances(noise, q, y, C) if order.r is None else np.array(order.r)


def _averages(order: StepOrder, noise: Noise, load: float, temperature: float) -> Averages:
    _, y, _, r = _arrays(order, noise, temperature)
    return hierarchy.averages(order.m ** (noise.degree - 1), load * r, y, temperature)


def order_of(noise: Noise, m: float, steps: Steps) -> StepOrder:
    """The steps as an order."""
    q, y, C, _ = steps
    r = None if isinstance(noise, Mixed) else tuple(map(float, splitting.variances(noise, q, y, C)))
    return StepOrder(m, tuple(map(float, q)), tuple(map(float, y)), r, float(C))


def _unbroken(order: Order, temperature: float, k: int) -> StepOrder:
    """A replica-symmetric order with k steps of no height."""
    C = float(order.susceptibility or 0.0)
    r = None if order.r is None else (order.r,) * (k + 1)
    return StepOrder(order.m, (order.q,) * (k + 1), (1 / (temperature + C),) * k, r, C)


def _broken(point: Point, whole: Steps, k: int) -> Steps:
    for j in range(k):
        further = splitting.split(point, whole)
        if further is None:
            raise NotConverged(
                f"no state with {j + 1} steps was found at T = {point.temperature:.6g}, m = {point.m:.6g}; "
                f"near a transition steps are too small to resolve: use KStep({j}) or move away from it"
            )
        whole = further
    return whole


@lru_cache(maxsize=256)
def _glass(noise: Noise, load: float, temperature: float, k: int) -> StepOrder:
    whole = unbroken(noise, load, temperature, 0.0)
    if k == 0:
        REPLICA_SYMMETRIC.order(noise, load, temperature, "glass")  # says where there is one, if there is none
    return order_of(noise, 0.0, _broken(Point(noise, temperature, 0.0, load), whole, k))


def unbroken(noise: Noise, load: float, temperature: float, m: float) -> Steps:
    """No step, at fixed m, the largest q. Where that is 0 a mixed p-spin glass may have steps all the same: a start."""
    if isinstance(noise, Responding):
        answer = gaussian.response(m, glass.spread(noise, load, temperature, "glass"), temperature)
        return Steps(np.array([float(answer.q)]), np.empty(0), float(answer.C), load)
    q, signal = 1.0, m ** (noise.degree - 1)
    for _ in range(MOST_ITERATIONS):
        answer = gaussian.response(signal, np.sqrt(load * noise.derivative(1, q)), temperature)
        q, before = float(answer.q), q
        if abs(q - before) <= 1e-15:
            break
    C = float(answer.C)
    if q < LOST:
        C = 0.8 / (np.sqrt(load * noise.derivative(1, 1.0)) + 0.8 * temperature)
        q = 1 - temperature * C
    return Steps(np.array([q]), np.empty(0), C, load)


class _Branch:
    """The retrieval branch at a temperature, m as its parameter: the steps and the load at any m, from those nearby."""

    def __init__(self, noise: Noise, temperature: float, k: int) -> None:
        self.noise, self.temperature, self.k = noise, temperature, k
        self.known: dict[float, Steps] = {}

    def at(self, m: float) -> Steps:
        if m not in self.known:
            self.known[m] = self._follow(m) or self._found(m)
        return self.known[m]

    def load(self, m: float) -> float:
        return self.at(m).load

    def _follow(self, m: float) -> Steps | None:
        near = min(self.known, key=lambda other: abs(other - m), default=None)
        if near is None or abs(near - m) > NEARBY * (1 - near) or self.known[near].q[-1] == self.known[near].q[-2]:
            return None
        return splitting.polish(Point(self.noise, self.temperature, m, None), self.known[near])

    def _found(self, m: float) -> Steps:
        spread = retrieval.spread_at(self.noise, m, self.temperature)
        answer = gaussian.response(m ** (self.noise.degree - 1), spread, self.temperature)
        q, C = float(answer.q), float(answer.C)
        whole = Steps(np.array([q]), np.empty(0), C, spread**2 / float(self.noise.variance(q, C)))
        return _broken(Point(self.noise, self.temperature, m, None), whole, self.k)


@lru_cache(maxsize=64)
def _branch(noise: Noise, temperature: float, k: int) -> _Branch:
    return _Branch(noise, temperature, k)


@lru_cache(maxsize=1024)
def _fold(noise: Noise, temperature: float, k: int) -> Fold | None:
    """The largest load over m. As in retrieval.fold, the bracket uses that the load is concave in m at its maximum."""
    end, ends = retrieval.fold(noise, temperature), retrieval.overlap_range(noise, temperature)
    if k == 0 or end is None or ends is None:
        return end
    load = _branch(noise, temperature, k).load
    reach = min(REACH, (ends[1] - end.m) / 2)
    centre = end.m
    while load(centre - reach) > load(centre):  # steps add noise that a state bears, so the branch goes on to smaller m
        centre -= reach
    bounds = (centre - reach, centre + reach)
    m = float(minimize_scalar(lambda m: -load(m), bounds=bounds, method="bounded", options={"xatol": 1e-6}).x)
    step = 1e-3 * reach
    top, *beside = (load(x) for x in (m, m - step, m + step))
    return Fold(m, top, min(max(beside), top), max(top, *(2 * top - other for other in beside)))


@lru_cache(maxsize=256)
def _retrieval(noise: Noise, load: float, temperature: float, k: int) -> StepOrder:
    if k == 0:
        return _unbroken(REPLICA_SYMMETRIC.order(noise, load, temperature, "retrieval"), temperature, 0)
    branch, ends = _branch(noise, temperature, k), retrieval.overlap_range(noise, temperature)
    m = None if ends is None else _overlap(branch, load, ends[1])
    if m is None:
        end = _fold(noise, temperature, k)
        where = "there is none at any load" if end is None else f"the branch ends at load {end.load:.6g}"
        raise NotConverged(f"no retrieval state at load {load:.6g}, T = {temperature:.6g}: {where}", end)
    return order_of(noise, m, branch.at(m))


def _overlap(branch: _Branch, load: float, highest: float) -> float | None:
    """m at a load, None beyond the fold. Steps raise the load at m, and so m at the load, from that without them."""
    symmetric = retrieval.fold(branch.noise, branch.temperature)
    if symmetric is not None and load < symmetric.load:
        low = retrieval.state(branch.noise, load, branch.temperature)[0]
    else:
        end = _fold(branch.noise, branch.temperature, branch.k)
        if end is None or load > end.load:
            return None
        low = end.m
    if branch.load(low) <= load:
        return low
    reach = (highest - low) / 64
    while branch.load(low + reach) > load:
        low, reach = low + reach, min(2 * reach, (highest - low - reach) / 2)
    return root(lambda m: branch.load(m) - load, low, low + reach)
