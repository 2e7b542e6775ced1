"""Docstrings are plain text: paragraphs, indented formulas, examples, `code`; here the same in reStructuredText."""

import re
from collections.abc import Iterator
from itertools import groupby

from sphinx.application import Sphinx

SPECIAL = re.compile(r"([\\*|_])")


def paragraphs(lines: list[str]) -> Iterator[list[str]]:
    """The lines between blank ones."""
    for blank, group in groupby(lines, key=lambda line: not line.strip()):
        if not blank:
            yield list(group)


def spans(text: str) -> Iterator[tuple[str, bool]]:
    """The parts of a text, and whether they are in backticks."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts = [text]
    yield from ((part, k % 2 == 1) for k, part in enumerate(parts))


def plain(lines: list[str]) -> list[str]:
    """Indented paragraphs and examples as they stand; in others `code`, and no character with a meaning of its own."""
    found: list[str] = []
    for paragraph in paragraphs(lines):
        if paragraph[0].startswith(" "):
            found += ["::", "", *("    " + line for line in paragraph), ""]
        elif paragraph[0].startswith(">>>"):
            found += [*paragraph, ""]
        else:
            found += [*(_escaped(line.strip()) for line in paragraph), ""]
    return found


def _escaped(line: str) -> str:
    return "".join(f"``{part}``" if code else SPECIAL.sub(r"\\\1", part) for part, code in spans(line))


def _on_docstring(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    lines[:] = plain(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _on_docstring)
    return {"parallel_read_safe": True}
