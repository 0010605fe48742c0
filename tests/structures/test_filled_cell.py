from collections import Counter

import gemmi
import numpy as np
import pytest

from sgbench.structures._filled_cell import (
    SPECIAL_POSITION_TOLERANCE,
    SPLIT_SITE_TOLERANCE,
    cell_parameters,
    fill_cell,
    lattice_vectors,
    operators_of,
)
from sgbench.structures.sources import Entry
from sgbench.structures.sources.amcsd import amcsd

RIGHT = (90.0, 90.0, 90.0)
HEXAGONAL = (90.0, 90.0, 120.0)


def test_cells_and_vectors_are_inverse():
    cell = np.array([5.0, 6.0, 7.0, 80.0, 95.0, 110.0])
    np.testing.assert_allclose(cell_parameters(lattice_vectors(cell)), cell, rtol=1e-12)
    assert np.linalg.det(lattice_vectors(cell)) == pytest.approx(gemmi.UnitCell(*cell).volume)


@pytest.mark.parametrize(
    ("apart", "occupancy", "n_atoms"),
    [
        (0.0, 1.0, 1),
        (0.09, 1.0, 1),
        (0.09, 0.6, 1),
        (0.11, 1.0, 2),
        (0.025, 0.5, 1),
        (0.035, 0.5, 2),
        (0.3, 0.5, 2),
    ],
)
def test_special_positions(apart, occupancy, n_atoms):
    """A site whose images are that close is put exactly onto the mirror plane, or split by it."""
    assert (SPECIAL_POSITION_TOLERANCE, SPLIT_SITE_TOLERANCE) == (0.1, 0.03)
    cell = np.array([6.0, 7.0, 8.0, *RIGHT])
    y = apart / 2 / 7.0
    images = fill_cell(cell, ("x,y,z", "x,-y,z"), np.array([[0.1, y, 0.13]]), np.array([occupancy]))
    assert len(images.positions) == n_atoms
    exact = 0.0 if n_atoms == 1 else y
    np.testing.assert_allclose(images.site_positions, [[0.1, exact, 0.13]], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(images.site, [0] * n_atoms)


def test_rounded_coordinates_are_put_onto_special_positions():
    group = gemmi.find_spacegroup_by_name("P 63/m m c").operations()
    operators = tuple(op.triplet() for op in group)
    cell = np.array([3.2, 3.2, 5.2, *HEXAGONAL])
    rough = fill_cell(cell, operators, np.array([[0.333, 0.667, 0.25]]), np.array([0.5]))
    assert len(rough.positions) == 2
    np.testing.assert_allclose(rough.site_positions, [[1 / 3, 2 / 3, 0.25]], atol=1e-12)
    general = np.array([[0.1, 0.33, 0.4], [0.0, 0.0, 0.0]])
    filled_cell = fill_cell(cell, operators, general, np.ones(2))
    np.testing.assert_array_equal(np.bincount(filled_cell.site), [24, 2])


def test_what_the_tolerances_decide_on_real_structures():
    """Hardly any site whose images are 0.03 to 0.1 ångström apart can be one of rounded numbers."""
    doubtful = Counter()
    for entry_ in amcsd().read():
        if not isinstance(entry_, Entry) or len(entry_.positions) > 30:
            continue
        rotations, shifts = operators_of(entry_.operators)
        lattice = lattice_vectors(np.array(entry_.cell))
        positions = np.array(entry_.positions)
        offsets = np.einsum("nij,sj->sni", rotations, positions) + shifts - positions[:, None]
        distance = np.linalg.norm((offsets - np.rint(offsets)) @ lattice, axis=-1)
        for site, occupancy in enumerate(entry_.occupancies):
            for low, high in ((0.001, 0.03), (0.03, 0.1), (0.1, 0.2)):
                if np.any((distance[site] >= low) & (distance[site] < high)):
                    doubtful[low, occupancy > 0.5] += 1
    assert doubtful[0.03, True] <= 3
    assert 10 <= doubtful[0.03, False] < 30
