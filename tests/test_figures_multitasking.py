"""Figures of multitasking networks: what is collected is theory and simulation, and is what is drawn."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from hopsim.errors import Refused
from hopsim.figures import dilution_phases, multitasking
from hopsim.theory.finite_patterns import critical_dilution

mpl.use("Agg")


@pytest.fixture(scope="module")
def measured():
    return multitasking.measure(patterns=3, dilutions=[0.1, 0.4, 0.8], neurons=1000, samples=20)


@pytest.fixture(scope="module")
def phases():
    return dilution_phases.collect(patterns=3, points=10)


def test_simulated_overlaps_lie_on_theory(measured):
    """Six numbers within 4 standard errors and the 1/√N by which ordering lifts small overlaps."""
    for k, d in enumerate(measured.dilutions):
        a = 1 - d
        hierarchical = [a, a * d, a * d * d]
        parallel = [a * (1 - a * a / 2), a * (d + a * a / 2), a * (d * d + a * a / 2)]
        expected = hierarchical if d < critical_dilution(3) else parallel
        assert np.abs(measured.overlaps[:, k] - expected).max() < 4 * measured.errors[:, k].max() + 1000**-0.5


def test_measured_overlaps_repeat(measured):
    again = multitasking.measure(patterns=3, dilutions=[0.4], neurons=1000, samples=20)
    assert np.array_equal(again.overlaps[:, 0], measured.overlaps[:, 1])


def test_overlaps_are_drawn_on_theory(measured):
    data = multitasking.collect(patterns=3, measured=measured)
    assert data.critical == critical_dilution(3)
    d, overlaps = data.hierarchical
    assert overlaps == pytest.approx(np.array([(1 - d) * d**k for k in range(3)]), abs=1e-14)
    assert data.beyond[1].shape == (3, len(data.beyond[0]))
    ax = multitasking.draw(data).axes[0]
    assert np.array_equal(ax.get_lines()[0].get_ydata(), overlaps[0])
    assert len(ax.containers) == 3
    assert ax.get_title() == "$K = 3$, $T = 0$, $N = 1000$ simulated"


def test_two_patterns_are_hierarchical_throughout():
    data = multitasking.collect(patterns=2)
    assert data.hierarchical[0][-1] == 0.95
    assert data.beyond[0].size == 0
    figure = Figure()
    ax = figure.add_subplot()
    assert multitasking.draw(data, ax=ax) is figure


def test_other_patterns_than_measured_are_refused(measured):
    with pytest.raises(Refused, match="what was measured has 3 patterns, got patterns = 4"):
        multitasking.collect(patterns=4, measured=measured)


def test_phases_at_known_places(phases):
    def name(d, T):
        column, row = (int(np.abs(axis - x).argmin()) for axis, x in ((phases.dilutions, d), (phases.temperatures, T)))
        return phases.names[phases.phases[row, column]]

    assert name(0.05, 0.45) == "pure"
    assert name(0.75, 0.15) == "equal, 3 patterns"
    assert name(0.35, 0.05) == "hierarchical, 3 patterns"
    assert name(0.65, 0.05) == "parallel, 3 patterns"
    assert name(0.65, 0.55) == "paramagnet"


def test_phases_are_drawn(phases):
    figure = dilution_phases.draw(phases)
    shown = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert shown[: len(phases.names)] == phases.names
    assert "$T_c = 1-d$" in shown
    d, T = phases.lines["hierarchical state ends"]
    assert (d[0], T[0]) == (critical_dilution(3), 0)
    mesh = figure.axes[0].collections[0]
    assert np.array_equal(mesh.get_array(), phases.phases)
