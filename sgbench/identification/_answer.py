"""What `identify` answers: values that text, JSON and page are made from."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sgbench.identification._network import NetworkAnswer
from sgbench.measured import MeasuredPattern

#: A class has at least `LEAST`, several classes share it, or nothing can be said.
Verdict = Literal["one class", "several classes", "cannot tell"]
#: Whether a line is there: `hidden` where lines that the class allows lie on top of it.
State = Literal["there", "absent", "hidden"]

#: The probability from which on a class is named as the answer.
LEAST = 0.9


@dataclass(frozen=True)
class Spacegroup:
    """A space group of a class, and how often known structures have it.

    Attributes
    ----------
    number : int
    symbol : str
    known : int
        Minerals that have it.
    share : float or None
        Of the minerals of its class; None where the class has none.
    """

    number: int
    symbol: str
    known: int
    share: float | None


@dataclass(frozen=True)
class Line:
    """A line of the cell, as a class has it.

    Attributes
    ----------
    hkl : tuple of int
        In the setting of the class.
    two_theta : float
        Degrees, where the pattern has it.
    d : float
        Ångström.
    allowed : bool
    state : {'there', 'absent', 'hidden'}
    intensity, uncertainty : float
        Fitted integrated intensity and its standard uncertainty, in percent of the strongest.
    """

    hkl: tuple[int, int, int]
    two_theta: float
    d: float
    allowed: bool
    state: State
    intensity: float
    uncertainty: float


@dataclass(frozen=True)
class Against:
    """What tells a class from the most probable one.

    Attributes
    ----------
    lines : int
        Lines that one of them allows and the other forbids.
    hidden : int
        How many of these lie under others, so that they tell nothing.
    missing : tuple of int
        Places in `Evidence.lines` of those that the class allows and that are not there.
    """

    lines: int
    hidden: int
    missing: tuple[int, ...]


@dataclass(frozen=True)
class Evidence:
    """The lines of the cell, as a class has them.

    Attributes
    ----------
    cell : tuple of float
        a, b, c, α, β, γ on the axes of the class.
    lines : tuple of Line
        By angle.
    against_first : Against or None
        None for the most probable class that has a cell, and where the cells differ.
    """

    cell: tuple[float, ...]
    lines: tuple[Line, ...]
    against_first: Against | None

    def of(self, allowed: bool, state: State) -> tuple[Line, ...]:
        """Return the lines that are allowed or forbidden, and in a state."""
        return tuple(line for line in self.lines if (line.allowed, line.state) == (allowed, state))


@dataclass(frozen=True)
class ClassAnswer:
    """An extinction class with its probability.

    Attributes
    ----------
    family, symbol : str
    probability : float
    decoder : float
        What the decoder says by itself; 0 where it found no cell of the family.
    network : float or None
        What the network says by itself; None where it was not asked.
    conditions : tuple of str
        Reflection conditions, in the setting of the class.
    spacegroups : tuple of Spacegroup
        The ones that most minerals have first.
    cell : int or None
        Which of the cells it was judged on; None where no cell of the family was found.
    evidence : Evidence or None
        Of the leading classes alone.
    """

    family: str
    symbol: str
    probability: float
    decoder: float
    network: float | None
    conditions: tuple[str, ...]
    spacegroups: tuple[Spacegroup, ...]
    cell: int | None
    evidence: Evidence | None


@dataclass(frozen=True)
class Cell:
    """A cell that explains the lines that were found.

    Attributes
    ----------
    family : str
    cell, uncertainty : tuple of float
        a, b, c in ångström and α, β, γ in degrees, with standard uncertainties.
    volume : float
        Cubic ångström.
    zero : float
        Shift of 2θ that suits it, in degrees.
    m20, f_n : float
        Figures of merit: de Wolff (1968), J. Appl. Cryst. 1, 108; Smith & Snyder (1979), J. Appl.
        Cryst. 12, 60.
    explained, found : int
        Lines of the pattern that it explains, of how many.
    goodness : float
        Of the fit of the whole pattern: the root of the mean squared deviation in σ, 1 at best.
    probability : float
        What all cells together leave of 1 is the chance that it is none of them.
    """

    family: str
    cell: tuple[float, ...]
    uncertainty: tuple[float, ...]
    volume: float
    zero: float
    m20: float
    f_n: float
    explained: int
    found: int
    goodness: float
    probability: float


@dataclass(frozen=True)
class Peak:
    """A line that was found in the pattern.

    Attributes
    ----------
    two_theta, uncertainty : float
        Degrees; of Kα₁ where there are two.
    height : float
        Above the background, in percent of the highest.
    fwhm : float
        Degrees.
    explained : bool
        Whether the first cell has a line there.
    """

    two_theta: float
    uncertainty: float
    height: float
    fwhm: float
    explained: bool


@dataclass(frozen=True, eq=False)
class Fit:
    """The first cell's fit to the whole pattern.

    Attributes
    ----------
    two_theta, fitted, background : ndarray of float64, shape (n,)
    """

    two_theta: NDArray[np.float64]
    fitted: NDArray[np.float64]
    background: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Identification:
    """The answer for one measured pattern.

    Attributes
    ----------
    name : str
        Of the file; empty for arrays.
    verdict : {'one class', 'several classes', 'cannot tell'}
    summary : str
        The answer in a sentence.
    doubts : tuple of str
        Why nothing can be said, or what speaks against the answer.
    classes : tuple of ClassAnswer
        The most probable first; not to be leaned on where the verdict is ``cannot tell``.
    cells : tuple of Cell
        The best first.
    peaks : tuple of Peak
    searched, not_searched : tuple of str
        Crystal families whose cells were looked for, and those whose were not, or not to the end.
    network : NetworkAnswer
        Which network had a say, or why it had none.
    pattern : MeasuredPattern
    fit : Fit or None
    """

    name: str
    verdict: Verdict
    summary: str
    doubts: tuple[str, ...]
    classes: tuple[ClassAnswer, ...]
    cells: tuple[Cell, ...]
    peaks: tuple[Peak, ...]
    searched: tuple[str, ...]
    not_searched: tuple[str, ...]
    network: NetworkAnswer
    pattern: MeasuredPattern
    fit: Fit | None

    def __str__(self) -> str:
        """Return the answer as a table for a terminal."""
        from sgbench.identification._text import answer_text

        return answer_text(self)

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON holds; `identification.schema.json` says what each key is.

        The points of the pattern and of the fit are not in it.
        """
        pattern = self.pattern
        return {
            "schema": SCHEMA,
            "name": self.name,
            "verdict": self.verdict,
            "summary": self.summary,
            "doubts": list(self.doubts),
            "pattern": {
                "format": pattern.format,
                "from": float(pattern.two_theta[0]),
                "to": float(pattern.two_theta[-1]),
                "step": pattern.step,
                "points": len(pattern),
                "wavelengths": [asdict(one) for one in pattern.wavelengths],
                "notes": list(pattern.notes),
                "metadata": dict(pattern.metadata),
            },
            "searched": list(self.searched),
            "not_searched": list(self.not_searched),
            "network": {"name": self.network.name, "not_asked": self.network.not_asked},
            "classes": [_rounded(asdict(one)) for one in self.classes],
            "cells": [_rounded(asdict(one)) for one in self.cells],
            "peaks": [_rounded(asdict(one)) for one in self.peaks],
        }


#: Name and version of what `Identification.as_dict` returns.
SCHEMA = "sgbench-identification/1"


def _rounded(value: Any) -> Any:
    """Return a value as JSON has it: finite numbers of seven digits, lists, and null for none."""
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.7g}") if np.isfinite(value) else None
    return value
