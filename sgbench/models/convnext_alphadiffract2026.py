"""The one-dimensional ConvNeXt of AlphaDiffract.

Andrejevic et al., "AlphaDiffract: Automated Crystallographic Analysis of Powder X-ray Diffraction
Data", arXiv:2603.23367 (2026). Structure and hyper-parameters are those of the model that its
authors released (huggingface.co/linked-liszt/OpenAlphaDiffract): three blocks without any
normalisation, with stochastic depth, and one hidden stack for each task. Kernels, strides and the
dense layers are those of Park et al. 2017.

What differs: of the three heads (crystal system, space group, lattice parameters) only that for
space groups is here, trained with plain cross-entropy and without their noise on the patterns. They
train with AdamW (rate 2e-4, weight decay 0.01) and a triangular schedule; the benchmark has Adam
and one cycle, of which 2e-4 is the peak. Their 8,192 points are 5 to 20 degrees at 20 keV.
"""

import torch
from torch import nn
from torch.nn import functional as F

from sgbench.models._registry import register_model

_PAPER = "Andrejevic et al., AlphaDiffract, arXiv:2603.23367 (2026)"
_CHANNELS = 80
_KERNELS = (100, 50, 25)
_STRIDE = 5
_POSITIONS = 7
_WIDTHS = (2300, 1150)
_DROP_PATH = 0.3
_HEAD_DROPOUT = 0.5
# The published network sees intensities from 0 to 100.
_SCALE = 100.0
# The first block needs 30 MB a pattern, so that scoring takes a batch in pieces.
_PIECE = 32


class _Block(nn.Module):
    """A depthwise convolution and two dense layers over channels beside a shortcut.

    Keeps the shape (n, 80, length).
    """

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(_CHANNELS, _CHANNELS, kernel, groups=_CHANNELS)
        self.widen = nn.Linear(_CHANNELS, 4 * _CHANNELS)
        self.narrow = nn.Linear(4 * _CHANNELS, _CHANNELS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        left = (self.depthwise.kernel_size[0] - 1) // 2
        right = self.depthwise.kernel_size[0] - 1 - left
        branch = self.depthwise(F.pad(x, (left, right))).transpose(1, 2)
        branch = self.narrow(F.gelu(self.widen(branch))).transpose(1, 2)
        # Stochastic depth is dropout of a pattern's whole branch.
        kept = F.dropout(x.new_ones(len(x), 1, 1), _DROP_PATH, self.training)
        mixed: torch.Tensor = x + branch * kept
        return mixed


class ConvNeXt(nn.Module):
    """Three blocks with average pooling, and two dense layers with dropout.

    Maps patterns, shape (n, 1, 8192), to logits, shape (n, n_outputs). With 36 outputs it has
    4,147,086 weights. PyTorch's initial state, as in the published code.
    """

    def __init__(self, n_outputs: int) -> None:
        super().__init__()
        self.embed = nn.Linear(1, _CHANNELS)
        self.blocks = nn.ModuleList(_Block(kernel) for kernel in _KERNELS)
        layers: list[nn.Module] = [nn.Flatten()]
        inputs = (_POSITIONS * _CHANNELS, *_WIDTHS)
        for n_inputs, width in zip(inputs, _WIDTHS, strict=False):
            layers += [nn.Linear(n_inputs, width), nn.ReLU(), nn.Dropout(_HEAD_DROPOUT)]
        self.head = nn.Sequential(*layers, nn.Linear(_WIDTHS[-1], n_outputs))

    def forward(self, patterns: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (n, n_outputs)."""
        pieces = (patterns,) if self.training else torch.split(patterns, _PIECE)
        logits: torch.Tensor = self.head(torch.cat([self._features(piece) for piece in pieces]))
        return logits

    def _features(self, patterns: torch.Tensor) -> torch.Tensor:
        """Return what the blocks make of patterns, shape (n, 80, 7)."""
        x = F.gelu(self.embed(_SCALE * patterns.transpose(1, 2))).transpose(1, 2)
        for block in self.blocks:
            x = F.avg_pool1d(block(x), _STRIDE)
            x = F.avg_pool1d(x, 3, 2)
        return x


@register_model(
    "convnext-alphadiffract2026", paper=_PAPER, defaults={"batch_size": 64, "peak_rate": 2e-4}
)
def convnext(n_outputs: int) -> nn.Module:
    """Build the network for space groups."""
    return ConvNeXt(n_outputs)
