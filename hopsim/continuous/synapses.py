"""Synapses between two layers of continuous neurons: dense, convolutional and pooling ones.

A synapse with map P adds -<u, P(x)> to the energy, where x are the activities of the lower layer and u those of the
upper one. It drives the upper layer by P(x) and the lower one by (∂P/∂x)ᵀ u; for a linear synapse P(x) = W x these are
W x and Wᵀ u, so that both directions share their weights (Krotov, "Hierarchical Associative Memory", 2021).

Activities are float64[..., *lower] and float64[..., *upper]; images have shape (channels, height, width).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..errors import Refused, numbers, real, whole

Floats = NDArray[np.float64]
Shape = tuple[int, ...]


class Synapse(ABC):
    """The map P between two layers of known shapes."""

    @property
    @abstractmethod
    def lower(self) -> Shape:
        """The shape of the lower layer."""

    @property
    @abstractmethod
    def upper(self) -> Shape:
        """The shape of the upper layer."""

    @property
    def linear(self) -> bool:
        """Whether P(x) = W x."""
        return True

    @abstractmethod
    def forward(self, x: Floats) -> Floats:
        """P(x), the drive of the upper layer: [..., *lower] -> [..., *upper]."""

    @abstractmethod
    def backward(self, u: Floats, x: Floats | None = None) -> Floats:
        """(∂P/∂x)ᵀ u, the drive of the lower layer: [..., *upper], [..., *lower] -> [..., *lower].

        For a linear synapse this is Wᵀ u, and x is not needed.
        """

    def response(self, u: Floats, x: Floats, du: Floats, dx: Floats) -> tuple[Floats, Floats]:
        """First-order changes of (backward, forward) when the activities change by du and dx."""
        return self.backward(du, x), self.forward(dx)

    def energy(self, u: Floats, x: Floats) -> Floats:
        """-<u, P(x)>: [...]."""
        axes = tuple(range(-len(self.upper), 0))
        return -np.asarray(np.sum(u * self.forward(x), axis=axes))


class Plastic(Synapse):
    """A linear synapse with weights that can be learned."""

    weights: Floats

    def with_weights(self, weights: Floats) -> Self:
        """The same synapse with other weights."""
        return replace(self, weights=weights)  # type: ignore[type-var]

    @abstractmethod
    def gradient(self, u: Floats, x: Floats) -> Floats:
        """∂<u, W x>/∂W summed over all samples, in the shape of the weights; minus that of the energy."""


@dataclass(frozen=True, eq=False)
class Dense(Plastic):
    """Every neuron with every other: P(x) = W x with weights float64[upper neurons, lower neurons].

    `below` and `above` are the shapes of layers that are not vectors; their entries are taken in C order.
    """

    weights: Floats
    below: Shape | None = None
    above: Shape | None = None

    def __post_init__(self) -> None:
        weights = _weights("Dense", self.weights, ("upper", "lower"))
        object.__setattr__(self, "weights", weights)
        for name, neurons in (("above", weights.shape[0]), ("below", weights.shape[1])):
            shape = getattr(self, name)
            shape = (neurons,) if shape is None else _shape(f"Dense: {name}", shape)
            if math.prod(shape) != neurons:
                raise Refused(f"Dense: {name} must have as many neurons as the weights, {neurons}, got {shape}")
            object.__setattr__(self, name, shape)

    @property
    def lower(self) -> Shape:
        return self.below  # type: ignore[return-value]

    @property
    def upper(self) -> Shape:
        return self.above  # type: ignore[return-value]

    def forward(self, x: Floats) -> Floats:
        return _reshaped(_flat(x, self.lower) @ self.weights.T, self.upper)

    def backward(self, u: Floats, x: Floats | None = None) -> Floats:
        return _reshaped(_flat(u, self.upper) @ self.weights, self.lower)

    def gradient(self, u: Floats, x: Floats) -> Floats:
        above, below = (_flat(u, self.upper), _flat(x, self.lower))
        return above.reshape(-1, above.shape[-1]).T @ below.reshape(-1, below.shape[-1])


@dataclass(frozen=True, eq=False)
class Convolution(Plastic):
    """The same filters at all places: P(x)[o, r, s] = Σ_{c,i,j} W[o, c, i, j] x̄[c, stride r + i, stride s + j].

    x̄ is the image of shape (channels, height, width) with `padding` zeros on every side, the weights are
    float64[filters, channels, rows, columns]; above are (filters, 1 + ⌊(height + 2 padding - rows)/stride⌋, ...)
    neurons. Like most of the literature this is a correlation, the filters are not mirrored. Filters as large as the
    image, without padding, are a dense synapse.
    """

    weights: Floats
    image: Shape
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        weights = _weights("Convolution", self.weights, ("filters", "channels", "rows", "columns"))
        object.__setattr__(self, "weights", weights)
        _check_windows(self, weights.shape[2:], self.padding)
        if weights.shape[1] != self.image[0]:
            raise Refused(
                f"Convolution: weights must have the {self.image[0]} channels of the image, got {weights.shape}"
            )

    @property
    def lower(self) -> Shape:
        return self.image

    @property
    def upper(self) -> Shape:
        return self.weights.shape[0], *_places(self.image, self.weights.shape[2:], self.stride, self.padding)

    def forward(self, x: Floats) -> Floats:
        return np.moveaxis(self._columns(x) @ self._matrix.T, -1, -3)

    def backward(self, u: Floats, x: Floats | None = None) -> Floats:
        columns = np.moveaxis(u, -3, -1) @ self._matrix
        windows = columns.reshape(*columns.shape[:-1], *self.weights.shape[1:])
        return _overlaid(np.moveaxis(windows, -3, -5), self.image, self.stride, self.padding)

    def gradient(self, u: Floats, x: Floats) -> Floats:
        columns = self._columns(x)
        above = np.moveaxis(u, -3, -1)
        product = above.reshape(-1, above.shape[-1]).T @ columns.reshape(-1, columns.shape[-1])
        return product.reshape(self.weights.shape)

    @property
    def _matrix(self) -> Floats:
        return self.weights.reshape(len(self.weights), -1)

    def _columns(self, x: Floats) -> Floats:
        """What the filters see, float64[..., r, s, channels * rows * columns]."""
        windows = np.moveaxis(_windows(x, self.weights.shape[2:], self.stride, self.padding), -5, -3)
        return windows.reshape(*windows.shape[:-3], -1)


@dataclass(frozen=True, eq=False)
class AveragePooling(Synapse):
    """The mean over windows of every channel, P(x)[c, r, s] = Σ_{i,j < window} x[c, stride r + i, ...]/window²."""

    image: Shape
    window: int
    stride: int

    def __post_init__(self) -> None:
        _check_pooling(self)

    @property
    def lower(self) -> Shape:
        return self.image

    @property
    def upper(self) -> Shape:
        return self.image[0], *_places(self.image, (self.window, self.window), self.stride)

    def forward(self, x: Floats) -> Floats:
        return np.asarray(_windows(x, (self.window, self.window), self.stride).mean(axis=(-2, -1)))

    def backward(self, u: Floats, x: Floats | None = None) -> Floats:
        windows = np.broadcast_to(u[..., None, None] / self.window**2, (*u.shape, self.window, self.window))
        return _overlaid(windows, self.image, self.stride)


@dataclass(frozen=True, eq=False)
class SoftmaxPooling(Synapse):
    """The soft maximum over windows of every channel, P(x)[c, r, s] = (1/β) ln Σ_{i,j} exp(β x[...])/window².

    It drives the lower layer through softmax weights within each window. Not linear; it tends to the maximum as
    β → ∞ and to the average as β → 0.
    """

    image: Shape
    window: int
    stride: int
    beta: float

    def __post_init__(self) -> None:
        _check_pooling(self)
        object.__setattr__(self, "beta", real("SoftmaxPooling: beta", self.beta))
        if self.beta <= 0:
            raise Refused(f"SoftmaxPooling: beta must be > 0, got {self.beta!r}; for the limit 0 use AveragePooling")

    @property
    def lower(self) -> Shape:
        return self.image

    @property
    def upper(self) -> Shape:
        return self.image[0], *_places(self.image, (self.window, self.window), self.stride)

    @property
    def linear(self) -> bool:
        return False

    def forward(self, x: Floats) -> Floats:
        windows = _windows(x, (self.window, self.window), self.stride)
        largest = windows.max(axis=(-2, -1))
        mean = np.exp(self.beta * (windows - largest[..., None, None])).mean(axis=(-2, -1))
        return np.asarray(largest + np.log(mean) / self.beta)

    def backward(self, u: Floats, x: Floats | None = None) -> Floats:
        if x is None:
            raise Refused("SoftmaxPooling: backward needs the activities x of the lower layer, it is not linear")
        return _overlaid(u[..., None, None] * self._shares(x), self.image, self.stride)

    def response(self, u: Floats, x: Floats, du: Floats, dx: Floats) -> tuple[Floats, Floats]:
        shares, changes = self._shares(x), _windows(dx, (self.window, self.window), self.stride)
        mean = (shares * changes).sum(axis=(-2, -1), keepdims=True)
        turned = self.beta * u[..., None, None] * shares * (changes - mean)
        return self.backward(du, x) + _overlaid(turned, self.image, self.stride), np.asarray(mean[..., 0, 0])

    def _shares(self, x: Floats) -> Floats:
        """The softmax within each window, float64[..., c, r, s, i, j]."""
        windows = _windows(x, (self.window, self.window), self.stride)
        weights = np.exp(self.beta * (windows - windows.max(axis=(-2, -1), keepdims=True)))
        return np.asarray(weights / weights.sum(axis=(-2, -1), keepdims=True))


def _windows(x: Floats, size: Sequence[int], stride: int, padding: int = 0) -> Floats:
    """View of all windows of an image, [..., c, H, W] -> [..., c, r, s, i, j]."""
    if padding:
        inner, x = x, np.zeros((*x.shape[:-2], *(n + 2 * padding for n in x.shape[-2:])))
        x[..., padding:-padding, padding:-padding] = inner
    return np.asarray(sliding_window_view(x, tuple(size), axis=(-2, -1))[..., ::stride, ::stride, :, :])


def _overlaid(windows: Floats, image: Shape, stride: int, padding: int = 0) -> Floats:
    """The transpose of `_windows`: every window is added where it came from."""
    rows, columns, height, width = windows.shape[-4:]
    whole = np.zeros((*windows.shape[:-4], image[-2] + 2 * padding, image[-1] + 2 * padding))
    for i in range(height):
        for j in range(width):
            whole[..., i : i + stride * rows : stride, j : j + stride * columns : stride] += windows[..., i, j]
    return whole[..., padding : padding + image[-2], padding : padding + image[-1]]


def _places(image: Shape, size: Sequence[int], stride: int, padding: int = 0) -> tuple[int, int]:
    rows, columns = (1 + (n + 2 * padding - k) // stride for n, k in zip(image[1:], size, strict=True))
    return rows, columns


def _check_pooling(synapse: AveragePooling | SoftmaxPooling) -> None:
    name = type(synapse).__name__
    object.__setattr__(synapse, "window", whole(f"{name}: window", synapse.window, 1))
    _check_windows(synapse, (synapse.window, synapse.window), 0)


def _check_windows(synapse: "Convolution | AveragePooling | SoftmaxPooling", size: Sequence[int], padding: int) -> None:
    name = type(synapse).__name__
    object.__setattr__(synapse, "image", _shape(f"{name}: image", synapse.image))
    object.__setattr__(synapse, "stride", whole(f"{name}: stride", synapse.stride, 1))
    whole(f"{name}: padding", padding, 0, min(size) - 1)
    if len(synapse.image) != 3:
        raise Refused(f"{name}: image must be (channels, height, width), got {synapse.image}")
    if any(k > n + 2 * padding for n, k in zip(synapse.image[1:], size, strict=True)):
        raise Refused(f"{name}: windows of {tuple(size)} are larger than the image {synapse.image}; make them smaller")


def _shape(name: str, shape: Sequence[int]) -> Shape:
    if not isinstance(shape, Sequence) or not shape:
        raise Refused(f"{name} must be a tuple of integers >= 1, got {shape!r}")
    return tuple(whole(name, size, 1) for size in shape)


def _weights(name: str, weights: Floats, axes: Sequence[str]) -> Floats:
    weights = np.ascontiguousarray(numbers("weights", weights))
    if weights.ndim != len(axes) or not weights.size or not np.isfinite(weights).all():
        raise Refused(f"{name}: weights must be finite numbers[{', '.join(axes)}], got shape {weights.shape}")
    return weights


def _flat(x: Floats, shape: Shape) -> Floats:
    return x.reshape(*x.shape[: x.ndim - len(shape)], -1)


def _reshaped(x: Floats, shape: Shape) -> Floats:
    return x.reshape(*x.shape[:-1], *shape)
