"""The three-layer convolutional network of Park et al.

Park, Chung, Jung, Kim, Singh, Shin, Lee, Sohn & Pyo, "Classification of crystal structure using a
convolutional neural network", IUCrJ 4, 486 (2017). Layers, widths, batch size and rate follow the
description of their network for space groups that Schopmans et al. published with their code
(github.com/aimat-lab/ML4pXRDs, 2023).

What the input demands: the patterns of Park et al. have 10,001 points (10 to 110 degrees), which
leaves 11 positions of 80 channels to the dense layers; our 8,192 leave 9. They have 230 outputs.
"""

from torch import nn

from sgbench.models._registry import register_model

_PAPER = "Park et al., IUCrJ 4, 486 (2017)"
_CHANNELS = 80
# Kernel, stride and padding of a convolution; width and stride of the average pooling after it. The
# paddings give the lengths of Keras' "same": 8192 - 1639 - 819 - 164 - 54 - 27 - 9.
_BLOCKS = ((100, 5, 49, 3, 2), (50, 5, 23, 3, 3), (25, 2, 12, 3, 3))
_POSITIONS = 9
_WIDTHS = (2300, 1150)


@register_model("cnn-park2017", paper=_PAPER, defaults={"batch_size": 1000, "peak_rate": 1e-3})
def cnn(n_outputs: int) -> nn.Module:
    """Build three convolutions with ReLU, dropout 0.3 and pooling, two dense layers with 0.5.

    Maps patterns, shape (n, 1, 8192), to logits, shape (n, n_outputs). With 36 outputs it has
    4,834,126 weights. Glorot-uniform weights, zero biases (Keras' initial state).
    """
    layers: list[nn.Module] = []
    channels = 1
    for kernel, stride, padding, pool, pool_stride in _BLOCKS:
        layers += [
            nn.Conv1d(channels, _CHANNELS, kernel, stride, padding),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.AvgPool1d(pool, pool_stride),
        ]
        channels = _CHANNELS
    layers.append(nn.Flatten())
    inputs = (_POSITIONS * _CHANNELS, *_WIDTHS)
    for n_inputs, width in zip(inputs, _WIDTHS, strict=False):
        layers += [nn.Linear(n_inputs, width), nn.ReLU(), nn.Dropout(0.5)]
    layers.append(nn.Linear(_WIDTHS[-1], n_outputs))
    for layer in layers:
        if isinstance(layer, nn.Conv1d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)
