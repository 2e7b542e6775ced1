"""Boundaries: published values, states on either side, brackets."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.special import erf

from hopsim import theory
from hopsim.errors import Refused
from hopsim.interactions import Power, Quadratic
from hopsim.networks import Law
from hopsim.patterns import Rademacher
from hopsim.theory import NotConverged, ReplicaSymmetric

RS = ReplicaSymmetric()
HOPFIELD = Law(Quadratic(), Rademacher())
REFERENCE = Path(__file__).parents[1] / "data" / "reference" / "theory.csv"


def dense(degree, indices):
    return Law(Power(degree, indices), Rademacher())


LAWS = [HOPFIELD, dense(3, "distinct"), dense(3, "all"), dense(4, "all"), dense(6, "distinct")]


def line(law, name, *temperatures):
    return theory.line(law, line=name, temperatures=temperatures)


def closed_load(y):
    """α(y) of the T = 0 equation for p = 2 (AGS 1987)."""
    return (erf(y) / y - 2 / math.sqrt(math.pi) * math.exp(-y * y)) ** 2 / 2


def test_hopfield_capacity_at_zero_temperature():
    """The maximum of the closed T = 0 equation, 0.137905 in Steffan & Kühn 1994."""
    capacity = theory.capacity(HOPFIELD, temperature=0)
    best = minimize_scalar(lambda y: -closed_load(y), bounds=(1, 3), method="bounded", options={"xatol": 1e-10})
    assert capacity.load == pytest.approx(-best.fun, abs=1e-14)
    assert capacity.load == pytest.approx(0.137905566, abs=5e-10)
    assert capacity.m == pytest.approx(0.967417, abs=5e-7)
    assert capacity.low <= -best.fun <= capacity.high


@pytest.mark.parametrize(("degree", "indices"), [(3, "distinct"), (3, "all"), (4, "distinct"), (5, "all")])
def test_dense_capacity_at_zero_temperature(degree, indices):
    """m = erf(m^(p-1)/√(2αv)), v = (p-1)! or (2p-3)!!: the largest α = m^(2p-2)/(2 v y²), m = erf(y)."""
    p = degree
    v = math.factorial(p - 1) if indices == "distinct" else math.prod(range(2 * p - 3, 0, -2))
    y = np.linspace(0.5, 3, 200001)
    loads = erf(y) ** (2 * p - 2) / (2 * v * y**2)
    capacity = theory.capacity(dense(degree, indices), temperature=0)
    assert capacity.load == pytest.approx(loads.max(), rel=1e-9)
    assert capacity.m == pytest.approx(erf(y[loads.argmax()]), abs=1e-4)


def test_capacity_grows_with_temperature_at_first():
    """The reentrant phase that Steffan & Kühn (1994) mention: as q = 1 - CT, dα_c/dT = α_c C at T = 0."""
    cold, zero = theory.capacity(HOPFIELD, temperature=1e-6), theory.capacity(HOPFIELD, temperature=0)
    y = math.sqrt(2) * minimize_scalar(lambda y: -closed_load(y), bounds=(1, 3), method="bounded").x
    sigma = zero.m / y
    C = math.sqrt(2 / math.pi) / sigma * math.exp(-y * y / 2)
    assert (cold.load - zero.load) / 1e-6 == pytest.approx(zero.load * C, rel=1e-3)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("T", [0.0, 1e-4, 0.15, 0.3])
def test_retrieval_ends_at_the_spinodal(law, T):
    (fold,) = line(law, "spinodal", T)
    if not fold.converged:
        assert law.interaction.degree == 6
        return
    assert fold.low <= fold.load <= fold.high
    assert fold.high - fold.low < 1e-7 * fold.load
    below = theory.solve(law, load=fold.low, temperature=T)
    assert below.residual < 1e-12
    assert below.order.m == pytest.approx(fold.m, abs=1e-3)
    with pytest.raises(NotConverged, match="the branch ends at load") as reason:
        theory.solve(law, load=fold.high * (1 + 1e-12), temperature=T)
    assert reason.value.last.load == fold.load
    # m approaches the fold as a square root
    near, far = (theory.solve(law, load=fold.load * (1 - x), temperature=T).order.m - fold.m for x in (1e-6, 4e-6))
    assert far / near == pytest.approx(2, rel=0.01)


def test_retrieval_ends_at_temperature_one():
    inside, outside = line(HOPFIELD, "spinodal", 0.999, 1.0)
    assert inside.converged
    assert (outside.load, outside.low, outside.high, outside.m, outside.converged) == (None, None, None, None, False)
    with pytest.raises(NotConverged, match="none at any load"):
        theory.solve(HOPFIELD, load=1e-9, temperature=1.0)


def test_coexistence_at_zero_temperature():
    """Equal energies of retrieval, α/2 - m²/2 - αr/2, and glass, -1/π - √(2α/π): 0.051 in AGS 1987 (two digits cut)."""

    def gap(y):
        load, m = closed_load(y), erf(y)
        r = (m / (math.sqrt(2) * y)) ** 2 / load
        return load / 2 - m**2 / 2 - load * r / 2 + 1 / math.pi + math.sqrt(2 * load / math.pi)

    (point,) = line(HOPFIELD, "coexistence", 0.0)
    assert point.load == pytest.approx(closed_load(brentq(gap, 2, 4, xtol=1e-15)), rel=1e-10)
    assert math.floor(1000 * point.load) == 51


@pytest.mark.parametrize(("law", "T"), [(HOPFIELD, 0.4), (dense(3, "distinct"), 0.2), (dense(4, "all"), 0.1)])
def test_retrieval_dominates_below_coexistence(law, T):
    (point,) = line(law, "coexistence", T)
    assert point.low <= point.load <= point.high
    for load, dominates in ((point.low, True), (point.high, False)):
        retrieval = theory.solve(law, load=load, temperature=T).free_energy
        rival = RS.free_energy(RS.dominant(law, load, T), law, load, T)
        assert (retrieval < rival) == dominates
    fractions = point.load / theory.capacity(law, temperature=T).load
    assert 0 < fractions < 1


@pytest.mark.parametrize("load", [0.01, 0.138, 1.0])
def test_hopfield_glass_line(load):
    """T_g = 1 + √α: the paramagnet loses stability and a glass with small q appears."""
    T = 1 + math.sqrt(load)
    (point,) = line(HOPFIELD, "glass", T)
    assert point.load == pytest.approx(load, rel=1e-12)
    assert theory.solve(HOPFIELD, load=load, temperature=T, branch="paramagnet").stability == pytest.approx(
        0, abs=1e-12
    )
    near, far = (theory.solve(HOPFIELD, load=load, temperature=T - x, branch="glass").order.q for x in (1e-6, 2e-6))
    assert far / near == pytest.approx(2, rel=1e-3)
    with pytest.raises(NotConverged, match="the glass needs"):
        theory.solve(HOPFIELD, load=load, temperature=T + 1e-6, branch="glass")


def test_dense_glass_line():
    """x⁴: T = 3√α, continuous. Pure degrees p ≥ 3 have no such line; that of odd powers is tested by a plain sum."""
    law, T = dense(4, "all"), 0.6
    (point,) = line(law, "glass", T)
    assert point.load == pytest.approx((T / 3) ** 2, rel=1e-14)
    assert 0 < theory.solve(law, load=point.load * (1 + 1e-6), temperature=T, branch="glass").order.q < 1e-4
    for other in (dense(3, "distinct"), dense(4, "distinct")):
        assert line(other, "glass", T)[0].load is None
    assert [boundary.load for boundary in line(HOPFIELD, "glass", 0.5, 1.0)] == [None, None]


@pytest.mark.parametrize(("law", "T"), [(HOPFIELD, 0.01), (dense(3, "distinct"), 0.2), (dense(4, "distinct"), 0.2)])
def test_stability_changes_sign_at_its_line(law, T):
    (point,) = line(law, "stability", T)
    stabilities = [theory.solve(law, load=load, temperature=T).stability for load in (point.low, point.high)]
    assert stabilities[0] > 0 > stabilities[1]
    assert point.m == pytest.approx(theory.solve(law, load=point.load, temperature=T).order.m, abs=1e-12)


def test_retrieval_is_stable_above_the_line_and_undefined_at_zero():
    assert [boundary.load for boundary in line(HOPFIELD, "stability", 0.0, 0.3)] == [None, None]


@pytest.mark.parametrize("T", [0.0, 0.3])
def test_retrieval_curve_runs_to_the_fold(T):
    loads, overlaps = theory.retrieval_curve(HOPFIELD, temperature=T, points=50)
    fold = theory.capacity(HOPFIELD, temperature=T)
    assert loads.shape == overlaps.shape == (50,)
    assert np.all(np.diff(loads) > 0)
    assert np.all(np.diff(overlaps) <= 0)
    assert (loads[-1], overlaps[-1]) == pytest.approx((fold.load, fold.m), abs=1e-6)
    assert overlaps[20] == theory.solve(HOPFIELD, load=loads[20], temperature=T).order.m
    assert theory.retrieval_curve(HOPFIELD, temperature=1.5)[0].size == 0


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("dynamic", "dynamic line needs ansatz=OneStep"),
        ("static", "static line needs ansatz=OneStep"),
        ("binodal", "line must be one of spinodal, coexistence, glass, stability"),
    ],
)
def test_unknown_lines_are_refused(name, says):
    with pytest.raises(Refused, match=says):
        line(HOPFIELD, name, 0.3)


COMPUTED = {
    "capacity": lambda law: theory.capacity(law, temperature=0).load,
    "overlap at capacity": lambda law: theory.capacity(law, temperature=0).m,
    "coexistence load": lambda law: line(law, "coexistence", 0.0)[0].load,
    "stability temperature at capacity": lambda law: brentq(
        lambda T: RS.stability(RS.order(law, RS.fold(law, T).load, T, "retrieval"), law, RS.fold(law, T).load, T),
        0.02,
        0.03,
        xtol=1e-8,
    ),
}
NETWORKS = {"hopfield": HOPFIELD} | {
    f"dense degree={p} indices={i}": dense(p, i) for p in (3, 4) for i in ("distinct", "all")
}


def reference_rows():
    with REFERENCE.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", reference_rows(), ids=lambda row: f"{row['quantity']}, {row['network']}")
def test_reference_table(row):
    value = COMPUTED[row["quantity"]](NETWORKS[row["network"]])
    assert value == pytest.approx(float(row["value"]), abs=float(row["digits_or_uncertainty"]))


def test_the_glass_line_in_a_random_field_is_where_a_plain_sum_says():
    """ζ of x³ is q + 2q³/3, so that ζ' = 1 + 2q² and ζ'' = 4q; the averages are plain sums over z, by bisection."""
    z = np.linspace(-9, 9, 20001)
    weight = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()

    def stability(T):
        q = 0.5
        for _ in range(500):
            h = np.sqrt(1 + 2 * q * q) * z / T
            q = float(weight @ np.tanh(h) ** 2)
        return 1 - 4 * q / T**2 * float(weight @ (1 / np.cosh(h)) ** 4)

    low, high = 0.7, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if stability(middle) < 0 else (low, middle)
    for load in (1.0, 0.25):
        (point,) = line(dense(3, "all"), "glass", high * math.sqrt(load))
        assert point.load == pytest.approx(load, rel=1e-8)
        assert point.low < point.load < point.high
