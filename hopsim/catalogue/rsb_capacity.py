"""Capacity of the classical network near T = 0 with k steps of replica symmetry breaking, and its reentrance.

Steffan & Kühn, "Replica symmetry breaking in attractor neural network models" (1994): breaking replica symmetry raises
the capacity at T = 0 from 0.137905 only to 0.138186 with one step and 0.138187 with two; these values still lie within
the reentrant phase, where retrieval is lost on cooling, and the reentrance is conjectured to end with infinitely many.

Drawn: the load at which retrieval ends against T with k = 0, 1, 2 steps, the line where replica symmetry of retrieval
breaks, and at T = 0 what is missing to the limit of infinitely many steps (α_k - c/(k + s)^4 through the last three k)
together with the reentrance, the largest capacity at any T less that at T = 0.

Compared: the three capacities within 1e-6, because the paper cuts or rounds digits; the one with TWO STEPS DIFFERS.
Ours is 0.138196. At load 0.13819, beyond the printed 0.138187, the two-step equations have a solution, and so has a
free energy that the tests of the package write a second time. We found no reading of the equations that gives 0.138187
and so leave the difference to be seen; three and more steps confirm ours, as they lie above it and converge. Then: the
reentrance at least so that capacities at T = 0 with none, one and two steps lie within it (the largest load of the
same line is larger); and, for the conjecture, every step leaves less than a fifth of the reentrance.

Deviates: in quick form fewer temperatures and k up to 4 in place of 5.
"""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .. import networks, theory
from ..columns import Columns, stacked
from ..figures import style
from ..theory.fixed_point import root
from .entry import Comparison, Reproduction
from .workshop import Workshop
