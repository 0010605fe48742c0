"""All submissions at once: every score is made from what lies there, whatever else lies there."""

import csv
import json

from onnx_examples import contract, linear, save
from submission_examples import description, frame, write

from sgbench.evaluation import read_score
from sgbench.leaderboard import build_table
from sgbench.submission import LEFT_OUT, score_all, submission_folders


def left_out(folder):
    with open(folder / LEFT_OUT, newline="") as handle:
        return {row["submission"]: row["reason"] for row in csv.DictReader(handle)}


def rows(folder):
    return build_table([read_score(path) for path in sorted(folder.rglob("*.json"))])


def test_scores_that_lie_there_are_never_read(call, mine, samples, tmp_path):
    """What passed before: a row 'verified, 100 %' of any name, from a file in a submission."""
    call("score-all", "--scale", "smoke", "-o", "honest")
    honest = rows(tmp_path / "honest")
    forged = json.loads((tmp_path / "honest/mine/ulbd-in-mesh.spacegroup.json").read_text())
    forged["provenance"] |= {"model": "fcn-wang2024.sqrt-no-dropout", "status": "verified"}
    forged["top"] = [1.0] * 5
    (mine / "scores").mkdir()
    (mine / "scores" / "ulbd-in-mesh.spacegroup.json").write_text(json.dumps(forged))
    (tmp_path / "submissions" / "scores").mkdir()
    (tmp_path / "submissions" / "scores" / "a.json").write_text(json.dumps(forged))
    write(tmp_path / "submissions" / "other", description(name="other"), frame(samples))
    call("score-all", "--scale", "smoke", "-o", "all")
    table = rows(tmp_path / "all")
    assert set(table["model"]) == {"other"}
    assert set(table["status"]) == {"self-reported"}
    assert table["top1"].tolist() == honest["top1"].tolist()
    assert set(left_out(tmp_path / "all")) == {"mine", "scores"}


def test_names_and_damage_stop_nothing(call, mine, samples, tmp_path):
    home = tmp_path / "submissions"
    (home / "$(touch PWNED)").mkdir()
    (home / "a;touch PWNED").mkdir()
    (home / "=cmd|x").mkdir()
    (home / "linked").symlink_to(mine)
    (home / "README.md").write_text("text")
    for name, damage in (("damaged", b"PAR1"), ("empty", b""), ("noise", bytes(range(256)) * 9)):
        write(home / name, description(name=name))
        (home / name / "predictions.parquet").write_bytes(damage)
    (home / "undescribed").mkdir()
    write(home / "elsewhere", description(name="elsewhere", scale="laptop"))
    said = call("score-all", "--scale", "smoke", "-o", "all")
    found = left_out(tmp_path / "all")
    assert set(found) == {
        "$(touch PWNED)", "a;touch PWNED", "'=cmd|x", "linked", "damaged", "empty", "noise",
        "undescribed",
    }  # fmt: skip
    assert "1 submissions, 8 left out" in said.stdout
    assert "left out: damaged: damaged: 1 problem" in said.stderr
    assert "Traceback" not in said.stderr
    assert [path.name for path in (tmp_path / "all").iterdir() if path.is_dir()] == ["mine"]
    assert [path.name for path in submission_folders(home)] == [
        "damaged", "elsewhere", "empty", "linked", "mine", "noise", "undescribed",
    ]  # fmt: skip
    assert not list(tmp_path.rglob("PWNED"))


def test_what_was_there_before_is_gone(call, mine, tmp_path):
    old = tmp_path / "all" / "gone"
    old.mkdir(parents=True)
    (old / "ulbd-in-mesh.spacegroup.json").write_text("{}")
    call("score-all", "--scale", "smoke", "-o", "all")
    assert not old.exists()


def test_no_submissions_are_no_fault(tmp_path):
    assert score_all(tmp_path / "all", "smoke", tmp_path / "nowhere") == {}
    assert left_out(tmp_path / "all") == {}


def test_sealed_rounds_are_scored_where_their_secret_is_known(
    call, mine, samples, tmp_path, monkeypatch
):
    monkeypatch.setenv("SGBENCH_SEAL", "x" * 40)
    call("seal", "first.json")
    folder = tmp_path / "submissions" / "model"
    write(folder, description(name="model", onnx=contract()))
    save(folder, linear())
    call("score-all", "--scale", "smoke", "--sealed", "first.json", "-o", "all")
    assert (tmp_path / "all/model/first/ulbd-sealed.spacegroup.json").exists()
    assert not (tmp_path / "all/mine/first").exists()
    monkeypatch.delenv("SGBENCH_SEAL")
    call("score-all", "--scale", "smoke", "--sealed", "first.json", "-o", "all")
    assert "SGBENCH_SEAL" in left_out(tmp_path / "all")["model, first"]
    assert (tmp_path / "all/model/ulbd-in-mesh.spacegroup.json").exists()


def test_two_runs_write_the_same_bytes(call, mine, tmp_path):
    for name in ("one", "other"):
        call("score-all", "--scale", "smoke", "-o", name)
    one, other = (
        {path.name: path.read_bytes() for path in sorted((tmp_path / name).rglob("*.*"))}
        for name in ("one", "other")
    )
    assert one == other
