import numpy as np
import pytest
from example_samples import lines_at
from scipy.optimize import minimize_scalar

from sgbench.conditions import Condition
from sgbench.conditions.background import HUMP_WIDTHS, MAXIMA, NEIGHBOURS, humps
from sgbench.diffraction import CANONICAL

NAMES = [f"sample-{i}" for i in range(200)]
GRID = CANONICAL.two_theta
BACKGROUNDS = pytest.mark.parametrize("name", ["background", "slope", "scatter", "hump"])


def added(name, share, names=("a",)):
    """Return what a background adds, as a share of the strongest point before."""
    samples = lines_at([40.0, 60.0], [30.0, 5.0], names=names)
    after = Condition(name, share).apply(samples)
    (recording,) = after.recorded
    unscaled = samples.patterns() * 30
    return (recording.change(unscaled.copy(), after) - unscaled) / 30


@BACKGROUNDS
@pytest.mark.parametrize("share", [0.01, 0.2, 3.0])
def test_it_is_as_high_as_is_said_at_its_highest(name, share):
    found = added(name, share, NAMES[:20])
    np.testing.assert_allclose(found.max(axis=1), share, rtol=1e-4)
    assert found.min() > -1e-6


@BACKGROUNDS
def test_patterns_are_scaled_again(name):
    samples = lines_at([40.0, 60.0], [30.0, 5.0])
    before, after = samples.patterns()[0], Condition(name, 0.5).apply(samples).patterns()[0]
    height = before + added(name, 0.5)[0]
    np.testing.assert_allclose(after, height / height.max(), atol=1e-6)


def test_a_constant_and_air():
    np.testing.assert_allclose(added("background", 0.1)[0], 0.1, atol=1e-6)
    np.testing.assert_allclose(added("scatter", 0.1)[0], 0.5 / GRID, atol=1e-6)


def test_slopes_are_straight_and_rise_and_fall():
    found = added("slope", 0.1, NAMES)
    ends = found[:, [0, -1]]
    straight = np.linspace(ends[:, 0], ends[:, 1], len(GRID), axis=1)
    np.testing.assert_allclose(found, straight, atol=1e-6)
    assert 70 < (ends[:, 1] > ends[:, 0]).sum() < 130
    assert ends.min() < 0.01


def test_humps_lie_where_debyes_sine_has_its_maxima():
    for near, (place, height) in zip((7.7, 14.1), MAXIMA, strict=True):
        top = minimize_scalar(
            lambda x: -np.sin(x) / x, bounds=(near - 1, near + 1), method="bounded",
            options={"xatol": 1e-9},
        )  # fmt: skip
        assert place == pytest.approx(top.x, abs=1e-5)
        assert height == pytest.approx(-top.fun, abs=1e-6)
    assert MAXIMA[0][0] / (2 * np.pi) == pytest.approx(1.23, abs=1e-3)  # Ehrenfest's relation
    one, two = humps(CANONICAL, np.array([[0.5, 0.0, 0.2], [0.5, 0.0, 0.9]]))
    distance = np.mean(NEIGHBOURS)
    q = 4 * np.pi / CANONICAL.wavelength * np.sin(np.radians(GRID / 2))
    assert q[one.argmax()] == pytest.approx(MAXIMA[0][0] / distance, abs=1e-3)
    half = q[one > 0.5]
    assert half[-1] - half[0] == pytest.approx(HUMP_WIDTHS[0], abs=2e-3)
    second = np.abs(q - MAXIMA[1][0] / distance).argmin()
    assert two[second] == pytest.approx(MAXIMA[1][1] / MAXIMA[0][1], abs=1e-3)
    assert one[second] < 1e-6


def test_the_first_hump_is_where_glasses_have_theirs():
    found = humps(CANONICAL, np.random.default_rng(0).random((300, 3)))
    first = GRID[np.argmax(found, axis=1)]
    assert 17.5 < first.min() < 21
    assert 29 < first.max() < 33
