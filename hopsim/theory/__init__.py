"""Replica theory: states of a law at a load and a temperature, and the boundaries between them."""

from .boundaries import Boundary, capacity, line, retrieval_curve
from .crosstalk import supports
from .fixed_point import NotConverged
from .grid import Grid, retrieval_grid
from .replica_symmetric import Order, ReplicaSymmetric
from .solution import Solution, solve
from .zero_entropy import ZeroEntropy, zero_entropy

__all__ = [
    "Boundary",
    "Grid",
    "NotConverged",
    "Order",
    "ReplicaSymmetric",
    "Solution",
    "ZeroEntropy",
    "capacity",
    "line",
    "retrieval_curve",
    "retrieval_grid",
    "solve",
    "supports",
    "zero_entropy",
]
