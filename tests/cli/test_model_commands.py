import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from example_crystals import crystal_file, crystal_set

from sgbench.evaluation import read_predictions, read_score
from sgbench.leaderboard import COLUMNS


def test_models_are_listed(call):
    rows = json.loads(call("models", "--format", "json").stdout)
    found = {row["name"]: row["parameters"] for row in rows}
    assert found["fcn-wang2024"] == 1_976_884
    assert all(row["paper"] for row in rows)


@pytest.fixture
def control(call, tmp_path):
    """Predictions of a control."""
    call(
        "predict", "control-oracle", "-o", "p", "--family", "cubic", "--test-set", "ulbd-in-mesh",
        "--per-spacegroup", 1, "--scale", "smoke",
    )  # fmt: skip
    return tmp_path / "p"


@pytest.fixture
def trained(call, tmp_path):
    call(
        "train", "fcn-wang2024", "ulbd-cubic", "--patterns", 8, "--batch-size", 8, "--validations",
        1, "--device", "cpu", "-o", "model.pt",
    )  # fmt: skip
    return tmp_path / "model.pt"


def test_a_training_says_where_it_stands_and_what_it_came_to(call, tmp_path):
    said = call(
        "train", "fcn-wang2024", "ulbd-cubic", "--patterns", 16, "--batch-size", 8,
        "--validations", 2, "--validation-per-spacegroup", 1, "--device", "cpu", "-o", "model.pt",
    ).stderr.splitlines()  # fmt: skip
    assert said[0].startswith("training fcn-wang2024 on ulbd-cubic with ")
    assert said[0].endswith("; after an interruption the same command goes on where it was")
    # A slow machine has a line without a validation before.
    first = next(line for line in said if "8 of 16 patterns" in line and "validation" in line)
    assert re.search(
        r"/s, .* left, loss [\d.]+, validation loss [\d.]+,"
        r" space groups [\d.]+ of at most 47.2 %, classes [\d.]+ %$",
        first,
    )
    assert any(line.startswith("training fcn-wang2024: 16 of 16 patterns, ") for line in said)
    assert re.fullmatch(
        r"trained on 16 patterns in .*; on validation: space groups .* of at most 47.2 %, .* %",
        said[-2],
    )
    assert said[-1] == "wrote model.pt"


def test_an_estimator_says_what_it_came_to(call, tmp_path):
    said = call(
        "train", "extra-trees-suzuki2020", "ulbd-cubic", "--patterns", 100, "-o", "trees.pt"
    ).stderr.splitlines()
    assert said[1].startswith("trained on 100 patterns in ")
    assert said[2:] == ["wrote trees.pt"]


def test_predictions_and_scores_end_with_where_they_are(call, control):
    done = call("evaluate", *control.glob("*.parquet"), "-o", "s")
    assert done.stderr == "wrote s: 2 scores\n"


def test_from_a_control_to_the_leaderboard(call, control, tmp_path):
    names = sorted(p.name for p in control.iterdir())
    assert names == ["ulbd-in-mesh.extinction.parquet", "ulbd-in-mesh.parquet"]
    call("evaluate", *(control / name for name in names), "-o", "s")
    scores = sorted((tmp_path / "s").glob("*.json"))
    assert [p.name for p in scores] == [
        "ulbd-in-mesh.extinction.json", "ulbd-in-mesh.spacegroup.json",
    ]  # fmt: skip
    assert read_score(scores[0]).top[0] == pytest.approx(1.0)
    assert read_score(scores[1]).top[0] == pytest.approx(17 / 36)
    call("leaderboard", "s", "-o", "leaderboard.csv")
    table = pd.read_csv(tmp_path / "leaderboard.csv")
    assert list(table.columns) == list(COLUMNS)
    assert table["class_scheme"].tolist() == ["extinction", "spacegroup"]
    assert set(table["status"]) == {"control"}
    assert "47.2" in (tmp_path / "leaderboard.md").read_text()


def test_the_decoder_writes_what_it_found(call, tmp_path):
    call(
        "predict", "decoder-pawley", "-o", "p", "--family", "cubic", "--test-set", "ulbd-in-mesh",
        "--per-spacegroup", 1, "--scale", "smoke",
    )  # fmt: skip
    names = {p.name for p in (tmp_path / "p").iterdir()}
    kept = {"ulbd-in-mesh.parquet", "ulbd-in-mesh.speed.json", "ulbd-in-mesh.details.csv"}
    assert names == kept
    details = pd.read_csv(tmp_path / "p" / "ulbd-in-mesh.details.csv")
    assert list(details.columns) == ["sample_id", "a", "misfit", "reason"]
    assert details["reason"].isna().tolist() == details["a"].notna().tolist()
    found = read_predictions(tmp_path / "p" / "ulbd-in-mesh.parquet")
    assert tuple(details["sample_id"]) == found.sample_ids
    call("evaluate", "p/ulbd-in-mesh.parquet", "-o", "s")
    assert read_score(tmp_path / "s" / "ulbd-in-mesh.extinction.json").top[0] > 0.9


def test_a_test_set_by_the_name_that_it_had(call, tmp_path):
    crystal_file(tmp_path, crystal_set({225: 70}))
    call(
        "predict", "control-uniform", "-o", "p", "--family", "cubic", "--test-set",
        "cddd-paper-test", "--crystals", "cddd.parquet",
    )  # fmt: skip
    assert {p.name for p in (tmp_path / "p").iterdir()} == {
        "cddd-stratified-test.parquet", "cddd-stratified-test.extinction.parquet",
    }  # fmt: skip
    call("evaluate", "p/cddd-stratified-test.parquet", "-o", "s", "--crystals", "cddd.parquet")
    found = read_score(tmp_path / "s" / "cddd-stratified-test.spacegroup.json")
    assert (found.source, found.n_test) == ("example", 7)


def test_from_a_network_to_scores(call, trained, tmp_path):
    call(
        "predict", trained, "-o", "p", "--test-set", "ulbd-off-mesh", "--per-spacegroup", 1,
        "--device", "cpu",
    )  # fmt: skip
    call("evaluate", "p/ulbd-off-mesh.parquet", "-o", "s")
    names = sorted(p.name for p in (tmp_path / "s").glob("*.json"))
    assert names == ["ulbd-off-mesh.extinction.json", "ulbd-off-mesh.spacegroup.json"]
    answers = sorted(p.name for p in (tmp_path / "s").glob("*.parquet"))
    assert answers == [name.replace(".json", ".answers.parquet") for name in names]
    found = read_score(tmp_path / "s" / names[0])
    assert (found.source, len(found.test_sha256)) == ("designed", 64)
    origin = found.provenance
    assert origin["model"] == "fcn-wang2024"
    assert origin["parameters"] == 1_976_884
    assert origin["patterns_per_second"] > 0
    assert len(origin["predictions_sha256"]) == 64


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("resnet", "ulbd-cubic", "--patterns", "8"), "unknown model 'resnet'"),
        (("fcn-wang2024", "ulbd-cubik", "--patterns", "8"), "'ulbd-cubik'"),
        (("fcn-wang2024", "ulbd-cubic", "--patterns", "0"), "patterns is 0"),
        (("fcn-wang2024", "ulbd-cubic", "--patterns", "8", "--batch-size", "0"), "batch_size is 0"),
        (("fcn-wang2024", "ulbd-cubic", "--patterns", "8", "--peak-rate", "5"), "peak_rate 5"),
        (("fcn-wang2024", "ulbd-cubic", "--patterns", "8", "--device", "tpu"), "unknown device"),
    ],
)
def test_trainings_that_cannot_start(refused, arguments, words):
    assert words in refused("train", *arguments, "-o", "model.pt")


def test_training_on_a_damaged_checkpoint(call, tmp_path):
    (tmp_path / "model.pt.checkpoint").write_bytes(b"PK\x03\x04half")
    done = call("train", "fcn-wang2024", "ulbd-cubic", "--patterns", 8, "-o", "model.pt", status=2)
    (error,) = [line for line in done.stderr.splitlines() if not line.startswith("training ")]
    assert error.startswith("error: the checkpoint model.pt.checkpoint is damaged")
    assert [p.name for p in tmp_path.iterdir()] == ["model.pt.checkpoint"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("none.pt",), "none.pt is missing"),
        (("control-oracle",), "expected --family"),
        (("control-oracle", "--family", "hexagonal"), "unknown family 'hexagonal'"),
        (("decoder-pawley",), "expected --family"),
        (("decoder-pawley", "--family", "all"), "cannot predict the family 'all'"),
        (("decoder-pawley", "--family", "monoclinic"), "cubic, tetragonal"),
        (("control-orakel", "--family", "cubic"), "control-orakel"),
    ],
)
def test_predictions_that_cannot_be_made(refused, arguments, words):
    options = ("--test-set", "ulbd-in-mesh", "--per-spacegroup", 1)
    assert words in refused("predict", *arguments, "-o", "p", *options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--test-set", "ulbd"], "unknown set 'ulbd'"),
        (["--test-set", "ulbd-cubic"], "is a set to train on; expected a test set"),
        (["--test-set", "ulbd-sealed"], "drawn with the secret of a sealed round"),
        (["--test-set", "cddd"], "line lists of 'cddd' are needed"),
        (["--test-set", "cddd", "--crystals", "none.parquet"], "none.parquet is missing"),
        (["--test-set", "cddd", "--crystals", "bad.parquet"], "is not a file of crystals"),
        (["--test-set", "ulbd-in-mesh", "--per-spacegroup", "0"], "cannot draw 0"),
    ],
)
def test_test_sets_that_cannot_be_had(refused, tmp_path, options, words):
    (tmp_path / "bad.parquet").write_bytes(b"PAR1half of it")
    assert words in refused("predict", "control-oracle", "--family", "cubic", "-o", "p", *options)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_model(refused, trained, share):
    content = trained.read_bytes()
    trained.write_bytes(content[: int(share * len(content))])
    message = refused("predict", trained, "-o", "p", "--test-set", "ulbd-in-mesh")
    assert "is not a readable model" in message


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_truncated_predictions(refused, control, share):
    path = control / "ulbd-in-mesh.parquet"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "is not a readable predictions file" in refused("evaluate", path, "-o", "s")


def test_no_predictions(refused):
    assert "none.parquet is missing" in refused("evaluate", "none.parquet", "-o", "s")


def rewritten(path, **changes):
    """The same predictions with another origin, as somebody's own writer may state it."""
    table = pq.read_table(path)
    header = json.loads(table.schema.metadata[b"sgbench"])
    for key, value in changes.items():
        if value is None:
            del header["provenance"][key]
        else:
            header["provenance"][key] = value
    pq.write_table(table.replace_schema_metadata({b"sgbench": json.dumps(header)}), path)
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"test_set": None},
        {"test_set": "ulbd"},
        {"test_set": "ulbd-sealed"},
        {"family": None},
        {"family": "kubic"},
        {"family": "tetragonal"},
        {"protocol": None},
        {"protocol": "in use"},
        {"dataset": "ulbd-cubik"},
        {"dataset": "ulbd-tetragonal"},
        {"per_spacegroup": None},
        {"per_spacegroup": "one"},
        {"per_spacegroup": 2},
        {"model": None},
    ],
)
def test_predictions_of_unclear_origin(refused, control, changes):
    refused("evaluate", rewritten(control / "ulbd-in-mesh.parquet", **changes), "-o", "s")


def test_predictions_of_other_samples(refused, control):
    path = control / "ulbd-in-mesh.parquet"
    table = pq.read_table(path)
    column = pa.array(table["sample_id"].to_pylist()[::-1])
    pq.write_table(table.set_column(0, "sample_id", column), path)
    assert "do not cover" in refused("evaluate", path, "-o", "s")


@pytest.mark.parametrize("content", ["", "{", "{}", "[]"])
def test_scores_that_are_none(refused, tmp_path, content):
    (tmp_path / "score.json").write_text(content)
    assert "is not a readable score" in refused("leaderboard", "score.json", "-o", "l.csv")


def test_no_scores(refused, tmp_path):
    assert "none.json is missing" in refused("leaderboard", "none.json", "-o", "l.csv")
    (tmp_path / "empty").mkdir()
    refused("leaderboard", "empty", "-o", "l.csv")


def test_a_finished_table_that_is_damaged(refused, call, control, tmp_path):
    call("evaluate", control / "ulbd-in-mesh.parquet", "-o", "s")
    (tmp_path / "old.csv").write_text("model,top1\nx,0.5\n")
    message = refused("leaderboard", "s", "-o", "l.csv", "--table", "old.csv")
    assert "lacks the columns" in message


def test_probabilities_are_those_of_the_control(control):
    found = read_predictions(control / "ulbd-in-mesh.parquet")
    assert found.probabilities.shape == (36, 36)
    assert np.count_nonzero(found.probabilities[0]) == 5  # 195 is one of the five of P - - -


def test_tables_of_other_scales_join_and_the_first_with_a_scale_wins(call, control, tmp_path):
    call("evaluate", control / "ulbd-in-mesh.parquet", "-o", "s")
    call("leaderboard", "s", "-o", "here.csv")
    here = pd.read_csv(tmp_path / "here.csv")
    other = here.assign(scale="full", top1=0.25)
    other.to_csv(tmp_path / "full.csv", index=False)
    other.assign(top1=0.75).to_csv(tmp_path / "older.csv", index=False)
    tables = ("here.csv", "full.csv", "older.csv", "absent.csv")
    call("leaderboard", "-o", "all.csv", *(part for name in tables for part in ("--table", name)))
    joined = pd.read_csv(tmp_path / "all.csv")
    assert len(joined) == 2 * len(here)
    assert set(joined.loc[joined["scale"] == "full", "top1"]) == {0.25}
