"""Each registered model is trained, written, read again, and predicts what it predicted."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sgbench.evaluation import predict_set
from sgbench.models import EstimatorSpec, TrainingPlan, UntrainedSpec, get_model, model_names
from sgbench.sets import OFF_MESH, family_set, open_test_set
from sgbench.training import load_model, train

CPU = torch.device("cpu")
TRAINED = [name for name in model_names() if not isinstance(get_model(name), UntrainedSpec)]


@pytest.fixture(scope="module")
def test_set():
    whole = open_test_set(OFF_MESH, family_set("cubic"), 1)
    few = np.arange(0, 36, 9)
    return replace(whole, samples=whole.samples.take(few), alike=whole.alike[few])


@pytest.mark.parametrize("name", [*TRAINED, "timm:resnet10t"])
def test_trained_written_and_read(name, test_set, tmp_path):
    patterns = 400 if isinstance(get_model(name), EstimatorSpec) else 8
    plan = TrainingPlan(
        name, "ulbd-cubic", patterns, batch_size=4, validations=1, validation_per_spacegroup=1
    )
    epochs = []
    trained = train(plan, tmp_path / "model.pt", tmp_path / "state", CPU, epochs.append)
    assert len(epochs) == (0 if isinstance(get_model(name), EstimatorSpec) else 1)
    expected = predict_set(trained, test_set, CPU).probabilities
    read = predict_set(load_model(tmp_path / "model.pt", CPU), test_set, CPU).probabilities
    np.testing.assert_array_equal(read, expected)
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-5)
    assert (expected >= 0).all()
    # It answers to the pattern.
    assert not (expected == expected[0]).all()
