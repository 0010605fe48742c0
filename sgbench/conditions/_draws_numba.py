"""The compiled draws of `sgbench.conditions._draws`."""

import math

import numba
import numpy as np

from sgbench.conditions._draws import SMALL_MEAN
from sgbench.diffraction.philox_numba import philox_words


@numba.njit(cache=True, inline="always")
def _unit(word):  # type: ignore[no-untyped-def]
    return (np.float64(word) + 0.5) * 2.0**-32


@numba.njit(cache=True, parallel=True)
def count_points(patterns, per_unit, names, k0, k1):  # type: ignore[no-untyped-def]
    n_points = patterns.shape[1]
    for i in numba.prange(patterns.shape[0]):
        row, scale, n0, n1 = patterns[i], per_unit[i], names[i, 0], names[i, 1]
        if scale > 0:
            units = np.empty((4, (n_points + 1) // 2))
            numbers, settled = np.empty(n_points), np.empty(n_points, np.bool_)
            _fill(units, n0, n1, k0, k1)
            _propose(row, scale, units, numbers, settled)
            for point in range(n_points):
                if not settled[point]:
                    first = 2 * (point % 2)
                    u, v = units[first, point // 2], units[first + 1, point // 2]
                    mean = scale * row[point]
                    numbers[point] = _poisson(mean, u, v, point, n0, n1, k0, k1)
            for point in range(n_points):
                row[point] = numbers[point] / scale


# The next two are loops that compilers turn into instructions on several numbers at once, where a
# division by zero raises nothing.
@numba.njit(cache=True, error_model="numpy")
def _fill(units, n0, n1, k0, k1):  # type: ignore[no-untyped-def]
    """Draw four numbers in (0, 1) from the first block of each place, shape (4, n)."""
    zero, mask = np.uint64(0), np.uint64(0xFFFFFFFF)
    n0, n1, k0, k1 = n0 & mask, n1 & mask, k0 & mask, k1 & mask
    for place in range(units.shape[1]):
        w0, w1, w2, w3 = philox_words(np.uint64(place) & mask, zero, n0, n1, k0, k1)
        units[0, place], units[1, place] = _unit(w0), _unit(w1)
        units[2, place], units[3, place] = _unit(w2), _unit(w3)


@numba.njit(cache=True, error_model="numpy")
def _propose(row, scale, units, numbers, settled):  # type: ignore[no-untyped-def]
    """Make the first attempt at each point: the number, and whether it is accepted at once."""
    for parity in range(2):
        u, v = units[2 * parity], units[2 * parity + 1]
        for pair in range((row.shape[0] + 1 - parity) // 2):
            point = 2 * pair + parity
            mean = scale * row[point]
            number, us, _, squeeze = _proposed(mean, u[pair])
            numbers[point] = number
            settled[point] = (mean >= SMALL_MEAN) & (us >= 0.07) & (v[pair] <= squeeze)


@numba.njit(cache=True, inline="always", error_model="numpy")
def _proposed(mean, unit):  # type: ignore[no-untyped-def]
    """Return a number, how far the draw is from an edge, the hat's inverse height, the squeeze."""
    b = 0.931 + 2.53 * math.sqrt(max(mean, SMALL_MEAN))
    a = -0.059 + 0.02483 * b
    us = 0.5 - abs(unit - 0.5)
    number = np.floor((2 * a / us + b) * (unit - 0.5) + mean + 0.43)
    height = (1.1239 + 1.1328 / (b - 3.4)) / (a / (us * us) + b)
    return number, us, height, 0.9277 - 3.6224 / (b - 2)


@numba.njit(cache=True, error_model="numpy")
def _poisson(mean, u, v, point, n0, n1, k0, k1):  # type: ignore[no-untyped-def]
    if not mean > 0:
        return 0.0
    if mean < SMALL_MEAN:
        chance, number = math.exp(-mean), 0.0
        reached = chance
        while u > reached:
            number += 1.0
            chance *= mean / number
            reached += chance
        return number
    attempt = 0
    while True:
        number, us, height, squeeze = _proposed(mean, u)
        if us >= 0.07 and v <= squeeze:
            return number
        if number >= 0 and (us >= 0.013 or v <= us):
            exponent = number * math.log(mean) - mean - math.lgamma(number + 1)
            if math.log(v * height) <= exponent:
                return number
        attempt += 1
        words = philox_words(np.uint64(point // 2), np.uint64(attempt), n0, n1, k0, k1)
        first, second = (words[2], words[3]) if point % 2 else (words[0], words[1])
        u, v = _unit(first), _unit(second)


@numba.njit(cache=True, parallel=True)
def add_normal_to_points(patterns, sigma, names, k0, k1):  # type: ignore[no-untyped-def]
    n_points = patterns.shape[1]
    for i in numba.prange(patterns.shape[0]):
        row = patterns[i]
        units = np.empty((4, (n_points + 3) // 4))
        _fill(units, names[i, 0], names[i, 1], k0, k1)
        for pair in range((n_points + 1) // 2):
            first = 2 * (pair % 2)
            radius = sigma[i] * math.sqrt(-2 * math.log(units[first, pair // 2]))
            angle = 2 * math.pi * units[first + 1, pair // 2]
            row[2 * pair] += radius * math.cos(angle)
            if 2 * pair + 1 < n_points:
                row[2 * pair + 1] += radius * math.sin(angle)
