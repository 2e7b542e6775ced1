"""Free energies of states with m = 0 by simulation: energies on a ladder of temperatures, integrated from T = ∞."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import rng, states
from ..networks import Network
from ..statistics import Average, disorder_average
from ..tempering import Tempering
from .workshop import Workshop

SEED, SWEEPS_PER_SWAP = 6, 2
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FreeEnergies:
    """f per neuron at the temperatures of a ladder, float64[samples, T], of one network."""

    network: Network
    temperatures: tuple[float, ...]
    samples: Floats

    @property
    def averages(self) -> list[Average]:
        """Over disorder samples, a temperature each."""
        return [disorder_average(column) for column in self.samples.T]


def measured(
    workshop: Workshop, network: Network, temperatures: tuple[float, ...], *, samples: int, warm: int, rounds: int
) -> FreeEnergies:
    """Temper `samples` disorder samples from random states, read `rounds` rounds after `warm` of them."""
    tempering = Tempering(temperatures, "glauber", SWEEPS_PER_SWAP)
    told = ("energies", network, tempering, warm, rounds, SEED)
    energies = workshop.sampled(told, samples, lambda sample: _energies(network, tempering, sample, warm, rounds))
    return FreeEnergies(network, tempering.temperatures, integrated(energies, temperatures))


def integrated(energies: Floats, temperatures: tuple[float, ...]) -> Floats:
    """f(T) = T [-ln 2 + ∫ e dβ from 0 to 1/T] of energies [..., T]; e/β is interpolated by parabolas in β.

    e vanishes at β = 0, where e/β has a limit, the value at the highest temperature up to O(β²).
    """
    T = np.array(temperatures)
    beta = np.concatenate([[0.0], 1 / T[::-1]])
    slope = (energies * T)[..., ::-1]
    slope = np.concatenate([slope[..., :1], slope], axis=-1)
    parts = np.diff(beta) * _between(beta, slope)
    return np.asarray(T * (-np.log(2) + np.cumsum(parts, axis=-1)[..., ::-1]))


def _between(beta: Floats, slope: Floats) -> Floats:
    """Means of β s(β) over each interval, s linear in it."""
    left, right = beta[:-1], beta[1:]
    return np.asarray((slope[..., :-1] * (2 * left + right) + slope[..., 1:] * (left + 2 * right)) / 6)


def _energies(network: Network, tempering: Tempering, sample: int, warm: int, rounds: int) -> Floats:
    sizes = (network.neurons, network.patterns)
    quenched = network.quench(rng.stream(SEED, sample, rng.Purpose.DISORDER, *sizes))
    numbers = rng.stream(SEED, sample, rng.Purpose.INITIAL, *sizes)
    slots = [states.random(quenched, numbers) for _ in tempering.temperatures]
    keys = tempering.keys(SEED, sample, *sizes, replica=0)
    walkers = tempering.advance(slots, quenched, keys, 0, warm).walkers[-1]
    return np.asarray(tempering.advance(slots, quenched, keys, warm, rounds, walkers=walkers).energy.mean(axis=0))
