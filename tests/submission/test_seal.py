import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from onnx_examples import contract, linear, save
from submission_examples import LABELS, description, frame, probabilities, write

from sgbench.leaderboard import EXACT_COLUMNS, read_csv
from sgbench.sets import OFF_MESH, SEALED, family_set, open_test_set
from sgbench.submission import Track, public_samples, sealed_samples
from sgbench.symmetry import class_labels

SECRET = "correct horse battery staple, 1234567890"
TRACK = Track("ulbd-cubic", "smoke")


@pytest.fixture
def secret(monkeypatch):
    monkeypatch.setenv("SGBENCH_SEAL", SECRET)


@pytest.fixture
def round_(call, secret, tmp_path):
    call("seal", "round.json")
    return tmp_path / "round.json"


def truth_of(samples):
    return np.concatenate([one.samples.spacegroup for one in samples.sets])[samples.order]


def right(samples):
    """Perfect probabilities."""
    return (truth_of(samples)[:, None] == np.array(LABELS)).astype(np.float32)


def drawn(truth):
    """Intensities of each sample as bytes."""
    lines = truth.samples.lines
    return {part.tobytes() for part in np.split(lines.intensity, lines.offsets[1:-1])}


def test_the_commitment_is_the_plain_hash(round_):
    published = json.loads(round_.read_text())
    assert published["commitment"] == hashlib.sha256(SECRET.encode()).hexdigest()
    assert SECRET not in round_.read_text()


def test_a_round_needs_a_secret_that_nobody_guesses(call, monkeypatch, tmp_path):
    for weak in ("", "x" * 31, "x" * 201):
        monkeypatch.setenv("SGBENCH_SEAL", weak)
        assert "openssl rand" in call("seal", "round.json", status=2).stderr
    assert not (tmp_path / "round.json").exists()


def test_a_round_is_not_begun_twice(call, round_, monkeypatch):
    before = round_.read_bytes()
    monkeypatch.setenv("SGBENCH_SEAL", "y" * 40)
    assert "there already" in call("seal", "round.json", status=2).stderr
    assert round_.read_bytes() == before


@pytest.mark.parametrize("command", [["reveal"], ["check", "mine", "--sealed"]])
def test_another_secret_is_refused(call, round_, mine, monkeypatch, command):
    before = round_.read_bytes()
    monkeypatch.setenv("SGBENCH_SEAL", "y" * 40)
    assert "not the one that was committed to" in call(*command, round_, status=2).stderr
    assert round_.read_bytes() == before


def test_a_revealed_secret_is_verified(call, round_, mine, monkeypatch):
    call("reveal", round_)
    monkeypatch.delenv("SGBENCH_SEAL")
    call("patterns", "--scale", "smoke", "--sealed", round_, "-o", "p.h5")
    ended = json.loads(round_.read_text())
    assert ended["revealed"] == SECRET
    round_.write_text(json.dumps({**ended, "revealed": SECRET + "x"}))
    said = call("patterns", "--sealed", round_, "-o", "p.h5", status=2).stderr
    assert "not the one that was committed to" in said


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"format": "other"}', '{"format": "sgbench-seal-1"}', "x" * 5000]
)
def test_what_is_no_round_is_refused(call, tmp_path, content):
    (tmp_path / "round.json").write_text(content)
    assert "not a readable round" in call("reveal", "round.json", status=2).stderr


def test_sealed_samples_are_a_function_of_the_secret():
    one, again = sealed_samples(TRACK, SECRET), sealed_samples(TRACK, SECRET)
    other = sealed_samples(TRACK, SECRET + "x")
    assert one.ids == again.ids
    assert one.sets[0].checksum() == again.sets[0].checksum()
    assert not set(one.ids) & set(other.ids)
    assert one.sets[0].checksum() != other.sets[0].checksum()
    assert not np.array_equal(next(one.patterns(4)), next(other.patterns(4)))


@pytest.mark.parametrize("family", ["cubic", "orthorhombic", "all"])
def test_sealed_samples_are_none_of_the_public_ones(family):
    track = Track(f"ulbd-{family}", "smoke")
    sealed = sealed_samples(track, SECRET)
    (truth,) = sealed.sets
    assert truth.name == SEALED.name == "ulbd-sealed"
    public = open_test_set(OFF_MESH, family_set(family), track.per_spacegroup)
    labels = truth.samples.spacegroup
    assert np.array_equal(labels, public.samples.spacegroup)  # as many of each
    assert not drawn(truth) & drawn(public)
    assert np.bincount(labels)[labels].min() == track.per_spacegroup
    assert not set(sealed.ids) & set(public_samples(track).ids)


def test_models_run_on_sealed_patterns(call, round_, tmp_path):
    folder = tmp_path / "submissions" / "mine"
    write(folder, description(onnx=contract()))
    save(folder, linear())
    call("add", "mine")
    call("add", "mine", "--sealed", round_)
    table = read_csv(tmp_path / "results" / "leaderboard.csv")
    status = dict(zip(table["test_set"], table["status"], strict=True))
    assert status == {
        "ulbd-in-mesh": "self-reported",
        "ulbd-off-mesh": "self-reported",
        "ulbd-sealed": "self-reported",
    }
    # A sealed set has the ceilings of the public one with its kind of cells.
    ceilings = table.set_index(["test_set", "class_scheme"])[list(EXACT_COLUMNS)]
    assert ceilings.notna().all(axis=None)
    assert ceilings.loc["ulbd-sealed"].equals(ceilings.loc["ulbd-off-mesh"])
    assert ceilings.loc[("ulbd-sealed", "spacegroup"), "data_ceiling_top1"] == 0.4722
    call("score", "mine", "--sealed", round_, "-o", "s")
    text = (tmp_path / "s" / "ulbd-sealed.spacegroup.json").read_text()
    assert json.loads(text)["provenance"]["seal"] == json.loads(round_.read_text())["commitment"]
    assert SECRET not in text


def test_predictions_are_exported_and_scored_when_they_come_back(call, round_, mine, samples):
    said = call("score", "mine", "--sealed", round_, "-o", "s", status=2).stderr
    assert "there is no sealed-predictions.parquet" in said
    sealed = sealed_samples(TRACK, SECRET)
    frame(samples, values=right(samples)).to_parquet(mine / "predictions.parquet", index=False)
    frame(sealed, values=right(sealed)).to_parquet(mine / "sealed-predictions.parquet", index=False)
    done = call("score", "mine", "--sealed", round_, "-o", "s")
    assert "ulbd-sealed" in done.stdout
    assert "self-reported" in done.stdout
    assert "warning" not in done.stderr


def test_public_predictions_do_not_pass_for_sealed_ones(call, round_, mine, samples):
    frame(samples).to_parquet(mine / "sealed-predictions.parquet", index=False)
    said = call("score", "mine", "--sealed", round_, "-o", "s", status=2).stderr
    assert "none of its 144 ids" in said


def test_a_gap_is_flagged(call, round_, mine, samples, tmp_path):
    """What knows the public labels by heart is found out, what is merely as good is not."""
    sealed = sealed_samples(TRACK, SECRET)
    frame(samples, values=right(samples)).to_parquet(mine / "predictions.parquet", index=False)
    guessed = probabilities(sealed, LABELS)
    frame(sealed, values=guessed).to_parquet(mine / "sealed-predictions.parquet", index=False)
    done = call("score", "mine", "--sealed", round_, "-o", "s")
    assert "warning: by spacegroup: 100.0 % on public" in done.stderr
    score = json.loads((tmp_path / "s" / "ulbd-sealed.spacegroup.json").read_text())
    assert score["provenance"]["public_gap"] > 0.9


def test_labels_inside_a_class_that_were_learned_by_heart_are_a_gap(call, round_, mine, samples):
    """As good at classes in secret as in public: only the plain hits tell."""
    sealed = sealed_samples(TRACK, SECRET)
    classes = class_labels(LABELS)
    same = classes[truth_of(sealed) - 195][:, None] == classes
    oracle = (same / same.sum(axis=1, keepdims=True)).astype(np.float32)
    frame(samples, values=right(samples)).to_parquet(mine / "predictions.parquet", index=False)
    frame(sealed, values=oracle).to_parquet(mine / "sealed-predictions.parquet", index=False)
    said = call("score", "mine", "--sealed", round_, "-o", "s").stderr
    assert "warning: by spacegroup: 100.0 % on public and 47.2 % on sealed" in said
    assert "by extinction" not in said


def test_sealed_patterns_come_without_labels(call, round_, tmp_path):
    import h5py

    call("patterns", "--scale", "smoke", "--sealed", round_, "-o", "p.h5")
    with h5py.File(tmp_path / "p.h5") as file:
        assert set(file) == {"patterns", "sample_id", "two_theta"}
        ids = pd.Series(file["sample_id"].asstr()[:])
        assert file.attrs["seal"] == json.loads(round_.read_text())["commitment"]
        assert SECRET not in str(dict(file.attrs))
    assert ids.str.fullmatch("[0-9a-f]{20}").all()
    assert len(ids) == 72
