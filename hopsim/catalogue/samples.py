"""Disorder samples that are not runs of a scan, kept line by line, so that an entry that was stopped goes on."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..provenance import TRAJECTORY

Floats = NDArray[np.float64]


def kept(folder: Path, told: object, samples: int, sample: Callable[[int], Floats], workers: int) -> Floats:
    """sample(0), ..., sample(samples - 1) of one shape, float64[samples, ...], each in a file as soon as it is there.

    The repr of `told` says all that decides them but their number, and names the file.
    """
    name = hashlib.sha256(f"{TRAJECTORY} {told!r}".encode()).hexdigest()[:16]
    path = folder / f"samples-{name}.jsonl"
    found = _read(path)
    missing = [number for number in range(samples) if number not in found]
    with path.open("a", encoding="utf-8") as file, ThreadPoolExecutor(workers) as pool:
        file.write("\n")  # ends a line that a kill has cut
        for number, values in zip(missing, pool.map(sample, missing), strict=True):
            found[number] = values
            file.write(json.dumps([number, values.tolist()]) + "\n")
            file.flush()
    return np.array([found[number] for number in range(samples)])


def _read(path: Path) -> dict[int, Floats]:
    found: dict[int, Floats] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            number, values = json.loads(line)
        except ValueError:  # blank or cut
            continue
        found[number] = np.array(values)
    return found
