"""Trial cells: metrics solved from a few of the first lines, each taken for one of low indices.

Axes are found one after the other. The lines that an axis is solved from are the first that no
lattice row, or no plane, of the axes before explains, so that a short axis behind a long row of
lines of the others is found as well.
"""

import numba
import numpy as np

from sgbench.decoder._trial_kernels import (
    UNSEEN,
    any_hits,
    box_hits,
    mono_hits,
    number_hits,
    offer,
    offer_centrings,
    plane_hits,
)

# Lines that the first, second and third parameter of an orthorhombic cell are solved from.
_FIRST, _SECOND, _THIRD = 6, 6, 6


@numba.njit(cache=True)
def _bit(mask, i):  # type: ignore[no-untyped-def]
    return (mask >> np.uint64(i)) & np.uint64(1)


@numba.njit(cache=True)
def _row(a, which, scale, top):  # type: ignore[no-untyped-def]
    """Return the lines that multiples of one vector hit."""
    mask = np.uint64(0)
    h = 1
    while h * h * a <= top:
        bit = which[int(h * h * a * scale)]
        if bit and bit != UNSEEN:
            mask |= np.uint64(1) << np.uint64(bit - 1)
        h += 1
    return mask


@numba.njit(cache=True)
def _all(masks):  # type: ignore[no-untyped-def]
    mask = np.uint64(0)
    for part in range(len(masks)):
        mask |= masks[part]
    return mask


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
                row = _row(first, which, scale, top)
                others = 0
                for j in range(len(q)):
                    if _bit(row, j):
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
    zone = _all(masks)
    others = 0
    for m in range(len(q)):
        if _bit(zone, m):
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
            row = _row(a, which, scale, top)
            others = 0
            for j in range(len(q)):
                if _bit(row, j):
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
            row = _row(a, which, scale, top)
            others = 0
            for j in range(n):
                if j == i or _bit(row, j):
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
                            total = 0
                            for part in range(8):
                                total += counts[part]
                            mask = _all(masks)
                            hits = 0
                            for line in range(n):
                                hits += int(_bit(mask, line))
                            expected = share * total
                            worth = (hits - 3 - expected) / np.sqrt(expected + 1.0)
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
        plane = _all(masks)
        area = a * c - e * e / 4
        others = 0
        for m in range(len(q)):
            if _bit(plane, m):
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
            row = _row(b, which, scale, top)
            second = 0
            for j in range(n):
                if _bit(row, j):
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
                        plane = _all(masks)
                        third = 0
                        for m in range(n):
                            if _bit(plane, m):
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
                                        if p == m or _bit(plane, p):
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
        plane = _all(masks)
        others = 0
        for m in range(n):
            if _bit(plane, m):
                continue
            others += 1
            if others > beyond:
                break
            c = q[m]
            if not low <= c <= high:
                continue
            fifth = 0
            for p in range(len(more)):
                if p == m or (p < n and _bit(plane, p)):
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
                    if r == m or (r < n and _bit(plane, r)):
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
