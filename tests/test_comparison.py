"""Store joined to theory: what is predicted, what is left blank, and what z means."""

import math
from pathlib import Path

import numpy as np
import pytest

import hopsim as hs
from hopsim import comparison, executors, scan_file, scans, tables
from hopsim.simulation import Point
from hopsim.store import Store

PROTOCOL = hs.Protocol(1.0, 10, 10)


def point(network, dynamics=None, protocol=PROTOCOL):
    return Point(network, dynamics or hs.Glauber(temperature=0.2), protocol, seed=1)


def test_the_prediction_is_the_theory_at_the_realised_load():
    network = hs.hopfield(neurons=90, load=0.05)  # K = 4 (nearest even), realised load 0.0444
    assert network.patterns == 4
    expected = hs.theory.solve(network.law, load=4 / 90, temperature=0.2).order.m
    assert comparison.predicted_overlap(point(network)) == expected


def test_sign_updates_are_held_against_zero_temperature():
    network = hs.hopfield(neurons=100, load=0.1)
    # T = 0: m = erf(y), √(2α) = erf(y)/y - (2/√π) exp(-y²), solved here by bisection on the large-m side
    low, high = 1.6, 4.0
    for _ in range(100):
        y = (low + high) / 2
        value = math.erf(y) / y - 2 / math.sqrt(math.pi) * math.exp(-(y**2))
        low, high = (y, high) if value > math.sqrt(0.2) else (low, y)
    assert comparison.predicted_overlap(point(network, hs.SignUpdate())) == pytest.approx(math.erf(y), abs=1e-10)


@pytest.mark.parametrize(
    "unknown",
    [
        point(hs.hopfield(neurons=100, load=0.2)),  # beyond capacity: the branch does not exist, never 0
        point(hs.hopfield(neurons=100, load=0.05), hs.Synchronous(temperature=0.2)),
        point(hs.hopfield(neurons=100, load=0.05, ensemble=hs.Biased(0.5))),
        point(hs.multitasking(neurons=100, dilution=0.3, patterns=3)),
        point(hs.log_sum_exp(neurons=50, load=0.1, sharpness=1.0)),
        point(hs.hopfield(neurons=100, load=0.05), protocol=hs.Protocol(0.0, 10, 10)),
    ],
)
def test_no_prediction_where_there_is_none(unknown):
    assert math.isnan(comparison.predicted_overlap(unknown))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    text = """
    [network]
    kind = "hopfield"
    neurons = 200
    load = [0.02, 0.3]
    [dynamics]
    rule = "glauber"
    temperature = [0.4, 0.6]
    [protocol]
    cue_overlap = 1.0
    equilibrate = 10
    measure = 10
    [scan]
    samples = 6
    seed = 1
    """
    scan = scan_file.parse(text, name="test", folder=Path())
    path = tmp_path_factory.mktemp("comparison") / "a.h5"
    with Store.append_to(path, scan_name=scan.name, scan_text=scan.text) as store:
        scans.run(scan, store, executors.serial())
    with Store.open(path) as store:
        yield store


def test_rows_are_disorder_averages(store):
    rows, columns, points = comparison.tabulate(store), store.columns(), store.points()
    assert [(r.point.network.patterns, r.point.dynamics.temperature) for r in rows] == [
        (4, 0.4),
        (4, 0.6),
        (60, 0.4),
        (60, 0.6),
    ]
    for row in rows:
        overlap = columns["overlap"][columns["point"] == points.index(row.point)]
        assert row.samples == 6
        assert row.averages["overlap"] == (overlap.mean(), overlap.std(ddof=1) / np.sqrt(6))
        if row.point.network.patterns == 4:
            assert row.z == (overlap.mean() - row.predicted) / row.averages["overlap"].error
        else:
            assert math.isnan(row.z)


def test_csv_has_every_parameter_and_blanks(store):
    lines = tables.as_csv(comparison.tabulate(store)).split("\n")
    header = lines[0].split(",")
    wanted = ["neurons", "patterns", "load", "temperature", "rule", "samples", "overlap", "overlap_err"]
    assert [name for name in header if name in wanted] == [*wanted[:3], "rule", "temperature", *wanted[5:]]
    assert header[-2:] == ["predicted", "z"]
    assert {"energy", "energy_err", "seed", "start_overlap"} <= set(header)
    assert len(lines) == 5
    assert all(len(line.split(",")) == len(header) for line in lines)
    assert lines[3].endswith(",,")  # beyond capacity
    assert "nan" not in "\n".join(lines)


def test_text_names_constant_parameters_once(store):
    text = tables.as_text(comparison.tabulate(store))
    assert "rule = Glauber" in text.split("\n")[0]
    assert text.split("\n")[2].split()[-2:] == ["predicted", "z"]


def test_an_empty_store_has_no_rows(tmp_path):
    with Store.append_to(tmp_path / "a.h5", scan_name="x", scan_text="") as empty:
        assert comparison.tabulate(empty) == []
    assert tables.as_text([]) == "no results yet"
    assert tables.as_csv([]).split(",")[0] == "samples"
