"""Basins, exponential storage, cost and loss: crossings and theory by second routes, and what makes entries fail."""

import math

import numpy as np
import pytest

import hopsim as hs
from hopsim import catalogue, observables, theory
from hopsim.catalogue import Workshop, basins, cost_and_loss, exponential_capacity
from hopsim.catalogue.crossings import crossing, limit
from hopsim.statistics import Average
from hopsim.theory import parallel_updates


def test_crossing_of_straight_lines_with_its_error():
    """The error is that of the same crossing when every value is moved by its own error at random."""
    x, y, errors = np.array([0.0, 1.0, 3.0]), np.array([0.9, 0.8, 0.2]), np.array([0.01, 0.02, 0.03])
    found = crossing(x[::-1], [Average(*pair) for pair in zip(y[::-1], errors[::-1], strict=True)], 0.5)
    assert found.value == pytest.approx(2.0, abs=1e-12)
    moved = y + errors * np.random.default_rng(1).standard_normal((4000, 3))
    places = [crossing(x, [Average(v, 0.0) for v in row], 0.5).value for row in moved]
    assert found.error == pytest.approx(np.std(places), rel=0.06)
    with pytest.raises(hs.Refused, match="no crossing of 0.5"):
        crossing(x, [Average(v, 0.0) for v in (0.9, 0.8, 0.6)], 0.5)


def test_limit_is_the_intercept_in_1_over_n():
    sizes, errors = [10, 20, 40], np.array([0.01, 0.02, 0.01])
    exact = np.array([0.3 + 2 / n for n in sizes])
    found = limit(sizes, [Average(*pair) for pair in zip(exact, errors, strict=True)])
    assert found.value == pytest.approx(0.3, abs=1e-12)
    moved = exact + errors * np.random.default_rng(2).standard_normal((4000, 3))
    again = [limit(sizes, [Average(*p) for p in zip(row, errors, strict=True)]).value for row in moved]
    assert found.error == pytest.approx(np.std(again), rel=0.06)


def test_first_sweep_is_the_signal_to_noise_estimate():
    law = hs.hopfield(neurons=10, patterns=1).law
    load = 0.151
    first = parallel_updates.overlaps(load=load, cue=1.0, steps=1)[0]
    assert first == pytest.approx(1 - 2 * theory.signal_to_noise.error_probability(law, load=load), abs=1e-12)


def test_capacity_of_amari_and_maginu_is_printed_as_016():
    assert parallel_updates.capacity() == pytest.approx(0.16, abs=0.005)
    assert parallel_updates.critical_cue(load=0.17) is None
    cues = [parallel_updates.critical_cue(load=load) for load in (0.02, 0.08, 0.14)]
    assert cues == sorted(cues)
    for load, cue in zip((0.02, 0.08, 0.14), cues, strict=True):
        below, above = (parallel_updates.overlaps(load=load, cue=cue * f, steps=300)[-1] for f in (0.99, 1.01))
        assert below < 0.5 < above


@pytest.mark.parametrize("degree", [3, 4])
def test_first_sweep_line_ends_at_the_capacity(degree):
    law = hs.dense(neurons=10, degree=degree, indices="distinct", patterns=1).law
    load = parallel_updates.first_step_load(law, np.linspace(0.5, 0.99, 2001))
    assert load.max() == pytest.approx(theory.capacity(law, temperature=0.0).load, rel=1e-6)


def test_theory_of_parallel_updates_refuses():
    with pytest.raises(hs.Refused, match="cue must be an overlap > 0"):
        parallel_updates.overlaps(load=0.1, cue=0.0, steps=1)
    with pytest.raises(hs.Refused, match="needs a degree of at least 3"):
        parallel_updates.first_step_load(hs.hopfield(neurons=10, patterns=1).law, np.array([0.5]))


def test_cost_and_loss(tmp_path, monkeypatch):
    monkeypatch.setattr(cost_and_loss, "NEURONS", 200)
    workshop = Workshop(tmp_path, quick=True, workers=1)
    made = catalogue.entry("cost-and-loss").make(workshop)
    assert len(made.comparisons) == 6
    assert all(found.agrees for found in made.comparisons)
    assert made.data["trajectory"]["cost"].size == cost_and_loss.SWEEPS + 1
    cost = observables.cost
    monkeypatch.setattr(observables, "cost", lambda state, quenched: 1.01 * cost(state, quenched))
    failed = [found.quantity for found in cost_and_loss.make(workshop).comparisons if not found.agrees]
    assert failed == [f"{name}: largest violation of the identity" for name in ("stored", "supervised", "unsupervised")]


def test_sweeps_and_first_sweep_of_basins_fail_with_another_noise(tmp_path, monkeypatch):
    """Overlaps after one or two sweeps agree with theory, and not if the run has a third more patterns than it says."""
    workshop = Workshop(tmp_path, quick=True, workers=1)

    def compared():
        return [*basins._steps(workshop), *(basins._first_sweep(workshop, degree) for degree in (3, 4))]

    assert all(found.agrees for found in compared())
    load = hs.Network.load.fget
    monkeypatch.setattr(basins, "STEP_RATIO", 1.0)
    monkeypatch.setattr(hs.Network, "load", property(lambda network: load(network) / 1.35))
    assert not all(found.agrees for found in basins._steps(workshop))


def test_thresholds_of_exponential_storage_fail_with_another_theory(monkeypatch):
    assert all(found.agrees for found in exponential_capacity._weights())
    threshold = exponential_capacity.random_energy.retrieval_threshold
    monkeypatch.setattr(
        exponential_capacity.random_energy, "retrieval_threshold", lambda *a, **k: 1.01 * threshold(*a, **k)
    )
    assert not any(found.agrees for found in exponential_capacity._weights())


def test_all_patterns_are_right_after_a_sweep_or_not():
    """Few patterns are all corrected; far beyond the threshold they are not."""
    assert exponential_capacity._all_right(hs.exponential(neurons=32, patterns=3), 0)
    crowded = hs.exponential(neurons=16, patterns=400)
    assert not any(exponential_capacity._all_right(crowded, sample) for sample in range(5))


def test_log_sum_exp_holds_patterns_up_to_the_threshold(tmp_path):
    workshop = Workshop(tmp_path, quick=True, workers=1)
    kept = [exponential_capacity._kept(workshop, sharpness) for sharpness in (0.2, 0.3)]
    for sharpness, found in zip((0.2, 0.3), kept, strict=True):
        exact = 2 * sharpness - math.log(math.cosh(2 * sharpness))
        assert abs(found.value - exact) < 3 * found.error + 0.02
        assert (
            abs(found.value - (sharpness - math.log(math.cosh(sharpness)))) > 3 * found.error + 0.02
        )  # not the weights
