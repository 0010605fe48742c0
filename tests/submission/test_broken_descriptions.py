"""Broken folders and descriptions: each refused in its own words, and nothing changes."""

import os
import pickle
import socket
from pathlib import Path

import pytest
import yaml
from submission_examples import description, frame, write

from sgbench.submission import _scoring

HASH = description()["track_sha256"]


class Planted:
    """A pickle that leaves a file where it is loaded."""

    def __reduce__(self):
        return (Path("loaded-the-pickle").touch, ())


PICKLE = pickle.dumps(Planted())


def values(**changes):
    return lambda folder: write(folder, description(**changes))


def text(content):
    raw = content if isinstance(content, bytes) else content.encode()
    return lambda folder: (folder / "submission.yaml").write_bytes(raw)


def added(content):
    return lambda folder: text(yaml.safe_dump(description()) + content)(folder)


def beside(name, content=b"some content"):
    return lambda folder: (folder / name).write_bytes(content)


def bomb(levels):
    lines = ['a: &a ["x", "x", "x", "x", "x", "x", "x", "x", "x"]']
    for i in range(1, levels):
        here, before = chr(97 + i), chr(96 + i)
        lines.append(f"{here}: &{here} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(lines)


def link(name, target):
    def mutate(folder):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)

    return mutate


def pipe(folder):
    (folder / "predictions.parquet").unlink()
    os.mkfifo(folder / "predictions.parquet")


def unix_socket(folder):
    (folder / "README.md").unlink(missing_ok=True)
    here = os.getcwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("README.md")
    finally:
        os.chdir(here)


def folder_in_place(name):
    def mutate(folder):
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir()

    return mutate


def many(folder):
    for number in range(60):
        (folder / f"{number}.txt").write_text("x")


def without(name):
    return lambda folder: (folder / name).unlink()


REQUIRED = (
    "name", "version", "track", "scale", "class_scheme", "authors", "contact", "licence", "paper",
    "code", "training_data", "parameters", "hardware", "seeds",
)  # fmt: skip

# kind, what to do to a good folder, what is said
CASES = [
    *(("missing key", values(**{key: "absent"}), f"key '{key}' is missing") for key in REQUIRED),
    ("missing key", values(authors=[{"affiliation": "x"}]), "key 'name' is missing"),
    ("missing key", values(training_data={"name": "x1"}), "key 'patterns' is missing"),
    ("missing checksum", values(track_sha256="absent"), "track_sha256: it is missing"),
    *(
        ("unknown key", values(**{key: 1}), f"key '{key}' is unknown")
        for key in ("license", "Name", "classscheme", "exec", "__class__", "autors")
    ),
    ("unknown key", values(authors=[{"name": "A", "email": "x"}]), "key 'email' is unknown"),
    ("unknown key", values(onnx={"library": "evil.so"}), "key 'library' is unknown"),
    ("unknown key", added("1: x\n"), "'1' is unknown"),
    *(
        ("empty value", values(**{key: ""}), f"{key}: nothing is there")
        for key in ("contact", "licence", "hardware", "name", "version", "code")
    ),
    ("empty value", values(authors=[]), "authors"),
    ("empty value", values(seeds=[]), "seeds"),
    *(
        ("wrong type", values(**{key: value}), f"{key}: found")
        for key, value in (
            ("version", 1.0), ("name", 17), ("authors", "Ada"), ("parameters", "many"),
            ("parameters", 1.5), ("parameters", [1]), ("seeds", 0), ("hardware", ["a"]),
            ("training_data", "ulbd-cubic"), ("contact", None), ("licence", True),
        )
    ),
    ("wrong type", values(seeds=["a"]), "seeds.0: found"),
    ("wrong type", values(authors=["Ada"]), "authors.0: found"),
    ("not a number", values(parameters=float("nan")), "parameters: found"),
    ("not a number", values(parameters=float("inf")), "parameters: found"),
    ("negative number", values(parameters=-1), "parameters"),
    ("negative number", values(seeds=[-1]), "seeds.0"),
    ("negative number", values(training_data={"name": "x1", "patterns": -5}), "patterns"),
    (
        "training without data",
        values(training_data={"name": "none", "patterns": 5}),
        "it is 'none', with 5 patterns",
    ),
    ("doubled seed", values(seeds=[1, 1]), "seeds"),
    ("huge integer", added("x: 9223372036854775808\n"), "larger than 64 bits"),
    ("huge integer", added("x: " + "9" * 5000 + "\n"), "larger than 64 bits"),
    ("huge integer", added("x: 0x" + "f" * 40000 + "\n"), "larger than 64 bits"),
    ("huge integer", added("x: -1" + "0" * 30 + "\n"), "larger than 64 bits"),
    *(("yaml bomb", text(bomb(levels)), "anchor") for levels in (2, 5, 9)),
    ("yaml bomb", text("a: &a [*a]"), "anchor"),
    ("yaml bomb", added("x: &x 1\n"), "anchor"),
    *(("deep yaml", text(f"{'[' * n}{']' * n}"), "nested deeper") for n in (13, 500, 20000)),
    ("deep yaml", text("a: " + "{a: " * 5000), "nested deeper"),
    *(
        ("yaml code", added(f"x: {tag}\n"), "it uses a tag")
        for tag in (
            "!!python/object/apply:os.system ['touch loaded-the-pickle']",
            "!!python/name:os.system", "!!python/module:os", "!mine 1",
            "!!python/object/new:os.system [x]", "!!timestamp x", "!!float x", "!!set {a}",
        )
    ),
    *(
        ("doubled key", added(f"{key}: x\n"), f"key '{key}' is there twice")
        for key in ("name", "version", "track")
    ),
    ("doubled key", text("a: {b: 1, b: 2}"), "key 'b' is there twice"),
    ("odd key", text("? [a, b]\n: 1"), "not a plain word"),
    ("odd key", text("? {a: b}\n: 1"), "not a plain word"),
    *(
        ("not yaml", text(content), "cannot be read")
        for content in ("a: [", "a: 'b", "\tname: x", "a: b: c", "%YAML 9", "@", "a\n--- b", "}")
    ),
    *(
        ("not text", text(content), "cannot be read")
        for content in (b"\xff\xfe\x00", b"name: \xe9", b"\x00" * 100, PICKLE, os.urandom(4000))
    ),
    *(("not keys", text(content), "not a list of keys") for content in ("[]", "a", "1", "null")),
    ("empty file", text(""), "the file is empty"),
    ("empty file", beside("predictions.parquet", b""), "the file is empty"),
    ("empty file", beside("LICENSE", b""), "the file is empty"),
    ("too large", text("#" * 70000), "70000 bytes"),
    ("too large", added("#" * 2**20), "at most 65536"),
    ("too large", beside("README.md", b"x" * (2**20 + 1)), "1048577 bytes"),
    *(
        ("bad name", values(name=name), "name")
        for name in (
            "..", ".", "../other", "a/b", "-rf", "A", "Mine", "x", "x" * 65, "mine ", "a\\b",
            "$(touch x)", "a\nb", "con:", "%2e%2e",
        )
    ),
    *(
        ("unicode name", values(name=name), "name")
        for name in (
            "müne", "mіne", "ｍｉｎｅ", "mine\u202e", "mine\u200b", "mi\u0301ne", "矿物", "🙂",
        )
    ),
    *(
        ("hidden text", values(hardware=words), "invisible character")
        for words in ("2 cores\u202e", "a\u200bb", "a\x07b", "a\x1b[31mb", "a\ue000", "\ufeffa")
    ),
    ("hidden text", values(authors=[{"name": "Ada\u2066"}]), "invisible character U+2066"),
    ("accents apart", values(authors=[{"name": "Rene\u0301"}]), "NFC"),
    ("accents apart", values(hardware="u\u0308"), "NFC"),
    ("name of another folder", values(name="other"), "in a folder named 'mine'"),
    *(
        ("wrong track", values(track=track), "unknown track")
        for track in ("cubic", "ulbd-", "ulbd-cubic ", "ulbd-square", "cddd-cubic", "../ulbd-cubic")
    ),
    *(
        ("wrong scale", values(scale=scale), "scale")
        for scale in ("huge", "Laptop", 200, None)
    ),
    *(
        ("wrong class scheme", values(class_scheme=scheme), "class_scheme")
        for scheme in ("class", "SPACEGROUP", None, 230)
    ),
    *(
        ("wrong checksum", values(track_sha256=told), "that of other patterns")
        for told in ("0" * 64, HASH[::-1], HASH[1:] + "0")
    ),
    *(
        ("no checksum", values(track_sha256=told), "track_sha256")
        for told in ("", HASH[:-1], HASH.upper(), "z" * 64, 0)
    ),
    ("wrong checksum", values(scale="laptop"), "that of other patterns"),
    ("wrong checksum", values(track="ulbd-tetragonal"), "that of other patterns"),
    *(
        ("bad contact", values(contact=words), "contact")
        for words in ("nobody", "a b@c d", "ftp://x", "javascript:alert(1)")
    ),
    ("bad licence", values(licence="<script>"), "licence"),
    ("bad orcid", values(authors=[{"name": "A", "orcid": "1234"}]), "orcid"),
    *(
        ("pickle", beside(name, PICKLE), "is never loaded")
        for name in ("model.pkl", "model.pt", "weights.pth", "forest.joblib", "p.npy", "M.PICKLE")
    ),
    *(
        ("archive", beside(name, b"PK\x03\x04"), "never unpacked")
        for name in ("all.zip", "all.tar.gz", "m.7z")
    ),
    *(
        ("stray file", beside(name), "nothing reads this file")
        for name in (".hidden", "run.sh", "submission.yml", "predictions.csv", "sitecustomize.py")
    ),
    ("unicode name", beside("ｓubmission.yaml"), "only looks right"),
    ("strange name", beside("a\nb\x1b[31m"), "nothing reads this file"),
    ("strange name", beside("x" * 250), "nothing reads this file"),
    ("stray folder", lambda folder: (folder / "code").mkdir(), "it is a folder"),
    ("stray folder", lambda folder: (folder / "..data").mkdir(), "it is a folder"),
    ("folder for a file", folder_in_place("submission.yaml"), "not a regular file"),
    ("folder for a file", folder_in_place("predictions.parquet"), "not a regular file"),
    ("symlink out", link("predictions.parquet", "/etc/passwd"), "symbolic link"),
    ("symlink out", link("submission.yaml", "/etc/passwd"), "symbolic link"),
    ("symlink out", link("README.md", "../../secret"), "symbolic link"),
    ("symlink out", link("scores", "/tmp"), "symbolic link"),
    ("symlink out", link("LICENSE", "LICENSE"), "symbolic link"),
    ("symlink out", link("model.onnx", "/dev/zero"), "symbolic link"),
    ("pipe", pipe, "not a regular file"),
    ("socket", unix_socket, "not a regular file"),
    ("too many files", many, "more than 50 files"),
    ("nothing to score", without("predictions.parquet"), "nothing to score"),
    ("no description", without("submission.yaml"), "there is no submission.yaml"),
    ("both", beside("model.onnx"), "there are model.onnx and predictions.parquet"),
    ("both", values(onnx={"input": "x"}), "onnx"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("mutate", "words"), [pytest.param(m, w, id=f"{i}-{k}") for i, (k, m, w) in enumerate(CASES)]
)
def test_is_refused(mine, refused, tmp_path, monkeypatch, mutate, words):
    # What is wrong lies elsewhere, so the process that reads predictions need not be waited for.
    monkeypatch.setattr(_scoring, "read_prediction_file", lambda *_: (None, False, []))
    mutate(mine)
    said = refused(mine)
    assert any(words in line for line in said), said
    assert len(set(said)) == len(said)
    assert not list(tmp_path.rglob("loaded-the-pickle"))


@pytest.mark.parametrize("name", ["ulbd-in-mesh.spacegroup.json", "$(touch PWNED).json"])
def test_scores_of_its_own_are_refused(call, mine, name):
    (mine / "scores").mkdir()
    (mine / "scores" / name).write_text("{}")
    said = call("check", "mine", status=2).stderr
    assert "mine/scores: it is a folder; scores are made again" in said


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "mine\n"), ("version", "1.0\n"), ("licence", "MIT\n"), ("hardware", "2 cores\n"),
        ("contact", "ada@example.org\n"), ("track_sha256", HASH + "\n"),
        ("training_data", {"name": "ulbd-cubic\n", "patterns": 1}),
        ("authors", [{"name": "A", "orcid": "0000-0002-1825-0097\n"}]),
        ("hardware", "=cmd|' /C calc'!A0"), ("hardware", "+1"), ("hardware", "@SUM(1)"),
        ("hardware", "<script>alert(1)</script>"), ("hardware", "a | b"), ("hardware", "# top"),
        ("licence", "-MIT"), ("licence", "+MIT"),
    ],
)  # fmt: skip
def test_text_that_is_more_than_text(refused, mine, key, value):
    write(mine, description(**{key: value}))
    assert all(key in said for said in refused(mine))


@pytest.mark.parametrize(
    "name",
    [
        "decoder-pawley", "fcn-wang2024.mine", "fcn-wang2o24", "fcn_wang2024", "control-orac1e",
        "gradient.boosting", "timm-resnet18", "fcn-wang2024.sqrt-fresh",
    ],
)  # fmt: skip
def test_names_of_our_own_models_are_reserved(call, tmp_path, samples, name):
    write(tmp_path / "submissions" / name, description(name=name), frame(samples))
    said = call("check", name, status=2).stderr
    assert "is, or reads like, the name of a model of sgbench" in said


@pytest.mark.parametrize("name", ["nothing-here", "../..", "."])
def test_no_submission_there(call, tmp_path, name):
    assert "; expected " in call("check", name, status=2).stderr


def test_a_linked_folder_is_refused(call, mine):
    (mine.parent / "linked").symlink_to(mine)
    assert "symbolic link" in call("check", "linked", status=2).stderr


def test_all_problems_are_found_in_one_go(mine, refused):
    write(mine, description(contact="nobody", parameters=-1, extra=1, licence="absent"))
    (mine / "model.pkl").write_bytes(PICKLE)
    (mine / "predictions.parquet").write_bytes(b"PAR1 but not quite")
    said = "\n".join(refused(mine))
    for words in (
        "contact: found 'nobody'", "parameters", "key 'extra' is unknown",
        "key 'licence' is missing", "model.pkl", "predictions.parquet: it cannot be read",
    ):  # fmt: skip
        assert words in said
    assert len(said.splitlines()) == 6
