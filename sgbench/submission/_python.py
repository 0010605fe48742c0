"""Scoring what lives in Python: a function, an estimator, a torch module or an ONNX file."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from sgbench.errors import SgbenchError
from sgbench.progress import shown, task
from sgbench.submission._adapters import probabilities_of
from sgbench.submission._evaluation import Evaluation
from sgbench.submission._prediction_file import probability_problems
from sgbench.submission._scoring import score_samples
from sgbench.submission._track import Track, public_samples

_BATCH = 256


def evaluate(
    model: Any,
    track: str = "ulbd-cubic",
    scale: str = "laptop",
    class_scheme: str = "spacegroup",
) -> Evaluation:
    """Score a model on the public test sets of a track.

    Parameters
    ----------
    model : callable, scikit-learn classifier, torch.nn.Module, str or Path
        A callable or a classifier takes patterns as float32 of shape (n, 8192), maximum 1, and
        gives probabilities of shape (n, n_labels); a classifier's classes are space groups, or
        count the labels from 0. A module takes a tensor of shape (n, 1, 8192) on its own device and
        gives logits, or probabilities if it ends in a softmax. A path leads to an ONNX file of
        yours, which takes patterns of either shape and gives logits or probabilities first, or as
        its output ``probabilities``; that of a stranger belongs into a submission, which runs in
        a process with limits.
    track : str
        ``ulbd-FAMILY``
    scale : {'laptop', 'smoke', 'overnight', 'full'}
        Size of the test sets.
    class_scheme : {'spacegroup', 'extinction'}
        What the model predicts; columns ascend by space group, or by the lowest of each class.

    Returns
    -------
    Evaluation
        A table where it is shown; the scores of each test set, by space group and by extinction
        class.

    Raises
    ------
    SgbenchError
        If the model fails, or its answers are no probabilities over the labels of the track.
    """
    chosen = Track(track, scale)
    labels = chosen.labels(class_scheme)
    samples = public_samples(chosen)
    with shown(sys.stderr), task(f"predicting {chosen.name}", len(samples)) as under_way:
        patterns = under_way.counted(samples.patterns(_BATCH))
        probabilities = probabilities_of(model, patterns, labels)
    names = [f"label {label}" for label in labels]
    problems = probability_problems("the model's answer", probabilities, names)
    if problems:
        raise SgbenchError("\n".join(map(str, problems)))
    name = _name(model)
    provenance = {
        "model": name,
        "train_set": "unknown",
        "status": "self-reported",
    }
    scores = score_samples(
        chosen, samples, class_scheme, probabilities.astype(np.float32), provenance
    )
    return Evaluation(f"{name} on {chosen.name} at scale {chosen.scale}", tuple(scores))


def _name(model: Any) -> str:
    if isinstance(model, str | Path):
        return Path(model).stem
    return str(getattr(model, "__name__", type(model).__name__))
