"""Stores of parts of a scan, computed anywhere, as one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import hdf5, provenance
from .columns import Columns, joined, taken
from .errors import Refused
from .hdf5 import Contents
from .store import Store, by_key, journal_of


def merge(paths: Sequence[Path], out: Path) -> Store:
    """One new result file with the runs of several; those that are in two must be the same to the last bit.

    Name and scan file are those of the first. Raises Refused where results differ, and says where.
    """
    if out.exists():
        raise Refused(f"{out} exists; merge into a new file")
    if journal_of(out).exists():
        raise Refused(f"{journal_of(out)} is there without {out}; remove it or merge into another file")
    if len(set(paths)) < len(paths):
        raise Refused("the same file is given twice; name each once")
    stores = [Store.open(path) for path in paths]
    whole = stores[0].contents()
    for k, store in enumerate(stores[1:], 1):
        _check_same(whole, store, stores[:k])
        whole = _both(whole, store.contents())
    whole.scan["shard"] = "1/1"
    hdf5.write(out, whole)
    return Store.open(out)


def _both(first: Contents, second: Contents) -> Contents:
    failures = by_key(joined(first.failures, second.failures))
    results = by_key(joined(first.results, second.results))
    if failures and results:
        failures = taken(failures, ~np.isin(failures["key"], results["key"]))
    return Contents(
        dict(first.scan),
        [*first.sessions, *second.sessions],
        by_key(joined(first.points, second.points)),
        results,
        failures if failures and len(failures["key"]) else {},
        first.patterns | second.patterns,
    )


def _check_same(whole: Contents, store: Store, earlier: Sequence[Store]) -> None:
    """Refuse results of the same run that differ."""
    other = store.contents()
    if not whole.results or not other.results:
        return
    _, here, there = np.intersect1d(whole.results["key"], other.results["key"], return_indices=True)
    for name in sorted(set(whole.results) & set(other.results)):
        mine, its = whole.results[name][here], other.results[name][there]
        different = np.flatnonzero(~_same(mine, its))
        if different.size:
            row = int(different[0])
            where = _run_in_words(other, int(there[row]))
            holders = [s.path for s in earlier if whole.results["key"][here[row]].decode() in s.completed()]
            raise Refused(
                f"{holders[0]} and {store.path} differ in {name} of {where} and {different.size - 1} more runs: "
                f"{mine[row]!s} and {its[row]!s}; one of them is wrong, compute that run again"
            )


def _same(first: NDArray[np.generic], second: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Row by row, nan like nan; what is wider ends in nan."""
    columns: list[Columns] = [{"x": first}, {"x": second}]
    both = joined(*columns)["x"]
    mine, its = both[: len(first)], both[len(first) :]
    equal = mine == its
    if both.dtype.kind == "f":
        equal |= np.isnan(mine) & np.isnan(its)
    return np.asarray(equal.all(axis=tuple(range(1, equal.ndim))))


def _run_in_words(contents: Contents, row: int) -> str:
    place = int(np.searchsorted(contents.points["key"], contents.results["point"][row]))
    point = provenance.point_of(contents.points["json"][place].decode(), contents.patterns)
    return f"sample {contents.results['sample'][row]} at {point}"
