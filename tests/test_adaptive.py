"""Adaptive scans: the bracket holds the crossing, rounds depend on results only and end, what is not known is said."""

import math
from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hopsim as hs
from hopsim import adaptive, executors, provenance, scans
from hopsim.adaptive import AdaptiveScan, Measured, Refinement
from hopsim.scans import Scan
from hopsim.simulation import Point, Protocol
from hopsim.statistics import Average, disorder_average
from hopsim.store import Store

PROTOCOL = Protocol(cue_overlap=1.0, equilibrate=20, measure=1)
ASKED = Refinement(observable="retrieved", level=0.5, width=0.002, error=0.05, samples_most=512)


def point(network, temperature=0.0, seed=1):
    return Point(network, hs.Glauber(temperature=temperature) if temperature else hs.SignUpdate(), PROTOCOL, seed)


def scan_of(points, samples=8, **asked):
    return AdaptiveScan("test", "", tuple(points), samples, refinement=replace(ASKED, **asked))


def hopfield_scan(patterns, samples=8, neurons=2000, **asked):
    return scan_of((point(hs.hopfield(neurons=neurons, patterns=k)) for k in patterns), samples, **asked)


def logistic(centre, width):
    """A curve without noise: 1/(1 + exp((K - centre)/width)) on every sample."""
    return lambda p: np.full(ASKED.samples_most, (1 - math.tanh((p.network.patterns - centre) / (2 * width))) / 2)


def noisy(centre, width, seed):
    """Samples that retrieve or do not, with that probability; the first n of a point are always the same."""

    @cache
    def draw(p):
        probability = logistic(centre, width)(p)
        return (np.random.default_rng([seed, p.network.patterns]).random(probability.size) < probability).astype(float)

    return draw


def seen_in(scan, values):
    return [Measured(p, n, disorder_average(values(p)[:n])) for p, n in scan.wanted.items()]


def grow(scan, values):
    """All scans on the way, and the brackets of the last."""
    steps = [scan]
    while further := adaptive.refined(steps[-1], seen_in(steps[-1], values)):
        steps.append(further)
    return steps, adaptive.brackets(steps[-1], seen_in(steps[-1], values))


def holds(bracket, centre):
    return bracket.crosses and bracket.low.patterns < centre < bracket.high.patterns


NETWORKS = {
    "hopfield": lambda k: hs.hopfield(neurons=2000, patterns=k),
    "dense": lambda k: hs.dense(neurons=50, degree=3, indices="distinct", patterns=k),
    "exponential": lambda k: hs.exponential(neurons=30, patterns=k),
}


@pytest.mark.parametrize("law", NETWORKS)
@pytest.mark.parametrize("centre", [103.4, 276.5, 498.6])
def test_a_fall_without_noise_is_bracketed_as_asked(law, centre):
    scan = scan_of((point(NETWORKS[law](k)) for k in range(100, 501, 100)), width=0.0021)
    steps, (bracket,) = grow(scan, logistic(centre, 0.1))
    low, high = bracket.low, bracket.high
    assert bracket.converged
    assert holds(bracket, centre)
    assert high.load - low.load <= 0.0021
    assert max(low.error, high.error) <= 0.05
    added = [p.network.patterns for p in steps[-1].points[5:]]
    assert len(added) <= 2 * math.log2(100)
    assert all(100 * (centre // 100) < k < 100 * (centre // 100 + 1) for k in added)  # only where the curve falls
    extra = {p.network.patterns for p in steps[-1].extra}
    assert extra <= {low.patterns, high.patterns}  # other points are clear with few samples


def test_where_no_number_of_patterns_lies_between_the_bracket_is_as_narrow_as_it_can_be():
    _, (bracket,) = grow(hopfield_scan([10, 90], neurons=100, width=1e-6), logistic(36.5, 0.1))
    assert bracket.converged
    assert (bracket.low.patterns, bracket.high.patterns) == (36, 37)


def test_a_width_of_two_patterns_is_not_missed_by_rounding():
    for k in range(20, 60):
        scan = hopfield_scan([k, k + 2], neurons=200, width=0.01)
        steps, (bracket,) = grow(scan, logistic(k + 1.5, 0.1))
        assert bracket.converged
        assert len(steps[-1].points) == 2


def test_middles_are_middles_of_the_load():
    for make, middle in ((NETWORKS["dense"], 505), (NETWORKS["exponential"], 100)):
        first = scan_of([point(make(10)), point(make(1000))])
        further = adaptive.refined(first, seen_in(first, logistic(300, 1)))
        assert [p.network.patterns for p in further.points] == [10, 1000, middle]


def hits(centre, trials, **asked):
    """In how many noisy worlds the bracket holds the crossing, and in how many of those that converged."""
    ends = [grow(hopfield_scan(range(100, 501, 50), **asked), noisy(centre, 20, seed))[1][0] for seed in range(trials)]
    return sum(holds(b, centre) for b in ends), [holds(b, centre) for b in ends if b.converged]


def test_the_bracket_of_a_noisy_fall_holds_the_crossing(monkeypatch):
    """An end is on the wrong side with probability 0.023 a look; with several looks at both, 0.1 is generous: 32 hits
    of 40 or fewer have probability 0.04 at a rate of 0.9. Signs of the means alone are found out."""
    found, when_converged = hits(276.3, 40, width=0.01)
    assert found > 32
    assert len(when_converged) > 20
    assert sum(when_converged) > 0.8 * len(when_converged)
    monkeypatch.setattr(adaptive, "CLEAR", 0.0)
    assert hits(276.3, 40, width=0.01)[0] <= 32


def test_a_bracket_that_the_samples_cannot_narrow_stays_wide_and_says_so():
    steps, (bracket,) = grow(hopfield_scan(range(100, 501, 50)), noisy(276.3, 60, seed=3))
    assert holds(bracket, 276.3)
    assert not bracket.converged
    assert bracket.high.load - bracket.low.load > 0.002
    assert str(bracket).endswith("; width = 0.002 and error = 0.05 need more than samples_most = 512")
    assert max(steps[-1].wanted.values()) == 512
    assert max(bracket.inside[0].samples, bracket.inside[-1].samples) == 512


def test_a_point_on_the_wrong_side_by_chance_gets_samples_before_any_load_is_added():
    def values(p):
        unlucky = p.network.patterns in (150, 350)
        clean = logistic(276.3, 1)(p)
        return np.where(np.arange(clean.size) < 8, 1 - clean, clean) if unlucky else clean

    first = hopfield_scan(range(100, 501, 50))
    steps, (bracket,) = grow(first, values)
    told = next(k for k, step in enumerate(steps) if len(step.points) > len(first.points))
    assert told > 1
    assert {p.network.patterns for p in steps[told - 1].extra} == {150, 350}
    assert bracket.converged
    assert holds(bracket, 276.3)


@pytest.mark.parametrize("centre", [50, 800], ids=["all below", "all above"])
def test_no_crossing_is_said_and_adds_nothing(centre):
    steps, (bracket,) = grow(hopfield_scan(range(500, 99, -50)), logistic(centre, 5))
    assert len(steps) == 1
    assert (bracket.low.patterns, bracket.high.patterns) == (100, 500)
    assert not bracket.crosses
    assert not bracket.converged
    assert "retrieved does not fall through 0.5 between load 0.05 (" in str(bracket)


def test_a_curve_that_rises_and_a_curve_of_one_load_come_to_an_end():
    steps, (bracket,) = grow(hopfield_scan(range(100, 501, 50)), logistic(276.3, -5))
    assert not bracket.crosses
    assert len(steps[-1].points) == 9
    assert {p.network.patterns for p in steps[-1].extra} == {100, 500}
    steps, (bracket,) = grow(hopfield_scan([276]), noisy(276.3, 5, seed=1))
    assert not bracket.crosses
    assert len(steps[-1].points) == 1


def test_a_single_sample_is_no_certainty():
    _, (bracket,) = grow(hopfield_scan([100, 500], samples=1), logistic(276.3, 0.1))
    assert bracket.converged
    assert min(bracket.low.samples, bracket.high.samples) >= 18
    assert Measured(bracket.low.point, 1, disorder_average(np.ones(1))).error == pytest.approx(1 / 3)
    assert Measured(bracket.low.point, 4, Average(0.5, 0.3)).error == 0.3


def test_curves_are_refined_each_on_its_own_and_rows_may_come_in_any_order():
    shapes = {(n, t): (60 + n / 10 + 100 * t, 1 + 10 * t) for n in (1000, 2000) for t in (0.0, 0.2)}

    def values(p):
        centre, width = shapes[p.network.neurons, p.dynamics.temperature]
        return noisy(centre, width, seed=5)(p)

    values = cache(values)
    grid = [point(hs.hopfield(neurons=n, patterns=k), t) for n, t in shapes for k in range(20, 400, 60)]
    together, found = grow(scan_of(grid), values)
    rng = np.random.default_rng(0)
    for step, further in zip(together, [*together[1:], None], strict=True):
        shuffled = rng.permutation(np.array(seen_in(step, values), dtype=object)).tolist()
        assert adaptive.refined(step, shuffled) == further
    for bracket, (n, t) in zip(found, shapes, strict=True):
        own = [p for p in grid if (p.network.neurons, p.dynamics.temperature) == (n, t)]
        alone, (same,) = grow(scan_of(own), values)
        assert same == bracket
        assert holds(bracket, shapes[n, t][0])
        assert together[-1].wanted.items() >= alone[-1].wanted.items()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=8, unique=True),
    st.integers(1, 40),
    st.sampled_from([1e-6, 0.003, 0.05]),
    st.integers(0, 2**32),
)
def test_rounds_end_whatever_the_values_are(patterns, samples, width, seed):
    scan = hopfield_scan(patterns, samples, width=width, samples_most=64)
    for _ in range(10_000):
        values = {p: np.random.default_rng([seed, p.network.patterns]).uniform(0, 1, 64) for p in scan.points}
        further = adaptive.refined(scan, seen_in(scan, values.get))
        if further is None:
            break
        assert further.wanted.keys() >= scan.wanted.keys()
        assert any(further.wanted[p] > scan.wanted.get(p, 0) for p in further.points)
        assert all(further.wanted[p] >= n for p, n in scan.wanted.items())
        assert max(further.wanted.values()) <= max(64, samples)
        ks = [p.network.patterns for p in further.points]
        assert len(set(ks)) == len(ks)
        assert min(ks) == min(patterns)
        assert max(ks) == max(patterns)
        scan = further
    else:
        pytest.fail("the rounds do not end")


def test_every_point_gets_its_samples_and_no_run_comes_twice():
    scan = hopfield_scan([100, 200, 300], samples=2)
    scan = replace(scan, extra={scan.points[1]: 5})
    runs = [run for batch in scan.batches(set()) for run in batch]
    counts = Counter(run.network.patterns for run in runs)
    assert counts == {100: 2, 200: 5, 300: 2}
    assert scan.size == len(runs) == len(scan.keys())
    assert all({r.sample for r in runs if r.network.patterns == k} == set(range(n)) for k, n in counts.items())
    plain = Scan("test", "", scan.points, 2)
    assert scan.keys() >= plain.keys()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"observable": "energy"}, "observable must be one of overlap, retrieved, got 'energy'"),
        ({"level": 1.0}, "level must be between 0 and 1, got 1.0"),
        ({"width": 0.0}, "width must be between 0 and 1, got 0.0"),
        ({"error": -0.1}, "error must be between 0 and 1, got -0.1"),
        ({"error": math.nan}, "error must be a finite number, got nan"),
        ({"samples_most": 0}, "samples_most must be an integer >= 1, got 0"),
        ({"error": 0.01, "samples_most": 97}, "error = 0.01 needs samples_most >= 98, got 97"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_one_line(wrong, message):
    with pytest.raises(hs.Refused) as refused:
        replace(ASKED, **wrong)
    assert str(refused.value) == message


def test_samples_that_are_missing_or_too_many_and_shards_are_refused():
    scan = hopfield_scan([100, 200])
    seen = seen_in(scan, logistic(150, 1))
    for wrong in (seen[1:], [replace(seen[0], samples=7), seen[1]], [replace(seen[0], samples=9), seen[1]]):
        with pytest.raises(hs.Refused, match="some are missing"):
            adaptive.refined(scan, wrong)
    with pytest.raises(hs.Refused, match=r"cannot be run in shards, got 2/3"):
        replace(scan, shard=(2, 3))


def driven(scan, path):
    """What `hopsim run` does: run, grow, until nothing is left."""
    with Store.append_to(path, scan_name=scan.name, scan_text=scan.text) as store:
        scans.run(scan, store, executors.serial())
        while (further := adaptive.grown(scan, store)) != scan:
            scan = further
            scans.run(scan, store, executors.serial())
        return scan, adaptive.brackets(scan, adaptive.measured(scan, store))


def of_size(neurons, patterns, samples, **asked):
    return hopfield_scan(patterns, samples, neurons, **asked)


def test_the_points_do_not_depend_on_what_a_store_has_besides(tmp_path, monkeypatch):
    """The way is gone again from a store with the results of all rounds, of other samples and of another scan."""
    base = of_size(30, [1, 6, 11, 16], 4, width=0.04, error=0.1, samples_most=16)
    last, (bracket,) = driven(base, tmp_path / "a.h5")
    assert bracket.crosses
    assert len(last.points) > 4
    assert last.extra
    with Store.open(tmp_path / "a.h5") as store:
        assert adaptive.grown(base, store) == last
        assert {m.point: m.samples for m in adaptive.measured(base, store)} == base.wanted
        with monkeypatch.context() as later:
            later.setattr(provenance, "TRAJECTORY", provenance.TRAJECTORY + 1)
            assert adaptive.measured(base, store) == []
    others = [replace(base, samples=20), replace(base, points=tuple(replace(p, seed=2) for p in base.points))]
    for other in others:
        with Store.append_to(tmp_path / "b.h5", scan_name="other", scan_text="") as store:
            scans.run(Scan("other", "", other.points, other.samples), store, executors.serial())
    with Store.open(tmp_path / "b.h5") as store:
        assert not adaptive.is_complete(last, adaptive.measured(last, store))
    assert driven(base, tmp_path / "b.h5") == (last, [bracket])


def test_a_scan_interrupted_in_any_round_grows_to_the_same_points(tmp_path):
    class Impatient(executors._Serial):
        left = 20

        def submit(self, function, /, *args, **kwargs):
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            return super().submit(function, *args, **kwargs)

    base = of_size(30, [1, 6, 11, 16], 4, width=0.04, error=0.1, samples_most=16)
    unbroken = driven(base, tmp_path / "a.h5")
    sizes = set()
    for _ in range(200):
        with Store.append_to(tmp_path / "b.h5", scan_name="test", scan_text="") as store:
            scan = adaptive.grown(base, store)
            sizes.add(scan.size)
            try:
                scans.run(scan, store, Impatient())
            except KeyboardInterrupt:
                continue
            if adaptive.grown(scan, store) == scan:
                break
    assert len(sizes) > 3  # was stopped in several rounds
    assert (scan, adaptive.brackets(scan, adaptive.measured(scan, Store.open(tmp_path / "b.h5")))) == unbroken


def test_a_plain_scan_does_not_grow_and_brackets_come_with_all_results(tmp_path):
    base = of_size(30, [1, 16], 4, width=0.04, error=0.1, samples_most=16)
    plain = Scan("plain", "", base.points, 4)
    with Store.append_to(tmp_path / "a.h5", scan_name="test", scan_text="") as store:
        assert (adaptive.grown(plain, store), adaptive.bracketed(plain, store)) == (plain, [])
        assert (adaptive.grown(base, store), adaptive.bracketed(base, store)) == (base, [])
        scans.run(plain, store, executors.serial())
        assert adaptive.grown(plain, store) == plain
        further = adaptive.grown(base, store)
        assert further.size > base.size
        assert adaptive.bracketed(base, store) == []
    last, found = driven(base, tmp_path / "a.h5")
    assert len(found) == 1
    assert adaptive.bracketed(base, Store.open(tmp_path / "a.h5")) == found
    assert last.size > further.size


def test_the_bracket_of_a_small_network_holds_the_crossing_of_a_dense_scan(tmp_path):
    """The dense scan has other disorder; its crossing, on a straight line through 12 loads, is good to 0.5 patterns."""
    base = of_size(200, [10, 30, 50, 70, 90], 8, width=0.05, error=0.06, samples_most=256)
    last, (bracket,) = driven(base, tmp_path / "a.h5")
    assert bracket.converged
    assert last.size < 1000
    patterns = np.arange(30, 54, 2)
    dense = [replace(point(hs.hopfield(neurons=200, patterns=k)), seed=2) for k in patterns.tolist()]
    with Store.append_to(tmp_path / "b.h5", scan_name="dense", scan_text="") as store:
        scans.run(Scan("dense", "", tuple(dense), 60), store, executors.serial())
        columns, points = store.columns(), store.points()
        of_run = np.array([p.network.patterns for p in points])[columns["point"]]
    means = [columns["retrieved"][of_run == k].mean() for k in patterns]
    slope, offset = np.polyfit(patterns, means, 1)
    assert holds(bracket, (0.5 - offset) / slope)
