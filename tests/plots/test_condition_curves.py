import pytest
from example_conditions import MODELS, rows_under_conditions

from sgbench.leaderboard import condition_lines
from sgbench.plots import CONDITION_CURVES, condition_curves, line_name, paper_figures

ROWS = rows_under_conditions()
LINES = condition_lines(ROWS)


@pytest.fixture(scope="module")
def figure():
    return condition_curves(LINES)


def test_a_panel_a_condition_with_a_curve_a_model(figure):
    panels = {panel.get_title().split()[0]: panel for panel in figure.axes}
    assert set(panels) == {"width", "readout"}
    assert len(panels["width"].containers) == len(MODELS)
    ticks = [label.get_text() for label in panels["width"].get_xticklabels()]
    assert ticks == ["ideal", "0.03", "0.05", "0.08", "0.12", "0.2"]


def test_a_ceiling_is_drawn_where_it_is_known_and_said_to_be_unknown_elsewhere(figure):
    said = {
        panel.get_title().split()[0]: [text.get_text() for text in panel.texts]
        for panel in figure.axes
    }
    assert said == {"width": ["no bound"], "readout": []}
    readout = next(panel for panel in figure.axes if panel.get_title().startswith("readout"))
    (ceiling,) = [line for line in readout.lines if line.get_linestyle() == "--"]
    assert ceiling.get_xdata().tolist() == [0, 3]
    assert ceiling.get_ydata().tolist() == [90, 90]


def test_what_a_model_was_trained_on_is_said_where_it_is_not_the_ideal_ulbd():
    names = {line.train_set: line_name(line) for line in LINES}
    assert names == {
        "ulbd-cubic": "fcn-wang2024.soft",
        "ulbd-cubic+laboratory": "fcn-wang2024.soft, trained under laboratory",
        "none": "decoder-pawley",
    }


def test_a_run_under_conditions_has_a_figure_a_family_and_others_none():
    found = [one for one in paper_figures(ROWS, [], {}, "none") if one.title == CONDITION_CURVES]
    assert [one.file for one in found] == ["conditions-cubic.svg"]
    assert "36 to 72 patterns a point" in found[0].caption
    assert "the highest accuracy that is possible: of readout." in found[0].caption
    mixed = ROWS[~ROWS["test_set"].str.contains("width|readout")]
    assert all(one.title != CONDITION_CURVES for one in paper_figures(mixed, [], {}, "none"))
