"""Signals that ask to stop: SIGINT of Ctrl-C and SIGTERM of schedulers end a scan in the same orderly way."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """A signal asked to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def code(self) -> int:
        """The exit code that shells expect."""
        return 128 + self.number


class _Handler:
    """The first signal raises Interrupted, at once or when no work that must not be cut short is in hand."""

    def __init__(self) -> None:
        self.asked = self.late = self.depth = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            print("hopsim: stopping; what has finished is being stored", file=sys.stderr, flush=True)
            return
        self.asked = number
        if self.depth:
            self.late = number
        else:
            raise Interrupted(number)


_handler = _Handler()


@contextmanager
def interruptible() -> Iterator[None]:
    """The first signal raises Interrupted; later ones only say that what has finished is being stored."""
    _handler.asked = _handler.late = _handler.depth = 0
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, _handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Interrupted waits until the end of this; elsewhere than inside `interruptible` nothing changes."""
    _handler.depth += 1
    try:
        yield
    finally:
        _handler.depth -= 1
    if _handler.late and not _handler.depth:
        number, _handler.late = _handler.late, 0
        raise Interrupted(number)
