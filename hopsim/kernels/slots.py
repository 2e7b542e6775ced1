"""Writing a stream of pairs into the slots of a key-value memory: one call stores all of them, in order."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def activity(keys, pattern, hard, hidden):
    """hidden = softmax(K x), or equal shares of the largest entries of K x."""
    largest = -np.inf
    for i in range(hidden.size):
        hidden[i] = 0.0
        for j in range(pattern.size):
            hidden[i] += keys[i, j] * pattern[j]
        largest = max(largest, hidden[i])
    total = 0.0
    for i in range(hidden.size):
        if hard:
            hidden[i] = 1.0 if hidden[i] == largest else 0.0
        else:
            hidden[i] = np.exp(hidden[i] - largest)
        total += hidden[i]
    for i in range(hidden.size):
        hidden[i] /= total


@njit(cache=True, nogil=True, error_model="numpy")
def plastic(rows, hidden, pattern, gates, strength, slot, line, rate, decay):
    """rows[i] = (1 - η_i) rows[i] + η_i f(h_i) g(x), η_i = q γ_i rate; with a decay, λ rows[i] + q rate f(h_i) g(x).

    slot and line hold slope and offset of f and g; a decay of nan means the first form.
    """
    passive = not np.isnan(decay)
    for i in range(hidden.size):
        if not (passive or gates[i]):
            continue
        learned = strength * rate
        kept = 1 - strength * (1 - decay) if passive else 1 - learned
        factor = learned * (slot[0] * hidden[i] + slot[1])
        for j in range(pattern.size):
            rows[i, j] = kept * rows[i, j] + factor * (line[0] * pattern[j] + line[1])


@njit(cache=True, nogil=True, error_model="numpy")
def store(keys, values, inputs, outputs, gates, strengths, hard, key_rule, value_rule):
    """Pair after pair: the key by the activity before it, the value by the activity with the new key in its slot.

    keys[N, d] and values[N, m] have a row a slot and change in place; gates[T, N] and strengths[T] are the local and
    global third factors; a rule is (slot, line, rate, decay) of `plastic`.
    """
    hidden = np.zeros(keys.shape[0])
    for t in range(inputs.shape[0]):
        if key_rule[0][0] != 0:  # else the activity of a slot does not count for its key
            activity(keys, inputs[t], hard, hidden)
        plastic(keys, hidden, inputs[t], gates[t], strengths[t], *key_rule)
        activity(keys, inputs[t], hard, hidden)
        plastic(values, hidden, outputs[t], gates[t], strengths[t], *value_rule)
