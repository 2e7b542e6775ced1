"""Runs that are stopped or killed on their way and go on later: the same numbers, or a new start, never others."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path

import numpy as np
import pytest

import hopsim as hs
from hopsim import checkpoints, provenance, simulation
from hopsim.checkpoints import Checkpoint
from hopsim.errors import Stopped
from hopsim.simulation import simulate_together

PROTOCOL = hs.Protocol(cue_overlap=0.6, equilibrate=9, measure=30, every=3, replicas=3)
LONGER = replace(PROTOCOL, measure=70, every=2)
HOPFIELD = hs.hopfield(neurons=150, load=0.06)
RUN = hs.Run(HOPFIELD, hs.Glauber(temperature=0.4), PROTOCOL, seed=3, sample=1)


def runs_at(temperatures, network, **changes):
    rules = [hs.Glauber(temperature=T) if T else hs.SignUpdate() for T in temperatures]
    return [hs.Run(network, rule, replace(LONGER, **changes), seed=3, sample=1) for rule in rules]


CASES = {
    "lanes": runs_at(np.linspace(0.1, 1.2, 12), HOPFIELD, replicas=4, overlaps=True),
    "one chain": runs_at([0.4], HOPFIELD, replicas=1, series=True),
    "rare readings": runs_at([0.4], HOPFIELD, equilibrate=0, measure=29, every=13),
    "dense": runs_at([0.05, 0.2], hs.dense(neurons=60, degree=3, load=0.05, indices="distinct")),
    "exponential": runs_at([0], hs.exponential(neurons=24, load=0.3), cue_overlap=0.2, overlaps=True),
    "log-sum-exp": runs_at([0.4], hs.log_sum_exp(neurons=30, sharpness=1.0, patterns=50)),
    "diluted": runs_at(
        [0.1, 0.3], hs.multitasking(neurons=200, dilution=0.3, patterns=4), start="hierarchical", overlaps=True
    ),
    "examples": runs_at([0.2], hs.hopfield(neurons=80, load=0.05, ensemble=hs.Examples(0.7, 4, "unsupervised"))),
    "annealing": [
        replace(RUN, dynamics=hs.Annealing(start=2.0, stop=0.0, sweeps=25, schedule="linear", rule="metropolis"))
    ],
}


class Killed(BaseException):
    """The end of a process, as far as what it leaves on the disk."""


LONGEST = 2.5


class Clock:
    """Time that passes by a random amount whenever it is looked at, so that slices have random lengths."""

    def __init__(self, seed):
        self.now, self.steps = 0.0, random.Random(seed)

    def monotonic(self):
        self.now += self.steps.uniform(0.3, LONGEST)
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock(seed=5)
    monkeypatch.setattr(simulation, "time", clock)
    monkeypatch.setattr(simulation, "FIRST_SLICE", 1)
    monkeypatch.setattr(os, "fsync", lambda file: None)  # no power is lost here
    return clock


def checkpoint(runs, folder, seconds=60.0):
    return Checkpoint(folder, tuple(provenance.key(run) for run in runs), seconds)


def same(first, second):
    """Equal bit by bit; the summaries too, whose rounding follows the order in memory."""

    def bits(named):
        return {name: value if value is None else np.asarray(value).tobytes("A") for name, value in named.items()}

    return bits(vars(first)) == bits(vars(second)) and bits(first.summary()) == bits(second.summary())


def at_slice(number, error=None):
    """A `stopping` that says so, or raises the error, when it is asked for the given time."""
    asked = count(1)

    def stopping():
        now = next(asked) == number
        if now and error:
            raise error
        return now

    return stopping


@pytest.mark.parametrize("name", CASES)
def test_runs_stopped_at_random_slices_go_on_to_the_numbers_of_one_piece(name, tmp_path, clock, monkeypatch):
    runs, chosen, stops, went_on = CASES[name], random.Random(name), 0, []
    assert len(simulation.groups(runs, runs[0].quench())) == (1 if name == "lanes" else len(runs))
    whole = simulate_together(runs)
    network, chains = runs[0].network, len(runs) * runs[0].protocol.replicas
    load = Checkpoint.load
    monkeypatch.setattr(Checkpoint, "load", lambda self: went_on.append(load(self)) or went_on[-1])
    while stops < 50:
        first = chosen.randint(1, 12) * chains * network.neurons * network.columns
        monkeypatch.setattr(simulation, "FIRST_SLICE", first)
        try:
            records = simulate_together(runs, None, checkpoint(runs, tmp_path), at_slice(chosen.randint(1, 2)))
        except Stopped:
            stops += 1
        else:
            break
    sweeps = [int(saved["sweep"]) for saved in went_on[1:]]
    assert stops >= 2
    assert len(sweeps) == stops
    assert all(a < b for a, b in pairwise(sweeps))
    assert all(same(one, other) for one, other in zip(whole, records, strict=True))


@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_a_kill_loses_no_more_than_stated(seconds, tmp_path, clock, monkeypatch):
    """Killed at slice 1, 2, ...: what is on the disk is younger than `seconds` and three looks at the clock."""
    whole, save, looks = hs.simulate(RUN), Checkpoint.save, 3 * LONGEST
    kept = {}

    def timed(self, arrays):
        save(self, arrays)
        kept["sweep"], kept["time"] = int(arrays["sweep"]), clock.now

    monkeypatch.setattr(Checkpoint, "save", timed)
    for number in count(1, 2):
        own = checkpoint([RUN], tmp_path / str(number), seconds)
        kept.update(sweep=0, time=clock.now)
        try:
            simulate_together([RUN], None, own, at_slice(number, Killed()))
            break
        except Killed:
            assert clock.now - kept["time"] <= seconds + looks
        saved = own.load()
        assert (int(saved["sweep"]) if saved else 0) == kept["sweep"]
        assert same(hs.simulate(RUN), simulate_together([RUN], None, own)[0])
    assert number > 5
    assert same(whole, simulate_together([RUN], None, own)[0])


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_sigkill(tmp_path):
    """A process killed on its way, slowed down so that it surely is; the run goes on here."""
    child = f"""
import time
from pathlib import Path
from tests.test_checkpoints import RUN, checkpoint, simulation
simulation.SLICE, simulation.FIRST_SLICE = 0.0, 1
simulation.simulate_together([RUN], None, checkpoint([RUN], Path({str(tmp_path)!r}), 0.0), lambda: time.sleep(0.1))
"""
    own = checkpoint([RUN], tmp_path)
    process = subprocess.Popen([sys.executable, "-c", child], cwd=Path(__file__).parent.parent)
    patience = time.monotonic() + 120
    while not own.path.exists():
        assert process.poll() is None
        assert time.monotonic() < patience
        time.sleep(0.01)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 1 <= int(own.load()["sweep"]) < 39
    assert same(hs.simulate(RUN), simulate_together([RUN], None, own)[0])


def test_a_short_run_leaves_no_file(tmp_path):
    folder = tmp_path / "checkpoints"
    simulate_together([RUN], None, checkpoint([RUN], folder))
    assert not folder.exists()


def test_a_finished_run_is_kept_until_it_is_removed(tmp_path, monkeypatch):
    own = checkpoint([RUN], tmp_path, 0.0)
    (record,) = simulate_together([RUN], None, own)
    with monkeypatch.context() as patch:
        patch.setattr(simulation.Chains, "advance", None)  # nothing moves
        assert same(record, simulate_together([RUN], None, own)[0])
    own.remove()
    own.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_file_is_stopped_too_but_not_after_its_end():
    with pytest.raises(Stopped, match="at sweep 9 of 39"):
        simulate_together([RUN], None, None, lambda: True)
    at_once = replace(RUN, protocol=replace(PROTOCOL, equilibrate=0))
    assert same(hs.simulate(at_once), simulate_together([at_once], None, None, lambda: True)[0])


def test_different_runs_have_different_files(tmp_path, monkeypatch):
    sample, seed = replace(RUN, sample=2), replace(RUN, seed=4)
    longer = replace(RUN, protocol=replace(PROTOCOL, measure=33))
    groups = [[RUN], [sample], [seed], [longer], [RUN, sample], [sample, RUN]]
    paths = {checkpoint(group, tmp_path).path for group in groups}
    assert checkpoint([RUN], tmp_path).path in paths
    monkeypatch.setattr(provenance, "TRAJECTORY", provenance.TRAJECTORY + 1)  # other numbers, other files
    paths |= {checkpoint(group, tmp_path).path for group in groups}
    assert len(paths) == 2 * len(groups)
    assert Checkpoint(tmp_path, ("ab", "c")).path != Checkpoint(tmp_path, ("a", "bc")).path


def stopped(run, folder):
    own = checkpoint([run], folder)
    with pytest.raises(Stopped, match="at sweep [1-9][0-9]* of 39"):
        simulate_together([run], None, own, at_slice(3))
    return own


def truncations(content, chosen):
    return [content[:size] for size in (0, 1, len(content) - 1, *chosen.sample(range(len(content)), 20))]


def flips(content, chosen):
    for place in (0, len(content) - 1, *chosen.sample(range(len(content)), 60)):
        yield content[:place] + bytes([content[place] ^ 1 << chosen.randrange(8)]) + content[place + 1 :]


def foreign(content, chosen):
    return [b"\n", b"not a checkpoint", b"PK\x03\x04\n" + content.rpartition(b"\n")[2], content + b"\n", content * 2]


@pytest.mark.parametrize("damage", [truncations, flips, foreign])
def test_damaged_files_are_told_and_not_used(damage, tmp_path, clock, capsys):
    whole, own = hs.simulate(RUN), stopped(RUN, tmp_path)
    damaged = list(damage(own.path.read_bytes(), random.Random(1)))
    for content in damaged:
        own.path.write_bytes(content)
        assert own.load() is None
    line = f"hopsim: checkpoint {own.path} is damaged or of another version of the package; its runs start anew"
    assert capsys.readouterr().err.splitlines() == [line] * len(damaged)
    assert len(damaged) >= 5
    assert same(whole, simulate_together([RUN], None, own)[0])


def test_files_of_other_runs_and_versions_are_not_used(tmp_path, clock, capsys, monkeypatch):
    own, other = stopped(RUN, tmp_path), stopped(replace(RUN, sample=2), tmp_path)
    monkeypatch.setattr(checkpoints, "__version__", "0.0.0")
    assert own.load() is None
    monkeypatch.undo()
    assert own.load() is not None
    own.path.write_bytes(other.path.read_bytes())
    assert own.load() is None
    own.path.unlink()
    own.path.mkdir()
    assert own.load() is None
    told = capsys.readouterr().err.splitlines()
    assert ["start anew" in line for line in told] == [True] * 3
    assert "Is a directory" in told[2]


def test_a_file_that_executes_something_is_not_read(tmp_path):
    """Pickles are refused even under a right seal."""
    own = checkpoint([RUN], tmp_path)
    own.save({"sweep": np.array([print], dtype=object)})
    with pytest.raises(ValueError, match="allow_pickle=False"):
        own.load()


def test_where_nothing_can_be_written_the_run_goes_on(tmp_path, clock, capsys):
    (tmp_path / "file").touch()
    own = checkpoint([RUN], tmp_path / "file", 0.0)
    assert same(hs.simulate(RUN), simulate_together([RUN], None, own)[0])
    told = capsys.readouterr().err.splitlines()
    assert len(told) > 2
    assert "cannot be read" in told[0]
    assert all("cannot be written (File exists); its runs go on" in line for line in told[1:])


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_and_a_kill_in_the_middle_of_a_write_leave_the_last_file(
    call, tmp_path, clock, capsys, monkeypatch
):
    own = stopped(RUN, tmp_path)
    before = own.path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    def kill(*_):
        raise Killed

    owner = {"fsync": os, "replace": Path}[call]
    for broken, error in ((kill, Killed), (full, None)):
        monkeypatch.setattr(owner, call, broken)
        if error:
            with pytest.raises(error):
                own.save({"sweep": np.array(5)})
        else:
            own.save({"sweep": np.array(5)})
        assert own.path.read_bytes() == before
    assert "No space left on device" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [own.path]
    monkeypatch.undo()
    assert same(hs.simulate(RUN), simulate_together([RUN], None, own)[0])


@pytest.mark.parametrize("seconds", [float("nan"), "soon", -1])
def test_impossible_intervals_are_refused(seconds, tmp_path):
    with pytest.raises(hs.Refused, match="seconds between checkpoints must be (a finite number|>= 0), got"):
        Checkpoint(tmp_path, ("a",), seconds)
