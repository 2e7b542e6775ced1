"""The directive {catalogue}: every published figure that can be redrawn, its text and, if it was made, its picture.

Pictures are looked for in docs/reproductions/, where `hopsim reproduce NAME --out docs/reproductions` puts them. With
HOPSIM_REPRODUCE=quick or full in the environment they are made before the pages are.
"""

import os
import subprocess
import sys
from pathlib import Path

from docutils import nodes
from plain_docstrings import paragraphs, spans
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from hopsim import catalogue

MADE = Path(__file__).parent.parent / "reproductions"


class Catalogue(SphinxDirective):
    """One section for each entry."""

    def run(self) -> list[nodes.Node]:
        """The sections, made anew in every build: texts and pictures may have changed."""
        self.env.note_reread()
        return [node for name in catalogue.NAMES for node in self._section(name)]

    def _section(self, name: str) -> list[nodes.Node]:
        title, *text = catalogue.entry(name).text.splitlines()
        section = nodes.section(ids=[nodes.make_id(name)])
        section += nodes.title("", name)
        section += _paragraph([title])
        if (MADE / name / f"{name}.png").is_file():
            section += nodes.image(uri=f"reproductions/{name}/{name}.png", alt=title, width="560px")
        section += [_paragraph(lines) for lines in paragraphs(text)]
        return [section]


def _paragraph(lines: list[str]) -> nodes.Element:
    """A formula if it is indented, otherwise text with `code`."""
    if lines[0].startswith(" "):
        return nodes.literal_block("", "\n".join(lines))
    parts = spans(" ".join(line.strip() for line in lines))
    return nodes.paragraph("", "", *(nodes.literal(part, part) if code else nodes.Text(part) for part, code in parts))


def _make(app: Sphinx) -> None:
    effort = os.environ.get("HOPSIM_REPRODUCE", "")
    for name in catalogue.NAMES if effort else ():
        quick = ["--quick"] if effort == "quick" else []
        subprocess.run([sys.executable, "-m", "hopsim.cli", "reproduce", name, *quick, "--out", str(MADE)], check=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("catalogue", Catalogue)
    app.connect("builder-inited", _make)
    return {"parallel_read_safe": True}
