"""Modern Hopfield retrieval: the states of a memory are attracted by its patterns through a softmax.

Ramsauer et al., "Hopfield Networks is All You Need" (2020), with K patterns x_μ of N neurons as rows of X and M the
largest of their norms:

    update  ξ -> X^T p,  p = softmax(β X ξ)
    energy  E(ξ) = -(1/β) ln Σ_μ exp(β x_μ·ξ) + ξ·ξ/2 + (ln K)/β + M²/2,   ∂E/∂ξ = ξ - X^T p

E is convex plus concave and an update minimises it with the concave part made linear (CCCP), so that no update raises
it. With separate values y_μ, Σ_μ p_μ y_μ is an attention head of keys x_μ.

The scores X ξ are made and spent in blocks of `ROWS` states and `COLUMNS` patterns, with the highest score so far and
the sums relative to it; they are never held at once. Work is in float32 if patterns are, in float64 otherwise.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Refused, numbers, real, whole
from ..kernels.softmax import weigh

Floats = NDArray[Any]
ROWS, COLUMNS = 256, 512  # their scores stay in the cache
REACH = 1e30  # of scores, so that differences stay finite in float32
TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Settled:
    """States [..., N] at the end of repeated updates, how many each took, and whether its last one moved nothing."""

    states: Floats
    updates: NDArray[np.int64]
    settled: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Memory:
    """Patterns [K, N] in a softmax of inverse temperature β > 0, and what is read at them: values [K, V], if any.

    Arrays of floats are not copied: they must not change afterwards.

    States and queries are [..., N]. Refused: entries that are not finite, shapes that do not fit, scores beyond 1e30.
    """

    patterns: Floats
    beta: float
    values: Floats | None = None

    def __post_init__(self) -> None:
        patterns = matrix("patterns", self.patterns)
        object.__setattr__(self, "patterns", patterns)
        object.__setattr__(self, "beta", checked_beta(self.beta))
        if self.values is not None:
            values = matrix("values", self.values).astype(patterns.dtype, copy=False)
            if len(values) != len(patterns):
                raise Refused(f"a memory of {len(patterns)} patterns needs as many values, got {len(values)}")
            object.__setattr__(self, "values", values)

    @cached_property
    def radius(self) -> float:
        """M, the largest norm of a pattern."""
        with np.errstate(over="ignore"):
            found = float(np.sqrt(np.einsum("kn,kn->k", self.patterns, self.patterns).max()))
        if not math.isfinite(found):
            raise Refused("the norms of the patterns leave the floats; scale them down")
        return found

    def update(self, states: ArrayLike) -> Floats:
        """X^T softmax(β X ξ): [..., N] -> [..., N]."""
        rows, shape = self._rows(states)
        return self._average(rows, self.patterns).reshape(shape)

    def read(self, queries: ArrayLike) -> Floats:
        """Σ_μ p_μ y_μ, the values weighted by softmax(β X ξ): [..., N] -> [..., V]."""
        if self.values is None:
            raise Refused("a memory without values has nothing to read: give it values, or use update()")
        rows, shape = self._rows(queries)
        return self._average(rows, self.values).reshape(*shape[:-1], -1)

    def settle(self, states: ArrayLike, *, tolerance: float = TOLERANCE, most: int = 10_000) -> Settled:
        """Update each state until it moves by at most tolerance · M, at most so many times.

        Near a bifurcation updates move little far from the fixed point: the distance left is about the last move over
        1 - the largest eigenvalue of β Cov_p(x).
        """
        rows, shape = self._rows(states)
        found, updates = rows.copy(), np.zeros(len(rows), dtype=np.int64)
        least = max(real("tolerance", tolerance), 8 * np.finfo(rows.dtype).eps) * self.radius
        moving = np.arange(len(rows))
        for _ in range(whole("most", most, 1)):
            new = self._average(found[moving], self.patterns)
            moved = np.linalg.norm(new - found[moving], axis=1) > least
            found[moving] = new
            updates[moving] += 1
            moving = moving[moved]
            if not moving.size:
                break
        still = np.ones(len(rows), dtype=np.bool_)
        still[moving] = False
        return Settled(found.reshape(shape), updates.reshape(shape[:-1]), still.reshape(shape[:-1]))

    def log_sum_exp(self, states: ArrayLike) -> Floats:
        """ln Σ_μ exp(β x_μ·ξ): [..., N] -> [...]."""
        rows, shape = self._rows(states)
        found = [self._block(rows[first : first + ROWS], None)[0] for first in range(0, len(rows), ROWS)]
        return np.concatenate(found).reshape(shape[:-1])

    def energy(self, states: ArrayLike) -> Floats:
        """E(ξ), float64: [..., N] -> [...]; from 0 to 2M² where |ξ| <= M."""
        ξ = np.asarray(states, dtype=np.float64)
        lse = np.asarray(self.log_sum_exp(states), dtype=np.float64)
        return np.asarray((np.log(len(self.patterns)) - lse) / self.beta + ((ξ * ξ).sum(axis=-1) + self.radius**2) / 2)

    def gradient(self, states: ArrayLike) -> Floats:
        """∂E/∂ξ = ξ - X^T softmax(β X ξ): [..., N] -> [..., N]."""
        return np.asarray(states, dtype=self.patterns.dtype) - self.update(states)

    def weights(self, states: ArrayLike) -> Floats:
        """The softmax itself, [..., N] -> [..., K]: for few states."""
        rows, shape = self._rows(states)
        scores = rows * rows.dtype.type(self.beta) @ self.patterns.T
        highest, total = scores.max(axis=1), np.zeros(len(rows))
        weigh(scores, highest, total)
        return np.asarray(scores / total.astype(scores.dtype)[:, None]).reshape(*shape[:-1], -1)

    def _rows(self, states: ArrayLike) -> tuple[Floats, tuple[int, ...]]:
        """The states as rows, and their shape."""
        found = numbers("states", states).astype(self.patterns.dtype, copy=False)
        neurons = self.patterns.shape[1]
        if not found.ndim or found.shape[-1] != neurons or not found.size:
            raise Refused(f"states of patterns with {neurons} neurons are [..., {neurons}], got shape {found.shape}")
        rows = np.ascontiguousarray(found.reshape(-1, neurons))
        reach = self.beta * self.radius * float(np.sqrt(np.einsum("qn,qn->q", rows, rows).max()))
        if not reach < REACH:
            raise Refused(f"scores β x·ξ must be below {REACH:g}, they reach {reach:g}; scale patterns, states or beta")
        return rows, found.shape

    def _average(self, rows: Floats, values: Floats) -> Floats:
        """Weighted values of each row."""
        found = np.empty((len(rows), values.shape[1]), dtype=rows.dtype)
        for first in range(0, len(rows), ROWS):
            part = slice(first, first + ROWS)
            found[part] = self._block(rows[part], values)[1]
        return found

    def _block(self, rows: Floats, values: Floats | None) -> tuple[Floats, Floats]:
        """ln Σ exp and weighted values of a few rows, over blocks of patterns."""
        kind, K = rows.dtype.type, len(self.patterns)
        scaled = rows * kind(self.beta)
        highest = np.full(len(rows), -np.finfo(kind).max / 4, dtype=kind)
        total, summed = np.zeros(len(rows)), np.zeros((len(rows), 0 if values is None else values.shape[1]), dtype=kind)
        space = np.empty((len(rows), min(K, COLUMNS)), dtype=kind)
        for first in range(0, K, COLUMNS):
            part = slice(first, min(first + COLUMNS, K))
            scores = space if part.stop - first == space.shape[1] else np.empty((len(rows), part.stop - first), kind)
            np.dot(scaled, self.patterns[part].T, out=scores)
            top = np.maximum(highest, scores.max(axis=1))
            shrunk = np.exp(highest - top)
            highest, total = top, total * shrunk
            weigh(scores, highest, total)
            if values is not None:
                summed *= shrunk[:, None]
                summed += scores @ values[part]
        return highest + np.log(total), summed / total.astype(kind)[:, None]


def matrix(name: str, given: ArrayLike) -> Floats:
    """A float matrix, float32 as it is and float64 otherwise; refused unless it is one of finite numbers."""
    single = isinstance(given, np.ndarray) and given.dtype == np.float32
    array: Floats = np.asarray(given) if single else numbers(name, given)
    found = np.ascontiguousarray(array)
    if array.ndim != 2 or not array.size:
        raise Refused(f"{name} must be a matrix with a row each, got shape {array.shape}")
    if not np.isfinite(found).all():
        raise Refused(f"{name} must be finite, got nan or inf")
    return found


def checked_beta(beta: object) -> float:
    """β as a float; refused unless it is a number > 0."""
    found = real("beta", beta)
    if not found > 0:
        raise Refused(f"beta must be > 0, got {beta!r}")
    return found
