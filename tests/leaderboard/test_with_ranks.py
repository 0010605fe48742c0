"""Ranks of the rows of a leaderboard."""

import pandas as pd
import pytest
from example_results import made_up_scores
from example_site import some_scores

from sgbench.leaderboard import PAIR_COLUMNS, build_table, row_key, to_markdown, with_ranks


@pytest.fixture(scope="module")
def scores():
    return some_scores(("best", "middle", "worst"), ("cubic",), n=120)


def test_ranks_are_within_a_group_and_without_controls(scores):
    table = with_ranks(build_table(scores))
    ranked = table[table["status"] != "control"]
    for _, rows in ranked.groupby(["test_set", "class_scheme"]):
        assert rows["rank_best"].min() == 1
        assert rows["rank_worst"].max() == 3
        assert rows["lead"].isna().sum() == 1
    controls = table[table["status"] == "control"]
    assert len(controls)
    assert controls[["rank_best", "lead", "next_model"]].isna().all(axis=None)


def test_clear_differences_have_ranks_of_their_own():
    scores = made_up_scores("ulbd-cubic", "ulbd-in-mesh", "cubic", 0.95, "good", n=400)
    scores += made_up_scores("ulbd-cubic", "ulbd-in-mesh", "cubic", 0.5, "bad", n=400)
    table = with_ranks(build_table(scores))
    classes = table[table["class_scheme"] == "extinction"].set_index("model")
    assert classes.loc["good", ["rank_best", "rank_worst"]].tolist() == [1, 1]
    assert classes.loc["bad", ["rank_best", "rank_worst"]].tolist() == [2, 2]
    assert classes.loc["good", "next_model"] == "bad"
    assert classes.loc["good", "lead_p"] < 1e-6


def test_pairs_decide_where_they_are_known(scores):
    """Two rows that their intervals cannot tell apart, and a third that has no pair."""
    table = build_table(scores)
    table["predictions_sha256"] = [text[::-1] for text in table["predictions_sha256"]]
    mine = table[
        (table["test_set"] == "cddd")
        & (table["class_scheme"] == "extinction")
        & (table["status"] != "control")
    ]
    keys = [row_key(text) for text in mine["predictions_sha256"]]
    pairs = pd.DataFrame([("cddd", "extinction", *sorted(keys[:2]), 1e-4)], columns=PAIR_COLUMNS)
    before, after = with_ranks(table), with_ranks(table, pairs)
    assert before.loc[mine.index[0], ["rank_best", "rank_worst"]].tolist() == [1, 3]
    first, second, third = (after.loc[i] for i in mine.index)
    assert [first["rank_best"], first["rank_worst"], first["lead_test"]] == [1, 2, "paired"]
    assert [second["rank_best"], second["lead_test"]] == [2, "intervals"]
    assert first["lead_p"] == pytest.approx(3e-4)  # Holm's correction for three pairs
    assert pd.isna(third["lead_test"])
    # Comparisons of predictions that were replaced since are not used.
    stale = pairs.assign(first="00000000")
    pd.testing.assert_frame_equal(with_ranks(table, stale), before)


def test_ranks_in_markdown():
    scores = made_up_scores("ulbd-cubic", "ulbd-in-mesh", "cubic", 0.95, "good", n=400)
    for model, seed in (("bad", 0), ("as bad", 1)):
        scores += made_up_scores("ulbd-cubic", "ulbd-in-mesh", "cubic", 0.5, model, 400, seed)
    scores += made_up_scores(
        "none", "ulbd-in-mesh", "cubic", 0.4, "control-x", n=400, status="control"
    )
    lines = to_markdown(build_table(scores)).splitlines()
    cells = [line.split(" | ") for line in lines if line.startswith("| ") and "---" not in line]
    header, *rows = cells
    ranks = {row[0].removeprefix("| "): row[header.index("rank")] for row in rows[:4]}
    assert ranks == {"good": "1", "bad": "2–3", "as bad": "2–3", "control-x": "–"}
