"""Preferred orientation: crystallites lie as their shape makes them lie.

March (1932), Z. Kristallogr. 81, 285, and Dollase (1986), J. Appl. Cryst. 19, 267: a reflection at
the angle alpha from the texture's axis is (r^2 cos^2 alpha + sin^2 alpha / r)^(-3/2) times as
strong; r below 1 is for plates, above 1 for needles, 1 for none.

A line is as strong as the average over all reflections that the bare lattice has at its place,
whether the structure has them or not. An average over those that are there, or over those that the
Laue class makes equivalent, would tell groups apart that have the same extinctions.

The axis is c, and b in a cell where b alone is perpendicular to the two others (monoclinic). In a
cube it makes no difference which edge it is: the reflections of a line are those of all three.
"""

import numba
import numpy as np

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, lines_of, times
from sgbench.diffraction import Samples, metric
from sgbench.errors import SgbenchError

# Reflections and lines whose 1/d^2 differ by less than this (relative) are at the same place.
_SAME_PLACE = 1e-6
# Places are found by a table of this many steps of 1/d^2.
_STEPS = 2048


def orient(samples: Samples, march: Amount) -> Samples:
    """Multiply intensities by March and Dollase's factor, averaged over the lattice's reflections.

    Samples with a parameter of 0 have no texture.
    """
    lines = lines_of(samples, "texture")
    if samples.cell is None:
        raise SgbenchError(
            "the condition 'texture' needs the cell of each sample, and these have none; expected "
            "a designed set or structures. Leave the condition out."
        )
    r = march.of(samples.ids)
    q = np.square(2 * np.sin(np.radians(lines.two_theta) / 2) / samples.protocol.wavelength)
    cells = np.ascontiguousarray(samples.cell)
    metrics = np.ascontiguousarray(metric("triclinic", cells))
    factor = np.empty(len(q))
    _average(lines.offsets, q, metrics, cells, np.where(r > 0, r, 1.0), factor)
    if np.isnan(factor).any():
        raise SgbenchError(
            f"the condition 'texture' found no reflection of the cell at {np.isnan(factor).sum()} "
            "lines; expected them where the cell has them. Write the conditions that move or add "
            "lines behind it."
        )
    return times(samples, lines, factor)


# A reflection stands for its mirror images too, where the angles make them as long: those in h
# always (with Friedel's law), in k where b is perpendicular to a and c, in l where c is to a and b.
@numba.njit(cache=True)
def _average(offsets, q, metrics, cells, parameters, factor):  # type: ignore[no-untyped-def]
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


TEXTURE = ConditionKind(
    "texture",
    "of March's r",
    "crystallites that lie along c (b if monoclinic), as plates with r < 1 and needles with r > 1",
    "March (1932), Z. Kristallogr. 81, 285; Dollase (1986), J. Appl. Cryst. 19, 267",
    (0.9, 0.8, 0.7, 0.6, 0.5),
    0.0,
    2.0,
    orient,
)
