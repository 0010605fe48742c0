"""Files that are missing or cannot be read, named to every command that reads one."""

import os

import pytest

from sgbench.cli import _wrapped

# Where the path stands in a command; what a file of the name would be.
COMMANDS = [
    "dataset describe {}.parquet",
    "dataset export {}.parquet -o o.h5",
    "dataset build cddd -o o.parquet --source table --from {}",
    "dataset build cddd -o o.parquet --from {}",
    "dataset build gcdd -o o.parquet --from {}",
    "dataset portrait {} -o o",
    "dataset verify {}.parquet ab",
    "pattern read {}",
    "pattern convert {} o.xy",
    "predict ./{} -o p --test-set ulbd-in-mesh --device cpu",
    "predict control-oracle --family cubic -o p --test-set cddd --crystals {}",
    "evaluate {} -o s",
    "check {}",
    "take {} --history h --scores s",
    "site --table {} -o r",
    "site --table {} -o r --glossary {}",
    "submission patterns -o x.h5 --sealed {}",
    "submission reveal {}",
    "verify x --sealed {} --by me",
]
IN_FOLDERS = ["leaderboard {} -o l.csv", "confusions {}", "report --scale-folder {} -o r"]


@pytest.fixture
def place(tmp_path, request):
    if request.param.startswith("folder"):
        for name in ("folder", "folder.parquet"):
            (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("x")
    return request.param


@pytest.mark.parametrize("command", [*COMMANDS, *IN_FOLDERS])
@pytest.mark.parametrize("place", ["gone", "file/below"], indirect=True)
def test_a_missing_file(refused, command, place):
    said = refused(*command.format(place, place).split())
    assert place in said
    assert ("is missing" if place == "gone" else "cannot be read (Not a directory)") in said


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_a_folder_where_a_file_should_be(refused, command, place):
    said = refused(*command.format(place, place).split())
    assert place in said
    assert "cannot be read (Is a directory)" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(refused, tmp_path):
    (tmp_path / "mine.csv").write_text("x")
    (tmp_path / "mine.csv").chmod(0)
    assert "mine.csv cannot be read (Permission denied)" in refused("check", "mine.csv")


def test_no_line_of_an_error_is_long():
    path = "/".join(["folder"] * 20)
    told = _wrapped(f"error: {path} is wrong; " + "expected one of these words " * 30 + "\nthe end")
    assert max(map(len, told.splitlines())) <= 200
    assert told.replace("\n    ", " ").startswith(f"error: {path} is wrong; expected")
    assert told.endswith("\nthe end")


def test_an_unknown_model_is_answered_with_the_nearest(refused):
    said = refused("train", "fcn-wong", "ulbd-cubic", "-o", "m.pt")
    assert "such as fcn-wang2024" in said
    assert "`sgbench models`" in said
