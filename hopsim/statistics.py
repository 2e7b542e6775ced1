"""Errors of averages: within a chain (autocorrelation, blocking) and over samples (standard error, jackknife)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]


class Average(NamedTuple):
    """A mean and its standard error (nan where one sample says nothing about it)."""

    value: float
    error: float


def autocorrelation_time(series: Series, window: float = 5.0) -> float:
    """Integrated autocorrelation time τ = 1/2 + Σ_t ρ(t), in steps; 1/2 for independent values.

    The sum stops at the first t ≥ window · τ(t) (Madras & Sokal, J. Stat. Phys. 50, 109 (1988)). A constant series has
    τ = 1/2. Estimates are good when the series is longer than about 50 τ.
    """
    deviation = series - series.mean()
    variance = float(deviation @ deviation)
    if variance <= 1e-24 * max(1.0, float(series @ series)):
        return 0.5
    spectrum = np.fft.rfft(deviation, 2 * series.size)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: series.size] / variance
    times = np.cumsum(correlation) - 0.5
    stop = np.flatnonzero(np.arange(series.size) >= window * times)
    return max(float(times[stop[0] if stop.size else -1]), 0.5)


def blocking(series: Series, least_blocks: int = 16) -> Average:
    """Mean of a correlated series and its error: the largest standard error over block lengths 1, 2, 4, ...

    Flyvbjerg & Petersen, J. Chem. Phys. 91, 461 (1989), with at least `least_blocks` blocks on the longest level.
    Equals the plain standard error for independent values, up to the noise of the estimate.
    """
    mean, errors, blocks = float(series.mean()), [], series
    while blocks.size >= max(2, least_blocks):
        errors.append(disorder_average(blocks).error)
        even = blocks[: blocks.size // 2 * 2]
        blocks = (even[0::2] + even[1::2]) / 2
    return Average(mean, max(errors) if errors else disorder_average(series).error)


def disorder_average(samples: Series) -> Average:
    """Mean over independent samples and its standard error."""
    if samples.size < 2:
        return Average(float(samples.mean()), float("nan"))
    return Average(float(samples.mean()), float(samples.std(ddof=1) / np.sqrt(samples.size)))


def jackknife(function: Callable[[Series], float], samples: Series) -> Average:
    """A function of sample means, f(samples[n, ...]), with the bias-corrected value and error of leaving one out.

    For f = mean it is `disorder_average`.
    """
    n = len(samples)
    whole = function(samples)
    left_out = np.array([function(np.delete(samples, k, axis=0)) for k in range(n)])
    error = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    return Average(float(n * whole - (n - 1) * left_out.mean()), float(error))
