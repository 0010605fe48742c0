import numpy as np
import pytest
from example_samples import lines_at
from scipy import stats

from sgbench.conditions import Condition
from sgbench.diffraction import CANONICAL, Samples
from sgbench.errors import SgbenchError

GRID = CANONICAL.two_theta
NAMES = [f"sample-{i}" for i in range(300)]
ANGLES = np.arange(6.0, 90.0, 7.0)


def before_and_after(name, severity, names=("a",)):
    samples = lines_at(ANGLES, np.arange(len(ANGLES)) + 1.0, names=names)
    return samples.patterns(), Condition(name, severity).apply(samples).patterns()


@pytest.mark.parametrize(
    ("name", "severity", "kept"),
    [("start", 20.0, GRID >= 20), ("end", 60.0, GRID <= 60), ("end", 90.0, GRID < 100)],
)
def test_points_outside_a_range_are_missing(name, severity, kept):
    before, after = before_and_after(name, severity)
    np.testing.assert_allclose(after[0], kept * before[0] / (kept * before[0]).max(), atol=1e-6)


def test_a_range_without_lines():
    samples = Condition("start", 60.0).apply(lines_at([20.0]))
    with pytest.raises(SgbenchError, match=r"no point above zero after start 60 .*Choose another"):
        samples.patterns()


def test_a_gap_is_as_wide_as_is_said_and_anywhere():
    patterns = np.ones((300, CANONICAL.n_points), dtype=np.float32)
    flat = Samples(tuple(NAMES), np.full(300, 225), CANONICAL, measured=patterns)
    empty = Condition("gap", 5.0).apply(flat).patterns() == 0
    places = [GRID[row].mean() for row in empty]
    widths = [np.ptp(GRID[row]) + CANONICAL.step for row in empty]
    np.testing.assert_allclose(widths, 5.0, atol=1.01 * CANONICAL.step)
    np.testing.assert_allclose(empty.sum(axis=1) * CANONICAL.step, widths)
    assert stats.kstest(places, stats.uniform(7.5, 80).cdf).pvalue > 1e-3


@pytest.mark.parametrize("step", [0.02, 0.1, 0.37])
def test_coarse_steps_are_those_of_interpolation(step):
    before, after = before_and_after("coarse", step)
    points = np.arange(CANONICAL.two_theta_min, CANONICAL.two_theta_max + 1e-9, step)
    measured = np.interp(points, GRID, before[0])
    expected = np.interp(GRID, points, measured)
    np.testing.assert_allclose(after[0], expected / expected.max(), atol=2e-6)


def test_steps_finer_than_the_grid_change_nothing():
    before, after = before_and_after("coarse", 0.005)
    np.testing.assert_allclose(after, before, atol=1e-6)


@pytest.mark.parametrize("share", [0.01, 0.4, 0.9])
def test_a_dead_time_loses_this_share_in_the_strongest_point(share):
    """Knoll: true rate n and recorded rate m have n = m / (1 - m τ)."""
    before, after = before_and_after("saturation", share)
    recorded = after[0].astype(np.float64) * (1 - share)
    dead = share / (1 - share)
    np.testing.assert_allclose(recorded / (1 - recorded * dead), before[0], atol=1e-5)
