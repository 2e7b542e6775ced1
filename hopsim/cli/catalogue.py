"""`hopsim reproduce`: published figures from nothing."""

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import tables
from ..columns import Columns, stacked
from .arguments import DONE, FAILED, Parser, add

if TYPE_CHECKING:
    from ..catalogue.entry import Comparison


def add_to(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the command."""
    example = "example:\n  hopsim reproduce --list\n  hopsim reproduce multitasking-overlaps --quick"
    what = "redraw a published figure from nothing and compare its numbers"
    reproduce = add(commands, "reproduce", _reproduce, what, example)
    reproduce.add_argument("name", nargs="?", metavar="NAME", help="of an entry")
    reproduce.add_argument("--list", action="store_true", help="names, times on two cores, what they are")
    reproduce.add_argument(
        "--out", type=Path, default=Path("reproductions"), metavar="DIR", help="default: reproductions"
    )
    reproduce.add_argument("--quick", action="store_true", help="fewer samples and sizes, in seconds")


def _reproduce(chosen: argparse.Namespace) -> int:
    from .. import catalogue, provenance
    from ..figures import style

    if chosen.list or chosen.name is None:
        rows = [
            [name, *(f"{s:.0f} s" for s in catalogue.entry(name).seconds), catalogue.entry(name).title]
            for name in catalogue.NAMES
        ]
        print(tables.aligned(["name", "full", "quick", "what"], rows))
        return DONE
    entry = catalogue.entry(chosen.name)
    folder = chosen.out / entry.name
    folder.mkdir(parents=True, exist_ok=True)
    print(
        f"{entry.title}\n{entry.name}: about {entry.seconds[chosen.quick]:.0f} s on two cores, in {folder}", flush=True
    )
    began, cpu = time.perf_counter(), time.process_time()
    made = entry.make(catalogue.Workshop(folder, chosen.quick))
    seconds = {"wall_seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
    style.save(made.figure, folder / f"{entry.name}.png")
    for name, columns in {**made.data, "comparisons": _as_columns(made.comparisons)}.items():
        (folder / f"{name}.csv").write_text(tables.columns_as_csv(columns), encoding="utf-8")
    about = {"entry": entry.name, "quick": chosen.quick, "cores": os.cpu_count()} | seconds | provenance.environment()
    (folder / "provenance.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    print(_compared(made.comparisons))
    print(f"{folder / entry.name}.png: the figure; {', '.join(f'{name}.csv' for name in made.data)}: its data")
    return DONE if all(found.agrees or found.known for found in made.comparisons) else FAILED


def _as_columns(found: "Sequence[Comparison]") -> Columns:
    """Numbers of the paper, ours, and whether they agree."""
    return stacked(
        [
            {
                "quantity": c.quantity,
                "paper": c.paper,
                "ours": c.ours,
                "difference": c.difference,
                "tolerance": c.tolerance,
                "verdict": c.verdict,
                "source": c.source,
            }
            for c in found
        ]
    )


def _compared(found: "Sequence[Comparison]") -> str:
    """The same as a table for a terminal."""
    columns = _as_columns(found)
    return tables.aligned(list(columns), list(zip(*(column.tolist() for column in columns.values()), strict=True)))
