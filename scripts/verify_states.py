"""Random starts look for states of multitasking networks at low load that are not listed: docs/verification_states.md.

    python scripts/verify_states.py        some minutes in one process

From 10⁴ random starts a point, Newton's method goes to stationary points of any index at T > 0, and the map
m -> E[ξ sign(ξ·m)] to fixed points at T = 0. What they reach is compared with low_load up to permutations and signs.
A second table does the same for stable_states where low_load has too many states to list: there it is a search, and the
starts, of other directions than those of the search, descend to minima.
"""

import argparse
import datetime
import platform
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

import hopsim
from hopsim.theory.finite_patterns import State, low_load, stable_states
from hopsim.theory.landscape import Landscape

Floats = NDArray[np.float64]
TABLE = Path(__file__).parent.parent / "docs" / "verification_states.md"
STARTS, SEED, AT_ONCE = 10_000, 20261122, 500
SAME = 1e-7
GRID = 3  # values of starts with equal overlaps
CELL = np.pi * 1e-9  # ends in one cell are counted once
LISTED = [
    (2, 0.3, 0.14),
    (3, 0.3, 0.035),
    (3, 0.5, 0.0),
    (4, 0.5, 0.0),
    (4, 0.6, 0.04),
    (5, 0.3, 0.0),
    (5, 0.45, 0.055),
    (5, 0.45, 0.011),
    (6, 0.3, 0.0),
    (6, 0.3, 0.14),
    (6, 0.3, 0.03),
    (6, 0.3, 0.01),
    (6, 0.6, 0.012),
    (7, 0.4, 0.0),
    (7, 0.7, 0.0),
    (7, 0.6, 0.2),
    (7, 0.6, 0.03),
    (8, 0.7, 0.0),
    (8, 0.8, 0.0),
    (8, 0.3, 0.35),
    (8, 0.6, 0.05),
]
SEARCHED = [
    (7, 0.6, 0.012),
    (8, 0.4, 0.0),
    (8, 0.6, 0.02),
]  # K, d, T


def reached(surface: Landscape, rng: np.random.Generator, descending: bool) -> Floats:
    """The states that random starts end in, m_1 >= ... >= m_K >= 0; every other start has equal overlaps and zeros."""
    K, largest = surface.patterns, 1 - surface.dilution
    starts = rng.normal(size=(STARTS, K))
    starts *= largest * rng.uniform(0, 1, (STARTS, 1)) / np.abs(starts).max(axis=1, keepdims=True)
    if not descending:
        starts[::2] = np.round(starts[::2] * GRID / largest) * largest / GRID
    cold = surface.temperature == 0
    move = surface.settle if cold else surface.descend if descending else surface.newton
    found = np.concatenate([move(part) for part in np.array_split(starts, STARTS // AT_ONCE)])
    found = -np.sort(-np.abs(found[surface.free_neurons(found) == 0] if cold and descending else found), axis=1)
    return found[np.unique(np.round(found / CELL), axis=0, return_index=True)[1]]


def compared(found: Floats, states: list[State]) -> tuple[int, int]:
    """How many listed states the starts reach, and in how many states they end that are not listed."""
    distance, nearest = cKDTree([state.overlaps for state in states]).query(found, p=np.inf)
    listed = np.asarray(distance) < SAME
    return len(set(np.asarray(nearest)[listed].tolist())), int((~listed).sum())


def row(point: tuple[int, float, float], complete: bool) -> tuple[str, bool]:
    """A line of a table, and whether it is as it must be."""
    K, d, T = point
    listing = low_load if complete else stable_states
    states = listing(patterns=K, dilution=d, temperature=T)
    surface = Landscape(K, d, T)
    found = reached(surface, np.random.default_rng([SEED, K]), descending=not complete)
    met, missing = compared(found, states)
    lower = surface.free_energy(found).min() < states[0].free_energy - 1e-12
    stable = sum(state.stable for state in states)
    word = "WRONG" if lower or (missing and complete) else "incomplete" if missing else "ok"
    return f"| {K} | {d:g} | {T:g} | {len(states)} | {stable} | {met} | {missing} | {word} |", word != "WRONG"


def main() -> int:
    """Make the tables; 1 if a state is missing from a list of low_load, or a lower one than all listed is found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=TABLE)
    chosen = parser.parse_args()
    head = "| K | d | T | listed | stable | listed and reached | reached, not listed | |\n|" + " --- |" * 8
    rows: dict[bool, list[str]] = {True: [], False: []}
    good = True
    for complete, points in ((True, LISTED), (False, SEARCHED)):
        for point in points:
            began = time.perf_counter()
            line, right = row(point, complete)
            rows[complete].append(line)
            good &= right
            print(line, f"{time.perf_counter() - began:.1f} s", flush=True)
    versions = f"hopsim {hopsim.__version__}, numpy {np.__version__}, python {platform.python_version()}"
    chosen.out.write_text(
        f"""# States of multitasking networks at low load: random starts against the lists

Made by `python scripts/verify_states.py` on {datetime.date.today()} with {versions}; {STARTS} random starts a point,
seed {SEED}, every other one with equal overlaps and zeros.

`low_load`: "ok" says that no start ended in a state that is not listed. At T = 0 the list comes from branch and bound,
and starts settle along m -> E[ξ sign(ξ·m)], mostly in stable states. At T > 0 Newton's method goes to any index, and
the indices of the list balance in every subspace of equal and of vanishing overlaps.

{head}
{chr(10).join(rows[True])}

`stable_states` where low_load has too many states: starts descend to minima. "ok" says that none was missing,
"incomplete" that some were, but none lower than the lowest that is listed.

{head}
{chr(10).join(rows[False])}
""",
        encoding="utf-8",
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
