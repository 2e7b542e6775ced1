"""The directive {catalogue}: every published figure, what it shows, and the numbers of the paper next to ours.

HOPSIM_REPRODUCTIONS=FOLDER in the environment takes the pictures and tables that `hopsim reproduce NAME --out FOLDER`
wrote there; quick or full in place of FOLDER makes them first, beside the pages. Without it the page has texts only.
"""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from docutils import nodes
from plain_docstrings import paragraphs, spans
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from hopsim import catalogue, tables

EFFORTS = {"quick": ["--quick"], "full": []}
PARTS = ("Drawn", "Compared", "Deviates")  # the paragraphs of an entry's text after those that name the paper


class Catalogue(SphinxDirective):
    """One section for each entry."""

    def run(self) -> list[nodes.Node]:
        """The sections, made anew in every build: texts and pictures may have changed."""
        self.env.note_reread()
        return [self._section(name) for name in catalogue.NAMES]

    def _section(self, name: str) -> nodes.section:
        title, *text = catalogue.entry(name).text.splitlines()
        parts = _parts(text)
        section = nodes.section(ids=[nodes.make_id(name)])
        section += nodes.title("", name)
        section += parts["paper"]
        section += self._figure(name, title, [*parts["Drawn"], *parts["Deviates"]])
        section += parts["Compared"]
        made = Path(self.config.reproductions, name)
        if (made / "comparisons.csv").is_file():
            section += _comparisons(made / "comparisons.csv")
        if (made / "provenance.json").is_file():
            section += _provenance(json.loads((made / "provenance.json").read_text(encoding="utf-8")))
        return section

    def _figure(self, name: str, title: str, legend: Sequence[nodes.Node]) -> nodes.figure:
        """The picture, if there is one, and its caption."""
        figure, picture = nodes.figure(), Path(self.config.reproductions, name, f"{name}.png")
        if picture.is_file():
            figure += nodes.image(uri=os.path.relpath(picture, self.env.srcdir), alt=title, width="560px")
        elif self.config.reproductions:
            logging.getLogger(__name__).warning("no picture %s", picture)
        figure += nodes.caption("", title)
        figure += nodes.legend("", *legend)
        return figure


def _parts(text: list[str]) -> dict[str, list[nodes.Node]]:
    """Paragraphs by the word that the first of each part begins with."""
    found: dict[str, list[nodes.Node]] = {part: [] for part in ("paper", *PARTS)}
    part = "paper"
    for lines in paragraphs(text):
        part = next((name for name in PARTS if lines[0].startswith(name)), part)
        found[part].append(_paragraph(lines))
    return found


def _paragraph(lines: list[str]) -> nodes.Element:
    """A formula if it is indented, otherwise text with `code`."""
    if lines[0].startswith(" "):
        return nodes.literal_block("", "\n".join(lines))
    parts = spans(" ".join(line.strip() for line in lines))
    return nodes.paragraph("", "", *(nodes.literal(part, part) if code else nodes.Text(part) for part, code in parts))


def _comparisons(path: Path) -> nodes.table:
    """The table that the entry printed."""
    with path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in names), cols=len(names))
    group += nodes.thead("", _row(names))
    group += nodes.tbody("", *(_row(map(_shown, row)) for row in rows))
    return nodes.table("", group)


def _row(cells: Sequence[str] | Iterator[str]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in cells))


def _shown(cell: str) -> str:
    """A number in few digits, a text as it is."""
    try:
        return tables.shown(float(cell))
    except ValueError:
        return cell


def _provenance(made: dict[str, Any]) -> nodes.paragraph:
    """The command, what ran it, when and how long."""
    command = " ".join(["hopsim reproduce", made["entry"], *EFFORTS["quick" if made["quick"] else "full"]])
    about = (
        f", hopsim {made['hopsim']}, {made['started'][:10]}, {made['wall_seconds']:.0f} s on {made['cores']} cores,"
        f" Python {made['python']}, NumPy {made['numpy']}, SciPy {made['scipy']}, Numba {made['numba']}."
    )
    return nodes.paragraph("", "", nodes.Text("Made by "), nodes.literal(command, command), nodes.Text(about))


def _make(app: Sphinx) -> None:
    """Settle on the folder; make what is in it when the effort was named in its place."""
    chosen = os.environ.get("HOPSIM_REPRODUCTIONS", "")
    folder = Path(app.outdir) / "reproductions" if chosen in EFFORTS else Path(chosen).resolve()
    for name in catalogue.NAMES if chosen in EFFORTS else ():
        effort = [*EFFORTS[chosen], "--out", str(folder)]
        subprocess.run([sys.executable, "-m", "hopsim.cli", "reproduce", name, *effort], check=True)
    app.config.reproductions = str(folder) if chosen else ""
    if chosen:  # the notebooks run with it
        os.environ["HOPSIM_REPRODUCTIONS"] = str(folder)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_config_value("reproductions", "", "")
    app.add_directive("catalogue", Catalogue)
    app.connect("builder-inited", _make)
    return {"parallel_read_safe": True}
