"""Gradients of fixed points: implicit and by equilibrium propagation, against finite differences; training."""

import numpy as np
import pytest

from hopsim.checkpoints import Checkpoint
from hopsim.continuous.digit_memory import SHARPNESS, DigitCues, DigitMemory, complete, digits, measure
from hopsim.continuous.gradients import bounded, equilibrium_propagation, implicit
from hopsim.continuous.hierarchical import FixedPoint, Hierarchical, Layer, settle
from hopsim.continuous.lagrangians import Identity, LogCosh, Power, Relu, Sigmoid, Softmax, Spherical
from hopsim.continuous.synapses import AveragePooling, Convolution, Dense, SoftmaxPooling
from hopsim.continuous.training import Learning, train
from hopsim.errors import Refused, Stopped
from hopsim.figures import hierarchical_memory as drawing

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
        moved = [
            [w if b != a else weights + t * direction for b, w in enumerate(network.weights)] for t in (step, -step)
        ]
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
    # zero potentials are at rest here, but a saddle: strong synapses between odd activities
    saddle = Hierarchical((Layer((2,), LogCosh()), Layer((2,), LogCosh())), (Dense(3.0 * np.eye(2)),))
    rest = FixedPoint(saddle.start(1), np.zeros(1), 1)
    with pytest.raises(Refused, match="no minimum"):
        implicit(saddle, rest, saddle.conditions(), {0: np.ones((1, 2))})


def test_the_bounded_gradient_is_the_implicit_one_but_for_large_responses():
    network = NETWORKS["softmax above tanh"]
    loss = Loss(network)
    point, conditions = loss.settled(network), loss.conditions(network)
    slopes = loss.slopes(network, point)
    exact = implicit(network, point, conditions, slopes)
    free = bounded(network, point, conditions, slopes, bound=1e3, tolerance=1e-10, iterations=1000)
    small = bounded(network, point, conditions, slopes, bound=1e-3, tolerance=1e-10, iterations=1000)
    for a in range(2):
        np.testing.assert_allclose(free.weights[a], exact.weights[a], rtol=1e-12)
    for sample in range(SAMPLES):
        all_of = [np.concatenate([g.inputs[a][sample].ravel() for a in range(3)]) for g in (exact, small)]
        cosine = all_of[0] @ all_of[1] / np.linalg.norm(all_of[0]) / np.linalg.norm(all_of[1])
        assert cosine == pytest.approx(1)
        assert np.linalg.norm(all_of[1]) < 0.1 * np.linalg.norm(all_of[0])


MEMORY, LEARNING = DigitMemory(8, 4, 2, 20, 1.0), Learning(100, 4, 20, 4e-3, 1e-2, 40)
HALF = DigitCues(0.5, 0.0, 60)


def trained(cues=HALF, checkpoint=None, stopping=lambda: False, seed=5, learning=LEARNING):
    images = digits()[:100]
    network = MEMORY.untrained(images, np.random.default_rng(1))
    return train(network, images, cues, learning, np.random.default_rng(seed), checkpoint, stopping)


@pytest.mark.parametrize("cues", [HALF, DigitCues(0.25, 0.1, 60)])
def test_training_goes_on_from_a_checkpoint_bit_for_bit(cues, tmp_path):
    straight, losses = trained(cues)
    checkpoint = Checkpoint(tmp_path, ("a",), 0.0)
    for epoch in (1, 2, 3):
        with pytest.raises(Stopped, match=f"after epoch {epoch} of 4"):
            trained(cues, checkpoint, lambda: True)
    continued, others = trained(cues, checkpoint)
    np.testing.assert_array_equal(others, losses)
    for ours, theirs in zip(continued.weights, straight.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert losses[-1] < losses[0]
    with pytest.raises(Refused, match="of another seed"):
        trained(cues, checkpoint, seed=6)
    assert (trained(cues, seed=6)[0].weights[0] != straight.weights[0]).any()


def test_a_step_of_training_is_one_of_adam():
    one = Learning(100, 1, 100, 1e-3)
    before = MEMORY.untrained(digits()[:100], np.random.default_rng(1))
    after = trained(learning=one)[0]
    for a, b in zip(before.weights, after.weights, strict=True):
        # the first step of Adam moves every weight with a gradient by the rate
        np.testing.assert_allclose(np.abs(a - b).max(), 1e-3, rtol=1e-3)


def test_training_completes_better_than_neighbours_and_before():
    found = complete(
        DigitMemory(16, 4, 2, 30, 1.0), Learning(200, 3, 10, 5e-3, 1e-2, 30), HALF, np.random.default_rng(2)
    )
    assert found.error("trained") < min(found.error("nearest"), found.error("untrained"))
    assert (found.given[found.asked] == 0).all()
    known = np.broadcast_to(HALF.known, found.images.shape)
    np.testing.assert_allclose(found.trained[known], np.tanh(3.0) * found.images[known])
    assert not (found.asked & known).any()


def test_measure_is_what_its_parts_say():
    seen = measure(MEMORY, LEARNING, HALF, np.random.default_rng(3))
    assert seen == measure(MEMORY, LEARNING, HALF, np.random.default_rng(3))
    found = complete(MEMORY, LEARNING, HALF, np.random.default_rng(3))
    assert seen["completion_error"] == found.error("trained")
    images, tests = digits()[np.random.default_rng(3).permutation(1797)][:100], found.images
    distances = [[np.square(test[0, :4] - image[0, :4]).sum() for image in images] for test in tests]
    nearest = images[np.argmin(distances, axis=1)]
    error = np.mean([np.square(a[0, 4:] - b[0, 4:]).mean() for a, b in zip(nearest, tests, strict=True)])
    assert seen["nearest_neighbour_error"] == pytest.approx(error)
    wrong = np.mean([(a[0, 4:] != b[0, 4:]).mean() for a, b in zip(nearest, tests, strict=True)])
    assert seen["nearest_neighbour_wrong"] == pytest.approx(wrong)
    assert error == pytest.approx(4 * wrong)
    assert seen["highest_rise"] <= 1e-12
    assert MEMORY.synapses == sum(w.size for w in found.networks[1].weights)
    stored = images[: MEMORY.synapses // 64]
    scores = np.array([[test[0, :4].ravel() @ image[0, :4].ravel() for image in stored] for test in tests])
    errors = []
    for beta in SHARPNESS:
        shares = np.exp(beta * scores)
        mixed = np.einsum("ti,icrs->tcrs", shares / shares.sum(1, keepdims=True), stored)
        errors.append(np.square(mixed - tests)[:, :, 4:].mean())
    assert np.abs(np.array(errors) - seen["stored_error"]).min() < 1e-12
    assert seen["stored_error"] < 1.2 * min(errors)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: DigitCues(0.0, 0.0, 5), "nothing is asked"),
        (lambda: DigitCues(1.0, 0.0, 5), "missing must be from 0 to 0.9"),
        (lambda: DigitMemory(8, 9, 2, 20, 1.0), "filter_size must be an integer from 1 to 8"),
        (lambda: DigitMemory(8, 4, 2, 20, 0.0), "beta must be > 0"),
        (lambda: Learning(10, 1, 1, 0.0), "rate must be > 0"),
        (lambda: measure(MEMORY, Learning(1790, 1, 1, 1.0), HALF, None), "there are 1797 digits"),
        (lambda: measure(MEMORY, Learning(10, 1, 1, 1.0), HALF, None), "memories start as images"),
    ],
)
def test_wrong_trainings_are_refused(wrong, said):
    with pytest.raises(Refused, match=said):
        wrong()


def test_the_figure_shows_what_it_is_given():
    images = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8))
    galleries = [drawing.Gallery("one", {"cue": images, "truth": -images}), drawing.Gallery("two", {"cue": images})]
    filters = images[:2, :4, :4], images[1:, 4:, 4:]
    errors = {"one": {"trained": np.array([0.1, 0.2]), "nearest": np.array([0.3, 0.4])}}
    figure = drawing.draw(drawing.Data(galleries, filters, errors))
    shown = [np.asarray(ax.images[0].get_array()) for ax in figure.axes if ax.images]
    expected = [*-images, *images, *-images, *filters[0], *filters[1]]
    assert len(shown) == len(expected)
    for found, wanted in zip(shown, expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    markers = [line for ax in figure.axes for line in ax.lines if line.get_marker() not in ("None", None, "")]
    assert [list(line.get_ydata()) for line in markers] == [[0.1, 0.2], [0.3, 0.4]]
