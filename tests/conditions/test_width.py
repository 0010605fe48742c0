"""Widths and shapes against closed forms, measured on rendered patterns."""

import numpy as np
import pytest
from example_samples import lines_at

from sgbench.conditions import Condition
from sgbench.diffraction import CANONICAL


def shape(name, severity, angle=45.0, before=()):
    samples = lines_at([angle])
    for condition in (*before, Condition(name, severity)):
        samples = condition.apply(samples)
    return samples.patterns()[0]


def expected(fwhm, eta, angle=45.0):
    x = (CANONICAL.two_theta - angle) / fwhm
    gaussian = 2 * np.sqrt(np.log(2) / np.pi) * np.exp(-4 * np.log(2) * x * x)
    lorentzian = 2 / np.pi / (1 + 4 * x * x)
    pattern = eta * lorentzian + (1 - eta) * gaussian
    return pattern / pattern.max()


@pytest.mark.parametrize("sigma", [0.02, 0.04, 0.1, 0.2])
def test_width(sigma):
    x = (CANONICAL.two_theta - 45) / sigma
    gaussian = np.exp(-(x**2) / 2)
    np.testing.assert_allclose(shape("width", sigma), gaussian / gaussian.max(), atol=2e-6)


@pytest.mark.parametrize("eta", [0.1, 0.5, 1.0])
def test_voigt(eta):
    fwhm = 0.1 * np.sqrt(8 * np.log(2))
    np.testing.assert_allclose(shape("voigt", eta), expected(fwhm, eta), atol=3e-4)
    np.testing.assert_allclose(shape("mixing", 0.6, angle=45.0), expected(fwhm, 0.3), atol=3e-4)
    np.testing.assert_allclose(
        shape("mixing", 1.0, angle=89.0), expected(fwhm, 89 / 90, 89.0), atol=3e-4
    )


def test_width_and_share_do_not_depend_on_which_comes_first():
    one = shape("width", 0.05, before=[Condition("voigt", 0.4)])
    other = shape("voigt", 0.4, before=[Condition("width", 0.05)])
    np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(one, expected(0.05 * np.sqrt(8 * np.log(2)), 0.4), atol=3e-4)


def test_areas_stay():
    ideal = lines_at([30.0, 60.0], [1.0, 0.5])
    wide = Condition("width", 0.2).apply(ideal)
    for samples in (ideal, wide):
        first, second = np.split(samples.patterns()[0].astype(np.float64), 2)
        assert second.sum() / first.sum() == pytest.approx(0.5, rel=1e-3)
