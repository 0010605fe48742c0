"""ulbd-cubic-imbalanced: each space group with the cells that real structures of it span."""

from dataclasses import replace

import numpy as np
import pytest

from sgbench.designed import MeshAxis
from sgbench.errors import SgbenchError
from sgbench.sets import ULBD
from sgbench.sets._lattice_ranges import CUBIC_RANGES, lattice_ranges
from sgbench.structures import build_crystals
from sgbench.structures.sources.amcsd import amcsd

BALANCED, IMBALANCED = ULBD["ulbd-cubic"], ULBD["ulbd-cubic-imbalanced"]
SMALL = replace(
    BALANCED,
    name="small",
    axes=(MeshAxis(4.0, 8.0, 0.5),),
    ranges=((195, 4.0, 4.0), (230, 5.2, 6.6)),
)


def test_the_ranges_are_those_of_the_mineral_structures(tmp_path):
    source = amcsd()
    # Cubic entries alone, since nothing else counts here and cleaning takes its time.
    cubic = replace(source, read=lambda: (e for e in source.read() if (_label(e) or 0) >= 195))
    crystals = build_crystals(tmp_path / "cubic.parquet", "cddd", cubic, ["cubic"], workers=2)
    assert lattice_ranges(crystals) == CUBIC_RANGES
    # And the cells of minerals hold nearly all; below them are the smallest metals.
    (shortest, longest), *_ = ULBD["ulbd-mineral-cells-cubic"].domain.edges
    edge = crystals.cell[:, 0]
    assert (edge < shortest).mean() == pytest.approx(0.025, abs=0.001)
    assert (edge > longest).mean() == pytest.approx(0.004, abs=0.001)


def _label(entry):
    return getattr(entry, "spacegroup", None)


def test_a_space_group_has_the_part_of_the_mesh_in_its_range():
    recipes = SMALL.all_recipes("in-mesh")
    assert len(recipes) == SMALL.size("in-mesh") == (1 + 4) * 5
    cells = {g: np.unique(recipes.cells[recipes.spacegroup == g]) for g in (195, 230)}
    np.testing.assert_allclose(cells[195], [4.0])
    np.testing.assert_allclose(cells[230], [5.0, 5.5, 6.0, 6.5])
    np.testing.assert_allclose(recipes.cells[:, 0], SMALL.mesh[recipes.cell_index, 0])


def test_samples_are_drawn_in_proportion_to_the_cells():
    for dataset in (SMALL, IMBALANCED):
        recipes = dataset.training_recipes(0, 50_000, seed=1)
        drawn = np.array([(recipes.spacegroup == g).sum() for g in dataset.spacegroups])
        expected = 50_000 * dataset.n_cells / dataset.n_cells.sum()
        assert np.all(drawn[expected == 0] == 0)
        np.testing.assert_allclose(drawn, expected, atol=5 * np.sqrt(expected.max()))
        held = dataset.held_out_recipes("validation", 50)
        share = np.array([(held.spacegroup == g).mean() for g in dataset.spacegroups])
        np.testing.assert_allclose(share, expected / 50_000, atol=1e-3)


@pytest.mark.parametrize("split", ["train", "validation", "in-mesh", "off-mesh"])
def test_no_sample_leaves_its_range(split):
    recipes = (
        IMBALANCED.training_recipes(0, 20_000, seed=0)
        if split == "train"
        else IMBALANCED.held_out_recipes(split, 60)
    )
    step = IMBALANCED.axes[0].step
    for spacegroup, low, high in CUBIC_RANGES:
        edges = recipes.cells[recipes.spacegroup == spacegroup, 0]
        assert np.all((edges > low - 1e-6) & (edges < high + step - 1e-6)), spacegroup
    assert np.all(np.isin(recipes.spacegroup, [g for g, _, _ in CUBIC_RANGES]))
    if split == "in-mesh":
        assert len(set(recipes.sample_ids)) == len(recipes)


def test_lines_do_not_depend_on_the_ranges():
    """A dataset is the same patterns, fewer of them: keys go with its name."""
    whole = replace(SMALL, ranges=())
    recipes = SMALL.training_recipes(0, 50, seed=3)
    np.testing.assert_array_equal(SMALL.lines(recipes).intensity, whole.lines(recipes).intensity)


def test_ranges_that_cannot_be():
    with pytest.raises(SgbenchError, match="not in the mesh"):
        replace(SMALL, ranges=((225, 3.0, 5.0),)).size("train")
    with pytest.raises(SgbenchError, match="not in the mesh"):
        replace(SMALL, ranges=((225, 7.0, 9.0),)).size("train")
    with pytest.raises(SgbenchError, match="one free parameter"):
        replace(ULBD["ulbd-tetragonal"], ranges=((123, 4.0, 5.0),))
    with pytest.raises(SgbenchError, match="of space group 195"):
        SMALL.held_out_recipes("in-mesh", 1000)
