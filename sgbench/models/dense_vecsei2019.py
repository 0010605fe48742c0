"""The dense network after Vecsei et al.

Vecsei, Choo, Chang & Neupert, "Neural network based classification of crystal symmetries from x-ray
diffraction patterns", Phys. Rev. B 99, 245120 (2019), arXiv:1812.05625. They found a deep dense
network ahead of a convolutional one on measured patterns of 5 to 90 degrees.

What is ours: the widths of the hidden layers, the dropout and all of the training. Their article's
values could not be looked up when this was written; these are a plain choice of the kind that it
describes, so take the scores as those of a deep dense network, not of theirs. Their grid has 8,501
points in the same window, ours 8,192.
"""

from torch import nn

from sgbench.models._registry import register_model

_PAPER = "Vecsei et al., Phys. Rev. B 99, 245120 (2019)"
_N_POINTS = 8192
_WIDTHS = (2048, 1024, 512)
_DROPOUT = 0.2


@register_model("dense-vecsei2019", paper=_PAPER)
def dense(n_outputs: int) -> nn.Module:
    """Build three hidden layers with ReLU and dropout.

    Maps patterns, shape (n, 1, 8192), to logits, shape (n, n_outputs). With 36 outputs it has
    19,420,708 weights. Glorot-uniform weights, zero biases.
    """
    layers: list[nn.Module] = [nn.Flatten()]
    for n_inputs, width in zip((_N_POINTS, *_WIDTHS), _WIDTHS, strict=False):
        layers += [nn.Linear(n_inputs, width), nn.ReLU(), nn.Dropout(_DROPOUT)]
    layers.append(nn.Linear(_WIDTHS[-1], n_outputs))
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)
