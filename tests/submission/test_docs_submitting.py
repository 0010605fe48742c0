"""docs/submitting.md, word for word: every file is written and every command run as it stands."""

import re

import pytest
from page_commands import PROJECT, run_page

from sgbench.leaderboard import read_csv

PAGE = PROJECT / "docs" / "submitting.md"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    return folder, run_page(PAGE, folder, timeout=600)


def test_the_rows_are_there(project):
    folder, _ = project
    table = read_csv(folder / "results" / "leaderboard.csv")
    found = table.groupby("model")["test_set"].agg(set).to_dict()
    public = {"ulbd-in-mesh", "ulbd-off-mesh"}
    assert found == {"my-mlp": public | {"ulbd-sealed"}, "my-cnn": public, "my-table": public}
    in_mesh = table[(table["test_set"] == "ulbd-in-mesh") & (table["class_scheme"] == "extinction")]
    assert in_mesh["n_test"].eq(3600).all()
    assert in_mesh["top1"].between(0.3, 1).all()


def test_a_model_scores_what_its_predictions_score(project):
    folder, done = project
    table = read_csv(folder / "results" / "leaderboard.csv").set_index(["test_set", "class_scheme"])
    model, predictions = (table[table["model"] == name]["top1"] for name in ("my-mlp", "my-table"))
    assert (model[predictions.index] - predictions).abs().max() < 1e-3
    for (test_set, scheme), top1 in predictions.items():
        assert f"{test_set} {scheme} {top1:.3f} of" in done.stdout
    assert "warning: by" not in done.stderr


def test_the_numbers_of_the_page_are_right(project):
    _, done = project
    for said in re.findall(r"(\d+) parameters", done.stdout):
        assert f"parameters: {said}" in PAGE.read_text()
