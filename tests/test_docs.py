"""The pages of the documentation: what they show runs, and none is left out."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import hopsim as hs
from hopsim import cli, comparison, executors, interactions, scan_file, scans

DOCS = Path(__file__).parent.parent / "docs"
SHELL = [
    block
    for page in (DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md")))
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]
COMMANDS = sorted({line for block in SHELL for line in block.splitlines() if line.startswith("hopsim ")})


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def test_every_page_is_in_the_index_and_every_link_leads_somewhere():
    listed = re.findall(r"^[\w/-]+$", "".join(blocks("index.md", r"\{toctree\}")), re.MULTILINE)
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
    assert set(listed) == pages - {"index"}
    for page in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.fixture
def results(tmp_path, monkeypatch):
    """What the start page's scan has made, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (text,) = blocks("start.md", "toml")
    small = text.replace("1000", "200").replace("samples = 20", "samples = 2")
    scan = scan_file.parse(small, name="s", folder=tmp_path)
    with hs.Store.append_to(tmp_path / "hopfield.h5", scan_name="s", scan_text=scan.text) as store:
        assert not scans.run(scan, store, executors.serial()).failures
        assert len(comparison.tabulate(store)) == 4
    return tmp_path / "hopfield.h5"


def test_the_tour_runs(results, capsys):
    """A network of theory and simulation alike, and a table of results."""
    first, second, third = blocks("tour.md", "python")
    names = {}
    exec(first, names)
    simulated, energy = map(float, capsys.readouterr().out.split())
    exec(second, names)
    m, *_ = map(float, capsys.readouterr().out.split())
    assert simulated == pytest.approx(m, abs=0.02)
    assert -0.55 < energy < -0.4
    exec(third, names)
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_a_result_file_is_read_as_the_page_on_it_says(results):
    pytest.importorskip("xarray")
    results.rename("results.h5")
    (code,) = blocks("store.md", "python")
    names = {}
    exec(code, names)
    assert names["table"].size == 8
    assert dict(names["dataset"].sizes) == {"point": 4, "sample": 2}
    assert [row.samples for row in names["rows"]] == [2] * 4


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shown_is_understood(command, capsys):
    words = shlex.split(re.sub(r"\$\w+", "1", command), comments=True)[1:]
    if "--help" in words:
        with pytest.raises(SystemExit, match="0"):
            cli.main(words)
    else:
        assert callable(cli._parser().parse_args(words).command)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith(("hopsim theory point", "hopsim theory cap"))])
def test_theory_commands_print_the_numbers_beside_them(command, capsys):
    shown, _, comment = command.partition("#")
    assert cli.main(shlex.split(shown)[1:]) == 0
    printed = capsys.readouterr().out
    assert all(number in printed for number in re.findall(r"0\.\d{3,}", comment))


def test_the_interaction_of_the_how_to_page_is_that_of_degree_4():
    (code,) = blocks("how-to/interactions.md", "python")
    names = dict(vars(interactions))
    exec(code, names)
    ours, known = names["Quartic"](), interactions.Power(4, "all")
    assert ours.unit(7) == known.unit(7)
    assert ours.values(9) == known.values(9)
    assert [ours.mean(n) for n in range(1, 9)] == [known.mean(n) for n in range(1, 9)]


def test_patterns_are_stored_as_the_how_to_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write, use = blocks("how-to/patterns.md", "python")
    images = np.random.default_rng(1).random((30, 5, 4))
    names = {"images": images, "threshold": 0.5}
    exec(write, names)
    exec(use, names)
    assert names["network"].neurons == 20
    assert (names["stored"].array[:, 3] == np.where(images[3].ravel() > 0.5, 1, -1)).all()
    (text,) = blocks("how-to/patterns.md", "toml")
    rest = blocks("start.md", "toml")[0].partition("[dynamics]")
    scan = scan_file.parse(text + "".join(rest[1:]), name="mine", folder=tmp_path)
    assert [point.network.patterns for point in scan.points] == [5, 10, 20]


def test_the_adaptive_scan_of_the_how_to_page_is_one():
    (refine,) = blocks("how-to/long-scans.md", "toml")
    scan = scan_file.parse(blocks("start.md", "toml")[0] + refine, name="s", folder=Path())
    assert scan.refinement.samples_most == 512
