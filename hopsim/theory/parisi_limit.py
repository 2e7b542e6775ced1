"""The full Parisi solution: the limit of infinitely many steps, at m = 0, at a given overlap, or in retrieval.

For a mixed p-spin glass at fixed m the order is a function x(q), f is concave in it (Auffinger & Chen 2015) and largest
at the solution, so every step raises f. Where q(x) is continuous k steps are seen to miss f by c/(k + s)^4: c, s and
the limit follow from three successive k, and the distance to the limit from the three before is the error.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import Refused
from ..networks import Law
from . import crosstalk, k_step, splitting
from .crosstalk import Noise, Responding
from .fixed_point import NotConverged, root
from .k_step import KStep, StepOrder
from .solution import checked_load, checked_temperature
from .splitting import Point

STEPS = 5
RATE = 4
NOTHING = 1e-10  # a gain of f that ends the ladder


@dataclass(frozen=True)
class Parisi:
    """The free energy at infinitely many steps with its error, f at k = 1 .. K steps, and the order at K steps."""

    free_energy: float
    error: float
    ladder: tuple[float, ...]
    order: StepOrder


def parisi(law: Law | Noise, *, load: float, temperature: float, branch: str = "glass", steps: int = STEPS) -> Parisi:
    """The Parisi solution on the "glass" (m = 0) or the "retrieval" branch, T >= 0, from at most `steps` >= 3 steps.

    Fewer are used where a further one gains nothing, or less than can be resolved near a transition. Raises
    NotConverged where the branch does not exist.
    """
    noise, load, temperature = crosstalk.noise(law), checked_load(load), checked_temperature(temperature)
    if branch not in ("glass", "retrieval"):
        raise Refused(f"branch must be glass or retrieval, got {branch!r}; a paramagnet has no steps: use solve")
    if branch == "glass":
        return _limit(_at_overlap(noise, load, temperature, 0.0, steps), noise, load, temperature, steps)
    return _limit(_retrievals(noise, load, temperature, steps), noise, load, temperature, steps)


def at_overlap(law: Law | Noise, *, load: float, temperature: float, m: float, steps: int = STEPS) -> Parisi:
    """The Parisi solution at a given overlap 0 <= m <= 1, p >= 3: the field is m^(p-1), f is not stationary in m."""
    noise, load, temperature = crosstalk.noise(law), checked_load(load), checked_temperature(temperature)
    if isinstance(noise, Responding):
        raise Refused("f at a given overlap has no maximum for p = 2: ask for the retrieval branch, or for p >= 3")
    if not 0 <= m <= 1:
        raise Refused(f"m must be from 0 to 1, got {m!r}")
    return _limit(_at_overlap(noise, load, temperature, float(m), steps), noise, load, temperature, steps)


def _retrievals(noise: Noise, load: float, temperature: float, steps: int) -> Iterator[StepOrder]:
    for k in range(1, steps + 1):
        try:
            yield KStep(k).order(noise, load, temperature, "retrieval")
        except NotConverged:
            if k < 3:
                raise
            return


def _at_overlap(noise: Noise, load: float, temperature: float, m: float, steps: int) -> Iterator[StepOrder]:
    point, current = Point(noise, temperature, m, load), k_step.unbroken(noise, load, temperature, m)
    for k in range(steps):
        further = splitting.split(point, current)
        if further is None and k == 0:
            raise NotConverged(f"no state with a step was found at load {load:.6g}, T = {temperature:.6g}, m = {m:.6g}")
        if further is None:
            return
        current = further
        yield k_step.order_of(noise, m, current)


def _limit(orders: Iterator[StepOrder], noise: Noise, load: float, temperature: float, steps: int) -> Parisi:
    if not isinstance(steps, int) or not 3 <= steps <= k_step.MOST_STEPS:
        raise Refused(f"steps must be an integer from 3 to {k_step.MOST_STEPS}, got {steps!r}")
    ladder: list[float] = []
    for order in orders:
        ladder.append(KStep(len(ladder) + 1).free_energy(order, noise, load, temperature))
        if len(ladder) > 1 and ladder[-1] - ladder[-2] < NOTHING:
            break
    if len(ladder) < 2:
        raise NotConverged(
            f"only one step can be resolved at load {load:.6g}, T = {temperature:.6g}, near a transition: use KStep(1)",
            order,
        )
    limits = [_extrapolated(ladder[:k]) for k in (len(ladder) - 1, len(ladder))]
    return Parisi(limits[1], max(abs(limits[1] - limits[0]), NOTHING), tuple(ladder), order)


def _extrapolated(f: list[float]) -> float:
    """f_∞ of f_k = f_∞ - c/(k + s)^4 through the last three; the last where there are fewer or it has settled."""
    k = len(f)
    if k < 3 or f[-1] - f[-2] < NOTHING:
        return f[-1]

    def missing(k: int, s: float) -> float:
        return (k + s) ** -RATE

    ratio = (f[-1] - f[-2]) / (f[-2] - f[-3])
    if not 0 < ratio < 0.9:
        return f[-1]
    s = root(
        lambda s: (missing(k - 1, s) - missing(k, s)) / (missing(k - 2, s) - missing(k - 1, s)) - ratio, 2.001 - k, 1e3
    )
    return f[-1] + (f[-1] - f[-2]) / (missing(k - 1, s) - missing(k, s)) * missing(k, s)
