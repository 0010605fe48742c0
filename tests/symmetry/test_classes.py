import hashlib
import json
from collections import defaultdict
from itertools import permutations, product
from pathlib import Path

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sgbench.cli._app import app
from sgbench.errors import SgbenchError
from sgbench.symmetry import (
    CLASS_MAP_VERSION,
    _classes,
    absences,
    class_labels,
    crystal_system,
    extinction_classes,
    family_spacegroups,
)
from sgbench.symmetry._groups import laue_class

# International Tables A, Table 3.1.4.1: symbol and the lowest number of its groups.
CUBIC = {
    "P - - -": 195, "F - - -": 196, "I - - -": 197, "P 21 - -": 198, "P n - -": 201,
    "F d - -": 203, "P a - -": 205, "I a - -": 206, "F 41 - -": 210, "P 41 - -": 212,
    "I 41 - -": 214, "P - - n": 218, "F - - c": 219, "I - - d": 220, "P n - n": 222,
    "F d - c": 228, "I a - d": 230,
}  # fmt: skip
TETRAGONAL = {
    "P - - -", "P - 21 -", "P 42 - -", "P 42 21 -", "P 41 - -", "P 41 21 -", "P - - c",
    "P - 21 c", "P - b -", "P - b c", "P - c -", "P - c c", "P - n -", "P - n c", "P n - -",
    "P 42/n - -", "P n - c", "P n b -", "P n b c", "P n c -", "P n c c", "P n n -", "P n n c",
    "I - - -", "I 41 - -", "I - - d", "I - c -", "I - c d", "I 41/a - -", "I a - d", "I a c d",
}  # fmt: skip
TRIGONAL_HEXAGONAL = {
    "P - - -", "P 31 - -", "P - c -", "P - - c", "P - c c", "P 61 - -", "P 63 - -", "R - -",
    "R - c",
}  # fmt: skip
COUNTS = {
    "triclinic": 1,
    "monoclinic": 6,
    "orthorhombic": 33,
    "tetragonal": 31,
    "trigonal-hexagonal": 9,
    "cubic": 17,
}


def relabellings(family: str) -> list[np.ndarray]:
    """Every change of axes with entries up to 1 that keeps the form of the cell."""
    if family == "orthorhombic":
        return [np.eye(3, dtype=int)[list(order)] for order in permutations(range(3))]
    if family == "monoclinic":
        return [
            np.array([[p, 0, q], [0, 1, 0], [r, 0, s]])
            for p, q, r, s in product((-1, 0, 1), repeat=4)
            if abs(p * s - q * r) == 1
        ]
    return [np.eye(3, dtype=int)]


def partition(family: str, absences, hkl: np.ndarray) -> set[tuple[int, ...]]:
    """Groups whose absences some relabelling makes equal, from another package's absences."""
    members = defaultdict(list)
    for number in family_spacegroups(family):
        forms = (absences(number, hkl @ change) for change in relabellings(family))
        members[min(form.tobytes() for form in forms)].append(number)
    return {tuple(numbers) for numbers in members.values()}


@pytest.mark.parametrize(("family", "count"), COUNTS.items())
def test_classes_are_the_partition_by_absences(spglib_absences, box, family, count):
    found = {cls.spacegroups for cls in extinction_classes(family_spacegroups(family))}
    assert len(found) == count
    assert found == partition(family, spglib_absences, box(6))


def test_classes_of_all_groups_are_those_of_the_families():
    together = extinction_classes(family_spacegroups("all"))
    apart = [cls for family in COUNTS for cls in extinction_classes(family_spacegroups(family))]
    assert list(together) == apart
    assert len(together) == 97


def test_labelled_axes_would_tell_more_orthorhombic_groups_apart(spglib_absences, box):
    hkl = box(6)
    labelled = {spglib_absences(n, hkl).tobytes() for n in family_spacegroups("orthorhombic")}
    assert len(labelled) == 44


def test_cubic_symbols_are_those_of_the_international_tables():
    found = {c.symbol: c.spacegroups[0] for c in extinction_classes(family_spacegroups("cubic"))}
    assert found == CUBIC


@pytest.mark.parametrize(
    ("family", "symbols"),
    [("tetragonal", TETRAGONAL), ("trigonal-hexagonal", TRIGONAL_HEXAGONAL)],
)
def test_symbols_are_those_of_the_international_tables(family, symbols):
    found = [cls.symbol for cls in extinction_classes(family_spacegroups(family))]
    assert set(found) == symbols
    assert len(found) == len(symbols)


@pytest.mark.parametrize(
    ("spacegroup", "symbol"),
    [(14, "P - 21/c -"), (15, "C - c -"), (43, "F d d -"), (60, "P b c n"), (61, "P b c a"),
     (19, "P 21 21 21"), (2, "P -")],
)  # fmt: skip
def test_symbols_of_other_families(spacegroup, symbol):
    assert extinction_classes((spacegroup,))[0].symbol == symbol


orders = st.sampled_from(list(permutations(range(3))))


@settings(max_examples=6)
@given(st.lists(orders, min_size=59, max_size=59))
def test_names_of_the_orthorhombic_axes_do_not_matter(choices):
    groups = family_spacegroups("orthorhombic")
    expected = [cls.spacegroups for cls in extinction_classes(groups)]
    order = dict(zip(groups, choices, strict=True))
    with pytest.MonkeyPatch.context() as patch:
        original = _classes.absences
        patch.setattr(_classes, "absences", lambda n, hkl: original(n, hkl[:, order[n]]))
        patch.setattr(_classes, "_signature", _classes._signature.__wrapped__)
        assert [cls.spacegroups for cls in extinction_classes(groups)] == expected


def test_other_settings_of_monoclinic_and_orthorhombic_groups_are_the_same_class(box):
    """Every tabulated setting (axis b) has its standard setting's absences after relabelling."""
    hkl = box(6)
    checked = 0
    for setting in gemmi.spacegroup_table():
        family = setting.crystal_system_str()
        if family not in ("monoclinic", "orthorhombic"):
            continue
        operations, standard = setting.operations(), _classes.relabellings(family)
        usual = gemmi.find_spacegroup_by_number(setting.number).operations()
        if len(operations.cen_ops) != len(usual.cen_ops):  # a larger cell than need be
            continue
        if family == "monoclinic" and setting.monoclinic_unique_axis() != "b":
            continue
        theirs = np.asarray(operations.systematic_absences(hkl), dtype=bool)
        assert any(
            np.array_equal(theirs, _classes.absences(setting.number, hkl @ change))
            for change in standard
        ), setting.xhm()
        checked += 1
    assert checked > 150


def test_labels_point_at_the_classes():
    groups = family_spacegroups("tetragonal")
    classes = extinction_classes(groups)
    labels = class_labels(groups)
    assert all(n in classes[label].spacegroups for n, label in zip(groups, labels, strict=True))
    assert sorted(set(labels.tolist())) == list(range(31))


def test_laue_classes_of_the_members():
    """The groups of a class differ in Laue class, yet powder patterns do not show it."""
    first = extinction_classes(family_spacegroups("cubic"))[0]
    assert first.laue_classes == ("m-3", "m-3m")
    for cls in extinction_classes(family_spacegroups("all")):
        assert set(cls.laue_classes) == {laue_class(n) for n in cls.spacegroups}


def test_some_groups_alone():
    """Classes of a part of a family are its classes, cut down to that part."""
    assert [cls.spacegroups for cls in extinction_classes((221, 198, 195))] == [(195, 221), (198,)]
    with pytest.raises(SgbenchError, match="no space group"):
        extinction_classes(())


def test_counts_in_other_conventions():
    """111 orthorhombic symbols in all settings, 101 classes by crystal system (see the docs)."""
    hkl = _classes._index_grid()
    orthorhombic = {
        absences(number, hkl @ matrix).tobytes()
        for number in family_spacegroups("orthorhombic")
        for matrix in _classes.relabellings("orthorhombic")
    }
    assert len(orthorhombic) == 111
    by_system = {(crystal_system(n), _classes._signature(n)) for n in range(1, 231)}
    assert len(by_system) == 101


def test_the_map_is_the_published_one():
    """Whoever changes the map raises CLASS_MAP_VERSION and writes the page again."""
    assert CLASS_MAP_VERSION == 1
    groups = [list(cls.spacegroups) for cls in extinction_classes(family_spacegroups("all"))]
    digest = hashlib.sha256(json.dumps(groups).encode()).hexdigest()
    assert digest.startswith("f39f576e995a0cbf")


def test_the_page_of_classes_is_what_the_command_prints():
    page = (Path(__file__).parents[2] / "docs" / "extinction-classes.md").read_text()
    printed = CliRunner().invoke(app, ["classes", "all", "--format", "md"])
    assert printed.exit_code == 0
    assert page.endswith(printed.stdout)
    assert f"Map version {CLASS_MAP_VERSION}." in page
