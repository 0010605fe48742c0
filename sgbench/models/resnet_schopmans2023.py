"""The one-dimensional ResNets of Schopmans et al.

Schopmans, Reiser & Friederich, "Neural networks trained on synthetically generated crystals can
extract structural information from ICSD powder X-ray diffractograms", Digital Discovery 2, 1414
(2023); their code: github.com/aimat-lab/ML4pXRDs. An image ResNet (He et al. 2016) in one
dimension: 3 x 3 kernels become kernels of 9, strides of 2 between the groups become 4, batch
normalisation becomes group normalisation, and a linear layer of 256 stands before the last. Fed the
square root of the patterns. ResNet-10 is their smallest, ResNet-101 the one of the best score.

What differs: padding is symmetric, where TensorFlow puts the odd point on the right; 8,192 points
leave 32 positions to the dense layers, where their 8,501 leave 34. They train with Adam at 1e-4,
one pattern a space group in a batch (145 of them), and halve the rate every 500 epochs; here the
rate follows the benchmark's schedule.
"""

import torch
from torch import nn
from torch.nn import functional as F

from sgbench.models._registry import register_model

_PAPER = "Schopmans et al., Digital Discovery 2, 1414 (2023)"
_FILTERS = (64, 128, 256, 512)
_STRIDES = (1, 4, 4, 4)
_POSITIONS = 32
_DEFAULTS = {"batch_size": 145, "peak_rate": 1e-4}


class _Residual(nn.Module):
    """Convolutions around a shortcut: two of 9, or a bottleneck of 1, 9 and 1 with fourfold width.

    Maps (n, inputs, length) to (n, outputs, length / stride). The first block of a group has a
    projection on its shortcut, as has every one that strides or widens.
    """

    def __init__(
        self, inputs: int, filters: int, stride: int, bottleneck: bool, projection: bool
    ) -> None:
        super().__init__()
        if bottleneck:
            outputs = 4 * filters
            layers = [
                *_convolution(inputs, filters, 1, 1),
                nn.ReLU(),
                *_convolution(filters, filters, 9, stride),
                nn.ReLU(),
                *_convolution(filters, outputs, 1, 1),
            ]
        else:
            outputs = filters
            layers = [
                *_convolution(inputs, filters, 9, stride),
                nn.ReLU(),
                *_convolution(filters, filters, 9, 1),
            ]
        self.convolutions = nn.Sequential(*layers)
        shortcut = _convolution(inputs, outputs, 1, stride) if projection else []
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.convolutions(x) + self.shortcut(x))


def _convolution(inputs: int, outputs: int, kernel: int, stride: int) -> list[nn.Module]:
    """Return a convolution and its normalisation: 32 groups and 1e-3 are the published ones."""
    return [
        nn.Conv1d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.GroupNorm(32, outputs, eps=1e-3),
    ]


def _resnet(repeats: tuple[int, ...], bottleneck: bool, n_outputs: int) -> nn.Module:
    layers = [*_convolution(1, 64, 7, 2), nn.ReLU(), nn.MaxPool1d(3, 2, 1)]
    channels = 64
    for filters, group_stride, count in zip(_FILTERS, _STRIDES, repeats, strict=True):
        for i in range(count):
            stride = 1 if i else group_stride
            layers.append(_Residual(channels, filters, stride, bottleneck, projection=i == 0))
            channels = 4 * filters if bottleneck else filters
    dense = [nn.Linear(_POSITIONS * channels, 256), nn.Linear(256, n_outputs)]
    network = nn.Sequential(*layers, nn.Flatten(), *dense)
    for layer in network.modules():
        if isinstance(layer, nn.Conv1d):
            # Keras' VarianceScaling; a normal one, whose tails are not cut, is much faster to draw.
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
        elif isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return network


@register_model("resnet-schopmans2023", paper=_PAPER, input_scaling="sqrt", defaults=_DEFAULTS)
def resnet10(n_outputs: int) -> nn.Module:
    """Build ResNet-10, four groups of one block.

    Maps patterns, shape (n, 1, 8192), to logits, shape (n, n_outputs). With 36 outputs it has
    9,104,868 weights.
    """
    return _resnet((1, 1, 1, 1), bottleneck=False, n_outputs=n_outputs)


@register_model("resnet101-schopmans2023", paper=_PAPER, input_scaling="sqrt", defaults=_DEFAULTS)
def resnet101(n_outputs: int) -> nn.Module:
    """Build ResNet-101, groups of 3, 4, 23 and 3 bottlenecks; for a GPU.

    Maps patterns, shape (n, 1, 8192), to logits, shape (n, n_outputs).
    """
    return _resnet((3, 4, 23, 3), bottleneck=True, n_outputs=n_outputs)
