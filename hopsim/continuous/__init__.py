"""Continuous networks: Lagrangians, two-layer and hierarchical memories, softmax retrieval, key-value memories.

Modules: lagrangians; two_layer, flows (models A, B, C in time); softmax, fixed_points, bounds, lookup (modern Hopfield
retrieval), estimators (with scikit-learn); synapses, hierarchical, gradients, training; key_value, plasticity,
forgetting. An `Experiment` is one of the networks in KINDS with its dynamics and protocol, as a point of a scan.
"""

from .experiment import Experiment, Trial
from .kinds import KINDS, Kind

__all__ = ["KINDS", "Experiment", "Kind", "Trial"]
