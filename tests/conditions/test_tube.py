"""Lines of other wavelengths against pymatgen's diffractometer and the formula of Rachinger."""

import numpy as np
import pytest
from example_samples import lines_at
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.core import Lattice, Structure

from sgbench.conditions import Condition, tube
from sgbench.diffraction import CANONICAL, lorentz_factor, render

FLUORITE = Structure.from_spacegroup(
    225, Lattice.cubic(5.463), ["Ca", "F"], [[0, 0, 0], [0.25, 0.25, 0.25]]
)


def measured(wavelength, two_theta=(5, 95)):
    """Return positions, and intensities without polarisation, as pymatgen has them."""
    found = XRDCalculator(wavelength).get_pattern(FLUORITE, scaled=False, two_theta_range=two_theta)
    polarisation = 1 + np.cos(np.radians(found.x)) ** 2
    return found.x, found.y / polarisation


@pytest.mark.parametrize(
    ("name", "share", "others"),
    [
        ("doublet", 0.5, {1.544427: 0.5}),
        ("beta", 0.02, {1.392234: 0.02}),
        ("tungsten", 0.05, {1.47639: 0.05, 1.48743: 0.0055}),
    ],
)
def test_lines_lie_where_the_other_wavelength_has_them(name, share, others):
    two_theta, intensity = measured(1.540593)
    found = Condition(name, share).apply(lines_at(two_theta, intensity)).lines
    found_angles = found.two_theta.reshape(-1, len(others) + 1)
    found_heights = found.intensity.reshape(found_angles.shape)
    np.testing.assert_array_equal(found_angles[:, 0], two_theta)
    np.testing.assert_allclose(found_heights[:, 0], intensity, rtol=1e-6)
    for k, (wavelength, part) in enumerate(others.items(), start=1):
        expected, heights = measured(wavelength, (4, 97))
        heights = heights[: len(two_theta)]
        np.testing.assert_allclose(found_angles[:, k], expected[: len(two_theta)], atol=1e-5)
        np.testing.assert_allclose(found_heights[:, k], part * heights, rtol=1e-5)


def test_wavelengths_are_those_of_the_published_energies():
    for energy, wavelength in (
        (8047.8227, tube.K_ALPHA_1),
        (8027.8416, tube.K_ALPHA_2),
        (8905.413, tube.K_BETA),
    ):
        assert 12398.41984 / energy == pytest.approx(wavelength, abs=1e-6)


def test_an_angle_at_which_the_longer_wavelength_diffracts_no_more():
    found = Condition("doublet", 0.5).apply(lines_at([60.0, 179.0])).lines
    assert found.intensity[1] > 0
    assert found.intensity[3] == 0
    assert np.isfinite(found.two_theta).all()


def test_what_a_removal_with_a_wrong_ratio_leaves():
    """Remove Kα₂ from a pattern with Rachinger's recursion, as an experimenter does."""
    residue, ratio = 0.1, 1.544427 / 1.540593
    samples = lines_at([40.0, 43.0])
    doublet = render(Condition("doublet", 0.5).apply(samples).lines, CANONICAL, scaled=False)[0]
    grid = CANONICAL.two_theta
    source = np.degrees(2 * np.arcsin(np.sin(np.radians(grid / 2)) / ratio))
    stripped = doublet.astype(np.float64)
    for _ in range(60):
        moved = np.interp(source, grid, stripped)
        stripped = doublet - (0.5 - residue) * moved
    found = render(Condition("stripped", residue).apply(samples).lines, CANONICAL, scaled=False)[0]
    # A fourth residue is left out: 0.1 * 0.4³.
    np.testing.assert_allclose(found, stripped, atol=0.0075)
    assert np.abs(found - render(samples.lines, CANONICAL, scaled=False)[0]).max() > 0.08


def test_the_lorentz_factor_is_that_of_the_new_place():
    found = Condition("beta", 0.1).apply(lines_at([80.0])).lines
    expected = 0.1 * lorentz_factor(found.two_theta[1]) / lorentz_factor(80.0)
    assert found.intensity[1] == pytest.approx(expected, rel=1e-6)
    assert found.intensity[1] > 0.11
