"""Trial cells: metrics solved from a few of the first lines, each taken for one of low indices.

Axes are found one after the other. The lines that an axis is solved from are the first that no
lattice row, or no plane, of the axes before explains, so that a short axis behind a long row of
lines of the others is found as well.
"""

import numba
import numpy as np

from sgbench.decoder._trial_kernels import (
    any_hits,
    bit_at,
    box_hits,
    mono_hits,
    number_hits,
    offer,
    offer_centrings,
    plane_hits,
    row_lines,
    union,
)

# Lines that the first, second and third parameter of an orthorhombic cell are solved from.
_FIRST, _SECOND, _THIRD = 6, 6, 6


@numba.njit(cache=True)
def one_parameter(pool, q, chance, zero, which, scale, top, low, high, least, numbers, kinds):  # type: ignore[no-untyped-def]
    """Try cubic cells."""
    masks, counts = np.zeros(4, np.uint64), np.zeros(4, np.int64)
    for i in range(min(len(q), 10)):
        for n in numbers:
            if n == 0:
                continue
            a = q[i] / n
            if a < low:
                break
            if a > high:
                continue
            number_hits(0, numbers, a, 0.0, which, scale, top, masks, counts)
            offer_centrings(pool, masks, counts, kinds, chance, zero, a, a, a, 0.0, 0.0, 0.0)


@numba.njit(cache=True)
def two_parameters(  # type: ignore[no-untyped-def]
    pool,
    q,
    chance,
    zero,
    which,
    scale,
    top,
    low,
    high,
    least,
    numbers,
    kinds,
    family,
    most_n,
    most_l,
):
    """Try tetragonal (family 1) and hexagonal (2) cells."""
    masks, counts = np.zeros(2, np.uint64), np.zeros(2, np.int64)
    cross = 0.0 if family == 1 else 1.0
    for j in range(1, min(len(q), 9)):
        for i in range(j):
            for n1 in numbers:
                if n1 > most_n:
                    break
                for l1 in range(most_l + 1):
                    if n1 == 0 and l1 == 0:
                        continue
                    for n2 in numbers:
                        if n2 > most_n:
                            break
                        for l2 in range(most_l + 1):
                            det = float(n1 * l2 * l2 - n2 * l1 * l1)
                            if det == 0.0:
                                continue
                            a = (q[i] * l2 * l2 - q[j] * l1 * l1) / det
                            if not low <= a <= high:
                                continue
                            c = (n1 * q[j] - n2 * q[i]) / det
                            if not low <= c <= high or a * a * c < least:
                                continue
                            number_hits(family, numbers, a, c, which, scale, top, masks, counts)
                            offer_centrings(
                                pool, masks, counts, kinds, chance, zero,
                                a, a, c, 0.0, 0.0, cross * a,
                            )  # fmt: skip
    # One axis from a row, the other from a line beyond it.
    for i in range(min(len(q), 5)):
        for along_l in range(2):
            for m in range(1, 9):
                first = q[i] / (m * m if along_l else numbers[m])
                if not low <= first <= high:
                    continue
                row = row_lines(first, which, scale, top)
                others = 0
                for j in range(len(q)):
                    if bit_at(row, j):
                        continue
                    others += 1
                    if others > 4:
                        break
                    for x in range(5):
                        for y in range(1, 5):
                            if along_l:
                                c = first
                                a = (q[j] - x * x * c) / numbers[y]
                            else:
                                a = first
                                c = (q[j] - numbers[x] * a) / (y * y)
                            if not (low <= a <= high and low <= c <= high and a * a * c > least):
                                continue
                            number_hits(family, numbers, a, c, which, scale, top, masks, counts)
                            offer_centrings(
                                pool, masks, counts, kinds, chance, zero,
                                a, a, c, 0.0, 0.0, cross * a,
                            )  # fmt: skip


@numba.njit(cache=True)
def _third_axis(  # type: ignore[no-untyped-def]
    pool, q, chance, zero, which, scale, top, low, high, least, kinds, a, b, masks, counts
):
    box_hits(a, b, 1e9, which, scale, top, masks, counts)
    zone = union(masks)
    others = 0
    for m in range(len(q)):
        if bit_at(zone, m):
            continue
        others += 1
        if others > _THIRD:
            break
        for x in range(4):
            for y in range(4):
                rest = q[m] - x * x * a - y * y * b
                if rest < low:
                    break
                for z in range(1, 4):
                    c = rest / (z * z)
                    if not low <= c <= high or a * b * c < least:
                        continue
                    box_hits(a, b, c, which, scale, top, masks, counts)
                    offer_centrings(
                        pool, masks, counts, kinds, chance, zero, a, b, c, 0.0, 0.0, 0.0
                    )


@numba.njit(cache=True)
def boxes(pool, q, chance, zero, which, scale, top, low, high, least, kinds):  # type: ignore[no-untyped-def]
    """Try orthorhombic cells."""
    masks, counts = np.zeros(8, np.uint64), np.zeros(8, np.int64)
    for i in range(min(len(q), _FIRST)):
        for h in range(1, 5):
            a = q[i] / (h * h)
            if not low <= a <= high:
                continue
            row = row_lines(a, which, scale, top)
            others = 0
            for j in range(len(q)):
                if bit_at(row, j):
                    continue
                others += 1
                if others > _SECOND:
                    break
                for x in range(4):
                    for y in range(1, 4):
                        b = (q[j] - x * x * a) / (y * y)
                        if low <= b <= high:
                            _third_axis(
                                pool, q, chance, zero, which, scale, top, low, high, least, kinds,
                                a, b, masks, counts,
                            )  # fmt: skip
    # Zones without a line along an axis among the first ones.
    for j in range(1, min(len(q), 7)):
        for i in range(j):
            for one in range(1, 16):
                x1, y1 = (one // 4) ** 2, (one % 4) ** 2
                if x1 == 0 or y1 == 0:
                    continue
                for other in range(1, 16):
                    x2, y2 = (other // 4) ** 2, (other % 4) ** 2
                    det = float(x1 * y2 - x2 * y1)
                    if det == 0.0 or x2 == 0 or y2 == 0:
                        continue
                    a = (q[i] * y2 - q[j] * y1) / det
                    b = (x1 * q[j] - x2 * q[i]) / det
                    if low <= a <= b <= high:
                        _third_axis(
                            pool, q, chance, zero, which, scale, top, low, high, least, kinds,
                            a, b, masks, counts,
                        )  # fmt: skip


@numba.njit(cache=True)
def planes_and_axis(  # type: ignore[no-untyped-def]
    pool, q, chance, zero, which, scale, top, low, high, least, kinds, zones, beyond
):
    """Try monoclinic cells: planes of lines without k, and an axis from a line beyond them."""
    masks, counts = np.zeros(8, np.uint64), np.zeros(8, np.int64)
    for zone in range(len(zones)):
        a, c, e = zones[zone, 0], zones[zone, 1], zones[zone, 2]
        masks[:] = 0
        plane_hits(a, c, e, 0, 0.0, which, scale, top, masks, counts)
        plane = union(masks)
        area = a * c - e * e / 4
        others = 0
        for m in range(len(q)):
            if bit_at(plane, m):
                continue
            others += 1
            if others > beyond:
                break
            for k in range(1, 5):
                for h in range(-2, 3):
                    for low_index in range(3):
                        if low_index == 0 and h < 0:
                            continue
                        rest = q[m] - a * h * h - c * low_index**2 - e * h * low_index
                        b = rest / (k * k)
                        if not low <= b <= high or b * area < least:
                            continue
                        mono_hits(a, b, c, e, which, scale, top, masks, counts)
                        offer_centrings(
                            pool, masks, counts, kinds, chance, zero, a, b, c, 0.0, e, 0.0
                        )


@numba.njit(cache=True)
def axis_and_planes(pool, q, chance, zero, which, scale, top, low, high, least, kinds):  # type: ignore[no-untyped-def]
    """Try monoclinic cells: the unique axis, one perpendicular to it, and the other one last."""
    masks, counts = np.zeros(8, np.uint64), np.zeros(8, np.int64)
    n = len(q)
    for i in range(min(n, 4)):
        for k in range(1, 5):
            b = q[i] / (k * k)
            if not low <= b <= high:
                continue
            row = row_lines(b, which, scale, top)
            second = 0
            for j in range(n):
                if bit_at(row, j):
                    continue
                second += 1
                if second > 5:
                    break
                for k2 in range(3):
                    for h in range(1, 3):
                        a = (q[j] - k2 * k2 * b) / (h * h)
                        if not low <= a <= high:
                            continue
                        box_hits(a, b, 1e9, which, scale, top, masks, counts)
                        plane = union(masks)
                        third = 0
                        for m in range(n):
                            if bit_at(plane, m):
                                continue
                            third += 1
                            if third > 5:
                                break
                            for k3 in range(3):
                                for low_index in range(1, 3):
                                    c = (q[m] - k3 * k3 * b) / low_index**2
                                    if not a <= c <= high:
                                        continue
                                    fourth = 0
                                    for p in range(n):
                                        if p == m or bit_at(plane, p):
                                            continue
                                        fourth += 1
                                        if fourth > 8:
                                            break
                                        for k4 in range(2):
                                            e = q[p] - k4 * k4 * b - a - c
                                            if abs(e) > 1.02 * a:
                                                continue
                                            if b * (a * c - e * e / 4) < least:
                                                continue
                                            mono_hits(a, b, c, e, which, scale, top, masks, counts)
                                            offer_centrings(
                                                pool, masks, counts, kinds, chance, zero,
                                                a, b, c, 0.0, e, 0.0,
                                            )  # fmt: skip


@numba.njit(cache=True)
def plane_and_vector(  # type: ignore[no-untyped-def]
    pool,
    q,
    chance,
    zero,
    which,
    scale,
    top,
    low,
    high,
    least,
    zones,
    beyond,
    more,
    crossing,
    shifts,
):
    """Try triclinic cells: planes, a line beyond them, and two that tell its angles."""
    masks, counts = np.zeros(8, np.uint64), np.zeros(8, np.int64)
    n = len(q)
    bottom = 0.98 * q[0]
    for zone in range(len(zones)):
        a, b, f = zones[zone, 0], zones[zone, 1], zones[zone, 2]
        masks[:] = 0
        plane_hits(a, b, f, 0, 0.0, which, scale, top, masks, counts)
        plane = union(masks)
        others = 0
        for m in range(n):
            if bit_at(plane, m):
                continue
            others += 1
            if others > beyond:
                break
            c = q[m]
            if not low <= c <= high:
                continue
            fifth = 0
            for p in range(len(more)):
                if p == m or (p < n and bit_at(plane, p)):
                    continue
                fifth += 1
                if fifth > crossing:
                    break
                e = more[p] - a - c
                # The vector may be shifted by those of the plane until it is reduced or hidden.
                if abs(e) > 1.05 * a and a + c - abs(e) > bottom:
                    continue
                sixth = 0
                for r in range(len(more)):
                    if r == m or (r < n and bit_at(plane, r)):
                        continue
                    sixth += 1
                    if sixth > crossing:
                        break
                    for shift in range(shifts):
                        # The line is the third vector and so many of the plane's two.
                        along_a = 0 if shift < 2 else 2 * shift - 5
                        along_b = 2 if shift == 1 else 1
                        d = more[r] - c - along_a * (a * along_a + e + along_b * f)
                        d = d / along_b - along_b * b
                        if abs(d) > 1.05 * b and b + c - abs(d) > bottom:
                            continue
                        for sign in range(2 if shift < 2 else 1):
                            dd = d if sign == 0 else -d
                            det = 4 * a * b * c + dd * e * f
                            det -= a * dd * dd + b * e * e + c * f * f
                            if det < 4 * least:
                                continue
                            mask, count = any_hits(a, b, c, dd, e, f, which, scale, top)
                            offer(pool, mask, count, chance, zero, a, b, c, dd, e, f)
