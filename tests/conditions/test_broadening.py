"""Size, strain and Caglioti's widths against lattice sums, Bragg's law and Voigt functions."""

import numpy as np
import pytest
from example_samples import lines_at
from scipy import optimize, special

from sgbench.conditions import Condition
from sgbench.diffraction import CANONICAL

SIGMA_OF_WIDTH = 1 / np.sqrt(8 * np.log(2))
ANGLES = [10.0, 33.4, 60.0, 89.0]


def widths(*conditions):
    samples = lines_at(ANGLES)
    for condition in conditions:
        samples = condition.apply(samples)
    return samples.lines.profile


def test_the_width_of_a_small_crystal():
    """The sum over 60 planes is as wide as Scherrer's formula has it, whose constant is 0.886."""
    planes, angle = 60, np.radians(40.0)
    spacing = 1.5406 / (2 * np.sin(angle / 2))

    def intensity(two_theta):
        phase = np.pi * 2 * spacing * np.sin(np.radians(two_theta) / 2) / 1.5406
        return (np.sin(planes * phase) / np.sin(phase)) ** 2 / planes**2 - 0.5

    edges = [optimize.brentq(intensity, 40 + 1e-6, 42), optimize.brentq(intensity, 38, 40 - 1e-6)]
    found = Condition("size", planes * spacing / 10).apply(lines_at([40.0])).lines.profile
    assert found.lorentzian[0] * 0.886 / 0.9 == pytest.approx(edges[0] - edges[1], rel=2e-3)
    assert found.gaussian[0] == pytest.approx(0.1 / SIGMA_OF_WIDTH)


def test_the_width_of_strained_crystals():
    """Spacings spread evenly over ± e make a line of the integral breadth 4 e tan(theta)."""
    strain = 0.005
    profile = widths(Condition("strain", 100 * strain))
    sine = np.sin(np.radians(ANGLES) / 2)
    ends = [np.degrees(2 * np.arcsin(sine / (1 + e))) for e in (-strain, strain)]
    added = np.sqrt(profile.gaussian.astype(float) ** 2 - (0.1 / SIGMA_OF_WIDTH) ** 2)
    breadth = added * SIGMA_OF_WIDTH * np.sqrt(2 * np.pi)
    np.testing.assert_allclose(breadth, ends[0] - ends[1], rtol=1e-3)
    assert not profile.lorentzian.any()


def test_small_and_strained_crystals_together():
    """Patterns are Voigt functions, within the error of a pseudo-Voigt one."""
    conditions = [Condition("size", 30), Condition("strain", 0.2)]
    profile = widths(*conditions)
    np.testing.assert_array_equal(profile.gaussian, widths(*conditions[::-1]).gaussian)
    samples = lines_at([60.0])
    for condition in conditions:
        samples = condition.apply(samples)
    sigma, gamma = profile.gaussian[2] * SIGMA_OF_WIDTH, profile.lorentzian[2] / 2
    voigt = special.voigt_profile(CANONICAL.two_theta - 60, sigma, gamma)
    np.testing.assert_allclose(samples.patterns()[0], voigt / voigt.max(), atol=0.012)


def test_width_by_angle():
    found = widths(Condition("caglioti", 0.1))
    tangent = np.tan(np.radians(ANGLES) / 2)
    square = 0.1 * tangent**2 - 0.06 * tangent + 0.0154  # U, V, W
    np.testing.assert_allclose(found.gaussian, np.sqrt(square), rtol=1e-6)
    assert found.gaussian.min() == pytest.approx(0.08, abs=1e-4)
    assert not found.lorentzian.any()


def test_width_by_angle_keeps_the_share():
    both = widths(Condition("voigt", 0.5), Condition("caglioti", 0.1))
    other = widths(Condition("caglioti", 0.1), Condition("voigt", 0.5))
    np.testing.assert_allclose(both.gaussian, other.gaussian, rtol=1e-5)
    np.testing.assert_allclose(both.lorentzian, other.lorentzian, rtol=1e-5)
