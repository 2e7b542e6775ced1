"""Notebooks: text and .ipynb are the same, outputs are not kept, and every published figure is in one of them."""

import ast
import re
from collections import Counter
from pathlib import Path

import jupytext
import pytest

from hopsim import catalogue

FOLDER = Path(__file__).parent.parent / "notebooks"
PAIRS = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def sources(path):
    return [(cell.cell_type, cell.source) for cell in jupytext.read(path).cells]


def trees(name):
    """The parsed code cells, magics left out."""
    for cell in jupytext.read(FOLDER / f"{name}.ipynb").cells:
        if cell.cell_type == "code":
            yield ast.parse(re.sub(r"^%.*$", "", cell.source, flags=re.MULTILINE))


def test_every_notebook_has_its_text():
    texts = {path.stem for path in FOLDER.glob("*.md")}
    assert texts - {"README"} == set(PAIRS)


@pytest.mark.parametrize("name", PAIRS)
def test_text_and_notebook_are_the_same(name):
    assert sources(FOLDER / f"{name}.md") == sources(FOLDER / f"{name}.ipynb")


@pytest.mark.parametrize("name", PAIRS)
def test_no_outputs_are_kept(name):
    code = [cell for cell in jupytext.read(FOLDER / f"{name}.ipynb").cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


@pytest.mark.parametrize("name", PAIRS)
def test_nothing_is_defined_and_nothing_private_is_used(name):
    for node in (node for tree in trees(name) for node in ast.walk(tree)):
        assert not isinstance(node, DEFINITIONS), ast.unparse(node)
        assert not (isinstance(node, ast.Attribute) and node.attr.startswith("_")), ast.unparse(node)


def test_every_entry_of_the_catalogue_is_in_one_notebook():
    assignments = [node for name in PAIRS for tree in trees(name) for node in tree.body if isinstance(node, ast.Assign)]
    shown = Counter(ast.literal_eval(a.value) for a in assignments if ast.unparse(a.targets[0]) == "name")
    assert shown == Counter(catalogue.NAMES)
