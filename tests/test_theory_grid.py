"""Grids of retrieval states: what one state after the other gives, and nothing where there is none."""

import numpy as np
import pytest

from hopsim import theory
from hopsim.errors import Refused
from hopsim.interactions import Power, Quadratic, Rectified
from hopsim.networks import Law
from hopsim.patterns import Rademacher
from hopsim.theory import NotConverged, ReplicaSymmetric
from hopsim.theory.grid import retrieval_grid

LAWS = [Law(Quadratic(), Rademacher()), Law(Power(3, "all"), Rademacher()), Law(Rectified(4), Rademacher())]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("patterns", [1, 3])
def test_a_grid_is_its_states(law, patterns):
    ansatz = ReplicaSymmetric(patterns)
    capacity = theory.capacity(law, temperature=0, ansatz=ansatz)
    loads = capacity.load * np.array([1e-6, 0.2, 0.5, 0.8, 1 - 1e-7, 1 + 1e-7, 1.1])
    temperatures = [0.0, 1e-5, 0.1, 0.4, 2.0]
    grid = retrieval_grid(law, loads=loads, temperatures=temperatures, patterns=patterns)
    assert grid.m.shape == grid.q.shape == (5, 7)
    for row, T in enumerate(temperatures):
        for column, load in enumerate(loads):
            try:
                order = theory.solve(law, load=load, temperature=T, ansatz=ansatz).order
            except NotConverged:
                assert grid.m.mask[row, column]
                continue
            found = [values[row, column] for values in (grid.m, grid.q, grid.susceptibility)]
            assert found == pytest.approx([order.m, order.q, order.susceptibility], abs=1e-12)
    assert grid.m.mask[0].tolist() == [False] * 5 + [True] * 2
    assert grid.m.mask[-1].all()
    assert np.isfinite(grid.m.data).all()


def test_wrong_grids_are_refused():
    with pytest.raises(Refused, match="load must be a finite number > 0, got -0.1"):
        retrieval_grid(LAWS[0], loads=[0.1, -0.1], temperatures=[0.1])
    with pytest.raises(Refused, match="temperature must be"):
        retrieval_grid(LAWS[0], loads=[0.1], temperatures=[-0.1])
