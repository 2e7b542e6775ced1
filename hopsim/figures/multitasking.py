"""Overlaps of all patterns against dilution at T = 0: theory of low load and simulated networks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from .. import networks, rng, states
from ..dynamics import SignUpdate
from ..errors import Refused, whole
from ..theory.finite_patterns import critical_dilution, hierarchical_overlaps, low_load
from . import style

Floats = NDArray[np.float64]
POINTS = 60  # of a line


@dataclass(frozen=True)
class Measured:
    """Means and standard errors of the overlaps of simulated networks, ordered by size: float64[K, dilutions]."""

    neurons: int
    dilutions: Floats
    overlaps: Floats
    errors: Floats


@dataclass(frozen=True)
class Data:
    """What is drawn for K patterns: the hierarchical state up to d_c, the lowest state beyond, and measured points."""

    patterns: int
    critical: float
    hierarchical: tuple[Floats, Floats]
    beyond: tuple[Floats, Floats]
    measured: Measured | None


def measure(
    *, patterns: int, dilutions: Sequence[float], neurons: int, samples: int, sweeps: int = 50, seed: int = 0
) -> Measured:
    """Networks started on one pattern and updated by sign. |M_μ|/N are ordered by size before they are averaged,
    because the patterns that follow the cued one do so in an order and with signs that change from sample to sample.
    """
    samples = whole("samples", samples, 2)
    found = np.array(
        [[_overlaps(patterns, d, neurons, sweeps, seed, sample) for sample in range(samples)] for d in dilutions]
    )
    errors = found.std(axis=1, ddof=1) / np.sqrt(samples)
    return Measured(neurons, np.array(dilutions), found.mean(axis=1).T, errors.T)


def collect(*, patterns: int, measured: Measured | None = None, largest: float = 0.95) -> Data:
    """Theory for K patterns up to a largest dilution, next to what was measured."""
    if measured is not None and len(measured.overlaps) != patterns:
        raise Refused(f"what was measured has {len(measured.overlaps)} patterns, got patterns = {patterns}")
    critical = min(critical_dilution(patterns), largest)
    below, above = np.linspace(0, critical, POINTS), np.linspace(critical, largest, POINTS // 2)[1:]
    hierarchical = np.array([hierarchical_overlaps(patterns=patterns, dilution=d) for d in below]).T
    if critical == largest:
        above = np.empty(0)
    lowest = [low_load(patterns=patterns, dilution=float(d), temperature=0)[0].overlaps for d in above]
    return Data(patterns, critical, (below, hierarchical), (above, np.array(lowest).reshape(-1, patterns).T), measured)


def draw(data: Data, ax: Axes | None = None) -> Figure:
    """Colour and marker by the rank of the overlap; solid hierarchical, dashed beyond, d_c dotted."""
    ax = ax if ax is not None else style.axes()
    for k in range(data.patterns):
        colour, marker = style.COLOURS[k % len(style.COLOURS)], style.MARKERS[k % len(style.MARKERS)]
        ax.plot(data.hierarchical[0], data.hierarchical[1][k], color=colour, linewidth=1.4)
        ax.plot(data.beyond[0], data.beyond[1][k], color=colour, linewidth=1.4, linestyle=style.DASHES[1])
        if data.measured is not None:
            points = (data.measured.dilutions, data.measured.overlaps[k], data.measured.errors[k])
            ax.errorbar(*points, color=colour, marker=marker, markersize=4, linestyle="none", capsize=2, linewidth=0.9)
    ax.axvline(data.critical, color="0.4", linestyle=":", linewidth=1.0, zorder=0)
    ax.set_xlabel("dilution $d$")
    ax.set_ylabel("overlaps $m_1 \\geq m_2 \\geq \\ldots$")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.03)
    ax.set_title(_title(data), fontsize="medium")
    _legend(ax, data)
    return style.figure_of(ax)


def _title(data: Data) -> str:
    simulated = f", $N = {data.measured.neurons}$ simulated" if data.measured is not None else ""
    return f"$K = {data.patterns}$, $T = 0${simulated}"


def _legend(ax: Axes, data: Data) -> None:
    shown = [
        Line2D([], [], color="0.3", label=r"$(1-d)\,d^{k-1}$"),
        Line2D([], [], color="0.3", linestyle=style.DASHES[1], label="lowest free energy"),
        Line2D([], [], color="0.4", linestyle=":", label=f"$d_c = {data.critical:.4g}$"),
    ]
    ax.legend(handles=shown, frameon=False, fontsize="small", loc="upper right")


def _overlaps(patterns: int, dilution: float, neurons: int, sweeps: int, seed: int, sample: int) -> Floats:
    network = networks.multitasking(neurons=neurons, dilution=dilution, patterns=patterns)
    sizes = (neurons, patterns)
    quenched = network.quench(rng.stream(seed, sample, rng.Purpose.DISORDER, *sizes))
    state = states.cue(quenched, 0, 1.0, rng.stream(seed, sample, rng.Purpose.INITIAL, *sizes))
    keys = rng.keys(seed, sample, *sizes, temperature=0.0, replica=0)
    SignUpdate().advance(state, quenched, keys, 0, sweeps)
    return np.asarray(-np.sort(-np.abs(state.overlaps)) / neurons)
