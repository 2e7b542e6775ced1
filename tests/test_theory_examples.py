"""Theory of learning from examples: gradients, limits, closed forms, published forms, and simulation at finite M."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import erf

import hopsim as hs
from hopsim.errors import Refused
from hopsim.interactions import Power, Quadratic, Rectified
from hopsim.networks import Law
from hopsim.statistics import disorder_average
from hopsim.theory import NotConverged, examples
from hopsim.theory.learning_site import Site, entries

BOTH = ("supervised", "unsupervised")


def law(quality, M, learning="supervised", dilution=0.0, interaction=Quadratic()):  # noqa: B008
    return Law(interaction, hs.Examples(quality, M, learning, dilution))


def majority(r, M):
    """P(more than half of M signs of mean r are right) - P(less than half)."""
    up = [math.comb(M, k) * ((1 + r) / 2) ** k * ((1 - r) / 2) ** (M - k) for k in range(M + 1)]
    return sum(p * np.sign(2 * k - M) for k, p in enumerate(up))


@pytest.mark.parametrize("interaction", [Quadratic(), Power(3, "all")], ids=repr)
def test_at_zero_temperature_a_neuron_follows_the_majority_of_its_examples(interaction):
    for r, M in ((0.3, 5), (0.3, 6), (0.6, 1), (0.1, 40)):
        exact = examples.solve(law(r, M, interaction=interaction), temperature=0)
        assert exact.order.m[0] == pytest.approx(majority(r, M), rel=1e-12)
        limit = examples.solve(law(r, M, interaction=interaction), temperature=0, average="gaussian")
        assert limit.order.m[0] == pytest.approx(erf(1 / math.sqrt(2 * examples.dataset_entropy(r, M))), rel=1e-12)


def test_one_archetype_from_all_sequences_of_examples():
    """n = E[η̄ tanh(β n η̄/R)] summed over all 2^5 sequences of errors: at the solution both sides agree."""
    r, M, T = 0.5, 5, 0.35
    R = r * r + (1 - r * r) / M
    order = examples.solve(law(r, M), temperature=T).order
    n = m = 0.0
    for errors in itertools.product((1, -1), repeat=M):
        weight = math.prod((1 + r * e) / 2 for e in errors)
        mean = sum(errors) / M
        answer = math.tanh(order.n[0] * mean / (R * T))
        n, m = n + weight * mean * answer, m + weight * answer
    assert order.n[0] == pytest.approx(n, rel=1e-10)
    assert order.m[0] == pytest.approx(m, rel=1e-10)
    assert order.m[0] > 0.5


def test_the_gaussian_form_is_that_of_the_source():
    """g = b(Σ ñξ + z√(ρ Σ ñ²ξ²)), ñ = m/(1 - bρ E[ξ² sech² g]), b = β/(1+ρ), by the trapezium rule over z."""
    r, M, d, T = 0.5, 12, 0.3, 0.12
    order = examples.solve(law(r, M, dilution=d), temperature=T, retrieved=2, average="gaussian").order
    rho = (1 - r * r) / (M * r * r)
    b, tilde = 1 / (T * (1 + rho)), np.array(order.n) / r
    z = np.linspace(-9, 9, 4001)
    w = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()
    m, slope = np.zeros(2), np.zeros(2)
    for xi in itertools.product((-1, 0, 1), repeat=2):
        x, weight = np.array(xi), math.prod(d if s == 0 else (1 - d) / 2 for s in xi)
        t = np.tanh(b * (tilde @ x + z * math.sqrt(rho * (tilde**2 @ x**2))))
        m, slope = m + weight * x * (w @ t), slope + weight * x**2 * (w @ (1 - t**2))
    np.testing.assert_allclose(order.m, m, rtol=1e-8)
    np.testing.assert_allclose(tilde, m / (1 - b * rho * slope), rtol=1e-8)
    assert 0.6 > order.m[0] > 2 * order.m[1] > 0.1


def test_the_exact_average_tends_to_the_gaussian_one_at_fixed_entropy():
    """ρ = ½: the difference of the overlaps falls like 1/M."""
    gaps = []
    for M in (25, 100):
        r = 1 / math.sqrt(1 + M / 2)
        exact, limit = (examples.solve(law(r, M), temperature=0.4, average=a).order.m[0] for a in ("exact", "gaussian"))
        gaps.append(abs(exact - limit))
    assert gaps[1] < 0.01
    assert gaps[0] / gaps[1] == pytest.approx(4, rel=0.3)


STATES_OF_ARCHETYPES = [(0.3, 0.05, Quadratic()), (0.0, 0.137, Quadratic()), (0.3, 0.01, Power(4, "all"))]


@pytest.mark.parametrize("learning", BOTH)
def test_examples_of_quality_one_are_archetypes(learning):
    for temperature, load, interaction in STATES_OF_ARCHETYPES:
        mine = examples.solve(law(1.0, 7, learning, interaction=interaction), load=load, temperature=temperature)
        known = hs.theory.solve(Law(interaction, hs.Rademacher()), load=load, temperature=temperature)
        assert mine.order.m[0] == pytest.approx(known.order.m, abs=1e-10)
        assert mine.order.n == pytest.approx(mine.order.m, abs=1e-12)
        for name in ("free_energy", "energy", "entropy"):
            assert getattr(mine, name) == pytest.approx(getattr(known, name), abs=1e-10)
    with pytest.raises(NotConverged):  # the capacity is 0.1379
        examples.solve(law(1.0, 7, learning), load=0.139, temperature=0)


def test_diluted_archetypes():
    """The hierarchy m_k = (1-d) d^(k-1) at low T, and the state of K = αN patterns with blanks."""
    hierarchy = examples.solve(law(1.0, 1, dilution=0.3), temperature=0.01, retrieved=3).order.m
    np.testing.assert_allclose(hierarchy, [0.7, 0.21, 0.063], atol=1e-6)
    loaded = examples.solve(law(1.0, 1, dilution=0.3), temperature=0.2, load=0.01)
    assert loaded.order.m[0] == pytest.approx(0.6907, abs=5e-5)
    for T, alive in ((0.69, True), (0.71, False)):  # ergodicity breaks at T = 1 - d, whatever r and M
        found = examples.solve(law(0.4, 9, dilution=0.3), temperature=T)
        assert (found.order.m[0] > 0.05) == alive


STATES = [
    (law(0.5, 6), 0.4, 0.0, 1, "exact"),
    (law(0.6, 3, dilution=0.25), 0.3, 0.0, 2, "exact"),
    (law(0.5, 8, dilution=0.25), 0.3, 0.0, 2, "gaussian"),
    (law(0.6, 20), 0.3, 0.03, 1, "exact"),
    (law(0.6, 20, "unsupervised"), 0.3, 0.03, 1, "exact"),
    (law(0.6, 20, "unsupervised", 0.1), 0.2, 0.02, 1, "gaussian"),
    (law(0.8, 8, "unsupervised", interaction=Power(3, "all")), 0.2, 0.01, 1, "exact"),
    (law(0.8, 8, "supervised", interaction=Power(4, "all")), 0.2, 0.01, 1, "exact"),
]


@pytest.mark.parametrize(("known", "T", "load", "retrieved", "average"), STATES, ids=str)
def test_the_equations_are_the_gradient_of_the_free_energy(known, T, load, retrieved, average):
    """Off the saddle ∂f/∂n̂ = (p-1) n̂^(p-2) (n̂ - E[x tanh]) at fixed C; at it, f is stationary in C too."""
    site = Site(known, entries(known.ensemble, retrieved, average), T)
    n, C, p = np.linspace(0.8, 0.3, retrieved), 0.4, known.interaction.degree
    step = 1e-5
    for at in range(retrieved):
        up, down = n.copy(), n.copy()
        up[at], down[at] = n[at] + step, n[at] - step
        slope = (site.free_energy(up, C, load) - site.free_energy(down, C, load)) / (2 * step)
        assert slope == pytest.approx((p - 1) * n[at] ** (p - 2) * (n - site.answer(n, C, load).n)[at], abs=1e-8)
    found = examples.solve(known, temperature=T, load=load, retrieved=retrieved, average=average)
    assert found.free_energy == pytest.approx(found.energy - T * found.entropy, abs=1e-11)
    n, C = np.array(found.order.n) / math.sqrt(site.strength), found.order.susceptibility
    slope = (site.free_energy(n, C + step, load) - site.free_energy(n, C - step, load)) / (2 * step)
    assert slope == pytest.approx(0, abs=1e-8)
    if load:
        far = (site.free_energy(n, C + 0.1, load) - site.free_energy(n, C + 0.1 - step, load)) / step
        assert abs(far) > 1e-5


def test_entropy_is_the_slope_of_the_free_energy():
    for known, T, load, retrieved, average in STATES:
        up, here, down = (
            examples.solve(known, temperature=T + x, load=load, retrieved=retrieved, average=average)
            for x in (1e-4, 0.0, -1e-4)
        )
        assert here.entropy == pytest.approx(-(up.free_energy - down.free_energy) / 2e-4, abs=1e-6)


def test_the_noise_of_unsupervised_learning():
    """From its covariance: v̂ = Σ eigenvalues of r² + (1-r²)δ_ab; its square is the k = 2 term of ζ̂ at C = 0."""
    r, M, q, C = 0.6, 9, 0.7, 0.4
    R = r * r + (1 - r * r) / M
    covariance = r * r + (1 - r * r) * np.eye(M)
    eigenvalues = np.linalg.eigvalsh(covariance / (R * M))
    expected = q * sum((eigenvalues / (1 - eigenvalues * C)) ** 2)
    noise = examples.noise(law(r, M, "unsupervised"))
    assert noise.variance(q, C) == pytest.approx(expected, rel=1e-12)
    assert examples.noise(law(r, M)).variance(q, C) == pytest.approx(q / (1 - C) ** 2, rel=1e-12)
    assert noise.variance(q, 0.0) == pytest.approx(q * (covariance**2).sum() / (R * M) ** 2, rel=1e-12)
    dense = examples.noise(law(r, M, "unsupervised", interaction=Power(3, "distinct")))
    zeta = 2 / 3 * (covariance**3).sum() / (M**2 * R**3)  # ((p-1)!/p) E[η_a η_b]^p, averaged over a, b
    assert dense.weights == pytest.approx((0, 0, 0, zeta), rel=1e-12)


def test_many_examples_leave_no_extra_noise():
    known = hs.theory.solve(Law(Quadratic(), hs.Rademacher()), load=0.05, temperature=0.2).order.m
    for learning in BOTH:
        m = [examples.solve(law(0.7, M, learning), load=0.05, temperature=0.2).order.m[0] for M in (20, 200, 3000)]
        assert m[0] < m[1] < m[2] < known
        assert m[2] == pytest.approx(known, abs=1e-3)


def test_the_threshold_is_where_the_signal_is_one_standard_deviation():
    for r in (0.2, 0.5, 0.9):
        assert examples.threshold(r) == pytest.approx((1 - r * r) / (r * r), rel=1e-14)
        samples = np.random.default_rng(1).binomial(50, (1 + r) / 2, 200_000) * 2 - 50
        spread = (samples / 50 / r).var()  # 4.5 standard errors of a variance: false-alarm rate 1e-5
        assert spread == pytest.approx(examples.threshold(r) / 50, rel=4.5 * math.sqrt(2 / 200_000))


def test_symmetry_is_the_curvature_towards_one_example():
    """f of two examples apart: ½ Σ n_a²/(RM) - T E ln 2cosh(Σ n_a η_a/(RMT)), by numbers along (1, -1)."""
    r, M, T = 0.7, 2, 0.4
    R = r * r + (1 - r * r) / M
    found = examples.solve(law(r, M, "unsupervised"), temperature=T)

    def f(shift):
        n = found.order.n[0] + shift * np.array([1, -1])
        total = (n**2).sum() / (2 * R * M)
        for errors in itertools.product((1, -1), repeat=M):
            weight = math.prod((1 + r * e) / 2 for e in errors)
            total -= weight * T * math.log(2 * math.cosh(n @ errors / (R * M * T)))
        return total

    assert f(0) == pytest.approx(found.free_energy, abs=1e-12)
    curvature = (f(1e-3) - 2 * f(0) + f(-1e-3)) / 1e-6
    assert found.symmetry == pytest.approx(curvature * R * M / 2, rel=1e-4)
    assert examples.solve(law(0.1, 2, "unsupervised"), temperature=0.3).symmetry < 0  # two patterns rather than one
    assert examples.solve(law(r, M), temperature=T).symmetry is None


def test_alone_is_the_curvature_towards_a_second_archetype():
    """At T = 0.1 two examples of r = 0.7 leave half of the neurons undecided, and a second archetype takes them."""
    for T, M, decided in ((0.4, 8, True), (0.1, 2, False)):
        found = examples.solve(law(0.7, M), temperature=T)
        site = Site(law(0.7, M), entries(law(0.7, M).ensemble, 2, "exact"), T)
        n, step = found.order.n[0] / math.sqrt(site.strength), 1e-3
        f = [site.free_energy(np.array([n, x]), 0.0, 0.0) for x in (-step, 0.0, step)]
        assert found.alone == pytest.approx((f[0] - 2 * f[1] + f[2]) / step**2, rel=1e-3)
        both = examples.solve(law(0.7, M), temperature=T, retrieved=2, start=(0.8, 0.1)).order.m
        assert (found.alone > 0) == decided == (both[1] < 1e-6)


# --- against simulation, of which this theory knows nothing ---


def simulated(network, temperature, samples, protocol):
    runs = [hs.Run(network, hs.Glauber(temperature=temperature), protocol, 1, sample) for sample in range(samples)]
    return [hs.simulate(run) for run in runs]


@pytest.mark.parametrize("learning", BOTH)
def test_the_exact_average_is_what_a_network_does_at_small_M(learning):
    """r = 0.5, M = 3, T = 0.3: within 4.4 standard errors, and the Gaussian form beyond them."""
    network = hs.hopfield(neurons=1500, patterns=2, ensemble=hs.Examples(0.5, 3, learning))
    records = simulated(network, 0.3, 40, hs.Protocol(1.0, 15, 30))
    overlap = disorder_average(np.array([record.overlap.mean() for record in records]))
    of_examples = disorder_average(np.array([record.example_overlap.mean() for record in records]))
    exact, limit = (examples.solve(network.law, temperature=0.3, average=a).order for a in ("exact", "gaussian"))
    assert abs(overlap.value - exact.m[0]) < 4.4 * overlap.error
    assert abs(of_examples.value - exact.n[0]) < 4.4 * of_examples.error
    assert abs(overlap.value - limit.m[0]) > 4.4 * overlap.error


def test_high_load_tells_supervised_from_unsupervised_learning():
    """K = 0.03 N, r = 0.4, M = 40, the same examples in both: the overlaps, and their difference sample by sample."""
    overlaps, predicted = [], []
    for learning in BOTH:
        network = hs.hopfield(neurons=1500, load=0.03, ensemble=hs.Examples(0.4, 40, learning))
        records = simulated(network, 0.1, 16, hs.Protocol(1.0, 40, 20))
        overlaps.append(np.array([record.overlap.mean() for record in records]))
        predicted.append(examples.solve(network.law, load=network.load, temperature=0.1).order.m[0])
    for seen, expected in zip(overlaps, predicted, strict=True):
        average = disorder_average(seen)
        assert abs(average.value - expected) < 4.4 * average.error
    difference = disorder_average(overlaps[0] - overlaps[1])
    assert abs(difference.value - (predicted[0] - predicted[1])) < 4.4 * difference.error
    assert difference.value > 4.4 * difference.error


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: examples.solve(law(0.3, 2), load=0.1, temperature=0.2),
            NotConverged,
            "the branch ends at load .*; lower load",
        ),
        (lambda: examples.solve(Law(Quadratic(), hs.Rademacher()), temperature=0.2), Refused, "got Rademacher"),
        (lambda: examples.solve(law(0.5, 2), temperature=-1), Refused, "temperature must be .*, got -1"),
        (lambda: examples.solve(law(0.5, 2), temperature=1, average="mean"), Refused, "\"gaussian\", got 'mean'"),
        (lambda: examples.solve(law(0.5, 200), temperature=1, retrieved=3), Refused, 'use average = "gaussian"'),
        (lambda: examples.solve(law(0.5, 2), temperature=1, retrieved=2, start=[1]), Refused, "each of 2 .* got 1"),
        (lambda: examples.solve(law(0.5, 2, interaction=Rectified(3)), temperature=1), Refused, "got Rectified"),
        (
            lambda: examples.solve(law(0.5, 2, interaction=Power(3, "distinct")), temperature=1),
            Refused,
            'needs indices = "all"',
        ),
    ],
)
def test_refusals(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_solutions_are_plain_numbers():
    found = examples.solve(law(0.5, 6, "unsupervised"), temperature=0.4, load=0.01)
    assert all(type(x) is float for x in (*found.order.m, *found.order.n, found.order.q, found.free_energy))
    assert replace(found) == found
