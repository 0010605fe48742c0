"""Axial divergence against the integral of Finger, Cox and Jephcoat, by adaptive quadrature."""

from dataclasses import replace

import numpy as np
import pytest
from example_samples import lines_at
from scipy import integrate

from sgbench.conditions import Condition
from sgbench.diffraction import CANONICAL, render

WIDE = replace(CANONICAL, two_theta_max=150.0, n_points=14000)


def profile_function(place, angle, half):
    """Return D(2φ, 2θ) of the paper's equation 10, up to a factor; 2φ and 2θ in radians."""
    height = np.sqrt(np.cos(place) ** 2 / np.cos(angle) ** 2 - 1)
    return (2 * half - height) / (height * abs(np.cos(place)))


def convolved(two_theta, half, grid, sigma):
    angle = np.radians(two_theta)
    end = np.arccos(np.cos(angle) * np.sqrt(1 + 4 * half**2))
    low, high = sorted((angle, end))

    # The pole at 2θ goes as one over a root.
    def smooth(place):
        return profile_function(place, angle, half) * np.sqrt(abs(angle - place))

    pole = {"weight": "alg", "wvar": (0, -0.5) if end < angle else (-0.5, 0)}
    # Beside the pole itself the root is the limit, not 0 / 0.
    edge = 1e-9 * (high - low)

    def at(place):
        return smooth(min(max(place, low + edge), high - edge))

    total = integrate.quad(at, low, high, **pole)[0]
    found = []
    for x in np.radians(grid):

        def value(place, x=x):
            return at(place) * np.exp(-0.5 * ((x - place) / np.radians(sigma)) ** 2)

        found.append(integrate.quad(value, low, high, **pole, limit=200)[0] / total)
    return np.array(found)


@pytest.mark.parametrize("half", [0.01, 0.04])
@pytest.mark.parametrize("sigma", [0.05, 0.1])
@pytest.mark.parametrize("two_theta", [5.5, 9.0, 30.0, 60.0, 120.0])
def test_a_line(two_theta, half, sigma):
    grid = WIDE.two_theta
    samples = lines_at([two_theta])
    if sigma != CANONICAL.sigma:
        samples = Condition("width", sigma).apply(samples)
    lines = Condition("asymmetry", half).apply(samples).lines
    found = render(lines, WIDE, scaled=False)[0] * sigma / 0.1
    near = np.flatnonzero(abs(grid - two_theta) < 3)[::12]
    expected = convolved(two_theta, half, grid[near], sigma)
    np.testing.assert_allclose(found[near], expected, atol=5e-5)
    assert lines.intensity.sum() == pytest.approx(1, rel=1e-5)


def test_the_tail_lies_towards_the_beam():
    found = Condition("asymmetry", 0.03).apply(lines_at([20.0, 90.0, 130.0], names="ab")).lines
    own = found.take([1])
    assert own.two_theta[own.two_theta < 60].max() < 20
    assert own.two_theta[own.two_theta > 110].min() > 130
    beside = own.two_theta[abs(own.two_theta - 90) < 10]
    np.testing.assert_allclose(beside, 90)
