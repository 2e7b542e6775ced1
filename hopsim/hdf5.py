"""The HDF5 files: results, of which a file is always replaced by a whole new one, and pattern files.

Layout (schema 2; docs/store.md). Rows of /points and /results are sorted by key.

    /                  attributes: format, schema, scan_name, scan_patterns, scan_shard, sha256 of all that follows
    /scan_text         the scan file
    /sessions          one JSON text for each time that a scan wrote here: versions, machine, command, start, end
    /points/*          one row per point: key, json (canonical) and its parameters
    /results/*         one row per run: key, point (row of /points), sample and what was measured
    /failures/*        one row per failed run: key, point, sample, message
    /patterns/<sha256> int8[N, K]: the user's own patterns that points refer to
"""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from .columns import Columns, taken
from .errors import Refused, in_one_line
from .patterns import Stored

FORMAT, SCHEMA = "hopsim results", 2
READ = (1, SCHEMA)
GROUPS = ("points", "results", "failures")
DEFLATION = 1032  # the most that deflate can compress: no file holds more bytes than its own times this
SPARE = 2**20
COMPRESSED = 2**16  # bytes from where a dataset is compressed
CHUNK = 2**20
AXES = {"ranked_overlaps": "rank", "overlaps": "pattern", "q_histogram": "bin"}
MEANINGS = {
    "key": "content hash",
    "point": "row of /points",
    "sample": "number of the disorder sample",
    "json": "all that decides the numbers of a point",
    "load": "K/N^(p-1); ln K / N for exponential interactions and softmax; patterns over slots; memories over pixels",
    "temperature": "T, in units of the energy scale of the law",
    "neurons": "N",
    "patterns": "K",
    "cue_overlap": "M/n of the start with the cued pattern on its n sites without blank",
    "overlap": "m = M/N with the cued pattern, average over replicas and readings; of continuous networks over cues",
    "overlap_blocking": "standard error of overlap in time, by blocking",
    "overlap_tau": "autocorrelation time of overlap, in readings",
    "best_overlap": "largest |m|, average over replicas and readings",
    "retrieved": "fraction of the readings in which the cued pattern is retrieved",
    "energy": "E/N, of binary networks zero at infinite temperature",
    "acceptance": "fraction of offered flips that were taken",
    "example_overlap": "overlap with the mean of the examples of the cued archetype",
    "overlaps": "m with every pattern, average over replicas and readings",
    "ranked_overlaps": "|average over readings of m|, the largest first, average over replicas",
    "q": "Edwards-Anderson overlap of two replicas",
    "q_abs": "|q|",
    "q2": "q^2",
    "q4": "q^4",
    "q_histogram": "readings of q in 41 equal bins of [-1, 1]",
    "overlap_series": "m at every reading",
    "energy_series": "E/N at every reading",
    "message": "why the run failed",
    "accuracy": "fraction of the entries recalled, over all that is stored",
    "error": "root mean square distance from the cued pattern, per neuron",
    "weight": "softmax weight of the cued pattern",
    "support": "least number of patterns with 90 % of the softmax weight",
    "single": "fraction of cues with support 1",
    "metastable": "fraction of cues with a support between one pattern and half of them",
    "global": "fraction of cues with a support of more than half of the patterns",
    "settled": "fraction of cues at rest in time",
    "time": "until they are at rest, in time constants of the features",
    "highest_rise": "the most by which E rose in a step, relative to its size",
    "completion_error": "mean squared error on the pixels asked, trained network, held-out images",
    "nearest_neighbour_error": "the same of the nearest training image",
    "untrained_error": "the same of the network before training",
    "stored_error": "the same of softmax recall from as many stored images as the network has weights for",
    "wrong_pixels": "fraction of the pixels asked with the wrong sign",
    "nearest_neighbour_wrong": "the same of the nearest training image",
}


@dataclass
class Contents:
    """All that a result file holds; `point` of results and failures is the key of the point, bytes."""

    scan: dict[str, str] = field(default_factory=lambda: {"name": "", "text": "", "patterns": "", "shard": "1/1"})
    sessions: list[dict[str, Any]] = field(default_factory=list)
    points: Columns = field(default_factory=dict)
    results: Columns = field(default_factory=dict)
    failures: Columns = field(default_factory=dict)
    patterns: dict[str, Stored] = field(default_factory=dict)


def write(path: Path, contents: Contents) -> None:
    """Replace a result file by a new one, at once: at any moment the old or the new one is there. Raises OSError."""
    new = path.with_name(f"{path.name}.new")
    try:
        with h5py.File(new, "w") as file:
            _fill(file, contents)
        _synchronised(new)
        os.replace(new, path)
        _synchronised(path.parent)
    finally:
        new.unlink(missing_ok=True)


def read(path: Path) -> Contents:
    """What a result file holds; refused unless it is whole, whatever it is."""
    try:
        with _opened(path, "result file") as file:
            return _contents(file, path)
    except Refused:
        raise
    except Exception as error:  # whatever a damaged file makes of the reader
        raise Refused(
            f"result file {path} is damaged ({in_one_line(error)}); restore a copy of it, or run the scan again with "
            "another --out"
        ) from None


def read_patterns(path: str | Path) -> Stored:
    """The user's own patterns, an array [neurons, patterns] of -1, 0, +1, from .npy or .h5 (dataset "patterns").

    >>> np.save("mine.npy", np.array([[1, -1], [-1, 1], [1, 1]]))
    >>> hs.read_patterns("mine.npy").array.shape
    (3, 2)
    """
    path = Path(path)
    if path.suffix not in (".npy", ".h5", ".hdf5"):
        raise Refused(f"pattern file {path} must end in .npy, .h5 or .hdf5")
    if path.suffix == ".npy":
        return _refusing(path, lambda: Stored(_npy(path)))
    with _opened(path, "pattern file") as file:
        return _refusing(path, lambda: Stored(_pattern_array(file, path)))


def _npy(path: Path) -> NDArray[Any]:
    return np.array(np.load(path, mmap_mode="r", allow_pickle=False))  # a map refuses a file shorter than it declares


def _pattern_array(file: h5py.File, path: Path) -> NDArray[Any]:
    if not isinstance(file.get("patterns"), h5py.Dataset):
        raise Refused(f'there is no dataset "patterns"; it has {", ".join(file) or "nothing"}')
    _check_size(file, path)
    return np.asarray(file["patterns"][()])


def _refusing(path: Path, build: Any) -> Stored:
    try:
        return build()  # type: ignore[no-any-return]
    except FileNotFoundError:
        raise Refused(f"pattern file {path} does not exist") from None
    except Refused as error:
        raise Refused(f"{path}: {error}") from None
    except Exception as error:  # whatever a damaged file makes of the reader
        raise Refused(f"pattern file {path} cannot be read: {in_one_line(error)}") from None


def _opened(path: Path, what: str) -> h5py.File:
    try:
        return h5py.File(path, "r", locking=False)
    except FileNotFoundError:
        raise Refused(f"{what} {path} does not exist") from None
    except Exception as error:  # h5py raises more than OSError on a damaged file
        raise Refused(f"{what} {path} cannot be opened: {in_one_line(error)}") from None


def _fill(file: h5py.File, contents: Contents) -> None:
    scan = contents.scan
    digest = _digest(contents, {name: stored.array for name, stored in contents.patterns.items()})
    attributes = {f"scan_{name}": scan[name] for name in ("name", "patterns", "shard")}
    file.attrs.update({"format": FORMAT, "schema": SCHEMA, "sha256": digest} | attributes)
    file["scan_text"] = _text(scan["text"])
    _create(file, "sessions", np.array([json.dumps(session).encode() for session in contents.sessions] or [b""]))
    for name in GROUPS:
        group = file.create_group(name)
        for column, data in getattr(contents, name).items():
            if column == "point" and not np.isin(data, contents.points["key"]).all():
                raise ValueError(f"{name} has rows without their points")  # never in the place of a good file
            rows = np.searchsorted(contents.points["key"], data) if column == "point" else data
            _create(group, column, rows)
            _describe(group[column], column, name)
    group = file.create_group("patterns")
    for sha256, stored in contents.patterns.items():
        _create(group, sha256, stored.array)
        group[sha256].attrs.update({"axes": "neuron, pattern", "unit": "1"})


def _create(group: h5py.Group, name: str, data: NDArray[Any]) -> None:
    """A dataset, compressed where that pays: text, and series and other wide columns."""
    wide = data.nbytes >= COMPRESSED and (data.dtype.kind == "S" or data.ndim > 1 or data.dtype.itemsize == 1)
    rows = max(1, CHUNK // max(1, data[:1].nbytes))
    more = {"compression": "gzip", "shuffle": True, "chunks": (min(rows, len(data)), *data.shape[1:])} if wide else {}
    group.create_dataset(name, data=data, **more)


def _describe(dataset: h5py.Dataset, name: str, group: str) -> None:
    """What a MATLAB or Julia user has to know. Lengths of time are in sweeps unless said otherwise."""
    first = "point" if group == "points" else "run"
    more = ("replica", "reading") if dataset.ndim == 3 else (AXES.get(name, "entry"),) if dataset.ndim == 2 else ()
    dataset.attrs["axes"] = ", ".join((first, *more))
    sweeps = name in ("equilibrate", "measure", "every")
    dataset.attrs["unit"] = "" if dataset.dtype.kind == "S" else "sweep" if sweeps else "1"
    if name in MEANINGS:
        dataset.attrs["meaning"] = MEANINGS[name]


def _contents(file: h5py.File, path: Path) -> Contents:
    if file.attrs.get("format") != FORMAT:
        raise Refused(f"{path} is an HDF5 file but not a result file of hopsim")
    schema = file.attrs.get("schema")
    if schema not in READ:
        versions = " and ".join(map(str, READ))
        raise Refused(
            f"{path} has schema {schema}, this version of hopsim reads {versions}; use the version that wrote it"
        )
    _check_size(file, path, texts=schema == 1)
    return _of_schema_1(file) if schema == 1 else _checked(file)


def _checked(file: h5py.File) -> Contents:
    """Schema 2, its digest compared."""
    attributes = {name: str(file.attrs[f"scan_{name}"]) for name in ("name", "patterns", "shard")}
    texts = [json.loads(text) for text in file["sessions"][()].tolist() if text]
    found = Contents(attributes | {"text": file["scan_text"][()].decode()}, texts)
    for name in GROUPS:
        columns = {column: np.asarray(data[()]) for column, data in file[name].items()}
        if "point" in columns:
            columns["point"] = found.points["key"][columns["point"]]
        setattr(found, name, columns)
    patterns = {name: np.asarray(data[()]) for name, data in file["patterns"].items()}
    if _digest(found, patterns) != file.attrs["sha256"]:
        raise ValueError("its contents have changed since they were written")
    found.patterns = {name: Stored(array) for name, array in patterns.items()}
    return found


def _of_schema_1(file: h5py.File) -> Contents:
    """The first layout: rows in the order of writing, their number in the attribute rows."""
    names = {"name": str(file.attrs["scan_name"]), "text": str(file.attrs["scan_text"]), "shard": "1/1"}
    found = Contents(names | {"patterns": str(file.attrs["scan_patterns"])}, [json.loads(file.attrs["environment"])])
    most = Path(file.filename).stat().st_size
    keys = file["points/key"][: file["points"].attrs["rows"]] if "key" in file["points"] else np.empty(0)
    for name in GROUPS:
        rows = int(file[name].attrs["rows"])
        columns = {column: _bytes(data, rows, most) for column, data in file[name].items()} if rows else {}
        if "point" in columns:
            columns["point"] = keys[columns["point"]]
        setattr(found, name, taken(columns, np.argsort(columns["key"], kind="stable")) if rows else {})
    found.patterns = {name: Stored(data[()]) for name, data in file["patterns"].items()}
    return found


def _bytes(data: h5py.Dataset, rows: int, most: int) -> NDArray[Any]:
    """Rows of a dataset, text as bytes of fixed length; refused if its texts are more than the file could hold."""
    if not data.dtype.hasobject:
        return np.asarray(data[:rows])
    found, length = [], 0
    for row in range(rows):
        found.append(data[row])
        length += len(found[-1])
        if length > most:
            raise ValueError("its texts are longer than a file of its size can hold")
    return np.array(found, dtype="S")


def _digest(contents: Contents, patterns: Columns) -> str:
    """SHA-256 of everything: names, kinds, shapes and bytes."""
    digest = hashlib.sha256(json.dumps([contents.scan, contents.sessions], sort_keys=True).encode())
    arrays: dict[str, Columns] = {name: getattr(contents, name) for name in GROUPS}
    for name, columns in (arrays | {"patterns": patterns}).items():
        for column in sorted(columns):
            data = np.ascontiguousarray(columns[column])
            digest.update(f"{name}/{column} {data.dtype.str} {data.shape}".encode())
            digest.update(data.tobytes())
    return digest.hexdigest()


def _check_size(file: h5py.File, path: Path, texts: bool = False) -> None:
    """Refuse links to elsewhere and arrays larger than what the file could hold, before anything is read.

    texts = True allows entries of variable length, which schema 1 has; see _bytes.
    """
    declared = 0

    def visit(group: h5py.Group) -> None:
        nonlocal declared
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{name} is a link to elsewhere")
            thing = group[name]
            if isinstance(thing, h5py.Group):
                visit(thing)
            elif thing.external or thing.is_virtual:
                raise ValueError(f"{name} is stored elsewhere")
            elif thing.dtype.hasobject and not texts:
                raise ValueError(f"{name} has entries of variable length")
            else:
                declared += thing.nbytes

    visit(file)
    if declared > DEFLATION * path.stat().st_size + SPARE:
        raise ValueError(f"it declares {declared} bytes, more than a file of its size can hold")


def _text(text: str) -> Any:
    data = text.encode()
    return np.array(data, dtype=f"S{max(1, len(data))}")


def _synchronised(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
