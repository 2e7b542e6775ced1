"""Content hashes: the same for the same run, another for every change that matters; JSON there and back."""

import json
from dataclasses import replace

import numpy as np
import pytest

import hopsim as hs
from hopsim import provenance
from hopsim.simulation import Point

PROTOCOL = hs.Protocol(1.0, 10, 20)
LEARN = hs.Examples(0.4, 7, "unsupervised", dilution=0.1)
OWN = hs.Stored(np.array([[1, -1], [0, 1], [1, 1]]))
POINTS = [
    Point(hs.hopfield(neurons=100, load=0.05), hs.SignUpdate(), PROTOCOL, seed=1),
    Point(hs.dense(neurons=50, degree=3, indices="all", load=0.05), hs.Glauber(temperature=0.1), PROTOCOL, seed=1),
    Point(hs.rectified(neurons=50, degree=3, load=0.05), hs.Metropolis(temperature=0.1, order="random"), PROTOCOL, 1),
    Point(hs.exponential(neurons=50, load=0.05), hs.SignUpdate(order="cyclic"), PROTOCOL, seed=1),
    Point(hs.log_sum_exp(neurons=50, load=0.05, sharpness=0.5), hs.Synchronous(temperature=0.1), PROTOCOL, seed=1),
    Point(hs.multitasking(neurons=50, dilution=0.3, patterns=3), hs.Glauber(temperature=0.1), PROTOCOL, seed=2**62),
    Point(hs.hopfield(neurons=50, patterns=3, ensemble=hs.Biased(0.2)), hs.Glauber(temperature=0.1), PROTOCOL, seed=1),
    Point(hs.hopfield(neurons=50, patterns=3, ensemble=LEARN), hs.Glauber(temperature=0.1), PROTOCOL, seed=1),
    Point(hs.hopfield(neurons=3, patterns=2, ensemble=OWN), hs.SignUpdate(), PROTOCOL, seed=1),
]


@pytest.mark.parametrize("point", POINTS, ids=lambda p: type(p.network.law.interaction).__name__)
def test_a_point_survives_json(point):
    assert provenance.point_of(provenance.canonical(point), {OWN.sha256: OWN}) == point


def test_fields_added_later_leave_old_keys_as_they_were_and_survive_json():
    """The text that was hashed before start and overlaps existed, written by hand."""
    protocol = (
        '{"cue_overlap":1.0,"equilibrate":10,"every":1,"kind":"Protocol","measure":20,"replicas":1,"series":false,'
        '"success_overlap":0.9}'
    )
    assert f'"protocol":{protocol}' in provenance.canonical(POINTS[0])
    later = replace(POINTS[0], protocol=replace(PROTOCOL, start="hierarchical", overlaps=True))
    assert provenance.point_of(provenance.canonical(later), {}) == later


def test_keys_differ_between_points_samples_and_their_point():
    runs = [hs.Run(p.network, p.dynamics, p.protocol, p.seed, s) for p in POINTS for s in (0, 1)]
    keys = [provenance.key(thing) for thing in (*POINTS, *runs)]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 32 for key in keys)


def test_every_field_that_decides_the_numbers_is_in_the_key():
    run = hs.Run(POINTS[1].network, POINTS[1].dynamics, PROTOCOL, 1, 0)
    changed = [
        replace(run, seed=2),
        replace(run, protocol=replace(PROTOCOL, every=2)),
        replace(run, protocol=replace(PROTOCOL, success_overlap=0.8)),
        replace(run, protocol=replace(PROTOCOL, start="hierarchical")),
        replace(run, protocol=replace(PROTOCOL, overlaps=True)),
        replace(run, dynamics=hs.Glauber(temperature=0.1 + 1e-16 * 100)),
        replace(run, dynamics=hs.Glauber(temperature=0.1, order="cyclic")),
        replace(run, network=replace(run.network, patterns=run.network.patterns + 1)),
    ]
    assert len({provenance.key(r) for r in (run, *changed)}) == len(changed) + 1


def test_numpy_numbers_and_python_numbers_have_one_key():
    plain = Point(hs.hopfield(neurons=50, patterns=3), hs.Glauber(temperature=0.25), PROTOCOL, 1)
    other = Point(hs.hopfield(neurons=50, patterns=3), hs.Glauber(temperature=np.float64(0.25)), PROTOCOL, 1)
    assert provenance.key(plain) == provenance.key(other)


def test_equal_runs_have_one_key():
    network = hs.hopfield(neurons=50, patterns=3)
    first = Point(network, hs.Glauber(temperature=1), hs.Protocol(1, 10, 20), 1)
    second = Point(network, hs.Glauber(temperature=1.0), hs.Protocol(np.float64(1.0), 10, np.int64(20)), np.int64(1))
    assert first == second
    assert provenance.key(first) == provenance.key(second)
    zero = Point(network, hs.Glauber(temperature=1), hs.Protocol(0.0, 10, 20), 1)
    assert provenance.key(zero) == provenance.key(Point(network, zero.dynamics, hs.Protocol(-0.0, 10, 20), 1))


def test_a_change_of_the_trajectories_changes_every_key(monkeypatch):
    before = provenance.key(POINTS[0])
    monkeypatch.setattr(provenance, "TRAJECTORY", provenance.TRAJECTORY + 1)
    assert provenance.key(POINTS[0]) != before


def test_the_environment_names_versions():
    environment = json.loads(json.dumps(provenance.environment()))
    assert environment["numpy"] == np.__version__
    assert environment["machine"]


def test_a_point_of_a_newer_version_is_refused():
    text = provenance.canonical(POINTS[0]).replace('"Quadratic"', '"Octonionic"')
    with pytest.raises(
        hs.Refused, match="kind 'Octonionic', which this version of hopsim does not know; use a newer one"
    ):
        provenance.point_of(text, {})
