"""One writer: the second is told who the first is, and a dead one's lock holds nobody up."""

import os
import platform
import subprocess
import sys

import pytest

import hopsim as hs
from hopsim.lock import Lock, holder
from hopsim.store import Store

SCAN = {"scan_name": "test", "scan_text": "text"}
HOLD = """
import sys, time
from pathlib import Path
from hopsim.store import Store
store = Store.append_to(sys.argv[1], scan_name="test", scan_text="text")
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that writes to a.h5."""
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "a.h5")], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


def test_a_second_writer_is_told_host_and_process(tmp_path, other):
    message = (
        rf"a.h5 is being written by process {other.pid} on {platform.node()} since 20.*; wait for it or use another"
    )
    with pytest.raises(hs.Refused, match=message):
        Store.append_to(tmp_path / "a.h5", **SCAN)
    assert Store.open(tmp_path / "a.h5").writer.startswith(f"process {other.pid} on")


def test_the_lock_of_a_killed_writer_is_free(tmp_path, other):
    other.kill()
    other.wait()
    assert (tmp_path / "a.h5.lock").exists()
    assert holder(tmp_path / "a.h5") == ""
    with Store.append_to(tmp_path / "a.h5", **SCAN):
        assert f"process {os.getpid()}" in holder(tmp_path / "a.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path):
    (tmp_path / "a.h5.lock").mkdir()  # also refused to the superuser
    with pytest.raises(hs.Refused, match=r"a.h5.lock cannot be made: .*; use another --out"):
        Lock(tmp_path / "a.h5")
    (tmp_path / "file").write_text("")
    with pytest.raises(hs.Refused, match=r"folder .*file/results cannot be made"):
        Store.append_to(tmp_path / "file" / "results" / "a.h5", **SCAN)
