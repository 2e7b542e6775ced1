"""Where the kernels decide: a spin flips at a threshold just above the brute-force energy difference, and not at it."""

import math

import naive
import numpy as np
import pytest

from hopsim import representations
from hopsim.interactions import Exponential, LogSumExp, Quadratic
from hopsim.patterns import Biased, Diluted, Rademacher, Stored

BLANKS = np.array(
    [[1, 0, 0, -1], [-1, 0, 0, 0], [0, 0, 1, -1], [1, 0, 0, 1], [1, 0, 0, -1], [0, 0, 0, 0], [-1, 0, 0, 1]]
)
ENSEMBLES = [(Rademacher(), 8, 4), (Biased(0.3), 9, 3), (Diluted(0.4), 8, 5), (Stored(BLANKS), 7, 4)]
NEVER, ALWAYS = np.float32(-np.inf), np.float32(np.inf)


def drawn(ensemble, N, K):
    return ensemble.draw(N, K, np.random.default_rng(N + K))


def brute_force_costs(energies, N):
    """cost[state, site] = E with this spin flipped - E; bit `site` of the state's number is its spin."""
    states = np.arange(2**N)[:, None]
    return energies[states ^ (1 << np.arange(N))] - energies[states]


def polynomial_costs(interaction, patterns):
    """Exact integers, in units of the interaction; below 2^53, so doubles hold them."""
    entries = patterns.tolist()
    energies = [-naive.total(interaction, entries, spins) for spins in naive.all_states(len(entries)).tolist()]
    assert max(map(abs, energies)) < 2**52
    return brute_force_costs(np.array(energies, dtype=np.float64), len(entries))


def exponential_costs(interaction, patterns):
    """Doubles good to 1e-13, exactly 0 where the flip only permutes the overlaps (else e^λ were algebraic)."""
    λ, N = interaction.sharpness, len(patterns)
    overlaps = np.sort(naive.all_states(N) @ patterns.astype(int), axis=1)
    energies = np.array([-math.log(math.fsum(math.exp(λ * M) for M in row)) / λ for row in overlaps.tolist()])
    states = np.arange(2**N)[:, None]
    same = (overlaps[states ^ (1 << np.arange(N))] == overlaps[:, None]).all(axis=2)
    return np.where(same, 0.0, brute_force_costs(energies, N))


def single_precision_neighbours(costs, slack=0.0):
    """The largest float32 <= cost - slack and the smallest > cost + slack."""
    below, above = (costs - slack).astype(np.float32), (costs + slack).astype(np.float32)
    below = np.where(below > costs - slack, np.nextafter(below, NEVER), below)
    above = np.where(above <= costs + slack, np.nextafter(above, ALWAYS), above)
    return below, above


def flips_exactly_between(quenched, representation, below, above):
    """Offer every flip of every state three times: at the lower threshold, at the upper one, and back again."""
    N = below.shape[1]
    order, one_site = np.arange(N, dtype=np.int32)[None], np.eye(N, dtype=bool)
    for spins, lower, upper in zip(naive.all_states(N), below, above, strict=True):
        offers = np.stack([lower, upper, np.full(N, ALWAYS)], axis=1)
        thresholds = np.where(one_site[:, None], offers[:, :, None], NEVER).reshape(3 * N, N)
        moved, overlaps = spins.copy(), quenched.overlaps(spins)
        seen, seen_overlaps = np.empty((3 * N, N), np.int8), np.empty((3 * N, overlaps.size), np.int32)
        flips = naive.move(representation, moved, overlaps, order, thresholds, False, 1, 0, seen, seen_overlaps)
        after_each = np.where(one_site, -spins, spins)
        expected = np.stack([np.broadcast_to(spins, (N, N)), after_each, np.broadcast_to(spins, (N, N))], axis=1)
        if flips != 2 * N or not np.array_equal(seen, expected.reshape(3 * N, N)):
            return False
        if not np.array_equal(seen_overlaps, seen.astype(int) @ quenched.patterns.astype(int)):
            return False
    return True


def all_flip_together_between(quenched, representation, below, above):
    """The synchronous decision: no spin flips at the lower thresholds, all at the upper ones."""
    N = below.shape[1]
    order = np.arange(N, dtype=np.int32)[None]
    seen, seen_overlaps = np.empty((2, N), np.int8), np.empty((2, quenched.patterns.shape[1]), np.int32)
    for spins, lower, upper in zip(naive.all_states(N), below, above, strict=True):
        moved, overlaps = spins.copy(), quenched.overlaps(spins)
        naive.move(representation, moved, overlaps, order, np.stack([lower, upper]), True, 1, 0, seen, seen_overlaps)
        if not np.array_equal(seen, [spins, -spins]) or not np.array_equal(overlaps, quenched.overlaps(-spins)):
            return False
    return True


def decides_at(quenched, representation, costs, slack=0.0):
    below, above = single_precision_neighbours(costs, slack)
    below, above = np.where(costs == 0, 0, below), np.where(costs == 0, np.float32(1e-30), above)
    return flips_exactly_between(quenched, representation, below, above) and all_flip_together_between(
        quenched, representation, below, above
    )


@pytest.mark.parametrize(("ensemble", "N", "K"), ENSEMBLES, ids=repr)
@pytest.mark.parametrize("interaction", naive.POLYNOMIALS, ids=repr)
def test_polynomial_cost_is_the_energy_difference_for_all_states_and_sites(interaction, ensemble, N, K):
    quenched = naive.quenched(interaction, drawn(ensemble, N, K))
    costs = polynomial_costs(interaction, quenched.patterns)
    assert decides_at(quenched, quenched.representation, costs)


@pytest.mark.parametrize(("ensemble", "N", "K"), ENSEMBLES, ids=repr)
@pytest.mark.parametrize("interaction", naive.EXPONENTIALS, ids=repr)
def test_exponential_cost_is_the_energy_difference_for_all_states_and_sites(interaction, ensemble, N, K):
    quenched = naive.quenched(interaction, drawn(ensemble, N, K))
    costs = exponential_costs(interaction, quenched.patterns)
    assert decides_at(quenched, quenched.representation, costs, slack=1e-12)


@pytest.mark.parametrize(("ensemble", "N", "K"), ENSEMBLES, ids=repr)
def test_couplings_and_table_decide_alike(ensemble, N, K):
    quenched = naive.quenched(Quadratic(), drawn(ensemble, N, K))
    costs = polynomial_costs(Quadratic(), quenched.patterns)
    for layout in (representations.couplings, representations.table):
        assert decides_at(quenched, layout(quenched.levels, quenched.patterns), costs)


@pytest.mark.parametrize("interaction", [naive.POLYNOMIALS[1], Quadratic(), LogSumExp(0.5)], ids=repr)
def test_the_check_notices_one_wrong_cost(interaction):
    quenched = naive.quenched(interaction, drawn(Rademacher(), 6, 3))
    exponential = isinstance(interaction, LogSumExp)
    costs = (exponential_costs if exponential else polynomial_costs)(interaction, quenched.patterns)
    for error in (-1e-3, 1e-3):
        wrong = costs.copy()
        wrong[37, 2] += error
        assert not decides_at(quenched, quenched.representation, wrong, slack=1e-12 if exponential else 0.0)


def test_zero_temperature_update_is_that_of_krotov_and_hopfield():
    """sign[Σ_μ F(ξ_i + rest) - F(-ξ_i + rest)] at one spin, ties kept, for all states."""
    for interaction in (*naive.POLYNOMIALS, *naive.EXPONENTIALS):
        if interaction == Quadratic():
            G = lambda M: M**2  # noqa: E731
        elif isinstance(interaction, LogSumExp | Exponential):
            G = lambda M, λ=interaction.sharpness: math.exp(λ * M)  # noqa: E731
        else:
            G = lambda M, law=interaction: law.value(M, 7)  # noqa: E731
        patterns = drawn(Rademacher(), 7, 4)
        quenched = naive.quenched(interaction, patterns)
        for spins in naive.all_states(7)[::5]:
            rest = spins[1:].astype(int) @ patterns[1:].astype(int)
            field = sum(G(int(x + r)) - G(int(r - x)) for x, r in zip(patterns[0], rest, strict=True))
            thresholds = np.full((1, 7), NEVER, dtype=np.float32)
            thresholds[0, 0] = 0
            moved, overlaps = spins.copy(), quenched.overlaps(spins)
            no_trace = np.empty((0, 7), np.int8), np.empty((0, 4), np.int32)
            order = np.arange(7, dtype=np.int32)[None]
            naive.move(quenched.representation, moved, overlaps, order, thresholds, False, 0, 0, *no_trace)
            undecided = abs(field) <= 1e-12 * math.exp(7)
            assert moved[0] == (spins[0] if undecided else math.copysign(1, field))
