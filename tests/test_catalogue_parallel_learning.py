"""Learning from examples as an entry: its numbers agree, and those of a wrong theory do not."""

import dataclasses
import importlib.util
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

import hopsim as hs
from hopsim import theory
from hopsim.catalogue import Workshop, parallel_learning
from hopsim.figures import learning
from hopsim.kernels import weighted
from hopsim.patterns import Examples

mpl.use("Agg")


def _cold(scan):
    """The points with r = 0.6 and M = 3 and 20."""
    kept = [p for p in scan.points if (p.network.law.ensemble.quality, p.network.law.ensemble.examples) in COLD]
    return dataclasses.replace(scan, points=tuple(kept))


COLD = ((0.6, 3), (0.6, 20))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("learning")


@pytest.fixture
def workshop(folder, monkeypatch):
    monkeypatch.setattr(parallel_learning, "_fewer", _cold)
    return Workshop(folder, quick=True, workers=1)


def test_all_numbers_agree_and_points_are_drawn_twice(workshop):
    made = parallel_learning.make(workshop)
    assert len(made.comparisons) == 4 + 3
    assert [found.quantity for found in made.comparisons if not found.agrees] == []
    left, right = made.figure.axes
    assert [len(ax.containers) for ax in (left, right)] == [2, 2]
    assert left.get_legend() is None
    (legend,) = made.figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts[:3] == ["$r = 0.6$", "supervised", "unsupervised"]
    assert "Gaussian limit" in texts
    np.testing.assert_allclose(made.data["simulated"]["entropy"], [0.64 / 0.36 / M for M in (3, 20, 3, 20)], rtol=1e-12)


def test_a_theory_with_two_hundredths_more_overlap_differs(workshop, monkeypatch):
    right = theory.examples.solve

    def larger(*args, **kwargs):
        found = right(*args, **kwargs)
        return dataclasses.replace(found, order=dataclasses.replace(found.order, m=(1.02 * found.order.m[0],)))

    monkeypatch.setattr(theory.examples, "solve", larger)
    wrong = [found.quantity for found in parallel_learning.make(workshop).comparisons if not found.agrees]
    assert wrong == [
        "m, r = 0.6, M = 20, supervised",
        "m, r = 0.6, M = 20, unsupervised",
        "threshold M at r = 0.6",
        "threshold M at r = 0.4",
        "threshold M at r = 0.2",
    ]


def _compiled(path, old, new):
    """The kernels of weighted.py with one expression of their source changed."""
    source = Path(weighted.__file__).read_text(encoding="utf-8")
    assert source.count(old) == 1
    path.write_text(source.replace(old, new), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("hopsim.kernels.changed", path)
    changed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(changed)
    return changed


def test_a_kernel_with_half_the_cost_of_a_flip_differs(workshop, monkeypatch, tmp_path):
    """Averaged examples move on that kernel; single ones, which do not, still agree."""
    cost = "kind(kind(spin) * total) - squares[i]"
    changed = _compiled(tmp_path / "changed.py", cost, f"({cost}) // 2")
    monkeypatch.setattr(weighted, "product_sweeps", changed.product_sweeps)
    made = parallel_learning.make(dataclasses.replace(workshop, folder=tmp_path))
    wrong = {found.quantity: found.difference for found in made.comparisons if not found.agrees}
    assert set(wrong) == {"m, r = 0.6, M = 3, supervised", "m, r = 0.6, M = 20, supervised"}
    hot, cold = (_overlap(Examples(0.6, 20, "supervised"), temperature) for temperature in (0.6, 0.3))
    assert wrong["m, r = 0.6, M = 20, supervised"] == pytest.approx(hot - cold, abs=0.01)  # as at twice the temperature


def _overlap(ensemble, temperature):
    network = hs.hopfield(neurons=2000, patterns=5, ensemble=ensemble)
    return theory.examples.solve(network.law, load=4 / 2000, temperature=temperature).order.m[0]


def test_the_limit_of_fixed_patterns_goes_on_where_the_load_ends_retrieval(workshop):
    scan_rows = workshop.packaged("learning", (1, 4), _cold)
    weak = [Examples(0.2, M, "supervised") for M in (9, 50)]
    loaded, few = (learning._theory(scan_rows[0], weak, load, "exact").overlap for load in (0.002, 0.0))
    assert np.isnan(loaded).tolist() == [True, False]
    assert np.isfinite(few).all()
    assert few[1] > loaded[1]
