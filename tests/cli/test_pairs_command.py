"""Paired tests from scores to the page, and from the published tables alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from example_results import made_up_scores

from sgbench.evaluation import Answers, write_score


@pytest.fixture
def scores(tmp_path):
    """Two models of which the better one is right wherever the other is, and sometimes besides."""
    hit = (np.random.default_rng(0).random(300) < 0.8).astype(np.float32)
    better = hit.copy()
    better[np.flatnonzero(hit == 0)[:9]] = 1
    for model, answers, digit in (("worse", hit, "a"), ("better", better, "b")):
        for one in made_up_scores("ulbd-cubic", "ulbd-off-mesh", "cubic", 0.8, model):
            rate = float(answers.mean())
            mine = replace(
                one, top=(rate,) * 5, top_low=(rate - 0.05,) * 5, top_high=(rate + 0.04,) * 5,
                answers=Answers(answers, one.answers.cluster),
                provenance={**one.provenance, "predictions_sha256": digit * 64},
            )  # fmt: skip
            write_score(
                tmp_path / "scores" / model / f"{one.test_set}.{one.class_scheme}.json", mine
            )
    return tmp_path / "scores"


def test_pairs_go_with_the_table(call, scores, tmp_path):
    call("leaderboard", scores, "-o", "smoke/leaderboard.csv")
    pairs = pd.read_csv(tmp_path / "smoke" / "leaderboard.pairs.csv")
    assert pairs["p"].tolist() == pytest.approx([2 * 0.5**9] * 2, rel=1e-2)
    # As the workflow does: the table of all scales is made from those of each.
    call("leaderboard", "--table", "smoke/leaderboard.csv", "-o", "leaderboard.csv")
    again = tmp_path / "leaderboard.pairs.csv"
    assert again.read_bytes() == (tmp_path / "smoke" / "leaderboard.pairs.csv").read_bytes()
    call("site", "--table", "leaderboard.csv", "-o", "with")
    again.unlink()
    call("site", "--table", "leaderboard.csv", "-o", "without")
    found, bare = (
        (tmp_path / name / "index.html").read_text(encoding="utf-8") for name in ("with", "without")
    )
    assert '"paired"' in found.split('id="index"')[1].split("</script>")[0]
    assert '"paired"' not in bare.split('id="index"')[1].split("</script>")[0]


def test_scores_without_answers_are_taken(call, scores, tmp_path):
    for path in scores.rglob("*.answers.parquet"):
        path.unlink()
    call("leaderboard", scores, "-o", "leaderboard.csv")
    assert pd.read_csv(tmp_path / "leaderboard.pairs.csv").empty
    call("site", "--table", "leaderboard.csv", "--scores", scores, "-o", "site")


def test_answers_of_another_model_are_refused(refused, scores):
    for path in (scores / "worse").glob("*.answers.parquet"):
        path.write_bytes((scores / "better" / path.name).read_bytes())
    assert "does not belong" in refused("leaderboard", scores, "-o", "leaderboard.csv")


def test_pairs_that_are_none(refused, scores, tmp_path, call):
    call("leaderboard", scores, "-o", "leaderboard.csv")
    (tmp_path / "leaderboard.pairs.csv").write_text("a,b\n1,2\n")
    said = refused("site", "--table", "leaderboard.csv", "-o", "site")
    assert "leaderboard.pairs.csv is not a table of comparisons" in said
