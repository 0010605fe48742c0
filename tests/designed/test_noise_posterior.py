"""The posterior under noise, beside brute-force integrals and beside what is seen without noise."""

from dataclasses import replace
from math import comb, factorial

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import qmc

from sgbench.designed import (
    CountingNoise,
    GaussianNoise,
    MeshAxis,
    Recipes,
    exact_posterior,
    noise_posterior,
)
from sgbench.diffraction import (
    PatternProtocol,
    lorentz_factor,
    metric,
    reference_height,
    render,
    two_theta_of,
)
from sgbench.errors import SgbenchError
from sgbench.sets import ULBD
from sgbench.symmetry import relabellings

FAMILIES = ("cubic", "tetragonal", "trigonal-hexagonal")
SMALL = replace(
    ULBD["ulbd-tetragonal"], name="small", axes=(MeshAxis(3.0, 3.4, 0.1), MeshAxis(3.0, 3.4, 0.1))
)


def unscaled(dataset, recipes):
    """Patterns without noise, and the reference heights of their cells."""
    samples = dataset.samples(recipes)
    patterns = render(samples.lines, dataset.protocol, scaled=False)
    return patterns, reference_height(samples.cell, dataset.protocol)


def noisy(patterns, heights, law, level, seed=0):
    """Patterns with noise, and its law."""
    draw = np.random.default_rng(seed)
    if law == "readout":
        noise = GaussianNoise(level * heights)
        added = draw.normal(size=patterns.shape) * noise.deviation[:, None]
        return (patterns + added).astype(np.float32), noise
    noise = CountingNoise(level / heights)
    per_unit = noise.per_unit[:, None]
    return (draw.poisson(patterns * per_unit) / per_unit).astype(np.float32), noise


def one_of(noise, i):
    if isinstance(noise, GaussianNoise):
        return GaussianNoise(noise.deviation[[i]])
    return CountingNoise(noise.per_unit[[i]])


def by_class(dataset, probabilities):
    return probabilities @ np.eye(dataset.labels.max() + 1)[dataset.labels]


def brute_force(dataset, cell, pattern, noise, n=2**13):
    """Chance of each class: the mean likelihood over evenly spread intensities of all settings."""
    q = dataset.table.coefficients @ metric(dataset.family, cell[None])[0]
    lowest, highest = dataset.protocol.q_range
    rows = np.flatnonzero((q >= lowest) & (q <= highest))
    place = two_theta_of(q[rows], dataset.protocol.wavelength)
    away = (dataset.protocol.two_theta - place[:, None]) / dataset.protocol.sigma
    lines = lorentz_factor(place)[:, None] * np.exp(-0.5 * away**2)
    u = qmc.Sobol(len(rows), seed=1).random(n)
    found = []
    for present in dataset.table.present[:, rows]:
        mean = (u * present) @ lines
        if isinstance(noise, GaussianNoise):
            logs = -0.5 * ((pattern - mean) ** 2).sum(axis=1) / noise.deviation[0] ** 2
        else:
            counts = np.rint(pattern * noise.per_unit[0])
            mean = mean * noise.per_unit[0]
            logs = (counts * np.log(mean + 1e-300) - mean).sum(axis=1)
        found.append(logsumexp(logs) - np.log(n))
    n_relabellings = len(relabellings(dataset.family))
    of_class = logsumexp(np.reshape(found, (-1, n_relabellings)), axis=1)
    share = np.bincount(dataset.labels)
    chance = share * np.exp(of_class - of_class.max())
    return chance / chance.sum()


CELLS = {
    "cubic": [[4.1], [4.4], [3.8]],
    "tetragonal": [[3.1, 3.9], [3.3, 3.2], [3.9, 3.0]],
    "orthorhombic": [[3.0, 3.3, 3.4]],
}


@pytest.mark.parametrize(("law", "level"), [("readout", 0.7), ("exposure", 1.0)])
@pytest.mark.parametrize("family", CELLS)
def test_it_agrees_with_integrals_by_brute_force(family, law, level):
    """Where lines overlap, and where axes have six relabellings."""
    protocol = PatternProtocol("wide", two_theta_max=60, n_points=56, sigma=2.0)
    dataset = replace(ULBD[f"ulbd-{family}"], name="few lines", protocol=protocol)
    groups, cells = np.array(dataset.spacegroups)[[-1, 3, 5]], np.array(CELLS[family])
    zero = np.zeros(len(cells), dtype=np.int64)
    recipes = Recipes(groups[: len(cells)], zero, cells, zero, off_mesh=True)
    patterns, noise = noisy(*unscaled(dataset, recipes), law, level)
    found = by_class(dataset, noise_posterior(dataset, cells, patterns, noise).probabilities)
    assert (found.max(axis=1) < 0.9).any()
    for i, pattern in enumerate(patterns):
        expected = brute_force(dataset, cells[i], pattern, one_of(noise, i))
        np.testing.assert_allclose(found[i], expected, atol=0.01)


@pytest.mark.parametrize(("law", "level"), [("readout", 1e-5), ("exposure", 1e9)])
def test_as_noise_vanishes_it_becomes_that_of_the_lines(law, level):
    """In small cells, where some classes show lines of their own, and some do not."""
    recipes = SMALL.held_out_recipes("off-mesh", 2)
    exact = exact_posterior(SMALL, "off-mesh", 2)
    assert 0.05 < (by_class(SMALL, exact).max(axis=1) < 0.99).mean() < 0.9
    patterns, noise = noisy(*unscaled(SMALL, recipes), law, level)
    found = noise_posterior(SMALL, recipes.cells, patterns, noise)
    away = np.abs(by_class(SMALL, found.probabilities - exact)).max(axis=1)
    assert np.median(away) < 1e-3
    assert away.mean() < 0.01  # a line may be as weak as the noise


def irwin_hall(x, n):
    """Density of the sum of n uniform numbers."""
    terms = [(-1) ** k * comb(n, k) * (x - k) ** (n - 1) for k in range(n + 1) if x > k]
    return max(sum(terms), 0) / factorial(n - 1)


@pytest.mark.parametrize(("law", "level"), [("readout", 1e-4), ("exposure", 1e7)])
def test_where_lines_coincide_their_sum_tells_how_many_they_are(law, level):
    """c = 2a makes 100 and 002 one line, so that noise-free heights have densities."""
    protocol = PatternProtocol("short", two_theta_max=75, n_points=1401)
    dataset = replace(ULBD["ulbd-tetragonal"], name="twofold", protocol=protocol)
    groups = np.repeat(dataset.spacegroups, 2)
    cells, zero = np.tile([3.0, 6.0], (len(groups), 1)), np.zeros(len(groups), dtype=np.int64)
    recipes = Recipes(groups, zero, cells, np.arange(len(groups)), off_mesh=True)
    lines, own = dataset.lines(recipes), dataset.labels[groups - groups[0]]
    q = dataset.table.coefficients @ metric("tetragonal", cells[:1])[0]
    lowest, highest = protocol.q_range
    rows = np.flatnonzero((q >= lowest) & (q <= highest))
    angles, place = np.unique(two_theta_of(q[rows], 1.5406).round(6), return_inverse=True)
    number = np.array([np.bincount(place[one], minlength=len(angles))
                       for one in dataset.table.present[:, rows]])  # fmt: skip
    assert number.max() > 2
    expected = []
    for i in range(len(groups)):
        mine = slice(lines.offsets[i], lines.offsets[i + 1])
        at = np.searchsorted(angles, lines.two_theta[mine].round(6))
        height = np.bincount(at, lines.intensity[mine], len(angles)) / lorentz_factor(angles)
        density = [
            np.prod(
                [irwin_hall(x, n) if n else float(x == 0) for x, n in zip(height, one, strict=True)]
            )
            for one in number.tolist()
        ]
        expected.append(np.bincount(dataset.labels) * density)
    expected = np.array(expected) / np.sum(expected, axis=1, keepdims=True)
    assert (expected[np.arange(len(groups)), own] < 0.9).mean() > 0.3
    patterns, noise = noisy(*unscaled(dataset, recipes), law, level)
    found = by_class(dataset, noise_posterior(dataset, cells, patterns, noise).probabilities)
    away = np.abs(found - expected).max(axis=1)
    assert np.median(away) < 0.01
    assert away.mean() < 0.03


def test_a_pattern_has_the_same_chances_wherever_it_stands():
    dataset = ULBD["ulbd-tetragonal"]
    recipes = dataset.held_out_recipes("off-mesh", 1).take(np.arange(8))
    patterns, noise = noisy(*unscaled(dataset, recipes), "readout", 0.1)
    whole = noise_posterior(dataset, recipes.cells, patterns, noise)
    np.testing.assert_allclose(whole.probabilities.sum(axis=1), 1)
    assert whole.error.max() < 0.02
    turned = noise_posterior(
        dataset, recipes.cells[::-1], patterns[::-1], GaussianNoise(noise.deviation[::-1])
    )
    np.testing.assert_array_equal(whole.probabilities, turned.probabilities[::-1])


@pytest.mark.parametrize("name", ["ulbd-physical-cubic", "ulbd-cubic-imbalanced"])
def test_other_laws_and_other_cells_have_none(name):
    one = GaussianNoise(np.ones(1))
    with pytest.raises(SgbenchError, match="not known for"):
        noise_posterior(ULBD[name], np.array([[5.0]]), np.zeros((1, 8192)), one)


# More of these: tools/bayes.py.
@pytest.mark.parametrize(("law", "level"), [("readout", 0.1), ("exposure", 0.1)])
@pytest.mark.parametrize("family", FAMILIES)
def test_its_chances_come_true(family, law, level):
    dataset = ULBD[f"ulbd-{family}"]
    recipes = dataset.held_out_recipes("off-mesh", 1)
    patterns, noise = noisy(*unscaled(dataset, recipes), law, level)
    found = by_class(
        dataset, noise_posterior(dataset, recipes.cells, patterns, noise).probabilities
    )
    own = dataset.labels[recipes.spacegroup - dataset.spacegroups[0]]
    hits, spread = found.argmax(axis=1) == own, found.max(axis=1) * (1 - found.max(axis=1))
    assert abs((hits - found.max(axis=1)).sum()) < 4 * np.sqrt(spread.sum())
    expected = -(found * np.log(np.maximum(found, 1e-300))).sum(axis=1)
    surprise = -np.log(found[np.arange(len(own)), own])
    assert abs((surprise - expected).sum()) < 4 * np.sqrt(len(own)) * surprise.std()
