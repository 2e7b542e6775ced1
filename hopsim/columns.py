"""Columns: named arrays with one row per run or point, that grow in rows, in names and in width."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[Any]]
SPARSEST, SPARE = 1024, 2**24  # how many times what it holds a column may take, and bytes beyond that


def stacked(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """One column per name that occurs, in the order of appearance; what a row does not have is nan, 0 or empty."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _column([row.get(name) for row in rows]) for name in names}


def joined(first: Columns, second: Columns) -> Columns:
    """The rows of both."""
    sizes = len(first), len(second)
    if not all(sizes):
        return dict(first or second)
    rows = [len(next(iter(columns.values()))) for columns in (first, second)]
    names = dict.fromkeys((*first, *second))
    return {name: _concatenated([first.get(name), second.get(name)], rows) for name in names}


def taken(columns: Columns, rows: NDArray[Any]) -> Columns:
    """Some of the rows, by place or by mask."""
    return {name: column[rows] for name, column in columns.items()}


def _column(values: Sequence[Any]) -> NDArray[Any]:
    arrays = [None if value is None else _array(value) for value in values]
    known = [array for array in arrays if array is not None]
    if len(known) == len(arrays) and len({(array.shape, array.dtype) for array in known}) == 1:
        return np.array(known)
    return _concatenated([array if array is None else array[None] for array in arrays], [1] * len(arrays))


def _array(value: Any) -> NDArray[Any]:
    return np.asarray(value.encode() if isinstance(value, str) else value)


def _concatenated(parts: Sequence[NDArray[Any] | None], rows: Sequence[int]) -> NDArray[Any]:
    """One after the other in the largest width of each axis; nan, 0 or nothing fills what is missing."""
    known = [part for part in parts if part is not None]
    kind = np.result_type(*known)
    width = tuple(max(sizes) for sizes in zip(*(part.shape[1:] for part in known), strict=True))
    size = sum(rows) * math.prod(width) * kind.itemsize
    if size > SPARSEST * sum(part.nbytes for part in known) + SPARE:
        raise ValueError(f"rows of very different widths would take {size} bytes as one column")
    blank = np.nan if kind.kind == "f" else np.zeros((), kind)
    whole = np.full((sum(rows), *width), blank, dtype=kind)
    first = 0
    for part, count in zip(parts, rows, strict=True):
        if part is not None:
            whole[(slice(first, first + count), *map(slice, part.shape[1:]))] = part
        first += count
    return whole
