"""The continuous networks that can be scanned, by the name that a scan file gives them."""

from collections.abc import Callable
from dataclasses import dataclass

from . import key_value


@dataclass(frozen=True)
class Kind:
    """What can be scanned: frozen dataclasses of numbers and texts, and what measures one disorder sample of them.

    measure(network, dynamics, protocol, rng) gives named observables, of which `observable` is the main one. The network has neurons,
    patterns and a load; patterns(load=..., its other fields) is K at a load.
    """

    name: str
    network: type
    dynamics: type
    protocol: type
    measure: Callable[..., dict[str, float]]
    observable: str
    patterns: Callable[..., float] | None = None


def _stored(*, load: float, slots: int, **others: object) -> float:
    return load * slots


KINDS = {
    kind.name: kind
    for kind in (
        Kind("key_value", key_value.KeyValue, key_value.Reading, key_value.Recall, key_value.measure, "accuracy", _stored),
    )
}
