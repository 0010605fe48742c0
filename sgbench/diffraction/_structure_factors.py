"""Lines of crystal structures: structure factors from worker processes, summed line by line."""

import json
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from sgbench.diffraction._lines import lorentz_factor, two_theta_of
from sgbench.diffraction._protocol import PatternProtocol
from sgbench.errors import SgbenchError

NO_LINE = "no line in the window"

#: Reflections whose 1/d^2 agree to this relative difference are one line.
SAME_LINE = 1e-7

# Reflections that a structure happens to extinguish (diamond's 222) come out of floating point at
# some 1e-30 of the strongest; what survives this cut is signal, not rounding that differs between
# machines.
_FAINTEST = 1e-12

_COMMAND = ("-m", "sgbench.cctbx_worker")

# Structures in flight for each worker: enough that none waits, few enough to hold little.
_QUEUED_PER_WORKER = 4


class AsymmetricUnit(Protocol):
    """What of a structure decides its lines."""

    @property
    def structure_id(self) -> str:
        """Name that results are returned under."""

    @property
    def cell(self) -> NDArray[np.float64]:
        """Shape (6,): a, b, c in ångström, alpha, beta, gamma in degrees."""

    @property
    def operators(self) -> Sequence[str]:
        """All symmetry operators, such as ``-x,1/2+y,-z``."""

    @property
    def elements(self) -> Sequence[str]:
        """Element of each site."""

    @property
    def positions(self) -> NDArray[np.float64]:
        """Shape (n_sites, 3), fractional."""


class CrystalLines(NamedTuple):
    """Lines of one structure: two_theta in degrees (ascending), intensity in arbitrary units."""

    structure_id: str
    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float32]


class Failure(NamedTuple):
    """Why a structure has no lines."""

    structure_id: str
    reason: str


def structure_factor_lines(
    structures: Iterable[AsymmetricUnit],
    protocol: PatternProtocol,
    workers: int = 1,
    progress: bool = False,
) -> Iterator[CrystalLines | Failure]:
    """Compute the lines of structures, in the order given.

    The intensity of a line is the sum, over all its reflections, of multiplicity times squared
    structure factor, times the Lorentz factor. `sgbench.cctbx_worker` says which form factors.

    Parameters
    ----------
    structures : iterable of AsymmetricUnit
    protocol : PatternProtocol
        Wavelength and window; reflections are complete to where they stop touching it.
    workers : int
        Processes.
    progress : bool
        Whether to show a progress bar.

    Yields
    ------
    CrystalLines or Failure

    Raises
    ------
    SgbenchError
        If the protocol limits Miller indices, no worker is asked for, or a worker dies.
    """
    if protocol.hkl_limit is not None:
        raise SgbenchError(
            f"the protocol '{protocol.name}' limits Miller indices, but lines of structures are "
            "complete. Use a protocol without hkl_limit, such as 'canonical'."
        )
    if workers < 1:
        raise SgbenchError(f"{workers} workers cannot compute anything. Ask for at least one.")
    return _in_order(structures, protocol, workers, progress)


def sum_lines(
    q: ArrayLike, power: ArrayLike, protocol: PatternProtocol
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Merge reflections of equal spacing and apply the Lorentz factor.

    Parameters
    ----------
    q : array_like, shape (n,)
        1/d^2 of reflections in 1/ångström^2.
    power : array_like, shape (n,)
        Multiplicity times squared structure factor.
    protocol : PatternProtocol

    Returns
    -------
    two_theta : ndarray of float64, shape (n_lines,)
        Degrees, ascending.
    intensity : ndarray of float32, shape (n_lines,)
    """
    q_values = np.asarray(q, dtype=np.float64)
    if not len(q_values):
        return np.empty(0), np.empty(0, np.float32)
    order = np.argsort(q_values, kind="stable")
    q_values, powers = q_values[order], np.asarray(power, dtype=np.float64)[order]
    first = np.flatnonzero(np.diff(q_values, prepend=-1.0) > SAME_LINE * q_values)
    line_power = np.add.reduceat(powers, first)
    two_theta = two_theta_of(q_values[first], protocol.wavelength)
    shown = line_power > _FAINTEST * line_power.max()
    intensity = line_power * lorentz_factor(two_theta)
    return two_theta[shown], intensity[shown].astype(np.float32)


def _in_order(
    structures: Iterable[AsymmetricUnit], protocol: PatternProtocol, workers: int, progress: bool
) -> Iterator[CrystalLines | Failure]:
    source = iter(structures)
    total = len(structures) if isinstance(structures, Sequence) else None
    idle: SimpleQueue[_Worker] = SimpleQueue()
    everyone: list[_Worker] = []
    pool = ThreadPoolExecutor(workers)

    def compute(structure: AsymmetricUnit) -> CrystalLines | Failure:
        worker = idle.get()
        try:
            answer = worker.ask(_request(structure, protocol))
        finally:
            idle.put(worker)
        return _result(structure.structure_id, answer, protocol)

    bar = tqdm(total=total, desc="structure factors", unit="structure", disable=not progress)
    try:
        for _ in range(workers):
            everyone.append(_Worker())
            idle.put(everyone[-1])
        in_flight: deque[Future[CrystalLines | Failure]] = deque(
            pool.submit(compute, s) for s in islice(source, workers * _QUEUED_PER_WORKER)
        )
        while in_flight:
            result = in_flight.popleft().result()
            in_flight.extend(pool.submit(compute, s) for s in islice(source, 1))
            bar.update()
            yield result
    finally:
        for worker in everyone:
            worker.stop()
        pool.shutdown(cancel_futures=True)
        for worker in everyone:
            worker.close()
        bar.close()


class _Worker:
    """A subprocess that answers one request at a time."""

    def __init__(self) -> None:
        # A file, since a pipe that nobody reads would block the worker once it is full.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
        self._process = subprocess.Popen(
            [sys.executable, *_COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=os.environ | {"OMP_NUM_THREADS": "1"},  # the processes are the parallelism
            encoding="utf-8",
        )

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a request.

        Raises
        ------
        SgbenchError
            If the process has died or answers with something else.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        except (OSError, ValueError) as error:
            raise SgbenchError(
                f"the structure-factor worker died ({self._last_words()}); expected "
                "'python -m sgbench.cctbx_worker' to run. Check that cctbx-base is installed and "
                "that memory suffices."
            ) from error
        assert isinstance(answer, dict)
        return answer

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Close its pipes, once nobody waits for an answer any more."""
        for stream in (self._process.stdin, self._process.stdout, self._complaints):
            assert stream is not None
            with suppress(BrokenPipeError):  # what was not yet flushed has no reader any more
                stream.close()

    def _last_words(self) -> str:
        status = self._process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else f"exit status {status}"


def _request(structure: AsymmetricUnit, protocol: PatternProtocol) -> dict[str, Any]:
    lower, upper = np.radians(protocol.line_range)
    spacing = protocol.wavelength / 2
    return {
        "cell": [float(x) for x in structure.cell],
        "operators": list(structure.operators),
        "elements": list(structure.elements),
        "positions": np.asarray(structure.positions, dtype=np.float64).tolist(),
        "d_min": spacing / float(np.sin(upper / 2)),
        "d_max": spacing / float(np.sin(lower / 2)) if lower > 0 else None,
    }


def _result(
    structure_id: str, answer: dict[str, Any], protocol: PatternProtocol
) -> CrystalLines | Failure:
    if "error" in answer:
        return Failure(structure_id, f"cctbx: {answer['error']}")
    two_theta, intensity = sum_lines(answer["q"], answer["power"], protocol)
    if not len(two_theta):
        return Failure(structure_id, NO_LINE)
    return CrystalLines(structure_id, two_theta, intensity)
