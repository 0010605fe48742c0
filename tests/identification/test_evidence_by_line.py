import numpy as np
import pytest
from example_decoded import ANGLESITE, CU, PYRITE, decoded, pattern

from sgbench.identification._lines import FittedLines, evidence
from sgbench.symmetry import absences, family_of


def fitted(spacegroup, cell, order=(0, 1, 2), **options):
    found = decoded(pattern(spacegroup, cell, **options), family_of(spacegroup), cell, order)
    return FittedLines.of(found.cells[0].whole)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1), (1, 0, 2), (0, 2, 1)])
def test_a_class_is_shown_on_its_own_axes_whatever_those_of_the_cell(order):
    told = evidence(fitted(62, ANGLESITE, order), 62)
    assert told.cell == pytest.approx(ANGLESITE, rel=2e-4)
    hkl = np.array([line.hkl for line in told.lines])
    assert [line.allowed for line in told.lines] == (~absences(62, hkl)).tolist()
    assert not told.of(False, "there")
    assert len(told.of(False, "absent")) > 15


def test_each_line_stands_where_its_indices_put_it():
    told = evidence(fitted(62, ANGLESITE, (2, 0, 1)), 62)
    for line in told.lines:
        q = sum((index / edge) ** 2 for index, edge in zip(line.hkl, told.cell, strict=False))
        assert line.d == pytest.approx(q**-0.5)
        bragg = 2 * np.degrees(np.arcsin(CU / 2 / line.d))
        assert line.two_theta == pytest.approx(bragg, abs=0.02)


def test_what_a_wrong_class_forbids_is_there():
    known = fitted(16, ANGLESITE)
    first = evidence(known, 16)
    other = evidence(known, 62, first)
    assert not first.of(False, "absent") + first.of(False, "there")
    assert len(other.of(False, "there")) > 10
    assert other.against_first.lines == sum(not line.allowed for line in other.lines)
    assert other.against_first.hidden >= len(other.of(False, "hidden"))
    assert not other.against_first.missing


def test_many_absent_lines_do_not_make_the_others_vague():
    """F d d 2 allows a small part of what P 2 2 2 does; its absent lines are known well."""
    told = evidence(fitted(43, ANGLESITE), 16)
    states = [line.state for line in told.lines]
    assert states.count("absent") > states.count("there") > 5
    assert states.count("hidden") < 0.3 * len(states)


def test_what_a_wider_class_allows_is_missing():
    known = fitted(62, ANGLESITE)
    other = evidence(known, 16, evidence(known, 62))
    missing = [other.lines[place] for place in other.against_first.missing]
    assert len(missing) > 15
    assert {(line.allowed, line.state) for line in missing} == {(True, "absent")}
    assert all(absences(62, np.array([line.hkl for line in missing])))


def test_a_line_under_an_allowed_one_is_hidden():
    """Of a cell whose a and b nearly agree, 5 0 0 lies under 3 4 0 and 4 3 0."""
    told = evidence(fitted(18, (8.0, 8.001, 6.0, 90, 90, 90)), 18)
    assert {(5, 0, 0), (0, 5, 0)} <= {line.hkl for line in told.of(False, "hidden")}
    assert not told.of(False, "there")


def test_reflections_of_other_indices_at_one_angle_count():
    """In a cubic cell 3 0 0 is forbidden by a screw axis and 2 2 1, at the same angle, is not."""
    told = evidence(fitted(198, PYRITE), 198)
    assert {line.hkl for line in told.lines if not line.allowed} == {(1, 0, 0)}
    assert (2, 2, 1) in {line.hkl for line in told.lines}


def test_a_monoclinic_class_keeps_an_obtuse_angle():
    told = evidence(fitted(14, (7.2, 9.1, 6.4, 90, 104.0, 90)), 14)
    assert told.cell[4] >= 90
    assert not told.of(False, "there")
    assert len(told.of(False, "absent")) > 8


def test_uncertainties_are_those_of_repeated_measurements():
    known = [fitted(205, PYRITE, noise=number) for number in range(12)]
    spread = np.std([one.intensity for one in known], axis=0, ddof=1)
    told = np.median([one.uncertainty for one in known], axis=0)
    assert len(told) > 20
    assert 0.7 < np.median(spread / told) < 1.6
