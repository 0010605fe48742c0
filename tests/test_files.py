import hashlib
import os
import subprocess

import h5py
import numpy as np
import pytest

from sgbench.errors import SgbenchError
from sgbench.files import all_or_none, file_sha256, write_atomically, write_hdf5


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


def write(path, text):
    with write_atomically(path) as temporary:
        temporary.write_text(text)


def test_files_of_a_set_appear_together(tmp_path):
    names = ["a", "b/c"]
    with all_or_none():
        for name in names:
            write(tmp_path / name, name)
            assert not (tmp_path / name).exists()
    assert [(tmp_path / name).read_text() for name in names] == names
    assert len([*tmp_path.rglob("*")]) == 3
    write(tmp_path / "a", "later")
    assert (tmp_path / "a").read_text() == "later"


def test_a_set_that_is_not_whole_leaves_the_former_one(tmp_path):
    write(tmp_path / "a", "former")

    def fails():
        with all_or_none():
            write(tmp_path / "a", "new")
            write(tmp_path / "b", "new")
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "former"


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 KiB, where the system allows us to mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_named_whatever_the_writer_says(small_disk):
    (small_disk / "file").write_text("former")

    def fails():
        with write_atomically(small_disk / "file") as temporary:
            try:
                temporary.write_bytes(bytes(100_000))
            except OSError:
                raise RuntimeError("PytorchStreamWriter failed writing file") from None

    with pytest.raises(SgbenchError, match=r"file failed \(No space left on device"):
        fails()
    assert [path.name for path in small_disk.iterdir()] == ["file"]
    assert (small_disk / "file").read_text() == "former"


def test_a_disk_that_is_read_only(small_disk):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(SgbenchError, match=r"cannot write .*Read-only file system"):
        write(small_disk / "below" / "file", "x")


def test_hdf5_on_a_full_disk_is_an_error_and_no_crash(small_disk):
    with (
        pytest.raises(SgbenchError, match="No space left on device"),
        write_hdf5(small_disk / "x.h5", 100, 1000) as file,
    ):
        file.create_dataset("data", data=np.ones((100, 1000), dtype="f4"))
    assert not [*small_disk.iterdir()]


def test_the_room_for_hdf5_suffices_and_is_given_back(tmp_path):
    data = np.random.default_rng(0).random((300, 50), dtype="f4")
    ids = [f"a long name of a sample, {i}" * 4 for i in range(300)]
    with write_hdf5(tmp_path / "x.h5", *data.shape) as file:
        file["data"] = data
        file.create_dataset("ids", data=ids, dtype=h5py.string_dtype())
    with h5py.File(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(file["data"], data)
        assert file["ids"].asstr()[:].tolist() == ids
    assert (tmp_path / "x.h5").stat().st_size < data.nbytes + 300 * 256


@pytest.mark.parametrize("content", [b"", b"abc", b"x" * 3_000_000])
def test_checksums_of_files(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_a_pipe_is_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(SgbenchError, match="device or a pipe"), write_atomically(pipe):
        pass
    assert pipe.is_fifo()
