"""Continuous networks: Lagrangians, two-layer and hierarchical memories, softmax retrieval, key-value memories."""

from .experiment import Experiment, Trial
from .kinds import KINDS, Kind

__all__ = ["KINDS", "Experiment", "Kind", "Trial"]
