"""The catalogue: every entry can be listed, comparisons can fail, and a wrong kernel or theory makes one fail."""

import math

import numpy as np
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


def test_samples_are_kept_and_what_was_stopped_goes_on(tmp_path):
    asked = []

    def sample(number):
        asked.append(number)
        if number == 3 and len(asked) == 4:
            raise KeyboardInterrupt
        return np.array([number / 7, math.pi])

    def kept(told, samples=5):
        return catalogue.Workshop(tmp_path, workers=1).sampled(told, samples, sample)

    with pytest.raises(KeyboardInterrupt):
        kept("one")
    (path,) = tmp_path.glob("samples-*.jsonl")
    path.write_bytes(path.read_bytes()[:-9])  # the last line is cut
    expected = np.array([[number / 7, math.pi] for number in range(5)])
    assert (kept("one") == expected).all()
    assert asked[-3:] == [2, 3, 4]
    done = len(asked)
    assert (kept("one", 3) == expected[:3]).all()
    assert len(asked) == done
    kept("other", 1)
    assert asked[done:] == [0]
