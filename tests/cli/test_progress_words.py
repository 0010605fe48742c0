from dataclasses import asdict
from types import SimpleNamespace

from sgbench.cli._progress import closing
from sgbench.models import TrainingPlan
from sgbench.training import Progress

PLAN = TrainingPlan("fcn-wang2024", "ulbd-cubic", patterns=1000, batch_size=10, seed=0, decay=0.3)


def validated(step, loss, classes):
    return asdict(Progress(step, 10 * step, 1e-3, loss, loss, 0.25, classes, 100.0))


def test_a_training_ends_with_the_validation_that_its_weights_are_from():
    """Weights are those of the decay, even where a validation before it went better."""
    history = [validated(50, 0.5, 0.9), validated(80, 0.8, 0.6), validated(100, 0.7, 0.7)]
    provenance = {
        "plan": asdict(PLAN), "history": history, "train_patterns": 1000, "train_seconds": 61.0,
    }  # fmt: skip
    said = closing(SimpleNamespace(provenance=provenance), 0.472)
    assert said.endswith("on validation: space groups 25.0 of at most 47.2 %, classes 70.0 %")
