from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from sgbench.models import convnext_alphadiffract2026, get_model
from sgbench.models.convnext_alphadiffract2026 import ConvNeXt

BACKBONE = 160 + sum(81 * 320 + 321 * 80 + (kernel + 1) * 80 for kernel in (100, 50, 25))


def head(n_outputs, hidden=(2300, 1150)):
    layers = (7 * 80, *hidden, n_outputs)
    return sum((a + 1) * b for a, b in pairwise(layers))


@pytest.mark.parametrize("n_outputs", [36, 230])
def test_parameters(n_outputs):
    count = get_model("convnext-alphadiffract2026").n_parameters(n_outputs)
    assert count == BACKBONE + head(n_outputs)


def test_parameters_of_the_released_model():
    """Which has heads for 230 space groups, 7 systems and 6 lattice parameters: 8.7 million."""
    total = BACKBONE + head(230) + head(7) + head(6, (512, 256))
    assert round(total / 1e6, 1) == 8.7


def test_the_convolution_keeps_the_length_and_its_centre():
    network = ConvNeXt(3)
    for block in network.blocks:
        kernel = block.depthwise.kernel_size[0]
        torch.nn.init.zeros_(block.depthwise.weight)
        torch.nn.init.zeros_(block.depthwise.bias)
        block.depthwise.weight.data[:, 0, (kernel - 1) // 2] = 1.0  # passes its input on
        x = torch.randn(2, 80, 130)
        expected = x + block.narrow(F.gelu(block.widen(x.transpose(1, 2)))).transpose(1, 2)
        torch.testing.assert_close(block.eval()(x), expected, rtol=1e-4, atol=1e-5)


def test_stochastic_depth_drops_the_branch_of_whole_patterns():
    block = ConvNeXt(3).blocks[2]
    x = torch.randn(400, 80, 30)
    torch.manual_seed(1)
    with torch.no_grad():
        branch = (block.eval()(x) - x).abs().amax((1, 2))
        trained = (block.train()(x) - x).abs().amax((1, 2))
    dropped = trained == 0
    assert 0.2 < dropped.float().mean() < 0.4
    torch.testing.assert_close(trained[~dropped], branch[~dropped] / 0.7, rtol=1e-3, atol=1e-4)


def test_published_hyper_parameters():
    expected = {"batch_size": 64, "peak_rate": 2e-4}
    assert dict(get_model("convnext-alphadiffract2026").defaults) == expected


def test_patterns_are_scaled_to_a_hundred():
    network, seen = ConvNeXt(3).eval(), []
    network.embed.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    patterns = torch.rand(1, 1, 8192)
    network(patterns)
    assert seen[0].flatten().equal(100 * patterns.flatten())


def test_a_batch_is_scored_in_pieces(monkeypatch):
    """Of which no more is in memory at a time; the logits stay those of each pattern."""
    monkeypatch.setattr(convnext_alphadiffract2026, "_PIECE", 2)
    network, seen = ConvNeXt(3).eval(), []
    network.embed.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    patterns = torch.rand(5, 1, 8192)
    with torch.inference_mode():
        logits = network(patterns)
        assert seen == [2, 2, 1]
        alone = torch.cat([network(pattern[None]) for pattern in patterns])
    torch.testing.assert_close(logits, alone, rtol=1e-4, atol=1e-4)
