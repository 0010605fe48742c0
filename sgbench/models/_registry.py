"""The registry of models: a name, how to build it, how it sees a pattern, and its paper."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sgbench.errors import SgbenchError

if TYPE_CHECKING:
    import torch
    from sklearn.base import ClassifierMixin

    from sgbench.diffraction import PatternProtocol
    from sgbench.sets import TestSet

#: The model that stands for the paper's network wherever one model is shown.
REFERENCE = "fcn-wang2024.sqrt-no-dropout"
#: The paper's network in the order of preference, for results that lack the first.
REFERENCE_MODELS = (REFERENCE, "fcn-wang2024.sqrt", "fcn-wang2024")
# Names that files of earlier versions carry.
_RENAMED = {"fcn-wang2024.sqrt-fresh": REFERENCE}

InputScaling = Literal["linear", "sqrt"]
Targets = Literal["labels", "posterior"]
NetworkBuilder = Callable[[int], "torch.nn.Module"]
EstimatorBuilder = Callable[[int], "ClassifierMixin"]
#: From patterns, shape (n, n_points), to what an estimator is fitted on, shape (n, n_features).
Features = Callable[[NDArray[np.float32], "PatternProtocol"], NDArray[np.float32]]

_LOOK_ALIKES = str.maketrans("01i", "oll")
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_REGISTRY: dict[str, "ModelSpec"] = {}
_TIMM = "timm:"
_OF_LENGTH = re.compile(r"(?P<base>.+)@(?P<patterns>[1-9]\d{0,11})\Z", re.ASCII)


@dataclass(frozen=True)
class NetworkSpec:
    """A network that is trained step by step.

    Attributes
    ----------
    name : str
        ``architecture`` or ``architecture.variant``; a variant differs in what it is fed. With
        ``@N`` behind it, it is trained on N patterns, for a curve of learning.
    build : callable
        Takes the number of outputs, returns the network with fresh weights; the network maps
        patterns of shape (n, 1, n_points) to logits of shape (n, n_outputs).
    input_scaling : {'linear', 'sqrt'}
        Patterns as the protocol scales them (maximum 1), or the square root of that.
    paper : str
        Reference.
    targets : {'labels', 'posterior'}
        What it learns of a training pattern: its label, or how likely each space group is given the
        pattern, of which the label is one draw.
    version : int
        Any change of the network or of its input raises it.
    defaults : mapping
        Published hyper-parameters of the training, by the names of `TrainingPlan`'s fields.
    """

    name: str
    build: NetworkBuilder
    input_scaling: InputScaling
    paper: str
    targets: Targets = "labels"
    version: int = 1
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def scale_input(self, patterns: "torch.Tensor") -> "torch.Tensor":
        """Turn patterns of shape (n, n_points) into the network's input, (n, 1, n_points)."""
        scaled = patterns.sqrt() if self.input_scaling == "sqrt" else patterns
        return scaled.unsqueeze(1)

    def n_parameters(self, n_outputs: int) -> int:
        """Return how many weights the network has."""
        import torch

        with torch.device("meta"):  # counted without drawing any
            return sum(weight.numel() for weight in self.build(n_outputs).parameters())


@dataclass(frozen=True)
class EstimatorSpec:
    """A scikit-learn classifier that is fitted at once, on features of patterns.

    Attributes
    ----------
    name, paper, version, defaults
        As those of `NetworkSpec`.
    build : callable
        Takes the seed, returns the unfitted classifier, with `fit` and `predict_proba`.
    features : callable
        Takes patterns, shape (n, n_points), and the protocol; returns float32 features, shape
        (n, n_features).
    """

    name: str
    build: EstimatorBuilder
    features: Features
    paper: str
    version: int = 1
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What an untrained model says of n samples.

    Attributes
    ----------
    probabilities : ndarray of float32, shape (n, n_labels)
    details : mapping of str to ndarray, shape (n,) each
        What else it found, by name: the cell, for instance.
    """

    probabilities: NDArray[np.float32]
    details: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class UntrainedSpec:
    """A model that needs no training.

    Attributes
    ----------
    name, paper, version
        As those of `NetworkSpec`.
    answer : callable
        Takes a test set, or a part of one, and the class scheme; returns an `Answer`.
    status : {'control', 'reference'}
        A control says what a score means; it may look at labels and is no competitor.
    families : tuple of str
        Those that it can be asked about.
    class_schemes : tuple of str
        What it is asked for; an answer over space groups serves both.
    batch : int or None
        Samples that it is asked about at once; None for all.
    needs_posterior : bool
        Whether it is asked only about sets whose exact posterior is known.
    """

    name: str
    answer: Callable[["TestSet", str], Answer]
    paper: str
    status: Literal["control", "reference"]
    families: tuple[str, ...]
    class_schemes: tuple[str, ...]
    batch: int | None
    version: int = 1
    needs_posterior: bool = False


TrainedSpec = NetworkSpec | EstimatorSpec
ModelSpec = TrainedSpec | UntrainedSpec


def register_model(
    name: str,
    paper: str,
    input_scaling: InputScaling = "linear",
    targets: Targets = "labels",
    version: int = 1,
    defaults: Mapping[str, Any] = _NOTHING,
) -> Callable[[NetworkBuilder], NetworkBuilder]:
    """Enter a network's constructor in the registry; use as a decorator."""

    def enter(build: NetworkBuilder) -> NetworkBuilder:
        _REGISTRY[name] = NetworkSpec(name, build, input_scaling, paper, targets, version, defaults)
        return build

    return enter


def register_estimator(
    name: str,
    paper: str,
    features: Features,
    version: int = 1,
    defaults: Mapping[str, Any] = _NOTHING,
) -> Callable[[EstimatorBuilder], EstimatorBuilder]:
    """Enter a scikit-learn classifier's constructor in the registry; use as a decorator."""

    def enter(build: EstimatorBuilder) -> EstimatorBuilder:
        _REGISTRY[name] = EstimatorSpec(name, build, features, paper, version, defaults)
        return build

    return enter


def register_untrained(spec: UntrainedSpec) -> None:
    """Enter a model that needs no training in the registry."""
    _REGISTRY[spec.name] = spec


def current_name(name: str) -> str:
    """Return how a model is called now, whatever an earlier version called it."""
    return _RENAMED.get(name, name)


def base_name(name: str) -> str:
    """Return a model's name without the length of its training: NAME for ``NAME@N``."""
    length = _OF_LENGTH.match(name)
    return length["base"] if length else name


def get_trained_model(name: str) -> TrainedSpec:
    """Look a model up that can be trained.

    Raises
    ------
    SgbenchError
        If no model has this name, or it needs no training.
    """
    spec = get_model(name)
    if isinstance(spec, UntrainedSpec):
        raise SgbenchError(
            f"'{name}' needs no training; expected a model that does. Predict with it at once: "
            f"`sgbench predict {name} --family FAMILY`."
        )
    return spec


def model_names() -> tuple[str, ...]:
    """Return the names of all models, sorted; any other ``timm:...`` can be asked for as well."""
    _import_models()
    return tuple(sorted(_REGISTRY))


def is_reserved(name: str) -> bool:
    """Tell whether a name is, or reads like, that of a model of this package or a variant of it."""
    ours = {outline for known in model_names() for outline in _outlines(known)}
    return bool(_outlines(name) & ours)


def _outlines(name: str) -> set[str]:
    """Return what a name and its stem look like without separators and with look-alikes alike."""
    return {
        re.sub(r"[\W_]", "", part.lower()).translate(_LOOK_ALIKES)
        for part in (name, *re.split(r"[.@]", name)[:1], base_name(name))
    }


def get_model(name: str) -> ModelSpec:
    """Look a model up.

    Raises
    ------
    SgbenchError
        If no model has this name.
    """
    name = current_name(name)
    if length := _OF_LENGTH.match(name):
        of_any_length = get_trained_model(length["base"])
        return replace(
            of_any_length,
            name=f"{of_any_length.name}@{length['patterns']}",
            defaults={**of_any_length.defaults, "patterns": int(length["patterns"])},
        )
    # What is there already needs no import of the others, and so no torch.
    if name in _REGISTRY or name in model_names():
        return _REGISTRY[name]
    if name.startswith(_TIMM):
        from sgbench.models._timm import PAPER, timm_network

        return NetworkSpec(name, timm_network(name.removeprefix(_TIMM)), "sqrt", PAPER)
    raise SgbenchError(
        f"unknown model '{name}'; expected one of {', '.join(model_names())}, timm:NAME, or one "
        "that is trained with @PATTERNS behind it. "
        "`sgbench models` lists them."
    )


@cache
def _import_models() -> None:
    import sgbench.models as package

    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{package.__name__}.{module.name}")
