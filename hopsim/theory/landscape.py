"""The free energy of K diluted patterns at finite K, N → ∞, as a function of all K overlaps, and its stationary points.

With E the average over the 3^K values of the entries ξ of one neuron, blanks with probability d,

    f(m) = ½ Σ_μ m_μ² - T E ln 2cosh(ξ·m/T)
    ∂f/∂m_μ = m_μ - E[ξ_μ tanh(ξ·m/T)],     ∂²f/∂m_μ∂m_ν = δ_μν - E[ξ_μ ξ_ν sech²(ξ·m/T)]/T

(Agliari et al. 2012). ξ and -ξ give the same, so that half of the values are summed; permutations and signs of the
overlaps leave f as it is, so that m_1 ≥ m_2 ≥ ... ≥ m_K ≥ 0 is all there is to search. Along a ray m = r u the slope
vanishes at one r > 0 for T < 1-d and at none above: every solution but m = 0 lies on that surface around it.
"""

import itertools
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from .gaussian import Array

RADIAL, NEWTON = 25, 60  # iterations
TIGHT = 1e-13
FLAT = 1e-9  # added to eigenvalues, lest Newton's method divides by zero
STRIDE = 0.25  # the longest step, in units of the largest overlap 1-d
COARSE, DESCENT = 10, 300  # steps of the map m -> E[ξ tanh(ξ·m/T)] and, after them, of Newton's method
MERGED = 8  # of which descents that have come close are made one
LEVEL, LEVELLED = 1e-7, 1e-11  # eigenvalues and steps in a descent that are taken for zero
NUDGE = 1e-6  # takes a start off the ridges where overlaps vanish or are equal
ROUNDING = 1e-15  # of f
TIE = 1e-12  # a field at T = 0 that is none
AT_ONCE = 2**21  # fields
CLOSE = 0.01  # overlaps of two descents that become one, in units of T, the scale on which f bends


@cache
def entries(patterns: int) -> Array:
    """The values of ξ without the blank one, one of each pair ±ξ: float64[(3^K - 1)/2, K]."""
    values = np.array(list(itertools.product((0, 1, -1), repeat=patterns))[1:], dtype=float)
    first = np.take_along_axis(values, (values != 0).argmax(axis=1)[:, None], axis=1)
    return values[first[:, 0] > 0]


@cache
def directions(patterns: int, level: int) -> Array:
    """The whole numbers m_1 ≥ ... ≥ m_K ≥ 0 with m_1 = level: a lattice on the directions, up to symmetry.

    On it lie all directions with equal overlaps and with zeros, and those at which some neurons have no field.
    """
    tails = itertools.combinations_with_replacement(range(level, -1, -1), patterns - 1)
    return np.array([(level, *tail) for tail in tails], dtype=float)


@dataclass(frozen=True)
class Landscape:
    """f and its derivatives for overlaps m[..., K] at one dilution and T >= 0; at T = 0 with sign(0) = 0."""

    patterns: int
    dilution: float
    temperature: float

    @cached_property
    def forms(self) -> Array:
        """The values of ξ, one of each pair."""
        return entries(self.patterns)

    @cached_property
    def weights(self) -> Array:
        """The probabilities of the pairs ±ξ; they sum to 1 - d^K."""
        filled = np.count_nonzero(self.forms, axis=1)
        share = (1 - self.dilution) / 2
        return np.asarray(2 * share**filled * self.dilution ** (self.patterns - filled))

    def parts(self, m: Array) -> list[Array]:
        """m[S, K] in parts whose fields fit in memory."""
        return np.array_split(m, 1 + len(m) * len(self.weights) // AT_ONCE)

    def fields(self, m: Array) -> Array:
        """ξ·m for every value of ξ."""
        return np.asarray(m @ self.forms.T)

    def free_energy(self, m: Array) -> Array:
        """f; at T = 0 the energy ½ m² - E|ξ·m|. The d^K N neurons that are all blank are free and weigh -T ln 2."""
        h, T = np.abs(self.fields(m)), self.temperature
        free = 0.0
        if T > 0:
            h = h + T * np.log1p(np.exp(-2 * h / T))
            free = T * np.log(2) * (1 - self.weights.sum())
        return np.asarray((m * m).sum(axis=-1) / 2 - h @ self.weights - free)

    def answer(self, m: Array) -> Array:
        """E[ξ tanh(ξ·m/T)], which is m at a solution."""
        return np.asarray((self._aligned(m) * self.weights) @ self.forms)

    def hessian(self, m: Array) -> Array:
        """∂²f/∂m∂m, float64[..., K, K], T > 0."""
        return self._bent(self._aligned(m))

    def on_rays(self, rays: Array) -> Array:
        """The points m = r u on some rays u at which f is stationary along the ray, 0 < T < 1-d."""
        x, square = self.fields(rays), (rays * rays).sum(axis=-1)
        r = np.abs(x) @ self.weights / square  # that of T = 0, from where Newton's method comes down monotonically
        for _ in range(RADIAL):
            aligned = np.tanh(r[..., None] * x / self.temperature)
            excess = (x * aligned) @ self.weights - r * square
            slope = (x * x * (1 - aligned) * (1 + aligned)) @ self.weights / self.temperature - square
            r = r - excess / slope
            if (np.abs(excess) < TIGHT * np.abs(slope) * r).all():
                break
        return np.asarray(rays * r[..., None])

    def newton(self, m: Array) -> Array:
        """The stationary points reached from starts m[S, K], of any index; starts that get lost are left out."""
        found = [np.empty((0, self.patterns))]
        for _ in range(NEWTON):
            aligned = self._aligned(m)
            slope = m - (aligned * self.weights) @ self.forms
            step = np.linalg.solve(self._bent(aligned) + FLAT * np.eye(self.patterns), slope[..., None])[..., 0]
            size = np.abs(step).max(axis=-1)
            arrived = size < TIGHT
            found.append(m[arrived])
            longest = STRIDE * (1 - self.dilution)
            m = (m - step * np.minimum(1, longest / np.maximum(size, longest))[:, None])[~arrived]
            if m.size == 0:
                break
        return np.concatenate(found)

    def descend(self, m: Array) -> Array:
        """The states reached from starts m[S, K] while f falls, m_1 ≥ ... ≥ m_K ≥ 0, T > 0; minima but for rare ties.

        The map m -> E[ξ tanh(ξ·m/T)] lowers f at every step; then Newton's method does, with the sizes of eigenvalues.
        Those still on their way after DESCENT steps, in valleys where f hardly bends, are returned as they are.
        """
        m = _ordered(m) + NUDGE * (1 - self.dilution) * np.arange(self.patterns, 0, -1)
        for _ in range(COARSE):
            m = self.answer(m)
        m, found = _ordered(m), []
        longest = STRIDE * (1 - self.dilution)
        reach = np.full(len(m), longest)
        for number in range(DESCENT):
            if number % MERGED == 0:
                apart = np.unique(np.round(_ordered(m) / (CLOSE * self.temperature)), axis=0, return_index=True)[1]
                m, reach = m[apart], reach[apart]
            slope = m - self.answer(m)
            values, vectors = np.linalg.eigh(self.hessian(m))
            along = (np.swapaxes(vectors, -1, -2) @ slope[..., None])[..., 0] / np.maximum(np.abs(values), LEVEL)
            step = -(vectors @ along[..., None])[..., 0]
            size = np.abs(step).max(axis=-1)
            after = m + step * np.minimum(1, reach / np.maximum(size, reach))[:, None]
            lower = self.free_energy(after) <= self.free_energy(m) + ROUNDING
            after = np.where(lower[:, None], after, m - slope)
            reach = np.where(lower, np.minimum(2 * reach, longest), np.minimum(reach, size) / 4)
            arrived = size < LEVELLED
            found.append(after[arrived])
            m, reach = after[~arrived], reach[~arrived]
            if m.size == 0:
                break
        return _ordered(np.concatenate([*found, m]))

    def settle(self, m: Array) -> Array:
        """The fixed points of m -> E[ξ sign(ξ·m)] reached from starts m[S, K], T = 0; f falls at every step."""
        found = [np.empty((0, self.patterns))]
        m = _ordered(m)
        while m.size:
            after = _ordered(self.answer(m))
            still = np.abs(after - m).max(axis=-1) > TIGHT
            found.append(after[~still])
            m = np.unique(np.round(after[still], 14), axis=0)
        return np.unique(np.concatenate(found), axis=0)

    def free_neurons(self, m: Array) -> Array:
        """The fraction of neurons without a field at T = 0, those that are all blank left out."""
        return np.asarray((self._aligned(m) == 0) @ self.weights)

    @cached_property
    def _products(self) -> Array:
        """ξ_μ ξ_ν, μ ≤ ν, of every value: float64[(3^K - 1)/2, K(K+1)/2]."""
        row, column = np.triu_indices(self.patterns)
        return np.asarray(self.forms[:, row] * self.forms[:, column])

    def _bent(self, aligned: Array) -> Array:
        """The Hessian where neurons have the magnetisations `aligned`."""
        response = ((1 - aligned) * (1 + aligned) * self.weights) @ self._products / self.temperature
        row, column = np.triu_indices(self.patterns)
        bent = np.empty((*aligned.shape[:-1], self.patterns, self.patterns))
        bent[..., row, column] = bent[..., column, row] = -response
        return bent + np.eye(self.patterns)

    def _aligned(self, m: Array) -> Array:
        h = self.fields(m)
        if self.temperature > 0:
            return np.asarray(np.tanh(h / self.temperature))
        return np.asarray(np.sign(np.where(np.abs(h) < TIE, 0.0, h)))


def _ordered(m: Array) -> Array:
    """m_1 ≥ ... ≥ m_K ≥ 0."""
    return np.asarray(-np.sort(-np.abs(m), axis=-1))
