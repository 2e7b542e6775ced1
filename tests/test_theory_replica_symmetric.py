"""The replica-symmetric equations: the free energy is the source of truth, limits and a plain iteration check it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar
from scipy.special import erf

from hopsim import theory
from hopsim.errors import Refused
from hopsim.interactions import Power, Quadratic, Rectified
from hopsim.networks import Law
from hopsim.patterns import Rademacher
from hopsim.theory import NotConverged, Order, ReplicaSymmetric, crosstalk, gaussian

RS = ReplicaSymmetric()
HOPFIELD = Law(Quadratic(), Rademacher())
SK = crosstalk.Mixed(3, (0.0, 0.0, 0.5))  # ζ = q²/2; without retrieval the degree of the signal plays no part


def dense(degree, indices):
    return Law(Power(degree, indices), Rademacher())


LAWS = [HOPFIELD, dense(3, "distinct"), dense(3, "all"), dense(4, "distinct"), dense(4, "all")]
POINTS = [(0.05, 0.3), (0.04, 0.25), (0.03, 0.3), (0.01, 0.25), (0.003, 0.3)]  # in the retrieval phase of each law
RETRIEVING = list(zip(LAWS, POINTS, strict=True))
RECTIFIED = Law(Rectified(3), Rademacher())


def difference(function, x, step):
    """Central difference and a bound on its error: four times the change under halving, plus rounding."""
    coarse, fine = ((function(x + h) - function(x - h)) / (2 * h) for h in (step, step / 2))
    return fine, 4 * abs(coarse - fine) + 16 * np.finfo(float).eps * (1 + abs(function(x))) / step


@pytest.mark.parametrize("law", [*LAWS, RECTIFIED])
@pytest.mark.parametrize("seed", range(3))
def test_self_consistency_is_the_gradient_of_the_free_energy(law, seed):
    rng = np.random.default_rng(seed)
    p, T, load = law.interaction.degree, rng.uniform(0.3, 0.8), rng.uniform(0.01, 0.2)
    order = {"m": rng.uniform(0.3, 0.9), "q": rng.uniform(1 - T / 2, 1)} | ({"r": rng.uniform(1, 3)} if p == 2 else {})

    def gradient(name):
        return difference(
            lambda x: RS.free_energy(Order(**(order | {name: x})), law, load, T), order[name], 1e-3 * (1 - order["q"])
        )

    residuals = RS.self_consistency(Order(**order), law, load, T)
    expected = {"m": -(p - 1) * order["m"] ** (p - 2) * residuals[0]}
    if p == 2:
        expected |= {"r": load / (2 * T) * residuals[1], "q": load / (2 * T) * residuals[2]}
    else:
        expected["q"] = load / (2 * T) * crosstalk.noise(law).derivative(2, order["q"]) * residuals[1]
    for name, value in expected.items():
        numerical, error = gradient(name)
        assert error < 1e-4 * max(abs(numerical), 0.01)
        assert value == pytest.approx(numerical, abs=error), name


@pytest.mark.parametrize("branch", ["retrieval", "glass", "paramagnet"])
@pytest.mark.parametrize(("law", "point"), [*RETRIEVING, (RECTIFIED, (0.06, 0.3))])
def test_energy_and_entropy_are_derivatives_of_the_free_energy(law, point, branch):
    load, T = point if branch == "retrieval" else (8 * point[0], 1.2 if branch == "paramagnet" else 0.45)

    def free(temperature):
        return theory.solve(law, load=load, temperature=temperature, branch=branch).free_energy

    try:
        solution = theory.solve(law, load=load, temperature=T, branch=branch)
    except NotConverged:
        assert law.interaction.degree > 2  # the glass of p ≥ 3 is not everywhere
        return
    slope, error = difference(free, T, 1e-3)
    assert solution.entropy == pytest.approx(-slope, abs=error)
    beta_slope, error = difference(lambda beta: beta * free(1 / beta), 1 / T, 1e-3)
    assert solution.energy == pytest.approx(beta_slope, abs=error)
    assert solution.free_energy == pytest.approx(solution.energy - T * solution.entropy, abs=1e-12)


@pytest.mark.parametrize("law", [*LAWS, RECTIFIED])
def test_zero_temperature_is_the_limit(law):
    """Corrections to every quantity are linear in T (q = 1 - CT) or of higher order: halving T at least halves them."""
    capacity = theory.capacity(law, temperature=0).load
    for branch, load in (("retrieval", 0.9 * capacity), ("glass", 2 * capacity)):
        limit = theory.solve(law, load=load, temperature=0, branch=branch)
        assert limit.stability is None
        close, closer = (theory.solve(law, load=load, temperature=T, branch=branch) for T in (2e-4, 1e-4))
        for name in ("free_energy", "energy", "entropy"):
            error, smaller = (abs(getattr(s, name) - getattr(limit, name)) for s in (close, closer))
            assert smaller < 0.01
            assert smaller <= 0.51 * error + 1e-11
        assert abs(closer.order.m - limit.order.m) <= 0.51 * abs(close.order.m - limit.order.m) + 1e-13


def textbook(law, load, T, m, q, sweeps=400):
    """Damped iteration of the equations with adaptive quadrature; r for p = 2 follows q."""
    p = law.interaction.degree
    if p > 2:
        x, w = np.polynomial.hermite_e.hermegauss(4 * p)

    def variance(q):
        if p == 2:
            return q / (1 - (1 - q) / T) ** 2
        if law.interaction.indices == "distinct":
            return math.factorial(p - 1) * q ** (p - 1)
        # Price's theorem: ζ̂'(q) = E[x^(p-1) y^(p-1)]
        y = q * x[:, None] + math.sqrt(max(0.0, 1 - q * q)) * x
        return (w[:, None] * w * x[:, None] ** (p - 1) * y ** (p - 1)).sum() / (2 * math.pi)

    def mean(function, a, sigma):
        weight = lambda z: function((a + sigma * z) / T) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)  # noqa: E731
        kink = min(8.0, max(-8.0, -a / sigma))
        return sum(quad(weight, low, high, epsabs=1e-13)[0] for low, high in ((-10, kink), (kink, 10)))

    for _ in range(sweeps):
        a, sigma = m ** (p - 1), math.sqrt(load * variance(q))
        new = (mean(math.tanh, a, sigma) if m > 0 else 0.0), mean(lambda x: math.tanh(x) ** 2, a, sigma)
        if max(abs(new[0] - m), abs(new[1] - q)) < 1e-13:
            break
        m, q = (m + new[0]) / 2, (q + new[1]) / 2
    return m, q


@pytest.mark.parametrize(("law", "point"), RETRIEVING)
def test_retrieval_is_where_the_textbook_iteration_ends(law, point):
    order = theory.solve(law, load=point[0], temperature=point[1]).order
    assert (order.m, order.q) == pytest.approx(textbook(law, *point, 1.0, 1.0), abs=1e-10)


@pytest.mark.parametrize(
    ("law", "point"), [(HOPFIELD, (0.3, 0.5)), (dense(4, "all"), (0.1, 0.4)), (dense(3, "all"), (0.2, 0.4))]
)
def test_glass_is_where_the_textbook_iteration_ends(law, point):
    order = theory.solve(law, load=point[0], temperature=point[1], branch="glass").order
    assert order.m == 0
    assert order.q == pytest.approx(textbook(law, *point, 0.0, 1.0)[1], abs=1e-10)


@pytest.mark.parametrize("y", [1.6, 2.0, 3.0])
def test_zero_temperature_equation_of_amit_gutfreund_and_sompolinsky(y):
    """√(2α) = erf(y)/y - (2/√π) exp(-y²), m = erf(y) (AGS 1987)."""
    load = (erf(y) / y - 2 / math.sqrt(math.pi) * math.exp(-y * y)) ** 2 / 2
    assert theory.solve(HOPFIELD, load=load, temperature=0).order.m == pytest.approx(erf(y), abs=1e-13)


@pytest.mark.parametrize("law", LAWS)
def test_no_load_is_the_mean_field_ferromagnet(law):
    p, T = law.interaction.degree, 0.2
    m = brentq(lambda m: m - math.tanh(m ** (p - 1) / T), 0.8, 1, xtol=1e-15)
    solution = theory.solve(law, load=1e-12, temperature=T)
    assert solution.order.m == pytest.approx(m, abs=1e-9)
    assert solution.stability == pytest.approx(1, abs=1e-9)


def test_sherrington_kirkpatrick():
    """ζ = q²/2: f = -√(2/π) and s = -1/2π at T = 0 (Sherrington & Kirkpatrick 1975), a glass below T = 1, unstable."""
    ground = theory.solve(SK, load=1, temperature=0, branch="glass")
    assert ground.free_energy == pytest.approx(-math.sqrt(2 / math.pi), abs=1e-14)
    assert ground.entropy == pytest.approx(-1 / (2 * math.pi), abs=1e-14)
    assert theory.solve(SK, load=1, temperature=0.9, branch="glass").stability < 0
    assert theory.solve(SK, load=1, temperature=1.1, branch="paramagnet").stability == pytest.approx(
        1 - 1 / 1.21, abs=1e-12
    )
    with pytest.raises(NotConverged):
        theory.solve(SK, load=1, temperature=1.001, branch="glass")


@pytest.mark.parametrize("load", [0.02, 0.3, 2.0])
def test_ground_state_of_the_hopfield_glass(load):
    """E = -1/π - √(2α/π) (AGS 1987)."""
    energy = theory.solve(HOPFIELD, load=load, temperature=0, branch="glass").energy
    assert energy == pytest.approx(-1 / math.pi - math.sqrt(2 * load / math.pi), abs=1e-12)


@pytest.mark.parametrize("law", LAWS)
def test_high_temperature(law):
    """f → -T ln 2 - βζ(1)/2 with ζ(1)/α = ½ for p = 2; odd powers with all indices keep a random field, q = β²ζ'(0)."""
    T, load = 50.0, 0.1
    zeta = 0.5 if law is HOPFIELD else float(crosstalk.noise(law).zeta(1.0))
    solution = theory.solve(law, load=load, temperature=T, branch="paramagnet")
    assert solution.free_energy == pytest.approx(-T * math.log(2) - load * zeta / (2 * T), abs=5 * zeta * load / T**2)
    field = 0.0 if law is HOPFIELD else crosstalk.noise(law).derivative(1, 0.0)
    assert solution.order.q == pytest.approx(load * field / T**2, rel=0.01)


def test_pure_glass_appears_at_a_fold():
    """Distinct indices: α(σ) = σ²/((p-1)! q^(p-1)) has a minimum, where two glass states appear."""
    law, T = dense(3, "distinct"), 0.2

    def load(sigma):
        return sigma**2 / (2 * float(gaussian.response(0.0, sigma, T).q) ** 2)

    fold = minimize_scalar(load, bounds=(0.05, 1), method="bounded", options={"xatol": 1e-10})
    q = float(gaussian.response(0.0, fold.x, T).q)
    for excess in (1e-7, 1e-3):
        above = theory.solve(law, load=fold.fun * (1 + excess), temperature=T, branch="glass")
        assert q < above.order.q < q + 3 * math.sqrt(excess)
    with pytest.raises(NotConverged, match="the glass needs"):
        theory.solve(law, load=fold.fun * (1 - 1e-7), temperature=T, branch="glass")


@pytest.mark.parametrize(("law", "load", "T"), [(HOPFIELD, 0.2, 1.2), (dense(3, "distinct"), 0.16, 0.2)])
def test_the_largest_free_energy_dominates_without_retrieval(law, load, T):
    """n → 0 turns the minimum over q into a maximum: below T_g the Hopfield glass, not the paramagnet."""
    glass, paramagnet = (theory.solve(law, load=load, temperature=T, branch=b) for b in ("glass", "paramagnet"))
    dominant = RS.dominant(law, load, T)
    assert glass.free_energy != paramagnet.free_energy
    assert dominant == max((glass, paramagnet), key=lambda s: s.free_energy).order
    assert law is not HOPFIELD or dominant.q > 0


@pytest.mark.parametrize("branch", ["retrieval", "glass"])
def test_stability_by_adaptive_quadrature(branch):
    load, T = 0.05, 0.3
    s = theory.solve(HOPFIELD, load=load, temperature=T, branch=branch)
    m, q, r = s.order.m, s.order.q, s.order.r
    sech4 = quad(
        lambda z: math.exp(-z * z / 2) / math.cosh((m + z * math.sqrt(load * r)) / T) ** 4,
        -9,
        9,
        epsabs=1e-13,
        limit=200,
    )[0] / math.sqrt(2 * math.pi)
    assert s.stability == pytest.approx(1 - load / T**2 / (1 - (1 - q) / T) ** 2 * sech4, abs=1e-10)
    assert (s.stability > 0) == (branch == "retrieval")


def test_retrieval_becomes_unstable_as_amit_gutfreund_and_sompolinsky_say():
    """T_R → √(8α/9π) exp(-1/2α) at small load (AGS 1987): there the stability vanishes, but for corrections ~ C."""
    for load in (0.05, 0.04, 0.03):
        T = math.sqrt(8 * load / (9 * math.pi)) * math.exp(-1 / (2 * load))
        s = theory.solve(HOPFIELD, load=load, temperature=T)
        assert 0 < s.order.susceptibility < 2e-4
        assert abs(s.stability) < 60 * s.order.susceptibility


def test_retrieval_at_the_fold_becomes_unstable_at_a_fortieth():
    """Condition by its T → 0 form, αβ(4/3)ρ/(1-C)² = 1, ρ = C/2 the density of zero fields; corrections of order T."""
    fold = RS.fold(HOPFIELD, 0.0)
    order = RS.order(HOPFIELD, fold.load, 0.0, "retrieval")
    lowest = fold.load * (4 / 3) * (order.susceptibility / 2) / (1 - order.susceptibility) ** 2

    def stability(T):
        load = RS.fold(HOPFIELD, T).load
        return RS.stability(RS.order(HOPFIELD, load, T, "retrieval"), HOPFIELD, load, T)

    assert brentq(stability, 0.01, 0.1) == pytest.approx(lowest, rel=0.05)


@settings(max_examples=150)
@given(
    law=st.sampled_from([*LAWS, RECTIFIED, dense(7, "distinct"), dense(7, "all"), dense(12, "all")]),
    temperature=st.one_of(st.just(0.0), st.floats(1e-3, 1.3), st.floats(-12, 12).map(lambda x: 10**x)),
    load=st.one_of(st.floats(-6, 1.5), st.floats(-1, 0.1)),
    branch=st.sampled_from(["retrieval", "glass", "paramagnet"]),
)
def test_everywhere_a_converged_state_or_a_reason(law, temperature, load, branch):
    load = 10**load * theory.capacity(law, temperature=0).load if load < 1.5 else 1e12
    try:
        s = theory.solve(law, load=load, temperature=temperature, branch=branch)
    except NotConverged:
        return
    assert s.converged
    assert s.residual < 1e-9
    assert np.all(np.isfinite([s.order.m, s.order.q, s.free_energy, s.energy, s.entropy, s.stability or 0.0]))
    assert 0 <= s.order.q <= 1 + 1e-14
    assert (s.order.m > 0) == (branch == "retrieval")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"temperature": -0.1}, "temperature must be a finite number >= 0, got -0.1"),
        ({"temperature": math.nan}, "temperature must be a finite number >= 0, got nan"),
        ({"temperature": 1e-100}, "temperature must be 0 or from 1e-12 to 1e+12, got 1e-100"),
        ({"load": 0.0}, "load must be a finite number > 0, got 0.0"),
        ({"load": math.inf}, "load must be a finite number > 0, got inf"),
        ({"load": "0.1"}, "load must be a finite number > 0, got '0.1'"),
        ({"branch": "spin glass"}, "branch must be one of retrieval, glass, paramagnet, got 'spin glass'"),
    ],
)
def test_wrong_requests_are_refused(wrong, says):
    with pytest.raises(Refused) as refusal:
        theory.solve(**({"law": HOPFIELD, "load": 0.05, "temperature": 0.1, "branch": "retrieval"} | wrong))
    assert str(refusal.value) == says
