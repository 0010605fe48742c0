"""Archives: the same for the same files, and refused where they are not what we write."""

import io
import lzma
import tarfile

import pytest

from sgbench import archives
from sgbench.archives import is_archive, open_run, opened, read_archive, write_archive
from sgbench.errors import SgbenchError

FILES = {"b.csv": b"x" * 5000, "a/é/c.json": b"{}", "a/d.json": b""}


def tar_of(*entries):
    """Pack entries of a tar, each a name with its content, or an entry."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for entry, content in entries:
            info = tarfile.TarInfo(entry) if isinstance(entry, str) else entry
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def of_type(kind):
    entry = tarfile.TarInfo("a")
    entry.type, entry.linkname = kind, "/etc/passwd"
    return entry


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "new" / "run.tar.xz"
    write_archive(path, FILES)
    assert read_archive(path) == FILES
    assert is_archive(path)


def test_the_same_files_make_the_same_bytes(tmp_path):
    one, other = tmp_path / "one.tar.xz", tmp_path / "other.tar.xz"
    write_archive(one, FILES)
    write_archive(other, dict(reversed(FILES.items())))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    "names",
    [
        ("../a",), ("/a",), ("a/../b",), ("./a",), ("a//b",), ("a\\b",), ("a\nb",),
        ("a" * 300,), ("/".join("a" * 300),), ("/".join("a" * 30_000),),
        ("a", "a"), ("a", "a/b"), ("a/b", "a"),
    ],
    ids=lambda names: ascii(names)[:20],
)  # fmt: skip
def test_names_that_leave_the_folder_or_meet(tmp_path, names):
    path = tmp_path / "a.archive"
    path.write_bytes(lzma.compress(tar_of(*((name, b"") for name in names))))
    with pytest.raises(SgbenchError, match="is not an archive of results"):
        read_archive(path)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_what_has_no_name_or_is_no_plain_file(tmp_path, kind):
    path = tmp_path / "a.tar.xz"
    path.write_bytes(lzma.compress(tar_of((of_type(kind), b""))))
    with pytest.raises(SgbenchError, match="'a' is no plain file"):
        read_archive(path)
    path.write_bytes(lzma.compress(tar_of(("", b""))))
    with pytest.raises(SgbenchError, match="no name below a folder"):
        read_archive(path)


def test_a_sparse_file(tmp_path):
    entry = tarfile.TarInfo("a")
    entry.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                         "GNU.sparse.name": "a", "GNU.sparse.realsize": "9999999999"}  # fmt: skip
    path = tmp_path / "a.tar.xz"
    path.write_bytes(lzma.compress(tar_of((entry, b"0\n".ljust(512, b"\0")))))
    with pytest.raises(SgbenchError, match="is not an archive of results"):
        read_archive(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-20],
        lambda content: content + b"x",
        lambda content: content[:60] + b"?" + content[61:],
        lambda content: b"PK\x03\x04" + content,
        lambda content: lzma.compress(b"no tar"),
        lambda content: lzma.compress(lzma.decompress(content)[:700]),
    ],
    ids=["empty", "cut off", "longer", "changed", "no zip", "no tar", "tar cut off"],
)
def test_damage(tmp_path, damage):
    path = tmp_path / "a.tar.xz"
    write_archive(path, FILES)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SgbenchError, match=r"a\.tar\.xz is not an archive of results") as raised:
        read_archive(path)
    assert "Traceback" not in str(raised.value)


def test_a_small_file_that_holds_much(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_MOST_BYTES", 100_000)
    monkeypatch.setattr(archives, "_MOST_FILES", 100)
    path = tmp_path / "a.archive"
    for files in ({"a": bytes(100_001)}, {f"{i}": b"" for i in range(101)}):
        write_archive(path, files)
        with pytest.raises(SgbenchError, match="is not an archive of results"):
            read_archive(path)


def test_a_dictionary_beyond_all_bounds(tmp_path):
    path = tmp_path / "a.tar.xz"
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2**29}]
    with lzma.open(path, "wb", filters=filters) as handle:
        handle.write(tar_of(("a", b"x")))
    with pytest.raises(SgbenchError, match="Memory"):
        read_archive(path)


def test_a_path_stands_for_folders(tmp_path):
    assert not is_archive(tmp_path)
    with opened(tmp_path) as folders:
        assert folders == [tmp_path]
    with opened(tmp_path / "nothing") as folders:
        assert folders == [tmp_path / "nothing"]
    for name in ("b", "a"):
        write_archive(tmp_path / f"{name}.tar.xz", {"name": name.encode()})
    with opened(tmp_path / "b.tar.xz") as (folder,):
        assert (folder / "name").read_text() == "b"
    assert not folder.exists()
    with opened(tmp_path) as folders:
        assert [(one / "name").read_text() for one in folders] == ["a", "b"]
    with pytest.raises(SgbenchError, match=r"has 2 archives.*a\.tar\.xz"), open_run(tmp_path):
        pass
    with open_run(tmp_path, ("c", "b", "a")) as folder:
        assert (folder / "name").read_text() == "b"


@pytest.mark.parametrize("name", ["laptop", "leaderboard.csv", "one.json"])
def test_an_archive_beside_results_is_not_taken_for_them(tmp_path, name):
    write_archive(tmp_path / "old.tar.xz", FILES)
    for harmless in (".cache", ".gitignore", "README.md"):
        (tmp_path / harmless).touch()
    with open_run(tmp_path):
        pass
    (tmp_path / name).mkdir() if "." not in name else (tmp_path / name).touch()
    said = rf"has the archive old\.tar\.xz beside {name}; expected archives alone"
    for way in (opened, open_run):
        with pytest.raises(SgbenchError, match=said), way(tmp_path):
            pass


def test_an_error_about_a_file_names_the_archive(tmp_path):
    path = tmp_path / "a.tar.xz"
    write_archive(path, {"x": b""})
    with pytest.raises(SgbenchError) as raised, open_run(path) as folder:
        raise SgbenchError(f"{folder / 'x'} is empty")
    assert str(raised.value) == f"{path / 'x'} is empty"
