"""Softmax memories: retrieval, energy, fixed points, bounds and storage, each against a second route."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from hopsim.continuous import bounds
from hopsim.continuous.fixed_points import (
    cluster_weights,
    clusters,
    fixed_points,
    jacobian,
    largest_eigenvalue,
    simplex_count,
    simplex_fold,
    simplex_weight,
    single_until,
    support,
    types,
)
from hopsim.continuous.softmax import Memory
from hopsim.continuous.storage import SoftmaxCues, SoftmaxNetwork, SoftmaxUpdates, measure, patterns_at
from hopsim.errors import Refused
from hopsim.kernels.softmax import weigh

EXTREMES = (1e-6, 0.3, 2.0, 40.0, 1e5)


def drawn(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def plain(patterns, states, beta, values=None):
    """The formula with all scores at once."""
    return special.softmax(beta * states @ patterns.T, axis=-1) @ (patterns if values is None else values)


@pytest.mark.parametrize(("K", "Q", "N"), [(1, 1, 1), (7, 3, 5), (512, 256, 3), (1300, 600, 9)])
@pytest.mark.parametrize("beta", EXTREMES)
def test_update_is_the_formula(K, Q, N, beta):
    patterns, states = drawn(1, K, N), drawn(2, Q, N)
    np.testing.assert_allclose(Memory(patterns, beta).update(states), plain(patterns, states, beta), atol=1e-9)


def test_values_are_read_in_any_shape():
    keys, values, queries = drawn(1, 700, 4), drawn(2, 700, 6), drawn(3, 2, 5, 4)
    memory = Memory(keys, 1.5, values)
    np.testing.assert_allclose(memory.read(queries), plain(keys, queries, 1.5, values), atol=1e-13)
    np.testing.assert_allclose(memory.read(queries[0, 0]), plain(keys, queries[0, 0], 1.5, values), atol=1e-13)
    np.testing.assert_allclose(memory.weights(queries), special.softmax(1.5 * queries @ keys.T, axis=-1), atol=1e-15)


def test_float32_stays_and_is_as_good_as_its_digits():
    patterns, states = drawn(1, 3000, 32), drawn(2, 40, 32)
    found = Memory(patterns.astype(np.float32), 0.2).update(states.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, plain(patterns, states, 0.2), atol=2e-6)


@pytest.mark.parametrize(("kind", "low"), [(np.float64, -680.0), (np.float32, -85.0)])
def test_weights_to_the_last_digits(kind, low):
    scores = np.linspace(low, 0, 100_001).astype(kind)[None]
    weights, total = scores.copy(), np.zeros(1)
    weigh(weights, np.zeros(1, kind), total)
    exact = np.exp(scores.astype(np.longdouble))
    assert np.abs(weights / exact - 1).max() < 2 * np.finfo(kind).eps
    assert total[0] == pytest.approx(float(exact.sum()), rel=4 * float(np.finfo(kind).eps))


def test_the_score_matrix_never_exists():
    memory, states = Memory(drawn(1, 20_000, 8), 0.5), drawn(2, 1500, 8)
    memory.update(states[:2])
    tracemalloc.start()
    memory.update(states)
    memory.energy(states)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 20_000 * 1500 / 40


def test_gradient_is_that_of_the_energy():
    memory, step = Memory(drawn(1, 9, 5), 0.8), 1e-5
    for state in drawn(2, 4, 5):
        moved = state + step * np.concatenate([np.eye(5), -np.eye(5)])
        energies = memory.energy(moved)
        np.testing.assert_allclose(memory.gradient(state), (energies[:5] - energies[5:]) / (2 * step), atol=1e-8)


def test_energy_is_the_formula_and_within_its_bounds():
    patterns, beta = drawn(1, 30, 6), 0.7
    memory, M = Memory(patterns, beta), np.linalg.norm(patterns, axis=1).max()
    inside = special.softmax(3 * drawn(2, 200, 30), axis=1) @ patterns
    formula = (
        -special.logsumexp(beta * inside @ patterns.T, axis=1) / beta
        + (inside**2).sum(axis=1) / 2
        + math.log(30) / beta
        + M**2 / 2
    )
    np.testing.assert_allclose(memory.energy(inside), formula, rtol=1e-12)
    assert (formula >= 0).all()
    assert (formula <= 2 * M**2).all()


@pytest.mark.parametrize("beta", EXTREMES)
def test_no_update_raises_the_energy(beta):
    for seed in range(5):
        memory, states = Memory(drawn(seed, 40, 6), beta), 2 * drawn(seed + 9, 50, 6)
        energies = [memory.energy(states)]
        for _ in range(15):
            states = memory.update(states)
            energies.append(memory.energy(states))
        assert (np.diff(energies, axis=0) <= 1e-13 * memory.radius**2 + 1e-15 / beta).all()


def test_settled_states_are_fixed_points_and_others_are_told():
    memory = Memory(drawn(1, 12, 6), 1.0)
    ends = memory.settle(drawn(2, 3, 20, 6))
    assert ends.settled.all()
    assert ends.settled.shape == ends.updates.shape == (3, 20)
    assert np.abs(memory.gradient(ends.states)).max() < 1e-10
    early = memory.settle(drawn(2, 3, 20, 6), most=2)
    assert not early.settled.all()
    assert (early.updates == 2).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Memory(np.ones(3), 1.0), r"patterns must be a matrix with a row each, got shape \(3,\)"),
        (lambda: Memory(np.array([[1.0, np.nan]]), 1.0), "patterns must be finite, got nan or inf"),
        (lambda: Memory(np.ones((2, 2)), 0.0), "beta must be > 0, got 0.0"),
        (lambda: Memory(np.ones((2, 2)), 1.0, np.ones((3, 1))), "needs as many values, got 3"),
        (lambda: Memory(np.ones((2, 2)), 1.0).update(np.ones(3)), r"are \[\.\.\., 2\], got shape \(3,\)"),
        (lambda: Memory(np.ones((2, 2)), 1e29).update(np.full(2, 1e5)), "scores β x·ξ must be below 1e\\+30"),
        (lambda: Memory(np.ones((2, 2)), 1.0).update([1.0, np.inf]), "scores β x·ξ must be below 1e\\+30"),
        (lambda: Memory(np.ones((2, 2)), 1.0).update([1.0, np.nan]), "scores β x·ξ must be below 1e\\+30"),
        (lambda: Memory(np.ones((2, 2)), 1.0).read(np.ones(2)), "without values has nothing to read"),
    ],
)
def test_memories_refuse(call, message):
    with pytest.raises(Refused, match=message):
        call()


# fixed points


def test_support_counts_what_carries_the_share():
    memory = Memory(np.eye(4), 1.0)
    states = np.log([[0.97, 0.01, 0.01, 0.01], [0.5, 0.3, 0.15, 0.05], [0.25, 0.25, 0.25, 0.25]])
    assert support(memory, states).tolist() == [1, 3, 4]
    assert support(memory, states, share=0.6).tolist() == [1, 2, 3]
    assert types([1, 2, 3, 5, 6, 10], 10).tolist() == ["single", *["metastable"] * 3, "global", "global"]


def test_jacobian_is_the_derivative_of_an_update():
    memory, state, step = Memory(drawn(1, 8, 4), 0.9), drawn(2, 4), 1e-6
    moved = memory.update(state + step * np.concatenate([np.eye(4), -np.eye(4)]))
    found = jacobian(memory, state)
    np.testing.assert_allclose(found, (moved[:4] - moved[4:]) / (2 * step), atol=1e-8)
    assert largest_eigenvalue(memory, state) == pytest.approx(np.linalg.eigvalsh(found)[-1], rel=1e-12)


def test_below_four_over_the_square_of_the_diameter_there_is_one():
    for seed in range(5):
        patterns = drawn(seed, 6, 3)
        widest = max(((a - b) ** 2).sum() for a, b in itertools.combinations(patterns, 2))
        assert single_until(Memory(patterns, 1.0)) == pytest.approx(4 / widest, rel=1e-12)
        found = fixed_points(Memory(patterns, 0.99 * 4 / widest), 3 * drawn(seed + 50, 40, 3))
        assert len(found.states) == 1
        assert found.starts.tolist() == [40]
    far = Memory(patterns, 1e-6)
    np.testing.assert_allclose(far.settle(np.zeros(3)).states, patterns.mean(axis=0), atol=1e-4)


def test_two_patterns_are_a_mean_field_magnet():
    patterns = drawn(3, 2, 5)
    patterns *= 2 / np.linalg.norm(patterns, axis=1, keepdims=True)
    apart = patterns[0] - patterns[1]
    critical = 4 / (apart @ apart)
    starts = patterns.mean(axis=0) + drawn(4, 30, 1) * apart
    for ratio in (0.5, 0.95, 1.1, 3.0):
        memory = Memory(patterns, ratio * critical)
        found = fixed_points(memory, starts)
        assert len(found.states) == (1 if ratio < 1 else 2)
        assert found.stable.all()
        m = 0.0 if ratio < 1 else optimize.brentq(lambda m, b=ratio: math.tanh(b * m) - m, 1e-6, 1)
        measured = np.sort((found.states - patterns.mean(axis=0)) @ apart / (apart @ apart) * 2)
        np.testing.assert_allclose(measured, [0.0] if ratio < 1 else [-m, m], atol=1e-9)
    # at β_c the mean is marginal
    assert largest_eigenvalue(Memory(patterns, critical), patterns.mean(axis=0)) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("K", [3, 5, 8])
def test_simplices_have_as_many_fixed_points_as_theory_says(K):
    rng, separation = np.random.default_rng(K), 0.6
    patterns = clusters(K + 4, number=1, size=K, separation=separation, rng=rng)
    starts = np.concatenate([patterns, patterns.mean(axis=0) + 1e-3 * drawn(1, 20, K + 4), drawn(2, 60, K + 4)])
    fold = simplex_fold(K)
    for product in (0.9 * fold, 1.02 * fold, 0.97 * K, 1.05 * K, 3 * K):
        found = fixed_points(Memory(patterns, product / separation), starts)
        assert len(found.states) == simplex_count(product, K)
        assert found.stable.all()
    assert simplex_count(0.9 * fold, K) == 1
    assert simplex_count(1.02 * fold, K) == K + 1
    assert simplex_count(1.05 * K, K) == K


def test_simplex_fold_is_the_least_on_a_grid_and_two_patterns_its_limit():
    for K in (3, 10, 1000):
        shares = 1 / (1 + (K - 1) * np.exp(-np.linspace(1e-3, 40, 40_001)))
        assert simplex_fold(K) == pytest.approx(min(simplex_weight(s, K) for s in shares if s < 1), rel=1e-6)
    assert simplex_weight(0.5 + 1e-6, 2) == pytest.approx(simplex_fold(2), rel=1e-6)


def test_clusters_have_their_overlaps():
    patterns = clusters(40, number=4, size=3, separation=0.3, rng=np.random.default_rng(1))
    wanted = np.kron(np.eye(4), np.full((3, 3), 0.7)) + 0.3 * np.eye(12)
    np.testing.assert_allclose(patterns @ patterns.T, wanted, atol=1e-12)


@pytest.mark.parametrize(("beta", "separation", "kind"), [
    (3.0, 0.4, "global"), (9.0, 0.2, "metastable"), (12.0, 0.6, "single"), (7.0, 1.0, "single"),
])  # fmt: skip
def test_clusters_settle_as_their_symmetry_says(beta, separation, kind):
    patterns = clusters(40, number=5, size=4, separation=separation, rng=np.random.default_rng(1))
    memory = Memory(patterns, beta)
    end = memory.settle(patterns[6]).states
    weights = memory.weights(end)
    own, mate, other = cluster_weights(beta, number=5, size=4, separation=separation)
    np.testing.assert_allclose(weights[[6, 4, 5, 7]], [own, mate, mate, mate], atol=1e-9)
    np.testing.assert_allclose(np.delete(weights, range(4, 8)), other, atol=1e-9)
    assert str(types(support(memory, end), 20)) == kind


# bounds


def test_separations_by_hand():
    patterns = drawn(1, 9, 4)
    wanted = [min(x @ x - x @ y for j, y in enumerate(patterns) if j != i) for i, x in enumerate(patterns)]
    np.testing.assert_allclose(bounds.separations(patterns), wanted, rtol=1e-12)


def _sphere(seed, K, N, M):
    points = drawn(seed, K, N)
    return M * points / np.linalg.norm(points, axis=1, keepdims=True)


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("distance", [0.0, 0.1, 0.5])
def test_what_is_measured_stays_within_the_bounds(beta, distance):
    for seed in range(6):
        patterns = _sphere(seed, 10, 16, 3.0)
        memory, gaps = Memory(patterns, beta), bounds.separations(patterns)
        states = patterns + distance * _sphere(seed + 20, 10, 16, 1.0)
        sizes = {"beta": beta, "patterns": 10, "radius": 3.0}
        after = memory.update(states)
        error = np.linalg.norm(after - patterns, axis=1)
        assert (error <= bounds.error_after_update(gaps, **sizes, distance=distance)).all()
        outside = 1 - memory.weights(states)[np.arange(10), np.arange(10)]
        assert (outside <= bounds.weight_outside(gaps, **sizes, distance=distance) + 1e-15).all()
        slopes = np.array([largest_eigenvalue(memory, state) for state in states])
        ours = bounds.contraction_by_variance(gaps, **sizes, distance=distance)
        assert (slopes <= ours + 1e-15).all()
        assert (ours <= bounds.contraction(gaps, **sizes, distance=distance)).all()

        fixed = memory.settle(patterns).states
        away = np.linalg.norm(fixed - patterns, axis=1)
        farthest = np.maximum(away, distance)
        slope = bounds.contraction(gaps, **sizes, distance=farthest)
        assert (np.linalg.norm(after - fixed, axis=1) <= slope * np.linalg.norm(states - fixed, axis=1) + 1e-14).all()
        near = away <= 1 / (2 * beta * 3.0)
        assert (away[near] <= bounds.error_of_fixed_point(gaps, **sizes)[near] + 1e-14).all()


def test_the_error_bound_is_not_idle():
    """At the pattern itself it is within a factor K of the truth where the nearest other pattern dominates."""
    patterns = np.array([[2.0, 0.0], [0.0, 2.0]])
    error = np.linalg.norm(Memory(patterns, 1.0).update(patterns[0]) - patterns[0])
    bound = bounds.error_after_update(4.0, beta=1.0, patterns=2, radius=2.0, distance=0.0)
    assert error == pytest.approx(math.sqrt(8) / (1 + math.exp(4)), rel=1e-12)
    assert error < bound < 2 * error


def test_well_separated_patterns_are_stored():
    """The condition sends the ball into itself, contracts there and leaves one fixed point."""
    stored, rng = 0, np.random.default_rng(5)
    for seed, beta in itertools.product(range(4), (0.6, 1.0)):
        patterns = _sphere(seed, 6, 20, 4.0)
        sizes = {"beta": beta, "patterns": 6, "radius": 4.0}
        memory, r = Memory(patterns, beta), bounds.ball(**sizes)
        for i in np.flatnonzero(bounds.separations(patterns) >= bounds.least_separation(**sizes)):
            stored += 1
            directions = rng.standard_normal((30, 20))
            directions /= np.linalg.norm(directions, axis=1, keepdims=True)
            states = patterns[i] + r * rng.random((30, 1)) ** 0.1 * directions
            after = memory.update(states)
            assert (np.linalg.norm(after - patterns[i], axis=1) <= r).all()
            apart = np.linalg.norm(after[1:] - after[:-1], axis=1)
            assert (apart < np.linalg.norm(states[1:] - states[:-1], axis=1)).all()
            assert len(fixed_points(memory, states).states) == 1
    assert stored > 10


def test_the_capacity_theorem_at_the_values_printed_below_it():
    first = {"neurons": 20, "beta": 1.0, "scale": 3.0, "failure": 0.001}
    second = {"neurons": 75, "beta": 1.0, "scale": 1.0, "failure": 0.001}
    assert 3.1546 <= bounds.sphere_base(**first) < 3.1547  # printed as c >= 3.1546
    assert 1.3718 <= bounds.sphere_base(**second) < 1.3719
    assert bounds.sphere_capacity(**first) == pytest.approx(math.sqrt(0.001) * 3.1546 ** (19 / 4), rel=1e-3)
    with pytest.raises(Refused, match="the theorem needs c >="):
        bounds.sphere_capacity(neurons=5, beta=1.0, scale=1.0, failure=0.001)


def test_so_many_random_patterns_are_stored():
    """Theorem 3: all of the K patterns are well separated in at least 1 - p of the draws."""
    setting = {"neurons": 20, "beta": 1.0, "scale": 3.0, "failure": 0.001}
    K, M = math.floor(bounds.sphere_capacity(**setting)), 3 * math.sqrt(19)
    assert K == 7
    least = bounds.least_separation(beta=1.0, patterns=K, radius=M)
    failures = sum(bounds.separations(_sphere(seed, K, 20, M)).min() < least for seed in range(500))
    assert failures <= 4  # more with probability 0.0002 if a draw fails with 0.001


# storage

NEAREST = {
    # the probability that no other pattern scores as much as the cued one, exactly
    "spherical": lambda N, K, m: (1 - special.betainc((N - 1) / 2, 0.5, 1 - m * m) / 2) ** (K - 1),
    "binary": lambda N, K, m: stats.binom.cdf(math.ceil(N * (1 + m) / 2) - 1, N, 0.5) ** (K - 1),
    "gaussian": lambda N, K, m: integrate.quad(
        lambda r: stats.chi2.pdf(r, N) * special.ndtr(math.sqrt(r)) ** (K - 1), 0, 20 * N
    )[0],
}


@pytest.mark.parametrize(("ensemble", "overlap"), [("spherical", 0.75), ("binary", 0.75), ("gaussian", 1.0)])
def test_sharp_memories_retrieve_where_no_other_pattern_is_closer(ensemble, overlap):
    """Mean of 150 draws of 20 cues within 4.5 standard errors: a false alarm in 150,000 runs each."""
    N = 16
    K = round(patterns_at(load=0.42, neurons=N, ensemble=ensemble))
    network, protocol = SoftmaxNetwork(N, K, ensemble), SoftmaxCues(overlap, 20)
    found = np.array([
        measure(network, SoftmaxUpdates(1e4, 1), protocol, np.random.default_rng(seed))["retrieved"]
        for seed in range(150)
    ])  # fmt: skip
    exact = NEAREST[ensemble](N, K, overlap)
    assert 0.1 < exact < 0.9
    assert abs(found.mean() - exact) < 4.5 * found.std() / math.sqrt(150)


def test_what_is_measured_is_what_it_says():
    network, protocol, rng = SoftmaxNetwork(10, 30, "gaussian"), SoftmaxCues(0.8, 4), np.random.default_rng(7)
    found = measure(network, SoftmaxUpdates(0.6, 3), protocol, rng)
    again = np.random.default_rng(7)
    x = again.standard_normal((30, 10))
    state = 0.8 * x[:4] + 0.6 * again.standard_normal((4, 10))
    for _ in range(3):
        p = special.softmax(0.6 * state @ x.T, axis=1)
        state = p @ x
    own = p[range(4), range(4)]
    assert found["weight"] == pytest.approx(own.mean(), rel=1e-10)
    assert found["retrieved"] == (own > 0.5).mean()
    overlap = [(state[k] @ x[k]) / (x[k] @ x[k]) for k in range(4)]
    assert found["overlap"] == pytest.approx(np.mean(overlap), rel=1e-10)
    error = [math.sqrt(((state[k] - x[k]) ** 2).mean()) for k in range(4)]
    assert found["error"] == pytest.approx(np.mean(error), rel=1e-10)
    supports = [int(np.searchsorted(np.cumsum(np.sort(row)[::-1]), 0.9)) + 1 for row in p]
    assert found["support"] == np.mean(supports)
    assert found["single"] + found["metastable"] + found["global"] == 1
    assert found["single"] == np.mean([s == 1 for s in supports])


def test_cues_have_their_overlap():
    rng = np.random.default_rng(1)
    for ensemble in ("spherical", "binary"):
        x = SoftmaxNetwork(40, 50, ensemble).draw(rng)
        cues = SoftmaxCues(0.6, 5).of(x, ensemble, rng)
        np.testing.assert_allclose((x * cues).mean(axis=1), 0.6, atol=1e-12)
        np.testing.assert_allclose((cues * cues).mean(axis=1), 1.0, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SoftmaxNetwork(10, 1, "binary"), "patterns must be an integer from 2 to 2147483648, got 1"),
        (lambda: SoftmaxNetwork(10, 3, "cubic"), "ensemble must be one of gaussian, spherical, binary, got 'cubic'"),
        (lambda: SoftmaxUpdates(-1.0, 1), "beta must be > 0, got -1.0"),
        (lambda: SoftmaxCues(0.0, 1), "cue_overlap must be > 0 and at most 1, got 0.0"),
        (
            lambda: measure(
                SoftmaxNetwork(5, 3, "binary"), SoftmaxUpdates(1.0, 1), SoftmaxCues(1.0, 4), np.random.default_rng()
            ),
            "4 cues need as many patterns, got 3",
        ),
        (lambda: clusters(5, number=2, size=2, separation=0.1, rng=np.random.default_rng()), "need at least 6 neurons"),
    ],
)
def test_storage_refuses(call, message):
    with pytest.raises(Refused, match=message):
        call()
