"""Low load: the free energy is the source of truth; closed forms, random starts and Morse's theorem check it."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.spatial import cKDTree

from hopsim.cli import main
from hopsim.errors import Refused
from hopsim.theory import NotConverged, balance, zero_temperature
from hopsim.theory.dilution_phases import dilution_line, low_load_phases, pure_stability
from hopsim.theory.finite_patterns import critical_dilution, hierarchical_overlaps, low_load
from hopsim.theory.landscape import Landscape, directions
from hopsim.theory.strata import compositions, partitions, stratum

# K, d, T/(1-d)
POINTS = [
    (2, 0.3, 0.2),
    (2, 0.7, 0.5),
    (3, 0.0, 0.3),
    (3, 0.3, 0.05),
    (3, 0.45, 0.3),
    (3, 0.7, 0.1),
    (4, 0.3, 0.2),
    (4, 0.6, 0.1),
    (5, 0.45, 0.1),
    (5, 0.7, 0.3),
]


def neurons(K, d):
    """All 3^K values of ξ and their probabilities."""
    values = np.array(list(itertools.product((-1, 0, 1), repeat=K)))
    return values, np.prod(np.where(values == 0, d, (1 - d) / 2), axis=1)


def free_energy(m, d, T):
    values, p = neurons(m.shape[-1], d)
    x = m @ values.T / T
    return (m * m).sum(axis=-1) / 2 - T * np.logaddexp(x, -x) @ p


def sorted_sizes(m):
    return -np.sort(-np.abs(m), axis=-1)


@pytest.mark.parametrize("K", [1, 2, 3, 4])
def test_derivatives_of_the_free_energy(K):
    d, T = 0.37, 0.21
    surface, m = Landscape(K, d, T), np.random.default_rng(K).uniform(-0.7, 0.7, K)
    assert surface.free_energy(m) == pytest.approx(free_energy(m, d, T), abs=1e-14)
    for k, step in enumerate(1e-4 * np.eye(K)):
        slope = (free_energy(m + step, d, T) - free_energy(m - step, d, T)) / 2e-4
        assert (m - surface.answer(m))[k] == pytest.approx(slope, abs=1e-6)
        bend = (surface.answer(m - step) - surface.answer(m + step)) / 2e-4
        assert surface.hessian(m)[k] == pytest.approx(np.eye(K)[k] + bend, abs=1e-5)


@pytest.mark.parametrize(("K", "d", "reduced"), POINTS)
def test_states_solve_the_equations_and_stable_ones_are_minima(K, d, reduced):
    T = reduced * (1 - d)
    steps = np.random.default_rng(0).normal(size=(20 * K, K))
    steps *= 1e-3 / np.linalg.norm(steps, axis=1, keepdims=True)
    (values, p), states = neurons(K, d), low_load(patterns=K, dilution=d, temperature=T)
    for state in states:
        m = np.array(state.overlaps)
        assert m == pytest.approx((p * np.tanh(values @ m / T)) @ values, abs=1e-11)
        assert state.free_energy == pytest.approx(free_energy(m, d, T), abs=1e-13)
        if state.stable:
            assert free_energy(m + steps, d, T).min() > state.free_energy
    assert [s.dominant for s in states] == [True] + [False] * (len(states) - 1)


@pytest.mark.parametrize(("K", "d", "reduced"), POINTS)
def test_ten_thousand_random_starts_find_no_other_state(K, d, reduced):
    T = reduced * (1 - d)
    states = low_load(patterns=K, dilution=d, temperature=T)
    known = np.array([state.overlaps for state in states])
    rng = np.random.default_rng(1)
    starts = rng.normal(size=(10_000, K))
    starts *= (1 - d) * rng.uniform(0, 1, (10_000, 1)) / np.abs(starts).max(axis=1, keepdims=True)
    found = sorted_sizes(Landscape(K, d, T).newton(starts))
    distance = np.abs(found[:, None] - known).max(axis=-1)
    assert distance.min(axis=1).max() < 1e-7
    reached = {int(k) for k in distance.argmin(axis=1)}
    assert {k for k, state in enumerate(states) if state.stable} <= reached


@pytest.mark.parametrize(("K", "d", "reduced"), POINTS)
def test_indices_balance(K, d, reduced):
    """Σ (-1)^index over all images is the Euler characteristic of a ball; one state left out is noticed."""
    states = low_load(patterns=K, dilution=d, temperature=reduced * (1 - d))
    total = 0
    for state in states:
        images = {
            tuple(s * m for s, m in zip(signs, order, strict=True))
            for order in set(itertools.permutations(np.round(state.overlaps, 7)))
            for signs in itertools.product((-1, 1), repeat=K)
        }
        total += (-1) ** state.index * len(images)
    assert total == 1


@pytest.mark.parametrize("K", [2, 3, 4, 5])
def test_hierarchical_state_of_zero_temperature_ends_at_the_critical_dilution(K):
    critical = critical_dilution(K)
    assert 1 - 2 * critical + critical**K == pytest.approx(0, abs=1e-14)
    for d in (0.1, 0.3, 0.9 * critical, min(critical - 1e-6, 0.95)):
        expected = [(1 - d) * d**k for k in range(K)]
        assert hierarchical_overlaps(patterns=K, dilution=d) == pytest.approx(expected, abs=1e-15)
        assert expected[0] > sum(expected[1:])
        states = [s for s in low_load(patterns=K, dilution=d, temperature=0) if s.kind == "hierarchical" and s.stable]
        assert len(states) == 1
        assert states[0].overlaps == pytest.approx(expected, abs=1e-13)
    if critical < 1:
        above = low_load(patterns=K, dilution=critical + 1e-6, temperature=0)
        assert not [s for s in above if s.kind == "hierarchical" and s.stable]


def test_critical_dilutions():
    assert critical_dilution(2) == 1
    assert critical_dilution(3) == pytest.approx((math.sqrt(5) - 1) / 2, abs=1e-15)
    assert critical_dilution(1000) == pytest.approx(0.5, abs=1e-15)


def test_three_patterns_at_zero_temperature():
    """Beyond the hierarchical order ξ_1 is outvoted by ξ_2 and ξ_3 together: three overlaps, summed by hand."""
    for d in (0.2, 0.5, 0.8):
        a = 1 - d
        parallel = (a * (1 - a**2 / 2), a * (d + a**2 / 2), a * (d**2 + a**2 / 2))
        stable = [s for s in low_load(patterns=3, dilution=d, temperature=0) if s.stable]
        hierarchical = [tuple(a * d**k for k in range(3))] if d < critical_dilution(3) else []
        expected = np.array(sorted([parallel, *hierarchical]))
        assert np.array(sorted(s.overlaps for s in stable)) == pytest.approx(expected, abs=1e-14)
        assert stable[0].free_energy == pytest.approx(-np.square(stable[0].overlaps).sum() / 2, abs=1e-14)


@pytest.mark.parametrize(("K", "d"), [(4, 0.3), (4, 0.7), (5, 0.45)])
def test_random_starts_at_zero_temperature_reach_all_stable_states_and_no_other(K, d):
    starts = np.random.default_rng(2).normal(size=(50_000, K))
    found = Landscape(K, d, 0.0).settle(sorted_sizes(starts))
    stable = np.array([s.overlaps for s in low_load(patterns=K, dilution=d, temperature=0) if s.stable])
    distance = np.abs(found[:, None] - stable).max(axis=-1)
    assert distance.min(axis=1).max() < 1e-12
    missed = set(range(len(stable))) - set(distance.argmin(axis=1).tolist())
    assert len(missed) <= (0 if K == 4 else 2)  # the smallest basins take less than one start in 50 000


@pytest.mark.parametrize("K", [2, 3, 5, 6])
@pytest.mark.parametrize("d", [0.0, 0.4, 0.6, 0.7, 0.9])
def test_ergodicity_breaks_at_one_minus_d(K, d):
    """Below T_c the quartic term of f, ∝ (1 - 3(1-d)) Σ m^4 at given Σ m², chooses one pattern or all."""
    above = low_load(patterns=K, dilution=d, temperature=1 - d)
    assert [(s.kind, s.stable, s.dominant) for s in above] == [("paramagnet", True, True)]
    below = [s for s in low_load(patterns=K, dilution=d, temperature=0.98 * (1 - d)) if s.stable]
    assert [s.kind for s in below] == ["pure" if d < 2 / 3 else "symmetric"]
    assert below[0].retrieved == (1 if d < 2 / 3 else K)


@pytest.mark.parametrize("T", [0.2, 0.5, 0.8])
def test_without_blanks_states_are_those_of_the_classical_network(T):
    states = low_load(patterns=5, dilution=0, temperature=T)
    for n in range(1, 6):
        signs = np.array(list(itertools.product((-1, 1), repeat=n))).sum(axis=1)
        m = brentq(lambda m, signs=signs, n=n: (signs * np.tanh(signs * m / T)).mean() / n - m, 1e-3, 1)
        same = [s for s in states if s.kind == ("pure" if n == 1 else "symmetric") and s.retrieved == n]
        assert [s.overlaps[0] for s in same] == pytest.approx([m], abs=1e-12)
        if n % 2 == 0:
            assert not same[0].stable
    assert states[0].kind == "pure"
    assert states[0].stable


def test_three_patterns_without_blanks_are_stable_below_046():
    """AGS 1985: T = 0.461; the equations give 0.4598."""

    def stable(T):
        return next(
            s for s in low_load(patterns=3, dilution=0, temperature=T) if s.kind == "symmetric" and s.retrieved == 3
        ).stable

    assert stable(0.459)
    assert not stable(0.461)


def test_the_pure_state_is_lost_on_the_stability_line():
    for T, (point,) in ((T, dilution_line(patterns=3, line="stability", temperatures=[T])) for T in (0.05, 0.2, 0.3)):
        d, m = point.dilution, point.m
        assert m == pytest.approx((1 - d) * math.tanh(m / T), abs=1e-12)
        eigenvalues = np.linalg.eigvalsh(Landscape(3, d, T).hessian(np.array([m, 0, 0])))
        assert eigenvalues[:2] == pytest.approx([0, 0], abs=1e-9)
        for side, stable in ((-1e-3, True), (1e-3, False)):
            states = low_load(patterns=3, dilution=d + side, temperature=T)
            assert next(s for s in states if s.kind == "pure").stable == stable
    d, T = pure_stability()
    assert (d[-1], T[-1]) == pytest.approx((2 / 3, 1 / 3), abs=1e-5)
    assert dilution_line(patterns=3, line="stability", temperatures=[0.34])[0].dilution is None


def test_spinodal_and_coexistence_of_three_patterns():
    """At T = 0 f = -Σ m²/2, and both states have the same where 1 + 2d = 7d²: d = (1 + 2√2)/7."""
    spinodal, coexistence = (
        dilution_line(patterns=3, line=n, temperatures=[0, 0.002, 0.05]) for n in ("spinodal", "coexistence")
    )
    assert spinodal[0].dilution == critical_dilution(3)
    assert coexistence[0].low <= (1 + 2 * math.sqrt(2)) / 7 <= coexistence[0].high
    assert coexistence[1].dilution == pytest.approx(coexistence[0].dilution, abs=1e-6)
    assert 0.6 < spinodal[1].dilution < spinodal[0].dilution
    lowest = [s for s in low_load(patterns=3, dilution=coexistence[2].dilution, temperature=0.05) if s.stable]
    assert lowest[0].free_energy == pytest.approx(lowest[1].free_energy, abs=1e-8)
    d = spinodal[2].dilution
    before, after = (
        [
            s
            for s in low_load(patterns=3, dilution=x, temperature=0.05)
            if s.stable and 2 * s.overlaps[0] > sum(s.overlaps)
        ]
        for x in (d - 1e-4, d + 1e-4)
    )
    assert (len(before), len(after)) == (1, 0)


@pytest.mark.parametrize("K", [3, 4])
def test_coexistence_at_zero_temperature_separates_the_lowest_states(K):
    (point,) = dilution_line(patterns=K, line="coexistence", temperatures=[0])
    for side, kind in ((-1e-4, True), (1e-4, False)):
        lowest = low_load(patterns=K, dilution=point.dilution + side, temperature=0)[0]
        assert (lowest.kind == "hierarchical") == kind
        starts = np.random.default_rng(4).normal(size=(5000, K))
        settled = Landscape(K, point.dilution + side, 0.0).settle(sorted_sizes(starts))
        assert lowest.free_energy == pytest.approx(-np.square(settled).sum(axis=1).max() / 2, abs=1e-13)


def test_the_spinodal_goes_to_the_critical_dilution():
    rows = dilution_line(patterns=3, line="spinodal", temperatures=[0.001, 0.003, 0.01, 0.03, 0.07])
    found = [row.dilution for row in rows]
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(critical_dilution(3), abs=0.005)
    assert dilution_line(patterns=5, line="spinodal", temperatures=[0])[0].dilution == critical_dilution(5)


def test_lines_that_do_not_exist():
    for line in ("spinodal", "coexistence"):
        (point,) = dilution_line(patterns=3, line=line, temperatures=[0.2])
        assert (point.dilution, point.low, point.m, point.converged) == (None, None, None, False)
    assert dilution_line(patterns=2, line="spinodal", temperatures=[0])[0].dilution is None


def test_phases_on_a_grid():
    phases = low_load_phases(patterns=3, dilutions=[0.1, 0.75], temperatures=[0.05, 0.2, 0.95])
    assert [[states[0].kind for states in row] for row in phases.stable] == [
        ["hierarchical", "parallel"],
        ["pure", "symmetric"],
        ["paramagnet", "paramagnet"],
    ]


@pytest.mark.parametrize(("K", "d", "T"), [(5, 0.45, 0.011), (6, 0.6, 0.05)])
def test_cold_states_of_many_patterns(K, d, T):
    states = low_load(patterns=K, dilution=d, temperature=T)
    (values, p), m = neurons(K, d), np.array([s.overlaps for s in states])
    assert m == pytest.approx(np.tanh(m @ values.T / T) * p @ values, abs=1e-11)
    starts = np.random.default_rng(6).normal(size=(3000, K)) * (1 - d)
    starts[::2] = np.round(2 * starts[::2]) / 2
    found = sorted_sizes(Landscape(K, d, T).newton(starts))
    distance, nearest = cKDTree(m).query(found, p=np.inf)
    assert distance.max() < 1e-7
    assert len(set(nearest)) > 0.7 * len(m)


def rounded(overlaps):
    return sorted(tuple(np.round(m, 10) + 0.0) for m in np.atleast_2d(overlaps))


def listed(K, d):
    return rounded([s.overlaps for s in low_load(patterns=K, dilution=d, temperature=0)])


@pytest.mark.parametrize(("K", "d"), [(2, 0.3), (2, 0.0), (3, 0.5)])
def test_all_choices_of_signs_at_zero_temperature(K, d):
    """Of the 3^13 ways to give the 13 fields of three patterns signs, those that make the fields of these signs."""
    values, p = neurons(K, d)
    values, p = values[: len(values) // 2], 2 * p[: len(p) // 2]
    values, p = values[p > 0], p[p > 0]
    signs = np.array(list(itertools.product((-1, 0, 1), repeat=len(values))), dtype=np.int8)
    m = signs @ (p[:, None] * values)
    h = m @ values.T
    m = m[(np.sign(np.where(np.abs(h) < 1e-12, 0, h)) == signs).all(axis=1)]
    assert listed(K, d) == rounded(np.unique(np.round(sorted_sizes(m), 12), axis=0))


@pytest.mark.parametrize(("K", "d", "level"), [(4, 0.3, 30), (4, 0.5, 30), (4, 0.0, 30), (5, 0.3, 30), (5, 0.7, 30)])
def test_a_lattice_that_meets_all_orders_of_overlaps_settles_in_all_states(K, d, level):
    settled = Landscape(K, d, 0.0).settle(directions(K, level))
    assert listed(K, d) == rounded(np.concatenate([np.zeros((1, K)), np.unique(np.round(settled, 12), axis=0)]))


@pytest.mark.parametrize(("K", "d"), [(6, 0.3), (7, 0.7)])
def test_many_patterns_at_zero_temperature(K, d):
    """Random starts, some with equal overlaps and zeros, lead to no other state; two ways of branching agree."""
    (values, p), states = neurons(K, d), low_load(patterns=K, dilution=d, temperature=0)
    known = np.array([s.overlaps for s in states])
    for m in known[:: len(known) // 50]:
        h = values @ m
        assert (p * np.sign(np.where(np.abs(h) < 1e-12, 0, h))) @ values == pytest.approx(m, abs=1e-13)
    assert len(set(rounded(known))) == len(known)
    starts = np.random.default_rng(5).normal(size=(4000, K))
    starts[::2] = np.round(2 * starts[::2])
    found = Landscape(K, d, 0.0).settle(starts)
    assert cKDTree(known).query(found, p=np.inf)[0].max() < 1e-12
    stable = zero_temperature.solutions(K, d, stable=True)
    assert rounded(stable) == rounded([s.overlaps for s in states if s.stable])


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (2, 1, 1), (2, 2), (3, 1), (2, 1), (1, 1), (3,)])
def test_strata_have_the_free_energy_of_their_overlaps(sizes):
    here, K = stratum(sizes, 0.4, 0.1), 4
    y = np.random.default_rng(1).uniform(0, 0.5, (5, len(sizes)))
    m = here.overlaps(y, K)
    assert here.free_energy(y) == pytest.approx(free_energy(m, 0.4, 0.1), abs=1e-14)
    assert here.overlaps(here.answer(y), K) == pytest.approx(sorted_sizes(Landscape(K, 0.4, 0.1).answer(m)), abs=1e-14)


def test_the_images_of_a_state_in_a_subspace():
    """Σ (-1)^index over all points of a subspace that are a signed permutation of a state."""
    states = np.array([[0.5, 0.5, 0.2, 0.0], [0.6, 0.3, 0.3, 0.1], [0.7, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    for sizes in (sizes for total in range(1, 5) for sizes in partitions(total)):
        here, brute = stratum(sizes, 0.4, 0.1), 0
        for state in states:
            values = sorted({x for m in state for x in (m, -m)})
            for point in itertools.product(values, repeat=len(sizes)):
                y = np.array(point) * np.sqrt(sizes)
                if np.array_equal(here.overlaps(y, 4).round(9), state):
                    brute += (-1) ** int((np.linalg.eigvalsh(here.hessian(y)) < 0).sum())
        assert balance.total_index(here, states) == brute


def test_compositions_and_partitions():
    assert sorted(compositions(3)) == [(1, 1, 1), (1, 2), (2, 1), (3,)]
    assert len(list(compositions(8))) == 2**7
    assert [len(list(partitions(n))) for n in range(9)] == [1, 1, 2, 3, 5, 7, 11, 15, 22]


def test_incomplete_sets_are_not_returned(monkeypatch):
    monkeypatch.setattr(balance, "ROUNDS", 1)
    with pytest.raises(NotConverged, match="states of 4 patterns at dilution 0.45, T = 0.02 are not complete"):
        low_load(patterns=4, dilution=0.45, temperature=0.02)
    monkeypatch.setattr(zero_temperature, "ROOM", 100)
    with pytest.raises(NotConverged, match="states of 5 patterns at dilution 0.3, T = 0 are too many to be listed"):
        low_load(patterns=5, dilution=0.3, temperature=0)
    with pytest.raises(NotConverged, match="too few for 16 digits"):
        low_load(patterns=8, dilution=0.97, temperature=0)


def test_the_command_line_prints_the_lowest_of_many(capsys):
    assert main("theory point --network multitasking --patterns 5 --dilution 0.3 --temperature 0".split()) == 0
    *rows, last = capsys.readouterr().out.splitlines()
    states = low_load(patterns=5, dilution=0.3, temperature=0)
    assert len(rows) < 25
    assert f"of {len(states)} states, of which {sum(s.stable for s in states)} are stable" in last


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"patterns": 9, "dilution": 0.3, "temperature": 0.1},
            "patterns at low load must be an integer from 1 to 8, got 9",
        ),
        ({"patterns": 3, "dilution": 1.0, "temperature": 0.1}, "dilution must be from 0 to below 1, got 1.0"),
        ({"patterns": 3, "dilution": 0.3, "temperature": -1.0}, "temperature must be a finite number >= 0"),
        ({"patterns": 3, "dilution": 0.3, "temperature": 1e-5}, "temperature must be 0 or at least 0.0007"),
    ],
)
def test_refused(request_, message):
    with pytest.raises(Refused, match=message):
        low_load(**request_)


def test_unknown_lines_are_refused():
    with pytest.raises(Refused, match="line must be one of spinodal, coexistence, stability, got 'glass'"):
        dilution_line(patterns=3, line="glass", temperatures=[0.1])
    with pytest.raises(Refused, match="lines need at least 2 patterns, got 1"):
        dilution_line(patterns=1, line="spinodal", temperatures=[0.1])
