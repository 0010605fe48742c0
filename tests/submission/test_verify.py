"""The maintainers' word: who says it, of what, and what does not get it."""

import json
import shutil
import socket
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
from onnx import helper, numpy_helper
from onnx_examples import contract, linear, model, save
from submission_examples import LABELS, description, write

from sgbench.cli import main
from sgbench.errors import SgbenchError
from sgbench.leaderboard import (
    Verification,
    build_table,
    read_csv,
    read_verified,
    record_verified,
    unfounded,
)
from sgbench.submission import Track, public_samples, score_submission, walls
from sgbench.submission._sandbox import Limits

WALLED = (
    shutil.which("bwrap") is not None
    and not subprocess.run(
        ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, check=False
    ).returncode
)
needs_walls = pytest.mark.skipif(not WALLED, reason="bubblewrap cannot make namespaces here")

ONE = Verification(
    "mine", "1.0", "a" * 64, "ulbd-sealed", "spacegroup", "b" * 64, "c" * 64, 0.5, 0.01, "d" * 64,
    "Ada Lovelace", "2026-11-27", "0.2.0",
)  # fmt: skip


@pytest.fixture
def honest(tmp_path):
    folder = tmp_path / "submissions" / "mine"
    write(folder, description(onnx=contract()))
    save(folder, linear())
    return folder


@pytest.fixture
def round_(call, tmp_path, monkeypatch):
    monkeypatch.setenv("SGBENCH_SEAL", "correct horse battery staple, 1234567890")
    call("seal", "round.json")
    return tmp_path / "round.json"


def run(*arguments):
    """Exit status of `sgbench`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["sgbench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    return ended.value.code or 0


def verify(*arguments):
    return run("verify", *arguments)


def by_heart(samples):
    """A model that knows the patterns of some samples: the nearest one's label."""
    (patterns,) = samples.patterns(len(samples))
    truth = np.concatenate([one.samples.spacegroup for one in samples.sets])[samples.order]
    known = patterns / np.linalg.norm(patterns, axis=1, keepdims=True)
    labels = (truth[:, None] == np.array(LABELS)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["pattern", "known"], ["alike"]),
        helper.make_node("Mul", ["alike", "sharp"], ["sharpened"]),
        helper.make_node("Softmax", ["sharpened"], ["nearest"], axis=1),
        helper.make_node("MatMul", ["nearest", "labels"], ["out"]),
    ]
    weights = [
        numpy_helper.from_array(np.ascontiguousarray(known.T), "known"),
        numpy_helper.from_array(np.array(50.0, dtype=np.float32), "sharp"),
        numpy_helper.from_array(labels, "labels"),
    ]
    return model(nodes, weights)


@needs_walls
def test_a_model_is_verified_on_sealed_patterns(call, honest, round_, tmp_path, capsys):
    call("add", "mine")
    board = tmp_path / "results" / "leaderboard.csv"
    assert set(read_csv(board)["status"]) == {"self-reported"}
    assert verify("mine", "--sealed", round_, "--by", "Ada Lovelace") == 0
    assert "4 rows are verified" in capsys.readouterr().out
    found = read_verified(tmp_path / "results" / "verified.json")
    assert {(one.test_set, one.class_scheme) for one in found} == {
        (name, scheme)
        for name in ("ulbd-sealed", "ulbd-off-mesh")
        for scheme in ("spacegroup", "extinction")
    }
    assert {one.verified_by for one in found} == {"Ada Lovelace"}
    call("add", "mine")
    call("add", "mine", "--sealed", round_)
    table = read_csv(board)
    assert dict(zip(table["test_set"], table["status"], strict=True)) == {
        "ulbd-in-mesh": "self-reported", "ulbd-off-mesh": "verified", "ulbd-sealed": "verified",
    }  # fmt: skip
    assert unfounded(table, found).empty
    # Another model under the same name is not the one that was verified.
    save(honest, linear(softmax=False))
    write(honest, description(onnx=contract(gives="logits")))
    call("add", "mine", "--replace")
    rows = read_csv(board).set_index("test_set")["status"]
    assert set(rows["ulbd-off-mesh"]) == {"self-reported"}


@needs_walls
def test_what_knows_public_labels_by_heart_is_not_verified(honest, round_, tmp_path, capsys):
    save(honest, by_heart(public_samples(Track("ulbd-cubic", "smoke"))))
    assert verify("mine", "--sealed", round_, "--by", "Ada") == 1
    assert "not verified: by spacegroup: 100.0 % on public" in capsys.readouterr().err
    assert not (tmp_path / "results" / "verified.json").exists()


def test_predictions_alone_are_never_verified(mine, round_, tmp_path, capsys):
    assert verify("mine", "--sealed", round_, "--by", "Ada") == 2
    assert "whose labels anybody can make again" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("by", ["", "  ", "Ada\nverified"])
def test_somebody_must_answer_for_it(honest, round_, by):
    assert verify("mine", "--sealed", round_, "--by", by) == 2


def test_without_walls_there_is_no_verification(honest, round_, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert verify("mine", "--sealed", round_, "--by", "Ada") == 2
    assert "Install it from your distribution's packages" in capsys.readouterr().err


def test_a_score_cannot_call_itself_verified(mine):
    scores = score_submission(mine)
    claimed = [replace(one, provenance={**one.provenance, "status": "verified"}) for one in scores]
    assert set(build_table(claimed)["status"]) == {"self-reported"}
    assert set(build_table(claimed, [ONE])["status"]) == {"self-reported"}


def test_check_finds_rows_that_nobody_verified(call, mine, tmp_path, capsys):
    call("add", "mine")
    board = tmp_path / "results" / "leaderboard.csv"
    board.write_text(board.read_text().replace("self-reported", "verified"))
    assert run("check", board) == 1
    said = capsys.readouterr().err
    assert said.count("not verified: mine trained on ulbd-cubic") == 4
    row = read_csv(board).iloc[0]
    known = replace(
        ONE, test_set=row.test_set, class_scheme=row.class_scheme, test_sha256=row.test_sha256,
        top1=row.top1,
    )  # fmt: skip
    assert len(unfounded(read_csv(board), [known])) == 3
    assert len(unfounded(read_csv(board), [replace(known, top1=row.top1 + 0.01)])) == 4


def test_the_file_keeps_one_word_a_row(tmp_path):
    path = tmp_path / "results" / "verified.json"
    record_verified([ONE, replace(ONE, test_set="ulbd-off-mesh")], path)
    record_verified([replace(ONE, verified_by="Another")], path)
    found = read_verified(path)
    assert [one.verified_by for one in found] == ["Ada Lovelace", "Another"]
    assert read_verified(tmp_path / "none.json") == ()


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}",
     '{"format": "sgbench-verified-1", "rows": [{}]}', '{"format": "x", "rows": []}',
     json.dumps({"format": "sgbench-verified-1", "rows": [{**asdict(ONE), "top1": "high"}]}),
     json.dumps({"format": "sgbench-verified-1", "rows": [{**asdict(ONE), "more": 1}]}), "\0"],
)  # fmt: skip
def test_a_damaged_file_ends_in_a_sentence(tmp_path, content):
    path = tmp_path / "verified.json"
    path.write_text(content)
    with pytest.raises(SgbenchError, match="expected what `sgbench verify` writes"):
        read_verified(path)


PROBE = """
import os, socket, sys
def fails(do):
    try: do()
    except OSError: return True
    return False
print(fails(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)))
print(fails(lambda: open(sys.argv[2])), fails(lambda: open("/etc/passwd")), os.path.exists("/home"))
print([fails(lambda: open(os.path.join(at, "x"), "w")) for at in ("/", "/usr", sys.prefix, "/tmp")])
print(open(sys.argv[3]).read(), sum(name.isdigit() for name in os.listdir("/proc")) < 5)
import onnxruntime, pyarrow, sgbench
"""


@needs_walls
def test_behind_walls_there_is_nothing_to_reach(tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "model").write_text("model")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        done = subprocess.run(
            [*walls([tmp_path / "model"]), sys.executable, "-P", "-c", PROBE, str(port),
             str(tmp_path / "secret"), str(tmp_path / "model")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "True", "True True False", "[True, True, True, False]", "model True",
    ]  # fmt: skip


@needs_walls
def test_limits_hold_behind_walls(honest):
    walled = Limits(seconds=600, memory=4, walled=True)
    free = score_submission(honest)
    assert score_submission(honest, limits=walled)[0].raw == free[0].raw
    with pytest.raises(SgbenchError, match="it did not finish in"):
        score_submission(honest, limits=replace(walled, seconds=0.01))
