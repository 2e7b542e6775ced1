"""Where the entropy of a replica-symmetric state vanishes: below, symmetry must break, since spins have s >= 0.

The de Almeida-Thouless instability may come first, at a higher temperature; the zero of entropy is the cruder sign.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..errors import Refused
from ..networks import Law
from . import crosstalk
from .crosstalk import Noise
from .fixed_point import NotConverged, bracket
from .replica_symmetric import REPLICA_SYMMETRIC
from .solution import BRANCHES, COLDEST, Ansatz, checked_load

TOLERANCE = 1e-9
POINTS = 96


@dataclass(frozen=True)
class ZeroEntropy:
    """The temperature at which s = 0 on a branch, a bracket low <= temperature <= high, and the order there."""

    load: float
    branch: str
    temperature: float
    low: float
    high: float
    order: object


def zero_entropy(law: Law | Noise, *, load: float, branch: str, ansatz: Ansatz = REPLICA_SYMMETRIC) -> ZeroEntropy:
    """The lowest temperature at which the entropy of a branch turns positive on heating.

    A pure glass of covariance αζ̂ without order, q = 0, has s = ln 2 - αζ̂(1)/2T². Raises NotConverged where the entropy
    of the branch does not vanish.

    >>> law = hs.dense(neurons=3, degree=3, indices="distinct", patterns=1).law  # ζ̂(1) = 2/3
    >>> found = hs.theory.zero_entropy(law, load=1.0, branch="paramagnet")
    >>> round(3 * float(np.log(2)) * found.temperature**2, 6)
    1.0
    """
    noise, load = crosstalk.noise(law), checked_load(load)
    if branch not in BRANCHES:
        raise Refused(f"branch must be one of {', '.join(BRANCHES)}, got {branch!r}")

    def entropy(temperature: float) -> float:
        return ansatz.entropy(ansatz.order(noise, load, temperature, branch), noise, load, temperature)

    # no state of order one is left above a few times the spread of the energies of the other patterns
    hottest = 10 * (1 + np.sqrt(load * float(noise.variance(1.0, 0.0))))
    found = [(T, s) for T in np.geomspace(COLDEST, hottest, POINTS).tolist() if (s := _or_none(entropy, T)) is not None]
    for (cold, below), (warm, above) in pairwise(found):
        if below < 0 <= above:
            temperature, low, high = bracket(entropy, cold, warm, tolerance=TOLERANCE)
            order = ansatz.order(noise, load, temperature, branch)
            return ZeroEntropy(load, branch, temperature, low, high, order)
    raise NotConverged(f"the entropy of the {branch} branch has no zero at load {load:.6g}, T >= {COLDEST:g}", found)


def _or_none(entropy: Callable[[float], float], temperature: float) -> float | None:
    try:
        return entropy(temperature)
    except NotConverged:
        return None
