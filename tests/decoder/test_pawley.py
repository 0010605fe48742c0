import numpy as np
import pytest
from scipy.optimize import nnls

from sgbench.decoder._pawley import fit_lattice, nonnegative
from sgbench.diffraction import CANONICAL, metric, reflection_table, render
from sgbench.sets import family_set

LARGEST = (10.0, 15.0)
NOISE = 1e-5


def profiles(two_theta):
    """Every line's profile on the whole grid, shape (n_points, n)."""
    off = (CANONICAL.two_theta[:, None] - two_theta) / CANONICAL.sigma
    return np.where(np.abs(off) < 6.1, np.exp(-0.5 * off**2), 0.0)


@pytest.fixture(scope="module")
def tetragonal():
    """A tetragonal pattern with overlapping lines, its cell and the lattice's fit."""
    dataset = family_set("tetragonal")
    recipes = dataset.held_out_recipes("off-mesh", 1).take([1])
    pattern = render(dataset.lines(recipes), CANONICAL)[0].astype(np.float64)
    exact = metric("tetragonal", recipes.cells)[0]
    table = reflection_table("tetragonal", LARGEST, CANONICAL)
    return pattern, exact, fit_lattice(pattern, exact, table, CANONICAL, NOISE)


def test_the_normal_equations_are_those_of_the_profiles(tetragonal):
    pattern, _, fit = tetragonal
    dense = profiles(fit.two_theta)
    gram = dense.T @ dense
    for line, (first, row) in enumerate(zip(fit.first, fit.normal, strict=True)):
        np.testing.assert_allclose(row[: line - first + 1], gram[line, first : line + 1], atol=1e-6)
        assert np.all(np.abs(gram[line, :first]) < 1e-6)
    np.testing.assert_allclose(fit.right, dense.T @ pattern, atol=1e-6)
    assert fit.misfit < NOISE


def test_a_cell_that_is_slightly_off_is_refined(tetragonal):
    pattern, exact, _ = tetragonal
    table = reflection_table("tetragonal", LARGEST, CANONICAL)
    refined = fit_lattice(pattern, exact * [1.0002, 0.9998], table, CANONICAL, NOISE)
    np.testing.assert_allclose(refined.metric, exact, rtol=2e-6)
    assert refined.misfit < NOISE


def test_intensities_are_those_of_scipy(tetragonal):
    pattern, _, fit = tetragonal
    noisy = pattern + 0.01 * np.random.default_rng(2).standard_normal(len(pattern))
    table = reflection_table("tetragonal", LARGEST, CANONICAL)
    of_noisy = fit_lattice(noisy, fit.metric, table, CANONICAL, 1.0)
    every = np.arange(len(of_noisy.row))
    ours = nonnegative(of_noisy, every)
    dense = profiles(of_noisy.two_theta)
    expected, misfit = nnls(dense, noisy)
    assert np.all(ours >= 0)
    assert (ours == 0).any()
    # Lines that nearly coincide may share an intensity in many ways; the fit is one.
    assert np.linalg.norm(dense @ ours - noisy) == pytest.approx(misfit, rel=1e-8)
    np.testing.assert_allclose(dense @ ours, dense @ expected, atol=1e-4)
