"""Lagrangians L(x) of layers of continuous neurons; what a layer sends out is their gradient, f = ∂L/∂x.

Krotov & Hopfield, "Large Associative Memory Problem in Neurobiology and Machine Learning" (2021): with potentials x and
activities f a layer adds x·f - L(x) to the energy, the Legendre transform of L, and the energy falls along the dynamics
where the Hessian ∂²L/∂x∂x is positive semidefinite, that is where L is convex.

States are float64[..., n]; the last axis is the layer. Everything is exact up to rounding at any size of x; what
exceeds the floats is inf, never nan. `CATALOGUE` lists all classes.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ..errors import Refused, real, whole

Floats = NDArray[np.float64]


class Lagrangian(ABC):
    """A scalar function of the potentials of one layer."""

    @property
    def convex(self) -> bool:
        """Whether the Hessian is positive semidefinite everywhere."""
        return True

    @property
    def additive(self) -> bool:
        """Whether L is a sum over neurons, so that the Hessian is diagonal."""
        return True

    @abstractmethod
    def value(self, x: Floats) -> Floats:
        """L(x): [..., n] -> [...]."""

    @abstractmethod
    def activation(self, x: Floats) -> Floats:
        """∂L/∂x: [..., n] -> [..., n]."""

    @abstractmethod
    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        """(∂²L/∂x∂x) v: [..., n], [..., n] -> [..., n]; where L has a kink, one of its one-sided values."""


@dataclass(frozen=True)
class Identity(Lagrangian):
    """L = ½ Σ x², f = x, Hessian 1: linear neurons."""

    def value(self, x: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return _sum(x * x) / 2

    def activation(self, x: Floats) -> Floats:
        return np.array(x, dtype=np.float64)

    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        return np.broadcast_to(v, np.broadcast_shapes(np.shape(x), np.shape(v))).astype(np.float64)


@dataclass(frozen=True)
class Relu(Lagrangian):
    """L = ½ Σ [x]₊², f = [x]₊, Hessian 1 for x > 0 and 0 otherwise: RectifiedPolynomial(2)."""

    def value(self, x: Floats) -> Floats:
        return RectifiedPolynomial(2).value(x)

    def activation(self, x: Floats) -> Floats:
        return np.maximum(x, 0.0)

    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        return np.where(np.greater(x, 0), v, 0.0)


@dataclass(frozen=True)
class RectifiedPolynomial(Lagrangian):
    """L = Σ [x]₊^n/n, f = [x]₊^(n-1), Hessian (n-1) [x]₊^(n-2), degree n ≥ 2 (Krotov & Hopfield 2016)."""

    degree: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "degree", whole("RectifiedPolynomial: degree", self.degree, 2, 100))

    def value(self, x: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return _sum(np.maximum(x, 0.0) ** self.degree) / self.degree

    def activation(self, x: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return np.maximum(x, 0.0) ** (self.degree - 1)

    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        with np.errstate(over="ignore"):
            curvature = (self.degree - 1) * np.maximum(x, 0.0) ** (self.degree - 2)
        return _times(np.where(np.greater(x, 0), curvature, 0.0), v)


@dataclass(frozen=True)
class Power(Lagrangian):
    """L = Σ x^n/n, f = x^(n-1), Hessian (n-1) x^(n-2), degree n ≥ 2; convex for even n only."""

    degree: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "degree", whole("Power: degree", self.degree, 2, 100))

    @property
    def convex(self) -> bool:
        return self.degree % 2 == 0

    def value(self, x: Floats) -> Floats:
        size = _largest(x)
        with np.errstate(over="ignore"):
            return _times(size[..., 0] ** self.degree, _sum((x / size) ** self.degree) / self.degree)

    def activation(self, x: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return np.asarray(x, dtype=np.float64) ** (self.degree - 1)

    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        with np.errstate(over="ignore"):
            curvature = (self.degree - 1) * np.asarray(x, dtype=np.float64) ** (self.degree - 2)
        return _times(curvature, v)


@dataclass(frozen=True)
class Exponential(Lagrangian):
    """L = Σ exp(x), f = exp(x), Hessian exp(x); inf for x > 709.78, where the floats end."""

    def value(self, x: Floats) -> Floats:
        return _sum(self.activation(x))

    def activation(self, x: Floats) -> Floats:
        with np.errstate(over="ignore", under="ignore"):
            return np.exp(x)

    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        return _times(self.activation(x), v)


@dataclass(frozen=True)
class LogCosh(Lagrangian):
    """L = (1/β) Σ ln cosh(βx), f = tanh(βx), Hessian β/cosh²(βx); L → Σ |x| and f → sign(x) as β → ∞."""

    beta: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", _gain("LogCosh", self.beta))

    def value(self, x: Floats) -> Floats:
        size = np.abs(x)
        return _sum(size + (np.log1p(self._decay(size)) - np.log(2)) / self.beta)

    def activation(self, x: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return np.tanh(self.beta * np.asarray(x))

    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        decay = self._decay(np.abs(x))
        return _times(4 * self.beta * decay / (1 + decay) ** 2, v)

    def _decay(self, size: Floats) -> Floats:
        """exp(-2β|x|)."""
        with np.errstate(over="ignore", under="ignore"):
            return np.exp(-2 * self.beta * size)


@dataclass(frozen=True)
class Absolute(Lagrangian):
    """L = Σ |x|, f = sign(x) with sign(0) = 0, Hessian 0 for x ≠ 0: binary neurons, LogCosh(beta) as β → ∞."""

    def value(self, x: Floats) -> Floats:
        return _sum(np.abs(x))

    def activation(self, x: Floats) -> Floats:
        return np.sign(np.asarray(x, dtype=np.float64))

    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        return np.zeros(np.broadcast_shapes(np.shape(x), np.shape(v)))


@dataclass(frozen=True)
class HardTanh(Lagrangian):
    """L = Σ βx²/2 for β|x| ≤ 1 and |x| - 1/2β beyond, f = βx cut to [-1, 1], Hessian β where it is not cut.

    Its Legendre transform is f²/2β on [-1, 1]: it takes a self-coupling 1/β out of the energy and no more.
    """

    beta: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", _gain("HardTanh", self.beta))

    def value(self, x: Floats) -> Floats:
        size = np.abs(x)
        inside = np.minimum(size, 1 / self.beta)
        return _sum(self.beta * inside**2 / 2 + (size - inside))

    def activation(self, x: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return np.clip(self.beta * np.asarray(x), -1.0, 1.0)

    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return np.where(self.beta * np.abs(x) < 1, self.beta * np.asarray(v), 0.0)


@dataclass(frozen=True)
class Sigmoid(Lagrangian):
    """L = (1/β) Σ ln(1 + exp(βx)), f = 1/(1 + exp(-βx)), Hessian β f (1 - f); L → Σ [x]₊ as β → ∞."""

    beta: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", _gain("Sigmoid", self.beta))

    def value(self, x: Floats) -> Floats:
        with np.errstate(over="ignore", under="ignore"):
            return _sum(np.maximum(x, 0.0) + np.log1p(np.exp(-self.beta * np.abs(x))) / self.beta)

    def activation(self, x: Floats) -> Floats:
        with np.errstate(over="ignore", under="ignore"):
            return expit(self.beta * np.asarray(x))

    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        return _times(self.beta * self.activation(x) * self.activation(-np.asarray(x)), v)


@dataclass(frozen=True)
class Softmax(Lagrangian):
    """L = (1/β) ln Σ exp(βx), f = softmax(βx), Hessian β (diag f - f fᵀ); L → max x as β → ∞."""

    beta: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", _gain("Softmax", self.beta))

    @property
    def additive(self) -> bool:
        return False

    def value(self, x: Floats) -> Floats:
        return np.squeeze(_highest(x), -1) + np.log(_sum(self._weights(x))) / self.beta

    def activation(self, x: Floats) -> Floats:
        weights = self._weights(x)
        return weights / _total(weights)

    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        f = self.activation(x)
        return self.beta * f * (v - _total(f * v))

    def _weights(self, x: Floats) -> Floats:
        """exp(βx) over its largest."""
        with np.errstate(over="ignore", under="ignore"):
            return np.exp(self.beta * (x - _highest(x)))


@dataclass(frozen=True)
class Spherical(Lagrangian):
    """L = |x|, f = x/|x| on the unit sphere, Hessian (1 - f fᵀ)/|x|.

    L has a tip at x = 0: there f is 0, the subgradient of least norm, and the Hessian product is 0.
    """

    @property
    def additive(self) -> bool:
        return False

    def value(self, x: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return np.squeeze(_norm(x), -1)

    def activation(self, x: Floats) -> Floats:
        scaled = x / _largest(x)
        return scaled / _or_one(_norm(scaled))

    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        f, size = self.activation(x), _norm(x)
        with np.errstate(over="ignore"):
            return np.where(size > 0, (v - f * _total(f * v)) / _or_one(size), 0.0)


@dataclass(frozen=True)
class LayerNorm(Lagrangian):
    """L = n √(var x + ε), f = (x - mean x)/√(var x + ε), Hessian (1 - 1 1ᵀ/n - f fᵀ/n)/√(var x + ε), ε > 0."""

    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilon", positive("LayerNorm: epsilon", self.epsilon))

    @property
    def additive(self) -> bool:
        return False

    def value(self, x: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return _size(x) * np.squeeze(self._spread(x), -1)

    def activation(self, x: Floats) -> Floats:
        return _centred(x) / self._spread(x)

    def hessian_product(self, x: Floats, v: Floats) -> Floats:
        f = self.activation(x)
        return (_centred(v) - f * _total(f * v) / _size(x)) / self._spread(x)

    def _spread(self, x: Floats) -> Floats:
        """√(var x + ε), [..., 1]."""
        deviation = _norm(_centred(x)) / np.sqrt(_size(x))
        return np.asarray(np.hypot(deviation, np.sqrt(self.epsilon)), dtype=np.float64)


def positive(name: str, value: object) -> float:
    """The value as a float; refused unless it is a finite number > 0."""
    number = real(name, value)
    if number <= 0:
        raise Refused(f"{name} must be > 0, got {number!r}")
    return number


CATALOGUE = (
    Identity,
    Relu,
    RectifiedPolynomial,
    Power,
    Exponential,
    LogCosh,
    Absolute,
    HardTanh,
    Sigmoid,
    Softmax,
    Spherical,
    LayerNorm,
)


def _size(x: Floats) -> int:
    return int(np.shape(x)[-1])


def _sum(x: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return np.asarray(np.sum(x, axis=-1), dtype=np.float64)


def _highest(x: Floats) -> Floats:
    """The maximum, [..., 1]."""
    return np.asarray(np.max(x, axis=-1, keepdims=True), dtype=np.float64)


def _total(x: Floats) -> Floats:
    """The sum, [..., 1]."""
    return np.expand_dims(_sum(x), -1)


def _times(a: Floats, b: Floats) -> Floats:
    """a b, with 0 · inf = 0."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where((a == 0) | (b == 0), 0.0, a * b)


def _largest(x: Floats) -> Floats:
    """max |x|, [..., 1]; 1 where all are zero."""
    return _or_one(_highest(np.abs(x)))


def _or_one(x: Floats) -> Floats:
    """Where not positive, 1."""
    return np.where(x > 0, x, 1.0)


def _norm(x: Floats) -> Floats:
    """|x|, [..., 1]."""
    size = _highest(np.abs(x))
    with np.errstate(over="ignore", under="ignore"):
        return size * np.sqrt(_total((x / _or_one(size)) ** 2))


def _centred(x: Floats) -> Floats:
    size = _largest(x)
    scaled = x / size
    return size * (scaled - _total(scaled) / _size(x))


def _gain(name: str, beta: object) -> float:
    return positive(f"{name}: beta", beta)
