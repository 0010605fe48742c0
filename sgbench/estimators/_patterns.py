"""What classifiers of patterns share."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from sgbench.diffraction import CANONICAL


class PatternClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose features are the points of a pattern."""

    classes_: NDArray[Any]

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from patterns and their labels.

        Parameters
        ----------
        X : array_like, shape (n, n_points)
            Patterns in any unit.
        y : array_like, shape (n,)
            Their labels.

        Returns
        -------
        self
        """
        patterns, labels = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(labels)
        self.classes_, target = np.unique(labels, return_inverse=True)
        self._fit(patterns, target)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities, shape (n, n_classes), in the order of `classes_`.

        Parameters
        ----------
        X : array_like, shape (n, n_points)
            Patterns with as many points as those of `fit`.
        """
        check_is_fitted(self)
        return self._probabilities(validate_data(self, X, dtype=np.float32, reset=False))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the label of the highest probability of each pattern.

        Parameters
        ----------
        X : array_like, shape (n, n_points)
            Patterns with as many points as those of `fit`.
        """
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # The checks of scikit-learn tell classes apart by where points of a plane lie. What they
        # tell apart is lost on a pattern: it has no sign, no unit, and says little in three points.
        tags.classifier_tags.poor_score = True
        return tags

    def _fit(self, patterns: NDArray[np.float32], target: NDArray[np.int64]) -> None:
        raise NotImplementedError

    def _probabilities(self, patterns: NDArray[np.float32]) -> NDArray[np.float64]:
        raise NotImplementedError


def on_grid(patterns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return patterns on the canonical grid, shape (n, 8192), maximum 1 and nothing below 0."""
    n_points = patterns.shape[1]
    if n_points != CANONICAL.n_points:
        place = np.linspace(0, n_points - 1, CANONICAL.n_points)
        below = np.minimum(place.astype(np.int64), max(n_points - 2, 0))
        above = np.minimum(below + 1, n_points - 1)
        share = (place - below).astype(np.float32)
        patterns = patterns[:, below] * (1 - share) + patterns[:, above] * share
    positive = np.maximum(patterns, 0)
    highest = positive.max(axis=1, keepdims=True)
    return np.asarray(positive / np.where(highest > 0, highest, 1), dtype=np.float32)
