"""Structure factors of structures that were made up, in every space group."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest
from numpy.typing import NDArray
from reference_lines import reflections, squared_structure_factors

from sgbench.diffraction import (
    CANONICAL,
    PUBLISHED,
    PatternProtocol,
    full_cell,
    lines_of_reflections,
)
from sgbench.structures._cleaning import Structure, _standard_operators
from sgbench.structures._reflections import reflections as found_reflections
from sgbench.symmetry import family_of

FREE = {
    "cubic": (5.1,),
    "tetragonal": (4.3, 5.9),
    "trigonal-hexagonal": (4.7, 6.3),
    "orthorhombic": (4.1, 4.9, 5.7),
    "monoclinic": (4.2, 5.3, 4.8, 101.0),
    "triclinic": (4.4, 5.2, 4.9, 83.0, 97.0, 104.0),
}
# The brute force sums over the whole sphere.
SHORT = replace(CANONICAL, name="short", two_theta_max=60.0)


def made_up(spacegroup: int, operators: tuple[str, ...]) -> Structure:
    """Two elements on one general position, and another on the origin."""
    family = family_of(spacegroup)
    cell = tuple(map(float, full_cell(family, FREE[family])))
    positions = ((0.1234, 0.2717, 0.3911),) * 2 + ((0.0, 0.0, 0.0),)
    on_the_origin = len(operators) // site_symmetry(operators, positions[-1])
    return Structure(
        structure_id="made-up",
        name="",
        citation="",
        spacegroup=spacegroup,
        cell=cell,
        operators=operators,
        elements=("Fe", "O", "Cs"),
        positions=positions,
        occupancies=(0.7, 0.2, 1.0),
        formula="",
        prototype="",
        n_atoms=len(operators) + on_the_origin,
        ordered=False,
    )


def images(operators: tuple[str, ...], position: tuple[float, ...]) -> NDArray[np.float64]:
    return np.array([gemmi.Op(o).apply_to_xyz(list(position)) for o in operators])


def site_symmetry(operators: tuple[str, ...], position: tuple[float, ...]) -> int:
    """Count the operators that leave a position where it is."""
    offset = images(operators, position) - position
    return int((np.abs(offset - np.rint(offset)) < 1e-6).all(axis=1).sum())


def by_definition(
    structure: Structure, protocol: PatternProtocol
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """1/d^2 and |F|^2 of every reflection, summed over every atom."""
    hkl, q = reflections(structure.cell, protocol)
    n = len(structure.operators)
    weights = [
        occupancy / site_symmetry(structure.operators, position)
        for position, occupancy in zip(structure.positions, structure.occupancies, strict=True)
    ]
    atoms = np.concatenate([images(structure.operators, x) for x in structure.positions])
    return q, squared_structure_factors(
        hkl, q, np.repeat(structure.elements, n), atoms, np.repeat(weights, n)
    )


def standard(spacegroup: int) -> tuple[str, ...]:
    return tuple(o.triplet() for o in gemmi.find_spacegroup_by_number(spacegroup).operations())


@pytest.mark.parametrize("family", FREE)
def test_lines_are_those_of_the_whole_sphere(family):
    """The asymmetric unit with its multiplicities, against every reflection and every atom."""
    for spacegroup in (n for n in range(1, 231) if family_of(n) == family):
        structure = made_up(spacegroup, standard(spacegroup))
        assert_same_lines(structure)


def assert_same_lines(structure: Structure) -> None:
    q, power = found_reflections(structure, SHORT)
    two_theta, intensity = lines_of_reflections(q, power, SHORT)
    expected = lines_of_reflections(*by_definition(structure, SHORT), SHORT)
    np.testing.assert_allclose(two_theta, expected[0], rtol=0, atol=1e-9)
    # Form factors are rounded to single precision.
    np.testing.assert_allclose(intensity, expected[1], rtol=1e-5, atol=1e-6 * intensity.max())


@pytest.mark.parametrize("hall", [525, 526], ids=["origin on a site of -43m", "on the inversion"])
def test_the_inversion_may_be_anywhere(hall):
    """F d -3 m, whose first origin has no inversion on it."""
    assert_same_lines(made_up(227, _standard_operators(hall)))


@pytest.mark.parametrize("spacegroup", [1, 15, 62, 88, 148, 167, 180, 205, 216, 230])
def test_a_box_of_indices_is_listed_whole(spacegroup):
    """By h, then k, then l, absent reflections among them; equivalents may lie outside the box."""
    structure = made_up(spacegroup, standard(spacegroup))
    structure = replace(
        structure, cell=tuple(3 * x for x in structure.cell[:3]) + structure.cell[3:]
    )
    protocol = replace(PUBLISHED, hkl_limit=4)
    q, power = found_reflections(structure, protocol)
    hkl, expected_q = reflections(structure.cell, protocol)
    assert np.abs(hkl).max() == 4
    np.testing.assert_allclose(q, expected_q, rtol=1e-12)
    expected = by_definition(structure, protocol)[1]
    np.testing.assert_allclose(power, expected, rtol=1e-5, atol=1e-9 * expected.max())


def test_equivalent_reflections_are_equally_far_to_the_last_bit():
    structure = made_up(167, standard(167))
    q, _ = found_reflections(structure, PUBLISHED)
    assert len(np.unique(q)) == len(np.unique(np.round(q, 9)))


def test_form_factors_are_those_of_the_tables():
    """A cell of one atom shows the square of its form factor."""
    carbon = replace(
        made_up(1, ("x,y,z",)),
        elements=("C",), positions=((0.3, 0.1, 0.7),), occupancies=(1.0,), n_atoms=1,
    )  # fmt: skip
    q, power = found_reflections(carbon, CANONICAL)
    form = gemmi.Element("C").it92
    expected = np.array([form.calculate_sf(stol2) for stol2 in q / 4])
    np.testing.assert_allclose(power, 2 * expected**2, rtol=1e-6)


def test_what_cannot_be_calculated_is_said():
    structure = made_up(225, standard(225))
    with pytest.raises(ValueError, match="196 atoms instead of 195"):
        found_reflections(replace(structure, n_atoms=195), CANONICAL)
    with pytest.raises(ValueError, match="no form factor of Es"):
        found_reflections(replace(structure, elements=("Fe", "Es", "Cs")), CANONICAL)
