"""Networks: laws by name, loads as realised, exact overlaps, what cannot be and what the message then says."""

import math

import naive
import numpy as np
import pytest

from hopsim import networks, representations
from hopsim.errors import Refused
from hopsim.interactions import SHARPNESS_RANGE, Exponential, LogSumExp, Power, Quadratic, Rectified
from hopsim.networks import Law, Network, Quenched
from hopsim.patterns import Biased, Diluted, Rademacher, Stored
from hopsim.rng import Purpose, stream

LAWS = [
    (networks.hopfield, {}, Law(Quadratic(), Rademacher())),
    (networks.dense, {"degree": 2, "indices": "all"}, Law(Quadratic(), Rademacher())),
    (networks.dense, {"degree": 2, "indices": "distinct"}, Law(Quadratic(), Rademacher())),
    (networks.dense, {"degree": 3, "indices": "distinct"}, Law(Power(3, "distinct"), Rademacher())),
    (networks.dense, {"degree": 4, "indices": "all"}, Law(Power(4, "all"), Rademacher())),
    (networks.rectified, {"degree": 3}, Law(Rectified(3), Rademacher())),
    (networks.exponential, {}, Law(Exponential(), Rademacher())),
    (networks.log_sum_exp, {"sharpness": 0.5}, Law(LogSumExp(0.5), Rademacher())),
    (networks.multitasking, {"dilution": 0.3}, Law(Quadratic(), Diluted(0.3))),
]
ONES = np.ones((3, 2), dtype=np.int8)


@pytest.mark.parametrize(("make", "arguments", "law"), LAWS)
def test_a_name_stands_for_a_law(make, arguments, law):
    network = make(neurons=20, patterns=5, **arguments)
    assert network == Network(law, 20, 5)
    assert hash(network) == hash(Network(law, 20, 5))


@pytest.mark.parametrize(("make", "arguments", "law"), LAWS)
def test_load_gives_the_nearest_number_of_patterns_and_is_then_realised(make, arguments, law):
    exponent = getattr(law.interaction, "degree", None)
    for load in (0.07, 0.138):
        network = make(neurons=30, load=load, **arguments)
        exact = load * 30 ** (exponent - 1) if exponent else math.exp(load * 30)
        assert abs(network.patterns - exact) <= 0.5
        realised = network.patterns / 30 ** (exponent - 1) if exponent else math.log(network.patterns) / 30
        assert network.load == pytest.approx(realised, rel=1e-15)
        assert make(neurons=30, load=network.load, **arguments) == network


def test_another_ensemble():
    law = networks.dense(neurons=10, degree=3, indices="all", patterns=2, ensemble=Biased(0.2)).law
    assert law == Law(Power(3, "all"), Biased(0.2))


def test_quenching_draws_the_patterns_of_the_ensemble():
    network = networks.multitasking(neurons=12, dilution=0.3, patterns=4)
    quenched = network.quench(stream(1, 2, Purpose.DISORDER))
    np.testing.assert_array_equal(quenched.patterns, Diluted(0.3).draw(12, 4, stream(1, 2, Purpose.DISORDER)))
    with pytest.raises(ValueError, match="read-only"):
        quenched.patterns[0, 0] = 1


@pytest.mark.parametrize("K", [3, 2**16 - 1, 2**16, 2**16 + 5])
def test_overlaps_are_exact_across_blocks_of_patterns_and_for_leading_axes(K):
    rng = np.random.default_rng(2)
    quenched = naive.quenched(LogSumExp(1.0), rng.choice((-1, 0, 1), (5, K)))
    spins = rng.choice((-1, 1), (2, 3, 5)).astype(np.int8)
    overlaps = quenched.overlaps(spins)
    assert overlaps.dtype == np.int32
    np.testing.assert_array_equal(overlaps, spins.astype(int) @ quenched.patterns.astype(int))
    np.testing.assert_array_equal(quenched.overlaps(spins[1, 2]), overlaps[1, 2])


def test_energy_of_a_trace_is_the_energy_of_its_states():
    rng = np.random.default_rng(3)
    for interaction in (Quadratic(), Power(3, "all"), Rectified(2), LogSumExp(0.5)):
        quenched = naive.quenched(interaction, rng.choice((-1, 1), (9, 4)))
        overlaps = quenched.overlaps(rng.choice((-1, 1), (6, 9)).astype(np.int8))
        energies = quenched.energy_density(overlaps)
        assert energies.shape == (6,)
        np.testing.assert_array_equal(energies, [float(quenched.energy_density(row)) for row in overlaps])


def test_couplings_are_hebbian_without_diagonal():
    quenched = naive.quenched(Quadratic(), np.random.default_rng(4).choice((-1, 0, 1), (11, 6)))
    patterns = quenched.patterns.tolist()
    expected = [
        [0 if i == j else sum(x * y for x, y in zip(a, b, strict=True)) for j, b in enumerate(patterns)]
        for i, a in enumerate(patterns)
    ]
    assert representations.couplings(quenched.levels, quenched.patterns).couplings.tolist() == expected


@pytest.mark.parametrize("interaction", naive.POLYNOMIALS, ids=repr)
def test_the_table_holds_every_possible_difference(interaction):
    quenched = naive.quenched(interaction, np.array([[1, 1, 0], [1, 0, 0], [-1, -1, 0], [1, 1, 0], [1, 0, 0]]))
    levels, N = quenched.levels, 5
    for mu, size in enumerate((5, 3, 0)):
        for M in range(-size + 2, size + 1, 2):
            agree = (size + M) // 2
            here = naive.gain(interaction, [1] * agree + [-1] * (size - agree))
            below = naive.gain(interaction, [1] * (agree - 1) + [-1] * (size - agree + 1))
            assert levels.drop[levels.rows[mu], M + N] == here - below


def test_sixty_four_bits_are_used_to_their_end():
    """The largest difference of one pattern is N^p - (N-2)^p: taken up to K of them below 2^63, refused above."""
    N, p = 1000, 6
    K = (2**63 - 1) // (N**p - (N - 2) ** p)
    for patterns, fits in ((K, True), (K + 1, False)):
        quenched = networks.dense(neurons=N, degree=p, indices="all", patterns=patterns).quench(
            np.random.default_rng(0)
        )
        if fits:
            assert quenched.representation.drop.max() == N**p - (N - 2) ** p
        else:
            with pytest.raises(Refused, match="overflows 64-bit"):
                _ = quenched.representation


def test_degree_eight_at_a_thousand_neurons_overflows_with_all_indices_only():
    def quench(indices):
        network = networks.dense(neurons=1000, degree=8, indices=indices, patterns=3)
        return network.quench(np.random.default_rng(0))

    message = r'1000 with .*3.* overflows 64-bit .* lower neurons, .* or degree, or use indices = "distinct"'
    with pytest.raises(Refused, match=message):
        _ = quench("all").representation
    assert quench("distinct").representation.drop.max() > 0


@pytest.mark.parametrize("sharpness", [SHARPNESS_RANGE[0], 5.0, 100.0, SHARPNESS_RANGE[1]])
def test_any_sharpness_that_is_accepted_can_be_moved_on(sharpness):
    """At large λ the energy is -max_μ M_μ (λ -> ∞): a step towards the nearest pattern is taken."""
    quenched = naive.quenched(LogSumExp(sharpness), np.ones((6, 1)))
    spins = np.array([1, 1, 1, 1, 1, -1], dtype=np.int8)
    overlaps, no_trace = quenched.overlaps(spins), (np.empty((0, 6), np.int8), np.empty((0, 1), np.int32))
    order, thresholds = np.arange(6, dtype=np.int32)[None], np.zeros((1, 6), dtype=np.float32)
    assert naive.move(quenched.representation, spins, overlaps, order, thresholds, False, 0, 0, *no_trace) == 1
    assert spins.tolist() == [1] * 6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: networks.hopfield(neurons=100), "needs either load or patterns, got neither"),
        (lambda: networks.hopfield(neurons=100, load=0.1, patterns=10), "needs either load or patterns, got both"),
        (
            lambda: networks.hopfield(neurons=100, load=0.001),
            r"load 0\.001 gives no pattern at N = 100; .* is load 0\.01",
        ),
        (lambda: networks.hopfield(neurons=100, load=0.0), r"load must be a number > 0 .*, got 0\.0"),
        (lambda: networks.hopfield(neurons=100, load=-0.1), r"load must be a number > 0 .*, got -0\.1"),
        (lambda: networks.hopfield(neurons=100, load=math.nan), "load must be a finite number, got nan"),
        (lambda: networks.hopfield(neurons=100, load=math.inf), "load must be a finite number, got inf"),
        (lambda: networks.hopfield(neurons=100, patterns=0), "patterns must be an integer from 1 to 2147483647, got 0"),
        (lambda: networks.hopfield(neurons=1, patterns=1), "neurons must be an integer from 2 to 2147483647, got 1"),
        (lambda: networks.hopfield(neurons=10.5, patterns=1), r"neurons must be an integer >= 2, got 10\.5"),
        (lambda: networks.hopfield(neurons=True, patterns=1), "neurons must be an integer >= 2, got True"),
        (
            lambda: networks.dense(neurons=10, degree=1, indices="all", patterns=2),
            "degree must be an integer from 3 to 100, got 1",
        ),
        (lambda: networks.dense(neurons=10, degree=3, indices="every", patterns=2), "got 'every'"),
        (lambda: networks.dense(neurons=10, degree=2, indices="every", patterns=2), "got 'every'"),
        (
            lambda: networks.rectified(neurons=10, degree=1, patterns=2),
            "degree must be an integer from 2 to 100, got 1",
        ),
        (lambda: networks.log_sum_exp(neurons=10, sharpness=-1, patterns=2), "sharpness from 1e-06 to 300, got -1"),
        (lambda: networks.multitasking(neurons=10, dilution=1.5, patterns=2), r"dilution < 1, got 1\.5"),
        (
            lambda: networks.hopfield(neurons=4, patterns=2, ensemble=Stored(ONES)),
            "have 3 entries each, got neurons = 4",
        ),
        (
            lambda: networks.hopfield(neurons=3, patterns=3, ensemble=Stored(ONES)),
            "2 patterns are stored .* got patterns = 3",
        ),
        (lambda: Quenched(networks.hopfield(neurons=3, patterns=3), ONES), r"shape \(3, 3\), got \(3, 2\)"),
    ],
)
def test_refusals_name_the_thing_the_value_and_the_way_out(make, message):
    with pytest.raises(Refused, match=message):
        make()
