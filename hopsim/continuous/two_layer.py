"""Two layers of continuous neurons, features v and hidden h, joined by the patterns alone.

Krotov & Hopfield, "Large Associative Memory Problem in Neurobiology and Machine Learning" (2021), equations (1)-(4):

    τ_f dv/dt = ξᵀ f - v + I,    τ_h dh/dt = ξ g - h,    g = ∂L_v/∂v,  f = ∂L_h/∂h
    E = [(v - I)·g - L_v] + [h·f - L_h] - f·ξ g
    dE/dt = -τ_f v̇ᵀ (∂²L_v) v̇ - τ_h ḣᵀ (∂²L_h) ḣ  ≤ 0  for convex Lagrangians

τ_h → 0, the adiabatic limit, has h = ξ g at every moment, which leaves the features alone:

    τ_f dv/dt = ξᵀ f(ξ g) - v + I,    E = [(v - I)·g - L_v] - L_h(ξ g),    dE/dt = -τ_f v̇ᵀ (∂²L_v) v̇

and needs a convex L_v only. There dv/dt = 0 is the update v ← ξᵀ f(ξ g) + I, the concave-convex procedure for E as a
function of g: it, too, never raises E where both Lagrangians are convex.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Refused, numbers, real
from .lagrangians import (
    Absolute,
    HardTanh,
    Identity,
    Lagrangian,
    LogCosh,
    Power,
    RectifiedPolynomial,
    Softmax,
    Spherical,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TwoLayer:
    """A network of N features and K hidden neurons.

    patterns ξ float64[K, N]; Lagrangians of the two layers; time constants τ_f > 0 and τ_h ≥ 0, where 0 is the
    adiabatic limit; constant inputs I float64[N], none if not given. States are v float64[..., N], h float64[..., K].

    Refused where a Lagrangian is not convex and the energy may rise; descent = False asks for such a network.
    """

    patterns: Floats
    feature: Lagrangian
    hidden: Lagrangian
    feature_time: float
    hidden_time: float
    inputs: Floats | None = None
    descent: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "patterns", matrix("patterns", self.patterns))
        inputs = np.zeros(self.neurons) if self.inputs is None else self.inputs
        object.__setattr__(self, "inputs", _constant(self._vector("inputs", inputs, self.neurons)))
        object.__setattr__(self, "feature_time", _time("feature_time", self.feature_time, zero=False))
        object.__setattr__(self, "hidden_time", _time("hidden_time", self.hidden_time, zero=True))
        if self.descent:
            self._check_convex("feature", self.feature)
            if not self.adiabatic:
                self._check_convex("hidden", self.hidden)

    @property
    def neurons(self) -> int:
        """N, the number of features."""
        return int(self.patterns.shape[1])

    @property
    def memories(self) -> int:
        """K, the number of patterns and of hidden neurons."""
        return int(self.patterns.shape[0])

    @property
    def adiabatic(self) -> bool:
        """Whether the hidden neurons follow the features at once, τ_h = 0."""
        return self.hidden_time == 0

    @cached_property
    def currents(self) -> Floats:
        """The inputs I."""
        assert self.inputs is not None
        return self.inputs

    def followed(self, v: ArrayLike) -> Floats:
        """h = ξ g(v), where the hidden neurons rest: [..., N] -> [..., K]."""
        return self.feature.activation(self.features(v)) @ self.patterns.T

    def update(self, v: ArrayLike) -> Floats:
        """ξᵀ f(ξ g(v)) + I: [..., N] -> [..., N], one step dt = τ_f of the adiabatic limit; it rests where v does."""
        return self.hidden.activation(self.followed(v)) @ self.patterns + self.currents

    def rates(self, v: ArrayLike, h: ArrayLike | None = None) -> tuple[Floats, Floats]:
        """dv/dt and dh/dt; without h those of the adiabatic limit, where dh/dt = ξ (∂²L_v) dv/dt."""
        features = self.features(v)
        if h is None:
            moving = (self.update(features) - features) / self.feature_time
            return moving, self.feature.hessian_product(features, moving) @ self.patterns.T
        self._check_moving()
        hidden = self.hiddens(h)
        drive = self.hidden.activation(hidden) @ self.patterns + self.currents
        return (drive - features) / self.feature_time, (self.followed(v) - hidden) / self.hidden_time

    def energy(self, v: ArrayLike, h: ArrayLike | None = None) -> Floats:
        """E(v, h): [...]; without h that of the adiabatic limit."""
        features, followed = self.features(v), self.followed(v)
        g = self.feature.activation(features)
        energy = _dot(features - self.currents, g) - self.feature.value(features)
        if h is None:
            return energy - self.hidden.value(followed)
        hidden = self.hiddens(h)
        return energy + _dot(self.hidden.activation(hidden), hidden - followed) - self.hidden.value(hidden)

    def energy_rate(self, v: ArrayLike, h: ArrayLike | None = None) -> Floats:
        """dE/dt = -τ_f v̇ᵀ (∂²L_v) v̇ - τ_h ḣᵀ (∂²L_h) ḣ: [...]; without h that of the adiabatic limit."""
        moving, following = self.rates(v, h)
        rate = -self.feature_time * _dot(moving, self.feature.hessian_product(self.features(v), moving))
        if h is None:
            return rate
        return rate - self.hidden_time * _dot(following, self.hidden.hessian_product(self.hiddens(h), following))

    def jacobian(self, v: ArrayLike, h: ArrayLike | None = None) -> Floats:
        """∂(dv/dt, dh/dt)/∂(v, h) of one state, [N + K, N + K]; without h ∂(dv/dt)/∂v, [N, N]."""
        features = self.features(v)
        if features.ndim != 1:
            raise Refused(f"jacobian is of one state, [{self.neurons}], got shape {features.shape}")
        to_hidden = self.patterns @ self.feature.hessian_product(features, np.eye(self.neurons))
        hidden = self.followed(features) if h is None else self.hiddens(h)
        to_features = self.patterns.T @ self.hidden.hessian_product(hidden, np.eye(self.memories))
        if h is None:
            return (to_features @ to_hidden - np.eye(self.neurons)) / self.feature_time
        self._check_moving()
        above = np.hstack([-np.eye(self.neurons), to_features]) / self.feature_time
        below = np.hstack([to_hidden, -np.eye(self.memories)]) / self.hidden_time
        return np.vstack([above, below])

    def features(self, v: ArrayLike) -> Floats:
        """The features as floats, refused unless they are [..., N]."""
        return self._vector("v", v, self.neurons)

    def hiddens(self, h: ArrayLike) -> Floats:
        """The hidden neurons as floats, refused unless they are [..., K]."""
        return self._vector("h", h, self.memories)

    def _vector(self, name: str, values: ArrayLike, size: int) -> Floats:
        array = numbers(name, values)
        if array.ndim == 0 or array.shape[-1] != size:
            raise Refused(f"{name} must have {size} entries along its last axis, got shape {array.shape}")
        return array

    def _check_moving(self) -> None:
        if self.adiabatic:
            raise Refused("hidden_time = 0 has h = ξ g at every moment: leave h out")

    def _check_convex(self, layer: str, lagrangian: Lagrangian) -> None:
        if not lagrangian.convex:
            raise Refused(
                f"the {layer} Lagrangian {lagrangian} is not convex, so that the energy may rise; "
                "take another, or ask for it with descent=False"
            )


def model_a(
    patterns: ArrayLike,
    *,
    degree: int,
    gain: float,
    hidden_time: float,
    rectified: bool = False,
    feature_time: float = 1.0,
) -> TwoLayer:
    """The dense network with graded neurons, model A: L_v = Σ ln cosh(gain v)/gain, L_h = Σ h^p/p or Σ [h]₊^p/p.

    gain = inf is the paper's L_v = Σ |v|, binary neurons σ = sign(v). The patterns are divided by N^((p-1)/p), so that
    in the adiabatic limit E = -N Σ_μ F(m_μ) with m = ξ·σ/N and F(m) = m^p/p (paper: F = x^p), the energy of
    networks.dense(degree=p, indices="all") or of its rectified twin up to their zero, and v = Σ_μ ξ_μ F'(m_μ) at rest.

    σ is at rest in the limit where σ_i v_i > 0 for all i, with v = -∂E/∂σ, which contains the action of a neuron on
    itself. For convex F a flip costs ΔE_i ≤ 2σ_i v_i, so that every state from which no flip lowers the energy is at
    rest here; what else is at rest is held by self-interaction, which p even makes about (p-1)!! K/N^(p/2) a neuron.
    That is α at p = 2, see `hopfield`, and outgrows the field of a pattern where K is of order N^(p-1) and p > 2:
    patterns are then at rest, and so is what surrounds them. Errors are corrected while K is below order N^(p/2).
    """
    array = matrix("patterns", patterns)
    hidden = _polynomial(degree, rectified)
    scaled = array / array.shape[1] ** ((hidden.degree - 1) / hidden.degree)
    feature = Absolute() if gain == np.inf else LogCosh(gain)
    return TwoLayer(scaled, feature, hidden, feature_time, hidden_time)


def hopfield(patterns: ArrayLike, *, hidden_time: float, feature_time: float = 1.0) -> TwoLayer:
    """Model A for p = 2 without self-coupling, the classical network.

    The Legendre transform (K/2N) g² of HardTanh(N/K) features takes the diagonal K/N out of -½ g·J g, J = ξᵀξ/N. In
    the adiabatic limit E is the energy of networks.hopfield at σ = g, and multilinear inside the cube |g| ≤ 1: all
    minima are on vertices, those of the binary network (where no field vanishes).
    """
    array = matrix("patterns", patterns)
    if not (np.abs(array) == 1).all():
        raise Refused("hopfield needs patterns of -1 and +1, whose couplings have the diagonal K/N; use model_a")
    memories, neurons = array.shape
    return TwoLayer(array / np.sqrt(neurons), HardTanh(neurons / memories), Power(2), feature_time, hidden_time)


def model_b(patterns: ArrayLike, *, beta: float, hidden_time: float, feature_time: float = 1.0) -> TwoLayer:
    """Softmax hidden neurons and linear features, model B: L_v = ½ v², L_h = (1/β) ln Σ exp(βh) (paper: β = 1).

    In the adiabatic limit E = ½ v² - (1/β) ln Σ_μ exp(β ξ_μ·v), the energy of Ramsauer et al. (2020) up to a constant,
    and a step dt = τ_f is v ← ξᵀ softmax(β ξ v), dot-product attention with keys and values ξ.
    """
    return TwoLayer(matrix("patterns", patterns), Identity(), Softmax(beta), feature_time, hidden_time)


def model_c(
    patterns: ArrayLike, *, degree: int, hidden_time: float, rectified: bool = False, feature_time: float = 1.0
) -> TwoLayer:
    """Spherical features, model C: L_v = |v|, g = v/|v|, L_h = Σ h^p/p or Σ [h]₊^p/p (paper: any F).

    The patterns are brought to norm 1, so that in the adiabatic limit E = -Σ_μ m_μ^p/p with m the cosines between v and
    the patterns. E does not depend on |v|; the paper writes an arbitrary leak -α v for that reason, here α = 1.
    """
    array = matrix("patterns", patterns)
    largest = np.abs(array).max(axis=1, keepdims=True)
    if not largest.all():
        raise Refused("model_c brings patterns to norm 1, got one of zeros")
    array = array / largest  # its norm does not leave the floats
    return TwoLayer(
        array / np.linalg.norm(array, axis=1, keepdims=True),
        Spherical(),
        _polynomial(degree, rectified),
        feature_time,
        hidden_time,
    )


def matrix(name: str, values: ArrayLike) -> Floats:
    """Patterns as rows, float64[K, N], a read-only copy; refused unless all are finite."""
    array = numbers(name, values)
    if array.ndim != 2 or 0 in array.shape:
        raise Refused(f"{name} must be rows, [memories, neurons], got shape {array.shape}")
    return _constant(array)


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.sum(a * b, axis=-1), dtype=np.float64)


def _constant(array: Floats) -> Floats:
    if not np.isfinite(array).all():
        raise Refused("patterns and inputs must be finite numbers")
    constant = np.array(array)
    constant.flags.writeable = False
    return constant


def _time(name: str, value: float, zero: bool) -> float:
    number = real(name, value)
    if number < 0 or (number == 0 and not zero):
        raise Refused(f"{name} must be {'>=' if zero else '>'} 0, got {number!r}")
    return number


def _polynomial(degree: int, rectified: bool) -> Power | RectifiedPolynomial:
    return RectifiedPolynomial(degree) if rectified else Power(degree)
