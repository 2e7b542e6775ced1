"""Two-layer networks: equations by loops, energy descent for all pairs, integrators, attention and binary networks."""

import itertools
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from hopsim import networks
from hopsim.continuous import flows
from hopsim.continuous.lagrangians import (
    Absolute,
    Exponential,
    HardTanh,
    Identity,
    Lagrangian,
    LayerNorm,
    LogCosh,
    Power,
    RectifiedPolynomial,
    Relu,
    Sigmoid,
    Softmax,
    Spherical,
)
from hopsim.continuous.two_layer import TwoLayer, hopfield, model_a, model_b, model_c
from hopsim.continuous.two_layer_recall import TwoLayerCues, TwoLayerFlow, TwoLayerMemory, measure, patterns_at
from hopsim.errors import Refused
from hopsim.networks import Quenched
from hopsim.patterns import Stored
from hopsim.retrieval import retrieve

CONVEX = [
    Identity(),
    Relu(),
    RectifiedPolynomial(3),
    Power(4),
    Exponential(),
    LogCosh(2.0),
    Absolute(),
    HardTanh(1.5),
    Sigmoid(2.0),
    Softmax(2.0),
    Spherical(),
    LayerNorm(0.1),
]
SMOOTH = [one for one in CONVEX if not isinstance(one, Relu | Absolute | HardTanh)]
PAIRS = list(itertools.product(CONVEX, CONVEX))
SMOOTH_PAIRS = list(itertools.product(SMOOTH, SMOOTH))
TIMES = {"together": 1.0, "fast hidden": 0.2, "adiabatic": 0.0}


def network(feature: Lagrangian, hidden: Lagrangian, hidden_time: float, scale: float = 0.2) -> TwoLayer:
    """N = 5, K = 4, with inputs; patterns so small that where the energy has no bound states take time to run away."""
    rng = np.random.default_rng(1)
    return TwoLayer(scale * rng.normal(size=(4, 5)), feature, hidden, 0.7, hidden_time, 0.3 * rng.normal(size=5))


def start(of: TwoLayer, seed: int = 2, batch: tuple[int, ...] = ()) -> tuple[np.ndarray, np.ndarray | None]:
    rng = np.random.default_rng(seed)
    v, h = rng.normal(size=(*batch, of.neurons)) / 2, rng.normal(size=(*batch, of.memories)) / 2
    return v, None if of.adiabatic else h


def signs(patterns: int, neurons: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(patterns, neurons))


# --- equations ---


def written_out(of: TwoLayer, v: np.ndarray, h: np.ndarray) -> tuple[list[float], list[float], float]:
    """Rates and energy as the paper writes them, term by term."""
    g, f, xi, I = of.feature.activation(v), of.hidden.activation(h), of.patterns, of.currents  # noqa: E741
    N, K = range(len(v)), range(len(h))
    v_rate = [(sum(xi[k, i] * f[k] for k in K) - v[i] + I[i]) / of.feature_time for i in N]
    h_rate = [(sum(xi[k, i] * g[i] for i in N) - h[k]) / of.hidden_time for k in K]
    energy = sum((v[i] - I[i]) * g[i] for i in N) - of.feature.value(v)
    energy += sum(h[k] * f[k] for k in K) - of.hidden.value(h)
    return v_rate, h_rate, energy - sum(f[k] * xi[k, i] * g[i] for k in K for i in N)


@pytest.mark.parametrize(("feature", "hidden"), [(LogCosh(2.0), Power(4)), (Spherical(), Softmax(2.0))], ids=str)
def test_rates_and_energy_are_those_of_the_paper(feature: Lagrangian, hidden: Lagrangian) -> None:
    net = network(feature, hidden, 0.3)
    v, h = start(net, batch=(3,))
    for r in range(3):
        v_rate, h_rate, energy = written_out(net, v[r], h[r])
        assert_allclose(net.rates(v, h)[0][r], v_rate, rtol=1e-12)
        assert_allclose(net.rates(v, h)[1][r], h_rate, rtol=1e-12)
        assert_allclose(net.energy(v, h)[r], energy, rtol=1e-12)


@pytest.mark.parametrize("hidden_time", TIMES.values(), ids=list(TIMES))
def test_energy_rate_is_the_quadratic_form(hidden_time: float) -> None:
    """dE/dt = ∇E·(dv/dt, dh/dt), the gradient by central differences of E, for all smooth pairs."""
    for feature, hidden in SMOOTH_PAIRS:
        net = network(feature, hidden, hidden_time)
        v, h = start(net)
        v_rate, h_rate = net.rates(v, h)
        eps = 1e-5 / (1 + np.abs(v_rate).max())
        ahead, behind = (net.energy(v + s * eps * v_rate, None if h is None else h + s * eps * h_rate) for s in (1, -1))
        rate = net.energy_rate(v, h)
        assert_allclose(rate, (ahead - behind) / (2 * eps), rtol=1e-6, atol=1e-8)
        assert rate <= 1e-15


@pytest.mark.parametrize("hidden_time", TIMES.values(), ids=list(TIMES))
def test_energy_rate_along_a_trajectory(hidden_time: float) -> None:
    net = network(LogCosh(2.0), RectifiedPolynomial(3), hidden_time, scale=0.7)
    v, h = start(net)
    moments = np.linspace(0, 2, 4001)
    path = flows.integrate(net, v, h, times=moments, method="DOP853", accuracy=1e-11)
    rates = net.energy_rate(path.v, None if net.adiabatic else path.h)
    differences = (path.energy[2:] - path.energy[:-2]) / (moments[2:] - moments[:-2])
    assert_allclose(differences, rates[1:-1], rtol=1e-4, atol=1e-6)  # dt² of the central differences


@pytest.mark.parametrize("hidden_time", TIMES.values(), ids=list(TIMES))
def test_jacobian_is_the_derivative_of_the_rates(hidden_time: float) -> None:
    for feature, hidden in [(LogCosh(2.0), Power(4)), (Spherical(), Softmax(2.0)), (LayerNorm(0.1), Sigmoid())]:
        net = network(feature, hidden, hidden_time)
        v, h = start(net)
        y = v if h is None else np.concatenate([v, h])

        def rates(y: np.ndarray, net: TwoLayer = net) -> np.ndarray:
            if net.adiabatic:
                return net.rates(y)[0]
            return np.concatenate(net.rates(y[: net.neurons], y[net.neurons :]))

        columns = [(rates(y + 1e-6 * e) - rates(y - 1e-6 * e)) / 2e-6 for e in np.eye(len(y))]
        assert_allclose(net.jacobian(v, h), np.array(columns).T, atol=1e-8)


def test_reduced_energy_is_the_full_one_where_the_hidden_neurons_rest() -> None:
    for feature, hidden in PAIRS:
        full, reduced = network(feature, hidden, 1.0), network(feature, hidden, 0.0)
        v, _ = start(full)
        assert_allclose(full.energy(v, full.followed(v)), reduced.energy(v), rtol=1e-12, atol=1e-12)


def test_adiabatic_limit_of_fast_hidden_neurons() -> None:
    """The distance between the trajectories falls like τ_h."""
    v, _ = start(network(LogCosh(2.0), Power(4), 0.0))
    moments = [0.0, 1.0, 2.0]
    limit = flows.integrate(network(LogCosh(2.0), Power(4), 0.0, 1.0), v, times=moments, method="DOP853")
    off = []
    for hidden_time in (1e-3, 1e-4):
        fast = flows.integrate(network(LogCosh(2.0), Power(4), hidden_time, 1.0), v, times=moments, method="Radau")
        off.append(np.abs(fast.v - limit.v).max())
    assert_allclose(off[1] / off[0], 0.1, rtol=0.1)


# --- the energy falls ---


def check_descent(net: TwoLayer, path: flows.Trajectory) -> None:
    """Never up; and down at all, but for binary features that need not flip."""
    assert path.highest_rise <= flows.RISE * (1 + np.abs(path.energy).max())
    assert (path.energy[-1] < path.energy[0]).all() or isinstance(net.feature, Absolute)


@pytest.mark.parametrize("hidden_time", [0.2, 0.0])
def test_energy_falls_for_all_pairs_by_scipy(hidden_time: float) -> None:
    """No step here is chosen by the energy."""
    for feature, hidden in PAIRS:
        net = network(feature, hidden, hidden_time)
        path = flows.integrate(net, *start(net), times=np.linspace(0, 0.6, 13), method="RK45", accuracy=1e-7)
        check_descent(net, path)


@pytest.mark.parametrize("hidden_time", TIMES.values(), ids=list(TIMES))
def test_energy_falls_for_all_pairs_compiled(hidden_time: float) -> None:
    """Long steps, some at which Runge-Kutta alone is not stable: τ_h = 0.2."""
    for feature, hidden in PAIRS:
        net = network(feature, hidden, hidden_time)
        check_descent(net, flows.march(net, *start(net, batch=(3,)), step=0.6, steps=4))


def test_updates_lower_the_energy_for_all_pairs() -> None:
    for feature, hidden in PAIRS:
        net = network(feature, hidden, 0.0)
        v, _ = start(net, batch=(20,))
        before = net.energy(v)
        assert (net.energy(net.update(v)) <= before + 1e-12 * (1 + np.abs(before))).all()


def test_energy_of_a_lagrangian_that_is_not_convex_may_rise() -> None:
    """x³ has a Hessian of both signs: refused, unless the hidden neurons only follow, or it is asked for."""
    with pytest.raises(
        Refused, match=r"^the hidden Lagrangian Power\(degree=3\) is not convex, so that the energy may"
    ):
        network(LogCosh(2.0), Power(3), 1.0)
    with pytest.raises(Refused, match=r"^the feature Lagrangian Power\(degree=3\) is not convex"):
        network(Power(3), LogCosh(2.0), 0.0)
    following = network(LogCosh(2.0), Power(3), 0.0)
    path = flows.integrate(following, *start(following), times=np.linspace(0, 3, 31), method="RK45")
    assert path.highest_rise <= flows.RISE
    asked = replace(following, hidden_time=1.0, descent=False)
    rises = [
        flows.integrate(asked, *start(asked, seed), times=np.linspace(0, 1, 11), method="RK45").highest_rise
        for seed in range(5)
    ]
    assert max(rises) > 1e-3


def test_an_energy_without_a_bound_is_refused_and_not_nan() -> None:
    net = network(Identity(), Exponential(), 0.0, scale=3.0)
    v = np.full(5, 5.0) * np.sign(net.patterns[0])
    with pytest.raises(Refused, match=r"^start 0 left the finite numbers.* may have no lower bound$"):
        flows.march(net, v, step=0.1, steps=100)
    with pytest.raises(Refused, match="^RK45 gave up"):
        flows.integrate(net, v, times=[0.0, 10.0], method="RK45")


# --- integrators ---


@pytest.mark.parametrize("hidden_time", TIMES.values(), ids=list(TIMES))
def test_integrators_agree(hidden_time: float) -> None:
    net = network(LogCosh(2.0), Power(4), hidden_time, scale=0.7)
    v, h = start(net)
    one = flows.march(net, v, h, step=0.005, steps=400, every=100)
    for method in (*flows.EXPLICIT, *flows.IMPLICIT):
        other = flows.integrate(net, v, h, times=one.times, method=method)
        for name in ("v", "h", "energy"):
            assert_allclose(getattr(other, name), getattr(one, name), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("order", "factor"), [(1, 2), (4, 16)])
def test_order_of_the_compiled_steps(order: int, factor: int) -> None:
    net = network(LogCosh(2.0), RectifiedPolynomial(3), 0.5, scale=1.0)
    v, h = start(net)
    exact = flows.integrate(net, v, h, times=[0.0, 1.6], method="DOP853", accuracy=1e-12).v[-1]
    off = [
        np.abs(flows.march(net, v, h, step=1.6 / n, steps=n, every=n, order=order).v[-1] - exact).max()
        for n in (32, 64, 128)
    ]
    assert_allclose(np.array(off[:-1]) / off[1:], factor, rtol=0.15)


def naive_step(of: TwoLayer, v: np.ndarray, h: np.ndarray | None, step: float) -> list[np.ndarray]:
    """One Runge-Kutta step."""
    y = [v] if h is None else [v, h]
    slopes = [of.rates(*y)[: len(y)]]
    for share in (0.5, 0.5, 1.0):
        slopes.append(of.rates(*[a + share * step * s for a, s in zip(y, slopes[-1], strict=True)])[: len(y)])
    return [
        a + step / 6 * (k[0] + 2 * k[1] + 2 * k[2] + k[3]) for a, k in zip(y, zip(*slopes, strict=True), strict=True)
    ]


@pytest.mark.parametrize("hidden_time", TIMES.values(), ids=list(TIMES))
def test_compiled_steps_equal_their_twin(hidden_time: float) -> None:
    for feature, hidden in PAIRS:
        net = network(feature, hidden, hidden_time)
        v, h = start(net, batch=(2,))
        found = flows.march(net, v, h, step=0.01, steps=1)
        for name, expected in zip("vh", naive_step(net, v, h, 0.01), strict=False):
            assert_allclose(getattr(found, name)[1], expected, rtol=1e-12, atol=1e-13)
        unmoved = flows.settle(net, v, h, residual=1e9)
        assert_array_equal(unmoved.v, v)
        assert_allclose(unmoved.energy, net.energy(v, h), rtol=1e-12, atol=1e-13)


def test_batches_equal_single_starts() -> None:
    net = network(LogCosh(2.0), Power(4), 0.3, scale=1.0)
    v, h = start(net, batch=(2, 3))
    together, settled = flows.march(net, v, h, step=0.1, steps=5), flows.settle(net, v, h)
    alone = flows.march(net, v[1, 2], h[1, 2], step=0.1, steps=5)
    assert_array_equal(together.v[:, 1, 2], alone.v)
    assert_array_equal(together.h[:, 1, 2], alone.h)
    assert settled.v.shape == (2, 3, 5)
    assert_array_equal(settled.v[1, 2], flows.settle(net, v[1, 2], h[1, 2]).v)


@pytest.mark.parametrize("hidden_time", TIMES.values(), ids=list(TIMES))
def test_settled_states_are_fixed_points_that_long_times_reach(hidden_time: float) -> None:
    for feature, hidden in [
        (LogCosh(2.0), RectifiedPolynomial(3)),
        (Identity(), Softmax(2.0)),
        (Spherical(), Power(4)),
    ]:
        net = network(feature, hidden, hidden_time, scale=1.0)
        v, h = start(net, batch=(2,))
        found = flows.settle(net, v, h, residual=1e-11)
        assert found.settled.all()
        assert_allclose(net.update(found.v), found.v, atol=1e-9)
        assert_allclose(net.followed(found.v), found.h, atol=1e-9)
        assert (found.highest_rise <= flows.RISE * (1 + np.abs(found.energy))).all()
        late = flows.integrate(net, v, h, times=[0.0, 3 * found.times.max()], method="LSODA", accuracy=1e-8)
        assert_allclose(late.v[-1], found.v, atol=1e-6)


def test_a_start_that_needs_longer_is_told() -> None:
    net = network(LogCosh(2.0), Power(4), 0.0, scale=1.0)
    found = flows.settle(net, *start(net), longest=0.5)
    assert not found.settled
    assert_allclose(found.times, 0.5 * net.feature_time, rtol=0.5)


# --- model B is attention ---


def attention(queries: np.ndarray, keys: np.ndarray, values: np.ndarray, beta: float) -> np.ndarray:
    weights = np.exp(beta * queries @ keys.T)
    return weights @ values / weights.sum(axis=1, keepdims=True)


def test_a_step_of_model_b_is_softmax_attention() -> None:
    rng = np.random.default_rng(3)
    keys, queries = rng.normal(size=(30, 8)), rng.normal(size=(12, 8))
    for beta in (0.1, 1.0, 4.0):
        net = model_b(keys, beta=beta, hidden_time=0.0, feature_time=0.37)
        expected = attention(queries, keys, keys, beta)
        assert_allclose(net.update(queries), expected, rtol=0, atol=1e-12)
        step = flows.march(net, queries, step=0.37, steps=1, order=1)
        assert_allclose(step.v[1], expected, rtol=0, atol=1e-12)


def test_energy_of_model_b() -> None:
    rng = np.random.default_rng(4)
    patterns, v = rng.normal(size=(6, 4)), rng.normal(size=(5, 4))
    net = model_b(patterns, beta=1.7, hidden_time=0.0)
    expected = [x @ x / 2 - math.log(sum(math.exp(1.7 * p @ x) for p in patterns)) / 1.7 for x in v]
    assert_allclose(net.energy(v), expected, rtol=1e-12)


# --- model C lives on the sphere ---


def test_model_c_follows_the_gradient_on_the_sphere() -> None:
    """E = -Σ m^p/p is a function of g = v/|v| alone, and g moves by -(1 - g gᵀ) ∂E/∂g over |v|."""
    net = model_c(np.random.default_rng(5).normal(size=(7, 5)), degree=4, hidden_time=0.0)
    v, _ = start(net)
    unit = v / np.linalg.norm(v)
    overlaps = net.patterns @ unit
    assert_allclose(np.linalg.norm(net.patterns, axis=1), 1, rtol=1e-14)
    assert_allclose(net.energy(v), -(overlaps**4).sum() / 4, rtol=1e-12)
    assert_allclose(net.energy(17 * v), net.energy(v), rtol=1e-12)
    downhill = net.patterns.T @ overlaps**3
    expected = (downhill - unit * (unit @ downhill)) / np.linalg.norm(v)
    moved = [(v + s * 1e-6 * net.rates(v)[0]) for s in (1, -1)]
    found = (moved[0] / np.linalg.norm(moved[0]) - moved[1] / np.linalg.norm(moved[1])) / 2e-6
    assert_allclose(found, expected, atol=1e-9)


def test_fixed_points_of_model_c_point_along_the_gradient() -> None:
    """One pattern: v = ± ξ; orthogonal patterns: each of them is one, with |v| = 1."""
    net = model_c(np.eye(4)[:3], degree=4, hidden_time=0.2)
    found = flows.settle(net, np.array([[0.9, 0.2, 0.1, 0.3], [-0.1, -0.8, 0.3, 0.1]]))
    assert_allclose(found.v, [[1, 0, 0, 0], [0, -1, 0, 0]], atol=1e-8)


# --- model A is the binary dense network ---


def vertices(neurons: int) -> np.ndarray:
    return np.array(list(itertools.product([-1, 1], repeat=neurons)), dtype=np.int8)


def binary(patterns: np.ndarray, degree: int, rectified: bool) -> Quenched:
    """The same patterns in the package's own network."""
    stored = patterns.T.astype(np.int8)
    sizes = {"neurons": patterns.shape[1], "patterns": patterns.shape[0], "ensemble": Stored(stored)}
    if rectified:
        return Quenched(networks.rectified(degree=degree, **sizes), stored)
    return Quenched(networks.dense(degree=degree, indices="all", **sizes), stored)


def rests(of: Quenched, states: np.ndarray) -> np.ndarray:
    """Which states no sign update of the asynchronous kernels changes."""
    return retrieve(of, states).sweeps == 0


CASES = [(2, False), (4, False), (6, False), (2, True), (3, True), (5, True)]


@pytest.mark.parametrize(("degree", "rectified"), CASES)
@pytest.mark.parametrize("memories", [2, 5])
def test_model_a_has_the_energy_of_the_dense_network(degree: int, rectified: bool, memories: int) -> None:
    """E on all vertices, up to the zero of energy, a constant."""
    patterns = signs(memories, 9, seed=6)
    states, net = vertices(9), model_a(patterns, degree=degree, gain=math.inf, hidden_time=0.0, rectified=rectified)
    quenched = binary(patterns, degree, rectified)
    off = net.energy(states.astype(float)) - 9 * quenched.energy_density(quenched.overlaps(states))
    assert_allclose(off, off[0], atol=1e-11)


def turning(net: TwoLayer, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """σ_i v_i where the features rest on σ, and the cost of every flip from there: [states, N]."""
    at_rest = states * net.update(states)
    flipped = states[:, None, :] * (1 - 2 * np.eye(states.shape[1]))
    return at_rest, net.energy(flipped) - net.energy(states)[:, None]


@pytest.mark.parametrize(("degree", "rectified"), CASES)
@pytest.mark.parametrize("memories", [1, 2, 3, 6])
def test_model_a_rests_where_the_dense_network_does(degree: int, rectified: bool, memories: int) -> None:
    """Every fixed point of the kernels is one of model A; what more it has is held by self-interaction alone."""
    patterns = signs(memories, 9, seed=7)
    states = vertices(9)
    net = model_a(patterns, degree=degree, gain=math.inf, hidden_time=0.0, rectified=rectified)
    still = rests(binary(patterns, degree, rectified), states)
    held, cost = turning(net, states.astype(float))
    here = (held > 1e-12).all(axis=1)
    assert still.any()
    assert (cost <= 2 * held + 1e-12).all()  # F is convex
    assert here[still & (cost > 1e-12).all(axis=1)].all()
    assert_array_equal(still, (cost >= -1e-12).all(axis=1))  # by the energy of model A alone


@pytest.mark.parametrize("seed", range(4))
def test_features_without_self_coupling_have_just_the_fixed_points_of_hopfields_network(seed: int) -> None:
    """p = 2: HardTanh(N/K) features rest on a vertex if and only if the asynchronous kernel does."""
    patterns = signs(5, 10, seed)
    states, net = vertices(10), hopfield(patterns, hidden_time=0.0)
    quenched = binary(patterns, 2, False)
    still = rests(quenched, states)
    far = 10.0 * states  # where the features are on the vertex
    assert_allclose(net.energy(far), 10 * quenched.energy_density(quenched.overlaps(states)), atol=1e-12)
    held = states * net.update(far)  # a feature is at ±1 where βσv ≥ 1
    assert_array_equal(still, (held >= 0.5 - 1e-12).all(axis=1))
    found = flows.settle(net, held[still] * states[still] + 1e-3 * np.random.default_rng(8).normal(size=10))
    assert_array_equal(net.feature.activation(found.v), states[still])
    anywhere = flows.settle(net, np.random.default_rng(9).normal(size=(60, 10)), residual=1e-8)
    ends = net.feature.activation(anywhere.v)
    assert_allclose(np.abs(ends), 1, atol=1e-6)
    assert rests(quenched, np.rint(ends).astype(np.int8)).all()


@pytest.mark.parametrize(("degree", "rectified"), [(2, False), (4, False), (3, True)])
def test_steep_neurons_settle_on_the_fixed_points_of_the_limit(degree: int, rectified: bool) -> None:
    patterns = signs(3, 9, seed=10)
    limit = model_a(patterns, degree=degree, gain=math.inf, hidden_time=0.0, rectified=rectified)
    states = vertices(9).astype(float)
    fixed = states[(turning(limit, states)[0] > 1e-12).all(axis=1)]
    for hidden_time in (0.0, 0.5):
        steep = model_a(patterns, degree=degree, gain=500.0, hidden_time=hidden_time, rectified=rectified)
        found = flows.settle(steep, steep.update(fixed))
        assert found.settled.all()
        assert_array_equal(np.sign(found.v), fixed)
        anywhere = flows.settle(steep, np.random.default_rng(11).normal(size=(40, 9)))
        pinned = np.abs(anywhere.v).min(axis=1) > 0.01  # others rest at or near v = 0, where no pattern is positive
        assert pinned.any()
        assert {tuple(end) for end in np.sign(anywhere.v[pinned])} <= {tuple(one) for one in fixed}


def test_self_interaction_outgrows_the_field_of_a_pattern() -> None:
    """p = 4: 3K/N² a neuron. At K = N²/2 it holds a cue of overlap 0.8 that sign updates correct; at K = N²/40 not."""
    rng, N = np.random.default_rng(15), 64
    for K, corrected in [(N**2 // 40, 1.0), (N**2 // 2, 0.0)]:
        patterns = signs(K, N, seed=16)
        net = model_a(patterns, degree=4, gain=math.inf, hidden_time=0.0)
        random = rng.choice([-1.0, 1.0], size=N)
        curvature = np.einsum("ki,k->i", net.patterns**2, net.hidden.hessian_product(net.followed(random), np.ones(K)))
        assert_allclose(curvature, 3 * K / N**2, rtol=0.5)  # the spread of Σ m² over K patterns
        cue = patterns[:4] * np.where(np.arange(N) < 6, -1, 1)
        ends = np.sign(flows.settle(net, cue, residual=1e-6).v)
        assert (ends == patterns[:4]).all(axis=1).mean() == corrected
        assert (ends == cue).all() == (corrected == 0)
        assert_array_equal(retrieve(binary(patterns, 4, False), cue.astype(np.int8)).states.spins, patterns[:4])


# --- recall ---

MEMORIES = [
    TwoLayerMemory("a", neurons=30, patterns=3, degree=2, beta=20.0),
    TwoLayerMemory("a", neurons=30, patterns=3, degree=3, rectified=True),
    TwoLayerMemory("b", neurons=30, patterns=20, beta=1.0),
    TwoLayerMemory("c", neurons=30, patterns=5, degree=4),
]


@pytest.mark.parametrize("memory", MEMORIES, ids=str)
@pytest.mark.parametrize("hidden_time", [0.0, 1.0])
def test_few_patterns_are_recalled(memory: TwoLayerMemory, hidden_time: float) -> None:
    """At a low load the rest state is the pattern, with the energy -F(1) of one, -1/p or -1/2, up to the others."""
    rng = np.random.default_rng(12)
    found = [measure(memory, TwoLayerFlow(hidden_time), TwoLayerCues(cue_overlap=0.8), rng) for _ in range(3)]
    assert all(one["settled"] == one["retrieved"] == 1 for one in found)
    assert all(one["overlap"] >= 0.97 for one in found)
    assert all(one["highest_rise"] <= flows.RISE for one in found)
    assert np.mean([one["energy"] for one in found]) == pytest.approx(-1 / (memory.degree or 2), abs=0.06)


def test_too_many_patterns_are_not() -> None:
    rng = np.random.default_rng(13)
    for memory in [
        TwoLayerMemory("a", neurons=40, patterns=40, degree=2),
        TwoLayerMemory("b", neurons=12, patterns=400, beta=0.4),
    ]:
        assert measure(memory, TwoLayerFlow(0.0), TwoLayerCues(cue_overlap=0.7), rng)["retrieved"] < 0.5


def test_measure_repeats_itself_and_its_cues_have_the_overlap_asked_for() -> None:
    memory, cues = MEMORIES[0], TwoLayerCues(cue_overlap=0.8, cues=5)
    one, two = (measure(memory, TwoLayerFlow(0.0), cues, np.random.default_rng(14)) for _ in range(2))
    assert one == two
    one_step = measure(memory, TwoLayerFlow(0.0, longest=1e-9, residual=1e-300), cues, np.random.default_rng(14))
    assert one_step["settled"] == 0
    assert one_step["overlap"] == pytest.approx(0.8 * np.tanh(20), abs=0.02)


@pytest.mark.parametrize("memory", MEMORIES, ids=str)
def test_load_and_number_of_patterns_are_inverse(memory: TwoLayerMemory) -> None:
    given = asdict(memory)
    del given["patterns"]
    assert patterns_at(load=memory.load, **given) == pytest.approx(memory.patterns)
    assert hash(memory) == hash(replace(memory))


# --- refusals ---


def test_refusals() -> None:
    patterns = signs(2, 5, seed=1)
    net = model_a(patterns, degree=4, gain=2.0, hidden_time=0.0)
    moving = model_a(patterns, degree=4, gain=2.0, hidden_time=1.0)
    v = np.ones(5)
    for attempt, message in [
        (lambda: model_a(patterns, degree=3, gain=2.0, hidden_time=1.0), "the hidden Lagrangian .* is not convex"),
        (lambda: model_a(patterns[0], degree=4, gain=2.0, hidden_time=1.0), r"patterns must be rows, .* shape \(5,\)"),
        (lambda: model_b(patterns * np.nan, beta=1.0, hidden_time=1.0), "patterns and inputs must be finite numbers"),
        (lambda: model_b(patterns, beta=1.0, hidden_time=-1.0), "hidden_time must be >= 0, got -1.0"),
        (lambda: model_b(patterns, beta=1.0, hidden_time=1.0, feature_time=0.0), "feature_time must be > 0, got 0.0"),
        (lambda: model_c(0 * patterns, degree=4, hidden_time=1.0), "model_c brings patterns to norm 1"),
        (lambda: TwoLayer(patterns, Identity(), Softmax(1.0), 1.0, 1.0, np.ones(4)), "inputs must have 5 entries"),
        (lambda: net.energy(np.ones(4)), r"v must have 5 entries along its last axis, got shape \(4,\)"),
        (lambda: net.rates(v, np.ones(2)), "hidden_time = 0 has h = ξ g at every moment: leave h out"),
        (lambda: flows.settle(net, v, np.ones(2)), "hidden_time = 0 has h = ξ g at every moment: leave h out"),
        (lambda: flows.march(moving, v, step=0.0, steps=1), "step must be > 0, got 0.0"),
        (lambda: flows.march(moving, v, step=0.1, steps=1, order=2), r"order must be 1 \(Euler\) or 4"),
        (lambda: flows.march(moving, v * np.inf, step=0.1, steps=1), "a network must start from finite numbers"),
        (
            lambda: flows.integrate(moving, v, times=[0.0, 1.0], method="Euler"),
            "method must be one of RK45, .* got 'Eul",
        ),
        (lambda: flows.integrate(moving, v, times=[1.0, 0.0], method="RK45"), "times must be two or more finite"),
        (lambda: flows.march(moving, v, step=0.1, steps=5, every=2), "steps must be a multiple of every = 2, got 5"),
        (lambda: TwoLayerMemory("d", 10, 5), "model must be one of a, b, c, got 'd'"),
        (lambda: TwoLayerMemory("a", 10, 5), "model a has a degree, got None"),
        (lambda: TwoLayerMemory("b", 10, 5, degree=2, beta=1.0), "model b has no degree, got 2"),
        (lambda: TwoLayerMemory("b", 10, 5), "beta must be a finite number, got None"),
        (lambda: TwoLayerMemory("c", 10, 5, degree=2, beta=1.0), "model c has no beta, got 1.0"),
        (lambda: TwoLayerFlow(-1.0), "hidden_time must be >= 0, got -1.0"),
        (lambda: TwoLayerCues(cue_overlap=1.5), "cue_overlap must be from -1 to 1, got 1.5"),
    ]:
        with pytest.raises(Refused, match=f"^{message}"):
            attempt()
