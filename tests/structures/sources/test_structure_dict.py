import copy
import json
import math
import random

import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgbench.structures.sources import Entry, Excluded
from sgbench.structures.sources import _entry as reasons
from sgbench.structures.sources._structure_dict import entry_from_dict

SALT = {
    "lattice": {"matrix": [[4.0, 0.0, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, 6.0]]},
    "sites": [
        {"species": [{"element": "Na", "occu": 1}], "abc": [0.0, 0.0, 0.0]},
        {
            "species": [{"element": "Cl", "occu": 0.75}, {"element": "Br", "occu": 0.25}],
            "abc": [0.5, 0.5, 0.5],
        },
    ],
}


def changed(path: str, value: object) -> dict:
    """Return the salt with another value at a path such as ``sites.0.abc``."""
    salt = copy.deepcopy(SALT)
    *way, last = (int(key) if key.isdigit() else key for key in path.split("."))
    place = salt
    for key in way:
        place = place[key]
    if value is None:
        place.pop(last, None) if isinstance(place, dict) else place.pop(last)
    else:
        place[last] = value
    return salt


def read(structure: object) -> Entry:
    entry = entry_from_dict(structure, "x")
    assert isinstance(entry, Entry), entry
    return entry


def test_a_salt():
    entry = entry_from_dict(SALT, "x", name="salt", spacegroup=47, citation="me")
    assert entry == Entry(
        structure_id="x",
        name="salt",
        spacegroup=47,
        cell=(4.0, 5.0, 6.0, 90.0, 90.0, 90.0),
        operators=("x,y,z",),
        elements=("Na", "Cl", "Br"),
        positions=((0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        occupancies=(1.0, 0.75, 0.25),
        citation="me",
    )
    assert (read(SALT).name, read(SALT).spacegroup, read(SALT).citation) == ("", None, "")
    hash(entry)


def test_structures_of_pymatgen():
    from pymatgen.core import Lattice, Structure

    rng = random.Random(0)
    for _ in range(20):
        cell = [rng.uniform(3, 9) for _ in range(3)] + [rng.uniform(70, 110) for _ in range(3)]
        sites = [[rng.uniform(-1, 2) for _ in range(3)] for _ in range(3)]
        species = [{"Fe3+": 0.5, "Mg2+": 0.25}, "O2-", "D+"]
        structure = Structure(Lattice.from_parameters(*cell), species, sites)
        entry = read(json.loads(json.dumps(structure.as_dict())))
        np.testing.assert_allclose(entry.cell, cell, rtol=1e-9)
        assert entry.elements == ("Fe", "Mg", "O", "H")
        assert entry.occupancies == (0.5, 0.25, 1.0, 1.0)
        np.testing.assert_allclose(entry.positions, [sites[0], *sites], atol=1e-9)


def test_cartesian_coordinates_and_cell_parameters():
    cell = (4.0, 5.0, 6.0, 80.0, 95.0, 110.0)
    lattice = np.array(gemmi.UnitCell(*cell).orth.mat.tolist()).T
    cartesian = (np.array([0.1, 0.2, 0.3]) @ lattice).tolist()
    site = {"species": [{"element": "Na"}], "xyz": cartesian}
    entry = read({"lattice": {"matrix": lattice.tolist()}, "sites": [site]})
    assert entry.cell == pytest.approx(cell)
    np.testing.assert_allclose(entry.positions, [[0.1, 0.2, 0.3]])
    assert entry.occupancies == (1.0,)
    names = ("a", "b", "c", "alpha", "beta", "gamma")
    assert read(changed("lattice", dict(zip(names, cell, strict=True)))).cell == pytest.approx(cell)


def test_a_left_handed_cell_keeps_the_hand_of_the_structure():
    """P 41 stays P 41: distances alone would not tell it from P 43."""
    from spglib import get_symmetry_dataset

    group = gemmi.find_spacegroup_by_name("P 41")
    sites = [
        operator.apply_to_xyz(site)
        for site in ([0.11, 0.23, 0.31], [0.35, 0.05, 0.77])
        for operator in group.operations()
    ]
    lattice = np.diag([5.0, 5.0, 9.0])
    swapped = lattice[[1, 0, 2]]
    for vectors, order in ((lattice, [0, 1, 2]), (swapped, [1, 0, 2])):
        structure = {
            "lattice": {"matrix": vectors.tolist()},
            "sites": [
                {"species": [{"element": "Si"}], "abc": np.array(site)[order].tolist()}
                for site in sites
            ],
        }
        entry = read(structure)
        right_handed = np.array(gemmi.UnitCell(*entry.cell).orth.mat.tolist()).T
        found = get_symmetry_dataset((right_handed, entry.positions, [14] * len(sites)))
        assert found.number == group.number


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("lattice", None, reasons.UNREADABLE),
        ("lattice.matrix", None, reasons.UNREADABLE),
        ("lattice.matrix", [[1, 0, 0], [0, 1, 0]], reasons.UNREADABLE),
        ("lattice.matrix", [[1, 0, 0], [0, 1, 0], [0, 0, "1"]], reasons.UNREADABLE),
        ("lattice.matrix", [[1, 0, 0], [0, 1, 0], [0, 0, math.nan]], reasons.UNREADABLE),
        ("lattice.matrix", [[1, 0, 0], [0, 1, 0], [0, 0, math.inf]], reasons.UNREADABLE),
        ("lattice.matrix", [[1, 0, 0], [0, 1, 0], [0, 0, 10**400]], reasons.UNREADABLE),
        ("lattice.matrix", [[1, 0, 0], [0, 1, 0], [1, 1, 0]], reasons.UNREADABLE),
        ("lattice.matrix", [[1e90, 0, 0], [0, 1e90, 0], [0, 0, 1e90]], reasons.UNREADABLE),
        ("lattice", {"a": 1, "b": 2, "c": 3, "alpha": 90, "beta": 90}, reasons.UNREADABLE),
        (
            "lattice",
            {"a": 1, "b": 2, "c": 3, "alpha": 30, "beta": 90, "gamma": 150},
            reasons.UNREADABLE,
        ),
        ("lattice.pbc", [True, True, False], reasons.UNREADABLE),
        ("sites", None, reasons.UNREADABLE),
        ("sites", [], reasons.NO_COORDINATES),
        ("sites", SALT["sites"] * 2501, reasons.TOO_LARGE),
        ("sites.0", 5, reasons.NO_COORDINATES),
        ("sites.0.abc", None, reasons.NO_COORDINATES),
        ("sites.0.abc", [0, 0], reasons.NO_COORDINATES),
        ("sites.0.abc", [0, 0, math.nan], reasons.NO_COORDINATES),
        ("sites.0.abc", [0, 0, True], reasons.NO_COORDINATES),
        ("sites.0.abc", "xyz", reasons.NO_COORDINATES),
        ("sites.0.species", None, reasons.UNREADABLE_SPECIES),
        ("sites.0.species", ["Na"], reasons.UNREADABLE_SPECIES),
        ("sites.0.species.0.element", "X0+", reasons.UNREADABLE_SPECIES),
        ("sites.0.species.0.element", 11, reasons.UNREADABLE_SPECIES),
        ("sites.0.species.0.occu", "all", reasons.UNREADABLE),
        ("sites.0.species.0.occu", math.inf, reasons.UNREADABLE),
    ],
)
def test_what_is_left_out(path, value, reason):
    entry = entry_from_dict(changed(path, value), "x")
    assert isinstance(entry, Excluded)
    assert (entry.structure_id, entry.reason) == ("x", reason)
    assert entry.detail


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["lattice", "matrix", "sites", "species", "abc", "element", "occu"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)
PATHS = ["lattice", "lattice.matrix", "lattice.matrix.0", "lattice.matrix.1.2", "lattice.pbc"]
PATHS += ["sites", "sites.0", "sites.0.abc", "sites.1.abc.0", "sites.0.species"]
PATHS += ["sites.1.species.1", "sites.1.species.0.occu", "sites.1.species.0.element"]


@given(JSON)
def test_any_object(anything):
    entry_from_dict(anything, "x")


@given(st.sampled_from(PATHS), JSON)
def test_any_value_anywhere(path, value):
    entry = entry_from_dict(changed(path, value), "x")
    if isinstance(entry, Entry):
        numbers = (*entry.cell, *np.ravel(entry.positions), *entry.occupancies)
        assert np.isfinite(numbers).all()
