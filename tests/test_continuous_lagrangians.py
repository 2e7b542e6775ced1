"""Lagrangians: gradient and Hessian by differences, convexity by eigenvalues, size without nan, known limits."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from hopsim.continuous import lagrangians
from hopsim.continuous.lagrangians import (
    Absolute,
    Exponential,
    HardTanh,
    Identity,
    Lagrangian,
    LayerNorm,
    LogCosh,
    Power,
    RectifiedPolynomial,
    Relu,
    Sigmoid,
    Softmax,
    Spherical,
)
from hopsim.errors import Refused

SMOOTH = [
    Identity(),
    RectifiedPolynomial(3),
    RectifiedPolynomial(5),
    Power(2),
    Power(3),
    Power(4),
    Exponential(),
    LogCosh(),
    LogCosh(3.0),
    Sigmoid(),
    Sigmoid(2.5),
    Softmax(),
    Softmax(4.0),
    Spherical(),
    LayerNorm(),
    LayerNorm(0.3),
]
KINKED = [Relu(), RectifiedPolynomial(2), Absolute(), HardTanh(), HardTanh(2.5)]  # smooth but for single points
ALL = SMOOTH + KINKED
STEP = 1e-5


def states(count: int = 4, n: int = 6) -> np.ndarray:
    """Away from the kinks at x = 0 and |x| = 1/beta by more than STEP."""
    return np.random.default_rng(1).normal(scale=1.3, size=(count, n))


def differences(function, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
    return (function(x + STEP * direction) - function(x - STEP * direction)) / (2 * STEP)


def hessian(lagrangian: Lagrangian, x: np.ndarray) -> np.ndarray:
    return np.array([lagrangian.hessian_product(x, e) for e in np.eye(len(x))])


def test_the_catalogue_is_tested() -> None:
    assert {type(lagrangian) for lagrangian in ALL} == set(lagrangians.CATALOGUE)


@pytest.mark.parametrize("lagrangian", ALL, ids=str)
def test_activation_is_the_gradient(lagrangian: Lagrangian) -> None:
    x = states()
    gradient = np.stack([differences(lagrangian.value, x, e) for e in np.eye(x.shape[1])], axis=-1)
    assert_allclose(lagrangian.activation(x), gradient, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("lagrangian", ALL, ids=str)
def test_hessian_product_is_the_derivative_of_the_activation(lagrangian: Lagrangian) -> None:
    x, v = states(), np.random.default_rng(2).normal(size=(4, 6))
    assert_allclose(lagrangian.hessian_product(x, v), differences(lagrangian.activation, x, v), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("lagrangian", ALL, ids=str)
def test_hessian_is_symmetric_diagonal_where_additive_and_semidefinite_where_convex(lagrangian: Lagrangian) -> None:
    matrices = np.array([hessian(lagrangian, x) for x in states(40)])
    assert_allclose(matrices, matrices.swapaxes(1, 2), atol=1e-12)
    assert lagrangian.additive == all(np.array_equal(m, np.diag(np.diag(m))) for m in matrices)
    lowest = np.linalg.eigvalsh(matrices).min()
    assert lagrangian.convex == (lowest >= -1e-12)  # among 40 states a Lagrangian that is not convex shows it


@pytest.mark.parametrize("lagrangian", ALL, ids=str)
def test_batches_equal_single_states(lagrangian: Lagrangian) -> None:
    x = states(6).reshape(2, 3, 6)
    v = np.ones(6)
    assert lagrangian.value(x).shape == (2, 3)
    assert_array_equal(lagrangian.value(x)[1, 2], lagrangian.value(x[1, 2]))
    assert_array_equal(lagrangian.activation(x)[1, 2], lagrangian.activation(x[1, 2]))
    assert_array_equal(lagrangian.hessian_product(x, v)[1, 2], lagrangian.hessian_product(x[1, 2], v))


@pytest.mark.parametrize("size", [0.0, 1e-300, 1e-8, 1e3, 1e100, 1e300])
@pytest.mark.parametrize("lagrangian", ALL, ids=str)
def test_no_size_gives_nan_or_a_warning(lagrangian: Lagrangian, size: float) -> None:
    x, v = size * np.array([1.0, -1.0, 0.5, 0.0]), np.array([1.0, 0.0, -2.0, 1.0])
    for found in (lagrangian.value(x), lagrangian.activation(x), lagrangian.hessian_product(x, v)):
        assert not np.isnan(found).any()


BOUNDED = [LogCosh(3.0), HardTanh(2.5), Sigmoid(2.5), Softmax(4.0), Spherical(), LayerNorm(), Absolute()]


@pytest.mark.parametrize("lagrangian", BOUNDED, ids=str)
def test_bounded_activations_at_any_size(lagrangian: Lagrangian) -> None:
    x = np.array([3e299, -1e300, 2e299])
    grows_like = {LogCosh: 15.0, HardTanh: 15.0, Absolute: 15.0, Sigmoid: 5.0, Softmax: 3.0, Spherical: np.sqrt(113)}
    grows_like[LayerNorm] = 3 * np.std([3.0, -10.0, 2.0])
    assert_allclose(lagrangian.value(x), 1e299 * grows_like[type(lagrangian)], rtol=1e-12)
    assert (np.abs(lagrangian.activation(x)) <= np.sqrt(2) + 1e-12).all()
    assert_allclose(lagrangian.hessian_product(x, np.ones(3)), 0.0, atol=1e-290)


@pytest.mark.parametrize(
    ("steep", "limit"), [(LogCosh, np.abs), (HardTanh, np.abs), (Sigmoid, lambda x: np.maximum(x, 0))]
)
def test_steep_neurons_are_binary(steep, limit) -> None:
    x = states()
    for beta in (1e2, 1e4):  # each neuron adds at most ln 2 / β
        assert_allclose(steep(beta).value(x), limit(x).sum(-1), atol=6 * np.log(2) / beta)
    assert_array_equal(steep(1e300).activation(x), np.where(x > 0, 1.0, steep(1.0).activation(np.array(-1e9))))


def test_softmax_becomes_the_maximum_and_its_place() -> None:
    x = states()
    for beta in (1e2, 1e5):
        excess = Softmax(beta).value(x) - x.max(-1)
        assert ((excess >= 0) & (excess <= np.log(6) / beta)).all()
    assert_array_equal(Softmax(1e6).activation(x), np.eye(6)[x.argmax(-1)])
    assert_allclose(Softmax(1e-9).activation(x), 1 / 6, atol=1e-8)


def test_equal_ones() -> None:
    x, v = states(), states(4)[::-1]
    for one, other in [
        (Relu(), RectifiedPolynomial(2)),
        (Identity(), Power(2)),
        (HardTanh(1e-3), _Scaled(Identity(), 1e-3)),  # no entry reaches 1/β
    ]:
        assert_allclose(one.value(x), other.value(x), rtol=1e-12)
        assert_allclose(one.activation(x), other.activation(x), rtol=1e-12)
        assert_allclose(one.hessian_product(x, v), other.hessian_product(x, v), rtol=1e-12)


class _Scaled:
    def __init__(self, of: Lagrangian, factor: float) -> None:
        self.value = lambda x: factor * of.value(x)
        self.activation = lambda x: factor * of.activation(x)
        self.hessian_product = lambda x, v: factor * of.hessian_product(x, v)


def test_layer_norm_is_the_sphere_without_the_mean() -> None:
    x = states()
    centred = x - x.mean(-1, keepdims=True)
    assert_allclose(LayerNorm(1e-14).activation(x), np.sqrt(6) * Spherical().activation(centred), rtol=1e-10)


def test_spherical_at_its_tip() -> None:
    zero = np.zeros(3)
    assert_array_equal(Spherical().activation(zero), zero)
    assert_array_equal(Spherical().hessian_product(zero, np.ones(3)), zero)


def test_legendre_transform_of_hard_tanh_is_a_parabola() -> None:
    x, neurons = states(), HardTanh(2.5)
    f = neurons.activation(x)
    assert_allclose((x * f).sum(-1) - neurons.value(x), (f**2).sum(-1) / 5, atol=1e-12)


def test_refusals() -> None:
    for make, message in [
        (lambda: Softmax(0.0), "Softmax: beta must be > 0, got 0.0"),
        (lambda: LogCosh(float("inf")), "LogCosh: beta must be a finite number, got inf"),
        (lambda: Power(1), "Power: degree must be an integer from 2 to 100, got 1"),
        (lambda: RectifiedPolynomial(2.5), "RectifiedPolynomial: degree must be an integer >= 2, got 2.5"),
        (lambda: LayerNorm(0.0), "LayerNorm: epsilon must be > 0, got 0.0"),
    ]:
        with pytest.raises(Refused, match=f"^{message}$"):
            make()
