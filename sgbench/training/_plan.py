"""What a training is, and where it stands: plain data."""

import hashlib
import json
from dataclasses import asdict, dataclass

from sgbench.errors import SgbenchError


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that the weights of a trained network depend on.

    Attributes
    ----------
    model, dataset : str
        Names in the registries.
    patterns : int
        Training patterns, each drawn afresh from the training split.
    batch_size : int
    peak_rate : float
        Highest learning rate of the one-cycle schedule (Smith & Topin 2018, arXiv:1708.07120).
    warmup : float
        Share of the steps before the peak.
    seed : int
    validations : int
        How often to validate, evenly spread.
    validation_per_spacegroup : int
        Samples a space group of the validation split.
    patience : int
        Stop after so many validations without a better loss, though not before half of the steps,
        since networks often stay on a plateau at first; the best weights are kept.
    """

    model: str
    dataset: str
    patterns: int
    batch_size: int = 64
    peak_rate: float = 1e-3
    warmup: float = 0.1
    seed: int = 0
    validations: int = 20
    validation_per_spacegroup: int = 20
    patience: int = 8

    def __post_init__(self) -> None:
        counts = ("patterns", "batch_size", "validations", "validation_per_spacegroup", "patience")
        for name in counts:
            if getattr(self, name) < 1:
                raise SgbenchError(
                    f"{name} is {getattr(self, name)}; expected at least 1. Mend the plan."
                )
        if not (0 < self.peak_rate < 1 and 0 < self.warmup < 1):
            raise SgbenchError(
                f"peak_rate {self.peak_rate} and warmup {self.warmup} must lie between 0 and 1. "
                "Mend the plan."
            )

    @property
    def steps(self) -> int:
        """Optimizer steps; the last batch may hold a few patterns more than asked for."""
        return -(-self.patterns // self.batch_size)

    def sha256(self) -> str:
        """Return a SHA-256 that tells plans apart."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Progress:
    """One validation: where training stands.

    Attributes
    ----------
    step, patterns : int
    rate, train_loss, validation_loss : float
    top1, class_accuracy : float
        Fractions of validation samples whose space group, and whose extinction class, is right.
    patterns_per_second : float
    """

    step: int
    patterns: int
    rate: float
    train_loss: float
    validation_loss: float
    top1: float
    class_accuracy: float
    patterns_per_second: float
