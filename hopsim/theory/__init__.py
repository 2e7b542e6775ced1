"""Replica theory: states of a law at a load and a temperature, and the boundaries between them."""

from . import examples
from .boundaries import Boundary, capacity, line, retrieval_curve
from .diluted import DilutedSymmetric, supports
from .dilution_phases import DilutionBoundary, LowLoadPhases, dilution_line, low_load_phases
from .finite_patterns import State, critical_dilution, low_load, stable_states
from .fixed_point import NotConverged
from .grid import Grid, retrieval_grid
from .k_step import KStep, StepOrder
from .one_step import OneStep
from .parisi_limit import Parisi, at_overlap, parisi
from .phases import PhaseDiagram, phase_diagram
from .relaxation import relaxed
from .replica_symmetric import Order, ReplicaSymmetric
from .solution import Solution, solve
from .zero_entropy import ZeroEntropy, zero_entropy

__all__ = [
    "Boundary",
    "DilutedSymmetric",
    "DilutionBoundary",
    "Grid",
    "KStep",
    "LowLoadPhases",
    "NotConverged",
    "OneStep",
    "Order",
    "Parisi",
    "PhaseDiagram",
    "ReplicaSymmetric",
    "Solution",
    "State",
    "StepOrder",
    "ZeroEntropy",
    "at_overlap",
    "capacity",
    "critical_dilution",
    "dilution_line",
    "examples",
    "line",
    "low_load",
    "low_load_phases",
    "parisi",
    "phase_diagram",
    "relaxed",
    "retrieval_curve",
    "retrieval_grid",
    "solve",
    "stable_states",
    "supports",
    "zero_entropy",
]
