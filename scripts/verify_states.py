"""Random starts look for states of multitasking networks at low load that are not listed: docs/verification_states.md.

    python scripts/verify_states.py        a few minutes in one process

From 10⁴ random starts a point, Newton's method goes to stationary points of any index at T > 0, and the map
m -> E[ξ sign(ξ·m)] to fixed points at T = 0. What they reach is compared with low_load up to permutations and signs.
A second table does the same for the searched list of minima, stable_states, which is not proven complete: the
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

import hopsim
from hopsim.theory.finite_patterns import State, low_load, stable_states
from hopsim.theory.landscape import Landscape

Floats = NDArray[np.float64]
TABLE = Path(__file__).parent.parent / "docs" / "verification_states.md"
STARTS, SEED, AT_ONCE = 10_000, 20261122, 500
SAME = 1e-7
PROVEN = [
    (2, 0.3, 0.14),
    (3, 0.3, 0.035),
    (3, 0.5, 0.0),
    (4, 0.5, 0.0),
    (4, 0.6, 0.04),
    (5, 0.3, 0.0),
    (5, 0.45, 0.055),
    (6, 0.3, 0.14),
    (7, 0.6, 0.2),
    (8, 0.3, 0.35),
]
SEARCHED = [
    (6, 0.3, 0.0),
    (6, 0.6, 0.012),
    (7, 0.7, 0.0),
    (7, 0.4, 0.0),
    (7, 0.6, 0.012),
    (8, 0.7, 0.0),
    (8, 0.4, 0.0),
    (8, 0.6, 0.02),
]  # K, d, T


def reached(surface: Landscape, rng: np.random.Generator, descending: bool) -> Floats:
    """The states that random starts end in, m_1 >= ... >= m_K >= 0; at T = 0 those without undecided neurons."""
    K, largest = surface.patterns, 1 - surface.dilution
    starts = rng.normal(size=(STARTS, K))
    starts *= largest * rng.uniform(0, 1, (STARTS, 1)) / np.abs(starts).max(axis=1, keepdims=True)
    cold = surface.temperature == 0
    move = surface.settle if cold else surface.descend if descending else surface.newton
    found = np.concatenate([move(part) for part in np.array_split(starts, STARTS // AT_ONCE)])
    found = -np.sort(-np.abs(found[surface.free_neurons(found) == 0] if cold else found), axis=1)
    return found[np.unique(np.round(found, 8), axis=0, return_index=True)[1]]


def compared(found: Floats, states: list[State]) -> tuple[int, int]:
    """How many listed states the starts reach, and in how many states they end that are not listed."""
    known = np.array([state.overlaps for state in states])
    distance = np.abs(found[:, None] - known).max(axis=-1)
    listed = distance.min(axis=1) < SAME
    return len(set(distance.argmin(axis=1)[listed].tolist())), int((~listed).sum())


def row(point: tuple[int, float, float], proven: bool) -> tuple[str, bool]:
    """A line of a table, and whether it is as it must be."""
    K, d, T = point
    listing = low_load if proven else stable_states
    states = listing(patterns=K, dilution=d, temperature=T)
    surface = Landscape(K, d, T)
    found = reached(surface, np.random.default_rng([SEED, K]), descending=not proven)
    met, missing = compared(found, states)
    lower = surface.free_energy(found).min() < states[0].free_energy - 1e-12
    stable = sum(state.stable for state in states)
    ok = not lower and (missing == 0 or not proven)
    words = "ok" if ok else "WRONG"
    return f"| {K} | {d:g} | {T:g} | {len(states)} | {stable} | {met} | {missing} | {words} |", ok


def main() -> int:
    """Make the table; 1 if a state is missing from a list that is proven complete, or a lower one is found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=TABLE)
    chosen = parser.parse_args()
    head = "| K | d | T | listed | stable | listed and reached | reached, not listed | |\n|" + " --- |" * 8
    rows: dict[bool, list[str]] = {True: [], False: []}
    good = True
    for proven, points in ((True, PROVEN), (False, SEARCHED)):
        for point in points:
            began = time.perf_counter()
            line, ok = row(point, proven)
            rows[proven].append(line)
            good &= ok
            print(line, f"{time.perf_counter() - began:.1f} s", flush=True)
    versions = f"hopsim {hopsim.__version__}, numpy {np.__version__}, python {platform.python_version()}"
    chosen.out.write_text(
        f"""# States of multitasking networks at low load: random starts against the lists

Made by `python scripts/verify_states.py` on {datetime.date.today()} with {versions}; {STARTS} random starts a point,
seed {SEED}. At T = 0 ends that leave neurons undecided are not counted.

`low_load`, whose indices balance at T > 0 and whose lattice meets all orders at T = 0, K <= 5: no start may end in a
state that is not listed.

{head}
{chr(10).join(rows[True])}

`stable_states`, a search: how many minima it misses, and that none of them is lower than the lowest it lists.

{head}
{chr(10).join(rows[False])}
""",
        encoding="utf-8",
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
