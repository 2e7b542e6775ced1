"""Full runs of the catalogue as tables: makes docs/reproductions.md from the folders that `hopsim reproduce` left.

for name in $(hopsim reproduce --list | awk 'NR > 1 { print $1 }'); do hopsim reproduce $name --out FOLDER; done
python scripts/tabulate_reproductions.py FOLDER
"""

import argparse
import csv
import json
from pathlib import Path
from typing import Any

from hopsim import catalogue

PAGE = Path(__file__).parent.parent / "docs" / "reproductions.md"
HEAD = """# Published figures, redrawn in full

Made by `python scripts/tabulate_reproductions.py` from full runs of `hopsim reproduce NAME`. "Ours" comes from the run;
the tolerance is stated in the entry. `DIFFERS (known)` is a number with which we are known to disagree, in part since
an earlier full run, for reasons that the entry's text tells. Under "paper" stands a printed number or what the paper's
equations give at that point. Times depend on what else ran beside; processor seconds less so.
"""
COLUMNS = ("quantity", "paper", "ours", "difference", "tolerance", "verdict", "source")


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with one folder an entry")
    folder = parser.parse_args().folder
    missing = [name for name in catalogue.NAMES if not (folder / name / "provenance.json").is_file()]
    if missing:
        print(f"not in {folder}: {', '.join(missing)}")
    sections = [section(folder / name) for name in catalogue.NAMES if name not in missing]
    tail = f"\nNot run in full for this page: {', '.join(missing)}.\n" if missing else ""
    PAGE.write_text("\n".join([HEAD, *sections]) + tail, encoding="utf-8")


def section(folder: Path) -> str:
    """The table of one entry and what ran it."""
    about: dict[str, Any] = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    if about["quick"]:
        raise SystemExit(f"{folder} is of a quick run; run hopsim reproduce {about['entry']} without --quick")
    with (folder / "comparisons.csv").open(encoding="utf-8", newline="") as file:
        rows = [[shown(name, row[name]) for name in COLUMNS] for row in csv.DictReader(file)]
    agree = sum(row[5] == "agrees" for row in rows)
    lines = [
        f"## {about['entry']}\n\n{catalogue.entry(about['entry']).title}\n",
        f"{agree} of {len(rows)} agree. {about['started'][:10]}; "
        f"hopsim {about['hopsim']} (commit {about['commit'][:10]}), "
        f"numpy {about['numpy']}, scipy {about['scipy']}, numba {about['numba']}, python {about['python']}; "
        f"{about['cores']} cores: {about['wall_seconds']:.0f} s, {about['cpu_seconds']:.0f} s of processor time.\n",
        "| " + " | ".join(COLUMNS) + " |",
        "| --- " * len(COLUMNS) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def shown(name: str, text: str) -> str:
    """A number in six digits, text with what Markdown would read as table left out."""
    if name in ("paper", "ours", "difference", "tolerance"):
        return f"{float(text):.6g}" if text else ""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
