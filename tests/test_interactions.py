"""Interactions: G(M) against sums over index tuples, the published polynomials, units, the zero of energy, loads."""

import itertools
import math
from fractions import Fraction

import naive
import numpy as np
import pytest

from hopsim.errors import Refused
from hopsim.interactions import CATALOGUE, Exponential, LogSumExp, Polynomial, Power, Quadratic, Rectified

SIZES = range(11)


def products_with(overlap, size):
    agree = (size + overlap) // 2
    return [1] * agree + [-1] * (size - agree)


def overlaps_of(size):
    return range(-size, size + 1, 2)


def over_index_tuples(interaction, products):
    """G as the papers write it, index by index; None where there are too many tuples to visit."""
    match interaction:
        case Quadratic():
            return -sum(x != y for x, y in itertools.combinations(products, 2))
        case Power(degree=p, indices="distinct"):
            return sum(map(math.prod, itertools.combinations(products, p)))
        case Power(degree=p):
            return sum(map(math.prod, itertools.product(products, repeat=p))) if len(products) ** p < 10_000 else None
        case Rectified(degree=p):
            return sum(products) ** p if sum(products) > 0 else 0


def test_every_interaction_is_in_the_cases():
    assert {type(case) for case in (*naive.POLYNOMIALS, *naive.EXPONENTIALS)} == set(CATALOGUE)


@pytest.mark.parametrize("interaction", naive.POLYNOMIALS, ids=repr)
def test_value_equals_the_sum_over_index_tuples(interaction):
    for size in SIZES:
        for M in overlaps_of(size):
            products = products_with(M, size)
            literal = over_index_tuples(interaction, products)
            assert interaction.value(M, size) == naive.gain(interaction, products)
            assert literal is None or literal == naive.gain(interaction, products)


@pytest.mark.parametrize("interaction", naive.POLYNOMIALS, ids=repr)
def test_values_list_every_possible_overlap(interaction):
    for size in SIZES:
        assert interaction.values(size) == [interaction.value(M, size) for M in overlaps_of(size)]


@pytest.mark.parametrize(
    ("degree", "polynomial"),
    [(3, lambda M, n: M**3 - (3 * n - 2) * M), (4, lambda M, n: M**4 - (6 * n - 8) * M**2 + 3 * n**2 - 6 * n)],
)
def test_distinct_indices_are_the_published_polynomials(degree, polynomial):
    for size in (*SIZES, 101, 1000):
        for M in overlaps_of(size):
            assert math.factorial(degree) * Power(degree, "distinct").value(M, size) == polynomial(M, size)


@pytest.mark.parametrize("p", [4, 5, 8])
def test_distinct_indices_solve_the_three_term_recurrence_of_krawtchouk(p):
    """(p+1) e_{p+1} = M e_p - (n-p+1) e_{p-1}: a second route at sizes where no sum over tuples can go."""
    n, M = 200, 38
    lower, value, upper = (Power(degree, "distinct").value(M, n) for degree in (p - 1, p, p + 1))
    assert (p + 1) * upper == M * value - (n - p + 1) * lower


@pytest.mark.parametrize("interaction", naive.POLYNOMIALS, ids=repr)
def test_mean_is_the_average_over_all_spins(interaction):
    for size in range(9):
        values = [naive.gain(interaction, list(signs)) for signs in itertools.product((-1, 1), repeat=size)]
        assert interaction.mean(size) == Fraction(sum(values), 2**size)
    for size in (40, 61):
        values = [naive.gain(interaction, products_with(M, size)) for M in overlaps_of(size)]
        assert interaction.mean(size) == Fraction(sum(math.comb(size, k) * v for k, v in enumerate(values)), 2**size)


def test_means_of_the_zero_of_energy():
    N = 12
    assert all(Power(p, "distinct").mean(N) == 0 for p in range(3, 9))
    assert Power(4, "all").mean(N) == 3 * N**2 - 2 * N
    assert Fraction(2, N) * Quadratic().mean(N) + Fraction(N**2, 2 * N) == Fraction(N, 2 * N)


def F(interaction, products, N):
    """N F(m), exact, from the definitions in the papers."""
    m = Fraction(sum(products), N)
    match interaction:
        case Quadratic():
            return N * m**2 / 2
        case Power(degree=p, indices="distinct"):
            tuples = math.factorial(p) * naive.elementary(products, p)
            return Fraction(tuples, p * N ** (p - 1))
        case Power(degree=p):
            return N * m**p / p
        case Rectified(degree=p):
            return N * max(m, 0) ** p / p


@pytest.mark.parametrize("interaction", naive.POLYNOMIALS, ids=repr)
@pytest.mark.parametrize("dilution", [0.0, 0.4])
def test_reported_energy_is_the_definition_less_its_mean_over_all_states(interaction, dilution):
    N, K = 8, 4
    rng = np.random.default_rng(3)
    patterns = rng.choice((-1, 0, 1), size=(N, K), p=((1 - dilution) / 2, dilution, (1 - dilution) / 2)).astype(np.int8)
    quenched = naive.quenched(interaction, patterns)
    spins = naive.all_states(N)
    products = (patterns.T[None] * spins[:, None, :]).tolist()
    energies = [-sum(F(interaction, [x for x in row if x != 0], N) for row in of_state) for of_state in products]
    mean = sum(energies) / len(energies)
    expected = np.array([float((energy - mean) / N) for energy in energies])
    reported = quenched.energy_density(quenched.overlaps(spins))
    scale = np.abs(expected).max() + float(abs(mean))
    np.testing.assert_allclose(reported, expected, rtol=0, atol=8 * 2**-53 * scale)
    assert abs(reported.sum()) <= 2**N * 8 * 2**-53 * scale


@pytest.mark.parametrize("interaction", naive.EXPONENTIALS, ids=repr)
def test_reported_energy_of_exponential_interactions(interaction):
    N, λ = 8, interaction.sharpness
    patterns = np.random.default_rng(4).choice((-1, 0, 1), size=(N, 5)).astype(np.int8)
    quenched, spins = naive.quenched(interaction, patterns), naive.all_states(N)
    reported = quenched.energy_density(quenched.overlaps(spins))
    direct = [-math.log(math.fsum(math.exp(λ * M) for M in row)) / (λ * N) for row in (spins @ patterns).tolist()]
    np.testing.assert_allclose(reported, direct, rtol=0, atol=1e-14)


def test_reported_energy_of_exponential_interactions_does_not_overflow():
    N = 2000
    quenched = naive.quenched(Exponential(), np.ones((N, 2)))
    energy = quenched.energy_density(quenched.overlaps(np.ones(N, dtype=np.int8)))
    assert energy == pytest.approx(-(N + math.log(2)) / N, abs=1e-15)


@pytest.mark.parametrize("K", [10, 30])
def test_reported_energy_where_totals_exceed_64_bits(K):
    """N = 1000, p = 6: Σ M^6 on the patterns is 10^18 K, beyond 2^63 and 2^64; differences fit. One state and many."""
    N, interaction = 1000, Power(6, "all")
    quenched = naive.quenched(interaction, np.ones((N, K)))
    spins = np.ones(N, dtype=np.int8)
    mean = sum(math.comb(N, k) * (2 * k - N) ** 6 for k in range(N + 1)) / Fraction(2**N)
    expected = -K * float((N**6 - mean) / (6 * Fraction(N) ** 5)) / N
    both = quenched.energy_density(quenched.overlaps(np.array([spins, -spins])))
    assert both == pytest.approx([expected] * 2, rel=1e-14)
    assert quenched.energy_density(quenched.overlaps(spins)) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("interaction", naive.POLYNOMIALS, ids=repr)
def test_unit_turns_integers_into_energies(interaction):
    """unit · [G(N) - G(N-2)] = N F(1) - N F(1 - 2/N)."""
    N = 10
    up, down = products_with(N, N), products_with(N - 2, N)
    exact = F(interaction, up, N) - F(interaction, down, N)
    integer = interaction.value(N, N) - interaction.value(N - 2, N)
    assert interaction.unit(N) * integer == pytest.approx(float(exact), rel=1e-15)


@pytest.mark.parametrize("interaction", naive.POLYNOMIALS, ids=repr)
def test_load_and_patterns_are_inverse(interaction):
    N, p = 50, interaction.degree
    assert interaction.load(N, 7) == pytest.approx(7 / N ** (p - 1), rel=1e-15)
    assert all(interaction.patterns(N, interaction.load(N, K)) == K for K in (1, 2, 7, 1000))


@pytest.mark.parametrize("interaction", naive.EXPONENTIALS, ids=repr)
def test_exponential_load_and_patterns_are_inverse(interaction):
    assert interaction.load(40, 1000) == pytest.approx(math.log(1000) / 40, rel=1e-15)
    assert all(interaction.patterns(40, interaction.load(40, K)) == K for K in (1, 2, 7, 10**6))


def test_interactions_are_equal_by_value_and_hashable():
    assert Power(3, "all") == Power(3, "all") != Power(3, "distinct")
    assert len({Power(3, "all"), Power(3, "all"), Quadratic(), Quadratic(), LogSumExp(0.5), LogSumExp(0.5)}) == 3
    assert isinstance(Quadratic(), Polynomial)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Power(2, "all"),
            r"Power: degree must be an integer from 3 to 100, got 2; for degree 2 use Quadratic\(\)",
        ),
        (lambda: Power(3.0, "all"), r"Power: degree must be an integer >= 3, got 3\.0"),
        (lambda: Power(True, "all"), "Power: degree must be an integer >= 3, got True"),
        (lambda: Power(3, "some"), 'indices must be "distinct" or "all", got \'some\''),
        (lambda: Rectified(1), "Rectified: degree must be an integer from 2 to 100, got 1"),
        (lambda: LogSumExp(0), "sharpness from 1e-06 to 300, got 0"),
        (lambda: LogSumExp(-1.0), r"sharpness from 1e-06 to 300, got -1\.0"),
        (lambda: LogSumExp(math.inf), "sharpness must be a finite number, got inf"),
        (lambda: LogSumExp(math.nan), "sharpness must be a finite number, got nan"),
    ],
)
def test_refusals_name_the_value_and_what_it_must_be(make, message):
    with pytest.raises(Refused, match=message):
        make()
