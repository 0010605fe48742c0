"""A condition of measurement: what it does to samples, and how much of it there is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sgbench.conditions._amount import Amount
from sgbench.diffraction import SIGMA_OF_WIDTH, LineList, Profile, Recording, Samples
from sgbench.errors import SgbenchError

_Value = TypeVar("_Value", bound=np.generic)


@dataclass(frozen=True)
class ConditionKind:
    """A way in which measuring changes samples.

    Attributes
    ----------
    name : str
        Lower-case letters.
    unit : str
        Of the severity.
    text : str
        What it does, in a few words.
    source : str
        Where its formula is published.
    severities : tuple of float
        The five that curves are drawn over, the mildest first; empty for a mixture, which has none.
    least, largest : float
        Severities are above the one and at most the other.
    apply : callable
        Takes samples and an `Amount`, and returns the changed samples. What is random in it is
        keyed by `Samples.ids`, so that neither batch nor order matters.
    version : int
        Any change of what it does, or of its severities, raises it.
    parts : tuple of (ConditionKind, Amount)
        What a mixture consists of, in this order; empty for all others.
    designed_only : bool
        Whether its severity means something for designed sets only.
    """

    name: str
    unit: str
    text: str
    source: str
    severities: tuple[float, ...]
    least: float
    largest: float
    apply: Callable[[Samples, Amount], Samples]
    version: int = 1
    parts: "tuple[tuple[ConditionKind, Amount], ...]" = ()
    designed_only: bool = False

    def identity(self) -> str:
        """Return a text that changes with whatever changes what it does."""
        parts = "; ".join(f"{kind.identity()}: {amount}" for kind, amount in self.parts)
        return f"{self.name} version {self.version}" + (f" ({parts})" if parts else "")


def lines_of(samples: Samples, condition: str) -> LineList:
    """Return the lines of samples, for a condition that changes lines.

    Raises
    ------
    SgbenchError
        If the samples are patterns.
    """
    if samples.lines is None:
        raise SgbenchError(
            f"the condition '{condition}' changes lines, and these samples are patterns; expected "
            "samples with lines. Leave the condition out."
        )
    return samples.lines


def by_line(lines: LineList, values: NDArray[_Value]) -> NDArray[_Value]:
    """Return a value of each sample, shape (n,), at each of its lines, shape (n_lines,)."""
    return np.repeat(values, np.diff(lines.offsets))


def times(samples: Samples, lines: LineList, factor: NDArray[np.float64]) -> Samples:
    """Return samples with these lines, whose intensities are multiplied by a factor each."""
    intensity = (lines.intensity * factor).astype(np.float32)
    return replace(samples, lines=replace(lines, intensity=intensity))


def profile_of(samples: Samples, lines: LineList) -> Profile:
    """Return the widths of lines: their own, or those of the protocol."""
    if lines.profile is not None:
        return lines.profile
    width = np.full(len(lines.two_theta), samples.protocol.sigma / SIGMA_OF_WIDTH, np.float32)
    return Profile(width, np.zeros_like(width))


def recorded(samples: Samples, recording: Recording) -> Samples:
    """Return samples to whose patterns one more thing is done."""
    return replace(samples, recorded=(*samples.recorded, recording))


def decimal(value: float) -> str:
    """Return a number as names of sets have it: all its digits, and no exponent."""
    return np.format_float_positional(value, trim="-")
