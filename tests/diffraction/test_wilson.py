"""Wilson's statistics against crystals of atoms at random positions, summed atom by atom."""

import numpy as np
import pytest

from sgbench.diffraction import CANONICAL, half_shapes, reflection_table
from sgbench.diffraction._cells import coefficients, metric
from sgbench.diffraction._lines import reflections
from sgbench.symmetry import class_labels, family_of, family_spacegroups
from sgbench.symmetry._groups import operations

N_CRYSTALS, N_ATOMS = 800, 12


def in_window(family: str, cell: tuple[float, ...], rows) -> np.ndarray:
    """Lines that the cell shows; of the others the box of indices holds only a part."""
    return rows @ metric(family, [cell])[0] <= CANONICAL.q_range[1]


def random_line_intensities(spacegroup: int, cell: tuple[float, ...]):
    """Intensity of each line, shape (N_CRYSTALS, n_lines), of point atoms in general positions."""
    family = family_of(spacegroup)
    hkl = reflections(cell, CANONICAL)
    rows, line = np.unique(coefficients(family, hkl), axis=0, return_inverse=True)
    rng = np.random.default_rng(spacegroup)
    atoms = rng.random((N_CRYSTALS, N_ATOMS, 3))
    factor = np.zeros((N_CRYSTALS, len(hkl)), dtype=complex)
    for op in operations(spacegroup):
        rotation, shift = np.array(op.rot) / op.DEN, np.array(op.tran) / op.DEN
        # exp(2 pi i h.(R x + t)) of all atoms
        phase = atoms @ (hkl @ rotation).T + hkl @ shift
        factor += np.exp(2j * np.pi * phase).sum(axis=1)
    intensity = np.zeros((N_CRYSTALS, len(rows)))
    np.add.at(intensity.T, line.ravel(), (np.abs(factor) ** 2).T)
    return intensity, in_window(family, cell, rows)


# Centric and not, centred and not, high and low Laue class, screw axes and glide planes.
@pytest.mark.parametrize("spacegroup", [195, 198, 205, 227, 81, 88, 143, 148, 168])
def test_mean_and_spread_of_lines_of_random_crystals(spacegroup):
    family = family_of(spacegroup)
    cell = (3.4,) if family == "cubic" else (2.6, 3.0)
    group = spacegroup - family_spacegroups(family)[0]
    shape = half_shapes(family, cell, CANONICAL)[group] / 2
    intensity, shown = random_line_intensities(spacegroup, cell)
    intensity, shape = intensity[:, shown], shape[shown]
    absent = shape == 0
    # A line is absent exactly when no set of equivalent reflections is left.
    assert np.all(intensity[:, absent] < 1e-12 * intensity.max())
    mean = intensity[:, ~absent].mean(axis=0) / shape[~absent]
    # Mean proportional to the shape, and variance = mean^2 / shape, up to a finite sample.
    assert mean == pytest.approx(np.full_like(mean, mean.mean()), rel=0.2)
    assert mean.mean() == pytest.approx(np.median(mean), rel=0.05)
    relative = intensity[:, ~absent].var(axis=0) / intensity[:, ~absent].mean(axis=0) ** 2
    found = np.median(relative * shape[~absent])
    assert found == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize("family", ["cubic", "tetragonal", "trigonal-hexagonal"])
def test_lines_that_a_class_keeps_have_a_shape(family):
    cell = (9.0,) if family == "cubic" else (6.0, 8.0)
    table = reflection_table(family, cell, CANONICAL)
    shown = in_window(family, cell, table.coefficients)
    present = table.present[class_labels(family_spacegroups(family))]
    found = half_shapes(family, cell, CANONICAL) > 0
    assert (found == present)[:, shown].all()


def test_shapes_that_are_known():
    """P m -3 m has one centric set a line, but where two meet; P 2 3 has acentric and sums."""
    table = reflection_table("cubic", (9.0,), CANONICAL)
    shapes = half_shapes("cubic", (9.0,), CANONICAL)
    row = {int(n): i for i, n in enumerate(table.coefficients[:, 0])}
    p23, pm3m = shapes[195 - 195], shapes[221 - 195]
    assert [pm3m[row[n]] for n in (1, 2, 3, 9, 14)] == [1, 1, 1, 2, 1]  # 9: 300 and 221
    # In P 2 3: hk0 is centric; 210 and 120 are not equivalent; 123 and 213 neither, and acentric.
    assert [p23[row[n]] for n in (1, 2, 3, 5, 14)] == [1, 1, 2, 2, 4]
