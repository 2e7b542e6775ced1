"""`hopsim theory point | capacity | line | diagram`: replica theory without simulation."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from .. import networks, tables, theory
from ..errors import Refused
from ..networks import Law
from ..patterns import Examples
from .arguments import DONE, FAILED, Parser, add

SHOWN = 20  # states at low load, the lowest, unless --json asks for all


def add_to(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the commands."""
    parser = commands.add_parser("theory", help="replica theory without simulation", description="Replica theory.")
    kinds = parser.add_subparsers(required=True, metavar="WHAT", parser_class=Parser)

    example = "example:\n  hopsim theory point --network hopfield --load 0.05 --temperature 0.2 --ansatz rs --json"
    point = add(kinds, "point", _point, "order parameters and free energy of one state", example)
    point.add_argument("--load", type=float, metavar="A")
    point.add_argument("--temperature", type=float, required=True, metavar="T")
    point.add_argument("--retrieved", type=int, default=1, metavar="N", help="archetypes at once, with --examples")
    point.add_argument("--branch", choices=("retrieval", "glass", "paramagnet"), default="retrieval")

    example = "example:\n  hopsim theory capacity --network dense --degree 3 --indices all --temperature 0 --ansatz rs"
    capacity = add(kinds, "capacity", _capacity, "the largest load with a retrieval state", example)
    capacity.add_argument("--temperature", type=float, required=True, metavar="T")

    example = "example:\n  hopsim theory line --network hopfield --line spinodal --temperatures 0 0.2 0.4 --ansatz rs"
    line = add(kinds, "line", _line, "a line of the phase diagram, a load for each temperature", example)
    line.add_argument("--line", choices=theory.OneStep.lines, required=True)
    line.add_argument("--temperatures", type=float, nargs="+", required=True, metavar="T")

    example = (
        "example:\n  hopsim theory diagram --network dense --degree 3 --indices distinct --ansatz 1rsb --out p3.png"
    )
    what = "every line of the plane of load and temperature, with the names of the phases"
    diagram = add(kinds, "diagram", _diagram, what, example)
    diagram.add_argument("--out", type=Path, required=True, metavar="FIGURE", help=".png, .pdf or .svg")

    for one in (point, line, diagram):
        one.add_argument("--patterns", type=int, metavar="K", help="multitasking at low load, in place of a load")
    capacity.set_defaults(patterns=None)
    for one in (point, capacity, line):
        one.add_argument("--quality", type=float, metavar="R", help="learn from examples that agree by (1+R)/2")
        one.add_argument("--examples", type=int, metavar="M", help="so many of each pattern")
        one.add_argument("--learning", choices=("supervised", "unsupervised"), help="from their averages or one by one")
    diagram.set_defaults(quality=None, examples=None, learning=None)
    for one in (point, capacity, line, diagram):
        one.add_argument("--network", choices=("hopfield", "dense", "rectified", "multitasking"), required=True)
        one.add_argument("--degree", type=int, metavar="P", help="dense and rectified")
        one.add_argument("--dilution", type=float, metavar="D", help="multitasking")
        one.add_argument("--indices", choices=("distinct", "all"), help="dense only")
        one.add_argument(
            "--ansatz", choices=("rs", "1rsb"), default="rs", help="replica symmetry, or one step of breaking"
        )
        one.add_argument("--mixture", type=int, default=1, metavar="N", help="patterns retrieved at once, odd: rs only")
        one.add_argument("--json", action="store_true")


def _point(chosen: argparse.Namespace) -> int:
    if _at_low_load(chosen):
        return _low_load_point(chosen)
    if _learned(chosen) is not None:
        return _learned_point(chosen)
    if chosen.load is None:
        raise Refused("a point needs --load A, or --patterns K with --network multitasking")
    solution = theory.solve(
        _law(chosen),
        load=chosen.load,
        temperature=chosen.temperature,
        ansatz=_ansatz(chosen),
        branch=chosen.branch,
    )
    order = {name: value for name, value in _fields(solution.order).items() if value is not None}
    found = {**order, "free_energy": solution.free_energy, "energy": solution.energy}
    found |= {"entropy": solution.entropy, "stability": solution.stability}
    _print(found | {"converged": solution.converged, "residual": solution.residual}, chosen.json)
    return DONE


def _capacity(chosen: argparse.Namespace) -> int:
    if _learned(chosen) is not None:
        boundary = theory.examples.capacity(_law(chosen), temperature=chosen.temperature)
    else:
        boundary = theory.capacity(_law(chosen), temperature=chosen.temperature, ansatz=_ansatz(chosen))
    found = _fields(boundary)
    del found["temperature"]
    _print(found, chosen.json)
    return DONE if boundary.converged else FAILED


def _line(chosen: argparse.Namespace) -> int:
    if _at_low_load(chosen):
        asked = {"patterns": chosen.patterns, "line": chosen.line, "temperatures": chosen.temperatures}
        rows = [_fields(boundary) for boundary in theory.dilution_line(**asked)]
    elif _learned(chosen) is not None:
        learned = theory.examples.line(_law(chosen), line=chosen.line, temperatures=chosen.temperatures)
        rows = [_fields(boundary) for boundary in learned]
    else:
        found = theory.line(_law(chosen), line=chosen.line, temperatures=chosen.temperatures, ansatz=_ansatz(chosen))
        rows = [_fields(boundary) for boundary in found]
    if chosen.json:
        print(json.dumps(rows))
    else:
        print(tables.aligned(list(rows[0]), [list(row.values()) for row in rows]))
    return DONE


def _diagram(chosen: argparse.Namespace) -> int:
    from ..figures import dilution_phases, phase_diagram, style

    style.check_suffix(chosen.out)
    if _at_low_load(chosen):
        style.save(dilution_phases.draw(dilution_phases.collect(patterns=chosen.patterns)), chosen.out)
        _print({"figure": str(chosen.out)}, chosen.json)
        return DONE
    law = _law(chosen)
    diagram = theory.phase_diagram(law, ansatz=_ansatz(chosen))
    style.save(phase_diagram.draw(phase_diagram.collect(law, diagram, chosen.ansatz.upper())), chosen.out)
    lines = {name: [_fields(point) for point in points] for name, points in diagram.lines.items()}
    if chosen.json:
        print(json.dumps({"ansatz": chosen.ansatz, "lines": lines, "figure": str(chosen.out)}))
    else:
        rows = [
            [name, *(shown[key] for key in ("temperature", "load", "m"))] for name in lines for shown in lines[name]
        ]
        print(tables.aligned(["line", "temperature", "load", "m"], rows))
        print(f"{chosen.out}: the figure")
    return DONE


def _at_low_load(chosen: argparse.Namespace) -> bool:
    """Whether the number of patterns is given in place of the load."""
    if chosen.patterns is None:
        return False
    if chosen.network != "multitasking" or getattr(chosen, "load", None) is not None or _learned(chosen) is not None:
        raise Refused("--patterns K is for --network multitasking at low load, in place of --load and --examples")
    _refuse_degree(chosen)
    if chosen.ansatz != "rs" or chosen.mixture != 1 or getattr(chosen, "branch", "retrieval") != "retrieval":
        raise Refused("--patterns K is about every state: leave out --ansatz, --mixture and --branch")
    if not hasattr(chosen, "temperature") and chosen.dilution is not None:
        raise Refused("with --patterns K lines are in the plane of dilution and temperature: leave out --dilution")
    return True


def _refuse_degree(chosen: argparse.Namespace) -> None:
    if chosen.degree is not None or chosen.indices is not None:
        raise Refused(f"--degree and --indices are for --network dense and rectified; {chosen.network} is degree 2")


def _low_load_point(chosen: argparse.Namespace) -> int:
    if chosen.dilution is None:
        raise Refused("--network multitasking needs --dilution D")
    asked = {"patterns": chosen.patterns, "dilution": chosen.dilution, "temperature": chosen.temperature}
    try:
        states = theory.low_load(**asked)
    except theory.NotConverged:
        states = theory.stable_states(**asked)
        print("hopsim: stable states that a search found: all states could not be listed", file=sys.stderr)
    rows: list[dict[str, Any]] = [_fields(state) | {"stable": state.stable} for state in states]
    if chosen.json:
        print(json.dumps({"m": rows[0]["overlaps"], "free_energy": rows[0]["free_energy"], "states": rows}))
        return DONE
    for row in rows[:SHOWN]:
        row["overlaps"] = " ".join(tables.shown(m) for m in row["overlaps"])
    print(tables.aligned(list(rows[0]), [list(row.values()) for row in rows[:SHOWN]]))
    if len(states) > SHOWN:
        stable = sum(state.stable for state in states)
        print(f"the lowest {SHOWN} of {len(states)} states, of which {stable} are stable; --json gives all")
    return DONE


def _learned_point(chosen: argparse.Namespace) -> int:
    load = 0.0 if chosen.load is None else chosen.load
    asked = {"load": load, "temperature": chosen.temperature, "branch": chosen.branch, "retrieved": chosen.retrieved}
    solution = theory.examples.solve(_law(chosen), **asked)
    order = _fields(solution.order)
    if chosen.retrieved == 1:
        order |= {"m": solution.order.m[0], "n": solution.order.n[0]}
    found = {name: value for name, value in _fields(solution).items() if name not in ("load", "temperature", "order")}
    rho = theory.examples.dataset_entropy(chosen.quality, chosen.examples)
    _print(order | found | {"dataset_entropy": rho}, chosen.json)
    for name, cause in (
        ("alone", "another archetype joins; try a larger --retrieved"),
        ("symmetry", "the examples of an archetype overlap unequally"),
    ):
        value = getattr(solution, name)
        if value is not None and value < 0:
            print(f"hopsim: this state is unstable ({name} < 0): {cause}", file=sys.stderr)
    return DONE


def _learned(chosen: argparse.Namespace) -> Examples | None:
    """The examples that a network learns from; None if it stores patterns."""
    given = {"--quality R": chosen.quality, "--examples M": chosen.examples, "--learning HOW": chosen.learning}
    missing = [name for name, value in given.items() if value is None]
    if len(missing) == len(given):
        return None
    if missing:
        raise Refused(f"learning from examples needs {', '.join(given)}; missing: {', '.join(missing)}")
    if chosen.ansatz != "rs" or chosen.mixture != 1:
        raise Refused("learning from examples has --ansatz rs and --mixture 1 only; leave them out")
    return Examples(chosen.quality, chosen.examples, chosen.learning)


def _law(chosen: argparse.Namespace) -> Law:
    learned = _learned(chosen)
    if chosen.network == "multitasking":
        if chosen.dilution is None:
            raise Refused("--network multitasking needs --dilution D")
        _refuse_degree(chosen)
        return networks.multitasking(neurons=2, patterns=1, dilution=chosen.dilution, ensemble=learned).law
    if chosen.dilution is not None:
        raise Refused(f"--dilution is for --network multitasking, got --network {chosen.network}")
    if chosen.network == "hopfield":
        _refuse_degree(chosen)
        return networks.hopfield(neurons=2, patterns=1, ensemble=learned).law
    if chosen.degree is None:
        needs = "--degree P and --indices distinct|all" if chosen.network == "dense" else "--degree P"
        raise Refused(f"--network {chosen.network} needs {needs}")
    if chosen.network == "rectified":
        if chosen.indices is not None:
            raise Refused("--indices is for --network dense; rectified keeps all indices")
        return networks.rectified(neurons=2, patterns=1, degree=chosen.degree, ensemble=learned).law
    if chosen.indices is None and chosen.degree != 2:
        raise Refused("--network dense needs --degree P and --indices distinct|all")
    return networks.dense(
        neurons=2, patterns=1, degree=chosen.degree, indices=chosen.indices or "distinct", ensemble=learned
    ).law


def _ansatz(chosen: argparse.Namespace) -> theory.ReplicaSymmetric | theory.OneStep:
    if chosen.ansatz == "rs":
        return theory.ReplicaSymmetric(patterns=chosen.mixture)
    if chosen.mixture != 1:
        raise Refused(f"--mixture {chosen.mixture} needs --ansatz rs, got 1rsb")
    return theory.OneStep()


def _fields(thing: Any) -> dict[str, object]:
    """Fields of a frozen record by name, those that are None kept."""
    return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}


def _print(found: dict[str, object], as_json: bool) -> None:
    print(json.dumps(found) if as_json else "\n".join(f"{n:12s} {tables.shown(v)}" for n, v in found.items()))
