import numpy as np
import pytest

from sgbench.decoder._lattice_lines import class_settings, lattice_lines
from sgbench.decoder._metric import free_of_metric, free_uncertainty
from sgbench.diffraction import CANONICAL, metric, reflection_table

CELLS = {
    "cubic": (9.3,),
    "tetragonal": (5.1, 7.3),
    "trigonal-hexagonal": (5.1, 10.3),
    "orthorhombic": (4.1, 5.3, 6.9),
    "monoclinic": (5.1, 6.3, 4.9, 101.0),
    "triclinic": (4.1, 5.3, 4.9, 81.0, 95.0, 102.0),
}


@pytest.mark.parametrize(("family", "cell"), CELLS.items())
def test_lines_and_classes_are_those_of_the_reflection_table(family, cell):
    top = CANONICAL.q_range[1]
    lines = lattice_lines(family, np.array(cell), top)
    table = reflection_table(family, cell, CANONICAL)
    of_metric = metric(family, [cell])[0]
    kept = table.coefficients @ of_metric <= top
    place = {tuple(row): index for index, row in enumerate(table.coefficients)}
    assert {tuple(row) for row in lines.coefficients} == {
        tuple(row) for row in table.coefficients[kept]
    }
    rows = [place[tuple(row)] for row in lines.coefficients]
    present = class_settings(lines).present
    assert {row.tobytes() for row in present} == {
        row.tobytes() for row in np.unique(table.present[:, rows], axis=0)
    }
    assert np.all(np.diff(lines.coefficients @ of_metric) >= -1e-12)


@pytest.mark.parametrize(("family", "cell"), CELLS.items())
def test_multiplicities_count_all_reflections(family, cell):
    top = 1.0
    lines = lattice_lines(family, np.array(cell), top)
    box = np.stack(np.meshgrid(*[np.arange(-12, 13)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    h, k, l = box.T  # noqa: E741
    # Reciprocal metric of any cell, with its cross terms.
    full = {"cubic": (0, 0, 0), "tetragonal": (0, 0, 1), "trigonal-hexagonal": (0, 0, 1)}
    g = metric(family, [cell])[0]
    if family in full:
        g = g[list(full[family])]
    q = g[0] * h * h + g[1] * k * k + g[2] * l * l
    if family == "trigonal-hexagonal":
        q = q + g[0] * h * k
    if family == "monoclinic":
        q = q + 2 * g[3] * h * l
    if family == "triclinic":
        q = q + 2 * (g[3] * k * l + g[4] * h * l + g[5] * h * k)
    assert lines.multiplicity.sum() == np.count_nonzero((q <= top) & (q > 0))


@pytest.mark.parametrize(("family", "cell"), CELLS.items())
def test_cells_follow_from_their_metrics(family, cell):
    of_metric = metric(family, [cell])[0]
    np.testing.assert_allclose(free_of_metric(family, of_metric), cell, rtol=1e-10)


def test_an_edge_is_half_as_uncertain_as_its_metric():
    spread = free_uncertainty("cubic", metric("cubic", [[9.0]])[0], np.array([[1e-8]]))
    np.testing.assert_allclose(spread, 9.0 * 0.5e-4, rtol=1e-4)


def test_some_lines_keep_their_classes():
    lines = lattice_lines("cubic", np.array([9.3]), 1.0)
    kept = np.array([2, 5, 11])
    np.testing.assert_array_equal(
        np.unique(class_settings(lines).present[:, kept], axis=0),
        class_settings(lines.take(kept)).present,
    )
