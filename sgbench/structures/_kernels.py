"""Compiled inner loops of `_reflections`.

No fastmath and no threads: every sum has one order, whatever the width of the processor's vectors.
"""

import math

import gemmi
import numba
import numpy as np

# Shifts of symmetry operators are whole numbers, in this fraction of a cell edge.
_UNIT = gemmi.Op.DEN


@numba.njit(cache=True)
def metrics(lattice, rotations):  # type: ignore[no-untyped-def]
    """Return the direct metric and the reciprocal one, shape (3, 3), of cell vectors (rows).

    The average over the rotations makes symmetry-equivalent spacings equal to the last digits.
    """
    metric, direct, reciprocal = np.zeros((3, 3)), np.zeros((3, 3)), np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            for axis in range(3):
                metric[i, j] += lattice[i, axis] * lattice[j, axis]
    for n in range(len(rotations)):
        r = rotations[n]
        for i in range(3):
            for j in range(3):
                for a in range(3):
                    for b in range(3):
                        direct[i, j] += r[a, i] * metric[a, b] * r[b, j]
    direct /= len(rotations)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        for a in range(3):
            b, c = (a + 1) % 3, (a + 2) % 3
            reciprocal[i, a] = direct[j, b] * direct[k, c] - direct[j, c] * direct[k, b]
    determinant = 0.0
    for axis in range(3):
        determinant += direct[0, axis] * reciprocal[0, axis]
    return direct, reciprocal / determinant


@numba.njit(cache=True)
def _form(metric, x, y, z):  # type: ignore[no-untyped-def]
    """Return the square of a vector: 1/d^2 from the reciprocal metric, a length from the direct."""
    squares = x * x * metric[0, 0] + y * y * metric[1, 1] + z * z * metric[2, 2]
    return squares + 2.0 * (x * y * metric[0, 1] + x * z * metric[0, 2] + y * z * metric[1, 2])


@numba.njit(cache=True)
def _is_absent(h, k, low, rotations, shifts, centrings):  # type: ignore[no-untyped-def]
    for n in range(len(centrings)):
        t = centrings[n]
        if (h * t[0] + k * t[1] + low * t[2]) % _UNIT:
            return True
    for n in range(len(rotations)):
        r, t = rotations[n], shifts[n]
        if (
            (h * t[0] + k * t[1] + low * t[2]) % _UNIT
            and h * r[0, 0] + k * r[1, 0] + low * r[2, 0] == h
            and h * r[0, 1] + k * r[1, 1] + low * r[2, 1] == k
            and h * r[0, 2] + k * r[1, 2] + low * r[2, 2] == low
        ):
            return True
    return False


@numba.njit(cache=True)
def _multiplicity(h, k, low, rotations):  # type: ignore[no-untyped-def]
    """Count reflections equivalent to one, Friedel mates included; 0 if it is not their last."""
    same = 0
    for n in range(len(rotations)):
        r = rotations[n]
        i = h * r[0, 0] + k * r[1, 0] + low * r[2, 0]
        j = h * r[0, 1] + k * r[1, 1] + low * r[2, 1]
        m = h * r[0, 2] + k * r[1, 2] + low * r[2, 2]
        for sign in (1, -1):
            a, b, c = sign * i, sign * j, sign * m
            if a > h or (a == h and (b > k or (b == k and c > low))):
                return 0
            if a == h and b == k and c == low:
                same += 1
    return 2 * len(rotations) // same


@numba.njit(cache=True)
def asymmetric_unit(metric, limits, lowest, highest, rotations, shifts, centrings):  # type: ignore[no-untyped-def]
    """Return present reflections, none equivalent to another, their 1/d^2 and multiplicities.

    Of equivalent reflections the last in order of h, k, l stands for all.
    """
    n_h, n_k, n_l = limits
    room = (n_h + 1) * (2 * n_k + 1) * (2 * n_l + 1)
    hkl = np.empty((room, 3), np.int64)
    q, multiplicities = np.empty(room), np.empty(room)
    found = 0
    for h in range(n_h + 1):
        for k in range(-n_k if h else 0, n_k + 1):
            for low in range(-n_l if h or k else 1, n_l + 1):
                value = _form(metric, h, k, low)
                if not lowest <= value <= highest:
                    continue
                multiplicity = _multiplicity(h, k, low, rotations)
                if multiplicity and not _is_absent(h, k, low, rotations, shifts, centrings):
                    hkl[found, 0], hkl[found, 1], hkl[found, 2] = h, k, low
                    q[found], multiplicities[found] = value, multiplicity
                    found += 1
    return hkl[:found], q[:found], multiplicities[:found]


@numba.njit(cache=True)
def present(hkl, rotations, shifts, centrings):  # type: ignore[no-untyped-def]
    """Tell which reflections the space group allows, shape (n,)."""
    allowed = np.empty(len(hkl), np.bool_)
    for n in range(len(hkl)):
        h, k, low = hkl[n]
        allowed[n] = not _is_absent(h, k, low, rotations, shifts, centrings)
    return allowed


@numba.njit(cache=True)
def spacings(metric, hkl):  # type: ignore[no-untyped-def]
    """Return 1/d^2 of reflections, shape (n,)."""
    q = np.empty(len(hkl))
    for n in range(len(hkl)):
        h, k, low = hkl[n]
        q[n] = _form(metric, h, k, low)
    return q


@numba.njit(cache=True)
def stabilisers(sites, metric, rotations, shifts, kind, n_kinds, tolerance):  # type: ignore[no-untyped-def]
    """Tell which rotations leave which site in place, and put the site exactly there.

    Returns
    -------
    stays : ndarray of bool, shape (n_sites, n_kinds)
    exact : ndarray, shape (n_sites, 3)
        Mean of the images that coincide: the projection onto the special position.
    """
    stays = np.zeros((len(sites), n_kinds), np.bool_)
    exact = np.empty_like(sites)
    offset = np.empty(3)
    for i in range(len(sites)):
        site, total = sites[i], exact[i]
        total[:] = 0.0
        order = 0
        for n in range(len(rotations)):
            for axis in range(3):
                moved = shifts[n, axis] / _UNIT - site[axis]
                for other in range(3):
                    moved += rotations[n, axis, other] * site[other]
                offset[axis] = moved - np.rint(moved)
            if _form(metric, offset[0], offset[1], offset[2]) < tolerance * tolerance:
                stays[i, kind[n]] = True
                order += 1
                for axis in range(3):
                    total[axis] += offset[axis]
        for axis in range(3):
            total[axis] = site[axis] + total[axis] / order
    return stays, exact


@numba.njit(cache=True)
def _fill_powers(table, x):  # type: ignore[no-untyped-def]
    """Fill a table, shape (2, 2 n + 1), with cosine and sine of 2 pi m x, m from -n to n."""
    n = table.shape[1] // 2
    c, s = math.cos(2 * math.pi * x), math.sin(2 * math.pi * x)
    re, im = 1.0, 0.0
    table[0, n], table[1, n] = re, im
    for m in range(1, n + 1):
        re, im = re * c - im * s, re * s + im * c
        table[0, n + m], table[1, n + m] = re, im
        table[0, n - m], table[1, n - m] = re, -im


@numba.njit(cache=True)
def form_factors(q, coefficients):  # type: ignore[no-untyped-def]
    """Return form factors, shape (n_elements, n), of four Gaussians and a constant.

    `coefficients`, shape (n_elements, 9), holds the heights, the widths and the constant.
    """
    factors = np.empty((len(coefficients), len(q)))
    for e in range(len(coefficients)):
        own = coefficients[e]
        for m in range(len(q)):
            squared = q[m] / 4  # of sin(theta)/wavelength
            value = own[8]
            for g in range(4):
                value += own[g] * math.exp(-own[4 + g] * squared)
            factors[e, m] = value
    return factors


@numba.njit(cache=True)
def squared_structure_factors(  # type: ignore[no-untyped-def]
    hkl, factors, sites, stays, site_of, element, occupancy,
    rotations, shifts, product, inverse, centre,
):  # fmt: skip
    """Return |F|^2 of present reflections for a primitive cell, shape (n,).

    Parameters
    ----------
    hkl : ndarray of int, shape (n, 3)
        Fast where reflections with the same h and k follow each other.
    factors : ndarray, shape (n_elements, n)
    sites, stays
        As `stabilisers` returns them.
    site_of, element, occupancy : ndarray, shape (n_scatterers,)
        Ordered by site.
    rotations, shifts
        One operator for each rotation: lattice centring adds nothing to a present reflection.
    product : ndarray of int, shape (p, p)
        Which rotation the product of two is.
    inverse : ndarray of int, shape (p,)
        Which rotation the negative of one is; -1 without an inversion.
    centre : ndarray, shape (3,)
        An inversion centre, where phases start. With one, structure factors are real, and one of
        two inverse images stands for both.
    """
    n, n_kinds = len(hkl), len(rotations)
    centric = inverse[0] >= 0
    total_re, total_im = np.zeros(n), np.zeros(n)
    re, im, scattering = np.empty(n), np.empty(n), np.empty(n)
    sizes = np.zeros(3, np.int64)
    for m in range(n):
        for axis in range(3):
            sizes[axis] = max(sizes[axis], abs(hkl[m, axis]))
    of_h = np.empty((2, 2 * sizes[0] + 1))
    of_k = np.empty((2, 2 * sizes[1] + 1))
    of_l = np.empty((2, 2 * sizes[2] + 1))
    seen = np.empty(n_kinds, np.bool_)
    image = np.empty(3)
    scatterer = 0
    for i in range(len(sites)):
        re[:] = 0
        im[:] = 0
        seen[:] = False
        order = stays[i].sum()
        for g in range(n_kinds):
            if seen[g]:
                continue
            alike = 0  # rotations that lead to this image or to its inverse
            for s in range(n_kinds):
                if stays[i, s]:
                    same = product[g, s]
                    alike += not seen[same]
                    seen[same] = True
                    if centric:
                        alike += not seen[inverse[same]]
                        seen[inverse[same]] = True
            weight = alike / order
            for axis in range(3):
                image[axis] = shifts[g, axis] / _UNIT - centre[axis]
                for other in range(3):
                    image[axis] += rotations[g, axis, other] * sites[i, other]
            _fill_powers(of_h, image[0])
            _fill_powers(of_k, image[1])
            _fill_powers(of_l, image[2])
            last_h, last_k, a, b = -1, -1, 0.0, 0.0
            for m in range(n):
                h, k, low = hkl[m, 0] + sizes[0], hkl[m, 1] + sizes[1], hkl[m, 2] + sizes[2]
                if h != last_h or k != last_k:
                    a = weight * (of_h[0, h] * of_k[0, k] - of_h[1, h] * of_k[1, k])
                    b = weight * (of_h[0, h] * of_k[1, k] + of_h[1, h] * of_k[0, k])
                    last_h, last_k = h, k
                re[m] += a * of_l[0, low] - b * of_l[1, low]
                if not centric:
                    im[m] += a * of_l[1, low] + b * of_l[0, low]
        scattering[:] = 0
        while scatterer < len(site_of) and site_of[scatterer] == i:
            own = factors[element[scatterer]]
            for m in range(n):
                scattering[m] += occupancy[scatterer] * own[m]
            scatterer += 1
        for m in range(n):
            total_re[m] += scattering[m] * re[m]
            total_im[m] += scattering[m] * im[m]
    return total_re * total_re + total_im * total_im
