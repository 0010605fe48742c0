"""Kernels of the search for cells: trial cells from a few lines, tested by all of the first ones.

The places of the first lines are kept as a map of 1/d^2 in narrow bins, each of which says which
line it belongs to. A trial cell is tested by looking its own lines up, so that a test costs a
nanosecond or two for each calculated line. What a trial is worth is how much likelier it makes the
lines that it hits than chance does, which hits more lines the more lines the cell has.

Metrics are the coefficients of 1/d^2 = A h^2 + B k^2 + C l^2 + D kl + E hl + F hk.
"""

import numba
import numpy as np

#: Bins of a map.
BINS = 1 << 14
#: What a map has below the range that was measured.
UNSEEN = 255
_KEPT = 1 << 12
_TABLE = 1 << 15
# Of the lines that a trial is tested by, the share that it must hit.
_HIT = 0.65
# A right cell misses a line with this chance.
_MISSED = 0.08
# Trials this far (in nats) behind the best one are not kept.
_BEHIND = 20.0


@numba.njit(cache=True)
def new_pool():  # type: ignore[no-untyped-def]
    """Return an empty pool of trials: scores, metrics, and a table that finds equal ones."""
    return (
        np.full(_KEPT, -np.inf),
        np.zeros((_KEPT, 7)),
        np.full(_TABLE, -1, np.int32),
        np.zeros(_KEPT, np.uint64),
        np.array([0.0, -1e9, 0.0]),  # count, best score, trials
    )


@numba.njit(cache=True)
def _place(table, keys, key):  # type: ignore[no-untyped-def]
    at = (key ^ (key >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15)
    at = (at >> np.uint64(40)) % np.uint64(_TABLE)
    while table[at] >= 0 and keys[table[at]] != key:
        at = (at + np.uint64(1)) % np.uint64(_TABLE)
    return at


@numba.njit(cache=True)
def _rebuilt(pool):  # type: ignore[no-untyped-def]
    """Keep the better half of a full pool."""
    scores, metrics, table, keys, state = pool
    order = np.argsort(-scores)
    half = _KEPT // 2
    scores[:half] = scores[order[:half]]
    metrics[:half] = metrics[order[:half]].copy()
    keys[:half] = keys[order[:half]].copy()
    scores[half:] = -np.inf
    table[:] = -1
    for i in range(half):
        table[_place(table, keys, keys[i])] = i
    state[0] = half


@numba.njit(cache=True)
def bit_at(mask, i):  # type: ignore[no-untyped-def]
    return (mask >> np.uint64(i)) & np.uint64(1)


@numba.njit(cache=True)
def bits(mask):  # type: ignore[no-untyped-def]
    """Count the lines of a mask."""
    count = 0
    while mask:
        mask &= mask - np.uint64(1)
        count += 1
    return count


@numba.njit(cache=True)
def offer(pool, mask, count, chance, zero, a, b, c, d, e, f):  # type: ignore[no-untyped-def]
    """Keep a trial that hits lines (bits of `mask`) with so many lines of its own.

    `chance` says for each line how likely one calculated line hits it.
    """
    n = len(chance)
    hits = bits(mask)
    if hits < _HIT * n or hits < 3:
        return
    score = 0.0
    for i in range(n):
        missed = np.exp(-count * chance[i])
        if bit_at(mask, i):
            score += np.log((1 - _MISSED + _MISSED * (1 - missed)) / max(1 - missed, 1e-9))
        else:
            score += np.log(_MISSED)
    scores, metrics, table, keys, state = pool
    if score < state[1] - _BEHIND or score <= 0.0:
        return
    state[1] = max(state[1], score)
    if state[0] > 0.95 * _KEPT:
        _rebuilt(pool)
        # What is worse than all that is kept would only fill it again.
        state[2] = scores[: int(state[0])].min()
    if score < state[2]:
        return
    key = (mask << np.uint64(12)) ^ np.uint64(count)
    at = _place(table, keys, key)
    if table[at] < 0:
        table[at] = int(state[0])
        state[0] += 1
    elif scores[table[at]] >= score:
        return
    i = table[at]
    scores[i], keys[i] = score, key
    metrics[i, 0], metrics[i, 1], metrics[i, 2] = a, b, c
    metrics[i, 3], metrics[i, 4], metrics[i, 5], metrics[i, 6] = d, e, f, zero


@numba.njit(cache=True)
def offer_centrings(pool, masks, counts, kinds, chance, zero, a, b, c, d, e, f):  # type: ignore[no-untyped-def]
    """Keep a trial under each centring, of which `kinds` says which parts of the lines it has."""
    n = len(chance)
    for kind in range(len(kinds)):
        mask, count = np.uint64(0), 0
        for part in range(len(masks)):
            if kinds[kind, part]:
                mask |= masks[part]
                count += counts[part]
        offer(pool, mask, count, chance, zero, a, b, c, d, e, f)
        if kind == 0 and bits(mask) < _HIT * n:
            return


@numba.njit(cache=True)
def _look(q, which, scale, masks, counts, part):  # type: ignore[no-untyped-def]
    bit = which[int(q * scale)]
    if bit == UNSEEN:
        return
    counts[part] += 1
    if bit:
        masks[part] |= np.uint64(1) << np.uint64(bit - 1)


@numba.njit(cache=True)
def number_hits(family, numbers, a, c, which, scale, top, masks, counts):  # type: ignore[no-untyped-def]
    """Test 1/d^2 = n a + l^2 c: cubic (0, without c), tetragonal (1) and hexagonal axes (2).

    Parts: 0 in every centring; for cubic cells 1 in I only, 2 in F only and 3 in none; else 1 in
    none.
    """
    masks[:] = 0
    counts[:] = 0
    for n in numbers:
        base = n * a
        if base > top:
            break
        if family == 0:
            if n == 0:
                continue
            in_i, in_f = n % 2 == 0, n % 4 == 0 or n % 8 == 3
            part = (0 if in_f else 1) if in_i else (2 if in_f else 3)
            _look(base, which, scale, masks, counts, part)
            continue
        low = 0
        while True:
            q = base + low * low * c
            if q > top:
                break
            if q > 0.0:
                if family == 1:
                    part = (n + low) % 2
                elif n % 3 == 0:
                    part = 0 if low % 3 == 0 else 1
                else:
                    part = 1 if low % 3 == 0 else 0
                _look(q, which, scale, masks, counts, part)
            low += 1


@numba.njit(cache=True)
def box_hits(a, b, c, which, scale, top, masks, counts):  # type: ignore[no-untyped-def]
    """Test an orthorhombic metric; part (h % 2) + 2 (k % 2) + 4 (l % 2)."""
    masks[:] = 0
    counts[:] = 0
    counts[0] = -int(which[0] != UNSEEN)
    h = 0
    while True:
        of_h = h * h * a
        if of_h > top:
            break
        k = 0
        while True:
            of_k = of_h + k * k * b
            if of_k > top:
                break
            low = 0
            part = h % 2 + 2 * (k % 2)
            while True:
                q = of_k + low * low * c
                if q > top:
                    break
                _look(q, which, scale, masks, counts, part + 4 * (low % 2))
                low += 1
            k += 1
        h += 1


@numba.njit(cache=True)
def plane_hits(a, c, e, k, base, which, scale, top, masks, counts):  # type: ignore[no-untyped-def]
    """Add the lines a h^2 + c l^2 + e hl + base, one of each (h, l) and (-h, -l)."""
    least = c - e * e / (4 * a)
    low = 0
    while True:
        rest = top - base - least * low * low
        if rest < 0.0:
            break
        centre = -e * low / (2 * a)
        reach = np.sqrt(rest / a)
        start, stop = int(np.ceil(centre - reach)), int(np.floor(centre + reach))
        if low == 0:
            start = 0 if base > 0.0 else 1
        for h in range(start, stop + 1):
            q = base + h * (a * h + e * low) + c * low * low
            if 0.0 < q <= top:
                part = h % 2 + 2 * (k % 2) + 4 * (low % 2)
                _look(q, which, scale, masks, counts, part)
        low += 1


@numba.njit(cache=True)
def mono_hits(a, b, c, e, which, scale, top, masks, counts):  # type: ignore[no-untyped-def]
    """Test a monoclinic metric; parts as of `box_hits`."""
    masks[:] = 0
    counts[:] = 0
    k = 0
    while b * k * k <= top:
        plane_hits(a, c, e, k, b * k * k, which, scale, top, masks, counts)
        k += 1


@numba.njit(cache=True)
def any_hits(a, b, c, d, e, f, which, scale, top):  # type: ignore[no-untyped-def]
    """Test a triclinic metric, which must be positive definite; return mask and count."""
    mask = np.uint64(0)
    count = 0
    # The plane h, k at the height l has its least value where the gradient vanishes.
    det = 4 * a * b - f * f
    least = c - (b * e * e + a * d * d - d * e * f) / det
    if det <= 0.0 or least <= 0.0:
        return mask, 1 << 20
    low = 0
    row = b - f * f / (4 * a)
    while True:
        rest = top - least * low * low
        if rest < 0.0:
            break
        k_centre = -low * (2 * a * d - e * f) / det
        k_reach = np.sqrt(rest / row)
        k_start, k_stop = int(np.ceil(k_centre - k_reach)), int(np.floor(k_centre + k_reach))
        if low == 0:
            k_start = 0
        for k in range(k_start, k_stop + 1):
            linear = e * low + f * k
            base = b * k * k + c * low * low + d * k * low
            centre = -linear / (2 * a)
            inside = (top - base) / a + centre * centre
            if inside < 0.0:
                continue
            reach = np.sqrt(inside)
            start, stop = int(np.ceil(centre - reach)), int(np.floor(centre + reach))
            if low == 0 and k == 0:
                start = 1
            for h in range(start, stop + 1):
                q = base + h * (a * h + linear)
                if 0.0 < q <= top:
                    bit = which[int(q * scale)]
                    count += bit != UNSEEN
                    if bit and bit != UNSEEN:
                        mask |= np.uint64(1) << np.uint64(bit - 1)
        low += 1
        if count > 2000:
            break
    return mask, count


@numba.njit(cache=True)
def row_lines(a, which, scale, top):  # type: ignore[no-untyped-def]
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
def union(masks):  # type: ignore[no-untyped-def]
    mask = np.uint64(0)
    for part in range(len(masks)):
        mask |= masks[part]
    return mask
