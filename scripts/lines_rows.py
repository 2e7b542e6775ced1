"""One comparison a row: averages over samples at N → ∞, against theory and against a theory that is wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from judging import Judged
from lines_runs import Case, Floats
from lines_studies import Study
from sample_runs import Values
from verify import Extrapolation, extrapolate

from hopsim.networks import Law
from hopsim.statistics import Average, disorder_average

SHIFTS = {"m": 1.02, "T_c": 1.05, "e": 1.1, "q": 1.2, "N<q²>": 1.2}  # to a theory that is wrong; others: see there
SAME, RESOLVED = 4.0, 0.02  # of two starts: errors of the difference, and error relative to the energy
BAD = 3.0  # χ² per degree of freedom


class System(Protocol):
    """Whatever has a law."""

    @property
    def degree(self) -> int: ...

    @property
    def indices(self) -> str: ...

    @property
    def law(self) -> Law: ...


@dataclass(frozen=True)
class Fit(Extrapolation):
    """An extrapolation, the sizes that it uses and the least number of samples of any."""

    sizes: tuple[int, ...]
    samples: int


@dataclass(frozen=True)
class Row(Judged):
    """One observable on one side of one line; `same` says how the starts compare, "" where only one can be there."""

    system: System
    line: str
    side: str
    load: float
    temperature: float
    symbol: str
    theory: float
    difference: Fit
    alternative: float
    variable: str
    same: str
    equilibrated: bool

    @property
    def verdict(self) -> str:
        """What it proves."""
        return self.judged(self.equilibrated)


Samples = dict[int, Values]
Data = dict[int, Samples]


def column(samples: Samples, function: Callable[[Values], float | None]) -> Floats:
    """A function of the values of every sample, those left out in which it is None."""
    found = [function(samples[sample]) for sample in sorted(samples)]
    return np.array([value for value in found if value is not None], dtype=float)


def first(values: Values, name: str, T: int) -> float | None:
    """A column of the pattern start at a temperature."""
    return values[name][0][T]  # type: ignore[no-any-return]


def pairs(values: Values, name: str, T: int) -> float:
    """A column of all pairs of chains at a temperature."""
    return float(values[name][T])


def mean(values: Values, name: str, T: int) -> float:
    """A column averaged over both starts at a temperature."""
    return float(np.mean([of_start[T] for of_start in values[name]]))


def gap(values: Values, T: int) -> float:
    """Energy from the pattern less that from random states."""
    return float(values["energy"][0][T] - values["energy"][1][T])


def gaps(samples: Samples, T: int) -> float:
    """The |difference| of the energies of two starts, in its errors."""
    difference = disorder_average(column(samples, partial(gap, T=T)))
    return abs(difference.value) / difference.error


def starts(data: Data, T: int) -> tuple[bool, str]:
    """Whether both starts have one energy at every size, and the largest |difference| in its errors."""
    errors = [disorder_average(column(samples, partial(gap, T=T))).error for samples in data.values()]
    scales = [abs(column(samples, partial(mean, name="energy", T=T)).mean()) for samples in data.values()]
    resolved = all(error < RESOLVED * scale for error, scale in zip(errors, scales, strict=True))
    ratio = max(gaps(samples, T) for samples in data.values())
    return resolved and ratio < SAME, f"{ratio:.1f}" if resolved else f"{ratio:.1f}, coarse"


def fit(
    case: Case | Study,
    data: Data,
    function: Callable[[Values], float | None],
    predicted: Callable[[float], float],
    power: float = 1.0,
    scaled: bool = False,
) -> Fit:
    """The extrapolated difference of a function (times N if scaled) from its prediction at the realised loads."""
    averages = {}
    for N, samples in data.items():
        found, unit = disorder_average(column(samples, function)), N if scaled else 1
        averages[N] = Average(found.value * unit - predicted(case.compared(N)), found.error * unit)
    return extrapolated(averages, data, power)


def extrapolated(differences: dict[int, Average], data: Data, power: float = 1.0) -> Fit:
    """Differences by size, made of these samples, at N → ∞, linear in N^-power.

    Small sizes are left out while χ² per degree of freedom is above BAD and more than three are left.
    """
    neurons = np.array(list(differences), dtype=float)
    values, errors = np.array(list(differences.values())).T
    for left_out in range(max(neurons.size - 3, 0) + 1):
        kept = slice(left_out, None)
        best = extrapolate(neurons[kept] ** power, values[kept], errors[kept], order=1)
        if best.chi2 < BAD:
            break
    samples = min(len(of_size) for of_size in data.values())
    return Fit(best.value, best.error, best.chi2, tuple(differences)[left_out:], samples)
