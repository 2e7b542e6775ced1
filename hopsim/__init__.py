"""Associative memory in statistical physics: networks, Monte Carlo motion and replica theory.

Define a law, quench its disorder, run a protocol, and hold the result against theory:

    network = hopfield(neurons=1000, load=0.05)
    record = simulate(Run(network, Glauber(temperature=0.3), Protocol(1.0, 100, 200), seed=1, sample=0))
    solution = theory.solve(network.law, load=network.load, temperature=0.3)

Networks of continuous neurons are in `continuous`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .version import __version__

if TYPE_CHECKING:
    from . import continuous, theory
    from .annealing import Annealing
    from .comparison import tabulate
    from .dynamics import Glauber, Metropolis, SignUpdate, Synchronous
    from .errors import Refused
    from .hdf5 import read_patterns
    from .interactions import Exponential, LogSumExp, Power, Quadratic, Rectified
    from .networks import Law, Network, Quenched, dense, exponential, hopfield, log_sum_exp, multitasking, rectified
    from .patterns import Biased, Diluted, Examples, Rademacher, Stored
    from .retrieval import Retrieved, retrieve
    from .scans import Scan
    from .simulation import Point, Protocol, Record, Run, simulate
    from .states import State
    from .store import Store
    from .tempering import Tempering, TemperingTrace

# Loaded on first use: compilers, solvers and file formats together would make every import wait.
_HOME = {
    "annealing": ("Annealing",),
    "comparison": ("tabulate",),
    "dynamics": ("Glauber", "Metropolis", "SignUpdate", "Synchronous"),
    "errors": ("Refused",),
    "interactions": ("Exponential", "LogSumExp", "Power", "Quadratic", "Rectified"),
    "networks": (
        "Law",
        "Network",
        "Quenched",
        "dense",
        "exponential",
        "hopfield",
        "log_sum_exp",
        "multitasking",
        "rectified",
    ),
    "patterns": ("Biased", "Diluted", "Examples", "Rademacher", "Stored"),
    "retrieval": ("Retrieved", "retrieve"),
    "scans": ("Scan",),
    "simulation": ("Point", "Protocol", "Record", "Run", "simulate"),
    "states": ("State",),
    "hdf5": ("read_patterns",),
    "store": ("Store",),
    "tempering": ("Tempering", "TemperingTrace"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Annealing",
    "Biased",
    "Diluted",
    "Examples",
    "Exponential",
    "Glauber",
    "Law",
    "LogSumExp",
    "Metropolis",
    "Network",
    "Point",
    "Power",
    "Protocol",
    "Quadratic",
    "Quenched",
    "Rademacher",
    "Record",
    "Rectified",
    "Refused",
    "Retrieved",
    "Run",
    "Scan",
    "SignUpdate",
    "State",
    "Store",
    "Stored",
    "Synchronous",
    "Tempering",
    "TemperingTrace",
    "__version__",
    "continuous",
    "dense",
    "exponential",
    "hopfield",
    "log_sum_exp",
    "multitasking",
    "read_patterns",
    "rectified",
    "retrieve",
    "simulate",
    "tabulate",
    "theory",
]


def __getattr__(name: str) -> object:
    if name in _MODULE_OF:
        return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    try:
        return import_module(f".{name}", __name__)
    except ModuleNotFoundError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted(__all__)
