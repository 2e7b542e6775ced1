"""Compiled loops: arrays and numbers only, nothing of the rest of the package.

Numba's disk cache does not see an edit in a file that a kernel calls into: delete __pycache__ here after one.
"""
