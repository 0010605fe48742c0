import pytest
import torch

from sgbench.errors import SgbenchError
from sgbench.models import _registry, get_model, model_names, register_model


def test_names_are_sorted_and_found():
    assert list(model_names()) == sorted(model_names())
    for name in model_names():
        spec = get_model(name)
        assert spec.name == name
        assert spec.paper


def test_an_unknown_name_names_the_others():
    with pytest.raises(SgbenchError, match="unknown model 'resnet'; expected one of cnn-park2017"):
        get_model("resnet")


def test_a_network_enters_the_registry(monkeypatch):
    assert model_names()  # the package's own are entered once
    monkeypatch.setattr(_registry, "_REGISTRY", {})

    @register_model("mine", paper="Somebody 2020", input_scaling="sqrt")
    def build(n_outputs):
        return torch.nn.Linear(4, n_outputs)

    assert model_names() == ("mine",)
    assert get_model("mine").n_parameters(3) == 15
    assert build(2).weight.shape == (2, 4)


def test_input_scaling():
    patterns = torch.tensor([[0.0, 0.25, 1.0]])
    linear, root = get_model("fcn-wang2024"), get_model("fcn-wang2024.sqrt")
    assert linear.scale_input(patterns).tolist() == [[[0.0, 0.25, 1.0]]]
    assert root.scale_input(patterns).tolist() == [[[0.0, 0.5, 1.0]]]
