"""Conditions of measurement, which change the samples of a set; one module a condition."""

from dataclasses import dataclass

from sgbench.conditions._condition import ConditionKind, decimal
from sgbench.conditions.thermal import THERMAL
from sgbench.diffraction import Samples
from sgbench.errors import SgbenchError

__all__ = ["CONDITIONS", "Condition", "ConditionKind", "decimal"]

#: What can be done to samples, by name.
CONDITIONS = {kind.name: kind for kind in (THERMAL,)}


@dataclass(frozen=True)
class Condition:
    """A kind of condition and its severity; prints as names of sets have it: ``thermal-2``."""

    name: str
    severity: float

    def __post_init__(self) -> None:
        kind = CONDITIONS.get(self.name)
        if kind is None:
            raise SgbenchError(
                f"unknown condition '{self.name}'; expected one of {', '.join(CONDITIONS)}. "
                "Choose one."
            )
        if not 0 < self.severity <= kind.largest:
            raise SgbenchError(
                f"the condition {self.name} of {self.severity:g} {kind.unit} is out of range; "
                f"expected more than 0 and at most {kind.largest:g}. Choose another severity."
            )

    def __str__(self) -> str:
        return f"{self.name}-{decimal(self.severity)}"

    def describe(self) -> str:
        """Say what it does, and how much."""
        kind = CONDITIONS[self.name]
        return f"{kind.text} ({self.severity:g} {kind.unit})"

    def apply(self, samples: Samples) -> Samples:
        """Return the changed samples."""
        return CONDITIONS[self.name].apply(samples, self.severity)
