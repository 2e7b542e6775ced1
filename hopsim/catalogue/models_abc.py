"""Models A, B and C of one two-layer network: energy along trajectories and retrieval against load.

Krotov & Hopfield, "Large Associative Memory Problem in Neurobiology and Machine Learning" (2021): features and hidden
neurons, joined by the patterns alone, whose Lagrangians make them the dense network (A), the log-sum-exp network with
softmax attention (B) or a memory on the sphere (C). Ramsauer et al., "Hopfield Networks is All You Need" (2020): the
attention. Lucibello & Mézard, "The exponential capacity of dense associative memories" (2024): the load of B.

Drawn: above, energy (A and B: a neuron) and overlap from cues on one pattern, with hidden neurons as slow as features
(solid) and in the adiabatic limit (dashed): other paths, the same minima. Below, the fraction of cues retrieved. A,
p = 2, cue 0.8: binary neurons, the same without self-interaction (features cut linearly), and sign updates one by one
of the binary network from the same cues, which share all fixed points with the second. B from the pattern itself,
dotted the load at which it is lost: with v = uξ, u = w + (1-w) tanh βu and the weight w of the pattern, the others
averaged, βu - ln cosh βu - (1/N) ln(w/(1-w)) = ln K/N has a solution up to its maximum over u, which tends to
α_1 = β - ln cosh β. C, p = 4, cue 0.8.

Compared, with what the paper derives and what is exact:
 - the highest rise of the energy in any step of any run is 0, to 1e-9 (1 + |E|);
 - dE/dt, by differences along the trajectories drawn, with the quadratic form of the Hessians, to 1e-4;
 - hidden neurons at any speed have the same minima: what is at rest with slow ones is at rest in the limit, to 1e-7;
 - one step dt = τ_f of model B is softmax attention, to 1e-12;
 - model A on all 2^N states has the energy of the binary dense network, p = 2 and 4, to 1e-9 (up to its zero);
 - of the fixed points of the asynchronous kernels, none is not at rest in model A; without self-interaction, p = 2,
   the two have the same ones: no state of 2^N is at rest in one alone;
 - model C at rest points along -∂E/∂g, to 1e-9;
 - B, the load at one half for the two sizes, with the load at which the equation above loses the pattern, within three
   standard errors and 0.02: fluctuations of the sum over other patterns, of order K^(-1/2), move it.

Deviates: the paper shows no simulations; loads and sizes are ours. Its A for x^p keeps the action of a neuron on
itself, which flips of the binary network do not feel: A has more fixed points than that, never fewer.
"""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from .. import networks, rng
from ..columns import Columns, stacked
from ..continuous import flows
from ..continuous.two_layer import TwoLayer, hopfield, matrix, model_a, model_b, model_c
from ..figures import models_abc as figure
from ..figures.models_abc import Curve, Floats, Panel, Path
from ..networks import Quenched
from ..patterns import Stored
from ..retrieval import retrieve
from ..statistics import disorder_average
from .crossings import crossing
from .entry import Comparison, Reproduction
from .workshop import Workshop

SECONDS = (120.0, 8.0)
KROTOV, RAMSAUER = "Krotov & Hopfield 2021", "Ramsauer et al. 2020"
LUCIBELLO = "Lucibello & Mézard 2024, finite N derived here"
CUES = (0.5, 0.7, 0.9)
SHOWN = {"neurons": 64, "patterns": 24}
BETA, EXACT = 0.5, {"neurons": 11, "patterns": 5}
SIZES = {"b": ((12, 18, 24), (12, 18)), "c": ((16, 24, 36), (16, 24))}  # full, quick
SCAN = """
[network]
kind = "two_layer"
model = "%s"
neurons = {sizes}
load = {{start = %g, stop = %g, num = %d}}
%s

[dynamics]
hidden_time = 0.0
residual = 1e-4

[protocol]
cue_overlap = %g

[scan]
samples = 1
seed = 1
"""
SCANS = {
    "b": SCAN % ("b", 0.1, 0.36, 14, f"beta = {BETA}", 1.0),
    "c": SCAN % ("c", 0.001, 0.011, 11, "degree = 4", 0.8),
}
Build = Callable[[Floats, float], TwoLayer]
BUILD: dict[str, Build] = {
    "A": lambda xi, hidden_time: model_a(xi, degree=4, gain=8.0, hidden_time=hidden_time),
    "B": lambda xi, hidden_time: model_b(xi, beta=BETA / 4, hidden_time=hidden_time),
    "C": lambda xi, hidden_time: model_c(xi, degree=4, hidden_time=hidden_time),
}


def make(workshop: Workshop) -> Reproduction:
    """Run, draw, compare."""
    paths = {model: _paths(model) for model in BUILD}
    binary, softmax = _hopfield_curves(workshop), _curves(workshop, "b")
    panels = [
        Panel("A, sign neurons", "$p = 4$, gain 8", r"load $K/N$ ($p = 2$)", paths["A"], binary, "lower left"),
        Panel("B, softmax", r"$\beta = 1/8$", r"load $\ln K/N$ ($\beta = 1/2$)", paths["B"], softmax, "lower left"),
        Panel("C, spherical", "$p = 4$", r"load $K/N^3$ ($p = 4$)", paths["C"], _curves(workshop, "c")),
    ]
    data = {"trajectories": _path_table(panels), "retrieved": _curve_table(panels)}
    exact = [_rises(paths), _rates(), _same_minima(), _attention(), *_energies()]
    exact += [*_fixed_points(workshop.pick(full=10, quick=3)), _spherical()]
    return Reproduction(figure.draw(panels), data, [*exact, *_lost(softmax)])


def _signs(sample: int, neurons: int, patterns: int) -> Floats:
    stream = rng.stream(1, sample, rng.Purpose.DISORDER, neurons, patterns)
    return stream.choice([-1.0, 1.0], size=(patterns, neurons))


def _cued(patterns: Floats, overlap: float, sample: int) -> Floats:
    """Each pattern with (1 - overlap)/2 of its entries flipped."""
    stream = rng.stream(1, sample, rng.Purpose.INITIAL, *patterns.shape)
    place = stream.random(patterns.shape).argsort(axis=1).argsort(axis=1)
    return np.where(place < round((1 - overlap) / 2 * patterns.shape[1]), -patterns, patterns)


def _shown(model: str, hidden_time: float, cue: float) -> tuple[TwoLayer, Floats, flows.Trajectory]:
    """The network, the pattern, and the trajectory from a cue on it; C starts from norm 1."""
    patterns = _signs(0, **SHOWN)
    network, length = BUILD[model](patterns, hidden_time), math.sqrt(SHOWN["neurons"]) if model == "C" else 1.0
    start = _cued(patterns, cue, 0)[0] / length
    return network, patterns[0] / length, flows.march(network, start, step=0.01, steps=1000, every=5)


def _paths(model: str) -> list[Path]:
    found = []
    for cue, hidden_time in itertools.product(CUES, (1.0, 0.0)):
        network, pattern, path = _shown(model, hidden_time, cue)
        overlap = network.feature.activation(path.v) @ pattern / (pattern @ pattern)
        scale = 1 if model == "C" else SHOWN["neurons"]
        found.append(Path(hidden_time == 0, cue, path.times, path.energy / scale, overlap))
    return found


# --- retrieval ---


def _hopfield_curves(workshop: Workshop) -> list[Curve]:
    """p = 2: model A, that without self-interaction and the kernels, on the same patterns from the same cues."""
    neurons, samples = workshop.pick(full=200, quick=100), workshop.pick(full=60, quick=6)
    counts = [round(load * neurons) for load in np.arange(0.04, 0.281, 0.02)]
    fractions = np.array([[_retrieved(neurons, count, sample) for sample in range(samples)] for count in counts])
    labels = "A", "A without self-interaction", "binary network"
    loads = np.array(counts) / neurons
    return [Curve(label, loads, [disorder_average(row) for row in fractions[..., k]]) for k, label in enumerate(labels)]


def _retrieved(neurons: int, count: int, sample: int) -> tuple[float, float, float]:
    patterns = _signs(sample, neurons, count)
    starts = _cued(patterns, 0.8, sample)[:8]
    ends = [
        np.sign(flows.settle(network, starts, residual=1e-6).v)
        for network in (
            model_a(patterns, degree=2, gain=math.inf, hidden_time=0.0),
            hopfield(patterns, hidden_time=0.0),
        )
    ]
    ends.append(retrieve(_binary(patterns, 2), starts.astype(np.int8)).states.spins.astype(float))
    first, second, third = (float(((end * patterns[:8]).mean(axis=1) >= 0.9).mean()) for end in ends)
    return first, second, third


def _binary(patterns: Floats, degree: int) -> Quenched:
    stored = patterns.T.astype(np.int8)
    sizes = {"neurons": patterns.shape[1], "patterns": patterns.shape[0]}
    return Quenched(networks.dense(degree=degree, indices="all", ensemble=Stored(stored), **sizes), stored)


def _curves(workshop: Workshop, model: str) -> list[Curve]:
    """Models B and C at two or three sizes."""
    sizes = SIZES[model][workshop.quick]
    text = SCANS[model].format(sizes=list(sizes))
    rows = workshop.scan(f"model_{model}", text, samples=(60, 6))
    found = []
    for neurons in sizes:
        mine = [row for row in rows if row.point.network.neurons == neurons]
        loads = np.array([row.point.network.load for row in mine])
        lost = softmax_spinodal(neurons=neurons, beta=BETA, least=0.9) if model == "b" else None
        found.append(Curve(f"$N = {neurons}$", loads, [row.averages["retrieved"] for row in mine], lost))
    return found


def softmax_spinodal(*, neurons: int, beta: float, least: float) -> float:
    """The largest load ln K / N at which model B holds v = uξ with u >= least, the other patterns averaged."""
    u = np.linspace(least, 1, 4001)[:-1]
    u = u[u > np.tanh(beta * u)]  # a weight > 0
    weight = (u - np.tanh(beta * u)) / (1 - np.tanh(beta * u))
    load = beta * u - np.log(np.cosh(beta * u)) - np.log(weight / (1 - weight)) / neurons
    return float(load.max())


def _lost(curves: Sequence[Curve]) -> list[Comparison]:
    found = []
    for curve in curves:
        half = crossing(curve.load, curve.retrieved, 0.5)
        assert curve.lost_at is not None
        quantity = f"B, load at which half are retrieved, {curve.label.strip(chr(36))}"
        found.append(Comparison(quantity, curve.lost_at, half.value, 3 * half.error + 0.02, LUCIBELLO))
    return found


# --- what is exact ---


def _rises(paths: dict[str, list[Path]]) -> Comparison:
    rises = [np.diff(path.energy).max() / (1 + np.abs(path.energy).max()) for of in paths.values() for path in of]
    return Comparison("highest rise of the energy in a step", 0.0, max(0.0, *map(float, rises)), 1e-9, KROTOV)


def _rates() -> Comparison:
    """Central differences of E against the quadratic form, on the scale of the fastest fall."""
    off = 0.0
    for model, hidden_time in itertools.product(BUILD, (1.0, 0.0)):
        network, _, path = _shown(model, hidden_time, CUES[0])
        fine = flows.march(network, path.v[20], None if network.adiabatic else path.h[20], step=1e-3, steps=400)
        rates = network.energy_rate(fine.v, None if network.adiabatic else fine.h)[1:-1]
        differences = (fine.energy[2:] - fine.energy[:-2]) / (fine.times[2:] - fine.times[:-2])
        off = max(off, float(np.abs(differences - rates).max() / np.abs(rates).max()))
    return Comparison("dE/dt less the quadratic form of the Hessians, relative", 0.0, off, 1e-4, KROTOV)


def _same_minima() -> Comparison:
    """Rest states with slow hidden neurons, put into the adiabatic limit."""
    off, patterns = 0.0, _signs(0, **SHOWN)
    for model, build in BUILD.items():
        length = math.sqrt(SHOWN["neurons"]) if model == "C" else 1.0
        found = flows.settle(build(patterns, 1.0), _cued(patterns, CUES[1], 0)[:8] / length)
        off = max(off, float(np.abs(build(patterns, 0.0).update(found.v) - found.v).max()))
    return Comparison("at rest with slow hidden neurons, the residual in the limit", 0.0, off, 1e-7, KROTOV)


def _attention() -> Comparison:
    stream = rng.stream(1, 0, rng.Purpose.DISORDER, 40, 16)
    keys, queries = stream.normal(size=(40, 16)), stream.normal(size=(30, 16))
    step = flows.march(model_b(keys, beta=BETA, hidden_time=0.0), queries, step=1.0, steps=1, order=1)
    weights = np.exp(BETA * queries @ keys.T)
    direct = weights @ keys / weights.sum(axis=1, keepdims=True)
    off = float(np.abs(step.v[1] - direct).max())
    return Comparison("B, a step dt = τ_f less softmax attention", 0.0, off, 1e-12, RAMSAUER)


def _vertices() -> Floats:
    return np.array(list(itertools.product([-1.0, 1.0], repeat=EXACT["neurons"])))


def _energies() -> list[Comparison]:
    states, found = _vertices(), []
    for degree in (2, 4):
        patterns = _signs(1, **EXACT)
        quenched = _binary(patterns, degree)
        ours = model_a(patterns, degree=degree, gain=math.inf, hidden_time=0.0).energy(states)
        off = ours - EXACT["neurons"] * quenched.energy_density(quenched.overlaps(states.astype(np.int8)))
        quantity = f"A, p = {degree}, energy less that of the binary network on 2^{EXACT['neurons']} states"
        found.append(Comparison(quantity, 0.0, float(np.ptp(off)), 1e-9, KROTOV))
    return found


def _fixed_points(samples: int) -> list[Comparison]:
    """Of some samples: binary fixed points that A has not, p = 2 and 4; and p = 2 without self-interaction."""
    states, missing, unequal = _vertices(), 0, 0
    for sample in range(samples):
        patterns = _signs(sample, **EXACT)
        for degree in (2, 4):
            still = retrieve(_binary(patterns, degree), states.astype(np.int8)).sweeps == 0
            pull = states * model_a(patterns, degree=degree, gain=math.inf, hidden_time=0.0).update(states)
            missing += int((still & (pull < 0).any(axis=1)).sum())
            if degree == 2:
                held = (states * hopfield(patterns, hidden_time=0.0).update(states)).min(axis=1)
                unequal += int((still != (held >= EXACT["patterns"] / EXACT["neurons"] - 1e-12)).sum())
    return [
        Comparison("A, p = 2 and 4, fixed points of the binary network not at rest", 0.0, missing, 0.0, KROTOV),
        Comparison("p = 2 without self-interaction, states at rest in one alone", 0.0, unequal, 0.0, "exact"),
    ]


def _spherical() -> Comparison:
    patterns = _signs(0, **SHOWN)
    network = model_c(patterns, degree=4, hidden_time=0.0)
    found = flows.settle(network, _cued(patterns, CUES[1], 0)[:8] / math.sqrt(SHOWN["neurons"]), residual=1e-11)
    g, unit = network.feature.activation(found.v), matrix("patterns", network.patterns)
    downhill = (g @ unit.T) ** 3 @ unit
    off = np.abs(downhill / np.linalg.norm(downhill, axis=1, keepdims=True) - g).max()
    return Comparison("C at rest, its direction less that of -∂E/∂g", 0.0, float(off), 1e-9, KROTOV)


# --- tables ---


def _path_table(panels: Sequence[Panel]) -> Columns:
    return stacked(
        [
            {
                "model": panel.title[0],
                "adiabatic": path.adiabatic,
                "cue_overlap": path.cue,
                "time": time,
                "energy": energy,
                "overlap": overlap,
            }
            for panel in panels
            for path in panel.paths
            for time, energy, overlap in zip(path.times, path.energy, path.overlap, strict=True)
        ]
    )


def _curve_table(panels: Sequence[Panel]) -> Columns:
    return stacked(
        [
            {
                "model": panel.title[0],
                "curve": curve.label,
                "load": load,
                "retrieved": average.value,
                "retrieved_err": average.error,
            }
            for panel in panels
            for curve in panel.curves
            for load, average in zip(curve.load, curve.retrieved, strict=True)
        ]
    )
