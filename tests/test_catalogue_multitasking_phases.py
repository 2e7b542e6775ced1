"""Phases of multitasking networks as an entry: its numbers agree, and those of a wrong theory or network do not."""

import matplotlib as mpl
import numpy as np
import pytest

from hopsim import theory
from hopsim.catalogue import Workshop, multitasking_phases
from hopsim.figures import dilution_phases
from hopsim.theory.landscape import Landscape

mpl.use("Agg")

collect = dilution_phases.collect


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("phases")


@pytest.fixture
def workshop(folder, monkeypatch):
    """A quick one with a coarse grid without lines and smaller networks."""
    monkeypatch.setattr(dilution_phases, "LINES", {})
    monkeypatch.setattr(dilution_phases, "collect", lambda patterns, points: collect(patterns=patterns, points=8))
    monkeypatch.setattr(multitasking_phases, "NEURONS", 2000)
    return Workshop(folder, quick=True, workers=1)


def test_all_numbers_agree_and_all_points_are_drawn_and_named(workshop):
    made = multitasking_phases.make(workshop)
    assert [found.quantity for found in made.comparisons if not found.agrees] == []
    simulated = made.data["simulated"]
    assert len(simulated["dilution"]) == 25
    warm = simulated["temperature"] > 1 - simulated["dilution"]
    assert set(simulated["nearest"][warm]) == {b"paramagnet"}
    assert b"paramagnet" not in simulated["nearest"][~warm]
    (ax,) = made.figure.axes
    (points,) = (line for line in ax.get_lines() if line.get_label() == "Monte Carlo")
    np.testing.assert_array_equal(points.get_xdata(), simulated["dilution"][simulated["lowest"]])


def test_a_theory_at_a_tenth_more_temperature_differs(workshop, monkeypatch):
    right = theory.stable_states
    warmer = lambda patterns, dilution, temperature: right(  # noqa: E731
        patterns=patterns, dilution=dilution, temperature=1.1 * temperature
    )
    monkeypatch.setattr(theory, "stable_states", warmer)
    wrong = {found.quantity for found in multitasking_phases.make(workshop).comparisons if not found.agrees}
    assert wrong == {"T_c at K = 3, d = 0.3", "m_1, K = 3, pure at d = 0.15, T = 0.55"}


def test_a_wrong_free_energy_moves_the_line_of_coexistence(monkeypatch):
    free_energy = Landscape.free_energy
    monkeypatch.setattr(Landscape, "free_energy", lambda self, m: free_energy(self, m) + 0.1 * (m**4).sum(axis=-1))
    differs = {found.quantity: not found.agrees for found in multitasking_phases._lines()}
    assert differs["coexistence, K = 3, T = 0"]


def test_dilutions_at_which_the_hierarchy_ends_solve_the_equation_of_the_paper():
    for patterns, dilution in multitasking_phases.END.items():
        assert abs(1 - 2 * dilution + dilution**patterns) < 2e-6
