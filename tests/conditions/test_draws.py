"""Draws of noise against the laws that they are of, and compiled ones against torch's."""

import numba
import numpy as np
import pytest
import torch
from scipy import stats

from sgbench.conditions._draws import add_normal, count

N_POINTS = 8191  # odd, so that no block is whole
NAMES = tuple(f"sample-{i}" for i in range(24))
LEVELS = [1e-2, 0.3, 2.0, 9.99, 10.0, 11.7, 40.0, 250.0, 1e4, 1e6]


def counted(level, names=NAMES, stream="a"):
    patterns = np.full((len(names), N_POINTS), level, dtype=np.float32)
    return count(patterns, np.ones(len(names)), names, stream)


@pytest.mark.parametrize("level", LEVELS)
def test_counts_follow_poissons_law(level):
    """By the chi-squared test over 100 bins, where there are so many, and by both tails."""
    law = stats.poisson(float(np.float32(level)))
    found = np.sort(counted(level).ravel())
    edges = np.unique(law.ppf(np.linspace(0, 1, 101)[1:-1]))
    chances = np.diff(np.concatenate([[0], law.cdf(edges), [1]]))
    numbers = np.diff(np.concatenate([[0], np.searchsorted(found, edges, "right"), [len(found)]]))
    enough = chances * len(found) > 5
    expected, observed = (
        np.append(of[enough], of[~enough].sum()) for of in (chances * len(found), numbers)
    )
    kept = expected > 0
    assert stats.chisquare(observed[kept], expected[kept]).pvalue > 1e-3
    for tail in (1e-3, 1e-4):
        low, high = law.ppf(tail), law.isf(tail)
        beyond = int((found < low).sum()), int((found > high).sum())
        for number, chance in zip(beyond, (law.cdf(low - 1), law.sf(high)), strict=True):
            assert stats.binomtest(number, len(found), chance).pvalue > 1e-4


def test_many_means_at_once_follow_poissons_law():
    """Means from 0.01 to 1e6 in one pattern, by the Kolmogorov–Smirnov test of spread-out CDFs."""
    means = np.geomspace(1e-2, 1e6, N_POINTS).astype(np.float32)
    found = count(np.tile(means, (len(NAMES), 1)), np.ones(len(NAMES)), NAMES, "b")
    law = stats.poisson(means.astype(np.float64))
    spread = np.random.default_rng(0).random(found.shape)
    chances = law.cdf(found - 1) + spread * law.pmf(found)
    assert stats.kstest(chances.ravel(), "uniform").pvalue > 1e-3


def test_counts_are_in_the_patterns_own_unit():
    pattern = np.array([[0.0, -1.0, 2.0, 0.5]], dtype=np.float32)
    found = count(pattern.copy(), np.array([10.0]), ("a",), "c")
    np.testing.assert_allclose(found * 10, np.rint(found * 10))
    assert (found[0, :2] == 0).all()
    np.testing.assert_array_equal(count(pattern.copy(), np.zeros(1), ("a",), "c"), pattern)


def test_normal_noise_follows_the_normal_law():
    noise = add_normal(np.zeros((24, N_POINTS), np.float32), np.arange(24.0), NAMES, "d")
    assert (noise[0] == 0).all()
    unit = noise[1:] / np.arange(1, 24)[:, None]
    assert stats.kstest(unit.ravel(), "norm").pvalue > 1e-3
    assert stats.kstest(unit[:, 1::2].ravel(), "norm").pvalue > 1e-3


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_points_are_independent_of_each_other(step):
    for noise in (
        counted(20.0) - 20,
        counted(0.8) - 0.8,
        add_normal(np.zeros((24, N_POINTS), np.float32), np.ones(24), NAMES, "d"),
    ):
        for moved in (noise, noise**2 - (noise**2).mean()):
            pairs = moved[:, step:].ravel(), moved[:, :-step].ravel()
            assert abs(np.corrcoef(*pairs)[0, 1]) < 4.5 / np.sqrt(len(pairs[0]))
        rows = noise[:, :8000]
        assert abs(np.corrcoef(rows)[np.triu_indices(24, 1)]).max() < 5 / np.sqrt(8000)


def test_a_draw_is_that_of_the_name_in_any_batch_on_any_number_of_threads():
    together = counted(30.0)
    np.testing.assert_array_equal(counted(30.0, NAMES[::-1])[::-1], together)
    np.testing.assert_array_equal(counted(30.0, NAMES[5:6]), together[5:6])
    assert (counted(30.0, stream="other") != together).mean() > 0.8
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        np.testing.assert_array_equal(counted(30.0), together)
    finally:
        numba.set_num_threads(before)


def test_torch_draws_the_same():
    rng = np.random.default_rng(1)
    patterns = (10 ** rng.uniform(-2, 4, (8, N_POINTS))).astype(np.float32)
    patterns[:, ::97] = -1
    per_unit = np.array([1.0, 3.0, 0.0, 1e2, 1.0, 0.1, 7.0, 1e-3])
    compiled = count(patterns.copy(), per_unit, NAMES[:8], "e")
    on_device = count(torch.as_tensor(patterns.copy()), per_unit, NAMES[:8], "e").numpy()
    assert (compiled != on_device).mean() < 1e-5
    assert on_device.dtype == np.float32
    compiled = add_normal(patterns.copy(), per_unit, NAMES[:8], "f")
    on_device = add_normal(torch.as_tensor(patterns.copy()), per_unit, NAMES[:8], "f").numpy()
    np.testing.assert_allclose(on_device, compiled, rtol=1e-6, atol=1e-9)
