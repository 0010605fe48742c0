"""Bayes' rule for designed patterns, beside one that compares lists of lines."""

from dataclasses import replace

import numpy as np
import pytest

from sgbench.designed import MeshAxis, Recipes, data_ceiling, exact_posterior
from sgbench.sets import DESIGNED_SETS, ULBD, ULBD_ALL, SetSpec, designed_set, family_set
from sgbench.symmetry import class_labels

SMALL = replace(
    ULBD["ulbd-tetragonal"], name="small", axes=(MeshAxis(3.0, 3.4, 0.1), MeshAxis(3.0, 3.4, 0.1))
)


def drawn_lines(dataset, cell, n=1):
    """Angles of the lines of each space group in one cell, drawn so many times: a list a draw."""
    groups = np.repeat(np.array(dataset.spacegroups), n)
    pattern = np.tile(np.arange(n), len(dataset.spacegroups))
    cells = np.tile(cell, (len(groups), 1))
    found = dataset.lines(Recipes(groups, np.zeros_like(groups), cells, pattern, off_mesh=True))
    return [tuple(part) for part in np.split(found.two_theta.round(6), found.offsets[1:-1])]


def test_even_over_the_groups_that_show_the_same_lines():
    """In small tetragonal cells, where whole classes cannot be told apart."""
    found = exact_posterior(SMALL, "off-mesh", 1)
    recipes = SMALL.held_out_recipes("off-mesh", 1)
    beyond = 0
    for row, group, cell in zip(found, recipes.spacegroup, recipes.cells, strict=True):
        lines = drawn_lines(SMALL, cell)
        same = np.array([one == lines[group - 75] for one in lines])
        np.testing.assert_allclose(row, same / same.sum(), atol=1e-12)
        beyond += same.sum() > (SMALL.labels == SMALL.labels[group - 75]).sum()
    assert beyond > 3


def test_a_setting_of_the_axes_counts_as_often_as_it_is_drawn():
    """The same lines may belong to more settings of one class than of another."""
    small = replace(ULBD["ulbd-orthorhombic"].domain, longest=6.0, count=2000)
    dataset = replace(ULBD["ulbd-orthorhombic"], name="few", domain=small)
    found = exact_posterior(dataset, "off-mesh", 20)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)
    unequal = [len(set(row[row > 0].round(9))) for row in found]
    row, n = int(np.argmax(unequal)), 200
    assert unequal[row] > 1
    recipes = dataset.held_out_recipes("off-mesh", 20)
    lines = drawn_lines(dataset, recipes.cells[row], n)
    own = tuple(dataset.lines(recipes.take([row])).two_theta.round(6))
    same = np.array([one == own for one in lines]).reshape(-1, n).sum(axis=1)
    expected = found[row] * same.sum()
    assert (np.abs(same - expected) <= 5 * np.sqrt(expected)).all()


@pytest.mark.parametrize("family", ["cubic", "tetragonal", "trigonal-hexagonal"])
def test_its_best_guess_is_the_data_ceiling(family):
    dataset = family_set(family)
    found = exact_posterior(dataset, "off-mesh", 50)
    top = np.sort(found, axis=1)[:, ::-1].cumsum(axis=1).mean(axis=0)[:5]
    assert top == pytest.approx(data_ceiling(dataset, "off-mesh"), abs=2e-3)


def test_no_two_cells_of_a_mesh_show_the_same_lines():
    """So it does no harm that only groups at one cell are compared."""
    seen: dict = {}
    for cell in SMALL.mesh:
        for lines in drawn_lines(SMALL, cell):
            assert seen.setdefault(lines, tuple(cell)) == tuple(cell)


def test_that_of_all_families_is_that_of_each():
    found = exact_posterior(ULBD_ALL, "off-mesh", 1)
    assert found.shape == (230, 230)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)
    cubic = exact_posterior(family_set("cubic"), "off-mesh", 1)
    np.testing.assert_array_equal(found[194:, 194:], cubic)


@pytest.mark.parametrize("spec", DESIGNED_SETS, ids=lambda spec: spec.name)
def test_it_is_known_where_the_name_says_so(spec):
    dataset = designed_set(spec)
    if spec.family in ("all", "orthorhombic"):
        return  # slow, and as the others
    assert (exact_posterior(dataset, "off-mesh", 1) is not None) == spec.posterior_is_known


def test_it_is_known_of_few_sets():
    known = (
        "ulbd-cubic",
        "ulbd-cubic-published",
        "ulbd-off-mesh",
        "ulbd-sealed",
        "ulbd-amplitude-off-mesh",
    )
    assert all(SetSpec.parse(name).posterior_is_known for name in known)
    unknown = (
        "ulbd-physical-cubic", "ulbd-physical-cubic-no-falloff", "ulbd-cubic-imbalanced", "cddd",
        "ulbd-off-mesh+thermal-2", "cddd-cubic", "ulbd-mineral-cells-off-mesh",
    )  # fmt: skip
    assert not any(SetSpec.parse(name).posterior_is_known for name in unknown)
    assert class_labels(SMALL.spacegroups).max() == 30
