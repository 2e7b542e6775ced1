"""Lines of networks that learn from examples: those of the archetypes, the glass, how many examples a load needs."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

import hopsim as hs
from hopsim import theory
from hopsim.errors import Refused
from hopsim.interactions import Power, Quadratic, Rectified
from hopsim.networks import Law
from hopsim.theory import NotConverged, examples

BOTH = ("supervised", "unsupervised")
HOPFIELD = Law(Quadratic(), hs.Rademacher())
DENSE = Law(Power(3, "all"), hs.Rademacher())


def law(quality, M, learning="supervised", dilution=0.0, interaction=Quadratic()):  # noqa: B008
    return Law(interaction, hs.Examples(quality, M, learning, dilution))


@pytest.mark.parametrize("line", ["spinodal", "coexistence", "stability", "glass"])
@pytest.mark.parametrize(
    ("ours", "known"),
    [
        (law(1.0, 4, "unsupervised"), HOPFIELD),
        (law(0.2, 1), HOPFIELD),
        (law(1.0, 3, dilution=0.3), Law(Quadratic(), hs.Diluted(0.3))),
        (law(1.0, 3, "unsupervised", interaction=Power(3, "all")), DENSE),
    ],
    ids=str,
)
def test_the_lines_of_archetypes(line, ours, known):
    temperatures = (0.02, 0.3, 1.2)
    found = examples.line(ours, line=line, temperatures=temperatures)
    expected = theory.line(known, line=line, temperatures=temperatures)
    assert any(point.converged for point in expected) or line in ("stability", "glass")
    for mine, point in zip(found, expected, strict=True):
        assert mine.converged == point.converged
        assert mine.temperature == point.temperature
        if point.converged:
            assert mine.load == pytest.approx(point.load, rel=1e-8)
            assert mine.low <= mine.load <= mine.high
            assert mine.m == pytest.approx(ours.ensemble.quality * point.m, abs=1e-6)


def test_the_capacity_of_the_classical_network():
    for known in (law(1.0, 5, "unsupervised"), law(0.3, 1)):
        found = examples.capacity(known, temperature=0)
        assert found.load == pytest.approx(0.137905566, abs=1e-9)
        assert found.m == pytest.approx(0.9674 * known.ensemble.quality, abs=1e-4)


@pytest.mark.parametrize("learning", BOTH)
def test_on_its_lines_a_state_is_marginal_and_free_energies_cross(learning):
    known = law(0.5, 8, learning)
    (point,) = examples.line(known, line="stability", temperatures=[0.03])
    for share, sign in ((0.99, 1), (1.01, -1)):
        assert sign * examples.solve(known, load=share * point.load, temperature=0.03).stability > 0
    assert examples.solve(known, load=point.load, temperature=0.03).order.m[0] == pytest.approx(point.m, abs=1e-7)
    (point,) = examples.line(known, line="coexistence", temperatures=[0.3])

    def excess(load):
        retrieval, glass = (
            examples.solve(known, load=load, temperature=0.3, branch=branch) for branch in ("retrieval", "glass")
        )
        return retrieval.free_energy - glass.free_energy

    end = examples.capacity(known, temperature=0.3).load
    assert point.load == pytest.approx(brentq(excess, 0.2 * end, end, xtol=1e-14), rel=1e-8)
    assert 0.3 * end < point.load < 0.9 * end


@pytest.mark.parametrize("known", [law(0.5, 6), law(0.5, 6, "unsupervised"), law(0.4, 9, "unsupervised", 0.2)], ids=str)
def test_the_glass_begins_where_the_covariance_of_the_examples_says(known):
    """Linear response of q: 1/α = Σ a²/(T-a)² over the eigenvalues a of the covariance of what is stored, in units of
    R; and there the solved states come to q = 0, in proportion to the distance."""
    e, T = known.ensemble, 1.3
    R = e.quality**2 + (1 - e.quality**2) / e.examples
    covariance = (1 - e.dilution) * (e.quality**2 + (1 - e.quality**2) * np.eye(e.examples))
    a = np.array([covariance.mean() / R]) if e.supervised else np.linalg.eigvalsh(covariance / (R * e.examples))
    (point,) = examples.line(known, line="glass", temperatures=[T])
    assert point.load == pytest.approx(1 / (a**2 / (T - a) ** 2).sum(), rel=1e-12)
    assert point.low < point.load < point.high
    q = [examples.solve(known, load=point.load * (1 + x), temperature=T, branch="glass").order.q for x in (1e-4, 2e-4)]
    assert 0 < q[0] < 1e-3
    assert q[1] / q[0] == pytest.approx(2, rel=0.01)
    with pytest.raises(NotConverged, match="no glass state"):
        examples.solve(known, load=point.load * (1 - 1e-4), temperature=T, branch="glass")
    marginal = examples.solve(known, load=point.load, temperature=T, branch="paramagnet")
    assert marginal.stability == pytest.approx(0, abs=1e-12)
    if e.supervised:
        assert (1 + math.sqrt(point.load)) * (1 - e.dilution) == pytest.approx(T, rel=1e-12)


def test_the_dense_glass_of_unsupervised_learning():
    """Distinct indices, p = 4: √ζ̂''(0) = 0, no continuous line; x⁴: T_g = 3√α times √E[(η_a·η_b)²]/R²."""
    assert (
        examples.line(law(0.5, 6, "unsupervised", interaction=Power(4, "distinct")), line="glass", temperatures=[1.0])[
            0
        ].load
        is None
    )
    r, M, T = 0.6, 5, 0.8
    R = r * r + (1 - r * r) / M
    second = ((r * r + (1 - r * r) * np.eye(M)) ** 2).mean() / R**4
    (point,) = examples.line(law(r, M, "unsupervised", interaction=Power(4, "all")), line="glass", temperatures=[T])
    assert point.load == pytest.approx((T / 3) ** 2 / second, rel=1e-12)


@pytest.mark.parametrize("learning", BOTH)
@pytest.mark.parametrize(("r", "load", "T"), [(0.5, 0.05, 0.0), (0.8, 0.07, 0.1), (0.7, 0.09, 0.0)])
def test_how_many_examples_a_load_needs(r, load, T, learning):
    """From there on every number does, up to twice as many; one less does not."""
    found = examples.needed(law(r, 1, learning), load=load, temperature=T)
    loads = {M: examples.capacity(law(r, M, learning), temperature=T).load for M in range(found - 1, 2 * found)}
    assert loads.pop(found - 1) < load <= min(loads.values())


def test_limits_of_the_number_of_examples():
    assert examples.needed(law(1.0, 9), load=0.1379, temperature=0) == 1
    assert examples.needed(law(0.9, 1), load=0.05, temperature=0) == 1
    both = [examples.needed(law(0.2, 1, learning), load=0.1, temperature=0) for learning in BOTH]
    assert examples.threshold(0.2) < both[0] < both[1]
    with pytest.raises(NotConverged, match="no number of examples is enough at load 0.138, .* less than load 0.137906"):
        examples.needed(law(0.5, 3), load=0.138, temperature=0)
    with pytest.raises(NotConverged, match="retrieve nothing at any load"):
        examples.needed(law(0.5, 3), load=0.01, temperature=1.1)
    with pytest.raises(NotConverged, match="more than 32767 examples are needed at load 0.1379"):
        examples.needed(law(0.2, 3), load=0.1379, temperature=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: examples.line(law(0.5, 3), line="dynamic", temperatures=[0.1]),
            "line must be one of spinodal, .*'dynamic'",
        ),
        (lambda: examples.line(HOPFIELD, line="glass", temperatures=[0.1]), "got Rademacher"),
        (lambda: examples.capacity(HOPFIELD, temperature=0.1), "got Rademacher"),
        (lambda: examples.capacity(law(0.5, 3), temperature=-0.1), "temperature must be .*, got -0.1"),
        (lambda: examples.capacity(law(0.5, 3), temperature=0.1, average="mean"), "average must be .*, got 'mean'"),
        (lambda: examples.capacity(law(0.5, 3, interaction=Rectified(3)), temperature=0), "got Rectified"),
        (lambda: examples.capacity(law(0.5, 3, interaction=Power(3, "distinct")), temperature=0), 'indices = "all"'),
        (lambda: examples.needed(law(0.5, 3), load=0, temperature=0.1), "load must be a finite number > 0, got 0"),
        (lambda: theory.capacity(law(0.5, 3), temperature=0), "its own theory"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(Refused, match=message):
        make()
