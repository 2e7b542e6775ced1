"""Phase diagrams: the lines are those asked for one by one, run to their ends; the names stand in their phases."""

import itertools
import json
import math

import numpy as np
import pytest
from scipy.integrate import quad

from hopsim import theory
from hopsim.cli import main
from hopsim.errors import Refused
from hopsim.figures import phase_diagram as figure
from hopsim.interactions import Power, Quadratic
from hopsim.networks import Law
from hopsim.patterns import Rademacher

HOPFIELD = Law(Quadratic(), Rademacher())
CUBIC = Law(Power(3, "distinct"), Rademacher())
QUARTIC = Law(Power(4, "all"), Rademacher())


@pytest.fixture(scope="module")
def diagram():
    return theory.phase_diagram(HOPFIELD, points=8)


def test_lines_are_those_asked_for_one_by_one(diagram):
    assert set(diagram.lines) == {"spinodal", "coexistence", "stability", "glass"}
    for name, points in diagram.lines.items():
        assert np.all(np.diff([point.temperature for point in points]) > 0)
        one = points[len(points) // 2]
        assert theory.line(HOPFIELD, line=name, temperatures=[one.temperature]) == [one]


def test_lines_run_to_their_ends(diagram):
    lines = diagram.lines
    assert lines["spinodal"][0].load == theory.capacity(HOPFIELD, temperature=0).load
    assert lines["coexistence"][-1].temperature > 0.99  # T_c, like T_M, ends at α = 0 and T = 1
    assert lines["coexistence"][0].load < lines["spinodal"][0].load
    assert lines["glass"][-1].load == pytest.approx(diagram.largest_load, rel=1e-9)


def test_replica_symmetry_of_retrieval_ends_with_retrieval(diagram):
    """At the end of the line its load is that of the spinodal, and the de Almeida-Thouless sum, by quadrature, is 1."""
    end = diagram.lines["stability"][-1]
    T, load = end.temperature, end.load
    assert load == pytest.approx(theory.capacity(HOPFIELD, temperature=T).load, rel=2e-3)
    order = theory.solve(HOPFIELD, load=load, temperature=T).order
    spread, C = math.sqrt(load * order.r), (1 - order.q) / T

    def integrand(z):
        h = min(abs(order.m + spread * z) / T, 100.0)
        return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / math.cosh(h) ** 4

    kink = -order.m / spread
    pieces = (-9, kink - 0.5, kink, kink + 0.5, 9)
    sech4 = sum(quad(integrand, *piece, epsabs=1e-13)[0] for piece in itertools.pairwise(pieces))
    assert load / (T * (1 - C)) ** 2 * sech4 == pytest.approx(1, abs=1e-4)


def test_dense_lines_start_at_finite_temperature():
    """At zero load retrieval of p = 4 appears where m = tanh(m³/T) and dominates where its free energy is -T ln 2."""
    lines = theory.phase_diagram(QUARTIC, points=8).lines
    y = np.linspace(0.01, 6, 100_001)
    hottest = (np.tanh(y) ** 3 / y).max()
    assert 0.9 * hottest < lines["spinodal"][-1].temperature < hottest
    m = np.tanh(y)
    below = 0.75 * m**4 - m**3 / y * np.log(2 * np.cosh(y)) < -(m**3) / y * math.log(2)
    dominates = (m**3 / y)[below].max()
    assert lines["coexistence"][-1].temperature == pytest.approx(dominates, rel=5e-3)


def test_one_step_adds_the_transitions_of_the_glass():
    one_step = theory.OneStep()
    diagram = theory.phase_diagram(CUBIC, ansatz=one_step, points=4)
    for name, transition in zip(("dynamic", "static"), one_step.transition(CUBIC), strict=True):
        for point in diagram.lines[name]:
            assert point.temperature == pytest.approx(transition * math.sqrt(point.load), rel=1e-9)
    symmetric = theory.phase_diagram(CUBIC, points=4)
    assert not {"dynamic", "static", "glass"} & set(symmetric.lines)
    # what RS gets wrong at low temperature: retrieval reaches further, and dominates further
    for name in ("spinodal", "coexistence"):
        assert diagram.lines[name][0].load > 1.1 * symmetric.lines[name][0].load


def test_names_stand_in_their_phases(diagram):
    data = figure.collect(HOPFIELD, diagram, "RS")
    names = {name: (load, temperature) for name, load, temperature in data.names}
    assert set(names) == {"retrieval", "metastable\nretrieval", "spin glass", "paramagnet"}
    spinodal, coexistence = (
        theory.line(HOPFIELD, line=line, temperatures=[names["metastable\nretrieval"][1]])[0].load
        for line in ("spinodal", "coexistence")
    )
    assert coexistence < names["metastable\nretrieval"][0] < spinodal
    load, temperature = names["paramagnet"]
    assert temperature > 1 + math.sqrt(load)


def test_the_figure_has_every_line(diagram):
    axes = figure.draw(figure.collect(HOPFIELD, diagram, "RS")).axes[0]
    assert len(axes.lines) == len(diagram.lines)
    assert axes.get_xlim()[1] == pytest.approx(diagram.largest_load)


def test_too_few_points_are_refused():
    with pytest.raises(Refused, match="points must be an integer >= 3, got 2"):
        theory.phase_diagram(HOPFIELD, points=2)


def test_the_command_writes_figure_and_numbers(tmp_path, capsys):
    out = tmp_path / "p.png"
    assert main(["theory", "diagram", "--network", "hopfield", "--out", str(out), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["lines"]["spinodal"][0]["load"] == pytest.approx(0.137905566, abs=5e-10)
    assert set(printed["lines"]["glass"][0]) == {"temperature", "load", "low", "high", "m", "converged"}
    assert out.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--network rectified --degree 3 --indices all --temperature 0", "--indices is for --network dense"),
        ("--network rectified --temperature 0", "--network rectified needs --degree P"),
        ("--network hopfield --mixture 3 --ansatz 1rsb --temperature 0", "--mixture 3 needs --ansatz rs"),
        ("--network hopfield --mixture 2 --temperature 0", "2"),
    ],
)
def test_wrong_requests_are_refused(capsys, arguments, message):
    assert main(["theory", "capacity", *arguments.split()]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "low", "high"),
    [
        ("--network hopfield --ansatz 1rsb", 0.138186, 0.138187),  # Steffan & Kühn (1994), digits cut
        ("--network hopfield --mixture 3", 0.025, 0.035),  # mixtures below 0.03 (Amit, Gutfreund & Sompolinsky 1987)
    ],
)
def test_published_capacities_at_the_command_line(capsys, arguments, low, high):
    assert low < capacity_at_zero_temperature(capsys, arguments) < high


def test_the_capacity_of_a_rectified_network_at_the_command_line(capsys):
    """At T = 0 it is twice that of x^p: half of the noise is gone, ζ'(1) = E[F'²] with F' on one half-line."""
    full = capacity_at_zero_temperature(capsys, "--network dense --degree 3 --indices all")
    assert capacity_at_zero_temperature(capsys, "--network rectified --degree 3") == pytest.approx(2 * full, rel=1e-9)


def capacity_at_zero_temperature(capsys, arguments):
    assert main(["theory", "capacity", *arguments.split(), "--temperature", "0", "--json"]) == 0
    return json.loads(capsys.readouterr().out)["load"]


def test_a_broken_state_at_the_command_line(capsys):
    arguments = "theory point --network hopfield --load 0.138 --temperature 0.01 --ansatz 1rsb --json"
    assert main(arguments.split()) == 0
    state = json.loads(capsys.readouterr().out)
    assert 0 < state["q0"] < state["q1"] < 1
    assert 0 < state["x"] < 1
    assert {"m", "r0", "r1", "free_energy", "energy", "entropy", "stability", "converged", "residual"} <= set(state)
