"""The reference network: a fully convolutional network after Wang et al. and Lee et al.

Wang, Zhong, Li, Zhang & Du, "Designing a dataset for convolutional neural networks to predict space
groups consistent with extinction laws"; the architecture closely follows Lee et al. 2022, Advanced
Intelligent Systems 4, 2200042. No training script was published: batch size, schedule and length
are ours, stated in the configuration.
"""

from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from sgbench.models._cpu_blocks import pooled_blocks, training_dtype
from sgbench.models._registry import REFERENCE, register_model

_PAPER = "Wang et al., Designing a dataset ... consistent with extinction laws (2024)"
_CHANNELS = (16, 16, 32, 32, 64, 64, 128, 128, 256, 256, 512, 512, 256)
_SLOPES = (0.3,) * 12 + (1.0,)  # the last block has no activation
_DROPOUTS = (0.2,) * 11 + (0.4, 0.4)


class Fcn(nn.Module):
    """Thirteen blocks of convolution, LeakyReLU, max-pool and dropout, and a 1x1 convolution.

    Maps patterns, shape (n, 1, 8192), to logits, shape (n, n_outputs). With 36 outputs it has
    1,976,884 weights. Glorot-uniform weights, zero biases.
    """

    def __init__(self, n_outputs: int, dropouts: tuple[float, ...] = _DROPOUTS) -> None:
        super().__init__()
        self.dropouts = dropouts
        inputs = (1, *_CHANNELS[:-1])
        convolutions = [
            nn.Conv1d(c_in, c_out, 3, padding=1)
            for c_in, c_out in zip(inputs, _CHANNELS, strict=True)
        ]
        self.convolutions = nn.ModuleList(convolutions)
        self.head = nn.Conv1d(_CHANNELS[-1], n_outputs, 1)
        for layer in (*self.convolutions, self.head):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, patterns: torch.Tensor) -> torch.Tensor:
        """Return logits, shape (n, n_outputs)."""
        # The fused passes give no gradient with respect to the patterns.
        plain = patterns.device.type != "cpu" or patterns.requires_grad
        if not plain and not torch.compiler.is_exporting():
            # Training tolerates bfloat16; a score should not depend on it.
            dtype = training_dtype() if self.training else torch.float32
            dropouts = self.dropouts if self.training else (0.0,) * len(self.dropouts)
            features = pooled_blocks(
                patterns, cast(list[nn.Conv1d], list(self.convolutions)), _SLOPES, dropouts, dtype
            )
        else:
            features = self.plain_features(patterns)
        logits: torch.Tensor = self.head(features)
        return logits.flatten(1)

    def plain_features(self, patterns: torch.Tensor) -> torch.Tensor:
        """Return the last block's output, shape (n, 256, 1), by ordinary torch operations."""
        x = patterns
        for layer, slope, dropout in zip(self.convolutions, _SLOPES, self.dropouts, strict=True):
            # Pooling before the monotonic LeakyReLU is the published order's function, cheaper.
            x = F.leaky_relu(F.max_pool1d(layer(x), 2), slope)
            x = F.dropout(x, dropout, self.training)
        return x


@register_model("fcn-wang2024", paper=_PAPER)
def fcn(n_outputs: int) -> nn.Module:
    """Build the network as published: patterns scaled to a maximum of 1."""
    return Fcn(n_outputs)


@register_model("fcn-wang2024.sqrt", paper=_PAPER, input_scaling="sqrt")
def fcn_sqrt(n_outputs: int) -> nn.Module:
    """Build the same network, fed the square root of the pattern, which lifts weak lines."""
    return Fcn(n_outputs)


@register_model(REFERENCE, paper=_PAPER, input_scaling="sqrt")
def fcn_no_dropout(n_outputs: int) -> nn.Module:
    """Build the same again without dropout.

    Where every training pattern is a fresh one there is nothing to learn by heart, and dropout only
    slows learning: on the tetragonal ULBD, 300,000 patterns without it reach more than 1.2 million
    with it (95 % against 92 % of extinction classes).
    """
    return Fcn(n_outputs, (0.0,) * len(_DROPOUTS))


@register_model("fcn-wang2024.soft", paper=_PAPER, input_scaling="sqrt", targets="posterior")
def fcn_soft(n_outputs: int) -> nn.Module:
    """Build the same without dropout again, for a training on posteriors instead of labels.

    The designed label is a coin inside the extinction class, and what the coin shows is noise to a
    training. The article trains on labels; this says what they cost.
    """
    return fcn_no_dropout(n_outputs)


@register_model(
    "fcn-wang2024.calibrated",
    paper=_PAPER,
    input_scaling="standard",
    targets="posterior",
    calibrated=True,
    version=2,
)
def fcn_calibrated(n_outputs: int) -> nn.Module:
    """Build it with another input, and with chances that come true on validation patterns.

    It is for people who ask about one pattern, and for training under conditions of measurement.
    Background and noise lift what it is fed, and without any normalisation inside, the network
    learns nothing from that for long: of all groups on mineral cells under ``laboratory``, its loss
    was at that of guessing after 50,000 patterns, and fell from 4,000 on where each pattern's mean
    and spread were taken out.
    """
    return fcn_no_dropout(n_outputs)
