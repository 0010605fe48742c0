import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgbench.diffraction import FREE_PARAMETERS, free_parameters, full_cell, metric
from sgbench.diffraction._cells import coefficients
from sgbench.errors import SgbenchError

FAMILIES = tuple(FREE_PARAMETERS)
families = st.sampled_from(FAMILIES)
edges = st.floats(0.5, 80)
# Any three of them are the angles of a cell.
angles = st.floats(75, 115)


@st.composite
def cells(draw):
    family = draw(families)
    return family, [draw(edges if name in "abc" else angles) for name in FREE_PARAMETERS[family]]


@given(cells(), st.lists(st.tuples(*(st.integers(-30, 30),) * 3), min_size=1, max_size=50))
def test_spacings_as_gemmi_has_them(cell, hkl):
    family, free = cell
    unit_cell = gemmi.UnitCell(*full_cell(family, free))
    expected = [unit_cell.calculate_1_d2(list(h)) for h in hkl]
    found = coefficients(family, hkl) @ metric(family, [free])[0]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_metrics_of_many_cells_are_those_of_each(family):
    generator = np.random.default_rng(0)
    names = FREE_PARAMETERS[family]
    free = np.stack([generator.uniform(*((3, 20) if n in "abc" else (80, 110)), 20) for n in names])
    free = free.T
    one_by_one = np.concatenate([metric(family, row[None]) for row in free])
    np.testing.assert_array_equal(metric(family, free), one_by_one)


@given(cells())
def test_free_parameters_undo_full_cell(cell):
    family, free = cell
    np.testing.assert_array_equal(free_parameters(family, full_cell(family, free)), free)
    np.testing.assert_array_equal(free_parameters(family, free), free)


def test_full_cells():
    assert full_cell("cubic", [4.0]).tolist() == [4, 4, 4, 90, 90, 90]
    assert full_cell("tetragonal", [4.0, 5.0]).tolist() == [4, 4, 5, 90, 90, 90]
    assert full_cell("trigonal-hexagonal", [4.0, 5.0]).tolist() == [4, 4, 5, 90, 90, 120]
    assert full_cell("monoclinic", [4.0, 5.0, 6.0, 100]).tolist() == [4, 5, 6, 90, 100, 90]
    assert full_cell("triclinic", [4, 5, 6, 80, 85, 95]).tolist() == [4, 5, 6, 80, 85, 95]


@pytest.mark.parametrize(
    ("family", "cell"),
    [
        ("cubic", [4, 4, 4.1, 90, 90, 90]),
        ("cubic", [4, 4, 4, 90, 90, 120]),
        ("tetragonal", [4, 4.1, 5, 90, 90, 90]),
        ("tetragonal", [4, 4, 5, 90, 91, 90]),
        ("trigonal-hexagonal", [4, 4, 5, 90, 90, 90]),
        ("trigonal-hexagonal", [4, 4.1, 5, 90, 90, 120]),
        ("orthorhombic", [4, 5, 6, 90, 91, 90]),
        ("monoclinic", [4, 5, 6, 91, 100, 90]),
    ],
)
def test_cells_that_break_the_constraints(family, cell):
    with pytest.raises(SgbenchError, match=f"breaks the constraints of the {family} family"):
        free_parameters(family, cell)


def test_the_tolerance_is_relative_for_lengths_and_absolute_for_angles():
    rounded = [40.0, 40.0, 40.03, 90.0, 90.0, 90.0]
    assert free_parameters("cubic", rounded).tolist() == [40.0]
    with pytest.raises(SgbenchError):
        free_parameters("cubic", [4.0, 4.0, 4.03, 90.0, 90.0, 90.0])
    assert free_parameters("cubic", [4, 4, 4.03, 90, 90, 90.02], tolerance=0.05).tolist() == [4]
    with pytest.raises(SgbenchError):
        free_parameters("cubic", [4.0, 4.0, 4.0, 90.0, 90.0, 90.02])


@pytest.mark.parametrize("length", [0.0, -4.0, float("nan"), float("inf")])
def test_lengths_that_are_none(length):
    for cell in ([length], [4.0, length, 4.0, 90.0, 90.0, 90.0]):
        with pytest.raises(SgbenchError, match="not a positive number"):
            free_parameters("cubic", cell)


@pytest.mark.parametrize("cell", [[], [4.0, 5.0], [4.0] * 5, [4.0] * 7])
def test_the_wrong_count_of_parameters(cell):
    with pytest.raises(SgbenchError, match="6 parameters or the free ones"):
        free_parameters("cubic", cell)


@pytest.mark.parametrize("family", ["all", "hexagonal"])
def test_families_without_cells(family):
    for function, values in (
        (free_parameters, [1.0, 2.0, 3.0]),
        (full_cell, [1.0, 2.0, 3.0]),
        (metric, [[1.0, 2.0, 3.0]]),
        (coefficients, [[1, 2, 3]]),
    ):
        with pytest.raises(SgbenchError, match=f"'{family}'"):
            function(family, values)
