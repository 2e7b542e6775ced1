"""The flow from the hierarchical start: fixed points, stability, and a simulation that follows it."""

import numpy as np
import pytest

import hopsim as hs
from hopsim import theory
from hopsim.theory.finite_patterns import low_load
from hopsim.theory.landscape import Landscape


@pytest.mark.parametrize(("K", "d"), [(2, 0.7), (3, 0.5), (5, 0.4), (8, 0.3)])
def test_below_the_critical_dilution_the_hierarchical_state_stays(K, d):
    found = theory.relaxed(patterns=K, dilution=d, temperature=0)
    assert found == pytest.approx([(1 - d) * d**k for k in range(K)], abs=1e-9)


@pytest.mark.parametrize(("K", "d", "T"), [(3, 0.3, 0.2), (3, 0.8, 0.0), (4, 0.5, 0.05), (5, 0.5, 0.1)])
def test_the_end_is_a_stable_state(K, d, T):
    found = theory.relaxed(patterns=K, dilution=d, temperature=T)
    stable = [state.overlaps for state in low_load(patterns=K, dilution=d, temperature=T) if state.stable]
    assert min(np.abs(np.subtract(found, state)).max() for state in stable) < 1e-7


def test_a_weak_start_is_led_to_the_same_state_while_its_overlaps_are_ordered():
    """At d = 0.2, K = 3 one stable state is left of T = 0.5: the pure one."""
    surface = Landscape(3, 0.2, 0.5)
    found = theory.relaxed(patterns=3, dilution=0.2, temperature=0.5, overlap=0.05)
    assert found == pytest.approx(theory.relaxed(patterns=3, dilution=0.2, temperature=0.5), abs=1e-8)
    assert surface.answer(np.array(found)) == pytest.approx(found, abs=1e-9)
    assert found[1:] == pytest.approx([0, 0], abs=1e-8)


def test_a_large_network_ends_where_the_flow_does():
    """K = 4, d = 0.6, T = 0, beyond d_c = 0.544, where the flow chooses: overlaps within 5/√N of it."""
    network = hs.multitasking(neurons=20_000, dilution=0.6, patterns=4)
    protocol = hs.Protocol(1.0, 60, 1, start="hierarchical", overlaps=True)
    record = hs.simulate(hs.Run(network, hs.SignUpdate(), protocol, seed=4, sample=0))
    found = record.summary()["ranked_overlaps"]
    assert found == pytest.approx(theory.relaxed(patterns=4, dilution=0.6, temperature=0), abs=5 / np.sqrt(20_000))


def test_refusals():
    with pytest.raises(hs.Refused, match=r"overlap between -1 and 1, got 1\.5"):
        theory.relaxed(patterns=3, dilution=0.3, temperature=0, overlap=1.5)
    with pytest.raises(hs.Refused, match="dilution must be from 0 to below 1"):
        theory.relaxed(patterns=3, dilution=1.3, temperature=0)
    with pytest.raises(theory.NotConverged, match="still moving after 1000 sweeps"):
        theory.relaxed(patterns=8, dilution=0.6, temperature=0.1)
