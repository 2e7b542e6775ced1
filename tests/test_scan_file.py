"""Scan files: what they say, and one clear line for everything they must not say."""

from pathlib import Path

import numpy as np
import pytest

import hopsim as hs
from hopsim import scan_file, scans

GOOD = {
    "network": {
        "kind": '"dense"',
        "degree": "3",
        "indices": '"distinct"',
        "neurons": "[20, 30]",
        "load": "[0.05, 0.1]",
    },
    "dynamics": {"rule": '"glauber"', "temperature": "[0.1, 0.3]"},
    "protocol": {"cue_overlap": "1.0", "equilibrate": "5", "measure": "10"},
    "scan": {"samples": "4", "seed": "1"},
}


def text(**changes):
    """GOOD with changes section__key = value; None removes."""
    sections = {name: dict(keys) for name, keys in GOOD.items()}
    for place, value in changes.items():
        section, key = place.split("__")
        sections.setdefault(section, {})[key] = value
    lines = []
    for name, keys in sections.items():
        lines += [f"[{name}]", *(f"{k} = {v}" for k, v in keys.items() if v is not None)]
    return "\n".join(lines)


def parse(folder=Path(), **changes):
    return scan_file.parse(text(**changes), name="test", folder=folder)


def test_the_grid_is_the_product_of_its_lists():
    scan = parse()
    found = {(p.network.neurons, p.network.patterns, p.dynamics.temperature) for p in scan.points}
    assert found == {(n, round(a * n**2), t) for n in (20, 30) for a in (0.05, 0.1) for t in (0.1, 0.3)}
    assert (scan.samples, scan.size) == (4, 32)
    assert all(p.dynamics.order == "permutation" for p in scan.points)


def test_start_stop_num_includes_both_ends():
    scan = parse(network__load="{start = 0.05, stop = 0.25, num = 3}", network__neurons="20", dynamics__temperature="1")
    assert [p.network.patterns for p in scan.points] == [20, 60, 100]


def test_a_number_of_patterns_that_grows_like_the_logarithm_of_the_size():
    sizes = {p.network.neurons: p.network.patterns for p in parse(network__load=None, network__log_load="2").points}
    assert sizes == {20: 6, 30: 7}  # 2 ln 20 = 5.99, 2 ln 30 = 6.80


def test_loads_that_round_to_one_number_of_patterns_are_one_point():
    assert len(parse(network__load="[0.05, 0.0501]", network__neurons="20", dynamics__temperature="0.1").points) == 1


def test_dense_networks_with_blanks():
    ensembles = {p.network.law.ensemble for p in parse(network__dilution="[0.1, 0.5]").points}
    assert ensembles == {hs.Diluted(0.1), hs.Diluted(0.5)}


def test_a_random_start_has_no_cue():
    protocol = parse(protocol__start='"random"', protocol__cue_overlap=None).points[0].protocol
    assert (protocol.start, protocol.cue_overlap) == ("random", 0.0)


def test_every_point_gets_its_first_sample_before_any_its_second():
    samples = [run.sample for batch in parse().batches(set()) for run in batch]
    assert samples == sorted(samples)


def test_temperatures_share_the_disorder_of_a_batch():
    batches = list(parse().batches(set()))
    assert all(len(batch) == 2 and len({run.network for run in batch}) == 1 for batch in batches)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"network__loads": "0.1"}, ["[network]", "unknown key 'loads'", "did you mean load?"]),
        ({"dynamics__betta": "0.1"}, ["[dynamics]", "unknown key 'betta'"]),
        ({"network__sharpness": "0.1"}, ["[network]", "unknown key 'sharpness'"]),
        ({"extra__key": "1"}, ["unknown section 'extra'"]),
        ({"network__kind": '"hopfeld"'}, ["[network] kind", "one of hopfield, dense", "'hopfeld'"]),
        ({"network__kind": None}, ["[network] needs the key kind"]),
        ({"network__degree": "1"}, ["[network] degree", ">= 2", "got 1"]),
        ({"network__degree": "2.5"}, ["[network] degree", "whole numbers", "2.5"]),
        ({"network__indices": '"both"'}, ["[network] indices", "distinct, all", "'both'"]),
        ({"network__neurons": "1"}, ["[network]", "neurons must be an integer from 2", "got 1"]),
        ({"network__neurons": '"many"'}, ["[network] neurons", "finite number", "'many'"]),
        ({"network__neurons": "[]"}, ["[network] neurons", "not empty"]),
        ({"network__neurons": "{start = 1, stop = 2}"}, ["[network] neurons", "num = whole number from 1"]),
        ({"network__load": "[]"}, ["[network] load", "not empty"]),
        ({"network__load": "1e-9"}, ["[network]", "1e-09", "gives no pattern at N = 20", "one pattern is load 0.0025"]),
        ({"network__load": "nan"}, ["[network] load", "finite number"]),
        ({"network__load": "-0.1"}, ["[network]", "load must be", "-0.1"]),
        ({"network__load": "true"}, ["[network] load", "finite number", "True"]),
        ({"network__load": None}, ["[network] needs exactly one of load, patterns and log_load, got none"]),
        ({"network__load": None, "network__log_load": "-1"}, ["[network] log_load must be a number > 0"]),
        (
            {"network__patterns": "5"},
            ["[network] needs exactly one of load, patterns and log_load, got load and patterns"],
        ),
        ({"network__patterns_file": '"nowhere.npy"'}, ["patterns_file 'nowhere.npy' does not exist"]),
        ({"network__dilution": "1.0"}, ["[network] Diluted needs 0 <= dilution < 1", "1.0"]),
        ({"network__dilution": "0.1", "network__bias": "0.1"}, ["[network] dilution draws random", "remove bias"]),
        ({"network__bias": "2.0"}, ["[network]", "-1 < bias < 1", "2.0"]),
        ({"dynamics__rule": '"heatbath"'}, ["[dynamics] rule", "sign, glauber, metropolis, synchronous"]),
        ({"dynamics__temperature": "0"}, ["[dynamics] Glauber needs", "temperature > 0", "use SignUpdate()"]),
        ({"dynamics__temperature": "-1"}, ["[dynamics] Glauber needs", "-1"]),
        ({"dynamics__temperature": None}, ["[dynamics] needs the key temperature"]),
        ({"dynamics__rule": '"sign"'}, ["[dynamics] temperature is not for rule", "remove it"]),
        ({"dynamics__order": '"sorted"'}, ["[dynamics] order", "permutation, random, cyclic"]),
        ({"protocol__cue_overlap": "1.5"}, ["[protocol] cue_overlap", "between -1 and 1", "1.5"]),
        ({"protocol__start": '"mixture"'}, ["[protocol] start", "one of pattern, hierarchical, random", "'mixture'"]),
        ({"protocol__start": '"random"'}, ["[protocol] cue_overlap is not for start", "remove it"]),
        ({"protocol__overlaps": "1"}, ["[protocol] overlaps", "true or false"]),
        ({"protocol__measure": "0"}, ["[protocol] measure", "whole number >= 1", "got 0"]),
        ({"protocol__equilibrate": "2.5"}, ["[protocol] equilibrate", "whole number", "2.5"]),
        ({"protocol__every": "11"}, ["[protocol] every", "at most measure = 10", "11"]),
        ({"protocol__replicas": "1025"}, ["[protocol] replicas must be an integer from 1 to 1024, got 1025"]),
        ({"scan__samples": "0"}, ["[scan] samples", ">= 1", "got 0"]),
        ({"scan__seed": "-1"}, ["[scan] seed", ">= 0", "-1"]),
        ({"scan__seed": None}, ["[scan] needs the key seed"]),
        ({"protocol__series": "1"}, ["[protocol] series must be true or false"]),
        ({"scan__seed": None, "scan__seeed": "1"}, ["[scan] needs the key seed, is 'seeed' meant for it?"]),
        ({"network__neurons": "100000000000"}, ["neurons must be an integer from 2 to 2147483647"]),
        ({"network__load": "1e308"}, ["[network] load must be a number > 0 and at most 1e6, got 1e+308"]),
        ({"network__degree": "400"}, ["[network] Power: degree must be an integer from 3 to 100, got 400"]),
        ({"network__load": "{start = 0.1, stop = 0.2, num = 100000000}"}, ["num = whole number from 1 to 100000"]),
        ({"network__bias": "0.1", "network__patterns_file": '"a.npy"'}, ["bias draws random patterns", "remove one"]),
    ],
)
def test_bad_scans_are_refused_in_one_line(changes, parts):
    with pytest.raises(hs.Refused) as refused:
        parse(**changes)
    message = str(refused.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_missing_sections_and_broken_toml_are_refused():
    with pytest.raises(hs.Refused, match=r"scan test needs a section \[dynamics\]"):
        scan_file.parse("[network]\nkind = 'hopfield'", name="test", folder=Path())
    with pytest.raises(hs.Refused, match=r"scan test is not valid TOML.*line 3"):
        scan_file.parse("[network]\n\nkind = ?", name="test", folder=Path())


def test_temperature_of_an_exponential_network_is_refused():
    changes = {"network__degree": None, "network__indices": None, "network__kind": '"exponential"'}
    with pytest.raises(hs.Refused, match="exponential network has no temperature.*log_sum_exp"):
        parse(**changes)


def check_room(tmp_path, workers=2, **changes):
    scans.check_room(parse(**changes), tmp_path / "out.h5", workers)


def test_a_grid_that_overflows_is_refused(tmp_path):
    large = {"network__degree": "8", "network__indices": '"all"', "network__neurons": "3000"}
    with pytest.raises(hs.Refused, match=r"neurons = 3000 .*overflows 64-bit.*distinct"):
        check_room(tmp_path, network__load="1e-23", **large)


def test_a_grid_that_does_not_fit_in_memory_is_refused(tmp_path):
    with pytest.raises(hs.Refused, match=r"neurons = 100000 .*needs .* GiB for 2 workers, this machine has"):
        check_room(tmp_path, network__neurons="100000", network__load="0.05")


def test_a_grid_that_does_not_fit_on_disk_is_refused(tmp_path):
    with pytest.raises(hs.Refused, match=r"runs need .* GiB in .*out.h5, the disk has .* free"):
        check_room(tmp_path, scan__samples="100000000000")


def test_a_good_grid_fits(tmp_path):
    assert check_room(tmp_path) is None


def test_own_patterns_give_the_number_of_neurons(tmp_path):
    np.save(tmp_path / "own.npy", np.where(np.random.default_rng(0).random((10, 6)) < 0.5, 1, -1))
    scan = parse(
        tmp_path,
        network__neurons=None,
        network__load=None,
        network__patterns="[2, 6]",
        network__patterns_file='"own.npy"',
        dynamics__temperature="0.1",
    )
    assert [(p.network.neurons, p.network.patterns) for p in scan.points] == [(10, 2), (10, 6)]
    with pytest.raises(hs.Refused, match=r"\[network\] 6 patterns are stored in the array given, got patterns = 7"):
        parse(
            tmp_path,
            network__neurons=None,
            network__load=None,
            network__patterns="7",
            network__patterns_file='"own.npy"',
        )


def test_own_patterns_with_other_values_are_refused(tmp_path):
    np.save(tmp_path / "grey.npy", np.array([[1, -1], [7, 1]]))
    message = r"grey.npy: stored patterns must be -1, 0 or \+1, got 7 at neuron 1 of pattern 0"
    with pytest.raises(hs.Refused, match=message):
        parse(
            tmp_path,
            network__neurons=None,
            network__load=None,
            network__patterns="1",
            network__patterns_file='"grey.npy"',
        )


@pytest.mark.parametrize("name", sorted(scan_file.packaged()))
def test_packaged_scans_are_valid(name, tmp_path):
    scan = scan_file.read(scan_file.packaged()[name])
    scans.check_room(scan, tmp_path / "out.h5", 2)
    assert scan.name == name
