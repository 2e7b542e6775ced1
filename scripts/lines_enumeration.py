"""All states of one disorder sample: exact averages at any temperature, of networks of up to about 20 neurons."""

import numpy as np
from lines_runs import Floats
from lines_studies import Matched
from sample_runs import Values

from hopsim.interactions import Polynomial
from hopsim.networks import Quenched


class Enumeration(Matched):
    """Every state of a network at small sizes."""

    def values(self, neurons: int, sample: int, seed: int) -> Values:
        """Equilibrium energy [T] and q2 [T], <q²> = (1/N²) Σ_ij <σ_i σ_j>², of one sample."""
        energy = energies(self.quench(neurons, sample, seed))
        found = [_equilibrium(energy, neurons, T) for T in self.temperatures]
        return {"energy": [e for e, _ in found], "q2": [q2 for _, q2 in found]}


def energies(quenched: Quenched) -> Floats:
    """E of all 2^N states, their mean zero; bit i of the index is set where σ_i = -1.

    Σ_μ G(ξ^μ·σ) is a convolution under exclusive or: of the number of patterns on a state, and of G(N - 2k) where k
    bits are set. Walsh transforms make it a product.
    """
    neurons = quenched.network.neurons
    interaction = quenched.network.law.interaction
    assert isinstance(interaction, Polynomial)
    states = 2**neurons
    on_state = np.bincount((1 << np.arange(neurons)) @ (quenched.patterns < 0), minlength=states)
    bits = sum(np.arange(states) >> i & 1 for i in range(neurons))
    g = np.array(interaction.values(neurons), dtype=float)[neurons - bits]
    total = walsh(walsh(on_state.astype(float)) * walsh(g)) / states
    return np.asarray(-interaction.unit(neurons) * (total - total.mean()))


def _equilibrium(energy: Floats, neurons: int, T: float) -> tuple[float, float]:
    weight = np.exp(-(energy - energy.min()) / T)
    weight /= weight.sum()
    pairs = walsh(weight)[[1 << i | 1 << j for i in range(neurons) for j in range(i)]]
    return float(weight @ energy) / neurons, (neurons + 2 * float(pairs @ pairs)) / neurons**2


def walsh(values: Floats) -> Floats:
    """Σ_y (-1)^(bits of x and y) values[y]."""
    found = values.copy()
    step = 1
    while step < found.size:
        pairs = found.reshape(-1, 2, step)
        pairs[:, 0], pairs[:, 1] = pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]
        step *= 2
    return found
