"""Compiled CPU rendering.

A line touches about 230 of 8,192 points. Its profile comes from a table of the Gaussian at `_SUB`
offsets within one grid step, interpolated linearly between neighbouring offsets: two multiply-adds
a point and no exponential. The interpolation error is (step/_SUB)^2/(8 sigma^2) < 4e-7 of the line.
"""

from functools import lru_cache

import numba
import numpy as np
from numpy.typing import NDArray

from sgbench.diffraction._lines import LineList
from sgbench.diffraction._protocol import TAIL_SIGMAS, TAIL_WIDTHS, PatternProtocol
from sgbench.diffraction._pseudo_voigt import (
    GAUSSIAN_HEIGHT,
    LORENTZIAN_HEIGHT,
    SIGMA_OF_WIDTH,
    gaussian_area,
    pseudo_voigt,
)

_SUB = 64


@lru_cache(maxsize=8)
def _profile_table(step: float, sigma: float) -> NDArray[np.float32]:
    """Tabulate the profile, shape (_SUB + 1, width): row s is shifted by s/_SUB of a step."""
    half = int(np.ceil(TAIL_SIGMAS * sigma / step)) + 1
    points = np.arange(-half, half + 1) * step
    shifts = np.arange(_SUB + 1) / _SUB * step
    return np.exp(-0.5 * ((points[None, :] - shifts[:, None]) / sigma) ** 2).astype(np.float32)


def render_lines(
    lines: LineList, protocol: PatternProtocol, scaled: bool = True
) -> NDArray[np.float32]:
    """Render patterns, shape (n, n_points), each scaled to a maximum of 1 if asked."""
    patterns = np.zeros((len(lines), protocol.n_points), dtype=np.float32)
    if lines.profile is None:
        table = _profile_table(protocol.step, protocol.sigma)
        _render(
            lines.offsets, lines.two_theta, lines.intensity,
            protocol.two_theta_min, 1.0 / protocol.step, table, patterns,
        )  # fmt: skip
    else:
        _render_pseudo_voigt(
            lines.offsets, lines.two_theta, lines.intensity,
            *pseudo_voigt(lines.profile.gaussian, lines.profile.lorentzian),
            protocol.two_theta_min, protocol.step, gaussian_area(protocol.sigma), patterns,
        )  # fmt: skip
    if scaled:
        _normalise(patterns)
    return patterns


@numba.njit(cache=True, parallel=True)
def _render_pseudo_voigt(offsets, two_theta, intensity, width, eta, origin, step, unit, patterns):  # type: ignore[no-untyped-def]
    for i in numba.prange(patterns.shape[0]):
        row = patterns[i]
        for line in range(offsets[i], offsets[i + 1]):
            position, fwhm = (two_theta[line] - origin) / step, width[line] / step
            area = unit * intensity[line] / width[line]
            _add_gaussian(row, position, fwhm, area * (1 - eta[line]) * GAUSSIAN_HEIGHT)
            if eta[line] > 0:
                _add_lorentzian(row, position, fwhm, area * eta[line] * LORENTZIAN_HEIGHT)


# From point to point it goes by two products, its own ratio and that of the ratios.
@numba.njit(cache=True)
def _add_gaussian(row, position, fwhm, height):  # type: ignore[no-untyped-def]
    half = TAIL_SIGMAS * fwhm * SIGMA_OF_WIDTH
    start = max(int(np.ceil(position - half)), 0)
    stop = min(int(position + half) + 1, row.shape[0])
    rate = 4 * np.log(2) / fwhm**2
    from_centre = start - position
    value = height * np.exp(-rate * from_centre**2)
    ratio = np.exp(-rate * (2 * from_centre + 1))
    ratio_of_ratios = np.exp(-2 * rate)
    for point in range(start, stop):
        row[point] += np.float32(value)
        value *= ratio
        ratio *= ratio_of_ratios


# The loop is nine times as fast where a division by zero raises nothing and the counter is short.
@numba.njit(cache=True, error_model="numpy")
def _add_lorentzian(row, position, fwhm, height):  # type: ignore[no-untyped-def]
    half = TAIL_WIDTHS * fwhm
    start = max(int(np.ceil(position - half)), 0)
    stop = min(int(position + half) + 1, row.shape[0])
    height, rate, centre = np.float32(height), np.float32(2 / fwhm), np.float32(start - position)
    for k in range(stop - start):
        x = rate * (centre + np.float32(np.int32(k)))
        row[start + k] += height / (np.float32(1) + x * x)


# No fastmath here: with sums that may be reassociated, code fresh from the compiler and the same
# code from numba's cache differ in the last bit, and a resumed training from the unbroken one.
@numba.njit(cache=True, parallel=True)
def _render(offsets, two_theta, intensity, origin, per_degree, table, patterns):  # type: ignore[no-untyped-def]
    n_points = patterns.shape[1]
    width = table.shape[1]
    half = width // 2
    for i in numba.prange(patterns.shape[0]):
        row = patterns[i]
        for line in range(offsets[i], offsets[i + 1]):
            position = (two_theta[line] - origin) * per_degree
            below = np.floor(position)
            shift = (position - below) * _SUB
            sub = int(shift)
            weight = np.float32(shift - sub)
            height = np.float32(intensity[line])
            low, high = height * (np.float32(1) - weight), height * weight
            first = int(below) - half
            start, stop = max(first, 0), min(first + width, n_points)
            lower, upper = table[sub], table[sub + 1]
            for point in range(start, stop):
                row[point] += low * lower[point - first] + high * upper[point - first]


# A maximum and a division are exact in any order; not "arcp", which would leave the maximum off 1.
@numba.njit(cache=True, parallel=True, fastmath={"nnan", "nsz"})
def _normalise(patterns):  # type: ignore[no-untyped-def]
    for i in numba.prange(patterns.shape[0]):
        row = patterns[i]
        top = np.float32(0)
        for point in range(row.shape[0]):
            top = max(top, row[point])
        if top > 0:
            for point in range(row.shape[0]):
                row[point] /= top
