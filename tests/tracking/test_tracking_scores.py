from dataclasses import replace

import pytest
from example_site import scores_of_two_sources, some_scores
from example_training import PLAN, full_disk

from sgbench.tracking import log_scores, sync, tracked_run

TAGS = {"scale": "smoke", "hardware": "a computer"}


@pytest.fixture
def score():
    (found, *_) = some_scores(("alpha",), ("cubic",), ("cddd",), n=50)
    return found


@pytest.fixture
def table(tmp_path):
    return tmp_path / "leaderboard.csv"


def test_sets_under_conditions_are_logged_too(store, score, table, runs):
    """MLflow takes no plus in the name of a metric."""
    log_scores(store, [replace(score, test_set="cddd+thermal-2")], table)
    (run,) = runs(store)
    assert run.data.metrics[f"cddd thermal-2.{score.class_scheme}.top1"] == score.top[0]
    assert run.info.status == "FINISHED"


def test_the_same_scores_are_logged_once(store, score, table, runs):
    for _ in range(2):
        log_scores(store, [score], table)
    (run,) = runs(store)
    assert all(steps == [0] for steps in run.steps.values())


def test_two_sets_of_one_name_are_kept_apart(store, table, runs):
    scores = [
        one
        for one in scores_of_two_sources(("alpha",), ("cubic",))
        if one.provenance["model"] == "alpha" and one.class_scheme == "spacegroup"
    ]
    scores[0] = replace(scores[0], top=(0.1, *scores[0].top[1:]))
    log_scores(store, scores, table)
    (run,) = runs(store)
    found = {name: value for name, value in run.data.metrics.items() if name.endswith(".top1")}
    assert found == {
        f"cddd {one.source} {one.test_sha256[:8]}.spacegroup.top1": one.top[0] for one in scores
    }


def test_seeds_of_one_model_are_kept_apart(store, score, table, runs):
    seeds = [replace(score, provenance={**score.provenance, "seed": seed}) for seed in (0, 1)]
    log_scores(store, seeds, table)
    assert sorted(run.data.tags["seed"] for run in runs(store)) == ["0", "1"]


def of_training(score, two_cells, **origin):
    facts = {
        "model": PLAN.model, "train_set": PLAN.dataset, "scale": "smoke",
        "plan_sha256": PLAN.sha256(), "dataset_sha256": two_cells.checksum(),
    }  # fmt: skip
    return replace(score, provenance={**score.provenance, **facts, **origin})


def test_scores_go_to_the_run_of_their_training(store, score, table, two_cells, tmp_path, runs):
    """By its id, or by plan and data where it had none yet."""
    with tracked_run(store, PLAN, two_cells, tmp_path / "model.pt", TAGS) as run:
        run.end("FINISHED")
    (trained,) = runs(store)
    of_id = of_training(score, two_cells, mlflow_run=trained.info.run_id, plan_sha256="old")
    without = of_training(replace(score, test_set="gcdd"), two_cells, mlflow_run=None)
    log_scores(store, [of_id, without], table)
    (found,) = runs(store)
    assert found.info.end_time == trained.info.end_time
    for name in ("cddd", "gcdd"):
        assert f"{name}.{score.class_scheme}.top1" in found.data.metrics


def test_a_stranger_writes_into_no_run_of_ours(store, score, table, two_cells, tmp_path, runs):
    with tracked_run(store, PLAN, two_cells, tmp_path / "model.pt", TAGS) as run:
        run.end("FINISHED")
    (trained,) = runs(store)
    claimed = of_training(
        score, two_cells, mlflow_run=trained.info.run_id, model="it's `mine' or \"yours\""
    )
    log_scores(store, [claimed], table)
    assert sorted(bool(run.data.metrics) for run in runs(store)) == [False, True]
    assert not next(run for run in runs(store) if run.info.run_id == trained.info.run_id).steps


def test_a_full_disk_costs_a_warning(store, table, runs, journals, warnings):
    scores = some_scores(("alpha", "beta"), ("cubic",), ("cddd",), n=50)
    with full_disk():
        log_scores(store, scores, table)
    assert len(warnings()) == 1
    (journal,) = journals()
    content = journal.read_bytes()
    for _ in range(2):
        assert [error for _, error in sync(store, [table.parent])] == [None]
        found = runs(store)
        assert {run.data.tags["model"] for run in found} == {"alpha", "beta", "control-prior"}
        assert len(found) == 3
        assert all(steps == [0] for run in found for steps in run.steps.values())
        assert journals() == []
        # A kill may come before the journal is removed.
        journal.write_bytes(content)
