"""Hard and soft glass: the state with m = 0 for p = 2 is both, for p > 2 the hard one alone.

Albanese, Alemanno, Alessandrelli & Barra, "Replica symmetry breaking in dense Hebbian neural networks" (2022): the free
energy of the classical network is that of a hard glass (Sherrington-Kirkpatrick) and a soft one (Gaussian spins); for
interactions of more than two neurons only the hard glass survives, with or without replica symmetry breaking.

Drawn: at α = 1, distinct indices, p = 2, 3 and 4: the replica-symmetric free energy and its two parts, f with one step
of breaking, and simulated free energies: energies in equilibrium on a ladder of temperatures by parallel tempering,
integrated from T = ∞, f = T [-ln 2 + ∫ e dβ]; simulated f less the hard part of theory is what the soft glass must be.

Compared: that difference at one temperature above the glass, T near 1.7 in units of the coupling: for p = 2 with the
soft part of the formula, for p = 3 and 4 with none, within three standard errors plus 0.015 (terms of order 1/N of the
next cumulants of the crosstalk, about 5/(N T²) for p = 4); the T at which the hard glass of p = 2 freezes, T (1-C)/√α =
1, with T_g = 1 + √α of Amit, Gutfreund & Sompolinsky (1e-9); the energies of the hard glasses at T = 0 in units of
their couplings with -√(2/π) (p = 2, RS) and -0.8135 (p = 3, 1RSB), to the digits known.

Deviates: N = 256, 64 and 44 for p = 2, 3 and 4, and K = 1/s N^(p-1) for p > 2, s = (1-1/N)...(1-(p-1)/N), so that the
variance of the energy is that of N → ∞ at α = 1. Simulated above the glass only: below it no size equilibrates that is
large enough. Quick: N = 128, 48 and 32, fewer samples.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from .. import networks, theory
from ..columns import stacked
from ..figures import glass_parts
from ..figures.glass_parts import Floats, Panel
from ..networks import Law, Network
from ..statistics import Average
from ..theory import normalisations
from ..theory.glass_decomposition import decompose
from ..theory.one_step import OneStep
from . import free_energies
from .entry import Comparison, Reproduction
from .one_update import finite_size
from .workshop import Workshop

SECONDS = (120.0, 12.0)
LOAD = 1.0
LADDERS = {
    2: (2.1, 2.4, 2.7, 3.2, 4.2, 6.0, 10.0, 20.0),
    3: (1.2, 1.4, 1.6, 2.0, 2.5, 3.5, 6.0, 12.0),
    4: (1.8, 2.1, 2.5, 3.0, 3.8, 5.5, 9.0, 18.0),
}
SIZES = {2: (256, 128), 3: (64, 48), 4: (44, 32)}
COMPARED = {2: 2.7, 3: 2.0, 4: 3.0}
FINITE = 0.015
ALBANESE = "Albanese et al. 2022"


@dataclass(frozen=True)
class Found:
    """One degree: its simulated free energies, and the hard and soft part at the same temperatures."""

    network: Network
    temperatures: Floats
    simulated: list[Average]
    hard: Floats
    soft: Floats

    @property
    def rest(self) -> Floats:
        """Simulated f less the hard part."""
        return np.array([average.value for average in self.simulated]) - self.hard

    @property
    def errors(self) -> Floats:
        """Standard errors of f."""
        return np.array([average.error for average in self.simulated])


def make(workshop: Workshop) -> Reproduction:
    """Simulate, solve, draw, compare."""
    found = {p: _found(workshop, p) for p in LADDERS}
    panels = {p: _panel(p, found[p], workshop.pick(120, 50)) for p in found}
    curves = [row for p, panel in panels.items() for row in _curves(p, panel)]
    points = [row for p, of_degree in found.items() for row in _points(p, of_degree)]
    comparisons = [*(_rest(p, of_degree) for p, of_degree in found.items()), *_published()]
    data = {"curves": stacked(curves), "simulated": stacked(points)}
    return Reproduction(glass_parts.draw(list(panels.values())), data, comparisons)


def _law(degree: int) -> Law:
    return _network(degree, 10).law


def _network(degree: int, neurons: int) -> Network:
    if degree == 2:
        return networks.hopfield(neurons=neurons, load=LOAD)
    one = networks.dense(neurons=neurons, degree=degree, indices="distinct", patterns=1)
    load = LOAD / finite_size(one.law, neurons)
    return networks.dense(neurons=neurons, degree=degree, indices="distinct", load=load)


def _found(workshop: Workshop, degree: int) -> Found:
    network = _network(degree, workshop.pick(*SIZES[degree]))
    effort = {"samples": workshop.pick(32, 6), "warm": workshop.pick(100, 40), "rounds": workshop.pick(400, 120)}
    simulated = free_energies.measured(workshop, network, LADDERS[degree], **effort)
    parts = [decompose(network.law, load=LOAD, temperature=T) for T in LADDERS[degree]]
    hard, soft = np.array([part.hard for part in parts]), np.array([part.soft for part in parts])
    return Found(network, np.array(LADDERS[degree]), simulated.averages, hard, soft)


def _panel(degree: int, found: Found, points: int) -> Panel:
    law, shown = _law(degree), found.temperatures <= 2.2 * COMPARED[degree]
    T = np.linspace(0, found.temperatures[shown].max() * 1.03, points)
    parts = [decompose(law, load=LOAD, temperature=float(t)) for t in T]
    free = T * math.log(2)
    end = _transition(degree)
    cold = np.linspace(0, end, max(points // 6, 8))[:-1]
    broken = [
        theory.solve(law, load=LOAD, temperature=float(t), ansatz=OneStep(), branch="glass").free_energy for t in cold
    ]
    at = found.temperatures[shown]
    indices = "" if degree == 2 else ", distinct indices"
    return Panel(
        f"$p = {degree}${indices}, $\\alpha = {LOAD:g}$, $N = {found.network.neurons}$",
        T,
        np.array([part.hard for part in parts]) + free,
        np.array([part.soft for part in parts]),
        (cold, np.array(broken) + cold * math.log(2)),
        end,
        at,
        np.array([average.value for average in found.simulated])[shown] + at * math.log(2),
        found.rest[shown],
        found.errors[shown],
    )


def _transition(degree: int) -> float:
    """T_g of p = 2, T_K of p > 2."""
    if degree == 2:
        return _freezing()
    (at_one,) = theory.line(_law(degree), line="static", temperatures=[1.0], ansatz=OneStep())
    return math.sqrt(LOAD / (at_one.load or math.nan))


def _freezing() -> float:
    """T at which the hard glass of p = 2 is at its own transition."""

    def excess(T: float) -> float:
        return decompose(_law(2), load=LOAD, temperature=T).hard_temperature - 1

    return float(brentq(excess, 1.2, 4.0, xtol=1e-12))


def _curves(degree: int, panel: Panel) -> list[dict[str, object]]:
    free = panel.temperatures * math.log(2)
    parts = zip(panel.temperatures, panel.hard - free, panel.soft, strict=True)
    return [{"degree": degree, "temperature": T, "hard": hard, "soft": soft} for T, hard, soft in parts]


def _points(degree: int, found: Found) -> list[dict[str, object]]:
    own = {"degree": degree, "neurons": found.network.neurons, "patterns": found.network.patterns}
    readings = zip(found.temperatures, found.simulated, found.hard, found.soft, strict=True)
    return [
        own | {"temperature": T, "free_energy": f.value, "free_energy_err": f.error, "hard": hard, "soft": soft}
        for T, f, hard, soft in readings
    ]


def _rest(degree: int, found: Found) -> Comparison:
    T = COMPARED[degree]
    place = int(np.argmin(np.abs(found.temperatures - T)))
    soft = float(found.soft[place]) if degree == 2 else 0.0
    quantity = f"f less hard glass, p = {degree}, T = {T:g}"
    return Comparison(quantity, soft, float(found.rest[place]), 3 * float(found.errors[place]) + FINITE, ALBANESE)


def _published() -> list[Comparison]:
    cold = decompose(_law(2), load=LOAD, temperature=0.0)
    coupling = math.sqrt(LOAD) * (cold.soft_temperature or math.nan)
    three = theory.solve(_law(3), load=LOAD, temperature=0.0, ansatz=OneStep(), branch="glass")
    lowest = three.energy / normalisations.p_spin_coupling(3, load=LOAD)
    return [
        Comparison("T at which the hard glass of p = 2 freezes", 1 + math.sqrt(LOAD), _freezing(), 1e-9, "AGS 1985"),
        Comparison(
            "energy of the hard glass at T = 0 / J, p = 2, RS",
            -math.sqrt(2 / math.pi),
            cold.hard / coupling,
            1e-9,
            "Sherrington & Kirkpatrick 1975",
        ),
        Comparison("e/J at T = 0, p = 3, 1RSB", -0.8135, lowest, 5e-5, "Ising 3-spin glass, widely quoted"),
    ]
