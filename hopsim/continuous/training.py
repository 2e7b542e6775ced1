"""Training of hierarchical memories: their synapses go down the gradient of a loss on fixed points.

A batch of images is cued, settled, and compared with the images themselves where they are not given. The gradient is
that of the fixed point (gradients.bounded), the steps are Adam's (Kingma & Ba, "Adam: A Method for Stochastic
Optimization", 2015).

Training is bit for bit the same for the same seed on the same machine, also when it was stopped and continued from a
checkpoint: every epoch draws from a stream of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..checkpoints import Checkpoint
from ..errors import Refused, Stopped, real, whole
from .gradients import bounded
from .hierarchical import Conditions, Hierarchical, State, settle
from .synapses import Floats

FIRST, SECOND, SMALL = 0.9, 0.999, 1e-8  # Adam's memory of gradients and of their squares
MOST = 10**6  # images, epochs, a batch, sweeps
BOUND = 3.0  # of the response of a fixed point, in units of its first estimate


@dataclass(frozen=True)
class Learning:
    """Epochs over `images` training images in batches, at a rate that falls linearly to 0 in the second half.

    Fixed points of training are sought to `tolerance` in at most `sweeps` sweeps.
    """

    images: int
    epochs: int
    batch: int
    rate: float
    tolerance: float = 1e-3
    sweeps: int = 150

    def __post_init__(self) -> None:
        for name, least in (("images", 1), ("epochs", 0), ("batch", 1), ("sweeps", 1)):
            object.__setattr__(self, name, whole(f"Learning: {name}", getattr(self, name), least, MOST))
        for name in ("rate", "tolerance"):
            object.__setattr__(self, name, real(f"Learning: {name}", getattr(self, name)))
            if getattr(self, name) <= 0:
                raise Refused(f"Learning: {name} must be > 0, got {getattr(self, name)!r}")


@dataclass(frozen=True, eq=False)
class Cued:
    """A batch of cues: where the network starts, what is imposed on it, and the pixels whose values it has to find."""

    start: State
    conditions: Conditions
    asked: NDArray[np.bool_]


CueMaker = Callable[[Hierarchical, Floats, np.random.Generator], Cued]


def squared_error(activities: Floats, images: Floats, asked: NDArray[np.bool_]) -> float:
    """Mean of (g - image)² over the pixels asked."""
    return float(((activities - images)[asked] ** 2).mean())


def train(
    network: Hierarchical,
    images: Floats,
    cue: CueMaker,
    learning: Learning,
    rng: np.random.Generator,
    checkpoint: Checkpoint | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> tuple[Hierarchical, Floats]:
    """The trained network, and the mean loss of each epoch.

    images float64[images, *shape of layer 0]. With a checkpoint it is continued where it was left, and saved after
    every epoch; after an epoch at which stopping() holds, `Stopped` is raised.
    """
    seed = int(rng.integers(2**63))
    course = _Course.begun(network) if checkpoint is None else _Course.loaded(checkpoint, network, seed)
    while course.epoch < learning.epochs:
        course = _epoch(course, images, cue, learning, np.random.default_rng([seed, course.epoch]))
        if checkpoint is not None:
            checkpoint.save(course.arrays(seed))
        if stopping() and course.epoch < learning.epochs:
            raise Stopped(f"training stopped after epoch {course.epoch} of {learning.epochs}")
    return course.network, course.losses


@dataclass(frozen=True, eq=False)
class _Course:
    """How far a training is: the network, Adam's two averages of every weight, steps taken and losses of epochs."""

    network: Hierarchical
    means: tuple[Floats, ...]
    squares: tuple[Floats, ...]
    steps: int
    losses: Floats

    @property
    def epoch(self) -> int:
        return len(self.losses)

    @classmethod
    def begun(cls, network: Hierarchical) -> "_Course":
        zeros = tuple(np.zeros(0) if w is None else np.zeros_like(w) for w in network.weights)
        return cls(network, zeros, zeros, 0, np.zeros(0))

    @classmethod
    def loaded(cls, checkpoint: Checkpoint, network: Hierarchical, seed: int) -> "_Course":
        begun, found = cls.begun(network), checkpoint.load()
        if found is None:
            return begun
        if int(found["seed"]) != seed:
            raise Refused(f"checkpoint {checkpoint.path} is of another seed; remove it, or give the same generator")
        each = range(len(network.synapses))
        weights = [None if w is None else found[f"weights{a}"] for a, w in enumerate(network.weights)]
        means, squares = (tuple(found[f"{name}{a}"] for a in each) for name in ("means", "squares"))
        return cls(network.with_weights(weights), means, squares, int(found["steps"]), found["losses"])

    def arrays(self, seed: int) -> dict[str, NDArray[np.generic]]:
        """For a checkpoint."""
        found: dict[str, NDArray[np.generic]] = {"seed": np.array(seed), "steps": np.array(self.steps)}
        found["losses"] = self.losses
        for name, arrays in (("weights", self.network.weights), ("means", self.means), ("squares", self.squares)):
            found |= {f"{name}{a}": array for a, array in enumerate(arrays) if array is not None}
        return found

    def stepped(self, gradients: tuple[Floats | None, ...], rate: float) -> "_Course":
        """One step of Adam."""
        steps = self.steps + 1
        weights, means, squares = [], [], []
        for weight, gradient, mean, square in zip(
            self.network.weights, gradients, self.means, self.squares, strict=True
        ):
            if weight is not None and gradient is not None:
                mean = FIRST * mean + (1 - FIRST) * gradient
                square = SECOND * square + (1 - SECOND) * gradient**2
                size = np.sqrt(square / (1 - SECOND**steps)) + SMALL
                weight = weight - rate * mean / (1 - FIRST**steps) / size
            weights.append(weight)
            means.append(mean)
            squares.append(square)
        return _Course(self.network.with_weights(weights), tuple(means), tuple(squares), steps, self.losses)


def _epoch(course: _Course, images: Floats, cue: CueMaker, learning: Learning, rng: np.random.Generator) -> _Course:
    order, total = rng.permutation(len(images)), 0.0
    rate = learning.rate * min(1.0, 2.0 * (1.0 - course.epoch / learning.epochs))
    batches = np.array_split(order, max(1, len(images) // learning.batch))
    for batch in batches:
        wanted, network = images[batch], course.network
        cued = cue(network, wanted, rng)
        point = settle(network, cued.start, cued.conditions, tolerance=learning.tolerance, sweeps=learning.sweeps)
        seen = network.layers[0].activation(point.state[0])
        slopes = {0: np.where(cued.asked, 2.0 * (seen - wanted) / cued.asked.sum(), 0.0)}
        total += squared_error(seen, wanted, cued.asked)
        gradient = bounded(network, point, cued.conditions, slopes, bound=BOUND)
        course = course.stepped(gradient.weights, rate)
    losses = np.append(course.losses, total / len(batches))
    return _Course(course.network, course.means, course.squares, course.steps, losses)
