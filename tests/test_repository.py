"""What the repository says of itself is true."""

import configparser
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import hopsim
from hopsim import scan_file

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_of_the_readme_runs(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in example.splitlines() if line]) == 5
    exec(example, {})
    simulated, _, predicted = capsys.readouterr().out.partition(" simulated, ")
    assert float(simulated) == pytest.approx(float(predicted.split()[0]), abs=0.05)


def test_the_readme_lists_every_network_there_is():
    rows = re.findall(r"^\| `(\w+)`", README, re.MULTILINE)
    assert set(rows) == {*scan_file.KINDS, *hopsim.continuous.KINDS}


def test_the_readme_says_which_networks_have_theory():
    networks = {
        "hopfield": hopsim.hopfield(neurons=9, patterns=2),
        "dense": hopsim.dense(neurons=9, degree=3, indices="all", patterns=2),
        "rectified": hopsim.rectified(neurons=9, degree=3, patterns=2),
        "exponential": hopsim.exponential(neurons=9, patterns=2),
        "log_sum_exp": hopsim.log_sum_exp(neurons=9, patterns=2, sharpness=1.0),
        "multitasking": hopsim.multitasking(neurons=9, patterns=2, dilution=0.5),
    }
    for row in re.findall(rf"^\| `(?:{'|'.join(networks)})`.*$", README, re.MULTILINE):
        kind, says = re.match(r"\| `(\w+)`", row)[1], row.split("|")[-2].strip()
        assert ("RS" in says) == hopsim.theory.supports(networks[kind].law)


def test_one_version_everywhere():
    assert f"version: {hopsim.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {hopsim.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_links_of_the_documents_lead_somewhere():
    for page in ROOT.glob("*.md"):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{page.name}: {target}"


def test_the_map_names_every_file_of_the_package():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    files = [p.relative_to(ROOT / "hopsim") for p in (ROOT / "hopsim").rglob("*.py") if p.name != "__init__.py"]
    missing = [f for f in files if f.name not in text and f.parts[0] not in ("figures", "catalogue")]
    assert [str(f) for f in missing if f.name not in ("errors.py", "version.py", "__main__.py")] == []


def test_dependencies_are_the_chosen_ones_with_lower_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.match(r"[a-z0-9-]+", dependency)[0] for dependency in project["dependencies"]}
    assert names == {"numpy", "scipy", "numba", "matplotlib", "h5py", "filelock", "tqdm"}
    assert all(">=" in dependency for dependency in project["dependencies"])


@pytest.mark.parametrize(("contract", "allowed"), [("hdf5", {"hdf5"}), ("matplotlib", {"figures", "catalogue"})])
def test_the_walls_around_a_library_leave_no_module_out(contract, allowed):
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    walled = set(config[f"importlinter:contract:{contract}"]["source_modules"].split())
    modules = {p.stem for p in (ROOT / "hopsim").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert walled == {f"hopsim.{name}" for name in modules - allowed - {"__init__"}}


def test_every_public_name_is_there_and_loaded_on_first_use():
    assert set(hopsim.__all__) == set(hopsim._MODULE_OF) | {"continuous", "theory", "__version__"} == set(dir(hopsim))
    for name in hopsim.__all__:
        assert getattr(hopsim, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = hopsim.nonsense
    heavy = "import sys, hopsim; print([m for m in ('numba', 'scipy', 'h5py', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
