"""Diluted patterns at high load, K = αN: replica symmetry with a finite fraction d of blanks, one pattern retrieved.

With a = 1-d, h = m ξ + z√(αr) and E the average over the entry ξ of the retrieved pattern, blanks included,

    m = E[ξ tanh βh],  q = E[tanh² βh],  r = a² q/(1-aC)²,  C = β(1-q)
    f = αa/2 + m²/2 + (α/2β) [ln(1-aC) - aβq/(1-aC)] + (αβ/2) r (1-q) - T E ln 2cosh βh

In units of a, that is with T/a, m/a, aC, r/a² and f/a, the noise is that of the classical network (crosstalk.py,
p = 2), neurons with an entry answer as there, and all that is new are the others, which have noise but no signal. So
d = 0 is the classical network (Amit, Gutfreund & Sompolinsky 1985, 1987), and states with m = 0 are those of the
classical network at T/a: the glass begins at T = a (1 + √α).

The branch is followed in the spread σ of the noise, where overlap and load are explicit. Both its ends have α = 0:
one without noise, or where 1 - aC vanishes; the other where m does, and there 1 - aC > 0 only for d < 2/3.
Other patterns have overlaps of order 1/√N; states with several large overlaps are in finite_patterns.py, at K/N → 0.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from ..errors import Refused
from ..interactions import Quadratic
from ..networks import Law
from ..patterns import Diluted
from . import crosstalk, gaussian
from .crosstalk import Noise, Responding
from .fixed_point import TIGHT, NotConverged, root
from .gaussian import HALF_NORMAL, Array
from .replica_symmetric import REPLICA_SYMMETRIC, Order
from .retrieval import Fold

NOISE = Responding()
STEPS = 200  # of Newton's method for the overlap, at most
NEXT_TO_ONE = 1e-9  # closer to t = 1 overlaps are rounding
SPREADS = 1 - np.geomspace(1e-5, 1, 96, endpoint=False)[::-1]  # of the largest spread, where the fold is looked for


class Answer(NamedTuple):
    """What all neurons answer, in units of 1-d: overlap of those with an entry, q and C of all."""

    m: Array
    q: Array
    C: Array


@dataclass(frozen=True)
class DilutedSymmetric:
    """The replica-symmetric ansatz of F = m²/2 on patterns with dilution d; use it with the noise or law of p = 2.

    Every method takes a load α = K/N > 0 and T >= 0. Orders hold m (at most 1-d), q, r and C as in the equations above.
    """

    dilution: float
    lines: ClassVar[tuple[str, ...]] = ("spinodal", "coexistence", "glass", "stability")

    def __post_init__(self) -> None:
        object.__setattr__(self, "dilution", Diluted(self.dilution).dilution)

    @property
    def unit(self) -> float:
        """a = 1-d: temperatures in units of it are those of the classical network where m = 0."""
        return 1 - self.dilution

    def order(self, law: Law | Noise, load: float, temperature: float, branch: str) -> Order:
        """The order on the "retrieval", "glass" or "paramagnet" branch. Raises NotConverged where it does not exist."""
        noise = _responding(law)
        if branch == "retrieval":
            return self._retrieval(load, temperature)
        return self._in_units(REPLICA_SYMMETRIC.order(noise, load, temperature / self.unit, branch))

    def dominant(self, law: Law | Noise, load: float, temperature: float) -> Order:
        """The state with m = 0."""
        return self._in_units(REPLICA_SYMMETRIC.dominant(_responding(law), load, temperature / self.unit))

    def fold(self, law: Law | Noise, temperature: float) -> Fold | None:
        """The end of the retrieval branch at a temperature; None where there is no retrieval."""
        _responding(law)
        return _fold(self.dilution, temperature / self.unit)

    def free_energy(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """f, a function of m, q and r off the saddle too; -T ln 2 at T → ∞."""
        m, spread, t, C = self._reduced(order, law, load, temperature)
        part = load * NOISE.free_energy(order.q, C, spread**2 / load, t)
        return self.unit * (self.unit * m * m / 2 + part - self._average(gaussian.log_2cosh, m, spread, t))

    def self_consistency(
        self, order: Order, law: Law | Noise, load: float, temperature: float
    ) -> tuple[float, float, float]:
        """Residuals of the undamped map: E[ξ tanh] - m, E[tanh²] - q and a² q/(1-aC)² - r.

        They make the gradient of f: minus the first in m, αβ/2 times the second in r and the third in q.
        """
        m, spread, t, C = self._reduced(order, law, load, temperature)
        answer = _answer(self.dilution, m, spread, t)
        r = float(NOISE.variance(order.q, C)) * self.unit**2
        return self.unit * float(answer.m) - order.m, float(answer.q) - order.q, r - _noise_of(order)

    def residual(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """The largest |residual| of m, q, αr and aC."""
        m, spread, t, C = self._reduced(order, law, load, temperature)
        first, second, third = self.self_consistency(order, law, load, temperature)
        fourth = float(_answer(self.dilution, m, spread, t).C) - C
        return max(abs(first), abs(second), abs(load * third), abs(fourth))

    def energy(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """e = ∂(βf)/∂β at a solution, zero at T → ∞: -m²/2 plus the crosstalk."""
        _, _, t, C = self._reduced(order, law, load, temperature)
        return -(order.m**2) / 2 + load * self.unit * NOISE.energy(order.q, C, t)

    def entropy(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float:
        """s = -∂f/∂T at a solution. Negative at low T, where replica symmetry fails."""
        m, spread, t, C = self._reduced(order, law, load, temperature)
        return self._average(gaussian.entropy, m, spread, t) + load * NOISE.entropy(order.q, C)

    def stability(self, order: Order, law: Law | Noise, load: float, temperature: float) -> float | None:
        """1 - αβ² a²/(1-aC)² E sech⁴ βh, negative where replica symmetry is unstable; None at T = 0."""
        if temperature == 0:
            return None
        m, spread, t, C = self._reduced(order, law, load, temperature)
        sech4 = self._average(gaussian.sech4, m, spread, t)
        return 1 - load * NOISE.stiffness(order.q, C) * (sech4 / t) / t

    def _retrieval(self, load: float, temperature: float) -> Order:
        t = temperature / self.unit
        end = _fold(self.dilution, t)
        if end is None or load > end.load:
            where = f"the branch ends at load {end.load:.6g}" if end else "there is none at any load"
            raise NotConverged(
                f"no retrieval state at load {load:.6g}, T = {temperature:.6g}, dilution {self.dilution:g}: {where}",
                end,
            )
        spread = _spread_at(self.dilution, load, t)
        m = _overlaps(np.array([spread]), t)[0]
        answer = _answer(self.dilution, m, spread, t)
        q, C = float(answer.q), float(answer.C)
        return self._in_units(Order(float(m), q, float(NOISE.variance(q, C)), C))

    def _in_units(self, order: Order) -> Order:
        a = self.unit
        C = None if order.susceptibility is None else order.susceptibility / a
        return Order(a * order.m, order.q, a * a * _noise_of(order), C)

    def _reduced(
        self, order: Order, law: Law | Noise, load: float, temperature: float
    ) -> tuple[float, float, float, float]:
        """Signal m/a, spread √(αr)/a of the noise, temperature T/a and response aC."""
        _responding(law)
        a, r = self.unit, _noise_of(order)
        if order.susceptibility is not None:
            C = a * order.susceptibility
        else:
            C = a * (1 - order.q) / temperature if temperature > 0 else 1 - a / math.sqrt(r)
        return order.m / a, math.sqrt(load * r) / a, temperature / a, C

    def _average(
        self, function: Callable[[ArrayLike, ArrayLike, float], Array], signal: float, spread: float, t: float
    ) -> float:
        filled, blank = function([signal, 0.0], spread, t)
        return float(self.unit * filled + self.dilution * blank)


def supports(law: Law) -> bool:
    """Whether the replica theory of a law is known: as in crosstalk.py, and F = m²/2 on patterns with blanks."""
    return _has_blanks(law) or crosstalk.supports(law)


def unit(ansatz: object) -> float:
    """The unit of temperature of the states with m = 0: 1-d, and 1 for every other ansatz."""
    return ansatz.unit if isinstance(ansatz, DilutedSymmetric) else 1.0


def specialised(law: Law | Noise, ansatz: Any) -> tuple[Noise, Any]:
    """The noise of a law and the ansatz to use: DilutedSymmetric in place of ReplicaSymmetric() if it has blanks."""
    if not isinstance(law, Law) or not _has_blanks(law):
        return crosstalk.noise(law), ansatz
    if ansatz != REPLICA_SYMMETRIC:
        raise Refused(f"diluted patterns at high load have the ansatz ReplicaSymmetric() only, got {ansatz}")
    assert isinstance(law.ensemble, Diluted)
    return NOISE, DilutedSymmetric(law.ensemble.dilution)


def _has_blanks(law: Law) -> bool:
    quadratic, ensemble = isinstance(law.interaction, Quadratic), law.ensemble
    return quadratic and isinstance(ensemble, Diluted) and ensemble.dilution > 0


def _responding(law: Law | Noise) -> Noise:
    noise = crosstalk.noise(law)
    if not isinstance(noise, Responding):
        raise Refused(
            f"the theory of diluted patterns at high load is that of F = m²/2, got a noise of degree {noise.degree}"
        )
    return noise


def _noise_of(order: Order) -> float:
    if order.r is None:
        raise Refused("an order of diluted patterns needs r, got None")
    return order.r


def _answer(dilution: float, m: ArrayLike, spread: ArrayLike, t: float) -> Answer:
    filled, blank = gaussian.response(m, spread, t), gaussian.response(0.0, spread, t)
    q = (1 - dilution) * filled.q + dilution * blank.q
    return Answer(filled.m, q, (1 - dilution) * filled.C + dilution * blank.C)


def _overlaps(spreads: Array, t: float) -> Array:
    """The largest m = ∫Dz tanh((m + σz)/t), by Newton's method from m = 1, which comes down monotonically."""
    m = np.ones_like(spreads)
    for _ in range(STEPS):
        answer = gaussian.response(m, spreads, t)
        step = (m - answer.m) / np.maximum(1 - answer.C, TIGHT)
        m = np.where(step > 0, m - step, m)
        if (step <= TIGHT * m).all():
            break
    return m


def _root_load(dilution: float, spreads: Array, t: float) -> Array:
    """√α = σ (1-aC)/√q on the branch; negative where 1-aC is, and there is no state."""
    answer = _answer(dilution, _overlaps(spreads, t), spreads, t)
    return np.asarray(spreads * (1 - answer.C) / np.sqrt(answer.q))


def _largest_spread(t: float) -> float:
    """σ at which the overlap vanishes, for t < 1: there ∫Dz sech²(σz/t) = t."""
    if t == 0:
        return float(HALF_NORMAL)
    return root(lambda sigma: float(gaussian.response(0.0, sigma, t).C) - 1, 1e-9 * (1 - t), 1.0)


@lru_cache(maxsize=1024)
def _fold_spread(dilution: float, t: float) -> float | None:
    """The spread of the largest load; None without retrieval."""
    if t >= 1 - NEXT_TO_ONE:
        return None
    spreads = _largest_spread(t) * SPREADS
    loads = _root_load(dilution, spreads, t)
    best = int(loads.argmax())
    if loads[best] <= 0 or best in (0, len(spreads) - 1):
        return None
    ends = (float(spreads[best - 1]), float(spreads[best + 1]))
    found = minimize_scalar(
        lambda sigma: -float(_root_load(dilution, np.array([sigma]), t)[0]),
        bounds=ends,
        method="bounded",
        options={"xatol": 1e-10 * ends[1]},
    )
    return float(found.x)


@lru_cache(maxsize=1024)
def _fold(dilution: float, t: float) -> Fold | None:
    """The end of the branch; secants to either side of a concave maximum bound it from above."""
    spread = _fold_spread(dilution, t)
    if spread is None:
        return None
    beside = spread * (1 + 1e-4 * np.array([0.0, -1.0, 1.0]))
    loads = np.maximum(_root_load(dilution, beside, t), 0) ** 2
    load, *others = loads.tolist()
    m = (1 - dilution) * float(_overlaps(beside[:1], t)[0])
    return Fold(m, load, min(max(others), load), max(load, *(2 * load - other for other in others)))


def _spread_at(dilution: float, load: float, t: float) -> float:
    """σ of the stable branch at a load up to that of the fold."""
    end = _fold_spread(dilution, t)
    assert end is not None
    wanted = math.sqrt(load)

    def excess(spread: float) -> float:
        return float(_root_load(dilution, np.array([spread]), t)[0]) - wanted

    return root(excess, 1e-3 * min(wanted, end), end) if excess(end) > 0 else end
