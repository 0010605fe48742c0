import numpy as np
import pytest
import torch
from example_samples import lines_at
from scipy import stats

from sgbench.conditions import Condition
from sgbench.diffraction import CANONICAL, Samples

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


@pytest.mark.parametrize(("name", "severity"), [("start", 20.0), ("end", 60.0), ("gap", 5.0)])
def test_a_pattern_is_not_cut_where_nothing_would_be_left(name, severity):
    lines = lines_at([62.0 if name == "end" else 19.0], names=NAMES)
    cut = Condition(name, severity).apply(lines)
    on_a_device = cut.patterns(torch.device("cpu"))
    np.testing.assert_allclose(on_a_device.numpy(), cut.patterns(), atol=1e-6)
    assert (cut.patterns().max(axis=1) == 1).all()
    if name != "gap":
        np.testing.assert_array_equal(cut.patterns(), lines.patterns())


def test_a_cut_that_is_made_again_behind_a_background_is_decided_alike():
    """As mixtures do: Ia-3d of a = 3.2 Å shows nothing before (211), at 72°."""
    samples = lines_at([72.26], names=NAMES)
    for name, severity in (("end", 60.0), ("background", 0.05), ("end", 60.0)):
        samples = Condition(name, severity).apply(samples)
    near = np.abs(GRID - 72.26) < 0.1
    assert (samples.patterns()[:, near].max(axis=1) == 1).all()


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
