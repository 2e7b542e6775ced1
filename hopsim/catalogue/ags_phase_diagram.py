"""Phases of the classical network in load and temperature, with Monte Carlo points in each.

Amit, Gutfreund & Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985) and Ann. Phys. 173, 30 (1987): replica-symmetric
theory. A paramagnet above T_g = 1 + √α, a spin glass below, retrieval states below T_M, which are the global minimum
below T_c, and whose replica symmetry breaks below T_R.

Drawn: the lines and, as points, what simulations find. Equilibrium is parallel tempering of two replicas from random
states: "retrieval" where the largest overlap with a pattern is above 0.7, else "spin glass" where the root mean square
overlap q of the replicas is above 0.15, else "paramagnet". "Metastable retrieval" is where Glauber dynamics keep an
overlap above 0.7 with the pattern that they start on and equilibrium does not retrieve. Below: T_R.

Compared with the paper at T = 0: the capacity within the digits of 0.14, and the load 0.05 below which retrieval is the
global minimum. For α → 0: T_M = 1 - 1.95 √α and T_c = 1 - 2.6 √α within the digits printed, and
T_R = √(8α/9π) exp(-1/2α) within one part in a hundred. T_g where q of the glass is seen to vanish, within 1e-3.

Compared with its theory, solved here: overlaps from the pattern within four standard errors and 2/N; q of the glass at
T = 0.8 within four standard errors and N^(-2/3), the size effect of a spin glass; the phase of every point that keeps
its phase in theory when its load changes by a fifth and T by 0.05. Points closer to a line are drawn, not compared: at
N = 256 retrieval is still in equilibrium beyond T_c.

Deviates: N = 256 in equilibrium with 12 samples, N = 2000 from a pattern with 16. Quick: 3 samples in equilibrium with
fewer sweeps, N = 1000 and 4 samples from a pattern.
"""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .. import networks, rng, states, theory
from ..columns import stacked
from ..comparison import Row
from ..figures import phase_diagram, shaded_phases, style
from ..figures.shaded_phases import Floats, Label
from ..statistics import Average, disorder_average
from ..tempering import Tempering
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (60.0, 14.0)
AGS = "Amit, Gutfreund & Sompolinsky 1987"
NEURONS, SEED = 256, 1
LAW = networks.hopfield(neurons=2, patterns=1).law
LOADS = (0.02, 0.035, 0.1, 0.12, 0.16)
SHOWN = (0.15, 0.3, 0.45, 0.6, 0.8, 1.5)
BETWEEN = (0.18, 0.22, 0.26, 0.36, 0.4, 0.52, 0.7, 0.9, 1.02, 1.16, 1.32)
LADDER = Tempering(temperatures=tuple(sorted(SHOWN + BETWEEN)), rule="metropolis", sweeps_per_swap=2)
RETRIEVED, GLASSY = 0.7, 0.15
AROUND = (-0.05, 0.0, 0.05)  # temperatures at which a point must keep its phase
LARGEST = (0.18, 1.65)
LABELS = (
    Label("paramagnet", 0.07, 1.5),
    Label("spin glass", 0.07, 0.98),
    Label("metastable\nretrieval", 0.075, 0.2),
    Label("retrieval", 0.026, 0.06),
)
SCAN = """[network]
kind = "hopfield"
neurons = {neurons}
load = {loads}

[dynamics]
rule = "glauber"
temperature = {temperatures}

[protocol]
cue_overlap = 1.0
equilibrate = 300
measure = 300
every = 5

[scan]
samples = 1
seed = 1
"""
Ends = dict[tuple[str, float], float]  # loads of a line at a temperature


@dataclass(frozen=True)
class Equilibrium:
    """At one load and temperature the largest overlap with a pattern and the root mean square q of two replicas."""

    load: float
    temperature: float
    best: Average
    q: Average


def make(workshop: Workshop) -> Reproduction:
    """Solve, simulate, draw, compare."""
    diagram = theory.phase_diagram(LAW, points=workshop.pick(40, 16))
    lines = phase_diagram.collect(LAW, diagram, "RS").lines | {"stability": _stability()}
    text = SCAN.format(neurons=workshop.pick(2000, 1000), loads=list(LOADS), temperatures=list(SHOWN))
    started = workshop.scan("from-pattern", text, samples=(16, 4))
    effort = workshop.pick(12, 3), workshop.pick(600, 250)
    found = [point for load in LOADS for point in _equilibrium(workshop, load, *effort)]
    started_at = {_place(row): row.averages["overlap"] for row in started}
    phases = {(e.load, e.temperature): _phase(e, started_at) for e in found}
    ends = _ends()
    table = [_row(e, phases[e.load, e.temperature], ends) for e in found]
    clear = [row for row in table if row["clear"]]
    right = sum(row["phase"] == row["phase_of_theory"] for row in clear) / len(clear)
    share = Comparison("points in the phase of theory (share)", 1.0, right, 0.0, AGS)
    curves = [{"line": n, "load": a, "temperature": T} for n, c in lines.items() for a, T in zip(*c, strict=True)]
    data = {
        "lines": stacked(curves),
        "equilibrium": stacked(table),
        "from_pattern": stacked([_start(row) for row in started]),
    }
    figure = _drawn(lines, phases)
    return Reproduction(
        figure, data, [*_of_lines(), *_of_small_loads(), *_of_overlaps(started), *_of_glass(found), share]
    )


def _equilibrium(workshop: Workshop, load: float, samples: int, rounds: int) -> list[Equilibrium]:
    """Averages over the second half of parallel tempering, at the temperatures shown."""
    network = networks.hopfield(neurons=NEURONS, load=load)
    told = ("equilibrium", network, LADDER, rounds, SEED)
    tempered = workshop.sampled(told, samples, lambda sample: _tempered(network, sample, rounds))
    best, squared = tempered.transpose(1, 2, 0)
    found = []
    for T in SHOWN:
        slot = LADDER.temperatures.index(T)
        q2 = disorder_average(squared[slot])
        q = math.sqrt(q2.value)
        found.append(Equilibrium(load, T, disorder_average(best[slot]), Average(q, q2.error / (2 * q))))
    return found


def _tempered(network: networks.Network, sample: int, rounds: int) -> NDArray[np.float64]:
    """Per temperature the average of the largest |m| and of q² in one sample, from two replicas."""
    sizes = (network.neurons, network.patterns)
    quenched = network.quench(rng.stream(SEED, sample, rng.Purpose.DISORDER, *sizes))
    spins, best = [], []
    for replica in range(2):
        streams = [
            rng.stream(SEED, sample, rng.Purpose.INITIAL, *sizes, replica, k) for k in range(len(LADDER.temperatures))
        ]
        start, keys = (
            [states.random(quenched, own) for own in streams],
            LADDER.keys(SEED, sample, *sizes, replica=replica),
        )
        trace = LADDER.advance(start, quenched, keys, 0, rounds, every=5)
        half = rounds // 10
        spins.append(trace.states.spins[half:].astype(np.float32))
        best.append(np.abs(trace.states.overlaps[half:]).max(axis=-1).mean(axis=0) / network.neurons)
    q = np.einsum("rsn,rsn->rs", *spins) / network.neurons
    return np.array([np.mean(best, axis=0), (q**2).mean(axis=0)])


def _place(row: Row) -> tuple[float, float]:
    return min(LOADS, key=lambda load: abs(load - row.point.network.load)), row.point.dynamics.temperature


def _phase(found: Equilibrium, started: dict[tuple[float, float], Average]) -> str:
    if found.best.value > RETRIEVED:
        return "retrieval"
    if started[found.load, found.temperature].value > RETRIEVED:
        return "metastable retrieval"
    return "spin glass" if found.q.value > GLASSY else "paramagnet"


def _ends() -> Ends:
    """The loads of both lines at the temperatures shown and around them, 0 where they do not exist."""
    temperatures = sorted({T + d for T in SHOWN for d in AROUND})
    found = {name: theory.line(LAW, line=name, temperatures=temperatures) for name in ("coexistence", "spinodal")}
    return {(name, point.temperature): point.load or 0.0 for name, points in found.items() for point in points}


def _expected(load: float, temperature: float, ends: Ends) -> str:
    """The phase that replica-symmetric theory gives a point."""
    for line, phase in (("coexistence", "retrieval"), ("spinodal", "metastable retrieval")):
        if load < ends[line, temperature]:
            return phase
    return "spin glass" if temperature < 1 + math.sqrt(load) else "paramagnet"


def _row(found: Equilibrium, phase: str, ends: Ends) -> dict[str, object]:
    """A row of the table; clear: whether theory has the same phase all around the point."""
    load, T = found.load, found.temperature
    expected = _expected(load, T, ends)
    around = {_expected(load * factor, T + d, ends) for factor in (1 / 1.2, 1.2) for d in (AROUND[0], AROUND[-1])}
    return {
        "load": load,
        "temperature": T,
        "phase": phase,
        "phase_of_theory": expected,
        "clear": around == {expected},
        "largest_overlap": found.best.value,
        "largest_overlap_err": found.best.error,
        "q": found.q.value,
        "q_err": found.q.error,
    }


def _stability() -> tuple[Floats, Floats]:
    """T_R, down to temperatures that the diagram does not show."""
    points = theory.line(LAW, line="stability", temperatures=np.geomspace(1e-7, 0.0245, 30).tolist())
    there = [point for point in points if point.load is not None]
    return np.array([point.load for point in there]), np.array([point.temperature for point in there])


def _drawn(lines: dict[str, tuple[Floats, Floats]], phases: dict[tuple[float, float], str]) -> Figure:
    figure = Figure(figsize=(4.2, 5.4), layout="constrained")
    plane, below = figure.subplots(2, 1, height_ratios=(2.6, 1.0))
    points = {
        phase: (np.array([p[0] for p in places]), np.array([p[1] for p in places]))
        for phase in shaded_phases.MARKS
        if (places := [place for place, found in phases.items() if found == phase])
    }
    shaded_phases.draw(plane, lines, LABELS, points, LARGEST)
    curves, _ = plane.get_legend_handles_labels()
    handles = [*curves, *shaded_phases.marks()]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, fontsize="small", frameon=False)
    loads, temperatures = lines["stability"]
    number = list(lines).index("stability")
    mark = {"color": style.COLOURS[number], "linestyle": style.DASHES[number], "linewidth": 1.5}
    below.semilogy(loads, temperatures, label="$T_R$", **mark)
    small = np.linspace(0.03, LARGEST[0], 100)
    label = r"$\sqrt{8\alpha/9\pi}\, e^{-1/2\alpha}$"
    below.semilogy(small, _symmetry_breaks(small), color="black", linewidth=0.9, linestyle=":", label=label)
    below.set_xlim(0, LARGEST[0])
    below.set_ylim(1e-8, 0.1)
    below.set_xlabel(r"load $\alpha = K/N$")
    below.set_ylabel("temperature $T$")
    below.legend(frameon=False, fontsize="small")
    for ax in (plane, below):
        ax.locator_params(axis="x", nbins=5)
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def _symmetry_breaks(load: Floats | float) -> Floats:
    """T_R for small load."""
    return np.asarray(np.sqrt(8 * np.asarray(load) / (9 * np.pi)) * np.exp(-1 / (2 * np.asarray(load))))


def _start(row: Row) -> dict[str, object]:
    overlap = row.averages["overlap"]
    return {
        "load": row.point.network.load,
        "temperature": row.point.dynamics.temperature,
        "neurons": row.point.network.neurons,
        "overlap": overlap.value,
        "overlap_err": overlap.error,
        "theory": row.predicted,
    }


def _of_lines() -> list[Comparison]:
    """T = 0, and T_g from two temperatures below it: q grows in proportion to the distance."""
    minimum, load = _load("coexistence", 0.0), 0.1
    T_g = 1 + math.sqrt(load)
    near, far = (theory.solve(LAW, load=load, temperature=T_g * (1 - s), branch="glass").order.q for s in (1e-3, 2e-3))
    vanishes = T_g * (1 - 1e-3 + 1e-3 * near / (far - near))
    return [
        Comparison("capacity at T = 0", 0.14, float(theory.capacity(LAW, temperature=0.0).load or np.nan), 0.005, AGS),
        Comparison("load of the global minimum at T = 0", 0.05, minimum, 0.005, AGS),
        Comparison(f"T_g from q -> 0, load {load}", T_g, vanishes, 1e-3, AGS),
    ]


def _of_small_loads() -> list[Comparison]:
    """T_M and T_c close to T = 1, T_R close to T = 0."""
    hot, cold = 0.995, 1e-6
    first, second = ((1 - hot) / math.sqrt(_load(line, hot)) for line in ("spinodal", "coexistence"))
    ratio = cold / float(_symmetry_breaks(_load("stability", cold)))
    return [
        Comparison(f"(1 - T_M)/sqrt(load) at T = {hot}", 1.95, first, 0.01, AGS),
        Comparison(f"(1 - T_c)/sqrt(load) at T = {hot}", 2.6, second, 0.05, AGS),
        Comparison(f"T_R over its form for small load, T = {cold:g}", 1.0, ratio, 0.01, AGS),
    ]


def _load(line: str, temperature: float) -> float:
    return float(theory.line(LAW, line=line, temperatures=[temperature])[0].load or np.nan)


def _of_overlaps(started: list[Row]) -> list[Comparison]:
    """Where retrieval exists, from the pattern."""
    found = []
    for load, T in ((0.02, 0.3), (0.02, 0.45), (0.1, 0.15)):
        row = next(row for row in started if _place(row) == (load, T))
        ours, network = row.averages["overlap"], row.point.network
        quantity = f"m from the pattern, load {load:g}, T = {T:g}, N = {network.neurons}"
        found.append(Comparison(quantity, row.predicted, ours.value, 4 * ours.error + 2 / network.neurons, AGS))
    return found


def _of_glass(found: list[Equilibrium]) -> list[Comparison]:
    point = next(e for e in found if (e.load, e.temperature) == (0.16, 0.8))
    q = theory.solve(LAW, load=0.16, temperature=0.8, branch="glass").order.q
    quantity = f"q of the spin glass, load 0.16, T = 0.8, N = {NEURONS}"
    return [Comparison(quantity, q, point.q.value, 4 * point.q.error + NEURONS ** (-2 / 3), AGS)]
