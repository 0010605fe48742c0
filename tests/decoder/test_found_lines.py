import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgbench.decoder._found_lines import find_lines, noise_of
from sgbench.diffraction import CANONICAL
from sgbench.sets import SetSpec, family_set, open_test_set

WAVELENGTH, SECOND, RATIO = 1.540593, 1.544427, 0.5
GRID = np.linspace(10.0, 90.0, 8001)


def pseudo_voigt(t, place, fwhm, eta):
    x = 2 * (t - place) / fwhm
    return eta / (1 + x**2) + (1 - eta) * np.exp(-np.log(2) * x**2)


def pattern_of(lines, *, fwhm=0.15, eta=0.3, second=False, grid=GRID, background=0.0):
    pattern = np.full_like(grid, background)
    for place, height in lines:
        pattern += height * pseudo_voigt(grid, place, fwhm, eta)
        if second:
            sine = np.sin(np.radians(place) / 2) * SECOND / WAVELENGTH
            other = np.degrees(2 * np.arcsin(sine))
            pattern += RATIO * height * pseudo_voigt(grid, other, fwhm, eta)
    return pattern


LINES = [(20.0123, 1.0), (33.3, 0.2), (45.678, 0.5), (61.71234, 0.3), (71.9, 0.25), (80.2, 0.6)]


@pytest.mark.parametrize("second", [False, True])
def test_single_lines_without_noise(second):
    tube = (SECOND, RATIO) if second else (None, None)
    found = find_lines(GRID, pattern_of(LINES, second=second), None, WAVELENGTH, *tube)
    strong = found.height > 0.01
    np.testing.assert_allclose(found.two_theta[strong], [place for place, _ in LINES], atol=2e-3)
    np.testing.assert_allclose(found.height[strong], [height for _, height in LINES], rtol=0.05)
    np.testing.assert_allclose(found.fwhm[strong], 0.15, rtol=0.1)


def test_uncertainties_say_how_far_places_are_off():
    rng = np.random.default_rng(5)
    z = []
    for _ in range(6):
        mean = pattern_of(LINES, background=0.05) * 3000
        counts = rng.poisson(mean).astype(float)
        found = find_lines(GRID, counts, np.sqrt(np.maximum(counts, 1)), WAVELENGTH)
        for place, _ in LINES:
            nearest = np.argmin(np.abs(found.two_theta - place))
            z.append((found.two_theta[nearest] - place) / found.uncertainty[nearest])
    assert 0.4 < np.std(z) < 1.5
    assert np.abs(z).max() < 5


def test_noise_alone_has_next_to_no_lines():
    counts = np.random.default_rng(7).poisson(400.0, len(GRID)).astype(float)
    assert len(find_lines(GRID, counts, None, WAVELENGTH)) <= 3


def test_a_blend_is_split_where_one_line_does_not_do():
    lines = [*LINES, (50.0, 0.4), (50.12, 0.35)]
    counts = np.random.default_rng(1).poisson(20000 * pattern_of(lines, background=0.02))
    found = find_lines(GRID, counts.astype(float), None, WAVELENGTH)
    for place in (50.0, 50.12):
        assert np.abs(found.two_theta - place).min() < 0.01


def test_steps_may_differ():
    grid = np.concatenate([np.arange(15, 40, 0.01), np.arange(40, 85, 0.02)])
    found = find_lines(grid, pattern_of(LINES, grid=grid, background=0.1), None, WAVELENGTH)
    for place, _ in LINES:
        assert np.abs(found.two_theta - place).min() < 5e-3


@settings(max_examples=5, deadline=None)
@given(st.floats(0.0, 0.5), st.floats(10.0, 1e5))
def test_neither_a_background_nor_units_move_lines(background, scale):
    plain = find_lines(GRID, pattern_of(LINES, background=1e-3), None, WAVELENGTH)
    pattern = scale * (pattern_of(LINES, background=1e-3) + background)
    found = find_lines(GRID, pattern, None, WAVELENGTH)
    strong = [one.two_theta[one.height > 0.02 * one.height.max()] for one in (plain, found)]
    np.testing.assert_allclose(*strong, atol=5e-3)


def test_the_noise_of_counting_is_estimated():
    counts = np.random.default_rng(2).poisson(2000 * pattern_of(LINES, background=0.3))
    noise = noise_of(GRID, counts.astype(float))
    flat = np.abs(GRID - 27) < 3
    np.testing.assert_allclose(noise[flat].mean(), np.sqrt(600.0), rtol=0.1)


def test_nothing_that_was_measured_has_no_lines():
    assert len(find_lines(GRID, np.zeros_like(GRID), None, WAVELENGTH)) == 0


@pytest.mark.parametrize(
    "condition", ["", "+width-0.05", "+counts-10000", "+width-0.05+counts-10000"]
)
def test_lines_are_found_where_nothing_lies_between_them(condition):
    """Where a pattern is zero, noise is nothing, and what a model leaves there is no noise."""
    samples = open_test_set(
        SetSpec.parse(f"ulbd-in-mesh{condition}"), family_set("cubic"), 1
    ).samples
    for pattern in np.asarray(samples.take(np.arange(0, 36, 9)).patterns(), dtype=np.float64):
        found = find_lines(CANONICAL.two_theta, pattern, None, CANONICAL.wavelength)
        inner = pattern[1:-1]
        high = (inner > 0.2) & (inner > pattern[:-2]) & (inner >= pattern[2:])
        for place in CANONICAL.two_theta[1:-1][high]:
            assert np.abs(found.two_theta - place).min() < CANONICAL.sigma


def counted(lines, seed=1):
    """Lines of widths of their own, counted."""
    mean = np.full_like(GRID, 50.0)
    for place, height, fwhm in lines:
        mean += height * pseudo_voigt(GRID, place, fwhm, 0.3)
    return np.random.default_rng(seed).poisson(mean).astype(float)


def test_a_line_that_is_wider_than_others_is_one():
    usual = [(place, 3000.0, 0.1) for place in np.arange(15.0, 85.0, 7.0)]
    wide = [(31.4, 2500.0, 0.14), (52.7, 1500.0, 0.15)]
    found = find_lines(GRID, counted([*usual, *wide]), None, WAVELENGTH)
    for place, _, _ in wide:
        (near,) = np.nonzero(np.abs(found.two_theta - place) < 0.1)
        assert len(near) == 1
        assert found.two_theta[near[0]] == pytest.approx(place, abs=0.01)


def test_two_lines_that_one_wider_one_does_not_do_for_are_two():
    usual = [(place, 3000.0, 0.1) for place in np.arange(15.0, 85.0, 7.0)]
    pair = [(31.40, 3000.0, 0.1), (31.475, 1500.0, 0.1)]
    found = find_lines(GRID, counted([*usual, *pair]), None, WAVELENGTH)
    near = found.two_theta[np.abs(found.two_theta - 31.43) < 0.1]
    np.testing.assert_allclose(near, [31.40, 31.475], atol=0.02)
