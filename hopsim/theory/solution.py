"""Solutions: one state of a network at a load and a temperature, with its thermodynamics."""

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar, Protocol

from ..errors import Refused
from ..networks import Law
from . import diluted
from .crosstalk import Noise
from .fixed_point import NotConverged
from .replica_symmetric import REPLICA_SYMMETRIC
from .retrieval import Fold

BRANCHES = ("retrieval", "glass", "paramagnet")
LARGEST_RESIDUAL = 1e-9
COLDEST, HOTTEST = 1e-12, 1e12  # within these nothing over- or underflows
SMALLEST_LOAD, LARGEST_LOAD = 1e-290, 1e12


class Ansatz(Protocol):
    """What an ansatz provides, and the lines it knows; `order` and `dominant` return its own Order, which has m."""

    lines: ClassVar[tuple[str, ...]]

    def order(self, law: Law | Noise, load: float, temperature: float, branch: str) -> Any: ...
    def dominant(self, law: Law | Noise, load: float, temperature: float) -> Any: ...
    def fold(self, law: Law | Noise, temperature: float) -> Fold | None: ...
    def free_energy(self, order: Any, law: Law | Noise, load: float, temperature: float) -> float: ...
    def residual(self, order: Any, law: Law | Noise, load: float, temperature: float) -> float: ...
    def energy(self, order: Any, law: Law | Noise, load: float, temperature: float) -> float: ...
    def entropy(self, order: Any, law: Law | Noise, load: float, temperature: float) -> float: ...
    def stability(self, order: Any, law: Law | Noise, load: float, temperature: float) -> float | None: ...


@dataclass(frozen=True)
class Solution:
    """A converged state. Free energy f, energy e and entropy s = (e - f)/T per neuron; stability is None at T = 0."""

    load: float
    temperature: float
    branch: str
    order: Any
    free_energy: float
    energy: float
    entropy: float
    stability: float | None
    converged: bool
    residual: float


def solve(
    law: Law | Noise, *, load: float, temperature: float, ansatz: Ansatz = REPLICA_SYMMETRIC, branch: str = "retrieval"
) -> Solution:
    """The state of a network on one branch: "retrieval" (stable), "glass" (m = 0, largest q) or "paramagnet".

    ansatz=ReplicaSymmetric(patterns=3) makes "retrieval" the symmetric mixture of three patterns. Raises NotConverged,
    saying where the branch is, if it does not exist there; Refused for a wrong request.

    At load 0, m = tanh(m/T), and mixtures of three patterns have m = 1/2 at T = 0:

    >>> law = hs.hopfield(neurons=2, patterns=1).law
    >>> m = hs.theory.solve(law, load=1e-9, temperature=0.5).order.m
    >>> round(m, 4), round(float(np.tanh(2 * m)), 4)
    (0.9575, 0.9575)
    >>> three = hs.theory.ReplicaSymmetric(patterns=3)
    >>> round(hs.theory.solve(law, load=1e-9, temperature=0.0, ansatz=three).order.m, 6)
    0.5
    """
    noise, ansatz = diluted.specialised(law, ansatz)
    load, temperature = checked_load(load), checked_temperature(temperature)
    if branch not in BRANCHES:
        raise Refused(f"branch must be one of {', '.join(BRANCHES)}, got {branch!r}")
    order = ansatz.order(noise, load, temperature, branch)
    residual = ansatz.residual(order, noise, load, temperature)
    if not residual < LARGEST_RESIDUAL:
        raise NotConverged(
            f"the {branch} state at load {load:.6g}, T = {temperature:.6g} was left with a residual of {residual:.1g}; "
            "try a load or temperature nearby",
            order,
        )
    state = (order, noise, load, temperature)
    return Solution(
        load=load,
        temperature=temperature,
        branch=branch,
        order=order,
        free_energy=ansatz.free_energy(*state),
        energy=ansatz.energy(*state),
        entropy=ansatz.entropy(*state),
        stability=ansatz.stability(*state),
        converged=True,
        residual=residual,
    )


def checked_load(load: float) -> float:
    """The load as a float; refused unless it is a positive number that floats carry through the theory."""
    if not isinstance(load, Real) or isinstance(load, bool) or not 0 < load < math.inf:
        raise Refused(f"load must be a finite number > 0, got {load!r}")
    if not SMALLEST_LOAD <= load <= LARGEST_LOAD:
        raise Refused(f"load must be from {SMALLEST_LOAD:g} to {LARGEST_LOAD:g}, got {load!r}")
    return float(load)


def checked_temperature(temperature: float) -> float:
    """The temperature as a float; refused unless it is 0 or a positive number that floats carry through the theory."""
    if not isinstance(temperature, Real) or isinstance(temperature, bool) or not 0 <= temperature < math.inf:
        raise Refused(f"temperature must be a finite number >= 0, got {temperature!r}")
    if temperature != 0 and not COLDEST <= temperature <= HOTTEST:
        raise Refused(f"temperature must be 0 or from {COLDEST:g} to {HOTTEST:g}, got {temperature!r}")
    return float(temperature)
