"""Conditions of measurement, which change the samples of a set; one module a condition."""

import re
from dataclasses import dataclass

from sgbench.conditions._amount import Amount
from sgbench.conditions._condition import ConditionKind, decimal
from sgbench.conditions.absorption import CAPILLARY, PLATE, ROUGHNESS
from sgbench.conditions.asymmetry import ASYMMETRY
from sgbench.conditions.background import BACKGROUND, HUMP, SCATTER, SLOPE
from sgbench.conditions.broadening import SIZE, STRAIN
from sgbench.conditions.caglioti import CAGLIOTI
from sgbench.conditions.displacement import DISPLACEMENT
from sgbench.conditions.impurity import IMPURITY
from sgbench.conditions.mixtures import LABORATORY, MONOCHROMATED, SYNCHROTRON
from sgbench.conditions.noise import COUNTS, EXPOSURE, NOISE, READOUT
from sgbench.conditions.polarisation import POLARISATION
from sgbench.conditions.recording import COARSE, END, GAP, SATURATION, START
from sgbench.conditions.shift import SHIFT
from sgbench.conditions.texture import TEXTURE
from sgbench.conditions.thermal import THERMAL
from sgbench.conditions.transparency import TRANSPARENCY
from sgbench.conditions.tube import BETA, DOUBLET, STRIPPED, TUNGSTEN
from sgbench.conditions.wavelength import WAVELENGTH
from sgbench.conditions.width import MIXING, VOIGT, WIDTH
from sgbench.diffraction import Samples
from sgbench.errors import SgbenchError

__all__ = [
    "CONDITIONS",
    "Amount",
    "Condition",
    "ConditionKind",
    "decimal",
    "every_condition",
    "severities",
]

#: What can be done to samples, by name, in the order in which it happens.
CONDITIONS = {
    kind.name: kind
    for kind in (
        THERMAL,
        TEXTURE,
        IMPURITY,
        POLARISATION,
        ROUGHNESS,
        PLATE,
        CAPILLARY,
        WIDTH,
        CAGLIOTI,
        VOIGT,
        MIXING,
        SIZE,
        STRAIN,
        DOUBLET,
        STRIPPED,
        BETA,
        TUNGSTEN,
        WAVELENGTH,
        DISPLACEMENT,
        TRANSPARENCY,
        SHIFT,
        ASYMMETRY,
        BACKGROUND,
        SLOPE,
        SCATTER,
        HUMP,
        COUNTS,
        EXPOSURE,
        NOISE,
        READOUT,
        SATURATION,
        COARSE,
        GAP,
        START,
        END,
        LABORATORY,
        MONOCHROMATED,
        SYNCHROTRON,
    )
}


_NAME = re.compile(r"(?P<name>[a-z]+)(-(?P<severity>\d+(?:\.\d+)?))?")


@dataclass(frozen=True)
class Condition:
    """A kind of condition and its severity; prints as names of sets have it: ``thermal-2``.

    Attributes
    ----------
    name : str
        One of `CONDITIONS`.
    severity : float or None
        How much of it; None for a mixture, which draws how much of each of its conditions.
    """

    name: str
    severity: float | None = None

    def __post_init__(self) -> None:
        kind = CONDITIONS.get(self.name)
        if kind is None:
            raise SgbenchError(
                f"unknown condition '{self.name}'; expected one of {', '.join(CONDITIONS)}. "
                "Choose one."
            )
        if (self.severity is None) == bool(kind.severities):
            example = f"-{decimal(kind.severities[2])}" if kind.severities else ""
            raise SgbenchError(
                f"the condition {self.name} is written {'with' if example else 'without'} a "
                f"severity; expected a name such as {self.name}{example}. Mend the name."
            )
        if self.severity is not None and not kind.least < self.severity <= kind.largest:
            raise SgbenchError(
                f"the condition {self.name} of {self.severity:g} {kind.unit} is out of range; "
                f"expected more than {kind.least:g} and at most {kind.largest:g}. Choose another "
                "severity."
            )

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Return the condition of a name such as ``thermal-2`` or ``laboratory``.

        Raises
        ------
        SgbenchError
            If there is no such condition, or its severity is no plain number, missing or out of
            range.
        """
        written = _NAME.fullmatch(text)
        if written:
            severity = written["severity"]
            return cls(written["name"], None if severity is None else float(severity))
        name = re.split("[^a-z]", text, maxsplit=1)[0]
        kind = CONDITIONS.get(name)
        if kind is None:
            raise SgbenchError(
                f"unknown condition '{text}'; expected one of {', '.join(CONDITIONS)}. Choose one."
            )
        example = f"{name}-{decimal(kind.severities[2])}" if kind.severities else name
        raise SgbenchError(
            f"'{text}' states no severity in plain digits; expected a name such as {example}. "
            "Mend the name."
        )

    def __str__(self) -> str:
        return self.name if self.severity is None else f"{self.name}-{decimal(self.severity)}"

    def describe(self) -> str:
        """Say what it does, and how much."""
        kind = CONDITIONS[self.name]
        amount = "" if self.severity is None else f" ({self.severity:g} {kind.unit})"
        return f"{kind.text}{amount}"

    def identity(self) -> str:
        """Return a text that changes with whatever changes what it does."""
        return f"{self}: {CONDITIONS[self.name].identity()}"

    def apply(self, samples: Samples) -> Samples:
        """Return the changed samples."""
        amount = Amount.fixed(0.0 if self.severity is None else self.severity)
        return CONDITIONS[self.name].apply(samples, amount)


def severities(name: str) -> tuple[Condition, ...]:
    """Return a condition of the catalogue at each of its severities, the mildest first.

    A mixture has none, and is returned alone.
    """
    return tuple(Condition(name, severity) for severity in CONDITIONS[name].severities or (None,))


def every_condition() -> tuple[Condition, ...]:
    """Return each condition of the catalogue at each of its severities, and each mixture."""
    return tuple(condition for name in CONDITIONS for condition in severities(name))
