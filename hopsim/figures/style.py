"""One look for all figures: colours told apart by colour-blind readers, markers and dashes for those in print."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import Refused

# Okabe & Ito (2008), without yellow, which is too light on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# dotted is kept for what is marked, such as a capacity
DASHES = ("-", (0, (6, 2)), (0, (6, 2, 1.2, 2)), (0, (2.5, 1.2)), (0, (6, 1.5, 1.2, 1.5, 1.2, 1.5)))
SUFFIXES = (".png", ".pdf", ".svg")


def axes(width: float = 5.2, height: float = 3.7) -> Axes:
    """A fresh single axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    ax = figure.add_subplot()
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def figure_of(ax: Axes) -> Figure:
    """The figure that an axes stands in."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise Refused("ax must stand in a figure")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write .png (200 dpi), .pdf or .svg."""
    check_suffix(path)
    try:
        figure.savefig(path, dpi=200)
    except OSError as error:
        raise Refused(f"figure {path} cannot be written: {error}") from None


def check_suffix(path: Path) -> None:
    """Refuse a file name that is not one of the formats, before the work of drawing."""
    if path.suffix not in SUFFIXES:
        raise Refused(f"a figure must end in {', '.join(SUFFIXES)}; got {path}")
