"""Equilibrium states at no cost: the spins first, then the patterns with the weight that makes them equilibrium.

With σ uniform and patterns of law P(ξ|σ) ∝ exp(-β E(ξ)), E(ξ) the energy of one pattern on σ, σ is a draw from the
Boltzmann law of its own disorder, whose law is that of the random one but for a factor Z/E[Z]. Above T_K, where
ln Z is annealed, both laws agree for N → ∞ (Krzakala & Zdeborová 2009); patterns close to σ are left out,
|m| < RETRIEVED, because there the annealed average is that of rare disorder.
"""

import math
from dataclasses import dataclass

import numpy as np
from lines_runs import RETRIEVED, Floats
from lines_studies import Study, variance
from numpy.typing import NDArray
from sample_runs import Values

import hopsim as hs
from hopsim import dynamics, rng, states
from hopsim.interactions import Polynomial
from hopsim.networks import Network, Quenched

INSIDE = 0.5  # least overlap with the start that counts as its state
CHUNK = 100  # sweeps


@dataclass(frozen=True, kw_only=True)
class Planted(Study):
    """Chains at one temperature: `replicas` from the planted state, and one from a random state.

    K at size N is such that the energy of the planted state is that of N → ∞, -αζ̂(1)/T per neuron.
    """

    sweeps: int
    every: int
    replicas: int

    def network(self, neurons: int) -> Network:
        """The network at one size."""
        (T,) = self.temperatures
        one = hs.dense(neurons=neurons, degree=self.degree, indices=self.indices, patterns=1)
        energy = float(_weights(one, T) @ _energies(one)) / neurons
        patterns = round(-self.load * variance(self.degree, self.indices) / T / energy)
        return hs.dense(neurons=neurons, degree=self.degree, indices=self.indices, patterns=patterns)

    def compared(self, neurons: int) -> float:
        """The load, whatever the size."""
        return self.load

    def values(self, neurons: int, sample: int, seed: int) -> Values:
        """q [k] is the overlap with the start, averaged over sweeps of the k-th eighth of the run; energy [start][k].

        inside is the part of the readings of the second half with q >= INSIDE, q_in their mean.
        """
        (T,), network = self.temperatures, self.network(neurons)
        sizes = (neurons, network.patterns)
        numbers = rng.stream(seed, sample, rng.Purpose.DISORDER, *sizes)
        start = states.random(Quenched(network, np.ones(sizes, dtype=np.int8)), numbers).spins
        quenched = planted(network, start, T, numbers)
        others = states.random(quenched, numbers).spins
        spins = np.array([start] * self.replicas + [others])
        keys = [rng.keys(seed, sample, *sizes, temperature=T, replica=r) for r in range(len(spins))]
        chains = dynamics.Chains(
            [hs.Glauber(T)] * len(spins), states.State(spins, quenched.overlaps(spins)), quenched, keys
        )
        similar, energy = [], []
        for first in range(0, self.sweeps, CHUNK):
            traces = chains.advance(first, CHUNK, self.every)
            similar.append([trace.states.spins @ start.astype(np.int32) / neurons for trace in traces])
            energy.append([quenched.energy_density(trace.states.overlaps) for trace in traces])
        chains.close()
        q, e = np.concatenate(similar, axis=1)[:-1], np.concatenate(energy, axis=1)
        late = q[:, q.shape[1] // 2 :]
        inside = late >= INSIDE
        return {
            "q": _eighths(q),
            "energy": [_eighths(e[:-1]), _eighths(e[-1:])],
            "inside": float(inside.mean()),
            "q_in": float(late[inside].mean()) if inside.any() else None,
            "q2": float((late**2).mean()),
        }


def planted(network: Network, spins: NDArray[np.int8], T: float, numbers: np.random.Generator) -> Quenched:
    """Disorder in which these spins are an equilibrium state at T."""
    N, K = network.neurons, network.patterns
    differ = numbers.choice(N + 1, size=K, p=_weights(network, T))
    products = np.where(np.arange(N) < differ[:, None], np.int8(-1), np.int8(1))
    return Quenched(network, (numbers.permuted(products, axis=1) * spins).T)


def _weights(network: Network, T: float) -> Floats:
    """The law of the number of neurons at which a pattern differs from the planted state."""
    N = network.neurons
    differ = np.arange(N + 1)
    ways = np.array([math.lgamma(N + 1) - math.lgamma(k + 1) - math.lgamma(N - k + 1) for k in differ])
    log = np.where(np.abs(1 - 2 * differ / N) < RETRIEVED, ways - _energies(network) / T, -np.inf)
    weight = np.exp(log - log.max())
    return np.asarray(weight / weight.sum())


def _energies(network: Network) -> Floats:
    """The energy of one pattern by the number of neurons at which it differs."""
    N, interaction = network.neurons, network.law.interaction
    assert isinstance(interaction, Polynomial)
    g = np.array(interaction.values(N), dtype=float)[::-1]
    return np.asarray(-interaction.unit(N) * (g - float(interaction.mean(N))))


def _eighths(series: Floats) -> list[float]:
    """Means over chains and over the eighths of the time."""
    return [float(part.mean()) for part in np.array_split(series, 8, axis=1)]
