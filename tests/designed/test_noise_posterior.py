"""The posterior under noise, beside integrals by brute force and beside what is seen without noise."""

from dataclasses import replace
from math import comb, factorial

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import chi2, qmc

from sgbench.designed import (
    CountingNoise,
    GaussianNoise,
    LogUniformCells,
    MeshAxis,
    Recipes,
    exact_posterior,
    noise_posterior,
)
from sgbench.diffraction import (
    PatternProtocol,
    full_cell,
    lorentz_factor,
    metric,
    reference_height,
    render,
    two_theta_of,
)
from sgbench.errors import SgbenchError
from sgbench.sets import ULBD, SetSpec, designed_set
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


def brute_force(dataset, cell, pattern, noise, n=2**15):
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
    "orthorhombic": [[3.0, 3.3, 3.4], [3.1, 3.15, 3.3]],
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
