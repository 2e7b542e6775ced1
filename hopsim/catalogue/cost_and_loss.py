"""The cost of a network and the squared-error losses of all its patterns, along one trajectory.

Agliari, Alessandrelli, Barra & Ricci-Tersenghi, "Parallel learning by multitasking neural networks" (2023): with L±_μ
= |ξ^μ ± σ|²/2N the Hamiltonian is -H/N = (s/2) Σ_μ [((1 + n_μ/N)/2)² - L+_μ L-_μ], so that a network which lowers its
cost lowers the losses of all patterns in parallel. s = 1 for stored patterns and n_μ = |ξ^μ|²; where archetypes are
learned from M examples of quality r the vectors are the examples, s = 1/(RM), or their averages, s = 1/R, with R = r²
+ (1-r²)/M.

Drawn: H/N and the losses of three stored patterns with a quarter of blank entries, from random spins at T = 0.3.

Compared, over trajectories of stored patterns and of both ways to learn: the identity at every sweep, within 1e-12
(rounding: the cost comes from exact integer energies, n_μ from the entries, the losses from overlaps), and the share
of trajectories on which cost and Σ_μ L+_μ L-_μ are lowest at the same sweep, which must be all of them (values within
1e-12 of the lowest are ties, of which the first counts).

Deviates: sizes and noise are ours, N = 1000, K = 3.
"""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .. import networks
from ..columns import Columns, stacked
from ..dynamics import Glauber
from ..figures import losses, style
from ..networks import Network
from ..patterns import Examples
from ..simulation import Protocol, Run
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (8.0, 4.0)
PAPER = "Agliari et al. 2023"
NEURONS, PATTERNS, DILUTION, TEMPERATURE, SWEEPS = 1000, 3, 0.25, 0.3, 24
QUALITY, EXAMPLES = 0.5, 20
ROUNDING = 1e-12


def make(workshop: Workshop) -> Reproduction:
    """Follow trajectories, draw one, compare all."""
    trajectories = workshop.pick(full=40, quick=8)
    comparisons = list[Comparison]()
    for name, network in _networks().items():
        checked = [_checked(_run(network, sample)) for sample in range(trajectories)]
        residual, together = np.array(checked).T
        comparisons += [
            Comparison(f"{name}: largest violation of the identity", 0.0, float(residual.max()), ROUNDING, PAPER),
            Comparison(f"{name}: share with both minima at one sweep", 1.0, float(together.mean()), 0.0, PAPER),
        ]
    shown = losses.collect(_run(_networks()["stored"], 0), SWEEPS)
    return Reproduction(_draw(shown), {"trajectory": _table(shown)}, comparisons)


def _networks() -> dict[str, Network]:
    ways: dict[str, Examples | None] = {"stored": None}
    for way in ("supervised", "unsupervised"):
        ways[way] = Examples(QUALITY, EXAMPLES, way)
    return {name: _network(ensemble) for name, ensemble in ways.items()}


def _network(ensemble: Examples | None) -> Network:
    return networks.multitasking(neurons=NEURONS, patterns=PATTERNS, dilution=DILUTION, ensemble=ensemble)


def _run(network: Network, sample: int) -> Run:
    rule = Glauber(temperature=TEMPERATURE)
    return Run(network, rule, Protocol(0.0, 0, SWEEPS, start="random"), seed=1, sample=sample)


def _checked(run: Run) -> tuple[float, bool]:
    """The largest violation of the identity along a trajectory, and whether both sides are lowest at one sweep."""
    data, quenched = losses.collect(run, SWEEPS), run.quench()
    scale, vectors = _vectors(run.network, quenched.learned)
    constant = (((1 + (vectors**2).mean(axis=0)) / 2) ** 2).sum()
    residual = np.abs(data.cost + scale / 2 * (constant - data.product)).max()
    return float(residual), _lowest(data.cost) == _lowest(data.product)


def _vectors(network: Network, learned: NDArray[Any]) -> tuple[float, losses.Floats]:
    """s and the vectors ξ float64[N, ...] that the cost is made of."""
    ensemble = network.law.ensemble
    if not isinstance(ensemble, Examples):
        return 1.0, learned.astype(float)
    R = ensemble.quality**2 + (1 - ensemble.quality**2) / ensemble.examples
    if ensemble.supervised:
        return 1 / R, learned / ensemble.examples
    return 1 / (R * ensemble.examples), learned.astype(float)


def _lowest(series: losses.Floats) -> int:
    return int(np.flatnonzero(series <= series.min() + ROUNDING)[0])


def _draw(data: losses.Data) -> Figure:
    figure = Figure(figsize=(5.2, 5.0), layout="constrained")
    cost, loss = figure.subplots(2, 1, sharex=True, height_ratios=(1.0, 1.6))
    for ax in (cost, loss):
        ax.spines[["top", "right"]].set_visible(False)
    losses.draw(data, (cost, loss))
    for k, line in enumerate(loss.get_lines()[: 2 * PATTERNS]):  # the two losses of a pattern after each other
        line.set(
            marker=style.MARKERS[k // 2], markersize=4, markevery=(3, 3), markerfacecolor="white" if k % 2 else None
        )
    loss.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    cost.set_xlabel("")
    lowest = float(data.sweeps[data.cost.argmin()])
    side = "left" if lowest < SWEEPS / 2 else "right"
    place = (4 if side == "left" else -4, -4)
    for ax, name in ((cost, "lowest cost"), (loss, r"lowest $\sum_\mu L^+_\mu L^-_\mu$")):
        where = {"xycoords": ax.get_xaxis_transform(), "textcoords": "offset points"}
        ax.annotate(name, (lowest, 1.0), place, ha=side, va="top", fontsize="small", **where)
    return figure


def _table(data: losses.Data) -> Columns:
    rows = []
    for k, sweep in enumerate(data.sweeps):
        row: dict[str, object] = {"sweep": sweep, "cost": data.cost[k], "product": data.product[k]}
        for mu in range(data.plus.shape[1]):
            row |= {f"loss_plus_{mu + 1}": data.plus[k, mu], f"loss_minus_{mu + 1}": data.minus[k, mu]}
        rows.append(row)
    return stacked(rows)
