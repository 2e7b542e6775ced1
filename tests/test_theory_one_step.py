"""One step of replica symmetry breaking: gradients, limits, plain sums, and published values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from hopsim import theory
from hopsim.errors import Refused
from hopsim.interactions import Power, Quadratic
from hopsim.networks import Law
from hopsim.patterns import Rademacher
from hopsim.theory import NotConverged, ReplicaSymmetric, crosstalk, one_step_gaussian, saddle
from hopsim.theory.one_step import OneStep, Order

ONE, RS = OneStep(), ReplicaSymmetric()
HOPFIELD = Law(Quadratic(), Rademacher())
SK = crosstalk.Mixed(3, (0.0, 0.0, 0.5))
P_SPIN = crosstalk.Mixed(3, (0.0, 0.0, 0.0, 0.5))  # ζ = q³/2 at load 1


def dense(degree, indices):
    return Law(Power(degree, indices), Rademacher())


LAWS = [HOPFIELD, dense(3, "distinct"), dense(3, "all"), dense(4, "all")]
BROKEN = [  # law, load, temperature, branch
    (HOPFIELD, 0.1377, 0.01, "retrieval"),
    (HOPFIELD, 0.3, 0.4, "glass"),
    (dense(3, "distinct"), 0.15, 0.1, "retrieval"),
    (dense(3, "distinct"), 0.15, 0.2, "glass"),
    (dense(3, "all"), 0.085, 0.08, "retrieval"),
    (dense(3, "all"), 0.2, 0.1, "glass"),
    (dense(4, "all"), 0.05, 0.3, "glass"),
    (dense(5, "all"), 0.003, 0.1, "glass"),
]


def solve(law, load, temperature, branch="retrieval"):
    return theory.solve(law, load=load, temperature=temperature, branch=branch, ansatz=ONE)


def difference(function, x, step):
    """Central difference and a bound on its error: four times the change under halving, plus rounding."""
    coarse, fine = ((function(x + h) - function(x - h)) / (2 * h) for h in (step, step / 2))
    return fine, 4 * abs(coarse - fine) + 64 * np.finfo(float).eps * (1 + abs(function(x))) / step


def off_saddle(law, seed):
    """A point that solves nothing, its load and temperature."""
    rng = np.random.default_rng(seed)
    T, load = rng.uniform(0.3, 0.8), rng.uniform(0.01, 0.2)
    q1 = rng.uniform(1 - T / 2, 1)
    order = {"m": rng.uniform(0.3, 0.9), "q0": rng.uniform(0.5, 0.9) * q1, "q1": q1, "x": rng.uniform(0.1, 0.3)}
    if law is HOPFIELD:
        order |= {"r0": rng.uniform(1, 2), "r1": rng.uniform(2.2, 3)}
    return order, load, T


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("seed", range(3))
def test_self_consistency_is_the_gradient_of_the_free_energy(law, seed):
    order, load, T = off_saddle(law, seed)
    p, noise = law.interaction.degree, crosstalk.noise(law)
    residuals = ONE.self_consistency(Order(**order), law, load, T)
    outer, inner = load * order["x"] / (2 * T), load * (1 - order["x"]) / (2 * T)
    expected = {"m": -(p - 1) * order["m"] ** (p - 2) * residuals[0], "x": residuals[3] / T}
    if p == 2:
        expected |= {"r0": outer * residuals[1], "r1": inner * residuals[2]}
        expected |= {"q0": outer * residuals[4], "q1": inner * residuals[5]}
    else:
        bends = [noise.derivative(2, order[q]) for q in ("q0", "q1")]
        expected |= {"q0": outer * bends[0] * residuals[1], "q1": inner * bends[1] * residuals[2]}
    for name, value in expected.items():
        numerical, error = difference(
            lambda x, name=name: ONE.free_energy(Order(**(order | {name: x})), law, load, T), order[name], 1e-4
        )
        assert error < 1e-4
        assert value == pytest.approx(numerical, abs=error), name


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("T", [0.0, 0.3])
def test_jacobian_of_newtons_method(law, T):
    noise, point = crosstalk.noise(law), np.array([0.1, 0.8, 0.1, 0.2, 1.7])
    jacobian = saddle.linearised(noise, T, point).jacobian
    for j in range(5):

        def residual(x, j=j):
            moved = point.copy()
            moved[j] = x
            return saddle.linearised(noise, T, moved).residual

        numerical = (residual(point[j] + 1e-5) - residual(point[j] - 1e-5)) / 2e-5
        assert jacobian[:, j] == pytest.approx(numerical, rel=1e-6, abs=1e-6)


def plain_sums(a, v0, w, y, T):
    """G, m, q0, C and β² sech⁴ by sums over two uniform grids, which for smooth functions converge exponentially."""
    z = np.linspace(-9.5, 9.5, 1601)
    weights = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()
    s = math.sqrt(w)
    steps = np.arange(-(10 + y * s) * s, (10 + y * s) * s, min(T / 12, s / 8))
    h = (a + math.sqrt(v0) * z)[:, None] + steps
    u = np.abs(h) + T * np.log1p(np.exp(-2 * np.abs(h) / T))
    tilted = np.exp(y * u - steps**2 / (2 * w))
    total, t = tilted.sum(axis=1), np.tanh(h / T)
    first, second = (tilted * t).sum(axis=1) / total, (tilted * t * t).sum(axis=1) / total
    log = np.log(total * (steps[1] - steps[0]) / math.sqrt(2 * math.pi * w))
    fourth = (tilted * (1 - t * t) ** 2).sum(axis=1) / total
    return weights @ log / y, weights @ first, weights @ first**2, (1 - weights @ second) / T, weights @ fourth / T**2


@pytest.mark.parametrize(
    ("a", "v0", "w", "y", "T"),
    [
        (0.8, 0.2, 0.1, 2.0, 0.3),
        (0.8, 0.02, 0.3, 3.0, 0.1),
        (0.5, 0.4, 0.003, 4.0, 0.12),
        (0.0, 0.3, 0.02, 0.5, 0.25),
        (0.3, 0.1, 0.01, 1.0, 0.2001),  # either side of the change of rule at √w = T/2
        (0.3, 0.1, 0.01, 1.0, 0.1999),
    ],
)
def test_nested_averages_by_plain_sums(a, v0, w, y, T):
    answer = one_step_gaussian.response(a, v0, w, y, T)
    values = (answer.G, answer.m, answer.q0, answer.C, answer.cc)
    assert values == pytest.approx(plain_sums(a, v0, w, y, T), rel=1e-12, abs=2e-12)


def test_nested_averages_tend_to_those_at_zero_temperature():
    """q1 = 1 - CT and entropy of order T: G changes with T²."""
    cold, colder, zero = (one_step_gaussian.response(0.7, 0.1, 0.2, 2.5, T) for T in (2e-3, 1e-3, 0.0))
    for name, power in (("G", 2), ("m", 2), ("C", 1), ("slope", 2), ("q0", 2)):
        far, near = (abs(getattr(answer, name) - getattr(zero, name)) for answer in (cold, colder))
        assert near < 0.01
        assert near < 1.1 * far / 2**power + 1e-12, name


@pytest.mark.parametrize("law", LAWS)
def test_limits_are_replica_symmetric(law):
    """x = 1: the free energy of q0. x → 0: that of q1. q0 = q1: both."""
    order, load, T = off_saddle(law, 5)
    symmetric = {
        name: theory.Order(order["m"], order[f"q{k}"], order.get(f"r{k}")) for name, k in (("outer", 0), ("inner", 1))
    }
    outer, inner = (RS.free_energy(symmetric[name], law, load, T) for name in ("outer", "inner"))
    assert ONE.free_energy(Order(**(order | {"x": 1.0})), law, load, T) == pytest.approx(outer, abs=1e-12)
    near, nearer = (abs(ONE.free_energy(Order(**(order | {"x": x})), law, load, T) - inner) for x in (2e-4, 1e-4))
    assert nearer < 1e-3
    assert nearer == pytest.approx(near / 2, rel=1e-2)
    close = order | {"q0": order["q1"] - 1e-9} | ({"r0": order["r1"] - 1e-9} if law is HOPFIELD else {})
    assert ONE.free_energy(Order(**close), law, load, T) == pytest.approx(inner, abs=1e-8)


@pytest.mark.parametrize(("law", "load", "T", "branch"), BROKEN)
def test_solutions_by_plain_sums_and_derivatives(law, load, T, branch):
    state = solve(law, load, T, branch)
    order, noise, p = state.order, crosstalk.noise(law), law.interaction.degree
    assert order.q0 < order.q1
    assert 0 < order.x < 1
    assert state.residual < 1e-12
    v0, v1 = (
        (load * order.r0, load * order.r1)
        if p == 2
        else (load * noise.derivative(1, order.q0), load * noise.derivative(1, order.q1))
    )
    _, m, q0, C, sech4 = plain_sums(order.m ** (p - 1), v0, v1 - v0, order.x / T, T)
    assert (m, q0, 1 - T * C) == pytest.approx((order.m, order.q0, order.q1), abs=1e-10)
    slope, error = difference(lambda t: solve(law, load, t, branch).free_energy, T, 1e-3 * T)
    assert state.entropy == pytest.approx(-slope, abs=error + 1e-8)
    assert abs(ONE.complexity(order, law, load, T)) < 1e-12
    assert state.stability == pytest.approx(1 - load * noise.stiffness(order.q1, (1 - order.q1) / T) * sech4, abs=1e-7)


@pytest.mark.parametrize(("law", "load", "T", "branch"), BROKEN)
def test_zero_temperature_is_the_limit(law, load, T, branch):
    zero = solve(law, load, 0.0, branch)
    assert zero.stability is None
    cold, colder = (solve(law, load, t, branch) for t in (2e-4, 1e-4))
    for name in ("free_energy", "energy", "entropy"):
        far, near = (abs(getattr(s, name) - getattr(zero, name)) for s in (cold, colder))
        assert near < 0.01
        assert near <= 0.52 * far + 1e-10
    assert abs(colder.order.q0 - zero.order.q0) <= 0.52 * abs(cold.order.q0 - zero.order.q0) + 1e-9


def test_sherrington_kirkpatrick():
    """One step gives E = -0.7653 between the symmetric -0.7979 and the exact -0.7632, continuously below T = 1."""
    ground = solve(SK, 1.0, 0.0, "glass")
    assert ground.free_energy == pytest.approx(-0.7653, abs=5e-5)
    assert ONE.transition(SK) is None
    near, far = (solve(SK, 1.0, T, "glass") for T in (0.95, 0.9))
    assert far.order.q1 / near.order.q1 == pytest.approx(2, rel=0.1)
    assert RS.free_energy(RS.order(SK, 1.0, 0.9, "glass"), SK, 1.0, 0.9) < far.free_energy
    assert (ONE.dominant(SK, 1.0, 1.1).q1, ONE.dominant(SK, 1.0, 0.9)) == (0.0, far.order)


def test_p_spin_glass():
    """Ising p-spin, p = 3: T_d = 0.682, T_K = 0.651, E = -0.8135."""
    dynamic, static = ONE.transition(P_SPIN)
    assert (dynamic, static) == pytest.approx((0.682, 0.651), abs=5e-4)
    assert solve(P_SPIN, 1.0, 0.0, "glass").free_energy == pytest.approx(-0.8135, abs=5e-5)
    law = dense(3, "distinct")  # ζ = (2/3) q³ at load 1
    assert ONE.transition(law) == pytest.approx((dynamic * math.sqrt(4 / 3), static * math.sqrt(4 / 3)), rel=1e-9)


def test_large_degrees_tend_to_the_random_energy_model():
    """ζ = q^p/2, p → ∞: T_K = 1/(2 √ln 2), E = -√ln 2."""
    glass = crosstalk.Mixed(10, (*[0.0] * 10, 0.5))
    assert ONE.transition(glass)[1] == pytest.approx(1 / (2 * math.sqrt(math.log(2))), abs=2e-4)
    assert solve(glass, 1.0, 0.0, "glass").free_energy == pytest.approx(-math.sqrt(math.log(2)), abs=1e-4)


@pytest.mark.parametrize(("law", "load"), [(dense(3, "distinct"), 0.2), (dense(5, "all"), 0.003)])
def test_complexity_between_the_transitions(law, load):
    """For T_K < T < T_d the states x = 1 share the paramagnet's f, and their entropy is the paramagnet's less Σ."""
    dynamic, static = (T * math.sqrt(load) for T in ONE.transition(law))
    complexities = []
    for T in np.linspace(static, dynamic, 5)[:-1] * (1 + 1e-9):
        state, paramagnet = solve(law, load, T, "glass"), solve(law, load, T, "paramagnet")
        assert state.order.x == 1
        assert state.order.q1 > state.order.q0 + 0.1
        assert state.free_energy == pytest.approx(paramagnet.free_energy, abs=1e-11)
        assert state.entropy == pytest.approx(paramagnet.entropy, abs=1e-8)
        complexities.append(ONE.complexity(state.order, law, load, T))
    assert complexities[0] == pytest.approx(0, abs=1e-7)
    assert np.all(np.diff(complexities) > 0)
    below = solve(law, load, static * 0.999, "glass")
    assert 0.9 < below.order.x < 1
    paramagnet = RS.order(law, load, static * 0.999, "paramagnet")
    assert RS.free_energy(paramagnet, law, load, static * 0.999) < below.free_energy
    above = dynamic * 1.001
    if law.interaction.indices == "distinct":
        with pytest.raises(NotConverged, match="needs T < T_d"):
            solve(law, load, above, "glass")
    else:
        assert solve(law, load, above, "glass").order.symmetric


def test_networks_with_all_indices():
    """x³ and x⁴ break continuously (x⁴ at 3√α), x⁵ and higher by a jump."""
    assert [ONE.transition(dense(p, "all")) is None for p in (3, 4, 5, 6)] == [True, True, False, False]
    load = 0.04
    assert solve(dense(4, "all"), load, 0.59, "glass").order.q1 < 0.1
    assert ONE.dominant(dense(4, "all"), load, 0.61).q1 == 0
    cubic = dense(3, "all")
    T = brentq(lambda T: RS.stability(RS.order(cubic, load, T, "glass"), cubic, load, T), 0.05, 0.3)
    near, far = (solve(cubic, load, T * x, "glass").order for x in (0.99, 0.98))
    assert (far.q1 - far.q0) / (near.q1 - near.q0) == pytest.approx(2, rel=0.1)
    assert solve(cubic, load, T * 1.001, "glass").order.symmetric


def test_hopfield_capacity():
    """0.138186 at T = 0 with one step, 0.137906 without (Steffan & Kühn 1994); almost no reentrance is left."""
    capacity = theory.capacity(HOPFIELD, temperature=0, ansatz=ONE)
    assert capacity.load == pytest.approx(0.138186, abs=1e-6)
    assert capacity.low <= capacity.load <= capacity.high < capacity.low * (1 + 1e-6)
    gains = [
        theory.capacity(HOPFIELD, temperature=0.01, ansatz=ansatz).load
        - theory.capacity(HOPFIELD, temperature=0, ansatz=ansatz).load
        for ansatz in (ONE, RS)
    ]
    assert 0 < gains[0] < 0.1 * gains[1]


@pytest.mark.parametrize(("law", "T"), [(HOPFIELD, 0.0), (dense(3, "all"), 0.05), (dense(4, "distinct"), 0.0)])
def test_retrieval_ends_at_the_fold(law, T):
    fold, symmetric = ONE.fold(law, T), RS.fold(law, T)
    assert symmetric.load < fold.load
    below = solve(law, fold.low * (1 - 1e-9), T)
    assert below.order.m == pytest.approx(fold.m, abs=1e-3)
    with pytest.raises(NotConverged, match="the branch ends at load"):
        solve(law, fold.high * (1 + 1e-9), T)
    # m approaches the fold as a square root
    near, far = (solve(law, fold.load * (1 - x), T).order.m - fold.m for x in (1e-5, 4e-5))
    assert far / near == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize(("law", "T"), [(HOPFIELD, 0.0), (dense(3, "distinct"), 0.02)])
def test_the_branch_has_no_holes(law, T):
    loads = ONE.fold(law, T).load * (1 - np.geomspace(0.5, 1e-7, 40))
    overlaps, symmetric = np.array(
        [(state.m, state.q0 == state.q1) for state in (ONE.order(law, load, T, "retrieval") for load in loads)]
    ).T
    assert np.all(np.diff(overlaps) < 0)
    assert not symmetric[-1]
    assert np.all(np.diff(symmetric) <= 0)


@pytest.mark.parametrize(("law", "load", "T"), [(HOPFIELD, 0.05, 0.3), (dense(3, "distinct"), 0.05, 0.3)])
def test_where_it_is_stable_replica_symmetry_is_returned(law, load, T):
    state, symmetric = solve(law, load, T), theory.solve(law, load=load, temperature=T)
    assert symmetric.stability > 0
    assert (state.order.m, state.order.q0, state.order.q1, state.order.x) == (
        symmetric.order.m,
        symmetric.order.q,
        symmetric.order.q,
        1.0,
    )
    for name in ("free_energy", "energy", "entropy", "stability"):
        assert getattr(state, name) == pytest.approx(getattr(symmetric, name), rel=1e-14)
    assert ONE.fold(HOPFIELD, 0.3) == RS.fold(HOPFIELD, 0.3)
    assert ONE.fold(HOPFIELD, 1.5) is None


def test_breaking_grows_from_the_almeida_thouless_line():
    law, T = dense(3, "distinct"), 0.1
    (line,) = theory.line(law, line="stability", temperatures=[T])
    assert solve(law, line.load * 0.999, T).order.symmetric
    near, far = (solve(law, line.load * (1 + x), T).order for x in (1e-3, 2e-3))
    assert (far.q1 - far.q0) / (near.q1 - near.q0) == pytest.approx(2, rel=0.05)
    assert far.x == pytest.approx(near.x, rel=0.01)


@settings(max_examples=60, deadline=None)
@given(
    law=st.sampled_from([*LAWS, dense(5, "all"), dense(7, "distinct")]),
    temperature=st.one_of(st.just(0.0), st.floats(1e-3, 1.3), st.floats(-12, 2).map(lambda x: 10**x)),
    load=st.one_of(st.floats(-4, 1.5), st.floats(-1, 0.1)).map(lambda x: 10**x),
    branch=st.sampled_from(["retrieval", "glass"]),
)
def test_everywhere_a_converged_state_or_a_reason(law, temperature, load, branch):
    load *= theory.capacity(law, temperature=0).load
    try:
        state = solve(law, load, temperature, branch)
    except NotConverged:
        return
    order = state.order
    assert state.residual < 1e-9
    assert np.all(np.isfinite([order.m, state.free_energy, state.energy, state.entropy, state.stability or 0.0]))
    assert 0 <= order.q0 <= order.q1 <= 1 + 1e-14
    assert 0 <= order.x <= 1
    assert (order.m > 0) == (branch == "retrieval")


def test_wrong_requests_are_refused():
    with pytest.raises(Refused, match="load must be a finite number > 0"):
        solve(HOPFIELD, -1.0, 0.1)
    with pytest.raises(Refused, match="branch must be one of"):
        solve(HOPFIELD, 0.1, 0.1, "spin glass")
    with pytest.raises(Refused, match="an order for p = 2 needs r0 and r1"):
        ONE.free_energy(Order(0.9, 0.8, 0.9, 0.5), HOPFIELD, 0.1, 0.3)
