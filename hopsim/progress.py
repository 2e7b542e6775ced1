"""How far a scan is: a bar in a terminal, else a plain line every half minute."""

import math
import shutil
import sys
import time
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 30.0


class Progress:
    """Called with the runs and the offered flips that have ended since; the first call says how many were there before.

    Rate and time left are those of the rest, so that a scan that continues does not look faster than it is.
    """

    def __init__(self, name: str, total: int, quiet: bool) -> None:
        self._name, self._total, self._quiet = name, total, quiet
        columns, rows = shutil.get_terminal_size()  # unlike tqdm's own, also where a terminal reports no size
        shown = not quiet and sys.stderr.isatty()
        self._bar: tqdm[Any] = tqdm(
            total=total, desc=name, unit="run", smoothing=0.05, ncols=columns - 1, nrows=rows, disable=not shown
        )
        self._before, self._done, self._updates = -1, 0, 0
        self._started = self._told = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.close()

    def __call__(self, runs: int, updates: int) -> None:
        self._done += runs
        self._updates += updates
        if self._before < 0:
            self._before = runs
            self._bar.initial = self._bar.n = runs
            return
        self._bar.set_postfix_str(f"{self._rate():.2g} flips/s", refresh=False)
        self._bar.update(runs)
        if self._bar.disable and not self._quiet and time.monotonic() - self._told > SECONDS_BETWEEN_LINES:
            self._told = time.monotonic()
            print(self.line(), file=sys.stderr, flush=True)

    def extend(self, total: int) -> None:
        """The scan has grown: so many runs in all."""
        self._total = self._bar.total = total
        self._bar.refresh()

    def line(self) -> str:
        """Runs done and to do, rate and time left, in words."""
        seconds = time.monotonic() - self._started
        new = self._done - self._before
        left = seconds / new * (self._total - self._done) if new else math.nan
        until = f"{tqdm.format_interval(round(left))} left" if math.isfinite(left) else "time left unknown"
        return f"{self._name}: {self._done} of {self._total} runs, {self._rate():.2g} flips offered a second, {until}"

    def _rate(self) -> float:
        return self._updates / max(time.monotonic() - self._started, 1e-9)
