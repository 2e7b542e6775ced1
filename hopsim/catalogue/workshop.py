"""Where an entry works: its folder, whether it is quick, and scans that are run there once and continued."""

import dataclasses
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import comparison, executors, scan_file, scans
from ..comparison import Row
from ..errors import Refused
from ..progress import Progress
from ..scans import Scan
from ..store import Store
from .samples import Floats, kept


@dataclass(frozen=True)
class Workshop:
    """The folder for results, quick = True for a version that takes seconds, and the number of worker threads."""

    folder: Path
    quick: bool = False
    workers: int = os.cpu_count() or 1

    def pick(self, full: int, quick: int) -> int:
        """A number that decides the effort."""
        return quick if self.quick else full

    def sampled(self, told: object, samples: int, sample: Callable[[int], Floats]) -> Floats:
        """sample(0), ..., sample(samples - 1), kept in this folder; `told` says all that decides them."""
        return kept(self.folder, told, samples, sample, self.workers)

    def packaged(
        self, name: str, samples: tuple[int, int], more: Callable[[Scan], Scan] = lambda scan: scan
    ) -> list[Row]:
        """The rows of a packaged scan with (full, quick) samples, changed by `more`."""
        scan = scan_file.read(scan_file.packaged()[name])
        return self.rows(more(dataclasses.replace(scan, samples=self.pick(*samples))))

    def scan(self, name: str, text: str, samples: tuple[int, int]) -> list[Row]:
        """The rows of a scan given as the text of a scan file, with (full, quick) samples."""
        scan = scan_file.parse(text, name=name, folder=Path())
        return self.rows(dataclasses.replace(scan, samples=self.pick(*samples)))

    def rows(self, scan: Scan) -> list[Row]:
        """Run what is missing of a scan in this folder and tabulate it."""
        path = self.folder / f"{scan.name}.h5"
        with (
            Store.append_to(path, scan_name=scan.name, scan_text=scan.text) as store,
            Progress(scan.name, scan.size, quiet=not sys.stderr.isatty()) as progress,
        ):
            summary = scans.run(scan, store, executors.threads(self.workers), progress)
            if summary.failures:
                raise Refused(f"{path}: {len(summary.failures)} runs failed, first: {summary.failures[0].message}")
            return comparison.tabulate(store, set(scan.points))
