"""Hold equilibrium Monte Carlo against theory on the two sides of every line, p = 2, 3, 4: docs/verification_lines.md.

    python scripts/verify_lines.py                       about 30 minutes on 2 cores; interrupted, it continues
    python scripts/verify_lines.py --quick --samples 32  a rehearsal with large errors

Every disorder sample is simulated from a stored pattern and from random states, by chains at constant temperature where
these forget their start and by replica exchange where not. Where a row claims equilibrium the two starts must give the
same energy at every size: a difference below 4 errors of its mean over samples, with an error below 2 % of the energy.
Below T_K, and below T_g of p = 4, both starts could be equally far from it: there the last quarter of the run and the
second, twice as early or more, must agree too, in energy and in <q²>, within 4 errors. Else the row is called not
equilibrated and proves nothing, whatever its z.

 - T_M, below: the overlap from a pattern start, over the readings that are in the state, m >= 0.7. Only this start
   can be there: what the line promises is a metastable state, and small networks leave it. Above: m² of the pattern
   that was left vanishes for N → ∞ (to be rejected: m² of the state that ends at the line) and the energy is that of
   the m = 0 state.
 - T_c for p >= 3, by thermodynamic integration: f of retrieval is E/N at T = 0.05 less T times the integral of its
   rise over T², from a pattern; f of m = 0 is T times the integral of E/N over β from T = ∞, less T ln 2, from random
   states. Both at the T_c of theory; what is left of their difference, over the difference of entropies, is the error
   of T_c. A sample that left its state for a whole temperature is lost. The energy of the pattern itself, whose mean
   is known exactly, serves to remove the fluctuation that the other patterns cause. Nodes and the entropy at T = 0.05,
   which is left out, cost less than 3e-4 of T_c: the same sums over energies of theory.
 - T_c, both sides, by replica exchange: which state has the weight in equilibrium.
 - T_R: A/χ with χ = (1/N) Σ_ij c_ij² in the retrieval state, c = <σσ> - <σ><σ>, and A its diagonal part, both as
   products of two estimates of c from different chains and starts (overlap 1 and 0.95), averaged over samples. Above
   T_R it is the stability, as 1/N<q²> is above T_g: 1 - αζ̂''(q)β² ∫Dz sech⁴ βh, for p = 2 with 1/(1 - C)² for ζ̂'';
   to be rejected is 1, no response of one neuron to another. Below, χ grows with N and A/χ vanishes, near the line by
   N^(-1/3). Samples of which a chain left the state are left out.
 - Glass lines, above: N<q²> of replicas is 1/stability of the paramagnet, 1/(1 - αζ̂''(0)β²) and for p = 2 1/(1 -
   αβ²/(1-β)²). It diverges at T_g and is 1 for distinct indices, p >= 3, where the line is T_K. p = 3 with all indices
   has a random field: above its line <q> is that of replica symmetry. Below, energy and <q²> of one-step breaking
   against N^(-2/3), the law of mean-field glasses whose breaking is continuous, and against 1/N below T_K, where it is
   not. For p >= 3 from all 2^N states of networks of 14 to 18 neurons and by long replica exchange of larger ones, with
   K such that the energy has the variance of N → ∞ at every size. To be rejected: the paramagnet, its energy and <q²> =
   0.
 - T_d, for distinct indices: the overlap with an equilibrium configuration after long times is q1 below, where its
   state lasts, and 0 above. The start is planted, see lines_planting.py. Below, over the readings of the second half
   with q >= 0.5; above, over the last eighth, where the energies from the planted and from random states must agree
   (to be rejected: q1 at T_d).

The difference δ(N) between the disorder average and theory at the realised load is extrapolated by least squares,
δ + a/N, or another power; small sizes are left out while χ² per degree of freedom is above 3 and more than three are
left. z = δ/error(δ), both from the fit. "z shifted" repeats it for a theory that is wrong. The script fails (exit code
1) if any |z| of an equilibrated row does not stay below the limit. A row that could not have told the wrong theory is
called too coarse and proves nothing.

How the points were chosen: in rehearsals with 8 and 16 samples. For p >= 3 sizes of about 100 have large corrections:
the choice of one of K patterns is worth an entropy ln K/N, so that retrieval goes on above T_c. Points above lines
were moved to higher T, glass lines to larger loads, sizes upwards; points below T_M to lower loads, where few samples
leave. Fits in 1/N and 1/N² had errors too large to tell anything and became linear. Below the glass lines of p = 4 the
load is 0.4, because there the two corrections of order 1/N that enumeration shows (the third cumulant of the energy,
which is relatively larger at small loads, and finite size itself) are small. T_d is at larger loads for the same
reason: at load 1 equilibrium states of these sizes overlap with patterns.

After the full run no row was removed, but: small sizes are left out where the line does not fit, before which the
energy of p = 3, distinct, at T = 1.25 failed (z = -4.75 at χ² = 5); the readings below T_M are those in the state; the
ladders of p = 2 that cross T_c were made longer, because the starts differed below it; above T_g of p = 4, all indices,
the number of samples was doubled, because three rows were too coarse; e and <q²> below T_K of p = 3 (z = 1.44 and
-5.60) were found not equilibrated and replaced by ladders of fifteen times the sweeps and enumeration.

The rows of T_R, of T_d and below the glass lines of p >= 3 were built while their first samples came in, their number
was set by time, and these choices were made with 4 to 70 samples seen. T_R: the mean of A/χ for <A>/<χ>, which single
samples ruled; below it load 0.12 and T = 0.08 for 0.1 and 0.04, where two neurons of 384 moved, and N^(-1/3) for 1/N,
with which the full run has A/χ = 0.28(7), z = 4.3; p = 4 nearer to the line (loads 0.028 and 0.011) was given up,
because half of the samples left. T_d: K by the energy for K by the variance, which left the planted energy of p = 4 11
% too low (z = 3.3 below the line); sizes 64 and 28, which half of the chains or more had left, for larger ones; T = 2.6
above it for 2.1, where some still remembered their start. T_K: 1/N for N^(-2/3), with which the full run has z = -2.6
(e) and 0.5 (<q²>) for p = 3, -4.0 and 1.4 for p = 4.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lines_points
import sample_runs
from lines_of_glass import above_glass, below_glass, frozen, planted
from lines_of_retrieval import Weight, above_spinodal, below_spinodal, crossing, instability, weight
from lines_page import report
from lines_rows import Data, Row
from lines_subjects import SUBJECTS, Subject
from sample_runs import Runs
from tqdm import tqdm
from verify import ROOT

from hopsim import executors

Read = Callable[[Any], Data]


def judge(subject: Subject, read: Read) -> tuple[list[Row], list[Weight]]:
    """Every comparison of one network."""
    cases = subject.cases()
    data = {name: read(case) for name, case in cases.items()}
    rows = below_spinodal(subject, cases["below"], data["below"])
    rows += above_spinodal(subject, cases["above"], data["above"])
    if "retrieval" in cases:
        rows.append(crossing(subject, cases["retrieval"], data["retrieval"], data["other"]))
    rows += [instability(case, read(case)) for case in lines_points.RETRIEVALS if same(case, subject)]
    rows += above_glass(subject, cases["glass"], data["glass"])
    if "frozen" in cases:
        rows += below_glass(subject, cases["frozen"], data["frozen"])
    for long, small in zip(lines_points.LADDERS, lines_points.ENUMERATIONS, strict=True):
        if same(long, subject):
            rows += frozen(long, read(long), small, read(small))
    rows += [planted(case, read(case)) for case in lines_points.PLANTINGS if same(case, subject)]
    return rows, [weight(subject, cases["ladder"], data["ladder"], side) for side in ("below", "above")]


def same(one: Any, other: Any) -> bool:
    """Whether both are of one law."""
    return (one.degree, one.indices) == (other.degree, other.indices)


def judged(read: Read) -> tuple[list[Row], list[Weight]]:
    """Every comparison."""
    found = [judge(subject, read) for subject in SUBJECTS]
    return [row for rows, _ in found for row in rows], [share for _, shares in found for share in shares]


def main() -> int:
    """Simulate, compare, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=104)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--folder", type=Path, default=Path("verification"), help="for the result files")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "verification_lines.md")
    parser.add_argument("--executor", choices=("threads", "processes"), default="processes")
    parser.add_argument("--quick", action="store_true", help="print the tables, do not write the page")
    chosen = parser.parse_args()
    workers = executors.threads(2) if chosen.executor == "threads" else executors.processes(2)
    cases: list[Runs] = [*(case for subject in SUBJECTS for case in subject.cases().values()), *lines_points.ALL]
    size = sum(len(case.neurons) * round(case.times * chosen.samples) for case in cases)
    with tqdm(total=size, unit="run") as bar:
        sample_runs.run(cases, chosen.samples, chosen.seed, chosen.folder, workers, bar.update)

    def read(case: Any) -> Data:
        found = sample_runs.read(case, chosen.folder, chosen.seed)
        return {
            N: {s: v for s, v in of_size.items() if s < round(chosen.samples * case.times)}
            for N, of_size in found.items()
        }

    rows, weights = judged(read)
    page = report(rows, weights, chosen.samples, chosen.seed)
    print(page)
    if not chosen.quick:
        chosen.out.write_text(page, encoding="utf-8")
    verdicts = [row.verdict for row in rows] + [share.verdict for share in weights]
    return 1 if "**fails**" in verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
