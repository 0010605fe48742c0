"""The inside of a process that handles a stranger's file: it locks itself in before it looks.

Run as ``python -m sgbench.submission._onnx_worker`` (or ``_parquet_worker``). Standard input brings
a JSON request in a line, and what else the job reads; standard output answers with lines of JSON,
followed by bytes where they say so. Nothing heavy may be
imported here: there must be one thread when the process locks itself in.
"""

import ctypes
import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

_NEW_USERS, _NEW_NETWORK = 0x10000000, 0x40000000
_GIB = 2**30
_MOST_WRITTEN = 2**20
_LONGEST = 300
_FORBIDDEN = ("socket.", "subprocess.", "os.exec", "os.system", "os.fork", "os.posix_spawn")


class RefusedFileError(Exception):
    """Holds problems: what was found, what was expected and how to mend it."""

    def __init__(self, *problems: tuple[str, str, str]) -> None:
        super().__init__()
        self.problems = problems


def serve(job: Callable[[dict[str, Any], BinaryIO], None]) -> None:
    """Lock the process in, and do the job of the request that standard input brings."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not stand between answers
    request = json.loads(sys.stdin.buffer.readline())
    lock_in(request["memory"], request["seconds"], request["threads"])
    try:
        job(request, replies)
    except RefusedFileError as refusal:
        say(replies, {"problems": refusal.problems})
    except MemoryError:
        most = f"at most {request['memory']:g} GiB"
        say(replies, {"problems": [("it needs too much memory", most, "Make it smaller.")]})


def lock_in(memory: float, seconds: float, threads: int) -> None:
    """Give up network, new programs, and all but some memory (GiB), time and open files."""
    # Where the kernel forbids this, the hook below still stops what Python would open.
    ctypes.CDLL(None, use_errno=True).unshare(_NEW_USERS | _NEW_NETWORK)
    for limit, most in (
        (resource.RLIMIT_AS, int(memory * _GIB)),
        # All threads count here; who waits looks at the clock.
        (resource.RLIMIT_CPU, (int(seconds) + 1) * (threads + 1)),
        (resource.RLIMIT_FSIZE, _MOST_WRITTEN),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        resource.setrlimit(limit, (most, most))

    def forbid(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(_FORBIDDEN):
            raise PermissionError(f"{event} is forbidden here")

    sys.addaudithook(forbid)


def say(replies: BinaryIO, answer: dict[str, Any], payload: bytes = b"") -> None:
    """Answer with a line of JSON, and bytes after it."""
    replies.write(json.dumps(answer).encode() + b"\n" + payload)
    replies.flush()


def read_locked(path: str, most: int) -> bytes:
    """Read a file that was looked at before; links are not followed.

    Raises
    ------
    RefusedFileError
        If it is too large, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as handle:
            content = handle.read(most + 1)
    except OSError as error:
        found = f"it cannot be read ({plain(error.strerror)})"
        raise RefusedFileError((found, "a file", "Write it again.")) from None
    if len(content) > most:
        found = f"it is larger than {most} bytes"
        raise RefusedFileError((found, "no more than what is asked for", "Write it again."))
    return content


def plain(value: object) -> str:
    """Return a stranger's words on one line, plain and not long."""
    text = " ".join(str(value).split()) or type(value).__name__
    return "".join(c if c.isprintable() else "?" for c in text[:_LONGEST])
