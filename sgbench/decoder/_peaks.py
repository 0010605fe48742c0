"""Peaks whose position can be trusted: local maxima that are shaped like a single line.

The logarithm of a Gaussian is a parabola of known curvature. Taking that parabola out of the
logarithm of a peak leaves a straight line where the peak is a single line; its slope gives the
position, far below the grid's step, and what scatters around it is due to blends and noise. The
tails of neighbouring peaks are taken out first, with what is known of those.
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from sgbench.diffraction import PatternProtocol

# The part of a profile, in standard deviations to each side, that is looked at.
_REACH = 0.8
# How often each line is fitted, and how far its profile reaches into others.
_PASSES = 12
_TAIL = 6.0
# Largest scatter of the straightened logarithm. Two equal lines half a width apart have 0.006.
_MOST_SCATTER = 5e-3
# Two lines d apart scatter as (d/sigma)^2, so what scatters by s may be off by some sqrt(s) widths.
_OFF_BY = 3.5
# Heights below this many standard deviations of the noise are no peaks.
_SIGNIFICANT = 8.0
# Above this many times the noise that is expected, peaks are looked for in the smoothed pattern.
_NOISY = 10.0


@dataclass(frozen=True)
class Peaks:
    """Clear peaks of one pattern, ascending.

    Attributes
    ----------
    q, tolerance : ndarray of float64, shape (n,)
        1/d^2 and how far it may be off, 1/ångström^2.
    height : ndarray of float64, shape (n,)
        In units of the pattern.
    """

    q: NDArray[np.float64]
    tolerance: NDArray[np.float64]
    height: NDArray[np.float64]


def noise_level(pattern: NDArray[np.float64]) -> float:
    """Return the standard deviation of a pattern's noise, from its fourth differences.

    Profiles are smooth over five points, so that differences of this order hardly see them.
    """
    differences = np.diff(pattern, n=4) / np.sqrt(70.0)
    return float(np.median(np.abs(differences)) / 0.6745)


def find_peaks(pattern: NDArray[np.float64], protocol: PatternProtocol, noise: float) -> Peaks:
    """Find the clear peaks of a pattern.

    Parameters
    ----------
    pattern : ndarray of float64, shape (n_points,)
    protocol : PatternProtocol
    noise : float
        Standard deviation of the noise that is expected, in units of the pattern.
    """
    sigma, level = protocol.sigma, noise_level(pattern)
    if level > _NOISY * noise:
        # The matched filter: what it does to a Gaussian is to widen it.
        half = int(np.ceil(4 * sigma / protocol.step))
        kernel = np.exp(-0.5 * (np.arange(-half, half + 1) * protocol.step / sigma) ** 2)
        kernel /= kernel.sum()
        pattern = np.convolve(pattern, kernel, mode="same")
        level *= float(np.sqrt(np.sum(kernel**2)))
        sigma *= np.sqrt(2.0)
    width = sigma / protocol.step
    reach = max(int(_REACH * width), 2)
    maxima = _maxima(pattern, _SIGNIFICANT * max(level, noise), reach)
    position, height, scatter = _single_lines(pattern, maxima, width, reach)
    clear = scatter < _MOST_SCATTER
    position, height, scatter = position[clear], height[clear], scatter[clear]
    theta = np.radians(protocol.two_theta_min + protocol.step * position) / 2
    # d(1/d^2)/d(two_theta), per degree
    slope = 2 * np.sin(2 * theta) / protocol.wavelength**2 * np.radians(1.0)
    tolerance = slope * sigma * _OFF_BY * np.sqrt(scatter)
    return Peaks((2 * np.sin(theta) / protocol.wavelength) ** 2, tolerance, height)


@numba.njit(cache=True)
def _maxima(pattern, threshold, margin):  # type: ignore[no-untyped-def]
    """Return the places of local maxima above a threshold."""
    found = np.empty(len(pattern), np.int64)
    count = 0
    for top in range(margin, len(pattern) - margin):
        height = pattern[top]
        if height >= threshold and pattern[top - 1] <= height and pattern[top + 1] < height:
            found[count] = top
            count += 1
    return found[:count]


@numba.njit(cache=True)
def _single_lines(pattern, maxima, width, reach):  # type: ignore[no-untyped-def]
    """Fit a Gaussian to each maximum, less those of the others in turn.

    Returns positions (in grid steps), heights, and the scatter of the straightened logarithm.
    """
    n = len(maxima)
    position = maxima.astype(np.float64)
    height = pattern[maxima]
    scatter = np.full(n, np.inf)
    squares = reach * (reach + 1) * (2 * reach + 1) / 3.0
    straight = np.empty(2 * reach + 1)
    for _ in range(_PASSES):
        for i in range(n):
            top = maxima[i]
            mean, slope = 0.0, 0.0
            scatter[i] = np.inf
            for j in range(-reach, reach + 1):
                value = pattern[top + j]
                for step in (-1, 1):
                    other = i + step
                    while 0 <= other < n and abs(position[other] - top - j) < _TAIL * width:
                        off = (top + j - position[other]) / width
                        value -= height[other] * np.exp(-0.5 * off * off)
                        other += step
                if value <= 0.0:
                    break
                straight[j + reach] = np.log(value) + 0.5 * (j / width) ** 2
                mean += straight[j + reach]
                slope += j * straight[j + reach]
            else:
                mean /= 2 * reach + 1
                slope /= squares
                shift = slope * width**2
                if abs(shift) > reach:
                    continue
                position[i] = top + shift
                height[i] = np.exp(mean + 0.5 * (shift / width) ** 2)
                total = 0.0
                for j in range(-reach, reach + 1):
                    total += (straight[j + reach] - mean - slope * j) ** 2
                scatter[i] = np.sqrt(total / (2 * reach - 1))
    return position, height, scatter
