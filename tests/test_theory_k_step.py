"""k steps: nested averages by plain quadrature, the equations as the gradient of f, the limits k = 0 and q_0 = q_1."""

import numpy as np
import pytest

from hopsim import theory
from hopsim.errors import Refused
from hopsim.interactions import Power, Quadratic
from hopsim.networks import Law
from hopsim.patterns import Rademacher
from hopsim.theory import NotConverged, Order, ReplicaSymmetric, crosstalk, hierarchy
from hopsim.theory.k_step import KStep, StepOrder

RS = ReplicaSymmetric()
HOPFIELD = Law(Quadratic(), Rademacher())
SK = crosstalk.Mixed(3, (0.0, 0.0, 0.5))  # ζ = q²/2; without retrieval the degree of the signal plays no part
PURE = crosstalk.Mixed(3, (0.0, 0.0, 0.0, 0.5))  # ζ = q³/2
DENSE = [Law(Power(degree, indices), Rademacher()) for degree in (3, 4) for indices in ("distinct", "all")]
LAWS = [HOPFIELD, *DENSE]
RETRIEVING = list(zip(LAWS, [(0.05, 0.3), (0.04, 0.25), (0.03, 0.3), (0.01, 0.25), (0.003, 0.3)], strict=True))


def difference(function, x, step):
    """Central difference and a bound on its error: four times the change under halving, plus rounding."""
    coarse, fine = ((function(x + h) - function(x - h)) / (2 * h) for h in (step, step / 2))
    return fine, 4 * abs(coarse - fine) + 64 * np.finfo(float).eps * (1 + abs(function(x))) / step


def moved(values, index, by):
    return tuple(value + by * (i == index) for i, value in enumerate(values))


def nested(a, variances, tilts, temperature):
    """Φ level by level on one uniform grid, every Gaussian written out."""
    h = np.linspace(-25, 25, 2501)
    phi = np.abs(h) + temperature * np.log1p(np.exp(-2 * np.abs(h) / temperature))
    squares = (h[:, None] - h) ** 2
    for step, tilt in zip(np.diff(variances)[::-1], tilts[::-1], strict=True):
        gauss = np.exp(-squares / (2 * step)) / np.sqrt(2 * np.pi * step) * (h[1] - h[0])
        phi = np.log(gauss @ np.exp(tilt * (phi - 25)) + 1e-300) / tilt + 25
    weight = np.exp(-((h - a) ** 2) / (2 * variances[0])) / np.sqrt(2 * np.pi * variances[0]) * (h[1] - h[0])
    return float(weight @ phi)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.5])
def test_nested_averages_by_plain_quadrature(temperature):
    variances, tilts = np.array([0.3, 0.6, 1.2]), np.minimum([0.4, 1.1], np.array([0.45, 0.9]) / temperature)
    expected = nested(0.7, variances, tilts, temperature)
    assert hierarchy.averages(0.7, variances, tilts, temperature).potential == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("temperature", [0.0, 0.02, 0.2, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_averages_are_derivatives_of_the_potential(temperature, seed):
    rng = np.random.default_rng(seed)
    k = seed + 1
    a, w = rng.uniform(0, 1), tuple(np.cumsum(10 ** rng.uniform(-2, 0, k + 1)))
    y = tuple(np.sort(rng.uniform(0.1, 0.9, k)) / max(temperature, 0.3))

    def potential(a, w, y):
        return hierarchy.averages(a, np.array(w), np.array(y), temperature).potential

    found = hierarchy.averages(a, np.array(w), np.array(y), temperature)
    slope, error = difference(lambda x: potential(x, w, y), a, 1e-3)
    assert found.m == pytest.approx(slope, abs=error)
    tilts = (0.0, *y)
    for j in range(k + 1):
        slope, error = difference(lambda x, j=j: potential(a, moved(w, j, x), y), 0.0, 1e-3 * min(np.diff((0.0, *w))))
        inner = (found.C + y[-1] * found.q[-1]) / 2
        assert (tilts[j] - tilts[j + 1]) * found.q[j] / 2 if j < k else inner == pytest.approx(slope, abs=error)
    for j in range(k):
        slope, error = difference(lambda x, j=j: potential(a, w, moved(y, j, x)), 0.0, 1e-2 * y[0])
        assert found.slopes[j] == pytest.approx(slope, abs=error)


def some_order(law, rng, temperature, k):
    q = np.sort(rng.uniform(1 - temperature / 2, 1, k + 1))
    y = np.sort(rng.uniform(0.05, 0.5, k)) / temperature
    order = StepOrder(rng.uniform(0.3, 0.9), tuple(q), tuple(y))
    if law is not HOPFIELD:
        return order
    r = np.sort(rng.uniform(1, 3, k + 1))
    return StepOrder(order.m, order.q, order.y, tuple(r))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("k", [1, 2, 3])
def test_self_consistency_is_the_gradient_of_the_free_energy(law, k):
    rng = np.random.default_rng(k)
    T, load, p, ansatz = 0.5, 0.1, law.interaction.degree, KStep(k)
    order = some_order(law, rng, T, k)
    left = ansatz.self_consistency(order, law, load, T)
    fields = {name: getattr(order, name) for name in ("m", "q", "y", "r")}

    def check(name, index, expected, step):
        def free(x):
            value = fields[name] + x if index is None else moved(fields[name], index, x)
            return ansatz.free_energy(StepOrder(**(fields | {name: value})), law, load, T)

        slope, error = difference(free, 0.0, step)
        assert error < 1e-3 * max(abs(slope), 0.01)
        assert expected == pytest.approx(slope, abs=error), (name, index)

    check("m", None, -(p - 1) * order.m ** (p - 2) * left.m, 1e-3)
    tilts = np.array([0.0, *order.y, 1 / T])
    for j in range(k + 1):
        weight, close = load / 2 * (tilts[j + 1] - tilts[j]), 1e-2 * min(np.diff((*order.q, 1.0)))
        if law is HOPFIELD:
            check("q", j, weight * left.r[j], close)
            check("r", j, weight * left.q[j], 1e-2 * min(np.diff((0.0, *order.r))))
        else:
            check("q", j, weight * crosstalk.noise(law).derivative(2, order.q[j]) * left.q[j], close)
    for j in range(k):
        check("y", j, left.y[j], 1e-2)


@pytest.mark.parametrize("branch", ["retrieval", "glass"])
@pytest.mark.parametrize(("law", "point"), RETRIEVING)
def test_no_step_is_replica_symmetry(law, point, branch):
    load, T = point if branch == "retrieval" else (8 * point[0], 0.3)
    try:
        expected = theory.solve(law, load=load, temperature=T, branch=branch)
    except NotConverged:
        with pytest.raises(NotConverged):
            theory.solve(law, load=load, temperature=T, branch=branch, ansatz=KStep(0))
        return
    found = theory.solve(law, load=load, temperature=T, branch=branch, ansatz=KStep(0))
    assert (found.order.m, *found.order.q) == pytest.approx((expected.order.m, expected.order.q), abs=1e-10)
    for name in ("free_energy", "energy", "entropy", "stability"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-9), name


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("y", [0.3, 2.0])
def test_a_step_without_height_is_replica_symmetry(law, y):
    load, T, q = 0.05, 0.4, 0.8
    r = 1.7 if law is HOPFIELD else None
    expected = RS.free_energy(Order(0.6, q, r), law, load, T)
    order = StepOrder(0.6, (q, q), (y,), None if r is None else (r, r))
    assert KStep(1).free_energy(order, law, load, T) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("noise", "load", "temperature"), [(SK, 1.0, 0.0), (HOPFIELD, 0.1, 0.2)])
def test_every_step_raises_the_free_energy_of_a_glass_by_less(noise, load, temperature):
    f = [
        theory.solve(noise, load=load, temperature=temperature, branch="glass", ansatz=KStep(k)).free_energy
        for k in range(4)
    ]
    gains = np.diff(f)
    assert np.all(gains > 0)
    assert np.all(gains[1:] < gains[:-1] / 2)


def test_ground_states_of_the_literature():
    """SK: -0.7979 without a step, -0.7653 with one; Ising 3-spin: -0.8135 with one."""
    sk = [theory.solve(SK, load=1.0, temperature=0.0, branch="glass", ansatz=KStep(k)).free_energy for k in (0, 1)]
    assert sk == pytest.approx([-0.7979, -0.7653], abs=5e-5)
    pure = theory.solve(PURE, load=1.0, temperature=0.0, branch="glass", ansatz=KStep(1))
    assert pure.free_energy == pytest.approx(-0.8135, abs=5e-5)
    assert pure.order.q[0] == 0


def test_the_3_spin_glass_freezes_at_the_known_temperature():
    """T_K = 0.651: there x = 1."""
    glass = theory.solve(PURE, load=1.0, temperature=0.64, branch="glass", ansatz=KStep(1))
    assert 0.95 < glass.order.breakpoints(0.64)[0] < 1
    with pytest.raises(NotConverged):
        theory.solve(PURE, load=1.0, temperature=0.66, branch="glass", ansatz=KStep(1))


def test_capacities_of_hopfield_at_zero_temperature():
    """0.138186 with one step (Steffan & Kühn 1994). A second adds little: they print 0.138187, here it is 0.138196."""
    folds = [KStep(k).fold(HOPFIELD, 0.0) for k in (0, 1, 2)]
    assert np.floor(1e6 * folds[1].load) == 138186
    assert folds[0].load < folds[1].load < folds[2].load < folds[1].load + 2e-5
    for fold in folds:
        assert fold.low <= fold.load <= fold.high


def test_the_retrieval_branch_goes_on_beyond_the_symmetric_fold():
    ansatz = KStep(1)
    load = 0.1381
    with pytest.raises(NotConverged):
        theory.solve(HOPFIELD, load=load, temperature=0.0)
    state = theory.solve(HOPFIELD, load=load, temperature=0.0, ansatz=ansatz)
    assert state.order.m > ansatz.fold(HOPFIELD, 0.0).m
    with pytest.raises(NotConverged, match="the branch ends at load 0.138186"):
        theory.solve(HOPFIELD, load=0.1383, temperature=0.0, ansatz=ansatz)


@pytest.mark.parametrize(
    ("noise", "load", "T", "branch"),
    [(HOPFIELD, 0.1, 0.3, "glass"), (SK, 1.0, 0.4, "glass"), (HOPFIELD, 0.138, 0.01, "retrieval")],
)
def test_energy_and_entropy_are_derivatives_of_the_free_energy(noise, load, T, branch):
    def free(temperature):
        return theory.solve(noise, load=load, temperature=temperature, branch=branch, ansatz=KStep(1)).free_energy

    state = theory.solve(noise, load=load, temperature=T, branch=branch, ansatz=KStep(1))
    slope, error = difference(free, T, 0.05 * T)
    assert error < 1e-3
    assert state.entropy == pytest.approx(-slope, abs=error + 1e-9)
    assert state.energy == pytest.approx(state.free_energy + T * state.entropy, abs=1e-12)


@pytest.mark.parametrize(("noise", "load", "branch"), [(SK, 1.0, "glass"), (HOPFIELD, 0.138, "retrieval")])
def test_zero_temperature_is_the_limit(noise, load, branch):
    cold, frozen = (theory.solve(noise, load=load, temperature=T, branch=branch, ansatz=KStep(1)) for T in (1e-5, 0.0))
    assert cold.order.q == pytest.approx(frozen.order.q, abs=1e-4)
    assert cold.order.y == pytest.approx(frozen.order.y, rel=1e-2)
    assert cold.free_energy == pytest.approx(frozen.free_energy, abs=1e-6)


def test_where_symmetry_is_exact_a_step_has_no_height():
    state = theory.solve(HOPFIELD, load=0.05, temperature=0.3, ansatz=KStep(2))
    expected = theory.solve(HOPFIELD, load=0.05, temperature=0.3)
    assert len(set(state.order.q)) == 1
    assert state.free_energy == pytest.approx(expected.free_energy, abs=1e-12)
    assert state.stability == pytest.approx(expected.stability, abs=1e-9)
    assert state.stability > 0


@pytest.mark.parametrize("steps", [-1, 11, 1.5, True])
def test_refuses_other_numbers_of_steps(steps):
    with pytest.raises(Refused, match="steps must be an integer"):
        KStep(steps)


def test_refuses_an_order_at_zero_temperature_without_its_susceptibility():
    with pytest.raises(Refused, match="needs its susceptibility"):
        KStep(1).free_energy(StepOrder(0.0, (0.5, 1.0), (1.4,)), SK, 1.0, 0.0)
