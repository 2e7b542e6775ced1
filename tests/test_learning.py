"""Learning from examples in simulation: what is drawn, exact energies and flip costs, observables, refusals."""

import itertools
import math
from pathlib import Path

import matplotlib as mpl
import naive
import numpy as np
import pytest

import hopsim as hs
from hopsim import observables, provenance, representations, scan_file, states
from hopsim.comparison import predicted_overlap, tabulate
from hopsim.errors import Refused
from hopsim.figures import learning, losses
from hopsim.interactions import Power, Quadratic
from hopsim.networks import Law, Network, Quenched
from hopsim.rng import Purpose, keys, stream
from hopsim.simulation import Point
from hopsim.store import Outcome, Store

mpl.use("Agg")
BOTH = ("supervised", "unsupervised")
POWERS = (Quadratic(), Power(3, "all"), Power(4, "all"))


def quench(interaction, ensemble, N=8, K=3, seed=0):
    return Network(Law(interaction, ensemble), N, K).quench(np.random.default_rng(seed))


def hamiltonian(quenched, spins):
    """E of the published definitions from all entries, the diagonal of degree 2 left out, up to no constant."""
    ensemble, interaction = quenched.network.law.ensemble, quenched.network.law.interaction
    N, p, M = quenched.network.neurons, interaction.degree, ensemble.examples
    R = ensemble.quality**2 + (1 - ensemble.quality**2) / M
    columns = quenched.learned.astype(float).T
    rows = columns / M if ensemble.supervised else columns
    copies = 1 if ensemble.supervised else M
    energy = -sum((row @ spins) ** p for row in rows) / (p * N ** (p - 1) * R ** (p / 2) * copies)
    own = sum((row @ row) for row in rows) / (2 * N * R * copies) if p == 2 else 0.0
    return energy + own


# --- what is drawn ---


def test_examples_are_archetypes_with_independent_errors():
    """False-alarm rate 1e-5: the mean of 120000 products ±1 lies within 4.4 standard errors of r."""
    quenched = quench(Quadratic(), hs.Examples(0.4, 20, "unsupervised", dilution=0.25), N=400, K=20)
    archetypes, examples = quenched.patterns, quenched.learned.reshape(400, 20, 20)
    assert ((archetypes == 0)[:, :, None] == (examples == 0)).all()
    products = (archetypes[:, :, None] * examples)[archetypes != 0].astype(float)
    assert abs(products.mean() - 0.4) < 4.4 * math.sqrt((1 - 0.4**2) / products.size)
    pairs = (products[:, 0] * products[:, 1]).mean()
    assert abs(pairs - 0.4**2) < 4.4 / math.sqrt(len(products))
    assert abs((archetypes == 0).mean() - 0.25) < 4.4 * math.sqrt(0.25 * 0.75 / 8000)


def test_both_ways_of_learning_see_the_same_examples_of_the_same_archetypes():
    apart = quench(Quadratic(), hs.Examples(0.6, 5, "unsupervised", 0.3))
    summed = quench(Quadratic(), hs.Examples(0.6, 5, "supervised", 0.3))
    np.testing.assert_array_equal(apart.patterns, summed.patterns)
    np.testing.assert_array_equal(apart.learned.reshape(8, 3, 5).sum(axis=2), summed.learned)
    np.testing.assert_array_equal(apart.patterns, quench(Quadratic(), hs.Examples(0.9, 2, "supervised", 0.3)).patterns)


def test_examples_of_quality_one_are_the_archetypes_themselves():
    """The energy is that of the network that stores the archetypes."""
    for way, interaction in itertools.product(BOTH, POWERS):
        quenched = quench(interaction, hs.Examples(1.0, 3, way, 0.2))
        plain = Quenched(Network(Law(interaction, hs.Diluted(0.2)), 8, 3), quenched.patterns)
        spins = naive.all_states(8)
        here = quenched.energy_density(quenched.overlaps(spins))
        np.testing.assert_allclose(here, plain.energy_density(plain.overlaps(spins)), rtol=0, atol=1e-13)


# --- energies and motion ---


@pytest.mark.parametrize("way", BOTH)
@pytest.mark.parametrize("interaction", POWERS, ids=repr)
@pytest.mark.parametrize("M", [1, 4, 5])
def test_energy_is_that_of_the_definition_and_zero_on_average(way, interaction, M):
    """All 256 states: differences by the definition, the mean over all states is the zero of energy."""
    quenched = quench(interaction, hs.Examples(0.5, M, way, dilution=0.3))
    spins = naive.all_states(8)
    energies = 8 * quenched.energy_density(quenched.overlaps(spins))
    expected = np.array([hamiltonian(quenched, s) for s in spins.astype(float)])
    assert energies.mean() == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(energies, expected - expected.mean(), rtol=0, atol=1e-12)


def weighted_cost(interaction, sums, spins, site):
    """Integer cost of a flip from all entries; G = M²/4 and M^p."""
    total = [
        sum(sum(int(x) * s for x, s in zip(column, state, strict=True)) ** interaction.degree for column in sums.T)
        for state in (spins, naive.flipped(spins, site))
    ]
    return (total[0] - total[1]) // 4 if interaction.degree == 2 else total[0] - total[1]


@pytest.mark.parametrize("interaction", POWERS, ids=repr)
@pytest.mark.parametrize("synchronous", [False, True])
def test_kernels_of_sums_follow_the_readable_twin(interaction, synchronous):
    """Thresholds drawn on the grid of the costs, one above half of them: equal flips, spins and overlaps."""
    quenched = quench(interaction, hs.Examples(0.5, 7, "supervised", dilution=0.2), N=9, K=4)
    rng = np.random.default_rng(5)
    layouts = [quenched.representation]
    if interaction == Quadratic():
        assert isinstance(layouts[0], representations.Couplings)
        layouts.append(representations.Weighted(quenched.levels, quenched.learned))
    for layout in layouts:
        spins = rng.choice((-1, 1), 9).astype(np.int8)
        overlaps, twin = quenched.overlaps(spins), spins.tolist()
        order, sweeps, flips = np.arange(9, dtype=np.int32)[None], 12, 0
        thresholds = rng.integers(-400, 1200, (sweeps, 9)).astype(np.float32)
        seen, seen_overlaps = np.empty((sweeps, 9), np.int8), np.empty((sweeps, 4), np.int32)
        moved = naive.move(layout, spins, overlaps, order, thresholds, synchronous, 1, 0, seen, seen_overlaps)
        for sweep in range(sweeps):
            if synchronous:
                costs = [weighted_cost(interaction, quenched.learned, twin, i) for i in range(9)]
                chosen = [i for i in range(9) if costs[i] < thresholds[sweep, i]]
                twin, flips = [-s if i in chosen else s for i, s in enumerate(twin)], flips + len(chosen)
            else:
                for i in range(9):
                    if weighted_cost(interaction, quenched.learned, twin, i) < thresholds[sweep, i]:
                        twin, flips = naive.flipped(twin, i), flips + 1
            assert seen[sweep].tolist() == twin
        assert moved == flips
        assert 0 < flips < 9 * sweeps
        np.testing.assert_array_equal(seen_overlaps, seen.astype(int) @ quenched.learned.astype(int))


def test_couplings_of_sums_widen_to_64_bits_and_decide_alike():
    """Sums of 30000 equal examples: J reaches 2e9, fields 1e10; the trajectory is that of the archetypes."""
    loud = quench(Quadratic(), hs.Examples(1.0, 30000, "supervised"), N=12, K=3)
    plain = Quenched(Network(Law(Quadratic(), hs.Rademacher()), 12, 3), loud.patterns)
    assert loud.representation.couplings.dtype == np.int64
    rule, drawn = hs.Glauber(temperature=0.8), keys(1, 2, 12, 3, temperature=0.8, replica=0)
    traces = []
    for quenched in (loud, plain):
        state = states.random(quenched, np.random.default_rng(3))
        traces.append(rule.advance(state, quenched, drawn, 0, 40, 1))
    assert traces[0].flips > 20
    np.testing.assert_array_equal(traces[0].states.spins, traces[1].states.spins)


def test_one_example_is_one_pattern_in_both_ways():
    """M = 1: the same energy from sums and from examples, on different kernels, hence the same records."""
    for interaction in (Quadratic(), Power(3, "all")):
        records = []
        for way in BOTH:
            network = Network(Law(interaction, hs.Examples(0.7, 1, way)), 40, 3)
            records.append(hs.simulate(hs.Run(network, hs.Glauber(temperature=0.5), hs.Protocol(1.0, 5, 20), 1, 0)))
        for name in ("overlap", "example_overlap", "acceptance"):
            np.testing.assert_array_equal(getattr(records[0], name), getattr(records[1], name))
        np.testing.assert_allclose(records[0].energy, records[1].energy, rtol=1e-14)


# --- observables ---


@pytest.mark.parametrize("way", BOTH)
def test_records_hold_the_overlap_with_archetype_and_examples(way):
    network = hs.hopfield(neurons=60, patterns=3, ensemble=hs.Examples(0.6, 5, way, dilution=0.1))
    run = hs.Run(network, hs.Glauber(temperature=0.4), hs.Protocol(0.8, 0, 6, replicas=2), seed=3, sample=1)
    quenched, record = run.quench(), hs.simulate(run)
    state = states.cue(quenched, 0, 0.8, stream(3, 1, Purpose.INITIAL, 60, 3, 1))
    drawn = keys(3, 1, 60, 3, temperature=0.4, replica=1)
    seen = run.dynamics.advance(state, quenched, drawn, 0, 6, 1).states.spins.astype(int)
    np.testing.assert_array_equal(record.overlap[1], seen @ quenched.patterns[:, 0] / 60)
    examples = quench_examples(run)[:, 0]
    np.testing.assert_allclose(record.example_overlap[1], (seen @ examples / 60).mean(axis=1), rtol=1e-14)
    assert record.summary()["example_overlap"] == pytest.approx(record.example_overlap.mean())
    sites = np.count_nonzero(quenched.patterns[:, 0])
    np.testing.assert_allclose(record.cue_overlap, 0.8, rtol=0, atol=1.01 / sites)


def quench_examples(run):
    """int8[N, K, M], the same in both ways of learning."""
    ensemble = run.network.law.ensemble
    apart = hs.Examples(ensemble.quality, ensemble.examples, "unsupervised", ensemble.dilution)
    network = Network(Law(run.network.law.interaction, apart), run.network.neurons, run.network.patterns)
    learned = hs.Run(network, run.dynamics, run.protocol, run.seed, run.sample).quench().learned
    return learned.reshape(run.network.neurons, run.network.patterns, -1)


@pytest.mark.parametrize(
    "ensemble",
    [hs.Rademacher(), hs.Diluted(0.4), *(hs.Examples(0.6, 4, way, d) for way in BOTH for d in (0.0, 0.3))],
    ids=repr,
)
def test_cost_is_losses_in_parallel(ensemble):
    """-H/N = (s/2) Σ_μ [((1 + n_μ/N)/2)² - L+ L-] with losses from squared distances and H from all couplings."""
    quenched = quench(Quadratic(), ensemble, N=7, K=3)
    spins = naive.all_states(7)
    state = states.of_spins(quenched, spins)
    supervised = isinstance(ensemble, hs.Examples) and ensemble.supervised
    vectors = quenched.learned / (4 if supervised else 1)
    R = 0.6**2 + (1 - 0.6**2) / 4
    s = 1.0 if not isinstance(ensemble, hs.Examples) else 1 / R if supervised else 1 / (4 * R)
    J = s * vectors @ vectors.T / 7
    H = -np.einsum("si,ij,sj->s", spins, J, spins) / 2
    np.testing.assert_allclose(observables.cost(state, quenched), H / 7, rtol=0, atol=1e-13)
    distances = [((vectors.T[None] + sign * spins[:, None]) ** 2).sum(axis=2) / 14 for sign in (1, -1)]
    for mine, expected in zip(observables.losses(state, quenched), distances, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-13)
    constant = ((1 + (vectors**2).sum(axis=0) / 7) / 2) ** 2
    np.testing.assert_allclose(-H / 7, s / 2 * (constant - distances[0] * distances[1]).sum(axis=1), atol=1e-13)


# --- records, stores, figures ---


def test_points_survive_json_and_stores(tmp_path):
    points = [
        Point(hs.hopfield(neurons=40, patterns=2, ensemble=hs.Examples(0.8, M, way)), hs.Glauber(temperature=0.1), P, 1)
        for way in BOTH
        for M in (4, 12)
    ]
    assert len({provenance.key(point) for point in points}) == 4
    for point in points:
        assert provenance.point_of(provenance.canonical(point), {}) == point
    assert points[1].parameters["examples"] == 12
    with Store.append_to(tmp_path / "r.h5", scan_name="s", scan_text="") as store:
        runs = [hs.Run(p.network, p.dynamics, p.protocol, p.seed, k) for p in points for k in range(3)]
        store.append([Outcome(run, hs.simulate(run).summary()) for run in runs])
        rows = tabulate(store)
    assert {row.point for row in rows} == set(points)
    assert all(row.averages["example_overlap"].error > 0 for row in rows)
    known = [hs.theory.examples.solve(p.network.law, load=0.05, temperature=0.1).order.m[0] for p in points]
    np.testing.assert_array_equal([predicted_overlap(point) for point in points], known)
    data = learning.collect(rows)
    assert sorted((c.quality, c.learning, *c.examples) for c in data.points) == [
        (0.8, "supervised", 4.0, 12.0),
        (0.8, "unsupervised", 4.0, 12.0),
    ]
    for against in ("examples", "entropy"):
        figure = learning.draw(data, against)
        assert figure.axes[0].get_xscale() == "log"
    drawn = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2 and line.get_marker() == "o"]
    np.testing.assert_allclose(drawn[0].get_xdata(), [0.5625 / 4, 0.5625 / 12])


P = hs.Protocol(1.0, 5, 10)


def test_a_trajectory_that_lowers_the_cost_lowers_the_losses():
    """The figure's data obey the identity at every sweep, so that both minima are at one sweep."""
    run = hs.Run(hs.multitasking(neurons=200, dilution=0.2, patterns=3), hs.SignUpdate(), P, seed=2, sample=0)
    data = losses.collect(run, 8)
    sizes = np.count_nonzero(run.quench().patterns, axis=0)
    constant = ((1 + sizes / 200) / 2) ** 2
    np.testing.assert_allclose(-data.cost, (constant.sum() - data.product) / 2, rtol=0, atol=1e-13)
    assert (np.diff(data.cost) <= 1e-13).all()
    assert data.cost[-1] < data.cost[0]
    assert data.cost.argmin() == data.product.argmin()
    figure = losses.draw(data)
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), data.cost)


SCAN = """
[network]
kind = "{kind}"
neurons = 50
patterns = 2
quality = [0.4, 0.8]
examples = [3, 9]
{more}
[dynamics]
rule = "sign"
[protocol]
cue_overlap = 1.0
equilibrate = 1
measure = 1
[scan]
samples = 1
seed = 1
"""


def scanned(kind, more):
    scan = scan_file.parse(SCAN.format(kind=kind, more=more), name="s", folder=Path())
    return [point.network for point in scan.points]


def test_scan_files_know_learning():
    networks = scanned("multitasking", 'dilution = 0.2\nlearning = "both"')
    grid = itertools.product((0.4, 0.8), (3, 9), BOTH)
    assert networks == [hs.multitasking(neurons=50, patterns=2, dilution=0.2, ensemble=hs.Examples(*x)) for x in grid]
    dense = scanned("dense", 'degree = 3\nindices = "all"\nlearning = "supervised"')
    assert [n.law.ensemble for n in dense] == [hs.Examples(r, M, "supervised") for r in (0.4, 0.8) for M in (3, 9)]


# --- refusals ---


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hs.Examples(0.0, 5, "supervised"), r"0 < quality <= 1, got 0\.0"),
        (lambda: hs.Examples(1.2, 5, "supervised"), r"0 < quality <= 1, got 1\.2"),
        (lambda: hs.Examples(0.5, 0, "supervised"), "examples must be an integer from 1 to 32767, got 0"),
        (lambda: hs.Examples(0.5, 5, "reinforced"), '"supervised" or "unsupervised", got \'reinforced\''),
        (lambda: hs.Examples(0.5, 5, "supervised", 1.0), r"dilution < 1, got 1\.0"),
        (
            lambda: hs.dense(
                neurons=9, degree=3, indices="distinct", patterns=2, ensemble=hs.Examples(0.5, 5, "supervised")
            ),
            'degree 3 needs indices = "all": averaged examples are not ±1',
        ),
        (
            lambda: hs.exponential(neurons=9, patterns=2, ensemble=hs.Examples(0.5, 5, "supervised")),
            r"needs F = m²/2 or m\^p/p, got Exponential",
        ),
        (
            lambda: Quenched(hs.hopfield(neurons=3, patterns=2, ensemble=hs.Examples(0.5, 5, "unsupervised")), ONES),
            r"shape \(3, 10\), got \(3, 2\)",
        ),
        (
            lambda: quench(Power(8, "all"), hs.Examples(1.0, 3000, "supervised"), N=50).representation,
            "overflows 64-bit .* degree or examples",
        ),
        (
            lambda: observables.example_overlap(states.State(ONES.T, ONES.T), quench(Quadratic(), hs.Rademacher()), 0),
            r"learns from Examples, got Rademacher\(\)",
        ),
        (
            lambda: observables.cost(states.State(ONES.T, ONES.T), quench(Power(3, "all"), hs.Rademacher())),
            "cost and losses need F = m²/2, got Power",
        ),
        (
            lambda: hs.theory.solve(Law(Quadratic(), hs.Examples(0.5, 5, "supervised")), load=0.1, temperature=0),
            "its own",
        ),
        (
            lambda: hs.hopfield(neurons=10**6, patterns=2, ensemble=hs.Examples(0.5, 3000, "supervised")),
            "times examples must be at most 2147483647, got 3000000000; lower examples",
        ),
        (lambda: learning.collect([]), "nothing to draw"),
        (
            lambda: scanned("hopfield", 'learning = "reinforced"'),
            "learning must be one of supervised, unsupervised, both",
        ),
        (lambda: scanned("hopfield", 'learning = "both"\nbias = 0.1'), "draws its own archetypes; remove bias"),
        (lambda: scanned("hopfield", ""), 'examples and quality need learning = "supervised"'),
        (lambda: scanned("log_sum_exp", 'sharpness = 1\nlearning = "both"'), "needs F = m²/2"),
    ],
)
def test_refusals_name_the_value_and_the_way_out(make, message):
    with pytest.raises(Refused, match=message):
        make()


ONES = np.ones((3, 2), dtype=np.int8)
