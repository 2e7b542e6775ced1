"""Ensembles: values, moments, the user's own patterns. Statistical tests: false-alarm rate 1e-5 each, fixed seeds."""

import numpy as np
import pytest
from scipy import stats

from hopsim.errors import Refused
from hopsim.patterns import CATALOGUE, Biased, Diluted, Examples, Rademacher, Stored
from hopsim.rng import Purpose, stream

FIVE = stats.norm.isf(0.5e-5)  # two-sided false-alarm rate 1e-5
BLANKS = np.array([[1, 0, -1, 1], [-1, 0, 0, 1], [0, 0, 1, -1]])
DRAWS = [
    (Rademacher(), 0.0, 1.0),
    (Biased(0.3), 0.3, 1.0),
    (Biased(-0.8), -0.8, 1.0),
    (Diluted(0.4), 0.0, 0.6),
    (Diluted(0.95), 0.0, 0.05),
    (Diluted(0), 0.0, 1.0),
    (Examples(0.5, 4, "supervised", dilution=0.3), 0.0, 0.7),
]


def rng(seed=8):
    return np.random.default_rng(seed)


def test_every_ensemble_is_in_the_cases():
    assert {type(ensemble) for ensemble, _, _ in DRAWS} | {Stored} == set(CATALOGUE)


@pytest.mark.parametrize(("ensemble", "mean", "square"), DRAWS, ids=repr)
def test_values_and_moments(ensemble, mean, square):
    drawn = ensemble.draw(400, 300, rng())
    assert drawn.dtype == np.int8
    assert drawn.shape == (400, 300)
    assert drawn.flags.c_contiguous
    assert set(np.unique(drawn)) == ({-1, 1} if square == 1 else {-1, 0, 1})
    x, entries = drawn.astype(float), drawn.size
    assert abs(x.mean() - mean) < FIVE * np.sqrt((square - mean**2) / entries)
    assert abs((x**2).mean() - square) <= FIVE * np.sqrt(square * (1 - square) / entries)


@pytest.mark.parametrize(("ensemble", "mean", "square"), DRAWS, ids=repr)
def test_sites_and_patterns_are_independent(ensemble, mean, square):
    """The largest of 3160 correlations between 80 sites, and between 80 patterns, stays below 5.9 standard errors."""
    drawn = ensemble.draw(1000, 80, rng()).astype(float), ensemble.draw(80, 1000, rng()).T.astype(float)
    for x in drawn:
        correlation = np.corrcoef(x, rowvar=False)[np.triu_indices(80, 1)]
        limit = stats.norm.isf(0.5e-5 / correlation.size)
        assert np.abs(correlation).max() * np.sqrt(len(x)) < limit
        assert abs(correlation.mean()) < FIVE / np.sqrt(len(x) * correlation.size)


def test_wrong_moments_are_noticed():
    x = Biased(0.32).draw(400, 300, rng()).astype(float)
    assert abs(x.mean() - 0.3) > FIVE * np.sqrt((1 - 0.3**2) / x.size)


def test_undiluted_patterns_are_the_signs_of_rademacher():
    np.testing.assert_array_equal(Diluted(0).draw(50, 20, rng()), Rademacher().draw(50, 20, rng()))


def test_dilution_blanks_entries_and_keeps_the_signs_of_the_others():
    diluted, signs = Diluted(0.5).draw(50, 20, rng()), Rademacher().draw(50, 20, rng())
    np.testing.assert_array_equal(diluted[diluted != 0], signs[diluted != 0])


@pytest.mark.parametrize("ensemble", [Rademacher(), Biased(0.3), Diluted(0.4), Stored(BLANKS)], ids=repr)
def test_a_stream_fixes_the_patterns(ensemble):
    draw = lambda sample: ensemble.draw(3, 4, stream(1, sample, Purpose.DISORDER))  # noqa: E731
    np.testing.assert_array_equal(draw(0), draw(0))
    assert any(not np.array_equal(draw(0), draw(sample)) for sample in range(1, 6))


def columns(array):
    return sorted(map(tuple, array.T.tolist()))


def test_all_stored_patterns_are_drawn_without_repetition():
    drawn = Stored(BLANKS).draw(3, 4, rng())
    assert drawn.dtype == np.int8
    assert drawn.flags.c_contiguous
    assert columns(drawn) == columns(BLANKS)


def test_fewer_stored_patterns_are_a_uniform_choice_without_repetition():
    """False-alarm rate 1e-5 on the 6 pairs out of 4."""
    seen = {}
    generator = rng()
    for _ in range(3000):
        chosen = columns(Stored(BLANKS).draw(3, 2, generator))
        seen[tuple(chosen)] = seen.get(tuple(chosen), 0) + 1
    available = columns(BLANKS)
    assert len(seen) == 6
    assert all(a != b and a in available and b in available for a, b in seen)
    assert stats.chisquare(list(seen.values())).pvalue > 1e-5


def test_stored_patterns_are_equal_by_content():
    same, other = BLANKS.astype(float), BLANKS.copy()
    other[0, 0] = -1
    assert Stored(BLANKS) == Stored(same)
    assert hash(Stored(BLANKS)) == hash(Stored(same))
    assert Stored(BLANKS).sha256 == Stored(np.asfortranarray(BLANKS)).sha256
    assert Stored(BLANKS) != Stored(other)
    assert Stored(np.ones((2, 3))) != Stored(np.ones((3, 2)))
    assert len({Stored(BLANKS), Stored(same), Stored(other)}) == 2


def test_stored_patterns_are_a_copy_that_nobody_can_change():
    mine = BLANKS.astype(np.int8)
    ensemble = Stored(mine)
    mine[0, 0] = -1
    assert ensemble.array[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        ensemble.array[0, 0] = -1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Stored(np.array([[1, -1], [1, 3], [2, 1]])), r"-1, 0 or \+1, got 3 at neuron 1 of pattern 1 \(2 such"),
        (lambda: Stored(np.array([[1.0, 0.5]])), r"got 0\.5 at neuron 0 of pattern 1 \(1 such entries\)"),
        (lambda: Stored(np.array([[1.0], [np.nan]])), "got nan at neuron 1 of pattern 0"),
        (lambda: Stored(np.array([[255]], dtype=np.uint8)), "got 255 at neuron 0 of pattern 0"),
        (lambda: Stored(np.array([[True, False]])), "must be numbers -1, 0 or .1, got an array of dtype bool"),
        (lambda: Stored(np.array([["a"]])), "must be numbers"),
        (lambda: Stored(np.ones(5)), r"an array \[neurons, patterns\], got shape \(5,\)"),
        (lambda: Stored(np.ones((2, 2, 2))), r"got shape \(2, 2, 2\)"),
        (lambda: Stored(np.ones((0, 4))), r"got shape \(0, 4\)"),
        (lambda: Stored(BLANKS).draw(4, 2, rng()), "have 3 entries each, got neurons = 4"),
        (lambda: Stored(BLANKS).draw(3, 5, rng()), "5 patterns asked for, but only 4 are stored"),
        (lambda: Biased(1), "-1 < bias < 1, got 1"),
        (lambda: Biased(float("nan")), "bias must be a finite number, got nan"),
        (lambda: Diluted(1.0), r"0 <= dilution < 1, got 1\.0"),
        (lambda: Diluted(-0.1), r"0 <= dilution < 1, got -0\.1"),
    ],
)
def test_refusals_name_the_value_and_its_place(make, message):
    with pytest.raises(Refused, match=message):
        make()
