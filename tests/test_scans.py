"""Scans: the same bytes from every executor, worker count and interruption; failures recorded, the rest goes on."""

import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hopsim as hs
from hopsim import comparison, executors, hdf5, journal, provenance, scan_file, scans, simulation
from hopsim.merging import merge
from hopsim.simulation import Run
from hopsim.store import Store, StoreFailed, Writer

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


def test_a_scan_that_is_interrupted_continues_to_the_same_bytes(reference, tmp_path, monkeypatch):
    monkeypatch.setattr(scans, "MOST_BATCHES", 1)

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
    simulate = simulation.simulate_together

    def fragile(runs: list[Run], *more):
        if runs[0].sample == 2 and runs[0].dynamics.temperature == 0.5:
            raise MemoryError("no room\nat all")
        return simulate(runs, *more)

    monkeypatch.setattr(simulation, "simulate_together", fragile)
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
    assert columns["overlap_series"].shape == columns["energy_series"].shape == (SCAN.size, 2, 6)
    assert columns["overlap_series"].mean(axis=(1, 2)) == pytest.approx(columns["overlap"], abs=1e-12)
    longer = scan_file.parse(scan.text.replace("measure = 6", "measure = 7"), name="test", folder=Path())
    run(tmp_path / "a.h5", scan=longer)
    with Store.open(tmp_path / "a.h5") as store:
        both = store.columns()["overlap_series"]
    assert both.shape == (2 * SCAN.size, 2, 7)
    assert np.isnan(both[:, :, 6]).all(axis=1).sum() == SCAN.size  # those of six readings end in nan


def test_progress_is_told_what_was_there_and_then_every_run_once(tmp_path):
    for before in (0, SCAN.size):
        told = []
        with Store.append_to(tmp_path / "a.h5", scan_name="test", scan_text=TEXT) as store:
            scans.run(SCAN, store, executors.threads(2), lambda *progress, told=told: told.append(progress))
        assert told[0] == (before, 0)
        assert sum(runs for runs, _ in told) == SCAN.size
        assert sum(updates for _, updates in told) == (SCAN.size - before) * 50 * 9 * 2  # N, sweeps, replicas


def test_an_interrupt_in_the_middle_of_a_write_writes_nothing_twice(reference, tmp_path, monkeypatch):
    append = Writer.append

    def interrupted(store, outcomes):
        append(store, outcomes)
        raise KeyboardInterrupt

    monkeypatch.setattr(scans, "SECONDS_BETWEEN_WRITES", 0.0)
    monkeypatch.setattr(Writer, "append", interrupted)
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


def whole_and_parts(folder, parts):
    """Paths of the parts of a scan, each run by itself."""
    paths = [folder / f"{part}.h5" for part in range(1, parts + 1)]
    for part, path in enumerate(paths, 1):
        scan = replace(SCAN, shard=(part, parts))
        with Store.append_to(path, scan_name="test", scan_text=TEXT, shard=f"{part}/{parts}") as store:
            assert scans.run(scan, store, executors.serial()).finished == scan.size
        assert scan_file.of_store(Store.open(path)) == scan
    return paths


@pytest.mark.parametrize("parts", [1, 3, 7])
def test_shards_share_no_run_and_merge_to_the_same_bytes(parts, reference, tmp_path):
    paths = whole_and_parts(tmp_path, parts)
    keys = [Store.open(path).completed() for path in paths]
    assert sum(map(len, keys)) == len(set().union(*keys)) == SCAN.size
    if parts > 1:
        merge(paths, tmp_path / "all.h5")
        assert contents(tmp_path / "all.h5") == reference
        assert run(tmp_path / "all.h5").finished == 0


@pytest.mark.parametrize("parts", [1, 2, 3, 4, 5, 8, 41])
def test_the_sizes_of_shards_are_counted_without_listing_them(parts):
    for part in range(1, parts + 1):
        scan = replace(SCAN, shard=(part, parts))
        assert scan.size == sum(len(batch) for batch in scan.batches(set()))
    assert replace(SCAN, samples=10**12, shard=(1, parts)).size >= 8 * (10**12 // parts) - 8


def test_parts_of_a_larger_scan_keep_what_they_had(tmp_path):
    """More loads and samples: what a part computed before is of that part again."""
    larger = TEXT.replace("samples = 5", "samples = 6").replace("[0.05, 0.1]", "[0.05, 0.1, 0.2]")
    larger = scan_file.parse(larger, name="test", folder=Path())
    for part in (1, 2, 3):
        before, after = (replace(scan, shard=(part, 3)).keys() for scan in (SCAN, larger))
        assert before < after


def test_what_has_finished_is_written_while_a_long_task_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(scans, "SECONDS_BETWEEN_WRITES", 0.1)
    monkeypatch.setattr(scans, "MOST_BATCHES", 1)
    stored, path = [], tmp_path / "a.h5"
    simulate, first = simulation.simulate_together, threading.Lock()

    def slow_first(runs, *more):
        if first.acquire(blocking=False):
            for _ in range(100):
                time.sleep(0.05)
                if len(Store.open(path).completed()) > SCAN.size / 2:
                    break
            stored.append(len(Store.open(path).completed()))
        return simulate(runs, *more)

    monkeypatch.setattr(simulation, "simulate_together", slow_first)
    run(path, executors.threads(2))
    assert stored[0] > SCAN.size / 2


def test_merging_refuses_results_that_differ_and_says_where(tmp_path):
    paths = whole_and_parts(tmp_path, 2)
    altered = hdf5.read(paths[0])
    altered.results["energy"][3] += 1e-12
    hdf5.write(tmp_path / "other.h5", altered)
    with pytest.raises(
        hs.Refused, match=r"1.h5 and .*other.h5 differ in energy of sample \d at Quadratic 2, N = \d+, K = \d+, T = 0"
    ):
        merge([*paths, tmp_path / "other.h5"], tmp_path / "all.h5")
    assert not (tmp_path / "all.h5").exists()
    with pytest.raises(hs.Refused, match="1.h5 exists; merge into a new file"):
        merge(paths, paths[0])
    with pytest.raises(hs.Refused, match="given twice"):
        merge([paths[0], paths[0]], tmp_path / "all.h5")


def test_points_of_another_version_are_kept_and_not_mixed_in(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "TRAJECTORY", 0)
    run(tmp_path / "a.h5")
    monkeypatch.undo()
    summary = run(tmp_path / "a.h5")
    assert (summary.before, summary.finished) == (0, SCAN.size)
    with Store.open(tmp_path / "a.h5") as store:
        assert (~store.current()).sum() == len(SCAN.points)
        assert len(comparison.tabulate(store)) == 2 * len(SCAN.points)
        assert len(comparison.tabulate(store, set(SCAN.points))) == len(SCAN.points)


def test_a_run_on_which_workers_die_three_times_failed_and_the_rest_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr(simulation, "simulate_together", deadly(simulation.simulate_together))
    summary = run(tmp_path / "a.h5", Mortal())
    assert {o.message for o in summary.failures} == {"the worker process died 3 times; memory may be short"}
    assert {(o.run.sample, o.run.dynamics.temperature) for o in summary.failures} == {(2, 0.5)}
    assert summary.finished == SCAN.size - 4


def deadly(simulate):
    def simulate_or_die(runs, *more):
        if any(run.sample == 2 and run.dynamics.temperature == 0.5 for run in runs):
            raise SystemExit
        return simulate(runs, *more)

    return simulate_or_die


class Mortal(executors._Serial):
    def submit(self, function, /, *args, **kwargs) -> Future:
        try:
            return super().submit(function, *args, **kwargs)
        except SystemExit:
            future = Future()
            future.set_exception(executors.WorkerDied("killed"))
            return future


def test_a_lost_scheduler_ends_the_scan_with_what_was_done(tmp_path, monkeypatch):
    monkeypatch.setattr(scans, "MOST_BATCHES", 1)

    class Losing(executors._Serial):
        calls = 0

        def submit(self, function, /, *args, **kwargs) -> Future:
            self.calls += 1
            if self.calls < 5:
                return super().submit(function, *args, **kwargs)
            future = Future()
            future.set_exception(executors.SchedulerLost("gone"))
            return future

    with pytest.raises(executors.SchedulerLost, match="gone"):
        run(tmp_path / "a.h5", Losing())
    with Store.open(tmp_path / "a.h5") as store:
        assert 0 < len(store.completed()) < SCAN.size
        assert store.failures() == []


def test_every_session_is_told(tmp_path):
    run(tmp_path / "a.h5")
    run(tmp_path / "a.h5")
    with Store.open(tmp_path / "a.h5") as store:
        first, second = store.sessions
    assert first["scan_text"] == TEXT
    assert first["cpu_seconds"] > 0 == second["cpu_seconds"]
    assert first["started"] <= first["ended"] <= second["started"]
    assert {"hopsim", "numba", "host", "command", "commit"} <= set(first)


def test_a_stopped_long_run_goes_on_from_its_checkpoint(reference, tmp_path, monkeypatch):
    """Asked to stop after the first slices, the scan ends without results; the next call goes on from there."""
    monkeypatch.setattr(simulation, "SLICE", 0.0)  # a sweep is a slice
    monkeypatch.setattr(simulation, "FIRST_SLICE", 0)
    asked = iter([False] * 5)
    monkeypatch.setattr(executors, "stopping", lambda: next(asked, True))
    checkpoints = scans.Checkpoints(tmp_path / "a.checkpoints", 60.0)
    with Store.append_to(tmp_path / "a.h5", scan_name="test", scan_text=TEXT) as store:
        assert scans.run(SCAN, store, executors.serial(), checkpoints=checkpoints).finished == 0
    monkeypatch.undo()
    assert {path.suffix for path in checkpoints.folder.iterdir()} == {".npz"}
    with Store.append_to(tmp_path / "a.h5", scan_name="test", scan_text=TEXT) as store:
        assert scans.run(SCAN, store, executors.serial(), checkpoints=checkpoints).finished == SCAN.size
    assert contents(tmp_path / "a.h5") == reference
    assert not checkpoints.folder.exists()


def test_a_disk_that_is_full_ends_the_scan_in_one_line_and_loses_nothing(reference, tmp_path, monkeypatch):
    monkeypatch.setattr(scans, "MOST_BATCHES", 1)
    append, calls = journal.Journal.append, iter(range(100))

    def full(written, records):
        if next(calls) > 2:
            raise OSError(28, "No space left on device")
        append(written, records)

    monkeypatch.setattr(journal.Journal, "append", full)
    monkeypatch.setattr(scans, "SECONDS_BETWEEN_WRITES", 0.0)
    with pytest.raises(
        StoreFailed, match=r"a.h5 cannot be written: No space left.* before is safe in it and .*journal"
    ):
        run(tmp_path / "a.h5")
    monkeypatch.undo()
    with Store.open(tmp_path / "a.h5") as store:
        assert len(store.completed()) >= 3
    run(tmp_path / "a.h5")
    assert contents(tmp_path / "a.h5") == reference
