"""The random numbers of some sweeps of one chain, named by keys, rule and sweep numbers, in the form asked for."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .kernels import counters
from .rng import Keys


@dataclass(frozen=True)
class Draws:
    """Sweeps first_sweep, ..., first_sweep + n_sweeps - 1 of N proposals each.

    rule is one of counters.SIGN, METROPOLIS, GLAUBER; scale is the temperature in units of the integer costs.
    """

    neurons: int
    keys: Keys
    order: str
    rule: int
    scale: np.float32
    first_sweep: int
    n_sweeps: int

    @cached_property
    def orders(self) -> NDArray[np.int32]:
        """int32[sweeps or 1, N]: the site of each proposal."""
        if self.order == "cyclic":
            return np.arange(self.neurons, dtype=np.int32)[None]
        orders = np.empty((self.n_sweeps, self.neurons), dtype=np.int32)
        fill = counters.fill_permutations if self.order == "permutation" else counters.fill_random_sites
        fill(orders, self.keys.order, self.first_sweep)
        return orders

    @cached_property
    def thresholds(self) -> NDArray[np.float32]:
        """float32[sweeps, N]: a proposal flips iff its cost is below its threshold."""
        thresholds = np.empty((self.n_sweeps, self.neurons), dtype=np.float32)
        counters.fill_thresholds(thresholds, self.keys.acceptance, self.first_sweep, self.rule, self.scale)
        return thresholds
