"""Loss of power between any two writes: the file opens, and whatever append has returned from is there."""

import os
import shutil
import zlib
from pathlib import Path

import pytest

import hopsim as hs
from hopsim import hdf5, journal, provenance, store
from hopsim.simulation import Point
from hopsim.store import Outcome, Store

NETWORK = hs.hopfield(neurons=40, patterns=2)
PROTOCOL = hs.Protocol(cue_overlap=1.0, equilibrate=2, measure=4)
RUNS = [hs.Run(NETWORK, hs.Glauber(temperature=t), PROTOCOL, 1, s) for t in (0.2, 0.4, 0.8) for s in range(4)]
OUTCOMES = [Outcome(run, hs.simulate(run).summary()) for run in RUNS]
SCAN = {"scan_name": "test", "scan_text": "text"}


def die(writer):
    """What the death of a process does."""
    writer._journal.close()
    writer._lock.release()


def by_key(found):
    """Every run with its parameters and results, as text, in which nan is nan."""
    table = found.to_table()
    rows = map(str, table[sorted(table.dtype.names)].tolist())
    return dict(zip(found.columns()["key"].tolist(), rows, strict=True))


class Recorder:
    """Every change of the folder in the order in which a disk would see it, and what had been stored by then."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.states, self.stored = folder, [], 0
        replace, unlink, append = os.replace, Path.unlink, journal.Journal.append

        def recorded_replace(old, new):
            self.note()  # the new file is complete beside the old one
            replace(old, new)
            self.note()

        def recorded_unlink(path, missing_ok=False):
            unlink(path, missing_ok=missing_ok)
            self.note()

        def recorded_append(written, records):
            before = written.path.read_bytes()
            append(written, records)
            after = written.path.read_bytes()
            for cut in range(len(before), len(after), 97):
                self.note({written.path.name: after[:cut]})
            self.note()

        monkeypatch.setattr(hdf5.os, "replace", recorded_replace)
        monkeypatch.setattr(Path, "unlink", recorded_unlink)
        monkeypatch.setattr(journal.Journal, "append", recorded_append)

    def note(self, changed=()):
        state = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        self.states.append((state | dict(changed), self.stored))


def written(folder, monkeypatch):
    """The states of the folder during two sessions, the first of which ends without closing."""
    monkeypatch.setattr(store, "LEAST_REPLACED", 4)  # so that the file is replaced in the middle too
    monkeypatch.setattr(store, "MOST_REPLACED", 4)
    recorder = Recorder(folder, monkeypatch)
    writer = Store.append_to(folder / "a.h5", **SCAN)
    for first in (0, 2, 5):
        writer.append(OUTCOMES[first : first + 3])
        recorder.stored = len(writer.completed())
    die(writer)
    with Store.append_to(folder / "a.h5", **SCAN) as writer:
        for first in (8, 10):
            writer.append(OUTCOMES[first : first + 2])
            recorder.stored = len(writer.completed())
    recorder.note()
    monkeypatch.undo()
    return recorder.states


def test_every_prefix_of_the_writes_opens_and_continues(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    states = written(tmp_path / "run", monkeypatch)
    with Store.open(tmp_path / "run" / "a.h5") as whole:
        expected = {name: column.tobytes() for name, column in whole.columns().items()}
    assert len(states) > 50
    for state, stored in states:
        folder = tmp_path / "disk"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, data in state.items():
            (folder / name).write_bytes(data)
        if "a.h5" in state:
            assert len(Store.open(folder / "a.h5").completed()) >= stored
        else:
            assert stored == 0
    # one restart for every kind of state, not for every byte of the journal
    kinds = {tuple(sorted((name, len(data) // 2000) for name, data in state.items())): state for state, _ in states}
    for state in kinds.values():
        shutil.rmtree(folder)
        folder.mkdir()
        for name, data in state.items():
            (folder / name).write_bytes(data)
        with Store.append_to(folder / "a.h5", **SCAN) as writer:
            missing = [o for o in OUTCOMES if provenance.key(o.run) not in writer.completed()]
            writer.append(missing)
        with Store.open(folder / "a.h5") as again:
            assert {name: column.tobytes() for name, column in again.columns().items()} == expected
        assert [path.name for path in folder.iterdir()] == ["a.h5"]


def test_a_half_written_new_file_is_ignored(tmp_path):
    with Store.append_to(tmp_path / "a.h5", **SCAN) as writer:
        writer.append(OUTCOMES[:3])
    (tmp_path / "a.h5.new").write_bytes((tmp_path / "a.h5").read_bytes()[:1000])
    assert len(Store.open(tmp_path / "a.h5").completed()) == 3
    with Store.append_to(tmp_path / "a.h5", **SCAN) as writer:
        writer.append(OUTCOMES[3:5])
    assert len(Store.open(tmp_path / "a.h5").completed()) == 5


def test_records_that_are_in_the_file_and_in_the_journal_count_once(tmp_path):
    """A kill between the replacement of the file and the removal of the journal."""
    writer = Store.append_to(tmp_path / "a.h5", **SCAN)
    writer.append([*OUTCOMES[:3], Outcome(RUNS[4], None, "MemoryError: none")])
    kept = (tmp_path / "a.h5.journal").read_bytes()
    writer.close()
    (tmp_path / "a.h5.journal").write_bytes(kept)
    with Store.open(tmp_path / "a.h5") as again:
        assert len(again.columns()["key"]) == 3
        assert len(again.failures()) == 1


def test_damaged_lines_of_a_journal_are_told(tmp_path, capsys):
    writer = Store.append_to(tmp_path / "a.h5", **SCAN)
    writer.append(OUTCOMES[:5])
    die(writer)
    data = bytearray((tmp_path / "a.h5.journal").read_bytes())
    for place in (len(data) // 2, len(data) - 100):
        data[place] ^= 1
    (tmp_path / "a.h5.journal").write_bytes(data)
    assert len(Store.open(tmp_path / "a.h5").completed()) == 3
    assert "2 lines of" in capsys.readouterr().err


def test_whatever_line_of_a_journal_is_damaged_no_run_changes_and_the_scan_goes_on(tmp_path, capsys):
    writer = Store.append_to(tmp_path / "a.h5", **SCAN)
    writer.append(OUTCOMES)
    die(writer)
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    whole = Store.open(tmp_path / "a.h5")
    expected = by_key(whole)
    lines = kept["a.h5.journal"].split(b"\n")
    for place, line in enumerate(lines):
        if not line:
            continue
        damaged = [*lines[:place], line[:-1] + bytes([line[-1] ^ 1]), *lines[place + 1 :]]
        (tmp_path / "a.h5").write_bytes(kept["a.h5"])
        (tmp_path / "a.h5.journal").write_bytes(b"\n".join(damaged))
        found = Store.open(tmp_path / "a.h5")
        assert len(found.completed()) < len(OUTCOMES)
        assert by_key(found).items() <= expected.items()
        with Store.append_to(tmp_path / "a.h5", **SCAN) as again:
            again.append([o for o in OUTCOMES if provenance.key(o.run) not in again.completed()])
        assert by_key(Store.open(tmp_path / "a.h5")) == expected
    assert "belong to points that are lost; they are computed again" in capsys.readouterr().err


def test_an_interrupt_in_the_middle_of_append_leaves_the_points_right(tmp_path, monkeypatch):
    canonical, calls = provenance.canonical, iter(range(10))

    def interrupted(thing):
        if isinstance(thing, Point) and not isinstance(thing, hs.Run) and next(calls) == 0:
            raise KeyboardInterrupt
        return canonical(thing)

    with Store.append_to(tmp_path / "a.h5", **SCAN) as writer:
        monkeypatch.setattr(store.provenance, "canonical", interrupted)
        with pytest.raises(KeyboardInterrupt):
            writer.append(OUTCOMES[:1])
        monkeypatch.undo()
        writer.append(OUTCOMES[1:2])
    with Store.open(tmp_path / "a.h5") as again:
        assert again.points() == [RUNS[1].point]
        assert again.completed() == {provenance.key(RUNS[1])}


def test_a_second_writer_after_the_files_were_removed_is_not_overwritten(tmp_path):
    first = Store.append_to(tmp_path / "a.h5", **SCAN)
    first.append(OUTCOMES[:2])
    for path in tmp_path.glob("a.h5*"):
        path.unlink()
    with Store.append_to(tmp_path / "a.h5", **SCAN) as second:
        second.append(OUTCOMES[2:4])
        message = "a.h5 was removed while it was written, and now .* is being written"
        with pytest.raises(store.StoreFailed, match=message):
            first.append(OUTCOMES[4:5])
        first.close()
        assert second._lock.held
    assert Store.open(tmp_path / "a.h5").completed() == {provenance.key(run) for run in RUNS[2:4]}


@pytest.mark.parametrize(
    "payload",
    [
        b'{"x":1}',
        b"5",
        b'{"kind":"result"}',
        b'{"kind":"result","key":"k","point":"p","sample":0,"columns":{"m":{"dtype":"|O","shape":[1],"base64":"AA=="}}}',
        b'{"kind":"result","key":"k","point":"p","sample":0,"columns":{"m":{"dtype":"<f8","shape":[0,9999],"base64":""}}}',
        b'{"kind":"point","key":"k","json":"{}"}',
    ],
)
def test_a_journal_of_somebody_else_is_refused_in_one_line(payload, tmp_path):
    Store.append_to(tmp_path / "a.h5", **SCAN).close()
    (tmp_path / "a.h5.journal").write_bytes(b"\n%08x %s\n" % (zlib.crc32(payload), payload))
    with pytest.raises(hs.Refused, match=r"a.h5.journal is damaged \(.*\); remove it to go on with .*a.h5 alone"):
        Store.open(tmp_path / "a.h5")


def test_a_journal_without_its_file_is_not_thrown_away(tmp_path):
    writer = Store.append_to(tmp_path / "a.h5", **SCAN)
    writer.append(OUTCOMES[:3])
    die(writer)
    (tmp_path / "a.h5").unlink()
    with pytest.raises(hs.Refused, match=r"a.h5.journal is there without .*a.h5; restore that, or remove the journal"):
        Store.append_to(tmp_path / "a.h5", **SCAN)
    assert (tmp_path / "a.h5.journal").exists()


@pytest.mark.parametrize("gone", ["a.h5", "a.h5.journal"])
def test_a_store_that_is_removed_while_it_is_written_is_written_again(gone, tmp_path, capsys):
    with Store.append_to(tmp_path / "a.h5", **SCAN) as writer:
        writer.append(OUTCOMES[:3])
        (tmp_path / gone).unlink()
        writer.append(OUTCOMES[3:5])
        assert len(Store.open(tmp_path / "a.h5").completed()) == 5
    assert "removed while it was written" in capsys.readouterr().err
    assert len(Store.open(tmp_path / "a.h5").completed()) == 5
