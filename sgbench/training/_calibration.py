"""One temperature for all logits, so that a network's chances are those that come true.

Guo, Pleiss, Sun & Weinberger 2017, "On calibration of modern neural networks", section 4.2: the
logits are divided by the number that makes held-out labels most likely. No answer changes its rank.
"""

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import nn
from torch.nn import functional as F

# Natural logarithms of the least and the largest temperature.
_RANGE = (-3.0, 3.0)


def fitted_temperature(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the temperature under which labels are most likely.

    Parameters
    ----------
    logits : Tensor of float64, shape (n, n_labels)
    labels : Tensor of int64, shape (n,)
    """

    def loss(log_temperature: float) -> float:
        return float(F.cross_entropy(logits * np.exp(-log_temperature), labels))

    return float(np.exp(minimize_scalar(loss, bounds=_RANGE, method="bounded").x))


def divide_logits(network: nn.Module, temperature: float) -> None:
    """Divide a network's logits by a temperature: its last layer, whose output they are."""
    *_, last = (m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv1d))
    with torch.no_grad():
        for weight in last.parameters():
            weight.div_(temperature)
