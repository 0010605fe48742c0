import sys
from types import SimpleNamespace

import pytest
from submission_examples import description, frame, write

from sgbench.cli._submission import app
from sgbench.errors import SgbenchError
from sgbench.submission import Track, _track, public_samples


@pytest.fixture(autouse=True)
def _few_samples(monkeypatch):
    """144 samples instead of 1,440."""
    monkeypatch.setitem(_track.PER_SPACEGROUP, "smoke", 2)


@pytest.fixture
def samples():
    return public_samples(Track("ulbd-cubic", "smoke"))


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run `sgbench submission` in an empty folder, with the exit status of the command line."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, status=0):
        capsys.readouterr()
        code = 0
        try:
            app([str(argument) for argument in arguments], standalone_mode=False)
        except SgbenchError as error:
            print(f"error: {error}", file=sys.stderr)
            code = 2
        text = capsys.readouterr()
        assert code == status, (code, text.out, text.err)
        return SimpleNamespace(stdout=text.out, stderr=text.err)

    return run


@pytest.fixture
def mine(tmp_path, samples):
    """A submission of predictions with nothing wrong."""
    folder = tmp_path / "submissions" / "mine"
    write(folder, description(), frame(samples))
    return folder


@pytest.fixture
def refused(call, tmp_path):
    """Try to add a submission that must be refused; return what was said, line by line."""
    board = tmp_path / "results" / "leaderboard.csv"

    def run(folder, *options):
        board.parent.mkdir(exist_ok=True)
        board.write_text("whatever is here stays\n")
        done = call("add", folder, "--leaderboard", board, *options, status=2)
        assert board.read_text() == "whatever is here stays\n"
        assert list(board.parent.iterdir()) == [board]
        lines = done.stderr.splitlines()
        assert lines[0].startswith("error: mine: ")
        assert lines[0].endswith((" problem", " problems"))
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        assert all(line.count("; expected ") >= 1 and line[-1] == "." for line in lines[1:])
        assert all(line.isprintable() and len(line) < 1000 for line in lines)
        return lines[1:]

    return run
