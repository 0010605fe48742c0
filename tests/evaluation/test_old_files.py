"""Scores and predictions that version 0.1.0 wrote are read under the names of today."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from sgbench.diffraction import CANONICAL, LineList, Samples
from sgbench.errors import SgbenchError
from sgbench.evaluation import (
    Predictions,
    current_names,
    read_predictions,
    read_score,
    score,
    write_predictions,
    write_score,
)
from sgbench.leaderboard import build_table, identity
from sgbench.models import REFERENCE
from sgbench.sets import SetSpec, TestSet
from sgbench.symmetry import family_spacegroups

# What the provenance of version 0.1.0 said, by the names of then.
PROVENANCE = {
    "model": "fcn-wang2024.sqrt-fresh", "train_set": "cddd-cubic-paper-split", "seed": 0,
    "scale": "paper", "test_set": "cddd-paper-test", "dataset": "ulbd-cubic", "per_spacegroup": 0,
}  # fmt: skip
NOW = {"model": REFERENCE, "train_set": "cddd-cubic-stratified", "scale": "full"}
TEST_SET = "cddd-stratified-test"


def made_up(provenance) -> tuple[Predictions, TestSet]:
    n = 40
    draw = np.random.default_rng(0)
    ids = tuple(f"s{i}" for i in range(n))
    lines = LineList(np.zeros(n + 1, dtype=np.int64), np.empty(0), np.empty(0, dtype=np.float32))
    samples = Samples(ids, draw.integers(195, 231, n), CANONICAL, lines)
    values = draw.dirichlet(np.ones(36), n).astype(np.float32)
    truth = TestSet(SetSpec.parse(TEST_SET), "cubic", "amcsd", samples, 0)
    groups = family_spacegroups("cubic")
    return Predictions(ids, "spacegroup", groups, values, dict(provenance)), truth


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ({"model": "fcn-wang2024.sqrt-fresh"}, {"model": REFERENCE}),
        ({"train_set": "cddd-cubic-paper-split"}, {"train_set": "cddd-cubic-stratified"}),
        ({"test_set": "cddd-paper-test"}, {"test_set": "cddd-stratified-test"}),
        ({"scale": "paper"}, {"scale": "full"}),
        # What is of today, somebody else's or no name at all stays as it is.
        ({"test_set": "ulbd-in-mesh", "scale": "smoke"}, {"test_set": "ulbd-in-mesh"}),
        ({"model": "my-mlp", "train_set": "my data"}, {"train_set": "my data"}),
        ({"train_set": None, "seed": 3}, {"train_set": None, "seed": 3}),
        ({"status": "paper"}, {"status": "paper"}),
    ],
)
def test_names_that_were_others(then, now):
    found = current_names(then)
    assert found == then | now


def test_predictions_that_name_a_dataset(tmp_path):
    predictions, _ = made_up(PROVENANCE)
    write_predictions(tmp_path / "p.parquet", predictions)
    assert "dataset" in json.loads(pq.read_schema(tmp_path / "p.parquet").metadata[b"sgbench"])[
        "provenance"
    ]  # fmt: skip
    found = read_predictions(tmp_path / "p.parquet").provenance
    assert found == {
        **NOW, "seed": 0, "test_set": TEST_SET, "family": "cubic", "protocol": "canonical",
        "per_spacegroup": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("dataset", "family", "protocol"),
    [
        ("ulbd-cubic-published", "cubic", "published"),
        ("ulbd-trigonal-hexagonal", "trigonal-hexagonal", "canonical"),
        ("ulbd-all", "all", "canonical"),
    ],
)
def test_a_dataset_says_family_and_protocol(tmp_path, dataset, family, protocol):
    predictions, _ = made_up({**PROVENANCE, "dataset": dataset})
    write_predictions(tmp_path / "p.parquet", predictions)
    found = read_predictions(tmp_path / "p.parquet").provenance
    assert (found["family"], found["protocol"]) == (family, protocol)


@pytest.mark.parametrize("dataset", ["ulbd-cubik", "my data", "", 3, None])
def test_a_dataset_that_says_nothing(tmp_path, dataset):
    predictions, _ = made_up({**PROVENANCE, "dataset": dataset})
    write_predictions(tmp_path / "p.parquet", predictions)
    with pytest.raises(SgbenchError, match=r"unknown set|'family' is missing"):
        read_predictions(tmp_path / "p.parquet")


def old_score(path, test_set="cddd-paper-test", **provenance):
    """Write what version 0.1.0 wrote: the data of the test set are in the provenance alone."""
    predictions, truth = made_up(PROVENANCE)
    write_score(path, score(predictions, truth, "spacegroup"))
    values = json.loads(path.read_text())
    for name in ("raw", "source", "test_sha256", "regret"):
        del values[name]
    values["test_set"] = test_set
    values["provenance"] |= {"test_sha256": "a" * 64, **provenance}
    path.write_text(json.dumps(values))
    return values


def test_scores_that_say_less(tmp_path):
    values = old_score(tmp_path / "s.json")
    found = read_score(tmp_path / "s.json", with_answers=True)
    assert (found.test_set, found.source, found.test_sha256) == (TEST_SET, "unrecorded", "a" * 64)
    assert found.top == found.raw == tuple(values["top"])
    assert found.regret is None
    assert found.provenance.items() >= NOW.items()
    assert len(found.answers.hit) == found.n_test
    assert identity(found) == {
        **NOW, "test_set": TEST_SET, "source": "unrecorded", "test_sha256": "a" * 64,
        "family": "cubic", "class_scheme": "spacegroup",
    }  # fmt: skip
    (row,) = build_table([found]).to_dict("records")
    assert row["raw_top1"] == row["top1"] == values["top"][0]


@pytest.mark.parametrize("name", ["ulbd-off-mesh", "ulbd-sealed"])
def test_scores_on_designed_patterns(tmp_path, name):
    old_score(tmp_path / "s.json", test_set=name)
    found = read_score(tmp_path / "s.json")
    assert (found.test_set, found.source) == (name, "designed")


def test_scores_of_earlier_data_are_rows_of_their_own(tmp_path):
    """Whose source nobody wrote down is compared with nothing of which it is known."""
    old_score(tmp_path / "old.json")
    predictions, truth = made_up({**PROVENANCE, **NOW, "test_set": TEST_SET})
    both = [read_score(tmp_path / "old.json"), score(predictions, truth, "spacegroup")]
    assert build_table(both)["seeds"].tolist() == [1, 1]
