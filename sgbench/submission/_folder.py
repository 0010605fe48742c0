"""The folder of a submission: what may lie in it, and reading it without trusting it."""

import os
import stat
import unicodedata
from pathlib import Path

from sgbench.submission._problems import Problem, shown

DESCRIPTION = "submission.yaml"
PREDICTIONS = "predictions.parquet"
SEALED_PREDICTIONS = "sealed-predictions.parquet"
MODEL = "model.onnx"

_KIB, _MIB = 2**10, 2**20
#: What a folder may hold, and how large in bytes; predictions are bounded by what they are to hold
#: when they are read.
MOST_BYTES = {
    DESCRIPTION: 64 * _KIB,
    PREDICTIONS: 2048 * _MIB,
    SEALED_PREDICTIONS: 2048 * _MIB,
    MODEL: 512 * _MIB,
    "README.md": _MIB,
    "LICENSE": _MIB,
}
_MOST_ENTRIES = 50
_PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".npy", ".npz", ".h5", ".keras")
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")


def folder_problems(folder: Path) -> list[Problem]:
    """Find what does not belong into a submission's folder, without opening anything."""
    if folder.is_symlink():
        return [
            Problem(
                str(folder),
                "it is a symbolic link",
                "a folder",
                "Name the folder that it leads to.",
            )
        ]
    if not folder.is_dir():
        return [
            Problem(
                str(folder), "there is no such folder", f"a folder with {DESCRIPTION}",
                "Make one with `sgbench submission new`, or mend the path.",
            )
        ]  # fmt: skip
    with os.scandir(folder) as entries:
        names = sorted(entry.name for _, entry in zip(range(_MOST_ENTRIES + 1), entries))  # noqa: B905
    if len(names) > _MOST_ENTRIES:
        return [
            Problem(
                folder.name, f"it holds more than {_MOST_ENTRIES} files",
                f"only {', '.join(MOST_BYTES)}", "Take the others out.",
            )
        ]  # fmt: skip
    problems = [problem for name in names for problem in _entry_problems(folder, name)]
    if DESCRIPTION not in names:
        problems.append(
            Problem(
                folder.name, f"there is no {DESCRIPTION}", "one",
                "Make it with `sgbench submission new`.",
            )
        )  # fmt: skip
    return problems


def read_bytes(path: Path, most: int) -> bytes:
    """Read a regular file that is not larger than expected; links are not followed.

    Raises
    ------
    OSError
        If it is something else.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as handle:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not a regular file")
        content = handle.read(most + 1)
    if len(content) > most:
        raise OSError(f"it is larger than {most} bytes")
    return content


def _entry_problems(folder: Path, name: str) -> list[Problem]:
    where = f"{folder.name}/{shown(name)}"
    status = os.lstat(folder / name)
    if stat.S_ISLNK(status.st_mode):
        return [
            Problem(
                where, "it is a symbolic link", "a file of its own", "Copy what it leads to here."
            )
        ]
    if name not in MOST_BYTES:
        return [_unknown(where, name, stat.S_ISDIR(status.st_mode))]
    if not stat.S_ISREG(status.st_mode):
        return [Problem(where, "it is not a regular file", "a file", "Put a file in its place.")]
    if status.st_size == 0:
        return [Problem(where, "the file is empty", "some content", "Write it again.")]
    if status.st_size > MOST_BYTES[name]:
        return [
            Problem(
                where, f"the file has {status.st_size} bytes",
                f"at most {MOST_BYTES[name]}", "Make it smaller.",
            )
        ]  # fmt: skip
    return []


def _unknown(where: str, name: str, is_folder: bool) -> Problem:
    if is_folder:
        found = "it is a folder; scores are made again wherever they are needed, and never read"
        return Problem(where, found, f"only {', '.join(MOST_BYTES)}", "Take it out.")
    if unicodedata.normalize("NFKC", name) in MOST_BYTES and name not in MOST_BYTES:
        found, mend = "its name only looks right", "Type the name again in plain letters."
    elif name.lower().endswith(_PICKLES):
        found = "it may hold a pickle, which can run anything and is never loaded"
        mend = f"Export the model as {MODEL} or its predictions as {PREDICTIONS}, and take it out."
    elif name.lower().endswith(_ARCHIVES):
        found, mend = "it is an archive, which is never unpacked", "Take out what is in it."
    elif name.endswith((".data", ".onnx_data")):
        found = "it looks like external data of an ONNX model"
        mend = f"Save the model with its weights inside {MODEL}."
    else:
        found, mend = "nothing reads this file", "Take it out, or mend its name."
    return Problem(where, found, f"only {', '.join(MOST_BYTES)}", mend)
