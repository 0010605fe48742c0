"""Kernels of line finding: profiles, a filter matched to them, and fits of neighbouring lines.

A line is a pseudo-Voigt (Wertheim et al. 1974, Rev. Sci. Instrum. 45, 1369) of height 1 with, where
there is K-alpha-2, a second one behind it. Everything here works on a residual: the pattern less
its background and less all lines found so far.
"""

import numba
import numpy as np

# Lines that are fitted at once, and how far apart (widths) neighbours in such a group are.
MOST_AT_ONCE = 8
_NEIGHBOURS = 1.5
# A window of a fit and of the filter, in widths to each side.
_FIT, _FILTER = 1.0, 2.0
# Lines closer than this (widths) are one line.
_SAME = 0.3
# A profile is cut off so many widths from its place.
_CUT = 12.0
# So far (widths) around a fit the filter is applied again.
_AGAIN = 3.0
_STEPS = 6
_LN2 = np.log(2.0)


@numba.njit(cache=True)
def width_at(place, shape):  # type: ignore[no-untyped-def]
    """Return the full width at half maximum at an angle: sqrt(u + v tan^2(theta)), degrees."""
    tangent = np.tan(np.radians(place) / 2)
    return np.sqrt(max(shape[0] + shape[1] * tangent * tangent, 1e-8))


@numba.njit(cache=True)
def _one(x, eta):  # type: ignore[no-untyped-def]
    """Return a pseudo-Voigt of height 1 and its slope, x in half widths."""
    square = x * x
    lorentz = 1.0 / (1.0 + square)
    gauss = np.exp(-_LN2 * square)
    value = eta * lorentz + (1 - eta) * gauss
    slope = -2 * x * (eta * lorentz * lorentz + (1 - eta) * _LN2 * gauss)
    return value, slope


@numba.njit(cache=True)
def second_place(place, longer):  # type: ignore[no-untyped-def]
    """Return where K-alpha-2 of a line is, and how fast that moves with the line."""
    sine = np.sin(np.radians(place) / 2) * longer
    if sine >= 1.0:
        return 1e9, 1.0
    angle = 2 * np.arcsin(sine)
    return np.degrees(angle), longer * np.cos(np.radians(place) / 2) / np.cos(angle / 2)


@numba.njit(cache=True)
def line_at(t, place, half, shape, longer, ratio):  # type: ignore[no-untyped-def]
    """Return a line of height 1 at an angle, and its derivative by its place (per degree)."""
    eta = shape[2]
    value, slope = _one((t - place) / half, eta)
    slope = -slope / half
    if ratio > 0.0:
        other, rate = second_place(place, longer)
        more, rises = _one((t - other) / half, eta)
        value += ratio * more
        slope -= ratio * rises / half * rate
    return value, slope


@numba.njit(cache=True)
def profile_at(t, place, half, shape, longer, ratio):  # type: ignore[no-untyped-def]
    """Return a line of height 1 at some angles."""
    value = np.empty_like(t)
    for j in range(len(t)):
        value[j] = line_at(t[j], place, half, shape, longer, ratio)[0]
    return value


@numba.njit(cache=True)
def add_line(model, t, place, height, shape, longer, ratio):  # type: ignore[no-untyped-def]
    """Add a line to a model, in place."""
    width = width_at(place, shape)
    reach = _CUT * width
    stop = place + reach
    if ratio > 0.0:
        stop = min(second_place(place, longer)[0] + reach, 200.0)
    for j in range(np.searchsorted(t, place - reach), np.searchsorted(t, stop)):
        model[j] += height * line_at(t[j], place, width / 2, shape, longer, ratio)[0]


@numba.njit(cache=True)
def filtered(out, first, last, t, residual, weight, shape, longer, ratio):  # type: ignore[no-untyped-def]
    """Write how much a line at each point stands out of the noise, in standard deviations.

    A constant is fitted with the line, so that an error of the background is no line.
    """
    for i in range(first, last):
        width = width_at(t[i], shape)
        reach = _FILTER * width
        stop = t[i] + reach
        sw, sg, sgg, sr, sgr = 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(np.searchsorted(t, t[i] - reach), np.searchsorted(t, stop)):
            g, _ = line_at(t[j], t[i], width / 2, shape, longer, ratio)
            w = weight[j]
            sw += w
            sg += w * g
            sgg += w * g * g
            sr += w * residual[j]
            sgr += w * g * residual[j]
        left = sgg - sg * sg / sw if sw > 0 else 0.0
        out[i] = (sgr - sg * sr / sw) / np.sqrt(left) if left > 0 else 0.0


@numba.njit(cache=True)
def _group(which, place, count, shape):  # type: ignore[no-untyped-def]
    """Return the lines that lie near a line, directly or through others, at most so many."""
    chosen = np.empty(MOST_AT_ONCE, np.int64)
    chosen[0] = which
    size = 1
    reach = _NEIGHBOURS * width_at(place[which], shape)
    while size < MOST_AT_ONCE:
        nearest, distance = -1, reach
        for other in range(count):
            taken = False
            for k in range(size):
                taken |= chosen[k] == other
            if taken:
                continue
            for k in range(size):
                apart = abs(place[other] - place[chosen[k]])
                if apart < distance and abs(place[other] - place[which]) < 2.5 * reach:
                    nearest, distance = other, apart
        if nearest < 0:
            break
        chosen[size] = nearest
        size += 1
    return chosen[:size]


@numba.njit(cache=True)
def fit_group(which, place, height, sigma, count, t, y, model, weight, shape, longer, ratio):  # type: ignore[no-untyped-def]
    """Fit places and heights of a line and its neighbours, with a constant below them.

    Changes `place`, `height`, `sigma` (standard uncertainty of the places) and `model`, and returns
    the span of points that changed.
    """
    group = _group(which, place, count, shape)
    n = len(group)
    low, high = 1e9, -1e9
    for k in range(n):
        width = width_at(place[group[k]], shape)
        low = min(low, place[group[k]] - _FIT * width)
        high = max(high, place[group[k]] + _FIT * width)
        if ratio > 0.0:
            high = max(high, second_place(place[group[k]], longer)[0] + 0.5 * width)
    first, last = np.searchsorted(t, low), np.searchsorted(t, high)
    before_place, before_height = place[group].copy(), height[group].copy()
    base = y[first:last] - model[first:last]
    for k in range(n):
        half = width_at(place[group[k]], shape) / 2
        for j in range(first, last):
            base[j - first] += (
                height[group[k]] * line_at(t[j], place[group[k]], half, shape, longer, ratio)[0]
            )
    p = 2 * n + 1
    now_place, now_height, constant = before_place.copy(), before_height.copy(), 0.0
    new_place, new_height = now_place.copy(), now_height.copy()
    new_constant = constant
    row = np.empty(p)
    best, damping = np.inf, 1e-3
    kept = np.eye(p)
    fitted = 0.0
    for _ in range(_STEPS + 1):
        normal, right, total = np.zeros((p, p)), np.zeros(p), 0.0
        for j in range(first, last):
            left = base[j - first] - new_constant
            for k in range(n):
                half = width_at(new_place[k], shape) / 2
                g, slope = line_at(t[j], new_place[k], half, shape, longer, ratio)
                left -= new_height[k] * g
                row[2 * k] = new_height[k] * slope
                row[2 * k + 1] = g
            row[2 * n] = 1.0
            w = weight[j]
            total += w * left * left
            for a in range(p):
                right[a] += w * row[a] * left
                for b in range(a + 1):
                    normal[a, b] += w * row[a] * row[b]
        for a in range(p):
            for b in range(a):
                normal[b, a] = normal[a, b]
        if total < best:
            gain = best - total
            best, damping = total, damping * 0.1
            now_place, now_height, constant = new_place.copy(), new_height.copy(), new_constant
            kept, fitted = normal, total
            kept_right = right
            if gain < 1e-3 * best:
                break
        else:
            damping *= 30.0
        damped = kept.copy()
        for a in range(p):
            damped[a, a] += damping * kept[a, a] + 1e-300
        step = np.linalg.solve(damped, kept_right)
        for k in range(n):
            width = width_at(now_place[k], shape)
            new_place[k] = now_place[k] + min(max(step[2 * k], -0.2 * width), 0.2 * width)
            new_height[k] = max(now_height[k] + step[2 * k + 1], 0.02 * now_height[k])
        new_constant = constant + step[2 * n]
    for a in range(p):
        kept[a, a] *= 1 + 1e-9
        kept[a, a] += 1e-300
    inverse = np.linalg.inv(kept)
    excess = max(fitted / max(last - first - p, 1), 1.0)  # type: ignore[operator]
    for k in range(n):
        add_line(model, t, before_place[k], -before_height[k], shape, longer, ratio)
        add_line(model, t, now_place[k], now_height[k], shape, longer, ratio)
        place[group[k]], height[group[k]] = now_place[k], now_height[k]
        sigma[group[k]] = np.sqrt(max(inverse[2 * k, 2 * k], 0.0) * excess)
    return low, high


@numba.njit(cache=True)
def remove_weak(place, height, sigma, count, t, model, weight, least, shape, longer, ratio):  # type: ignore[no-untyped-def]
    """Drop lines that do not stand out, and the weaker of two that are one; return the count."""
    k = 0
    while k < count:
        half = width_at(place[k], shape) / 2
        power = 0.0
        for j in range(
            np.searchsorted(t, place[k] - 2 * half), np.searchsorted(t, place[k] + 2 * half)
        ):
            g, _ = line_at(t[j], place[k], half, shape, longer, ratio)
            power += weight[j] * g * g
        weak = height[k] * np.sqrt(power) < least
        for other in range(count):
            if other != k and abs(place[other] - place[k]) < _SAME * 2 * half:
                weak |= height[other] > height[k] or (height[other] == height[k] and other < k)
        if weak:
            add_line(model, t, place[k], -height[k], shape, longer, ratio)
            count -= 1
            place[k], height[k], sigma[k] = place[count], height[count], sigma[count]
        else:
            k += 1
    return count


@numba.njit(cache=True)
def pursue(place, height, sigma, count, t, y, model, variance, misfit, least, shape, longer, ratio):  # type: ignore[no-untyped-def]
    """Add the line that stands out most, fit it with its neighbours, and so on; return the count.

    A share of the model counts as noise, since no profile is known exactly.
    """
    n = len(t)
    weight = 1.0 / (variance + (misfit * model) ** 2)
    out = np.zeros(n)
    filtered(out, 0, n, t, y - model, weight, shape, longer, ratio)
    while count < len(place):
        top = np.argmax(out)
        if out[top] < least:
            break
        width = width_at(t[top], shape)
        close = False
        for k in range(count):
            close |= abs(place[k] - t[top]) < _SAME * width
        if close or y[top] - model[top] <= 0.0:
            # What is left beside a line is its profile's error.
            for j in range(
                np.searchsorted(t, t[top] - 0.15 * width),
                np.searchsorted(t, t[top] + 0.15 * width) + 1,
            ):
                if j < n:
                    out[j] = -np.inf
            out[top] = -np.inf
            continue
        place[count], height[count] = t[top], y[top] - model[top]
        add_line(model, t, place[count], height[count], shape, longer, ratio)
        count += 1
        low, high = fit_group(
            count - 1, place, height, sigma, count, t, y, model, weight, shape, longer, ratio
        )
        first = np.searchsorted(t, low - _CUT * width)
        last = np.searchsorted(t, high + _CUT * width)
        for j in range(first, last):
            weight[j] = 1.0 / (variance[j] + (misfit * model[j]) ** 2)
        near = _AGAIN * width
        first, last = np.searchsorted(t, low - near), np.searchsorted(t, high + near)
        blocked = out == -np.inf
        filtered(out, first, last, t, y - model, weight, shape, longer, ratio)
        for j in range(first, last):
            if blocked[j]:
                out[j] = -np.inf
    return count
