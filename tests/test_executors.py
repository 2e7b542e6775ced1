"""Every backend: results, errors, cancelling, stopping, and deaths that harm one task only."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, wait
from importlib.util import find_spec
from pathlib import Path

import pytest

from hopsim import executors
from hopsim.errors import Refused

ROOT = Path(__file__).parent.parent
needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="needs the extra [cluster]")
BACKENDS = ["serial", "threads", "processes", pytest.param("dask", marks=needs_dask)]


@pytest.fixture(scope="module")
def cluster():
    with executors.local_cluster(2) as cluster:
        yield cluster


@pytest.fixture
def make(request):
    """An executor by name; all are shut down at the end. Dask's is a client of a cluster that stays."""
    made: list[Executor] = []

    def build(name, workers=2):
        backends = {"serial": executors.serial, "threads": lambda: executors.threads(workers)}
        backends["processes"] = lambda: executors.processes(workers)
        backends["dask"] = lambda: executors.dask(1, request.getfixturevalue("cluster").scheduler_address)
        made.append(backends[name]())
        return made[-1]

    yield build
    for executor in made:
        executor.shutdown(wait=True, cancel_futures=True)


def square(number, seconds=0.0):
    time.sleep(seconds)
    return number * number


def die(signal_number=signal.SIGKILL):
    os.kill(os.getpid(), signal_number)
    time.sleep(0.2)
    return os.getpid()


class Particular(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def fail(kind):
    if kind == "no argument fits":
        raise Particular(1, 2)
    raise KeyError(kind)


def until_stopping():
    started = time.monotonic()
    while time.monotonic() - started < 20:
        if executors.stopping():
            raise executors.Stopped("as asked")
        time.sleep(0.02)
    return "never told"


@pytest.mark.parametrize("name", BACKENDS)
def test_results_do_not_depend_on_the_order_in_which_tasks_end(make, name):
    executor = make(name)
    futures = [executor.submit(square, n, seconds=0.03 * (n % 3)) for n in range(12)]
    assert not wait(futures, timeout=30).not_done
    assert [future.result() for future in futures] == [n * n for n in range(12)]


@pytest.mark.parametrize("name", BACKENDS)
def test_an_error_belongs_to_its_task(make, name):
    executor = make(name)
    futures = [executor.submit(square, 2), executor.submit(fail, "key"), executor.submit(square, 3)]
    assert [futures[0].result(), futures[2].result()] == [4, 9]
    with pytest.raises(KeyError, match="key"):
        futures[1].result()


def test_what_cannot_travel_between_processes_is_told(make):
    executor = make("processes", 1)
    with pytest.raises(RuntimeError, match="Particular: 1 2"):
        executor.submit(fail, "no argument fits").result()
    with pytest.raises(AttributeError, match="local object"):
        executor.submit(lambda: 1).result()
    with pytest.raises(TypeError, match="pickle"):
        executor.submit(open, os.devnull).result()
    with pytest.raises(SystemExit):
        executor.submit(sys.exit, 3).result()
    first, second = executor.submit(os.getpid).result(), executor.submit(os.getpid).result()
    assert first == second != os.getpid()


@pytest.mark.parametrize("name", BACKENDS[1:])
def test_shutdown_cancels_what_waits_and_finishes_what_runs(make, name):
    executor = make(name)
    assert executor.capacity == 2
    running = [executor.submit(square, n, seconds=0.5) for n in (2, 3)]
    until(lambda: all(future.running() for future in running))
    waiting = [executor.submit(square, n) for n in range(20)]
    executor.shutdown(wait=True, cancel_futures=True)
    assert [future.result() for future in running] == [4, 9]
    assert all(future.cancelled() for future in waiting)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(square, 1)


@pytest.mark.parametrize("name", BACKENDS[1:])
def test_every_task_hears_that_it_should_stop(make, name):
    executor = make(name)
    futures = [executor.submit(until_stopping) for _ in range(2)]
    time.sleep(0.3)
    assert not any(future.done() for future in futures)
    executor.stop()
    for future in futures:
        with pytest.raises(executors.Stopped, match="as asked"):
            future.result(timeout=10)
    assert not executors.stopping()


def test_a_serial_task_hears_it_too(make):
    executor = make("serial")
    with pytest.raises(executors.Stopped):
        executor.submit(lambda: (executor.stop(), until_stopping())).result()
    assert not executors.stopping()
    assert make("serial").submit(executors.stopping).result() is False


def test_a_death_harms_only_the_task_that_ran(make):
    executor = make("processes")
    futures = [executor.submit(square, n) if n not in (4, 11) else executor.submit(die) for n in range(20)]
    for n in (4, 11):
        with pytest.raises(executors.WorkerDied, match="while it ran this task .killed") as caught:
            futures[n].result()
        assert caught.value.deaths == 1
    others = [n for n in range(20) if n not in (4, 11)]
    assert [futures[n].result() for n in others] == [n * n for n in others]


def test_a_death_between_tasks_harms_none(make):
    executor = make("processes", 1)
    first = executor.submit(os.getpid).result()
    os.kill(first, signal.SIGKILL)
    time.sleep(0.2)
    assert executor.submit(os.getpid).result() != first


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_children_leave_signals_to_the_parent(make, number):
    executor = make("processes", 1)
    child = executor.submit(os.getpid).result()
    assert executor.submit(die, number).result() == executor.submit(os.getpid).result() == child


PARENT = """
import sys, time
sys.path.insert(0, "tests")
from hopsim import executors
from test_executors import own_pid_then_sleep

if __name__ == "__main__":
    executor = executors.{0}(1)
    executor.submit(own_pid_then_sleep, "{1}")
    time.sleep(60)
"""


def own_pid_then_sleep(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


@pytest.mark.parametrize("name", BACKENDS[2:])
def test_children_end_when_the_parent_is_killed(tmp_path, name):
    pids, script = tmp_path / "pids", tmp_path / "parent.py"
    pids.mkdir()
    script.write_text(PARENT.format(name, pids))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, str(script)], cwd=ROOT, env=environment) as parent:
        until(lambda: list(pids.iterdir()))
        parent.kill()
    until(lambda: not any(alive(int(path.name)) for path in pids.iterdir()))


def until(condition, seconds=20.0):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


@needs_dask
def test_dask_gives_up_only_the_task_on_which_three_workers_died(make):
    executor = make("dask")
    futures = [executor.submit(square, n) for n in range(5)]
    deadly = executor.submit(die)
    futures += [executor.submit(square, n, seconds=0.05) for n in range(5, 30)]
    with pytest.raises(executors.WorkerDied, match="3 Dask workers died") as caught:
        deadly.result(timeout=30)
    assert caught.value.deaths == executors.DEATHS
    assert [future.result(timeout=30) for future in futures] == [n * n for n in range(30)]


@needs_dask
def test_dask_starts_a_cluster_of_its_own_and_closes_it():
    executor = executors.dask(1)
    child = executor.submit(os.getpid).result(timeout=20)
    for number in (signal.SIGINT, signal.SIGTERM):
        assert executor.submit(die, number).result(timeout=20) == child
    executor.shutdown()
    until(lambda: not alive(child))


@needs_dask
def test_a_cluster_of_others_stays_open(make, cluster):
    make("dask").shutdown()
    executor = make("dask")
    assert executor.submit(square, 3).result() == 9
    until(lambda: executor.capacity == 2)


@needs_dask
def test_tasks_end_when_the_scheduler_is_lost(tmp_path):
    file = tmp_path / "scheduler.json"
    command = "-m distributed.cli.dask_scheduler --host 127.0.0.1 --port 0 --no-dashboard --scheduler-file".split()
    with subprocess.Popen([sys.executable, *command, str(file)], stderr=subprocess.DEVNULL) as scheduler:
        until(file.exists)
        time.sleep(0.2)
        executor = executors.dask(1, json.loads(file.read_text())["address"])
        futures = [executor.submit(square, n) for n in range(3)]
        time.sleep(0.3)
        scheduler.kill()
    for future in [*futures, executor.submit(square, 4)]:
        with pytest.raises(executors.SchedulerLost, match=r"scheduler at tcp.* was lost; run again to continue"):
            future.result(timeout=15)
    executor.shutdown(wait=True, cancel_futures=True)


@needs_dask
@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://127.0.0.1:1", r"no Dask scheduler answered at tcp://127.0.0.1:1 in 0.2 s; give the address"),
        ("here", r"the address of a Dask scheduler is like tcp://host:8786, got 'here'"),
        ("http://host:80", r"is like tcp://host:8786, got 'http://host:80'"),
    ],
)
def test_a_scheduler_that_is_not_there_is_refused(monkeypatch, address, message):
    monkeypatch.setattr(executors, "_SECONDS_TO_ANSWER", 0.2)
    with pytest.raises(Refused, match=message):
        executors.dask(1, address)


def test_missing_dask_is_told_with_the_way_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Refused, match=r'needs the package distributed: pip install "hopsim\[cluster\]"'):
        executors.dask(1)


def test_a_dask_worker_with_another_version_is_refused():
    with pytest.raises(Refused, match="this Dask worker has hopsim"):
        executors._there(b"", "event", "0.0.0")


SCAN = """
[network]
kind = "hopfield"
neurons = 60
load = [0.05, 0.1]
[dynamics]
rule = "metropolis"
temperature = 0.2
[protocol]
cue_overlap = 1.0
equilibrate = 2
measure = 4
[scan]
samples = 3
seed = 7
"""


@needs_dask
def test_the_script_for_slurm_gives_the_same_bytes_without_it(tmp_path, monkeypatch, capsys):
    from hopsim import cli  # not above: every child imports this file

    monkeypatch.chdir(tmp_path)
    Path("scan.toml").write_text(SCAN)
    command = [sys.executable, str(ROOT / "scripts" / "slurm_dask.py"), "scan.toml", "--local", "--quiet"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run([*command, "--out", "there.h5"], env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert cli.main("run scan.toml --executor serial --quiet --out here.h5".split()) == 0
    tables = []
    for results in ("here.h5", "there.h5"):
        assert cli.main(["table", results, "--csv"]) == 0
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1]
    assert len(tables[0].splitlines()) == 3
