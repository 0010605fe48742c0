from itertools import product

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgbench.decoder._cell_search import ORDER
from sgbench.decoder._found_lines import FoundLines
from sgbench.decoder._lattice_fit import calculated, has
from sgbench.decoder._lattice_symmetry import (
    conventional,
    metric_of_cell,
    primitive,
    symmetric_cells,
    tensor_of,
)
from sgbench.decoder._lattices import candidate_lattices

WAVELENGTH = 1.5406
CELLS = {
    "cubic": ((8.0, 8.0, 8.0, 90, 90, 90), "I"),
    "tetragonal": ((7.55, 7.55, 3.45, 90, 90, 90), "P"),
    "trigonal-hexagonal": ((9.6, 9.6, 12.95, 90, 90, 120), "R"),
    "orthorhombic": ((6.9, 9.59, 10.82, 90, 90, 90), "F"),
    "monoclinic": ((4.96, 10.8, 9.84, 90, 97.75, 90), "P"),
    "triclinic": ((5.78, 6.88, 8.34, 102.7, 95.62, 96.45), "P"),
}


def reflections(cell, centring, top):
    """All reflections up to 1/d^2 = top: indices and 1/d^2, by brute force."""
    index = np.arange(-20, 21)
    hkl = np.array([one for one in product(index, repeat=3) if any(one)])
    tensor = tensor_of(metric_of_cell(np.array(cell, float)))
    q = np.einsum("ni,ij,nj->n", hkl, tensor, hkl)
    inside = q <= top
    centred = np.array([has("PABCIFR".index(centring), *one) for one in hkl[inside].tolist()])
    return hkl[inside][centred], q[inside][centred]


def lines_of(cell, centring, rng, *, zero=0.0, noise=0.003, missing=0.1, foreign=0):
    _, q = reflections(cell, centring, (2 * np.sin(np.radians(45.0)) / WAVELENGTH) ** 2)
    q = np.unique(np.round(q, 9))
    q = q[np.concatenate([[True], np.diff(q) > 2e-4])]
    place = np.degrees(2 * np.arcsin(np.sqrt(q) * WAVELENGTH / 2)) + zero
    place = place[rng.random(len(place)) > missing]
    height = rng.random(len(place)) + 0.1
    place = place + noise * rng.standard_normal(len(place))
    place = np.append(place, rng.uniform(place[0], place[len(place) // 2], foreign))
    height = np.append(height, np.full(foreign, 0.03))
    order = np.argsort(place)
    flat = np.ones(len(place))
    return FoundLines(place[order], noise * flat, height[order], 0.1 * flat)


def same_lattice(one, other):
    reduced = [primitive(metric_of_cell(np.array(cell, float)), 0) for cell in (one, other)]
    return np.allclose(reduced[0][:3], reduced[1][:3], rtol=4e-3) and np.allclose(
        reduced[0][3:], reduced[1][3:], atol=0.5
    )


@pytest.mark.parametrize("family", ORDER)
def test_the_cell_is_found_with_a_shifted_zero_missing_and_foreign_lines(family):
    cell, centring = CELLS[family]
    rng = np.random.default_rng(ORDER.index(family))
    lines = lines_of(cell, centring, rng, zero=0.07, foreign=2)
    found = candidate_lattices(lines, WAVELENGTH, ORDER, 5000.0, 60.0).lattices
    assert found[0].family == family
    assert same_lattice(found[0].cell, cell)
    assert found[0].zero == pytest.approx(0.07, abs=0.02)
    assert not found[0].derived
    assert found[0].m20 > 10
    assert [one.weight for one in found] == sorted((one.weight for one in found), reverse=True)


def test_a_family_that_is_not_asked_for_is_not_answered():
    cell, centring = CELLS["tetragonal"]
    lines = lines_of(cell, centring, np.random.default_rng(3))
    found = candidate_lattices(lines, WAVELENGTH, ("cubic", "tetragonal"), 5000.0, 60.0).lattices
    assert {one.family for one in found} <= {"cubic", "tetragonal"}
    assert same_lattice(found[0].cell, cell)


def test_superlattices_come_later_and_are_marked():
    cell, centring = CELLS["tetragonal"]
    lines = lines_of(cell, centring, np.random.default_rng(4), missing=0.0)
    found = candidate_lattices(lines, WAVELENGTH, ("tetragonal",), 5000.0, 60.0).lattices
    double = [
        one
        for one in found[1:]
        if same_lattice(one.cell, (7.55, 7.55, 6.9, 90, 90, 90)) and one.centring == "P"
    ]
    assert all(one.derived for one in double)


def test_a_cell_that_a_higher_family_nearly_has_is_searched_itself():
    # 4a and 2b are nearly the edges of an orthohexagonal cell.
    cell = (4.4577, 5.1501, 7.9537, 90.0, 90.0, 90.0)
    lines = lines_of(cell, "P", np.random.default_rng(7), zero=0.039)
    found = candidate_lattices(lines, WAVELENGTH, ORDER, 5000.0, 60.0).lattices
    assert found[0].family == "orthorhombic"
    assert same_lattice(found[0].cell, cell)


def test_a_short_hexagonal_axis_is_found():
    # As of beryllium.
    cell = (2.2858, 2.2858, 3.5843, 90.0, 90.0, 120.0)
    lines = lines_of(cell, "P", np.random.default_rng(8), missing=0.0)
    families = ("cubic", "tetragonal", "trigonal-hexagonal")
    found = candidate_lattices(lines, WAVELENGTH, families, 5000.0, 60.0).lattices
    assert same_lattice(found[0].cell, cell)


def test_too_few_lines_have_no_lattice():
    lines = FoundLines(*(np.array([20.0, 30.0]) for _ in range(4)))
    assert candidate_lattices(lines, WAVELENGTH, ORDER, 5000.0, 60.0).lattices == ()


@pytest.mark.parametrize(("family", "centring"), [(f, CELLS[f][1]) for f in ORDER])
def test_lines_of_a_metric_are_those_of_brute_force(family, centring):
    cell, _ = CELLS[family]
    top = 0.25
    _, wanted = reflections(cell, centring, top)
    hkl, q = np.empty((6000, 3), np.int64), np.empty(6000)
    metric = metric_of_cell(np.array(cell, float))
    number = ORDER.index(family)
    count = calculated(number, metric, top, "PABCIFR".index(centring), hkl, q)
    np.testing.assert_allclose(
        np.unique(np.round(q[:count], 8)), np.unique(np.round(wanted, 8)), atol=2e-8
    )


edge, angle = st.floats(3, 12), st.floats(70, 115)


@settings(max_examples=25, deadline=None)
@given(edge, edge, edge, st.floats(91, 115), st.integers(-2, 2))
def test_a_monoclinic_setting_does_not_depend_on_the_basis(a, b, c, beta, times):
    tensor = np.linalg.inv(tensor_of(metric_of_cell(np.array([a, b, c, 90, beta, 90]))))
    basis = np.array([[1, 0, times], [0, 1, 0], [0, 0, 1]])
    cells = []
    for one in (np.eye(3), basis):
        inverse = np.linalg.inv(one @ tensor @ one.T)
        form = np.array([*np.diag(inverse), *(2 * inverse[[1, 0, 0], [2, 2, 1]])])
        cells.append(conventional("monoclinic", form))
    np.testing.assert_allclose(cells[0][:3], cells[1][:3], rtol=1e-6)
    assert cells[0][0] <= cells[0][2] * (1 + 1e-9)
    assert cells[0][4] >= 90 - 1e-6


def test_two_fold_axes_lead_to_cells_of_higher_symmetry():
    for centring, cell, family in (
        ("C", (8.0, 9.97, 7.43, 90, 99.6, 90), "monoclinic"),
        ("F", (6.9, 9.59, 10.82, 90, 90, 90), "orthorhombic"),
    ):
        reduced = primitive(metric_of_cell(np.array(cell, float)), "PABCIFR".index(centring))
        found = symmetric_cells(metric_of_cell(reduced), 0.5)
        volume = gemmi.UnitCell(*cell).volume
        cells = [conventional(name, metric) for name, metric in found if name == family]
        assert any(
            gemmi.UnitCell(*one).volume == pytest.approx(volume, rel=1e-6)
            and same_lattice(one, cell)
            for one in cells
        )


def test_families_that_time_left_out_are_not_said_to_be_searched():
    cell, centring = CELLS["triclinic"]
    lines = lines_of(cell, centring, np.random.default_rng(6))
    found = candidate_lattices(lines, WAVELENGTH, ORDER, 5000.0, 1e-9)
    assert found.searched == ()
    assert found.lattices == ()
