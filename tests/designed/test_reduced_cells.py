import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgbench.designed import ReducedCells
from sgbench.designed._sequence import kronecker
from sgbench.diffraction import FREE_PARAMETERS, full_cell
from sgbench.errors import SgbenchError

DOMAIN = ReducedCells(3.0, 15.0, 2000)
FAMILIES = ("orthorhombic", "monoclinic", "triclinic")


@pytest.mark.parametrize("family", FAMILIES)
def test_as_many_cells_as_asked_for_and_none_twice(family):
    cells = DOMAIN.cells(family)
    assert cells.shape == (4000, len(FREE_PARAMETERS[family]))
    assert len(np.unique(cells, axis=0)) == 4000
    assert cells[:, :3].min() >= 3
    assert cells[:, :3].max() <= 15


@pytest.mark.parametrize("family", FAMILIES)
def test_more_lattices_begin_with_the_fewer(family):
    more = ReducedCells(3.0, 15.0, 3000).cells(family)
    np.testing.assert_array_equal(more[:4000], DOMAIN.cells(family))


@pytest.mark.parametrize("dimension", [3, 4, 6])
def test_the_sequence_fills_a_cube_more_evenly_than_chance(dimension):
    points = kronecker(0, 4096, dimension)
    cells = np.floor(points[:, :2] * 32).astype(int)
    counts = np.bincount(cells[:, 0] * 32 + cells[:, 1], minlength=1024)
    # Four a cell; of independent points, the variance would be four as well.
    assert counts.var() < 2


@pytest.mark.parametrize("dimension", [1, 2, 3, 4, 6])
def test_steps_of_the_sequence_are_powers_of_the_generalised_golden_ratio(dimension):
    steps = kronecker(0, 1, dimension)[0] - 0.5
    steps[steps < 0] += 1
    ratio = 1 / steps[0]
    assert ratio ** (dimension + 1) == pytest.approx(ratio + 1, rel=1e-14)
    assert steps == pytest.approx(ratio ** -np.arange(1, dimension + 1), rel=1e-14)


def test_triclinic_cells_are_those_of_niggli():
    for cell in DOMAIN.cells("triclinic")[::40]:
        vector = gemmi.GruberVector(gemmi.UnitCell(*cell), "P")
        assert vector.is_niggli(1e-6), cell


def test_both_types_of_triclinic_cells_occur():
    angles = DOMAIN.cells("triclinic")[:, 3:]
    acute, obtuse = (angles <= 90).all(axis=1), (angles >= 90).all(axis=1)
    assert (acute | obtuse).all()
    assert 0.3 < acute.mean() < 0.7


@pytest.mark.parametrize("family", FAMILIES)
def test_edges_are_in_order(family):
    a, b, c = DOMAIN.cells(family)[:, :3].T
    assert (a <= c).all()
    if family != "monoclinic":
        assert (a <= b).all()
        assert (b <= c).all()


def unimodular(family):
    """Changes of basis that keep the family's form of cell."""
    entries = st.integers(-2, 2)
    if family == "orthorhombic":
        return st.permutations(range(3)).map(lambda order: np.eye(3, dtype=int)[list(order)])
    if family == "monoclinic":
        return (
            st.tuples(entries, entries, st.booleans())
            .map(
                lambda m: (
                    np.array([[1, m[0]], [0, 1]]) @ np.array([[1, 0], [m[1], 1]])[:: 1 - 2 * m[2]]
                )
            )
            .map(lambda m: np.array([[m[0, 0], 0, m[0, 1]], [0, 1, 0], [m[1, 0], 0, m[1, 1]]]))
        )
    # Every change of basis is a product of those that add a multiple of one vector to another.
    return st.lists(st.tuples(st.permutations(range(3)), entries), max_size=3).map(product_of)


def product_of(steps):
    change = np.eye(3, dtype=int)
    for (i, j, _), multiple in steps:
        step = np.eye(3, dtype=int)
        step[i, j] = multiple
        change = step @ change
    return change


def other_cell(cell, change):
    """Return the same lattice in another basis, as a, b, c, alpha, beta, gamma."""
    vectors = change @ np.array(gemmi.UnitCell(*cell).orth.mat.tolist()).T
    lengths = np.linalg.norm(vectors, axis=1)
    cosines = [
        vectors[i] @ vectors[j] / lengths[i] / lengths[j] for i, j in ((1, 2), (0, 2), (0, 1))
    ]
    return [*lengths, *np.degrees(np.arccos(np.clip(cosines, -1, 1)))]


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_lattice_is_in_the_domain_in_any_basis(family, data):
    place = data.draw(st.integers(0, 3999))
    cell = full_cell(family, DOMAIN.cells(family)[place])
    told = other_cell(cell, data.draw(unimodular(family)))
    # A hair wider, since edges on the bounds may come out beyond them.
    assert ReducedCells(2.999, 15.001, 1).contains(family, told)
    assert not ReducedCells(0.5, float(min(cell[:3])) - 0.01, 1).contains(family, told)


@pytest.mark.parametrize(("shortest", "longest", "count"), [(0, 5, 10), (5, 5, 10), (3, 5, 0)])
def test_empty_domains(shortest, longest, count):
    with pytest.raises(SgbenchError, match="shortest < longest"):
        ReducedCells(shortest, longest, count)
