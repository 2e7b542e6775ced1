"""The search for minima of many diluted patterns, and the lines that follow them.

It is held against the lists that Morse's theorem proves complete, brute force, and starts it never saw.
"""

import itertools

import numpy as np
import pytest
from scipy.spatial import cKDTree

from hopsim.errors import Refused
from hopsim.theory import minima
from hopsim.theory.dilution_phases import dilution_line, low_load_phases
from hopsim.theory.finite_patterns import critical_dilution, hierarchical_overlaps, low_load, stable_states
from hopsim.theory.landscape import Landscape


def answer(m, d, T):
    """E[ξ tanh(ξ·m/T)] from all 3^K values of ξ."""
    K = len(m)
    values = np.array(list(itertools.product((-1, 0, 1), repeat=K)))
    p = np.prod(np.where(values == 0, d, (1 - d) / 2), axis=1)
    h = values @ m
    return (p * (np.tanh(h / T) if T > 0 else np.sign(np.where(np.abs(h) < 1e-12, 0, h)))) @ values


def rounded(state):
    return tuple(round(m, 11) + 0.0 for m in state.overlaps)


@pytest.mark.parametrize(
    ("K", "d", "reduced"),
    [(2, 0.3, 0.2), (3, 0.0, 0.3), (3, 0.3, 0.05), (4, 0.1, 0.03), (4, 0.6, 0.5), (5, 0.3, 0.03), (6, 0.3, 0.4)],
)
def test_the_search_finds_the_minima_of_a_complete_list(K, d, reduced):
    T = reduced * (1 - d)
    complete = [s for s in low_load(patterns=K, dilution=d, temperature=T) if s.stable]
    found = stable_states(patterns=K, dilution=d, temperature=T)
    assert [s.kind for s in found] == [s.kind for s in complete]
    assert np.array([s.overlaps for s in found]) == pytest.approx(np.array([s.overlaps for s in complete]), abs=1e-8)


@pytest.mark.parametrize(("K", "d"), [(3, 0.3), (4, 0.3), (5, 0.1), (5, 0.45), (5, 0.7)])
def test_the_search_finds_all_stable_states_of_zero_temperature(K, d):
    complete = sorted(rounded(s) for s in low_load(patterns=K, dilution=d, temperature=0) if s.stable)
    assert sorted(rounded(s) for s in stable_states(patterns=K, dilution=d, temperature=0)) == complete
    found = minima.searched(Landscape(K, d, 0.0), minima.WORK)
    distance, nearest = cKDTree(complete).query(found, p=np.inf)
    assert distance.max() < 2e-11
    assert len(set(nearest)) == len(found) == len(complete)


def test_a_search_of_many_patterns_finds_states_and_the_lowest():
    """Seven patterns at d = 0.7, where branch and bound lists all stable states: the search finds nearly all."""
    K, d = 7, 0.7
    complete = np.array([s.overlaps for s in stable_states(patterns=K, dilution=d, temperature=0)])
    found = minima.searched(Landscape(K, d, 0.0), minima.WORK)
    distance, nearest = cKDTree(complete).query(found, p=np.inf)
    assert distance.max() < 1e-12
    assert len(set(nearest)) == len(found) > 0.95 * len(complete)
    assert found[0] == pytest.approx(complete[0], abs=1e-12)


@pytest.mark.parametrize("K", [6, 7, 8])
def test_the_hierarchical_state_is_found_up_to_its_end(K):
    for d, there in ((0.2, True), (critical_dilution(K) + 1e-3, False)):
        found = minima.frozen(K, d, 2**20)
        expected = np.array(hierarchical_overlaps(patterns=K, dilution=d))
        assert (np.abs(found - expected).max(axis=1).min() < 1e-12) == there


def test_a_descent_lowers_f_and_ends_at_a_minimum():
    surface = Landscape(5, 0.4, 0.05)
    starts = np.random.default_rng(3).uniform(0, 0.6, (200, 5))
    found = surface.descend(starts)
    assert surface.free_energy(found).max() < surface.free_energy(starts).max()
    for m in found:
        assert answer(m, 0.4, 0.05) == pytest.approx(m, abs=1e-10)
        assert np.linalg.eigvalsh(surface.hessian(m)).min() > 0


@pytest.mark.parametrize(("K", "T"), [(4, 0.005), (5, 0.002)])
def test_the_hierarchical_state_ends_in_a_fold(K, T):
    """Its smallest eigenvalue vanishes like the root of the distance; beyond, no minimum is near."""
    (point,) = dilution_line(patterns=K, line="spinodal", temperatures=[T])
    assert point.high - point.low < 1e-10
    assert point.dilution < critical_dilution(K)
    smallest, first = [], []
    for distance in (4e-6, 1e-6):
        d = point.low - distance
        near = [s.overlaps for s in stable_states(patterns=K, dilution=d, temperature=T)]
        m = min(near, key=lambda overlaps: abs(overlaps[0] - point.m))
        first.append(m[0])
        smallest.append(np.linalg.eigvalsh(Landscape(K, d, T).hessian(np.array(m)))[0])
    assert smallest[0] / smallest[1] == pytest.approx(2, rel=0.05)
    assert first[1] == pytest.approx(point.m, abs=1e-3)
    beyond = stable_states(patterns=K, dilution=point.high + 1e-6, temperature=T)
    assert not [s for s in beyond if 2 * s.overlaps[0] > sum(s.overlaps)]


def test_lines_of_many_patterns_start_where_those_of_zero_temperature_do():
    for K in (4, 5):
        cold, zero = dilution_line(patterns=K, line="coexistence", temperatures=[0.002, 0])
        assert cold.dilution == pytest.approx(zero.dilution, abs=1e-6)
        ends = [row.dilution for row in dilution_line(patterns=K, line="spinodal", temperatures=[0, 0.0005, 0.001])]
        assert ends == sorted(ends, reverse=True)
        assert ends[1] == pytest.approx(ends[0], abs=0.002)


def test_coexisting_states_have_the_same_free_energy():
    (point,) = dilution_line(patterns=4, line="coexistence", temperatures=[0.01])
    lowest = stable_states(patterns=4, dilution=point.dilution, temperature=0.01)[:2]
    assert lowest[0].free_energy == pytest.approx(lowest[1].free_energy, abs=1e-9)
    assert {s.kind for s in lowest} == {"hierarchical", "parallel"}
    below = stable_states(patterns=4, dilution=point.dilution - 1e-4, temperature=0.01)[0]
    assert below.overlaps[0] == pytest.approx(point.m, abs=1e-3)


def test_there_is_no_jump_where_too_few_neurons_change_sides():
    """K times their number is 0.009 at K = 5; at T = 0.02 the overlaps become parallel continuously."""
    rows = dilution_line(patterns=5, line="spinodal", temperatures=[0.002, 0.02])
    assert [row.converged for row in rows] == [True, False]


def test_phases_of_a_grid_are_those_of_its_points():
    d, T = [0.3, 0.62], [0.02, 0.15]
    grid = low_load_phases(patterns=5, dilutions=d, temperatures=T)
    for i, j in itertools.product(range(2), repeat=2):
        alone = stable_states(patterns=5, dilution=d[j], temperature=T[i])
        assert grid.stable[i][j][0].overlaps == pytest.approx(alone[0].overlaps, abs=1e-8)
        assert len(grid.stable[i][j]) == len(alone)


def test_refused():
    with pytest.raises(Refused, match="patterns at low load must be an integer from 1 to 8, got 9"):
        stable_states(patterns=9, dilution=0.3, temperature=0.1)


@pytest.mark.parametrize(("K", "T"), [(3, 1e-5), (5, 2e-5), (7, 1e-4)])
def test_lines_too_cold_to_be_followed_are_refused(K, T):
    with pytest.raises(Refused, match="needs T = 0 or at least"):
        dilution_line(patterns=K, line="spinodal", temperatures=[T])


@pytest.mark.parametrize(("K", "T"), [(3, 2e-5), (4, 2e-5), (5, 5e-5), (6, 2e-4)])
def test_the_coldest_lines_end_next_to_the_critical_dilution(K, T):
    found = dilution_line(patterns=K, line="spinodal", temperatures=[T])[0].dilution
    assert critical_dilution(K) - 6e-4 < found < critical_dilution(K)
