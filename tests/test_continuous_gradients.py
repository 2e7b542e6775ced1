"""Gradients of fixed points: implicit and by equilibrium propagation, against finite differences; and what they train."""

import numpy as np
import pytest

from hopsim.continuous.gradients import equilibrium_propagation, implicit
from hopsim.continuous.hierarchical import FixedPoint, Hierarchical, Layer, settle
from hopsim.continuous.lagrangians import Identity, LogCosh, Power, Relu, Sigmoid, Softmax, Spherical
from hopsim.continuous.synapses import AveragePooling, Convolution, Dense, SoftmaxPooling
from hopsim.errors import Refused

SAMPLES, IMAGE = 3, (1, 6, 6)


def draw(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def convolutional(middle, top, scale=0.3, per_site=False):
    layers = (Layer(IMAGE, LogCosh()), Layer((3, 3, 3), middle, 0.5, per_site), Layer((5,), top))
    dense = Dense(scale * draw(2, 5, 27), (3, 3, 3), (5,))
    return Hierarchical(layers, (Convolution(scale * draw(1, 3, 1, 3, 3), IMAGE, 2, 1), dense))


def pooled(pool):
    layers = (Layer(IMAGE, LogCosh()), Layer((2, 6, 6), Relu()), Layer((2, 3, 3), LogCosh()), Layer((4,), Softmax(1.0)))
    filters = Convolution(0.2 * draw(1, 2, 1, 3, 3), IMAGE, 1, 1)
    return Hierarchical(layers, (filters, pool, Dense(0.3 * draw(2, 4, 18), (2, 3, 3), (4,))))


NETWORKS = {
    "softmax above tanh": convolutional(LogCosh(), Softmax(2.0)),
    "relu": convolutional(Relu(), Softmax(1.0), 0.2),
    "linear below sphere": convolutional(Identity(), Spherical(), 0.15),
    "channels compete": convolutional(Softmax(3.0), Sigmoid(2.0), 0.5, per_site=True),
    "average pooling": pooled(AveragePooling((2, 6, 6), 2, 2)),
    "softmax pooling": pooled(SoftmaxPooling((2, 6, 6), 2, 2, 2.0)),
}


class Loss:
    """½ Σ (g - target)² on two layers at the fixed point of a clamped and driven network."""

    def __init__(self, network):
        last = len(network.layers) - 1
        self.targets = {a: draw(3 + a, SAMPLES, *network.layers[a].shape) for a in (0, last)}
        held = np.random.default_rng(9).random((SAMPLES, *IMAGE)) < 0.4
        self.start = network.start(SAMPLES, {0: draw(7, SAMPLES, *IMAGE)})
        self.inputs = {0: 0.3 * draw(8, SAMPLES, *IMAGE), last: 0.3 * draw(6, *network.layers[last].shape)}
        self.clamped = {0: held}

    def conditions(self, network):
        return network.conditions(self.inputs, self.clamped)

    def settled(self, network):
        return settle(network, self.start, self.conditions(network), tolerance=1e-12)

    def slopes(self, network, point):
        activities = network.activations(point.state)
        return {a: activities[a] - target for a, target in self.targets.items()}

    def value(self, network):
        return sum(0.5 * (slope**2).sum() for slope in self.slopes(network, self.settled(network)).values())


@pytest.mark.parametrize("name", NETWORKS)
def test_both_gradients_are_finite_differences(name):
    network = NETWORKS[name]
    loss = Loss(network)
    point, conditions = loss.settled(network), loss.conditions(network)
    slopes = loss.slopes(network, point)
    exact = implicit(network, point, conditions, slopes, tolerance=1e-12)
    nudged = equilibrium_propagation(network, point, conditions, slopes, nudge=1e-4, tolerance=1e-12)
    for a, weights in enumerate(network.weights):
        if weights is None:
            assert exact.weights[a] is nudged.weights[a] is None
            continue
        direction, step = draw(20, *weights.shape), 1e-5
        moved = [[w if b != a else weights + t * direction for b, w in enumerate(network.weights)] for t in (step, -step)]
        above, below = (loss.value(network.with_weights(each)) for each in moved)
        expected = (above - below) / (2 * step)
        assert abs(expected) > 1e-3
        assert (exact.weights[a] * direction).sum() == pytest.approx(expected, rel=1e-6)
        assert (nudged.weights[a] * direction).sum() == pytest.approx(expected, rel=1e-4)
        np.testing.assert_allclose(nudged.weights[a], exact.weights[a], atol=2e-4 * np.abs(exact.weights[a]).max())


def test_gradient_with_respect_to_the_inputs():
    network = NETWORKS["softmax above tanh"]
    loss = Loss(network)
    point, conditions = loss.settled(network), loss.conditions(network)
    slopes = loss.slopes(network, point)
    gradients = (
        implicit(network, point, conditions, slopes),
        equilibrium_propagation(network, point, conditions, slopes, nudge=1e-4, tolerance=1e-12),
    )
    direction, step, values = draw(20, SAMPLES, *IMAGE), 1e-5, []
    given = loss.inputs[0]
    for t in (step, -step):
        loss.inputs[0] = given + t * direction
        values.append(loss.value(network))
    for gradient in gradients:
        found = (gradient.inputs[0] * direction).sum()
        assert found == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-4)
        assert (gradient.inputs[0][loss.clamped[0]] == 0).all()


def test_equilibrium_propagation_errs_by_the_square_of_the_nudge():
    network = NETWORKS["softmax above tanh"]
    loss = Loss(network)
    point, conditions = loss.settled(network), loss.conditions(network)
    slopes = loss.slopes(network, point)
    exact = implicit(network, point, conditions, slopes, tolerance=1e-12).weights[0]
    errors = [
        np.abs(equilibrium_propagation(network, point, conditions, slopes, nudge=b, tolerance=1e-12).weights[0] - exact)
        for b in (0.004, 0.002)
    ]
    assert errors[0].max() / errors[1].max() == pytest.approx(4, rel=0.1)


def test_refusals():
    network = NETWORKS["softmax above tanh"]
    loss = Loss(network)
    point, conditions = loss.settled(network), loss.conditions(network)
    slopes = loss.slopes(network, point)
    moving = settle(network, loss.start, conditions, sweeps=1)
    with pytest.raises(Refused, match="not at rest"):
        implicit(network, moving, conditions, slopes)
    with pytest.raises(Refused, match="nudge must be > 0"):
        equilibrium_propagation(network, point, conditions, slopes, nudge=0.0)
    odd = convolutional(Power(3), Softmax(1.0))
    with pytest.raises(Refused, match="convex"):
        implicit(odd, point, conditions, slopes)
    held = network.conditions(None, {2: np.arange(5) < 2})
    with pytest.raises(Refused, match="clamped in part"):
        implicit(network, point, held, slopes)
    # zero potentials are at rest here, but a saddle: strong synapses between odd activities
    saddle = Hierarchical((Layer((2,), LogCosh()), Layer((2,), LogCosh())), (Dense(3.0 * np.eye(2)),))
    rest = FixedPoint(saddle.start(1), np.zeros(1), 1)
    with pytest.raises(Refused, match="no minimum"):
        implicit(saddle, rest, saddle.conditions(), {0: np.ones((1, 2))})
