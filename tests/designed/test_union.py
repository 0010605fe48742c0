from dataclasses import replace

import numpy as np
import pytest

from sgbench.designed import ReducedCells, UlbdUnion
from sgbench.diffraction import LineList, full_cell
from sgbench.errors import SgbenchError
from sgbench.sets import OFF_MESH, ULBD, ULBD_ALL, SetSpec, open_test_set, open_training_set
from sgbench.symmetry import absences, family_spacegroups, relabellings

SMALL = ReducedCells(3.0, 9.0, 50)
ORTHORHOMBIC, MONOCLINIC, TRICLINIC = (
    replace(ULBD[f"ulbd-{family}"], domain=SMALL)
    for family in ("orthorhombic", "monoclinic", "triclinic")
)
UNION = UlbdUnion("ulbd-few", 1, (TRICLINIC, MONOCLINIC, ORTHORHOMBIC))


@pytest.mark.parametrize("dataset", [ORTHORHOMBIC, MONOCLINIC], ids=["ortho", "mono"])
def test_lines_are_those_of_the_group_in_one_of_its_settings(dataset):
    """By the absences themselves: positions of all reflections that the relabelled group allows."""
    recipes = dataset.held_out_recipes("off-mesh", 1)
    lines = dataset.lines(recipes)
    matrices = relabellings(dataset.family)
    axis = np.arange(-8, 9)
    hkl = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    hkl = hkl[hkl.any(axis=1)]
    import gemmi

    for i in range(0, len(recipes), 5):
        mine = lines.take([i]).two_theta
        cell = gemmi.UnitCell(*full_cell(dataset.family, recipes.cells[i]))
        q = np.array([cell.calculate_1_d2(h) for h in hkl.tolist()])
        angle = np.degrees(2 * np.arcsin(np.minimum(1.5406 / 2 * np.sqrt(q), 1)))
        # Indices up to 8 are complete below this angle for edges of 9 Å and more.
        window = (angle >= 6) & (angle <= 40)
        found = [
            np.unique(np.round(angle[window & ~absences(recipes.spacegroup[i], hkl @ m)], 5))
            for m in matrices
        ]
        low = np.unique(np.round(mine[(mine >= 6) & (mine <= 40)], 5))
        assert any(len(one) == len(low) and np.allclose(one, low, atol=2e-5) for one in found)


def test_axes_are_relabelled_evenly():
    recipes = ORTHORHOMBIC.training_recipes(0, 6000, 0)
    counts = np.bincount(ORTHORHOMBIC.settings(recipes) % 6, minlength=6)
    assert (abs(counts - 1000) < 150).all()


def test_a_sample_is_the_same_alone_and_among_others():
    together = UNION.training_samples(0, 64, seed=3)
    for first in (0, 17, 63):
        alone, same = UNION.training_samples(first, 1, seed=3), together.take([first])
        assert alone.ids == same.ids
        assert alone.spacegroup[0] == same.spacegroup[0]
        np.testing.assert_array_equal(alone.lines.two_theta, same.lines.two_theta)
        np.testing.assert_array_equal(alone.lines.intensity, same.lines.intensity)


def test_all_groups_are_trained_on_alike():
    # Groups alone: lines of many samples would take long.
    groups = np.concatenate([ULBD_ALL.training_samples(i, 1, 0).spacegroup for i in range(0, 400)])
    assert len(np.unique(groups)) > 150
    assert groups.min() < 16 < 200 < groups.max()


def test_held_out_samples_are_those_of_the_parts():
    whole = UNION.held_out_samples("in-mesh", 2)
    assert len(whole) == len(set(whole.ids)) == len(whole.spacegroup) == 2 * 74
    part = MONOCLINIC.held_out_samples("in-mesh", 2)
    mine = whole.take(np.flatnonzero(np.isin(whole.spacegroup, family_spacegroups("monoclinic"))))
    assert mine.ids == part.ids
    np.testing.assert_array_equal(mine.spacegroup, part.spacegroup)
    np.testing.assert_array_equal(mine.lines.two_theta, part.lines.two_theta)


def test_as_training_and_as_test_set():
    assert open_training_set(SetSpec.parse("ulbd-all")).spec.family == "all"
    truth = open_test_set(OFF_MESH, UNION, 1)
    assert truth.family == "all"
    assert len(truth) == 74


def test_cells_of_test_sets_are_new():
    for dataset in (ORTHORHOMBIC, MONOCLINIC, TRICLINIC):
        trained = {tuple(cell) for cell in dataset.mesh}
        off = dataset.held_out_recipes("off-mesh", 20)
        assert not trained & {tuple(cell) for cell in off.cells}
        inside = dataset.held_out_recipes("in-mesh", 20)
        assert {tuple(cell) for cell in inside.cells} <= trained
        assert inside.pattern.min() >= dataset.train_patterns + dataset.validation_patterns


def test_domain_of_the_family():
    assert UNION.in_domain(62, [5, 4, 8, 90, 90, 90])
    assert not UNION.in_domain(62, [5, 4, 12, 90, 90, 90])
    assert not UNION.in_domain(14, [5, 10, 5, 90, 100, 90])


def test_checksum_follows_the_parts():
    fewer = replace(UNION, parts=(replace(TRICLINIC, version=2), *UNION.parts[1:]))
    assert UNION.checksum() == replace(UNION).checksum()
    assert UNION.checksum() != fewer.checksum()


def test_no_step_without_a_mesh():
    with pytest.raises(SgbenchError, match="no lattice step"):
        open_training_set(SetSpec.parse("ulbd-orthorhombic@0.5x5"))


def test_concatenated_lines():
    parts = [UNION.parts[i].training_samples(0, 3, 0).lines for i in range(3)]
    whole = LineList.concatenate(parts)
    assert len(whole) == 9
    for i in range(9):
        expected = parts[i // 3].take([i % 3])
        np.testing.assert_array_equal(whole.take([i]).two_theta, expected.two_theta)
