"""Polarisation, rough surfaces, plates and capillaries against integrals and ray sums."""

import numpy as np
import pytest
from example_samples import lines_at
from scipy import integrate

from sgbench.conditions import Condition

ANGLES = np.array([5.0, 20.0, 45.0, 70.0, 90.0])


def factor(name, severity):
    found = Condition(name, severity).apply(lines_at(ANGLES)).lines
    np.testing.assert_array_equal(found.two_theta, ANGLES)
    return found.intensity.astype(float)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_polarisation(share):
    """A dipole does not shine along its oscillation: the mean over both components."""
    across, along = np.ones_like(ANGLES), np.cos(np.radians(ANGLES)) ** 2
    expected = np.average([across, along], axis=0, weights=[1, share])
    np.testing.assert_allclose(factor("polarisation", share), expected, rtol=1e-6)


@pytest.mark.parametrize("thickness", [0.05, 1.0])
def test_a_thin_plate(thickness):
    """The sum over depths of what comes back, beside that of a plate under vertical rays."""

    def back(angle):
        sine = np.sin(np.radians(angle) / 2)
        return integrate.quad(lambda z: np.exp(-2 * z / sine) / sine, 0, thickness)[0]

    expected = [back(angle) / back(180.0) for angle in ANGLES]
    np.testing.assert_allclose(factor("plate", thickness), expected, rtol=1e-6)
    assert Condition("plate", 2.0).apply(lines_at([20.0])).lines.intensity[0] > 1


def test_a_rough_surface():
    found = factor("roughness", 0.05)
    expected = 0.5 + 0.5 * np.exp(-0.05 / np.sin(np.radians(ANGLES) / 2))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert (np.diff(found) > 0).all()
    np.testing.assert_allclose(factor("roughness", 1e-9), 1, rtol=1e-6)


@pytest.mark.parametrize("radius", [0.2, 1.0, 3.0])
def test_a_capillary(radius):
    """The mean of exp(-mu path) over points of a disk, in polar coordinates."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    r = (nodes[:, None] + 1) / 2
    turn = 2 * np.pi * np.arange(240)[None, :] / 240
    x, y = r * np.cos(turn), r * np.sin(turn)

    def way_out(angle):
        along = x * np.cos(angle) + y * np.sin(angle)
        return -along + np.sqrt(along**2 + 1 - r**2)

    expected = []
    for angle in np.radians(ANGLES):
        passed = np.exp(-radius * (way_out(np.pi) + way_out(angle)))
        expected.append((weights[:, None] * r * passed).sum() / (weights[:, None] * r).sum() / 240)
    np.testing.assert_allclose(factor("capillary", radius), expected, rtol=1e-2)
