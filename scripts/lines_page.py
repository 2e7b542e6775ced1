"""The page docs/verification_lines.md."""

from datetime import UTC, datetime

import lines_runs
from lines_of_retrieval import Weight
from lines_predictions import location
from lines_rows import Row, System
from verify import LIMIT

from hopsim import provenance


def report(rows: list[Row], weights: list[Weight], samples: int, seed: int) -> str:
    """The page docs/verification_lines.md."""
    environment = provenance.environment()
    versions = ", ".join(f"{name} {environment[name]}" for name in ("hopsim", "numpy", "numba", "python"))
    head = f"""# Monte Carlo on the two sides of every line

Made by `python scripts/verify_lines.py` on {datetime.now(UTC):%Y-%m-%d} with {versions};
k disorder samples a point, below the glass lines of p >= 3 the number of ladders beside {2 * samples} samples of small
sizes enumerated; seed {seed}. The method, and how the points were chosen, is told at the head of the script. "α of
line" is that of the line at the T of the row. δ is simulation - theory at N → ∞, by a fit linear in the variable shown,
χ² being per degree of freedom; z = δ/error, |z| < {LIMIT} is agreement. "z shifted" is the same for a theory that is
wrong and must be rejected, |z shifted| > {LIMIT}: 2 % more of m, 5 % of T_c, 10 % of e, 20 % of N<q²> and q; below the
glass lines of p >= 3 the energy of the paramagnet; for <q²> none at all, for A/χ one, for m² = 0 the m² of the state
that ends at T_M and for q = 0 the q1 at T_d; else the row is too coarse. "starts" is the largest difference of energy
between pattern and random starts, in its errors, over the sizes. Below the glass lines of p >= 3 two more numbers are
those of the last quarter of the run and the second, in energy and <q²>; at T_R the starts are two overlaps with the
pattern, and the samples that left the state are counted. It is missing where only one start can be in the state: there
is the part of the readings that left it, and at T_c the number of samples.

| p | indices | line | side | α | α of line | T | N | k | | theory | δ | error | fit | χ² | z | z shifted | starts | |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""
    lines = []
    for r in rows:
        d = r.difference
        lines.append(
            f"| {named(r.system)} | {r.line} | {r.side} | {r.load:.4g} | "
            f"{location(r.system, r.line, r.temperature)} | {r.temperature:g} | "
            f"{', '.join(map(str, d.sizes))} | {d.samples} | {r.symbol} | {r.theory:.5f} | {d.value:+.5f} | "
            f"{d.error:.5f} | {r.variable} | {d.chi2:.2f} | {r.z:+.2f} | {r.z_shifted:+.1f} | {r.same} | "
            f"{r.verdict} |"
        )
    shares = [
        f"| {named(w.system)} | {w.side} | {w.load:.4g} | "
        f"{location(w.system, 'T_c', w.temperature)} | {w.temperature:g} | {', '.join(map(str, w.sizes))} | "
        f"{', '.join(f'{p:.3f}' for p, _ in w.weights)} | {', '.join(f'{r:.3f}' for _, r in w.weights)} | "
        f"{w.z:+.1f} | {w.same} | {w.verdict} |"
        for w in weights
    ]
    counted = [r for r in rows if r.verdict in ("ok", "**fails**")]
    worst = max((abs(r.z) for r in counted), default=0.0)
    count = {v: sum(r.verdict == v for r in rows) for v in ("ok", "**fails**", "too coarse", "not equilibrated")}
    tail = f"""

{len(rows)} comparisons: {count["ok"]} agree, {count["**fails**"]} fail (largest |z| = {worst:.2f}),
{count["too coarse"]} are too coarse and {count["not equilibrated"]} are not equilibrated; the last two prove nothing.

## Which state dominates on the sides of T_c

Part of the readings in which some pattern has |m| >= {lines_runs.RETRIEVED}, in equilibrium by replica exchange, at the
sizes N in order. z is the distance of the largest size from an even share towards the side that theory says, in errors
(never less than one sample of all); it must exceed {LIMIT}.

| p | indices | side of T_c | α | α of line | T | sizes N | from a pattern | from random | z | starts | |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""
    return head + "\n".join(lines) + tail + "\n".join(shares) + NOT_HERE


NOT_HERE = """

## What is not here

 - T_R is bracketed, not located. Of p = 4 the rows are too coarse: in a hundred neurons one or two have a field of
   order T. The side below is there for p = 3 with distinct indices only: for the others it lies at temperatures where
   hardly a neuron of these networks moves, or next to the end of the state. That A/χ vanishes there rests on the law
   N^(-1/3): it is 0.74(4), 0.58(5), 0.47(5), 0.48(5) at the four sizes, and a line in 1/N ends at 0.28(7).
 - T_d exists for distinct indices and p >= 3 only, and is bracketed: close to it states of these sizes do not last.
   Planted networks are the random ones above T_K only, so that q1 is tested between T_K and T_d, for p = 4
   too coarsely.
 - T_M is a line of metastable states: it is bracketed, not located. A finite network leaves the state before, so that
   the points below it are at a third to two thirds of the load that the line has at their temperature.
 - T_c of p = 2 is bracketed by the weights only: its m = 0 state is a glass at T_c, and with few patterns the overlaps
   in it are so large that the two states cannot be told apart at these sizes.
 - Below T_K of p = 4 the networks are small, and the larger z are those of the line through them: against N the energy
   bends, from 0.053(7) above theory at N = 14 to 0.001(9) at N = 28, so that the line overshoots.
 - Below the glass lines, <q²> varies from sample to sample as much as its mean: its rows say little
   more than that it is not zero. One step is not exact below T_g; for p = 4 three steps move e by 0.0005 only.
 - Below T_g of p = 3, all indices, "z shifted" is that of replica symmetry, whose e is 2 % lower and whose <q²> is 3 %
   smaller.
 - Below T_g of p = 2, N = 216, ladders of four times the length changed <q²> by -0.0006(28) in 16 samples.
 - For p >= 3 the points above a line are well above it: close to it small networks sit in states of single patterns, by
   the entropy ln K/N of their choice.
"""


def named(system: System) -> str:
    """Degree and convention."""
    return f"{system.degree} | {'' if system.degree == 2 else system.indices}"
