"""The outside of a process that handles a stranger's file (see `_locked`)."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sgbench.errors import SgbenchError
from sgbench.submission._problems import shown

_LONGEST_LINE = 2**18
_MOST_TEMPORARY = 2**24
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
    walled : bool
        Whether it runs behind `walls` as well.
    """

    seconds: float = 600.0
    memory: float = 4.0
    walled: bool = False


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
        self._walls = walls([Path(request["path"])]) if limits.walled else []
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
            [*self._walls, sys.executable, "-P", "-m", self._module],
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
        # Behind walls, a signal that ended the process comes as 128 and its number.
        if self._late.is_set() or status in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
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


def walls(readable: Sequence[Path]) -> list[str]:
    """Return a command that runs another one in a root file system of its own.

    There is no network, no other process and nothing that can be written, but for an empty
    ``/tmp``. There are the packages of the distribution (``/usr``), this Python with its packages,
    sgbench, and the files named; nothing of ``/home``, ``/etc``, ``/var`` or the project.

    Parameters
    ----------
    readable : sequence of Path
        Files to be seen inside, where they lie outside.

    Returns
    -------
    list of str
        A ``bwrap`` command, to be followed by the one to run.

    Raises
    ------
    SgbenchError
        If bubblewrap is missing, or the kernel does not let it make namespaces.
    """
    command = shutil.which("bwrap")
    if command is None:
        raise SgbenchError(
            "there is no bwrap, which keeps a stranger's model from network and files; expected "
            "bubblewrap. Install it from your distribution's packages."
        )
    package = Path(__file__).parents[1]
    seen = dict.fromkeys([sys.prefix, sys.base_prefix, str(package), *map(str, readable)])
    found = [command, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    found += ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib64"):
        found += (
            ["--symlink", f"usr/{name}", f"/{name}"]
            if Path(f"/{name}").is_symlink()
            else ["--ro-bind-try", f"/{name}", f"/{name}"]
        )
    found += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    found += ["--proc", "/proc", "--dev", "/dev"]
    found += ["--size", str(_MOST_TEMPORARY), "--tmpfs", "/tmp", "--chdir", "/tmp"]
    for path in seen:
        if not path.startswith("/usr/"):
            found += ["--ro-bind", path, path]
    found += ["--setenv", "PYTHONPATH", str(package.parent), "--remount-ro", "/", "--"]
    tried = subprocess.run([*found, "/bin/true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise SgbenchError(
            f"bwrap cannot build its walls here ({shown(tried.stderr.strip())}); expected a kernel "
            "that lets it make namespaces. Run this on such a machine."
        )
    return found


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def _threads() -> int:
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) else len(os.sched_getaffinity(0))
