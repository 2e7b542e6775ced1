"""Figures: what is collected is what is drawn."""

import math

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

import hopsim as hs
from hopsim.comparison import Row
from hopsim.figures import retrieval, style
from hopsim.simulation import Point
from hopsim.statistics import Average

mpl.use("Agg")
PROTOCOL = hs.Protocol(1.0, 10, 10)


def row(network, temperature, overlap, retrieved=1.0):
    averages = {"overlap": Average(overlap, 0.01), "retrieved": Average(retrieved, 0.02)}
    return Row(Point(network, hs.Glauber(temperature=temperature), PROTOCOL, 1), 8, averages, math.nan)


ROWS = [
    row(hs.hopfield(neurons=n, load=load), t, 0.9 - load)
    for n in (100, 200)
    for load in (0.1, 0.02)
    for t in (0.2, 0.4)
]


def test_loads_are_drawn_on_top_of_theory():
    data = retrieval.collect(ROWS)
    assert [(p.series, p.neurons) for p in data.points] == [
        ("$T = 0.2$", 100),
        ("$T = 0.2$", 200),
        ("$T = 0.4$", 100),
        ("$T = 0.4$", 200),
    ]
    assert data.points[0].x.tolist() == [0.02, 0.1]
    assert data.points[0].y.tolist() == [0.88, 0.8]
    capacity = hs.theory.capacity(ROWS[0].point.network.law, temperature=0.2).load
    assert data.branches[0].load[-1] == pytest.approx(capacity, rel=1e-6)
    assert data.xlabel == r"load $\alpha = K/N$"


def test_the_drawing_shows_the_data():
    data = retrieval.collect(ROWS)
    figure = retrieval.draw(data)
    ax = figure.axes[0]
    curves = [line for line in ax.get_lines() if len(line.get_xdata()) == len(data.branches[0].load)]
    assert np.array_equal(curves[0].get_ydata(), data.branches[0].overlap)
    assert len(ax.containers) == len(data.points)
    assert ax.get_ylabel() == "overlap with the cued pattern $m$"
    assert {"$T = 0.2$", "$N = 200$", "capacity (RS)"} <= {t.get_text() for t in ax.get_legend().get_texts()}


def test_an_axes_of_the_caller_is_used():
    figure = Figure()
    ax = figure.add_subplot()
    assert retrieval.draw(retrieval.collect(ROWS), ax=ax) is figure


def test_networks_on_the_same_patterns_are_compared_by_their_number():
    own = hs.Stored(np.where(np.random.default_rng(0).random((20, 9)) < 0.5, 1, -1))
    dense = [hs.dense(neurons=20, degree=p, indices="all", patterns=k, ensemble=own) for p in (4, 2) for k in (3, 9)]
    data = retrieval.collect([row(network, 0.1, 0.5, 0.7) for network in dense])
    assert [p.series for p in data.points] == ["classical network, $p = 2$", "dense network, $p = 4$, all indices"]
    assert data.points[0].x.tolist() == [3.0, 9.0]
    assert data.points[0].y.tolist() == [0.7, 0.7]
    assert data.branches == []
    assert data.ylabel == "fraction of cues retrieved"


def test_nothing_to_draw_is_refused():
    with pytest.raises(hs.Refused, match="no point has results yet"):
        retrieval.collect([])


@pytest.mark.parametrize("suffix", style.SUFFIXES)
def test_figures_are_written_as(suffix, tmp_path):
    style.save(retrieval.draw(retrieval.collect(ROWS)), tmp_path / f"a{suffix}")
    assert (tmp_path / f"a{suffix}").stat().st_size > 2000


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(hs.Refused, match=r"must end in .png, .pdf, .svg; got .*a.bmp"):
        style.save(Figure(), tmp_path / "a.bmp")
