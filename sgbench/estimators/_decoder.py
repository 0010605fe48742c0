"""The decoder as a classifier: what it reads of a pattern, and the labels that go with it."""

import numpy as np
from numpy.typing import NDArray

from sgbench.decoder import INDEXED, decode_each
from sgbench.designed import Ulbd
from sgbench.diffraction import CANONICAL
from sgbench.errors import SgbenchError
from sgbench.estimators._patterns import PatternClassifier, on_grid
from sgbench.sets import family_set


class DecoderClassifier(PatternClassifier):
    """The decoder of extinction classes, and the labels that go with each class.

    The decoder itself needs no training. `fit` decodes the patterns and counts which labels go with
    which extinction class: space groups, or whatever else follows from symmetry. A pattern with
    another number of points is interpolated to 8192.

    Parameters
    ----------
    family : str, optional
        One of those of `sgbench.decoder.INDEXED`.
    largest_cell : tuple of float or None, optional
        Upper bounds of the free cell parameters in ångström; by default those of the family's
        designed dataset.
    shortest_edge : float, optional
        Lower bound of each, in ångström.
    noise : float, optional
        Least standard deviation of the noise, as a share of a pattern's maximum.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        Labels, ascending.
    labels_of_class_ : ndarray, shape (n_extinction_classes, n_classes)
        Probabilities of the labels in each extinction class, in the order of
        `sgbench.symmetry.extinction_classes`.
    n_features_in_ : int
        Points of a pattern.
    """

    labels_of_class_: NDArray[np.float64]

    def __init__(
        self,
        family: str = "cubic",
        *,
        largest_cell: tuple[float, ...] | None = None,
        shortest_edge: float = 2.5,
        noise: float = 1e-5,
    ) -> None:
        self.family = family
        self.largest_cell = largest_cell
        self.shortest_edge = shortest_edge
        self.noise = noise

    def _fit(self, patterns: NDArray[np.float32], target: NDArray[np.int64]) -> None:
        decoded = self._decoded(patterns)
        labels = np.eye(len(self.classes_))[target]
        # One more of each class, with the labels as they are overall: so a class that was not seen
        # has some.
        seen = decoded.T @ labels + labels.mean(axis=0)
        self.labels_of_class_ = seen / seen.sum(axis=1, keepdims=True)

    def _probabilities(self, patterns: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(self._decoded(patterns) @ self.labels_of_class_)

    def _decoded(self, patterns: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probabilities of extinction classes, shape (n, n_extinction_classes)."""
        largest = self.largest_cell
        if largest is None:
            if self.family not in INDEXED:
                raise SgbenchError(
                    f"the decoder cannot index the family '{self.family}'; expected one of "
                    f"{', '.join(INDEXED)}. Choose one of these."
                )
            dataset = family_set(self.family)
            assert isinstance(dataset, Ulbd)  # as all families are that the decoder takes
            largest = dataset.largest_cell
        return decode_each(
            on_grid(patterns), CANONICAL, self.family, largest, self.shortest_edge, self.noise
        ).class_probabilities
