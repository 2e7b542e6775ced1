"""The catalogue: every entry can be listed, comparisons can fail, and a wrong kernel or theory makes one fail."""

import math

import pytest

import hopsim as hs
from hopsim import catalogue
from hopsim.catalogue import Comparison
from hopsim.cli import main


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_every_entry_says_what_it_is(name):
    entry = catalogue.entry(name)
    assert len(entry.title) < 100
    assert all(f"\n\n{part}" in entry.text for part in ("Drawn: ", "Compared"))  # the gallery's caption and table
    full, quick = entry.seconds
    assert quick <= 20 <= full or quick <= full <= 1800


def test_comparisons_agree_within_their_tolerance_only():
    assert Comparison("x", 1.0, 1.05, 0.06, "paper").agrees
    assert not Comparison("x", 1.0, 1.07, 0.06, "paper").agrees
    assert not Comparison("x", 1.0, math.nan, 0.06, "paper").agrees
    assert Comparison("x", 1.0, 9.0, 0.0, "paper", least=True).agrees
    assert not Comparison("x", 1.0, 0.9, 0.0, "paper", least=True).agrees


def test_names_are_listed_and_others_refused(capsys):
    assert main(["reproduce", "--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in catalogue.NAMES)
    assert main(["reproduce", "everything"]) == 2
    assert "no entry 'everything' in the catalogue; there are ags-phase-diagram" in capsys.readouterr().err
    with pytest.raises(hs.Refused, match="no entry"):
        catalogue.entry("none")
