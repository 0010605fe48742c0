"""Progress of a training: where it stands, and beside which ceiling."""

from typing import TYPE_CHECKING

from sgbench.progress import Task, in_words
from sgbench.text import percent

if TYPE_CHECKING:
    from sgbench.sets import TrainingSet
    from sgbench.training import Progress, Trained


class TrainingDisplay:
    """Shows steps and validations as a task.

    Parameters
    ----------
    task : Task
        Counts patterns.
    ceiling : float or None
        Fraction of space groups that the data allow, where that is known.
    """

    def __init__(self, task: Task, ceiling: float | None) -> None:
        self._task = task
        self._ceiling = ceiling
        self._validated = ""

    def step(self, patterns: int, loss: float) -> None:
        """Take note of how many patterns were trained on."""
        words = f"loss {loss:.3f}{self._validated}"
        self._task.advance(patterns - self._task.done, words)

    def report(self, progress: "Progress") -> None:
        """Take note of a validation."""
        told = accuracies(progress, self._ceiling)
        self._validated = f", {told}"
        words = f"loss {progress.train_loss:.3f}, validation loss {progress.validation_loss:.3f}"
        self._task.advance(0, f"{words}, {told}")
        self._task.say()


def accuracies(progress: "Progress", ceiling: float | None) -> str:
    """Return what a validation found, in percent, beside the ceiling."""
    most = "" if ceiling is None else f" of at most {percent(ceiling)}"
    return (
        f"space groups {percent(progress.top1)}{most} %, "
        f"classes {percent(progress.class_accuracy)} %"
    )


def label_ceiling(dataset: "TrainingSet") -> float | None:
    """Return the share of space groups that can be told, if the labels are coins in a class."""
    from sgbench.symmetry import Ceiling

    spec = dataset.spec
    return Ceiling.of_family(spec.family).top[0] if spec.labels_are_coins else None


def closing(trained: "Trained", ceiling: float | None) -> str:
    """Return what a training came to."""
    found = trained.provenance
    history = found["history"]
    said = f"trained on {found['train_patterns']:,} patterns in {in_words(found['train_seconds'])}"
    if not history:
        return said
    from sgbench.models import TrainingPlan
    from sgbench.training import Progress

    # Weights are chosen among those of the decay.
    constant = TrainingPlan(**found["plan"]).constant_steps
    validated = [Progress(**one) for one in history]
    chosen = [one for one in validated if one.step > constant]
    best = min(chosen or validated, key=lambda one: one.validation_loss)
    return f"{said}; on validation: {accuracies(best, ceiling)}"
