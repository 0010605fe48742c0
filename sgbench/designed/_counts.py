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
from sgbench.designed._chain import log_mean, prepare, propagate, resample, shuffle

# Steps of expectation maximisation from intensities of one half, then linearisations about means.
_EM_STEPS, _LINEARISED = 10, 5
# Nodes of a law that is drawn from by its values, and how far it reaches: standard deviations below
# and above the mean, and lengths over which a line without counts falls by e.
_NODES, _BELOW, _ABOVE, _FALL = 64, 8.0, 12.0, 15.0
# Series of the incomplete gamma function are short up to here; steps of Simpson's rule beyond.
_MANY, _STEPS = 1000.0, 1000
# Below it the logarithm is its series.
_SMALL = 0.1


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
def _responses(lines, first, last, offset, height, upper, mean, response):  # type: ignore[no-untyped-def]
    """Fill in by how much of itself a point changes, of each line that reaches it.

    It is the change where that line has an intensity higher by 1, those before it are as they are,
    and those after it follow in the mean.
    """
    n, width = upper.shape
    begin = first[lines[0]]
    follows = np.zeros(width)
    for j in range(n):
        line = lines[j]
        base = offset[line] - first[line]
        follows[0] = 1.0
        for i in range(j + 1, min(j + width, n)):
            total = 0.0
            for m in range(j, i):
                total -= upper[m, i - m] * follows[m - j]
            follows[i - j] = total / upper[i, 0]
        for i in range(j, min(j + width, n)):
            other = lines[i]
            for x in range(max(first[other], first[line]), min(last[other], last[line])):
                response[base + x] += (
                    follows[i - j] * height[offset[other] + x - first[other]] / mean[x - begin]
                )


@numba.njit(cache=True)
def _own(away, share, counts):  # type: ignore[no-untyped-def]
    """Return what the second order leaves out where one line is away, and those after it follow."""
    value = 0.0
    for x in range(len(counts)):
        value += counts[x] * _rest(away * share[x])
    return value


@numba.njit(cache=True)
def sample_counts(  # type: ignore[no-untyped-def]
    lines, first, last, offset, height, counts, total, band, h, mean, u, tau, nu, n_particles,
    state, found,
):  # fmt: skip
    """Fill in logarithms of unbiased estimates of the integral, by so many particles each.

    Arguments are those of `fit`, and what it returned and filled in.
    """
    n, begin = len(lines), first[lines[0]]
    upper, w = np.zeros_like(band), np.zeros(n)
    prepare(band, h, tau, nu, upper, w)
    response = np.zeros(len(height))
    _responses(lines, first, last, offset, height, upper, mean, response)
    nodes, own = np.zeros((n, 2)), np.zeros((n, _NODES))
    for j in range(n):
        line = lines[j]
        share = response[offset[line] : offset[line] + last[line] - first[line]]
        wide = 1.0 / upper[j, 0]
        nodes[j, 0] = -min(_BELOW * wide, 1.5)
        above = min(_ABOVE * wide + _FALL / total[line], 1.5)
        nodes[j, 1] = (above - nodes[j, 0]) / (_NODES - 1)
        for k in range(_NODES):
            own[j, k] = _own(nodes[j, 0] + k * nodes[j, 1], share, counts[first[line] : last[line]])
    constant = 0.0
    for x in range(begin, last[lines[n - 1]]):
        constant += counts[x] * (math.log(mean[x - begin]) - 1.5)
    for run in range(len(found)):
        found[run] = constant + _run(
            lines, first, last, offset, height, counts, band, mean, u, tau, nu, upper, w,
            response, nodes, own, n_particles, state,
        )  # fmt: skip


@numba.njit(cache=True)
def _run(  # type: ignore[no-untyped-def]
    lines, first, last, offset, height, counts, band, mean, u, tau, nu, upper, w,
    response, nodes, own, n_particles, state,
):  # fmt: skip
    n, width = band.shape
    begin = first[lines[0]]
    drawn, away = np.zeros((n, n_particles)), np.zeros((n, n_particles))
    log_weight = np.zeros(n_particles)
    order = np.arange(n_particles)
    g, reached = np.empty(_NODES), np.empty(_NODES)
    t = np.empty(n_particles)
    done, oldest, logarithm = begin, 0, 0.0
    for j in range(n):
        left, line = max(j - width + 1, 0), lines[j]
        a = max(upper[j, 0] * upper[j, 0] - tau[j], 0.0)
        share = response[offset[line] : offset[line] + last[line] - first[line]]
        of_points = counts[first[line] : last[line]]
        shuffle(order, state)
        for p in range(n_particles):
            shift = w[j]
            for m in range(left, j):
                shift -= upper[m, j - m] * drawn[m, p]
            b = upper[j, 0] * shift - nu[j]
            v = (order[p] + uniform(state)) / n_particles
            centre = shift / upper[j, 0]
            low = min(max(centre + nodes[j, 0], 0.0), 1.0)
            high = min(max(centre + nodes[j, 0] + (_NODES - 1) * nodes[j, 1], 0.0), 1.0)
            if len(of_points) > 0 and high > low:
                at, mass = _draw_by_values(
                    a, b, low, high, centre, nodes[j], own[j], v, g, reached
                )  # fmt: skip
            else:
                at, mass = draw(a, b, v), log_mass(a, b)
            drawn[j, p], away[j, p] = at, at - centre
            log_weight[p] += (
                mass + _own(at - centre, share, of_points) + 0.5 * (w[j] * w[j] - shift * shift)
            )
        # Points that no later line reaches.
        end = min(first[lines[j + 1]], last[line]) if j < n - 1 else last[line]
        for x in range(done, end):
            while last[lines[oldest]] <= x:
                oldest += 1
            t[:] = 0.0
            for i in range(oldest, j + 1):
                place = offset[lines[i]] + x - first[lines[i]]
                per_unit = height[place] / mean[x - begin]
                for p in range(n_particles):
                    t[p] += per_unit * (drawn[i, p] - u[i])
                    log_weight[p] -= counts[x] * _rest(away[i, p] * response[place])
            for p in range(n_particles):
                log_weight[p] += counts[x] * _rest(t[p])
        done = max(done, end)
        if j < n - 1:
            keep = slice(min(left, oldest), j + 1)
            logarithm += resample(log_weight, drawn[keep], away[keep], state)
    return logarithm + log_mean(log_weight)


@numba.njit(cache=True)
def _draw_by_values(a, b, low, high, centre, nodes, own, v, g, reached):  # type: ignore[no-untyped-def]
    """Draw u from exp(own(u - centre) + b u - a u^2 / 2), with a logarithm straight between nodes.

    Returns
    -------
    u, and log of (exp(b u - a u^2 / 2) / density of the draw)
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
    return u, u * (b - 0.5 * a * u) - log_density
