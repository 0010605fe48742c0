"""Files that are whole or not there."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sgbench.errors import SgbenchError

if TYPE_CHECKING:
    import h5py

_Held = TypeVar("_Held")

# Temporary files with the names that they get at the end of `all_or_none`; None outside of it.
_waiting: ContextVar[dict[Path, Path] | None] = ContextVar("waiting", default=None)

# Bytes of an HDF5 file: for the id of a row, and for all that is not a row.
_ID_ROOM, _REST_ROOM = 256, 1 << 18

# Written to ask a disk whether it still takes anything.
_PROBE = bytes(1 << 16)


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it becomes `path`, on failure it goes.

    Raises
    ------
    SgbenchError
        If the path is a folder, a device or a pipe, its folder cannot be written to, or there is
        too little room.
    """
    path = Path(path)
    if path.is_dir():
        raise SgbenchError(
            f"cannot write {path}: it is a folder; expected the name of a file. Name another place."
        )
    if path.exists() and not path.is_file():
        raise SgbenchError(
            f"cannot write {path}: it is a device or a pipe; expected the name of a file. Name "
            "another place."
        )
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
    except OSError as error:
        raise SgbenchError(
            f"cannot write {path} ({error.strerror}); expected a folder that can be written to. "
            "Name another place."
        ) from error
    waiting = _waiting.get()
    try:
        yield temporary
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
        if waiting is None:
            os.replace(temporary, path)
        else:
            waiting[temporary] = path
    except Exception as error:
        reason = error if isinstance(error, OSError) else _refusal(temporary)
        if reason is None:
            raise
        raise SgbenchError(
            f"writing {path} failed ({reason.strerror or reason}); expected room and permission. "
            "Make room and try again."
        ) from error
    finally:
        if not waiting or temporary not in waiting:
            temporary.unlink(missing_ok=True)


def _refusal(path: Path) -> OSError | None:
    """Return why a file takes no more, if it does not: torch does not say that a disk is full."""
    try:
        with open(path, "ab") as handle:
            handle.write(_PROBE)
            handle.flush()
            os.fsync(handle.fileno())
    except OSError as error:
        return error
    return None


@contextmanager
def all_or_none() -> Iterator[None]:
    """Let the files that `write_atomically` writes inside appear at the end, or none on failure.

    So a table never lies beside the comparisons of another one.
    """
    waiting: dict[Path, Path] = {}
    token = _waiting.set(waiting)
    try:
        yield
        for temporary, path in waiting.items():
            os.replace(temporary, path)
    finally:
        _waiting.reset(token)
        for temporary in waiting:
            temporary.unlink(missing_ok=True)


@contextmanager
def write_hdf5(path: Path, rows: int, columns: int) -> Iterator["h5py.File"]:
    """Give an HDF5 file that is open; it becomes `path` as in `write_atomically`.

    HDF5 ends the process with a segmentation fault when it closes a file on a full disk. So the
    disk has to grant the room first.

    Parameters
    ----------
    path : Path
    rows, columns : int
        Of the array of float32 that the file will hold, beside an id a row and little else.
    """
    import h5py

    room = rows * (4 * columns + _ID_ROOM) + _REST_ROOM
    with write_atomically(path) as temporary, open(temporary, "rb+") as raw:
        os.posix_fallocate(raw.fileno(), 0, room)
        raw.truncate(0)  # HDF5 would take what is there for a file of another kind
        with h5py.File(raw, "w") as file:
            os.posix_fallocate(raw.fileno(), 0, room)
            yield file


def unreadable(path: Path, error: OSError, expected: str) -> SgbenchError:
    """Return what to say of a file that is missing or cannot be read.

    Parameters
    ----------
    path : Path
    error : OSError
        What opening or reading it raised.
    expected : str
        What it should be and what to do, as the end of a sentence.
    """
    if isinstance(error, FileNotFoundError):
        return SgbenchError(f"{path} is missing; expected {expected}")
    why = error.strerror or str(error)
    return SgbenchError(f"{path} cannot be read ({why}); expected {expected}")


def require_file(path: Path, expected: str) -> None:
    """Open a file and close it again, before a library does that has no word for what ails it.

    Raises
    ------
    SgbenchError
        If it is missing or cannot be read.
    """
    try:
        open(path, "rb").close()
    except OSError as error:
        raise unreadable(path, error, expected) from error


def remove_unfinished(folder: Path) -> int:
    """Delete what `write_atomically` left in a folder when its process was killed; count it.

    Only for a folder that nobody writes to.
    """
    unfinished = list(Path(folder).rglob(".*.part"))
    for path in unfinished:
        path.unlink()
    return len(unfinished)


def read_once(path: Path, read: Callable[[Path], _Held]) -> _Held:
    """Return what a file holds; a process reads each file once, as long as it stays the same.

    Parameters
    ----------
    path : Path
    read : callable
        What reads it, and raises where it is missing.
    """
    try:
        state = path.stat()
    except OSError:
        return read(path)  # which says what is wrong
    found: _Held = _read_once(
        read, path.resolve(), (state.st_mtime_ns, state.st_size, state.st_ino)
    )
    return found


@lru_cache(maxsize=4)
def _read_once(read: Callable[[Path], Any], path: Path, state: tuple[int, ...]) -> Any:
    return read(path)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
