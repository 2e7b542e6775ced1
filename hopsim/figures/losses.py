"""Cost and loss along one trajectory, side by side: the Hamiltonian and the squared errors of every pattern."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from .. import observables, states
from ..errors import Refused
from ..rng import Purpose, keys, stream
from ..simulation import Run
from . import style
from .names import law_name

Floats = NDArray[np.float64]
MOST_SHOWN = 5


@dataclass(frozen=True)
class Data:
    """Along T sweeps: cost H/N float64[T], losses L± float64[T, K], and `product` = Σ_μ L+_μ L-_μ float64[T]."""

    title: str
    sweeps: NDArray[np.int64]
    cost: Floats
    plus: Floats
    minus: Floats

    @property
    def product(self) -> Floats:
        """Σ_μ L+_μ L-_μ, which falls with the cost: -H/N = (s/2) Σ_μ [const - L+_μ L-_μ]."""
        return np.asarray((self.plus * self.minus).sum(axis=1))


def collect(run: Run, sweeps: int) -> Data:
    """One chain from random spins under the rule of a run, read before the first and after every sweep."""
    if sweeps < 1:
        raise Refused(f"losses along a trajectory need sweeps >= 1, got {sweeps}")
    quenched, sizes = run.quench(), (run.network.neurons, run.network.patterns)
    state = states.random(quenched, stream(run.seed, run.sample, Purpose.INITIAL, *sizes, 0))
    chain = keys(run.seed, run.sample, *sizes, temperature=run.dynamics.temperature, replica=0)
    start = states.State(state.spins[None].copy(), state.overlaps[None].copy())
    seen = [start, run.dynamics.advance(state, quenched, chain, 0, sweeps, 1).states]
    cost = np.concatenate([observables.cost(part, quenched) for part in seen])
    plus, minus = (np.concatenate(part) for part in zip(*(observables.losses(s, quenched) for s in seen), strict=True))
    title = f"{law_name(run.network.law)}, $K = {sizes[1]}$, $N = {sizes[0]}$, $T = {run.dynamics.temperature:g}$"
    return Data(title, np.arange(sweeps + 1), cost, plus, minus)


def draw(data: Data, axes: Sequence[Axes] | None = None) -> Figure:
    """Left the cost; right the losses of the first patterns, solid L-, dashed L+; dotted where each side is lowest."""
    left, right = axes if axes is not None else _pair()
    left.plot(data.sweeps, data.cost, color=style.COLOURS[0], linewidth=1.4)
    left.axvline(data.sweeps[data.cost.argmin()], color="0.3", linestyle=":", linewidth=1)
    for mu, colour in zip(range(min(MOST_SHOWN, data.plus.shape[1])), style.COLOURS, strict=False):
        for loss, sign, dashes in ((data.minus, "-", style.DASHES[0]), (data.plus, "+", style.DASHES[1])):
            label = rf"$L^{sign}_{mu + 1}$"
            right.plot(data.sweeps, loss[:, mu], color=colour, linestyle=dashes, linewidth=1.2, label=label)
    right.plot(data.sweeps, data.product, color="0.3", linewidth=2.2, alpha=0.6, label=r"$\sum_\mu L^+_\mu L^-_\mu$")
    right.axvline(data.sweeps[data.product.argmin()], color="0.3", linestyle=":", linewidth=1)
    left.set_ylabel("cost $H/N$")
    right.set_ylabel(r"loss $L^\pm_\mu = |\xi^\mu \pm \sigma|^2/2N$")
    for ax in (left, right):
        ax.set_xlabel("sweep")
        ax.set_xlim(0, data.sweeps[-1])
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure = style.figure_of(left)
    figure.suptitle(data.title, fontsize="medium")
    return figure


def _pair() -> tuple[Axes, Axes]:
    figure = Figure(figsize=(8.6, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    return left, right
