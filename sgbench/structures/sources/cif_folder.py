"""CIFs in a folder or an archive."""

import gzip
import hashlib
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from sgbench.errors import SgbenchError
from sgbench.files import require_file
from sgbench.structures.sources._bytes import compression_of
from sgbench.structures.sources._cif import entry_from_cif
from sgbench.structures.sources._entry import (
    TOO_LARGE,
    UNREADABLE,
    Entry,
    Excluded,
    Exclusion,
    Source,
)
from sgbench.structures.sources._reading import (
    MAX_BYTES,
    UniqueIds,
    clean_text,
    read_or_exclude,
)

UNSAFE = "unsafe archive member"

_EXTENSION = re.compile(r"\.cif(\.gz)?$", re.IGNORECASE)
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
# What a damaged archive or compressed file can make the standard library raise.
_DAMAGED = (
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)

# Name of a file, relative and with forward slashes, and how to get what it holds.
_Files = Iterator[tuple[str, Callable[[], bytes]]]


def cif_folder(path: Path) -> Source:
    """Return the CIFs of a folder or an archive as a source.

    Parameters
    ----------
    path : Path
        Folder, searched with all that is below it for ``*.cif`` and ``*.cif.gz``, or a ``.zip``,
        ``.tar``, ``.tar.gz`` or ``.tgz`` of them, which is not unpacked to disk. Files are read in
        the order of their names; those of a compressed tar, where going back is slow, in the order
        of the archive.

    Returns
    -------
    Source
        The id of a structure is the relative path of its file without the extension.

    Raises
    ------
    SgbenchError
        If there is no such folder or archive, it holds no CIF, or it is damaged.
    """
    path = Path(path)
    files = _reader(path)
    digest = hashlib.sha256()
    total = 0
    for name, content in files():
        total += 1
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
        try:
            digest.update(hashlib.sha256(content()).digest())
        except Exclusion as exclusion:
            digest.update(str(exclusion.args).encode("utf-8", "replace"))
    if not total:
        raise SgbenchError(
            f"{path} holds no CIF; expected files named *.cif or *.cif.gz. Name another place."
        )

    def read() -> Iterator[Entry | Excluded]:
        unique = UniqueIds()
        for name, content in files():
            structure_id = unique(_EXTENSION.sub("", clean_text(name)))

            def entry(
                content: Callable[[], bytes] = content, structure_id: str = structure_id
            ) -> Entry | Excluded:
                return entry_from_cif(content(), structure_id)

            yield read_or_exclude(structure_id, entry)

    return Source(
        name="cif-folder",
        citation="as stated with each structure",
        licence="as stated by the owner of the files",
        provenance={"files": path.resolve().name, "sha256": digest.hexdigest(), "n": str(total)},
        read=read,
        total=total,
    )


def _reader(path: Path) -> Callable[[], _Files]:
    """Return a function that goes through the files; each call starts anew."""
    if path.is_dir():
        return lambda: _in_folder(path)
    name = path.name.lower()
    expected = f"a folder of CIFs or a file ending in {', '.join(_ARCHIVES)}. Mend the path."
    require_file(path, expected)
    if not name.endswith(_ARCHIVES):
        raise SgbenchError(f"{path} is no folder and no archive; expected {expected}")
    unpack = _in_zip if name.endswith(".zip") else _in_tar

    def files() -> _Files:
        try:
            yield from unpack(path)
        except _DAMAGED as error:
            raise SgbenchError(
                f"{path} cannot be read ({error}); expected an undamaged archive. Get it again."
            ) from error

    return files


def _in_folder(folder: Path) -> _Files:
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if _is_cif(path.name) and not path.is_dir()
    )
    for name in names:

        def content(path: Path = folder / name) -> bytes:
            if not path.is_file():  # a broken link, or a pipe that never ends
                raise Exclusion(UNREADABLE, "not a regular file")
            try:
                with open(path, "rb") as file:
                    return _bounded(file, path.name)
            except PermissionError as error:
                raise Exclusion(UNREADABLE, str(error.strerror or error)) from error
            except OSError as error:  # of the machine and not of the file, so no reason to omit it
                raise SgbenchError(
                    f"{path} cannot be read ({error.strerror or error}); expected the disk to give "
                    "it. See what ails the disk and run again."
                ) from error

        yield name, content


def _in_zip(path: Path) -> _Files:
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if _is_cif(member.filename)]
        for member in sorted(members, key=lambda member: member.filename):

            def content(member: zipfile.ZipInfo = member) -> bytes:
                _refuse_unsafe(member.filename, stat.S_ISLNK(member.external_attr >> 16))
                _refuse_large(member.file_size)
                try:
                    with archive.open(member) as file:
                        return _bounded(file, member.filename)
                except (RuntimeError, *_DAMAGED) as error:  # RuntimeError: it is encrypted
                    raise Exclusion(UNREADABLE, str(error)) from error

            yield member.filename, content


def _in_tar(path: Path) -> _Files:
    with tarfile.open(path) as archive:
        plain = path.suffix.lower() == ".tar"
        members = sorted(archive, key=lambda member: member.name) if plain else archive
        for member in members:
            if not _is_cif(member.name) or member.isdir():
                continue

            def content(member: tarfile.TarInfo = member) -> bytes:
                _refuse_unsafe(member.name, not member.isreg())
                _refuse_large(member.size)
                try:
                    file = archive.extractfile(member)
                    assert file is not None  # since the member is a regular file
                    return _bounded(file, member.name)
                except _DAMAGED as error:
                    raise Exclusion(UNREADABLE, str(error)) from error

            yield member.name, content


def _is_cif(name: str) -> bool:
    # Archives made on a Mac hold a companion of each file that is no CIF: `._quartz.cif`.
    return bool(_EXTENSION.search(name)) and not PurePosixPath(name).name.startswith("._")


def _refuse_unsafe(name: str, is_link: bool) -> None:
    as_windows = PureWindowsPath(name)
    if is_link or as_windows.anchor or ".." in as_windows.parts:
        raise Exclusion(UNSAFE, "not a regular file" if is_link else "path leads elsewhere")


def _refuse_large(size: int) -> None:
    if size > MAX_BYTES:
        raise Exclusion(TOO_LARGE, f"{size} bytes")


def _bounded(file: IO[bytes], name: str) -> bytes:
    """Read a file as far as its size is admitted, whatever its archive says about it."""
    content = _limited(file)
    compression = compression_of(content)
    if not name.lower().endswith(".gz") and not compression:
        return content
    if compression not in ("", "gzip"):
        raise Exclusion(UNREADABLE, f"compressed by {compression}")
    try:
        with gzip.open(BytesIO(content)) as unpacked:
            content = _limited(unpacked)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Exclusion(UNREADABLE, str(error)) from error
    if again := compression_of(content):
        raise Exclusion(UNREADABLE, f"compressed twice, by gzip and {again}")
    return content


def _limited(file: IO[bytes] | gzip.GzipFile) -> bytes:
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise Exclusion(TOO_LARGE, f"more than {MAX_BYTES} bytes")
    return content
