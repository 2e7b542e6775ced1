"""Rows of the lines of the retrieval state: T_M, T_c and T_R."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from lines_predictions import RS, below_instability, other_energy, stability
from lines_retrieval import Retrieval
from lines_rows import SAME, SHIFTS, Data, Fit, Row, Samples, column, first, fit, gaps, mean, starts
from lines_runs import Case
from lines_subjects import Subject, other_nodes, retrieval_nodes
from sample_runs import Values
from verify import LIMIT

import hopsim as hs
from hopsim.statistics import disorder_average
from hopsim.theory import Order


def below_spinodal(subject: Subject, case: Case, data: Data) -> list[Row]:
    """m of the metastable state."""
    load, T, _ = subject.spinodal

    def predicted(load: float) -> float:
        return float(RS.order(subject.law, load, T, "retrieval").m)

    theory = predicted(load)
    difference = fit(case, data, partial(first, name="overlap_in", T=0), predicted)
    outside = [1 - float(column(samples, partial(first, name="inside", T=0)).mean()) for samples in data.values()]
    left = ", ".join(f"{part:.1%}" for part in outside) + " left"
    more = (theory, difference, SHIFTS["m"] * theory, "1/N", left, True)
    return [Row(subject, "T_M", "below", load, T, "m", *more)]


def above_spinodal(subject: Subject, case: Case, data: Data) -> list[Row]:
    """m² of the pattern that was left, and the energy."""
    load, cold, T = subject.spinodal
    equilibrated, same = starts(data, 0)
    at_line = hs.theory.line(subject.law, line="spinodal", temperatures=[cold])[0].m or 0.0
    squared = fit(case, data, partial(first, name="overlap2", T=0), lambda load: 0.0)
    theory, glassy = other_energy(subject, T, load), below_instability(subject, T, load)
    power, variable = (2 / 3, "N^(-2/3)") if glassy else (1, "1/N")
    energy = fit(case, data, partial(first, name="energy", T=0), partial(other_energy, subject, T), power=power)
    where = (subject, "T_M", "above", load, T)
    return [
        Row(*where, "m²", 0.0, squared, at_line**2, "1/N", same, equilibrated),
        Row(*where, "e", theory, energy, SHIFTS["e"] * theory, variable, same, equilibrated),
    ]


def crossing(subject: Subject, case: Case, retrieval: Data, other: Data) -> Row:
    """T_c from the free energies of the two states."""
    hot, law, load = subject.crossing, subject.law, case.load
    cold, weights = retrieval_nodes(hot)
    _, other_weights = other_nodes(hot)

    def excess(values: Values) -> float | None:
        inside, outside = values["energy_in"][0], values["energy_out"][1]
        if None in inside or None in outside:
            return None
        energy = np.array(inside) - values["cue"]
        retrieved = energy[0] - hot * float(weights @ ((energy[1:] - energy[0]) / cold**2))
        rest = hot * (float(other_weights @ np.array(outside)) - np.log(2))
        return float(retrieved - rest)

    def states(load: float) -> tuple[Order, Order]:
        return RS.order(law, load, hot, "retrieval"), RS.dominant(law, load, hot)

    def predicted(load: float) -> float:
        retrieved, rest = (RS.free_energy(order, law, load, hot) for order in states(load))
        return retrieved - rest

    both = {
        N: {s: retrieval[N][s] | {"energy_out": other[N][s]["energy_out"]} for s in retrieval[N]} for N in retrieval
    }
    found = fit(case, both, excess, predicted)
    inside, outside = (RS.entropy(order, law, load, hot) for order in states(load))
    slope = -1 / (outside - inside)
    difference = Fit(found.value * slope, found.error * abs(slope), found.chi2, found.sizes, found.samples)
    lost = sum(excess(values) is None for samples in both.values() for values in samples.values())
    more = (hot, difference, SHIFTS["T_c"] * hot, "1/N", f"{lost} lost", True)
    return Row(subject, "T_c", "on it", load, hot, "T_c", *more)


@dataclass(frozen=True)
class Weight:
    """The part of the readings in a retrieval state, by start and size, on one side of T_c."""

    system: Subject
    side: str
    load: float
    temperature: float
    sizes: tuple[int, ...]
    weights: tuple[tuple[float, float], ...]
    error: float
    same: str
    equilibrated: bool

    @property
    def z(self) -> float:
        """Distance of the largest size from an even share, positive on the side that theory says."""
        sign = 1 if self.side == "below" else -1
        return sign * (float(np.mean(self.weights[-1])) - 0.5) / self.error

    @property
    def verdict(self) -> str:
        """What it proves."""
        if not self.equilibrated:
            return "not equilibrated"
        return "ok" if self.z > LIMIT else "**fails**"


def weight(subject: Subject, case: Case, data: Data, side: str) -> Weight:
    """Which state dominates at one end of the ladder."""
    T = 0 if side == "below" else len(case.temperatures) - 1
    ratios = [gaps(samples, T) for samples in data.values()]
    equilibrated, same = max(ratios) < SAME, f"{max(ratios):.1f}"
    by_size = [
        (
            float(column(samples, lambda v: v["retrieved"][0][T]).mean()),
            float(column(samples, lambda v: v["retrieved"][1][T]).mean()),
        )
        for samples in data.values()
    ]
    last = disorder_average(column(data[case.neurons[-1]], partial(mean, name="retrieved", T=T)))
    samples = len(data[case.neurons[-1]])
    error = max(last.error, 1 / samples)  # one sample more or less, where all are alike
    return Weight(
        subject, side, case.load, case.temperatures[T], case.neurons, tuple(by_size), error, same, equilibrated
    )


def instability(case: Retrieval, data: Data) -> Row:
    """A/χ, averaged over samples: the stability above T_R; below it vanishes, critically by N^(-1/3)."""
    load, (T,) = case.load, case.temperatures
    theory = stability(case, T, load)
    side, power, variable = ("above", 1.0, "1/N") if theory > 0 else ("below", 1 / 3, "N^(-1/3)")
    found = fit(case, data, _share, lambda load: max(stability(case, T, load), 0.0), power)
    ratio = max(_gap(samples) for samples in data.values())
    lost = sum(not values["inside"] for samples in data.values() for values in samples.values())
    more = (max(theory, 0.0), found, 1.0, variable, f"{ratio:.1f}; {lost} left", ratio < SAME)
    return Row(case, "T_R", side, load, T, "A/χ", *more)


def _share(values: Values) -> float | None:
    """A/χ, unless a chain left the state or no spin moved."""
    kept = values["inside"] and values["chi"] > 0
    return float(values["diagonal"] / values["chi"]) if kept else None


def _gap(samples: Samples) -> float:
    """|Difference| of the energies of two starts that stayed, in its errors."""
    kept = [values["energy"] for _, values in sorted(samples.items()) if values["inside"]]
    average = disorder_average(np.array([first - second for first, second in kept]))
    return abs(average.value) / average.error
