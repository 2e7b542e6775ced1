"""What the page of lines stands on: exact enumeration and planted networks, against plain sums over all states."""

import sys
from pathlib import Path

import numpy as np
import pytest

import hopsim as hs
from hopsim import rng

SCRIPTS = Path(__file__).parent.parent / "scripts"


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield
    for name in [name for name in sys.modules if name.startswith(("lines_", "sample_runs"))]:
        del sys.modules[name]


@pytest.mark.parametrize(
    "network",
    [
        hs.hopfield(neurons=8, patterns=3),
        hs.dense(neurons=9, degree=3, indices="distinct", patterns=7),
        hs.dense(neurons=9, degree=3, indices="all", patterns=7),
        hs.dense(neurons=8, degree=4, indices="distinct", patterns=20),
        hs.dense(neurons=8, degree=4, indices="all", patterns=20),
    ],
    ids=lambda n: f"p{getattr(n.law.interaction, 'degree', 2)}-{getattr(n.law.interaction, 'indices', '')}",
)
def test_enumerated_energies_and_averages_are_those_of_all_states(network):
    from lines_enumeration import _equilibrium, energies

    N, T = network.neurons, 0.7
    quenched = network.quench(rng.stream(1, 0, rng.Purpose.DISORDER, N, network.patterns))
    states = np.array([[1 - 2 * (k >> i & 1) for i in range(N)] for k in range(2**N)], dtype=np.int8)
    expected = quenched.energy_density(quenched.overlaps(states)) * N
    found = energies(quenched)
    np.testing.assert_allclose(found, expected - expected.mean(), rtol=0, atol=1e-10)

    weights = np.exp(-(expected - expected.min()) / T)
    weights /= weights.sum()
    energy, q2 = _equilibrium(found, N, T)
    assert energy == pytest.approx(weights @ (expected - expected.mean()) / N, abs=1e-12)
    correlations = np.einsum("s,si,sj->ij", weights, states, states, optimize=True)
    assert q2 == pytest.approx((correlations**2).sum() / N**2, abs=1e-12)


def test_the_walsh_transform_is_its_sum():
    from lines_enumeration import walsh

    values = np.random.default_rng(0).normal(size=16)
    expected = [sum((-1) ** (x & y).bit_count() * values[y] for y in range(16)) for x in range(16)]
    np.testing.assert_allclose(walsh(values), expected, atol=1e-12)
