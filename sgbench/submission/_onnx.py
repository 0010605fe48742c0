"""`model.onnx` from strangers, run in a process of its own with limits on all that it could use."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sgbench.submission._description import Contract
from sgbench.submission._folder import MODEL, MOST_BYTES
from sgbench.submission._problems import Problem
from sgbench.submission._sandbox import Limits, Sandbox, StoppedError


@dataclass(frozen=True)
class Outputs:
    """What a model says.

    Attributes
    ----------
    values : ndarray of float32, shape (n, n_labels)
        As it gives them.
    patterns_per_second : float
        From the first pattern rendered to the last answer; loading the model does not count.
    """

    values: NDArray[np.float32]
    patterns_per_second: float


def run_model(
    folder: Path, contract: Contract, batches: Iterable[NDArray[np.float32]], limits: Limits
) -> tuple[Outputs | None, list[Problem]]:
    """Run a model over patterns.

    Parameters
    ----------
    folder : Path
        Holds ``model.onnx``.
    contract : Contract
    batches : iterable of ndarray of float32, shape (m, 8192)
        Patterns with maximum 1, at most `contract.batch_size` at once.
    limits : Limits

    Returns
    -------
    outputs : Outputs or None
        None if something is wrong.
    problems : list of Problem
    """
    shape = [contract.batch_size, *[1] * contract.channels, contract.n_points]
    request = {
        "path": str((folder / MODEL).absolute()),
        "most_bytes": MOST_BYTES[MODEL],
        "input": contract.input,
        "output": contract.output,
        "shape": shape,
        "n_labels": len(contract.labels),
    }
    with Sandbox("sgbench.submission._onnx_worker", request, limits) as model:
        try:
            model.start("ready")
            started = time.perf_counter()
            outputs = []
            waiting = 0
            for patterns in batches:  # the next are rendered while the model is at the last
                if waiting:
                    outputs.append(_receive(model, contract)[:waiting])
                _send(model, scaled(patterns, contract), contract)
                waiting = len(patterns)
            outputs.append(_receive(model, contract)[:waiting])
            seconds = time.perf_counter() - started
        except StoppedError as stopped:
            return None, [Problem(f"{folder.name}/{MODEL}", *words) for words in stopped.problems]
    values = np.concatenate(outputs)
    return Outputs(values, len(values) / seconds), []


def scaled(patterns: NDArray[np.float32], contract: Contract) -> NDArray[np.float32]:
    """Return patterns as a contract asks for them, shape (n, points) or (n, 1, points)."""
    pooled = patterns.reshape(len(patterns), contract.n_points, contract.max_pool).max(axis=2)
    if contract.scaling == "sqrt":
        pooled = np.sqrt(np.maximum(pooled, 0))  # noise goes below zero
    channels = (1,) * contract.channels
    return np.ascontiguousarray(pooled.reshape(len(patterns), *channels, -1), dtype="<f4")


def _send(model: Sandbox, patterns: NDArray[np.float32], contract: Contract) -> None:
    """Hand over a batch, filled up, since the model's shape may be fixed."""
    missing = contract.batch_size - len(patterns)
    filled = np.concatenate([patterns, np.repeat(patterns[-1:], missing, axis=0)])
    model.write(len(filled).to_bytes(8, "little") + filled.tobytes())


def _receive(model: Sandbox, contract: Contract) -> NDArray[np.float32]:
    """Return what a model says of the last batch, shape (batch_size, n_labels)."""
    model.answer("n")
    n_labels = len(contract.labels)
    content = model.read(4 * contract.batch_size * n_labels)
    return np.frombuffer(content, "<f4").reshape(-1, n_labels)
