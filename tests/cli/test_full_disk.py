"""A full disk, a folder that is read only, too little memory: one sentence, and nothing lost."""

import errno
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from example_crystals import crystal_file, crystal_set
from example_results import MODEL, history, made_up_scores

from sgbench.cli import _app
from sgbench.errors import SgbenchError
from sgbench.evaluation import write_score
from sgbench.files import write_atomically
from sgbench.leaderboard import build_table, write_csv
from sgbench.structures import _random


@pytest.fixture
def full():
    """Let no file grow beyond some bytes, as a full disk or a quota does."""
    former, most = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(wanted=200):
        resource.setrlimit(resource.RLIMIT_FSIZE, (wanted, most))

    yield limit
    limit(former)


@pytest.fixture
def inputs(call, tmp_path, monkeypatch):
    """What the commands below read, in a folder as the workflow lays it out."""
    folder = Path("in")
    scores = made_up_scores("ulbd-cubic", "ulbd-in-mesh", "cubic", 0.9)
    for one in scores:
        place = folder / "scores" / "ulbd-cubic" / MODEL / "seed0"
        write_score(place / f"{one.test_set}.{one.class_scheme}.json", one)
    write_csv(folder / "leaderboard.csv", build_table(scores))
    place = folder / "models" / "ulbd-cubic" / MODEL / "seed0"
    place.mkdir(parents=True)
    history(0.5).to_csv(place / "history.csv", index=False)
    crystal_file(folder, crystal_set())

    def answers(module, requests, workers, time_limit):
        for request in requests:
            name = f"A{request['draw']}B{request['spacegroup']}"
            yield {"composition": name, "cell": [5.0] * 3 + [90.0] * 3, "sites": [["Po", [0] * 3]]}

    monkeypatch.setattr(_random, "answers_in_order", answers)


def predict(model):
    return (
        "predict", model, "--family", "cubic", "--test-set", "ulbd-in-mesh", "--per-spacegroup", 1,
        "--scale", "smoke",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "output", "file"),
    [
        (("dataset", "generate", "--spacegroup", 75, "--per-spacegroup", 2), "g.parquet", ""),
        (("dataset", "build", "ulbd-cubic", "--per-spacegroup", 1), "d.parquet", ""),
        (("dataset", "export", "ulbd-cubic", "--per-spacegroup", 1), "patterns.h5", ""),
        (("dataset", "portrait", "in/cddd.parquet"), "portrait", "cells.svg"),
        (("dataset", "describe", "in/cddd.parquet", "--format", "md"), "card.md", ""),
        (predict("control-oracle"), "predictions", "ulbd-in-mesh.parquet"),
        (("evaluate", "p/ulbd-in-mesh.parquet"), "scores", "ulbd-in-mesh.extinction.json"),
        (("leaderboard", "in/scores", "--by-class", "by-class.csv"), "leaderboard.csv", ""),
        (("figures", "--scale-folder", "in"), "figures", "fig9-top-k.svg"),
        (("report", "--scale-folder", "in"), "report", "index.html"),
        (("site", "--table", "in/leaderboard.csv"), "site", "index.html"),
    ],
    ids=lambda value: value if isinstance(value, str) and value else "-",
)
def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(
    call, inputs, tmp_path, full, command, output, file
):
    if command[0] == "evaluate":
        call(*predict("control-oracle"), "-o", "p")
    with write_atomically(tmp_path / output / file) as temporary:
        temporary.write_text("former")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    full()
    done = call(*command, "-o", output, status=2)
    said = done.stderr.replace("\r", "\n").splitlines()
    assert [line for line in said if line.startswith("error: ")] == [said[-1]], done.stderr
    assert "File too large" in said[-1]
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    # What is done of a build is kept beside its file.
    assert {path: after[path] for path in after if path.parent.suffix != ".parts"} == before


def test_a_build_on_a_full_disk(call, tmp_path, full):
    full()
    done = call("dataset", "build", "cddd", "--limit", 1, "-o", "cddd.parquet", status=2)
    assert "error: writing " in done.stderr.replace("\r", "\n").splitlines()[-1]
    assert not list(tmp_path.rglob("*.parquet"))


def test_an_output_that_takes_nothing():
    with open("/dev/full", "wb", buffering=0) as output:
        done = subprocess.run(
            [sys.executable, "-c", "from sgbench.cli import main; main()", "classes", "cubic"],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: the output cannot be used (No space left on device)")
    assert done.stderr.count("\n") == 1


def raised_from(error, reason):
    try:
        raise error from reason
    except type(error) as caught:
        return caught


MEMORY = "memory ran out; expected more"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x"), r"x cannot be used \(No space"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "x"), r"x cannot be used \(Read-only"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), r"x cannot be used \(Permiss"),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE), "x"), r"x cannot be used \(Too many"),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), MEMORY),
        (MemoryError(), MEMORY),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), MEMORY),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), MEMORY),
        (RuntimeError("can't start new thread"), MEMORY),
        (ImportError("x.so: failed to map segment from shared object"), MEMORY),
        (raised_from(SgbenchError("m.pt is damaged"), MemoryError()), MEMORY),
        (raised_from(OSError("no libllvmlite.so"), OSError("failed to map segment")), MEMORY),
        (SgbenchError("mend this"), "mend this"),
    ],
)
def test_what_ails_the_machine_is_one_sentence(call, monkeypatch, error, sentence):
    def fails():
        raise error

    monkeypatch.setattr(_app, "app", fails)
    said = call(status=2).stderr
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert re.search(sentence, said)


@pytest.mark.parametrize("error", [KeyError("x"), FileNotFoundError(2, "No such file", "x")])
def test_what_is_our_mistake_keeps_its_traceback(call, monkeypatch, error):
    def fails():
        raise error

    monkeypatch.setattr(_app, "app", fails)
    with pytest.raises(type(error)):
        call()
