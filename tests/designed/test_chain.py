"""Integrals over the unit cube of overlapping lines, beside quadrature and beside random points."""

import numpy as np
import pytest
from scipy.special import gammainc, gammaln, logsumexp

from sgbench.designed import _chain, _counts

GRID = np.arange(400) * 0.02


def lines(place, height=3.0, sigma=0.1):
    return height * np.exp(-0.5 * ((GRID - np.array(place)[:, None]) / sigma) ** 2)


def estimated(found):
    found = np.array(found)
    weight = np.exp(found - found.max())
    error = weight.std(ddof=1) / weight.mean() / np.sqrt(len(found))
    return found.max() + np.log(weight.mean()), error


def by_quadrature(loglikelihood, nodes=500):
    """In coordinates of which the sum of both is one: where lines overlap, it is what is known."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    total = 1 + x  # of two intensities: 0 to 2
    reach = np.minimum(total, 2 - total)[:, None]
    apart = x[None, :] * reach
    logs = loglikelihood((total[:, None] + apart) / 2, (total[:, None] - apart) / 2)
    return logsumexp(logs, b=w[:, None] * w[None, :] * reach / 2)


@pytest.mark.parametrize("apart", [0.003, 0.05, 0.15, 0.3])
@pytest.mark.parametrize("deviation", [1.0, 5.0, 20.0])
def test_two_lines_under_normal_noise(apart, deviation):
    draw = np.random.default_rng(1)
    shapes = lines([2.0, 2.0 + apart])
    for u in ([0.7, 0.0], [0.4, 0.9]):
        pattern = u @ shapes + deviation * draw.normal(size=len(GRID))
        p, h = shapes @ shapes.T / deviation**2, shapes @ pattern / deviation**2
        expected = by_quadrature(
            lambda a, b, p=p, h=h: (
                h[0] * a + h[1] * b - 0.5 * (p[0, 0] * a**2 + 2 * p[0, 1] * a * b + p[1, 1] * b**2)
            ),
        )
        band = np.array([[p[0, 0], p[0, 1]], [p[1, 1], 0.0]])
        tau, nu = np.full(2, 12.0), np.full(2, 6.0)
        guess = _chain.propagate(band, h, tau, nu, np.zeros(2), np.zeros(2))
        upper, w = np.zeros((2, 2)), np.zeros(2)
        _chain.prepare(band, h, tau, nu, upper, w)
        state = np.ones(1, np.uint64)
        found, error = estimated(
            [_chain.sample(band, h, tau, nu, upper, w, 64, state) for _ in range(16)]
        )
        assert guess == pytest.approx(expected, abs=0.2)
        assert error < 0.02
        assert abs(found - expected) < 5 * error + 1e-4


def test_a_chain_of_many_lines_under_normal_noise():
    """With noise so strong that random points know the integral, too."""
    draw, deviation = np.random.default_rng(2), 12.0
    place = np.sort(draw.uniform(1, 3, 12))
    shapes = lines(place)
    pattern = draw.random(12) @ shapes + deviation * draw.normal(size=len(GRID))
    p, h = shapes @ shapes.T / deviation**2, shapes @ pattern / deviation**2
    u = draw.random((400_000, 12))
    logs = u @ h - 0.5 * ((u @ p) * u).sum(axis=1)
    expected, spread = estimated(logs)
    band = np.array([[p[i, i + d] if i + d < 12 else 0.0 for d in range(12)] for i in range(12)])
    tau, nu = np.full(12, 12.0), np.full(12, 6.0)
    guess = _chain.propagate(band, h, tau, nu, np.zeros(12), np.zeros(12))
    upper, w = np.zeros_like(band), np.zeros(12)
    _chain.prepare(band, h, tau, nu, upper, w)
    state = np.ones(1, np.uint64)
    found, error = estimated(
        [_chain.sample(band, h, tau, nu, upper, w, 64, state) for _ in range(16)]
    )
    assert spread < 0.02
    assert error < 0.01
    assert guess == pytest.approx(expected, abs=0.1)
    assert abs(found - expected) < 4 * np.hypot(error, spread)


def counted(place, u, scale, seed):
    """Counts, and what `fit` needs of them."""
    draw = np.random.default_rng(seed)
    shapes = lines(place, scale)
    counts = draw.poisson(u @ shapes).astype(np.float64)
    seen = np.flatnonzero(counts)
    n = len(place)
    first, last = np.zeros(n, np.int64), np.full(n, len(seen))
    offset = np.arange(n) * len(seen)
    return counts[seen], shapes[:, seen], (
        first, last, offset, shapes[:, seen].ravel(), counts[seen], shapes.sum(axis=1),
    )  # fmt: skip


@pytest.mark.parametrize("apart", [0.003, 0.05, 0.15, 0.3])
@pytest.mark.parametrize("scale", [0.1, 0.5, 3.0, 30.0])
def test_two_lines_that_are_counted(apart, scale):
    for seed, u in enumerate(([0.7, 0.0], [0.4, 0.9], [0.1, 0.1])):
        counts, shapes, data = counted([2.0, 2.0 + apart], np.array(u), scale, seed)
        if not len(counts):
            continue
        total = data[-1]

        def loglikelihood(a, b, counts=counts, shapes=shapes, total=total):
            means = a[..., None] * shapes[0] + b[..., None] * shapes[1]
            return (counts * np.log(means)).sum(axis=-1) - total[0] * a - total[1] * b

        expected = by_quadrature(loglikelihood, 200 if scale < 10 else 400)
        mine, at = np.arange(2), np.zeros(2)
        tau, nu = np.full(2, 12.0), np.full(2, 6.0)
        band, h, mean, guess = _counts.fit(mine, *data, at, tau, nu)
        runs = np.zeros(16)
        state = np.ones(1, np.uint64)
        _counts.sample_counts(mine, *data, band, h, mean, at, tau, nu, 64, state, runs)
        found, error = estimated(runs)
        assert guess == pytest.approx(expected, abs=0.25)
        assert error < 0.03
        assert abs(found - expected) < 5 * error + 3e-3


@pytest.mark.parametrize("n", [0, 1, 7, 200, 1500, 50_000])
@pytest.mark.parametrize("ratio", [0.3, 0.95, 1.0, 1.02, 1.5])
def test_a_line_alone_is_an_incomplete_gamma_function(n, ratio):
    b = ratio * n + 0.1
    share = gammainc(n + 1, b)
    if share > 1e-250:
        expected = gammaln(n + 1) + np.log(share) - (n + 1) * np.log(b)
        assert _counts.log_single(float(n), b) == pytest.approx(expected, rel=1e-12, abs=1e-6)
