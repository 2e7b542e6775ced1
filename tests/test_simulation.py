"""One run: what decides its numbers, what does not, and what it records."""

from dataclasses import replace

import numpy as np
import pytest

import hopsim as hs
from hopsim import simulation
from hopsim.simulation import Point

NETWORK = hs.hopfield(neurons=120, load=0.05)
PROTOCOL = hs.Protocol(cue_overlap=0.5, equilibrate=7, measure=20, every=3, replicas=2)
RUN = hs.Run(NETWORK, hs.Glauber(temperature=0.4), PROTOCOL, seed=3, sample=1)


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(vars(first).values(), vars(second).values(), strict=True))


def every_overlap(run):
    return replace(run, protocol=replace(run.protocol, overlaps=True))


def test_a_run_is_reproducible_and_its_seed_and_sample_matter():
    record = hs.simulate(RUN)
    assert same(record, hs.simulate(RUN))
    assert not same(record, hs.simulate(replace(RUN, seed=4)))
    assert not same(record, hs.simulate(replace(RUN, sample=2)))


def test_sharing_the_disorder_changes_nothing():
    quenched = RUN.quench()
    warmer = replace(RUN, dynamics=hs.Glauber(temperature=0.6))
    assert same(hs.simulate(warmer), hs.simulate(warmer, quenched))
    assert same(hs.simulate(RUN), hs.simulate(RUN, quenched))


def test_short_traces_change_nothing(monkeypatch):
    whole = hs.simulate(every_overlap(RUN))
    monkeypatch.setattr(simulation, "TRACE_BYTES", 300)  # one or two readings a block
    assert same(whole, hs.simulate(every_overlap(RUN)))


@pytest.mark.parametrize("seconds", [0.0, 1e9])
def test_short_slices_change_nothing(seconds, monkeypatch):
    """One sweep a slice, or ever more; the last sweeps, too few for a reading, are left out."""
    whole = hs.simulate(every_overlap(RUN))
    monkeypatch.setattr(simulation, "SLICE", seconds)
    monkeypatch.setattr(simulation, "FIRST_SLICE", 1)
    calls, advance = [], simulation.Chains.advance
    monkeypatch.setattr(simulation.Chains, "advance", lambda *call: calls.append(call[1:3]) or advance(*call))
    assert same(whole, hs.simulate(every_overlap(RUN)))
    firsts, sizes = zip(*calls, strict=True)
    assert list(firsts) == np.cumsum([0, *sizes[:-1]]).tolist()
    assert sum(sizes) == 7 + 6 * 3
    assert set(sizes) == {1} if seconds == 0 else max(sizes) > 1


def test_all_overlaps_are_kept_where_asked_for():
    """The first is that of the series; the energy of F = m²/2 is made of all of them where they do not move."""
    assert hs.simulate(RUN).overlaps is None
    record = hs.simulate(every_overlap(RUN))
    assert record.overlaps.shape == (2, NETWORK.patterns)
    np.testing.assert_allclose(record.overlaps[:, 0], record.overlap.mean(axis=1), rtol=0, atol=1e-15)
    frozen = hs.simulate(every_overlap(replace(RUN, dynamics=hs.SignUpdate(), protocol=hs.Protocol(1.0, 50, 3))))
    energy = -(frozen.overlaps[0] ** 2).sum() / 2 + NETWORK.patterns / (2 * NETWORK.neurons)
    np.testing.assert_allclose(frozen.energy, energy, rtol=0, atol=1e-14)
    summary = record.summary()
    assert summary["overlaps"].tolist() == record.overlaps.mean(axis=0).tolist()
    ranked = [sorted(map(abs, chain), reverse=True) for chain in record.overlaps.tolist()]
    np.testing.assert_allclose(summary["ranked_overlaps"], np.mean(ranked, axis=0), rtol=0, atol=1e-16)


def test_starts_are_those_of_states():
    """At T = 0 a hierarchical start below d_c is a fixed point, up to fluctuations; a random one has no overlap."""
    network = hs.multitasking(neurons=4000, dilution=0.3, patterns=3)
    protocol = hs.Protocol(1.0, 0, 1, start="hierarchical", overlaps=True)
    record = hs.simulate(hs.Run(network, hs.SignUpdate(), protocol, seed=1, sample=0))
    np.testing.assert_allclose(record.overlaps[0], [0.7, 0.21, 0.063], rtol=0, atol=5 / np.sqrt(4000))
    assert record.cue_overlap == 1.0
    hot = hs.Protocol(0.0, 0, 1, start="random", overlaps=True)
    record = hs.simulate(hs.Run(network, hs.Glauber(temperature=1e6), hot, seed=1, sample=0))
    assert np.abs(record.overlaps).max() < 5 / np.sqrt(4000)


def test_shapes_and_the_realised_cue():
    record = hs.simulate(RUN)
    assert record.overlap.shape == record.energy.shape == record.retrieved.shape == (2, 6)
    assert record.similarity.shape == (1, 6)
    assert record.cue_overlap.tolist() == [0.5, 0.5]
    assert ((record.acceptance > 0) & (record.acceptance < 1)).all()


def test_a_second_replica_does_not_move_the_first():
    one = replace(RUN, protocol=replace(PROTOCOL, replicas=1))
    assert np.array_equal(hs.simulate(one).overlap[0], hs.simulate(RUN).overlap[0])
    assert hs.simulate(one).similarity.size == 0


def test_similarities_are_those_of_every_two_replicas():
    three = hs.simulate(replace(RUN, protocol=replace(PROTOCOL, replicas=3)))
    assert three.similarity.shape == (3, 6)
    assert np.array_equal(three.similarity[0], hs.simulate(RUN).similarity[0])
    assert three.overlap.shape == (3, 6)


@pytest.mark.parametrize("rule", [hs.Glauber, hs.Metropolis])
@pytest.mark.parametrize("order", ["cyclic", "permutation"])
def test_runs_simulated_together_are_those_simulated_alone(rule, order):
    runs = [replace(RUN, dynamics=rule(temperature=T, order=order)) for T in (0.2, 0.5, 1.0)]
    together = simulation.simulate_together(runs)
    assert all(same(record, hs.simulate(run)) for run, record in zip(runs, together, strict=True))


@pytest.mark.parametrize("order", ["cyclic", "permutation"])
def test_many_temperatures_and_replicas_move_in_lanes_and_give_what_each_gives_alone(order):
    network = hs.hopfield(neurons=200, load=0.1)
    protocol = hs.Protocol(cue_overlap=1.0, equilibrate=5, measure=12, every=2, replicas=3)
    runs = [
        hs.Run(network, hs.Glauber(temperature=T / 10, order=order), protocol, seed=1, sample=2) for T in range(1, 13)
    ]
    quenched = runs[0].quench()
    assert simulation.groups(runs, quenched) == [runs]
    assert len(simulation.groups([runs[0], replace(runs[1], dynamics=hs.SignUpdate())], quenched)) == 2
    records = simulation.simulate_together(runs, quenched)
    assert all(same(record, hs.simulate(run)) for run, record in zip(runs, records, strict=True))


def test_runs_of_different_kinds_are_not_simulated_together():
    other = replace(RUN, dynamics=hs.Metropolis(temperature=0.4))
    with pytest.raises(hs.Refused, match="share all but their temperature"):
        simulation.simulate_together([RUN, replace(RUN, sample=2)])
    with pytest.raises(hs.Refused, match="share all but their temperature"):
        simulation.simulate_together([RUN, other])


def test_replicas_and_temperatures_have_their_own_thresholds():
    record = hs.simulate(RUN)
    assert not np.array_equal(record.energy[0], record.energy[1])


def test_sign_update_from_a_pattern_below_capacity_stays_and_counts_as_retrieved():
    run = hs.Run(hs.hopfield(neurons=400, load=0.02), hs.SignUpdate(), hs.Protocol(0.8, 20, 1), seed=1, sample=0)
    summary = hs.simulate(run).summary()
    assert summary["overlap"] > 0.99
    assert summary["retrieved"] == 1.0
    # one retrieved pattern, energy -1/2 plus the zero α/2 and the crosstalk of K - 1 random overlaps, -(K-1)/2N
    assert summary["energy"] == pytest.approx(-0.5, abs=0.02)


def test_infinite_temperature_has_zero_energy_and_no_overlap():
    """40 samples x 20 readings of N = 120: 5 standard errors of both."""
    protocol = hs.Protocol(cue_overlap=1.0, equilibrate=5, measure=20)
    runs = [hs.Run(NETWORK, hs.Glauber(temperature=1e6), protocol, seed=5, sample=s) for s in range(40)]
    energy = np.array([hs.simulate(r).energy.mean() for r in runs])
    overlap = np.array([hs.simulate(r).overlap.mean() for r in runs])
    assert abs(energy.mean()) < 5 * energy.std() / np.sqrt(len(runs))
    assert abs(overlap.mean()) < 5 * overlap.std() / np.sqrt(len(runs))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cue_overlap": 1.5}, "cue_overlap must be between -1 and 1, got 1.5"),
        ({"measure": 0}, "measure must be an integer >= 1"),
        ({"equilibrate": -1}, "equilibrate must be an integer >= 0"),
        ({"every": 21}, "every must be at most measure = 20 sweeps, got 21"),
        ({"replicas": 1025}, "replicas must be an integer from 1 to 1024, got 1025"),
        ({"success_overlap": 2.0}, "success_overlap must be between 0 and 1"),
        ({"start": "mixture"}, "start must be one of pattern, hierarchical, random, got 'mixture'"),
        ({"start": "random"}, 'start = "random" has no cue: cue_overlap must be 0, got 0.5'),
    ],
)
def test_impossible_protocols_are_refused(change, message):
    with pytest.raises(hs.Refused, match=message):
        replace(PROTOCOL, **change)


def test_impossible_runs_are_refused():
    with pytest.raises(hs.Refused, match="sample must be"):
        replace(RUN, sample=-1)
    with pytest.raises(hs.Refused, match="seed must be"):
        replace(RUN, seed=0.5)
    with pytest.raises(hs.Refused, match="exponential network has no temperature.*log_sum_exp"):
        Point(hs.exponential(neurons=20, load=0.1), hs.Glauber(temperature=0.1), PROTOCOL, seed=1)
