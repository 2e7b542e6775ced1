"""Scans: the same bytes from every executor, worker count and interruption; failures recorded, the rest goes on."""

from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

import hopsim as hs
from hopsim import executors, scan_file, scans
from hopsim.simulation import Run
from hopsim.store import Store

TEXT = """
[network]
kind = "hopfield"
neurons = [40, 60]
load = [0.05, 0.1]
[dynamics]
rule = "metropolis"
temperature = [0.2, 0.5]
[protocol]
cue_overlap = 1.0
equilibrate = 3
measure = 6
replicas = 2
[scan]
samples = 5
seed = 7
"""
SCAN = scan_file.parse(TEXT, name="test", folder=Path())


def run(path, executor=None, scan=SCAN):
    with Store.append_to(path, scan_name=scan.name, scan_text=scan.text) as store:
        return scans.run(scan, store, executor or executors.serial())


def contents(path):
    """All result columns and the points as bytes."""
    with Store.open(path) as store:
        columns = {name: column.tobytes() for name, column in store.columns().items()}
        return columns | {"points": repr(store.points()).encode()}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "serial.h5"
    summary = run(path)
    assert (summary.before, summary.finished, summary.failures) == (0, SCAN.size, ())
    return contents(path)


@pytest.mark.parametrize("make", [lambda: executors.threads(1), lambda: executors.threads(3)], ids=["1", "3"])
def test_threads_give_the_same_bytes(make, reference, tmp_path):
    run(tmp_path / "a.h5", make())
    assert contents(tmp_path / "a.h5") == reference


def test_processes_give_the_same_bytes(reference, tmp_path):
    run(tmp_path / "a.h5", executors.processes(2))
    assert contents(tmp_path / "a.h5") == reference


def test_a_second_run_computes_nothing(tmp_path):
    run(tmp_path / "a.h5")
    summary = run(tmp_path / "a.h5")
    assert (summary.before, summary.finished) == (SCAN.size, 0)


def test_a_scan_that_is_interrupted_continues_to_the_same_bytes(reference, tmp_path):
    class Impatient(executors._Serial):
        calls = 0

        def submit(self, function, /, *args, **kwargs) -> Future:
            self.calls += 1
            if self.calls > 7:
                raise KeyboardInterrupt
            return super().submit(function, *args, **kwargs)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a.h5", Impatient())
    with Store.open(tmp_path / "a.h5") as store:
        done = len(store.completed())
    assert 0 < done < SCAN.size
    summary = run(tmp_path / "a.h5")
    assert (summary.before, summary.finished) == (done, SCAN.size - done)
    assert contents(tmp_path / "a.h5") == reference


def test_more_samples_and_loads_compute_only_what_is_new(tmp_path):
    run(tmp_path / "a.h5")
    larger = TEXT.replace("samples = 5", "samples = 6").replace("[0.05, 0.1]", "[0.05, 0.1, 0.2]")
    scan = scan_file.parse(larger, name="test", folder=Path())
    summary = run(tmp_path / "a.h5", scan=scan)
    assert (summary.before, summary.finished) == (SCAN.size, scan.size - SCAN.size)


def test_another_seed_does_not_mix_with_old_results(tmp_path):
    run(tmp_path / "a.h5")
    scan = scan_file.parse(TEXT.replace("seed = 7", "seed = 8"), name="test", folder=Path())
    summary = run(tmp_path / "a.h5", scan=scan)
    assert (summary.before, summary.finished) == (0, scan.size)
    with Store.open(tmp_path / "a.h5") as store:
        assert len(store.points()) == 2 * len(SCAN.points)


def test_a_failing_run_is_recorded_and_the_rest_goes_on(tmp_path, monkeypatch):
    simulate = scans.simulate_together

    def fragile(runs: list[Run], quenched):
        if runs[0].sample == 2 and runs[0].dynamics.temperature == 0.5:
            raise MemoryError("no room\nat all")
        return simulate(runs, quenched)

    monkeypatch.setattr(scans, "simulate_together", fragile)
    summary = run(tmp_path / "a.h5")
    assert summary.finished == SCAN.size - 4
    assert {o.message for o in summary.failures} == {"MemoryError: no room"}
    with Store.open(tmp_path / "a.h5") as store:
        assert len(store.failures()) == 4
    monkeypatch.undo()
    summary = run(tmp_path / "a.h5")
    assert (summary.before, summary.finished, summary.failures) == (SCAN.size - 4, 4, ())


def test_disorder_that_cannot_be_drawn_fails_its_runs_only(tmp_path, monkeypatch):
    quench = Run.quench
    monkeypatch.setattr(Run, "quench", lambda self: 1 / 0 if self.network.neurons == 40 else quench(self))
    summary = run(tmp_path / "a.h5")
    assert summary.finished == SCAN.size / 2
    assert {o.message for o in summary.failures} == {"ZeroDivisionError: division by zero"}


def test_series_are_stored_when_asked_for(tmp_path):
    scan = scan_file.parse(TEXT.replace("replicas = 2", "replicas = 2\nseries = true"), name="test", folder=Path())
    run(tmp_path / "a.h5", scan=scan)
    with Store.open(tmp_path / "a.h5") as store:
        columns = store.columns()
    longer = scan_file.parse(scan.text.replace("measure = 6", "measure = 7"), name="test", folder=Path())
    with pytest.raises(hs.Refused, match=r"has series of shape \(2, 6\), this scan gives \(2, 7\)"):
        run(tmp_path / "a.h5", scan=longer)
    assert columns["overlap_series"].shape == columns["energy_series"].shape == (SCAN.size, 2, 6)
    assert columns["overlap_series"].mean(axis=(1, 2)) == pytest.approx(columns["overlap"], abs=1e-12)


def test_progress_is_told_what_was_there_and_then_every_run_once(tmp_path):
    for before in (0, SCAN.size):
        told = []
        with Store.append_to(tmp_path / "a.h5", scan_name="test", scan_text=TEXT) as store:
            scans.run(SCAN, store, executors.threads(2), told.append)
        assert told[0] == before
        assert sum(told) == SCAN.size


def test_an_interrupt_in_the_middle_of_a_write_writes_nothing_twice(reference, tmp_path, monkeypatch):
    append = Store.append

    def interrupted(store, outcomes):
        append(store, outcomes)
        raise KeyboardInterrupt

    monkeypatch.setattr(scans, "_SECONDS_BETWEEN_WRITES", 0.0)
    monkeypatch.setattr(Store, "append", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a.h5")
    monkeypatch.undo()
    run(tmp_path / "a.h5")
    assert contents(tmp_path / "a.h5") == reference


def test_the_patterns_of_the_last_scan_are_the_ones_reread(tmp_path):
    text = TEXT.replace("neurons = [40, 60]", 'patterns_file = "own.npy"').replace("load = [0.05, 0.1]", "patterns = 2")
    rng = np.random.default_rng(0)
    for _ in range(3):
        np.save(tmp_path / "own.npy", np.where(rng.random((30, 4)) < 0.5, 1, -1))
        scan = scan_file.parse(text, name="test", folder=tmp_path)
        own = scan.points[0].network.law.ensemble
        with Store.append_to(tmp_path / "a.h5", scan_name="test", scan_text=text, patterns=own) as store:
            assert scan_file.of_store(store) == scan  # before any result is there
            scans.run(scan, store, executors.serial())
        with Store.open(tmp_path / "a.h5") as store:
            assert scan_file.of_store(store) == scan


def test_a_scan_can_be_reread_from_its_store(tmp_path):
    run(tmp_path / "a.h5")
    with Store.open(tmp_path / "a.h5") as store:
        assert scan_file.of_store(store) == SCAN


def test_a_second_writer_is_refused(tmp_path):
    with (
        Store.append_to(tmp_path / "a.h5", scan_name="test", scan_text=TEXT),
        pytest.raises(hs.Refused, match=r"a.h5 .*(written by another run|already open)"),
    ):
        run_in_another_process(tmp_path / "a.h5")


def run_in_another_process(path):
    with executors.processes(1) as executor:
        executor.submit(_open_for_writing, path).result()


def _open_for_writing(path):
    Store.append_to(path, scan_name="test", scan_text=TEXT).close()
