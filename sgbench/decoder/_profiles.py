"""Kernels of the whole-pattern fit: doublets of pseudo-Voigt lines over points at any angles.

A line has unit area. Near its centre it is computed at every point that it reaches; the values of
all lines lie one after the other in flat arrays, those of line i at ``offset[i]:offset[i + 1]``,
for the points from ``start[i]`` on. Farther out the Lorentzian part alone is left, which is weak
and smooth; `far_tails` adds it up with intensities that are known already.
"""

import numba
import numpy as np

_LOG_2 = np.log(2.0)
_GAUSSIAN = 2.0 * np.sqrt(_LOG_2 / np.pi)
_LORENTZIAN = 2.0 / np.pi


@numba.njit(cache=True)
def windows(two_theta, first, second, reach):  # type: ignore[no-untyped-def]
    """Return where each line's points begin, and where its values do in flat arrays."""
    n = len(first)
    start, stop = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        high = second[i] if second[i] > first[i] else first[i]
        start[i] = np.searchsorted(two_theta, first[i] - reach[i])
        stop[i] = max(np.searchsorted(two_theta, high + reach[i]), start[i])
    # Bands need windows that follow each other.
    for i in range(1, n):
        stop[i] = max(stop[i], stop[i - 1])
    for i in range(n - 2, -1, -1):
        start[i] = min(start[i], start[i + 1])
    offset = np.zeros(n + 1, np.int64)
    offset[1:] = np.cumsum(stop - start)
    return start, offset


@numba.njit(cache=True, error_model="numpy")
def profiles(two_theta, first, second, ratio, width, eta, start, offset):  # type: ignore[no-untyped-def]
    """Return values of all lines, and their derivatives by centre, full width and share."""
    size = offset[-1]
    value, by_centre = np.empty(size), np.empty(size)
    by_width, by_share = np.empty(size), np.empty(size)
    for i in range(len(first)):
        w, share = width[i], eta[i]
        for place in range(offset[i], offset[i + 1]):
            angle = two_theta[start[i] + place - offset[i]]
            total, centre, wide, mixed = 0.0, 0.0, 0.0, 0.0
            for part in range(2):
                factor = 1.0 if part == 0 else ratio
                if factor == 0.0:
                    continue
                u = (angle - (first[i] if part == 0 else second[i])) / w
                square = u * u
                bottom = 1.0 / (1.0 + 4.0 * square)
                l = _LORENTZIAN / w * bottom  # noqa: E741
                g = _GAUSSIAN / w * np.exp(-4.0 * _LOG_2 * square) if square < 9.0 else 0.0
                total += factor * (share * l + (1.0 - share) * g)
                slope = share * l * 8.0 * bottom + (1.0 - share) * g * 8.0 * _LOG_2
                centre += factor * slope * u / w
                wide += factor * (slope * square - share * l - (1.0 - share) * g) / w
                mixed += factor * (l - g)
            value[place], by_centre[place] = total, centre
            by_width[place], by_share[place] = wide, mixed
    return value, by_centre, by_width, by_share


@numba.njit(cache=True)
def far_tails(two_theta, first, second, ratio, width, eta, intensity, start, offset, reach):  # type: ignore[no-untyped-def]
    """Return what lines add beyond their windows, up to so many degrees from their centres."""
    total = np.zeros(len(two_theta))
    n_points = len(two_theta)
    for i in range(len(first)):
        strength = intensity[i] * eta[i] * width[i] / (2.0 * np.pi)
        if strength == 0.0:
            continue
        begin, end = start[i], start[i] + offset[i + 1] - offset[i]
        low = np.searchsorted(two_theta, first[i] - reach[i])
        high = np.searchsorted(two_theta, first[i] + reach[i])
        for point in range(low, min(begin, n_points)):
            d = two_theta[point] - first[i]
            total[point] += strength / (d * d + 0.25 * width[i] ** 2)
            if ratio > 0.0:
                d = two_theta[point] - second[i]
                total[point] += ratio * strength / (d * d + 0.25 * width[i] ** 2)
        for point in range(max(end, low), high):
            d = two_theta[point] - first[i]
            total[point] += strength / (d * d + 0.25 * width[i] ** 2)
            if ratio > 0.0:
                d = two_theta[point] - second[i]
                total[point] += ratio * strength / (d * d + 0.25 * width[i] ** 2)
    return total


@numba.njit(cache=True, fastmath=True)
def normal_equations(start, offset, value, weight, pattern):  # type: ignore[no-untyped-def]
    """Return first coupled lines, weighted products of profiles, and those with the pattern.

    Entry (i, j - first[i]) is for lines j = first[i], …, i.
    """
    n = len(start)
    first = np.empty(n, np.int64)
    low, widest = 0, 1
    for i in range(n):
        while low < i and start[low] + offset[low + 1] - offset[low] <= start[i]:
            low += 1
        first[i] = low
        widest = max(widest, i - low + 1)
    normal = np.zeros((n, widest))
    right = np.zeros(n)
    longest = 1
    for i in range(n):
        longest = max(longest, offset[i + 1] - offset[i])
    weighted = np.empty(longest)
    for i in range(n):
        begin, size = start[i], offset[i + 1] - offset[i]
        total = 0.0
        for p in range(size):
            weighted[p] = value[offset[i] + p] * weight[begin + p]
            total += weighted[p] * pattern[begin + p]
        right[i] = total
        for j in range(first[i], i + 1):
            shared = start[j] + offset[j + 1] - offset[j] - begin
            shift = offset[j] + begin - start[j]
            total = 0.0
            for p in range(min(shared, size)):
                total += weighted[p] * value[shift + p]
            normal[i, j - first[i]] = total
    return first, normal, right


@numba.njit(cache=True, fastmath=True)
def products(start, offset, value, columns):  # type: ignore[no-untyped-def]
    """Return the products of all lines with columns of shape (n_points, m)."""
    n, m = len(start), columns.shape[1]
    result = np.zeros((n, m))
    for i in range(n):
        for p in range(offset[i + 1] - offset[i]):
            factor = value[offset[i] + p]
            for s in range(m):
                result[i, s] += factor * columns[start[i] + p, s]
    return result


@numba.njit(cache=True)
def summed(start, offset, value, intensity, n_points):  # type: ignore[no-untyped-def]
    """Return the sum of lines of given intensities."""
    total = np.zeros(n_points)
    for i in range(len(start)):
        for p in range(offset[i + 1] - offset[i]):
            total[start[i] + p] += intensity[i] * value[offset[i] + p]
    return total


@numba.njit(cache=True)
def moved(start, offset, slope, weights, n_points):  # type: ignore[no-untyped-def]
    """Return the pattern's derivatives, shape (n_points, p), by parameters with these weights."""
    m = weights.shape[1]
    total = np.zeros((n_points, m))
    for i in range(len(start)):
        for p in range(offset[i + 1] - offset[i]):
            factor = slope[offset[i] + p]
            for s in range(m):
                total[start[i] + p, s] += weights[i, s] * factor
    return total


@numba.njit(cache=True)
def half_solved_columns(factor, lead, right):  # type: ignore[no-untyped-def]
    """Return the product of the inverse of a banded factor with columns, shape (n, m)."""
    n, m = right.shape
    x = right.copy()
    for i in range(n):
        for j in range(lead[i], i):
            f = factor[i, j - lead[i]]
            for s in range(m):
                x[i, s] -= f * x[j, s]
        inverse = 1.0 / factor[i, i - lead[i]]
        for s in range(m):
            x[i, s] *= inverse
    return x
