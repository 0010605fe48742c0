"""Each intensity law draws what it says."""

from dataclasses import replace

import numpy as np
import pytest

from sgbench.designed import LAWS, UNIFORM
from sgbench.diffraction import half_shapes
from sgbench.sets import Mesh, SetSpec, designed_set

# All 7200 training recipes of 10 small cubic cells: 36 space groups, 20 patterns a cell.
MESH = Mesh(axes=((6.0, 7.0, 0.1),))
# Standard errors. The draws are fixed: the right law stays below 3 and a wrong one is above 40.
BEYOND_CHANCE = 6.0


@pytest.fixture(scope="module", params=LAWS)
def drawn(request):
    """Draw from a law.

    Returns
    -------
    name : str
    intensity : ndarray, shape (n_lines,)
        Before the Lorentz factor.
    half : ndarray of int, shape (n_lines,)
        Twice the shape of the line's gamma distribution.
    s_squared : ndarray, shape (n_lines,)
        (sin theta / wavelength)^2 in ångström^-2.
    pattern : ndarray of int, shape (n_lines,)
        Which pattern the line is of.
    """
    dataset = designed_set(SetSpec("designed", family="cubic", law=request.param, mesh=MESH))
    recipes = dataset.all_recipes("train")
    lines = dataset.lines(recipes)
    theta = np.radians(lines.two_theta) / 2
    s_squared = (np.sin(theta) / dataset.protocol.wavelength) ** 2
    pattern = np.repeat(np.arange(len(recipes)), np.diff(lines.offsets))
    # A cubic line is known by h² + k² + l².
    norm = np.rint(4 * s_squared * recipes.cells[pattern, 0] ** 2).astype(int)
    norms = dataset.table.coefficients[:, 0]
    row = np.zeros(int(norms.max()) + 1, dtype=int)
    row[norms.astype(int)] = np.arange(len(norms))
    shapes = half_shapes("cubic", dataset.largest_cell, dataset.protocol)
    half = shapes[recipes.spacegroup[pattern] - dataset.spacegroups[0], row[norm]]
    intensity = lines.intensity * np.sin(2 * theta) * np.sin(theta)
    return request.param, intensity, half, s_squared, pattern


def excess(law, intensity, half, s_squared, pattern):
    """Return how far mean and variance lie from what a law claims, at worst, in standard errors.

    Lines of few and of many reflections, at low and at high angles, are looked at by themselves.
    The lines of a pattern share its B, so the standard error is that of sums over patterns.
    """
    mean, variance = law.moments(half, s_squared)
    residual = (intensity - mean) / np.sqrt(variance)
    shell = np.digitize(s_squared, np.quantile(s_squared, [1 / 3, 2 / 3]))
    kind = 3 * np.digitize(half, [2, 3, 5]) + shell
    worst = 0.0
    for one in np.unique(kind):
        chosen = kind == one
        for deviation in (residual[chosen], residual[chosen] ** 2 - 1):
            sums = np.bincount(pattern[chosen], deviation)
            worst = max(worst, abs(sums.sum()) / np.sqrt((sums**2).sum()))
    return worst


def test_mean_and_variance_are_as_claimed_by_this_law_alone(drawn):
    name, *lines = drawn
    found = {claimed: excess(law, *lines) for claimed, law in LAWS.items()}
    assert [claimed for claimed, worst in found.items() if worst < BEYOND_CHANCE] == [name], found


def test_the_range_is_as_claimed(drawn):
    name, intensity, half, *_ = drawn
    law = LAWS[name]
    assert 0 < intensity.min() < 0.01
    bounded = (intensity / replace(law, wilson=False).highest(half)).max()
    if law.wilson:
        assert np.isinf(law.highest(half)).all()
        assert bounded > 3
    else:
        assert 0.95 < bounded <= 1 + 1e-6


def test_moments_without_fall_off_are_those_of_the_distributions():
    assert UNIFORM.moments([1, 6], [0.1, 0.2]) == (
        pytest.approx([1 / 2, 1 / 2]),
        pytest.approx([1 / 12, 1 / 12]),
    )
    gamma = LAWS["physical-no-falloff"].moments([1, 6], [0.1, 0.2])
    assert gamma == (pytest.approx([0.5, 3]), pytest.approx([0.5, 3]))


def test_moments_of_squared_amplitudes():
    """Of u² for u uniform: 1/3, and 1/5 - 1/9; a published pattern has 0.07, 0.28 and 0.63."""
    law = LAWS["amplitude"]
    assert law.moments([1, 6], [0.1, 0.2]) == (
        pytest.approx([1 / 3, 1 / 3]),
        pytest.approx([4 / 45, 4 / 45]),
    )
    quartiles = np.array([1, 4, 9]) / 16
    assert quartiles / 0.95**2 == pytest.approx([0.07, 0.28, 0.63], abs=0.01)
    assert not law.tells_groups_apart


def test_quartiles_of_squared_amplitudes(drawn):
    name, intensity, *_ = drawn
    found = np.quantile(intensity, [0.25, 0.5, 0.75])
    assert (np.abs(found * 16 - [1, 4, 9]).max() < 0.1) == (name == "amplitude")


def test_amplitudes_fall_off_as_physical_intensities_do():
    """With the B of a pattern that the law `physical` draws."""
    plain, falling, physical, bare = (
        designed_set(SetSpec("designed", family="cubic", law=law))
        for law in ("amplitude", "amplitude-falloff", "physical", "physical-no-falloff")
    )
    recipes = plain.held_out_recipes("off-mesh", 1)
    drawn = [one.lines(recipes).intensity for one in (plain, falling, bare, physical)]
    np.testing.assert_allclose(drawn[1] / drawn[0], drawn[3] / drawn[2], rtol=1e-5)
    assert not LAWS["amplitude-falloff"].tells_groups_apart


def test_amplitudes_are_drawn_as_intensities_are():
    """The same random number a line, squared: patterns of both laws differ in nothing else."""
    uniform, amplitude = (
        designed_set(SetSpec("designed", family="tetragonal", law=law))
        for law in ("uniform", "amplitude")
    )
    recipes = uniform.held_out_recipes("off-mesh", 1)
    found, squared = uniform.lines(recipes), amplitude.lines(recipes)
    np.testing.assert_array_equal(found.two_theta, squared.two_theta)
    theta = np.radians(found.two_theta) / 2
    lorentz = 1 / (np.sin(2 * theta) * np.sin(theta))
    np.testing.assert_allclose(squared.intensity, found.intensity**2 / lorentz, rtol=1e-5)


def test_laws_say_what_they_are():
    texts = {name: law.describe() for name, law in LAWS.items()}
    assert len(set(texts.values())) == len(LAWS)
    for name, law in LAWS.items():
        assert ("Wilson's statistics" in texts[name]) == law.wilson
        assert ("uniform on (0, 1]" in texts[name]) == (not law.wilson)
        assert ("multiplicity" in texts[name]) == law.multiplicity
        assert ("uniform from 0 to 6 Å²" in texts[name]) == (law.largest_b > 0)
        assert texts[name].endswith(f"Source: {law.source}.")
        assert ("squares of amplitudes" in texts[name]) == law.amplitude
        assert ("published with its code" in law.source) == law.amplitude
        assert ("Wang" in law.source) == (not law.wilson)
        assert ("1949" in law.source) == law.tells_groups_apart
        assert ("1942" in law.source) == (law.largest_b > 0)
