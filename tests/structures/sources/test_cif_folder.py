import gzip
import io
import os
import random
import tarfile
import zipfile
from dataclasses import replace

import pytest
from damage import cif_of, random_crystal
from hypothesis import given
from hypothesis import strategies as st

from sgbench.errors import SgbenchError
from sgbench.structures.sources import Entry, Excluded
from sgbench.structures.sources import _entry as reasons
from sgbench.structures.sources._reading import MAX_BYTES
from sgbench.structures.sources.cif_folder import UNSAFE, cif_folder

_RNG = random.Random(0)
FILES = {
    name: cif_of(random_crystal(_RNG)).encode()
    for name in ("b.cif", "a.CIF", "deep/er/c.cif", "deep/a.cif", "z z.cif")
}
IDS = ["a", "b", "deep/a", "deep/er/c", "z z"]


def write_folder(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def write_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path, files, links=()):
    with tarfile.open(path, "w:gz" if path.suffix != ".tar" else "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target, kind in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member)
    return path


WRITERS = {
    "folder": write_folder,
    "s.zip": write_zip,
    "s.tar": write_tar,
    "s.tar.gz": write_tar,
    "s.tgz": write_tar,
}


@pytest.fixture(params=WRITERS)
def written(request, tmp_path):
    """Write files the way the parameter says, and return where."""

    def write(files):
        return WRITERS[request.param](tmp_path / request.param, files)

    write.kind = request.param
    return write


def test_what_a_file_is_counts_and_not_its_name(written):
    cif = FILES["b.cif"]
    path = written(
        {
            "a.cif": gzip.compress(cif),
            "b.cif": cif.decode().encode("utf-16"),
            "c.cif.gz": gzip.compress(gzip.compress(cif)),
            "d.cif": b"BZh91AY&SY",
        }
    )
    a, b, c, d = cif_folder(path).read()
    assert replace(a, structure_id="b") == b
    assert isinstance(a, Entry)
    assert c == Excluded("c", reasons.UNREADABLE, "compressed twice, by gzip and gzip")
    assert d == Excluded("d", reasons.UNREADABLE, "compressed by bzip2")


def test_files_in_the_order_of_their_names(written):
    path = written(FILES | {"notes.txt": b"no CIF", "deep/._a.cif": b"of a Mac"})
    source = cif_folder(path)
    entries = list(source.read())
    assert all(isinstance(entry, Entry) for entry in entries)
    compressed = written.kind in ("s.tar.gz", "s.tgz")  # in the order of the archive
    expected = ["b", "a", "deep/er/c", "deep/a", "z z"] if compressed else IDS
    assert [entry.structure_id for entry in entries] == expected
    assert source.total == 5
    assert list(source.read()) == entries
    # Where the files lie says nothing about them.
    assert str(path.parent) not in str(source.provenance)


def test_provenance_follows_names_and_contents(tmp_path):
    first = cif_folder(write_folder(tmp_path / "1", FILES)).provenance["sha256"]
    same = write_zip(tmp_path / "same.zip", dict(reversed(FILES.items())))
    assert cif_folder(same).provenance["sha256"] == first
    renamed = {("new.cif" if name == "b.cif" else name): x for name, x in FILES.items()}
    changed = FILES | {"b.cif": FILES["b.cif"].replace(b"Testite", b"Tastite")}
    more = FILES | {"x.cif": b""}
    others = [
        cif_folder(write_folder(tmp_path / f"{n}", files)).provenance["sha256"]
        for n, files in enumerate((renamed, changed, more), start=2)
    ]
    assert len({first, *others}) == 4


def test_compressed_files(written):
    files = {"a.cif.gz": gzip.compress(FILES["b.cif"]), "b.cif": FILES["b.cif"]}
    files["c.cif.gz"] = files["a.cif.gz"][:-12]
    files["d.cif.gz"] = b"not compressed"
    files["e.cif.gz"] = gzip.compress(b"\0" * (MAX_BYTES + 1))
    a, b, *others = cif_folder(written(files)).read()
    assert isinstance(a, Entry)
    assert (a.structure_id, a.positions) == ("a", b.positions)
    assert [(entry.structure_id, entry.reason) for entry in others] == [
        ("c", reasons.UNREADABLE),
        ("d", reasons.UNREADABLE),
        ("e", reasons.TOO_LARGE),
    ]


def test_files_of_one_name(tmp_path):
    content = FILES["b.cif"]
    files = {"a.cif": content, "a.cif.gz": gzip.compress(content), "a.CIF": content}
    ids = [entry.structure_id for entry in cif_folder(write_folder(tmp_path, files)).read()]
    assert ids == ["a", "a#2", "a#3"]


def test_damaged_files_do_not_stop_the_others(written):
    files = {"a.cif": FILES["b.cif"], "b.cif": b"\xff\xfe junk", "c.cif": b"", "d.cif": b"#" * 10}
    kinds = [type(entry) for entry in cif_folder(written(files)).read()]
    assert kinds == [Entry, Excluded, Excluded, Excluded]


def test_large_files(written, monkeypatch):
    monkeypatch.setattr("sgbench.structures.sources.cif_folder.MAX_BYTES", 3000)
    files = {"a.cif": FILES["b.cif"][:1], "b.cif": b"#" * 3000, "c.cif": b"#" * 3001}
    entries = [entry.reason for entry in cif_folder(written(files)).read()]
    assert entries == [reasons.UNREADABLE, reasons.UNREADABLE, reasons.TOO_LARGE]


UNSAFE_NAMES = ["/etc/a.cif", "../b.cif", "x/../../c.cif", "C:\\d.cif", "x\\..\\e.cif"]


@pytest.mark.parametrize("kind", ["s.zip", "s.tar", "s.tgz"])
def test_members_that_lead_elsewhere(tmp_path, kind):
    files = dict.fromkeys([*UNSAFE_NAMES, "good.cif"], FILES["b.cif"])
    entries = list(cif_folder(WRITERS[kind](tmp_path / kind, files)).read())
    reason = {e.structure_id: e.reason for e in entries if isinstance(e, Excluded)}
    assert reason == {name.removesuffix(".cif"): UNSAFE for name in UNSAFE_NAMES}
    assert len(entries) == len(UNSAFE_NAMES) + 1
    assert [path.name for path in tmp_path.iterdir()] == [kind]  # nothing was unpacked


def test_links_and_devices_in_archives(tmp_path):
    links = [
        ("l.cif", "/etc/passwd", tarfile.SYMTYPE),
        ("m.cif", "good.cif", tarfile.LNKTYPE),
        ("n.cif", "", tarfile.FIFOTYPE),
    ]
    path = write_tar(tmp_path / "s.tar", {"good.cif": FILES["b.cif"]}, links)
    good, *others = cif_folder(path).read()
    assert isinstance(good, Entry)
    assert [(e.structure_id, e.reason) for e in others] == [(x, UNSAFE) for x in "lmn"]
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("l.cif")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert [entry.reason for entry in cif_folder(path).read()] == [UNSAFE]


def test_a_member_larger_than_it_says(tmp_path):
    path = write_zip(tmp_path / "s.zip", {"a.cif": b"#" * (MAX_BYTES + 5)})
    content = path.read_bytes()
    true_size = (MAX_BYTES + 5).to_bytes(4, "little")
    assert true_size in content
    path.write_bytes(content.replace(true_size, (100).to_bytes(4, "little")))
    (entry,) = cif_folder(path).read()
    assert isinstance(entry, Excluded)


def test_encrypted_members(tmp_path):
    path = write_zip(tmp_path / "s.zip", {"a.cif": FILES["b.cif"], "b.cif": FILES["b.cif"]})
    content = bytearray(path.read_bytes())
    for header, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + offset] |= 1
    path.write_bytes(content)
    a, b = cif_folder(path).read()
    assert (a.reason, "encrypted" in a.detail) == (reasons.UNREADABLE, True)
    assert isinstance(b, Entry)


def test_files_that_cannot_be_opened(tmp_path):
    write_folder(tmp_path, {"a.cif": FILES["b.cif"]})
    (tmp_path / "b.cif").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "c.cif")
    (tmp_path / "d.cif").mkdir()
    a, *others = cif_folder(tmp_path).read()
    assert isinstance(a, Entry)
    assert [(e.structure_id, e.reason) for e in others] == [
        ("b", reasons.UNREADABLE),
        ("c", reasons.UNREADABLE),
    ]


def test_names_that_are_not_text(tmp_path):
    with open(os.fsencode(tmp_path) + b"/\xff.cif", "wb") as file:
        file.write(FILES["b.cif"])
    (entry,) = cif_folder(tmp_path).read()
    assert isinstance(entry, Entry)
    entry.structure_id.encode()


def test_wrong_places(tmp_path):
    with pytest.raises(SgbenchError, match="is missing"):
        cif_folder(tmp_path / "missing")
    (tmp_path / "a.cif").write_bytes(FILES["b.cif"])
    with pytest.raises(SgbenchError, match="no folder and no archive"):
        cif_folder(tmp_path / "a.cif")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SgbenchError, match="holds no CIF"):
        cif_folder(tmp_path / "empty")
    with pytest.raises(SgbenchError, match="holds no CIF"):
        cif_folder(write_zip(tmp_path / "s.zip", {"a.txt": b""}))


@pytest.mark.parametrize("kind", ["s.zip", "s.tar", "s.tgz"])
def test_damaged_archives(tmp_path, kind):
    path = WRITERS[kind](tmp_path / kind, FILES)
    content = path.read_bytes()
    for damaged in (b"", b"junk" * 100, content[:700]):
        path.write_bytes(damaged)
        with pytest.raises(SgbenchError, match=r"cannot be read|holds no CIF"):
            cif_folder(path)


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archives")
    few = {name: FILES[name] for name in list(FILES)[:2]} | {"c.cif.gz": gzip.compress(b"#")}
    return {kind: WRITERS[kind](folder / kind, few) for kind in ("s.zip", "s.tar", "s.tgz")}


@given(data=st.data(), kind=st.sampled_from(["s.zip", "s.tar", "s.tgz"]))
def test_any_change_of_an_archive(archives, tmp_path_factory, data, kind):
    content = bytearray(archives[kind].read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / f"changed-{kind}"
    path.write_bytes(content)
    try:
        for entry in cif_folder(path).read():
            assert isinstance(entry, Entry | Excluded)
    except SgbenchError:
        pass
