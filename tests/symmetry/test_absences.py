import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgbench.errors import SgbenchError
from sgbench.symmetry import (
    FAMILIES,
    PAPER_FAMILIES,
    absences,
    family_of,
    family_spacegroups,
    spacegroup_symbol,
)

SPACEGROUPS = range(1, 231)
indices = st.tuples(*(st.integers(-60, 60),) * 3)


def test_every_group_as_spglib_has_it(spglib_absences, box):
    hkl = box(20)
    differing = [
        number
        for number in SPACEGROUPS
        if not np.array_equal(absences(number, hkl), spglib_absences(number, hkl))
    ]
    assert differing == []


def test_every_group_as_cctbx_has_it(cctbx_absences, box):
    hkl = box(20)
    theirs = cctbx_absences(hkl)
    assert theirs.shape == (230, len(hkl))
    differing = [n for n in SPACEGROUPS if not np.array_equal(absences(n, hkl), theirs[n - 1])]
    assert differing == []


@given(st.sampled_from(SPACEGROUPS), st.lists(indices, min_size=1, max_size=200))
def test_beyond_the_box_too(spglib_absences, spacegroup, reflections):
    hkl = np.array(reflections)
    np.testing.assert_array_equal(absences(spacegroup, hkl), spglib_absences(spacegroup, hkl))


@given(st.sampled_from(SPACEGROUPS), indices)
def test_equivalent_reflections_are_absent_together(spglib_operations, spacegroup, reflection):
    rotations, _ = spglib_operations(spacegroup)
    orbit = np.concatenate([np.array(reflection) @ rotations, -np.array(reflection) @ rotations])
    assert len(set(absences(spacegroup, orbit).tolist())) == 1


@pytest.mark.parametrize(
    ("spacegroup", "absent", "present"),
    [
        (14, [(0, 1, 0), (1, 0, 1), (0, 0, 1)], [(1, 0, 2), (1, 1, 1)]),  # P 1 21/c 1, axis b
        (167, [(1, 0, 0), (0, 0, 3), (1, -1, 1)], [(0, 0, 6), (1, 0, 4), (0, 1, 2)]),  # R -3 c:H
        (225, [(1, 0, 0), (2, 1, 1)], [(1, 1, 1), (2, 0, 0)]),
        (227, [(2, 0, 0), (4, 2, 0)], [(4, 0, 0), (2, 2, 2)]),
    ],
)
def test_textbook_cases_in_the_standard_setting(spacegroup, absent, present):
    assert absences(spacegroup, absent).all()
    assert not absences(spacegroup, present).any()


def test_families_cover_all_groups_once():
    numbers = [n for name in FAMILIES if name != "all" for n in family_spacegroups(name)]
    assert numbers == list(SPACEGROUPS) == list(family_spacegroups("all"))
    assert [len(family_spacegroups(name)) for name in PAPER_FAMILIES] == [36, 68, 52]
    for name in PAPER_FAMILIES:
        assert {family_of(n) for n in family_spacegroups(name)} == {name}


def test_symbols_are_those_of_the_standard_setting():
    assert spacegroup_symbol(14) == "P 1 21/c 1"
    assert spacegroup_symbol(137) == "P 42/n m c"
    assert spacegroup_symbol(166) == "R -3 m"


@pytest.mark.parametrize("spacegroup", [0, -1, 231])
def test_no_such_group(spacegroup):
    with pytest.raises(SgbenchError, match="1 to 230"):
        absences(spacegroup, [[1, 0, 0]])
    with pytest.raises(SgbenchError, match="1 to 230"):
        family_of(spacegroup)


def test_no_such_family():
    with pytest.raises(SgbenchError, match=r"'hexagonal'.*trigonal-hexagonal"):
        family_spacegroups("hexagonal")


@pytest.mark.parametrize("hkl", [[1, 0, 0], [[1, 0]], [[[1, 0, 0]]]])
def test_reflections_of_the_wrong_shape(hkl):
    with pytest.raises(SgbenchError, match=r"expected \(n, 3\)"):
        absences(1, hkl)
