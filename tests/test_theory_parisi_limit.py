"""The Parisi solution: the known ground state, a second discretisation, the limits of high and of zero temperature."""

import numpy as np
import pytest
from scipy.optimize import minimize

from hopsim import theory
from hopsim.errors import Refused
from hopsim.interactions import Quadratic
from hopsim.networks import Law
from hopsim.patterns import Rademacher
from hopsim.theory import NotConverged, Order, ReplicaSymmetric, crosstalk, gaussian, hierarchy
from hopsim.theory.k_step import KStep
from hopsim.theory.parisi_limit import at_overlap, parisi

RS = ReplicaSymmetric()
HOPFIELD = Law(Quadratic(), Rademacher())
SK = crosstalk.Mixed(3, (0.0, 0.0, 0.5))  # ζ = q²/2; the degree is that of the signal m²
MIXED = crosstalk.Mixed(3, (0.0, 0.0, 0.5, 0.0, 0.5))


def on_fixed_overlaps(noise, q, signal):
    """f at T = 0, largest over all y that grow along a fixed grid of q: concave, and a lower bound."""
    w = np.array([noise.derivative(1, x) for x in q])
    theta = q * w - np.array([noise.zeta(x) for x in q])

    def descent(rises):
        y = np.cumsum(rises)
        site = hierarchy.averages(signal, w, y, 0.0)
        slopes = np.diff(theta) / 2 - site.slopes
        return site.potential - y @ np.diff(theta) / 2, -np.cumsum(slopes[::-1])[::-1]

    start = np.full(len(q) - 1, 0.5)
    bounds = [(1e-3, None)] + [(0, None)] * (len(start) - 1)
    return -minimize(descent, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 400}).fun


@pytest.fixture(scope="module")
def ground_state():
    return parisi(SK, load=1.0, temperature=0.0)


def test_sherrington_kirkpatrick_ground_state(ground_state):
    """-0.7632 in the literature, -0.76317 to one digit more."""
    assert ground_state.free_energy == pytest.approx(-0.76317, abs=2e-5)
    assert ground_state.error < 2e-6


def test_the_ladder_climbs_to_the_limit(ground_state):
    gains = np.diff([*ground_state.ladder, ground_state.free_energy])
    assert np.all(gains > 0)
    assert np.all(gains[1:-1] < gains[:-2] / 2)
    assert ground_state.ladder[0] == pytest.approx(-0.7653, abs=5e-5)


def test_the_error_covers_more_steps(ground_state):
    fewer = parisi(SK, load=1.0, temperature=0.0, steps=3)
    assert abs(fewer.free_energy - ground_state.free_energy) < fewer.error


@pytest.mark.parametrize(
    ("noise", "m", "grid"),
    [
        (SK, 0.0, 1 - (1 - np.linspace(0, 1, 11)) ** 2.5),
        (SK, 0.7, 1 - 0.41 * (1 - np.linspace(0, 1, 10)) ** 2.5),
        (MIXED, 0.0, np.append([0.0, 0.01, 0.02, 0.03, 0.045], 1 - 0.08 * (1 - np.linspace(0, 1, 8)) ** 2)),
    ],
)
def test_a_second_discretisation_agrees(noise, m, grid):
    """Fixed overlaps with free y, against free overlaps: both from below, the second without its extrapolation too."""
    found = at_overlap(noise, load=1.0, temperature=0.0, m=m, steps=4)
    energy = (noise.degree - 1) / noise.degree * m**noise.degree
    bound = energy + on_fixed_overlaps(noise, grid, m ** (noise.degree - 1))
    assert bound < found.free_energy + found.error
    assert found.free_energy == pytest.approx(bound, abs=2e-5)


def test_where_symmetry_holds_it_is_exact():
    """A field of m² = 0.49 at T = 1.2 is above the de Almeida-Thouless line."""
    m, T, q = 0.7, 1.2, 1.0
    for _ in range(500):
        q = float(gaussian.response(m**2, np.sqrt(q), T).q)
    assert RS.stability(Order(m, q), SK, 1.0, T) > 0
    found = at_overlap(SK, load=1.0, temperature=T, m=m)
    assert found.free_energy == pytest.approx(RS.free_energy(Order(m, q), SK, 1.0, T), abs=1e-12)
    assert found.order.q == pytest.approx([q] * len(found.order.q), abs=1e-9)


def test_zero_temperature_is_the_limit(ground_state):
    cold = parisi(SK, load=1.0, temperature=0.01, steps=4)
    assert cold.free_energy == pytest.approx(ground_state.free_energy, abs=1e-5 + cold.error)
    entropies = [
        theory.solve(SK, load=1.0, temperature=0.01, branch="glass", ansatz=KStep(k)).entropy for k in range(4)
    ]
    assert np.all(np.diff(entropies) > 0)
    assert -0.002 < entropies[-1] < 1e-4


def test_retrieval_and_glass_of_hopfield():
    state = parisi(HOPFIELD, load=0.1378, temperature=0.0, branch="retrieval", steps=3)
    symmetric = theory.solve(HOPFIELD, load=0.1378, temperature=0.0)
    assert symmetric.free_energy < state.ladder[0] < state.ladder[1] < state.free_energy
    assert state.order.m > symmetric.order.m
    glass = parisi(HOPFIELD, load=0.1378, temperature=0.0)
    assert np.all(np.diff(glass.ladder) > 0)
    assert glass.free_energy < state.free_energy  # retrieval is metastable at loads above 0.051


def test_refuses():
    with pytest.raises(Refused, match="branch must be glass or retrieval"):
        parisi(SK, load=1.0, temperature=0.0, branch="paramagnet")
    with pytest.raises(Refused, match="steps must be an integer from 3"):
        parisi(SK, load=1.0, temperature=0.0, steps=2)
    with pytest.raises(Refused, match="no maximum for p = 2"):
        at_overlap(HOPFIELD, load=0.1, temperature=0.0, m=0.9)
    with pytest.raises(Refused, match="m must be from 0 to 1"):
        at_overlap(SK, load=1.0, temperature=0.0, m=1.5)
    with pytest.raises(NotConverged, match="no state with a step"):
        parisi(SK, load=1.0, temperature=1.2)
