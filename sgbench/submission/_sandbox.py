"""The outside of a process that handles a stranger's file (see `_locked`)."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from sgbench.submission._problems import shown

_LONGEST_LINE = 2**18
_KEPT = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "HOME", "LANG")


@dataclass(frozen=True)
class Limits:
    """What the process of a stranger's file may use.

    Attributes
    ----------
    seconds : float
        For everything together.
    memory : float
        GiB of address space.
    """

    seconds: float = 600.0
    memory: float = 4.0


class StoppedError(Exception):
    """Holds problems: what was found, what was expected and how to mend it."""

    def __init__(self, *problems: tuple[str, str, str]) -> None:
        super().__init__()
        self.problems = problems


class Sandbox:
    """A process that locked itself in; leaving the context ends it.

    Parameters
    ----------
    module : str
        What it runs.
    request : dict
        What it is to do.
    limits : Limits
    """

    def __init__(self, module: str, request: dict[str, Any], limits: Limits) -> None:
        self._module = module
        self._limits = limits
        self._request = {
            **request,
            "seconds": limits.seconds,
            "memory": limits.memory,
            "threads": _threads(),
        }

    def __enter__(self) -> "Sandbox":
        self._late = threading.Event()
        self._empty = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._empty.name,
            # No secret of the caller's environment is told to a stranger's model.
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
            process_group=0,
        )
        self._timer = threading.Timer(self._limits.seconds, self._stop_late)
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._process.kill()
        self._process.wait()
        self._timer.join()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):  # what was not yet flushed has no reader any more
                _open(stream).close()
        self._empty.cleanup()

    def _stop_late(self) -> None:
        self._late.set()
        self._process.kill()

    def start(self, answer: str) -> dict[str, Any]:
        """Hand over the request, and return the first answer; `answer` is a key that it has.

        Raises
        ------
        StoppedError
            If it names problems instead, or the process has ended.
        """
        self.write(json.dumps(self._request).encode() + b"\n")
        return self.answer(answer)

    def answer(self, key: str) -> dict[str, Any]:
        """Return the next answer, which must have a key."""
        line = _open(self._process.stdout).readline(_LONGEST_LINE)
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise self._death() from None
        if key not in answer:
            raise StoppedError(*((shown(a), shown(b), shown(c)) for a, b, c in answer["problems"]))
        return answer

    def read(self, size: int) -> bytes:
        """Return bytes that follow an answer."""
        content = _open(self._process.stdout).read(size)
        if len(content) < size:
            raise self._death()
        return content

    def write(self, content: bytes) -> None:
        """Hand something over."""
        try:
            stream = _open(self._process.stdin)
            stream.write(content)
            stream.flush()
        except BrokenPipeError:  # it has ended, and its last answer says why
            self.answer("")
            raise self._death() from None

    def _death(self) -> StoppedError:
        self._process.kill()
        status = self._process.wait()
        if self._late.is_set() or status == -signal.SIGXCPU:
            most = f"{self._limits.seconds:g} s"
            return StoppedError(
                (f"it did not finish in {most}", f"an end within {most}", "Make it faster.")
            )
        return StoppedError(
            (
                f"it made its process end with status {status}",
                f"what can be handled within {self._limits.memory:g} GiB of memory",
                "Write it again, or make it smaller.",
            )
        )


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def _threads() -> int:
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) else len(os.sched_getaffinity(0))
