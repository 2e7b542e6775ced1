"""Named, order-independent random streams.

Every random number of a run is fixed by (seed, sample, purpose, labels); no stream depends on how many others were
opened before it, on the worker or on the order of the work.
"""

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np


class Purpose(IntEnum):
    """What a stream is for; the number is part of the stream's name and never changes meaning."""

    DISORDER = 1
    INITIAL = 2
    ORDER = 3
    ACCEPTANCE = 4
    SWAP = 5


class Keys(NamedTuple):
    """The two 64-bit keys of the counter-based numbers that move one chain."""

    order: np.uint64
    acceptance: np.uint64


def stream(seed: int, sample: int, purpose: Purpose, *labels: int) -> np.random.Generator:
    """Generator named (seed, sample, purpose, labels); draws patterns and cues."""
    return np.random.Generator(np.random.PCG64(_sequence(seed, sample, purpose, labels)))


def keys(seed: int, sample: int, *sizes: int, temperature: float, replica: int) -> Keys:
    """Keys of one chain in a network of these sizes (N, K).

    Replicas and temperatures share the site order and differ in their thresholds; networks of other sizes share
    nothing, so that their errors are independent.
    """
    return Keys(
        order=_key(seed, sample, Purpose.ORDER, *sizes),
        acceptance=_key(seed, sample, Purpose.ACCEPTANCE, *sizes, replica, *_words(temperature)),
    )


def swap_key(seed: int, sample: int, *sizes: int, temperatures: Sequence[float], replica: int) -> np.uint64:
    """Key of the swaps between the temperatures of one ladder."""
    ladder = [word for temperature in temperatures for word in _words(temperature)]
    return _key(seed, sample, Purpose.SWAP, *sizes, replica, *ladder)


def _key(seed: int, sample: int, purpose: Purpose, *labels: int) -> np.uint64:
    key: np.uint64 = _sequence(seed, sample, purpose, labels).generate_state(1, np.uint64)[0]
    return key


def _sequence(seed: int, sample: int, purpose: Purpose, labels: tuple[int, ...]) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(int(purpose), sample, *labels))


def _words(number: float) -> tuple[int, int]:
    low, high = struct.unpack("<II", struct.pack("<d", number + 0.0))
    return low, high
