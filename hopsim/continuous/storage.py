"""How many random patterns a softmax memory stores: one draw of K = exp(αN) patterns, cued and retrieved.

Patterns have |x|² = N, exactly or on average, so that β is the sharpness λ of theory/random_energy.py: a cue of overlap
m gives its pattern all the weight below the load α_1, where α + κ(β) or its condensed form reaches βm.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import Refused, real, whole
from .fixed_points import TYPES, support, types
from .softmax import Floats, Memory, checked_beta

Ensemble = Literal["gaussian", "spherical", "binary"]
MOST = 10**6  # updates, cues, neurons
ROUNDING = 1e-9  # a tie of two patterns is not more than half
ENSEMBLES: tuple[Ensemble, ...] = ("gaussian", "spherical", "binary")


@dataclass(frozen=True)
class SoftmaxNetwork:
    """K random patterns of N neurons: normal entries, points on the sphere |x|² = N, or ±1 entries."""

    neurons: int
    patterns: int
    ensemble: Ensemble

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", whole("neurons", self.neurons, 1, MOST))
        object.__setattr__(self, "patterns", whole("patterns", self.patterns, 2, 2**31))
        if self.ensemble not in ENSEMBLES:
            raise Refused(f"ensemble must be one of {', '.join(ENSEMBLES)}, got {self.ensemble!r}")

    @property
    def load(self) -> float:
        """α = ln K / N."""
        return math.log(self.patterns) / self.neurons

    def draw(self, rng: np.random.Generator) -> Floats:
        """Patterns, rows: float64[K, N]."""
        shape = (self.patterns, self.neurons)
        if self.ensemble == "binary":
            return 2.0 * rng.integers(0, 2, shape, dtype=np.int8) - 1.0
        found = rng.standard_normal(shape)
        return found if self.ensemble == "gaussian" else _on_sphere(found)


@dataclass(frozen=True)
class SoftmaxUpdates:
    """Updates ξ -> X^T softmax(β X ξ), so many in a row."""

    beta: float
    updates: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", checked_beta(self.beta))
        object.__setattr__(self, "updates", whole("updates", self.updates, 1, MOST))


@dataclass(frozen=True)
class SoftmaxCues:
    """So many patterns, each cued with an overlap m: flipped entries for binary patterns, else m x + √(1-m²) noise.

    The noise is normal for Gaussian patterns; for spherical ones it is orthogonal to x and the cue is on their sphere.
    """

    cue_overlap: float
    cues: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "cue_overlap", real("cue_overlap", self.cue_overlap))
        object.__setattr__(self, "cues", whole("cues", self.cues, 1, MOST))
        if not 0 < self.cue_overlap <= 1:
            raise Refused(f"cue_overlap must be > 0 and at most 1, got {self.cue_overlap!r}")

    def of(self, patterns: Floats, ensemble: Ensemble, rng: np.random.Generator) -> Floats:
        """A cue of each row of [Q, N]."""
        m, N = self.cue_overlap, patterns.shape[1]
        if ensemble == "binary":
            wrong = rng.permuted(np.tile(np.arange(N) < round(N * (1 - m) / 2), (len(patterns), 1)), axis=1)
            return np.where(wrong, -patterns, patterns)
        noise = rng.standard_normal(patterns.shape)
        if ensemble == "spherical" and N > 1:
            noise -= patterns * ((noise * patterns).sum(axis=1, keepdims=True) / N)
            noise = _on_sphere(noise)
        return m * patterns + math.sqrt(1 - m * m) * noise


def measure(
    network: SoftmaxNetwork, dynamics: SoftmaxUpdates, protocol: SoftmaxCues, rng: np.random.Generator
) -> dict[str, float]:
    """Means over the cues of one draw of the patterns.

    `overlap` x·ξ/|x|² and `error` |ξ - x|/√N of the last state ξ with the cued pattern x, its `energy` over N. Of the
    softmax that made it: the `weight` of x, `retrieved` (whether that is more than half), the `support`, and the shares
    `single`, `metastable`, `global` of the types.
    """
    if protocol.cues > network.patterns:
        raise Refused(f"{protocol.cues} cues need as many patterns, got {network.patterns}")
    memory = Memory(network.draw(rng), dynamics.beta)
    cued = memory.patterns[: protocol.cues]
    before = protocol.of(cued, network.ensemble, rng)
    for _ in range(dynamics.updates - 1):
        before = memory.update(before)
    after = memory.update(before)
    weight = np.array([memory.weights(state)[number] for number, state in enumerate(before)])
    supports = support(memory, before)
    kinds = types(supports, network.patterns)
    return {
        "overlap": float(((cued * after).sum(axis=1) / (cued * cued).sum(axis=1)).mean()),
        "error": float(np.sqrt(((after - cued) ** 2).mean(axis=1)).mean()),
        "weight": float(weight.mean()),
        "retrieved": float((weight > 0.5 + ROUNDING).mean()),
        "support": float(supports.mean()),
        **{kind: float((kinds == kind).mean()) for kind in TYPES},
        "energy": float(memory.energy(after).mean()) / network.neurons,
    }


def patterns_at(*, load: float, neurons: int, **others: object) -> float:
    """K = exp(αN)."""
    return math.exp(min(real("load", load) * neurons, 700.0))


def _on_sphere(points: Floats) -> Floats:
    """Rows scaled to |x|² = N."""
    norms = np.linalg.norm(points, axis=1, keepdims=True)
    return np.asarray(points * (math.sqrt(points.shape[1]) / norms))
