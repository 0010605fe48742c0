"""What is good scores what scoring its probabilities directly scores."""

import errno
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from example_crystals import crystal_set
from submission_examples import CLASSES, LABELS, description, frame, probabilities, write

from sgbench.errors import SgbenchError
from sgbench.evaluation import Predictions, score
from sgbench.leaderboard import COLUMNS, EXACT_COLUMNS, above_ceiling, read_csv
from sgbench.structures import write_crystals
from sgbench.submission import (
    PER_SPACEGROUP,
    Track,
    _rows,
    _track,
    add_rows,
    check_submission,
    public_samples,
    score_submission,
)

ROOT = Path(__file__).parents[2]


def direct(samples, values, scheme):
    """Scores of probabilities in the order of the samples, without any of the files."""
    place = {sample: row for row, sample in enumerate(samples.ids)}
    found = {}
    start = 0
    for truth in samples.sets:
        where = [
            place[samples.ids[int(np.flatnonzero(samples.order == start + i)[0])]]
            for i in range(len(truth))
        ]
        start += len(truth)
        guess = Predictions(truth.samples.ids, scheme, LABELS, values[where], {"model": "direct"})
        for one in ("spacegroup", "extinction") if scheme == "spacegroup" else ("extinction",):
            found[truth.name, one] = score(guess, truth, one)
    return found


def agree(scores, expected, calibration=True):
    assert {(one.test_set, one.class_scheme) for one in scores} == set(expected)
    for one in scores:
        other = expected[one.test_set, one.class_scheme]
        assert one.top == pytest.approx(other.top, abs=1e-12)
        assert one.raw == pytest.approx(other.raw, abs=1e-12)
        assert one.test_sha256 == other.test_sha256
        assert one.confusion == other.confusion
        assert one.ceiling == other.ceiling
        if calibration:
            assert one.ece == pytest.approx(other.ece, abs=1e-6)


def test_probabilities_over_space_groups(mine, samples):
    scores = score_submission(mine)
    agree(scores, direct(samples, probabilities(samples, LABELS), "spacegroup"))
    assert {one.provenance["status"] for one in scores} == {"self-reported"}
    assert {one.provenance["scale"] for one in scores} == {"smoke"}


def test_the_order_of_rows_and_columns_does_not_matter(mine, samples):
    before = score_submission(mine)
    table = frame(samples).sample(frac=1, random_state=1)
    table[sorted(table.columns)].to_parquet(mine / "predictions.parquet", index=False)
    after = score_submission(mine)
    assert [one.raw for one in after] == [one.raw for one in before]
    assert [one.top for one in after] == [one.top for one in before]
    key = "predictions_sha256"
    assert after[0].provenance[key] == before[0].provenance[key]


@pytest.mark.parametrize("kind", ["float64", "float32", "float16"])
def test_numbers_of_any_precision(mine, samples, kind):
    values = np.eye(len(LABELS))[np.arange(len(samples)) % len(LABELS)].astype(kind)
    frame(samples, values=values).to_parquet(mine / "predictions.parquet", index=False)
    agree(score_submission(mine), direct(samples, values.astype(np.float32), "spacegroup"))


def test_probabilities_over_classes(mine, samples):
    assert len(CLASSES) == 17
    write(mine, description(class_scheme="extinction"), frame(samples, CLASSES))
    agree(score_submission(mine), direct(samples, probabilities(samples, CLASSES), "extinction"))


def rankings(values, labels, length):
    best = np.argsort(-values, axis=1)[:, :length]
    return [[labels[i] for i in row] for row in best]


@pytest.mark.parametrize("length", [5, 36])
def test_ranked_space_groups(mine, samples, length):
    values = probabilities(samples, LABELS)
    ids = list(samples.ids)
    table = pd.DataFrame({"sample_id": ids, "ranking": rankings(values, LABELS, length)})
    table.to_parquet(mine / "predictions.parquet", index=False)
    found = {(s.test_set, s.class_scheme): s for s in score_submission(mine)}
    assert all(one.provenance["ranked"] for one in found.values())
    for (name, scheme), expected in direct(samples, values, "spacegroup").items():
        if scheme == "spacegroup":
            assert found[name, scheme].top == pytest.approx(expected.top)


def test_a_ranking_keeps_its_order_over_classes(mine, samples):
    """The first class is that of the first space group, however many of another class follow."""
    classes = Track("ulbd-cubic", "smoke").labels("extinction")
    truth = np.concatenate([one.samples.spacegroup for one in samples.sets])[samples.order]
    # 195, 200, 207, 215, 221 are one class
    ranking = [[g, *(x for x in (195, 200, 207, 215, 221) if x != g)] for g in truth.tolist()]
    table = pd.DataFrame({"sample_id": list(samples.ids), "ranking": ranking})
    table.to_parquet(mine / "predictions.parquet", index=False)
    scores = score_submission(mine)
    assert all(one.raw[0] == 1 for one in scores)
    assert all(one.top[0] == 1 for one in scores if one.class_scheme == "extinction")
    assert classes[0] == 195


def test_check_says_what_will_be_scored(call, mine):
    said = call("check", "mine").stdout
    assert "ulbd-in-mesh (72), ulbd-off-mesh (72)" in said
    assert "scale smoke" in said


def test_a_model_that_was_trained_under_a_condition(call, mine):
    data = {"name": "ulbd-cubic@0.1x5+thermal-2", "patterns": 1000}
    write(mine, description(training_data=data))
    call("check", "mine")


def test_new_makes_what_only_has_blanks(call, tmp_path):
    call("new", "fresh", "--scale", "smoke")
    folder = tmp_path / "submissions" / "fresh"
    said = "\n".join(map(str, check_submission(folder).problems))
    assert "nothing to score" in said
    assert said.count("nothing is there") == 5
    assert "track_sha256" not in said
    assert "is there already" in call("new", "fresh", status=2).stderr


def test_patterns_are_those_of_the_samples(call, tmp_path, samples):
    call("patterns", "--scale", "smoke", "-o", "p.h5")
    with h5py.File(tmp_path / "p.h5") as file:
        assert tuple(file["sample_id"].asstr()[:]) == samples.ids
        (expected,) = samples.patterns(len(samples))
        assert np.array_equal(file["patterns"][:], expected)
        assert set(file) == {"patterns", "sample_id", "two_theta"}
        assert file.attrs["track_sha256"] == Track("ulbd-cubic", "smoke").checksum()
        assert (file.attrs["track"], file.attrs["scale"]) == ("ulbd-cubic", "smoke")


def test_the_scale_that_was_called_paper(call, mine, monkeypatch, samples):
    monkeypatch.setitem(_track.PER_SPACEGROUP, "full", 2)
    old, new = (Track("ulbd-cubic", scale) for scale in ("paper", "full"))
    assert (old.scale, old.checksum()) == ("full", new.checksum())
    write(mine, description(scale="paper"), frame(samples))
    assert "scale full" in call("check", "mine").stdout
    assert {one.provenance["scale"] for one in score_submission(mine)} == {"full"}
    call("patterns", "--scale", "paper", "-o", "p.h5")
    with h5py.File(mine.parents[1] / "p.h5") as file:
        assert file.attrs["scale"] == "full"


def test_neither_ids_nor_order_tell_labels(samples):
    truth = np.concatenate([one.samples.spacegroup for one in samples.sets])[samples.order]
    assert len(set(samples.ids)) == len(samples)
    numbers = [int(name, 16) / 16**20 for name in samples.ids]
    assert abs(np.corrcoef(numbers, truth)[0, 1]) < 0.25
    assert np.mean(truth[1:] == truth[:-1]) < 0.15


@pytest.mark.parametrize(
    ("train_set", "name"),
    [
        ("ulbd-cubic", "cddd"),
        ("cddd-cubic", "cddd-test"),
        ("cddd-cubic-stratified", "cddd-stratified-test"),
        ("cddd-cubic-paper-split", "cddd-stratified-test"),
        ("my own", "cddd"),
        ("", "cddd"),
    ],
)
def test_structures_are_scored_with_their_line_lists(call, mine, tmp_path, train_set, name):
    """Those that a model was trained on are left out."""
    lines = tmp_path / "cddd.parquet"
    crystals = crystal_set({225: 70})
    cubic = np.repeat(crystals.cell[:, :1], 3, axis=1)
    write_crystals(replace(crystals, cell=np.column_stack([cubic, crystals.cell[:, 3:]])), lines)
    track = Track("ulbd-cubic", "smoke")
    samples = public_samples(track, [lines], train_set)
    assert [one.name for one in samples.sets] == [
        "ulbd-in-mesh", "ulbd-off-mesh", name, f"{name}-in-domain",
    ]  # fmt: skip
    if train_set in ("ulbd-cubic", "cddd-cubic"):
        trained_on = {"name": train_set, "patterns": 1}
        write(mine, description(training_data=trained_on), frame(samples))
        call("add", "mine", "--crystals", lines)
        table = read_csv(tmp_path / "results" / "leaderboard.csv")
        assert set(table["test_set"]) == {one.name for one in samples.sets}
        assert "ids are unknown" in call("check", "mine", status=2).stderr


def test_a_row_stands_on_the_leaderboard(call, mine, tmp_path):
    board = tmp_path / "results" / "leaderboard.csv"
    call("add", "mine")
    table = read_csv(board)
    assert len(table) == 4
    assert set(table["status"]) == {"self-reported"}
    assert set(table["model"]) == {"mine"}
    assert (tmp_path / "results" / "leaderboard.md").exists()
    assert {path.name for path in mine.iterdir()} == {"submission.yaml", "predictions.parquet"}
    before = board.read_bytes()
    call("add", "mine")
    assert board.read_bytes() == before


def test_both_tables_change_or_none(call, mine, samples, tmp_path, monkeypatch):
    board = tmp_path / "results" / "leaderboard.csv"
    call("add", "mine")
    before = board.read_bytes()
    write(
        mine, description(version="2.0"), frame(samples, values=probabilities(samples, LABELS, 1))
    )

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_rows, "to_markdown", full)
    with pytest.raises(SgbenchError, match="No space left"):
        add_rows(score_submission(mine), board, replace=True)
    assert board.read_bytes() == before
    assert {path.name for path in board.parent.iterdir()} == {
        ".leaderboard.csv.lock", "leaderboard.csv", "leaderboard.md",
    }  # fmt: skip


def test_another_version_needs_a_word(call, mine, samples, tmp_path):
    board = tmp_path / "results" / "leaderboard.csv"
    call("add", "mine")
    before = board.read_bytes()
    write(
        mine, description(version="2.0"),
        frame(samples, values=probabilities(samples, LABELS, seed=1)),
    )  # fmt: skip
    said = call("add", "mine", status=2).stderr
    assert "holds other results of 'mine'" in said
    assert "--replace" in said
    assert board.read_bytes() == before
    call("add", "mine", "--replace")
    assert board.read_bytes() != before
    assert len(read_csv(board)) == 4


def test_rows_of_others_keep_every_digit(call, mine, samples, tmp_path):
    board = tmp_path / "results" / "leaderboard.csv"
    call("add", "mine")
    mark = board.read_text().replace(",10,1000,", ",1234567890,1234567891,")
    board.write_text(mark.replace("mine,", "theirs,"))
    others = board.read_text().splitlines()[1:]
    call("add", "mine")
    now = board.read_text().splitlines()
    assert set(others) <= set(now)
    assert len(now) == 9


def test_a_leak_stands_out_on_the_leaderboard(call, mine, samples, tmp_path):
    board = tmp_path / "results" / "leaderboard.csv"
    truth = np.concatenate([one.samples.spacegroup for one in samples.sets])[samples.order]
    leaked = (truth[:, None] == np.array(LABELS)).astype(np.float32)
    frame(samples, values=leaked).to_parquet(mine / "predictions.parquet", index=False)
    call("add", "mine")
    table = read_csv(board)
    assert table["raw_top1"].eq(1).all()
    assert (table["top1"] <= table["data_ceiling_top1"] + 1e-3).all()
    found = above_ceiling(table)
    assert set(found["model"]) == {"mine"}
    assert set(found["class_scheme"]) == {"spacegroup"}


def test_tables_without_the_newest_columns_are_taken(call, mine, tmp_path):
    board = tmp_path / "results" / "leaderboard.csv"
    call("add", "mine")
    later = [name for name in COLUMNS if name.startswith("raw_") or name == "source"]
    table = read_csv(board).drop(columns=[*EXACT_COLUMNS, *later])
    table["model"] = "theirs"
    table.to_csv(board, index=False)
    call("add", "mine")
    found = read_csv(board)
    assert len(found) == 8
    assert set(found["source"]) == {"designed"}


def renamed(scores, **changes):
    origin = {name: changes.pop(name) for name in ("model", "predictions_sha256") & changes.keys()}
    return [replace(one, **changes, provenance={**one.provenance, **origin}) for one in scores]


def test_results_on_other_data_stand_beside_and_are_not_replaced(mine, tmp_path):
    board = tmp_path / "leaderboard.csv"
    scores = [one for one in score_submission(mine) if one.test_set == "ulbd-in-mesh"]
    for source in ("amcsd", "materials-project"):
        hashes = {"test_sha256": source, "predictions_sha256": f"of {source}"}
        add_rows(renamed(scores, test_set="cddd", source=source, **hashes), board)
    assert sorted(read_csv(board)["source"]) == ["amcsd"] * 2 + ["materials-project"] * 2
    other = renamed(scores, test_set="cddd", source="amcsd", test_sha256="amcsd")
    with pytest.raises(SgbenchError, match="holds other results of 'mine'"):
        add_rows(other, board)
    add_rows(other, board, replace=True)
    assert len(read_csv(board)) == 4


@pytest.mark.parametrize("name", ["2024", "null"])
def test_a_name_that_looks_like_something_else(mine, tmp_path, name):
    board = tmp_path / "leaderboard.csv"
    scores = renamed(score_submission(mine), model=name)
    for _ in range(2):
        add_rows(scores, board)
        assert set(read_csv(board)["model"]) == {name}
    assert f"| {name} | ulbd-cubic |" in board.with_suffix(".md").read_text()


@pytest.mark.parametrize("scale", ["laptop", "full"])
def test_sizes_are_those_of_the_workflow(scale):
    settings = yaml.safe_load((ROOT / "config" / f"{scale}.yaml").read_text())
    assert PER_SPACEGROUP[scale] == settings["test_patterns_per_spacegroup"]
