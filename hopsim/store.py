"""Result stores: what was computed, by whom and when; one writer, any number of readers, nothing lost.

A result file is always whole. The writer appends what has finished to a journal beside it, RESULTS.h5.journal, and
replaces the file by a new one that has both when the journal has grown, and in the end. Whoever reads takes both.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from . import hdf5, journal, provenance
from .columns import Columns, joined, stacked, taken
from .errors import Refused, in_one_line
from .hdf5 import Contents
from .journal import Journal, Record
from .lock import Lock, holder
from .patterns import Stored
from .points import AnyPoint, AnyRun
from .simulation import Point

if TYPE_CHECKING:
    import xarray

LEAST_REPLACED, MOST_REPLACED = 5_000, 100_000  # runs in the journal from where the file is replaced
IDENTITY = ("key", "point", "sample")


@dataclass(frozen=True)
class Outcome:
    """What became of one run: its columns, or the message of its failure."""

    run: AnyRun
    columns: Mapping[str, Any] | None
    message: str = ""


class StoreFailed(RuntimeError):
    """What has finished cannot be written: the message says why, what is safe and the way out."""


class Store:
    """Results. `Store.open` reads a file, also while it is written; `Store.append_to` is its writer.

    >>> point = hs.Point(hs.hopfield(neurons=500, patterns=1), hs.SignUpdate(), hs.Protocol(0.9, 10, 1), seed=1)
    >>> scan = hs.Scan("one", "", (point,), samples=2)
    >>> with hs.Store.append_to("one.h5", scan_name="one", scan_text="") as store:
    ...     summary = hs.scans.run(scan, store, hs.executors.serial())
    >>> hs.Store.open("one.h5").to_table()["overlap"].tolist()
    [1.0, 1.0]
    """

    def __init__(self, path: Path, contents: Contents, records: Sequence[Record]) -> None:
        self.path = path
        self._contents = contents
        self._records = list(records)  # not yet in the contents
        self._completed: set[str] | None = None
        self._points: list[AnyPoint] | None = None

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Read a store as it is now."""
        path = Path(path)
        while True:
            before = _identity(path)
            store = cls(path, hdf5.read(path), [])
            try:
                store._records, damaged = journal.read(journal_of(path))
                store.contents()
            except Exception as error:  # whatever a journal of somebody else makes of the reader
                raise Refused(
                    f"{journal_of(path)} is damaged ({in_one_line(error)}); remove it to go on with {path} alone"
                ) from None
            if _identity(path) == before:  # else the writer has moved the journal into a new file meanwhile
                break
        if damaged > 1:  # one line may be cut short by a kill, or be on its way
            _warn(f"{damaged} lines of {journal_of(path)} are damaged; their runs will be computed again")
        return store

    @staticmethod
    def append_to(
        path: str | Path, *, scan_name: str, scan_text: str, patterns: Stored | None = None, shard: str = "1/1"
    ) -> "Writer":
        """Open for writing with the scan that is being run and the user's own patterns in it."""
        path = Path(path)
        scan = {"name": scan_name, "text": scan_text, "patterns": patterns.sha256 if patterns else "", "shard": shard}
        return Writer(path, scan, [patterns] if patterns else [])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Nothing to close: everything has been read."""

    @property
    def scan_name(self) -> str:
        """Name of the scan that was run last."""
        return self._contents.scan["name"]

    @property
    def scan_text(self) -> str:
        """Text of its scan file."""
        return self._contents.scan["text"]

    @property
    def scan_shard(self) -> str:
        """The part of the scan that is computed here, "I/N"."""
        return self._contents.scan["shard"]

    @property
    def scan_patterns(self) -> Stored | None:
        """The user's own patterns in that scan."""
        sha256 = self._contents.scan["patterns"]
        return self.stored_patterns[sha256] if sha256 else None

    @property
    def environment(self) -> dict[str, str]:
        """Versions, machine, command and start of the last writer."""
        return dict(self.sessions[-1]) if self.sessions else {}

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """Every time that a scan wrote here: environment, scan text and, of what ended, `ended` and `cpu_seconds`."""
        return self._contents.sessions

    @property
    def writer(self) -> str:
        """Who writes to the file now, in words; "" if nobody does."""
        return holder(self.path)

    @property
    def stored_patterns(self) -> dict[str, Stored]:
        """The user's own patterns embedded here, by sha256."""
        return self.contents().patterns

    def points(self) -> list[AnyPoint]:
        """Every point that has results or failures, sorted by key."""
        contents = self.contents()
        if self._points is None:
            texts = contents.points.get("json", np.empty(0, dtype="S1")).tolist()
            self._points = [provenance.point_of(text.decode(), contents.patterns) for text in texts]
        return list(self._points)

    def current(self) -> NDArray[np.bool_]:
        """Which of points() this version of the package would compute the same; the others are kept, and not mixed in.

        Points are known by their content and by what provenance.TRAJECTORY was when they were computed.
        """
        keys = self.contents().points.get("key", np.empty(0, dtype="S1"))
        pairs = zip(keys.tolist(), self.points(), strict=True)
        return np.array([key.decode() == provenance.key(point) for key, point in pairs], dtype=bool)

    def columns(self) -> Columns:
        """The result columns, sorted by key: the same bytes from any executor, order or resume.

        `point` is the place in points().
        """
        contents = self.contents()
        if not contents.results:
            return {}
        return contents.results | {"point": np.searchsorted(contents.points["key"], contents.results["point"])}

    def completed(self) -> set[str]:
        """Keys of the runs that have results."""
        if self._completed is None:
            self._completed = {key.decode() for key in self.contents().results.get("key", np.empty(0)).tolist()}
        return self._completed

    def failures(self) -> list[tuple[int, int, str]]:
        """(place in points(), sample, message) of each failed run that has no result yet."""
        failed = self.contents().failures
        if not failed:
            return []
        places = np.searchsorted(self.contents().points["key"], failed["point"])
        rows = zip(failed["key"].tolist(), places.tolist(), failed["sample"].tolist(), failed["message"], strict=True)
        return [(p, n, text.decode()) for key, p, n, text in rows if key.decode() not in self.completed()]

    def to_table(self) -> NDArray[Any]:
        """One row per run: the parameters of its point, then the result columns, sorted by key."""
        columns = self.columns()
        if not columns:
            return np.empty(0, dtype=[("key", "S64")])
        merged = {**taken(self._parameters(), columns.pop("point")), **columns}
        table = np.empty(len(columns["key"]), dtype=[(n, c.dtype, c.shape[1:]) for n, c in merged.items()])
        for name, column in merged.items():
            table[name] = column
        return table

    def to_xarray(self) -> "xarray.Dataset":
        """Dimensions point x sample (nan where a run is missing), parameters as coordinates of point. Needs xarray."""
        try:
            import xarray
        except ModuleNotFoundError:
            raise Refused('to_xarray needs xarray: pip install "hopsim[xarray]"') from None

        columns = self.columns()
        if not columns:
            return xarray.Dataset()
        samples = np.unique(columns["sample"])
        place = (columns["point"], np.searchsorted(samples, columns["sample"]))
        parameters = self._parameters()
        count = len(next(iter(parameters.values())))
        coordinates = {name: ("point", column) for name, column in parameters.items()}
        data = {}
        for name, column in columns.items():
            if name not in IDENTITY:
                grid = np.full((count, samples.size, *column.shape[1:]), np.nan)
                grid[place] = column
                data[name] = (("point", "sample", *(f"{name}_{k}" for k in range(1, column.ndim))), grid)
        return xarray.Dataset(data, coords={"sample": samples, **coordinates})

    def _parameters(self) -> Columns:
        """Columns of the points, sorted by key."""
        return {name: column for name, column in self.contents().points.items() if name not in ("key", "json")}

    def contents(self) -> Contents:
        """Everything, as it is written to a file."""
        if self._records:
            _merge(self._contents, self._records)
            self._records, self._points = [], None
        return self._contents


class Writer(Store):
    """The one writer of a result file. What `append` has returned from survives a kill and a loss of power."""

    def __init__(self, path: Path, scan: Mapping[str, str], patterns: Sequence[Stored]) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(f"folder {path.parent} cannot be made: {error}") from None
        self._lock = Lock(path)
        try:
            if journal_of(path).exists() and not path.exists():
                raise Refused(
                    f"{journal_of(path)} is there without {path}; restore that, or remove the journal to start anew"
                )
            there = Store.open(path) if path.exists() else Store(path, Contents(), [])
            super().__init__(path, there.contents(), [])
            self._contents.scan = dict(scan)
            self._contents.sessions = [*self.sessions, provenance.environment() | {"scan_text": scan["text"]}]
            self._contents.patterns |= {stored.sha256: stored for stored in patterns}
            self._known = {key.decode() for key in self._contents.points.get("key", np.empty(0)).tolist()}
            self._journal: Journal | None = None
            self.cpu_seconds = 0.0
            self._replace()
        except OSError as error:
            self._lock.release()
            raise Refused(f"{path} cannot be written: {_reason(error)}; make room or use another --out") from None
        except BaseException:
            self._lock.release()
            raise

    def append(self, outcomes: Sequence[Outcome]) -> None:
        """Write a batch. Raises StoreFailed where it cannot be written; what was written before is safe."""
        records = self._records_of(outcomes)
        self._records += records
        self._known |= {record["key"] for record in records if record["kind"] == "point"}
        self._unsaved += len(outcomes)
        if self._completed is not None:
            self._completed |= {provenance.key(o.run) for o in outcomes if o.columns is not None}
        try:
            if self._journal is None or not self._journal.there or not self.path.exists():
                self._restore()
            self._journal.append(records)  # type: ignore[union-attr]
            rows = len(self._contents.results.get("key", ()))
            if self._unsaved > min(max(LEAST_REPLACED, rows), MOST_REPLACED):
                self._replace()
        except OSError as error:
            raise StoreFailed(
                f"{self.path} cannot be written: {_reason(error)}; make room or change the rights and run the same "
                f"command again{self._kept()}"
            ) from None

    def close(self) -> None:
        """Move the journal into the file, say when and after how much work this session ended, let other writers in."""
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        self.sessions[-1].update({"ended": ended, "cpu_seconds": round(self.cpu_seconds, 3)})
        try:
            if self._lock.held:
                self._replace()
                if self._journal is not None:
                    self._journal.remove()
            elif self._journal is not None:
                self._journal.close()
        except OSError as error:
            _warn(f"{self.path} cannot be replaced: {_reason(error)}{self._kept()}")
        finally:
            self._lock.release()

    def _restore(self) -> None:
        """Write all again where it was removed, unless another writer has begun anew there."""
        if not self._lock.held:
            try:
                self._lock = Lock(self.path)
            except Refused as error:
                raise StoreFailed(f"{self.path} was removed while it was written, and now {error}") from None
        _warn(f"{self.path} or its journal was removed while it was written; both are written again")
        self._replace()

    def _kept(self) -> str:
        there = self.path.exists() and journal_of(self.path).exists()
        return f"; what was stored before is safe in it and {journal_of(self.path)}" if there else ""

    def _replace(self) -> None:
        """A new file with all there is, and an empty journal."""
        hdf5.write(self.path, self.contents())
        if self._journal is not None:
            self._journal.remove()
        journal_of(self.path).unlink(missing_ok=True)
        self._journal = Journal(journal_of(self.path))
        self._unsaved = 0

    def _records_of(self, outcomes: Sequence[Outcome]) -> list[Record]:
        records: list[Record] = []
        known = set(self._known)
        for outcome in outcomes:
            point = outcome.run.point
            key = provenance.key(point)
            if key not in known:
                known.add(key)
                records += self._patterns_of(point)
                records.append({"kind": "point", "key": key, "json": provenance.canonical(point)})
            identity = {"key": provenance.key(outcome.run), "point": key, "sample": outcome.run.sample}
            if outcome.columns is None:
                records.append({"kind": "failure", **identity, "message": outcome.message})
            else:
                records.append({"kind": "result", **identity, "columns": dict(outcome.columns)})
        return records

    def _patterns_of(self, point: AnyPoint) -> list[Record]:
        stored = stored_patterns(point)
        if stored is None or stored.sha256 in self._contents.patterns:
            return []
        return [{"kind": "patterns", "array": stored.array}]


def stored_patterns(point: AnyPoint) -> Stored | None:
    """The user's own patterns that a point refers to."""
    ensemble = point.network.law.ensemble if isinstance(point, Point) else None
    return ensemble if isinstance(ensemble, Stored) else None


def _merge(contents: Contents, records: Sequence[Record]) -> None:
    """Put records into contents; what is there twice, after a kill at the wrong moment, counts once."""
    kinds: dict[str, list[Record]] = {kind: [] for kind in ("patterns", "point", "result", "failure")}
    for record in records:
        kinds[record["kind"]].append(record)
    stored = [Stored(record["array"]) for record in kinds["patterns"]]
    contents.patterns = contents.patterns | {patterns.sha256: patterns for patterns in stored}
    points = [_point_row(record, contents.patterns) for record in kinds["point"]]
    contents.points = by_key(joined(contents.points, stacked(points)))
    identities = [{name: record[name] for name in IDENTITY} for record in kinds["result"]]
    results = [i | dict(r["columns"]) for i, r in zip(identities, kinds["result"], strict=True)]
    contents.results = _of_known_points(by_key(joined(contents.results, stacked(results))), contents.points)
    failures = [{name: r[name] for name in (*IDENTITY, "message")} for r in reversed(kinds["failure"])]
    failed = by_key(joined(stacked(failures), contents.failures))  # the last message counts
    failed = _of_known_points(failed, contents.points)
    if failed and contents.results:
        failed = taken(failed, ~np.isin(failed["key"], contents.results["key"]))
    contents.failures = failed if failed and len(failed["key"]) else {}


def _of_known_points(rows: Columns, points: Columns) -> Columns:
    """Those whose point is there. Without it, after damage or beside an older copy of the file, a run is missing."""
    if not rows:
        return {}
    known = np.isin(rows["point"], points["key"]) if points else np.zeros(len(rows["key"]), dtype=bool)
    if not known.all():
        _warn(f"{np.count_nonzero(~known)} runs in a journal belong to points that are lost; they are computed again")
    return taken(rows, known) if known.any() else {}


def _reason(error: OSError) -> str:
    return error.strerror or in_one_line(error)


def _point_row(record: Record, patterns: Mapping[str, Stored]) -> dict[str, Any]:
    return {"key": record["key"], "json": record["json"]} | provenance.point_of(record["json"], patterns).parameters


def by_key(columns: Columns) -> Columns:
    """The rows sorted by key, of those with the same key the first."""
    if not columns:
        return {}
    return taken(columns, np.unique(columns["key"], return_index=True)[1])


def journal_of(path: Path) -> Path:
    """Where the runs are that finished since a result file was last replaced."""
    return path.with_name(f"{path.name}.journal")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _warn(line: str) -> None:
    print(f"hopsim: {line}", file=sys.stderr)
