"""What the package says when it cannot do what it was asked, and the checks of plain numbers that say it."""

import math
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

LONGEST = 30  # digits that are shown


class Refused(ValueError):
    """The request was wrong: the message names the thing, what it was, what it must be and the way out.

    >>> hs.hopfield(neurons=1000, load=0.0001)
    Traceback (most recent call last):
        ...
    hopsim.errors.Refused: load 0.0001 gives no pattern at N = 1000; one pattern is load 0.001
    """


class Stopped(Exception):
    """The run was asked to stop before its end; what it had done is in its checkpoint, if it has one."""


def in_one_line(error: BaseException) -> str:
    """The first line of the message of an error, or its name."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def whole(name: str, value: object, least: int, most: int | None = None) -> int:
    """The value as an int; refused unless it is a whole number in the range. NumPy integers are, booleans are not."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise Refused(f"{name} must be an integer >= {least}, got {value!r}")
    number = int(value)
    if number < least or (most is not None and number > most):
        allowed = f">= {least}" if most is None else f"from {least} to {most}"
        digits = len(str(abs(number)))
        raise Refused(
            f"{name} must be an integer {allowed}, got {value!r}"
            if digits <= LONGEST
            else f"{name} must be an integer {allowed}, got a number of {digits} digits"
        )
    return number


def real(name: str, value: object) -> float:
    """The value as a float, -0.0 as 0.0; refused unless it is a finite number, so that equal runs have equal keys."""
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
        raise Refused(f"{name} must be a finite number, got {value!r}")
    return float(value) + 0.0


def numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """The values as an array of floats; refused unless they are real numbers of one shape."""
    try:
        found = np.asarray(values)
    except ValueError:
        raise Refused(f"{name} must be an array of numbers, got rows of different lengths") from None
    if found.dtype.kind not in "buif":
        raise Refused(f"{name} must be an array of real numbers, got {found.dtype}")
    return found.astype(np.float64, copy=False)
