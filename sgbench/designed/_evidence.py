"""What a noisy pattern says of each class and setting of the axes; compiled.

The lines of each setting fall into runs that do not overlap, and each run has an integral of its
own (`_chain`, `_counts`), whichever settings have it in common.
"""

import numba
import numpy as np

from sgbench.designed._chain import prepare, propagate, sample
from sgbench.designed._counts import fit, log_single, sample_counts
from sgbench.diffraction import TAIL_SIGMAS

# The profile is followed to so many standard deviations, where it has fallen to 1e-9.
_TAIL = 6.5
# Two lines are independent if the product of their intensities enters the log-likelihood with no
# more than this; all that is left out of a pattern then comes to less than 1e-3.
_COUPLED = 1e-6
# Settings whose estimated chance is below exp(-20) of the best one's are left at that estimate.
_HOPELESS = 20.0
# Particles of a run; runs of the first round, and the most of all rounds.
_PARTICLES, _RUNS, _MOST_RUNS = 32, 8, 128
# Rounds go on until no probability has a larger standard error.
_ERROR = 0.01
_ODD = np.uint64(0x9E3779B97F4A7C15)


@numba.njit(cache=True, parallel=True)
def posteriors(  # type: ignore[no-untyped-def]
    patterns, level, counting, metrics, coefficients, present, log_prior, n_relabellings,
    wavelength, lowest, highest, origin, step, sigma,
):  # fmt: skip
    n, n_classes = len(patterns), len(present) // n_relabellings
    chances, variances = np.zeros((n, n_classes)), np.zeros((n, n_classes))
    for i in numba.prange(n):
        rows, position, lorentz = _lines(
            metrics[i], coefficients, wavelength, lowest, highest
        )  # fmt: skip
        shown = np.empty((len(present), len(rows)), np.bool_)
        for setting in range(len(present)):
            for line in range(len(rows)):
                shown[setting, line] = present[setting, rows[line]]
        # The same random numbers for the same pattern, wherever it stands.
        state = np.zeros(1, np.uint64)
        for point in range(patterns.shape[1]):
            state[0] = (state[0] + np.uint64(abs(patterns[i, point]) * 65536)) * _ODD
        if counting:
            equations = np.zeros((0, 1)), np.zeros(0)
            counted = _counted(patterns[i], level[i], position, lorentz, origin, step, sigma)
            joined = _sharing(counted)
        else:
            equations = _normal_equations(
                patterns[i], level[i], position, lorentz, origin, step, sigma
            )  # fmt: skip
            counted = _no_counts()
            joined = equations[0] > 0
        _of_settings(
            (equations, counted), counting, joined, shown, log_prior, n_relabellings, state,
            chances[i], variances[i],
        )  # fmt: skip
    return chances, variances


@numba.njit(cache=True)
def _lines(metrics, coefficients, wavelength, lowest, highest):  # type: ignore[no-untyped-def]
    """Return row, two_theta and Lorentz factor of all lines of the lattice, by angle."""
    q = np.zeros(len(coefficients))
    for line in range(len(coefficients)):
        for parameter in range(len(metrics)):
            q[line] += coefficients[line, parameter] * metrics[parameter]
    inside = np.flatnonzero((q >= lowest) & (q <= highest))
    rows = inside[np.argsort(q[inside])]
    sine = 0.5 * wavelength * np.sqrt(q[rows])
    angle = 2 * np.arcsin(sine)
    return rows, np.degrees(angle), 1.0 / (np.sin(angle) * sine)


@numba.njit(cache=True)
def _normal_equations(pattern, deviation, position, lorentz, origin, step, sigma):  # type: ignore[no-untyped-def]
    """Return P (as a band) and h of the log-likelihood h u - u P u / 2 of the intensities u."""
    n, n_points = len(position), len(pattern)
    per_variance = 1.0 / deviation**2
    h = np.zeros(n)
    for i in range(n):
        first, last = _reach(position[i], position[i], origin, step, sigma, n_points)
        total = 0.0
        for point in range(first, last):
            z = (origin + point * step - position[i]) / sigma
            total += pattern[point] * np.exp(-0.5 * z * z)
        h[i] = total * lorentz[i] * per_variance
    width = 1
    for i in range(n):
        j = i + width
        while j < n and position[j] - position[i] < 2 * _TAIL * sigma:
            j += 1
        width = max(width, j - i)
    band = np.zeros((n, width))
    bottom = origin + _TAIL * sigma
    top = origin + (n_points - 1) * step - _TAIL * sigma
    whole = sigma * np.sqrt(np.pi) / step
    for i in range(n):
        for j in range(i, min(i + width, n)):
            apart = (position[j] - position[i]) / sigma
            if apart > 2 * _TAIL:
                break
            if position[i] > bottom and position[j] < top:
                total = whole * np.exp(-0.25 * apart * apart)
            else:
                total = 0.0
                first, last = _reach(position[i], position[j], origin, step, sigma, n_points)
                for point in range(first, last):
                    z = (origin + point * step - position[i]) / sigma
                    total += np.exp(-0.5 * (z * z + (z - apart) * (z - apart)))
            value = total * lorentz[i] * lorentz[j] * per_variance
            band[i, j - i] = value if value > _COUPLED or i == j else 0.0
    return band, h


@numba.njit(cache=True)
def _no_counts():  # type: ignore[no-untyped-def]
    none = np.zeros(0, np.int64)
    return none, none, none, np.zeros(0), np.zeros(0), np.zeros(0)


@numba.njit(cache=True)
def _counted(pattern, per_unit, position, lorentz, origin, step, sigma):  # type: ignore[no-untyped-def]
    """Return what `fit` needs: points with counts that lines reach, heights there, and totals."""
    n, n_points = len(position), len(pattern)
    before, counts = np.zeros(n_points + 1, np.int64), np.zeros(n_points)
    for point in range(n_points):
        number = np.rint(pattern[point] * per_unit)
        before[point + 1] = before[point] + (number > 0)
        if number > 0:
            counts[before[point]] = number
    counts = counts[: before[n_points]]
    first, last = np.zeros(n, np.int64), np.zeros(n, np.int64)
    offset, total = np.zeros(n, np.int64), np.zeros(n)
    # As far as profiles are rendered; beyond, there is no count.
    half = int(np.ceil(TAIL_SIGMAS * sigma / step)) + 1
    heights = np.zeros(n * (2 * half + 1))
    filled = 0
    for i in range(n):
        centre = int(np.floor((position[i] - origin) / step))
        start, stop = max(centre - half, 0), min(centre + half + 1, n_points)
        start, stop = min(start, n_points), max(stop, 0)
        first[i], last[i], offset[i] = before[start], before[max(stop, start)], filled
        for point in range(start, stop):
            z = (origin + point * step - position[i]) / sigma
            height = per_unit * lorentz[i] * np.exp(-0.5 * z * z)
            total[i] += height
            if before[point + 1] > before[point]:
                heights[filled] = height
                filled += 1
    return first, last, offset, heights[:filled], counts, total


@numba.njit(cache=True)
def _sharing(data):  # type: ignore[no-untyped-def]
    """Tell which lines share a point with counts, as a band."""
    first, last = data[0], data[1]
    n, width = len(first), 1
    for i in range(n):
        while i + width < n and first[i + width] < last[i]:
            width += 1
    joined = np.zeros((n, width), np.bool_)
    for i in range(n):
        for j in range(i, min(i + width, n)):
            joined[i, j - i] = first[j] < last[i]
    return joined


@numba.njit(cache=True)
def _reach(left, right, origin, step, sigma, n_points):  # type: ignore[no-untyped-def]
    """Return first and one past the last point that both lines reach; left <= right."""
    first = int(np.ceil((right - _TAIL * sigma - origin) / step))
    last = int(np.floor((left + _TAIL * sigma - origin) / step)) + 1
    return max(first, 0), min(last, n_points)


@numba.njit(cache=True)
def _pieces(shown, joined):  # type: ignore[no-untyped-def]
    """Break the lines of each setting into runs that do not overlap, and name equal runs once.

    Returns
    -------
    lines, offsets : the lines of each run, one after the other
    of_setting, setting_offsets : the runs of each setting, one after the other
    """
    n_settings, n = shown.shape
    width = joined.shape[1]
    lines, offsets = [0 for _ in range(0)], [0]
    of_setting, setting_offsets = [0 for _ in range(0)], [0]
    # Of each first line, the newest run that begins with it, and of each run the one before.
    newest = np.full(n, -1)
    before = [0 for _ in range(0)]
    for setting in range(n_settings):
        mine = np.flatnonzero(shown[setting])
        start = 0
        for place in range(len(mine)):
            here = mine[place]
            if place + 1 < len(mine):
                gap = mine[place + 1] - here
                if gap < width and joined[here, gap]:
                    continue
            run = newest[mine[start]]
            while run >= 0:
                first, last = offsets[run], offsets[run + 1]
                same = last - first == place + 1 - start
                k = 0
                while same and k < last - first:
                    same = lines[first + k] == mine[start + k]
                    k += 1
                if same:
                    break
                run = before[run]
            if run < 0:
                run = len(offsets) - 1
                before.append(newest[mine[start]])
                newest[mine[start]] = run
                for k in range(start, place + 1):
                    lines.append(mine[k])
                offsets.append(len(lines))
            of_setting.append(run)
            start = place + 1
        setting_offsets.append(len(of_setting))
    return (
        np.array(lines), np.array(offsets), np.array(of_setting), np.array(setting_offsets)
    )  # fmt: skip


@numba.njit(cache=True)
def _part(band, lines):  # type: ignore[no-untyped-def]
    """Return the rows and columns of some lines."""
    width = 1
    for i in range(len(lines)):
        while (
            i + width < len(lines)
            and lines[i + width] - lines[i] < band.shape[1]
            and band[lines[i], lines[i + width] - lines[i]] > 0
        ):
            width += 1
    part = np.zeros((len(lines), width))
    for i in range(len(lines)):
        for d in range(min(width, len(lines) - i)):
            apart = lines[i + d] - lines[i]
            if apart < band.shape[1]:
                part[i, d] = band[lines[i], apart]
    return part


@numba.njit(cache=True)
def _explains(shown, data):  # type: ignore[no-untyped-def]
    """Tell whether each count can come from a line."""
    first, last, counts = data[0], data[1], data[4]
    reached = 0
    for line in range(len(shown)):
        if shown[line] and last[line] > first[line]:
            if first[line] > reached:
                return False
            reached = max(reached, last[line])
    return reached == len(counts)


@numba.njit(cache=True)
def _estimate(data, counting, lines, tau, nu):  # type: ignore[no-untyped-def]
    """Return log of a run's integral: exact for a single line, else by expectation propagation."""
    n = len(lines)
    if not counting:
        band, h = data[0]
        return propagate(_part(band, lines), h[lines], tau, nu, np.zeros(n), np.zeros(n))
    first, last, offset, height, counts, total = data[1]
    if n > 1:
        return fit(lines, first, last, offset, height, counts, total, np.zeros(n), tau, nu)[3]
    line, number, logarithm = lines[0], 0.0, 0.0
    for x in range(first[line], last[line]):
        number += counts[x]
        logarithm += counts[x] * np.log(height[offset[line] + x - first[line]])
    return logarithm + log_single(number, total[line])


@numba.njit(cache=True)
def _sampled(data, counting, lines, tau, nu, state, estimates):  # type: ignore[no-untyped-def]
    """Fill in unbiased estimates of a run's integral, as logarithms."""
    n = len(lines)
    if counting:
        first, last, offset, height, counts, total = data[1]
        u = np.zeros(n)
        band, h, mean, _ = fit(lines, first, last, offset, height, counts, total, u, tau, nu)
        sample_counts(
            lines, first, last, offset, height, counts, total, band, h, mean, u, tau, nu,
            _PARTICLES, state, estimates,
        )  # fmt: skip
        return
    whole, all_h = data[0]
    part, own_h = _part(whole, lines), all_h[lines]
    upper, w = np.zeros_like(part), np.zeros(n)
    prepare(part, own_h, tau, nu, upper, w)
    for k in range(len(estimates)):
        estimates[k] = sample(part, own_h, tau, nu, upper, w, _PARTICLES, state)


@numba.njit(cache=True)
def _of_settings(  # type: ignore[no-untyped-def]
    data, counting, joined, shown, log_prior, n_relabellings, state, chance, variance
):  # fmt: skip
    """Fill in the chance of each class, and the variance of the estimate."""
    lines, offsets, of_setting, setting_offsets = _pieces(shown, joined)
    n_runs, n_settings = len(offsets) - 1, len(shown)
    tau, nu = np.full(len(lines), 12.0), np.full(len(lines), 6.0)
    value = np.zeros(n_runs)
    for run in range(n_runs):
        here = slice(offsets[run], offsets[run + 1])
        value[run] = _estimate(data, counting, lines[here], tau[here], nu[here])
    prior = log_prior.copy()
    if counting:
        for setting in range(n_settings):
            if not _explains(shown[setting], data[1]):
                prior[setting] = -1e300
    member = np.zeros((n_settings, n_runs), np.bool_)
    for setting in range(n_settings):
        for place in range(setting_offsets[setting], setting_offsets[setting + 1]):
            member[setting, of_setting[place]] = True
    score = np.zeros(n_settings)
    _scores(member, value, prior, score)
    likely = score > score.max() - _HOPELESS
    # Runs of one line are exact, and those that all have cancel.
    open_ = np.zeros(n_runs, np.bool_)
    for run in range(n_runs):
        count = np.sum(member[likely, run])
        open_[run] = offsets[run + 1] - offsets[run] > 1 and 0 < count < np.sum(likely)
    estimates = np.zeros((n_runs, _MOST_RUNS))
    made = np.zeros(n_runs, np.int64)
    spread = np.zeros(n_runs)
    wanted = np.where(open_, _RUNS, 0)
    p = np.zeros(n_settings)
    while True:
        for run in range(n_runs):
            if wanted[run] == made[run]:
                continue
            here = slice(offsets[run], offsets[run + 1])
            _sampled(
                data, counting, lines[here], tau[here], nu[here], state,
                estimates[run, made[run] : wanted[run]],
            )  # fmt: skip
            made[run] = wanted[run]
            found = estimates[run, : made[run]]
            top = found.max()
            weight = np.exp(found - top)
            value[run] = top + np.log(weight.mean())
            spread[run] = weight.var() / (len(found) - 1) / weight.mean() ** 2
        _scores(member, value, prior, score)
        for setting in range(n_settings):
            p[setting] = np.exp(score[setting] - score.max())
        p /= p.sum()
        chance[:] = 0.0
        for setting in range(n_settings):
            chance[setting // n_relabellings] += p[setting]
        # d p_c = sum over runs of (its error) p_c (share of the class with it - share of all).
        variance[:] = 0.0
        part_of = np.zeros((n_runs, len(chance)))
        for run in range(n_runs):
            if not open_[run]:
                continue
            overall = np.sum(p[member[:, run]])
            for setting in range(n_settings):
                if member[setting, run]:
                    part_of[run, setting // n_relabellings] += p[setting]
            for c in range(len(chance)):
                part_of[run, c] = spread[run] * (part_of[run, c] - chance[c] * overall) ** 2
                variance[c] += part_of[run, c]
        worst = variance.argmax()
        if variance[worst] <= _ERROR**2:
            break
        mean = variance[worst] / max(np.sum(open_), 1)
        more = False
        for run in range(n_runs):
            if part_of[run, worst] > 0.5 * mean and made[run] < _MOST_RUNS:
                wanted[run] = min(2 * made[run], _MOST_RUNS)
                more = True
        if not more:
            break


@numba.njit(cache=True)
def _scores(member, value, log_prior, score):  # type: ignore[no-untyped-def]
    for setting in range(len(member)):
        score[setting] = log_prior[setting]
        for run in range(len(value)):
            if member[setting, run]:
                score[setting] += value[run]
