"""Shift, displacement and transparency against geometry and quadrature."""

import math

import numpy as np
import pytest
from example_samples import lines_at
from scipy import integrate, optimize

from sgbench.conditions import Condition

ANGLES = [6.0, 20.0, 47.3, 75.0, 89.5]


def moved(name, severity):
    found = Condition(name, severity).apply(lines_at(ANGLES))
    np.testing.assert_array_equal(found.lines.intensity, 1)
    return found.lines.two_theta


def test_a_shift_is_the_same_at_all_angles():
    np.testing.assert_allclose(moved("shift", 0.05), np.array(ANGLES) + 0.05, atol=1e-12)


def angle_from_behind(two_theta, millimetres):
    """Return where the goniometer stands when a point behind its axis diffracts by two_theta."""

    def too_much(setting):
        sine, cosine = np.sin(np.radians(setting / 2)), np.cos(np.radians(setting / 2))
        source, detector = 200 * np.array([-cosine, sine]), 200 * np.array([cosine, sine])
        point = np.array([0, -millimetres])
        into, out = point - source, detector - point
        turn = math.acos(into @ out / np.linalg.norm(into) / np.linalg.norm(out))
        return math.degrees(turn) - two_theta

    return optimize.brentq(too_much, two_theta - 4, two_theta + 4, xtol=1e-12)


@pytest.mark.parametrize("millimetres", [0.01, 0.1, 0.5])
def test_a_sample_behind_the_axis(millimetres):
    expected = [angle_from_behind(angle, millimetres) for angle in ANGLES]
    # The formula is the first order of s / R.
    np.testing.assert_allclose(moved("displacement", millimetres), expected, atol=2e-5)


@pytest.mark.parametrize("depth", [0.05, 0.5])
def test_a_sample_that_x_rays_enter(depth):
    for angle, found in zip(ANGLES, moved("transparency", depth), strict=True):
        path = 2 / math.sin(math.radians(angle / 2)) / depth

        def weight(z, path=path):
            return math.exp(-path * z)

        def place(z, weight=weight, angle=angle):
            return weight(z) * angle_from_behind(angle, z)

        span = 25 / path
        expected = integrate.quad(place, 0, span)[0] / integrate.quad(weight, 0, span)[0]
        assert found == pytest.approx(expected, abs=2e-4)
