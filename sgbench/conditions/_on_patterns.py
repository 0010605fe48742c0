"""Conditions that act on patterns, once lines have become points."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgbench.conditions._amount import Amount, words
from sgbench.conditions._condition import ConditionKind, recorded
from sgbench.diffraction import PatternProtocol, Recording, Samples
from sgbench.philox import to_unit


@dataclass(frozen=True)
class Doing:
    """What a change of patterns may depend on, beside the patterns.

    Attributes
    ----------
    samples : Samples
        Those that the patterns are of.
    amount : ndarray of float64, shape (n,)
        How much of the condition each of them has.
    stream : str
        For what is drawn: others in a mixture than alone.
    """

    samples: Samples
    amount: NDArray[np.float64]
    stream: str

    @property
    def protocol(self) -> PatternProtocol:
        """That of the samples."""
        return self.samples.protocol

    def drawn(self, count: int) -> NDArray[np.float64]:
        """Return numbers in (0, 1] of each sample, shape (n, count)."""
        return np.asarray(to_unit(words(self.samples.ids, self.stream, count)))


#: Takes patterns as an ndarray or a tensor, which it may write over, and returns changed ones.
Change = Callable[[Any, Doing], Any]


def on_patterns(
    name: str,
    unit: str,
    text: str,
    source: str,
    severities: tuple[float, ...],
    bounds: tuple[float, float],
    change: Change,
    version: int = 1,
    designed_only: bool = False,
) -> ConditionKind:
    """Return a condition that changes patterns where they have an amount other than 0."""
    least, largest = bounds
    return ConditionKind(
        name, unit, text, source, severities, least, largest,
        partial(_record, name, version, change), version, designed_only=designed_only,
    )  # fmt: skip


def _record(name: str, version: int, change: Change, samples: Samples, amount: Amount) -> Samples:
    what = f"{name} {amount} (version {version})"
    stream = "/".join([name, amount.stream] if amount.stream else [name])
    return recorded(samples, Recording(what, partial(_changed, change, amount, stream)))


def _changed(change: Change, amount: Amount, stream: str, patterns: Any, samples: Samples) -> Any:
    return change(patterns, Doing(samples, amount.of(samples.ids), stream))


def tops(patterns: Any) -> Any:
    """Return the strongest point of each pattern, shape (n, 1), of the patterns' kind."""
    if isinstance(patterns, np.ndarray):
        return patterns.max(axis=1, keepdims=True)
    return patterns.amax(dim=1, keepdim=True)


def like(patterns: Any, values: NDArray[Any]) -> Any:
    """Return values as an ndarray or as a tensor, whichever the patterns are, on their device."""
    if values.dtype == np.float64:
        values = values.astype(np.float32)
    if isinstance(patterns, np.ndarray):
        return values
    import torch

    return torch.as_tensor(values, device=patterns.device)
