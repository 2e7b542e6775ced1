"""Replica theory: states of a law at a load and a temperature, and the boundaries between them."""

from .boundaries import Boundary, capacity, line, retrieval_curve
from .crosstalk import supports
from .fixed_point import NotConverged
from .replica_symmetric import Order, ReplicaSymmetric
from .solution import Solution, solve

__all__ = [
    "Boundary",
    "NotConverged",
    "Order",
    "ReplicaSymmetric",
    "Solution",
    "capacity",
    "line",
    "retrieval_curve",
    "solve",
    "supports",
]
