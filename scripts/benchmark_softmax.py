"""Speed and memory of softmax retrieval, side by side in one run, one thread, CPU time.

    python -m pip install ".[bench]" && OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python scripts/benchmark_softmax.py

Peers: the formula in plain NumPy, all scores at once, and torch's scaled_dot_product_attention where torch is there.
Then a million patterns and a thousand queries, with the peak of the memory that the retrieval takes. Rates are scores
x·ξ per second, weighed and averaged.
"""

import importlib.util
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from benchmark import compare
from numpy.typing import NDArray

from hopsim.continuous.softmax import Memory

Floats = NDArray[Any]
NEURONS, QUERIES, PATTERNS, BETA = 64, 1000, 40_000, 0.1
TORCH = importlib.util.find_spec("torch") is not None
LARGE, MIB = (1_000_000, 1000), 2**20


def plain(patterns: Floats, queries: Floats) -> Floats:
    """The formula, with K x Q scores in memory."""
    scores = queries @ patterns.T
    scores *= scores.dtype.type(BETA)
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    return np.asarray(scores @ patterns / scores.sum(axis=1, keepdims=True))


def attention(patterns: Floats, queries: Floats) -> Callable[[], Any]:
    """torch's attention on the same numbers."""
    import torch

    torch.set_num_threads(1)
    keys, asked = torch.from_numpy(patterns)[None, None], torch.from_numpy(queries)[None, None]

    def call() -> Any:
        with torch.no_grad():
            return torch.nn.functional.scaled_dot_product_attention(asked, keys, keys, scale=BETA)[0, 0].numpy()

    return call


def rate(call: Callable[[], Any]) -> Callable[[], float]:
    """Scores per second of CPU time."""

    def measured() -> float:
        start = time.process_time()
        call()
        return QUERIES * PATTERNS / (time.process_time() - start)

    call()
    return measured


def speed(kind: type) -> None:
    """One table."""
    rng = np.random.default_rng(0)
    patterns: Floats = rng.standard_normal((PATTERNS, NEURONS)).astype(kind)
    queries: Floats = rng.standard_normal((QUERIES, NEURONS)).astype(kind)
    memory = Memory(patterns, BETA)
    calls: dict[str, Callable[[], Any]] = {
        "hopsim": lambda: memory.update(queries),
        "plain NumPy": lambda: plain(patterns, queries),
    }
    if TORCH:
        calls["torch scaled_dot_product_attention"] = attention(patterns, queries)
    found = [call() for call in calls.values()]
    apart = max(float(np.abs(other - found[0]).max()) for other in found[1:])
    title = f"{PATTERNS} patterns x {QUERIES} queries, N = {NEURONS}, {kind.__name__}; results differ by {apart:.0e}"
    compare(title, {name: rate(call) for name, call in calls.items()}, unit="Mscores/s")


def large(kind: type) -> None:
    """A row: CPU time, and the memory that Python and NumPy took before and during the retrieval."""
    K, Q = LARGE
    rng = np.random.default_rng(0)
    memory = Memory(rng.standard_normal((K, NEURONS), dtype=kind), BETA)
    queries = rng.standard_normal((Q, NEURONS), dtype=kind)
    memory.update(queries[:1])
    tracemalloc.start()
    start = time.process_time()
    memory.update(queries)
    seconds, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    held, full = memory.patterns.nbytes, K * Q * queries.itemsize
    print(f"| {kind.__name__} | {seconds:.1f} | {held / MIB:.0f} | {peak / MIB:.1f} | {full / MIB:.0f} |", flush=True)


def main() -> None:
    """Both types, then the large case."""
    for kind in (np.float64, np.float32):
        speed(kind)
    print(f"\n{LARGE[0]} patterns x {LARGE[1]} queries, N = {NEURONS}\n")
    print("| type | CPU s | patterns, MiB | peak of the retrieval, MiB | all scores would take, MiB |")
    print("| --- | --- | --- | --- | --- |", flush=True)
    for kind in (np.float64, np.float32):
        large(kind)


if __name__ == "__main__":
    main()
