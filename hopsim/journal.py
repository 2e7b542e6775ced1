"""A journal: records appended one after the other, each with its checksum; a write that is cut short loses itself only.

A line is the CRC-32 of a JSON text in hex, a space and the text. Numbers of JSON are exact; arrays are base64 of their
bytes with dtype and shape.
"""

import base64
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Record = Mapping[str, Any]


class Journal:
    """An open journal. What `append` has returned from survives a loss of power."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab")

    def append(self, records: Sequence[Record]) -> None:
        """Write records and wait until the disk has them. Raises OSError."""
        lines = "".join(f"\n{_line(record)}" for record in records)  # a line begins anew after one that was cut short
        self._file.write(f"{lines}\n".encode())
        self._file.flush()
        os.fsync(self._file.fileno())

    @property
    def there(self) -> bool:
        """Whether the file is still the one that is written to."""
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), self.path.stat())
        except (OSError, ValueError):  # gone, or closed
            return False

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def remove(self) -> None:
        """Close and delete it."""
        self.close()
        self.path.unlink(missing_ok=True)


def read(path: Path) -> tuple[list[Record], int]:
    """The records of a journal, none if there is no file, and the number of lines that are damaged or cut short.

    Raises ValueError where a line that is whole is no record.
    """
    try:
        lines = [line for line in path.read_bytes().split(b"\n") if line]
    except FileNotFoundError:
        return [], 0
    records = list(_records(lines))
    return records, len(lines) - len(records)


def _line(record: Record) -> str:
    text = json.dumps(record, separators=(",", ":"), default=_plain)
    return f"{zlib.crc32(text.encode()):08x} {text}"


def _records(lines: Sequence[bytes]) -> Iterator[Record]:
    for line in lines:
        if line[:9] == b"%08x " % zlib.crc32(line[9:]):
            record = json.loads(line[9:], object_hook=_revived)
            if not isinstance(record, dict) or "kind" not in record:
                raise ValueError("a line of it is no record")
            yield record


def _plain(thing: Any) -> Any:
    if isinstance(thing, np.generic):
        return thing.item()
    array = np.ascontiguousarray(thing)
    data = base64.b64encode(array.tobytes()).decode()
    return {"dtype": array.dtype.str, "shape": array.shape, "base64": data}


def _revived(found: dict[str, Any]) -> Any:
    if "base64" not in found:
        return found
    kind = np.dtype(found["dtype"])
    if kind.kind not in "biuf" or 0 in found["shape"]:
        raise ValueError("an array in it is none of numbers")
    return np.frombuffer(base64.b64decode(found["base64"]), dtype=kind).reshape(found["shape"])
