import sys
from types import SimpleNamespace

import pytest

from sgbench.cli import main


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run the command line in this process (a second quicker), in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, status=0):
        monkeypatch.setattr(sys, "argv", ["sgbench", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        text = capsys.readouterr()
        assert all(len(line) <= 200 for line in text.err.splitlines() if " " in line.strip())
        assert code == status, (code, text.out, text.err)
        return SimpleNamespace(stdout=text.out, stderr=text.err.replace("\n    ", " "))

    return run


@pytest.fixture
def refused(call, tmp_path):
    """Run a command that must end with status 2 and one line, and leave nothing behind."""

    def tree():
        return {p: p.read_bytes() if p.is_file() else None for p in tmp_path.rglob("*")}

    def run(*arguments):
        before = tree()
        done = call(*arguments, status=2)
        said = done.stderr.splitlines()
        assert len(said) == 1, done.stderr
        assert said[0].startswith("error: ")
        assert done.stdout == ""
        assert tree() == before
        return said[0]

    return run
