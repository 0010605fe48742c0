"""Worker processes that answer requests over pipes, so that what crashes or hangs costs one answer.

A worker is a module run as ``python -m MODULE`` that reads one JSON request a line from standard
input and writes one JSON answer a line to standard output (see `serve`). Plain subprocesses and not
multiprocessing: that would import the caller's main module first, and cctbx must be imported before
anything else.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from queue import SimpleQueue
from typing import Any

from sgbench.errors import SgbenchError

# Requests in flight for each worker: enough that none waits, few enough to hold little.
_QUEUED_PER_WORKER = 4

#: Keys of the answers that the pool gives in a worker's stead.
CRASHED, TIMED_OUT = "crashed", "timed_out"


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
        The worker's answer; ``{"crashed": last words}`` where the process died on a request, and
        ``{"timed_out": seconds}`` where it took too long. A fresh worker takes the next request.

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
    # Whatever a library prints must not be taken for an answer, so it goes to standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    answers.write(json.dumps({"ready": os.getpid()}) + "\n")
    answers.flush()
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


class _Worker:
    """A subprocess that answers one request at a time and is started again when it dies."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._stopped = False
        self._starting = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def ask(self, request: dict[str, Any], time_limit: float | None) -> dict[str, Any]:
        """Return the answer to a request, or what became of the process instead.

        Raises
        ------
        SgbenchError
            If the process cannot be started.
        """
        process = self._process or self._start()
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
            words = self._last_words(process)
            self._discard(process)
            return {TIMED_OUT: time_limit} if late.is_set() else {CRASHED: words}
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
        with self._starting:
            if self._stopped:
                raise SgbenchError("the workers were stopped. Start again.")
            # A file, since a pipe that nobody reads would block the worker once it is full.
            self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the process)
            try:
                process = self._process = subprocess.Popen(
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
        assert process.stdout is not None
        if not process.stdout.readline():
            words = self._last_words(process)
            self._discard(process)
            raise SgbenchError(
                f"a worker process did not start ({words}); expected 'python -m {self._module}' to "
                "run. Check that its packages are installed and that memory suffices."
            )
        return process

    def _discard(self, process: subprocess.Popen[str]) -> None:
        process.kill()
        process.wait()
        self._process = None
        for stream in (process.stdin, process.stdout, self._complaints):
            assert stream is not None
            with suppress(BrokenPipeError):  # what was not yet flushed has no reader any more
                stream.close()

    def _last_words(self, process: subprocess.Popen[str]) -> str:
        try:  # its output has ended, so it is about to exit, with a status that says why
            status = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else f"exit status {status}"
