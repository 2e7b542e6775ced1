"""Scan files: TOML to a Scan, every key checked before anything runs."""

import dataclasses
import itertools
import math
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from . import adaptive, continuous, dynamics, networks
from .adaptive import AdaptiveScan, Refinement
from .continuous import Experiment, Kind
from .dynamics import Dynamics
from .errors import Refused
from .hdf5 import read_patterns
from .networks import Network
from .patterns import Biased, Diluted, Ensemble, Examples, Stored
from .points import AnyPoint
from .scans import Scan
from .sections import Section, refuse_unknown
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
MOST_SAMPLES = 10**15
PACKAGED = Path(__file__).parent / "data"
CHECKOUT = Path(__file__).parent.parent / "data"


def read(path: Path) -> Scan:
    """The scan in a TOML file.

    >>> scan = hs.scan_file.read(hs.scan_file.packaged()["digits"])
    >>> {point.network.neurons for point in scan.points}
    {64}
    """
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
    refuse_unknown("section", set(tables), ("network", "dynamics", "protocol", "scan", "refine"), f"scan {name}")
    scan, protocol = Section("scan", tables["scan"]), Section("protocol", tables["protocol"])
    samples, seed = scan.whole("samples", 1, MOST_SAMPLES), scan.whole("seed", 0)
    scan.end()
    network, rule = Section("network", tables["network"]), Section("dynamics", tables["dynamics"])
    kind = network.choice("kind", (*KINDS, *continuous.KINDS))
    points: list[AnyPoint] = []
    if kind in KINDS:
        laws, rules, one_protocol = _networks(network, folder, stored), _rules(rule), _protocol(protocol)
        points += [Point(law, rule, one_protocol, seed) for law in laws for rule in rules]
    else:
        points += _experiments(continuous.KINDS[kind], network, rule, protocol, seed)
    once = tuple(dict.fromkeys(points))
    if "refine" not in tables:
        return Scan(name, text, once, samples)
    return AdaptiveScan(name, text, once, samples, refinement=_refinement(tables["refine"]))


def _experiments(kind: Kind, network: Section, dynamics: Section, protocol: Section, seed: int) -> Iterator[Experiment]:
    """The grid over all keys of a continuous network, each a value or a list of them."""
    networks = _parts(network, kind.network, kind.patterns)
    grid = itertools.product(networks, _parts(dynamics, kind.dynamics), _parts(protocol, kind.protocol))
    return (Experiment(network, rule, start, seed) for network, rule, start in grid)


def _parts(section: Section, build: type, patterns: Callable[..., float] | None = None) -> list[Any]:
    """The frozen dataclasses that a section says; patterns(load=..., the other keys) where the load may be given."""
    hints, fields = get_type_hints(build), [field for field in dataclasses.fields(build) if field.init]
    kinds = {field.name: hints[field.name] for field in fields}
    needed = {field.name for field in fields if field.default is dataclasses.MISSING}
    if patterns is not None and "load" in section.table:
        kinds = {"load": float} | {name: kind for name, kind in kinds.items() if name != "patterns"}
    asked = {name: kind for name, kind in kinds.items() if name in section.table or name in needed}
    grid = {name: section.values(name, _base(kind)) for name, kind in asked.items()}
    section.end()
    found = []
    for values in itertools.product(*grid.values()):
        chosen = dict(zip(grid, values, strict=True))
        if patterns is not None and "load" in chosen:
            chosen["patterns"] = _number(patterns, chosen)
            del chosen["load"]
        found.append(_named(section.name, build, chosen))
    return found


def _number(patterns: Callable[..., float], chosen: Mapping[str, Any]) -> int:
    """K at the load that was chosen."""
    try:
        return round(patterns(**chosen))
    except (OverflowError, ValueError):
        raise Refused(f"[network] load {chosen['load']:g} gives too many patterns, or none; choose another") from None


def _base(hint: Any) -> type:
    """int, float, bool or str of a hint, which may be optional or a list of texts."""
    kind = (get_args(hint) or (hint,))[0]
    return kind if isinstance(kind, type) else type(kind)


def _networks(section: Section, folder: Path, stored: Stored | None) -> list[Network]:
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


def _ensembles(section: Section, kind: str, folder: Path, stored: Stored | None) -> list[Ensemble | None]:
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


def _learning(section: Section, dilutions: list[float]) -> list[Ensemble | None]:
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


def _rules(section: Section) -> list[Dynamics]:
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


def _protocol(section: Section) -> Protocol:
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
    section = Section("refine", table)
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
