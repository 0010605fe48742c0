"""Where a training stands."""

from dataclasses import dataclass


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
