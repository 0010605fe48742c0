import numpy as np
import pytest

from sgbench.decoder._peaks import find_peaks, noise_level
from sgbench.diffraction import CANONICAL, LineList, render

NOISE = 1e-5


def pattern_of(*lines):
    """A pattern of (two_theta, intensity) pairs."""
    two_theta, intensity = np.array(lines).T
    listed = LineList(np.array([0, len(lines)]), two_theta, intensity.astype(np.float32))
    return render(listed, CANONICAL)[0].astype(np.float64)


def angles(peaks):
    return np.degrees(2 * np.arcsin(CANONICAL.wavelength / 2 * np.sqrt(peaks.q)))


def test_positions_of_single_lines_are_far_below_the_grid_step():
    lines = [(20.00437, 1.0), (33.3, 0.01), (61.71234, 0.3)]
    peaks = find_peaks(pattern_of(*lines), CANONICAL, NOISE)
    np.testing.assert_allclose(angles(peaks), [20.00437, 33.3, 61.71234], atol=1e-6)
    np.testing.assert_allclose(peaks.height, [1.0, 0.01, 0.3], rtol=2e-3)


@pytest.mark.parametrize("distance", [0.1, 0.15, 0.2, 0.3])
def test_blends_that_move_a_maximum_are_left_out(distance):
    pattern = pattern_of((30.0, 1.0), (30.0 + distance, 0.5), (50.0, 0.4))
    for angle in angles(find_peaks(pattern, CANONICAL, NOISE)):
        assert min(abs(angle - line) for line in (30.0, 30.0 + distance, 50.0)) < 0.01


@pytest.mark.parametrize("share", [0.02, 0.3, 1.0])
@pytest.mark.parametrize("distance", [0.001, 0.005, 0.02, 0.04])
def test_the_tolerance_reaches_a_line_of_a_blend_that_looks_single(distance, share):
    both = np.array([40.0, 40.0 + distance])
    peaks = find_peaks(pattern_of((both[0], 1.0), (both[1], share)), CANONICAL, NOISE)
    q = (2 * np.sin(np.radians(both / 2)) / CANONICAL.wavelength) ** 2
    assert np.all(np.abs(peaks.q[:, None] - q).min(axis=1) <= peaks.tolerance)


def test_noise_is_measured_and_peaks_are_found_in_it():
    pattern = pattern_of((20.0, 1.0), (45.0, 0.5), (70.0, 0.8))
    noisy = pattern + 0.01 * np.random.default_rng(1).standard_normal(len(pattern))
    assert noise_level(noisy) == pytest.approx(0.01, rel=0.05)
    assert noise_level(pattern) < NOISE
    peaks = find_peaks(noisy, CANONICAL, NOISE)
    np.testing.assert_allclose(angles(peaks), [20.0, 45.0, 70.0], atol=0.01)
