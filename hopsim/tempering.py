"""Parallel tempering: one disorder sample at several temperatures whose states are exchanged."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import observables, representations, rng
from .draws import Draws
from .dynamics import Glauber, Metropolis, Order
from .errors import Refused, real, whole
from .kernels import counters
from .networks import Law, Quenched
from .states import State

_RULES = {"glauber": Glauber, "metropolis": Metropolis}


class LadderKeys(NamedTuple):
    """The keys of the chain of each temperature and the key of the swaps."""

    chains: tuple[rng.Keys, ...]
    swaps: np.uint64


@dataclass(frozen=True, eq=False)
class TemperingTrace:
    """What a call of `advance` saw. R rounds, S temperatures; every row is read at the end of its round, after swaps.

    walkers int32[R, S] is the walker in each slot; energy float64[R, S] is E/N and overlap float64[R, S] that with the
    cued pattern; states has leading axes [R // every, S]. offered and accepted int64[S - 1] count the swaps of slots
    a and a + 1, flips int64[S] those of the spins.
    """

    walkers: NDArray[np.int32]
    energy: NDArray[np.float64]
    overlap: NDArray[np.float64]
    states: State
    offered: NDArray[np.int64]
    accepted: NDArray[np.int64]
    flips: NDArray[np.int64]

    @property
    def swap_rate(self) -> NDArray[np.float64]:
        """Fraction of the offered swaps taken, float64[S - 1]; NaN where none was offered."""
        return np.where(self.offered > 0, self.accepted / np.maximum(self.offered, 1), np.nan)

    @property
    def round_trips(self) -> NDArray[np.int64]:
        """Round trips of each walker within this trace."""
        return round_trips(self.walkers)


@dataclass(frozen=True)
class Tempering:
    """Replica exchange on a ladder of temperatures T_0 < T_1 < ... (Hukushima & Nemoto 1996).

    A round is `sweeps_per_swap` sweeps of every slot at its temperature, then an offer to swap the states of the slots
    a and a + 1 for all a of the parity of the round, taken with probability

        min(1, exp[(1/T_a - 1/T_{a+1}) (E_a - E_{a+1})])

    which leaves the product of the Boltzmann laws unchanged. A state that wanders through the slots is a walker.
    Source: J. Phys. Soc. Jpn. 65, 1604 (1996).

    A single pattern from random states, with |m| = tanh(|m|/T) in equilibrium: 0.9974, 0.9575, 0.7104 and 0:

    >>> tempering = hs.Tempering((0.3, 0.5, 0.8, 1.2), "glauber", sweeps_per_swap=2)
    >>> random = np.random.default_rng(1)
    >>> quenched = hs.hopfield(neurons=4000, patterns=1).quench(random)
    >>> slots = [hs.states.random(quenched, random) for _ in tempering.temperatures]
    >>> trace = tempering.advance(slots, quenched, tempering.keys(1, 0, 4000, 1, replica=0), 0, 100)
    >>> abs(trace.overlap[50:]).mean(axis=0).round(1).tolist()
    [1.0, 1.0, 0.7, 0.0]
    """

    temperatures: tuple[float, ...]
    rule: Literal["glauber", "metropolis"]
    sweeps_per_swap: int
    order: Order = "permutation"

    def __post_init__(self) -> None:
        if self.rule not in _RULES:
            raise Refused(f"Tempering: rule must be glauber or metropolis, got {self.rule!r}")
        temperatures = tuple(real("Tempering: a temperature", T) for T in self.temperatures)
        if len(temperatures) < 2 or temperatures[0] <= 0 or (np.diff(temperatures) <= 0).any():
            raise Refused(f"Tempering needs two or more increasing temperatures > 0, got {self.temperatures!r}")
        object.__setattr__(self, "temperatures", temperatures)
        object.__setattr__(self, "sweeps_per_swap", whole("sweeps_per_swap", self.sweeps_per_swap, 1))
        _RULES[self.rule](temperatures[0], self.order)

    def check(self, law: Law) -> None:
        """Refuse a law on which temperature has no meaning."""
        _RULES[self.rule](self.temperatures[0], self.order).check(law)

    def keys(self, seed: int, sample: int, *sizes: int, replica: int) -> LadderKeys:
        """Keys in a network of these sizes (N, K). A slot has those of a single chain at its temperature."""
        chains = tuple(rng.keys(seed, sample, *sizes, temperature=T, replica=replica) for T in self.temperatures)
        swaps = rng.swap_key(seed, sample, *sizes, temperatures=self.temperatures, replica=replica)
        return LadderKeys(chains, swaps)

    def advance(
        self,
        states: list[State],
        quenched: Quenched,
        keys: LadderKeys,
        first_round: int,
        n_rounds: int,
        every: int = 0,
        *,
        cued: int = 0,
        walkers: Sequence[int] | NDArray[np.int32] | None = None,
    ) -> TemperingTrace:
        """Advance `states`, one a slot, in place by rounds first_round, ..., first_round + n_rounds - 1.

        Copies the states after every `every` rounds (0: never). `walkers` are those in the slots at the start, by
        default 0, 1, ...; to go on, hand over trace.walkers[-1].
        """
        self.check(quenched.network.law)
        ladder = _Ladder(self, states, quenched, keys, self._start(states, walkers))
        trace = self._empty_trace(quenched, n_rounds, every)
        for row in range(n_rounds):
            ladder.sweep(first_round + row)
            ladder.swap(first_round + row, trace.offered, trace.accepted)
            seen = ladder.seen
            trace.walkers[row] = ladder.walkers
            trace.energy[row] = quenched.energy_density(seen.overlaps)
            trace.overlap[row] = observables.overlap(observables.on_patterns(seen, quenched), cued)
            if every and (row + 1) % every == 0:
                trace.states.spins[row // every] = seen.spins
                trace.states.overlaps[row // every] = seen.overlaps
        ladder.close()
        trace.flips[:] = ladder.flips
        return trace

    def _start(self, states: list[State], walkers: Sequence[int] | NDArray[np.int32] | None) -> list[int]:
        slots = len(self.temperatures)
        if len({id(state) for state in states}) != slots or len(states) != slots:
            raise Refused(f"Tempering needs {slots} states, one for each temperature and none twice, got {len(states)}")
        start = list(range(slots)) if walkers is None else [int(walker) for walker in walkers]
        if sorted(start) != list(range(slots)):
            raise Refused(f"walkers must be a permutation of 0 to {slots - 1}, got {start}")
        return start

    def _empty_trace(self, quenched: Quenched, rounds: int, every: int) -> TemperingTrace:
        slots, (neurons, patterns) = len(self.temperatures), quenched.learned.shape
        rows = (rounds // every if every else 0, slots)
        return TemperingTrace(
            walkers=np.empty((rounds, slots), dtype=np.int32),
            energy=np.empty((rounds, slots)),
            overlap=np.empty((rounds, slots)),
            states=State(np.empty((*rows, neurons), dtype=np.int8), np.empty((*rows, patterns), dtype=np.int32)),
            offered=np.zeros(slots - 1, dtype=np.int64),
            accepted=np.zeros(slots - 1, dtype=np.int64),
            flips=np.zeros(slots, dtype=np.int64),
        )


class _Ladder:
    """Walkers in motion, one a row; `seen` are copies of the states by slot, `slots` and `walkers` say who is where."""

    def __init__(
        self, tempering: Tempering, states: list[State], quenched: Quenched, keys: LadderKeys, walkers: list[int]
    ) -> None:
        slots, representation = len(states), quenched.representation
        self._tempering, self._states, self._quenched, self._keys = tempering, states, quenched, keys
        self._spins, self._overlaps = np.array([s.spins for s in states]), np.array([s.overlaps for s in states])
        chosen = (tempering.order, False)
        self._motions = representations.motions(representation, self._spins, self._overlaps, *chosen)
        self._unit = representation.unit
        self._words = np.empty(-(-(slots - 1) // 64) * 64, dtype=np.uint32)
        self._row = np.arange(slots)  # of the walker in each slot
        self.walkers = np.array(walkers)
        shapes = ((slots, 1, self._spins.shape[1]), (slots, 1, self._overlaps.shape[1]))
        self._read = State(np.empty(shapes[0], dtype=np.int8), np.empty(shapes[1], dtype=np.int32))
        self.flips = np.zeros(slots, dtype=np.int64)

    @property
    def seen(self) -> State:
        """The states by slot."""
        return State(self._read.spins[self._row, 0], self._read.overlaps[self._row, 0])

    def sweep(self, number: int) -> None:
        """The sweeps of one round in every slot, at its temperature and with its keys, in any order."""
        tempering, neurons, sweeps = self._tempering, self._quenched.network.neurons, self._tempering.sweeps_per_swap
        rule, first = _RULES[tempering.rule].code, number * sweeps
        slots = zip(tempering.temperatures, self._keys.chains, strict=True)
        draws = [
            Draws(neurons, keys, tempering.order, rule, np.float32(temperature / self._unit), first, sweeps)
            for temperature, keys in slots
        ]
        by_row = [draws[slot] for slot in np.argsort(self._row)]
        flips = self._motions.sweep(by_row, sweeps, 0, self._read.spins, self._read.overlaps)
        self.flips += flips[self._row]

    def swap(self, number: int, offered: NDArray[np.int64], accepted: NDArray[np.int64]) -> None:
        """Offer the swaps of one round; pair a reads word a of counter `number`."""
        T, E = self._tempering.temperatures, _energies(self._quenched, self.seen.overlaps)
        counters.fill_words(self._words, self._keys.swaps, np.uint64(number))
        slots = np.arange(len(T))
        for a in range(number % 2, len(T) - 1, 2):
            offered[a] += 1
            chance = swap_probability(T[a], T[a + 1], (E[a] - E[a + 1]) * self._unit)
            if (int(self._words[a]) + 0.5) * 2.0**-32 < chance:
                accepted[a] += 1
                slots[a], slots[a + 1] = a + 1, a
        self._row, self.walkers = self._row[slots], self.walkers[slots]

    def close(self) -> None:
        """Write the states back, by slot."""
        self._motions.close()
        for state, row in zip(self._states, self._row, strict=True):
            state.spins[:], state.overlaps[:] = self._spins[row], self._overlaps[row]


def swap_probability(first: float, second: float, difference: float) -> float:
    """min(1, exp[(1/T_a - 1/T_b) (E_a - E_b)]) for the temperatures of two slots and E_a - E_b."""
    exponent = (1 / first - 1 / second) * difference
    return 1.0 if exponent >= 0 else math.exp(exponent)


def round_trips(walkers: NDArray[np.int32]) -> NDArray[np.int64]:
    """Round trips bottom → top → bottom of each walker in a history int[R, S] of who is in which slot: int64[S]."""
    slots = walkers.shape[1]
    return np.array([_trips((walkers[:, 0] == w), (walkers[:, -1] == w)) for w in range(slots)], dtype=np.int64)


def _trips(at_bottom: NDArray[np.bool_], at_top: NDArray[np.bool_]) -> int:
    ends = at_top[at_bottom | at_top]  # True: top, False: bottom, in the order of the visits
    first = int(np.argmin(ends)) if not ends.all() else ends.size
    ends = ends[first:]
    return int(np.count_nonzero(ends[:-1] & ~ends[1:]))


def _energies(quenched: Quenched, overlaps: NDArray[np.int32]) -> list[Any]:
    """E up to a constant in the units of the representation: exact integers where the interaction is polynomial."""
    if quenched.levels is not None:
        return [-total for total in quenched.levels.total(overlaps).tolist()]
    return list((quenched.network.neurons * quenched.energy_density(overlaps)).tolist())
