from collections import Counter
from dataclasses import replace
from functools import cache

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_lines import (
    Lines,
    brute_force,
    compared,
    filled,
    sample,
)

from sgbench.structures import _cleaning
from sgbench.structures._cleaning import (
    DISAGREEMENT,
    OTHER_FAMILY,
    OVERFULL,
    OVERLAPPING,
    UNDECIDED,
    WRONG_CELL,
    Structure,
    clean,
    hill_formula,
)
from sgbench.structures._filled_cell import cell_parameters, lattice_vectors
from sgbench.structures.sources import NO_COORDINATES, TOO_LARGE, UNREADABLE, Entry, Excluded
from sgbench.symmetry import FAMILIES, family_of

ALL = frozenset(FAMILIES) - {"all"}
P1 = ("x,y,z",)


def entry(symbol: str, cell: tuple, *atoms: tuple, label: int | None = 0) -> Entry:
    """An entry of atoms given by element, position and occupancy; labelled as what it is."""
    group = gemmi.find_spacegroup_by_name(symbol)
    full = [atom + (1.0,) * (3 - len(atom)) for atom in atoms]
    elements, positions, occupancies = zip(*full, strict=True)
    return Entry(
        structure_id="made-up",
        name="",
        spacegroup=group.number if label == 0 else label,
        cell=tuple(map(float, cell)),
        operators=tuple(op.triplet() for op in group.operations()),
        elements=elements,
        positions=positions,
        occupancies=occupancies,
    )


def cleaned(given: Entry, families=ALL) -> Structure:
    structure = clean(given, families)
    assert isinstance(structure, Structure), structure
    return structure


def left_out(given: Entry, families=ALL) -> tuple[str, str]:
    excluded = clean(given, families)
    assert isinstance(excluded, Excluded), excluded
    assert excluded.structure_id == given.structure_id
    return excluded.reason, excluded.detail


ORTHOGONAL, HEXAGONAL = (90.0, 90.0, 90.0), (90.0, 90.0, 120.0)
HALITE = entry(
    "F m -3 m", (5.64,) * 3 + ORTHOGONAL, ("Na", (0.0, 0.0, 0.0)), ("Cl", (0.5, 0.5, 0.5))
)
RUTILE = entry(
    "P 42/m n m",
    (4.594, 4.594, 2.959, *ORTHOGONAL),
    ("Ti", (0.0, 0.0, 0.0)),
    ("O", (0.305, 0.305, 0.0)),
)
QUARTZ = entry(
    "P 32 2 1",
    (4.913, 4.913, 5.405, *HEXAGONAL),
    ("Si", (0.4697, 0.0, 2 / 3)),
    ("O", (0.4135, 0.2669, 0.7858)),
)


# What a structure is


def test_halite():
    structure = cleaned(HALITE)
    assert structure.spacegroup == 225
    assert structure.cell == pytest.approx(HALITE.cell, rel=1e-12)
    assert len(structure.operators) == 192
    assert (structure.formula, structure.prototype) == ("ClNa", "AB_225_ab")
    assert (structure.n_atoms, structure.ordered) == (8, True)
    assert structure.name == "ClNa"  # it has no other
    assert set(structure.elements) == {"Na", "Cl"}
    assert cleaned(replace(HALITE, name="Halite")).name == "Halite"


@pytest.mark.parametrize(
    ("given", "formula", "prototype", "n_atoms"),
    [(RUTILE, "O2Ti", "AB2_136_af", 6), (QUARTZ, "O2Si", "AB2_154_ac", 9)],
)
def test_formulas_and_prototypes(given, formula, prototype, n_atoms):
    structure = cleaned(given)
    assert (structure.formula, structure.n_atoms) == (formula, n_atoms)
    assert structure.prototype == prototype


def test_prototypes_do_not_name_elements():
    halide = replace(HALITE, elements=("K", "Br"), cell=(6.6,) * 3 + ORTHOGONAL)
    assert cleaned(halide).prototype == cleaned(HALITE).prototype
    assert cleaned(halide).formula == "BrK"


def test_hill_formulas():
    assert hill_formula({"O": 18, "Ca": 6, "C": 6}) == "CCaO3"
    assert hill_formula({"Na": 4, "Cl": 4}) == "ClNa"
    assert hill_formula({"Ag": 2, "H": 2, "C": 2}) == "CHAg"
    assert hill_formula({"Fe": 1.2, "Mg": 2.8, "O": 4.0}) == "Fe0.3Mg0.7O"
    assert hill_formula({"O": 1 / 3, "U": 1.0}) == "O0.333U"


def general_crystal(number: int) -> Entry:
    """Two kinds of atom at general positions of a space group: no symmetry beyond it."""
    group = gemmi.find_spacegroup_by_number(number)
    vectors = np.array([[8.1, 0.0, 0.0], [-1.3, 9.2, 0.0], [0.9, -0.6, 10.4]])
    rotations = [np.array(op.rot) / gemmi.Op.DEN for op in group.operations().sym_ops]
    metric = np.mean([r.T @ vectors @ vectors.T @ r for r in rotations], axis=0)
    cell = cell_parameters(np.linalg.cholesky(metric))
    return replace(
        entry(
            group.xhm(),
            tuple(cell.tolist()),
            ("Fe", (0.137, 0.089, 0.221), 0.5),
            ("Si", (0.051, 0.317, 0.283), 0.4),
        ),
        spacegroup=number,
    )


@pytest.mark.parametrize("numbers", np.array_split(np.arange(1, 231), 5), ids=lambda n: str(n[0]))
def test_every_space_group_is_kept_and_standard(numbers):
    for number in numbers.tolist():
        structure = cleaned(general_crystal(number))
        assert structure.spacegroup == number
        ops = [gemmi.Op(operator) for operator in structure.operators]
        group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps(ops))
        assert group.number == number
        assert group.ext in ("\0", "1", "H")  # spglib's standard: first origin, hexagonal axes
        # Atoms times images make up the cell.
        assert structure.n_atoms == 2 * len(ops)
        assert not structure.ordered


@pytest.mark.parametrize(
    "pair",
    [
        (76, 78), (91, 95), (92, 96), (144, 145), (151, 153), (152, 154), (169, 170), (171, 172),
        (178, 179), (180, 181), (212, 213),
    ],
)  # fmt: skip
def test_mirror_images_have_their_own_number(pair):
    for number, other in (pair, pair[::-1]):
        mirrored = in_p1(cleaned(general_crystal(number)))
        flipped = tuple(tuple(-x for x in position) for position in mirrored.positions)
        assert cleaned(mirrored).spacegroup == number
        assert cleaned(replace(mirrored, positions=flipped)).spacegroup == other


# Lines do not depend on how a crystal is described


def in_p1(structure: Structure) -> Entry:
    """All atoms of the standard cell, without symmetry or label."""
    atoms, _, number = filled(structure.operators, structure.cell, structure.positions)
    atoms %= 1.0
    seen: dict[tuple, int] = {}
    for i, (position, site) in enumerate(zip(atoms, number, strict=True)):
        # The number tells scatterers of a mixed site apart.
        seen.setdefault((*(np.rint(position * 1e4) % 10_000).tolist(), int(site)), i)
    kept = sorted(seen.values())
    return Entry(
        structure_id="made-up",
        name="",
        spacegroup=None,
        cell=structure.cell,
        operators=P1,
        elements=tuple(structure.elements[number[i]] for i in kept),
        positions=tuple(map(tuple, atoms[kept].tolist())),
        occupancies=tuple(structure.occupancies[number[i]] for i in kept),
    )


@cache
def bases() -> tuple[tuple[Structure, Entry, Lines], ...]:
    """Small real structures, four of each crystal system, ordered and disordered."""
    chosen: Counter = Counter()
    found = []
    for case in sample():
        structure = case.structure
        system = gemmi.find_spacegroup_by_number(structure.spacegroup).crystal_system_str()
        kind = system, structure.ordered
        if structure.n_atoms <= 24 and chosen[kind] < 2:
            chosen[kind] += 1
            found.append((structure, in_p1(structure), brute_force(structure)))
    assert len(found) == 28
    return tuple(found)


@st.composite
def unimodular(draw) -> np.ndarray:
    """A change of basis that keeps volume and handedness: up to four shears, and a rotation."""
    matrix = np.eye(3, dtype=int)[draw(st.sampled_from([[0, 1, 2], [1, 2, 0], [2, 0, 1]]))]
    for _ in range(draw(st.integers(0, 4))):
        i, j = draw(st.sampled_from([(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)]))
        shear = np.eye(3, dtype=int)
        shear[i, j] = draw(st.sampled_from([-1, 1]))
        matrix = shear @ matrix
    return matrix


def in_other_basis(given: Entry, matrix: np.ndarray, origin: np.ndarray) -> Entry:
    """The same crystal with new cell vectors (rows of matrix, in the old ones) and origin."""
    cell = cell_parameters(matrix @ lattice_vectors(np.array(given.cell)))
    positions = (np.array(given.positions) - origin) @ np.linalg.inv(matrix)
    return replace(given, cell=tuple(cell.tolist()), positions=tuple(map(tuple, positions)))


def supercell(given: Entry, axis: int) -> Entry:
    """Twice the cell along an axis."""
    scale = np.ones(3)
    scale[axis] = 2
    positions = np.array(given.positions) / scale
    second = positions.copy()
    second[:, axis] += 0.5
    return replace(
        given,
        cell=tuple((np.array(given.cell) * [*scale, 1, 1, 1]).tolist()),
        elements=given.elements * 2,
        positions=tuple(map(tuple, np.concatenate([positions, second]).tolist())),
        occupancies=given.occupancies * 2,
    )


def shuffled(given: Entry, order: list[int], steps: np.ndarray) -> Entry:
    positions = np.array(given.positions) + steps
    return replace(
        given,
        elements=tuple(given.elements[i] for i in order),
        positions=tuple(map(tuple, positions[order].tolist())),
        occupancies=tuple(given.occupancies[i] for i in order),
    )


# Within a tenth of an ångström these have more symmetry.
PSEUDOSYMMETRIC = ("F7KYb2", "Chvilevaite", "Majakite")


def assert_same_crystal(found: Structure, expected: Structure, lines: Lines) -> None:
    assert found.spacegroup == expected.spacegroup
    assert found.formula == expected.formula
    assert found.n_atoms == expected.n_atoms
    assert found.ordered == expected.ordered
    difference = compared(brute_force(found), lines)
    assert difference.shift < 1e-6
    assert difference.of_strongest < 1e-5
    assert difference.of_line < 1e-3


# Off a special origin by less than the tolerance of the search for symmetry.
@pytest.mark.parametrize("origin", [(0, 0, 1e-4), (0.9999, 0.9999, 0.9999), (5e-5, 0, 0)])
@pytest.mark.parametrize("double", [None, 1])
def test_lines_do_not_depend_on_a_small_shift_of_the_origin(origin, double):
    for structure, plain, lines in bases():
        if structure.name in PSEUDOSYMMETRIC:
            continue
        other = in_other_basis(plain, np.eye(3, dtype=int), np.array(origin))
        if double is not None:
            other = supercell(other, double)
        assert_same_crystal(cleaned(other), structure, lines)


def test_a_doubled_cell_of_rounded_coordinates_is_halved():
    # Copies half a cell apart but for the fourth digit, which a fine tolerance takes for more.
    sites = np.array([[0.1, 0.2, 0.3], [0.35, 0.71, 0.56], [0.21, 0.47, 0.84]])
    first = sites / [2, 1, 1]
    second = first + np.array([0.5001, 0.0001, -0.0001])
    doubled = Entry(
        structure_id="made-up",
        name="",
        spacegroup=None,
        cell=(10.0, 6.1, 7.3, 82.0, 95.0, 101.0),
        operators=P1,
        elements=("O", "Si", "Mg") * 2,
        positions=tuple(map(tuple, np.concatenate([first, second]).tolist())),
        occupancies=(1.0,) * 6,
    )
    found = clean(doubled, ("triclinic",))
    assert isinstance(found, Structure)
    assert found.n_atoms == 3


@settings(max_examples=80, derandomize=True)
@given(
    number=st.integers(0, 27),
    matrix=unimodular(),
    origin=st.tuples(*[st.floats(-1, 1)] * 3),
    double=st.sampled_from([None, 0, 1, 2]),
    label=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_lines_do_not_depend_on_the_description(number, matrix, origin, double, label, random):
    structure, plain, lines = bases()[number]
    other = in_other_basis(plain, matrix, np.array(origin))
    if double is not None:
        other = supercell(other, double)
    n = len(other.positions)
    steps = np.array([[random.randint(-2, 2) for _ in range(3)] for _ in range(n)])
    other = shuffled(other, random.sample(range(n), n), steps)
    other = replace(other, spacegroup=structure.spacegroup if label else None)
    if not label and structure.name in PSEUDOSYMMETRIC:
        assert left_out(other)[0] == UNDECIDED
    else:
        assert_same_crystal(cleaned(other), structure, lines)


@settings(max_examples=80, derandomize=True)
@given(
    number=st.integers(0, 27),
    matrix=unimodular(),
    origin=st.tuples(*[st.integers(0, 23)] * 3),
    label=st.booleans(),
)
def test_lines_do_not_depend_on_the_setting_of_the_operators(number, matrix, origin, label):
    """With symmetry: operators, cell and positions change together."""
    structure, _, lines = bases()[number]
    change = gemmi.Op("x,y,z")  # old coordinates from new ones
    change.rot = (matrix.T * gemmi.Op.DEN).tolist()
    change.tran = list(origin)
    back = change.inverse()
    operators = tuple(
        back.combine(gemmi.Op(o)).combine(change).wrap().triplet() for o in structure.operators
    )
    given_here = Entry(
        structure_id="made-up",
        name="",
        spacegroup=structure.spacegroup if label else None,
        cell=structure.cell,
        operators=operators,
        elements=structure.elements,
        positions=structure.positions,
        occupancies=structure.occupancies,
    )
    other = in_other_basis(given_here, matrix, np.array(origin) / 24)
    assert_same_crystal(cleaned(other), structure, lines)


def test_the_change_of_basis_is_one():
    """The helper of the two tests above, against gemmi."""
    matrix, origin = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]]), np.array([0.25, 0.0, 0.5])
    other = in_other_basis(QUARTZ, matrix, origin)
    old, new = (
        np.array(e.positions[1]) @ lattice_vectors(np.array(e.cell)) for e in (QUARTZ, other)
    )
    shift = origin @ lattice_vectors(np.array(QUARTZ.cell))
    assert np.linalg.norm(new) == pytest.approx(np.linalg.norm(old - shift))


# What is left out


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"cell": (5.64, 5.64, 5.64, 90.0, 90.0)}, "cell"),
        ({"cell": (5.64, 5.64, 0.0, *ORTHOGONAL)}, "cell"),
        ({"cell": (5.64, 5.64, -5.64, *ORTHOGONAL)}, "cell"),
        ({"cell": (5.64, 5.64, float("nan"), *ORTHOGONAL)}, "cell"),
        ({"cell": (5.64, 5.64, float("inf"), *ORTHOGONAL)}, "cell"),
        ({"cell": (5.64, 5.64, 5.64, 120.0, 120.0, 120.0)}, "cell without volume"),
        ({"cell": (5.64, 5.64, 5.64, 130.0, 120.0, 120.0)}, "cell without volume"),
        ({"operators": ()}, "no symmetry operators"),
        ({"operators": ("x,y",)}, "symmetry operators"),
        ({"operators": ("x,y,z", "x,y,w")}, "symmetry operators"),
        ({"elements": ("Na",)}, "lists of atoms of unequal length"),
        ({"occupancies": (1.0,)}, "lists of atoms of unequal length"),
    ],
)
def test_what_cannot_be_read(changes, detail):
    assert left_out(replace(HALITE, **changes)) == (UNREADABLE, detail)


@pytest.mark.parametrize(
    "positions", [(), ((0.0, 0.0, 0.0), (0.5, float("nan"), 0.5)), ((0.0, 0.0, float("inf")),) * 2]
)
def test_what_has_no_coordinates(positions):
    assert left_out(replace(HALITE, positions=positions)) == (NO_COORDINATES, "")


def test_what_is_too_large(monkeypatch):
    huge = replace(HALITE, cell=(40.0, 40.0, 40.0, *ORTHOGONAL))
    assert left_out(huge) == (TOO_LARGE, "64000 cubic angstrom")
    rng = np.random.default_rng(0)
    positions = tuple(map(tuple, rng.random((2001, 3)).tolist()))
    many = replace(
        HALITE,
        cell=(30.0, 30.0, 30.0, *ORTHOGONAL),
        elements=("C",) * 2001,
        positions=positions,
        occupancies=(1.0,) * 2001,
    )
    assert left_out(many) == (TOO_LARGE, "2001 sites")
    positions = tuple((0.1103 + 0.0131 * i, 0.2329, 0.3741) for i in range(12))
    fewer = replace(many, elements=("C",) * 12, positions=positions, occupancies=(1.0,) * 12)
    assert left_out(fewer) == (TOO_LARGE, "2304 atoms")
    # So many operators that filling the cell would already take long
    monkeypatch.setattr(_cleaning, "MOST_ATOMS", 12)
    assert left_out(replace(fewer, operators=fewer.operators * 2)) == (TOO_LARGE, "12 sites")


@pytest.mark.parametrize("occupancies", [(1.03, 1.0), (-0.1, 1.0), (float("nan"), 1.0)])
def test_occupancies_outside_0_to_1(occupancies):
    assert left_out(replace(HALITE, occupancies=occupancies)) == (OVERFULL, "")


def test_a_site_that_holds_more_than_one_atom():
    cell = (5.64,) * 3 + ORTHOGONAL
    origin, middle = (0.0, 0.0, 0.0), (0.5, 0.5, 0.5)

    def mixed(x: float, y: float) -> Entry:
        return entry("F m -3 m", cell, ("Na", origin, x), ("K", origin, y), ("Cl", middle))

    structure = cleaned(mixed(0.5, 0.51))  # within the tolerance
    assert structure.elements == ("K", "Na", "Cl")
    assert structure.occupancies == (0.51, 0.5, 1.0)
    assert (structure.n_atoms, structure.ordered) == (8, False)
    assert structure.prototype == "AB_225_ab"  # a mixture is one kind of site
    assert left_out(mixed(0.5, 0.53)) == (OVERFULL, "")
    assert cleaned(mixed(0.25, 0.3)).formula == "ClK0.3Na0.25"
    # The same element twice at a position adds up.
    twice = entry("F m -3 m", cell, ("Na", origin, 0.5), ("Na", origin, 0.5), ("Cl", middle))
    assert cleaned(twice).ordered
    assert cleaned(twice).formula == "ClNa"


@pytest.mark.parametrize("shift", [0.0, 0.0003, 0.003])
def test_parts_of_a_mixed_site_that_differ_by_rounding(shift):
    cell = (3.85, 3.85, 17.4, *HEXAGONAL)
    mixed = entry(
        "R -3 m:H", cell, ("Cd", (0.0, 0.0, 0.0), 0.5), ("Mg", (shift, 0.0, 0.0), 0.5),
        ("Cl", (0.0, 0.0, 0.25)),
    )  # fmt: skip
    structure = cleaned(mixed)
    assert (structure.n_atoms, structure.formula, structure.ordered) == (9, "Cd0.25ClMg0.25", False)
    assert structure.positions[0] == structure.positions[1]
    # More than one atom does not fit there.
    assert left_out(replace(mixed, occupancies=(0.5, 0.6, 1.0)))[0] in (OVERFULL, OVERLAPPING)


def test_sites_that_are_never_occupied_are_none():
    ghost = entry(
        "F m -3 m", HALITE.cell, ("Na", (0.0, 0.0, 0.0)), ("Cl", (0.5, 0.5, 0.5)),
        ("O", (0.25, 0.25, 0.25), 0.0),
    )  # fmt: skip
    assert cleaned(ghost).n_atoms == 8
    assert left_out(replace(HALITE, occupancies=(0.0, 0.0))) == (
        NO_COORDINATES, "of occupied sites",
    )  # fmt: skip


def test_atoms_on_top_of_each_other():
    cell = (6.0, 7.0, 8.0, *ORTHOGONAL)
    close = entry("P 1", cell, ("C", (0.1, 0.1, 0.1)), ("O", (0.17, 0.1, 0.1)), label=None)
    assert left_out(close) == (OVERLAPPING, "0.42 angstrom")
    assert isinstance(clean(replace(close, occupancies=(0.5, 0.5)), ALL), Structure)
    assert left_out(replace(close, occupancies=(0.5, 0.6)))[0] == OVERLAPPING
    # ... across the edge of the cell, and with images of itself
    across = replace(close, positions=((0.98, 0.1, 0.1), (0.04, 0.1, 0.1)))
    assert left_out(across) == (OVERLAPPING, "0.36 angstrom")
    own = entry("P m", cell, ("C", (0.1, 0.02, 0.1)), ("Si", (0.4, 0.5, 0.7)))
    assert left_out(own) == (OVERLAPPING, "0.28 angstrom")
    thin = entry("P 1", (0.4, 7.0, 8.0, *ORTHOGONAL), ("C", (0.1, 0.1, 0.1)), label=None)
    assert left_out(thin) == (OVERLAPPING, "edge of 0.40 angstrom")


def test_positions_that_exclude_each_other():
    """A hydrogen atom on either side of a mirror plane, 0.28 ångström apart, each half there."""
    split = entry(
        "P m", (6.0, 7.0, 8.0, *ORTHOGONAL), ("Si", (0.4, 0.5, 0.7)), ("C", (0.0, 0.0, 0.0)),
        ("H", (0.1, 0.02, 0.13), 0.5),
    )  # fmt: skip
    structure = cleaned(split)
    assert (structure.n_atoms, structure.ordered) == (4, False)
    assert structure.formula == "CHSi"


def test_split_atoms_keep_their_amount():
    """Chromium of AMCSD 14168 lies a quarter there on either side of a mirror plane."""
    split = entry(
        "P m -3", (4.588,) * 3 + ORTHOGONAL, ("Cr", (0.0, 0.0, 0.0)), ("Cr", (0.5, 0.5, 0.5)),
        ("Cr", (0.248, 0.04, 0.51), 0.25),
    )  # fmt: skip
    structure = cleaned(split)
    assert (structure.spacegroup, structure.n_atoms) == (200, 26)


def test_cells_that_contradict_their_operators():
    assert left_out(replace(HALITE, cell=(5.64, 5.64, 5.74, *ORTHOGONAL))) == (WRONG_CELL, "")
    assert left_out(replace(QUARTZ, cell=(*QUARTZ.cell[:5], 118.0)))[0] == WRONG_CELL
    # A long edge beside them hides nothing.
    thin = entry("P 4", (4.0, 4.2, 60.0, *ORTHOGONAL), ("Si", (0.1, 0.2, 0.0)), label=None)
    assert left_out(thin) == (WRONG_CELL, "")
    # Rounded angles and edges are kept, and averaged.
    rounded = replace(QUARTZ, cell=(4.913, 4.914, 5.405, *HEXAGONAL))
    assert cleaned(rounded).cell[:2] == pytest.approx((4.9135, 4.9135), abs=1e-9)


def test_labels_that_are_too_low():
    plain = in_p1(cleaned(HALITE))
    assert cleaned(plain).spacegroup == 225
    assert left_out(replace(plain, spacegroup=1)) == (DISAGREEMENT, "label 1, spglib 225")
    lower = gemmi.find_spacegroup_by_name("F -4 3 m").operations()
    low = replace(HALITE, spacegroup=216, operators=tuple(op.triplet() for op in lower))
    assert left_out(low) == (DISAGREEMENT, "label 216, spglib 225")
    assert left_out(replace(RUTILE, spacegroup=137)) == (DISAGREEMENT, "label 137, spglib 136")
    assert cleaned(replace(RUTILE, spacegroup=None)).spacegroup == 136


def test_symmetry_is_that_within_a_hundredth_of_an_angstrom():
    plain = in_p1(cleaned(RUTILE))
    for shift, number in ((0.001, 136), (0.05, 6)):
        moved = np.array(plain.positions)
        moved[0, 0] += shift / plain.cell[0]
        given = replace(plain, positions=tuple(map(tuple, moved.tolist())), spacegroup=number)
        assert cleaned(given).spacegroup == number


def test_a_group_without_a_label_must_not_depend_on_the_tolerance():
    """Two decimals put the atoms of hexagonal magnesium 0.01 ångström away from where they are."""
    cell = (3.328, 3.328, 5.408, *HEXAGONAL)

    def magnesium(third: float, label: int | None = None) -> Entry:
        atoms = ("Mg", (third, 1 - third, 0.25)), ("Mg", (1 - third, third, 0.75))
        return entry("P 1", cell, *atoms, label=label)

    assert left_out(magnesium(0.33)) == (UNDECIDED, "63 within 0.01, 194 within 0.1 angstrom")
    assert left_out(magnesium(0.33, 194)) == (DISAGREEMENT, "label 194, spglib 63")
    assert cleaned(magnesium(0.33, 63)).spacegroup == 63
    assert cleaned(magnesium(0.3333)).spacegroup == 194
    assert cleaned(magnesium(0.28)).spacegroup == 63  # far from any higher group


def test_what_spglib_refuses():
    """Atoms of one kind at one place, described as sites that are equivalent."""
    split = entry(
        "P -1", (6.0, 7.0, 8.0, 80.0, 95.0, 100.0), ("Si", (0.4, 0.5, 0.7)),
        ("C", (0.1, 0.2, 0.13), 0.5), ("C", (-0.1, -0.2, -0.13), 0.5),
    )  # fmt: skip
    assert left_out(split) == (DISAGREEMENT, "spglib finds no group")


def test_other_families():
    assert left_out(HALITE, {"tetragonal"}) == (OTHER_FAMILY, "cubic")
    assert isinstance(clean(HALITE, {"cubic", "tetragonal"}), Structure)


@settings(max_examples=200, derandomize=True)
@given(data=st.data())
def test_no_entry_raises(data):
    """Whatever an entry says, it becomes a structure or a reason."""
    number = st.one_of(
        st.floats(allow_nan=True, allow_infinity=True),
        st.sampled_from([0.0, 0.5, 1 / 3, 1e-300, 1e300, 5.0, 90.0, 120.0]),
    )
    n = data.draw(st.integers(0, 4))
    group = data.draw(st.sampled_from(["P 1", "P -1", "C 2/c", "R -3 m", "F m -3 m", "P 63"]))
    ops = tuple(op.triplet() for op in gemmi.find_spacegroup_by_name(group).operations())
    made = Entry(
        structure_id="made-up",
        name="",
        spacegroup=data.draw(st.sampled_from([None, 1, 2, 15, 225])),
        cell=data.draw(st.one_of(
            st.tuples(*[number] * 6),
            st.just((5.0, 5.0, 5.0, 90.0, 90.0, 90.0)),
            st.just((5.0, 5.0, 7.0, 90.0, 90.0, 120.0)),
        )),
        operators=data.draw(st.sampled_from([ops, ops[:-1], ops[::-1], (*ops, "x,x,z"), ()])),
        elements=("Fe",) * n,
        positions=tuple(data.draw(st.tuples(*[number] * 3)) for _ in range(n)),
        occupancies=tuple(data.draw(st.one_of(st.just(1.0), number)) for _ in range(n)),
    )  # fmt: skip
    result = clean(made, ALL)
    assert isinstance(result, Structure | Excluded)
    if isinstance(result, Structure):
        assert family_of(result.spacegroup) in ALL
        assert made.spacegroup in (None, result.spacegroup)


def test_spglib_is_asked_about_the_kinds_of_sites():
    """Zinc blende is diamond if both atoms are the same; mixtures differ by their proportions."""
    cell = (5.4,) * 3 + ORTHOGONAL
    origin, quarter = (0.0, 0.0, 0.0), (0.25, 0.25, 0.25)
    blende = entry("F -4 3 m", cell, ("Zn", origin), ("S", quarter))
    assert cleaned(blende).spacegroup == 216
    assert cleaned(replace(blende, elements=("C", "C"), spacegroup=None)).spacegroup == 227

    def alloy(x: float) -> Entry:
        return entry(
            "F -4 3 m", cell, ("Si", origin, 0.5), ("Ge", origin, 0.5), ("Si", quarter, x),
            ("Ge", quarter, 1 - x), label=None,
        )  # fmt: skip

    assert cleaned(alloy(0.5)).spacegroup == 227
    assert cleaned(alloy(0.4)).spacegroup == 216


def test_operators_of_a_setting_that_no_table_has():
    """Origins and axes of the source do not matter, only that its operators are a group."""
    shifted = replace(
        HALITE,
        operators=tuple(
            gemmi.Op("x+1/8,y+1/12,z").combine(gemmi.Op(o)).combine(gemmi.Op("x-1/8,y-1/12,z"))
            .wrap().triplet()
            for o in HALITE.operators
        ),
        positions=tuple((x + 1 / 8, y + 1 / 12, z) for x, y, z in HALITE.positions),
    )  # fmt: skip
    structure = cleaned(shifted)
    assert (structure.spacegroup, structure.n_atoms) == (225, 8)


def test_positions_lie_exactly_where_they_should():
    """The worker counts images of each position, which must make up the cell."""
    for structure, _, _ in bases():
        total = Counter()
        for position in dict.fromkeys(structure.positions):
            images = {
                tuple(np.rint(np.array(gemmi.Op(o).apply_to_xyz(list(position))) % 1 * 1e8) % 1e8)
                for o in structure.operators
            }
            total["atoms"] += len(images)
        assert total["atoms"] == structure.n_atoms


@pytest.mark.parametrize("angle", [5e-324, 1e-300, 1e-17])
def test_an_angle_of_almost_nothing_is_no_cell(angle):
    made = replace(HALITE, cell=(5.0, 5.0, 5.0, 90.0, 90.0, angle))
    assert clean(made, ALL).reason == UNREADABLE
