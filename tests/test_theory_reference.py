"""Broken replica symmetry against published values, each with its source in data/reference/broken.csv."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_ndtr

from hopsim import theory
from hopsim.interactions import Quadratic
from hopsim.networks import Law
from hopsim.patterns import Rademacher
from hopsim.theory.crosstalk import Mixed

HOPFIELD = Law(Quadratic(), Rademacher())
GLASSES = {
    "sherrington-kirkpatrick": Mixed(2, (0.0, 0.0, 0.5)),
    "3-spin": Mixed(3, (0.0, 0.0, 0.0, 0.5)),
    "random energy model": Mixed(24, (*[0.0] * 24, 0.5)),
}
REFERENCE = Path(__file__).parents[1] / "data" / "reference" / "broken.csv"
ROWS = list(csv.DictReader(REFERENCE.read_text(encoding="utf-8").splitlines()))


def found(row):
    network, steps = GLASSES.get(row["network"], HOPFIELD), row["steps"]
    if row["quantity"].endswith("temperature"):
        return theory.OneStep().transition(network)[row["quantity"].startswith("static")]
    if steps == "inf":
        return theory.parisi(network, load=1.0, temperature=0.0).free_energy
    ansatz = theory.KStep(int(steps))
    if row["quantity"] == "capacity":
        return theory.capacity(network, temperature=0.0, ansatz=ansatz).load
    return theory.solve(network, load=1.0, temperature=0.0, branch="glass", ansatz=ansatz).free_energy


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['quantity']} {row['network']} {row['steps']}")
def test_published_values(row):
    value, uncertainty = float(row["value"]), float(row["uncertainty"])
    assert row["source"]
    assert found(row) == pytest.approx(value, abs=uncertainty)


def test_two_steps_go_beyond_the_capacity_that_was_printed():
    """Steffan & Kühn (1994) print 0.138187 with two steps. At load 0.13819 there is a stationary point all the same,
    of a free energy written here once more with plain sums; beyond the fold of one step, 0.1381865, there is none."""
    load = 0.13819
    with pytest.raises(theory.NotConverged):
        theory.solve(HOPFIELD, load=load, temperature=0.0, ansatz=theory.KStep(1))
    order = theory.KStep(2).order(HOPFIELD, load, 0.0, "retrieval")
    point = np.array([order.m, *order.q[:2], order.susceptibility, *order.y, *order.r])
    for k, value in enumerate(point):
        near, far = (slope_of(load, point, k, s * abs(value)) for s in (2e-6, 4e-6))
        assert abs((4 * near - far) / 3 * value) < 1e-8  # a change by one part in a thousand would exceed this


def slope_of(load, point, k, step):
    above, below = (two_steps(load, point + sign * step * (np.arange(9) == k)) for sign in (1, -1))
    return (above - below) / (2 * step)


Z = np.linspace(-8, 8, 801)
WEIGHTS = np.exp(-Z * Z / 2) / np.exp(-Z * Z / 2).sum()


def two_steps(load, point):
    """f of p = 2 at T = 0 with two steps; y_j = βx_j, C = β(1 - q_1), q_2 = 1."""
    m, q0, q1, C, y1, y2, r0, r1, r2 = point
    D2 = 1 - C
    D1 = D2 - y2 * (1 - q1)
    D0 = D1 - y1 * (q1 - q0)
    logarithms = np.log(D1 / D2) / y2 + np.log(D0 / D1) / y1 - q0 / D0
    products = r2 * C + y2 * (r2 - r1 * q1) + y1 * (r1 * q1 - r0 * q0)
    h = m + np.sqrt(load * r0) * Z[:, None] + np.sqrt(load * (r1 - r0)) * Z
    s = np.sqrt(load * (r2 - r1))
    # ln ∫Dz exp(y2 |h + sz|)
    inner = np.logaddexp(y2 * h + log_ndtr(h / s + y2 * s), -y2 * h + log_ndtr(y2 * s - h / s)) + (y2 * s) ** 2 / 2
    top = inner.max(axis=1)
    middle = y1 / y2 * top + np.log(np.exp(y1 / y2 * (inner - top[:, None])) @ WEIGHTS)
    return load / 2 * (1 + logarithms + products) + m * m / 2 - WEIGHTS @ middle / y1
