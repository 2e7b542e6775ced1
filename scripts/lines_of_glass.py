"""Rows of the lines of the m = 0 states: T_g, T_K and T_d."""

from functools import partial

import numpy as np
from lines_enumeration import Enumeration
from lines_ladders import Ladders
from lines_planting import Planted
from lines_predictions import (
    ONE,
    annealed_energy,
    glass_line,
    other_energy,
    random_field,
    similarity,
    spread,
    state_overlap,
    susceptibility,
    symmetric_energy,
)
from lines_rows import SAME, SHIFTS, Data, Row, column, extrapolated, fit, mean, pairs, starts
from lines_runs import Case, Floats
from lines_subjects import Subject
from sample_runs import Values

from hopsim.statistics import disorder_average

JUST_BELOW = 1.0001  # of T_d, in the load


def above_glass(subject: Subject, case: Case, data: Data) -> list[Row]:
    """N<q²>, or q in a random field, and the energy at both temperatures."""
    rows = []
    load, *temperatures = subject.glass
    line = glass_line(subject)
    field = random_field(subject)
    for k, T in enumerate(temperatures):
        equilibrated, same = starts(data, k)
        rest = ("1/N", same, equilibrated)
        name, predicted = ("q", similarity) if field else ("q2", susceptibility)
        theory = predicted(subject, T, load)
        found = fit(case, data, partial(pairs, name=name, T=k), partial(predicted, subject, T), scaled=not field)
        symbol = "q" if field else "N<q²>"
        rows.append(Row(subject, line, "above", load, T, symbol, theory, found, SHIFTS[symbol] * theory, *rest))
        theory = other_energy(subject, T, load)
        found = fit(case, data, partial(mean, name="energy", T=k), partial(other_energy, subject, T))
        rows.append(Row(subject, line, "above", load, T, "e", theory, found, SHIFTS["e"] * theory, *rest))
    return rows


def below_glass(subject: Subject, case: Case, data: Data) -> list[Row]:
    """Energy and <q²> of one-step breaking."""
    load, T = subject.glass[0], subject.frozen[0]
    equilibrated, same = starts(data, 0)
    line = glass_line(subject)
    rows = []
    unbroken = symmetric_energy(subject, T, load), similarity(subject, T, load) ** 2
    wrong = unbroken if random_field(subject) else (SHIFTS["e"] * other_energy(subject, T, load), 0.0)
    for symbol, function, predicted, alternative in (
        ("e", partial(mean, name="energy", T=0), other_energy, wrong[0]),
        ("<q²>", partial(pairs, name="q2", T=0), spread, wrong[1]),
    ):
        theory = predicted(subject, T, load)
        found = fit(case, data, function, partial(predicted, subject, T), power=2 / 3)
        more = (theory, found, alternative, "N^(-2/3)", same, equilibrated)
        rows.append(Row(subject, line, "below", load, T, symbol, *more))
    return rows


def _later(values: Values, name: str, T: int) -> float:
    """The second half of a run, over the starts where there are two."""
    quarters = np.array(values[name])
    return float(quarters[..., 2:, T].mean())


def _drift(values: Values, name: str, T: int) -> float:
    """The last quarter less the second."""
    quarters = np.array(values[name])[..., T]
    return float((quarters[..., 3] - quarters[..., 1]).mean())


def _apart(values: Values, T: int) -> float:
    """Energy from the pattern less that from a random state, in the second half."""
    first, second = np.array(values["energy"])[:, 2:, T].mean(axis=1)
    return float(first - second)


def _ratio(found: Floats) -> float:
    """|mean| in its errors."""
    average = disorder_average(found)
    return abs(average.value) / average.error


def settled(data: Data, T: int) -> tuple[bool, str]:
    """Whether starts agree and nothing drifts at any size: the largest ratios of starts, drift of e and of <q²>."""
    worst = [
        max(_ratio(column(samples, test)) for samples in data.values())
        for test in (
            partial(_apart, T=T),
            partial(_drift, name="energy", T=T),
            partial(_drift, name="q2", T=T),
        )
    ]
    return max(worst) < SAME, "; ".join(f"{ratio:.1f}" for ratio in worst)


def frozen(ladders: Ladders, data: Data, enumeration: Enumeration, exact: Data) -> list[Row]:
    """Energy and <q²> below a glass line: of all states at small sizes, by long replica exchange at large ones."""
    load, T = ladders.load, ladders.temperatures[0]
    equilibrated, same = settled(data, 0)
    line, power, variable = ("T_K", 1.0, "1/N") if ONE.transition(ladders.law) else ("T_g", 2 / 3, "N^(-2/3)")
    rows = []
    for symbol, name, predicted, alternative in (
        ("e", "energy", other_energy, annealed_energy(ladders, T, load)),
        ("<q²>", "q2", spread, 0.0),
    ):
        theory = predicted(ladders, T, load)
        averages = {N: column(samples, partial(pairs, name=name, T=0)) for N, samples in exact.items()}
        averages |= {N: column(samples, partial(_later, name=name, T=0)) for N, samples in data.items()}
        differences = {N: disorder_average(found - theory) for N, found in averages.items()}
        found = extrapolated(differences, data, power)
        more = (theory, found, alternative, variable, same, equilibrated)
        rows.append(Row(ladders, line, "below", load, T, symbol, *more))
    return rows


def planted(case: Planted, data: Data) -> Row:
    """The overlap with an equilibrium start: q1 below T_d, 0 above, where it would jump to q1 at the line."""
    load, (T,) = case.load, case.temperatures
    dynamic, _ = ONE.transition(case.law) or (0.0, 0.0)
    if dynamic * load**0.5 > T:
        theory = state_overlap(case, T, load)
        side, alternative, equilibrated = "below", SHIFTS["q"] * theory, True
        averages = {N: column(samples, lambda v: v["q_in"]) for N, samples in data.items()}
        left = [1 - float(column(samples, lambda v: v["inside"]).mean()) for samples in data.values()]
        same = ", ".join(f"{part:.1%}" for part in left) + " left"
    else:
        theory, side, alternative = 0.0, "above", state_overlap(case, T, (JUST_BELOW * T / dynamic) ** 2)
        averages = {N: column(samples, lambda v: v["q"][-1]) for N, samples in data.items()}
        ratio = max(_ratio(column(samples, _last_gap)) for samples in data.values())
        same, equilibrated = f"{ratio:.1f}", ratio < SAME
    found = extrapolated({N: disorder_average(values - theory) for N, values in averages.items()}, data)
    return Row(case, "T_d", side, load, T, "q", theory, found, alternative, "1/N", same, equilibrated)


def _last_gap(values: Values) -> float:
    """Energy from the planted state less that from a random one, in the last eighth."""
    return float(values["energy"][0][-1] - values["energy"][1][-1])
