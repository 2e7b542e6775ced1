"""What a number came from: points and runs as canonical JSON, their content hashes, and what ran them."""

import dataclasses
import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib import metadata
from typing import Any

import numpy as np

from . import dynamics, interactions, patterns
from .annealing import Annealing
from .continuous import KINDS, Experiment
from .errors import Refused
from .networks import Law, Network
from .points import AnyPoint, AnyRun
from .simulation import Point, Protocol
from .version import __version__

# Raised when the same Run would give other numbers than before (streams, kernels, observables): new keys, no mixing.
TRAJECTORY = 1

_KINDS = {
    kind.__name__: kind
    for kind in (
        *interactions.CATALOGUE,
        *patterns.CATALOGUE,
        *dynamics.CATALOGUE,
        Annealing,
        Law,
        Network,
        Protocol,
        Point,
        Experiment,
        *(part for kind in KINDS.values() for part in (kind.network, kind.dynamics, kind.protocol)),
    )
}


def canonical(thing: AnyPoint) -> str:
    """One JSON text for all that decides the numbers: sorted keys, no spaces, floats to the last bit."""
    if isinstance(thing, AnyRun):
        return f'{{"kind":"Run","point":{canonical(thing.point)},"sample":{thing.sample}}}'
    return _canonical(thing, TRAJECTORY)


def key(thing: AnyPoint) -> str:
    """Content hash of a point or run: the first 128 bits of SHA-256 of its canonical JSON, in hex."""
    return hashlib.sha256(canonical(thing).encode()).hexdigest()[:32]


def number_of(network: object, seed: int) -> int:
    """A whole number that depends on the disorder only."""
    text = json.dumps([_plain(network), seed], sort_keys=True)
    return int(hashlib.sha256(text.encode()).hexdigest()[:15], 16)


@lru_cache(maxsize=2**16)
def _canonical(point: AnyPoint, trajectory: int) -> str:
    return json.dumps({"trajectory": trajectory} | _plain(point), sort_keys=True, separators=(",", ":"))


def point_of(text: str, stored: Mapping[str, patterns.Stored]) -> AnyPoint:
    """The point written as canonical JSON; `stored` has the user's patterns by sha256."""
    point = _revived(json.loads(text), stored)
    assert isinstance(point, AnyPoint)
    return point


def environment() -> dict[str, Any]:
    """Versions of all that ran, the machine, the command line and the git commit of the folder it was given in."""
    names = ("numpy", "scipy", "numba", "llvmlite", "h5py")
    return {name: metadata.version(name) for name in names} | {
        "hopsim": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "host": platform.node(),
        "command": " ".join(sys.argv),
        "commit": _commit(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _commit() -> str:
    """The git commit of the working folder, with a + if files have changed since; "" outside of git."""
    try:
        found = subprocess.run(
            ("git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"),
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


def _plain(thing: object) -> Any:
    if dataclasses.is_dataclass(thing):
        fields = [(f, getattr(thing, f.name)) for f in dataclasses.fields(thing) if f.compare]
        known = [(f.name, value) for f, value in fields if not (f.metadata.get("later") and value == f.default)]
        return {"kind": type(thing).__name__} | {name: _plain(value) for name, value in known}
    if isinstance(thing, np.generic):
        return thing.item()
    return thing


def _revived(plain: Any, stored: Mapping[str, patterns.Stored]) -> Any:
    if not isinstance(plain, dict):
        return plain
    if plain["kind"] not in _KINDS:
        raise Refused(
            f"a point is of kind {plain['kind']!r}, which this version of hopsim does not know; use a newer one"
        )
    kind = _KINDS[plain["kind"]]
    if kind is patterns.Stored:
        return stored[plain["sha256"]]
    given = [f.name for f in dataclasses.fields(kind) if f.init and f.name in plain]
    return kind(**{name: _revived(plain[name], stored) for name in given})
