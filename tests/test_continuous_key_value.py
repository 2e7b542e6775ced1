"""Key-value memory: local rules against the equations in NumPy, streams against exact laws, published capacities."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
from scipy.linalg import hadamard

from hopsim.continuous import forgetting, key_value
from hopsim.continuous.key_value import HebbianMatrix, KeyValue, KeyValueMemory, Reading, Recall, measure, overlaps
from hopsim.continuous.plasticity import HEBBIAN, ONE, PRESYNAPTIC, RATE, Plasticity, Random, Response, Sequential
from hopsim.errors import Refused

PAPER = Recall(blanked=0.6)


class Naive:
    """Equations (9), (10), (11) and (12) to (16) of arXiv 2110.13976 as they stand: K[N, d], V[m, N]."""

    def __init__(self, slots, inputs, outputs, key_rule, value_rule, hard):
        self.K, self.V = np.zeros((slots, inputs)), np.zeros((outputs, slots))
        self.key_rule, self.value_rule, self.hard = key_rule, value_rule, hard

    def hidden(self, x):
        scores = self.K @ x
        if self.hard:
            return (scores == scores.max()) / (scores == scores.max()).sum()
        return np.exp(scores) / np.exp(scores).sum()

    def changed(self, W, rule, gate, q, post, pre):
        learned = np.outer(rule.post.slope * post + rule.post.offset, rule.pre.slope * pre + rule.pre.offset)
        if rule.decay is not None:
            return ((1 - q) + q * rule.decay) * W + q * rule.rate * learned
        eta = q * rule.rate * gate * np.ones_like(W)
        return (1 - eta) * W + eta * learned

    def store(self, x, y, gate, q):
        self.K = self.changed(self.K, self.key_rule, gate[:, None], q, self.hidden(x), x)
        self.V = self.changed(self.V, self.value_rule, gate[None, :], q, y, self.hidden(x))

    def read(self, x):
        return self.V @ self.hidden(x)


def signs(rng, *shape):
    return rng.choice([-1.0, 1.0], size=shape)


RULES = [
    (PRESYNAPTIC, HEBBIAN),
    (Plasticity(Response(0.5, 0.1), Response(0.3, 0.4), 0.7), Plasticity(Response(1.1, -0.2), Response(0.9, 0.3), 0.5)),
    (PRESYNAPTIC, Plasticity(RATE, RATE, rate=0.8, decay=0.9)),
    (Plasticity(RATE, ONE, rate=0.6, decay=0.5), HEBBIAN),
]


@pytest.mark.parametrize("nonlinearity", ["softmax", "hard"])
@pytest.mark.parametrize("choice", [Sequential(), Random(0.3)])
@pytest.mark.parametrize(("key_rule", "value_rule"), RULES)
def test_compiled_writing_is_the_equations(key_rule, value_rule, choice, nonlinearity):
    rng, (N, d, m, T) = np.random.default_rng(0), (5, 7, 4, 23)
    x, y, q = rng.normal(size=(T, d)), rng.normal(size=(T, m)), rng.choice([0.0, 0.5, 1.0], size=T)
    rules = {"key_rule": key_rule, "value_rule": value_rule}
    memory = KeyValueMemory(N, d, m, choice=choice, nonlinearity=nonlinearity, **rules)
    naive = Naive(N, d, m, key_rule, value_rule, nonlinearity == "hard")
    memory.store(x, y, strengths=q, rng=np.random.default_rng(1))
    gates = np.random.default_rng(1).random((T, N)) < 0.3 if isinstance(choice, Random) else np.eye(N)[np.arange(T) % N]
    for t in range(T):
        naive.store(x[t], y[t], gates[t], q[t])
    np.testing.assert_allclose(memory.keys, naive.K, rtol=0, atol=1e-12)
    np.testing.assert_allclose(memory.values, naive.V.T, rtol=0, atol=1e-12)
    queries = rng.normal(size=(3, 2, d))
    expected = [[naive.read(query) for query in row] for row in queries]
    np.testing.assert_allclose(memory.read(queries), expected, rtol=0, atol=1e-12)


def test_sequential_slots_keep_exactly_the_last_patterns():
    """Orthogonal patterns: the last N come back, of the others nothing is left but the mean of those N."""
    patterns, N = hadamard(32).astype(float), 10
    memory = KeyValueMemory(N, 32)
    memory.store(patterns)
    age = np.arange(32)[::-1]
    np.testing.assert_array_equal((memory.recall(patterns) == patterns).all(axis=1), age < N)
    np.testing.assert_allclose((memory.read(patterns) @ patterns.T).diagonal()[age >= N], 0, atol=1e-12)
    np.testing.assert_array_equal(forgetting.survival(age, slots=N), age < N)


def test_one_slot_a_pair_is_softmax_attention():
    """V softmax(K q), but for a value that is learned by the activity of its slot, softmax(K x), instead of 1."""
    rng = np.random.default_rng(2)
    keys, values, queries = rng.normal(size=(6, 9)), rng.normal(size=(6, 3)), rng.normal(size=(5, 9))
    memory = KeyValueMemory(6, 9, 3, value_rule=Plasticity(ONE, RATE))
    memory.store(keys, values)
    weights = np.exp(queries @ keys.T)
    np.testing.assert_allclose(memory.read(queries), weights / weights.sum(1, keepdims=True) @ values, atol=1e-12)


def test_passive_decay_fades_values_with_age():
    """Equation (16): without a local factor in V a value has λ^age of its strength, and nothing overwrites it."""
    patterns = 20 * hadamard(16)[:8].astype(float)
    memory = KeyValueMemory(8, 16, value_rule=Plasticity(RATE, RATE, decay=0.9))
    memory.store(patterns)
    strength = (memory.read(patterns) * patterns).mean(axis=1) / 400
    np.testing.assert_allclose(strength, 0.9 ** np.arange(8)[::-1], atol=1e-12)


def test_nothing_stored_still_passes_a_slot():
    """The steps of width N of the continual task (appendix A.2): a slot is spared whenever q = 0 at its turn."""
    rng, (N, d, T) = np.random.default_rng(3), (6, 12, 100)
    patterns, q = rng.normal(size=(T, d)), (rng.random(T) < 0.5).astype(float)
    memory = KeyValueMemory(N, d)
    memory.store(patterns, strengths=q)
    kept = np.array([(np.abs(memory.keys - pattern).max(axis=1) == 0).any() for pattern in patterns])
    np.testing.assert_array_equal(kept, [q[t] == 1 and not q[t + N :: N].any() for t in range(T)])
    assert kept[: T - N].any()


@pytest.mark.parametrize("choice", [Sequential(), Random(0.2)])
def test_a_stream_may_come_in_parts(choice, monkeypatch):
    x = signs(np.random.default_rng(4), 31, 8)
    whole, parts, blocks = (KeyValueMemory(5, 8, choice=choice) for _ in range(3))
    whole.store(x, rng=np.random.default_rng(5))
    rng = np.random.default_rng(5)
    for part in np.split(x, [3, 4, 20]):
        parts.store(part, rng=rng)
    monkeypatch.setattr(key_value, "BLOCK", 11)
    blocks.store(x, rng=np.random.default_rng(5))
    for other in (parts, blocks):
        np.testing.assert_array_equal(other.keys, whole.keys)
        np.testing.assert_array_equal(other.values, whole.values)


def test_survival_of_random_slots_by_enumeration():
    """All 2^(NT) outcomes of the gates of 2 slots and 4 steps, each with its probability."""
    N, T, p = 2, 4, 0.3
    total = np.zeros(T)
    for bits in itertools.product([0, 1], repeat=N * T):
        gates = np.array(bits).reshape(T, N)
        slots = [np.flatnonzero(gates[:, i])[-1] for i in range(N) if gates[:, i].any()]
        total[list(set(slots))] += p ** gates.sum() * (1 - p) ** (N * T - gates.sum())
    np.testing.assert_allclose(forgetting.survival(np.arange(T)[::-1], slots=N, probability=p), total, atol=1e-14)


def test_random_slots_keep_what_the_law_says():
    """400 streams of 30 into 10 slots; every age within 4.5 standard errors (30 ages: a false alarm in 5000)."""
    N, T, p, runs = 10, 30, 0.2, 400
    rng, kept = np.random.default_rng(6), np.zeros(T)
    times = np.arange(T, dtype=float)[:, None]
    for _ in range(runs):
        memory = KeyValueMemory(N, 1, choice=Random(p))
        memory.store(times + 1, rng=rng)
        kept += np.isin(times[:, 0] + 1, memory.keys)
    expected = forgetting.survival(np.arange(T)[::-1], slots=N, probability=p)
    assert (np.abs(kept / runs - expected) < 4.5 * np.sqrt(expected * (1 - expected) / runs) + 1e-12).all()


@pytest.mark.parametrize("task", ["auto", "hetero"])
@pytest.mark.parametrize("blanked", [0.0, 0.4, 1.0])
def test_expected_accuracy_by_enumeration(task, blanked):
    """All patterns of 4 entries and all cues: one that survives among two others, and one lost among two."""
    d, total = 4, np.zeros(2)
    cube = np.array(list(itertools.product([-1.0, 1.0], repeat=d)))
    known = (cube + 1) / 2
    chances = blanked ** (d - known.sum(1)) * (1 - blanked) ** known.sum(1)
    query = cube[-1]  # all +1, without loss of generality
    for first, second in itertools.product(cube, repeat=2):
        for column, keys in enumerate(([query, first, second], [first, second])):
            scores = np.exp(known @ np.array(keys).T)  # known * query = known
            if task == "auto":
                right = np.sign(np.round(scores @ np.array(keys), 9)).mean(axis=1)
            else:  # one entry of the values, over both signs of those of the others
                signs_ = [np.sign(np.round(scores @ v, 9)) for v in _values(len(keys), survives=column == 0)]
                right = np.mean(signs_, axis=0)
            total[column] += chances @ (1 + right) / 2 / len(cube) ** 2
    both = [KeyValue(3, d, 3, "sequential", task), KeyValue(2, d, 3, "sequential", task)]
    found = [forgetting.accuracy_by_age(network, Recall(blanked))[0] for network in both]
    np.testing.assert_allclose(found, total, atol=2e-4)


def _values(count, *, survives):
    free = itertools.product([-1.0, 1.0], repeat=count - survives)
    return [np.array([1.0] * survives + list(rest)) for rest in free]


def sampled(network, recall=PAPER, samples=200, seed=0, reading=None):
    """Mean and standard error of the accuracy."""
    streams = np.random.default_rng(seed).spawn(samples)
    found = [measure(network, reading or Reading(), recall, rng)["accuracy"] for rng in streams]
    return np.mean(found), np.std(found, ddof=1) / np.sqrt(samples)


@pytest.mark.parametrize("patterns", [8, 40, 60, 120])
@pytest.mark.parametrize(("rule", "probability", "mean_field"), [("sequential", None, 3e-4), ("random", 0.1, 2e-3)])
def test_accuracy_against_theory(patterns, rule, probability, mean_field):
    """N = d = 40, 60 % blank, as figure 2a; 4 standard errors and what the theory leaves out."""
    network = KeyValue(40, 40, patterns, rule, probability=probability)
    mean, error = sampled(network)
    assert abs(mean - forgetting.accuracy(network, PAPER)) < 4 * error + mean_field


def test_accuracy_by_age_against_theory():
    network = KeyValue(40, 40, 100, "random", probability=0.1)
    streams = np.random.default_rng(1).spawn(300)
    found = np.array([(1 + overlaps(network, Reading(), PAPER, rng)) / 2 for rng in streams])
    expected = forgetting.accuracy_by_age(network, PAPER)
    for ages in (slice(0, 50), slice(50, 80), slice(80, 90), slice(90, 100)):
        means = found[:, ages].mean(axis=1)
        error = means.std(ddof=1) / np.sqrt(len(means))
        assert abs(means.mean() - expected[ages].mean()) < 4 * error + 4e-3


@pytest.mark.parametrize(
    ("rule", "size", "below", "above"),
    [
        ("sequential", 40, 1.0, 1.1),
        ("sequential", 80, 1.0, 1.1),
        ("random", 80, 0.16, 0.23),
        ("hebbian", 160, 0.13, 0.17),
    ],
)
def test_published_capacities(rule, size, below, above):
    """An accuracy of 0.98 at about 1.0 N, 0.16 N (p = 0.1) and 0.14 N patterns (figure 2b), on both sides."""
    for load, enough in ((below, True), (above, False)):
        network = KeyValue(size, size, round(load * size), rule, probability=0.1 if rule == "random" else None)
        mean, error = sampled(network, samples=1000 if rule == "random" else 150)
        assert (mean - 3 * error >= 0.98) if enough else (mean + 3 * error < 0.98)


def test_theory_of_capacities():
    """Sequential: K with N A_s + (K-N) A_l = 0.98 K. Random slots: of order N with p = 4/N."""
    network = KeyValue(40, 40, 80, "sequential")
    ages = forgetting.accuracy_by_age(network, PAPER)
    kept, lost = ages[-1], ages[0]
    expected = 40 * (kept - lost) / (0.98 - lost)
    assert abs(forgetting.capacity(network, PAPER, 0.98) - expected) < 0.02
    scaled = [forgetting.capacity(KeyValue(N, N, 1, "random", probability=4 / N), PAPER, 0.98) / N for N in (20, 40)]
    np.testing.assert_allclose(scaled[0], scaled[1], rtol=0.05)
    assert forgetting.capacity(KeyValue(20, 20, 1, "random", probability=0.1), PAPER, 0.98) == 0


def test_doubling_the_slots_delays_forgetting_by_a_constant():
    """Random slots survive with 1 - (1 - p (1-p)^age)^N: at N and 2N alike after ln 2/-ln(1-p) more patterns."""
    p, N = 0.1, 4096
    ages = np.arange(40, 120)
    later = ages + np.log(2) / -np.log(1 - p)
    first, second = (forgetting.survival(a, slots=n, probability=p) for a, n in ((ages, N), (later, 2 * N)))
    np.testing.assert_allclose(first, second, atol=1e-3)
    assert first[0] > 0.99
    assert first[-1] < 0.05


def test_hetero_association_costs_slots_nothing_and_the_matrix_much():
    """Figure 5a: values of d/2 entries at K = N."""
    auto, hetero = (sampled(KeyValue(40, 40, 40, "sequential", task))[0] for task in ("auto", "hetero"))
    assert auto > 0.995
    assert hetero > 0.995
    network = KeyValue(40, 40, 20, "hebbian", "hetero", outputs=20)
    assert sampled(network)[0] < sampled(KeyValue(40, 40, 20, "sequential", "hetero", outputs=20))[0] - 0.1


def test_hard_reading_is_the_softmax_of_large_scores():
    """±1 patterns: scores are whole, so keys 40 times as long leave ties and nothing else to share."""
    rng = np.random.default_rng(7)
    patterns = signs(rng, 30, 16)
    queries = np.where(rng.random((30, 16)) < 0.6, 0, patterns)
    hard, soft = KeyValueMemory(12, 16, nonlinearity="hard"), KeyValueMemory(12, 16)
    for memory in (hard, soft):
        memory.store(patterns)
    soft.keys, soft.values = 40 * hard.keys, hard.values
    np.testing.assert_allclose(hard.read(queries), soft.read(queries), atol=1e-5)


def test_sequences_are_recalled_without_error_until_the_slots_are_full():
    """Figure 5b: N = d = 40, clean prompts. N + 1 patterns are N pairs; later the first pairs are overwritten."""
    clean = Recall(blanked=0.0)
    for patterns in (5, 41):
        found = overlaps(
            KeyValue(40, 40, patterns, "sequential", "sequence"), Reading(), clean, np.random.default_rng(8)
        )
        assert found.shape == (patterns - 1,)
        assert (found == 1).all()
    found = overlaps(KeyValue(40, 40, 60, "sequential", "sequence"), Reading(), clean, np.random.default_rng(8))
    np.testing.assert_array_equal(found == 1, np.arange(59) >= 19)


@pytest.mark.parametrize("rule", ["sequential", "hebbian"])
def test_recall_of_a_sequence_is_replay_from_every_prompt(rule):
    """The batch of all prompts against one prompt after the other."""
    T, d = 12, 30
    found = overlaps(KeyValue(d, d, T, rule, "sequence"), Reading(), Recall(0.0), np.random.default_rng(9))
    patterns = np.random.default_rng(9).integers(0, 2, (T, d)) * 2.0 - 1
    memory = KeyValueMemory(d, d) if rule == "sequential" else HebbianMatrix(d)
    memory.store(patterns[:-1], patterns[1:])
    for start in range(T - 1):
        following = key_value.replay(memory, patterns[start], T - 1 - start)
        assert found[start] == pytest.approx((following * patterns[start + 1 :]).mean(), abs=1e-12)
    assert rule == "sequential" or found.min() < 1


def test_hebbian_matrix_is_a_sum_and_settles_uphill():
    rng = np.random.default_rng(10)
    x, y = signs(rng, 9, 20), signs(rng, 9, 5)
    matrix = HebbianMatrix(20, 5, decay=0.8)
    matrix.store(x[:4], y[:4])
    matrix.store(x[4:], y[4:])
    np.testing.assert_allclose(matrix.weights, sum(0.8 ** (8 - t) * np.outer(y[t], x[t]) for t in range(9)), atol=1e-12)
    square = HebbianMatrix(20)
    square.store(x)
    states = [signs(rng, 20)]
    for _ in range(20):
        states.append(square.recall(states[-1]))
    heights = [state @ square.weights @ state for state in states]
    assert all(later >= earlier for earlier, later in itertools.pairwise(heights))
    assert heights[-1] > heights[0]
    np.testing.assert_array_equal(square.settle(states[0]), states[-1])


def test_a_decaying_matrix_keeps_the_newest():
    """A palimpsest at five times the capacity: ages are alike without decay; with it the newest are kept."""

    def by_age(decay):
        network = KeyValue(100, 100, 70, "hebbian", decay=decay)
        found = [overlaps(network, Reading(), PAPER, rng) for rng in np.random.default_rng(11).spawn(40)]
        return np.mean(found, axis=0)

    plain, fading = by_age(1.0), by_age(0.8)
    assert abs(plain[-3:].mean() - plain[:3].mean()) < 0.1
    assert plain.max() < 0.85
    assert fading[-3:].mean() > 0.95
    assert fading[:30].mean() < 0.7


def test_the_search_for_a_capacity_finds_a_step():
    for capacity in (1, 2, 3, 7, 8, 40, 41, 1000):
        assert key_value.searched_capacity(lambda K, step=capacity: float(step >= K), 0.98) == capacity


def test_the_search_doubles_and_halves():
    """By hand for a step at 7: doubled from 2, half way back to the last that was enough, doubled from there again."""
    asked = []
    key_value.searched_capacity(lambda K: asked.append(K) or float(K <= 7), 0.98)
    assert asked == [2, 4, 8, 6, 12, 9, 7, 14, 10, 8]


def test_measure_is_a_function_of_its_arguments():
    network = KeyValue(40, 40, 60, "random", probability=0.1)
    first, again = (measure(network, Reading(), PAPER, np.random.default_rng(12)) for _ in range(2))
    assert first == again
    assert list(first) == ["accuracy", "overlap", "retrieved"]
    found = overlaps(network, Reading(), PAPER, np.random.default_rng(12))
    assert first["accuracy"] == (1 + found.mean()) / 2
    assert first["retrieved"] == np.mean(found > 0.69)
    assert 0.1 < first["retrieved"] < 0.9
    assert network.load == 1.5
    assert hash(network) == hash(dataclasses.replace(network))
    for part in (network, Reading(), PAPER):
        assert type(part)(**json.loads(json.dumps(dataclasses.asdict(part)))) == part


def good(**changed):
    return KeyValue(**({"slots": 4, "neurons": 5, "patterns": 6, "rule": "sequential"} | changed))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: good(slots=0), "slots must be an integer from 1 to"),
        (lambda: good(patterns=1, task="sequence"), "patterns must be an integer from 2 to"),
        (lambda: good(rule="oldest"), "rule must be one of sequential, random, hebbian"),
        (lambda: good(task="copy"), "task must be one of"),
        (lambda: good(rule="random"), "the random rule needs a probability"),
        (lambda: good(probability=0.1), "the sequential rule has no probability"),
        (lambda: good(rule="random", probability=0.0), "above 0 and at most 1"),
        (lambda: good(rule="random", probability=float("nan")), "must be a finite number"),
        (lambda: good(decay=0.9), "only the hebbian rule has a decay"),
        (lambda: good(rule="hebbian", slots=5, decay=0.0), "decay must be above 0"),
        (lambda: good(rule="hebbian"), "set slots = neurons = 5"),
        (lambda: good(outputs=3), "only the hetero task has outputs"),
        (lambda: Reading("step"), "nonlinearity must be one of softmax, hard"),
        (lambda: Recall(1.5), "blanked must be from 0 to 1"),
        (lambda: Recall(0.5, success_overlap=2), "success_overlap must be from -1 to 1"),
        (lambda: Response(float("inf"), 0), "slope of a response must be a finite number"),
        (lambda: Plasticity(RATE, ONE, rate=2), "rate of a plasticity must be from 0 to 1"),
        (lambda: Plasticity(RATE, ONE, decay=-1), "decay of a plasticity must be from 0 to 1"),
        (lambda: KeyValueMemory(3, 4, nonlinearity="relu"), "nonlinearity must be one of softmax, hard"),
        (lambda: KeyValueMemory(3, 4).store(np.ones((2, 5))), r"inputs must be finite numbers of shape \[T, 4\]"),
        (lambda: KeyValueMemory(3, 4).store([[np.nan] * 4]), "inputs must be finite"),
        (lambda: KeyValueMemory(3, 4).store(np.ones((2, 4)), np.ones((3, 4))), "every input needs one output"),
        (lambda: KeyValueMemory(3, 4).store(np.ones((1, 4)), strengths=[2.0]), "strengths must be from 0 to 1"),
        (lambda: KeyValueMemory(3, 4, choice=Random(0.5)).store(np.ones((1, 4))), "need a random number generator"),
        (lambda: KeyValueMemory(3, 4).read(np.ones(3)), r"queries must be finite numbers of shape \[..., 4\]"),
        (lambda: HebbianMatrix(4).store(np.ones((2, 4)), np.ones((1, 4))), "every input needs one output"),
        (lambda: HebbianMatrix(4, 3).settle(np.ones(4)), "settles only"),
        (lambda: key_value.replay(HebbianMatrix(4), np.ones(4), 0), "steps must be an integer >= 1"),
        (lambda: forgetting.survival(-1, slots=3), "at least 0"),
        (lambda: forgetting.accuracy(good(rule="hebbian", slots=5), PAPER), "expected accuracies are of slots"),
        (lambda: forgetting.capacity(good(), PAPER, 0.4), "threshold must be between 0.5 and 1"),
        (lambda: forgetting.capacity(good(), Recall(0.0), 0.51), "choose a higher threshold"),
    ],
)  # fmt: skip
def test_refusals(call, message):
    with pytest.raises(Refused, match=message):
        call()
