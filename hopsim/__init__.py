"""Associative memory in statistical physics: networks, Monte Carlo motion and replica theory."""

__version__ = "0.1.0"
