"""The store: what is written is what is read, a file cut short keeps what was complete, bad files get one line."""

import h5py
import numpy as np
import pytest

import hopsim as hs
from hopsim import provenance
from hopsim.executors import processes
from hopsim.hdf5 import read_patterns
from hopsim.store import Outcome, Store

NETWORK = hs.hopfield(neurons=40, patterns=2)
PROTOCOL = hs.Protocol(cue_overlap=1.0, equilibrate=2, measure=4, replicas=2)
RUNS = [hs.Run(NETWORK, hs.Glauber(temperature=t), PROTOCOL, 1, s) for t in (0.2, 0.4) for s in range(3)]


def outcome(run):
    return Outcome(run, hs.simulate(run).summary())


def writer(path):
    return Store.append_to(path, scan_name="test", scan_text="text")


@pytest.fixture
def path(tmp_path):
    with writer(tmp_path / "results.h5") as store:
        store.append([outcome(run) for run in RUNS[:2]])
        store.append([outcome(run) for run in RUNS[2:5]] + [Outcome(RUNS[5], None, "MemoryError: too large")])
    return tmp_path / "results.h5"


def test_what_is_written_is_read(path):
    with Store.open(path) as store:
        columns, points = store.columns(), store.points()
        assert store.completed() == {provenance.key(run) for run in RUNS[:5]}
        assert points == sorted([RUNS[0].point, RUNS[3].point], key=provenance.key)
        assert store.failures() == [(points.index(RUNS[5].point), 2, "MemoryError: too large")]
        for point, sample, key in zip(columns["point"], columns["sample"], columns["key"], strict=True):
            assert provenance.key(hs.Run(NETWORK, points[point].dynamics, PROTOCOL, 1, int(sample))) == key.decode()
        assert (store.scan_name, store.scan_text) == ("test", "text")
        assert store.environment["numpy"] == np.__version__
    assert columns["key"].tolist() == sorted(columns["key"].tolist())
    for run in RUNS[:5]:
        row = columns["key"].tolist().index(provenance.key(run).encode())
        for name, value in hs.simulate(run).summary().items():
            assert np.array_equal(columns[name][row], value)


def test_overlaps_of_several_numbers_of_patterns_are_one_column_that_ends_in_nan(tmp_path):
    protocol = hs.Protocol(cue_overlap=1.0, equilibrate=0, measure=1, overlaps=True)
    runs = [
        hs.Run(hs.hopfield(neurons=40, patterns=K), hs.SignUpdate(), protocol, seed=1, sample=0) for K in (2, 5, 1, 3)
    ]
    with writer(tmp_path / "results.h5") as store:
        for batch in (runs[:1], runs[1:3], runs[3:]):
            store.append([outcome(run) for run in batch])
        columns = store.columns()
    for run in runs:
        row = columns["overlaps"][columns["key"].tolist().index(provenance.key(run).encode())]
        expected = np.full(5, np.nan)
        expected[: run.network.patterns] = hs.simulate(run).overlaps[0]
        np.testing.assert_array_equal(row, expected)


def test_the_table_has_parameters_and_results(path):
    with Store.open(path) as store:
        table, points = store.to_table(), store.points()
    assert len(table) == 5
    assert set(table["temperature"]) == {p.dynamics.temperature for p in points}
    assert {"neurons", "patterns", "load", "sample", "overlap", "energy", "q", "q_histogram"} <= set(table.dtype.names)


def test_xarray_has_points_and_samples(path):
    with Store.open(path) as store:
        dataset, columns, points = store.to_xarray(), store.columns(), store.points()
    assert dict(dataset.sizes)["point"] == 2
    assert dict(dataset.sizes)["sample"] == 3
    assert np.isnan(dataset["overlap"].values[points.index(RUNS[5].point), 2])
    for point, sample, overlap in zip(columns["point"], columns["sample"], columns["overlap"], strict=True):
        assert dataset["overlap"].values[point, sample] == overlap
    assert dataset.coords["temperature"].values.tolist() == [point.dynamics.temperature for point in points]


def test_a_retried_failure_is_forgotten_once_it_succeeds(path):
    with writer(path) as store:
        store.append([outcome(RUNS[5])])
        assert store.failures() == []


def test_a_column_that_came_later_is_nan_before(path):
    run = hs.Run(NETWORK, hs.Glauber(temperature=0.6), PROTOCOL, 1, 0)
    late = Outcome(run, hs.simulate(run).summary() | {"late": 1.5})
    with writer(path) as store:
        store.append([late])
        store.append([outcome(RUNS[5])])
        late_column = store.columns()["late"]
    assert sorted(late_column[~np.isnan(late_column)]) == [1.5]
    assert np.isnan(late_column).sum() == 6


def test_own_patterns_are_embedded(tmp_path):
    own = hs.Stored(np.where(np.random.default_rng(0).random((12, 4)) < 0.5, 1, -1))
    run = hs.Run(hs.hopfield(neurons=12, patterns=2, ensemble=own), hs.SignUpdate(), PROTOCOL, 1, 0)
    with writer(tmp_path / "own.h5") as store:
        store.append([outcome(run)])
    with Store.open(tmp_path / "own.h5") as store:
        assert store.points() == [run.point]
        assert np.array_equal(store.points()[0].network.law.ensemble.array, own.array)


def test_a_reader_works_while_another_process_writes(path):
    with writer(path) as store, processes(1) as elsewhere:
        store.append([outcome(RUNS[5])])
        assert elsewhere.submit(_count, path).result() == 6


def _count(path):
    with Store.open(path) as reader:
        return len(reader.completed())


def test_files_that_are_not_results_are_refused(tmp_path):
    with pytest.raises(hs.Refused, match=r"result file .*none.h5 does not exist"):
        Store.open(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("not HDF5 at all")
    with pytest.raises(hs.Refused, match=r"text.h5 cannot be opened"):
        Store.open(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(hs.Refused, match=r"other.h5 is an HDF5 file but not a result file"):
        Store.open(tmp_path / "other.h5")
    with pytest.raises(hs.Refused, match="not a result file"):
        writer(tmp_path / "other.h5")


def test_a_result_file_of_another_schema_is_refused(path):
    with h5py.File(path, "a") as file:
        file.attrs["schema"] = 99
    with pytest.raises(hs.Refused, match=r"has schema 99, this version of hopsim reads 1 and 2"):
        Store.open(path)


def test_pattern_files(tmp_path):
    array = np.array([[1, -1, 0], [0, 1, 1]], dtype=np.int8)
    np.save(tmp_path / "a.npy", array)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["patterns"] = array
    assert read_patterns(tmp_path / "a.npy") == read_patterns(tmp_path / "a.h5") == hs.Stored(array)


def test_bad_pattern_files_are_refused(tmp_path):
    with h5py.File(tmp_path / "empty.h5", "w") as file:
        file["images"] = 1
    with pytest.raises(hs.Refused, match=r'there is no dataset "patterns"; it has images'):
        read_patterns(tmp_path / "empty.h5")
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object))
    with pytest.raises(hs.Refused, match=r"objects.npy cannot be read"):
        read_patterns(tmp_path / "objects.npy")
    with pytest.raises(hs.Refused, match=r"none.npy does not exist"):
        read_patterns(tmp_path / "none.npy")
    with pytest.raises(hs.Refused, match=r"must end in .npy, .h5 or .hdf5"):
        read_patterns(tmp_path / "patterns.csv")


def test_the_digits_are_real_and_binary():
    from hopsim.scan_file import CHECKOUT, PACKAGED

    folder = PACKAGED if PACKAGED.is_dir() else CHECKOUT
    digits = read_patterns(folder / "patterns" / "digits.h5")
    assert digits.array.shape == (64, 1797)
    assert set(np.unique(digits.array)) == {-1, 1}
    with h5py.File(folder / "patterns" / "digits.h5") as file:
        assert "CC BY 4.0" in file.attrs["license"]
        assert "UCI" in file.attrs["source"]
        # the two classes of a rounder and a thinner digit: zeros have more ink than ones do
        ink = (digits.array > 0).sum(axis=0)
        assert ink[file["labels"][()] == 0].mean() != ink[file["labels"][()] == 1].mean()
