"""Scoring what lives in Python: a function, a scikit-learn estimator or a torch module."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgbench.errors import SgbenchError
from sgbench.evaluation import Score
from sgbench.progress import shown, task
from sgbench.submission._prediction_file import probability_problems
from sgbench.submission._scoring import score_samples
from sgbench.submission._track import Track, public_samples

_BATCH = 256

#: Patterns, shape (n, 8192), to probabilities, shape (n, n_labels).
Predict = Callable[[NDArray[np.float32]], NDArray[np.floating[Any]]]


def evaluate(
    model: Any,
    track: str = "ulbd-cubic",
    scale: str = "laptop",
    class_scheme: str = "spacegroup",
) -> list[Score]:
    """Score a model on the public test sets of a track.

    Parameters
    ----------
    model : callable, scikit-learn classifier or torch.nn.Module
        A callable or a classifier takes patterns as float32 of shape (n, 8192), maximum 1, and
        gives probabilities of shape (n, n_labels); a classifier's classes are space groups, or
        count the labels from 0. A module takes a tensor of shape (n, 1, 8192) on its own device and
        gives logits.
    track : str
        ``ulbd-FAMILY``
    scale : {'laptop', 'smoke', 'overnight', 'full'}
        Size of the test sets.
    class_scheme : {'spacegroup', 'extinction'}
        What the model predicts; columns ascend by space group, or by the lowest of each class.

    Returns
    -------
    list of Score
        For each test set, by space group and by extinction class.

    Raises
    ------
    SgbenchError
        If the model's answers are no probabilities over the labels of the track.
    """
    chosen = Track(track, scale)
    labels = chosen.labels(class_scheme)
    samples = public_samples(chosen)
    predict = _predictor(model, labels)
    parts = []
    with shown(sys.stderr), task(f"predicting {chosen.name}", len(samples)) as under_way:
        for patterns in under_way.counted(samples.patterns(_BATCH)):
            values = np.asarray(predict(patterns))
            if values.shape != (len(patterns), len(labels)):
                raise SgbenchError(
                    f"the model's answer has shape {values.shape}; expected "
                    f"{(len(patterns), len(labels))}, a row a pattern and a column a label. Mend "
                    "it, or choose another track or class scheme."
                )
            parts.append(values)
    probabilities = np.concatenate(parts)
    names = [f"label {label}" for label in labels]
    problems = probability_problems("the model's answer", probabilities, names)
    if problems:
        raise SgbenchError("\n".join(map(str, problems)))
    provenance = {
        "model": type(model).__name__,
        "train_set": "unknown",
        "status": "self-reported",
    }
    return score_samples(
        chosen, samples, class_scheme, probabilities.astype(np.float32), provenance
    )


def _predictor(model: Any, labels: tuple[int, ...]) -> Predict:
    torch = sys.modules.get("torch")  # a module of torch exists only where torch does
    if torch is not None and isinstance(model, torch.nn.Module):
        return _of_module(model)
    if hasattr(model, "predict_proba"):
        return _of_classifier(model, labels)
    if callable(model):
        predict: Predict = model
        return predict
    raise SgbenchError(
        f"cannot predict with a {type(model).__name__}; expected a function, a scikit-learn "
        "classifier with predict_proba, or a torch.nn.Module. Wrap it in a function."
    )


def _of_module(module: Any) -> Predict:
    import torch

    parameter = next(module.parameters(), None)
    device = torch.device("cpu") if parameter is None else parameter.device

    def predict(patterns: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        was_training = module.training
        module.eval()
        try:
            with torch.inference_mode():
                logits = module(torch.as_tensor(patterns, device=device)[:, None, :])
                found: NDArray[np.float32] = torch.softmax(logits.double(), 1).float().cpu().numpy()
                return found
        finally:
            module.train(was_training)

    return predict


def _of_classifier(classifier: Any, labels: tuple[int, ...]) -> Predict:
    known = [int(label) for label in classifier.classes_]
    if set(known) <= set(labels):
        columns = np.searchsorted(labels, known)
    elif set(known) <= set(range(len(labels))):
        columns = np.array(known)
    else:
        raise SgbenchError(
            f"the classifier knows the classes {known[0]} to {known[-1]}; expected space groups of "
            f"{labels[0]} to {labels[-1]}, or labels counted from 0. Choose another track."
        )

    def predict(patterns: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        values = np.zeros((len(patterns), len(labels)))
        values[:, columns] = classifier.predict_proba(patterns)
        return values

    return predict
