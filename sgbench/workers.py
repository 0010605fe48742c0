"""Worker processes that answer requests over pipes, so that what crashes or hangs costs one answer.

A worker is a module run as ``python -m MODULE`` that reads one JSON request a line from standard
input and writes one JSON answer a line to standard output (see `serve`). Plain subprocesses and not
multiprocessing: that would import the caller's main module first, and cctbx must be imported before
anything else.

Only an answer is data. A request whose process died is asked once more in a fresh one, so what ends
processes from outside (a lack of memory, a scheduler, a person) changes no answer.

No library does that. A pool of pebble (5.2) breaks when a worker dies that was idle, since its
workers share one pipe and its lock. One of loky (3.7) breaks with any death, and its requests have
no time limit.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from typing import Any

from sgbench.errors import SgbenchError

# Requests in flight for each worker: enough that none waits, few enough to hold little.
_QUEUED_PER_WORKER = 4

#: Keys of the answers that the pool gives in a worker's stead.
CRASHED, TIMED_OUT, KILLED = "crashed", "timed_out", "killed"

# A process that dies in the same way this often on one request does so again.
_TRIES = 2

# Signals that a process brings upon itself by what it computes.
_FAULTS = {
    signal.SIGSEGV.value,
    signal.SIGBUS.value,
    signal.SIGFPE.value,
    signal.SIGILL.value,
    signal.SIGABRT.value,
}


def answers_in_order(
    module: str,
    requests: Iterable[dict[str, Any]],
    workers: int = 1,
    time_limit: float | None = None,
) -> Generator[dict[str, Any]]:
    """Answer requests in the order given, by worker processes.

    Parameters
    ----------
    module : str
        Module of the worker, e.g. ``sgbench.cctbx_worker``.
    requests : iterable of dict
        Anything that JSON holds.
    workers : int
        Processes.
    time_limit : float, optional
        Seconds for one request, after which its worker is killed.

    Yields
    ------
    dict
        The worker's answer, or what came of two tries in two processes instead:
        ``{"crashed": signal}`` if both ended by a fault such as a segmentation fault,
        ``{"timed_out": seconds}`` if both took too long, and ``{"killed": last words}`` if both
        ended in another way. The last says nothing about the request: it must not become data.
        A worker itself answers ``{"crashed": exception}`` where its calculation raises.

    Raises
    ------
    SgbenchError
        If no worker is asked for, or workers cannot be started at all.
    """
    if workers < 1:
        raise SgbenchError(f"{workers} workers cannot compute anything. Ask for at least one.")
    source = iter(requests)
    idle: SimpleQueue[_Worker] = SimpleQueue()
    everyone = [_Worker(module) for _ in range(workers)]
    for worker in everyone:
        idle.put(worker)
    pool = ThreadPoolExecutor(workers)

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        worker = idle.get()
        try:
            return worker.ask(request, time_limit)
        finally:
            idle.put(worker)

    try:
        in_flight: deque[Future[dict[str, Any]]] = deque(
            pool.submit(answer, request) for request in islice(source, workers * _QUEUED_PER_WORKER)
        )
        while in_flight:
            result = in_flight.popleft().result()
            in_flight.extend(pool.submit(answer, request) for request in islice(source, 1))
            yield result
    finally:
        for worker in everyone:
            worker.stop()
        pool.shutdown(cancel_futures=True)
        for worker in everyone:
            worker.close()


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer requests from standard input until it ends; the main loop of a worker."""
    # cctbx turns a fault into an exit with status 1, as if it had ended on purpose.
    for fault in _FAULTS:
        signal.signal(fault, signal.SIG_DFL)
    # Whatever a library prints must not be taken for an answer, so it goes to standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    answers.write(json.dumps({"ready": os.getpid()}) + "\n")
    answers.flush()
    for line in sys.stdin:
        try:
            said = answer(json.loads(line))
        except (MemoryError, OSError):  # of the machine and not of the request: not an answer
            raise
        except Exception as error:
            said = {CRASHED: f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(said) + "\n")
        answers.flush()


@dataclass(frozen=True)
class _Death:
    """How a process ended: `kind` is the key of the pool's answer, and `value` what it says."""

    kind: str
    value: Any


class _Worker:
    """A subprocess that answers one request at a time and is started again when it dies."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._stopped = False
        self._starting = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def ask(self, request: dict[str, Any], time_limit: float | None) -> dict[str, Any]:
        """Return the answer to a request, or in which way processes died twice of it.

        Raises
        ------
        SgbenchError
            If a process cannot be started.
        """
        deaths: Counter[str] = Counter()
        while True:
            answer = self._try(request, time_limit)
            if not isinstance(answer, _Death):
                return answer
            deaths[answer.kind] += 1
            if deaths[answer.kind] == _TRIES:
                return {answer.kind: answer.value}

    def _try(self, request: dict[str, Any], time_limit: float | None) -> dict[str, Any] | _Death:
        process = self._process
        if process is not None and process.poll() is not None:  # it died while nothing was asked
            self._discard(process)
            process = None
        process = process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(time_limit, end) if time_limit else None
        if timer:
            timer.start()
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
        except (OSError, ValueError):
            death = self._bury(process)
            return _Death(TIMED_OUT, time_limit) if late.is_set() else death
        finally:
            if timer:
                timer.cancel()
                timer.join()
        if late.is_set():  # the answer came in the moment in which its worker was killed
            self._discard(process)
        assert isinstance(answer, dict)
        return answer

    def stop(self) -> None:
        """End the process for good, whatever it is doing."""
        with self._starting:
            self._stopped = True
            process = self._process
        if process is not None:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Close its pipes, once nobody waits for an answer any more."""
        if self._process is not None:
            self._discard(self._process)

    def _start(self) -> subprocess.Popen[str]:
        for _ in range(_TRIES):
            process = self._spawn()
            assert process.stdout is not None
            if process.stdout.readline():
                return process
            death = self._bury(process)
            if process.returncode >= 0:
                break
        raise SgbenchError(
            f"a worker process did not start ({death.value}); expected 'python -m {self._module}' "
            "to run. Check that its packages are installed and that memory suffices."
        )

    def _spawn(self) -> subprocess.Popen[str]:
        with self._starting:
            if self._stopped:
                raise SgbenchError("the workers were stopped. Start again.")
            # A file, since a pipe that nobody reads would block the worker once it is full.
            self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the process)
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", self._module],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._complaints,
                    # The processes are the parallelism.
                    env=os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
                    encoding="utf-8",
                    # Ctrl-C is for the caller, who ends the workers; what it did to them must not
                    # be taken for an answer.
                    process_group=0,
                )
            except OSError as error:
                self._complaints.close()
                raise SgbenchError(
                    f"a worker process could not be started ({error.strerror}); expected room for "
                    "one more. Ask for fewer workers."
                ) from error
            return self._process

    def _bury(self, process: subprocess.Popen[str]) -> _Death:
        """Discard a process whose output has ended, and say how it died."""
        try:  # it is about to exit, with a status that says why
            status = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        self._discard(process)
        if -status in _FAULTS:  # what is said of it may hold addresses, so it is no data
            return _Death(CRASHED, signal.Signals(-status).name)
        if status < 0:
            return _Death(KILLED, signal.strsignal(-status))
        return _Death(KILLED, said[-1] if said else f"exit status {status}")

    def _discard(self, process: subprocess.Popen[str]) -> None:
        process.kill()
        process.wait()
        self._process = None
        for stream in (process.stdin, process.stdout, self._complaints):
            assert stream is not None
            with suppress(BrokenPipeError):  # what was not yet flushed has no reader any more
                stream.close()
