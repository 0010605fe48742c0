import numpy as np
import pytest

from sgbench.decoder import FoundLines
from sgbench.decoder._feet import without_feet


def lines(*rows, fwhm=0.1):
    place, height = np.array(rows, dtype=float).T
    n = len(place)
    return FoundLines(place, np.full(n, 0.002), height, np.full(n, fwhm))


def test_what_lies_at_the_foot_of_a_strong_line_is_left_out():
    found = without_feet(lines((19.85, 100), (20, 1000), (20.25, 30), (20.4, 30), (30, 5)))
    # The foot is 48 high at 2.5 widths, 19 at 4 and 133 at 1.5.
    assert found.two_theta.tolist() == [20, 20.4, 30]


def test_lines_on_each_others_flank_are_one_at_their_centre():
    found = without_feet(lines((20, 300), (20.05, 100), (25, 50)))
    assert found.two_theta == pytest.approx([20.0125, 25])
    assert found.height.tolist() == [300, 50]
    assert found.uncertainty[0] == pytest.approx(np.hypot(0.002, 0.05 * np.sqrt(3) / 4))


def test_few_lines_stay_as_they_are():
    empty = FoundLines(*[np.empty(0)] * 4)
    assert len(without_feet(empty).two_theta) == 0
    assert without_feet(lines((20, 3))).two_theta.tolist() == [20]
