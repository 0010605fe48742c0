"""Estimators: fitted at once on features of training patterns, and kept as files.

Patterns are rendered a batch at a time, and only their features are held. With the same seed and
the same samples, any number of threads fits the same classifier.
"""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from sgbench.diffraction import Samples
from sgbench.errors import SgbenchError
from sgbench.files import require_file, write_atomically
from sgbench.models import EstimatorSpec

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

_BATCH = 256
_SCHEMA = "schema.json"
_TREE = "sklearn.tree._tree.Tree"
_TREE_PREDICTOR = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
# Everything that a file may be made of, as (how skops builds it, what it is): what the registered
# estimators need and nothing else. skops would trust far more by itself.
_PLAIN_PARTS = {
    ("DictNode", "builtins.dict"),
    ("ListNode", "builtins.list"),
    ("TupleNode", "builtins.tuple"),
    ("JsonNode", "builtins.str"),
    ("NdArrayNode", "numpy.ndarray"),
    ("NdArrayNode", "numpy.int64"),
    ("NdArrayNode", "numpy.uint64"),
    ("TypeNode", "builtins.str"),
}
_SKLEARN_PARTS = {
    ("TreeNode", _TREE),
    ("ObjectNode", _TREE_PREDICTOR),
    ("ObjectNode", "sklearn.ensemble._forest.ExtraTreesClassifier"),
    ("ObjectNode", "sklearn.ensemble._forest.RandomForestClassifier"),
    ("ObjectNode", "sklearn.tree._classes.DecisionTreeClassifier"),
    ("ObjectNode", "sklearn.tree._classes.ExtraTreeClassifier"),
    ("ObjectNode", "sklearn.neighbors._classification.KNeighborsClassifier"),
    (
        "ObjectNode",
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    ),
    ("ObjectNode", "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper"),
    ("ObjectNode", "sklearn.preprocessing._label.LabelEncoder"),
    ("ObjectNode", "sklearn._loss.loss.HalfMultinomialLoss"),
    ("ObjectNode", "sklearn._loss.link.MultinomialLogit"),
    ("ObjectNode", "sklearn._loss.link.Interval"),
    ("LossNode", "sklearn._loss._loss.CyHalfMultinomialLoss"),
    ("RandomGeneratorNode", "numpy.random._generator.Generator"),
}
_PARTS = _PLAIN_PARTS | _SKLEARN_PARTS


def fit_estimator(
    spec: EstimatorSpec,
    batches: Iterable[Samples],
    seed: int,
    report: Callable[[int], None] = lambda patterns: None,
) -> "ClassifierMixin":
    """Fit a registered estimator.

    Parameters
    ----------
    spec : EstimatorSpec
    batches : iterable of Samples
        Each is rendered whole.
    seed : int
        Of the estimator; the samples have their own.
    report : callable, optional
        Called after each batch with the number of patterns seen so far.

    Returns
    -------
    ClassifierMixin
        Its classes are the numbers of the space groups that occur in the samples, ascending.
    """
    import joblib

    features, labels, patterns = [], [], 0
    for samples in batches:
        features.append(spec.features(samples.patterns(), samples.protocol))
        labels.append(samples.spacegroup)
        patterns += len(samples)
        report(patterns)
    classifier = spec.build(seed)
    # Boosting and neighbours follow OpenMP's settings by themselves; joblib does not, torch does.
    with joblib.parallel_config("threading", n_jobs=torch.get_num_threads()):
        classifier.fit(np.concatenate(features), np.concatenate(labels))
    return classifier


def estimator_probabilities(
    classifier: "ClassifierMixin",
    spec: EstimatorSpec,
    samples: Samples,
    spacegroups: tuple[int, ...],
) -> NDArray[np.float32]:
    """Return the probability of each space group for each pattern.

    Parameters
    ----------
    classifier : ClassifierMixin
        As `fit_estimator` returns it.
    spec : EstimatorSpec
        What it was fitted with.
    samples : Samples
        n patterns.
    spacegroups : tuple of int
        Columns of the result, ascending.

    Returns
    -------
    ndarray of float32, shape (n, len(spacegroups))
        Rows sum to 1; groups that did not occur in training have zeros.

    Raises
    ------
    SgbenchError
        If the classifier knows space groups outside `spacegroups`.
    """
    unknown = sorted({int(group) for group in classifier.classes_} - set(spacegroups))
    if unknown:
        raise SgbenchError(
            f"the estimator was fitted on space group {unknown[0]}; expected groups of "
            f"{spacegroups[0]}-{spacegroups[-1]} only. Predict a test set of its own family."
        )
    probabilities = np.zeros((len(samples), len(spacegroups)), dtype=np.float32)
    columns = np.searchsorted(spacegroups, classifier.classes_)
    first = 0
    for batch in samples.batches(_BATCH):
        rows = np.arange(first, first + len(batch))
        features = spec.features(batch.patterns(), batch.protocol)
        probabilities[rows[:, None], columns] = classifier.predict_proba(features)
        first += len(batch)
    return probabilities


def save_estimator(path: Path, classifier: "ClassifierMixin", provenance: dict[str, Any]) -> None:
    """Write a fitted estimator and its provenance; `load_estimator` unpickles nothing of them."""
    import skops.io

    content = {"classifier": classifier, "provenance": json.dumps(provenance)}
    with write_atomically(path) as temporary:
        # Most of a forest is zeros, which the fastest level shrinks twenty times.
        skops.io.dump(content, temporary, compression=zipfile.ZIP_DEFLATED, compresslevel=1)


def load_estimator(path: Path) -> tuple["ClassifierMixin", dict[str, Any]]:
    """Read what `save_estimator` wrote; nothing in the file is run.

    Raises
    ------
    SgbenchError
        If the file is missing, damaged, something else, or holds what no estimator needs.
    """
    import skops.io

    expected = "a file that `sgbench train` writes. Train it again."
    require_file(path, expected)
    try:
        with zipfile.ZipFile(path) as archive:
            foreign = set(_parts(json.loads(archive.read(_SCHEMA)))) - _PARTS
        if foreign:
            raise ValueError(f"it holds {' '.join(min(foreign))}")
        content = skops.io.load(path, trusted=[_TREE, _TREE_PREDICTOR])
        classifier, provenance = content["classifier"], json.loads(content["provenance"])
        _check_indices(classifier)
    except Exception as error:  # damage shows in many ways, all of which mean the same here
        raise SgbenchError(
            f"{path} is not a readable estimator ({type(error).__name__}: {error}); expected "
            f"{expected}"
        ) from error
    return classifier, provenance


def _parts(schema: Any) -> Iterator[tuple[str, str]]:
    """Yield how each object in a skops schema is built, and what it is."""
    if isinstance(schema, list):
        for entry in schema:
            yield from _parts(entry)
    elif isinstance(schema, dict):
        if "__loader__" in schema:
            yield schema["__loader__"], f"{schema['__module__']}.{schema['__class__']}"
        for entry in schema.values():
            yield from _parts(entry)


def _check_indices(classifier: Any) -> None:
    """Check what scikit-learn's compiled code looks up without looking: a wrong index crashes it.

    Raises
    ------
    ValueError
        If an index points outside its array, a tree runs in circles, or it is no known classifier.
    """
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        HistGradientBoostingClassifier,
        RandomForestClassifier,
    )
    from sklearn.neighbors import KNeighborsClassifier

    n_features = classifier.n_features_in_
    if isinstance(classifier, ExtraTreesClassifier | RandomForestClassifier):
        for estimator in classifier.estimators_:
            tree = estimator.tree_
            inner = tree.children_left != -1
            children = tree.children_left, tree.children_right
            _check_tree(inner, children, tree.feature, min(n_features, tree.n_features))
    elif isinstance(classifier, HistGradientBoostingClassifier):
        for predictor in (p for iteration in classifier._predictors for p in iteration):
            nodes = predictor.nodes
            inner = nodes["is_leaf"] == 0
            if nodes["is_categorical"].any():
                raise ValueError("a tree splits on categories")
            _check_tree(inner, (nodes["left"], nodes["right"]), nodes["feature_idx"], n_features)
    elif isinstance(classifier, KNeighborsClassifier):
        labels = classifier._y
        known = labels.size and labels.min() >= 0 and labels.max() < len(classifier.classes_)
        if not known or labels.shape != classifier._fit_X.shape[:1]:
            raise ValueError("a neighbour has no class")
        if classifier._fit_method != "brute":
            raise ValueError("it holds a search tree")
    else:
        raise ValueError(f"it holds a {type(classifier).__name__}")


def _check_tree(
    inner: NDArray[np.bool_],
    children: tuple[NDArray[Any], NDArray[Any]],
    feature: NDArray[Any],
    n_features: int,
) -> None:
    node = np.nonzero(inner)[0]
    # Children come after their parent, so that a walk ends.
    for child in (side[node].astype(np.int64) for side in children):
        if not ((child > node) & (child < len(inner))).all():
            raise ValueError("a tree leads outside itself")
    used = feature[node]
    if not len(inner) or not ((used >= 0) & (used < n_features)).all():
        raise ValueError("a tree asks for a feature that is not there")
