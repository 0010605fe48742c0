"""The registry of networks: a name, how to build it, how it sees a pattern, and its paper."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from sgbench.errors import SgbenchError

if TYPE_CHECKING:
    import torch

InputScaling = Literal["linear", "sqrt"]
_REGISTRY: dict[str, "ModelSpec"] = {}


@dataclass(frozen=True)
class ModelSpec:
    """A network that can be trained.

    Attributes
    ----------
    name : str
        ``architecture`` or ``architecture.variant``; a variant differs in what it is fed.
    build : callable
        Takes the number of outputs, returns the network with fresh weights; the network maps
        patterns of shape (n, 1, n_points) to logits of shape (n, n_outputs).
    input_scaling : {'linear', 'sqrt'}
        Patterns as the protocol scales them (maximum 1), or the square root of that.
    paper : str
        Reference.
    version : int
        Any change of the network or of its input raises it.
    """

    name: str
    build: Callable[[int], "torch.nn.Module"]
    input_scaling: InputScaling
    paper: str
    version: int

    def scale_input(self, patterns: "torch.Tensor") -> "torch.Tensor":
        """Turn patterns of shape (n, n_points) into the network's input, (n, 1, n_points)."""
        scaled = patterns.sqrt() if self.input_scaling == "sqrt" else patterns
        return scaled.unsqueeze(1)

    def n_parameters(self, n_outputs: int) -> int:
        """Return how many weights the network has."""
        return sum(weight.numel() for weight in self.build(n_outputs).parameters())


def register_model(
    name: str, paper: str, input_scaling: InputScaling = "linear", version: int = 1
) -> Callable[[Callable[[int], "torch.nn.Module"]], Callable[[int], "torch.nn.Module"]]:
    """Enter a network's constructor in the registry; use as a decorator."""

    def enter(build: Callable[[int], "torch.nn.Module"]) -> Callable[[int], "torch.nn.Module"]:
        _REGISTRY[name] = ModelSpec(name, build, input_scaling, paper, version)
        return build

    return enter


def model_names() -> tuple[str, ...]:
    """Return the names of all networks, sorted."""
    _import_networks()
    return tuple(sorted(_REGISTRY))


def get_model(name: str) -> ModelSpec:
    """Look a network up.

    Raises
    ------
    SgbenchError
        If no network has this name.
    """
    if name not in model_names():
        raise SgbenchError(
            f"unknown model '{name}'; expected one of {', '.join(model_names())}. "
            "`sgbench models` lists them."
        )
    return _REGISTRY[name]


@cache
def _import_networks() -> None:
    import sgbench.models as package

    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{package.__name__}.{module.name}")
