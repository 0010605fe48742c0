from itertools import pairwise

import pytest
import torch
from torch import nn

from sgbench.models import get_model


@pytest.mark.parametrize("n_outputs", [36, 68])
def test_parameters(n_outputs):
    layers = (8192, 2048, 1024, 512, n_outputs)
    expected = sum((a + 1) * b for a, b in pairwise(layers))
    assert get_model("dense-vecsei2019").n_parameters(n_outputs) == expected
    if n_outputs == 36:
        assert expected == 19_420_708


def test_initial_state_keeps_the_spread_of_what_flows():
    torch.manual_seed(0)
    network = get_model("dense-vecsei2019").build(36)
    for layer in network:
        if isinstance(layer, nn.Linear):
            assert not layer.bias.any()
            bound = (6 / (layer.in_features + layer.out_features)) ** 0.5
            assert 0.99 * bound < layer.weight.abs().max() <= bound


def test_every_point_of_a_pattern_counts():
    network = get_model("dense-vecsei2019").build(4).eval()
    patterns = torch.rand(1, 1, 8192, requires_grad=True)
    network(patterns).square().sum().backward()
    assert (patterns.grad != 0).float().mean() > 0.999
