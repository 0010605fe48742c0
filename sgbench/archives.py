"""Folders of files as one archive: the same bytes for the same files, and bounded when it is read.

The published results of a run are one archive. Whoever reads the files of a run takes either: a
folder as it is, or an archive, which is laid out for as long as it is read.
"""

import io
import lzma
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from sgbench.checked import FileKind, printed
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically

#: How the name of an archive ends.
ENDING = ".tar.xz"

# Of all files together; the largest run so far has 20 MB.
_MOST_BYTES = 2**28
_MOST_FILES = 2**15
# What unpacking may take; what we write takes a tenth of it.
_MOST_MEMORY = 2**27
# Beyond the default: text needs no alignment, and a byte of it follows from the one before.
_FILTERS = ({"id": lzma.FILTER_LZMA2, "preset": 6, "pb": 0, "lc": 4, "lp": 0},)
_XZ = b"\xfd7zXZ\0"
_LONGEST_PART, _LONGEST_NAME = 255, 512
_PUBLISHED = FileKind(
    "an archive of results", "what `sgbench publish` writes. Restore it, or publish again."
)


def write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    """Write files as an archive, which has the same bytes for the same files.

    Parameters
    ----------
    path : Path
    files : mapping of str to bytes
        Contents by names, which may hold slashes.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    with write_atomically(path) as temporary:
        temporary.write_bytes(lzma.compress(packed.getvalue(), filters=_FILTERS))


def read_archive(path: Path, kind: FileKind = _PUBLISHED) -> dict[str, bytes]:
    """Return the files of an archive by their names.

    Raises
    ------
    SgbenchError
        If it is missing or damaged, holds more than any of ours, or holds something else than files
        with names below a folder.
    """
    content = kind.read_bytes(path)
    found: dict[str, bytes] = {}
    room = _MOST_BYTES
    with kind.decoding(path):
        for name, part in _packed(content):
            room -= len(part)
            if room < 0 or len(found) == _MOST_FILES:
                raise ValueError(f"it holds more than {_MOST_BYTES:,} bytes or {_MOST_FILES} files")
            if name in found or not _is_below(name):
                raise ValueError(f"'{printed(name)}' is there twice or is no name below a folder")
            found[name] = part
        if inside := next((one for one in found if _parents(one) & found.keys()), None):
            raise ValueError(f"'{printed(inside)}' lies inside of a file")
    return found


def is_archive(path: Path) -> bool:
    """Tell whether a path is an archive that `write_archive` wrote."""
    if not path.is_file():
        return False
    with open(path, "rb") as handle:
        return handle.read(len(_XZ)) == _XZ


@contextmanager
def opened(path: Path) -> Iterator[list[Path]]:
    """Give the folders that a path stands for: itself, or those of the archives that it has.

    Parameters
    ----------
    path : Path
        A folder such as ``results/laptop``, an archive such as ``results/published/laptop.tar.xz``,
        or a folder of archives. Anything else is given as it is.

    Raises
    ------
    SgbenchError
        As of `read_archive`, or if a folder has archives beside results that are laid out. What is
        said of a file in a folder names the archive.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(_unpacked(one)) for one in _archives(path)] or [path]


@contextmanager
def open_run(path: Path, order: Sequence[str] = ()) -> Iterator[Path]:
    """Give the folder of one run, as of `opened`.

    Parameters
    ----------
    path : Path
    order : sequence of str
        Of several archives in a folder the one that has the first of these names, without its
        ending, stands for all.

    Raises
    ------
    SgbenchError
        As of `opened`, or if a folder has several archives and none of these names.
    """
    several = _archives(path)
    if path.is_dir() and len(several) > 1:
        named = [one for name in order if (one := path / f"{name}{ENDING}") in several]
        if not named:
            raise SgbenchError(
                f"{path} has {len(several)} archives; expected the results of one run. Name one, "
                f"such as {several[0]}."
            )
        path = named[0]
    with opened(path) as (folder,):
        yield folder


def _archives(path: Path) -> list[Path]:
    """Return the archives that a path stands for; none where it stands for itself."""
    if not path.is_dir():
        return [path] if is_archive(path) else []
    found = sorted(path.glob(f"*{ENDING}"))
    beside = [one.name for one in path.iterdir() if _is_laid_out(one)] if found else []
    if beside:
        raise SgbenchError(
            f"{path} has the archive {printed(found[0].name)} beside {printed(min(beside))}; "
            "expected archives alone, or results that are laid out. Name the one that is meant, or "
            "move the other away."
        )
    return found


def _is_laid_out(path: Path) -> bool:
    """Tell whether an entry of a folder is results, and no note or mark that lies there."""
    hidden = path.name.startswith(".")
    return not hidden and (path.is_dir() or path.suffix in (".csv", ".json"))


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """Give a folder with the files of an archive, for as long as it is open."""
    files = read_archive(path)
    with TemporaryDirectory(prefix="sgbench-") as place:
        folder = Path(place)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        try:
            yield folder
        except SgbenchError as error:
            raise SgbenchError(str(error).replace(place, str(path))) from error.__cause__


def _packed(content: bytes) -> Iterator[tuple[str, bytes]]:
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_MEMORY)
    # Headers and padding take a kilobyte a file.
    whole = unpacker.decompress(content, _MOST_BYTES + 1024 * _MOST_FILES)
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("it is too large, or cut off, or followed by something")
    with tarfile.open(fileobj=io.BytesIO(whole), mode="r:") as archive:
        for entry in archive:
            # A sparse file may be larger than its archive.
            handle = None if entry.issparse() or not entry.isreg() else archive.extractfile(entry)
            if handle is None:
                raise ValueError(f"'{printed(entry.name)}' is no plain file")
            yield entry.name, handle.read()
        # Where a header is damaged, tarfile stops without a word.
        rest = whole[archive.offset :]
    if len(rest) < 2 * tarfile.BLOCKSIZE or rest.strip(b"\0"):
        raise ValueError("it is cut off")


def _is_below(name: str) -> bool:
    parts = PurePosixPath(name[: _LONGEST_NAME + 1]).parts
    return (
        0 < len(name) <= _LONGEST_NAME
        and "/".join(parts) == name
        and name.isprintable()
        and "\\" not in name
        and not {"/", "..", "."} & set(parts)
        and all(len(part.encode()) <= _LONGEST_PART for part in parts)
    )


def _parents(name: str) -> set[str]:
    return {str(one) for one in PurePosixPath(name).parents}
