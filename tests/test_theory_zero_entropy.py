"""Zeros of the entropy against closed forms and the sign on either side."""

import math

import pytest

from hopsim import theory
from hopsim.errors import Refused
from hopsim.interactions import Power, Quadratic
from hopsim.networks import Law
from hopsim.patterns import Rademacher
from hopsim.theory import NotConverged, crosstalk
from hopsim.theory.zero_entropy import zero_entropy

HOPFIELD = Law(Quadratic(), Rademacher())
SK = crosstalk.Mixed(3, (0.0, 0.0, 0.5))


@pytest.mark.parametrize("degree", [3, 4, 6])
@pytest.mark.parametrize("load", [1e-3, 0.3])
def test_glass_without_order(degree, load):
    """Pure glass at q = 0: ln 2 = αζ̂(1)/2T²."""
    law = Law(Power(degree, "distinct"), Rademacher())
    T = math.sqrt(load * math.factorial(degree - 1) / degree / (2 * math.log(2)))
    assert zero_entropy(law, load=load, branch="paramagnet").temperature == pytest.approx(T, rel=1e-9)


@pytest.mark.parametrize("load", [0.05, 0.04])
def test_retrieval_at_small_load(load):
    """s = π²Tρ/6 - αC²/4 with C = 2ρ = √(2/πα) exp(-1/2α): T = 3αC/π², well below T_R = 2αC/3 (AGS 1987)."""
    C = math.sqrt(2 / (math.pi * load)) * math.exp(-1 / (2 * load))
    T = zero_entropy(HOPFIELD, load=load, branch="retrieval").temperature
    assert pytest.approx(3 * load * C / math.pi**2, rel=0.02) == T
    assert theory.solve(HOPFIELD, load=load, temperature=T).stability < 0


@pytest.mark.parametrize(
    ("law", "load", "branch"), [(HOPFIELD, 0.13, "retrieval"), (HOPFIELD, 0.13, "glass"), (SK, 1.0, "glass")]
)
def test_entropy_changes_sign(law, load, branch):
    zero = zero_entropy(law, load=load, branch=branch)
    entropies = [theory.solve(law, load=load, temperature=T, branch=branch).entropy for T in (zero.low, zero.high)]
    assert entropies[0] < 0 <= entropies[1]
    assert zero.high - zero.low < 1e-8 * zero.temperature


def test_no_zero():
    with pytest.raises(NotConverged, match="no zero at load 0.05"):
        zero_entropy(HOPFIELD, load=0.05, branch="paramagnet")
    with pytest.raises(Refused, match="branch must be one of"):
        zero_entropy(HOPFIELD, load=0.05, branch="spin glass")
