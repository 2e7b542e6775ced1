"""Input of continuous networks that makes no sense is refused in one line: never a traceback, never nan."""

import numpy as np
import pytest

from hopsim import scan_file
from hopsim.continuous import bounds, flows, lookup, softmax, storage, synapses, two_layer
from hopsim.continuous.key_value import KeyValueMemory
from hopsim.errors import Refused, numbers, whole

PATTERNS = np.random.default_rng(1).choice([-1.0, 1.0], size=(3, 10))
NETWORK = two_layer.model_b(PATTERNS, beta=1.0, hidden_time=0.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: two_layer.model_a([["a", "b"]], degree=2, gain=1.0, hidden_time=0.0), "patterns must be an array"),
        (lambda: two_layer.model_b(PATTERNS + 1j, beta=1.0, hidden_time=0.0), "real numbers, got complex128"),
        (lambda: softmax.Memory([[1, 2], [1]], 1.0), "patterns must be an array of numbers, got rows of different"),
        (lambda: softmax.Memory(PATTERNS, 1.0).update(["a"] * 10), "states must be an array of real numbers"),
        (lambda: softmax.Memory(PATTERNS * 1e200, 1.0).update(PATTERNS), "norms of the patterns leave the floats"),
        (lambda: lookup.associate("a", PATTERNS, PATTERNS, beta=1.0), "states must be an array of real numbers"),
        (lambda: synapses.Dense("abc"), "weights must be an array of real numbers"),
        (lambda: flows.settle(NETWORK, PATTERNS[0], longest=1e300), "longest = 1e.300 needs .* steps"),
        (lambda: bounds.weight_outside(np.nan, beta=1.0, patterns=3, radius=1.0, distance=0.0), "separation must be"),
        (lambda: bounds.weight_outside(1.0, beta=1.0, patterns=3, radius=1.0, distance=np.nan), "distance must be"),
        (lambda: bounds.error_of_fixed_point(1.0, beta=1.0, patterns=3, radius=0), "radius must be > 0, got 0"),
        (lambda: storage.SoftmaxUpdates(1.0, 10**300), "updates must be .*, got a number of 301 digits"),
        (lambda: numbers("x", None), "x must be an array of real numbers, got object"),
    ],
)  # fmt: skip
def test_refusals(call, message):
    with pytest.raises(Refused, match=message):
        call()


def test_scores_of_slots_beyond_the_floats():
    memory = KeyValueMemory(2, 3)
    memory.store([[1e200] * 3])
    with pytest.raises(Refused, match="scores of keys and queries leave the floats"):
        memory.read([1e200] * 3)


def test_patterns_of_model_c_are_brought_to_norm_one_whatever_their_size():
    network = two_layer.model_c(1e200 * np.eye(2), degree=3, hidden_time=0.0)
    np.testing.assert_array_equal(network.patterns, np.eye(2))


@pytest.mark.parametrize("beta", [1e6, 1e14, 1e19])
def test_all_weight_is_on_the_cued_pattern_at_large_beta(beta):
    network, cues = storage.SoftmaxNetwork(12, 6, "spherical"), storage.SoftmaxCues(0.75, 4)
    found = storage.measure(network, storage.SoftmaxUpdates(beta, 1), cues, np.random.default_rng(1))
    assert found["weight"] == found["retrieved"] == found["single"] == 1.0


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("softmax", "updates = 1", "updates = 1e300", r"\[dynamics\] updates must be an integer from 1 to"),
        (
            "softmax",
            "samples = 50",
            "samples = 10000000000000000000",
            r"\[scan\] samples must be a whole number >= 1 and <= 1e.15",
        ),
        ("two_layer", "degree = 3", "degree = 1e19", r"\[network\] load 0.01 gives too many patterns"),
        ("two_layer", "cues = 8", "cues = 1e300", r"\[protocol\] cues must be an integer from 1 to"),
        ("hierarchical", "epochs = 6", "epochs = 1e300", r"\[dynamics\] Learning: epochs must be an integer from 0 to"),
        ("key_value", "slots = 40", "slots = 1e19", r"\[network\] slots must be an integer from 1 to"),
    ],
)
def test_numbers_without_end_in_scan_files(name, old, new, message):
    path = scan_file.packaged()[name]
    text = path.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(Refused, match=message):
        scan_file.parse(text.replace(old, new), name=name, folder=path.parent)


def test_a_number_of_many_digits_is_not_printed():
    with pytest.raises(Refused, match="n must be an integer from 1 to 5, got a number of 301 digits"):
        whole("n", 10**300, 1, 5)
