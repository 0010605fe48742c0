"""What a model is: how to build it, how it sees a pattern, and its paper."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from sklearn.base import ClassifierMixin

    from sgbench.diffraction import PatternProtocol
    from sgbench.sets import TestSet

InputScaling = Literal["linear", "sqrt", "standard"]
Targets = Literal["labels", "posterior"]
# A pattern whose square root varies less than this shows nothing.
_FLAT = 1e-6
NetworkBuilder = Callable[[int], "torch.nn.Module"]
EstimatorBuilder = Callable[[int], "ClassifierMixin"]
#: From patterns, shape (n, n_points), to what an estimator is fitted on, shape (n, n_features).
Features = Callable[[NDArray[np.float32], "PatternProtocol"], NDArray[np.float32]]


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
    input_scaling : {'linear', 'sqrt', 'standard'}
        Patterns as the protocol scales them (maximum 1), the square root of that, where points
        below zero, which noise makes, count as zero, or that square root less its mean and divided
        by its standard deviation over the pattern.
    paper : str
        Reference.
    targets : {'labels', 'posterior'}
        What it learns of a training pattern: its label, or how likely each space group is given the
        pattern, of which the label is one draw.
    calibrated : bool
        Whether its logits are divided by a temperature in the end, fitted on validation patterns.
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
    calibrated: bool = False
    version: int = 1
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def scale_input(self, patterns: "torch.Tensor") -> "torch.Tensor":
        """Turn patterns of shape (n, n_points) into the network's input, (n, 1, n_points)."""
        if self.input_scaling == "linear":
            return patterns.unsqueeze(1)
        scaled = patterns.clamp(min=0).sqrt()
        if self.input_scaling == "standard":
            scaled = scaled - scaled.mean(dim=1, keepdim=True)
            scaled = scaled / scaled.square().mean(dim=1, keepdim=True).sqrt().clamp(min=_FLAT)
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
