"""The journal: what was appended is read, a write cut short anywhere loses itself only, damage is counted."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hopsim import journal
from hopsim.journal import Journal

RECORDS = [
    {"kind": "result", "key": "ä", "columns": {"m": 0.1 + 0.2, "q": np.float64(1e-300), "n": np.int64(2**62)}},
    {"kind": "result", "columns": {"series": np.array([[1.5, math.pi], [np.inf, 3e-310]]), "counts": np.arange(3)}},
    {"kind": "failure", "message": 'line\n"quoted"'},
]


def same(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            if isinstance(value, dict):
                assert all(np.array_equal(v, other[name][k]) for k, v in value.items())
            else:
                assert value == other[name]


@pytest.fixture
def path(tmp_path):
    written = Journal(tmp_path / "a.journal")
    written.append(RECORDS[:2])
    written.append(RECORDS[2:])
    written.close()
    return tmp_path / "a.journal"


def test_what_is_appended_is_read_exactly(path):
    records, damaged = journal.read(path)
    same(records, RECORDS)
    assert damaged == 0
    assert records[1]["columns"]["counts"].dtype == np.int64
    assert journal.read(path.with_name("none")) == ([], 0)


def test_a_journal_cut_anywhere_keeps_what_came_before(path):
    data = path.read_bytes()
    ends = [
        place for place, byte in enumerate(data) if byte == ord("\n") and data[place - 1 : place] not in (b"", b"\n")
    ]
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        records, damaged = journal.read(path)
        same(records, RECORDS[: len(records)])
        assert len(records) >= sum(end < cut for end in ends)
        assert damaged <= 1


def test_writing_goes_on_after_a_line_that_was_cut_short(path):
    path.write_bytes(path.read_bytes()[:-20])
    again = Journal(path)
    again.append(RECORDS[2:])
    again.close()
    records, damaged = journal.read(path)
    same(records, RECORDS)
    assert damaged == 1


def test_no_flipped_bit_is_taken_for_a_record(path):
    data = bytearray(path.read_bytes())
    generator = np.random.default_rng(1)
    for place in generator.integers(0, len(data), 300):
        flipped = bytearray(data)
        flipped[place] ^= 1 << generator.integers(8)
        path.write_bytes(flipped)
        for record in journal.read(path)[0]:
            assert any(_equal(record, known) for known in RECORDS)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400))
def test_arbitrary_bytes_are_no_records_and_hide_none(data, path):
    path.write_bytes(data + b"\n" + path.read_bytes()[-400:])
    found = journal.read(path)[0]
    assert all(any(_equal(record, known) for known in RECORDS) for record in found)


def _equal(record, known):
    try:
        same([record], [known])
    except AssertionError:
        return False
    return True


def test_a_removed_journal_is_noticed(path):
    written = Journal(path)
    assert written.there
    path.unlink()
    assert not written.there
    path.write_bytes(b"")
    assert not written.there
    written.close()
