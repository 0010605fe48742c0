"""Points of curves stay with their run: no merged table and no archive of scores has them."""

from pathlib import Path

import pandas as pd
import pytest
from example_conditions import MODELS, rows_under_conditions, scores_under_conditions
from example_results import made_up_scores

from sgbench.archives import read_archive
from sgbench.evaluation import write_score
from sgbench.leaderboard import build_table, write_csv

LISTED = {"ulbd-off-mesh", "ulbd-off-mesh+laboratory", "ulbd-off-mesh+synchrotron"}


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "results" / "robustness"
    folder.mkdir(parents=True)
    write_csv(folder / "leaderboard.csv", rows_under_conditions())
    return folder


def test_a_merged_table_has_mixtures_and_the_page_takes_curves_from_the_run(call, run, tmp_path):
    own = build_table(made_up_scores("ulbd-cubic", "ulbd-off-mesh", "cubic", 0.9))
    write_csv(tmp_path / "own.csv", own)
    call("leaderboard", "--table", "own.csv", "--table", run / "leaderboard.csv", "-o", "all.csv")
    merged = pd.read_csv("all.csv")
    added = merged[merged["scale"] == "robustness"]
    assert set(added["test_set"]) == LISTED
    assert len(added) == len(merged) - len(own) == len(LISTED) * 2 * len(MODELS)
    call("site", "--table", "all.csv", "--scores", "results/robustness", "-o", "page")
    assert '["width","' in Path("page/index.html").read_text()
    call("site", "--table", "all.csv", "-o", "page")
    assert '["width","' not in Path("page/index.html").read_text()


def test_scores_of_points_are_not_published(call, run):
    for one in scores_under_conditions():
        place = run / "scores" / one.provenance["train_set"] / one.provenance["model"] / "seed0"
        write_score(place / f"{one.test_set}.{one.class_scheme}.json", one)
    call("publish", "robustness")
    names = read_archive(Path("results/published/robustness.tar.xz"))
    scores = {Path(name).name.rsplit(".", 2)[0] for name in names if name.startswith("scores/")}
    assert scores == LISTED
    assert b"width-0.05" in names["leaderboard.csv"]
