"""States of a network that learns from examples at K = αN^(p-1): one archetype retrieved, or none.

At fixed n̂ the signal is a = n̂^(p-1), and E[x tanh β(ax + σz)] falls with σ: there is one σ(n̂) at which it is n̂, and
then the load is explicit, α(n̂) = σ²/v̂. The branch starts at the n̂ without noise, or where another archetype joins
(1 - vC = 0). For p = 2, where averages of examples take few values, it can have several folds: with an odd number of
examples the network may or may not follow bare majorities. The capacity is the highest of them; the state at a load is
that of the largest n̂. For p ≥ 3 the branch ends at its first fold: later ones are of states with little q, as they are
without examples.

States with m = 0 have h = σz, and their load is explicit in σ.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from ..networks import Law
from . import gaussian, glass
from .crosstalk import Mixed
from .fixed_point import TIGHT, NotConverged, root
from .gaussian import HALF_NORMAL, Array
from .learning_noise import Groups, examples_of, noise
from .learning_site import Average, Site, entries

# of the n̂ without noise, where folds are looked for, from the top
POINTS = 1 - np.append(np.geomspace(1e-6, 0.05, 32, endpoint=False), np.linspace(0.05, 0.9995, 40))
STEPS = 100  # of Newton's method for the noise, at most
ROUNDING = 1e-14  # of √α
FLAT = 1e-100  # a slope in σ² no larger is rounding
LEAST = 1e-9  # of the largest overlap: smaller ones are rounding


class Fold(NamedTuple):
    """The end of the branch: n̂, overlap m with the archetype, load and a bracket low <= load <= high."""

    n: float
    m: float
    load: float
    low: float
    high: float


class Branch:
    """The retrieval branch of one archetype, of a law at a temperature."""

    def __init__(self, law: Law, temperature: float, average: Average) -> None:
        self.site = Site(law, entries(examples_of(law), 1, average), temperature)
        weights, mean, variance, *_ = self.site.entries
        self.weights, self.mean, self.variance = weights, mean[:, 0], variance[:, 0]
        self.top = self._without_noise()
        self.overlaps = self.top * POINTS
        self.root_loads = self.root_load(self.overlaps) if self.top else np.zeros_like(POINTS)

    def root_load(self, n: Array) -> Array:
        """√α on the branch; not positive where there is no state."""
        v = self._noise_at(n)
        _, _, q, C = self._answers(n, v)
        return _root_load(self.site.noise, q, C, v)

    def fold(self) -> Fold | None:
        """The end of the branch; None without retrieval. Secants to either side of a maximum bound it from above."""
        best = self._highest()
        if self.root_loads[best] <= ROUNDING:
            return None
        low, high = self.overlaps[min(best + 1, POINTS.size - 1)], self.overlaps[max(best - 1, 0)]
        n = _crest(self._at, float(low), float(high))
        step = 1e-4 * min(n, self.top - n)
        load, *beside = (np.maximum(self.root_load(n + step * np.array([0.0, -1.0, 1.0])), 0) ** 2).tolist()
        m = self._state(n)[1]
        return Fold(n, m, load, min(max(beside), load), max(load, *(2 * load - other for other in beside)))

    def state(self, load: float, fold: Fold) -> tuple[float, float]:
        """(n̂, C) of the largest n̂ at a load up to that of the fold: the first crossing from the top is stable."""
        wanted, above = math.sqrt(load), self.overlaps > fold.n
        overlaps = np.append(self.overlaps[above], fold.n)
        crossed = np.append(self.root_loads[above] >= wanted, True)
        first = int(crossed.argmax())
        if first == 0:
            return self._near_top(wanted, float(overlaps[0]))
        low, high = float(overlaps[first]), float(overlaps[first - 1])
        n = root(lambda n: self._at(n) - wanted, low, high) if self._at(low) > wanted else low
        return n, self._state(n)[0]

    def _near_top(self, wanted: float, n: float) -> tuple[float, float]:
        """(n̂, C) where n̂ does not resolve the noise any more: there the spread of the noise is the variable."""

        def at(spread: float) -> tuple[float, float, float]:
            n, v = np.array([self.top]), np.array([spread**2])
            for _ in range(STEPS):
                before, (n, _, q, C) = n, self._answers(n, v)
                if np.abs(n - before) <= TIGHT * n:
                    break
            return float(_root_load(self.site.noise, q, C, v)[0]), float(n[0]), float(C[0])

        high = math.sqrt(self._noise_at(np.array([n]))[0])
        spread = root(lambda spread: at(spread)[0] - wanted, 1e-9 * min(wanted, high), 1.01 * high)
        return at(spread)[1:]

    def _highest(self) -> int:
        """Where in `overlaps` the load is largest, for p ≥ 3 before it first falls."""
        falls = self.root_loads < np.maximum.accumulate(self.root_loads)
        ends = self.site.degree > 2 and bool(falls.any())
        return int(self.root_loads[: falls.argmax() if ends else None].argmax())

    def _at(self, n: float) -> float:
        return float(self.root_load(np.array([n]))[0])

    def _state(self, n: float) -> tuple[float, float]:
        """(C, m) on the branch."""
        signal, v = np.array([n]) ** (self.site.degree - 1), self._noise_at(np.array([n]))
        found = gaussian.response(signal * self.mean, np.sqrt(v + self.variance * signal**2), self.site.temperature)
        return float(self.weights @ found.C), float((self.weights * found.m) @ self.site.entries.archetype[:, 0])

    def _without_noise(self) -> float:
        """The largest n̂ = E[x tanh βn̂^(p-1)x]; 0 where there is none."""
        p, power = self.site.degree, self._power()
        if p == 2 and self.site.temperature >= power * (1 - LEAST):
            return 0.0

        def rises(n: Array) -> Array:
            return self._answers(n, np.zeros_like(n))[0] / n - 1

        def rise(n: float) -> float:
            return float(rises(np.array([n]))[0])

        top = 1.001 * math.sqrt(power)  # E|x| <= √E[x²]
        trials = top * (np.array([1.0, LEAST]) if p == 2 else np.geomspace(1, 1e-2, 200))
        found = rises(trials)
        best = int((found > 0).argmax() or found.argmax())
        low = float(trials[best])
        if found[best] <= 0:
            low = _crest(rise, float(trials[min(best + 1, trials.size - 1)]), float(trials[max(best - 1, 0)]))
        return root(rise, low, top) if rise(low) > 0 else 0.0

    def _power(self) -> float:
        """E[x²]."""
        return float(self.weights @ (self.mean**2 + self.variance))

    def _answers(self, n: Array, v: Array) -> tuple[Array, Array, Array, Array]:
        """E[x tanh βh], its slope in v = σ², q and C; arrays over n̂."""
        signal = (n ** (self.site.degree - 1))[:, None]
        spread = np.sqrt(v[:, None] + self.variance * signal**2)
        found = gaussian.response(signal * self.mean, spread, self.site.temperature)
        own = self.variance * signal
        answered = (self.mean * found.m + own * found.C) @ self.weights
        slope = (self.mean * found.dm_dv + own * found.dc_dv) @ self.weights
        return answered, slope, found.q @ self.weights, found.C @ self.weights

    def _noise_at(self, n: Array) -> Array:
        """σ²(n̂) by Newton's method, halving the bracket where it would leave it; 0 where even that is too much."""
        low = np.zeros_like(n)
        high = (HALF_NORMAL * self._power() * n ** (self.site.degree - 2)) ** 2  # E[x tanh] <= E[x²] √(2/π) n^(p-1)/σ
        reached, v = self._answers(n, low)[0] > n, high
        for _ in range(STEPS):
            answered, slope, _, _ = self._answers(n, v)
            low, high = np.where(answered > n, v, low), np.where(answered < n, v, high)
            falls = slope < -FLAT
            trial = v - (answered - n) / np.where(falls, slope, -1.0)
            trial = np.where(falls & (trial >= low) & (trial <= high), trial, (low + high) / 2)
            settled = (np.abs(trial - v) <= TIGHT * v) | (np.abs(answered - n) <= TIGHT * n)
            v = trial
            if np.all(settled | ~reached):
                break
        return np.where(reached, v, 0.0)


@lru_cache(maxsize=1024)
def branch(law: Law, temperature: float, average: Average) -> tuple[Branch, Fold | None]:
    """The retrieval branch of one archetype and its end."""
    found = Branch(law, temperature, average)
    return found, found.fold()


def retrieved(law: Law, load: float, temperature: float, average: Average) -> tuple[float, float]:
    """(n̂, C) of the stable retrieval state; raises NotConverged beyond the end of the branch."""
    found, fold = branch(law, temperature, average)
    if fold is None or load > fold.load:
        where = f"the branch ends at load {fold.load:.6g}" if fold else "there is none at any load"
        raise NotConverged(
            f"no retrieval at load {load:.6g}, T = {temperature:.6g} from {law.ensemble}: {where}; "
            "lower load or temperature, or change the number of examples",
            fold,
        )
    return found.state(load, fold)


def without_retrieval(law: Law, load: float, temperature: float, name: str) -> float:
    """C of the "glass" (largest q > 0) or the "paramagnet"; raises NotConverged where there is none."""
    known = noise(law)
    if isinstance(known, Mixed):
        spread = glass.spread(known, load, temperature, name)
    else:
        found = _paramagnet(known, temperature) if name == "paramagnet" else _glass(known, load, temperature)
        if found is None:
            what = f"T > {known.eigenvalues[0]:g}" if name == "paramagnet" else "a larger load or a lower temperature"
            raise NotConverged(f"no {name} state at load {load:.6g}, T = {temperature:.6g}: it needs {what}")
        spread = found
    return _susceptibility(spread, temperature)


def all_without_retrieval(law: Law, load: float, temperature: float) -> list[float]:
    """C of the states with m = 0 that may dominate: for p = 2 the glass where there is one."""
    known = noise(law)
    if isinstance(known, Mixed):
        return [_susceptibility(spread, temperature) for spread in glass.spreads(known, load, temperature)]
    spread = _glass(known, load, temperature)
    return [_susceptibility(0.0 if spread is None else spread, temperature)]


def _susceptibility(spread: float, temperature: float) -> float:
    return float(gaussian.response(0.0, spread, temperature).C)


def _paramagnet(known: Groups, temperature: float) -> float | None:
    return 0.0 if temperature > known.eigenvalues[0] else None


def _glass(known: Groups, load: float, temperature: float) -> float | None:
    """The root σ of α(σ) = α, which grows from the load at which the glass begins."""
    wanted = math.sqrt(load)

    def excess(sigma: float) -> float:
        answer = gaussian.response(0.0, sigma, temperature)
        return float(known.root_load(answer.q, answer.C, np.array(sigma**2))) - wanted

    low, high = 1e-7 * wanted, 1.0
    while excess(high) < 0:
        high *= 2
    return root(excess, low, high) if excess(low) < 0 else None


def _crest(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function is largest between two numbers."""
    found = minimize_scalar(
        lambda x: -function(x), bounds=(low, high), method="bounded", options={"xatol": 1e-10 * high}
    )
    return float(found.x)


def _root_load(known: Groups | Mixed, q: Array, C: Array, v: Array) -> Array:
    if isinstance(known, Groups):
        return known.root_load(q, C, v)
    return np.asarray(np.sqrt(v / known.variance(q, C)))
