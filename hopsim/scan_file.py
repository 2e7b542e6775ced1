"""Scan files: TOML to a Scan, every key checked before anything runs."""

import difflib
import itertools
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from . import adaptive, dynamics, networks
from .adaptive import AdaptiveScan, Refinement
from .dynamics import Dynamics
from .errors import Refused
from .hdf5 import read_patterns
from .networks import Network
from .patterns import Biased, Diluted, Ensemble, Examples, Stored
from .scans import Scan
from .simulation import STARTS, Point, Protocol
from .store import Store

KINDS: dict[str, tuple[Callable[..., Network], tuple[str, ...]]] = {
    "hopfield": (networks.hopfield, ()),
    "dense": (networks.dense, ("degree", "indices")),
    "rectified": (networks.rectified, ("degree",)),
    "exponential": (networks.exponential, ()),
    "log_sum_exp": (networks.log_sum_exp, ("sharpness",)),
    "multitasking": (networks.multitasking, ("dilution",)),
}
RULES: dict[str, Callable[..., Dynamics]] = {
    "sign": dynamics.SignUpdate,
    "glauber": dynamics.Glauber,
    "metropolis": dynamics.Metropolis,
    "synchronous": dynamics.Synchronous,
}
T = TypeVar("T")
PACKAGED = Path(__file__).parent / "data"
CHECKOUT = Path(__file__).parent.parent / "data"
MOST_VALUES = 100_000


def read(path: Path) -> Scan:
    """The scan in a TOML file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"scan file {path} cannot be read: {error}") from None
    return parse(text, name=path.stem, folder=path.parent)


def of_store(store: Store) -> Scan:
    """The scan, or the part of it, that a store was last written by, with the patterns embedded there.

    A scan that grows is returned as far as the results let it.
    """
    scan = parse(store.scan_text, name=store.scan_name, folder=Path(), stored=store.scan_patterns)
    part, parts = map(int, store.scan_shard.split("/"))
    return adaptive.grown(replace(scan, shard=(part, parts)), store)


def packaged() -> dict[str, Path]:
    """The scan files that come with the package, by name."""
    folder = PACKAGED if PACKAGED.is_dir() else CHECKOUT
    return {path.stem: path for path in sorted((folder / "scans").glob("*.toml"))}


def parse(text: str, *, name: str, folder: Path, stored: Stored | None = None) -> Scan:
    """The scan in a TOML text; `stored` stands for its pattern file, which is else looked up from `folder`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"scan {name} is not valid TOML: {error}") from None
    for section in ("network", "dynamics", "protocol", "scan"):
        if not isinstance(tables.get(section), dict):
            raise Refused(f"scan {name} needs a section [{section}]; see `hopsim run --help` for an example")
    _refuse_unknown("section", set(tables), ("network", "dynamics", "protocol", "scan", "refine"), f"scan {name}")
    scan, protocol = _Section("scan", tables["scan"]), _Section("protocol", tables["protocol"])
    samples, seed = scan.whole("samples", 1), scan.whole("seed", 0)
    scan.end()
    laws = _networks(_Section("network", tables["network"]), folder, stored)
    rules = _rules(_Section("dynamics", tables["dynamics"]))
    one_protocol = _protocol(protocol)
    points = [Point(network, rule, one_protocol, seed) for network in laws for rule in rules]
    once = tuple(dict.fromkeys(points))
    if "refine" not in tables:
        return Scan(name, text, once, samples)
    return AdaptiveScan(name, text, once, samples, refinement=_refinement(tables["refine"]))


def _networks(section: "_Section", folder: Path, stored: Stored | None) -> list[Network]:
    kind = section.choice("kind", tuple(KINDS))
    constructor, own = KINDS[kind]
    grid: dict[str, list[Any]] = {}
    for key in own:
        grid[key] = (
            [section.choice(key, ("distinct", "all"))] if key == "indices" else section.grid(key, key == "degree")
        )
    ensembles = _ensembles(section, kind, folder, stored)
    if isinstance(ensembles[0], Stored):
        entries = ensembles[0].array.shape[0]
        grid["neurons"] = section.grid("neurons", True) if "neurons" in section.table else [entries]
    else:
        grid["neurons"] = section.grid("neurons", True)
    given = [key for key in ("load", "patterns", "log_load") if key in section.table]
    if len(given) != 1:
        raise Refused(
            f"[network] needs exactly one of load, patterns and log_load, got {' and '.join(given) or 'none'}"
        )
    grid[given[0]] = section.grid(given[0], given[0] == "patterns")
    section.end()
    grid["ensemble"] = ensembles
    found: list[Network] = []
    for values in itertools.product(*grid.values()):
        chosen = dict(zip(grid, values, strict=True))
        if kind == "dense" and chosen["degree"] < 2:
            raise Refused(f"[network] degree must be an integer >= 2, got {chosen['degree']}")
        if "log_load" in chosen:
            chosen["patterns"] = _few(chosen.pop("log_load"), chosen["neurons"])
        found.append(_named("network", constructor, chosen))
    return found


def _ensembles(section: "_Section", kind: str, folder: Path, stored: Stored | None) -> list[Ensemble | None]:
    """One ensemble, or several where bias, dilution, quality or examples is a list or learning is "both"; None: the
    network's own. `dilution` of a multitasking network belongs to its constructor."""
    diluted = kind != "multitasking" and "dilution" in section.table
    if "learning" in section.table:
        return _learning(section, section.grid("dilution", False) if diluted else [0.0])
    if given := sorted({"quality", "examples"} & set(section.table)):
        raise Refused(f'[network] {" and ".join(given)} need learning = "supervised", "unsupervised" or "both"')
    if kind == "multitasking":
        return [None]
    if diluted:
        if taken := {"patterns_file", "bias"} & set(section.table):
            raise Refused(f"[network] dilution draws random patterns; remove {' and '.join(sorted(taken))}")
        return [_named("network", Diluted, {"dilution": dilution}) for dilution in section.grid("dilution", False)]
    if "patterns_file" in section.table and "bias" in section.table:
        raise Refused("[network] bias draws random patterns, patterns_file stores given ones; remove one of them")
    if "patterns_file" in section.table:
        written = section.text("patterns_file")
        return [stored or read_patterns(_pattern_path(written, folder))]
    if "bias" in section.table:
        return [_named("network", Biased, {"bias": bias}) for bias in section.grid("bias", False)]
    return [None]


def _learning(section: "_Section", dilutions: list[float]) -> list[Ensemble | None]:
    if taken := {"patterns_file", "bias"} & set(section.table):
        raise Refused(f"[network] learning draws its own archetypes; remove {' and '.join(sorted(taken))}")
    ways = ("supervised", "unsupervised")
    chosen = section.choice("learning", (*ways, "both"))
    grid = itertools.product(
        section.grid("quality", False),
        section.grid("examples", True),
        ways if chosen == "both" else (chosen,),
        dilutions,
    )
    names = ("quality", "examples", "learning", "dilution")
    return [_named("network", Examples, dict(zip(names, values, strict=True))) for values in grid]


def _few(log_load: float, neurons: int) -> int:
    """K = γ ln N, the nearest whole number and at least 1."""
    if not 0 < log_load < math.inf:
        raise Refused(f"[network] log_load must be a number > 0, for K = log_load ln N, got {log_load!r}")
    return max(1, round(log_load * math.log(neurons)))


def _pattern_path(written: str, folder: Path) -> Path:
    """From the folder of the scan file, the root of a project whose data/scans/ it is, here, or the package's own."""
    places = (folder, folder.parent.parent, Path(), PACKAGED.parent, CHECKOUT.parent)
    found = [place / written for place in places if (place / written).is_file()]
    if not found:
        raise Refused(f"[network] patterns_file {written!r} does not exist here or beside the scan file")
    return found[0]


def _rules(section: "_Section") -> list[Dynamics]:
    rule = section.choice("rule", tuple(RULES))
    grid: dict[str, list[Any]] = {}
    if rule == "sign":
        if "temperature" in section.table:
            raise Refused('[dynamics] temperature is not for rule = "sign", which is T = 0; remove it or use "glauber"')
    else:
        grid["temperature"] = section.grid("temperature", False)
    if rule != "synchronous":
        grid["order"] = [section.choice("order", dynamics.ORDERS, default="permutation")]
    section.end()
    chosen = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    return [_named("dynamics", RULES[rule], c) for c in chosen]


def _protocol(section: "_Section") -> Protocol:
    start = section.choice("start", STARTS, default="pattern")
    if start == "random" and "cue_overlap" in section.table:
        raise Refused('[protocol] cue_overlap is not for start = "random"; remove it')
    given = {
        "start": start,
        "cue_overlap": 0.0 if start == "random" else section.number("cue_overlap"),
        "equilibrate": section.whole("equilibrate", 0),
        "measure": section.whole("measure", 1),
    }
    for key in ("every", "replicas"):
        if key in section.table:
            given[key] = section.whole(key, 1)
    if "success_overlap" in section.table:
        given["success_overlap"] = section.number("success_overlap")
    for key in ("series", "overlaps"):
        if key in section.table:
            given[key] = section.flag(key)
    section.end()
    return _named("protocol", Protocol, given)


def _refinement(table: object) -> Refinement:
    if not isinstance(table, dict):
        raise Refused(f"[refine] must be a section, got {table!r}")
    section = _Section("refine", table)
    given = {
        "observable": section.choice("observable", adaptive.OBSERVABLES),
        "level": section.number("level"),
        "width": section.number("width"),
        "error": section.number("error"),
        "samples_most": section.whole("samples_most", 1),
    }
    section.end()
    return _named("refine", Refinement, given)


def _named(section: str, build: Callable[..., T], given: Mapping[str, Any]) -> T:
    try:
        return build(**given)
    except Refused as error:
        raise Refused(f"[{section}] {error}") from None


def _refuse_unknown(what: str, found: set[str], allowed: tuple[str, ...], where: str) -> None:
    for name in sorted(found - set(allowed)):
        near = difflib.get_close_matches(name, allowed, 1)
        hint = f", did you mean {near[0]}?" if near else ";"
        raise Refused(f"{where} has an unknown {what} {name!r}{hint} allowed: {', '.join(allowed)}")


class _Section:
    """One table of a scan file; remembers which keys were asked for, so that the others are unknown."""

    def __init__(self, name: str, table: dict[str, Any]) -> None:
        self.name, self.table = name, table
        self._asked = list[str]()

    def end(self) -> None:
        """Refuse keys that nothing asked for."""
        _refuse_unknown("key", set(self.table), tuple(dict.fromkeys(self._asked)), f"[{self.name}]")

    def text(self, key: str) -> str:
        value = self._value(key)
        if isinstance(value, str):
            return value
        raise self._refused(key, value, "a text")

    def choice(self, key: str, options: tuple[str, ...], default: str | None = None) -> Any:
        value = self._value(key, default)
        if value in options:
            return value
        raise self._refused(key, value, "one of " + ", ".join(options))

    def flag(self, key: str) -> bool:
        value = self._value(key, False)
        if isinstance(value, bool):
            return value
        raise self._refused(key, value, "true or false")

    def whole(self, key: str, least: int) -> int:
        value = self._value(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        raise self._refused(key, value, f"a whole number >= {least}")

    def number(self, key: str) -> float:
        value = self._value(key)
        if _is_number(value):
            return float(value)
        raise self._refused(key, value, "a finite number")

    def grid(self, key: str, whole: bool) -> list[Any]:
        """A number, a list of numbers, or {start, stop, num}, both ends included."""
        value = self._value(key)
        values = self._spaced(key, value) if isinstance(value, dict) else value if isinstance(value, list) else [value]
        if not values:
            raise self._refused(key, value, "not empty: a number, a list of numbers or {start, stop, num}")
        if not all(_is_number(v) for v in values):
            raise self._refused(key, value, "a finite number, a list of them or {start, stop, num}")
        if not whole:
            return [float(v) for v in values]
        if any(v != round(v) for v in values):
            raise self._refused(key, value, "whole numbers")
        return [round(v) for v in values]

    def _spaced(self, key: str, value: dict[str, Any]) -> list[float]:
        good = set(value) == {"start", "stop", "num"} and all(map(_is_number, value.values()))
        if not good or value["num"] != int(value["num"]) or not 1 <= value["num"] <= MOST_VALUES:
            must = f"{{start = number, stop = number, num = whole number from 1 to {MOST_VALUES}}}"
            raise self._refused(key, value, must)
        start, stop, num = value["start"], value["stop"], int(value["num"])
        return [start + (stop - start) * k / (num - 1) if num > 1 else start for k in range(num)]

    def _value(self, key: str, default: Any = None) -> Any:
        self._asked.append(key)
        if key not in self.table and default is None:
            near = difflib.get_close_matches(key, self.table, 1)
            raise Refused(f"[{self.name}] needs the key {key}" + (f", is {near[0]!r} meant for it?" if near else ""))
        return self.table.get(key, default)

    def _refused(self, key: str, value: Any, must: str) -> Refused:
        return Refused(f"[{self.name}] {key} must be {must}; got {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
