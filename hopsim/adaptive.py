"""Adaptive scans: loads are added where retrieval falls, until its fall is bracketed as narrowly as was asked.

A scan grows in rounds. Which points and samples come next is a function of the finished results and of nothing else, so
that it does not depend on workers, their order or a resume. The package `adaptive` does not serve: its serial `simple`
with batches of a fixed size is deterministic, but its runners for executors ask for a point whenever a worker is free,
so that the points depend on who was faster; and Learner1D resolves a whole curve at real loads, where here one crossing
is wanted at whole numbers of patterns, with errors.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Literal

from .errors import Refused, real, whole
from .points import AnyPoint
from .scans import Batch, Scan
from .simulation import Point
from .statistics import Average, disorder_average
from .store import Store

OBSERVABLES = ("overlap", "retrieved")
CLEAR = 2.0  # errors between a mean and the level from where its side counts as known
_ROUNDING = 1 + 1e-9  # loads are quotients: a width of two patterns is not missed by the last bit


@dataclass(frozen=True)
class Refinement:
    """What is asked for: two loads at most `width` apart, between which the observable falls through `level`.

    Its mean over disorder samples is above the level at the lower load and below it at the higher one, by more than
    twice its error, and that is at most `error`. A point is given `samples_most` disorder samples at most.
    """

    observable: Literal["overlap", "retrieved"]
    level: float
    width: float
    error: float
    samples_most: int

    def __post_init__(self) -> None:
        if self.observable not in OBSERVABLES:
            raise Refused(f"observable must be one of {', '.join(OBSERVABLES)}, got {self.observable!r}")
        for name in ("level", "width", "error"):
            value = real(name, getattr(self, name))
            if not 0 < value < 1:
                raise Refused(f"{name} must be between 0 and 1, got {value!r}")
            object.__setattr__(self, name, value)
        object.__setattr__(self, "samples_most", whole("samples_most", self.samples_most, 1))
        if _unanimous(self.samples_most) > self.error:
            least = math.ceil(1 / self.error - 2)
            raise Refused(f"error = {self.error!r} needs samples_most >= {least}, got {self.samples_most}")


@dataclass(frozen=True)
class AdaptiveScan(Scan):
    """A scan that grows: `extra` are the points with more samples than the others, and how many they have."""

    refinement: Refinement = field(kw_only=True)
    extra: Mapping[AnyPoint, int] = field(default_factory=dict, hash=False, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shard != (1, 1):
            part, parts = self.shard
            raise Refused(
                f"a scan with [refine] cannot be run in shards, got {part}/{parts}: what comes next depends on all "
                "results; use one run with more workers"
            )
        if not all(isinstance(point, Point) for point in self.points):
            raise Refused("[refine] follows the load of binary networks; give the loads of this scan as a list")

    @property
    def wanted(self) -> dict[AnyPoint, int]:
        """Number of samples of each point."""
        return dict.fromkeys(self.points, self.samples) | dict(self.extra)

    @property
    def size(self) -> int:
        return sum(self.wanted.values())

    def batches(self, completed: set[str]) -> Iterator[Batch]:
        """As in a plain scan, points with few samples before those with more."""
        points_with: dict[int, list[AnyPoint]] = {}
        for point, samples in self.wanted.items():
            points_with.setdefault(samples, []).append(point)
        for samples, points in sorted(points_with.items()):
            yield from Scan(self.name, self.text, tuple(points), samples).batches(completed)


@dataclass(frozen=True)
class Measured:
    """A point and the average of the observable over its samples."""

    point: AnyPoint
    samples: int
    average: Average

    @property
    def patterns(self) -> int:
        """K."""
        return int(self.point.network.patterns)

    @property
    def load(self) -> float:
        """α at this K."""
        return float(self.point.network.load)

    @property
    def error(self) -> float:
        """The standard error, and no less than what samples that all agree leave open."""
        least = _unanimous(self.samples)
        return least if math.isnan(self.average.error) else max(self.average.error, least)

    def side(self, level: float) -> int:
        """1 above the level, -1 below it, 0 while it is within two errors."""
        distance = self.average.value - level
        return 0 if abs(distance) <= CLEAR * self.error else int(math.copysign(1, distance))

    def __str__(self) -> str:
        return f"{self.load:.6g} ({self.average.value:.4f} ± {self.error:.4f}, {self.samples} samples)"


@dataclass(frozen=True)
class Bracket:
    """Where one curve falls: all its points up to `low` are above the level, all from `high` on below it.

    The points of a curve share all but the load. `inside` are those from the first that is not above to the last that
    is not below: there the errors do not tell, or points contradict each other. Where no such bracket exists, low and
    high are the ends of the curve and crosses is False.
    """

    refinement: Refinement
    low: Measured
    high: Measured
    inside: tuple[Measured, ...]
    crosses: bool

    @property
    def narrow(self) -> bool:
        """Whether it is as narrow as was asked, or no number of patterns lies between."""
        width = self.high.load - self.low.load
        return width <= self.refinement.width * _ROUNDING or self.high.patterns - self.low.patterns == 1

    @property
    def converged(self) -> bool:
        """Whether all that was asked for is reached."""
        return self.crosses and self.narrow and max(self.low.error, self.high.error) <= self.refinement.error

    def __str__(self) -> str:
        asked, network = self.refinement, self.low.point.network
        curve = f"{network.law.interaction}, {network.law.ensemble}, N = {network.neurons}"
        falls = "falls" if self.crosses else "does not fall"
        line = (
            f"{curve}, T = {self.low.point.dynamics.temperature:g}: {asked.observable} {falls} through {asked.level:g} "
            f"between load {self.low} and {self.high}"
        )
        if not self.crosses:
            return line + "; give other loads"
        reached = f"; width = {asked.width:g} and error = {asked.error:g} need more than samples_most = "
        return line if self.converged else line + reached + str(asked.samples_most)


def _unanimous(samples: int) -> float:
    """1/(n+2): the probability that the next sample differs from n that agree (Laplace's rule of succession)."""
    return 1 / (samples + 2)


def grown(scan: Scan, store: Store) -> Scan:
    """The scan as far as the results in a store let it grow: the same scan if none of it may, or some are missing."""
    if not isinstance(scan, AdaptiveScan):
        return scan
    while is_complete(scan, seen := measured(scan, store)) and (further := refined(scan, seen)):
        scan = further
    return scan


def bracketed(scan: Scan, store: Store) -> list[Bracket]:
    """The brackets that a scan has come to, none before all its results are there."""
    scan = grown(scan, store)
    seen = measured(scan, store) if isinstance(scan, AdaptiveScan) else []
    return brackets(scan, seen) if isinstance(scan, AdaptiveScan) and is_complete(scan, seen) else []


def measured(scan: AdaptiveScan, store: Store) -> list[Measured]:
    """Averages of the points over the samples that the scan asks for, not over others that the store has besides."""
    columns, seen = store.columns(), []
    current = zip(store.points(), store.current().tolist(), strict=True)
    places = {point: place for place, (point, same) in enumerate(current) if same}
    for point, samples in scan.wanted.items() if columns else ():
        chosen = (columns["point"] == places.get(point, -1)) & (columns["sample"] < samples)
        if chosen.any():
            average = disorder_average(columns[scan.refinement.observable][chosen])
            seen.append(Measured(point, int(chosen.sum()), average))
    return seen


def is_complete(scan: AdaptiveScan, seen: Iterable[Measured]) -> bool:
    """Whether every point of the scan has its samples."""
    return {m.point: m.samples for m in seen} == scan.wanted


def refined(scan: AdaptiveScan, seen: Sequence[Measured]) -> AdaptiveScan | None:
    """The scan with the points and samples that serve next, None if there are none; in any order of `seen`.

    Of each curve, where retrieval falls: first the points that stand between the bracket and a narrower one, because
    they are not told from the level or contradict each other, get twice the samples; then the load is bisected; at last
    the ends get twice the samples until their errors are as asked. A round adds a number of patterns between two others
    or samples up to samples_most, so the rounds come to an end.
    """
    further: dict[AnyPoint, int] = {}
    for bracket in brackets(scan, seen):
        further |= _next(bracket, scan.samples)
    if not further:
        return None
    known = set(scan.points)
    new = tuple(point for point in further if point not in known)
    extra = {point: samples for point, samples in further.items() if point in known}
    return replace(scan, points=scan.points + new, extra={**scan.extra, **extra})


def brackets(scan: AdaptiveScan, seen: Sequence[Measured]) -> list[Bracket]:
    """The bracket of each curve, in the order of the scan's points."""
    if not is_complete(scan, seen):
        raise Refused(f"scan {scan.name} is refined when all its points have their samples, some are missing; run it")
    of_point = {m.point: m for m in seen}
    curves: dict[object, list[Measured]] = {}
    for p in scan.points:
        shared = (p.network.law, p.network.neurons, p.dynamics, p.protocol, p.seed)
        curves.setdefault(shared, []).append(of_point[p])
    return [_bracket(sorted(curve, key=lambda m: m.patterns), scan.refinement) for curve in curves.values()]


def _bracket(curve: list[Measured], refinement: Refinement) -> Bracket:
    sides = [m.side(refinement.level) for m in curve]
    above = len(list(takewhile(lambda side: side > 0, sides)))
    below = len(list(takewhile(lambda side: side < 0, reversed(sides))))
    inside, crosses = tuple(curve[above : len(curve) - below]), above > 0 and below > 0
    low, high = (curve[above - 1], curve[-below]) if crosses else (curve[0], curve[-1])
    return Bracket(refinement, low, high, inside, crosses)


def _next(bracket: Bracket, samples: int) -> dict[AnyPoint, int]:
    """Points of one curve that are wanted next, with how many samples."""
    asked = bracket.refinement
    decided = _sampled(_doubtful(bracket), asked)
    if decided or not bracket.crosses:
        return decided
    if added := dict.fromkeys(_bisected(bracket), samples):
        return added
    return _sampled((end for end in (bracket.low, bracket.high) if end.error > asked.error), asked)


def _doubtful(bracket: Bracket) -> list[Measured]:
    """The outermost points inside that can still be told from the level; else both, if they contradict each other."""
    outermost, level = [*bracket.inside[:1], *bracket.inside[-1:]], bracket.refinement.level
    unsure = [m for m in outermost if m.side(level) == 0 and m.samples < bracket.refinement.samples_most]
    contradict = [m.side(level) for m in outermost] == [-1, 1]
    return unsure or (outermost if contradict else [])


def _sampled(points: Iterable[Measured], refinement: Refinement) -> dict[AnyPoint, int]:
    most = refinement.samples_most
    return {m.point: min(2 * m.samples, most) for m in points if m.samples < most}


def _bisected(bracket: Bracket) -> Iterator[AnyPoint]:
    """The middles of what is too wide: the bracket, or its parts on both sides of the points inside."""
    if bracket.narrow:
        return
    inside = bracket.inside
    gaps = [(bracket.low, inside[0]), (inside[-1], bracket.high)] if inside else [(bracket.low, bracket.high)]
    for low, high in gaps:
        wide = high.load - low.load > bracket.refinement.width / len(gaps) * _ROUNDING
        if wide and high.patterns - low.patterns > 1:
            yield _between(low, high)


def _between(low: Measured, high: Measured) -> AnyPoint:
    """The point in the middle of two loads, at the nearest number of patterns strictly between theirs."""
    point = low.point
    assert isinstance(point, Point)
    network = point.network
    middle = network.law.interaction.patterns(network.neurons, (low.load + high.load) / 2)
    patterns = min(max(middle, low.patterns + 1), high.patterns - 1)
    return replace(point, network=replace(network, patterns=patterns))
