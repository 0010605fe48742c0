"""The history of a training as a file, with the regret of its validations."""

from dataclasses import asdict

import numpy as np
import pytest

from sgbench.designed import exact_posterior
from sgbench.models import TrainingPlan
from sgbench.plots import read_history
from sgbench.sets import ULBD, SetSpec, open_training_set
from sgbench.training import Progress, write_history
from sgbench.training._model_file import TrainedModel


def written(path, dataset: str):
    plan = TrainingPlan("mine", dataset, 800, validation_per_spacegroup=3)
    rows = [asdict(Progress(1, 400, 0.1, 2.0, loss, 0.2, 0.3, 50.0)) for loss in (2.0, 1.1)]
    write_history(path, TrainedModel(None, None, {"plan": asdict(plan), "history": rows}))
    return read_history(path)


def test_regret_is_the_loss_beyond_that_of_the_posterior(tmp_path):
    """On the validation samples, of which two space groups cannot be told apart in a small cell."""
    found = written(tmp_path / "h.csv", "ulbd-tetragonal")
    dataset = ULBD["ulbd-tetragonal"]
    labels = dataset.validation_samples(3).spacegroup - 75
    chance = exact_posterior(dataset, "validation", 3)[np.arange(len(labels)), labels]
    assert found["regret"].tolist() == pytest.approx(
        [loss + np.log(chance).mean() for loss in (2, 1.1)]
    )
    least = open_training_set(SetSpec.parse("ulbd-tetragonal")).least_validation_loss(3)
    assert least == pytest.approx(2 - found["regret"][0])


@pytest.mark.parametrize(
    "dataset",
    ["ulbd-physical-cubic", "ulbd-cubic-imbalanced", "ulbd-cubic+thermal-2", "cddd-cubic"],
)
def test_elsewhere_it_is_empty(tmp_path, dataset):
    found = written(tmp_path / "h.csv", dataset)
    assert found["regret"].isna().all()
    assert found["patterns"].tolist() == [400.0, 400.0]


def test_histories_of_earlier_versions_have_none(tmp_path):
    path = tmp_path / "h.csv"
    path.write_text("step,patterns,top1\n1,8,0.5\n")
    assert read_history(path)["regret"].isna().all()
