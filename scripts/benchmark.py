"""Speed, side by side in one run: the kernels against peers and against the general kernels, one thread, CPU time.

    python -m pip install ".[bench]" && python scripts/benchmark.py            every section, about 10 minutes
    python scripts/benchmark.py pairwise dense                                 some of them

Alternating runs after a warm-up, medians of the rates and of the ratios of each round. Peers: dwave-samplers and
openjij for pairwise couplings, openjij's higher-order sampler for degree 3; the rate of a peer is that of its sweeps
alone (two calls of different length, the difference counts), so that its set-up is not held against it. Temperatures
are in the peers' units: couplings Σ ξξ / N for degree 2, E = -Σ M^p/N^(p-1) for degree p.
"""

import argparse
import contextlib
import cProfile
import io
import itertools
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import hopsim as hs
from hopsim import cli, executors, rng, states
from hopsim.dynamics import Chains, Dynamics
from hopsim.layouts import pairwise as pairwise_layout
from hopsim.networks import Law, Network, Quenched

ROUNDS = 5
WARM_UP = 6  # calls, long enough for a representation that is built when it pays
KEYS = rng.keys(1, 0, 0, temperature=1.0, replica=0)
Rates = dict[str, Callable[[], float]]


def compare(title: str, rates: Rates, unit: str = "Mproposals/s", scale: float = 1e-6) -> None:
    """Print the median rate of each and its median ratio to the first."""
    found: dict[str, list[float]] = {name: [] for name in rates}
    for _ in range(ROUNDS):
        for name, rate in rates.items():
            found[name].append(rate())
    first = next(iter(rates))
    print(f"\n{title}\n\n| what | {unit} | {first} is faster by |\n| --- | --- | --- |")
    for name, values in found.items():
        ratio = statistics.median(a / b for a, b in zip(found[first], values, strict=True))
        print(f"| {name} | {statistics.median(values) * scale:.4g} | {ratio:.3g} |", flush=True)


def ours(
    network: Network, quenched: Quenched, rule: Dynamics, state: states.State, seconds: float = 0.15
) -> Callable[[], float]:
    """Proposals per second of a rule from a state, for about the given time a call."""
    sweeps = [4]

    def rate() -> float:
        while True:
            moved = states.State(state.spins.copy(), state.overlaps.copy())
            start = time.process_time()
            rule.advance(moved, quenched, KEYS, 0, sweeps[0])
            spent = time.process_time() - start
            if spent > seconds / 3:
                return network.neurons * sweeps[0] / spent
            sweeps[0] = int(sweeps[0] * min(8, max(1.5, seconds / max(spent, 1e-5))))

    for _ in range(WARM_UP):
        rate()
    return rate


def equilibrated(quenched: Quenched, rule: Dynamics, *, cued: bool) -> tuple[states.State, float]:
    """A state after 200 sweeps from the first pattern or from random spins, and the acceptance there."""
    start = np.random.default_rng(1)
    state = states.cue(quenched, 0, 1.0, start) if cued else states.random(quenched, start)
    rule.advance(state, quenched, KEYS, 0, 200)
    flips = rule.advance(state, quenched, KEYS, 200, 50).flips
    return state, flips / 50 / quenched.network.neurons


def _described(title: str, acceptance: float, quenched: Quenched) -> str:
    return f"{title}, acceptance {acceptance:.3g}, on {type(quenched.representation).__name__}"


def general(quenched: Quenched) -> Quenched:
    """The same disorder on the general kernel."""
    from hopsim import representations

    other = Quenched(quenched.network, quenched.patterns)
    if other.levels is not None:
        other.__dict__["representation"] = representations.table(other.levels, other.patterns)
    return other


class Forced:
    """The layout of degree 2 with the motion asked for."""

    def __init__(self, quenched: Quenched, kind: Any) -> None:
        representation: Any = quenched.representation
        self._layout, self._kind, self.unit = representation.layout, kind, representation.unit

    def motion(self, spins: Any, overlaps: Any, order: str, synchronous: bool) -> Any:
        """A chain of the kind asked for."""
        return pairwise_layout.motion(self._layout, spins, overlaps, self._kind)


def forced(quenched: Quenched, kind: Any) -> Quenched:
    """The same disorder moved by one kind of motion only."""
    other = Quenched(quenched.network, quenched.patterns)
    other.__dict__["representation"] = Forced(quenched, kind)
    return other


def pairwise() -> None:
    """Degree 2, α = 0.1, one chain, against dwave-samplers and openjij, and with each motion forced."""
    for neurons in (1000, 4000):
        network = hs.hopfield(neurons=neurons, load=0.1)
        quenched = network.quench(np.random.default_rng(0))
        for temperature, cued in ((0.1, True), (0.3, False), (1.0, False)):
            # E = -(1/2N) Σ M²; the peers' -Σ_{i<j} J σσ with J = Σ ξξ/N is the same energy
            rule = hs.Metropolis(temperature=temperature, order="cyclic")
            state, acceptance = equilibrated(quenched, rule, cued=cued)
            rates: Rates = {"hopsim": ours(network, quenched, rule, state)}
            for order in ("permutation", "random"):
                other = hs.Metropolis(temperature=temperature, order=order)
                rates[f"hopsim, order {order}"] = ours(network, quenched, other, state)
            for kind in (pairwise_layout.Fields, pairwise_layout.Overlaps):
                rates[f"hopsim, {kind.__name__} forced"] = ours(network, forced(quenched, kind), rule, state)
            rates |= pairwise_peers(quenched, state, temperature)
            title = f"Degree 2, N = {neurons}, K = {network.patterns}, T = {temperature}"
            compare(_described(title, acceptance, quenched), rates)


def pairwise_peers(quenched: Quenched, state: states.State, temperature: float) -> Rates:
    """dwave-samplers' simulated annealing at fixed temperature and openjij's dense single-spin-flip loop."""
    import dimod
    import openjij.cxxjij as cxx
    from dwave.samplers import SimulatedAnnealingSampler

    neurons = quenched.network.neurons
    real = quenched.patterns.astype(np.float64)
    couplings = real @ real.T / neurons
    np.fill_diagonal(couplings, 0.0)
    model = dimod.BinaryQuadraticModel(np.zeros(neurons), -np.triu(couplings, 1), 0.0, "SPIN")
    sampler: Any = SimulatedAnnealingSampler()
    labels = list(range(neurons))
    graph = cxx.graph.Dense(neurons)
    matrix = np.zeros((neurons + 1, neurons + 1))
    matrix[:neurons, :neurons], matrix[neurons, neurons] = -couplings, 1
    graph.set_interaction_matrix(matrix)

    def dwave_seconds(sweeps: int) -> float:
        start = time.process_time()
        sampler.sample(
            model,
            num_reads=1,
            beta_schedule_type="custom",
            beta_schedule=[1 / temperature] * sweeps,
            initial_states=(state.spins[None], labels),
            seed=1,
        )
        return time.process_time() - start

    def dwave() -> float:
        sweeps = max(4, int({0.1: 3e7, 0.3: 4e6, 1.0: 1e6}[temperature] * (1 if neurons <= 1000 else 0.5) / neurons))
        return neurons * sweeps / max(dwave_seconds(sweeps + 1) - dwave_seconds(1), 1e-9)

    def openjij() -> float:
        sweeps = max(4, int({0.1: 2e7, 0.3: 8e6, 1.0: 2e6}[temperature] * (1 if neurons <= 1000 else 0.2) / neurons))
        system = cxx.system.make_classical_ising([int(s) for s in state.spins], graph)
        schedule = cxx.utility.ClassicalSchedule()
        schedule.one_mc_step, schedule.updater_parameter.beta = sweeps, 1 / temperature
        start = time.process_time()
        cxx.algorithm.Algorithm_SingleSpinFlip_run(system, 1, [schedule])
        return neurons * sweeps / (time.process_time() - start)

    return {"dwave-samplers": dwave, "openjij": openjij}


def replicas() -> None:
    """Degree 2, α = 0.1, 32 replicas of one disorder sample together, against one chain and dwave-samplers."""
    for neurons, temperatures in ((1000, (0.15, 0.2, 0.3, 0.5, 1.0, 1.5)), (4000, (0.3, 1.0))):
        network = hs.hopfield(neurons=neurons, load=0.1)
        quenched = network.quench(np.random.default_rng(0))
        for temperature in temperatures:
            rule = hs.Metropolis(temperature=temperature, order="cyclic")
            state, acceptance = equilibrated(quenched, rule, cued=temperature <= 0.2)
            rates: Rates = {"hopsim, 32 replicas": together(quenched, rule, state, 32)}
            rates["hopsim, one chain"] = ours(network, quenched, rule, state)
            if temperature in (0.3, 1.0):
                rates["dwave-samplers"] = pairwise_peers(quenched, state, temperature)["dwave-samplers"]
            title = f"32 replicas, degree 2, N = {neurons}, K = {network.patterns}, T = {temperature}"
            compare(_described(title, acceptance, quenched), rates)


def together(quenched: Quenched, rule: Dynamics, state: states.State, chains: int) -> Callable[[], float]:
    """Proposals per second of replicas that move together from one state."""
    sweeps = 400_000 // quenched.network.neurons
    keys = [rng.keys(1, 0, 0, temperature=1.0, replica=r) for r in range(chains)]

    def rate() -> float:
        moved = states.State(np.tile(state.spins, (chains, 1)), np.tile(state.overlaps, (chains, 1)))
        start = time.process_time()
        replicas = Chains([rule] * chains, moved, quenched, keys)
        replicas.advance(0, sweeps)
        replicas.close()
        return chains * quenched.network.neurons * sweeps / (time.process_time() - start)

    rate()
    return rate


def dense() -> None:
    """Degree 3 and 4, all indices, α = 0.05 (p = 4: 0.01), against the general kernel and openjij's sample_hubo."""
    cases = ((3, 64, 0.05), (3, 128, 0.05), (3, 256, 0.05), (3, 512, 0.05), (4, 64, 0.01), (4, 128, 0.01))
    for degree, neurons, load in cases:
        network = hs.dense(neurons=neurons, degree=degree, indices="all", load=load)
        quenched = network.quench(np.random.default_rng(0))
        for temperature, cued in ((0.5, True), (2.0, False)):
            # E = -(1/p N^(p-1)) Σ M^p here, -Σ M^p/N^(p-1) there: T / p
            rule = hs.Metropolis(temperature=temperature / degree, order="cyclic")
            state, acceptance = equilibrated(quenched, rule, cued=cued)
            rates: Rates = {"hopsim": ours(network, quenched, rule, state)}
            rates["hopsim, general table"] = ours(network, general(quenched), rule, state)
            if (degree, neurons) == (3, 128):
                rates["openjij sample_hubo"] = hubo(quenched, temperature)
            title = f"Dense p = {degree}, N = {neurons}, K = {network.patterns}, T = {temperature}"
            compare(_described(title, acceptance, quenched), rates)


def hubo(quenched: Quenched, temperature: float) -> Callable[[], float]:
    """openjij's higher-order sampler on E = -Σ M³/N², expanded in products of spins."""
    import openjij

    xi = quenched.patterns.astype(np.float64)
    neurons, scale = quenched.network.neurons, 1.0 / quenched.network.neurons**2
    terms: dict[tuple[int, ...], float] = {}
    for i in range(neurons):
        terms[(i,)] = -(3 * neurons - 2) * xi[i].sum() * scale
        pairs = (xi * xi[i]) @ xi.T * scale
        for j in range(i + 1, neurons):
            for k in range(j + 1, neurons):
                terms[(i, j, k)] = -6 * pairs[j, k]
    sampler, cold = openjij.SASampler(), temperature < 1

    def seconds(sweeps: int) -> float:
        start = time.process_time()
        beta = 1 / temperature
        sampler.sample_hubo(
            terms, "SPIN", num_sweeps=sweeps, num_reads=1, num_threads=1, beta_min=beta, beta_max=beta, seed=1
        )
        return time.process_time() - start

    def rate() -> float:
        sweeps = 3000 if cold else 100
        return neurons * sweeps / max(seconds(sweeps + 1) - seconds(1), 1e-9)

    return rate


def other() -> None:
    """Exponential interactions against a compiled loop that evaluates F twice per pattern."""
    from numba import njit

    @njit(error_model="numpy")
    def twice(spins: Any, overlaps: Any, patterns: Any, uniform: Any, temperature: float, sweeps: int) -> int:
        flips, sharpness = 0, 0.3
        for sweep in range(sweeps):
            for i in range(spins.size):
                number = uniform[(sweep * spins.size + i) % uniform.size]
                top, before, after = overlaps.max(), 0.0, 0.0
                for mu in range(overlaps.size):
                    before += np.exp(sharpness * (overlaps[mu] - top))
                    after += np.exp(sharpness * (overlaps[mu] - 2 * patterns[i, mu] * spins[i] - top))
                if -np.log(after / before) / sharpness < -temperature * np.log(number):
                    flips += 1
                    for mu in range(overlaps.size):
                        overlaps[mu] -= 2 * patterns[i, mu] * spins[i]
                    spins[i] = -spins[i]
        return flips

    uniform = np.random.default_rng(0).random(10007)
    for temperature, cued in ((0.02, True), (5.0, False)):
        network = hs.log_sum_exp(neurons=60, patterns=4000, sharpness=0.3)
        quenched = network.quench(np.random.default_rng(0))
        rule = hs.Metropolis(temperature=temperature, order="cyclic")
        state, acceptance = equilibrated(quenched, rule, cued=cued)

        def direct(
            state: states.State = state, quenched: Quenched = quenched, temperature: float = temperature
        ) -> float:
            spins, overlaps = state.spins.copy(), state.overlaps.copy()
            start = time.process_time()
            twice(spins, overlaps, quenched.patterns, uniform, temperature, 20)
            return spins.size * 20 / (time.process_time() - start)

        direct()
        rates: Rates = {"hopsim": ours(network, quenched, rule, state), "F evaluated twice": direct}
        title = f"Log-sum-exp, N = 60, K = 4000, λ = 0.3, T = {temperature}"
        compare(_described(title, acceptance, quenched), rates)


def polynomial() -> None:
    """Every other F on the general kernel, against compiled loops that evaluate F twice per pattern in float64."""
    cases: tuple[tuple[Network, str], ...] = (
        (hs.rectified(neurons=64, degree=3, load=0.05), "rectified p = 3"),
        (hs.rectified(neurons=128, degree=3, load=0.05), "rectified p = 3"),
        (hs.dense(neurons=64, degree=5, indices="all", patterns=4000), "p = 5"),
        (hs.dense(neurons=64, degree=6, indices="all", patterns=20000), "p = 6"),
        (hs.dense(neurons=128, degree=3, indices="all", load=0.05, ensemble=hs.Diluted(0.3)), "p = 3, blanks 0.3"),
    )
    for network, name in cases:
        interaction = network.law.interaction
        quenched = network.quench(np.random.default_rng(0))
        for temperature, cued in ((0.1, True), (hot(quenched), False)):
            rule = hs.Metropolis(temperature=temperature, order="cyclic")
            state, acceptance = equilibrated(quenched, rule, cued=cued)
            rates: Rates = {"hopsim": ours(network, quenched, rule, state)}
            for kind, loop in loops(type(interaction).__name__ == "Rectified").items():
                rates[kind] = direct(loop, quenched, state, temperature)
            title = f"{name}, N = {network.neurons}, K = {network.patterns}, T = {temperature:.2g}"
            compare(_described(title, acceptance, quenched), rates)


def hot(quenched: Quenched) -> float:
    """Three times the spread of the cost of a flip over random states: a temperature of high acceptance."""
    network, rng = quenched.network, np.random.default_rng(2)
    spins = rng.choice(np.array([-1, 1], dtype=np.int8), (200, network.neurons))
    turned = spins.copy()
    turned[:, 0] *= -1
    both = [quenched.energy_density(quenched.overlaps(some)) for some in (spins, turned)]
    return float(3 * np.std(both[1] - both[0]) * network.neurons)


def loops(rectified: bool) -> dict[str, Any]:
    """The loop with the power as a number, and, vectorised, with the powers 3, 5 or 6 written out."""
    from numba import njit

    def loop(power: Any, fast: bool) -> Any:
        gain = njit(inline="always", error_model="numpy", fastmath=fast)(power)

        @njit(error_model="numpy", fastmath=fast)
        def twice(
            spins: Any, overlaps: Any, patterns: Any, uniform: Any, temperature: float, sweeps: int, p: float
        ) -> int:
            flips = 0
            for sweep in range(sweeps):
                for i in range(spins.size):
                    entries, spin, cost = patterns[i], np.int32(spins[i]), 0.0
                    for mu in range(overlaps.size):
                        after = np.int32(overlaps[mu] - np.int32(2 * np.int32(entries[mu]) * spin))
                        now, then = np.float64(overlaps[mu]), np.float64(after)
                        if rectified:
                            now, then = max(now, np.float64(0)), max(then, np.float64(0))
                        cost += gain(now, p) - gain(then, p)
                    if cost < -temperature * np.log(uniform[(sweep * spins.size + i) % uniform.size]):
                        flips += 1
                        for mu in range(overlaps.size):
                            overlaps[mu] -= 2 * entries[mu] * spin
                        spins[i] = -spins[i]
            return flips

        return twice

    def written_out(x: float, p: float) -> float:
        cube = x * x * x
        return cube if p == 3 else cube * x * x if p == 5 else cube * cube

    return {"F twice, power": loop(lambda x, p: x**p, False), "F twice, written out": loop(written_out, True)}


def direct(loop: Any, quenched: Quenched, state: states.State, temperature: float) -> Callable[[], float]:
    """Proposals per second of a loop."""
    interaction, uniform = quenched.network.law.interaction, np.random.default_rng(0).random(10007)
    assert quenched.levels is not None
    scaled = temperature / quenched.levels.unit
    sweeps = max(2, int(5e6 / quenched.patterns.size))

    def rate() -> float:
        spins, overlaps = state.spins.copy(), state.overlaps.copy()
        start = time.process_time()
        loop(spins, overlaps, quenched.patterns, uniform, scaled, sweeps, float(interaction.degree))  # type: ignore[union-attr]
        return spins.size * sweeps / (time.process_time() - start)

    rate()
    return rate


def retrieval() -> None:
    """T = 0 to a fixed point from 15 % noise at N = 1000, K = 100: runs per second, construction included."""
    cues, network = 1000, hs.hopfield(neurons=1000, load=0.1)

    def rate() -> float:
        start = time.process_time()
        quenched = network.quench(np.random.default_rng(0))
        starts = states.cues(quenched, np.arange(cues) % network.patterns, 0.7, np.random.default_rng(1))
        if (hs.retrieve(quenched, starts).sweeps < 0).any():
            raise RuntimeError("some cues did not settle")
        return cues / (time.process_time() - start)

    compare("Retrieval to a fixed point, N = 1000, K = 100, 15 % noise", {"hopsim": rate}, "runs/s", 1.0)


def _chain(sample: int) -> int:
    network = hs.hopfield(neurons=1000, load=0.1)
    quenched = network.quench(np.random.default_rng(sample))
    state = states.random(quenched, np.random.default_rng(sample))
    return hs.Glauber(temperature=0.3, order="cyclic").advance(state, quenched, KEYS, 0, 20000).flips


def threads() -> None:
    """Two threads against two processes over 8 samples each, wall time."""

    def rate(make: Callable[[], Executor]) -> Callable[[], float]:
        def run() -> float:
            with make() as executor:
                list(executor.map(_chain, (0, 1)))
                start = time.perf_counter()
                list(executor.map(_chain, range(8)))
                return 8 / (time.perf_counter() - start)

        return run

    rates: Rates = {
        "two threads": rate(lambda: executors.threads(2)),
        "two processes": rate(lambda: executors.processes(2)),
        "one thread": rate(lambda: executors.threads(1)),
    }
    compare("Threads release the GIL: samples of 20,000 sweeps at N = 1000, wall time", rates, "samples/s", 1.0)


def startup() -> None:
    """Whole-process times: import, first kernel call from a warm cache, compilation from a cold one."""
    first = (
        "import time, hopsim as hs, numpy as np; from hopsim import states, rng; "
        "q = hs.hopfield(neurons=100, load=.1).quench(np.random.default_rng(0)); "
        "s = states.random(q, np.random.default_rng(0)); k = rng.keys(1, 0, temperature=.3, replica=0); "
        "t = time.perf_counter(); hs.Glauber(temperature=.3).advance(s, q, k, 0, 2); print(time.perf_counter() - t)"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        run = [sys.executable, "-c", first]
        seconds = [float(subprocess.run(run, env=environment, capture_output=True).stdout) for _ in range(4)]
    imports = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import hopsim"], check=True)
        imports.append(time.perf_counter() - start)
    print("\nStart-up, wall time\n\n| what | seconds |\n| --- | --- |")
    print(f"| `python -c 'import hopsim'`, whole process | {statistics.median(imports):.2f} |")
    print(f"| first call of the kernels, cold cache (compilation) | {seconds[0]:.2f} |")
    print(f"| first call of the kernels, warm cache | {statistics.median(seconds[1:]):.2f} |")


def whole() -> None:
    """The README's main job: wall time and peak memory of the command, and the share of one worker inside kernels."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hopsim.cli", "run", "hopfield", "--out"]
        start = time.perf_counter()
        job = subprocess.Popen([*command, f"{folder}/whole.h5", "--quiet"])
        peak = os.wait4(job.pid, 0)[2].ru_maxrss / 1024
        seconds = time.perf_counter() - start
        total = _serial(f"{folder}/one.h5")
        profile = cProfile.Profile(time.process_time)
        profile.runcall(_serial, f"{folder}/two.h5")
    functions = [(entry.code, entry.inlinetime) for entry in profile.getstats()]
    inside = [spent for code, spent in functions if not isinstance(code, str) and "/kernels/" in code.co_filename]
    share = sum(inside) / total
    print("\nThe packaged scan `hopsim run hopfield`\n\n| what | measured |\n| --- | --- |")
    print(f"| wall time, all cores | {seconds:.0f} s |\n| peak memory | {peak:.0f} MiB |")
    print(f"| share of the CPU time of one worker inside kernels, figure included | {100 * share:.0f} % |")


def _serial(out: str) -> float:
    """CPU seconds of the main job in this process, on one worker."""
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        cli.main(["run", "hopfield", "--out", out, "--executor", "serial"])
    return time.process_time() - start


def theory() -> None:
    """Points per second of the theory, and of the same replica-symmetric equations with scipy's adaptive quadrature."""
    from hopsim import theory as solver
    from hopsim.theory import one_step_gaussian

    laws = {
        "p = 2": hs.hopfield(neurons=2, patterns=1).law,
        "p = 3, distinct": hs.dense(neurons=2, patterns=1, degree=3, indices="distinct").law,
    }
    temperatures = np.linspace(0.1, 0.5, 5).tolist()
    print("\nTheory, CPU time\n\n| what | points/s | largest difference in m |\n| --- | --- | --- |")
    for name, law in laws.items():
        ends = {T: solver.capacity(law, temperature=T).load or 0.0 for T in temperatures}
        points = [(law, end * s, T) for T, end in ends.items() for s in np.linspace(0.02, 0.95, 60)]
        cold = [(law, 10 * load, T / 4) for law, load, T in points[:100]]
        rate, found = timed(symmetric_overlap, points)
        adaptive, others = timed(overlap_by_quad, points[::30])
        difference = np.abs(np.array(found[::30]) - others).max()
        loads = np.linspace(0.02, 0.95, 2000) * min(ends.values())
        start = time.process_time()
        solver.retrieval_grid(law, loads=loads.tolist(), temperatures=temperatures)
        grid = loads.size * len(temperatures) / (time.process_time() - start)
        print(f"| {name}, RS, one by one | {rate:,.0f} | |\n| {name}, RS, whole grid | {grid:,.0f} | |")
        print(f"| {name}, RS, scipy.integrate.quad, undamped iteration | {adaptive:,.0f} | {difference:.0e} |")
        print(f"| {name}, 1RSB glass, one by one | {timed(broken_overlap, cold)[0]:,.0f} | |")

    print("\nOne nested average ln ∫Dz (2cosh βh)^x of one-step breaking\n\n| what | per s |\n| --- | --- |")
    fields = (0.9, 0.1, 0.05, 4.0, 0.2)  # mean, both variances, y = βx, T
    count, start = 200, time.process_time()
    for _ in range(count):
        ours_found = one_step_gaussian.response(*fields).G
    spent = (time.process_time() - start) / count
    start = time.process_time()
    difference = abs(nested_by_quad(*fields) - ours_found)
    print(f"| with all its derivatives, here | {1 / spent:,.0f} |")
    print(f"| the value alone, nested scipy.integrate.quad | {1 / (time.process_time() - start):,.1f} |")
    print(f"\nThey differ by {difference:.0e}.")


def nested_by_quad(mean: float, v0: float, w: float, y: float, temperature: float) -> float:
    """(1/y) ∫Dz0 ln ∫Dz1 (2cosh βh)^x by adaptive quadrature in both."""
    from scipy.integrate import quad

    x = y * temperature

    def weight(z: float) -> float:
        return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    def inner(h0: float) -> float:
        def integrand(z: float) -> float:
            h = (h0 + math.sqrt(w) * z) / temperature
            return float(weight(z) * (2 * math.cosh(h)) ** x)

        return math.log(float(quad(integrand, -9, 9, epsabs=1e-13, points=[-h0 / math.sqrt(w)])[0])) / y

    return float(quad(lambda z: weight(z) * inner(mean + math.sqrt(v0) * z), -8, 8, epsabs=1e-11)[0])


Point = tuple[Law, float, float]


def timed(solve: Callable[[Law, float, float], float], points: list[Point]) -> tuple[float, list[float]]:
    """Points per second of CPU time, warm, and what was found."""
    solve(*points[0])
    start = time.process_time()
    found = [solve(*point) for point in points]
    return len(points) / (time.process_time() - start), found


def symmetric_overlap(law: Law, load: float, temperature: float) -> float:
    """m of the retrieval state."""
    return hs.theory.ReplicaSymmetric().order(law, load, temperature, "retrieval").m


def broken_overlap(law: Law, load: float, temperature: float) -> float:
    """q1 of the glass with one step."""
    return hs.theory.OneStep().order(law, load, temperature, "glass").q1


def overlap_by_quad(law: Law, load: float, temperature: float) -> float:
    """m of the retrieval state from m = 1, each average by adaptive quadrature, until it moves by less than 1e-10."""
    from hopsim.theory import crosstalk

    noise = crosstalk.noise(law)
    m, variance, before = 1.0, float(noise.variance(1.0, 0.0)), 0.0
    while abs(m - before) > 1e-10:
        field = (m ** (noise.degree - 1), math.sqrt(load * variance), temperature)
        before, m, q = m, average_by_quad(1, *field), average_by_quad(2, *field)
        variance = float(noise.variance(q, (1 - q) / temperature))
    return m


def average_by_quad(power: int, mean: float, spread: float, temperature: float) -> float:
    """∫Dz tanh^power((mean + spread z)/temperature), split at the kink."""
    from scipy.integrate import quad

    def integrand(z: float) -> float:
        return math.exp(-z * z / 2) * math.tanh((mean + spread * z) / temperature) ** power

    ends = sorted({-9.0, max(-9.0, -mean / spread), 9.0})
    return float(sum(quad(integrand, *part, epsabs=1e-12)[0] for part in itertools.pairwise(ends))) / math.sqrt(
        2 * math.pi
    )


def scaling() -> None:
    """Cost of a proposal against N at fixed load, and against K at fixed N: a table and a figure with the exponents."""
    from hopsim.figures import style

    figure = Figure(figsize=(9.0, 3.7), layout="constrained")
    print("\nCost of a proposal\n\n| network | sizes | ns per proposal | exponent |\n| --- | --- | --- | --- |")
    for ax, cases, label in zip(figure.subplots(1, 2), (AGAINST_N, AGAINST_K), ("N", "K"), strict=True):
        for (degree, temperature, cued, sizes), colour, marker in zip(
            cases, style.COLOURS, style.MARKERS, strict=False
        ):
            costs = [_cost(degree, temperature, cued, *size) for size in sizes]
            along = [size["NK".index(label)] for size in sizes]
            slope = np.polyfit(np.log(along[-3:]), np.log(costs[-3:]), 1)[0]
            name = f"$p = {degree}$, $T = {temperature:g}$" + (f", $N = {sizes[0][0]}$" if label == "K" else "")
            measured = ", ".join(f"{cost:.3g}" for cost in costs)
            print(f"| {name} | {label} = {', '.join(map(str, along))} | {measured} | {slope:.2f} |")
            ax.loglog(along, costs, color=colour, marker=marker, label=f"{name}: ${label}^{{{slope:.2f}}}$")
        ax.set_xlabel({"N": "neurons $N$", "K": "patterns $K$"}[label])
        ax.set_ylabel("ns per proposal")
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, fontsize="small")
    style.save(figure, Path(__file__).parent.parent / "docs" / "images" / "scaling.png")


def _cost(degree: int, temperature: float, cued: bool, neurons: int, patterns: int) -> float:
    network = hs.dense(neurons=neurons, degree=degree, indices="all", patterns=patterns)
    quenched = network.quench(np.random.default_rng(0))
    rule = hs.Metropolis(temperature=temperature, order="cyclic")
    state, _ = equilibrated(quenched, rule, cued=cued)
    rate = ours(network, quenched, rule, state)
    return 1e9 / statistics.median(rate() for _ in range(ROUNDS))


# degree, temperature, from a pattern, (N, K) at K = 0.1 N, 0.05 N², 0.01 N³
AGAINST_N = (
    (2, 0.1, True, tuple((n, n // 10) for n in (250, 500, 1000, 2000, 4000, 8000))),
    (2, 1.0, False, tuple((n, n // 10) for n in (250, 500, 1000, 2000, 4000, 8000))),
    (3, 0.2, True, tuple((n, n * n // 20) for n in (32, 64, 128, 256, 512))),
    (4, 0.1, True, tuple((n, n**3 // 100) for n in (32, 48, 64, 96, 128))),
)
AGAINST_K = (
    (2, 0.1, True, tuple((1000, k) for k in (10, 20, 40, 60, 80))),
    (2, 1.0, False, tuple((1000, k) for k in (10, 20, 40, 60, 80))),
    (3, 1.0, False, tuple((128, k) for k in (250, 500, 1000, 2000, 4000))),
    (4, 1.0, False, tuple((64, k) for k in (500, 1000, 2000, 4000, 8000))),
)


def softmax() -> None:
    """Softmax retrieval against plain NumPy and torch (benchmark_softmax.py), with BLAS in one thread."""
    alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    script = Path(__file__).with_name("benchmark_softmax.py")
    subprocess.run([sys.executable, str(script)], env=os.environ | alone, check=True)


SECTIONS = {
    s.__name__: s
    for s in (
        pairwise,
        replicas,
        dense,
        other,
        polynomial,
        retrieval,
        threads,
        startup,
        whole,
        theory,
        scaling,
        softmax,
    )
}


def main() -> None:
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    chosen = parser.parse_args().sections or list(SECTIONS)
    import numba

    print(
        f"hopsim {hs.__version__}, numba {numba.__version__}, python {platform.python_version()}, {platform.machine()}"
    )
    for name in chosen:
        SECTIONS[name]()


if __name__ == "__main__":
    main()
