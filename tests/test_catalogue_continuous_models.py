"""models-abc: the load at which model B loses a pattern, and a figure of three columns."""

import numpy as np
import pytest

from hopsim.catalogue import models_abc
from hopsim.catalogue.models_abc import softmax_spinodal
from hopsim.figures import models_abc as figure
from hopsim.figures.models_abc import Curve, Panel, Path
from hopsim.statistics import Average
from hopsim.theory import random_energy


@pytest.mark.parametrize("beta", [0.2, 0.5, 1.5])
def test_model_b_loses_a_pattern_at_the_random_energy_threshold_for_many_neurons(beta: float) -> None:
    threshold = random_energy.retrieval_threshold(random_energy.BINARY, sharpness=beta, overlap=1.0)
    off = [threshold - softmax_spinodal(neurons=N, beta=beta, least=0.5) for N in (10**3, 10**4, 10**5)]
    assert off[0] > off[1] > off[2] > 0
    assert off[2] < 3 * np.log(10**5) / 10**5  # ln N / N


def test_spinodal_is_the_end_of_the_fixed_points() -> None:
    """Iterating u = w + (1-w) tanh βu from u = 1 stays near 1 just below the load, and leaves it just above."""
    N, beta = 60, 0.5
    spinodal = softmax_spinodal(neurons=N, beta=beta, least=0.5)
    for load, stays in ((spinodal - 1e-3, True), (spinodal + 1e-3, False)):
        u = 1.0
        for _ in range(5000):
            w = 1 / (1 + np.exp(N * (load - beta * u + np.log(np.cosh(beta * u)))))
            u = w + (1 - w) * np.tanh(beta * u)
        assert (u > 0.5) == stays


def test_figure() -> None:
    times = np.linspace(0, 1, 5)
    paths = [Path(adiabatic, cue, times, -times, times) for adiabatic in (False, True) for cue in (0.5, 0.7)]
    curves = [Curve("N", times, [Average(1 - t, 0.1) for t in times], 0.5)]
    drawn = figure.draw([Panel(title, "p", "load", paths, curves) for title in "ABC"])
    axes = drawn.get_axes()
    assert [ax.get_title() for ax in axes[:3]] == ["A", "B", "C"]
    assert len(axes) == 9
    assert all(len(ax.get_lines()) == 4 for ax in axes[:6])


def test_exact_comparisons_agree() -> None:
    assert all(one.agrees for one in (models_abc._attention(), models_abc._spherical(), *models_abc._energies()))
