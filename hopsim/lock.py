"""One writer for a result file: a lock beside it that tells who holds it, and falls with the process that does."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import Refused

PATIENCE = 0.3  # seconds, in which a reader that looks who holds it has looked


class Lock:
    """The lock of a result file, RESULTS.h5.lock, held until `release`."""

    def __init__(self, path: Path) -> None:
        self._path = _beside(path)
        self._lock = FileLock(self._path)
        try:
            self._lock.acquire(timeout=PATIENCE, poll_interval=0.02)
            owner = {
                "host": platform.node(),
                "process": os.getpid(),
                "since": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
            }
            self._path.write_text(json.dumps(owner), encoding="utf-8")
            self._status = self._path.stat()
        except Timeout:
            raise Refused(f"{path} is being written by {holder(path)}; wait for it or use another --out") from None
        except OSError as error:
            raise Refused(f"{self._path} cannot be made: {error.strerror}; use another --out") from None

    @property
    def held(self) -> bool:
        """Whether the file is still the one that was locked: else another writer may have made its own."""
        try:
            return os.path.samestat(self._status, self._path.stat())
        except OSError:
            return False

    def release(self) -> None:
        """Give it back; the file goes first, while nobody else can hold it."""
        if self.held:
            self._path.unlink(missing_ok=True)
        self._lock.release()


def holder(path: Path) -> str:
    """Host, process and start of the writer of a result file, in words; "" if there is none."""
    lock = FileLock(_beside(path), blocking=False)
    if not _beside(path).exists():
        return ""
    try:
        lock.acquire()
    except Timeout:
        return _owner(_beside(path))
    except OSError:  # not ours to lock
        return ""
    lock.release()
    return ""


def _owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        return f"process {owner['process']} on {owner['host']} since {owner['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another run"


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")
