"""Examples in docstrings print what they say; the main names have one."""

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

import hopsim as hs
from hopsim import scan_file, theory

PACKAGE = Path(hs.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)
PUBLIC = (
    *(hs.hopfield, hs.dense, hs.exponential, hs.log_sum_exp, hs.multitasking, hs.Stored, hs.read_patterns),
    *(hs.Refused, hs.simulate, hs.retrieve, hs.Tempering, hs.Annealing, hs.Store, scan_file.read),
    *(theory.solve, theory.capacity, theory.line, theory.retrieval_curve, theory.zero_entropy),
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, tmp_path, monkeypatch):
    """Each as a user would type it, with `hs` and `np` at hand."""
    monkeypatch.chdir(tmp_path)
    module, told = importlib.import_module(name), []
    runner = doctest.DocTestRunner()
    for examples in doctest.DocTestFinder(exclude_empty=True).find(module, globs={"hs": hs, "np": np}):
        runner.run(examples, out=told.append)
    assert runner.tries > 0
    assert not runner.failures, "".join(told)


@pytest.mark.parametrize("public", PUBLIC, ids=lambda public: public.__name__)
def test_main_names_have_an_example(public):
    assert ">>> " in public.__doc__


def test_a_wrong_example_is_found():
    test = doctest.DocTestParser().get_doctest(">>> hs.theory.critical_dilution(2)\n2.0\n", {"hs": hs}, "wrong", "", 0)
    assert doctest.DocTestRunner(verbose=False).run(test, out=lambda text: None).failed == 1
