"""Arrays that start on a cache line, which vector loads then never cross needlessly."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def aligned(size: int, kind: Any) -> NDArray[Any]:
    """Zeros that start on a cache line: a row of couplings then crosses no line it need not."""
    width = np.dtype(kind).itemsize
    raw = np.zeros(size * width + 64, dtype=np.uint8)
    first = -raw.ctypes.data % 64
    return raw[first : first + size * width].view(kind)
