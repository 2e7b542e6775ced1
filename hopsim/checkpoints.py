"""Checkpoints: where runs are on their way, kept in a file so that a kill loses little."""

import hashlib
import io
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import Refused, real
from .version import __version__


@dataclass(frozen=True)
class Checkpoint:
    """The file of some runs that are simulated together, written anew when `seconds` have passed since the last time.

    keys are the content keys of the runs, in their order (provenance.key): they name the file, so that it is never read
    for other runs, nor for the same ones where the package would now give other numbers. The file is an .npz without
    pickles and, after it, one line with the version, the name and a SHA-256 of all before: a file that is cut short,
    damaged, foreign or of another version is not used. A new file takes the place of the old one when it is complete
    and on the disk. What cannot be read or written is told in one line on stderr and the runs go on without it.
    """

    folder: Path
    keys: tuple[str, ...]
    seconds: float = 60.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", real("seconds between checkpoints", self.seconds))
        if self.seconds < 0:
            raise Refused(f"seconds between checkpoints must be >= 0, got {self.seconds!r}")

    @property
    def path(self) -> Path:
        """The file, whether it exists or not."""
        return self.folder / f"{hashlib.sha256(' '.join(self.keys).encode()).hexdigest()[:32]}.npz"

    def load(self) -> dict[str, NDArray[Any]] | None:
        """What was saved last, or None."""
        try:
            content, _, seal = self.path.read_bytes().rpartition(b"\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            _tell(f"{self.path} cannot be read ({error.strerror or error}); its runs start anew")
            return None
        if seal != self._seal(content):
            _tell(f"{self.path} is damaged or of another version of the package; its runs start anew")
            return None
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)

    def save(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put the arrays in place of what was saved before."""
        buffer = io.BytesIO()
        np.savez(buffer, **dict(arrays))  # type: ignore[arg-type]
        content = buffer.getbuffer()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._unfinished.open("wb") as file:
                file.write(content)
                file.write(b"\n" + self._seal(content))
                file.flush()
                os.fsync(file.fileno())
            self._unfinished.replace(self.path)
        except OSError as error:
            with suppress(OSError):
                self._unfinished.unlink()
            _tell(f"{self.path} cannot be written ({error.strerror or error}); its runs go on without it")

    def remove(self) -> None:
        """Delete the file, if there is one: when the results of its runs are stored."""
        for path in (self.path, self._unfinished):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    @property
    def _unfinished(self) -> Path:
        return self.path.with_suffix(".unfinished")

    def _seal(self, content: bytes | memoryview) -> bytes:
        digest = hashlib.sha256(content).hexdigest()
        return f"hopsim {__version__} checkpoint {self.path.stem} sha256 {digest}".encode()


def _tell(message: str) -> None:
    print(f"hopsim: checkpoint {message}", file=sys.stderr)
