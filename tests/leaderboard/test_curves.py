from pathlib import Path

import pandas as pd
import pytest
from example_conditions import MODELS, NETWORK, UNDER, rows_under_conditions

from sgbench.conditions import severities
from sgbench.leaderboard import (
    condition_lines,
    curve_kinds,
    graded,
    highest,
    is_point,
    mixtures,
)

ROWS = rows_under_conditions()


@pytest.fixture(scope="module")
def lines():
    return {(line.model, line.train_set): line for line in condition_lines(ROWS)}


def test_a_line_a_model_and_training_set(lines):
    assert set(lines) == {(model, train_set) for model, train_set, _ in MODELS}
    assert all(set(line.points) == set(UNDER) for line in lines.values())


def test_a_curve_begins_at_ideal_patterns_and_has_a_place_for_each_severity(lines):
    line = lines[NETWORK, "ulbd-cubic"]
    curve = line.curve("width")
    assert len(curve) == 1 + len(severities("width"))
    row = ROWS[
        (ROWS["model"] == NETWORK)
        & (ROWS["train_set"] == "ulbd-cubic")
        & (ROWS["class_scheme"] == "extinction")
    ].set_index("test_set")
    assert curve[0] == line.ideal
    assert curve[0].top1 == row.loc["ulbd-off-mesh", "top1"]
    assert curve[1].low == row.loc["ulbd-off-mesh+width-0.03", "top1_low"]
    assert [point is not None for point in curve] == [True, True, True, False, True, False]


def test_mixtures_and_curves_are_apart(lines):
    assert curve_kinds(lines.values()) == ["width", "readout"]
    assert mixtures(lines.values()) == ["laboratory", "synchrotron"]


def test_the_ceiling_is_that_of_the_largest_test(lines):
    points = [line.points["readout-0.01"] for line in lines.values()]
    assert highest(points) == 0.9
    assert highest([line.points["width-0.03"] for line in lines.values()]) is None
    assert highest([None]) is None


def test_tables_of_before_have_no_ceiling_under_noise():
    (first, *_) = condition_lines(ROWS.drop(columns="bayes_top1"))
    assert first.ideal.bayes is None


def test_of_two_rows_on_one_set_that_of_more_samples_counts():
    more = ROWS.assign(n_test=ROWS["n_test"] + 1, top1=0.5, test_sha256="other")
    for both in (pd.concat([ROWS, more]), pd.concat([more, ROWS])):
        assert {line.ideal.top1 for line in condition_lines(both)} == {0.5}


def test_points_of_curves_are_told_from_mixtures_and_ideal_sets():
    points = set(ROWS.loc[graded(ROWS), "test_set"])
    assert points == {f"ulbd-off-mesh+{one}" for one in UNDER if "-" in one}
    assert is_point(Path("scores/ulbd-off-mesh+width-0.03.extinction.json"))
    assert not is_point(Path("scores/ulbd-off-mesh+laboratory.extinction.json"))
    assert not is_point(Path("my+model.json"))
