"""Capacities, glass transitions and ground states of the theory: makes docs/theory.md, in about two minutes.

python scripts/tabulate_theory.py
"""

import math
from collections.abc import Sequence
from pathlib import Path

import hopsim as hs
from hopsim import theory
from hopsim.figures import glass, phase_diagram, style
from hopsim.networks import Law
from hopsim.theory import exponential_storage, random_energy, signal_to_noise
from hopsim.theory.crosstalk import Mixed

DOCS = Path(__file__).parent.parent / "docs"
RS, ONE_STEP = theory.ReplicaSymmetric(), theory.OneStep()
GLASSES = {
    "SK, ζ = q²/2": Mixed(2, (0.0, 0.0, 0.5)),
    "3-spin, ζ = q³/2": Mixed(3, (0.0, 0.0, 0.0, 0.5)),
    "ζ = q²/2 + q⁴/2": Mixed(2, (0.0, 0.0, 0.5, 0.0, 0.5)),
}

HEAD = """# What the theory says

Made by `python scripts/tabulate_theory.py`. Conventions: E = -N Σ_μ F(m_μ), F = m^p/p, α = K/N^(p-1); "distinct" leaves
out repeated indices, "all" keeps them. Sources of published values are in data/reference/; the tests hold them.
"""

TWO_STEPS = """
Steffan & Kühn (1994) print 0.137905, 0.138186 and 0.138187 for p = 2 with none, one and two steps. The first two are
ours with digits cut. With two steps ours is larger: at load 0.13819 there is a stationary point of the two-step free
energy, which tests/test_theory_reference.py checks with plain sums written a second time. We found no reading of the
equations that gives 0.138187.
"""

THRESHOLDS = """
`exponential_storage` is about sign updates of E = -Σ exp(M_μ), `random_energy` about the weights of log-sum-exp. With
x = 1 - 2ρ for a fraction ρ of wrong bits and I the binary rate function, a typical pattern is a fixed point below I(x)
for x <= tanh 2 (the crosstalk is condensed) and below 2x - ln cosh 2 beyond; at ρ = 0 this is 2 - ln cosh 2. The
smaller of the two expressions is always the second, and wrong for ρ > 0.018.
"""

JUMPS = """T_g is the line "glass" of `theory.line`: where q leaves 0 continuously, and for odd p with all indices,
whose random field keeps q > 0, where replica symmetry fails (de Almeida-Thouless). For x^p from p = 5 on the jump comes
first.
"""

PARTS = """![Free energy of the m = 0 state and its parts](images/glass.png)

For p = 2 the spin glass is a hard glass of the neurons and a soft glass of Gaussian spins, one a pattern; for p ≥ 3
only the hard one is there. The replica-symmetric entropy of p = 3 is negative at low temperature, where f bends down.
"""


def law(degree: int, indices: str) -> Law:
    """The dense network, or the classical one."""
    return hs.dense(neurons=2, patterns=1, degree=degree, indices="all" if indices == "all" else "distinct").law


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def capacities() -> str:
    """T = 0 capacities of p = 2 ... 10 with none and one step, and what signal to noise says."""
    rows = []
    for degree in range(2, 11):
        for indices in ("distinct",) if degree == 2 else ("distinct", "all"):
            network = law(degree, indices)
            symmetric, broken = (theory.capacity(network, temperature=0, ansatz=a) for a in (RS, ONE_STEP))
            estimate = signal_to_noise.capacity_at_error(network, error=0.005)
            loads = (f"{load:.7g}" for load in (symmetric.load, broken.load, estimate))
            rows.append([str(degree), "" if degree == 2 else indices, *loads, f"{symmetric.m:.6f}"])
    head = ["p", "indices", "RS", "1RSB", "0.5 % wrong bits after one update", "m at the RS capacity"]
    return table(head, rows)


def transitions() -> str:
    """T_d and T_K where the glass appears with a jump, and T_g where it appears, or is one already, continuously."""
    rows = []
    for degree in range(3, 11):
        for indices in ("distinct", "all"):
            jump = ONE_STEP.transition(law(degree, indices))
            load = theory.line(law(degree, indices), line="glass", temperatures=[1.0])[0].load
            where = [f"{T:.6g}" for T in jump] if jump else ["continuous", "continuous"]
            rows.append([str(degree), indices, *where, f"{1 / math.sqrt(load):.6g}" if load else ""])
    return table(["p", "indices", "T_d/√α", "T_K/√α", "T_g/√α"], rows)


def ground_states() -> str:
    """Ground states at m = 0 with 0, 1, 2, 3, 4 and infinitely many steps."""
    rows = []
    for name, noise in GLASSES.items():
        limit = theory.parisi(noise, load=1.0, temperature=0.0)
        steps = [_ground_state(noise, k) for k in range(5)]
        rows.append([name, *(f"{energy:.6f}" for energy in steps), f"{limit.free_energy:.7f} ± {limit.error:.0e}"])
    return table(["glass", "k = 0", "1", "2", "3", "4", "Parisi"], rows)


def _ground_state(noise: Mixed, steps: int) -> float:
    ansatz = theory.KStep(steps)
    return theory.solve(noise, load=1.0, temperature=0.0, branch="glass", ansatz=ansatz).free_energy


def steps_of_hopfield() -> str:
    """The capacity of p = 2 at T = 0 step by step."""
    hopfield = hs.hopfield(neurons=2, patterns=1).law
    loads = [theory.capacity(hopfield, temperature=0, ansatz=theory.KStep(k)).load for k in range(4)]
    return table(["k = 0", "1", "2", "3"], [[f"{load:.9f}" for load in loads]])


def thresholds() -> str:
    """Exponentially many patterns."""
    together = exponential_storage.all_patterns_threshold(errors=0.0, sharpness=1.0)
    typical = exponential_storage.typical_threshold(errors=0.0, sharpness=1.0)
    rows = [
        ["exponential, all patterns at once, ½ ln 2", f"{together:.6f}"],
        ["exponential, a typical pattern, 2 - ln cosh 2", f"{typical:.6f}"],
    ]
    for patterns in (random_energy.BINARY, random_energy.SPHERICAL, random_energy.GAUSSIAN):
        name = type(patterns).__name__.lower()
        for sharpness in (0.5, 1.0, math.inf):
            load = random_energy.retrieval_threshold(patterns, sharpness=sharpness, overlap=1.0)
            rows.append([f"log-sum-exp, {name} patterns, λ = {sharpness:g}", f"{load:.6g}"])
    return table(["network", "load ln K / N"], rows)


def figures() -> None:
    """The phase diagrams and the parts of the glass that the page shows."""
    for name, network, ansatz in (
        ("phases-p2", law(2, "distinct"), ONE_STEP),
        ("phases-p3", law(3, "distinct"), ONE_STEP),
        ("phases-p4", law(4, "all"), ONE_STEP),
    ):
        diagram = theory.phase_diagram(network, ansatz=ansatz)
        style.save(phase_diagram.draw(phase_diagram.collect(network, diagram, "1RSB")), DOCS / "images" / f"{name}.png")
    laws = [law(2, "distinct"), law(3, "distinct")]
    parts = glass.collect(laws, load=0.1, temperatures=[T / 50 for T in range(1, 81)])
    style.save(glass.draw(parts), DOCS / "images" / "glass.png")


def main() -> None:
    """Write the page."""
    figures()
    images = "\n".join(f"![Phase diagram of p = {p}](images/phases-p{p}.png)\n" for p in (2, 3, 4))
    parts = (
        HEAD,
        "## Capacities at T = 0\n",
        capacities(),
        "Steps for p = 2:\n",
        steps_of_hopfield() + TWO_STEPS,
        "## Phase diagrams\n",
        images,
        "## Where the glass appears, m = 0\n",
        transitions(),
        JUMPS,
        "## Ground states, load 1\n",
        ground_states(),
        "## Hard and soft glass\n",
        PARTS,
        "## Exponentially many patterns\n",
        thresholds() + THRESHOLDS,
    )
    (DOCS / "theory.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
