"""Kernels that fit metrics to found lines and weigh how well their lines explain those.

The weight of a metric is a log-likelihood against lines at random places. A calculated line is seen
with a chance that is fitted to the metric itself in three ranges of the angle, so that lines which
are not seen count against a cell that promises many more than there are, and a superlattice falls
behind. What a found line adds is the density of its place under the calculated lines near it: among
many of these, a match says little. Found lines that the metric does not have are of something else,
which is the less likely the higher they are.
"""

import numba
import numpy as np

MOST_LINES = 6000
#: Ranges of the angle in which the share of seen lines is fitted.
_RANGES = 3
# Widths of the distribution of a found line around its place: shares, and factors of the
# uncertainty; the rest is spread over the part of a profile in which blends hide.
_NEAR, _FAR, _FACTOR = 0.75, 0.2, 4.0
_BLEND = 0.4
# Part of a line's width by which its place is taken to be unsure in any case.
_UNSURE = 0.01
# Chance that a found line is of something else: of the highest, and of one of no height. Where
# there is an impurity, which costs some nats to say, it is larger for lines of up to so much of the
# highest one's height.
_FOREIGN = 1e-3, 0.05
_IMPURE, _IMPURE_HEIGHT, _IMPURE_COST = 0.6, 0.06, 3.0
_ZERO_SPREAD = 0.06
_LARGEST_OFF = 0.12


@numba.njit(cache=True)
def has(centring, h, k, low):  # type: ignore[no-untyped-def]
    """Tell whether a centring (P A B C I F R) has a reflection."""
    if centring == 0:
        return True
    if centring == 1:
        return (k + low) % 2 == 0
    if centring == 2:
        return (h + low) % 2 == 0
    if centring == 3:
        return (h + k) % 2 == 0
    if centring == 4:
        return (h + k + low) % 2 == 0
    if centring == 5:
        return (h + k) % 2 == 0 and (k + low) % 2 == 0
    return (h - k) % 3 == 0 if low % 3 == 0 else (h - k) % 3 != 0


@numba.njit(cache=True)
def calculated(family, metric, top, centring, hkl, q):  # type: ignore[no-untyped-def]
    """Write one reflection of each line up to 1/d^2 = top; return how many, in any order.

    Families by number: cubic 0 to triclinic 5.
    """
    a, b, c, d, e, f = metric[0], metric[1], metric[2], metric[3], metric[4], metric[5]
    count = 0
    if family <= 3:
        cross = f if family == 2 else 0.0
        h = 0
        while a * h * h <= top:
            k = 0
            while True:
                if family <= 2 and k > h:
                    break
                plane = a * h * h + b * k * k + cross * h * k
                if plane > top:
                    break
                low = 0
                while True:
                    if family == 0 and low > k:
                        break
                    value = plane + c * low * low
                    if value > top:
                        break
                    if value > 0.0 and has(centring, h, k, low) and count < MOST_LINES:
                        hkl[count, 0], hkl[count, 1], hkl[count, 2] = h, k, low
                        q[count] = value
                        count += 1
                    low += 1
                k += 1
            h += 1
        return count
    det = 4 * a * b - f * f
    if det <= 0.0 or a <= 0.0:
        return 0
    least = c - (b * e * e + a * d * d - d * e * f) / det
    if least <= 0.0:
        return 0
    row = b - f * f / (4 * a)
    low = 0
    while least * low * low <= top:
        centre_k = -low * (2 * a * d - e * f) / det
        reach_k = np.sqrt((top - least * low * low) / row)
        first_k, last_k = int(np.ceil(centre_k - reach_k)), int(np.floor(centre_k + reach_k))
        if low == 0 or family == 4:
            first_k = 0
        for k in range(first_k, last_k + 1):
            linear = e * low + f * k
            base = b * k * k + c * low * low + d * k * low
            inside = (top - base) / a + (linear / (2 * a)) ** 2
            if inside < 0.0:
                continue
            centre, reach = -linear / (2 * a), np.sqrt(inside)
            first, last = int(np.ceil(centre - reach)), int(np.floor(centre + reach))
            if low == 0 and (k == 0 or family == 4):
                first = max(first, 0 if k > 0 else 1)
            for h in range(first, last + 1):
                value = base + h * (a * h + linear)
                if 0.0 < value <= top and has(centring, h, k, low) and count < MOST_LINES:
                    hkl[count, 0], hkl[count, 1], hkl[count, 2] = h, k, low
                    q[count] = value
                    count += 1
        low += 1
    return count


@numba.njit(cache=True)
def _design(family, h, k, low, row):  # type: ignore[no-untyped-def]
    """Write the derivatives of 1/d^2 by the family's free coefficients; return how many."""
    if family == 0:
        row[0] = h * h + k * k + low * low
        return 1
    if family == 1:
        row[0], row[1] = h * h + k * k, low * low
        return 2
    if family == 2:
        row[0], row[1] = h * h + k * k + h * k, low * low
        return 2
    row[0], row[1], row[2] = h * h, k * k, low * low
    if family == 3:
        return 3
    if family == 4:
        row[3] = h * low
        return 4
    row[3], row[4], row[5] = k * low, h * low, h * k
    return 6


@numba.njit(cache=True)
def _spread(family, values, metric):  # type: ignore[no-untyped-def]
    """Write the metric of a family's free coefficients."""
    metric[:] = 0.0
    if family <= 2:
        metric[0] = metric[1] = values[0]
        metric[2] = values[0] if family == 0 else values[1]
        if family == 2:
            metric[5] = values[0]
    else:
        metric[:3] = values[:3]
        if family == 4:
            metric[4] = values[3]
        elif family == 5:
            metric[3:6] = values[3:6]


@numba.njit(cache=True)
def _free(family, metric, values):  # type: ignore[no-untyped-def]
    values[:3] = metric[:3]
    if family == 1 or family == 2:
        values[1] = metric[2]
    elif family == 4:
        values[3] = metric[4]
    elif family == 5:
        values[3:6] = metric[3:6]


@numba.njit(cache=True)
def fit(family, centring, metric, zero, x, sigma, wavelength, n_lines, steps):  # type: ignore[no-untyped-def]
    """Fit a metric, in place, and the zero to found lines; return the zero.

    Each found line is taken for the calculated line that is nearest, at low angles first, and
    counts the less the farther it is.
    """
    hkl, q = np.empty((MOST_LINES, 3), np.int64), np.empty(MOST_LINES)
    values, row = np.zeros(6), np.zeros(7)
    _free(family, metric, values)
    scale = 0.02
    for step in range(steps):
        part = 0.5 + 0.5 * min(step / max(steps - 3, 1), 1.0)
        used = max(int(part * n_lines), min(n_lines, 8))
        sine = np.sin(np.radians(x[used - 1] - zero + 0.3) / 2)
        count = calculated(family, metric, (2 * sine / wavelength) ** 2, centring, hkl, q)
        if count < 2:
            return zero
        order = np.argsort(q[:count])
        ordered = q[:count][order]
        normal, right = np.zeros((7, 7)), np.zeros(7)
        p = _design(family, 0, 0, 0, row)
        off = np.empty(used)
        n_off = 0
        for i in range(used):
            half = np.radians(x[i] - zero) / 2
            here = (2 * np.sin(half) / wavelength) ** 2
            slope = 2 * np.sin(2 * half) / wavelength**2 * np.radians(1.0)
            at = np.searchsorted(ordered, here)
            if at == count or (at > 0 and here - ordered[at - 1] < ordered[at] - here):
                at -= 1
            left = (here - ordered[at]) / slope
            if abs(left) > _LARGEST_OFF:
                continue
            off[n_off] = abs(left)
            n_off += 1
            which = order[at]
            _design(family, hkl[which, 0], hkl[which, 1], hkl[which, 2], row)
            for j in range(p):
                row[j] /= slope
            row[p] = 1.0
            weight = 1.0 / (sigma[i] ** 2 + 0.1 * scale**2)
            weight /= 1.0 + (left / (2.5 * scale + 2 * sigma[i])) ** 2
            for j in range(p + 1):
                right[j] += weight * row[j] * left
                for m in range(p + 1):
                    normal[j, m] += weight * row[j] * row[m]
        if n_off < p + 1:
            return zero
        normal[p, p] += 1 / _ZERO_SPREAD**2
        right[p] -= zero / _ZERO_SPREAD**2
        for j in range(p):
            normal[j, j] = normal[j, j] * (1 + 1e-9) + 1e-9
        change = np.linalg.solve(normal[: p + 1, : p + 1], right[: p + 1])
        for j in range(p):
            values[j] += change[j]
        if values[0] <= 0.0 or (family >= 3 and (values[1] <= 0.0 or values[2] <= 0.0)):
            return zero
        if (family == 1 or family == 2) and values[1] <= 0.0:
            return zero
        zero = min(max(zero + change[p], -0.2), 0.2)
        _spread(family, values, metric)
        scale = min(max(1.5 * np.median(off[:n_off]), 1e-4), 0.03)
    return zero


@numba.njit(cache=True)
def weigh(family, centring, metric, zero, x, sigma, height, width, wavelength, n_lines, out):  # type: ignore[no-untyped-def]
    """Return the weight of a metric (nats); write what it explains to `out`.

    Heights are shares of the highest line's. `out`: found lines explained, calculated
    lines, M20, F_N.
    """
    hkl, q = np.empty((MOST_LINES, 3), np.int64), np.empty(MOST_LINES)
    last = x[n_lines - 1]
    sine = np.sin(np.radians(last - zero + 0.5 * width[n_lines - 1]) / 2)
    count = calculated(family, metric, (2 * sine / wavelength) ** 2, centring, hkl, q)
    out[:] = 0.0
    if count == 0 or count >= MOST_LINES:
        return -1e9
    ordered = np.sort(q[:count])
    place = np.degrees(2 * np.arcsin(np.minimum(np.sqrt(ordered) * wavelength / 2, 1.0))) + zero
    first = x[0] - width[0]
    start = np.searchsorted(place, first)
    # Calculated lines that blend count as one; a range ends behind each third of the found lines.
    ends = np.empty(_RANGES)
    for part in range(_RANGES):
        ends[part] = x[(part + 1) * n_lines // _RANGES - 1] + 0.25 * width[n_lines - 1]
    total, seen = np.zeros(_RANGES), np.zeros(_RANGES)
    part, line, j = 0, 0, start
    number = 20 if n_lines > 20 else n_lines
    before = 0.0
    last_q = -1.0
    for k in range(count):
        if place[k] > x[number - 1] + 0.2 * width[number - 1]:
            break
        if ordered[k] > last_q * (1 + 1e-6):
            before += 1.0
            last_q = ordered[k]
    while j < count:
        while part < _RANGES - 1 and place[j] > ends[part]:
            part += 1
        while line < n_lines - 1 and abs(x[line + 1] - place[j]) <= abs(x[line] - place[j]):
            line += 1
        reach = 0.5 * width[line]
        stop = j
        hit = False
        while stop < count and place[stop] - place[j] <= reach:
            near = line
            while near < n_lines - 1 and abs(x[near + 1] - place[stop]) <= abs(
                x[near] - place[stop]
            ):
                near += 1
            hit |= abs(x[near] - place[stop]) < reach
            stop += 1
        total[part] += 1
        seen[part] += hit
        j = stop
    weight = 0.0
    for part in range(_RANGES):
        share = (seen[part] + 0.9) / (total[part] + 1.0)
        weight += seen[part] * np.log(share) + (total[part] - seen[part]) * np.log(1 - share)
    pure, impure = 0.0, -_IMPURE_COST
    explained, off_q, off_x, n_off = 0, 0.0, 0.0, 0
    for i in range(n_lines):
        # Found lines lie as dense as here, around this one.
        low, high = max(i - 4, 0), min(i + 4, n_lines - 1)
        dense = (high - low) / max(x[high] - x[low], 1e-3) if high > low else 1.0
        unsure = np.sqrt(sigma[i] ** 2 + (_UNSURE * width[i]) ** 2)
        reach = _BLEND * width[i]
        lower, upper = np.searchsorted(place, x[i] - reach), np.searchsorted(place, x[i] + reach)
        density, nearest = 0.0, np.inf
        for k in range(lower, upper):
            left = (x[i] - place[k]) / unsure
            nearest = min(nearest, abs(x[i] - place[k]))
            density += (
                _NEAR * np.exp(-0.5 * left * left)
                + _FAR / _FACTOR * np.exp(-0.5 * (left / _FACTOR) ** 2)
            ) / (2.5066 * unsure)
        members = max(upper - lower, 1)
        density /= members
        if upper > lower:
            density += (1 - _NEAR - _FAR) / (2 * reach)
        foreign = _FOREIGN[1] * (_FOREIGN[0] / _FOREIGN[1]) ** np.sqrt(height[i])
        own = np.log(density / dense + foreign)
        pure += own
        if height[i] < _IMPURE_HEIGHT:
            own = np.log((1 - _IMPURE) * density / dense + _IMPURE)
        impure += own
        if nearest < max(4 * unsure, 0.15 * width[i]):
            explained += 1
            if i < number:
                half = np.radians(x[i] - zero) / 2
                off_q += nearest * 2 * np.sin(2 * half) / wavelength**2 * np.radians(1.0)
                off_x += nearest
                n_off += 1
    weight += max(pure, impure)
    out[0], out[1] = explained, total.sum()
    if n_off:
        q_20 = (2 * np.sin(np.radians(x[number - 1] - zero) / 2) / wavelength) ** 2
        out[2] = q_20 / (2 * max(off_q / n_off, 1e-9) * max(before, 1.0))
        out[3] = n_off / max(off_x / n_off, 1e-6) / max(before, 1.0)
    return weight
