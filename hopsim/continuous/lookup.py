"""Softmax memories as building blocks: association, pooling and lookup, in plain arrays.

The three ways in which Ramsauer et al. (2020) use one update as a layer. Here nothing is learned: queries, keys and
values are what the caller makes them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Refused, numbers
from ..kernels.softmax import weigh
from .softmax import Floats, Memory, checked_beta, matrix

Metric = Literal["distance", "dot"]
METRICS: tuple[Metric, ...] = ("distance", "dot")


def associate(queries: ArrayLike, keys: ArrayLike, values: ArrayLike, *, beta: float) -> Floats:
    """softmax(β q·k) v, attention: [..., N], [K, N], [K, V] -> [..., V]."""
    return Memory(matrix("keys", keys), beta, matrix("values", values)).read(queries)


def pool(
    bags: ArrayLike,
    query: ArrayLike,
    *,
    beta: float,
    lengths: ArrayLike | None = None,
    mask: ArrayLike | None = None,
) -> Floats:
    """Each bag averaged by its likeness to a query: [B, L, N], [N] or [B, N] -> [B, N].

    Of a bag count the first `lengths[b]` members, or those where mask[b, l] is true; a bag without any is refused.
    β -> 0 is their mean.
    """
    members = numbers("bags", bags)
    if members.ndim != 3 or not members.size:
        raise Refused(f"bags must be [bags, members, neurons], got shape {members.shape}")
    counted = _counted(members.shape[:2], lengths, mask)
    asked = numbers("query", query)
    if asked.shape not in ((members.shape[2],), (members.shape[0], members.shape[2])):
        raise Refused(f"a query for bags of shape {members.shape} must be [N] or [bags, N], got shape {asked.shape}")
    if not (np.isfinite(members[counted]).all() and np.isfinite(asked).all()):
        raise Refused("bags and query must be finite where they count, got nan or inf")
    members = np.where(counted[..., None], members, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        products = checked_beta(beta) * (members @ asked[..., None])[..., 0]
    if not np.isfinite(products).all():
        raise Refused("bags and query are too large, their scores leave the floats; scale them down")
    scores = np.where(counted, products, -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray((weights / weights.sum(axis=1, keepdims=True))[:, None, :] @ members)[:, 0]


def _counted(shape: tuple[int, ...], lengths: ArrayLike | None, mask: ArrayLike | None) -> NDArray[np.bool_]:
    """Which members count."""
    if lengths is not None and mask is not None:
        raise Refused("a pool takes lengths or a mask, got both")
    if lengths is not None:
        sizes = np.asarray(lengths)
        if sizes.shape != shape[:1] or sizes.dtype.kind not in "iu" or (sizes > shape[1]).any():
            raise Refused(f"lengths must be a whole number up to {shape[1]} for each of {shape[0]} bags")
        counted = np.arange(shape[1]) < sizes[:, None]
    else:
        counted = np.ones(shape, dtype=np.bool_) if mask is None else np.asarray(mask)
        if counted.shape != shape or counted.dtype != np.bool_:
            raise Refused(f"a mask must be true or false for each member {shape}, got {counted.dtype} {counted.shape}")
    if not counted.any(axis=1).all():
        raise Refused(f"bag {int(np.argmin(counted.any(axis=1)))} has no member that counts")
    return counted


@dataclass(frozen=True, eq=False)
class Lookup:
    """Examples [K, N] stored with what is known of them, values [K, V], and read by the softmax of a query's likeness.

    Likeness is β times the dot product of the two made unit vectors ("dot"), or -β/2 times their squared distance
    ("distance"), which is Nadaraya-Watson regression with a Gaussian kernel of width 1/√β; β -> ∞ is the nearest
    neighbour.
    """

    examples: Floats
    values: Floats
    beta: float
    metric: Metric = "distance"

    def __post_init__(self) -> None:
        examples = matrix("examples", self.examples)
        if self.metric not in METRICS:
            raise Refused(f"metric must be one of {', '.join(METRICS)}, got {self.metric!r}")
        object.__setattr__(self, "examples", examples)
        object.__setattr__(self, "values", self._memory.values)

    def read(self, queries: ArrayLike) -> Floats:
        """Values weighted by likeness: [Q, N] -> [Q, V]."""
        return self._memory.read(self._queries(matrix("queries", queries)))

    def leave_one_out(self, places: NDArray[np.int64], betas: Sequence[float]) -> Iterator[Floats]:
        """At each β, what the examples at these places would read without themselves, [P, V]; needs two examples."""
        scores = self._queries(self.examples[places]) @ self._memory.patterns.T
        scores[np.arange(len(places)), places] = -np.inf
        scores -= scores.max(axis=1, keepdims=True)
        for beta in betas:
            weights, highest, total = scores * beta, np.zeros(len(scores), scores.dtype), np.zeros(len(scores))
            weigh(weights, highest, total)
            yield np.asarray(weights @ self.values) / total[:, None]

    @cached_property
    def _memory(self) -> Memory:
        """With keys whose product with a query is the likeness over β, up to a number of the query alone."""
        if self.metric == "dot":
            return Memory(unit(self.examples), self.beta, self.values)
        x = self.examples - self._centre
        return Memory(np.concatenate([x, -(x * x).sum(axis=1, keepdims=True) / 2], axis=1), self.beta, self.values)

    @cached_property
    def _centre(self) -> Floats:
        return np.asarray(self.examples.mean(axis=0))

    def _queries(self, q: Floats) -> Floats:
        if q.shape[1] != self.examples.shape[1]:
            raise Refused(f"queries need the {self.examples.shape[1]} features of the examples, got {q.shape[1]}")
        if self.metric == "dot":
            return unit(q)
        return np.concatenate([q - self._centre, np.ones((len(q), 1), q.dtype)], axis=1)


def unit(x: NDArray[Any]) -> Floats:
    """Rows over their norms; rows of zeros stay."""
    largest = np.abs(x).max(axis=1, keepdims=True)
    scaled = x / np.where(largest > 0, largest, 1.0)  # its norm does not leave the floats
    norms = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.asarray(scaled / np.where(norms > 0, norms, 1.0))
