"""The continuous networks that can be scanned, by the name that a scan file gives them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import Refused
from . import digit_memory, forgetting, key_value, storage, training, two_layer_recall

MOST_EXPONENT = 700.0


@dataclass(frozen=True)
class Kind:
    """What can be scanned: frozen dataclasses of numbers and texts, and what measures one disorder sample of them.

    measure(network, dynamics, protocol, rng) gives named observables, of which `observable` is the main one. The
    network has neurons, patterns and a load; patterns(load=..., its other fields) is K at a load. check(network,
    dynamics, protocol) refuses what cannot be measured, before anything runs; predicted(network, dynamics, protocol) is
    the overlap that theory expects, nan where there is none.
    """

    name: str
    network: type
    dynamics: type
    protocol: type
    measure: Callable[..., dict[str, float]]
    observable: str
    patterns: Callable[..., float] | None = None
    check: Callable[..., None] = lambda network, dynamics, protocol: None
    predicted: Callable[..., float] = lambda network, dynamics, protocol: math.nan


def _stored(*, load: float, slots: int, **others: object) -> float:
    return load * slots


def _exponential(*, load: float, neurons: int, **others: object) -> float:
    return math.exp(min(load * neurons, MOST_EXPONENT))


def _recalled(network: key_value.KeyValue, reading: key_value.Reading, recall: key_value.Recall) -> float:
    """The overlap of single queries that forgetting.py expects of slots read by softmax."""
    known = network.rule != "hebbian" and network.task != "sequence" and reading.nonlinearity == "softmax"
    return 2 * forgetting.accuracy(network, recall) - 1 if known else math.nan


def _enough(network: storage.SoftmaxNetwork, updates: storage.SoftmaxUpdates, cues: storage.SoftmaxCues) -> None:
    if cues.cues > network.patterns:
        raise Refused(f"{cues.cues} cues need as many patterns, got {network.patterns}; lower cues or raise the load")


def _descends(
    memory: two_layer_recall.TwoLayerMemory,
    flow: two_layer_recall.TwoLayerFlow,
    cues: two_layer_recall.TwoLayerCues,
) -> None:
    """Refuse what has an energy that may rise."""
    memory.network(np.ones((1, memory.neurons)), flow.hidden_time)


_KEY_VALUE = (key_value.KeyValue, key_value.Reading, key_value.Recall)
_SOFTMAX = (storage.SoftmaxNetwork, storage.SoftmaxUpdates, storage.SoftmaxCues)
_TWO_LAYER = (two_layer_recall.TwoLayerMemory, two_layer_recall.TwoLayerFlow, two_layer_recall.TwoLayerCues)
_DIGITS = (digit_memory.DigitMemory, training.Learning, digit_memory.DigitCues)
KINDS = {
    kind.name: kind
    for kind in (
        Kind("softmax", *_SOFTMAX, storage.measure, "overlap", _exponential, _enough),
        Kind("two_layer", *_TWO_LAYER, two_layer_recall.measure, "overlap", two_layer_recall.patterns_at, _descends),
        Kind("hierarchical", *_DIGITS, digit_memory.measure, "completion_error", check=digit_memory.check),
        Kind("key_value", *_KEY_VALUE, key_value.measure, "accuracy", _stored, predicted=_recalled),
    )
}
