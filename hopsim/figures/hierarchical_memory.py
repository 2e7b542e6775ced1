"""What a hierarchical memory makes of cues: images, its filters, and errors against other memories."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from . import style

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gallery:
    """One task: its name, and by name of the row images float64[images, height, width] from -1 to 1; 0 is unknown."""

    name: str
    rows: dict[str, Floats]


@dataclass(frozen=True)
class Data:
    """Galleries; filters float64[filters, height, width] before and after; by task and memory the errors of seeds."""

    galleries: Sequence[Gallery]
    filters: tuple[Floats, Floats]
    errors: dict[str, dict[str, Floats]]


def draw(data: Data) -> Figure:
    """Above images of every task, below the filters and the errors."""
    figure = Figure(figsize=(8.2, 5.6))
    figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.02, wspace=0.0, hspace=0.0)
    above, below = np.asarray(figure.subfigures(2, 1, height_ratios=(1.0, 0.95)))
    places = np.atleast_1d(above.subfigures(1, len(data.galleries), wspace=0.03))
    for letter, place, gallery in zip("abcdef", places, data.galleries, strict=False):
        _gallery(place, f"({letter}) {gallery.name}", gallery.rows)
    letters = iter("abcdef"[len(data.galleries) :])
    left, *right = np.atleast_1d(
        below.subfigures(1, 1 + len(data.errors), width_ratios=(1.35, *[1.0] * len(data.errors)))
    )
    _filters(left, f"({next(letters)})", data.filters)
    for place, (task, errors) in zip(right, data.errors.items(), strict=True):
        _errors(place.subplots(), f"({next(letters)}) {task}", errors)
    return figure


def _gallery(place: Any, title: str, rows: dict[str, Floats]) -> None:
    """A row for each memory, a column for each image."""
    place.suptitle(title, fontsize="medium")
    columns = len(next(iter(rows.values())))
    axes = place.subplots(len(rows), columns, squeeze=False, gridspec_kw={"wspace": 0.0, "hspace": 0.02})
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(line, images, strict=True):
            _image(ax, -image, 1.0)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize="small")


def _filters(place: Any, letter: str, filters: tuple[Floats, Floats]) -> None:
    """Before and after training, on one scale each."""
    place.suptitle(f"{letter} filters", fontsize="medium")
    for half, name, some in zip(
        place.subfigures(1, 2, wspace=0.05), ("before", "after training"), filters, strict=True
    ):
        half.supxlabel(name, fontsize="small")
        columns = int(np.ceil(np.sqrt(len(some))))
        axes = half.subplots(
            -(-len(some) // columns), columns, squeeze=False, gridspec_kw={"wspace": 0.02, "hspace": 0.02}
        )
        for ax in axes.flat:
            ax.set_axis_off()
        for ax, image in zip(axes.flat, some, strict=False):
            ax.set_axis_on()
            _image(ax, image, np.abs(some).max(), "RdBu_r")


def _image(ax: Axes, image: Floats, largest: float, colours: str = "gray") -> None:
    ax.imshow(image, cmap=colours, vmin=-largest, vmax=largest, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_linewidth(0.3)


def _errors(ax: Axes, title: str, errors: dict[str, Floats]) -> None:
    """One marker for each seed, beside each other, and lines at the means."""
    for k, (name, values) in enumerate(errors.items()):
        colour = style.COLOURS[k]
        seeds = np.arange(1, len(values) + 1)
        ax.plot(seeds, values, style.MARKERS[k], color=colour, ms=4, label=name)
        ax.axhline(values.mean(), color=colour, lw=0.8, ls=style.DASHES[k])
    ax.set_title(title, fontsize="medium")
    ax.set_xticks(seeds)
    ax.set_xlim(0.5, len(seeds) + 0.5)
    ax.set_ylim(0.0, 1.42 * max(values.max() for values in errors.values()))
    ax.set_xlabel("seed")
    ax.set_ylabel("mean squared error of pixels")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="x-small", loc="upper center", ncols=2, handletextpad=0.2, columnspacing=0.8)
