"""Local rules of synapses: what a presynaptic, a postsynaptic and a third factor do to them, and who is written.

Tyulmankov, Fang, Vadaparty & Yang, "Biological learning in key-value memory networks" (NeurIPS 2021, arXiv
2110.13976), sections 2.2, 2.3 and 3.2. A local third factor γ_t in {0, 1}^N names the slots that are written at step
t, a global one q_t in [0, 1] says whether anything is stored.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import Refused, real

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Response:
    """What a firing rate counts for in a synapse: f(x) = slope x + offset."""

    slope: float
    offset: float

    def __post_init__(self) -> None:
        for name in ("slope", "offset"):
            object.__setattr__(self, name, real(f"{name} of a response", getattr(self, name)))

    def __call__(self, activity: Floats) -> Floats:
        """Elementwise."""
        return self.slope * activity + self.offset


RATE, ONE = Response(1.0, 0.0), Response(0.0, 1.0)


@dataclass(frozen=True)
class Plasticity:
    """The rule of one matrix of synapses W[post, pre].

    decay = None:  W <- (1 - η) W + η post(y) pre(x)ᵀ, η = q γ_i rate in the slot i of a synapse: it overwrites.
    decay = λ:     W <- (1 - q + q λ) W + q rate post(y) pre(x)ᵀ in all slots: no local factor, and passive decay.

    post = 1 is a rule of the presynaptic neuron alone, slope 1 and offset 0 in both is Hebb's.
    """

    pre: Response
    post: Response
    rate: float = 1.0
    decay: float | None = None

    def __post_init__(self) -> None:
        for name in ("rate", "decay"):
            value = getattr(self, name)
            if value is None and name == "decay":
                continue
            if not 0 <= real(name, value) <= 1:
                raise Refused(f"{name} of a plasticity must be from 0 to 1, got {value!r}")
            object.__setattr__(self, name, real(name, value))


PRESYNAPTIC = Plasticity(pre=RATE, post=ONE)  # of keys: the input is copied, whatever the slot does
HEBBIAN = Plasticity(pre=RATE, post=RATE)  # of values


@dataclass(frozen=True)
class Sequential:
    """One slot after the other: γ_t is 1 at slot t mod N, whether or not something is stored."""

    def gates(self, start: int, steps: int, slots: int, rng: np.random.Generator | None) -> NDArray[np.bool_]:
        """γ of the steps from `start`, bool[steps, slots]."""
        turns = (start + np.arange(steps)) % slots
        return np.asarray(turns[:, None] == np.arange(slots))


@dataclass(frozen=True)
class Random:
    """Every slot for itself: γ_t ~ Bernoulli(p). In a share (1-p)^N of the steps no slot is written at all."""

    probability: float

    def __post_init__(self) -> None:
        if not 0 < real("probability of a random slot", self.probability) <= 1:
            raise Refused(f"probability of a random slot must be above 0 and at most 1, got {self.probability!r}")
        object.__setattr__(self, "probability", real("probability of a random slot", self.probability))

    def gates(self, start: int, steps: int, slots: int, rng: np.random.Generator | None) -> NDArray[np.bool_]:
        """γ of some steps, bool[steps, slots]."""
        if rng is None:
            raise Refused("random slots need a random number generator: pass rng=numpy.random.default_rng(seed)")
        return rng.random((steps, slots)) < self.probability
