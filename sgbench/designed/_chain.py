"""Integrals of exp(h u - u P u / 2) over the unit cube, where P couples neighbours; compiled.

P is kept as a band: ``band[i, d]`` is P[i, i + d]. Expectation propagation replaces the ends of
each u by a Gaussian site, so that what is still to come can be integrated for any beginning of the
chain. Then u_1, u_2, … are drawn one after the other, each from its exact law on [0, 1] under the
Gaussian coupling and the sites of those to come (a twisted particle filter: Guarniero, Johansen &
Lee, J. Am. Stat. Assoc. 112, 1636, 2017). The mean weight of the draws is an unbiased estimate of
the integral, whatever the sites; good ones make its variance small. With a single u it is exact.
"""

import math

import numba
import numpy as np

from sgbench.designed._box import draw, log_mass, moments, normal_quantile, uniform

_LOG_2PI = math.log(2 * math.pi)
_SWEEPS = 30
_DAMPING = 0.7
# Sites are good enough where no mean moves by more than this share of its deviation.
_SETTLED = 0.01
# Beyond so many standard deviations, the ends of the interval are not felt.
_FREE = 8.5


@numba.njit(cache=True)
def factor(band, tau, upper):  # type: ignore[no-untyped-def]
    """Factor P + diag(tau) = U U' with an upper triangular band U; return log of the diagonal."""
    n, width = band.shape
    total = 0.0
    for j in range(n - 1, -1, -1):
        for i in range(j, max(j - width, -1), -1):
            value = band[i, j - i]
            for m in range(j + 1, min(i + width, n)):
                value -= upper[i, m - i] * upper[j, m - j]
            if i == j:
                upper[j, 0] = math.sqrt(max(value + tau[j], 1e-12 * (band[j, 0] + tau[j]) + 1e-12))
                total += math.log(upper[j, 0])
            else:
                upper[i, j - i] = value / upper[j, 0]
    return total


@numba.njit(cache=True)
def backward(upper, right, w):  # type: ignore[no-untyped-def]
    """Solve U w = right."""
    n, width = upper.shape
    for j in range(n - 1, -1, -1):
        value = right[j]
        for m in range(j + 1, min(j + width, n)):
            value -= upper[j, m - j] * w[m]
        w[j] = value / upper[j, 0]


@numba.njit(cache=True)
def forward(upper, w, mean):  # type: ignore[no-untyped-def]
    """Solve U' mean = w."""
    n, width = upper.shape
    for j in range(n):
        value = w[j]
        for m in range(max(j - width + 1, 0), j):
            value -= upper[m, j - m] * mean[m]
        mean[j] = value / upper[j, 0]


@numba.njit(cache=True)
def _marginals(upper, w, inverse, mean):  # type: ignore[no-untyped-def]
    """Fill in the band of the inverse of U U' (below its diagonal), and U'^-1 w."""
    n, width = upper.shape
    forward(upper, w, mean)
    for j in range(n):
        first = max(j - width + 1, 0)
        for i in range(first, j):
            value = 0.0
            for m in range(first, j):
                value -= upper[m, j - m] * (inverse[m, m - i] if m >= i else inverse[i, i - m])
            inverse[j, j - i] = value / upper[j, 0]
        value = 1.0 / upper[j, 0]
        for m in range(first, j):
            value -= upper[m, j - m] * inverse[j, j - m]
        inverse[j, 0] = value / upper[j, 0]


@numba.njit(cache=True)
def propagate(band, h, tau, nu, mean, variance):  # type: ignore[no-untyped-def]
    """Improve the sites exp(nu u - tau u^2 / 2), and return an estimate of log of the integral.

    It is expectation propagation, all sites at once. Mean and variance of each u are filled in.
    """
    n, width = band.shape
    inverse, centre = np.zeros((n, width)), np.zeros(n)
    upper, w = np.zeros((n, width)), np.zeros(n)
    for sweep in range(_SWEEPS + 1):
        logarithm = 0.5 * n * _LOG_2PI - factor(band, tau, upper)
        backward(upper, h + nu, w)
        for j in range(n):
            logarithm += 0.5 * w[j] * w[j]
        _marginals(upper, w, inverse, centre)
        moved = 0.0
        for j in range(n):
            wide = max(inverse[j, 0], 1e-300)
            a = max(1.0 / wide - tau[j], 1e-9)
            b = centre[j] / wide - nu[j]
            mass, mean[j], variance[j] = moments(a, b)
            # What the site stands for, but for the integral that the Gaussian law gives.
            joint = a + tau[j]
            logarithm += mass - 0.5 * (b + nu[j]) ** 2 / joint - 0.5 * (_LOG_2PI - math.log(joint))
            moved = max(moved, abs(mean[j] - centre[j]) / math.sqrt(variance[j]))
            if sweep < _SWEEPS:
                damping = 1.0 if sweep == 0 else _DAMPING
                wanted = max(1.0 / variance[j] - a, 0.0)
                tau[j] += damping * (wanted - tau[j])
                nu[j] += damping * (mean[j] * (wanted + a) - b - nu[j])
        if moved < _SETTLED and sweep > 0:
            break
    return logarithm


@numba.njit(cache=True)
def prepare(band, h, tau, nu, upper, w):  # type: ignore[no-untyped-def]
    """Fill in what `sample` needs of the sites."""
    factor(band, tau, upper)
    backward(upper, h + nu, w)


@numba.njit(cache=True)
def sample(band, h, tau, nu, upper, w, n_particles, state):  # type: ignore[no-untyped-def]
    """Return log of an unbiased estimate of the integral, by so many particles.

    `upper` and `w` are of P + diag(tau) and h + nu (`prepare`).
    """
    n, width = band.shape
    u = np.zeros((n, n_particles))
    log_weight = np.zeros(n_particles)
    order = np.arange(n_particles)
    total = 0.0
    for j in range(n):
        first = max(j - width + 1, 0)
        a = max(upper[j, 0] * upper[j, 0] - tau[j], 0.0)
        s = math.sqrt(a)
        shuffle(order, state)
        for p in range(n_particles):
            shift = w[j]
            for m in range(first, j):
                shift -= upper[m, j - m] * u[m, p]
            b = upper[j, 0] * shift - nu[j]
            v = (order[p] + uniform(state)) / n_particles
            if b > _FREE * s and a - b > _FREE * s and a > 0:
                mass = 0.5 * b * b / a + 0.5 * _LOG_2PI - math.log(s)
                u[j, p] = (b + s * normal_quantile(v)) / a
            else:
                mass = log_mass(a, b)
                if j < n - 1:
                    u[j, p] = draw(a, b, v)
            log_weight[p] += mass + 0.5 * (w[j] * w[j] - shift * shift)
        if j < n - 1:
            chosen = resampled(log_weight, state)
            if len(chosen):
                total += log_mean(log_weight)
                log_weight[:] = 0.0
                reorder(u[first : j + 1], chosen)
    return total + log_mean(log_weight)


@numba.njit(cache=True)
def shuffle(order, state):  # type: ignore[no-untyped-def]
    """Put an array into random order.

    Particles draw from equal parts of each law, in random order: a Latin hypercube over the chain.
    """
    for p in range(len(order) - 1, 0, -1):
        q = int(uniform(state) * (p + 1))
        order[p], order[q] = order[q], order[p]


@numba.njit(cache=True)
def log_mean(log_weight):  # type: ignore[no-untyped-def]
    top = log_weight.max()
    return top + math.log(np.mean(np.exp(log_weight - top)))


@numba.njit(cache=True)
def resampled(log_weight, state):  # type: ignore[no-untyped-def]
    """Return which particles go on, by their weights; none is named where half of them count."""
    n = len(log_weight)
    weight = np.exp(log_weight - log_weight.max())
    total, square = weight.sum(), (weight * weight).sum()
    if total * total > 0.5 * n * square:
        return np.empty(0, np.int64)
    chosen = np.empty(n, np.int64)
    start, reached, p = uniform(state), 0.0, -1
    for k in range(n):
        while reached <= (k + start) * total / n and p < n - 1:
            p += 1
            reached += weight[p]
        chosen[k] = p
    return chosen


@numba.njit(cache=True)
def reorder(values, chosen):  # type: ignore[no-untyped-def]
    """Put the chosen columns into the places of all."""
    for m in range(len(values)):
        row = values[m].copy()
        for k in range(len(chosen)):
            values[m, k] = row[chosen[k]]
