"""Compiled loops: arrays and numbers only, nothing of the rest of the package.

A kernel and what it calls stay in one file: Numba's disk cache does not see edits in other files.
"""
