"""A registered network as a classifier, trained on patterns that are given."""

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from sgbench.errors import SgbenchError
from sgbench.estimators._patterns import PatternClassifier, on_grid
from sgbench.models import REFERENCE, NetworkSpec, TrainingPlan, get_trained_model

if TYPE_CHECKING:
    import torch

_BATCH = 32


class NetworkClassifier(PatternClassifier):
    """A network of sgbench, trained on patterns of yours.

    `sgbench train` draws every pattern afresh and so reaches more; this is for patterns that are
    there. A pattern with another number of points is interpolated to the 8192 of the network, and
    each is scaled to a maximum of 1.

    Parameters
    ----------
    model : str, optional
        Name of a network that learns from labels (`sgbench.models.model_names`).
    epochs : int, optional
        How often each pattern is seen.
    batch_size : int, optional
        Patterns a step.
    peak_rate : float, optional
        Highest learning rate; it rises and falls as that of `sgbench.models.TrainingPlan`.
    device : {'auto', 'cpu', 'cuda'}, optional
        Where it is trained and asked.
    random_state : int, RandomState or None, optional
        Of the first weights, of the order of the patterns and of dropout.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        Labels, ascending.
    network_ : torch.nn.Module
        Maps its input, shape (n, 1, 8192), to logits.
    n_features_in_ : int
        Points of a pattern.
    """

    network_: "torch.nn.Module"

    def __init__(
        self,
        model: str = REFERENCE,
        *,
        epochs: int = 10,
        batch_size: int = 64,
        peak_rate: float = 1e-3,
        device: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.model = model
        self.epochs = epochs
        self.batch_size = batch_size
        self.peak_rate = peak_rate
        self.device = device
        self.random_state = random_state

    def _fit(self, patterns: NDArray[np.float32], target: NDArray[np.int64]) -> None:
        import torch
        from torch.nn import functional as F

        from sgbench.training import autocast, choose_device, keep_freed_memory, memory_in_words

        self._check()
        spec, n = self._spec(), len(patterns)
        plan = TrainingPlan(
            spec.name,
            "patterns that are given",
            patterns=self.epochs * n,
            batch_size=min(self.batch_size, n),
            peak_rate=self.peak_rate,
        )
        device, random = choose_device(self.device), check_random_state(self.random_state)
        order = np.concatenate([random.permutation(n) for _ in range(self.epochs)])
        with (
            memory_in_words("fitting", "give it fewer patterns a step"),
            torch.random.fork_rng(),
        ):
            torch.manual_seed(int(random.randint(2**31)))
            keep_freed_memory()
            network = spec.build(len(self.classes_)).to(device).train()
            optimizer = torch.optim.Adam(network.parameters(), fused=True)
            for step in range(plan.steps):
                rows = order[step * plan.batch_size : (step + 1) * plan.batch_size]
                for group in optimizer.param_groups:
                    group["lr"] = plan.rate(step)
                given = torch.as_tensor(on_grid(patterns[rows]), device=device)
                with autocast(device):
                    logits = network(spec.scale_input(given)).float()
                    loss = F.cross_entropy(logits, torch.as_tensor(target[rows], device=device))
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
        self.network_ = network.eval()

    def _probabilities(self, patterns: NDArray[np.float32]) -> NDArray[np.float64]:
        import torch

        spec, device = self._spec(), next(self.network_.parameters()).device
        parts = []
        with torch.inference_mode():
            for first in range(0, len(patterns), _BATCH):
                given = torch.as_tensor(on_grid(patterns[first : first + _BATCH]), device=device)
                logits = self.network_(spec.scale_input(given)).double()
                parts.append(torch.softmax(logits, dim=1).cpu().numpy())
        return np.concatenate(parts)

    def _check(self) -> None:
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < 1:
                raise SgbenchError(
                    f"{name} is {value!r}; expected a whole number of at least 1. Give one."
                )
        rate: Any = self.peak_rate
        if not (isinstance(rate, Real) and 0 < float(rate) < math.inf):
            raise SgbenchError(f"peak_rate is {rate!r}; expected a number above 0. Give one.")

    def _spec(self) -> NetworkSpec:
        spec = get_trained_model(self.model)
        if not isinstance(spec, NetworkSpec) or spec.targets != "labels":
            raise SgbenchError(
                f"'{self.model}' is no network that learns from labels; expected one such as "
                f"{REFERENCE}. Name one of these; estimators of scikit-learn need no wrapper."
            )
        return spec
