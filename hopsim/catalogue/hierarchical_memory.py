"""A convolutional memory trained to complete and to denoise handwritten digits.

Krotov, "Hierarchical Associative Memory" (2021), describes networks of many layers with one energy, among them one of
an image, a convolutional layer of features and a layer of memories above. Here such a network is trained on digits of
8 x 8 pixels (UCI optical recognition of handwritten digits, binarised), by gradients of its fixed points, to find the
lower half of an image from the upper one, and an image from one with 15 % of its pixels flipped.

Drawn: cues of held-out images and what is made of them by the network, the same network before training, and the
nearest training image; the filters before and after; mean squared errors on the pixels asked, for some splits of the
digits.

Compared: that paper has no numbers for such a task; compared is what is asked of a trained memory, on held-out images,
in the worst of the seeds:
 - the error of the nearest training image over that of the trained network, at least 1, for both tasks;
 - the error of the same network before training over that of the trained one, at least 1: there the filters are random
   and the memories are training images seen through them, so that both have the same number of synapses;
 - full run, completion: wrong signs of both over those of the trained network, at least 1;
 - full run, completion: the error of softmax recall from as many stored training images as the network has weights
   for (404), with its sharpness chosen on the training images, over that of the trained network (known);
 - the energy never rises along motions in time: the largest rise over |E|, 0 within rounding.

Deviates: the features are linear, so that all nonlinearity is in the image (tanh) and in the memories (softmax). The
mean squared error rewards a memory that hedges between images where a nearest neighbour decides; the wrong signs do
not. Softmax recall from 404 of the 1,400 training images, of the same number of weights, is as good as the trained
network within about 6 % at completion, and better at denoising: overlapping windows make features of 256 numbers out of
64 pixels, so that a memory costs four images.
"""

from dataclasses import replace

import numpy as np

from .. import executors
from ..checkpoints import Checkpoint
from ..columns import Columns, stacked
from ..continuous.digit_memory import Completed, DigitCues, DigitMemory, complete, highest_rise
from ..continuous.training import Learning
from ..figures import hierarchical_memory as figure
from ..figures.hierarchical_memory import Data, Gallery
from ..rng import Purpose, stream
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (400.0, 10.0)
SEEDS, SHOWN = (5, 1), 8
MEMORIES = {"trained": "trained", "untrained": "untrained", "nearest": "nearest image", "stored": "stored images"}
ASKED = "claim"


def make(workshop: Workshop) -> Reproduction:
    """Train, draw, compare."""
    tasks = {
        "completion": DigitCues(0.5, 0.0, workshop.pick(397, 200)),
        "denoising": DigitCues(0.0, 0.15, workshop.pick(397, 200)),
    }
    found = {name: _samples(workshop, cues) for name, cues in tasks.items()}
    first = {name: samples[0] for name, samples in found.items()}
    errors = {
        name: {shown: np.array([each.error(memory) for each in samples]) for memory, shown in MEMORIES.items()}
        for name, samples in found.items()
    }
    before, after = (network.synapses[0].weights[:, 0] for network in first["completion"].networks)  # type: ignore[attr-defined]
    drawn = Data([_gallery(name, sample) for name, sample in first.items()], (before, after), errors)
    tables = {"errors": _error_table(found), "images": _image_table(first), "filters": _filter_table(before, after)}
    return Reproduction(figure.draw(drawn), tables, _comparisons(workshop, found, tasks))


def _samples(workshop: Workshop, cues: DigitCues) -> list[Completed]:
    """One for each seed; a training that is stopped goes on from its last epoch."""
    memory, learning = _sizes(workshop, cues)

    def sample(seed: int) -> Completed:
        checkpoint = Checkpoint(workshop.folder, (f"{memory} {learning} {cues} {seed}",), 0.0)
        rng = stream(1, seed, Purpose.DISORDER, memory.neurons, memory.patterns)
        return complete(memory, learning, cues, rng, checkpoint, executors.stopping)

    with executors.threads(workshop.workers) as pool:
        return [future.result() for future in [pool.submit(sample, seed) for seed in range(workshop.pick(*SEEDS))]]


def _sizes(workshop: Workshop, cues: DigitCues) -> tuple[DigitMemory, Learning]:
    if workshop.quick:
        return DigitMemory(16, 4, 2, 40, 1.0), Learning(400, 3, 16, 5e-3, 1e-2, 40)
    epochs = 16 if cues.noise else 12
    return DigitMemory(16, 4, 2, 100, 1.0), Learning(1400, epochs, 28, 3e-3, 3e-3, 100)


def _gallery(name: str, sample: Completed) -> Gallery:
    rows = {"cue": sample.given, "trained": sample.trained, "untrained": sample.untrained}
    rows |= {"nearest": sample.nearest, "truth": sample.images}
    return Gallery(name, {row: images[:SHOWN, 0] for row, images in rows.items()})


def _comparisons(
    workshop: Workshop, found: dict[str, list[Completed]], tasks: dict[str, DigitCues]
) -> list[Comparison]:
    others, completed = {"nearest": "the nearest image", "untrained": "the untrained network"}, found["completion"]
    made = [
        _ratio(f"{task}, error of {shown} over ours", [each.error(name) / each.error("trained") for each in samples])
        for task, samples in found.items()
        for name, shown in others.items()
    ]
    if not workshop.quick:
        stored = [each.error("stored") / each.error("trained") for each in completed]
        made += [
            _ratio(
                f"completion, wrong pixels of {shown} over ours",
                [each.wrong(name) / each.wrong("trained") for each in completed],
            )
            for name, shown in others.items()
        ]
        made.append(replace(_ratio("completion, error of as many stored weights over ours", stored), known=True))
    rise = max(highest_rise(each, tasks[task]) for task, samples in found.items() for each in samples)
    return [*made, Comparison("highest rise of the energy over |E|", 0.0, rise, 1e-12, ASKED)]


def _ratio(quantity: str, ratios: list[float]) -> Comparison:
    return Comparison(f"{quantity}, worst of {len(ratios)} seeds (at least)", 1.0, min(ratios), 0.0, ASKED, least=True)


def _error_table(found: dict[str, list[Completed]]) -> Columns:
    return stacked(
        [
            {"task": task, "seed": seed, "memory": memory, "error": each.error(name), "wrong_pixels": each.wrong(name)}
            for task, samples in found.items()
            for seed, each in enumerate(samples, 1)
            for name, memory in MEMORIES.items()
        ]
    )


def _image_table(first: dict[str, Completed]) -> Columns:
    """One row a pixel."""
    rows = []
    for task, sample in first.items():
        rows += [
            {"task": task, "image": k, "row": r, "column": c}
            | {name: float(images[k, r, c]) for name, images in _gallery(task, sample).rows.items()}
            for k, r, c in np.ndindex(SHOWN, *sample.images.shape[2:])
        ]
    return stacked(rows)


def _filter_table(before: figure.Floats, after: figure.Floats) -> Columns:
    return stacked(
        [
            {"filter": k, "row": r, "column": c, "before": float(before[k, r, c]), "after": float(after[k, r, c])}
            for k, r, c in np.ndindex(before.shape)
        ]
    )
