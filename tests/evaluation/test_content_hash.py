"""Equal answers have equal hashes, whatever run, day and speed they are of."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sgbench.evaluation import (
    CLASS_SCHEMES,
    Predictions,
    predict_set,
    read_predictions,
    score,
    write_predictions,
)
from sgbench.leaderboard import build_pairs, build_table
from sgbench.models import TrainingPlan
from sgbench.sets import OFF_MESH, family_set, open_test_set
from sgbench.training import train

PLAN = TrainingPlan(
    "fcn-wang2024", "ulbd-cubic", 8, batch_size=8, validations=1, validation_per_spacegroup=1
)


@pytest.fixture(scope="module")
def truth():
    return open_test_set(OFF_MESH, family_set("cubic"), 1)


def made_up(truth, seed: int, **origin) -> Predictions:
    draw = np.random.default_rng(seed)
    values = draw.dirichlet(np.full(36, 0.1), len(truth)).astype(np.float32)
    provenance = {"model": f"m{seed}", "train_set": "ulbd-cubic", "scale": "smoke", "seed": 0}
    groups = family_set("cubic").spacegroups
    return Predictions(truth.samples.ids, "spacegroup", groups, values, provenance | origin)


def scores(truth, *several: Predictions):
    return [score(one, truth, scheme) for one in several for scheme in CLASS_SCHEMES]


def hashes(table) -> list[list[str]]:
    """Every checksum that rows carry."""
    return table[[name for name in table.columns if name.endswith("sha256")]].to_numpy().tolist()


def assert_same_answers(truth, one: Predictions, again: Predictions) -> None:
    assert one.sha256() == again.sha256()
    rival = made_up(truth, 5)
    boards = [scores(truth, each, rival) for each in (one, again)]
    first, second = (build_table(board) for board in boards)
    assert hashes(first) == hashes(second)
    assert first["predictions_sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert build_pairs(boards[0]).equals(build_pairs(boards[1]))
    assert len(build_pairs(boards[0])) == len(CLASS_SCHEMES)


def test_two_runs_of_one_arm(truth, tmp_path):
    """Trained, predicted and written twice; what a stopwatch and a store say lies beside."""
    found = []
    for run in ("first", "second"):
        extra = {"scale": "smoke", "mlflow_run": run}
        cpu, folder = torch.device("cpu"), tmp_path / run
        trained = train(PLAN, folder / "m.pt", folder / "m.ck", cpu, extra_provenance=extra)
        write_predictions(folder / "p.parquet", predict_set(trained, truth, cpu))
        found.append(read_predictions(folder / "p.parquet"))
    one, again = found
    assert one.provenance["mlflow_run"] != again.provenance["mlflow_run"]
    assert one.patterns_per_second != again.patterns_per_second
    assert_same_answers(truth, one, again)


def test_the_same_answers_of_another_run_and_at_another_speed(truth):
    one = made_up(truth, 0, mlflow_run="a", train_seconds=1.0, hardware="abacus")
    again = made_up(truth, 0, mlflow_run="b", train_seconds=2.0, hardware="slide rule")
    assert_same_answers(truth, one, replace(again, patterns_per_second=1e4))


def test_the_layout_in_memory_is_no_content(truth):
    one = made_up(truth, 0)
    turned = replace(one, probabilities=np.asfortranarray(one.probabilities))
    assert one.sha256() == turned.sha256()


def test_other_answers_have_another_hash(truth):
    one = made_up(truth, 0)
    values = one.probabilities.copy()
    values[3] = values[3][::-1]
    others = [
        replace(one, probabilities=values),
        replace(one, sample_ids=("x", *one.sample_ids[1:])),
        replace(one, sample_ids=one.sample_ids[::-1]),
        one.by_class(),
    ]
    assert len({each.sha256() for each in (one, *others)}) == 5
