"""Continuous networks go through the package's own scans, stores, tables and figures."""

from pathlib import Path

import numpy as np
import pytest

import hopsim as hs
from hopsim import comparison, executors, provenance, scan_file, scans, tables
from hopsim.cli import main
from hopsim.continuous import KINDS, Experiment
from hopsim.continuous.key_value import KeyValue, Reading, Recall
from hopsim.figures import continuous
from hopsim.rng import Purpose, stream
from hopsim.simulation import Protocol
from hopsim.store import Store

TEXT = """
[network]
kind = "key_value"
slots = 12
neurons = 16
load = [0.5, 1.0, 1.5]
rule = "sequential"

[dynamics]
nonlinearity = "softmax"

[protocol]
blanked = 0.5

[scan]
samples = 3
seed = 5
"""
BINARY = """
[network]
kind = "hopfield"
neurons = 32
patterns = 1

[dynamics]
rule = "sign"

[protocol]
cue_overlap = 1.0
equilibrate = 1
measure = 1

[scan]
samples = 2
seed = 5
"""


def parsed(text=TEXT):
    return scan_file.parse(text, name="memory", folder=Path())


def ran(path, executor, scan):
    with Store.append_to(path, scan_name=scan.name, scan_text=scan.text) as store:
        return scans.run(scan, store, executor)


def test_a_scan_file_gives_the_grid_of_all_keys():
    scan = parsed()
    assert [point.network.patterns for point in scan.points] == [6, 12, 18]  # load times slots
    assert {point.network.load for point in scan.points} == {0.5, 1.0, 1.5}
    assert scan.points[0] == Experiment(KeyValue(12, 16, 6, "sequential"), Reading(), Recall(0.5), 5)
    both = parsed(TEXT.replace("blanked = 0.5", "blanked = [0.1, 0.5]").replace("slots = 12", "slots = [6, 12]"))
    assert len(both.points) == 12


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("slots = 12", "slots = 0", r"\[network\] slots must be .*got 0"),
        ("slots = 12", "slots = 1.5", r"\[network\] slots must be whole numbers; got 1.5"),
        ("slots = 12", "", r"\[network\] needs the key slots"),
        ("slots = 12", "slots = 12\nslot = 3", r"\[network\] has an unknown key 'slot', did you mean slots"),
        ("blanked = 0.5", "blanked = 1.5", r"\[protocol\] blanked must be from 0 to 1, got 1.5"),
        ('nonlinearity = "softmax"', "nonlinearity = 3", r"\[dynamics\] nonlinearity must be a text"),
        ('nonlinearity = "softmax"', "temperature = 3.0", r"\[dynamics\] has an unknown key 'temperature'"),
        ('kind = "key_value"', 'kind = "key"', r"\[network\] kind must be one of .*key_value"),
        ("[scan]", "[refine]\nobservable = 'overlap'\nlevel=0.5\nwidth=0.1\nerror=0.1\nsamples_most=64\n[scan]",
         r"\[refine\] follows the load of binary networks"),
    ],
)  # fmt: skip
def test_what_a_scan_file_cannot_mean_is_refused(old, new, message):
    with pytest.raises(hs.Refused, match=message):
        parsed(TEXT.replace(old, new))


def test_parts_of_different_kinds_are_refused():
    memory = KeyValue(12, 16, 6, "sequential")
    with pytest.raises(hs.Refused, match="is made of KeyValue, Reading and Recall, got KeyValue, Reading, Protocol"):
        Experiment(memory, Reading(), Protocol(1.0, 1, 1), 1)
    with pytest.raises(hs.Refused, match="an experiment needs a continuous network"):
        Experiment(hs.hopfield(neurons=9, patterns=1), Reading(), Recall(0.5), 1)


def test_results_are_what_measure_gives_with_the_named_stream_whoever_works(tmp_path):
    scan, found = parsed(), []
    for name, executor in (("a", executors.serial()), ("b", executors.threads(2)), ("c", executors.processes(2))):
        assert ran(tmp_path / f"{name}.h5", executor, scan).finished == 9
        with Store.open(tmp_path / f"{name}.h5") as store:
            found.append(tables.as_csv(comparison.tabulate(store)))
    assert found[0] == found[1] == found[2]
    with Store.open(tmp_path / "a.h5") as store:
        columns, points = store.columns(), store.points()
    point = scan.points[1]
    row = (columns["point"] == points.index(point)) & (columns["sample"] == 2)
    rng = stream(5, 2, Purpose.DISORDER, 16, 12)
    expected = KINDS["key_value"].measure(point.network, point.dynamics, point.protocol, rng)
    assert {name: columns[name][row].item() for name in expected} == expected


def test_a_scan_is_continued_and_shares_a_file_with_binary_networks(tmp_path):
    path, scan = tmp_path / "a.h5", parsed()
    assert ran(path, executors.serial(), scan).finished == 9
    assert (ran(path, executors.serial(), scan).before, ran(path, executors.serial(), scan).finished) == (9, 0)
    binary = parsed(BINARY)
    assert ran(path, executors.serial(), binary).finished == 2
    with Store.open(path) as store:
        assert store.current().all()
        kept = comparison.tabulate(store, set(scan.points))
        (other,) = comparison.tabulate(store, set(binary.points))
    assert [row.samples for row in kept] == [3, 3, 3]
    assert set(kept[0].averages) == {"accuracy", "overlap", "retrieved"}
    assert other.averages["overlap"].value == 1.0
    assert "accuracy" not in other.averages


def test_a_point_comes_back_from_its_text():
    for point in parsed().points:
        again = provenance.point_of(provenance.canonical(point), {})
        assert again == point
        assert provenance.key(again) == provenance.key(point)
        assert provenance.key(point.run(0)) != provenance.key(point.run(1)) != provenance.key(point)


def test_as_a_user_runs_it(tmp_path, capsys):
    (tmp_path / "memory.toml").write_text(TEXT)
    out = str(tmp_path / "memory.h5")
    assert main(["run", str(tmp_path / "memory.toml"), "--out", out, "--workers", "1"]) == 0
    assert (tmp_path / "memory.png").stat().st_size > 10_000
    assert main(["table", out]) == 0
    shown = capsys.readouterr().out
    assert "interaction = key_value" in shown
    assert "accuracy_err" in shown
    assert main(["status", out]) == 0
    assert "9 runs done, 0 missing" in capsys.readouterr().out


def test_the_figure_has_the_main_observable_over_what_varies_most(tmp_path):
    ran(tmp_path / "a.h5", executors.serial(), scan := parsed(TEXT.replace("0.5\n", "[0.2, 0.5]\n")))
    with Store.open(tmp_path / "a.h5") as store:
        rows = comparison.tabulate(store, set(scan.points))
    data = continuous.collect(rows)
    assert (data.xlabel, data.ylabel) == ("load", "accuracy")
    assert [line.name for line in data.lines] == ["blanked 0.2", "blanked 0.5"]
    for line in data.lines:
        np.testing.assert_array_equal(line.x, [0.5, 1.0, 1.5])
    assert len(continuous.draw(data).axes[0].lines) >= 2


def test_recall_from_slots_is_predicted_without_a_simulation(tmp_path):
    text = TEXT.replace("samples = 3", "samples = 60").replace("blanked = 0.5", "blanked = 0.7")
    ran(tmp_path / "a.h5", executors.serial(), scan := parsed(text))
    with Store.open(tmp_path / "a.h5") as store:
        rows = comparison.tabulate(store, set(scan.points))
    assert max(row.averages["overlap"].value for row in rows) < 0.99  # something to predict
    assert all(abs(row.z) < 4.5 for row in rows)
    assert np.isnan(comparison.predicted_overlap(Experiment(KeyValue(16, 16, 4, "hebbian"), Reading(), Recall(0.5), 1)))
