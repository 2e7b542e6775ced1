"""Key-value memory written by local rules, the Hebbian matrix it is compared with, and one sample of recall.

Tyulmankov, Fang, Vadaparty & Yang (NeurIPS 2021, arXiv 2110.13976): slot i has a key k_i (synapses from the input) and
a value v_i (synapses to the output); a query x is answered by

    h = softmax(K x),   y = V h,   sign(y) for binary values,

and a pair (x, y) is written into the slots that a local third factor opens (plasticity.py): K first, then V by the
activity h' = softmax(K x) with the new key. With one slot a pair this is one update of softmax attention at β = 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import Refused, numbers, real, whole
from ..kernels import slots as kernel
from .plasticity import HEBBIAN, PRESYNAPTIC, Plasticity, Random, Response, Sequential

Floats = NDArray[np.float64]
NONLINEARITIES = ("softmax", "hard")
RULES = ("sequential", "random", "hebbian")
MOST = 10**7  # slots, neurons, patterns
TASKS = ("auto", "hetero", "sequence")
BLOCK = 2**22  # gates drawn at once


class KeyValueMemory:
    """N slots, keys float64[N, d], values float64[N, m], empty at first; `steps` counts what was offered so far."""

    def __init__(
        self,
        slots: int,
        inputs: int,
        outputs: int | None = None,
        *,
        choice: Sequential | Random = Sequential(),  # noqa: B008, frozen
        nonlinearity: str = "softmax",
        key_rule: Plasticity = PRESYNAPTIC,
        value_rule: Plasticity = HEBBIAN,
    ) -> None:
        _one_of("nonlinearity", nonlinearity, NONLINEARITIES)
        N, d = whole("slots", slots, 1), whole("inputs", inputs, 1)
        self.keys = np.zeros((N, d))
        self.values = np.zeros((N, d if outputs is None else whole("outputs", outputs, 1)))
        self.choice, self.hard = choice, nonlinearity == "hard"
        self.key_rule, self.value_rule = key_rule, value_rule
        self.steps = 0

    def store(
        self,
        inputs: ArrayLike,
        outputs: ArrayLike | None = None,
        *,
        strengths: ArrayLike | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        """Write pairs inputs[T, d], outputs[T, m] (the inputs themselves if None) one after the other.

        strengths[T] from 0 to 1 is the global third factor q, 1 if None; a step of q = 0 stores nothing and still
        passes a slot.
        """
        x = _rows("inputs", inputs, self.keys.shape[1])
        y = _rows("outputs", x if outputs is None else outputs, self.values.shape[1])
        q = np.ones(len(x)) if strengths is None else _rows("strengths", strengths)
        if not len(x) == len(y) == len(q):
            raise Refused(f"every input needs one output and one strength: got {len(x)}, {len(y)} and {len(q)}")
        if len(q) and not (q.min() >= 0 and q.max() <= 1):
            raise Refused(f"strengths must be from 0 to 1, got {q.min():g} to {q.max():g}")
        hidden = len(self.keys)
        key_rule = _compiled(self.key_rule.post, self.key_rule.pre, self.key_rule)
        value_rule = _compiled(self.value_rule.pre, self.value_rule.post, self.value_rule)
        block = max(1, BLOCK // hidden)
        for first in range(0, len(x), block):
            part = slice(first, first + block)
            gates = self.choice.gates(self.steps, len(q[part]), hidden, rng)
            kernel.store(self.keys, self.values, x[part], y[part], gates, q[part], self.hard, key_rule, value_rule)
            self.steps += len(q[part])

    def read(self, queries: ArrayLike) -> Floats:
        """V h for queries[..., d]: float64[..., m]."""
        asked = _rows("queries", queries, self.keys.shape[1], batch=True)
        with np.errstate(over="ignore", invalid="ignore"):
            scores = asked @ self.keys.T
        if not np.isfinite(scores).all():
            raise Refused("the scores of keys and queries leave the floats; scale them down")
        scores -= scores.max(axis=-1, keepdims=True)
        hidden = (scores == 0).astype(float) if self.hard else np.exp(scores)
        answer: Floats = hidden / hidden.sum(axis=-1, keepdims=True) @ self.values
        return answer

    def recall(self, queries: ArrayLike) -> Floats:
        """sign(V h): the binary answers, 0 where the value is undecided."""
        return np.sign(self.read(queries))


class HebbianMatrix:
    """W = Σ_t λ^(T-1-t) y_t x_tᵀ, float64[m, d]: the classical network with its diagonal (y = x), or a one-step BAM.

    decay λ = 1 is Hopfield (1982); λ < 1 forgets, so that recent patterns stay: a palimpsest.
    """

    def __init__(self, inputs: int, outputs: int | None = None, *, decay: float = 1.0) -> None:
        if not 0 < real("decay", decay) <= 1:
            raise Refused(f"decay must be above 0 and at most 1, got {decay!r}")
        d = whole("inputs", inputs, 1)
        self.weights = np.zeros((d if outputs is None else whole("outputs", outputs, 1), d))
        self.decay = float(decay)

    def store(self, inputs: ArrayLike, outputs: ArrayLike | None = None) -> None:
        """Add pairs inputs[T, d], outputs[T, m] in their order."""
        x = _rows("inputs", inputs, self.weights.shape[1])
        y = _rows("outputs", x if outputs is None else outputs, self.weights.shape[0])
        if len(x) != len(y):
            raise Refused(f"every input needs one output: got {len(x)} and {len(y)}")
        factors = self.decay ** np.arange(len(x))[::-1]
        self.weights = self.decay ** len(x) * self.weights + (y.T * factors) @ x

    def recall(self, queries: ArrayLike) -> Floats:
        """sign(W x) for queries[..., d], once; sign(0) = 0."""
        return np.sign(_rows("queries", queries, self.weights.shape[1], batch=True) @ self.weights.T)

    def settle(self, queries: ArrayLike) -> Floats:
        """Synchronous x <- sign(W x) until nothing changes, for values that are their keys.

        W then has no negative eigenvalue, so xᵀ W x rises with every update and there are no cycles.
        """
        W = self.weights
        if W.shape[0] != W.shape[1] or not np.allclose(W, W.T):
            raise Refused("a Hebbian matrix settles only if it is symmetric, as it is when values are their keys")
        state = self.recall(queries)
        while not np.array_equal(following := self.recall(state), state):
            state = following
        return state


@dataclass(frozen=True)
class KeyValue:
    """What is stored and where: `patterns` binary ±1 keys of `neurons` entries in `slots`.

    rule: "sequential"; "random", with its probability; "hebbian", the matrix instead, of as many slots as neurons,
    with its decay. task: "auto", keys are values; "hetero", values of `outputs` entries (None: as many as neurons);
    "sequence", the value of a pattern is the pattern after it.
    """

    slots: int
    neurons: int
    patterns: int
    rule: str
    task: str = "auto"
    probability: float | None = None
    decay: float = 1.0
    outputs: int | None = None

    def __post_init__(self) -> None:
        _one_of("rule", self.rule, RULES)
        _one_of("task", self.task, TASKS)
        for name, least in (("slots", 1), ("neurons", 1), ("patterns", 2 if self.task == "sequence" else 1)):
            object.__setattr__(self, name, whole(name, getattr(self, name), least, MOST))
        if (self.probability is None) == (self.rule == "random"):
            needs = "needs a" if self.rule == "random" else "has no"
            raise Refused(f"the {self.rule} rule {needs} probability, got {self.probability!r}")
        if self.probability is not None:
            object.__setattr__(self, "probability", Random(self.probability).probability)
        object.__setattr__(self, "decay", HebbianMatrix(1, decay=self.decay).decay)
        if self.rule != "hebbian" and self.decay != 1:
            raise Refused(f"only the hebbian rule has a decay, got {self.decay:g} with {self.rule}")
        if self.rule == "hebbian" and self.slots != self.neurons:
            raise Refused(f"the hebbian rule has no slots: set slots = neurons = {self.neurons}, got {self.slots}")
        if self.outputs is not None:
            if self.task != "hetero":
                raise Refused(f"only the hetero task has outputs of its own, got {self.outputs!r} with {self.task}")
            object.__setattr__(self, "outputs", whole("outputs", self.outputs, 1, MOST))

    @property
    def load(self) -> float:
        """Patterns over slots."""
        return self.patterns / self.slots


@dataclass(frozen=True)
class Reading:
    """How slots answer: by the softmax of their scores, or by the largest alone ("hard"). Hebb's matrix ignores it."""

    nonlinearity: str = "softmax"

    def __post_init__(self) -> None:
        _one_of("nonlinearity", self.nonlinearity, NONLINEARITIES)


@dataclass(frozen=True)
class Recall:
    """Every entry of a query is set to 0 with the probability `blanked`; retrieved is an overlap >= success_overlap."""

    blanked: float
    success_overlap: float = 0.7

    def __post_init__(self) -> None:
        for name, least in (("blanked", 0), ("success_overlap", -1)):
            value = real(name, getattr(self, name))
            if not least <= value <= 1:
                raise Refused(f"{name} must be from {least} to 1, got {value:g}")
            object.__setattr__(self, name, value)


def measure(network: KeyValue, reading: Reading, recall: Recall, rng: np.random.Generator) -> dict[str, float]:
    """One sample: accuracy, the share of entries recalled, over all stored; mean overlap; the fraction retrieved.

    accuracy = (1 + overlap)/2, an undecided entry (sign 0) counting one half.
    """
    found = overlaps(network, reading, recall, rng)
    mean = float(found.mean())
    retrieved = float((found >= recall.success_overlap - 1e-12).mean())
    return {"accuracy": (1 + mean) / 2, "overlap": mean, "retrieved": retrieved}


def overlaps(network: KeyValue, reading: Reading, recall: Recall, rng: np.random.Generator) -> Floats:
    """The overlap of every answer with its value, in the order stored: float64[K], the newest last.

    Of a sequence, float64[K-1]: the mean over all that follows a pattern when it is the prompt.
    """
    patterns = _signs(rng, network.patterns, network.neurons)
    if network.task == "sequence":
        answer = _memory(network, reading, patterns[:-1], patterns[1:], rng)
        return _replayed(answer, patterns, _blanked(patterns[:-1], recall.blanked, rng))
    hetero = network.task == "hetero"
    values = _signs(rng, network.patterns, network.outputs or network.neurons) if hetero else patterns
    answer = _memory(network, reading, patterns, values, rng)
    found: Floats = (answer(_blanked(patterns, recall.blanked, rng)) * values).mean(axis=1)
    return found


def replay(memory: KeyValueMemory | HebbianMatrix, prompts: ArrayLike, steps: int) -> Floats:
    """What follows prompts[..., d] when every binary answer is the next query: float64[steps, ..., d]."""
    state, found = numbers("prompts", prompts), []
    for _ in range(whole("steps", steps, 1)):
        state = memory.recall(state)
        found.append(state)
    return np.array(found)


def searched_capacity(accuracy: Callable[[int], float], threshold: float) -> int:
    """The K at which doubling and halving comes to rest, with one fresh value of accuracy(K) a step; at least 1.

    As the public code of Tyulmankov et al. searches: from K = 2 doubled while the accuracy is at least the threshold,
    else half way back to the last K that was. With a noisy accuracy lucky values push it up; with a step it is the
    step.
    """
    low, high = 1, 2
    while low < high:
        if accuracy(high) >= threshold:
            low, high = high, 2 * high
        else:
            high = (low + high) // 2
    return high


def _memory(network: KeyValue, reading: Reading, inputs: Floats, outputs: Floats,
            rng: np.random.Generator) -> Callable[[Floats], Floats]:  # fmt: skip
    """All pairs stored, as the function that answers queries."""
    if network.rule == "hebbian":
        matrix = HebbianMatrix(inputs.shape[1], outputs.shape[1], decay=network.decay)
        matrix.store(inputs, outputs)
        return matrix.settle if network.task == "auto" else matrix.recall
    choice = Sequential() if network.probability is None else Random(network.probability)
    memory = KeyValueMemory(
        network.slots, inputs.shape[1], outputs.shape[1], choice=choice, nonlinearity=reading.nonlinearity
    )
    memory.store(inputs, outputs, rng=rng)
    return memory.recall


def _replayed(answer: Callable[[Floats], Floats], patterns: Floats, prompts: Floats) -> Floats:
    """All prompts at once; after k steps the last k have come to the end of the sequence."""
    total, state = np.zeros(len(prompts)), prompts
    for step in range(1, len(patterns)):
        state = answer(state[: len(patterns) - step])
        total[: len(state)] += (state * patterns[step:]).mean(axis=1)
    found: Floats = total / np.arange(len(prompts), 0, -1)
    return found


def _signs(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    return np.where(rng.integers(0, 2, (rows, columns)) == 1, 1.0, -1.0)


def _blanked(patterns: Floats, share: float, rng: np.random.Generator) -> Floats:
    return np.where(rng.random(patterns.shape) < share, 0.0, patterns)


def _compiled(slot: Response, line: Response, rule: Plasticity) -> tuple[Floats, Floats, float, float]:
    """As the kernel takes it: what the activity of a slot and what its line counts for."""
    decay = np.nan if rule.decay is None else rule.decay
    return np.array([slot.slope, slot.offset]), np.array([line.slope, line.offset]), rule.rate, decay


def _rows(name: str, values: ArrayLike, width: int | None = None, *, batch: bool = False) -> Floats:
    """Finite float64[T, width], [..., width] of a batch, [T] without a width; refused otherwise."""
    array = np.ascontiguousarray(numbers(name, values))
    wanted = "[T]" if width is None else f"[{'...' if batch else 'T'}, {width}]"
    right = array.ndim == 1 if width is None else array.ndim and array.shape[-1] == width and (batch or array.ndim == 2)
    if not right or not np.isfinite(array).all():
        raise Refused(f"{name} must be finite numbers of shape {wanted}, got shape {array.shape}")
    return array


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise Refused(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
