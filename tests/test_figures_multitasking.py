"""Figures of multitasking networks: what is collected is theory and simulation, and is what is drawn."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from hopsim import comparison, executors, scan_file, scans
from hopsim.errors import Refused
from hopsim.figures import dilution_phases, multitasking
from hopsim.store import Store
from hopsim.theory.finite_patterns import critical_dilution

mpl.use("Agg")

SCAN = """
[network]
kind = "multitasking"
neurons = 1000
patterns = [2, 3]
dilution = [0.1, 0.4, 0.8]
[dynamics]
rule = "{rule}"
[protocol]
start = "hierarchical"
cue_overlap = 1.0
equilibrate = 30
measure = 1
overlaps = true
[scan]
samples = 20
seed = 1
"""


def rows_of(text, path):
    scan = scan_file.parse(text, name="s", folder=Path())
    with Store.append_to(path, scan_name="s", scan_text=text) as store:
        assert not scans.run(scan, store, executors.serial()).failures
        return comparison.tabulate(store)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return rows_of(SCAN.format(rule="sign"), tmp_path_factory.mktemp("multitasking") / "s.h5")


@pytest.fixture(scope="module")
def phases():
    return dilution_phases.collect(patterns=3, points=10)


def test_simulated_overlaps_lie_on_theory(rows):
    """Nine numbers within 4 standard errors and the 1/√N by which ordering lifts small overlaps."""
    panel = multitasking.collect(rows).panels[1]
    for k, d in enumerate(panel.dilutions):
        a = 1 - d
        hierarchical = [a, a * d, a * d * d]
        parallel = [a * (1 - a * a / 2), a * (d + a * a / 2), a * (d * d + a * a / 2)]
        expected = hierarchical if d < critical_dilution(3) else parallel
        assert np.abs(panel.overlaps[:, k] - expected).max() < 4 * panel.errors[:, k].max() + 1000**-0.5


def test_the_prediction_of_a_hierarchical_start_is_its_first_overlap(rows):
    predicted = {(r.point.network.patterns, r.point.network.law.ensemble.dilution): r.predicted for r in rows}
    assert predicted[3, 0.4] == pytest.approx(0.6, abs=1e-9)
    assert predicted[3, 0.8] == pytest.approx(0.2 * (1 - 0.02), abs=1e-9)
    assert predicted[2, 0.8] == pytest.approx(0.2, abs=1e-9)
    assert all(abs(row.z) < 5 for row in rows)


def test_tables_have_a_column_for_every_rank(rows):
    table = comparison.to_array(rows)
    two = table[table["patterns"] == 2]
    assert np.isnan(two["overlap_3"]).all()
    assert np.isfinite(two["overlap_2"]).all()
    assert np.isfinite(table[table["patterns"] == 3]["overlap_3_err"]).all()


def test_overlaps_are_drawn_on_theory(rows):
    data = multitasking.collect(rows)
    assert [panel.critical for panel in data.panels] == [None, critical_dilution(3)]
    d, overlaps = data.panels[1].theory
    below = d < critical_dilution(3)
    expected = np.array([(1 - d) * d**k for k in range(3)])
    np.testing.assert_allclose(overlaps[:, below], expected[:, below], rtol=0, atol=1e-9)
    figure = multitasking.draw(data)
    first, second = figure.axes
    np.testing.assert_array_equal(second.get_lines()[0].get_ydata(), overlaps[0])
    assert [len(ax.containers) for ax in (first, second)] == [2, 3]
    assert figure.get_suptitle() == "$T = 0$, $N = 1000$"


def test_other_rows_are_refused(rows, tmp_path):
    assert multitasking.fits(rows)
    assert not multitasking.fits([])
    text = SCAN.format(rule="sign").replace('start = "hierarchical"\n', "").replace("20", "2")
    from_a_pattern = rows_of(text, tmp_path / "s.h5")
    assert all(np.isnan(row.predicted) for row in from_a_pattern)
    with pytest.raises(Refused, match='must be of 2 to 8 diluted patterns, have start = "hierarchical"'):
        multitasking.collect(from_a_pattern)


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
