"""Speed from recipes to patterns. Only ratios are asserted: seconds differ between machines."""

import numpy as np
import pytest
from timing import seconds

from sgbench.diffraction import LineList, PatternProtocol, render
from sgbench.sets import ULBD

FAMILIES = ("cubic", "tetragonal", "trigonal-hexagonal")


def line_by_line(lines: LineList, protocol: PatternProtocol) -> np.ndarray:
    """The straightforward way: each line's Gaussian over the whole grid."""
    grid = protocol.two_theta
    patterns = np.zeros((len(lines), protocol.n_points))
    for row, start, stop in zip(patterns, lines.offsets, lines.offsets[1:], strict=False):
        for place in range(start, stop):
            x = (grid - lines.two_theta[place]) / protocol.sigma
            row += lines.intensity[place] * np.exp(-0.5 * x * x)
        row /= row.max()
    return patterns


@pytest.mark.parametrize("family", FAMILIES)
def test_rendering_against_line_by_line(benchmark, family):
    dataset = ULBD[f"ulbd-{family}"]
    lines = dataset.lines(dataset.training_recipes(0, 48, seed=0))
    render(lines, dataset.protocol)  # compiles
    patterns = benchmark.pedantic(render, (lines, dataset.protocol), rounds=20, iterations=2)
    slow, expected = seconds(line_by_line, lines, dataset.protocol, repeats=2)
    np.testing.assert_allclose(patterns, expected, rtol=0, atol=1e-5)
    ratio = slow / benchmark.stats.stats.min
    benchmark.extra_info["patterns_per_second"] = len(lines) / benchmark.stats.stats.min
    benchmark.extra_info["lines_per_pattern"] = lines.offsets[-1] / len(lines)
    benchmark.extra_info["times_line_by_line"] = ratio
    assert ratio >= 100


@pytest.mark.parametrize("family", FAMILIES)
def test_lines_of_recipes(benchmark, family):
    dataset = ULBD[f"ulbd-{family}"]
    recipes = dataset.training_recipes(0, 256, seed=0)
    lines = dataset.lines(recipes)
    benchmark.pedantic(dataset.lines, (recipes,), rounds=10)
    benchmark.extra_info["patterns_per_second"] = len(recipes) / benchmark.stats.stats.min
    benchmark.extra_info["lines_per_pattern"] = lines.offsets[-1] / len(lines)


def test_recipes_in_bulk_against_one_by_one(benchmark):
    """Positions are shared within a batch, so a batch must not cost more than its samples."""
    dataset = ULBD["ulbd-cubic"]
    recipes = dataset.training_recipes(0, 200, seed=0)
    alone = [recipes.take([i]) for i in range(len(recipes))]
    dataset.lines(recipes)
    benchmark.pedantic(dataset.lines, (recipes,), rounds=10)
    apart, _ = seconds(lambda: [dataset.lines(recipe) for recipe in alone], repeats=3)
    ratio = apart / benchmark.stats.stats.min
    benchmark.extra_info["times_one_by_one"] = ratio
    assert ratio > 1
