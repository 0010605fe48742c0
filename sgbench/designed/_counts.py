"""Integrals over the unit cube of the likelihood of counts whose means are sums of lines; compiled.

A point with n counts has the factor m^n exp(-m), where m = sum of u A(point) over the lines that
reach it. About the mean of u, the logarithm of m^n is taken to second order; that makes a chain of
`sgbench.designed._chain`, from which the particles are drawn. What the second order leaves out is
put back twice: for one line at a time, those after it following in the mean, into what is drawn
from; and for each point of a drawn chain into its weight, with which the estimate is unbiased.
"""

import math

import numba
import numpy as np

from sgbench.designed._box import draw, log_mass, uniform
from sgbench.designed._chain import (
    forward,
    log_mean,
    prepare,
    propagate,
    reorder,
    resampled,
    shuffle,
)

# Steps of expectation maximisation from intensities of one half, then linearisations about means.
_EM_STEPS, _LINEARISED = 10, 5
# Nodes of a law that is drawn from by its values, and how far it reaches: standard deviations below
# and above the mean, and lengths over which a line without counts falls by e.
_NODES, _BELOW, _ABOVE, _FALL = 64, 8.0, 12.0, 15.0
# Series of the incomplete gamma function are short up to here; steps of Simpson's rule beyond.
_MANY, _STEPS = 1000.0, 1000
# Below it the logarithm is its series.
_SMALL = 0.1
# A point's mean may become zero, or less where it is a mean of Gaussian laws.
_FLOOR = 0.05


@numba.njit(cache=True)
def log_single(n, b):  # type: ignore[no-untyped-def]
    """Return log of the integral of u^n exp(-b u) on [0, 1]."""
    if n > _MANY:
        return _log_single_of_many(n, b)
    if b < n + 2.0:
        term, total, k = 1.0 / (n + 1.0), 1.0 / (n + 1.0), 1.0
        while term > 1e-16 * total:
            term *= b / (n + 1.0 + k)
            total += term
            k += 1.0
        return math.log(total) - b
    # Lentz's continued fraction of the upper incomplete gamma function of n + 1.
    x = b + 1.0 - (n + 1.0)
    c, d = 1e300, 1.0 / x
    fraction = d
    for k in range(1, 100_000):
        step = -k * (k - (n + 1.0))
        x += 2.0
        d = 1.0 / (step * d + x)
        c = x + step / c
        fraction *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    whole = math.lgamma(n + 1.0)
    upper = (n + 1.0) * math.log(b) - b + math.log(fraction)
    return whole + math.log1p(-math.exp(min(upper - whole, -1e-16))) - (n + 1.0) * math.log(b)


@numba.njit(cache=True)
def _log_single_of_many(n, b):  # type: ignore[no-untyped-def]
    """Return the same by Simpson's rule, as far as the integrand is above exp(-40) of its top."""
    top = min(n / b, 1.0)
    slope, bend = n / top - b, n / (top * top)
    below = (math.sqrt(slope * slope + 80.0 * bend) - slope) / bend
    low, high = max(top - below, 0.0), min(top + below, 1.0)
    step, total = (high - low) / _STEPS, 0.0
    for k in range(_STEPS + 1):
        away = low + k * step - top
        weight = 1.0 if k in (0, _STEPS) else 2.0 + 2.0 * (k % 2)
        total += weight * math.exp(n * math.log1p(away / top) - b * away)
    return n * math.log(top) - b * top + math.log(total * step / 3.0)


@numba.njit(cache=True)
def _rest(t):  # type: ignore[no-untyped-def]
    """Return log(1 + t) - t + t^2 / 2."""
    if abs(t) < _SMALL:
        return t**3 * (1 / 3 - t * (1 / 4 - t * (1 / 5 - t * (1 / 6 - t * (1 / 7 - t / 8)))))
    return (math.log1p(t) if t > -1.0 + 1e-15 else -40.0) - t + 0.5 * t * t


@numba.njit(cache=True)
def _guide(t):  # type: ignore[no-untyped-def]
    """Return the same, on a straight line where the mean is next to nothing or below."""
    if t > _FLOOR - 1.0:
        return _rest(t)
    return math.log(_FLOOR) + (1.0 + t - _FLOOR) / _FLOOR - t + 0.5 * t * t


@numba.njit(cache=True)
def fit(lines, first, last, offset, height, counts, total, u, tau, nu):  # type: ignore[no-untyped-def]
    """Find means of a run of lines and a chain about them.

    Parameters
    ----------
    lines : the run's
    first, last, offset, height : of each line, which points with counts it reaches, and its height
        there at u = 1, which begin at `offset`
    counts : of each point
    total : sum of each line's height over all points
    u : filled in, where the chain touches the likelihood
    tau, nu : filled in, the chain's sites

    Returns
    -------
    band, h, means of the points from the run's first, and an estimate of log of the integral
    """
    n, begin = len(lines), first[lines[0]]
    end = last[lines[n - 1]]
    mean, centre, variance = np.zeros(end - begin), np.zeros(n), np.zeros(n)
    u[:] = 0.5
    for _ in range(_EM_STEPS):
        _means(lines, first, last, offset, height, u, begin, mean)
        for i in range(n):
            line = lines[i]
            shared = 0.0
            for x in range(first[line], last[line]):
                shared += counts[x] * height[offset[line] + x - first[line]] / mean[x - begin]
            own = u[i] * shared
            u[i] = (own + 1.0) / max(total[line], own + 2.0)
    width = 1
    for i in range(n):
        while i + width < n and first[lines[i + width]] < last[lines[i]]:
            width += 1
    band, h = np.zeros((n, width)), np.zeros(n)
    logarithm = 0.0
    for round_ in range(_LINEARISED):
        if round_ > 0:
            for i in range(n):
                u[i] = max(centre[i], 0.1 * u[i])
        _means(lines, first, last, offset, height, u, begin, mean)
        logarithm = 0.0
        for x in range(begin, end):
            logarithm += counts[x] * (math.log(mean[x - begin]) - 1.5)
        for i in range(n):
            line = lines[i]
            h[i] = -total[line]
            for x in range(first[line], last[line]):
                h[i] += 2 * counts[x] * height[offset[line] + x - first[line]] / mean[x - begin]
            for j in range(i, min(i + width, n)):
                other, value = lines[j], 0.0
                for x in range(first[other], last[line]):
                    value += (
                        counts[x] / mean[x - begin] ** 2
                        * height[offset[line] + x - first[line]]
                        * height[offset[other] + x - first[other]]
                    )  # fmt: skip
                band[i, j - i] = value
        logarithm += propagate(band, h, tau, nu, centre, variance)
    return band, h, mean, logarithm


@numba.njit(cache=True)
def _means(lines, first, last, offset, height, u, begin, mean):  # type: ignore[no-untyped-def]
    mean[:] = 0.0
    for i in range(len(lines)):
        line = lines[i]
        for x in range(first[line], last[line]):
            mean[x - begin] += u[i] * height[offset[line] + x - first[line]]


@numba.njit(cache=True)
def _responses(lines, first, last, offset, height, upper, mean):  # type: ignore[no-untyped-def]
    """Return the share by which each line changes each point, and where those of a line begin.

    It is the change where the line's intensity is higher by 1, those before it are as they are,
    and those after it follow in the mean.
    """
    n, width = upper.shape
    begin = first[lines[0]]
    start = np.zeros(n + 1, np.int64)
    for j in range(n):
        start[j + 1] = start[j] + last[lines[min(j + width, n) - 1]] - first[lines[j]]
    response = np.zeros(start[n])
    follows = np.zeros(width)
    for j in range(n):
        base = start[j] - first[lines[j]]
        for i in range(j, min(j + width, n)):
            if i == j:
                follows[0] = 1.0
            else:
                total = 0.0
                for m in range(j, i):
                    total -= upper[m, i - m] * follows[m - j]
                follows[i - j] = total / upper[i, 0]
            other = lines[i]
            for x in range(first[other], last[other]):
                response[base + x] += (
                    follows[i - j] * height[offset[other] + x - first[other]] / mean[x - begin]
                )
    return response, start


@numba.njit(cache=True)
def sample_counts(  # type: ignore[no-untyped-def]
    lines, first, last, offset, height, counts, total, band, h, mean, u, tau, nu, n_particles,
    state, found,
):  # fmt: skip
    """Fill in logarithms of unbiased estimates of the integral, by so many particles each.

    Arguments are those of `fit`, and what it returned and filled in.
    """
    n, begin = len(lines), first[lines[0]]
    end = last[lines[n - 1]]
    upper, w = np.zeros_like(band), np.zeros(n)
    prepare(band, h, tau, nu, upper, w)
    response, start = _responses(lines, first, last, offset, height, upper, mean)
    # How far the points' means are from where the second order was taken.
    centre, away = np.zeros(n), np.zeros(end - begin)
    forward(upper, w, centre)
    for i in range(n):
        line = lines[i]
        for x in range(first[line], last[line]):
            share = height[offset[line] + x - first[line]] / mean[x - begin]
            away[x - begin] += share * (centre[i] - u[i])
    nodes, own = np.zeros((n, 2)), np.zeros((n, _NODES))
    for j in range(n):
        wide = 1.0 / upper[j, 0]
        nodes[j, 0] = -min(_BELOW * wide, 1.5)
        above = min(_ABOVE * wide + _FALL / total[lines[j]], 1.5)
        nodes[j, 1] = (above - nodes[j, 0]) / (_NODES - 1)
        for k in range(_NODES):
            for x in range(start[j], start[j + 1]):
                number = counts[first[lines[j]] + x - start[j]]
                own[j, k] += number * _guide((nodes[j, 0] + k * nodes[j, 1]) * response[x])
    constant = 0.0
    for x in range(begin, end):
        constant += counts[x] * (math.log(mean[x - begin]) - 1.5)
    for run in range(len(found)):
        found[run] = constant + _run(
            lines, first, last, offset, height, counts, band, mean, u, tau, nu, upper, w,
            response, start, away, nodes, own, n_particles, state,
        )  # fmt: skip


@numba.njit(cache=True)
def _run(  # type: ignore[no-untyped-def]
    lines, first, last, offset, height, counts, band, mean, u, tau, nu, upper, w,
    response, start, away, nodes, own, n_particles, state,
):  # fmt: skip
    n, width = band.shape
    begin = first[lines[0]]
    drawn, log_weight = np.zeros((n, n_particles)), np.zeros(n_particles)
    # Of each point, how far its mean is off, in the mean over those to come, and what that leaves
    # out of the second order.
    off, left_out = np.zeros((len(away), n_particles)), np.zeros((len(away), n_particles))
    for x in range(len(away)):
        off[x] = away[x]
        left_out[x] = counts[begin + x] * _guide(away[x])
        log_weight += left_out[x, 0]
    order = np.arange(n_particles)
    g, reached = np.empty(_NODES), np.empty(_NODES)
    slope, bend, t = np.empty(n_particles), np.empty(n_particles), np.empty(n_particles)
    done, oldest, logarithm = begin, 0, 0.0
    for j in range(n):
        before, line = max(j - width + 1, 0), lines[j]
        a = max(upper[j, 0] * upper[j, 0] - tau[j], 0.0)
        base = first[line] - begin
        slope[:] = 0.0
        bend[:] = 0.0
        for x in range(start[j], start[j + 1]):
            point = base + x - start[j]
            r, number = response[x], counts[begin + point]
            for p in range(n_particles):
                inverse = 1.0 / max(1.0 + off[point, p], _FLOOR)
                slope[p] += number * r * (inverse - 1.0 + off[point, p])
                bend[p] += number * r * r * (1.0 - inverse * inverse)
        shuffle(order, state)
        for p in range(n_particles):
            shift = w[j]
            for m in range(before, j):
                shift -= upper[m, j - m] * drawn[m, p]
            b = upper[j, 0] * shift - nu[j]
            v = (order[p] + uniform(state)) / n_particles
            centre = shift / upper[j, 0]
            low = min(max(centre + nodes[j, 0], 0.0), 1.0)
            high = min(max(centre + nodes[j, 0] + (_NODES - 1) * nodes[j, 1], 0.0), 1.0)
            if start[j + 1] > start[j] and high > low:
                at, log_density = _draw_by_values(
                    a - bend[p], b + slope[p] - bend[p] * centre, low, high, centre, nodes[j],
                    own[j], v, g, reached,
                )  # fmt: skip
            else:
                at = draw(a, b, v)
                log_density = at * (b - 0.5 * a * at) - log_mass(a, b)
            drawn[j, p], t[p] = at, at - centre
            log_weight[p] += (
                at * (b - 0.5 * a * at) - log_density + 0.5 * (w[j] * w[j] - shift * shift)
            )
        for x in range(start[j], start[j + 1]):
            point = base + x - start[j]
            for p in range(n_particles):
                off[point, p] += t[p] * response[x]
                value = counts[begin + point] * _guide(off[point, p])
                log_weight[p] += value - left_out[point, p]
                left_out[point, p] = value
        # Points that no later line reaches get what they are due.
        end = min(first[lines[j + 1]], last[line]) if j < n - 1 else last[line]
        for x in range(done, end):
            while last[lines[oldest]] <= x:
                oldest += 1
            t[:] = 0.0
            for i in range(oldest, j + 1):
                share = height[offset[lines[i]] + x - first[lines[i]]] / mean[x - begin]
                for p in range(n_particles):
                    t[p] += share * (drawn[i, p] - u[i])
            for p in range(n_particles):
                log_weight[p] += counts[x] * _rest(t[p]) - left_out[x - begin, p]
        done = max(done, end)
        if j < n - 1:
            stop = last[lines[min(j + width, n) - 1]] - begin
            chosen = resampled(log_weight, state)
            if len(chosen):
                logarithm += log_mean(log_weight)
                log_weight[:] = 0.0
                for values in (drawn[min(before, oldest) : j + 1], off[done - begin : stop],
                               left_out[done - begin : stop]):  # fmt: skip
                    reorder(values, chosen)
    return logarithm + log_mean(log_weight)


@numba.njit(cache=True)
def _draw_by_values(a, b, low, high, centre, nodes, own, v, g, reached):  # type: ignore[no-untyped-def]
    """Draw u from exp(own(u - centre) + b u - a u^2 / 2), with a logarithm straight between nodes.

    Returns
    -------
    u, and log of the density of the draw
    """
    step = (high - low) / (_NODES - 1)
    top = -np.inf
    for k in range(_NODES):
        u = low + k * step
        place = (u - centre - nodes[0]) / nodes[1]
        node = min(max(int(place), 0), _NODES - 2)
        place -= node
        g[k] = own[node] + place * (own[node + 1] - own[node]) + u * (b - 0.5 * a * u)
        top = max(top, g[k])
    total, before = 0.0, math.exp(g[0] - top)
    for k in range(1, _NODES):
        here = math.exp(g[k] - top)
        rise = g[k] - g[k - 1]
        total += 0.5 * (before + here) if abs(rise) < 1e-5 else (here - before) / rise
        reached[k] = total
        before = here
    wanted, k = v * total, 1
    while reached[k] < wanted and k < _NODES - 1:
        k += 1
    part = wanted - (reached[k - 1] if k > 1 else 0.0)
    start, rise = math.exp(g[k - 1] - top), g[k] - g[k - 1]
    if abs(rise) < 1e-5:
        place = part / max(start, 1e-300)
    else:
        place = math.log1p(part * rise / max(start, 1e-300)) / rise
    place = min(max(place, 0.0), 1.0)
    u = low + (k - 1 + place) * step
    log_density = g[k - 1] + place * rise - top - math.log(total * step)
    return u, log_density
