"""Planes of the reciprocal lattice that hold many of the first lines, solved from three of them."""

import numba
import numpy as np

from sgbench.decoder._trial_kernels import UNSEEN, bit_at, bits, plane_hits, row_lines, union


@numba.njit(cache=True)
def reduced_plane(a, c, e):  # type: ignore[no-untyped-def]
    """Return the reduced form 0 <= e <= a <= c of a plane a h^2 + c l^2 + e hl."""
    while True:
        if a > c:
            a, c = c, a
        times = np.rint(e / (2 * a))
        if times == 0.0:
            return a, c, abs(e)
        c += times * (times * a - e)
        e -= 2 * times * a


@numba.njit(cache=True)
def zones_of(q, more, which, scale, top, low, high, lines, crossing, multiples, found):  # type: ignore[no-untyped-def]
    """Return how many reduced planes (a, c, e) of two lines and a third were written to `found`.

    Rows of `found`: a, c, e, worth. The worth is how many lines of the plane are hit beyond what
    chance would hit, in units of its scatter.
    """
    masks, counts = np.zeros(8, np.uint64), np.zeros(8, np.int64)
    n = len(q)
    covered, seen = 0, 0
    for k in range(len(which)):
        covered += which[k] > 0 and which[k] != UNSEEN
        seen += which[k] != UNSEEN
    share = covered / seen
    count = 0
    for i in range(min(n, lines)):
        for h in range(1, multiples + 1):
            a = q[i] / (h * h)
            if a < low:
                continue
            row = row_lines(a, which, scale, top)
            others = 0
            for j in range(n):
                if j == i or bit_at(row, j):
                    continue
                others += 1
                if others > lines:
                    break
                if j < i and multiples == 1:
                    continue
                for k in range(1, multiples + 1):
                    c = q[j] / (k * k)
                    if not low <= c <= high:
                        continue
                    third = 0
                    for m in range(len(more)):
                        if m in (i, j):
                            continue
                        third += 1
                        if third > crossing:
                            break
                        for kind in range(3):
                            if kind == 0:
                                e = more[m] - a - c
                            elif kind == 1:
                                e = (more[m] - 4 * a - c) / 2
                            else:
                                e = (more[m] - a - 4 * c) / 2
                            if e * e > 3.9 * a * c:
                                continue
                            ra, rc, re = reduced_plane(a, c, e)
                            if ra < low:
                                continue
                            masks[:] = 0
                            counts[:] = 0
                            plane_hits(ra, rc, re, 0, 0.0, which, scale, top, masks, counts)
                            expected = share * counts.sum()
                            worth = bits(union(masks)) - 3 - expected
                            worth /= np.sqrt(expected + 1.0)
                            if count < len(found):
                                found[count, 0], found[count, 1] = ra, rc
                                found[count, 2], found[count, 3] = re, worth
                                count += 1
    return count


@numba.njit(cache=True)
def refine_zones(zones, q, window):  # type: ignore[no-untyped-def]
    """Fit planes, in place, to all lines that they hit, since few lines tell them vaguely."""
    top = q[-1] + window[-1]
    bottom = q[0] - 2 * window[0]
    row = np.empty(3)
    for zone in range(len(zones)):
        a, c, e = zones[zone, 0], zones[zone, 1], zones[zone, 2]
        for _ in range(3):
            normal, right = np.zeros((3, 3)), np.zeros(3)
            used = 0
            least = c - e * e / (4 * a)
            low = 0
            while least * low * low <= top:
                centre = -e * low / (2 * a)
                reach = np.sqrt((top - least * low * low) / a)
                start, stop = int(np.ceil(centre - reach)), int(np.floor(centre + reach))
                if low == 0:
                    start = 1
                for h in range(start, stop + 1):
                    value = h * (a * h + e * low) + c * low * low
                    if value < bottom:
                        continue
                    at = np.searchsorted(q, value)
                    if at == len(q) or (at > 0 and value - q[at - 1] < q[at] - value):
                        at -= 1
                    left = q[at] - value
                    if abs(left) > 1.5 * window[at]:
                        continue
                    used += 1
                    row[0], row[1], row[2] = h * h, low * low, h * low
                    weight = 1.0 / window[at] ** 2
                    for i in range(3):
                        right[i] += weight * row[i] * left
                        for j in range(3):
                            normal[i, j] += weight * row[i] * row[j]
                low += 1
            if used < 4:
                break
            for i in range(3):
                normal[i, i] = normal[i, i] * (1 + 1e-9) + 1e-6
            change = np.linalg.solve(normal, right)
            new_a, new_c, new_e = a + change[0], c + change[1], e + change[2]
            if new_a <= 0.0 or new_c <= 0.0 or new_e * new_e > 3.95 * new_a * new_c:
                break
            a, c, e = new_a, new_c, new_e
        zones[zone, 0], zones[zone, 1], zones[zone, 2] = reduced_plane(a, c, e)
