from dataclasses import replace

import numpy as np
import pytest
from example_decoded import PYRITE, pattern

from sgbench.identification import Cell, ClassAnswer, Evidence, Line, Peak
from sgbench.identification._shares import shares
from sgbench.identification._verdict import verdict
from sgbench.measured import Wavelength
from sgbench.symmetry import FAMILIES, extinction_classes, family_spacegroups

WHOLE = pattern(205, PYRITE)
CELL = Cell("cubic", PYRITE, (0.0,) * 6, 159.0, 0.0, 80.0, 60.0, 12, 12, 1.2, 0.97)
LOWER = ("orthorhombic", "monoclinic", "triclinic")


def peaks(*heights, others=()):
    return tuple(
        Peak(20.0 + i, 0.01, height, 0.1, i not in others) for i, height in enumerate(heights)
    )


PEAKS = peaks(*[50.0] * 12)


def evidence(there, absent):
    states = ["there"] * there + ["absent"] * absent + ["hidden"]
    lines = (
        Line((1, 0, i), 20 + 0.3 * i, 4.4, True, state, 50.0, 0.1) for i, state in enumerate(states)
    )
    return Evidence(PYRITE, tuple(lines), None)


def crowded(count):
    """Lines of a large cell, nearer to each other than half their width."""
    lines = (Line((1, 0, i), 20 + 0.03 * i, 4.4, True, "hidden", 1.0, 0.1) for i in range(count))
    return Evidence(PYRITE, tuple(lines), None)


def classes(*probabilities, told=None):
    known = extinction_classes(family_spacegroups("cubic"))
    return tuple(
        ClassAnswer(
            "cubic",
            one.symbol,
            chance,
            chance,
            None,
            (),
            shares(one.spacegroups),
            0,
            told or evidence(10, 2),
        )
        for one, chance in zip(known, probabilities, strict=False)
    )


def said(ranked=None, cells=(CELL,), found=PEAKS, beyond=(), measured=WHOLE):
    ranked = classes(0.95, 0.05) if ranked is None else ranked
    return verdict(measured, ranked, cells, found, beyond)


def test_one_class_is_named_with_its_groups():
    word, summary, doubts = said()
    assert word == "one class"
    assert summary.startswith("P - - - (cubic), probability 95.0 %. Space groups: P m -3 m (28 of")
    assert doubts == ()


def test_several_are_those_that_share_most_of_the_probability():
    word, summary, _ = said(classes(0.6, 0.25, 0.1, 0.05))
    assert word == "several classes"
    assert summary.startswith("3 classes share 90 % of the probability: ")
    many = said(classes(*[0.06] * 16))[1]
    assert "15 classes share" in many
    assert "and 11 more" in many


def test_lines_that_are_hardly_known_say_nothing_of_how_large_a_cell_is():
    assert said(classes(0.95, told=evidence(0, 2)))[0] == "one class"


def test_a_second_wavelength_that_was_not_given_is_named():
    first, second = 1.5405929, 1.5444274
    places = np.arange(40.0, 100.0, 10.0)
    repeats = np.degrees(2 * np.arcsin(np.sin(np.radians(places / 2)) * second / first))
    both = [
        Peak(float(place), 0.01, height, 0.1, own)
        for several, height, own in ((places, 100.0, True), (repeats, 50.0, False))
        for place in several
    ]
    one_line = (Wavelength(first, 1.0, "head"),)
    word, _, doubts = said(found=both, measured=replace(WHOLE, wavelengths=one_line))
    assert word == "cannot tell"
    assert doubts[0].startswith(
        "Kα₂ of Cu is likely, which was not given (try CuKa as the wavelength)"
    )
    weak = [replace(one, height=one.height / (1 if one.explained else 20)) for one in both]
    word, _, doubts = said(found=weak, measured=replace(WHOLE, wavelengths=one_line))
    assert word == "one class"
    assert doubts[0].endswith("mostly where Kα₂ of Cu would be (try CuKa as the wavelength)")
    elsewhere = [replace(one, two_theta=one.two_theta + 0.3 * (not one.explained)) for one in both]
    doubts = said(found=elsewhere, measured=replace(WHOLE, wavelengths=one_line))[2]
    assert doubts[0].startswith("several phases are likely")


def shorter(measured):
    kept = measured.two_theta < 17.99
    return replace(measured, two_theta=measured.two_theta[kept], intensity=measured.intensity[kept])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"measured": shorter(WHOLE)}, "the range is too short, 5.00 to 17.98°"),
        ({"cells": (), "ranked": (), "found": ()}, "no line stands out"),
        (
            {"cells": (), "ranked": (), "beyond": LOWER},
            "no cell explains the 12 lines that were found; orthorhombic, monoclinic and triclinic "
            "cells were not searched",
        ),
        ({"cells": (replace(CELL, explained=4),)}, "explains 4 lines, and so few fit by chance"),
        ({"found": peaks(100, 50, 60, 70, others=(3,))}, "several phases are likely"),
        (
            {
                "found": peaks(100, 50, 60, 70, others=(3,)),
                "cells": (replace(CELL, probability=1e-4),),
            },
            "the best cell leaves lines with 25.0 % of all height unexplained",
        ),
        (
            {"cells": (replace(CELL, probability=0.3), replace(CELL, probability=0.4))},
            "several cells fit alike",
        ),
        ({"cells": (replace(CELL, probability=0.4),)}, "little better than chance"),
        (
            {"ranked": classes(0.95, told=crowded(40))},
            "too large: 40 of the lines that it allows lie so close that no more than 0",
        ),
        (
            {"ranked": classes(0.95, told=evidence(4, 20))},
            "may be too large: 4 of the 24 lines that it allows are there",
        ),
        ({"cells": (replace(CELL, volume=7.0),)}, "of 7.0 Å³, is smaller than that of any crystal"),
    ],
)
def test_nothing_can_be_said_for_a_reason(changed, words):
    word, summary, doubts = said(**changed)
    assert word == "cannot tell"
    assert words in summary
    assert words in doubts[0]


def test_what_is_doubtful_is_told_beside_the_answer():
    _, _, doubts = said(
        found=peaks(*[50.0] * 12, 3.0, 2.0, others=(12, 13)),
        cells=(replace(CELL, goodness=9.0),),
        beyond=LOWER,
    )
    assert doubts == (
        "the first cell does not explain the lines at 32.00 and 33.00°",
        "the fit of the whole pattern is 9.0 times worse than its noise",
        "orthorhombic, monoclinic and triclinic cells were not searched",
    )


def test_a_family_that_time_ran_out_on_was_searched_in_part():
    doubts = said(beyond=("cubic", *LOWER))[2]
    assert doubts == (
        "cubic cells were not searched to the end, as time ran out",
        "orthorhombic, monoclinic and triclinic cells were not searched",
    )


def test_shares_are_of_the_minerals_of_the_class():
    for one in extinction_classes(family_spacegroups("all")):
        groups = shares(one.spacegroups)
        assert sorted(group.number for group in groups) == list(one.spacegroups)
        assert [group.known for group in groups] == sorted(
            (group.known for group in groups), reverse=True
        )
        total = sum(group.share or 0.0 for group in groups)
        assert total == pytest.approx(1 if groups[0].known else 0)
    assert len(FAMILIES["all"]) == 230
