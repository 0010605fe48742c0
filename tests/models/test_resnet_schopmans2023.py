import pytest
import torch
from torch import nn

from sgbench.models import get_model

FILTERS = (64, 128, 256, 512)


def n_parameters(repeats, bottleneck, positions, n_outputs):
    """Convolutions without bias, two numbers a channel for each normalisation, dense layers."""
    total, channels = 7 * 64 + 2 * 64, 64
    for filters, count in zip(FILTERS, repeats, strict=True):
        outputs = 4 * filters if bottleneck else filters
        total += channels * outputs + 2 * outputs  # the projection of the first block
        for _ in range(count):
            if bottleneck:
                total += channels * filters + 9 * filters**2 + filters * outputs
                total += 2 * (2 * filters + outputs)
            else:
                total += 9 * channels * filters + 9 * filters**2 + 4 * filters
            channels = outputs
    return total + (positions * channels + 1) * 256 + 257 * n_outputs


NETWORKS = {
    "resnet-schopmans2023": ((1, 1, 1, 1), False, 9_395_025),
    "resnet101-schopmans2023": ((3, 4, 23, 3), True, 60_354_513),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters(name):
    repeats, bottleneck, published = NETWORKS[name]
    assert get_model(name).n_parameters(36) == n_parameters(repeats, bottleneck, 32, 36)
    # as the paper counts them: 8,501 points leave 34 positions, and 145 space groups
    assert n_parameters(repeats, bottleneck, 34, 145) == published


def test_lengths():
    x, lengths = torch.zeros(1, 1, 8192), []
    for layer in get_model("resnet-schopmans2023").build(36):
        if isinstance(layer, nn.Flatten):
            break
        x = layer(x)
        lengths.append((x.shape[1], x.shape[2]))
    assert lengths[0] == (64, 4096)  # the stem strides by 2
    assert lengths[3] == (64, 2048)  # and its pooling too
    assert lengths[4:] == [(64, 2048), (128, 512), (256, 128), (512, 32)]


def test_nothing_but_groups_of_a_pattern_is_normalised():
    """Batch normalisation, which they found unstable, would mix the patterns of a batch."""
    network = get_model("resnet-schopmans2023").build(5).train()
    patterns = torch.rand(3, 1, 8192)
    with torch.no_grad():
        together, alone = network(patterns), network(patterns[:1])
    torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-5)


def test_published_hyper_parameters():
    for name in NETWORKS:
        assert dict(get_model(name).defaults) == {"batch_size": 145, "peak_rate": 1e-4}
        assert get_model(name).input_scaling == "sqrt"
