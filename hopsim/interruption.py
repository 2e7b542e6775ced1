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


@contextmanager
def interruptible() -> Iterator[None]:
    """The first signal raises Interrupted; later ones only say that what has finished is being stored."""
    asked = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            print("hopsim: stopping; what has finished is being stored", file=sys.stderr, flush=True)
            return
        asked = True
        raise Interrupted(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
