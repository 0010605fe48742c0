"""Patterns of another wavelength against ones that are drawn there and brought over by points."""

import numpy as np
import pytest
from example_samples import lines_at

from sgbench.conditions import Condition
from sgbench.diffraction import CANONICAL, lorentz_factor, two_theta_of

EDGE = 8.1
Q = np.unique(np.square(np.indices((10, 10, 10))).sum(axis=0))[1:]


@pytest.mark.parametrize("wavelength", [0.7093, 1.789, 2.2897])
def test_a_pattern_that_is_brought_over_point_by_point(wavelength):
    q = Q / EDGE**2
    strength = np.random.default_rng(3).random(len(q)) + 0.2
    shown = wavelength * np.sqrt(q) / 2 < np.sin(np.radians(70))
    grid = CANONICAL.two_theta
    measured = np.zeros_like(grid)
    for angle, power in zip(two_theta_of(q[shown], wavelength), strength[shown], strict=True):
        measured += power * lorentz_factor(angle) * np.exp(-0.5 * ((grid - angle) / 0.1) ** 2)
    sine = np.sin(np.radians(grid) / 2) * wavelength / CANONICAL.wavelength
    there = np.degrees(2 * np.arcsin(np.minimum(sine, 1)))
    expected = np.interp(there, grid, measured)
    inside = (there > 5.6) & (there < 89.4)
    expected /= expected[inside].max()

    here = two_theta_of(q[CANONICAL.wavelength * np.sqrt(q) / 2 < 0.72], 1.5406)
    heights = strength[: len(here)] * lorentz_factor(here)
    found = Condition("wavelength", wavelength).apply(lines_at(here, heights)).patterns()[0]
    # Lines whose centre is not in the window are left out with their tails.
    np.testing.assert_allclose(found[inside], expected[inside], atol=6e-3)
    assert found.max() == 1


def test_lines_outside_of_the_window_are_not_measured():
    found = Condition("wavelength", 0.7093).apply(lines_at([8.0, 12.0, 60.0], names="ab")).lines
    np.testing.assert_array_equal(found.offsets, [0, 2, 4])
    np.testing.assert_array_equal(found.two_theta, [12.0, 60.0, 12.0, 60.0])
    found = Condition("wavelength", 2.2897).apply(lines_at([8.0, 60.0, 89.0])).lines
    np.testing.assert_array_equal(found.two_theta, [8.0])


def test_the_protocol_s_own_wavelength_changes_nothing():
    samples = lines_at([20.0, 60.0])
    found = Condition("wavelength", 1.5406).apply(samples)
    np.testing.assert_allclose(found.patterns(), samples.patterns(), atol=1e-5)
