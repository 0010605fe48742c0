"""Integrals, moments and quantiles on [0, 1], beside quadrature in pieces."""

import numpy as np
import pytest
from scipy.special import erfcx, ndtri

from sgbench.designed import _box

NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)
CASES = [
    (a, b)
    for a in (0.0, 1e-9, 1e-3, 0.1, 3.0, 80.0, 1e4, 1e8)
    for b in (0.0, 1e-4, -0.3, 2.0, -40.0, 0.3 * a, 0.999 * a, 1.001 * a, 1.2 * a, -0.5 * a, 3e4)
]


def integral(a, b, stop=1.0):
    """Log of the integral up to `stop`, mean and variance, where the integrand matters."""
    top = min(max(b / a, 0.0), 1.0) if a else float(b > 0)
    wide = min(1.0, 50 / max(abs(b - a * top), 1e-300), 40 / np.sqrt(a) if a else 1.0)
    edges = np.linspace(max(top - wide, 0), min(top + wide, stop), 9)
    half = np.diff(edges)[:, None] / 2
    u = edges[:-1, None] + half * (1 + NODES)
    density = half * WEIGHTS * np.exp(b * (u - top) - 0.5 * a * (u**2 - top**2))
    total = density.sum()
    mean = (density * u).sum() / total
    return (
        np.log(total) + b * top - 0.5 * a * top**2,
        mean,
        (density * (u - mean) ** 2).sum() / total,
    )


@pytest.mark.parametrize(("a", "b"), CASES)
def test_the_integral_its_moments_and_its_quantiles(a, b):
    mass, mean, variance = integral(a, b)
    found = _box.moments(a, b)
    assert [_box.log_mass(a, b), found[0]] == pytest.approx([mass] * 2, rel=1e-9, abs=1e-10)
    assert abs(found[1] - mean) < 1e-3 * np.sqrt(variance)
    assert found[2] == pytest.approx(variance, rel=1e-3)
    for v in (1e-6, 0.3, 0.99):
        u = _box.draw(a, b, v)
        assert 0 <= u <= 1
        if u > 0 and integral(a, b)[1] - 30 * np.sqrt(variance) < u:
            reached = np.exp(integral(a, b, u)[0] - mass)
            assert reached == pytest.approx(v, abs=1e-5)


def test_special_functions():
    x = np.linspace(0, 300, 999)
    np.testing.assert_allclose([_box.erfcx(one) for one in x], erfcx(x), rtol=1e-11)
    p = np.concatenate([np.geomspace(1e-300, 0.5, 99), 1 - np.geomspace(1e-15, 0.5, 99)])
    np.testing.assert_allclose([_box.normal_quantile(one) for one in p], ndtri(p), atol=1e-9)


def test_random_numbers_are_those_of_splitmix64():
    """Steele, Lea & Flood (2014); the first outputs of the state 0."""
    state = np.zeros(1, np.uint64)
    found = [_box.uniform(state) for _ in range(2)]
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]
    assert found == pytest.approx([value / 2**64 for value in expected], abs=1e-15)
