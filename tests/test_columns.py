"""Columns: what is missing is nan, 0 or empty; widths grow; a few wide rows cannot take all memory."""

import numpy as np
import pytest

from hopsim.columns import joined, stacked, taken


def test_rows_with_other_names_and_widths_are_one_table():
    table = stacked(
        [{"a": 1.5, "n": 2, "s": "x"}, {"a": 2.5, "v": np.array([1.0, 2.0])}, {"v": np.array([3.0]), "s": "yz"}]
    )
    np.testing.assert_array_equal(table["a"], [1.5, 2.5, np.nan])
    assert table["n"].tolist() == [2, 0, 0]
    assert table["s"].tolist() == [b"x", b"", b"yz"]
    np.testing.assert_array_equal(table["v"], [[np.nan, np.nan], [1, 2], [3, np.nan]])


def test_joining_is_stacking_all_rows():
    rows = [{"a": float(k), "v": np.arange(k + 1.0)} for k in range(4)]
    both, whole = joined(stacked(rows[:1]), stacked(rows[1:])), stacked(rows)
    assert both.keys() == whole.keys()
    for name, column in whole.items():
        np.testing.assert_array_equal(both[name], column)
    assert joined({}, whole).keys() == joined(whole, {}).keys() == whole.keys()
    assert taken(whole, np.array([2, 0]))["a"].tolist() == [2.0, 0.0]


def test_a_wide_row_among_many_is_refused():
    narrow = {"v": np.zeros((50_000, 1))}
    with pytest.raises(ValueError, match="rows of very different widths would take"):
        joined(narrow, {"v": np.zeros((1, 100_000))})
