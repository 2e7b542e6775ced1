"""Recall by models A, B and C: random patterns, cues on them, and where the network comes to rest."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import Refused, real, whole
from . import flows
from .lagrangians import positive
from .two_layer import TwoLayer, model_a, model_b, model_c

Floats = NDArray[np.float64]
MOST = 10**7  # neurons, patterns, cues
MODELS = ("a", "b", "c")


@dataclass(frozen=True)
class TwoLayerMemory:
    """K Rademacher patterns of N features in one of the models of two_layer.

    model "a" has a degree and the gain `beta` of its features, None for binary ones; "b" the inverse temperature `beta`
    of its hidden neurons; "c" a degree. rectified: hidden neurons [h]₊^(p-1) in "a" and "c".
    """

    model: str
    neurons: int
    patterns: int
    degree: int | None = None
    beta: float | None = None
    rectified: bool = False

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise Refused(f"model must be one of {', '.join(MODELS)}, got {self.model!r}")
        for name, least in (("neurons", 2), ("patterns", 1)):
            object.__setattr__(self, name, whole(name, getattr(self, name), least, MOST))
        if (self.degree is None) != (self.model == "b"):
            raise Refused(f"model {self.model} has {'no' if self.model == 'b' else 'a'} degree, got {self.degree!r}")
        if self.degree is not None:
            object.__setattr__(self, "degree", whole("degree", self.degree, 2, 100))
        if self.model == "c" and self.beta is not None:
            raise Refused(f"model c has no beta, got {self.beta!r}")
        if self.model == "b" and self.rectified:
            raise Refused("model b has softmax hidden neurons: leave rectified out")
        if self.model == "b" or self.beta is not None:
            object.__setattr__(self, "beta", positive("beta", self.beta))

    @property
    def load(self) -> float:
        """α = K/N^(p-1), for model "b" ln K / N."""
        if self.degree is None:
            return math.log(self.patterns) / self.neurons
        return self.patterns / float(self.neurons) ** (self.degree - 1)

    def network(self, patterns: Floats, hidden_time: float) -> TwoLayer:
        """With these patterns [K, N] and τ_h in units of τ_f."""
        if self.degree is None:
            assert self.beta is not None
            return model_b(patterns, beta=self.beta, hidden_time=hidden_time)
        if self.model == "c":
            return model_c(patterns, degree=self.degree, hidden_time=hidden_time, rectified=self.rectified)
        gain = math.inf if self.beta is None else self.beta
        return model_a(patterns, degree=self.degree, gain=gain, hidden_time=hidden_time, rectified=self.rectified)


@dataclass(frozen=True)
class TwoLayerFlow:
    """τ_h ≥ 0 in units of τ_f, 0 for the adiabatic limit; at rest at this residual, given up after `longest` τ_f."""

    hidden_time: float
    residual: float = 1e-9
    longest: float = 1e3

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden_time", real("hidden_time", self.hidden_time))
        if self.hidden_time < 0:
            raise Refused(f"hidden_time must be >= 0, got {self.hidden_time!r}")
        for name in ("residual", "longest"):
            object.__setattr__(self, name, positive(name, getattr(self, name)))


@dataclass(frozen=True)
class TwoLayerCues:
    """Starts on patterns in turn, (1 - cue_overlap)/2 of the entries flipped. Retrieved: overlap >= success_overlap."""

    cue_overlap: float
    cues: int = 8
    success_overlap: float = 0.9

    def __post_init__(self) -> None:
        for name in ("cue_overlap", "success_overlap"):
            value = real(name, getattr(self, name))
            if not -1 <= value <= 1:
                raise Refused(f"{name} must be from -1 to 1, got {value:g}")
            object.__setattr__(self, name, value)
        object.__setattr__(self, "cues", whole("cues", self.cues, 1, MOST))


def patterns_at(*, load: float, model: str, neurons: int, degree: int | None = None, **others: object) -> float:
    """The number of patterns of a TwoLayerMemory at a load."""
    if model == "b" or degree is None:
        return math.exp(min(load * neurons, 700.0))
    return load * float(neurons) ** (degree - 1)


def measure(
    memory: TwoLayerMemory, flow: TwoLayerFlow, cues: TwoLayerCues, rng: np.random.Generator
) -> dict[str, float]:
    """One sample, averaged over its cues, on the first patterns in turn.

    overlap ξ·g/N (model "c": the cosine) with the pattern cued; the fraction retrieved; energy, E/N (model "c": E, of
    patterns of norm 1); settled, the fraction at rest in time; time in τ_f; highest_rise, the most by which E rose in a
    step of any cue, next to 1 + |E|.
    """
    patterns = rng.choice([-1.0, 1.0], size=(memory.patterns, memory.neurons))
    network = memory.network(patterns, flow.hidden_time)
    cued = patterns[np.arange(cues.cues) % memory.patterns]
    spherical = memory.model == "c"
    length = math.sqrt(memory.neurons) if spherical else 1.0
    found = flows.settle(network, _flipped(cued, cues, rng) / length, residual=flow.residual, longest=flow.longest)
    overlaps = length * (network.feature.activation(found.v) * cued).sum(axis=1) / memory.neurons
    return {
        "overlap": float(overlaps.mean()),
        "retrieved": float((overlaps >= cues.success_overlap - 1e-12).mean()),
        "energy": float(found.energy.mean() / (1 if spherical else memory.neurons)),
        "settled": float(found.settled.mean()),
        "time": float(found.times.mean()),
        "highest_rise": float((found.highest_rise / (1 + np.abs(found.energy))).max()),
    }


def _flipped(patterns: Floats, cues: TwoLayerCues, rng: np.random.Generator) -> Floats:
    place = rng.random(patterns.shape).argsort(axis=1).argsort(axis=1)
    return np.where(place < round((1 - cues.cue_overlap) / 2 * patterns.shape[1]), -patterns, patterns)
