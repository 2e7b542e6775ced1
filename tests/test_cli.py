"""The command line as a user types it: what it prints, leaves behind and returns."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import pytest

import hopsim
from hopsim import progress, simulation
from hopsim.cli import main
from hopsim.figures import style

SCAN = """
[network]
kind = "hopfield"
neurons = [50, 100]
load = [0.02, 0.1]
[dynamics]
rule = "glauber"
temperature = 0.2
[protocol]
cue_overlap = 1.0
equilibrate = 5
measure = 10
[scan]
samples = 3
seed = 1
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SCAN)
    return tmp_path


def test_run_status_table_plot(here, capsys):
    assert main(["run", "small.toml"]) == 0
    assert "12 runs computed, 0 were there, 0 failed" in capsys.readouterr().out
    assert (here / "small.png").stat().st_size > 5000
    assert main(["run", "small.toml"]) == 0
    assert "0 runs computed, 12 were there, 0 failed" in capsys.readouterr().out

    assert main(["status", "small.h5"]) == 0
    status = capsys.readouterr().out
    assert "4 points x 3 samples" in status
    assert "12 runs done, 0 missing, 0 failed" in status
    assert "numba" in status

    assert main(["table", "small.h5", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(r["neurons"], r["patterns"], r["samples"]) for r in rows] == [
        ("50", "1", "3"),
        ("50", "5", "3"),
        ("100", "2", "3"),
        ("100", "10", "3"),
    ]
    assert all(float(r["overlap"]) > 0.8 and float(r["predicted"]) > 0.9 for r in rows)
    assert main(["table", "small.h5"]) == 0
    assert "predicted" in capsys.readouterr().out

    assert main(["plot", "small.h5", "--out", "figure.svg"]) == 0
    assert "<svg" in (here / "figure.svg").read_text()


def test_rerun_from_a_store_alone(here, capsys):
    main(["run", "small.toml", "--quiet"])
    (here / "small.toml").unlink()
    assert main(["run", "small.h5"]) == 0
    assert "0 runs computed, 12 were there" in capsys.readouterr().out
    assert main(["run", "small.h5", "--out", "again.h5", "--executor", "serial"]) == 0
    assert "12 runs computed" in capsys.readouterr().out
    main(["table", "small.h5", "--csv"])
    first = capsys.readouterr().out
    main(["table", "again.h5", "--csv"])
    assert capsys.readouterr().out == first


def test_old_points_stay_in_the_store_but_out_of_the_figure(here, capsys):
    main(["run", "small.toml", "--quiet"])
    (here / "small.toml").write_text(SCAN.replace("equilibrate = 5", "equilibrate = 6"))
    main(["run", "small.toml", "--quiet", "--out", "new/folder/small.h5"])
    main(["run", "small.toml", "--quiet"])
    capsys.readouterr()
    for arguments, rows in ((["small.h5"], 4), (["small.h5", "--all"], 8), (["new/folder/small.h5", "--all"], 4)):
        main(["table", *arguments, "--csv"])
        assert len(capsys.readouterr().out.splitlines()) == rows + 1
    main(["status", "small.h5"])
    assert "12 of others" in capsys.readouterr().out


def test_a_terminal_sees_a_bar_with_the_time_left(here):
    """In a terminal of its own, that reports no size."""
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "hopsim.cli", "run", "small.toml", "--executor", "serial"]
    environment = os.environ | {"PYTHONPATH": str(Path(hopsim.__file__).parent.parent)}
    subprocess.run(command, stderr=child, stdout=subprocess.DEVNULL, check=True, cwd=here, env=environment)
    os.close(child)
    seen = os.read(parent, 65536).decode()
    assert re.search(r"small: 100%.*12/12 \[\d\d:\d\d<\d\d:\d\d, .*run/s, .* flips/s\]", seen)


def test_quiet_prints_nothing(here, capsys):
    assert main(["run", "small.toml", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_a_failed_run_is_named_and_the_exit_code_is_1(here, capsys, monkeypatch):
    simulate = simulation.simulate_together

    def fragile(runs, *more):
        return 1 / 0 if runs[0].sample == 1 else simulate(runs, *more)

    monkeypatch.setattr(simulation, "simulate_together", fragile)
    assert main(["run", "small.toml"]) == 1
    captured = capsys.readouterr()
    assert "8 runs computed, 0 were there, 4 failed" in captured.out
    assert "N = 50, K = 1, T = 0.2, sample 1: ZeroDivisionError" in captured.err
    assert main(["status", "small.h5"]) == 0
    assert "4 failed" in capsys.readouterr().out


def test_a_signal_of_a_scheduler_ends_a_scan_in_order_and_it_goes_on(here):
    """SIGTERM as SLURM sends it, in the middle of a scan of long runs: exit code 143, and a store that resumes."""
    text = (here / "small.toml").read_text().replace("measure = 10", "measure = 200000")
    (here / "long.toml").write_text(text)
    command = [sys.executable, "-m", "hopsim.cli", "run", "long.toml", "--workers", "1", "--checkpoint", "1"]
    environment = os.environ | {"PYTHONPATH": str(Path(hopsim.__file__).parent.parent)}
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=here, env=environment)
    while not (here / "long.h5.journal").exists():
        time.sleep(0.05)
    time.sleep(1.0)
    child.terminate()
    assert "run the same command again to continue" in child.communicate(timeout=60)[1]
    assert child.returncode == 128 + signal.SIGTERM
    assert not (here / "long.h5.lock").exists()
    assert not (here / "long.h5.journal").exists()
    assert main(["status", "long.h5"]) == 0


def test_parts_of_a_scan_are_merged(here, capsys):
    assert main(["run", "small.toml"]) == 0
    for part in ("1/2", "2/2"):
        assert main(["run", "small.toml", "--shard", part]) == 0
    assert main(["status", "small-1of2.h5"]) == 0
    assert re.search(r"part 1 of 2\n\d+ runs done, 0 missing", capsys.readouterr().out)
    assert main(["merge", "small-1of2.h5", "small-2of2.h5", "--out", "all.h5"]) == 0
    assert capsys.readouterr().out == "all.h5: 12 runs\n"
    tables = []
    for name in ("small.h5", "all.h5"):
        assert main(["table", name, "--csv"]) == 0
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1]
    assert main(["run", "all.h5"]) == 0
    assert "0 runs computed, 12 were there" in capsys.readouterr().out


def test_a_scan_is_refined_where_the_curve_falls(here, capsys):
    refine = '[refine]\nobservable = "overlap"\nlevel = 0.6\nwidth = 0.03\nerror = 0.1\nsamples_most = 64\n'
    text = SCAN.replace("[50, 100]", "100").replace("[0.02, 0.1]", "[0.02, 0.4]").replace("samples = 3", "samples = 8")
    (here / "refined.toml").write_text(text + refine)
    assert main(["run", "refined.toml"]) == 0
    first = capsys.readouterr().out
    assert re.search(r"N = 100.* 0\.\d+ .*0\.\d+", first)
    assert main(["run", "refined.toml"]) == 0
    second = capsys.readouterr().out
    assert "refined.h5: 0 runs computed" in second
    assert first.splitlines()[1:] == second.splitlines()[1:]  # the bracket and the figure
    assert main(["status", "refined.h5"]) == 0
    assert "0 missing" in capsys.readouterr().out


def test_restart_needs_a_new_file(here, capsys):
    assert main(["run", "small.toml"]) == 0
    assert main(["run", "small.toml", "--restart"]) == 2
    assert "--restart starts anew into a new file, and small.h5 exists" in capsys.readouterr().err
    assert main(["run", "small.toml", "--restart", "--out", "new.h5"]) == 0


def test_lines_are_printed_where_there_is_no_terminal(here, capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    assert main(["run", "small.toml"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"small: 12 of 12 runs, .* flips offered a second, 00:00 left", lines[-1])


def test_an_interrupted_run_says_how_to_go_on(here, capsys, monkeypatch):
    def stop(runs, *more):
        raise KeyboardInterrupt

    monkeypatch.setattr(simulation, "simulate_together", stop)
    assert main(["run", "small.toml", "--executor", "serial"]) == 130
    assert "run the same command again to continue" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "none.toml"],
            "no scan file none.toml; give a .toml or .h5 file, or one of dense, digits, hierarchical, hopfield",
        ),
        (["run", "none.h5"], "result file none.h5 does not exist"),
        (["run", "bad.toml"], "[network] needs the key kind"),
        (["status", "none.h5"], "result file none.h5 does not exist"),
        (["run", "small.toml", "--shard", "3/2"], "shard I/N needs 1 <= I <= N, got 3/2"),
        (["run", "small.toml", "--scheduler", "tcp://x:1"], "--scheduler is for --executor dask, got threads"),
        (["merge", "none.h5", "--out", "all.h5"], "result file none.h5 does not exist"),
        (["run", "small.toml", "--out", "small.png"], "--out must end in .h5 or .hdf5, got small.png"),
        (["run", "small.toml", "--out", "small.toml/x.h5"], "folder small.toml cannot be made"),
        (["status", "blank.h5"], "blank.h5 is an HDF5 file but not a result file"),
        ("theory capacity --network hopfield --degree 5 --temperature 0".split(), "are for --network dense"),
        (["plot", "none.h5", "--out", "a.bmp"], "must end in .png, .pdf, .svg; got a.bmp"),
        (
            "theory point --network dense --load 0.1 --temperature 0.1".split(),
            "--network dense needs --degree P and --indices",
        ),
        ("theory point --network hopfield --load 0.05 --temperature -1".split(), "temperature"),
        ("theory point --network hopfield --load 0 --temperature 0.1".split(), "load"),
    ],
)
def test_wrong_requests_are_one_line_and_exit_2(here, capsys, arguments, message):
    h5py.File(here / "blank.h5", "w").close()
    (here / "bad.toml").write_text("[network]\n[dynamics]\n[protocol]\n[scan]\nsamples = 1\nseed = 1")
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("hopsim: ")
    assert error.count("\n") <= 2


LEARNING = """
[network]
kind = "hopfield"
neurons = 60
patterns = 1
quality = 0.8
examples = [1, 5]
learning = "both"
[dynamics]
rule = "glauber"
temperature = %s
[protocol]
cue_overlap = 1.0
equilibrate = 5
measure = 5
[scan]
samples = 2
seed = 1
"""


@pytest.mark.parametrize(("temperature", "xlabel"), [("0.2", "examples per archetype"), ("[0.2, 0.4]", "load")])
def test_learning_is_drawn_against_examples_where_nothing_else_varies(here, capsys, monkeypatch, temperature, xlabel):
    labels = []
    monkeypatch.setattr(style, "save", lambda figure, path: labels.append(figure.axes[0].get_xlabel()))
    (here / "learning.toml").write_text(LEARNING % temperature)
    assert main(["run", "learning.toml", "--executor", "serial"]) == 0
    assert labels[0].startswith(xlabel)


def test_unknown_options_exit_2(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", "x.toml", "--workers", "0"])
    assert stop.value.code == 2
    assert "must be a whole number >= 1" in capsys.readouterr().err


def test_theory_point(capsys):
    assert main("theory point --network hopfield --load 0.05 --temperature 0.2 --ansatz rs --json".split()) == 0
    found = json.loads(capsys.readouterr().out)
    keys = {"m", "q", "r", "free_energy", "energy", "entropy", "stability", "converged", "residual"}
    assert keys <= set(found)
    assert found["converged"] is True
    assert found["residual"] < 1e-9
    assert found["entropy"] == pytest.approx((found["energy"] - found["free_energy"]) / 0.2, abs=1e-9)


def test_theory_point_beyond_capacity_fails_with_the_way_out(capsys):
    assert main("theory point --network hopfield --load 0.2 --temperature 0".split()) == 1
    assert "0.137" in capsys.readouterr().err


def test_theory_capacity(capsys):
    assert main("theory capacity --network hopfield --temperature 0 --ansatz rs --json".split()) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["load", "low", "high", "m", "converged"]
    assert found["low"] <= found["load"] <= found["high"]
    assert found["load"] == pytest.approx(0.137905566, abs=5e-10)  # Steffan & Kühn 1994


def test_theory_line(capsys):
    command = "theory line --network hopfield --line glass --temperatures 0.5 1.5 --ansatz rs --json"
    assert main(command.split()) == 0
    none, found = json.loads(capsys.readouterr().out)
    assert (none["temperature"], none["load"], none["converged"]) == (0.5, None, False)
    assert found["load"] == pytest.approx(0.25)  # T_g = 1 + √α
    assert main(command.split()[:-1]) == 0
    assert "temperature" in capsys.readouterr().out


def test_lines_that_need_symmetry_breaking_are_refused(capsys):
    assert (
        main("theory line --network dense --degree 3 --indices distinct --line dynamic --temperatures 0.5".split()) == 2
    )
    assert "dynamic" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["run", "status", "table", "plot", "theory point", "theory capacity", "theory line"]
)
def test_every_command_has_help_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*command.split(), "--help"])
    assert stop.value.code == 0
    assert f"hopsim {command}" in capsys.readouterr().out.split("example:")[1]


def test_the_module_runs_as_a_program():
    done = subprocess.run([sys.executable, "-m", "hopsim.cli", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == __import__("hopsim").__version__


def test_theory_of_diluted_patterns(capsys):
    assert main("theory point --network multitasking --dilution 0.3 --load 0.01 --temperature 0.2 --json".split()) == 0
    assert json.loads(capsys.readouterr().out)["m"] == pytest.approx(0.6907, abs=1e-4)
    assert main("theory point --network multitasking --dilution 0.3 --patterns 3 --temperature 0 --json".split()) == 0
    assert json.loads(capsys.readouterr().out)["m"] == pytest.approx([0.7, 0.21, 0.063], abs=1e-12)
    assert (
        main("theory line --network multitasking --patterns 3 --line spinodal --temperatures 0 0.3 --json".split()) == 0
    )
    rows = json.loads(capsys.readouterr().out)
    assert [row["dilution"] for row in rows] == [pytest.approx((5**0.5 - 1) / 2), None]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("theory point --network hopfield --temperature 0.1", "a point needs --load A"),
        (
            "theory point --network hopfield --patterns 3 --temperature 0.1",
            "--patterns K is for --network multitasking",
        ),
        ("theory point --network multitasking --patterns 3 --temperature 0.1", "needs --dilution D"),
        ("theory point --network hopfield --dilution 0.1 --load 0.1 --temperature 0", "--dilution is for"),
    ],
)
def test_theory_of_diluted_patterns_refused(command, message, capsys):
    assert main(command.split()) == 2
    assert message in capsys.readouterr().err
