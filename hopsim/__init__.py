"""Associative memory in statistical physics: networks, Monte Carlo motion and replica theory.

Define a law, quench its disorder, run a protocol, and hold the result against theory:

    network = hopfield(neurons=1000, load=0.05)
    record = simulate(Run(network, Glauber(temperature=0.3), Protocol(1.0, 100, 200), seed=1, sample=0))
    solution = theory.solve(network.law, load=network.load, temperature=0.3)
"""

from . import theory
from .comparison import tabulate
from .dynamics import Glauber, Metropolis, SignUpdate, Synchronous
from .errors import Refused
from .interactions import Exponential, LogSumExp, Power, Quadratic, Rectified
from .networks import Law, Network, Quenched, dense, exponential, hopfield, log_sum_exp, multitasking, rectified
from .patterns import Biased, Diluted, Rademacher, Stored
from .scans import Scan
from .simulation import Point, Protocol, Record, Run, simulate
from .states import State
from .store import Store, read_patterns
from .version import __version__

__all__ = [
    "Biased",
    "Diluted",
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
    "Run",
    "Scan",
    "SignUpdate",
    "State",
    "Store",
    "Stored",
    "Synchronous",
    "__version__",
    "dense",
    "exponential",
    "hopfield",
    "log_sum_exp",
    "multitasking",
    "read_patterns",
    "rectified",
    "simulate",
    "tabulate",
    "theory",
]
