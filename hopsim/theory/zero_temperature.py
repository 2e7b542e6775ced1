"""Every state of K diluted patterns at T = 0, m = E[ξ sign(ξ·m)], sign(0) = 0, by branch and bound (kernels/signs.py).

A state is a choice of the signs of the (3^K - 1)/2 fields ξ·m that it makes itself. Those of equal and of vanishing
overlaps have fewer fields (strata.py); each stratum is searched on its own, from the signs that x_1 > x_2 > ... > 0
leaves no choice. Nothing is drawn at random: the list is complete, but for fields of 10⁻¹², which count as zero.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import signs
from .fixed_point import NotConverged
from .gaussian import Array
from .landscape import TIE
from .strata import Stratum, compositions, stratum

UNDECIDED = 2
LIGHTEST = 10 * TIE
ROOM = 1_000_000  # states
PATIENCE = 10_000_000_000  # steps of 20 ns
APART = 1e-11  # overlaps of two groups


class Found(NamedTuple):
    """Solutions y[S, r], the steps of the search, and whether they are all."""

    y: Array
    steps: int
    complete: bool


def solutions(patterns: int, dilution: float, patience: int = PATIENCE, stable: bool = False) -> Array:
    """Every solution m[S, K], m_1 ≥ ... ≥ m_K ≥ 0, or the stable ones, in which only all-blank neurons have no field.

    Raises NotConverged, with those it has, if they are more than `ROOM` or the search takes more than `patience` steps.
    """
    whole = stratum((1,) * patterns, dilution, 0.0)
    lightest = whole.weights[_certain(whole) == UNDECIDED].min(initial=1.0)
    if lightest < LIGHTEST:
        raise NotConverged(
            f"the states of {patterns} patterns at dilution {dilution:g}, T = 0 differ by as few as {lightest:.1g} of "
            "the neurons, too few for 16 digits; try another dilution"
        )
    found, ways = [np.zeros((0 if stable else 1, patterns))], 2 if stable else 3
    for total in range(patterns, 0, -1):
        for sizes in compositions(total):  # the one with the most states first
            if stable and dilution > 0 and len(sizes) < patterns:
                continue  # neurons that are blank but for two equal patterns, or one without overlap, have no field
            here = stratum(sizes, dilution, 0.0)
            y, steps, complete = ordered(here, ways, patience)
            found.append(here.overlaps(y, patterns))
            number, patience = sum(map(len, found)), patience - steps
            if not complete or number > ROOM:
                raise NotConverged(
                    f"the states of {patterns} patterns at dilution {dilution:g}, T = 0 are too many to be listed: "
                    f"{number} were found; try fewer patterns or a larger dilution; stable_states lists minima",
                    np.concatenate(found),
                )
    return np.concatenate(found)


def ordered(here: Stratum, ways: int, patience: int) -> Found:
    """The solutions with x_1 > x_2 > ... > 0 in a stratum; of those with a field without sign none if ways = 2."""
    codes, places = _codes(here)
    y, steps, complete = signs.consistent(
        here.forms, here.weights, codes, places, _certain(here), ways, TIE, min(ROOM, patience) + 1, patience
    )
    x = np.hstack([y / np.sqrt(here.sizes), np.zeros((len(y), 1))])
    return Found(y[(np.diff(x, axis=1) < -APART).all(axis=1)], steps, complete)


def _certain(here: Stratum) -> NDArray[np.int8]:
    """The signs of fields that follow from the order: η·x = Σ_k (x_k - x_{k+1}) Σ_{j≤k} η_j."""
    partial = np.cumsum(here.sums, axis=1)
    up, down = (partial >= 0).all(axis=1), (partial <= 0).all(axis=1)
    return np.where(up, 1, np.where(down, -1, UNDECIDED)).astype(np.int8)


def _codes(here: Stratum) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
    """A number for each form, that of a sum the sum of numbers, and the places of forms by their numbers."""
    base = np.cumprod([1, *(4 * size + 1 for size in here.sizes)])  # no carry in a sum of two
    codes, reach = here.sums @ base[:-1], int(base[-1])
    places = np.zeros(2 * reach + 1, dtype=np.int16)
    places[reach + codes] = np.arange(1, len(codes) + 1)
    places[reach - codes] = -np.arange(1, len(codes) + 1)
    return codes, places
