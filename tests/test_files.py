import hashlib

import pytest

from sgbench.errors import SgbenchError
from sgbench.files import file_sha256, write_atomically


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "a" / "b" / "file.txt"
    with write_atomically(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("former", [None, "former"])
def test_a_failure_leaves_the_former_file_or_none(tmp_path, error, former):
    path = tmp_path / "file.txt"
    if former:
        path.write_text(former)

    def fails():
        with write_atomically(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fails()
    assert [p.name for p in tmp_path.iterdir()] == (["file.txt"] if former else [])
    assert not former or path.read_text() == former


@pytest.mark.parametrize("name", ["file/below", "folder"])
def test_places_that_cannot_be_written_to(tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(SgbenchError), write_atomically(tmp_path / name) as temporary:
        temporary.write_text("x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("content", [b"", b"abc", b"x" * 3_000_000])
def test_checksums_of_files(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()
