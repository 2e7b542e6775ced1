"""Hold Monte Carlo against replica-symmetric theory, p = 2, 3, 4 in both index conventions: makes docs/verification.md.

    python scripts/verify.py                       about 20 minutes on 2 cores; interrupted, it continues
    python scripts/verify.py --quick --samples 8   a rehearsal with large errors

Every system is simulated from a stored pattern, below its capacity at T > 0, at several sizes. The difference δ(N)
between the disorder average and theory at the realised load is extrapolated, δ(N) = δ + a/N + b/N², by least squares
weighted with the standard errors over disorder samples; z = δ/error(δ), both from the fit. The last column repeats the
comparison with theory multiplied by 1.02: there |z| must exceed the limit, or the test could not see an error of 2 %.
The script fails (exit code 1) if any |z| does not stay below the limit, or any shifted |z| does.

How the points were chosen: in rehearsals with 8 and 16 samples, points where samples left the retrieval state during
the run (p = 3 and 4 at T = 0.4 with N < 100) were moved to lower T, lower load and larger N; where p = 2 lost samples
the load was lowered; p = 4 at T = 0.1 was left out because its standard errors were zero. No point was removed after
the full runs.

The energy is compared for p = 2 only: for p ≥ 3 it fluctuates between samples by √(ζ(1)/N) with the energy of the other
patterns, too much to see 2 % with these samples. (With 128 samples it agreed, |z| < 2.4, but the shifted theory did not
fail, so it proves nothing and is not shown.)
"""

import argparse
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import hopsim as hs
from hopsim import comparison, executors, provenance, scan_file, scans
from hopsim.progress import Progress

LIMIT = 4.5
SHIFT = 1.02
ROOT = Path(__file__).parent.parent
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class System:
    """One law at one load and several temperatures."""

    degree: int
    indices: str
    load: float
    temperatures: tuple[float, ...]
    neurons: tuple[int, ...]
    sweeps: int

    def scan(self, samples: int, seed: int) -> scans.Scan:
        """The scan that simulates it."""
        text = f"""
[network]
kind = "dense"
degree = {self.degree}
indices = "{self.indices}"
neurons = {list(self.neurons)}
load = {self.load}
[dynamics]
rule = "glauber"
temperature = {list(self.temperatures)}
[protocol]
cue_overlap = 1.0
equilibrate = {self.sweeps}
measure = {self.sweeps}
every = 5
[scan]
samples = {samples}
seed = {seed}
"""
        return scan_file.parse(text, name=self.name, folder=ROOT)

    @property
    def name(self) -> str:
        """Also the name of its result file."""
        return f"p{self.degree}-{self.indices}-load{self.load:g}"


SYSTEMS = (
    System(2, "distinct", 0.02, (0.3, 0.5), (200, 400, 800, 1600), 200),
    System(2, "distinct", 0.03, (0.2, 0.4), (400, 800, 1600, 3200), 200),
    System(2, "distinct", 0.05, (0.1, 0.2), (400, 800, 1600, 3200), 200),
    System(3, "distinct", 0.03, (0.2, 0.3), (150, 200, 300, 500), 150),
    System(3, "distinct", 0.05, (0.1, 0.2), (150, 200, 300, 500), 150),
    System(3, "all", 0.02, (0.2, 0.3), (150, 200, 300, 500), 150),
    System(3, "all", 0.03, (0.1, 0.2), (150, 200, 300, 500), 150),
    System(4, "distinct", 0.004, (0.2, 0.3), (80, 112, 144, 176), 100),
    System(4, "distinct", 0.008, (0.2,), (80, 112, 144, 176), 100),
    System(4, "all", 0.002, (0.2, 0.3), (80, 112, 144, 176), 100),
    System(4, "all", 0.003, (0.2,), (80, 112, 144, 176), 100),
)


@dataclass(frozen=True)
class Extrapolation:
    """Intercept of a weighted fit in 1/N, its error, and χ² per degree of freedom."""

    value: float
    error: float
    chi2: float


@dataclass(frozen=True)
class Line:
    """One row of the table: one observable of one system at one temperature."""

    system: System
    temperature: float
    observable: str
    theory: float
    difference: Extrapolation

    @property
    def z(self) -> float:
        """Difference from theory in standard errors of the fit."""
        return self.difference.value / self.difference.error

    @property
    def z_shifted(self) -> float:
        """The same with theory multiplied by SHIFT."""
        return (self.difference.value - (SHIFT - 1) * self.theory) / self.difference.error

    @property
    def passed(self) -> bool:
        """Agreement that could have failed."""
        return abs(self.z) < LIMIT < abs(self.z_shifted)


def extrapolate(neurons: Floats, values: Floats, errors: Floats, order: int = 2) -> Extrapolation:
    """Least squares of values = c0 + c1/N + ... + c_order/N^order, weighted with the errors."""
    design = np.vander(1 / neurons, order + 1, increasing=True) / errors[:, None]
    covariance = np.linalg.inv(design.T @ design)
    coefficients = covariance @ design.T @ (values / errors)
    chi2 = float(((values / errors - design @ coefficients) ** 2).sum())
    return Extrapolation(float(coefficients[0]), float(np.sqrt(covariance[0, 0])), chi2 / (neurons.size - order - 1))


def simulate(system: System, samples: int, seed: int, folder: Path, executor: str) -> list[comparison.Row]:
    """Rows of the system, from its result file or computed now."""
    scan, path = system.scan(samples, seed), folder / f"{system.name}.h5"
    workers = executors.threads(2) if executor == "threads" else executors.processes(2)
    with hs.Store.append_to(path, scan_name=scan.name, scan_text=scan.text) as store:
        with Progress(scan.name, scan.size, quiet=False) as progress:
            summary = scans.run(scan, store, workers, progress)
        if summary.failures or summary.before + summary.finished != scan.size:
            raise RuntimeError(f"{path}: {len(summary.failures)} runs failed")
        return comparison.tabulate(store, set(scan.points))


def lines(system: System, rows: list[comparison.Row]) -> list[Line]:
    """Overlap and energy of every temperature, extrapolated."""
    found = []
    for temperature in system.temperatures:
        chosen = [row for row in rows if row.point.dynamics.temperature == temperature]
        neurons = np.array([row.point.network.neurons for row in chosen], dtype=float)
        law = chosen[0].point.network.law
        at_sizes = [hs.theory.solve(law, load=r.point.network.load, temperature=temperature) for r in chosen]
        limit = hs.theory.solve(law, load=system.load, temperature=temperature)
        compared = [("m", "overlap", [s.order.m for s in at_sizes], limit.order.m)]
        if system.degree == 2:
            compared.append(("e", "energy", [s.energy for s in at_sizes], limit.energy))
        for symbol, column, predicted, theory in compared:
            values, errors = np.array([row.averages[column] for row in chosen], dtype=float).T
            difference = extrapolate(neurons, values - np.array(predicted), errors)
            found.append(Line(system, temperature, symbol, theory, difference))
    return found


def report(table: list[Line], samples: int, seed: int) -> str:
    """The page docs/verification.md."""
    environment = provenance.environment()
    versions = ", ".join(f"{name} {environment[name]}" for name in ("hopsim", "numpy", "numba", "python"))
    head = f"""# Simulation held against theory

Made by `python scripts/verify.py` on {datetime.now(UTC):%Y-%m-%d} with {versions};
{samples} disorder samples a point, seed {seed}. The method, and how the points
were chosen, is told at the head of the script: m is the overlap with the cued pattern, e the energy per neuron (zero at
T = ∞, p = 2 only), RS the replica-symmetric value, δ the difference simulation - RS extrapolated to
N → ∞ by δ + a/N + b/N² with its error from the fit, z = δ/error. |z| < {LIMIT} is agreement; "z at +2 %" is the same
with the theory multiplied by {SHIFT}, which must be seen as wrong: |z| > {LIMIT}.

| p | indices | α | T | sizes N |   | RS | δ | error | χ²/dof | z | z at +2 % |   |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""
    rows = []
    for t in table:
        s, d = t.system, t.difference
        indices = "" if s.degree == 2 else s.indices
        rows.append(
            f"| {s.degree} | {indices} | {s.load:g} | {t.temperature:g} | {', '.join(map(str, s.neurons))} | "
            f"{t.observable} | {t.theory:.6f} | {d.value:+.6f} | {d.error:.6f} | {d.chi2:.2f} | {t.z:+.2f} | "
            f"{t.z_shifted:+.1f} | {'ok' if t.passed else '**fails**'} |"
        )
    worst = max(abs(t.z) for t in table)
    weakest = min(abs(t.z_shifted) for t in table)
    tail = f"\n\n{len(table)} comparisons, largest |z| = {worst:.2f}, smallest |z at +2 %| = {weakest:.1f}.\n"
    return head + "\n".join(rows) + tail


def main() -> int:
    """Simulate, compare, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--folder", type=Path, default=Path("verification"), help="for the result files")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "verification.md")
    parser.add_argument("--executor", choices=("threads", "processes"), default="processes")
    parser.add_argument("--quick", action="store_true", help="print the table, do not write the page")
    chosen = parser.parse_args()
    table: list[Line] = []
    for system in SYSTEMS:
        table += lines(system, simulate(system, chosen.samples, chosen.seed, chosen.folder, chosen.executor))
    page = report(table, chosen.samples, chosen.seed)
    print(page)
    if not chosen.quick:
        chosen.out.write_text(page, encoding="utf-8")
    return 0 if all(line.passed for line in table) else 1


if __name__ == "__main__":
    sys.exit(main())
