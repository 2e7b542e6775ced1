"""Update rules: how a state moves. One Monte Carlo sweep is N offered flips in a stated site order.

Every proposal has one counter-based threshold t(key, sweep, position) and flips iff ΔE < t. The trajectory depends on
the rule, the order and the keys, never on the kernel, the chunking or the place where a run was resumed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from . import representations
from .draws import Draws
from .errors import Refused, real
from .interactions import Exponential
from .kernels import counters
from .networks import Law, Quenched
from .rng import Keys
from .states import State

Order = Literal["permutation", "random", "cyclic"]
ORDERS: tuple[Order, ...] = ("permutation", "random", "cyclic")


@dataclass(frozen=True)
class Trace:
    """What a call of `advance` saw: a State with a leading time axis, and the number of flips."""

    states: State
    flips: int


class Dynamics:
    """Common part of the rules."""

    temperature: float
    order: Order
    synchronous: ClassVar[bool] = False
    code: ClassVar[int]

    def check(self, law: Law) -> None:
        """Refuse a law on which this rule has no meaning."""
        if self.temperature > 0 and isinstance(law.interaction, Exponential):
            raise Refused(
                f"the exponential network has no temperature (its energy grows like e^N), got {self.temperature}; "
                "use SignUpdate(), or log_sum_exp for T > 0"
            )

    def advance(
        self, state: State, quenched: Quenched, keys: Keys, first_sweep: int, n_sweeps: int, every: int = 0
    ) -> Trace:
        """Advance `state` in place by sweeps first_sweep, ..., first_sweep + n_sweeps - 1.

        Copies spins and overlaps after every `every` sweeps (0: never) into the trace.
        """
        chain = Chains([self], State(state.spins[None], state.overlaps[None]), quenched, [keys])
        (trace,) = chain.advance(first_sweep, n_sweeps, every)
        chain.close()
        return trace

    def moves_with(self, other: "Dynamics") -> bool:
        """Whether chains under both rules can be advanced together."""
        return type(self) is type(other) and self.order == other.order

    def _pieces(
        self, neurons: int, keys: Keys, unit: float, first_sweep: int, n_sweeps: int, at_once: int
    ) -> Iterator[Draws]:
        """Draws of consecutive sweeps, each of one temperature and at most `at_once` proposals (or one sweep)."""
        stop, step = first_sweep + n_sweeps, max(1, at_once // neurons)
        for first in range(first_sweep, stop, step):
            yield self._draws(neurons, keys, unit, self.temperature, first, min(step, stop - first))

    def _draws(self, neurons: int, keys: Keys, unit: float, temperature: float, first: int, sweeps: int) -> Draws:
        rule = self.code if temperature > 0 else counters.SIGN
        return Draws(neurons, keys, self.order, rule, np.float32(temperature / unit), first, sweeps)


class Chains:
    """Chains of one disorder sample on their way: row r of `states` moves by rules[r] with keys[r].

    Every chain goes where it would go alone; together they load the couplings once. The rules must move with each
    other, the keys share the site order. Spins int8[R, N] and overlaps int32[R, K] of `states` are up to date once
    the chains are closed.
    """

    def __init__(self, rules: Sequence[Dynamics], states: State, quenched: Quenched, keys: Sequence[Keys]) -> None:
        if not all(rule.moves_with(rules[0]) for rule in rules) or len({key.order for key in keys}) != 1:
            raise Refused("chains move together under rules of one kind and one site order, got a mixture")
        for rule in rules:
            rule.check(quenched.network.law)
        representation, kind = quenched.representation, (rules[0].order, rules[0].synchronous)
        self._rules, self._keys, self._states, self._unit = rules, keys, states, representation.unit
        self._motions = representations.motions(representation, states.spins, states.overlaps, *kind)

    def advance(self, first_sweep: int, n_sweeps: int, every: int = 0) -> list[Trace]:
        """Advance by sweeps first_sweep, ..., first_sweep + n_sweeps - 1; a trace of each chain."""
        (chains, neurons), patterns = self._states.spins.shape, self._states.overlaps.shape[1]
        rows = n_sweeps // every if every else 0
        spin_traces = np.empty((chains, rows, neurons), dtype=np.int8)
        overlap_traces = np.empty((chains, rows, patterns), dtype=np.int32)
        flips = np.zeros(chains, dtype=np.int64)
        sizes = (self._unit, first_sweep, n_sweeps, self._motions.at_once)
        pieces = (rule._pieces(neurons, key, *sizes) for rule, key in zip(self._rules, self._keys, strict=True))
        for draws in zip(*pieces, strict=True):
            since = draws[0].first_sweep - first_sweep
            flips += self._motions.sweep(draws, every, since, spin_traces, overlap_traces)
        traces = zip(spin_traces, overlap_traces, flips.tolist(), strict=True)
        return [Trace(State(spins, overlaps), count) for spins, overlaps, count in traces]

    def close(self) -> None:
        """Write the states back."""
        self._motions.close()


@dataclass(frozen=True)
class SignUpdate(Dynamics):
    """T = 0: flip iff ΔE < 0; ΔE = 0 keeps the spin. Equal to the update of Krotov & Hopfield (2016)."""

    order: Order = "permutation"
    temperature: float = field(default=0.0, init=False, repr=False)
    code: ClassVar[int] = counters.SIGN

    def __post_init__(self) -> None:
        _check_order(self.order)


@dataclass(frozen=True)
class Glauber(Dynamics):
    """Heat bath: flip with probability 1/(1 + exp(ΔE/T)), T > 0. T → 0 is SignUpdate, ties half the time."""

    temperature: float
    order: Order = "permutation"
    code: ClassVar[int] = counters.GLAUBER

    def __post_init__(self) -> None:
        object.__setattr__(self, "temperature", _positive("Glauber", self.temperature))
        _check_order(self.order)


@dataclass(frozen=True)
class Metropolis(Dynamics):
    """Flip with probability min(1, exp(-ΔE/T)), T > 0; T → 0 is SignUpdate but for ties: always flipped.

    A spin without any field flips at every offer, so that whole sweeps in the orders "permutation" and "cyclic" turn it
    every time (period two): where such spins occur (diluted patterns, few patterns) use Glauber or order="random".
    """

    temperature: float
    order: Order = "permutation"
    code: ClassVar[int] = counters.METROPOLIS

    def __post_init__(self) -> None:
        object.__setattr__(self, "temperature", _positive("Metropolis", self.temperature))
        _check_order(self.order)


@dataclass(frozen=True)
class Synchronous(Dynamics):
    """Parallel (Little) update: all spins decide at once on the old state, T = 0 by sign, T > 0 by heat bath.

    Its stationary law is not the Boltzmann law of E, and T = 0 may end in a cycle of two states.
    """

    temperature: float
    order: Order = field(default="cyclic", init=False, repr=False)
    synchronous: ClassVar[bool] = True
    code: ClassVar[int] = counters.GLAUBER

    def __post_init__(self) -> None:
        object.__setattr__(self, "temperature", real("Synchronous: temperature", self.temperature))
        if self.temperature < 0:
            raise Refused(f"Synchronous needs a temperature >= 0, got {self.temperature!r}")


CATALOGUE = (SignUpdate, Glauber, Metropolis, Synchronous)


def _positive(name: str, temperature: float) -> float:
    value = real(f"{name}: temperature", temperature)
    if value <= 0:
        raise Refused(f"{name} needs a temperature > 0, got {temperature!r}; at T = 0 use SignUpdate()")
    return value


def _check_order(order: str) -> None:
    if order not in ORDERS:
        raise Refused(f"order must be one of {', '.join(ORDERS)}, got {order!r}")
