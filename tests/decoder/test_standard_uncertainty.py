import numpy as np
import pytest

from sgbench.decoder._found_lines import find_lines
from sgbench.decoder._noise import cut_off, points_together, standard_uncertainty

GRID = np.linspace(10, 80, 7000)


def pattern(background):
    """Lines of a full width of 0.2 degrees, above a constant."""
    rng = np.random.default_rng(2)
    height = np.full(len(GRID), background)
    for place in rng.uniform(12, 78, 30):
        height += 1000 * rng.uniform() * np.exp(-4 * np.log(2) * ((GRID - place) / 0.2) ** 2)
    return height


@pytest.mark.parametrize("background", [20.0, 300.0])
@pytest.mark.parametrize("scale", [1.0, 1e-4])
def test_counts_in_any_unit(background, scale):
    expected = pattern(background)
    counted = np.random.default_rng(0).poisson(expected)
    ratio = standard_uncertainty(scale * counted) / (scale * np.sqrt(expected))
    assert np.median(ratio) == pytest.approx(1, abs=0.1)
    # At the top of lines as well.
    assert np.median(ratio[expected > background + 300]) == pytest.approx(1, abs=0.2)


def test_a_constant_noise():
    noisy = pattern(0.0) + np.random.default_rng(0).normal(scale=3.0, size=len(GRID))
    np.testing.assert_allclose(np.median(standard_uncertainty(noisy)), 3.0, rtol=0.1)


@pytest.mark.parametrize("unit", [0.0, 1.0])
def test_a_background_at_zero_of_which_all_below_zero_was_cut_off(unit):
    """As numbers, or as counts less a background of so many."""
    noisy = np.random.default_rng(0).normal(pattern(0.0), 10.0)
    cut = np.maximum(np.round(noisy) if unit else noisy, 0.0)
    assert 0.3 < np.mean(cut == 0) < 0.7
    assert cut_off(cut) == pytest.approx(100.0, rel=0.15 + 0.3 * unit)
    assert standard_uncertainty(cut).min() > 9.0
    lines = find_lines(GRID, cut, None, 1.5406)
    assert np.median(lines.fwhm) == pytest.approx(0.2, rel=0.05)


def test_few_counts_are_not_what_was_cut_off():
    for mean in (0.05, 0.5, 2.0):
        assert cut_off(np.random.default_rng(0).poisson(mean, 5000).astype(float)) == 0
    assert cut_off(np.random.default_rng(0).normal(0, 1, 5000)) == 0


def test_no_noise_is_a_small_share_of_the_top():
    found = standard_uncertainty(pattern(0.0))
    assert np.median(found) < 1e-3 * 1000
    assert found.min() >= 1e-5 * pattern(0.0).max() * 0.99


def test_where_most_points_have_no_count():
    counted = np.random.default_rng(0).poisson(0.2 * pattern(0.0))
    assert np.median(counted) == 0
    found = standard_uncertainty(counted.astype(float))
    assert np.isfinite(found).all()
    high = pattern(0.0) > 300
    ratio = found[high] / np.sqrt(0.2 * pattern(0.0)[high])
    assert np.median(ratio) == pytest.approx(1, abs=0.3)


def test_a_short_pattern():
    assert standard_uncertainty(np.array([1.0, 2.0, 3.0])) == pytest.approx(
        np.full(3, 0.8165), 1e-3
    )


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_points_that_vary_together(memory):
    """The variance of sums over ten points of noise that remembers a share of the point before."""
    rng = np.random.default_rng(3)
    noise = rng.normal(size=100_000)
    for i in range(1, len(noise)):
        noise[i] += memory * noise[i - 1]
    sums = noise.reshape(-1, 10).sum(axis=1)
    expected = np.var(sums) / 10 / np.var(noise)
    assert points_together(noise, 10.0) == pytest.approx(expected, rel=0.1)


def test_points_of_a_line_at_most_vary_together():
    wave = 3 * np.sin(np.linspace(0, 20, 5000))
    noisy = wave + np.random.default_rng(0).normal(size=5000)
    assert 4 < points_together(noisy, 6.0) <= 6
    assert points_together(np.ones(100), 6.0) == pytest.approx(6, rel=0.1)
    assert points_together(np.zeros(100), 6.0) == 1.0
    assert points_together(np.array([1.0, -1.0] * 50), 6.0) == 1.0
    assert points_together(np.ones(3), 6.0) >= 1.0
