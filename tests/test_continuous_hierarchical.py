"""Synapses are adjoint to themselves, energies fall, and small hierarchies are the networks that they reduce to."""

import numpy as np
import pytest

from hopsim.continuous.hierarchical import Hierarchical, Layer, integrate, settle
from hopsim.continuous.lagrangians import (
    Exponential,
    Identity,
    LayerNorm,
    LogCosh,
    Power,
    RectifiedPolynomial,
    Relu,
    Sigmoid,
    Softmax,
    Spherical,
)
from hopsim.continuous.synapses import AveragePooling, Convolution, Dense, SoftmaxPooling
from hopsim.continuous.two_layer import TwoLayer
from hopsim.errors import Refused

IMAGE = (2, 7, 6)
SPACINGS = [(1, 0), (1, 1), (2, 0), (2, 1), (3, 2)]


def rng():
    return np.random.default_rng(0)


def convolution(stride, padding):
    return Convolution(rng().normal(size=(3, 2, 3, 4)), IMAGE, stride, padding)


LINEAR = [
    Dense(rng().normal(size=(5, 8))),
    Dense(rng().normal(size=(12, 84)), IMAGE, (3, 2, 2)),
    *(convolution(*spacing) for spacing in SPACINGS),
    AveragePooling(IMAGE, 2, 2),
    AveragePooling(IMAGE, 3, 1),
]


@pytest.mark.parametrize("synapse", LINEAR)
def test_backward_is_the_transpose_of_forward(synapse):
    x, u = rng().normal(size=(4, *synapse.lower)), rng().normal(size=(4, *synapse.upper))
    there, back = synapse.forward(x), synapse.backward(u, x)
    assert there.shape == u.shape
    assert back.shape == x.shape
    np.testing.assert_allclose((u * there).reshape(4, -1).sum(1), (back * x).reshape(4, -1).sum(1), rtol=1e-12)
    np.testing.assert_allclose(synapse.energy(u, x), -(u * there).reshape(4, -1).sum(1), rtol=1e-12)
    np.testing.assert_allclose(synapse.forward(x[0]), there[0], rtol=1e-12)


@pytest.mark.parametrize(("stride", "padding"), SPACINGS)
def test_convolution_is_the_sum_that_its_docstring_says(stride, padding):
    synapse, x = convolution(stride, padding), rng().normal(size=IMAGE)
    padded = np.zeros((2, 7 + 2 * padding, 6 + 2 * padding))
    padded[:, padding : padding + 7, padding : padding + 6] = x
    expected = np.zeros(synapse.upper)
    for o, r, s in np.ndindex(synapse.upper):
        for c, i, j in np.ndindex(2, 3, 4):
            expected[o, r, s] += synapse.weights[o, c, i, j] * padded[c, stride * r + i, stride * s + j]
    np.testing.assert_allclose(synapse.forward(x), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("window", "stride"), [(2, 2), (3, 1), (3, 2)])
def test_pooling_is_the_mean_and_tends_to_the_maximum(window, stride):
    x = rng().normal(size=IMAGE)
    pool = AveragePooling(IMAGE, window, stride)
    c, r, s = pool.upper
    windows = [
        x[k, i * stride : i * stride + window, j * stride : j * stride + window] for k, i, j in np.ndindex(c, r, s)
    ]
    np.testing.assert_allclose(pool.forward(x).ravel(), [each.mean() for each in windows])
    sharp, flat = SoftmaxPooling(IMAGE, window, stride, 1e6), SoftmaxPooling(IMAGE, window, stride, 1e-6)
    np.testing.assert_allclose(sharp.forward(x).ravel(), [each.max() for each in windows], atol=1e-5)
    np.testing.assert_allclose(flat.forward(x), pool.forward(x), atol=1e-5)


def test_softmax_pooling_is_the_gradient_of_its_energy():
    pool = SoftmaxPooling(IMAGE, 3, 2, 1.7)
    x, dx = rng().normal(size=(2, 1, *IMAGE))
    u, du = rng().normal(size=(2, 1, *pool.upper))
    step = 1e-5

    def energy(t, s):
        return float(pool.energy(u + t * du, x + s * dx)[0])

    down = (energy(0, step) - energy(0, -step)) / (2 * step)
    up = (energy(step, 0) - energy(-step, 0)) / (2 * step)
    assert -(pool.backward(u, x) * dx).sum() == pytest.approx(down, rel=1e-8)
    assert -(pool.forward(x) * du).sum() == pytest.approx(up, rel=1e-8)
    back, there = pool.response(u, x, du, dx)
    after, before = (pool.backward(u + t * du, x + t * dx) for t in (step, -step))
    np.testing.assert_allclose(back, (after - before) / (2 * step), atol=1e-8)
    after, before = (pool.forward(x + t * dx) for t in (step, -step))
    np.testing.assert_allclose(there, (after - before) / (2 * step), atol=1e-8)


@pytest.mark.parametrize("synapse", [s for s in LINEAR if hasattr(s, "gradient")])
def test_weight_gradient_is_that_of_the_energy(synapse):
    x, u = rng().normal(size=(3, *synapse.lower)), rng().normal(size=(3, *synapse.upper))
    change = rng().normal(size=synapse.weights.shape)
    there, here = (synapse.with_weights(synapse.weights + t * change).energy(u, x).sum() for t in (0.5, -0.5))
    assert (synapse.gradient(u, x) * change).sum() == pytest.approx(
        here - there, rel=1e-11
    )  # the energy is linear in W


LAYERS = [
    Identity(),
    Relu(),
    RectifiedPolynomial(3),
    LogCosh(2.0),
    Sigmoid(3.0),
    Softmax(2.0),
    Spherical(),
    LayerNorm(0.1),
]


def hierarchy(lagrangians, taus=(1.0, 1.0, 1.0), scale=0.25, per_site=False):
    convolved = Convolution(scale * rng().normal(size=(3, 1, 3, 3)), (1, 6, 6), 2, 1)
    dense = Dense(scale * rng().normal(size=(5, 27)), (3, 3, 3), (5,))
    shapes = ((1, 6, 6), (3, 3, 3), (5,))
    parts = zip(shapes, lagrangians, taus, (False, per_site, False), strict=True)
    return Hierarchical(tuple(Layer(*part) for part in parts), (convolved, dense))


def start(network, samples=4, scale=1.0):
    draws = rng()
    return tuple(scale * draws.normal(size=(samples, *layer.shape)) for layer in network.layers)


@pytest.mark.parametrize("middle", LAYERS)
@pytest.mark.parametrize("outer", [(LogCosh(), Softmax(2.0)), (Spherical(), Relu()), (Identity(), LayerNorm(0.1))])
def test_energy_never_rises(outer, middle):
    network = hierarchy((outer[0], middle, outer[1]), (1.0, 0.3, 2.0))
    conditions = network.conditions({0: rng().normal(size=(1, 6, 6))})
    for step in (0.1, 3.0):
        path = integrate(network, start(network), conditions, duration=3.0, step=step)
        rise = np.diff(path.energies, axis=0).max()
        assert rise <= 1e-12 * np.abs(path.energies).max()
        assert (path.energies[-1] < path.energies[0]).all()


@pytest.mark.parametrize("per_site", [False, True])
@pytest.mark.parametrize("middle", [LogCosh(), Softmax(2.0), Spherical(), Sigmoid(1.0), Exponential()])
def test_energy_rate_is_the_quadratic_form_of_the_hessians(middle, per_site):
    network = hierarchy((LogCosh(), middle, Softmax(2.0)), (1.0, 0.5, 2.0), per_site=per_site)
    conditions = network.conditions({1: rng().normal(size=(4, 3, 3, 3))}, {0: np.eye(6)[None] > 0})
    state, step = start(network), 1e-5
    moves = network.velocity(state, conditions)
    assert (moves[0][:, 0].diagonal(axis1=1, axis2=2) == 0).all()
    after, before = (
        network.energy(tuple(x + t * v for x, v in zip(state, moves, strict=True)), conditions) for t in (step, -step)
    )
    np.testing.assert_allclose(network.energy_rate(state, conditions), (after - before) / (2 * step), rtol=1e-7)


def test_pooling_layers_descend():
    layers = (Layer((1, 6, 6), LogCosh()), Layer((1, 3, 3), Relu()), Layer((4,), Softmax(1.0)))
    above = Dense(rng().normal(size=(4, 9)), (1, 3, 3), (4,))
    for pool in (AveragePooling((1, 6, 6), 2, 2), SoftmaxPooling((1, 6, 6), 2, 2, 3.0)):
        network = Hierarchical(layers, (pool, above))
        conditions = network.conditions({0: rng().normal(size=(4, 1, 6, 6))})
        path = integrate(network, start(network), conditions, duration=3.0, step=0.5)
        assert np.diff(path.energies, axis=0).max() <= 1e-12
        found = settle(network, path.state, conditions)
        assert found.residual.max() <= 1e-10
        for a, layer in enumerate(layers):
            drive = network.drive(a, network.activations(found.state), conditions)
            np.testing.assert_allclose(found.state[a], drive, atol=2e-10, err_msg=str(layer))


def test_two_layers_are_the_two_layer_network():
    patterns = rng().normal(size=(5, 8))
    layers = (Layer((8,), LogCosh(1.5), 0.7), Layer((5,), Softmax(2.0), 0.2))
    network = Hierarchical(layers, (Dense(patterns),))
    v, h, given = rng().normal(size=(3, 8)), rng().normal(size=(3, 5)), rng().normal(size=8)
    other = TwoLayer(patterns, LogCosh(1.5), Softmax(2.0), feature_time=0.7, hidden_time=0.2, inputs=given)
    conditions = network.conditions({0: given})
    for ours, theirs in zip(network.velocity((v, h), conditions), other.rates(v, h), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    np.testing.assert_allclose(network.energy((v, h), conditions), other.energy(v, h), rtol=1e-12)
    np.testing.assert_allclose(network.energy_rate((v, h), conditions), other.energy_rate(v, h), rtol=1e-12)


def test_a_softmax_layer_above_a_linear_one_is_attention():
    patterns, beta = rng().normal(size=(7, 9)), 1.5
    network = Hierarchical((Layer((9,), Identity()), Layer((7,), Softmax(beta))), (Dense(patterns),))
    queries = rng().normal(size=(4, 9))
    once = settle(network, network.start(4, {0: queries}), network.conditions(), sweeps=1).state[0]
    scores = np.exp(beta * queries @ patterns.T)
    np.testing.assert_allclose(once, scores / scores.sum(1, keepdims=True) @ patterns, rtol=1e-12)


def test_sweeps_of_settle_lower_the_energy_and_end_where_time_ends():
    network = hierarchy((LogCosh(), Relu(), Softmax(2.0)), scale=0.3)
    conditions = network.conditions({0: rng().normal(size=(4, 1, 6, 6))})
    state = start(network)
    energies = [network.energy(state, conditions)]
    for _ in range(30):
        state = settle(network, state, conditions, sweeps=1).state
        energies.append(network.energy(state, conditions))
    assert np.diff(energies, axis=0).max() <= 1e-12
    found = settle(network, state, conditions)
    for method in ("euler", "LSODA"):
        path = integrate(network, found.state, conditions, duration=10.0, step=0.5, method=method)
        np.testing.assert_allclose(path.state[1], found.state[1], atol=1e-8)


def test_integrators_agree():
    network = hierarchy((LogCosh(), Relu(), Softmax(2.0)), (1.0, 0.5, 2.0))
    conditions = network.conditions({0: rng().normal(size=(1, 6, 6))}, {0: np.arange(36).reshape(1, 6, 6) < 10})
    ends = [
        integrate(network, start(network, 1), conditions, duration=0.5, step=step, method=method).state
        for step, method in ((0.5, "DOP853"), (0.5, "LSODA"), (0.01, "euler"), (0.005, "euler"))
    ]
    for exact, stiff, rough, fine in zip(*ends, strict=True):
        np.testing.assert_allclose(stiff, exact, atol=1e-7)
        errors = np.abs(rough - exact).max(), np.abs(2 * fine - rough - exact).max()  # of first and of second order
        assert errors[1] < 0.02 * errors[0] < 2e-4


def test_time_constants_do_not_move_fixed_points():
    taus = [(1.0, 1.0, 1.0), (0.5, 1.0, 2.0), (2.0, 0.7, 0.5)]
    ends = []
    for tau in taus:
        network = hierarchy((LogCosh(), LogCosh(), Softmax(1.0)), tau, scale=0.15)
        conditions = network.conditions({0: rng().normal(size=(1, 6, 6))})
        ends.append(integrate(network, start(network, 1), conditions, duration=60.0, step=60.0, method="RK45").state)
        assert np.abs(network.velocity(ends[-1], conditions)[0]).max() < 1e-7
    for a in range(3):
        for end in ends[1:]:
            np.testing.assert_allclose(end[a], ends[0][a], atol=1e-6)


def test_clamped_neurons_keep_their_potentials_and_samples_do_not_interact():
    network = hierarchy((LogCosh(), LogCosh(), Softmax(2.0)))
    held = rng().random((4, 1, 6, 6)) < 0.5
    state = start(network)
    conditions = network.conditions(None, {0: held})
    for end in (
        settle(network, state, conditions).state,
        integrate(network, state, conditions, duration=2.0, step=4.0).state,
    ):
        assert (end[0][held] == state[0][held]).all()
        assert (end[0][~held] != state[0][~held]).all()
    alone = network.conditions(None, {0: held[2:3]})
    single = integrate(network, tuple(x[2:3] for x in state), alone, duration=2.0, step=4.0).state
    np.testing.assert_allclose(end[1][2], single[1][0], rtol=1e-12)


def test_layers_act_on_channels_at_every_site():
    layer, x = Layer((3, 2, 2), Softmax(2.0), per_site=True), rng().normal(size=(4, 3, 2, 2))
    np.testing.assert_allclose(layer.activation(x).sum(axis=1), 1.0)
    site = Softmax(2.0).activation(x[1, :, 0, 1])
    np.testing.assert_allclose(layer.activation(x)[1, :, 0, 1], site)
    np.testing.assert_allclose(layer.value(x), sum(Softmax(2.0).value(x[:, :, i, j]) for i, j in np.ndindex(2, 2)))


SMALL = hierarchy((LogCosh(),) * 3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Convolution(np.ones((1, 1, 9, 9)), (1, 8, 8)), "larger than the image"),
        (lambda: Convolution(np.ones((1, 2, 3, 3)), (1, 8, 8)), "must have the 1 channels of the image"),
        (lambda: Convolution(np.ones((1, 1, 3, 3)), (1, 8, 8), 0), "stride must be an integer >= 1"),
        (lambda: Convolution(np.ones((1, 1, 3, 3)), (1, 8, 8), 1, 3), "padding must be an integer from 0 to 2"),
        (lambda: Dense(np.ones((3, 4)), (5,)), "below must have as many neurons as the weights, 4"),
        (lambda: Dense(np.full((3, 4), np.nan)), "weights must be finite numbers"),
        (lambda: SoftmaxPooling((1, 4, 4), 2, 2, 0.0), "beta must be > 0"),
        (lambda: Layer((3,), Identity(), 0.0), "tau must be > 0"),
        (lambda: Hierarchical((Layer((3,), Identity()),), ()), "at least two layers"),
        (lambda: hierarchy((Relu(),) * 3).conditions({5: np.ones(3)}), "there is no layer 5"),
        (lambda: hierarchy((Relu(),) * 3).conditions({2: np.ones(3)}), r"inputs of layer 2 must have shape"),
        (lambda: hierarchy((Relu(),) * 3).conditions({2: np.full(5, np.inf)}), "must be finite"),
        (lambda: hierarchy((Softmax(),) * 3).conditions(None, {2: np.arange(5) < 2}), "cannot be clamped in part"),
        (lambda: settle(SMALL, start(SMALL)[:2], SMALL.conditions()), "a state needs arrays of shapes"),
        (lambda: settle(SMALL, start(SMALL), SMALL.conditions({2: np.ones((3, 5))})), "one or for all 4 samples"),
    ],
)
def test_refusals(wrong, said):
    with pytest.raises(Refused, match=said):
        wrong()


def test_growth_without_bound_is_refused():
    network = hierarchy((Relu(), Relu(), Relu()), scale=3.0)
    with pytest.raises(Refused, match="grow without bound"):
        settle(network, start(network), network.conditions())
    with pytest.raises(Refused, match="grow without bound|rises however small"):
        integrate(network, start(network), network.conditions(), duration=400.0, step=1.0)
    odd = hierarchy((LogCosh(), Power(3), LogCosh()))
    assert not odd.convex
