"""The two equations of retrieval in (m, v), v = σ² the variance of the noise, and Newton's method on them.

    <S tanh βh>/n = m,   v = α v̂(q, C),   h = m^(p-1) S + z √v

Everything is elementwise over loads at one temperature. n patterns share the overlap m (mixtures.py); n = 1: retrieval.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from . import mixtures
from .crosstalk import Noise
from .gaussian import Array

DESCENT, NEWTON = 5, 30  # iterations


class Jacobian(NamedTuple):
    """Derivatives of the residuals of m and v (first letter) in m and v (second letter)."""

    mm: Array
    mv: Array
    vm: Array
    vv: Array

    @property
    def determinant(self) -> Array:
        """Negative on the stable side of the fold: dm/dα = |∂m/∂v| v̂ / determinant."""
        return self.mm * self.vv - self.mv * self.vm


class Iterates(NamedTuple):
    """The best iterates, their residuals (infinite out of bounds) and the determinants there."""

    m: Array
    v: Array
    residual: Array
    determinant: Array


@dataclass(frozen=True)
class Equations:
    """The equations of n patterns at some loads and one temperature."""

    noise: Noise
    loads: Array
    temperature: float
    patterns: int

    def answer(self, m: Array, v: Array) -> mixtures.Answer:
        """How the neurons answer to the signal m^(p-1) in a noise of variance v."""
        return mixtures.response(self.patterns, m ** (self.noise.degree - 1), np.sqrt(v), self.temperature)

    def jacobian(self, m: Array, answer: mixtures.Answer) -> Jacobian:
        """The Jacobian of <S tanh βh>/n - m and v - α v̂."""
        p = self.noise.degree
        slope = self.loads * self.noise.slope(answer.q, answer.C, self.temperature)
        da = (p - 1) * m ** (p - 2)
        dc_da = 2 * self.patterns * answer.dm_dv
        return Jacobian(answer.dm_da * da - 1, answer.dm_dv, -slope * dc_da * da, 1 - slope * answer.dc_dv)

    def descend(self, top: float) -> tuple[Array, Array]:
        """(m, v) after a few iterations of the map down from zero load, where m is `top`."""
        m, v = np.full_like(self.loads, top), np.zeros_like(self.loads)
        for _ in range(DESCENT):
            answer = self.answer(m, v)
            m, v = answer.m, self.loads * self.noise.variance(answer.q, answer.C)
        return m, v

    def newton(self, m: Array, v: Array) -> Iterates:
        """Newton's method, each load until its residual stops falling.

        Near the fold, where the Jacobian is singular, it stays at the best iterate.
        """
        best = self._step(m, v)
        active = np.arange(self.loads.size)
        for _ in range(NEWTON):
            trial = replace(self, loads=self.loads[active])._step(*best[4:, active])
            better = trial[2] < best[2, active]
            active = active[better]
            if active.size == 0:
                break
            best[:, active] = trial[:, better]
        return Iterates(*best[:4])

    def _step(self, m: Array, v: Array) -> Array:
        """[m, v, residual, determinant, next m, next v]."""
        valid = (m > 0) & (m <= 1) & (v >= 0)
        m, v = np.where(valid, m, 0.5), np.where(valid, v, 1.0)
        answer = self.answer(m, v)
        f, g = answer.m - m, v - self.loads * self.noise.variance(answer.q, answer.C)
        valid &= (self.noise.degree > 2) | (answer.C < 1)
        residual = np.where(valid, np.maximum(np.abs(f), np.abs(g)), np.inf)
        slopes = self.jacobian(m, answer)
        determinant = slopes.determinant
        inverse = 1 / np.where(determinant == 0, 1.0, determinant)
        dm, dv = (slopes.vv * f - slopes.mv * g) * inverse, (slopes.mm * g - slopes.vm * f) * inverse
        return np.array([m, v, residual, determinant, m - dm, v - dv])
