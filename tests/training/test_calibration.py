import numpy as np
import pytest
import torch
from example_training import TWO_CELLS
from torch import nn

from sgbench.models import TrainingPlan, _registry, get_model, register_model
from sgbench.training import load_model, train
from sgbench.training._calibration import divide_logits, fitted_temperature

CPU = torch.device("cpu")
SMALL = (
    "fcn-wang2024.calibrated",
    "cnn-park2017",
    "timm:convnext_atto",
    "transformer-sin2theta2026",
)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_that_labels_were_drawn_at_is_found(temperature):
    rng = np.random.default_rng(0)
    logits = torch.as_tensor(rng.normal(0, 3, (20_000, 6)))
    chances = torch.softmax(logits / temperature, 1).numpy()
    labels = torch.as_tensor((rng.random((20_000, 1)) > chances.cumsum(1)).sum(1))
    assert fitted_temperature(logits, labels) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("name", SMALL)
def test_the_last_layer_gives_the_logits(name):
    spec = get_model(name)
    torch.manual_seed(0)
    network = spec.build(36).eval()
    patterns = spec.scale_input(torch.rand(2, 8192))
    with torch.inference_mode():
        before = network(patterns)
        divide_logits(network, 2.5)
        after = network(patterns)
    torch.testing.assert_close(after, before / 2.5, rtol=1e-4, atol=1e-5)
    assert before.abs().max() > 1e-3


@pytest.fixture
def models():
    """Two that differ in nothing but the calibration, and train so long that they are too sure."""
    for name, calibrated in (("plain", False), ("calibrated", True)):

        @register_model(name, paper="none", calibrated=calibrated)
        def build(n_outputs):
            return nn.Sequential(nn.MaxPool1d(8), nn.Flatten(), nn.Linear(1024, n_outputs))

    yield
    del _registry._REGISTRY["plain"], _registry._REGISTRY["calibrated"]


@pytest.mark.usefixtures("models")
def test_a_calibrated_model_ranks_as_before_and_is_likelier(tmp_path):
    trained = {
        name: train(
            TrainingPlan(name, TWO_CELLS, 640, 8, peak_rate=0.1, validation_per_spacegroup=4),
            tmp_path / f"{name}.pt", tmp_path / f"{name}.ck", CPU,
        )
        for name in ("plain", "calibrated")
    }  # fmt: skip
    temperature = load_model(tmp_path / "calibrated.pt", CPU).provenance["temperature"]
    assert "temperature" not in trained["plain"].provenance
    weight = "2.weight"
    plain, calibrated = (one.network.state_dict()[weight] for one in trained.values())
    torch.testing.assert_close(calibrated * temperature, plain)
    assert temperature > 1.05
