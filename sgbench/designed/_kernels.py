"""The compiled part: positions of lines, their random intensities, and what they share.

It is imported by what computes: numba takes half a second to import, and listings need none.
"""

import numba
import numpy as np

from sgbench.diffraction.philox_numba import philox_words


@numba.njit(cache=True, nogil=True)
def positions(classes, metrics, kept_offsets, kept, coefficients, wavelength, lowest, highest):  # type: ignore[no-untyped-def]
    """Return offsets, table row, two_theta and Lorentz factor of each (class, cell)'s lines."""
    capacity = 0
    for pair in range(len(classes)):
        capacity += kept_offsets[classes[pair] + 1] - kept_offsets[classes[pair]]
    line = np.empty(capacity, np.int64)
    two_theta = np.empty(capacity, np.float64)
    lorentz = np.empty(capacity, np.float64)
    offsets = np.zeros(len(classes) + 1, np.int64)
    count = 0
    for pair in range(len(classes)):
        for place in range(kept_offsets[classes[pair]], kept_offsets[classes[pair] + 1]):
            row = kept[place]
            q = 0.0
            for parameter in range(metrics.shape[1]):
                q += coefficients[row, parameter] * metrics[pair, parameter]
            if lowest <= q <= highest:
                sine = 0.5 * wavelength * np.sqrt(q)
                angle = 2 * np.arcsin(sine)
                line[count] = row
                two_theta[count] = np.degrees(angle)
                lorentz[count] = 1.0 / (np.sin(angle) * sine)
                count += 1
        offsets[pair + 1] = count
    return offsets, line[:count], two_theta[:count], lorentz[:count]


# B of a pattern comes from the line that no crystal has, hkl = 000.
_NO_LINE = 0


@numba.njit(cache=True, parallel=True)
def intensities(  # type: ignore[no-untyped-def]
    pair_of, pair_offsets, line, two_theta, lorentz, keys, spacegroup, cell_index, pattern, k0, k1,
    half_shapes, first_group, wilson, multiplicity, largest_b, amplitude,
):  # fmt: skip
    n = len(pair_of)
    offsets = np.zeros(n + 1, np.int64)
    for i in range(n):
        offsets[i + 1] = offsets[i] + pair_offsets[pair_of[i] + 1] - pair_offsets[pair_of[i]]
    positions = np.empty(offsets[n], np.float64)
    intensity = np.empty(offsets[n], np.float32)
    for i in numba.prange(n):
        first = pair_offsets[pair_of[i]]
        c1, c2, c3 = np.uint64(spacegroup[i]), np.uint64(cell_index[i]), np.uint64(pattern[i])
        b = 0.0
        if largest_b > 0:
            words = philox_words(np.uint64(_NO_LINE), c1, c2, c3, np.uint64(k0), np.uint64(k1))
            b = largest_b * _unit(words[0])
        for target in range(offsets[i], offsets[i + 1]):
            source = first + target - offsets[i]
            row = line[source]
            key = np.uint64(keys[row])
            positions[target] = two_theta[source]
            shape = 0.5
            if wilson or multiplicity:
                shape = 0.5 * half_shapes[spacegroup[i] - first_group, row]
            if wilson:
                value = _gamma(int(2 * shape), key, c1, c2, c3, k0, k1) / shape
            else:
                value = _unit(philox_words(key, c1, c2, c3, np.uint64(k0), np.uint64(k1))[0])
                if amplitude:
                    value *= value
            if multiplicity:
                value *= shape
            if largest_b > 0:
                value *= np.exp(-2.0 * b * np.sin(0.5 * np.radians(two_theta[source])) ** 2)
            intensity[target] = np.float32(value * lorentz[source])
    return offsets, positions, intensity


@numba.njit(cache=True, inline="always")
def _unit(word):  # type: ignore[no-untyped-def]
    """Do what `to_unit` does, to one word."""
    return (np.float64(word >> np.uint64(8)) + 1.0) * 2.0**-24


@numba.njit(cache=True)
def _gamma(half_shape, key, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Draw from a gamma distribution of scale 1 whose shape is a multiple of one half.

    Exponential variables have shape 1, and half the square of a normal one has shape 1/2. Four
    random numbers come of one key; the next four of the next.
    """
    whole, odd = half_shape // 2, half_shape % 2
    product, last = 1.0, 1.0
    words = (np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0))
    for draw in range(whole + 2 * odd):
        if draw % 4 == 0:
            next_key = (np.uint64(k1) + np.uint64(draw // 4)) & np.uint64(0xFFFFFFFF)
            words = philox_words(key, c1, c2, c3, np.uint64(k0), next_key)
        unit = _unit(words[draw % 4])
        if draw < whole:
            product *= unit
        elif draw == whole:
            last = unit
        else:
            return -np.log(product) - np.log(last) * np.cos(2 * np.pi * unit) ** 2
    return -np.log(product)


@numba.njit(cache=True)
def _mixed(value):  # type: ignore[no-untyped-def]
    """Scramble 64 bits (the finaliser of splitmix64)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@numba.njit(cache=True)
def signatures(metrics, coefficients, present, wavelength, lowest, highest, separation, counted):  # type: ignore[no-untyped-def]
    n_lines = len(coefficients)
    result = np.zeros((len(metrics), len(present)), np.uint64)
    q = np.empty(n_lines, np.float64)
    row = np.empty(n_lines, np.int64)
    for cell in range(len(metrics)):
        count = 0
        for line in range(n_lines):
            value = 0.0
            for parameter in range(metrics.shape[1]):
                value += coefficients[line, parameter] * metrics[cell, parameter]
            if lowest <= value <= highest:
                q[count] = value
                row[count] = line
                count += 1
        order = np.argsort(q[:count])
        bundle = np.empty(count, np.int64)
        name = np.empty(count, np.uint64)
        n_bundles = 0
        begins = -1.0
        for place in range(count):
            value = q[order[place]]
            angle = np.degrees(2 * np.arcsin(0.5 * wavelength * np.sqrt(value)))
            if begins < 0 or angle - begins > separation:
                begins = angle
                # Steps of 2**-36: some 1e-9 degrees where lines are, and 1e5 times the rounding.
                name[n_bundles] = _mixed(np.uint64(np.rint(value * 2.0**36)))
                n_bundles += 1
            bundle[place] = n_bundles - 1
        for setting in range(len(present)):
            last = -1
            total = np.uint64(0)
            for place in range(count):
                if present[setting, row[order[place]]] and (counted or bundle[place] != last):
                    last = bundle[place]
                    total += name[last]
            result[cell, setting] = total
    return result
