"""Symmetric mixtures: n patterns retrieved at once with equal overlaps m (Amit, Gutfreund & Sompolinsky 1985, 1987).

The field of a neuron is h = a S + z√v, a = m^(p-1), where S = Σ_μ ξ_μ sums its entries of the n patterns: averages run
over the binomial law of S = ±1, ±3, ..., ±n, and by symmetry over |S|. n = 1 is the retrieval of one pattern.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..errors import Refused, whole
from . import gaussian
from .gaussian import Array

MOST = 99  # patterns: beyond, a mixture is as shallow as the glass


class Answer(NamedTuple):
    """What the neurons answer to a signal a and a noise of variance v, each [...].

    m = <S tanh βh>/n, q = <tanh² βh>, C = β(1-q), and the slopes ∂m/∂a, ∂m/∂v and ∂C/∂v; ∂C/∂a = 2n ∂m/∂v.
    """

    m: Array
    q: Array
    C: Array
    dm_da: Array
    dm_dv: Array
    dc_dv: Array


def checked_patterns(patterns: int) -> int:
    """The number of patterns in a mixture, odd."""
    number = whole("the number of patterns in a mixture", patterns, 1, MOST)
    if number % 2 == 0:
        raise Refused(
            f"a mixture needs an odd number of patterns, got {number}: neurons at which the signs of an even number "
            "cancel have no field, and the mixture is unstable at every temperature"
        )
    return number


@cache
def sums(patterns: int) -> tuple[Array, Array]:
    """(values, probabilities) of |S|."""
    values = np.arange(patterns, 0, -2)
    ways = [math.comb(patterns, k) for k in range(len(values))]
    return values.astype(float), np.array([way / 2 ** (patterns - 1) for way in ways])


def response(patterns: int, signal: ArrayLike, spread: ArrayLike, temperature: float) -> Answer:
    """The averaged answer at temperature T >= 0; signal a and spread √v broadcast to [...]."""
    if patterns == 1:
        single = gaussian.response(signal, spread, temperature)
        return Answer(single.m, single.q, single.C, single.C, single.dm_dv, single.dc_dv)
    values, weights = sums(patterns)
    answer = gaussian.response(np.multiply.outer(signal, values), np.asarray(spread)[..., None], temperature)
    share = values * weights / patterns
    return Answer(
        answer.m @ share,
        answer.q @ weights,
        answer.C @ weights,
        answer.C @ (values * share),
        answer.dm_dv @ share,
        answer.dc_dv @ weights,
    )


def average(
    patterns: int,
    function: Callable[[ArrayLike, ArrayLike, float], Array],
    signal: float,
    spread: float,
    temperature: float,
) -> float:
    """A Gaussian average of `gaussian`, over |S| too."""
    values, weights = sums(patterns)
    return float(function(signal * values, spread, temperature) @ weights)


def anisotropy(patterns: int, signal: float, spread: float, temperature: float) -> float:
    """C + βQ, Q = <ξ_1 ξ_2 tanh² βh>: the answer of the difference of two overlaps to that of their fields."""
    values, weights = sums(patterns)
    C = np.asarray(gaussian.response(signal * values, spread, temperature).C)
    if patterns == 1:
        return float(C @ weights)
    product = (values**2 - patterns) / (patterns * (patterns - 1))  # ξ_1 ξ_2 averaged at given S
    return float(((1 - product) * weights) @ C)
