"""A small convolutional memory that completes and denoises handwritten digits, and what it is compared with.

Image (8 x 8, tanh) - features (filters at all places, linear) - memories (softmax): the network with two hidden
layers, the first convolutional, of Krotov, "Hierarchical Associative Memory" (2021), trained through its fixed points
(training.py). The digits are those that ship with the package, pixels ±1, split at random into images to learn and
images to try.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..checkpoints import Checkpoint
from ..errors import Refused, real, whole
from ..hdf5 import read_patterns
from .hierarchical import Hierarchical, Layer, Trajectory, integrate, settle
from .lagrangians import Identity, LogCosh, Softmax
from .synapses import Convolution, Dense, Floats
from .training import Cued, Learning, squared_error, train

SIDE = 8
IMAGE = (1, SIDE, SIDE)
MOST = 10**5  # channels, memories, tests
GIVEN = 3.0  # potential of a pixel that is given: tanh 3 = 0.995
FILTERS, MEMORIES = 0.35, 0.3  # norm of a filter before training, and of memories in units of the features
SHARPNESS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0)  # of the softmax over stored images
FOLLOWED, DURATION, STEP = 20, 10.0, 0.5  # cues whose energy is followed in time
DATA = tuple(folder / "data" / "patterns" / "digits.h5" for folder in Path(__file__).parents[1:3])


@dataclass(frozen=True)
class DigitMemory:
    """`channels` filters of filter_size² pixels at every `stride` pixels, and `memories` above with sharpness beta."""

    channels: int
    filter_size: int
    stride: int
    memories: int
    beta: float

    def __post_init__(self) -> None:
        for name, most in (("channels", MOST), ("filter_size", SIDE), ("stride", SIDE), ("memories", MOST)):
            object.__setattr__(self, name, whole(f"DigitMemory: {name}", getattr(self, name), 1, most))
        object.__setattr__(self, "beta", real("DigitMemory: beta", self.beta))
        if self.beta <= 0:
            raise Refused(f"DigitMemory: beta must be > 0, got {self.beta!r}")

    @property
    def neurons(self) -> int:
        """Pixels."""
        return SIDE**2

    @property
    def patterns(self) -> int:
        """Memories."""
        return self.memories

    @property
    def load(self) -> float:
        """Memories per pixel."""
        return self.memories / self.neurons

    @property
    def synapses(self) -> int:
        """The number of weights."""
        filters = self.channels * self.filter_size**2
        return filters + self.memories * math.prod(self._convolution(np.zeros((filters, 1))).upper)

    def untrained(self, images: Floats, rng: np.random.Generator) -> Hierarchical:
        """Random filters, orthogonal as far as there is room; memories are the features of the first images."""
        pixels = self.filter_size**2
        most = max(self.channels, pixels)
        filters = np.linalg.qr(rng.normal(size=(most, most)))[0][: self.channels, :pixels]
        convolution = self._convolution(FILTERS * filters)
        features = convolution.forward(images[: self.memories])
        dense = Dense(MEMORIES * features.reshape(self.memories, -1), convolution.upper, (self.memories,))
        layers = (
            Layer(IMAGE, LogCosh()),
            Layer(convolution.upper, Identity()),
            Layer((self.memories,), Softmax(self.beta)),
        )
        return Hierarchical(layers, (convolution, dense))

    def _convolution(self, filters: Floats) -> Convolution:
        weights = filters.reshape(self.channels, 1, self.filter_size, self.filter_size)
        return Convolution(weights, IMAGE, self.stride, (self.filter_size - 1) // 2)


@dataclass(frozen=True)
class DigitCues:
    """Images of which the lowest rows are `missing`, a fraction of them, and of the other pixels `noise` are flipped.

    Pixels without noise are held at their values; with noise, they are driven towards them. `tests` cues are tried.
    """

    missing: float
    noise: float
    tests: int

    def __post_init__(self) -> None:
        for name, most in (("missing", 0.9), ("noise", 0.45)):
            object.__setattr__(self, name, real(f"DigitCues: {name}", getattr(self, name)))
            if not 0 <= getattr(self, name) <= most:
                raise Refused(f"DigitCues: {name} must be from 0 to {most}, got {getattr(self, name)!r}")
        object.__setattr__(self, "tests", whole("DigitCues: tests", self.tests, 1, MOST))
        if self.noise == 0 and self.known.all():
            raise Refused("DigitCues: nothing is asked; let rows be missing or pixels be noisy")

    @property
    def known(self) -> NDArray[np.bool_]:
        """The pixels that are given, bool[1, 8, 8]."""
        rows = SIDE - round(self.missing * SIDE)
        return np.broadcast_to(np.arange(SIDE)[:, None] < rows, IMAGE)

    def drawn(self, images: Floats, rng: np.random.Generator) -> Floats:
        """The images as they are given: flipped here and there, 0 where missing."""
        flipped = rng.random(images.shape) < self.noise
        return np.where(self.known, np.where(flipped, -images, images), 0.0)

    def posed(self, network: Hierarchical, given: Floats) -> Cued:
        """The cues as conditions of a network; what is asked are the missing pixels, or all if none is missing."""
        asked = np.broadcast_to(self.known.all() | ~self.known, given.shape)
        if self.noise:
            return Cued(network.start(len(given), {0: given}), network.conditions({0: given}), asked)
        start = network.start(len(given), {0: GIVEN * given})
        return Cued(start, network.conditions(None, {0: self.known}), asked)

    def __call__(self, network: Hierarchical, images: Floats, rng: np.random.Generator) -> Cued:
        """Cues of images, for training."""
        return self.posed(network, self.drawn(images, rng))


@dataclass(frozen=True, eq=False)
class Completed:
    """One sample: held-out images, their cues, what each memory made of them, and the networks.

    Arrays are float64[tests, 1, 8, 8]; `stored` comes from the softmax over as many training images as the network
    has weights for.
    """

    images: Floats
    given: Floats
    asked: NDArray[np.bool_]
    trained: Floats
    untrained: Floats
    nearest: Floats
    stored: Floats
    networks: tuple[Hierarchical, Hierarchical]
    losses: Floats

    def error(self, name: str) -> float:
        """Mean squared error of "trained", "untrained", "nearest" or "stored" on the pixels asked."""
        return squared_error(getattr(self, name), self.images, self.asked)

    def wrong(self, name: str) -> float:
        """The fraction of the pixels asked whose sign is wrong."""
        return float((np.sign(getattr(self, name)) != self.images)[self.asked].mean())


@cache
def digits() -> Floats:
    """The 1,797 digits of data/patterns/digits.h5, float64[1797, 1, 8, 8] of ±1."""
    path = next((path for path in DATA if path.is_file()), DATA[0])
    return read_patterns(path).array.T.reshape(-1, *IMAGE).astype(np.float64)


def complete(
    memory: DigitMemory,
    learning: Learning,
    cues: DigitCues,
    rng: np.random.Generator,
    checkpoint: Checkpoint | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Completed:
    """One sample: split the digits, train on some, and try all memories on others; see `train` for the checkpoint."""
    check(memory, learning, cues)
    everything = digits()[rng.permutation(len(digits()))]
    images, others = everything[: learning.images], everything[learning.images :][: cues.tests]
    before = memory.untrained(images, rng)
    after, losses = train(before, images, cues, learning, rng, checkpoint, stopping)
    given = cues.drawn(others, rng)
    training_cues = cues.drawn(images, rng)
    asked = cues.posed(before, given).asked
    return Completed(
        others, given, asked, recalled(after, cues, given), recalled(before, cues, given), _nearest(images, given),
        _stored(images, training_cues, given, asked[:1], memory.synapses // memory.neurons), (before, after), losses,
    )  # fmt: skip


def check(memory: DigitMemory, learning: Learning, cues: DigitCues) -> None:
    """Refuse what the number of digits does not allow."""
    if learning.images + cues.tests > len(digits()):
        raise Refused(
            f"there are {len(digits())} digits, fewer than {learning.images} to learn and {cues.tests} to try"
        )
    if memory.memories > learning.images:
        raise Refused(f"memories start as images: there must be at most {learning.images}, got {memory.memories}")


def recalled(network: Hierarchical, cues: DigitCues, given: Floats) -> Floats:
    """What a network makes of cues, at its fixed points."""
    cued = cues.posed(network, given)
    point = settle(network, cued.start, cued.conditions, tolerance=1e-5, sweeps=2000)
    return network.layers[0].activation(point.state[0])


def measure(memory: DigitMemory, learning: Learning, cues: DigitCues, rng: np.random.Generator) -> dict[str, float]:
    """One sample of training, on held-out images.

    completion_error: mean squared error of the trained network on the pixels asked (those missing, or all where none
    is); nearest_neighbour_error: of the training image nearest to the cue; untrained_error: of the same network before
    training; stored_error: of softmax recall from as many training images as the network has weights for;
    wrong_pixels and nearest_neighbour_wrong: fractions of signs; energy: E per pixel at the end of motions in time;
    highest_rise: largest rise of E along them, over |E|.
    """
    found = complete(memory, learning, cues, rng)
    path = _followed(found, cues)
    return {
        "completion_error": found.error("trained"),
        "nearest_neighbour_error": found.error("nearest"),
        "untrained_error": found.error("untrained"),
        "stored_error": found.error("stored"),
        "wrong_pixels": found.wrong("trained"),
        "nearest_neighbour_wrong": found.wrong("nearest"),
        "energy": float(path.energies[-1].mean()) / memory.neurons,
        "highest_rise": _rise(path),
    }


def highest_rise(found: Completed, cues: DigitCues) -> float:
    """The largest rise of the energy of the trained network from one time to the next, over the largest |E|."""
    return _rise(_followed(found, cues))


def _followed(found: Completed, cues: DigitCues) -> Trajectory:
    """Some of the cues in time."""
    network, some = found.networks[1], cues.posed(found.networks[1], found.given[:FOLLOWED])
    return integrate(network, some.start, some.conditions, duration=DURATION, step=STEP)


def _rise(path: Trajectory) -> float:
    return float(np.diff(path.energies, axis=0).max(initial=0.0) / np.abs(path.energies).max())


def _nearest(images: Floats, given: Floats) -> Floats:
    """The training image of largest overlap with each cue."""
    return np.asarray(images[_overlaps(given, images).argmax(axis=1)])


def _stored(images: Floats, cues: Floats, given: Floats, asked: NDArray[np.bool_], most: int) -> Floats:
    """Softmax recall from the first images, with the sharpness that is best for the training images themselves."""
    stored = images[:most]
    own = np.eye(len(images), len(stored), dtype=bool)
    overlaps = np.where(own, -np.inf, _overlaps(cues, stored))
    where = np.broadcast_to(asked, images.shape)
    errors = [squared_error(_mixed(beta * overlaps, stored), images, where) for beta in SHARPNESS]
    return _mixed(SHARPNESS[int(np.argmin(errors))] * _overlaps(given, stored), stored)


def _mixed(scores: Floats, stored: Floats) -> Floats:
    shares = Softmax(1.0).activation(scores)
    return np.asarray(np.tensordot(shares, stored, axes=1))


def _overlaps(given: Floats, images: Floats) -> Floats:
    return np.asarray(given.reshape(len(given), -1) @ images.reshape(len(images), -1).T)
