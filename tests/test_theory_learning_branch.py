"""States at K = αN^(p-1): the replicated free energy, networks that are known otherwise, folds, stability."""

import math

import numpy as np
import pytest
from scipy.special import erf
from scipy.stats import binom

import hopsim as hs
from hopsim import theory
from hopsim.errors import Refused
from hopsim.interactions import Power, Quadratic
from hopsim.networks import Law
from hopsim.statistics import disorder_average
from hopsim.theory import NotConverged, ReplicaSymmetric, examples

BOTH = ("supervised", "unsupervised")
HOPFIELD = Law(Quadratic(), hs.Rademacher())


def law(quality, M, learning="supervised", dilution=0.0, interaction=Quadratic()):  # noqa: B008
    return Law(interaction, hs.Examples(quality, M, learning, dilution))


def sums(r, M, d=0.0):
    """x = Σ η_a/(M√R) and its probabilities."""
    x = np.append(np.arange(-M, M + 1, 2) / (M * math.sqrt(r * r + (1 - r * r) / M)), 0.0)
    up = binom.pmf(np.arange(M + 1), M, (1 + r) / 2)
    return x, np.append((1 - d) * (up + up[::-1]) / 2, d)


# --- the free energy with one step of breaking, of which replica symmetry is q0 = q1 and r0 = r1 ---


def covariance_part(known, q0, q1, x, T):
    """Per unit load: (T/2)[βλ + ln det/n] over the eigenvalues of the examples of one archetype, or the terms of ζ̂."""
    e, p = known.ensemble, known.interaction.degree
    M, r, v = e.examples, e.quality, 1 - e.dilution
    R = r * r + (1 - r * r) / M
    correlation = v * (r * r + (1 - r * r) * np.eye(M))
    if p == 2:
        own = correlation.mean(keepdims=True) / R if e.supervised else correlation / (R * M)
        a = np.linalg.eigvalsh(own)
        D1, D2 = 1 - a * (1 - q1) / T, 1 - a * (1 - q1) / T - a * x * (q1 - q0) / T
        return (a + T * (np.log(D1) + np.log(D2 / D1) / x) - a * q0 / D2).sum() / 2
    # ζ̂ = E[G(x) G(y)]/9 at correlation q, x³ = He_3 + 3 He_1 and E[He_k(x) He_k(y)] = k! q^k
    weights = (0, 1, 0, 2 / 3) if known.interaction.indices == "all" else (0, 0, 0, 2 / 3)
    # E[G(η_a·σ) G(η_b·σ)] of two examples: correlation r^(2k) in the k-th term
    pairs = [1.0 if e.supervised else (correlation**k / v**k).mean() for k in range(4)]
    scale = v**3 if e.supervised else v**3 / R**3

    def zeta(q):
        return scale * sum(w * pair * q**k for k, (w, pair) in enumerate(zip(weights, pairs, strict=True)))

    return -(zeta(1) - (1 - x) * zeta(q1) - x * zeta(q0)) / (2 * T)


def replicated(known, load, T, n, q, r, x=0.5, t=0.0, s=0.0):
    """f at q1 = q + x t, q0 = q + (x-1) t and the same of r with s: rows of the replica matrices keep their sums."""
    e, p = known.ensemble, known.interaction.degree
    q0, q1, r0 = q + (x - 1) * t, q + x * t, r + (x - 1) * s
    r1 = r0 + s
    z0, z1 = np.linspace(-8, 8, 301), np.linspace(-8, 8, 65)
    w0, w1 = (np.exp(-z * z / 2) / np.exp(-z * z / 2).sum() for z in (z0, z1))
    site = 0.0
    for value, weight in zip(*sums(e.quality, e.examples, e.dilution), strict=True):
        h = n ** (p - 1) * value + math.sqrt(load * r0) * z0[:, None] + math.sqrt(load * s) * z1
        site += weight * (w0 @ np.log((w1 * (2 * np.cosh(h / T)) ** x).sum(axis=1))) * T / x
    coupled = load / (2 * T) * (r1 * (1 - q1) + x * (r1 * q1 - r0 * q0))
    return (p - 1) / p * n**p + load * covariance_part(known, q0, q1, x, T) + coupled - site


STATES = [
    (law(0.5, 6), 0.01, 0.3),
    (law(0.6, 3, "unsupervised"), 0.015, 0.25),
    (law(0.6, 5, "unsupervised", 0.2), 0.004, 0.2),
    (law(0.7, 4, interaction=Power(3, "all")), 0.02, 0.25),
    (law(0.7, 4, "unsupervised", interaction=Power(3, "distinct")), 0.03, 0.25),
]


def solved(known, load, T):
    """(n̂, q, r) and the solution."""
    found = examples.solve(known, load=load, temperature=T)
    e, q, C = known.ensemble, found.order.q, found.order.susceptibility
    n = found.order.n[0] / math.sqrt(e.quality**2 + (1 - e.quality**2) / e.examples)
    return (n, q, float(examples.noise(known).variance(q, C))), found


@pytest.mark.parametrize(("known", "load", "T"), STATES, ids=str)
def test_states_are_stationary_in_the_replicated_free_energy(known, load, T):
    """In n̂, q and r, each by itself; and f is its value."""
    point, found = solved(known, load, T)
    assert found.free_energy == pytest.approx(replicated(known, load, T, *point), abs=1e-10)
    assert found.free_energy == pytest.approx(found.energy - T * found.entropy, abs=1e-12)
    for step in 1e-5 * np.diag(point):
        here, off = (
            replicated(known, load, T, *(point + (far + 1) * step))
            - replicated(known, load, T, *(point + (far - 1) * step))
            for far in (0, 2000)
        )
        assert abs(here) < 1e-3 * abs(off)


@pytest.mark.parametrize(("known", "load", "T"), STATES, ids=str)
def test_stability_is_the_second_derivative_of_the_replicated_free_energy(known, load, T):
    """The replicon of Hessian [[A, B], [B, D]] in (t, s) is 1 - AD/B²; one-sided in s, a variance."""
    point, found = solved(known, load, T)
    a, b = 0.003 * point[1], 0.003 * point[2]

    def f(t, s):
        return replicated(known, load, T, *point, t=t * a, s=s * b)

    A = (f(1, 0) - 2 * f(0, 0) + f(-1, 0)) / a**2
    D = (2 * f(0, 0) - 5 * f(0, 1) + 4 * f(0, 2) - f(0, 3)) / b**2
    B = (f(1, 1) - f(1, 0) - f(-1, 1) + f(-1, 0)) / (2 * a * b)
    assert found.stability == pytest.approx(1 - A * D / B**2, abs=0.003 * (1 - found.stability))
    assert found.stability < 0.97


# --- networks that are known otherwise ---


@pytest.mark.parametrize("T", [0.0, 0.05, 0.4, 0.8])
def test_capacities_known_otherwise(T):
    """One example is a pattern; two in supervised learning are dilution (1-r²)/2 in units of 1-d; M examples of r → 0
    in unsupervised learning are M patterns, retrieved as their symmetric mixture."""
    r = 0.6
    d = (1 - r * r) / 2
    mixture = theory.capacity(HOPFIELD, temperature=T, ansatz=ReplicaSymmetric(patterns=3))
    known = [
        (law(0.3, 1), theory.capacity(HOPFIELD, temperature=T).load),
        (law(1.0, 8, "unsupervised"), theory.capacity(HOPFIELD, temperature=T).load),
        (law(r, 2), theory.capacity(Law(Quadratic(), hs.Diluted(d)), temperature=T * (1 - d)).load),
        (law(0.3, 1, dilution=0.2), theory.capacity(Law(Quadratic(), hs.Diluted(0.2)), temperature=T).load),
        (law(1e-8, 3, "unsupervised"), mixture.load and mixture.load / 3),
        (
            law(1.0, 3, interaction=Power(3, "all")),
            theory.capacity(Law(Power(3, "all"), hs.Rademacher()), temperature=T).load,
        ),
    ]
    for ours, load in known:
        found = examples.capacity(ours, temperature=T)
        assert found.load == (None if load is None else pytest.approx(load, rel=1e-11))
        if load is not None:
            assert found.low <= found.load <= found.high < found.low * (1 + 1e-7)


def test_states_known_otherwise():
    """Free energy, energy, entropy and stability of two examples as dilution, and of three as a mixture."""
    r, T = 0.6, 0.3
    d = (1 - r * r) / 2
    ours = examples.solve(law(r, 2), load=0.01, temperature=T)
    known = theory.solve(Law(Quadratic(), hs.Diluted(d)), load=0.01, temperature=T * (1 - d))
    for name in ("free_energy", "energy"):
        assert getattr(ours, name) == pytest.approx(getattr(known, name) / (1 - d), abs=1e-12)
    assert ours.entropy == pytest.approx(known.entropy, abs=1e-11)
    assert ours.stability == pytest.approx(known.stability, abs=1e-10)
    ours = examples.solve(law(1e-8, 3, "unsupervised"), load=0.0015, temperature=T)
    known = theory.solve(HOPFIELD, load=0.0045, temperature=T, ansatz=ReplicaSymmetric(patterns=3))
    for name in ("free_energy", "energy", "entropy", "stability"):
        assert getattr(ours, name) == pytest.approx(getattr(known, name), abs=1e-10)


def test_glass_states_known_otherwise():
    """One eigenvalue is the classical network; r → 0 in unsupervised learning stores K M patterns."""
    for ours, load in ((law(0.4, 7), 0.1), (law(1e-8, 5, "unsupervised"), 0.5)):
        for branch, T in (("glass", 0.0), ("glass", 0.7), ("paramagnet", 2.5)):
            mine = examples.solve(ours, load=0.1, temperature=T, branch=branch)
            known = theory.solve(HOPFIELD, load=load, temperature=T, branch=branch)
            assert mine.order.q == pytest.approx(known.order.q, abs=1e-12)
            assert mine.order.m == (0.0,)
            for name in ("free_energy", "energy", "entropy"):
                assert getattr(mine, name) == pytest.approx(getattr(known, name), abs=1e-11)
            assert mine.stability == (None if T == 0 else pytest.approx(known.stability, abs=1e-9))
    dense = law(1.0, 3, "unsupervised", interaction=Power(3, "all"))
    known = theory.solve(Law(Power(3, "all"), hs.Rademacher()), load=0.1, temperature=0.4, branch="glass")
    assert examples.solve(dense, load=0.1, temperature=0.4, branch="glass").free_energy == pytest.approx(
        known.free_energy, abs=1e-12
    )


@pytest.mark.parametrize("branch", ["retrieval", "glass"])
def test_thermodynamics_of_unsupervised_learning(branch):
    """s = -∂f/∂T, and f = e - Ts."""
    for known, load, T in ((law(0.5, 6, "unsupervised", 0.1), 0.004, 0.2), (law(0.4, 9, "unsupervised"), 0.003, 0.3)):
        up, here, down = (
            examples.solve(known, load=load, temperature=T + x, branch=branch) for x in (1e-4, 0.0, -1e-4)
        )
        assert here.free_energy == pytest.approx(here.energy - T * here.entropy, abs=1e-12)
        assert here.entropy == pytest.approx(-(up.free_energy - down.free_energy) / 2e-4, abs=1e-6)
        assert abs(here.entropy) > 1e-3


# --- folds ---


def loads_at_zero_temperature(r, M, learning):
    """(n̂, m, α) along y = n̂/σ in error functions, no code of the package."""
    x, w = sums(r, M)
    y = np.geomspace(0.3, 30, 40_001)[:, None]
    R = r * r + (1 - r * r) / M
    n = (x * erf(x * y / math.sqrt(2))) @ w
    sigma = n / y[:, 0]
    C = np.exp(-((x * y) ** 2) / 2) @ w * math.sqrt(2 / math.pi) / sigma
    small = (1 - r * r) / (M * R)
    shape = 1 + (M - 1) * small**2 * ((1 - C) / (1 - small * C)) ** 2 if learning == "unsupervised" else 1.0
    answer = erf(x * y / math.sqrt(2)) @ (w * posterior(r, M))
    return n, answer, np.where(C < 1, (sigma * (1 - C)) ** 2 / shape, 0.0)


def posterior(r, M):
    """E[ξ | x]."""
    S = np.append(np.arange(-M, M + 1, 2), 0)
    return np.tanh(S * math.atanh(r))


@pytest.mark.parametrize("learning", BOTH)
@pytest.mark.parametrize(("r", "M"), [(0.5, 8), (0.5, 3), (0.3, 15), (0.7, 40)])
def test_the_capacity_at_zero_temperature_in_error_functions(r, M, learning):
    _, m, loads = loads_at_zero_temperature(r, M, learning)
    found = examples.capacity(law(r, M, learning), temperature=0)
    assert found.load == pytest.approx(loads.max(), rel=1e-8)
    assert found.m == pytest.approx(m[loads.argmax()], abs=1e-3)
    below = examples.solve(law(r, M, learning), load=(1 - 1e-9) * found.load, temperature=0)
    assert below.order.m[0] == pytest.approx(found.m, abs=1e-3)
    with pytest.raises(NotConverged, match=f"the branch ends at load {found.load:.6g}"):
        examples.solve(law(r, M, learning), load=(1 + 1e-9) * found.load, temperature=0)


@pytest.mark.parametrize("learning", BOTH)
def test_the_dense_capacity_at_zero_temperature_in_error_functions(learning):
    """x³: α = σ²/ζ̂'(1), ζ̂'(1) = 3 from 1 + 2; in unsupervised learning each term by its correlation of examples."""
    r, M = 0.5, 6
    R = r * r + (1 - r * r) / M
    x, w = sums(r, M)
    y = np.geomspace(0.3, 30, 40_001)
    n = erf(np.outer(y, x) / math.sqrt(2)) @ (w * x)
    slope = (
        3.0
        if learning == "supervised"
        else sum(c * (1 + (M - 1) * r ** (2 * k)) for k, c in ((1, 1), (3, 2))) / M / R**3
    )
    found = examples.capacity(law(r, M, learning, interaction=Power(3, "all")), temperature=0)
    assert found.load == pytest.approx(((n**2 / y) ** 2).max() / slope, rel=1e-7)


def test_a_dense_branch_ends_at_its_first_fold():
    """As without examples, where states of little q follow at overlaps far below: continuity in r at 1."""
    for T in (0.03, 0.1, 0.2):
        known = theory.capacity(Law(Power(4, "distinct"), hs.Rademacher()), temperature=T)
        found = examples.capacity(law(0.9999, 2, "unsupervised", interaction=Power(4, "distinct")), temperature=T)
        assert found.load == pytest.approx(known.load, rel=2e-3)
    found = examples.capacity(law(0.7053, 7, "unsupervised", interaction=Power(4, "distinct")), temperature=0.066)
    assert found.m > 0.7


def test_beyond_its_first_fold_the_network_gives_up_bare_majorities():
    """r = 0.3, M = 15, T = 0: two folds. The state is that of the largest n̂; across the first one it jumps."""
    _, m, loads = loads_at_zero_temperature(0.3, 15, "supervised")
    peaks = [k for k in range(1, loads.size - 1) if loads[k - 1] < loads[k] > loads[k + 1]]
    highest, first = (loads[k] for k in peaks)
    assert first < 0.5 * highest
    found = []
    for load in (0.99 * first, 1.01 * first):
        crossings = np.flatnonzero((loads[:-1] >= load) & (loads[1:] < load))  # towards large n̂
        found.append(examples.solve(law(0.3, 15), load=load, temperature=0).order)
        assert found[-1].m[0] == pytest.approx(m[crossings[-1]], abs=1e-4)
    assert found[1].n[0] < 0.985 * found[0].n[0]
    assert examples.solve(law(0.3, 15), load=1e-9, temperature=0).order.n[0] > found[0].n[0]


def test_the_capacity_tends_to_that_of_archetypes():
    """From below, more slowly in unsupervised learning: there the extra noise is ρ²(M-1) K/N."""
    for T, limit in ((0.0, 0.137905566), (0.3, theory.capacity(HOPFIELD, temperature=0.3).load)):
        supervised, unsupervised = (
            [examples.capacity(law(0.5, M, learning), temperature=T).load for M in (50, 200, 800)] for learning in BOTH
        )
        for loads in (supervised, unsupervised):
            assert loads[0] < loads[1] < loads[2] < limit
            assert loads[2] == pytest.approx(limit, rel=0.04)
        assert all(a > b for a, b in zip(supervised, unsupervised, strict=True))


def test_gaussian_entries_without_an_archetype_have_no_capacity():
    """ρ → ∞: n̂² + σ² = 2/π at T = 0, where C = 1, so that the load is 0 at every n̂."""
    loads = [examples.capacity(law(r, 1), temperature=0, average="gaussian").load for r in (0.5, 0.2, 0.05)]
    assert loads[0] > 10 * loads[1] > 100 * loads[2] > 0


def test_zero_temperature_is_the_limit():
    for known in (law(0.5, 8), law(0.5, 9, "unsupervised", 0.1), law(0.7, 6, interaction=Power(3, "all"))):
        end = examples.capacity(known, temperature=0).load
        cold, frozen = (examples.solve(known, load=0.5 * end, temperature=T) for T in (1e-6, 0.0))
        assert cold.order.m == pytest.approx(frozen.order.m, abs=1e-5)
        assert cold.free_energy == pytest.approx(frozen.free_energy, abs=1e-5)
        assert examples.capacity(known, temperature=1e-6).load == pytest.approx(end, rel=1e-4)


def test_states_from_the_smallest_load_to_the_fold_solve_the_equations():
    for known in (
        law(0.5, 8),
        law(0.3, 15),
        law(0.8, 10, interaction=Power(3, "all")),
        law(0.5, 9, "unsupervised", 0.1),
    ):
        for T in (0.0, 0.02, 0.2):
            end, before = examples.capacity(known, temperature=T).load, 2.0
            for share in (1e-9, 1e-4, 0.1, 0.6, 0.99, 1 - 1e-9):
                found = examples.solve(known, load=share * end, temperature=T)
                assert found.residual < 1e-10
                assert found.order.m[0] < before + 1e-12
                before = found.order.m[0]


def test_refused():
    with pytest.raises(Refused, match="branch must be one of retrieval, glass, paramagnet, got 'mixture'"):
        examples.solve(law(0.5, 3), load=0.1, temperature=0.1, branch="mixture")
    with pytest.raises(Refused, match="load must be a finite number > 0, got 0.0"):
        examples.solve(law(0.5, 3), temperature=0.1, branch="glass")
    with pytest.raises(NotConverged, match="no paramagnet state at load 0.1, T = 0.5: it needs T > 1"):
        examples.solve(law(0.5, 3), load=0.1, temperature=0.5, branch="paramagnet")
    with pytest.raises(NotConverged, match="there is none at any load"):
        examples.solve(law(0.5, 3), load=0.1, temperature=1.5)


# --- against simulation ---


@pytest.mark.parametrize("T", [0.2])
def test_a_network_retrieves_below_its_capacity_and_not_above(T):
    """r = 0.5, M = 20, supervised: 0.6 and 1.4 of the capacity at T = 0.2; below within 4.4 standard errors."""
    known, overlaps = law(0.5, 20), []
    end = examples.capacity(known, temperature=T)
    for share in (0.6, 1.4):
        network = hs.hopfield(neurons=1500, load=share * end.load, ensemble=known.ensemble)
        protocol = hs.Protocol(1.0, 60, 30)
        runs = [hs.Run(network, hs.Glauber(temperature=T), protocol, 5, sample) for sample in range(10)]
        overlaps.append(disorder_average(np.array([hs.simulate(run).overlap.mean() for run in runs])))
        if share < 1:
            expected = examples.solve(known, load=network.load, temperature=T).order.m[0]
    assert abs(overlaps[0].value - expected) < 4.4 * overlaps[0].error
    assert overlaps[0].error < 0.01
    assert overlaps[1].value < 0.6 * end.m
