"""Files that are whole or not there."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sgbench.errors import SgbenchError


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it becomes `path`, on failure it goes.

    Raises
    ------
    SgbenchError
        If the path is a folder, or its folder cannot be written to.
    """
    path = Path(path)
    if path.is_dir():
        raise SgbenchError(
            f"cannot write {path}: it is a folder; expected the name of a file. Name another place."
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
    try:
        yield temporary
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise SgbenchError(
            f"writing {path} failed ({error.strerror or error}); expected room and permission. "
            "Make room and try again."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> int:
    """Delete what `write_atomically` left in a folder when its process was killed; count it.

    Only for a folder that nobody writes to.
    """
    unfinished = list(Path(folder).rglob(".*.part"))
    for path in unfinished:
        path.unlink()
    return len(unfinished)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
