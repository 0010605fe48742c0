"""The compiled part of `sgbench.conditions.texture`."""

import numba
import numpy as np

# Reflections and lines whose 1/d^2 differ by less than this (relative) are at the same place.
_SAME_PLACE = 1e-6
# Places are found by a table of this many steps of 1/d^2.
_STEPS = 2048


# A reflection stands for its mirror images too, where the angles make them as long: those in h
# always (with Friedel's law), in k where b is perpendicular to a and c, in l where c is to a and b.
@numba.njit(cache=True)
def average_factors(offsets, q, metrics, cells, parameters, factor):  # type: ignore[no-untyped-def]
    for i in range(len(offsets) - 1):
        first, last = offsets[i], offsets[i + 1]
        if first == last:
            continue
        g_hh, g_kk, g_ll, g_kl, g_hl, g_hk = metrics[i]
        a, b, c, alpha, beta, gamma = cells[i]
        fold_k = alpha == 90 and gamma == 90
        fold_l = alpha == 90 and beta == 90
        along_k = fold_k and not fold_l
        edge = b if along_k else c
        r = parameters[i]
        order = np.argsort(q[first:last])
        places = q[first:last][order]
        n = last - first
        low, high = places[0] * (1 - _SAME_PLACE), places[n - 1] * (1 + _SAME_PLACE)
        per_step = _STEPS / high
        # The first line at or above the lower end of each step.
        start = np.full(_STEPS + 1, n)
        for j in range(n - 1, -1, -1):
            start[int(places[j] * per_step)] = j
        for step in range(_STEPS - 1, -1, -1):
            start[step] = min(start[step], start[step + 1])
        total, count = np.zeros(n), np.zeros(n)
        most_h, most_k = int(a * np.sqrt(high)), int(b * np.sqrt(high))
        for h in range(most_h + 1):
            for k in range(0 if fold_k else -most_k, most_k + 1):
                # 1/d^2 = level + 2 slope l + g_ll l^2
                level = g_hh * h * h + g_kk * k * k + 2 * g_hk * h * k
                slope = g_kl * k + g_hl * h
                inside = slope * slope - g_ll * (level - high)
                if inside < 0:
                    continue
                reach = np.sqrt(inside)
                upper = int(np.floor((-slope + reach) / g_ll))
                lower = 0 if fold_l else int(np.ceil((-slope - reach) / g_ll))
                weight_hk = (2.0 if h > 0 else 1.0) * (2.0 if fold_k and k > 0 else 1.0)
                for l in range(lower, upper + 1):  # noqa: E741
                    found = level + (2 * slope + g_ll * l) * l
                    if found < low or found > high:
                        continue
                    nearby = found * (1 - _SAME_PLACE)
                    j = start[int(nearby * per_step)]
                    while j < n and places[j] <= found * (1 + _SAME_PLACE):
                        if places[j] >= nearby:
                            index = k if along_k else l
                            cosine_squared = index * index / (found * edge * edge)
                            x = r * r * cosine_squared + (1 - cosine_squared) / r
                            weight = weight_hk * (2.0 if fold_l and l > 0 else 1.0)
                            total[j] += weight / (x * np.sqrt(x))
                            count[j] += weight
                        j += 1
        for j in range(n):
            factor[first + order[j]] = total[j] / count[j] if count[j] > 0 else np.nan
