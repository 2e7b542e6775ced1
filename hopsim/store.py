"""Result stores and pattern files: the only file that knows HDF5.

Layout (schema 1). Columns have one row per run; `rows`, written and flushed after them, says how many are complete.

    /                    attributes: format, schema, scan_name, scan_text, environment (JSON)
    /points/*            one row per point: key, json (canonical) and its parameters as columns; attribute rows
    /results/*           one row per run: key, point (row of /points), sample and the columns of Record.summary; rows
    /failures/*          one row per failed run: key, point, sample, message; attribute rows
    /patterns/<sha256>   int8[N, K]: the user's own patterns that points refer to
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from . import provenance
from .errors import Refused
from .patterns import Stored
from .simulation import Point, Run

if TYPE_CHECKING:
    import xarray

FORMAT, SCHEMA = "hopsim results", 1
_CHUNK = 1024
_TEXT = h5py.string_dtype()
_TEXT_COLUMNS = ("json", "message")


@dataclass(frozen=True)
class Outcome:
    """What became of one run: its columns, or the message of its failure."""

    run: Run
    columns: Mapping[str, Any] | None
    message: str = ""


def read_patterns(path: str | Path) -> Stored:
    """The user's own patterns, an array [neurons, patterns] of -1, 0, +1, from .npy or .h5 (dataset "patterns")."""
    path = Path(path)
    try:
        if path.suffix == ".npy":
            return Stored(np.load(path, allow_pickle=False))
        if path.suffix in (".h5", ".hdf5"):
            with h5py.File(path, "r") as file:
                if not isinstance(file.get("patterns"), h5py.Dataset):
                    raise Refused(f'there is no dataset "patterns"; it has {", ".join(file) or "nothing"}')
                return Stored(file["patterns"][()])
    except FileNotFoundError:
        raise Refused(f"pattern file {path} does not exist") from None
    except Refused as error:
        raise Refused(f"{path}: {error}") from None
    except (OSError, ValueError) as error:
        raise Refused(f"pattern file {path} cannot be read: {error}") from None
    raise Refused(f"pattern file {path} must end in .npy, .h5 or .hdf5")


class Store:
    """One HDF5 file of results. `Store.open` reads; `Store.append_to` writes, creating the file where there is none."""

    def __init__(self, file: h5py.File, path: Path) -> None:
        self._file = file
        self.path = path

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Read a store, also while a writer works."""
        return cls(_opened(Path(path), "r", locking=False), Path(path))

    @classmethod
    def append_to(cls, path: str | Path, *, scan_name: str, scan_text: str, patterns: Stored | None = None) -> Self:
        """Open for writing with the scan that is being run and the user's own patterns in it.

        What is not complete from before is dropped.
        """
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(f"folder {path.parent} cannot be made: {error}") from None
        file = _opened(path, "a" if path.exists() else "w-", locking=True)
        if "format" not in file.attrs:
            file.attrs.update({"format": FORMAT, "schema": SCHEMA})
            for group in ("points", "results", "failures"):
                file.create_group(group).attrs["rows"] = 0
            file.create_group("patterns")
        environment = json.dumps(provenance.environment())
        file.attrs.update({"scan_name": scan_name, "scan_text": scan_text, "environment": environment})
        file.attrs["scan_patterns"] = patterns.sha256 if patterns else ""
        store = cls(file, path)
        if patterns:
            store._embed(patterns)
        file.flush()
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    # reading

    @property
    def scan_name(self) -> str:
        """Name of the scan that was run last."""
        return str(self._file.attrs["scan_name"])

    @property
    def scan_text(self) -> str:
        """Text of its scan file."""
        return str(self._file.attrs["scan_text"])

    @property
    def scan_patterns(self) -> Stored | None:
        """The user's own patterns in that scan."""
        sha256 = str(self._file.attrs["scan_patterns"])
        return self.stored_patterns[sha256] if sha256 else None

    @property
    def environment(self) -> dict[str, str]:
        """Versions, machine and command of the last writer."""
        return dict(json.loads(str(self._file.attrs["environment"])))

    @property
    def stored_patterns(self) -> dict[str, Stored]:
        """The user's own patterns embedded here, by sha256."""
        return {name: Stored(data[()]) for name, data in self._file["patterns"].items()}

    def points(self) -> list[Point]:
        """Every point that has results or failures, sorted by key."""
        stored = self.stored_patterns
        return [provenance.point_of(text.decode(), stored) for text in self._parameters()["json"]]

    def columns(self) -> dict[str, NDArray[Any]]:
        """The result columns, sorted by key: the same bytes from any executor, order or resume.

        `point` is the place in points().
        """
        columns = {name: self._column("results", name) for name in self._file["results"]}
        if not columns:
            return {}
        columns["point"] = self._places()[columns["point"]]
        order = np.argsort(columns["key"])
        return {name: column[order] for name, column in columns.items()}

    def _parameters(self) -> dict[str, NDArray[Any]]:
        """Columns of the points, sorted by key."""
        order = np.argsort(self._column("points", "key"))
        return {name: self._column("points", name)[order] for name in self._file["points"]} or {"json": np.empty(0)}

    def _places(self) -> NDArray[np.int64]:
        """Place in points() of each row of /points."""
        return np.argsort(np.argsort(self._column("points", "key")))

    def completed(self) -> set[str]:
        """Keys of the runs that have results."""
        return {key.decode() for key in self._column("results", "key")}

    def failures(self) -> list[tuple[int, int, str]]:
        """(place in points(), sample, message) of each failed run that has no result yet."""
        completed = self.completed()
        rows = zip(*(self._column("failures", name) for name in ("key", "point", "sample", "message")), strict=True)
        places = self._places()
        last = {key: (int(places[p]), int(s), m.decode()) for key, p, s, m in rows if key.decode() not in completed}
        return list(last.values())

    def to_table(self) -> NDArray[Any]:
        """One row per run: the parameters of its point, then the result columns, sorted by key."""
        columns = self.columns()
        if not columns:
            return np.empty(0, dtype=[("key", "S64")])
        rows = columns.pop("point")
        hidden = ("key", "json")
        of_point = {name: column[rows] for name, column in self._parameters().items() if name not in hidden}
        merged = {**of_point, **columns}
        table = np.empty(len(rows), dtype=[(n, c.dtype, c.shape[1:]) for n, c in merged.items()])
        for name, column in merged.items():
            table[name] = column
        return table

    def to_xarray(self) -> "xarray.Dataset":
        """Dimensions point x sample (nan where a run is missing), parameters as coordinates of point. Needs xarray."""
        import xarray

        columns = self.columns()
        if not columns:
            return xarray.Dataset()
        samples = np.unique(columns["sample"])
        place = (columns["point"], np.searchsorted(samples, columns["sample"]))
        count = int(self._file["points"].attrs["rows"])
        hidden = ("key", "json")
        coordinates = {name: ("point", c) for name, c in self._parameters().items() if name not in hidden}
        data = {}
        for name, column in columns.items():
            if name not in ("key", "point", "sample"):
                grid = np.full((count, samples.size, *column.shape[1:]), np.nan)
                grid[place] = column
                data[name] = (("point", "sample", *(f"{name}_{k}" for k in range(1, column.ndim))), grid)
        return xarray.Dataset(data, coords={"sample": samples, **coordinates})

    def _column(self, group: str, name: str) -> NDArray[Any]:
        rows = int(self._file[group].attrs["rows"])
        if name not in self._file[group]:
            return np.empty(0, dtype="S1")
        return np.asarray(self._file[group][name][:rows])

    # writing

    def append(self, outcomes: Sequence[Outcome]) -> None:
        """Write a batch: points first, then columns, then the number of complete rows; one flush each."""
        rows = self._rows_of_points(outcomes)
        done = [o for o in outcomes if o.columns is not None]
        failed = [o for o in outcomes if o.columns is None]
        if done:
            columns = {name: [o.columns[name] for o in done if o.columns] for name in done[0].columns or ()}
            self._extend("results", _identity(done, rows) | columns)
        if failed:
            self._extend("failures", _identity(failed, rows) | {"message": [o.message for o in failed]})

    def _rows_of_points(self, outcomes: Iterable[Outcome]) -> dict[str, int]:
        known = {key.decode(): row for row, key in enumerate(self._column("points", "key"))}
        new: dict[str, Point] = {}
        for outcome in outcomes:
            point = outcome.run.point
            new.setdefault(provenance.key(point), point)
        new = {key: point for key, point in new.items() if key not in known}
        if new:
            for point in new.values():
                if isinstance(point.network.law.ensemble, Stored):
                    self._embed(point.network.law.ensemble)
            flat = [parameters(point) for point in new.values()]
            texts = [provenance.canonical(point) for point in new.values()]
            columns = {name: [p[name] for p in flat] for name in flat[0]}
            self._extend("points", {"key": list(new), "json": texts} | columns)
        return known | {key: len(known) + k for k, key in enumerate(new)}

    def _embed(self, patterns: Stored) -> None:
        if patterns.sha256 not in self._file["patterns"]:
            self._file["patterns"].create_dataset(patterns.sha256, data=patterns.array, compression="gzip")

    def check_series(self, shape: tuple[int, int]) -> None:
        """Refuse series of another shape (replicas, readings) than those stored here."""
        if "overlap_series" in self._file["results"]:
            old = self._file["results"]["overlap_series"].shape[1:]
            if old != shape:
                raise Refused(f"{self.path} has series of shape {old}, this scan gives {shape}; use another --out")

    def _extend(self, name: str, columns: Mapping[str, Sequence[Any]]) -> None:
        group = self._file[name]
        first = int(group.attrs["rows"])
        last = first + len(next(iter(columns.values())))
        for column, values in columns.items():
            data = _array(column, values)
            if column not in group:
                _create(group, column, data, first)
            group[column].resize((last, *map(max, data.shape[1:], group[column].shape[1:])))
            group[column][(slice(first, None), *map(slice, data.shape[1:]))] = data
        for column in set(group) - set(columns):
            group[column].resize(last, axis=0)
        self._file.flush()
        group.attrs["rows"] = last
        self._file.flush()


def _identity(outcomes: Sequence[Outcome], rows: Mapping[str, int]) -> dict[str, list[Any]]:
    return {
        "key": [provenance.key(o.run) for o in outcomes],
        "point": [rows[provenance.key(o.run.point)] for o in outcomes],
        "sample": [o.run.sample for o in outcomes],
    }


def parameters(point: Point) -> dict[str, Any]:
    """The parameters of a point as flat columns."""
    network, protocol = point.network, point.protocol
    interaction, ensemble = network.law.interaction, network.law.ensemble
    return {
        "interaction": type(interaction).__name__,
        "degree": getattr(interaction, "degree", 0),
        "indices": getattr(interaction, "indices", ""),
        "sharpness": float(getattr(interaction, "sharpness", np.nan)),
        "ensemble": type(ensemble).__name__,
        "dilution": float(getattr(ensemble, "dilution", 0.0)),
        "bias": float(getattr(ensemble, "bias", 0.0)),
        "learning": getattr(ensemble, "learning", ""),
        "quality": float(getattr(ensemble, "quality", np.nan)),
        "examples": float(getattr(ensemble, "examples", np.nan)),
        "neurons": network.neurons,
        "patterns": network.patterns,
        "load": network.load,
        "rule": type(point.dynamics).__name__,
        "order": point.dynamics.order,
        "temperature": float(point.dynamics.temperature),
        "start": protocol.start,
        "start_overlap": float(protocol.cue_overlap),
        "equilibrate": protocol.equilibrate,
        "measure": protocol.measure,
        "every": protocol.every,
        "replicas": protocol.replicas,
        "success_overlap": float(protocol.success_overlap),
        "seed": point.seed,
    }


def _array(column: str, values: Sequence[Any]) -> NDArray[Any]:
    """Values of one column; rows of different lengths, overlaps of several numbers of patterns, end in nan."""
    if column in _TEXT_COLUMNS:
        return np.array(values, dtype=_TEXT)
    if isinstance(values[0], str):
        return np.array(values, dtype="S64")
    if np.ndim(values[0]) == 1 and len({len(value) for value in values}) > 1:
        longest = max(map(len, values))
        return np.array([np.pad(value, (0, longest - len(value)), constant_values=np.nan) for value in values])
    return np.array(values)


def _create(group: h5py.Group, column: str, data: NDArray[Any], rows: int) -> None:
    """A growing dataset; runs from before the column existed read as nan (0 for counts)."""
    shape = data.shape[1:]
    chunk = max(1, _CHUNK // max(1, int(np.prod(shape))))
    fill = np.nan if data.dtype.kind == "f" else None
    group.create_dataset(
        column, (rows, *shape), data.dtype, maxshape=(None,) * data.ndim, chunks=(chunk, *shape), fillvalue=fill
    )


def _opened(path: Path, mode: str, *, locking: bool) -> h5py.File:
    try:
        file = h5py.File(path, mode, locking=locking)
    except FileNotFoundError:
        raise Refused(f"result file {path} does not exist") from None
    except BlockingIOError:
        raise Refused(f"{path} is being written by another run; wait for it or use another --out") from None
    except OSError as error:
        raise Refused(f"result file {path} cannot be opened: {error}") from None
    blank = mode == "w-" or (mode == "a" and not len(file) and not len(file.attrs))
    if not blank and file.attrs.get("format") != FORMAT:
        file.close()
        raise Refused(f"{path} is an HDF5 file but not a result file of hopsim")
    if file.attrs.get("schema", SCHEMA) != SCHEMA:
        schema = file.attrs["schema"]
        file.close()
        raise Refused(
            f"{path} has schema {schema}, this version of hopsim reads {SCHEMA}; use the version that wrote it"
        )
    return file
