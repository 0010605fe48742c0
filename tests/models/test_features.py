from dataclasses import replace

import numpy as np
import pytest

from sgbench.diffraction import CANONICAL, LineList, render
from sgbench.models._features import pooled_roots, ratio_features, suzuki_features
from sgbench.sets import ULBD


def pattern_of(two_theta, intensity=None, protocol=CANONICAL):
    two_theta = np.asarray(two_theta, dtype=np.float64)
    heights = np.ones(len(two_theta)) if intensity is None else np.asarray(intensity)
    lines = LineList(np.array([0, len(two_theta)]), two_theta, heights.astype(np.float32))
    return render(lines, protocol)


def q_of(two_theta, wavelength=CANONICAL.wavelength):
    return 4 * np.pi * np.sin(np.radians(np.asarray(two_theta) / 2)) / wavelength


def primitive_cubic(a: float, count: int):
    """Positions in degrees of the first lines of a primitive cubic cell of edge a."""
    sums = [n for n in range(1, 40) if n not in (7, 15, 23, 28, 31, 39)][:count]
    return 2 * np.degrees(np.arcsin(CANONICAL.wavelength * np.sqrt(sums) / (2 * a)))


def test_positions_are_those_of_the_lines():
    # Off the grid in every way; 1e-3 of a grid step is 1e-5 degrees, about 1e-6 in q.
    two_theta = np.arange(10.1234, 64, 5.00017)
    found = suzuki_features(pattern_of(two_theta), CANONICAL)
    assert found.shape == (1, 11)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0, :10], q_of(two_theta[:10]), atol=2e-6)
    assert found[0, 10] == len(two_theta) == 11


def test_another_wavelength_and_grid():
    protocol = replace(
        CANONICAL, wavelength=0.7093, two_theta_min=3, two_theta_max=60, n_points=4000
    )
    found = suzuki_features(pattern_of([12.3, 45.6], protocol=protocol), protocol)
    np.testing.assert_allclose(found[0, :2], q_of([12.3, 45.6], 0.7093), atol=2e-5)


def test_peaks_that_are_not_there_are_zero():
    found = suzuki_features(pattern_of([20.0, 40.0, 60.0]), CANONICAL)
    assert (found[0, :3] > 0).all()
    assert found[0, 3:10].tolist() == [0] * 7
    assert found[0, 10] == 3


def test_a_pattern_whose_only_line_lies_just_outside():
    """Its tail rises to the edge, and has no maximum."""
    pattern = pattern_of([90.2])
    assert suzuki_features(pattern, CANONICAL).tolist() == [[0.0] * 11]
    assert ratio_features(pattern, CANONICAL).tolist() == [[0.0] * 40]
    assert pooled_roots(pattern, CANONICAL)[0, -1] > 0.5


def test_weak_lines_count_and_weaker_ones_do_not():
    found = suzuki_features(pattern_of([20.0, 40.0, 60.0], [1.0, 2e-4, 5e-5]), CANONICAL)
    np.testing.assert_allclose(found[0, :3], [*q_of([20.0, 40.0]), 0], atol=2e-6)
    assert found[0, 10] == 2


def test_lines_that_melt_into_one():
    """Two Gaussians of one height show two maxima from two standard deviations on."""
    for distance, number in ((0.15, 1), (0.25, 2)):
        found = suzuki_features(pattern_of([40.0, 40.0 + distance]), CANONICAL)
        assert found[0, 10] == number


def test_a_flat_top():
    pattern = np.zeros((1, CANONICAL.n_points), dtype=np.float32)
    pattern[0, 999:1003] = [0.5, 1, 1, 0.5]
    middle = CANONICAL.two_theta_min + 1000.5 * CANONICAL.step
    np.testing.assert_allclose(suzuki_features(pattern, CANONICAL)[0, 0], q_of(middle), rtol=1e-6)


def test_ratios_of_a_primitive_cubic_pattern():
    for a in (6.0, 7.345):
        two_theta = primitive_cubic(a, 21)
        found = ratio_features(pattern_of(two_theta), CANONICAL)[0]
        sums = [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22]
        np.testing.assert_allclose(found[:19], sums[1:], atol=2e-3)
        np.testing.assert_allclose(found[19:38], np.diff(sums), atol=2e-3)
        np.testing.assert_allclose(found[38], (2 * np.pi / a) ** 2, rtol=1e-4)
        assert found[39] == 21


def test_missing_peaks_among_the_ratios():
    found = ratio_features(pattern_of(primitive_cubic(8.0, 3)), CANONICAL)[0]
    np.testing.assert_allclose(found[:4], [2, 3, 0, 0], atol=2e-3)
    np.testing.assert_allclose(found[19:23], [1, 1, -3, 0], atol=2e-3)
    assert found[39] == 3


def test_pooling_keeps_maxima_and_takes_roots():
    pattern = pattern_of([20.0, 70.0], [1.0, 0.25])
    pooled = pooled_roots(pattern, CANONICAL)[0]
    assert pooled.shape == (128,)
    assert pooled.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(pooled), 1, rtol=1e-6)
    places = [int((angle - 5) / 85 * 128) for angle in (20.0, 70.0)]
    assert np.argmax(pooled) == places[0]
    np.testing.assert_allclose(pooled[places[1]] / pooled[places[0]], 0.5, rtol=1e-3)
    assert (pooled > 0.01).sum() <= 6


def test_pooling_of_a_grid_that_does_not_divide():
    protocol = replace(CANONICAL, n_points=5003)
    pattern = pattern_of([89.99], protocol=protocol)
    assert pooled_roots(pattern, protocol)[0].argmax() == 127


@pytest.mark.parametrize("features", [suzuki_features, ratio_features, pooled_roots])
def test_a_pattern_has_the_same_features_in_any_batch(features):
    dataset = ULBD["ulbd-tetragonal"]
    patterns = render(dataset.lines(dataset.training_recipes(0, 8, seed=0)), dataset.protocol)
    together = features(patterns, dataset.protocol)
    alone = [features(pattern[None], dataset.protocol)[0] for pattern in patterns]
    assert np.array_equal(together, alone)
    assert len(np.unique(together, axis=0)) == 8
    assert np.isfinite(together).all()
