"""What the sources of measured patterns share."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from sgbench.collections._audit import UNREADABLE
from sgbench.collections._entry import LabelledPattern
from sgbench.errors import SgbenchError
from sgbench.sourced import Excluded

#: No member of an archive is larger, in bytes.
MOST_BYTES = 2**26


def is_address(location: str | None) -> bool:
    """Tell whether a location is one of the network."""
    return bool(location) and str(location).startswith(("http://", "https://"))


def or_excluded(
    pattern_id: str, read: Callable[[], LabelledPattern | Excluded]
) -> LabelledPattern | Excluded:
    """Return what reading gives, or the entry as excluded where it is refused."""
    try:
        return read()
    except SgbenchError as error:
        return Excluded(pattern_id, UNREADABLE, str(error).partition("; expected")[0][:200])


def members(path: Path, endings: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of the files of a zip, by name; folders do not count.

    Raises
    ------
    SgbenchError
        If it is no zip, or is damaged.
    """
    try:
        with ZipFile(path) as archive:
            wanted = (one for one in archive.infolist() if not one.is_dir())
            for one in sorted(wanted, key=lambda member: member.filename):
                if one.filename.lower().endswith(tuple(endings)) and one.file_size <= MOST_BYTES:
                    yield one.filename, archive.read(one)
    except (BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise SgbenchError(
            f"{path} cannot be read ({error}); expected an undamaged zip. Delete it and run again."
        ) from error
