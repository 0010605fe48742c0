import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgbench.diffraction import (
    CANONICAL,
    FREE_PARAMETERS,
    PUBLISHED,
    LineList,
    allowed_lines,
    full_cell,
    metric,
    reflection_table,
    two_theta_of,
)
from sgbench.diffraction._lines import line_keys, lorentz_factor
from sgbench.symmetry import class_labels, extinction_classes, family_spacegroups, relabellings


def all_reflections(family, free, protocol):
    """Reflections up to the end of the window and their 1/d^2, from a box larger than needed."""
    unit_cell = gemmi.UnitCell(*full_cell(family, free))
    q_max = (2 * np.sin(np.radians(protocol.line_range[1] / 2)) / protocol.wavelength) ** 2
    limits = [int(edge * np.sqrt(q_max)) + 3 for edge in full_cell(family, free)[:3]]
    if protocol.hkl_limit is not None:
        limits = [min(limit, protocol.hkl_limit) for limit in limits]
    axes = [np.arange(-limit, limit + 1) for limit in limits]
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    q = unit_cell.calculate_1_d2_array(hkl)
    inside = (q > 0) & (q <= q_max)
    return hkl[inside], q[inside]


@st.composite
def cases(draw):
    family = draw(st.sampled_from(tuple(FREE_PARAMETERS)))
    limit = 12 if family == "cubic" else 8
    edges, angles = st.floats(3, limit), st.floats(75, 115)
    free = [draw(edges if name in "abc" else angles) for name in FREE_PARAMETERS[family]]
    return family, free, draw(st.sampled_from(family_spacegroups(family)))


@settings(max_examples=60)
@given(cases(), st.sampled_from([CANONICAL, PUBLISHED]))
def test_the_table_holds_the_lines_of_every_smaller_cell(case, protocol):
    """Positions by gemmi in a larger box; what the group keeps by its own operations."""
    family, free, spacegroup = case
    table = reflection_table(family, largest_cell(family), protocol)
    groups = family_spacegroups(family)
    label = class_labels(groups)[spacegroup - groups[0]]
    # Under one of the namings of the axes, the class's first group is the group itself.
    namings = len(relabellings(family))
    rows = table.present[label * namings : (label + 1) * namings]
    q_table = table.coefficients @ metric(family, [free])[0]
    hkl, expected = all_reflections(family, free, protocol)
    operations = gemmi.find_spacegroup_by_number(spacegroup).operations()
    expected = expected[~operations.systematic_absences(hkl.astype(np.int32))]
    expected = np.unique(np.rint(expected * 1e9))
    q_max = protocol.q_range[1]
    edge = q_max * 1e9 - 1
    assert any(
        same_lines(np.unique(np.rint(q_table[row & (q_table <= q_max)] * 1e9)), expected, edge)
        for row in rows
    )


def largest_cell(family):
    return (12.0,) if family == "cubic" else (8.0,) * min(len(FREE_PARAMETERS[family]), 3)


def same_lines(found, expected, edge):
    """What rounding puts on either side of a step is the same line."""
    for these, those in ((found, expected), (expected, found)):
        inner = these[these < edge]
        if len(inner) and not len(those):
            return False
        if len(inner) and np.abs(inner[:, None] - those).min(axis=1).max() > 1:
            return False
    return True


@pytest.mark.parametrize("family", FREE_PARAMETERS)
def test_rows_are_distinct_lines_with_distinct_names(family):
    table = reflection_table(family, (10.0,) * len(FREE_PARAMETERS[family]), CANONICAL)
    assert len(np.unique(table.coefficients, axis=0)) == len(table.coefficients)
    assert len(np.unique(table.key)) == len(table.key)
    assert table.coefficients.any(axis=1).all()


@pytest.mark.parametrize("family", FREE_PARAMETERS)
def test_names_do_not_depend_on_the_size_of_the_table(family):
    n = len(FREE_PARAMETERS[family])
    small, large = (reflection_table(family, (edge,) * n, CANONICAL) for edge in (5.0, 9.0))
    place = {tuple(row): key for row, key in zip(large.coefficients, large.key, strict=True)}
    assert len(large.key) > len(small.key)
    for row, key in zip(small.coefficients, small.key, strict=True):
        assert place[tuple(row)] == key


def test_names_stay_apart_up_to_the_longest_cells():
    rows = np.array([(a, b) for a in (0, 1, 255, 65535) for b in (0, 1, 255, 65535)])
    assert len(np.unique(line_keys(rows))) == len(rows)


def test_every_member_of_a_class_shows_the_same_lines():
    for family in FREE_PARAMETERS:
        table = reflection_table(family, (6.0,) * len(FREE_PARAMETERS[family]), CANONICAL)
        axis = np.arange(-5, 6)
        hkl = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
        matrices = relabellings(family)
        for index, cls in enumerate(extinction_classes(family_spacegroups(family))):
            patterns = set()
            for number in cls.spacegroups:
                operations = gemmi.find_spacegroup_by_number(number).operations()
                patterns.add(
                    min(
                        np.asarray(
                            operations.systematic_absences((hkl @ m).astype(np.int32))
                        ).tobytes()
                        for m in matrices
                    )
                )
            assert len(patterns) == 1
            assert table.present[index * len(matrices)].any()


@given(cases())
def test_allowed_lines_are_those_of_a_brute_force_search(case):
    """Positions, multiplicities and names, against gemmi in a larger box."""
    family, free, spacegroup = case
    unit_cell = gemmi.UnitCell(*full_cell(family, free))
    operations = gemmi.find_spacegroup_by_number(spacegroup).operations()
    hkl, q = all_reflections(family, free, CANONICAL)
    present = ~operations.systematic_absences(hkl.astype(np.int32))
    two_theta = two_theta_of(q[present], CANONICAL.wavelength)
    inner = (two_theta > 5 + 1e-6) & (two_theta < 90 - 1e-6)
    found = allowed_lines(spacegroup, free, CANONICAL)
    found = [line for line in found if 5 + 1e-6 < line.two_theta < 90 - 1e-6]
    assert sum(line.multiplicity for line in found) == inner.sum()
    angles = [line.two_theta for line in found]
    assert angles == sorted(angles)
    for line in found:
        assert unit_cell.calculate_d(line.hkl) == pytest.approx(line.d)
        assert not operations.is_systematically_absent(line.hkl)


@pytest.mark.parametrize(
    ("spacegroup", "free", "names"),
    [
        (225, [5.64], ["111", "200", "220", "311", "222", "400"]),
        (167, [4.99, 17.06], ["012", "104", "006", "110"]),
        (136, [4.594, 2.958], ["110", "101", "200", "111", "210", "211", "220"]),
    ],
)
def test_lines_go_by_their_usual_names(spacegroup, free, names):
    found = allowed_lines(spacegroup, free, CANONICAL)
    assert ["".join(map(str, line.hkl)) for line in found[: len(names)]] == names


def test_one_line_alone_tells_p213_from_p23():
    """100 is what 2(1) extinguishes; 300 falls on 221, 500 on 430, and so on for all odd h."""
    table = reflection_table("cubic", (15.0,), CANONICAL)
    labels = class_labels(family_spacegroups("cubic"))
    p23, p213 = (table.present[labels[number - 195]] for number in (195, 198))
    assert table.coefficients[p23 != p213].tolist() == [[1]]


def test_silicon_where_nist_finds_it():
    """Peaks of SRM 640c, a = 5.4311946 Å, as its certificate prints them."""
    table = reflection_table("cubic", (5.4311946,), CANONICAL)
    present = table.present[class_labels(family_spacegroups("cubic"))[227 - 195]]
    sums = table.coefficients[present][:, 0]
    assert sums.tolist()[:7] == [3, 8, 11, 12, 16, 19, 24]
    sums = sums[sums != 12]  # 222, which the group allows and the atoms' special position does not
    found = two_theta_of(sums / 5.4311946**2, 1.5405929)[:6]
    np.testing.assert_allclose(found, [28.441, 47.300, 56.120, 69.126, 76.372, 88.025], atol=2e-3)


@given(st.floats(1.0, 179.0), st.floats(0.3, 3.0))
def test_braggs_law(two_theta, wavelength):
    d = wavelength / (2 * np.sin(np.radians(two_theta / 2)))
    assert two_theta_of(1 / d**2, wavelength) == pytest.approx(two_theta, rel=1e-9)


def test_spacings_below_half_a_wavelength_do_not_diffract():
    found = two_theta_of([1.0, 4.0 / 1.5**2 * 1.0001], 1.5)
    assert np.isfinite(found).tolist() == [True, False]


def test_lorentz_factor_in_closed_form():
    assert lorentz_factor(60.0) == pytest.approx(4 / np.sqrt(3))
    assert lorentz_factor(90.0) == pytest.approx(np.sqrt(2))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=12), st.data())
def test_taking_patterns_from_a_list(counts, data):
    offsets = np.concatenate([[0], np.cumsum(counts)])
    values = np.arange(offsets[-1], dtype=float)
    lines = LineList(offsets, values, values.astype(np.float32) / 7)
    chosen = data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=15))
    taken = lines.take(chosen)
    assert len(taken) == len(chosen)
    for place, source in enumerate(chosen):
        mine = slice(taken.offsets[place], taken.offsets[place + 1])
        theirs = slice(offsets[source], offsets[source + 1])
        np.testing.assert_array_equal(taken.two_theta[mine], lines.two_theta[theirs])
        np.testing.assert_array_equal(taken.intensity[mine], lines.intensity[theirs])
