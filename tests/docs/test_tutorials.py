"""The tutorials that make something, word for word."""

from page_commands import PROJECT, run_page

from sgbench.leaderboard import read_csv

TUTORIALS = PROJECT / "docs" / "tutorials"


def test_machine_learning_ends_with_a_row(tmp_path):
    done = run_page(TUTORIALS / "machine-learning.md", tmp_path)
    table = read_csv(tmp_path / "results" / "leaderboard.csv")
    assert set(table["model"]) == {"my-net"}
    assert set(table["test_set"]) == {"ulbd-in-mesh", "ulbd-off-mesh"}
    # Half a minute of training is far above guessing one of 36.
    assert table["top1"].min() > 0.08
    assert "149844 parameters" in done.stdout


def test_diffraction_scores_what_it_said(tmp_path):
    run_page(TUTORIALS / "diffraction.md", tmp_path)
    table = read_csv(tmp_path / "mine-leaderboard.csv").set_index("class_scheme")
    assert table["top1"].round(3).to_dict() == {"extinction": 1.0, "spacegroup": 0.6}
