import pytest
import torch
from torch import nn

from sgbench.models import get_model

KERNELS, STRIDES, POOLS, POOL_STRIDES = (100, 50, 25), (5, 5, 2), (3, 3, 3), (2, 3, 3)


def keras_lengths(length):
    """Lengths after each convolution ("same") and each pooling ("valid")."""
    lengths = []
    for stride, pool, pool_stride in zip(STRIDES, POOLS, POOL_STRIDES, strict=True):
        length = -(-length // stride)
        lengths.append(length)
        length = (length - pool) // pool_stride + 1
        lengths.append(length)
    return lengths


def n_parameters(n_points, n_outputs):
    channels = 80
    convolutions = sum(
        (c_in * kernel + 1) * channels
        for c_in, kernel in zip((1, channels, channels), KERNELS, strict=True)
    )
    flat = keras_lengths(n_points)[-1] * channels
    return convolutions + (flat + 1) * 2300 + 2301 * 1150 + 1151 * n_outputs


@pytest.mark.parametrize("n_outputs", [36, 230])
def test_parameters(n_outputs):
    assert get_model("cnn-park2017").n_parameters(n_outputs) == n_parameters(8192, n_outputs)


def test_lengths_are_those_of_the_published_network():
    x, lengths = torch.zeros(1, 1, 8192), []
    for layer in get_model("cnn-park2017").build(36):
        x = layer(x)
        if isinstance(layer, nn.Conv1d | nn.AvgPool1d):
            lengths.append(x.shape[2])
    assert lengths == keras_lengths(8192) == [1639, 819, 164, 54, 27, 9]
    assert keras_lengths(10001)[-1] == 11  # the paper's grid


def test_published_rates():
    network = get_model("cnn-park2017").build(36)
    rates = [layer.p for layer in network if isinstance(layer, nn.Dropout)]
    assert rates == [0.3] * 3 + [0.5] * 2
    assert dict(get_model("cnn-park2017").defaults) == {"batch_size": 1000, "peak_rate": 1e-3}
