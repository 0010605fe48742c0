"""A condition of measurement: what it does to samples, and how much of it there is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sgbench.diffraction import LineList, Samples
from sgbench.errors import SgbenchError


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
    largest : float
        Largest severity; the least is 0, which changes nothing.
    apply : callable
        Takes samples and a severity, and returns the changed samples. What is random in it must
        be keyed by `Samples.ids`, so that a batch does not matter.
    """

    name: str
    unit: str
    text: str
    source: str
    largest: float
    apply: Callable[[Samples, float], Samples]


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


def decimal(value: float) -> str:
    """Return a number as names of sets have it: all its digits, and no exponent."""
    return np.format_float_positional(value, trim="-")
